//! Random go.mod files, edited at random: what golang/mod's `modfile` writes, to the byte.

use std::fs;
use std::path::Path;

use modfetch::internals::gomod::canonical;
use modfetch::internals::gomod::modfile::{ModEdit, ModFile, Requirement};
use modfetch::{Error, Kind};
use modfetch::{ModuleVersion, Version};
use serde_json::{Value, json};

use crate::support::go::{go_is_at_least, only_modfetch, variable, with_golang_mod};
use crate::support::random_project::Rng;
use crate::support::require_go;
use crate::support::sampling::demanded_cases;

/// So many files in a quick run, and at least so many with `MODFETCH_CASES`.
const QUICK: u64 = 500;
const MANY: u64 = 4000;

const MODULES: &[(&str, &str)] = &[
    ("a.com/a", "v1.0.0"),
    ("a.com/a", "v1.10.0"),
    ("b.com/b/v2", "v2.3.4-rc.1"),
    ("c.com/c", "v1.2"),
    ("d.com/D", "v0.0.0-20240102030405-abcdef123456"),
    ("e.com/e", "v3.0.0+incompatible"),
    ("f.com/f", "v1.9.0"),
];

const ENDS: &[&str] = &[
    " // indirect",
    " // indirect",
    " //indirect",
    " // indirect; why",
    "// indirect;",
    " // why; indirect",
    " // why",
    " //",
    "  //   indirect   ",
    " // indirect // twice",
];

/// A random go.mod; nearly every one can be read.
fn file(rng: &mut Rng) -> Vec<u8> {
    let mut out = Out {
        text: String::new(),
        end: if rng.percent(10) { "\r\n" } else { "\n" },
    };
    out.above(rng, "");
    if rng.percent(95) {
        let module = *rng.one(&["module m", "module \"m\"", "module m.com/x", "module  m"]);
        out.line(rng, module);
    }
    if rng.percent(70) {
        let go = *rng.one(&["go 1.16", "go 1.21", "go  1.20", "go 1.21rc1", "go 1.22.1"]);
        out.line(rng, go);
    }
    if rng.percent(20) {
        out.line(rng, "toolchain go1.22.0");
    }
    for _ in 0..rng.below(7) {
        out.statement(rng);
    }
    out.above(rng, "");
    let mut bytes = out.text.into_bytes();
    if rng.percent(15) {
        while bytes.last().is_some_and(u8::is_ascii_whitespace) {
            bytes.pop();
        }
    }
    if rng.percent(5) {
        bytes.extend(b"\n// \xff\xe9\n");
    }
    bytes
}

struct Out {
    text: String,
    end: &'static str,
}

impl Out {
    fn raw(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push_str(self.end);
    }

    /// What may stand above a line: blank lines and comments.
    fn above(&mut self, rng: &mut Rng, margin: &str) {
        while rng.percent(22) {
            let comments = [
                "",
                "",
                "// about",
                "// indirect",
                "//",
                "  // far in",
                "// Deprecated: x",
            ];
            let comment = format!("{margin}{}", rng.one(&comments));
            self.raw(&comment);
        }
    }

    fn line(&mut self, rng: &mut Rng, line: &str) {
        let end = if rng.percent(30) { *rng.one(ENDS) } else { "" };
        self.raw(&format!("{line}{end}"));
        self.above(rng, "");
    }

    fn statement(&mut self, rng: &mut Rng) {
        let verbs = [
            "require", "require", "require", "exclude", "replace", "retract", "tool", "ignore",
            "godebug",
        ];
        let verb = *rng.one(&verbs);
        if rng.percent(35) {
            let arguments = arguments(rng, verb);
            self.line(rng, &format!("{verb} {arguments}"));
            return;
        }
        let open = *rng.one(&[" (", " (", "(", "   (  "]);
        let end = if rng.percent(15) { *rng.one(ENDS) } else { "" };
        self.raw(&format!("{verb}{open}{end}"));
        for _ in 0..rng.below(5) {
            self.above(rng, "\t");
            let end = if rng.percent(40) { *rng.one(ENDS) } else { "" };
            let margin = *rng.one(&["\t", "\t", "", "    "]);
            let arguments = arguments(rng, verb);
            self.raw(&format!("{margin}{arguments}{end}"));
        }
        self.above(rng, "\t");
        self.line(rng, ")");
    }
}

fn arguments(rng: &mut Rng, verb: &str) -> String {
    let quoted = |rng: &mut Rng, text: &str| match rng.below(100) {
        0 => format!("`{text}`"),
        1..8 => format!("\"{text}\""),
        _ => text.to_owned(),
    };
    let (path, version) = *rng.one(MODULES);
    let path = quoted(rng, path);
    match verb {
        "require" | "exclude" => {
            let space = *rng.one(&[" ", " ", "  ", "\t"]);
            format!("{path}{space}{}", quoted(rng, version))
        }
        "replace" => {
            let targets = ["./x", "../y", "\"./a b\"", "a.com/a v1.1.0", "x.com/y v1"];
            let target = *rng.one(&targets);
            match rng.percent(50) {
                true => format!("{path} => {target}"),
                false => format!("{path} {version} => {target}"),
            }
        }
        "retract" => {
            let intervals = [
                "v1.0.0",
                "[v1.0.0, v1.1.0]",
                "[ v1.0.0,v1.10.0 ]",
                "v1.9.0",
                "[v1.2.0,v1.2.0]",
            ];
            (*rng.one(&intervals)).to_owned()
        }
        "ignore" => (*rng.one(&["./x", "./y", "node_modules", "\"./z\""])).to_owned(),
        "godebug" => (*rng.one(&["a=b", "default=go1.21", "c=d"])).to_owned(),
        _ => path,
    }
}

