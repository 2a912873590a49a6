//! The command lines of the real commands, as either program name.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::cli::{
    self, Action, CommandInfo, Flag, HelpSubject, Invocation, ProgramName, flags, help, parse,
    recover_log_flag,
};
use crate::config::settings::LOG;
use crate::config::{Config, Environment, GoEnv, own_values};
use crate::error::{Kind, Result};

fn run(line: &str) -> Result<Invocation> {
    parse(
        &command_tree(),
        line.split(' ').map(OsString::from).collect(),
    )
}

/// A command line that was understood; the action as text.
struct Typed {
    program: ProgramName,
    action: String,
    info: Option<&'static CommandInfo>,
    raw: RawArgs,
}

impl Typed {
    fn flag(&self, long: &str) -> &'static Flag {
        let flag = self.info.and_then(|info| info.flag(long));
        flag.unwrap_or_else(|| panic!("{} has no {long}", self.action))
    }

    fn text(&self, long: &str) -> Option<&str> {
        self.raw.text(self.flag(long))
    }

    fn switch(&self, long: &str) -> Option<bool> {
        self.raw.switch(self.flag(long))
    }

    /// Of some switches, those that are on.
    fn on<'a>(&self, longs: &[&'a str]) -> Vec<&'a str> {
        let longs = longs.iter().copied();
        longs
            .filter(|long| self.switch(long) == Some(true))
            .collect()
    }
}

fn ok(line: &str) -> Typed {
    let invocation = run(line).unwrap_or_else(|error| panic!("{line}: {}", error.chain()));
    let Invocation {
        program,
        action,
        raw,
    } = invocation;
    let info = match action {
        Action::Run(info) => Some(info),
        _ => None,
    };
    let action = match action {
        Action::Run(info) => info.name(),
        Action::Help { about, long } => {
            let form = if long { "--help" } else { "-h" };
            match about {
                HelpSubject::Overview => form.to_owned(),
                HelpSubject::Area(area) => format!("{} {form}", area.name),
                HelpSubject::Command(info) => format!("{} {form}", info.name()),
                HelpSubject::Topic(topic) => topic.name.to_owned(),
            }
        }
        Action::Missing => String::new(),
    };
    Typed {
        program,
        action,
        info,
        raw,
    }
}

fn refused(line: &str) -> (String, Vec<String>) {
    let error = run(line).map(|_| ()).expect_err(line);
    assert_eq!(error.kind(), Kind::Usage, "{line}");
    (error.chain(), error.hints().to_vec())
}

#[test]
fn the_form_of_messages_survives_a_command_line_that_does_not() {
    let rows = [
        ("modfetch downlaod --log json", Some("json")),
        ("modfetch --log=json downlaod", Some("json")),
        ("modfetch --log=json x --log text", Some("text")),
        ("modfetch --log json --log", Some("json")),
        ("modfetch --logs=json --nolog=json -log=json", None),
        ("modfetch x -- --log=json", None),
        ("/usr/bin/go mod x --log=json", None),
    ];
    for (line, want) in rows {
        let argv: Vec<_> = line.split(' ').map(OsString::from).collect();
        let recovered = recover_log_flag(&argv);
        assert_eq!(recovered.text(&LOG.flag), want, "{line}");
    }
    assert_eq!(recover_log_flag(&[]), RawArgs::default());
}

