//! README.md and the help topics are true: their commands run, their tables are those of the program.
//!
//! How blocks are marked: `sh` is run as it stands; `dockerfile` and `yaml` by their `RUN` and
//! `run:` lines; `sh build` names targets of the Makefile. A comment `# status N` after a command
//! says that it ends with N.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use modfetch::Kind;
use modfetch::internals::cli::command_tree;
use modfetch::internals::cli::{CommandInfo, TOPICS};

use crate::support::fixtures::Fixtures;
use crate::support::go::only_modfetch;
use crate::support::sumdb::SumDb;
use crate::support::{Proxy, Sandbox, Times, require_go};

/// Flags that README names and that belong to other programs.
const FOREIGN: &[&str] = &[
    "--mount", "--secret", "--open", "-euc", "-cf", "-xf", "-s", "-o", "-mod",
];

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("no {}: {error}", path.display()))
}

/// README.md and the help topics: their names and texts.
fn documents() -> Vec<(String, String)> {
    let topics = TOPICS
        .iter()
        .map(|topic| format!("src/cli/help/{}.md", topic.name));
    let names = ["README.md".to_owned()].into_iter().chain(topics);
    names.map(|name| (name.clone(), file(&name))).collect()
}

/// The text of all of them.
fn documentation() -> String {
    documents().into_iter().map(|(_, text)| text).collect()
}

/// A fenced block.
struct Block {
    /// The file and the line that opens it.
    place: String,
    mark: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let documents = documents();
    let blocks = documents
        .iter()
        .flat_map(|(name, text)| blocks_of(name, text));
    blocks.collect()
}

fn blocks_of(name: &str, text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(mark), false) => blocks.push(Block {
                place: format!("{name}:{}", index + 1),
                mark: mark.to_owned(),
                text: String::new(),
            }),
            (Some(_), true) => {}
            (None, true) => {
                let block = blocks.last_mut().expect("one was opened");
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, false) => {}
        }
        open ^= line.starts_with("```");
    }
    assert!(!open, "{name}: a block is not closed");
    blocks
}

/// The shell script of a block; `None` if there is nothing to run in it.
fn script(block: &Block) -> Option<String> {
    match block.mark.as_str() {
        "sh" => Some(block.text.lines().map(with_status).collect()),
        "dockerfile" => Some(dockerfile(&block.text)),
        "yaml" => Some(yaml(&block.text)),
        "sh build" | "text" => None,
        other => panic!("{}: unknown mark {other:?}", block.place),
    }
}

/// A line of a script; one with `# status N` fails unless its command ends with N.
fn with_status(line: &str) -> String {
    let Some((command, rest)) = line.split_once("# status ") else {
        return format!("{line}\n");
    };
    let wanted: u8 = rest.trim().parse().expect("# status is a number");
    let command = command.trim();
    format!(
        "got=0; {command} || got=$?\n\
         test $got = {wanted} || {{ echo \"{command}: status $got, want {wanted}\" >&2; exit 99; }}\n"
    )
}

/// The commands that a Dockerfile runs. Where one says `/modfetch`, the one in `PATH` serves.
fn dockerfile(text: &str) -> String {
    let mut script = String::new();
    for line in text.replace("\\\n", " ").lines() {
        let Some(mut command) = line.strip_prefix("RUN ").map(str::trim) else {
            continue;
        };
        while command.starts_with("--") {
            command = command.split_once(' ').expect("a command follows").1.trim();
        }
        if command.starts_with('[') {
            let words: Vec<String> = serde_json::from_str(command).expect("the exec form is JSON");
            let words: Vec<&str> = words
                .iter()
                .map(|word| word.trim_start_matches('/'))
                .collect();
            script.push_str(&words.join(" "));
        } else {
            script.push_str(command);
        }
        script.push('\n');
    }
    script
}

/// The commands of one-line `run:` steps.
fn yaml(text: &str) -> String {
    let mut script = String::new();
    for line in text.lines() {
        let step = line.trim_start().trim_start_matches("- ");
        if let Some(command) = step.strip_prefix("run: ") {
            assert!(!command.contains("${{"), "not a plain command: {command}");
            assert_ne!(command.trim(), "|", "steps are one line here");
            script.push_str(command);
            script.push('\n');
        }
    }
    script
}

/// A project and a proxy; no setting that a reader of README.md would not have, but for a checksum
/// database that knows the modules of these tests.
fn sandbox(proxy: &Proxy) -> Sandbox {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod");
    let database = SumDb::of(Fixtures::read(&modules).modules());
    database.serve_on(proxy);
    ["GOENV", "GOTOOLCHAIN"]
        .into_iter()
        .fold(Sandbox::with("hello", proxy), |sandbox, name| {
            sandbox.env(name, "")
        })
        .env("GOSUMDB", &database.gosumdb())
        .env("GOTOOLCHAIN", "local")
}

