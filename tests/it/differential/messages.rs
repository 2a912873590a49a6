//! The texts that go prints when something is wrong, and that scripts may look for: each case of
//! `testdata/messages/` is a command line, the project, what is served, and the text.
//!
//! modfetch prints the same text, and go does, where it is found. A text of ours that differs stands
//! beside go's with its reason. Not compared are the name of the program before a message, the release of
//! go, and hints.

use std::fs;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use crate::support::fixtures::parse_txtar;
use crate::support::go::only_modfetch;
use crate::support::sampling::sample;
use crate::support::{Proxy, Run, Sandbox, Times, require_go};

/// One case.
struct Case {
    /// Its file and name.
    name: String,
    /// The arguments, as go has them.
    command: Vec<String>,
    /// Arguments of a run before, which fills the cache.
    first: Vec<String>,
    env: Vec<(String, String)>,
    /// What is answered with a status.
    refused: Vec<(u16, String)>,
    /// What is removed from the cache after that run.
    gone: Vec<String>,
    /// In the project; below `proxy/`, served; below `modcache/`, put there after that run.
    files: Vec<(String, String)>,
    /// What go prints to standard error.
    stderr: String,
    /// What modfetch prints, if that is different.
    modfetch: Option<String>,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/messages");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let area = file.file_stem().unwrap().to_str().unwrap().to_owned();
        // Before the first is what the file is about.
        for text in text.split("=== ").skip(1) {
            cases.push(case(&area, text));
        }
    }
    assert!(cases.len() > 150, "only {} cases", cases.len());
    cases
}

fn case(area: &str, text: &str) -> Case {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let (name, _) = text.split_once('\n').unwrap();
    let mut case = Case {
        name: format!("{area} {name}"),
        command: Vec::new(),
        first: Vec::new(),
        env: Vec::new(),
        refused: Vec::new(),
        gone: Vec::new(),
        files: Vec::new(),
        stderr: String::new(),
        modfetch: None,
    };
    let head = text
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with("-- "));
    for line in head.filter(|line| !line.is_empty()) {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("$", command) => case.command = words(command),
            ("first", command) => case.first = words(command),
            ("gone", path) => case.gone.push(path.to_owned()),
            ("env", setting) => {
                let (name, value) = setting.split_once('=').unwrap();
                case.env.push((name.to_owned(), value.to_owned()));
            }
            ("status", answer) => {
                let (status, path) = answer.split_once(' ').unwrap();
                case.refused
                    .push((status.parse().unwrap(), path.to_owned()));
            }
            ("#", _) => {}
            _ => panic!("{}: {line}", case.name),
        }
    }
    for (name, data) in parse_txtar(text) {
        let text = String::from_utf8(data).unwrap();
        match name.as_str() {
            "stderr" => case.stderr = text,
            "modfetch" => case.modfetch = Some(text),
            _ => case.files.push((name, text)),
        }
    }
    case
}

impl Case {
    /// What a run prints, `[ROOT]` and `[PROXY]` for what is another each time.
    fn run(&self, program: impl Fn(&Sandbox, &[String]) -> Run) -> String {
        let mut proxy = Proxy::serve();
        for (status, path) in &self.refused {
            proxy = proxy.failing(path, *status, Times::ALWAYS);
        }
        for (name, text) in &self.files {
            if let Some(path) = name.strip_prefix("proxy/") {
                proxy = proxy.with_file(path, text.as_bytes());
            }
        }
        // The texts are those of one release, whichever go is there.
        let mut sandbox = Sandbox::new().proxy(&proxy);
        sandbox = sandbox.env("GOLANG_VERSION", RECORDED);
        let project = sandbox.project_dir();
        let root = project.parent().unwrap().display().to_string();
        for (name, text) in &self.files {
            if !name.starts_with("proxy/") && !name.starts_with("modcache/") {
                sandbox = sandbox.file(name, &text.replace("[ROOT]", &root));
            }
        }
        if !self.first.is_empty() {
            let first = sandbox.run(self.first.iter().map(String::as_str));
            first.ok();
        }
        for path in &self.gone {
            sandbox.remove(path);
        }
        for (name, text) in &self.files {
            if let Some(path) = name.strip_prefix("modcache/") {
                sandbox.remove(path);
                sandbox.write(path, text.as_bytes());
            }
        }
        for (name, value) in &self.env {
            sandbox = sandbox.env(name, &value.replace("[ROOT]", &root));
        }
        let words = self.command.iter();
        let words: Vec<String> = words.map(|word| word.replace("[ROOT]", &root)).collect();
        let run = program(&sandbox, &words);
        run.talk().replace(&proxy.url(), "[PROXY]")
    }
}

/// The release whose texts were recorded.
const RECORDED: &str = "1.26.8";

const RELEASE: &[char] = &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.'];

/// Without hints and the name of the program.
fn essence(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("hint: "));
    let lines = lines.map(|line| {
        let line = line.strip_prefix("modfetch: ").unwrap_or(line);
        let line = line.strip_prefix("go: ").unwrap_or(line);
        let line = line.strip_prefix("modfetch ").unwrap_or(line);
        let line = line.strip_prefix("go ").unwrap_or(line);
        // The release that is installed, or emulated.
        let release = ["(running go ", "expecting a Go version like \""];
        let mut found = release.iter().filter_map(|before| line.split_once(before));
        match found.next() {
            Some((start, end)) => format!("{start}{}", end.trim_start_matches(RELEASE)),
            None => line.to_owned(),
        }
    });
    let text = lines.fold(String::new(), |text, line| text + &line + "\n");
    text.trim_end().to_owned()
}

/// What is wrong with the cases, several at a time.
fn wrong(cases: &[Case], judge: impl Fn(&Case) -> Option<String> + Sync) -> String {
    let judged = |part: &[Case]| part.iter().filter_map(&judge).collect::<String>();
    let judged = &judged;
    thread::scope(|scope| {
        let parts = cases.chunks(cases.len().div_ceil(4));
        let workers: Vec<_> = parts
            .map(|part| scope.spawn(move || judged(part)))
            .collect();
        let found = workers.into_iter().map(|worker| worker.join());
        found
            .map(|text| text.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

#[test]
fn download_each_failure_prints_its_message() {
    only_modfetch!();
    let wrong = wrong(&cases(), |case| {
        let said = case.run(|sandbox, command| sandbox.run(command.iter().map(String::as_str)));
        let want = case.modfetch.as_ref().unwrap_or(&case.stderr);
        let name = &case.name;
        if case.modfetch.is_some() && essence(want) == essence(&case.stderr) {
            return Some(format!("=== {name} has two texts that are one\n"));
        }
        (essence(&said) != essence(want)).then(|| format!("=== {name}\n{said}   want:\n{want}"))
    });
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn go_each_failure_prints_its_message() {
    require_go!();
    let wrong = wrong(&sample(0, 30, cases()), |case| {
        let said = case.run(|sandbox, command| sandbox.go(command.iter().map(String::as_str)));
        let (name, want) = (&case.name, &case.stderr);
        (essence(&said) != essence(want)).then(|| format!("=== {name}\n{said}   want:\n{want}"))
    });
    assert!(wrong.is_empty(), "{wrong}");
}