#[test]
fn gos_flags_take_one_dash_or_two_and_stand_anywhere() {
    for line in [
        "modfetch download -json -x -modcacherw -modfile=f -C dir a@v1 b",
        "modfetch mod download --json --x --modcacherw --modfile f --C=dir a@v1 b",
        "/usr/bin/modfetch -C dir -json download a@v1 -x -modfile f b -modcacherw",
        "modfetch -json=1 mod -C=dir download a@v1 -x=T --modfile=f --modcacherw=true -- b",
    ] {
        let typed = ok(line);
        assert_eq!(typed.program, ProgramName::Modfetch, "{line}");
        assert_eq!(typed.action, "download", "{line}");
        let switches = ["json", "x", "modcacherw"];
        assert_eq!(typed.on(&switches), switches, "{line}");
        assert_eq!(typed.text("modfile"), Some("f"), "{line}");
        assert_eq!(typed.text("C"), Some("dir"), "{line}");
        assert_eq!(typed.raw.args, ["a@v1", "b"], "{line}");
    }
    let typed = ok("modfetch download -modcacherw=false -x=0");
    assert_eq!(typed.switch("modcacherw"), Some(false));
    assert_eq!(typed.switch("x"), Some(false));
    assert_eq!(typed.switch("json"), None);
}

#[test]
fn our_letters_keep_working() {
    let typed = ok("modfetch download -j 8 -q");
    assert_eq!(typed.text("jobs"), Some("8"));
    assert_eq!(typed.switch("quiet"), Some(true));
    for line in ["-j8", "-j=8", "--jobs=8", "--jobs 8", "-qj8", "-j3 -j8"] {
        let typed = ok(&format!("modfetch download {line}"));
        assert_eq!(typed.text("jobs"), Some("8"), "{line}");
    }
    let typed = ok("modfetch download -qv");
    assert_eq!(typed.on(&["quiet", "verbose"]), ["verbose"]);
    assert_eq!(typed.switch("quiet"), Some(false));
    let typed = ok("modfetch download -vq");
    assert_eq!(typed.on(&["quiet", "verbose"]), ["quiet"]);
    let typed = ok("modfetch download --fail-fast --keep-going --from -");
    assert_eq!(typed.switch("fail-fast"), Some(false));
    assert_eq!(typed.text("from"), Some("-"));
    let typed = ok("modfetch download --keep-going=false");
    assert_eq!(typed.switch("fail-fast"), Some(true));
    // A value may look like a flag.
    let typed = ok("modfetch download -modfile -json");
    assert_eq!(typed.text("modfile"), Some("-json"));
    assert_eq!(
        ok("modfetch download -- -json --x").raw.args,
        ["-json", "--x"]
    );
}

#[test]
fn env_has_flags_of_its_own() {
    let typed = ok("modfetch env -json -changed -v GOPROXY");
    assert_eq!(typed.action, "env");
    let switches = ["json", "changed", "verbose"];
    assert_eq!(typed.on(&switches), switches);
    assert_eq!(typed.raw.args, ["GOPROXY"]);
    let typed = ok("modfetch env -w A=b --u -n -x");
    assert_eq!(typed.on(&["w", "u", "n", "x"]), ["w", "u", "n", "x"]);
}

#[test]
fn graph_and_clean_have_the_flags_of_go() {
    for line in [
        "modfetch graph -go=1.17 -x",
        "modfetch mod graph --go 1.17 --x",
        "/usr/bin/go mod graph -go=1.17 -x",
    ] {
        let typed = ok(line);
        assert_eq!(typed.action, "graph", "{line}");
        assert_eq!(typed.text("go"), Some("1.17"), "{line}");
        assert_eq!(typed.on(&["x"]), ["x"], "{line}");
    }
    for line in ["modfetch clean -modcache -n -r", "go clean -n -modcache -r"] {
        let typed = ok(line);
        assert_eq!(typed.action, "clean", "{line}");
        let on = typed.on(&["modcache", "n", "r", "x", "i"]);
        assert_eq!(on, ["modcache", "n", "r"], "{line}");
    }
    assert_eq!(ok("modfetch graph -go=").text("go"), Some(""));
    let (said, _) = refused("go mod graph -json");
    assert_eq!(said, "flag provided but not defined: -json");
    let (said, _) = refused("go clean -modcache -testcache");
    assert!(
        said.starts_with("clean -testcache is not supported"),
        "{said}"
    );
    let (said, _) = refused("go mod graph -go=1.2.3.4");
    assert!(
        said.starts_with("invalid value \"1.2.3.4\" for flag -go: expecting"),
        "{said}"
    );
}