#[test]
fn readme_every_command_runs() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let mut ran = 0;
    for block in blocks() {
        let Some(script) = script(&block) else {
            continue;
        };
        assert!(
            script.contains("modfetch"),
            "{}: no command of ours",
            block.place
        );
        let as_go = script.contains("/bin/go");
        let builds = script.contains("go build") || script.contains("go test");
        if builds && !as_go && require_go().is_none() {
            continue;
        }
        let run = sandbox(&proxy).shell(&script);
        run.demand(
            run.code == Some(0),
            &format!("{}: the block should end well", block.place),
        );
        ran += 1;
    }
    assert!(ran >= 9, "only {ran} blocks were run");
}

/// The proof that the test above can fail.
#[test]
fn readme_wrong_command_is_detected() {
    let proxy = Proxy::serve();
    let ends_with = |text: &str| {
        let block = Block {
            place: String::new(),
            mark: "sh".to_owned(),
            text: text.to_owned(),
        };
        sandbox(&proxy)
            .shell(&script(&block).expect("it is sh"))
            .code
    };
    assert_eq!(ends_with("modfetch download --nonsense\n"), Some(2));
    assert_eq!(ends_with("modfetch version # status 1\n"), Some(99));
    assert_eq!(ends_with("modfetch nonsense # status 2\n"), Some(0));
    let file = "FROM scratch\nRUN --mount=type=cache,target=/x modfetch \\\n  version\nRUN [\"/modfetch\", \"env\"]\n";
    assert_eq!(dockerfile(file), "modfetch    version\nmodfetch env\n");
    assert_eq!(
        yaml("steps:\n  - uses: x\n  - run: a b\n    run: c\n"),
        "a b\nc\n"
    );
}

#[test]
fn readme_build_blocks_name_make_targets() {
    let makefile = file("Makefile");
    let readme = documentation();
    let mut named: Vec<String> = blocks()
        .iter()
        .filter(|block| block.mark == "sh build")
        .flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(!named.is_empty());
    // Code spans are every second part between backticks, once fences are gone.
    let prose = readme.replace("```", "");
    named.extend(
        prose
            .split('`')
            .filter(|span| span.starts_with("make ") && !span.contains('\n'))
            .map(str::to_owned),
    );
    for command in named {
        let target = command.strip_prefix("make ").expect("make is what builds");
        assert!(
            makefile
                .lines()
                .any(|line| line.starts_with(&format!("{target}:"))),
            "no target {target}"
        );
    }
}

