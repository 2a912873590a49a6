//! From argv to [`Invocation`], for either persona.

use std::ffi::{OsStr, OsString};

use super::invocation::{Invocation, Persona};
use super::parse_go::parse_go;
use super::parse_own::parse_own;
use super::raw::RawArgs;
use super::words::usage;
use crate::Result;

/// Understands a command line; `argv` starts with the name the program was called by.
///
/// # Errors
/// [`Kind::Usage`](crate::Kind::Usage): an unknown flag or command, a missing or malformed value, an argument that
/// is not Unicode. Where something near exists, a hint names it.
pub fn parse(argv: Vec<OsString>) -> Result<Invocation> {
    let mut argv = argv.into_iter();
    let program = argv.next().unwrap_or_default();
    let persona = Persona::of(&program);
    let mut args = Vec::new();
    for arg in argv {
        args.push(
            arg.into_string()
                .map_err(|arg| usage(format!("argument {} is not valid UTF-8", arg.display())))?,
        );
    }
    match persona {
        Persona::Modfetch => parse_own(args),
        Persona::Go => parse_go(args),
    }
}

/// Takes from a command line that [`parse`] refuses what says how to tell the refusal: `--log`.
///
/// The last one counts, up to `--`; `go` has no such flag.
#[must_use]
pub fn salvage(argv: &[OsString]) -> RawArgs {
    let mut raw = RawArgs::default();
    let mut argv = argv.iter();
    let program = argv.next().map_or(OsStr::new(""), OsString::as_os_str);
    if Persona::of(program) == Persona::Go {
        return raw;
    }
    let mut words = argv
        .map(|arg| arg.to_str().unwrap_or_default())
        .take_while(|arg| *arg != "--");
    while let Some(word) = words.next() {
        let form = match word.strip_prefix("--log") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if let Some(form) = form {
            raw.log = Some(form.to_owned());
        }
    }
    raw
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::Kind;
    use crate::cli::commands::Verb;
    use crate::cli::invocation::Command;

    fn run(line: &str) -> Result<Invocation> {
        parse(line.split(' ').map(OsString::from).collect())
    }

    fn ok(line: &str) -> Invocation {
        run(line).unwrap_or_else(|error| panic!("{line}: {}", error.chain()))
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
            assert_eq!(salvage(&argv).log.as_deref(), want, "{line}");
        }
        assert_eq!(salvage(&[]), RawArgs::default());
    }

    #[test]
    fn gos_flags_take_one_dash_or_two_and_stand_anywhere() {
        for line in [
            "modfetch download -json -x -modcacherw -modfile=f -C dir a@v1 b",
            "modfetch mod download --json --x --modcacherw --modfile f --C=dir a@v1 b",
            "/usr/bin/modfetch -C dir -json download a@v1 -x -modfile f b -modcacherw",
            "modfetch -json=1 mod -C=dir download a@v1 -x=T --modfile=f --modcacherw=true -- b",
        ] {
            let Invocation {
                persona,
                command,
                raw,
            } = ok(line);
            assert_eq!(
                (persona, command),
                (Persona::Modfetch, Command::Download),
                "{line}"
            );
            assert!(raw.json && raw.x, "{line}");
            assert_eq!(raw.modcacherw, Some(true), "{line}");
            assert_eq!(raw.modfile.as_deref(), Some("f"), "{line}");
            assert_eq!(raw.chdir.as_deref(), Some(Path::new("dir")), "{line}");
            assert_eq!(raw.args, ["a@v1", "b"], "{line}");
        }
        assert_eq!(
            ok("modfetch download -modcacherw=false").raw.modcacherw,
            Some(false)
        );
        let raw = ok("modfetch download -x=0").raw;
        assert_eq!(raw.typed("x", raw.x), Some(false));
        assert_eq!(raw.typed("json", raw.json), None);
    }

    #[test]
    fn our_letters_keep_working() {
        let raw = ok("modfetch download -j 8 -q").raw;
        assert_eq!((raw.jobs.as_deref(), raw.quiet), (Some("8"), Some(true)));
        for line in ["-j8", "-j=8", "--jobs=8", "--jobs 8", "-qj8", "-j3 -j8"] {
            let raw = ok(&format!("modfetch download {line}")).raw;
            assert_eq!(raw.jobs.as_deref(), Some("8"), "{line}");
        }
        let raw = ok("modfetch download -qv").raw;
        assert_eq!((raw.quiet, raw.verbose), (Some(false), Some(true)));
        let raw = ok("modfetch download --fail-fast --keep-going --from -").raw;
        assert_eq!(raw.fail_fast, Some(false));
        assert_eq!(raw.from.as_deref(), Some(Path::new("-")));
        // A value may look like a flag.
        assert_eq!(
            ok("modfetch download -modfile -json")
                .raw
                .modfile
                .as_deref(),
            Some("-json")
        );
        assert_eq!(
            ok("modfetch download -- -json --x").raw.args,
            ["-json", "--x"]
        );
    }

    #[test]
    fn env_has_flags_of_its_own() {
        let Invocation { command, raw, .. } = ok("modfetch env -json -changed -v GOPROXY");
        assert_eq!(command, Command::Env);
        assert!(raw.json && raw.changed && raw.verbose == Some(true));
        assert_eq!(raw.args, ["GOPROXY"]);
        let raw = ok("modfetch env -w A=b --u -n -x").raw;
        assert!(raw.write && raw.u && raw.n && raw.x);
    }

    #[test]
    fn graph_and_clean_have_the_flags_of_go() {
        for line in [
            "modfetch graph -go=1.17 -x",
            "modfetch mod graph --go 1.17 --x",
            "/usr/bin/go mod graph -go=1.17 -x",
        ] {
            let Invocation { command, raw, .. } = ok(line);
            assert_eq!(command, Command::Graph, "{line}");
            let go = raw.go.map(|go| go.to_string());
            assert_eq!((go.as_deref(), raw.x), (Some("1.17"), true), "{line}");
        }
        for line in ["modfetch clean -modcache -n -r", "go clean -n -modcache -r"] {
            let Invocation { command, raw, .. } = ok(line);
            assert_eq!(command, Command::Clean, "{line}");
            assert!(raw.modcache && raw.n && raw.r && !raw.x && !raw.i, "{line}");
        }
        assert_eq!(ok("modfetch graph -go=").raw.go, None);
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
        let help = |about, long| Command::Help { about, long };
        let table = [
            ("modfetch -h", help(None, false)),
            ("modfetch --help", help(None, true)),
            ("modfetch help", help(None, true)),
            ("modfetch download -h", help(Some(Verb::Download), false)),
            ("modfetch download --help", help(Some(Verb::Download), true)),
            (
                "modfetch mod download a -h",
                help(Some(Verb::Download), false),
            ),
            ("modfetch --help env", help(Some(Verb::Env), true)),
            ("modfetch help env", help(Some(Verb::Env), true)),
            (
                "modfetch help mod download",
                help(Some(Verb::Download), true),
            ),
            ("modfetch", Command::Missing),
            ("modfetch version", Command::Version),
            ("modfetch --version", Command::Version),
            ("go", Command::Missing),
            ("go help mod download", help(Some(Verb::Download), true)),
            ("go env -h", help(Some(Verb::Env), false)),
        ];
        for (line, want) in table {
            assert_eq!(ok(line).command, want, "{line}");
        }
        assert_eq!(ok("modfetch download -- -h").command, Command::Download);
    }

    #[test]
    fn as_go_the_rules_are_gos() {
        let Invocation {
            persona,
            command,
            raw,
        } = ok("/usr/bin/go mod download -C dir -x -json=true a@v1 -json");
        assert_eq!((persona, command), (Persona::Go, Command::Download));
        assert!(raw.json && raw.x);
        assert_eq!(raw.chdir.as_deref(), Some(Path::new("dir")));
        // Flags end at the first argument.
        assert_eq!(raw.args, ["a@v1", "-json"]);
        assert_eq!(ok("go mod download -x -- -y").raw.args, ["-y"]);
        assert_eq!(ok("go env - -json").raw.args, ["-", "-json"]);
        for line in [
            "go -C d env",
            "go env -C d",
            "go env --C=d",
            "go mod -C d download",
        ] {
            assert_eq!(
                ok(line).raw.chdir.as_deref(),
                Some(Path::new("d")),
                "{line}"
            );
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
        let error = parse(vec!["modfetch".into(), bad])
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
            if let Err(error) = parse(argv) {
                prop_assert_eq!(error.kind(), Kind::Usage);
            }
        }
    }
}