#[test]
fn mistakes_are_named_with_what_was_meant() {
    let table = [
        (
            "modfetch download --jbos",
            "unknown flag --jbos for \"modfetch download\"",
            "did you mean --jobs?",
        ),
        (
            "modfetch download -jsno",
            "unknown flag -jsno for \"modfetch download\"",
            "did you mean -json?",
        ),
        (
            "modfetch download -quiet",
            "unknown flag -quiet for \"modfetch download\"",
            "did you mean --quiet?",
        ),
        (
            "modfetch download -moodfile=x",
            "unknown flag -moodfile for \"modfetch download\"",
            "did you mean -modfile?",
        ),
        (
            "modfetch download -w",
            "unknown flag -w for \"modfetch download\"",
            "'modfetch download -h' lists the flags",
        ),
        (
            "modfetch --jobs 3 env",
            "unknown flag --jobs for \"modfetch env\"",
            "'modfetch env -h' lists the flags",
        ),
        (
            "modfetch --zzzz",
            "unknown flag --zzzz for \"modfetch\"",
            "'modfetch -h' lists the flags",
        ),
        (
            "modfetch donwload",
            "unknown command \"donwload\"",
            "did you mean \"download\"?",
        ),
        (
            "modfetch mod donwload",
            "unknown command \"mod donwload\"",
            "did you mean \"mod download\"?",
        ),
        (
            "modfetch mod lst",
            "unknown command \"mod lst\"",
            "did you mean \"list\"?",
        ),
        (
            "modfetch frobnicate",
            "unknown command \"frobnicate\"",
            "'modfetch -h' lists the commands",
        ),
        (
            "modfetch mod",
            "command mod needs a command",
            "modfetch serves: mod download, mod verify, mod graph, mod why",
        ),
    ];
    for (line, message, hint) in table {
        assert_eq!(
            refused(line),
            (message.to_owned(), vec![hint.to_owned()]),
            "{line}"
        );
    }
    let table = [
        ("modfetch download --jobs", "flag --jobs needs a value: N"),
        (
            "modfetch download -modfile",
            "flag -modfile needs a value: FILE",
        ),
        (
            "modfetch download -json=maybe",
            "invalid value \"maybe\" for flag -json: want true or false",
        ),
        (
            "modfetch download --offline=no",
            "invalid value \"no\" for flag --offline: want true or false",
        ),
        ("modfetch version x", "command version takes no arguments"),
    ];
    for (line, message) in table {
        assert_eq!(refused(line).0, message, "{line}");
    }
}

#[test]
fn help_is_asked_for_in_many_ways() {
    let table = [
        ("modfetch -h", "-h"),
        ("modfetch --help", "--help"),
        ("modfetch download -h", "download -h"),
        ("modfetch download --help", "download --help"),
        ("modfetch mod download a -h", "download -h"),
        ("modfetch --help env", "env --help"),
        ("modfetch help env", "help"),
        ("modfetch mod -h", "-h"),
        ("modfetch", ""),
        ("modfetch version", "version"),
        ("modfetch --version", "version"),
        ("go", ""),
        ("go -h", "-h"),
        ("go env -h", "env -h"),
        ("go help mod download", "help"),
        ("modfetch download -- -h", "download"),
    ];
    for (line, want) in table {
        assert_eq!(ok(line).action, want, "{line}");
    }
    let subject = |typed: &str| {
        let words: Vec<String> = typed.split_whitespace().map(str::to_owned).collect();
        match cli::help_subject(&command_tree(), &words) {
            Ok(HelpSubject::Command(info)) => info.name(),
            Ok(HelpSubject::Area(area)) => format!("{} ...", area.name),
            Ok(HelpSubject::Topic(topic)) => topic.name.to_uppercase(),
            Ok(HelpSubject::Overview) => String::new(),
            Err(error) => error.chain(),
        }
    };
    for (typed, want) in [
        ("", ""),
        ("mod", ""),
        ("env", "env"),
        ("mod download", "download"),
        ("settings", "SETTINGS"),
        ("setings", "unknown command or topic \"setings\""),
        ("downlaod", "unknown command \"downlaod\""),
    ] {
        assert_eq!(subject(typed), want);
    }
}