/// The cells of a table's rows whose first cell satisfies `is`.
fn rows(is: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
    documentation()
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .map(|line| {
            line.trim_end_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .filter(|cells| cells.first().is_some_and(|cell| is(cell)))
        .collect()
}

fn is_flag(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or(word);
    FOREIGN.contains(&name)
        || command_tree().flags().any(|flag| {
            name == format!("--{}", flag.long)
                || flag.go && name == flag.shown()
                || flag.short.is_some_and(|short| name == format!("-{short}"))
        })
        || ["--help", "-h", "--"].contains(&name)
}

/// The command that some words call.
fn called(words: &[&str]) -> Option<&'static CommandInfo> {
    let tree = command_tree();
    let longest = (1..=2.min(words.len())).rev();
    longest
        .map(|count| words[..count].join(" "))
        .find_map(|name| tree.command(&name))
}

#[test]
fn readme_every_named_flag_exists() {
    let readme = documentation();
    // Long flags anywhere, in prose too.
    for word in readme.split(|c: char| c.is_whitespace() || "`(),;:.|\"'".contains(c)) {
        if word.starts_with("--") && word.contains(char::is_alphabetic) {
            assert!(is_flag(word), "{word}");
        }
    }
    // Code spans that begin as a flag, with one dash too.
    for span in readme.replace("```", "").split('`') {
        let word = span.split([' ', '\n']).next().unwrap_or(span);
        if word.starts_with('-') && word.len() > 1 && word.chars().all(|c| c != '|') {
            assert!(is_flag(word), "{word}");
        }
    }
    // What follows `modfetch COMMAND` in blocks: the command has the flag.
    let mut seen = 0;
    for block in blocks() {
        let Some(script) = script(&block) else {
            continue;
        };
        let text = if block.mark == "sh" {
            &block.text
        } else {
            &script
        };
        for call in text.split("modfetch ").skip(1) {
            let line = call.lines().next().unwrap_or(call);
            let words: Vec<&str> = line
                .split_whitespace()
                .take_while(|word| !["|", "||", "&&", ">", "2>", "<", "#"].contains(word))
                .collect();
            let Some(info) = called(&words) else {
                continue;
            };
            for word in words.iter().filter(|word| word.starts_with('-')) {
                let name = word.trim_start_matches('-').split('=').next().unwrap_or("");
                let known = info.all_flags().any(|flag| {
                    flag.long == name || flag.short.is_some_and(|short| name == short.to_string())
                });
                assert!(
                    known || ["-", "->"].contains(word),
                    "{}: {word} in {line}",
                    block.place
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "only {seen} flags seen");
}

#[test]
fn readme_exit_code_table_matches_program() {
    let kinds = [
        Kind::Usage,
        Kind::Input,
        Kind::NotFound,
        Kind::Security,
        Kind::Network,
        Kind::Auth,
        Kind::LocalIo,
        Kind::LockTimeout,
        Kind::Differs,
        Kind::Offline,
        Kind::Other,
    ];
    let listed = rows(|first| first.parse::<u8>().is_ok());
    assert_eq!(listed.len(), kinds.len() + 1, "and 0");
    for kind in kinds {
        let code = kind.exit_code().to_string();
        let row = listed.iter().find(|cells| cells[0] == code);
        let row = row.unwrap_or_else(|| panic!("no row for {code}"));
        assert_eq!(row[1], format!("`{}`", kind.name()), "{code}");
    }
    let mut order = kinds.to_vec();
    order.sort_by_key(|kind| kind.rank());
    let codes: Vec<String> = order[1..]
        .iter()
        .map(|kind| kind.exit_code().to_string())
        .collect();
    let readme = documentation();
    assert!(readme.contains(&format!("in the order {}.", codes.join(" "))));
}

/// The keys of JSON objects, one object after the other, and those of `Missing` and the like.
fn keys(text: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let objects = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    for object in objects {
        let object = object.unwrap_or_else(|error| panic!("no JSON: {error}\n{text}"));
        keys.extend(
            object
                .as_object()
                .into_iter()
                .flatten()
                .map(|(k, _)| k.clone()),
        );
        keys.extend(object["ev"].as_str().map(str::to_owned));
    }
    keys
}

#[test]
fn readme_every_json_key_is_documented() {
    only_modfetch!();
    let readme = documentation();
    let proxy = Proxy::serve()
        .failing("example.com/text/@v/v1.2.0.zip", 503, Times(1))
        .without_file("example.com/tool/@v/v0.5.0.zip");
    let sandbox = sandbox(&proxy);
    let plan = sandbox.run(["download", "--dry-run", "-json"]);
    plan.fails(10);
    let planned = sandbox.run(["plan", "-json", "--scope=all"]);
    planned.ok();
    assert!(!sandbox.cache().exists(), "a dry run writes nothing");
    let run = sandbox.run([
        "download",
        "-json",
        "-x",
        "--stats",
        "--progress=json",
        "--log=json",
    ]);
    run.fails(4);
    let message = sandbox.run(["download", "--log=json", "--offline"]);
    message.fails(11);
    sandbox.remove("cache/download/example.com/greet/@v/v1.1.0.ziphash");
    let verdicts = sandbox.run(["verify", "-json", "example.com/greet@v1.1.0"]);
    verdicts.fails(5);
    let mended = sandbox.run(["verify", "--repair", "-json", "example.com/greet"]);
    mended.ok();
    let known = sandbox.run([
        "plan",
        "-json",
        "--log=json",
        "example.com/greet",
        "example.com/none@v1",
    ]);
    known.fails(4);
    let runs = [&plan, &planned, &known, &run, &message, &verdicts, &mended];
    let all = runs.map(|run| [&run.stdout, &run.stderr]);
    let found: Vec<BTreeSet<String>> = all.into_iter().flatten().map(|text| keys(text)).collect();
    for key in found.iter().flatten() {
        assert!(readme.contains(&format!("`{key}`")), "{key}");
    }
    let all: BTreeSet<&str> = found.iter().flatten().map(String::as_str).collect();
    for key in [
        "Missing",
        "GoModOnly",
        "ZipURL",
        "ZipSHA256",
        "Error",
        "ErrorKind",
        "Bytes",
        "Retries",
        "plan",
        "start",
        "retry",
        "done",
        "fail",
        "url",
        "cause",
        "level",
        "kind",
        "hints",
        "bytes",
        "modules",
        "ZipHash",
        "GoSum",
        "SumDB",
        "Repair",
    ] {
        assert!(
            all.contains(key),
            "the documentation speaks of {key}, which was not seen"
        );
    }
}