/// What is to be done with a file.
struct Task {
    text: Vec<u8>,
    go: Option<&'static str>,
    toolchain: Option<&'static str>,
    require: Vec<Requirement>,
    separate: bool,
    /// In two blocks at most.
    two: bool,
    format: bool,
}

impl Task {
    fn of(seed: u64) -> Task {
        let mut rng = Rng::new(seed ^ 0x006d_6f64_6564_6974);
        let text = file(&mut rng);
        let mut require: Vec<Requirement> = Vec::new();
        for (path, version) in MODULES {
            let known = require
                .iter()
                .any(|one| one.module.path().as_str() == *path);
            if !known && rng.percent(65) {
                let version = canonical(version).expect("is a version");
                let module = ModuleVersion::parse(path, &version).expect("is a module");
                let indirect = rng.percent(50);
                require.push(Requirement { module, indirect });
            }
        }
        Task {
            text,
            go: rng
                .percent(40)
                .then(|| *rng.one(&["1.16", "1.21", "1.26.8"])),
            toolchain: rng.percent(40).then_some("go1.30.0"),
            require,
            separate: rng.percent(60),
            two: go_is_at_least("1.27") && rng.percent(40),
            format: rng.percent(20),
        }
    }

    /// As the oracle takes it.
    fn json(&self) -> Value {
        let require = self.require.iter().map(|one| {
            let (path, version) = (one.module.path().as_str(), one.module.version().as_str());
            json!({"Path": path, "Version": version, "Indirect": one.indirect})
        });
        let hex: String = self.text.iter().map(|byte| format!("{byte:02x}")).collect();
        json!({
            "Text": hex, "Go": self.go.unwrap_or_default(), "Toolchain": self.toolchain,
            "Require": require.collect::<Vec<_>>(), "Separate": self.separate, "Two": self.two,
            "Format": self.format,
        })
    }

    fn ours(&self) -> modfetch::Result<Vec<u8>> {
        let mut complete = |_: &str, text: &str| {
            let version = canonical(text).and_then(|text| Version::parse(&text).ok());
            version.ok_or_else(|| Error::new(Kind::Input, "no version"))
        };
        let parsed = ModFile::parse_with("go.mod", &self.text, &mut complete)?;
        let mut edit = ModEdit::new("go.mod", &self.text, &parsed)?;
        if self.format {
            edit.sort();
            return Ok(edit.to_bytes());
        }
        if let Some(go) = self.go {
            edit.set_go(go);
        }
        edit.set_toolchain(self.toolchain);
        match (self.separate, self.two) {
            (_, true) => edit.set_require_in_two_blocks(&self.require),
            (true, false) => edit.set_require_separately(&self.require),
            (false, false) => edit.set_require(&self.require),
        }
        Ok(edit.to_bytes())
    }
}

/// What golang/mod makes of each; `None` of what it cannot read.
fn oracle(go: &Path, tasks: &[Task]) -> Vec<Option<Vec<u8>>> {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let tasks: Vec<Value> = tasks.iter().map(Task::json).collect();
    let questions = here.join("tasks.json");
    fs::write(&questions, Value::from(tasks).to_string()).unwrap();
    let packages = ["modfile", "module", "semver"];
    let output = with_golang_mod(go, here, &packages, include_str!("modedit.go"))
        .stdin(fs::File::open(questions).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let answers: Vec<Option<String>> = serde_json::from_slice(&output.stdout).unwrap();
    let bytes = |text: &String| {
        let pairs = text
            .as_bytes()
            .chunks(2)
            .map(|pair| str::from_utf8(pair).unwrap());
        pairs
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    };
    answers
        .iter()
        .map(|answer| answer.as_ref().map(bytes))
        .collect()
}

#[test]
fn go_mod_random_edits_match_golang_mod() {
    let go = require_go!();
    only_modfetch!();
    let number = |name: &str| variable(name).map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match number("MODFETCH_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..demanded_cases().map_or(QUICK, |cases| cases.max(MANY)),
    };
    let tasks: Vec<Task> = seeds.clone().map(Task::of).collect();
    let answers = oracle(&go, &tasks);
    let mut read = 0;
    for ((seed, task), want) in seeds.zip(&tasks).zip(&answers) {
        let text = String::from_utf8_lossy(&task.text);
        let what = || format!("MODFETCH_SEED={seed}\n{text}-----\n{:#}", task.json());
        match (task.ours(), want) {
            (Ok(got), Some(want)) => {
                read += 1;
                let (got, want) = (got.escape_ascii(), want.escape_ascii());
                assert_eq!(got.to_string(), want.to_string(), "{}", what());
            }
            (Err(_), None) => {}
            (Ok(_), None) => panic!("golang/mod cannot read it: {}", what()),
            (Err(error), Some(_)) => panic!("{}: {}", error.chain(), what()),
        }
    }
    assert!(
        read * 2 > tasks.len(),
        "{read} of {} can be read",
        tasks.len()
    );
}