#[test]
fn as_go_the_rules_are_gos() {
    let typed = ok("/usr/bin/go mod download -C dir -x -json=true a@v1 -json");
    assert_eq!(typed.program, ProgramName::Go);
    assert_eq!(typed.action, "download");
    assert_eq!(typed.on(&["json", "x"]), ["json", "x"]);
    assert_eq!(typed.text("C"), Some("dir"));
    // Flags end at the first argument.
    assert_eq!(typed.raw.args, ["a@v1", "-json"]);
    assert_eq!(ok("go mod download -x -- -y").raw.args, ["-y"]);
    assert_eq!(ok("go env - -json").raw.args, ["-", "-json"]);
    for line in [
        "go -C d env",
        "go env -C d",
        "go env --C=d",
        "go mod -C d download",
    ] {
        assert_eq!(ok(line).text("C"), Some("d"), "{line}");
    }

    // What go1.26.8 prints for the same command line.
    let table = [
        (
            "go mod download -jobs=3",
            "flag provided but not defined: -jobs",
        ),
        ("go env -v", "flag provided but not defined: -v"),
        (
            "go mod download -json=maybe",
            "invalid boolean value \"maybe\" for -json: parse error",
        ),
        (
            "go mod download -modfile",
            "flag needs an argument: -modfile",
        ),
        ("go mod download -C", "flag needs an argument: -C"),
        ("go mod download ---x", "bad flag syntax: ---x"),
        ("go mod download -=x", "bad flag syntax: -=x"),
        (
            "go mod download -x -C /tmp",
            "invalid value \"/tmp\" for flag -C: -C flag must be first flag on command line",
        ),
        (
            "go mod download -C . -C foo",
            "invalid value \"foo\" for flag -C: -C flag must be first flag on command line",
        ),
    ];
    for (line, want) in table {
        assert_eq!(refused(line).0, want, "{line}");
    }
    for (line, name) in [
        ("go build -o x", "build"),
        ("go version", "version"),
        ("go download", "download"),
        ("go mod tidy", "mod tidy"),
        ("go mod why -m example.com/m", "mod why"),
        ("go mod", "mod"),
    ] {
        let want = format!(
            "unknown or unsupported command {name:?}: this is modfetch, which serves: mod download, mod verify, mod graph, list -m, clean -modcache, env"
        );
        assert_eq!(refused(line).0, want, "{line}");
    }
}

#[cfg(unix)]
#[test]
fn an_argument_must_be_text() {
    use std::os::unix::ffi::OsStringExt as _;
    let bad = OsString::from_vec(b"a\xff".to_vec());
    let error = parse(&command_tree(), vec!["modfetch".into(), bad])
        .map(|_| ())
        .expect_err("not text");
    assert_eq!(error.kind(), Kind::Usage);
}

proptest! {
    #[test]
    fn any_command_line_is_understood_or_refused(
        program in "go|modfetch",
        args in prop::collection::vec("(go|mod|download|env|help|-{0,3}[a-zA-Zé=]{0,4}|-json|-C|--jobs|-)", 0..6),
    ) {
        let mut argv = vec![OsString::from(program)];
        argv.extend(args.into_iter().map(OsString::from));
        if let Err(error) = parse(&command_tree(), argv) {
            prop_assert_eq!(error.kind(), Kind::Usage);
        }
    }
}

// ---- GOFLAGS

fn merged(typed: &[&str], goflags: &str) -> Result<Typed> {
    let argv = ["modfetch"].iter().chain(typed);
    let invocation = parse(&command_tree(), argv.map(Into::into).collect())?;
    let Action::Run(info) = invocation.action else {
        panic!("{typed:?} is no command");
    };
    let environment = Environment::from_pairs([("HOME", "/h"), ("GOFLAGS", goflags)]);
    let go_env = GoEnv::load(&environment);
    let config = Config::resolve(&go_env, &invocation.raw, &info.goflags(), Path::new("/"))?;
    Ok(Typed {
        program: invocation.program,
        action: info.name(),
        info: Some(info),
        raw: config.args,
    })
}

#[test]
fn goflags_count_where_nothing_was_typed_and_the_command_has_them() {
    let words = "-u --json=Path -tags=x -f={{.Path}} -x -n";
    let list = merged(&["list", "-m", "-f", "{{.Dir}}"], words).unwrap();
    assert_eq!(list.on(&["m", "u", "json", "x"]), ["m", "u", "json", "x"]);
    let fields: Vec<&str> = list.raw.words(list.flag("json")).collect();
    assert_eq!(fields, ["Path"]);
    assert_eq!(list.text("f"), Some("{{.Dir}}"));
    let graph = merged(&["graph", "-x=false"], words).unwrap();
    assert!(graph.on(&["json", "x"]).is_empty());
    let clean = merged(&["clean"], "-modcache").unwrap();
    assert_eq!(clean.on(&["modcache"]), ["modcache"]);
    // Commands that go lacks take what it says of how modules are kept, and -json in any form.
    let sum = merged(&["sum"], "-json=Path -modcacherw").unwrap();
    assert_eq!(sum.on(&["json"]), ["json"]);
    assert_eq!(sum.raw.switch(&flags::MODCACHERW), Some(true));
}

#[test]
fn goflags_are_refused_in_gos_words() {
    // `GOFLAGS=... go list -m` of go1.26.8, after "go: ".
    let table = [
        (
            "-u=patch",
            "invalid boolean value \"patch\" for flag -u (from $GOFLAGS): parse error",
        ),
        ("-f", "flag needs an argument: -f (from $GOFLAGS)"),
    ];
    for (word, want) in table {
        let error = merged(&["list", "-m", "-u", "-f="], word)
            .err()
            .expect(word);
        assert_eq!(error.chain(), want);
    }
}

// ---- the rows

#[test]
fn rows_are_complete_and_their_names_unique() {
    let tree = command_tree();
    let mut names = BTreeSet::new();
    for info in &tree.commands {
        let name = info.name();
        assert!(names.insert(name.clone()), "{name}");
        assert!(tree.command(&name).is_some(), "{name}");
        assert!(
            !info.detail.is_empty() && !info.examples.is_empty(),
            "{name}"
        );
        assert!(
            !info.brief.is_empty() && !info.brief.ends_with('.'),
            "{name}"
        );
        if let [first, _, ..] = info.path {
            let mut areas = tree.areas.iter();
            assert!(areas.any(|area| area.name == *first), "{name} has no area");
        }
        let mut flags = BTreeSet::new();
        for flag in info.all_flags() {
            let what = format!("{name} {}", flag.shown());
            assert!(flags.insert(flag.long.to_owned()), "{what}");
            if let Some(short) = flag.short {
                assert!(flags.insert(short.to_string()), "{what}: {short}");
            }
            assert!(
                !flag.brief.is_empty() && !flag.brief.ends_with('.'),
                "{what}"
            );
            assert!(flag.brief.len() <= 56, "{what}: {}", flag.brief.len());
            let mut ignored = info.ignored.iter().flat_map(|list| list.iter());
            assert!(
                ignored.all(|ignored| ignored.long != flag.long),
                "{what} does something"
            );
            if let Some(variable) = flag.env {
                assert!(!flag.go, "{what}");
                let name = flag.long.to_uppercase().replace('-', "_");
                // Of a server and its short names, the variables say so.
                let serving = flags::groups::SERVE.flags.iter();
                let prefix = match serving.map(|own| own.env).any(|own| own == flag.env) {
                    true => "MODFETCH_SERVE",
                    false => "MODFETCH",
                };
                assert_eq!(variable, format!("{prefix}_{name}"));
            }
        }
        for long in info.added {
            assert!(info.flag(long).is_some_and(|flag| flag.go), "{name} {long}");
        }
    }
}

/// A flag may stand before its command; where commands differ in what it takes, it may not.
#[test]
fn a_flag_before_its_command_is_refused_where_its_meaning_depends_on_the_command() {
    let tree = command_tree();
    let takes_value = |flag: &Flag| flag.value.is_some();
    let depends = |flag: &&'static Flag| {
        let mut others = tree.flags().filter(|other| other.long == flag.long);
        others.any(|other| takes_value(other) != takes_value(flag))
    };
    let mut depending = tree.flags().filter(depends);
    if let Some(flag) = depending.next() {
        let (said, _) = refused(&format!("modfetch --{}=1 version", flag.long));
        assert!(said.contains("must follow the command"), "{said}");
    }
    assert_eq!(ok("modfetch --jobs 3 download").text("jobs"), Some("3"));
}

/// Every row: nothing by default, something when set, and the last of two counts.
#[test]
fn every_flag_is_default_set_and_set_twice() {
    for info in command_tree().commands {
        for flag in info.all_flags() {
            let set = |values: &[&str]| {
                let mut argv: Vec<OsString> = vec!["modfetch".into()];
                argv.extend(info.path.iter().map(Into::into));
                argv.extend(
                    values
                        .iter()
                        .map(|value| format!("--{}={value}", flag.long).into()),
                );
                parse(&command_tree(), argv).map(|invocation| invocation.raw)
            };
            let (one, two) = match flag.value {
                Some(_) => match flag.choices {
                    [one, two, ..] => (*one, *two),
                    _ => ("one", "two"),
                },
                None => ("true", "false"),
            };
            let what = format!("{} {}", info.name(), flag.long);
            if flag.long == "go" {
                assert!(set(&[one]).is_err(), "{what}");
                assert!(set(&[""]).is_ok(), "{what}");
                continue;
            }
            let once = set(&[one]).expect(&what);
            assert_ne!(once, RawArgs::default(), "{what}");
            assert_eq!(once.text(flag), Some(one), "{what}");
            let twice = set(&[one, two]).expect(&what);
            assert_eq!(twice.text(flag), Some(two), "{what}");
            assert_eq!(twice.texts(flag), [one, two], "{what}");
        }
    }
}

// ---- help

#[test]
fn help_shows_every_flag_of_a_command_and_no_other() {
    let tree = command_tree();
    for info in &tree.commands {
        for long in [false, true] {
            let text = help(&tree, HelpSubject::Command(info), long);
            // The flags that have a line, which begins with their spellings.
            let lines = text.lines().filter_map(|line| line.strip_prefix("  "));
            let listed: BTreeSet<&str> = lines
                .flat_map(|line| {
                    line.split([' ', ','])
                        .take_while(|word| word.starts_with('-') || word.is_empty())
                })
                .collect();
            let is_shown = |flag: &Flag| listed.contains(flag.shown().as_str());
            for flag in tree.flags() {
                let what = format!("{} {}\n{text}", info.name(), flag.long);
                match info.flag(flag.long) {
                    Some(own) => assert!(is_shown(own), "{what}"),
                    // One command's letter is another one's name: `-o`.
                    None if flag.long.len() == 1 => {}
                    None => assert!(!is_shown(flag), "{what}"),
                }
            }
        }
    }
}

#[test]
fn long_help_names_variables_and_examples() {
    let tree = command_tree();
    let download = tree.command("download").expect("is a command");
    let text = help(&tree, HelpSubject::Command(download), true);
    for variable in download.all_flags().filter_map(|flag| flag.env) {
        let line = format!("Environment: {variable}\n");
        assert!(text.contains(&line), "{variable}");
    }
    for (line, _) in download.examples {
        assert!(text.contains(line), "{line}");
    }
    assert!(help(&tree, HelpSubject::Overview, true).contains("Exit codes:"));
    let short = help(&tree, HelpSubject::Overview, false);
    assert!(short.contains("  download      Fetch modules"));
}

#[test]
fn lines_of_help_fit_a_terminal() {
    let tree = command_tree();
    let commands = tree.commands.iter().copied().map(HelpSubject::Command);
    let areas = tree.areas.iter().map(HelpSubject::Area);
    for about in commands.chain(areas).chain([HelpSubject::Overview]) {
        for long in [false, true] {
            let text = help(&tree, about, long);
            assert!(text.ends_with('\n'));
            for line in text.lines() {
                assert!(line.chars().count() <= 84, "{line}");
                assert!(line.trim_end() == line, "{line:?}");
            }
        }
    }
}

// ---- generated texts

/// The file with its generated tables as they should be.
fn with_tables(text: &str, tables: &[(&str, String)]) -> String {
    let mut text = text.to_owned();
    for (name, table) in tables {
        let open = format!("<!-- generated: {name} -->\n");
        let Some((before, rest)) = text.split_once(&open) else {
            continue;
        };
        let (_, after) = rest.split_once("<!-- end -->").expect("a table ends");
        text = format!("{before}{open}{table}<!-- end -->{after}");
    }
    text
}

#[test]
fn generated_tables_are_those_of_the_rows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tables = [
        ("commands", cli::tables::commands_table(&command_tree())),
        ("settings", cli::tables::settings_table()),
    ];
    let update = Environment::from_process().get("UPDATE_TABLES").is_some();
    for name in ["src/cli/help/commands.md", "src/cli/help/settings.md"] {
        let file = root.join(name);
        let text = std::fs::read_to_string(&file).expect(name);
        let wanted = with_tables(&text, &tables);
        if update {
            std::fs::write(&file, &wanted).expect(name);
        } else {
            let hint = "UPDATE_TABLES=1 cargo test --lib generated_tables";
            assert!(text == wanted, "{name} is not what the rows say: {hint}");
        }
    }
}

#[test]
fn man_pages_have_the_texts_and_their_lines_are_text_or_macros() {
    const MACROS: &[&str] = &[
        "TH", "SH", "SS", "PP", "TP", "IP", "RS", "RE", "EX", "EE", "br",
    ];
    let tree = command_tree();
    let pages = cli::man_pages(&tree);
    let mut files = BTreeSet::new();
    for page in &pages {
        assert!(files.insert(&page.file), "{}", page.file);
        assert!(page.roff.starts_with(".TH \"MODFETCH"), "{}", page.file);
        for line in page.roff.lines() {
            if let Some(rest) = line.strip_prefix('.') {
                let name = rest.split(' ').next().unwrap_or_default();
                assert!(MACROS.contains(&name), "{}: {line}", page.file);
            }
            assert!(!line.starts_with('\''), "{}: {line}", page.file);
            assert_eq!(line.trim_end(), line, "{}", page.file);
        }
    }
    assert_eq!(pages.len(), 1 + tree.commands.len() + cli::TOPICS.len());
    let download = pages.iter().find(|page| page.file == "modfetch-download.1");
    let download = &download.expect("it has a page").roff;
    assert!(download.contains("\\fB\\-j\\fR, \\fB\\-\\-jobs\\fR \\fIN\\fR\n"));
    assert!(download.contains("Environment: MODFETCH_JOBS\n"));
}

// ---- settings

#[test]
fn every_flag_with_a_variable_is_a_setting_and_every_setting_a_flag() {
    let flags = command_tree();
    let variables: BTreeSet<_> = flags.flags().filter_map(|flag| flag.env).collect();
    let settings = own_values(&GoEnv::load(&Environment::default()));
    let settings: BTreeSet<_> = settings.iter().map(|row| row.variable).collect();
    assert_eq!(variables, settings);
}
