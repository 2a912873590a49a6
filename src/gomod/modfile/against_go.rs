//! The real `go` reads the same texts: it must accept what we accept, find the same in it, and
//! refuse the rest in the same words.
//!
//! Asked are `go mod edit -json` (strict, versions completed), `go mod graph` (the main module as
//! a build loads it, dependencies lax), `go work edit -json`, and `go mod download`, which
//! rewrites go.sum. Skipped, and said so, where there is no `go`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::directive::Versions;
use super::go_mod::strict;
use super::{GoSum, ModFile, Replace, Replacement, WorkFile};
use crate::gomod::H1;

/// Read by `go mod edit`. No repeated `exclude`, `replace`, `tool` or `ignore`: it drops those.
const MODS: &[&str] = &[
    "",
    "\n\n",
    "// only a comment",
    "module m",
    "module m\r\n\r\ngo 1.21\r\n",
    "module \"a.com/quoted\"\n",
    "module \"\\x61\\u002ecom/m\"\n",
    "module `a.com/raw`\n",
    "module 'a.com/m'\n",
    "module a.com/m \"b\n",
    "module a.com/m `b",
    "module a.com/m \"b",
    "module a.com/m \"b\\",
    "module \"a\\q\"\n",
    "module a b\n",
    "module\n",
    "module (\n\ta.com/m\n)\n",
    "module a\nmodule b\n",
    "module a b\nmodule c\n",
    "// Deprecated: use b\nmodule a\n",
    "// first\n//\n// Deprecated:   use b,\n// please\n//\n// more\nmodule a // x\n",
    "// Deprecated: not this, a blank line follows\n\nmodule a\n",
    "module a // Deprecated: at the end\n",
    "// no paragraph\n// Deprecated: x\nmodule a\n",
    "// Deprecated:\nmodule a\n",
    "// Deprecated: of the block\nmodule (\n\ta\n)\n",
    "module a /* b */\n",
    "module a/*b\n",
    "module a//b\n",
    "\u{feff}module a\n",
    "module a\u{a0}b\n",
    "module a\0\n",
    "module caf\u{e9}/\u{1f642}\n",
    "module a\ngo 1.21\ngo 1.22\n",
    "module a\ngo 1.x\ngo 1.22\n",
    "module a\ngo v1.21\n",
    "module a\ngo 1.21.x\n",
    "module a\ngo \"1.21\"\n",
    "module a\ngo 1.21 // comment\n",
    "module a\ngo 1.21rc1\ntoolchain go1.21.3-gccgo\n",
    "module a\ngo\n",
    "module a\ngo 1.21 1.22\n",
    "module a\ngo (\n\t1.21\n)\n",
    "toolchain default\n",
    "toolchain go1\ntoolchain go1\n",
    "toolchain local\n",
    "toolchain go2\n",
    "toolchain\n",
    "godebug default=go1.21\ngodebug (\n\tpanicnil=1\n\ta=b=c // why\n\tempty=\n)\n",
    "godebug a\n",
    "godebug a=b,c=d\n",
    "godebug a=\"b\"\n",
    "godebug a=b c=d\n",
    "require a.com/m v1.2.3\nrequire a.com/m v1.2.4\n",
    "require a.com/m v1.2\nrequire b.com/m v1\nrequire c.com/m v1.2.3-pre+meta\n",
    "require a.com/m master\n",
    "require a.com/m \"v1.2.3\"\nrequire \"b.com/m\" v1.0.0-20060102150405-abcdefabcdef\n",
    "require a.com/m 'v1.2.3'\n",
    "require a.com/m v1.2.3\u{e9}\"\n",
    "require a.com/m\n",
    "require a.com/m v1.0.0 v1.1.0\n",
    "require a.com/m v2.0.0\n",
    "require a.com/m v2.0.0+incompatible\n",
    "require a.com/m/v2 v1.0.0\nrequire a.com/m/v1 v1.0.0\nrequire a.com/m/v02 v2.0.0\n",
    "require gopkg.in/y.v1 v0.0.0-20060102150405-abcdefabcdef\nrequire gopkg.in/y.v2 v2.2.1\n",
    "require gopkg.in/y.v2-unstable v1.0.0\nrequire gopkg.in/y v1.0.0\n",
    "require (\n\ta.com/a v1.0.0 // indirect\n\ta.com/b v1.0.0 //indirect; x\n\ta.com/c v1.0.0 \
     // indirect x\n\ta.com/d v1.0.0 // why; indirect\n\n\t// indirect\n\ta.com/e v1.0.0\n)\n",
    "require ( // indirect\n\ta.com/a v1.0.0\n) // indirect\n",
    "require (a.com/a v1.0.0)\n",
    "require ()\nexclude ( ) // nothing\n",
    "require () x\n",
    "require x (\n\ta.com/a v1.0.0\n)\n",
    "require (\n\ta.com/a v1.0.0\n",
    "\n  require (\n",
    "require (\n\ta.com/a v1.0.0\n) x\n",
    "require (\n\trequire (\n\t)\n)\n",
    "require (\n\t(\n)\n",
    ")\n(\n",
    "[a, b] {c}\n",
    "foo\nfoo bar baz\nfoo (\n\tbar\n)\nuse ./x\n\"require\" a.com/m v1.0.0\n",
    "exclude a.com/m v1.2\nexclude (\n\tb.com/m v1.0.0\n\tb.com/m v2.0.0\n)\n",
    "replace a.com/m => ../m\nreplace b.com/m v1.2 => c.com/m v1\nreplace x => \"./a b\"\n",
    "replace a.com/m => b.com/m\n",
    "replace a.com/m => b.com/m@v1.0.0\n",
    "replace a.com/m => ./m v1.0.0\n",
    "replace a.com/m => .\\m\n",
    "replace a.com/m => c:/m\n",
    "replace a.com/m => .m\n",
    "replace a.com/m =>\n",
    "replace a.com/m v1.0.0 ../m\n",
    "replace a.com/m => ../m v1.0.0 x\nreplace a => => => b c\n",
    "replace (\n\ta.com/m v2.0.0 => ../m\n\ta.com/n/v1 => ../n\n\t'x' => ../n\n\tx => 'y'\n)\n",
    "replace a.com/m master => ../m\nreplace a.com/n => b.com/n master\n",
    "module a.com/m\n// why\nretract v1.0.0\nretract [v1.1.0, v1.2.0] // these\nretract \
     [v1.3.0,v1.3.0]\n",
    "module a.com/m\n// of all\nretract (\n\tv1.0.0\n\tv1.1.0 // own\n\n\tv1.2.0\n\t// above\n\t\
     //\n\t//  more\n\tv1.3.0 // end\n)\n",
    "module a.com/m\nretract\nretract [\nretract [v1.0.0\nretract [v1.0.0,\nretract [v1.0.0, \
     v1.1.0\nretract [v1.0.0, v1.1.0] x\nretract v1.0.0 v1.1.0\nretract (v1.0.0\nretract 'v1'\n\
     retract v1.0.0, v1.1.0\n",
    "tool a.com/m/cmd/x\ntool (\n\t\"a b\"\n\tb\n)\nignore ./x\nignore (\n\ty\n)\n",
    "tool\ntool a b\ntool 'a'\nignore\nignore a b\nignore \"a\n",
    "tool\nignore a b\nignore \"\\z\"\nignore a\"b\n",
];

/// Faults that only show when `go` loads the main module.
const LOADS: &[&str] = &[
    "",
    "go 1.21\n",
    "module go\n",
    "module toolchain\n",
    "module \"a b\"\n",
    "module -m\n",
    "module a.com/m/\n",
    "module \"\"\n",
    "module m\nrequire (\n\ta.com/m v2.0.0\n\ta.com/m/v1 v1.0.0\n)\nfoo\n",
    "module m\nrequire gopkg.in/y.v1 v2.0.0\nrequire gopkg.in/y v1.0.0\n",
    "module m\nreplace a.com/m => b.com/m v2.0.0\nreplace a.com/m => b.com/m/v1 v1.0.0\n",
    "module m\nreplace a.com/m v2.0.0 => ./x\nreplace a.com/m/v1 v1.0.0 => ./x\n",
    "module m\nreplace a.com/m => ./x v1.0.0\nexclude a.com/m v3.0.0\n",
    "retract v1.0.0\nretract v1.1.0\n",
    "module a b\nretract v1.0.0\n",
    "retract v2.0.0\nretract [v1.0.0, v3.0.0]\nretract [v2.0.0, v3.0.0]\nmodule a.com/m\nfoo\n",
    "module a.com/m/v1\nretract v1.0.0\n",
    "module m\n\tgo 1.1x\n",
];

/// Read as a dependency's go.mod; `x.com/N` are replaced by empty modules.
const DEPENDENCIES: &[&str] = &[
    "module d.com/d\nrequire x.com/1 v1.0.0\n",
    "module d.com/d\nfuture x {\nfuture (\n\ty\n)\nrequire (\n\tx.com/1 v1\n\tx.com/2 v1.2\n)\n",
    "module d.com/d\nreplace => nonsense\nexclude\ntool\ngodebug\ntoolchain x\nrequire x.com/2 v1.0.0\n",
    "module d.com/d\nretract [v1.0.0\nretract maybe 1 2 3\nrequire x.com/1 v1.0.0\n",
    "module d.com/d\ngo 1.16.x\nrequire x.com/1 v1.0.0\n",
    "module d.com/d\ngo v1.16-foo\nrequire x.com/1 v1.0.0\n",
    "module d.com/d\ngo 1.16.3rc1\nrequire x.com/1 v1.0.0\n",
    "module d.com/d\ngo 1.x\n",
    "module d.com/d\ngo v1.16\n",
    "module d.com/d\nrequire x.com/1 master\nrequire x.com/1 v2.0.0\nrequire x.com/1/v1 v1.0.0\n",
    "module d.com/d\nmodule d.com/e\nignore\n",
    "module d.com/d\nrequire (\n",
];

const WORKS: &[&str] = &[
    "",
    "go 1.21\ntoolchain go1.22.0\nuse .\nuse (\n\t./a // first\n\t\"./b c\"\n\t/d\n)\n",
    "go 1.21.x\n",
    "go 1.21\ngo 1.22\ntoolchain x\n",
    "use\nuse a b\nuse 'a'\nuse \"\\q\"\n",
    "godebug a=b\ngodebug (\n\tc=d\n)\ngodebug e\n",
    "godebug a=b\ngodebug (\n\tc=d\n)\n",
    "replace a.com/m v1.2 => ../m\nreplace b.com/m => c.com/m v1\n",
    "replace a.com/m => b.com/m\nreplace (\n\ta.com/m v2.0.0 => ./x\n)\n",
    "module m\nrequire a.com/m v1.0.0\nrequire (\n\ta.com/m v1.0.0\n)\nuse x (\n\ty\n)\n",
    "use (\n\t.\n",
];

/// True if there is a `go` to compare with.
pub(super) fn go_is_there() -> bool {
    let there = Command::new("go").arg("version").output().is_ok();
    #[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
    let required = std::env::var_os("MODFETCH_REQUIRE_GO").is_some_and(|value| value == "1");
    assert!(
        there || !required,
        "MODFETCH_REQUIRE_GO=1, but there is no go"
    );
    if !there {
        #[expect(clippy::print_stderr, reason = "a skipped comparison must be seen")]
        {
            eprintln!("skipped: no go");
        }
    }
    there
}

pub(super) fn go(directory: &Path, arguments: &[&str]) -> Output {
    command(directory, arguments).output().unwrap()
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("go");
    command
        .args(arguments)
        .current_dir(directory)
        .env("GOPROXY", "off")
        .env("GOFLAGS", "-mod=mod")
        .env("GOTOOLCHAIN", "local")
        .env("GOENV", "off")
        .env("GOWORK", "off")
        .env("GO111MODULE", "on")
        .env("GOPATH", directory.join("gopath"))
        .env("GOMODCACHE", directory.join("gopath/pkg/mod"))
        .env("GOCACHE", directory.join("gocache"));
    command
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

/// Runs `check` on each row, some at a time, in a directory of its own.
pub(super) fn each(rows: &[&str], check: impl Fn(&str, &Path) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let directory = tempfile::tempdir().unwrap();
                    // go names files by the resolved path.
                    check(row, &directory.path().canonicalize().unwrap());
                }
            });
        }
    });
}

fn replacements(replace: &[Replace]) -> Value {
    let module = |path: &str, version: Option<&str>| match version {
        Some(version) => json!({"Path": path, "Version": version}),
        None => json!({"Path": path}),
    };
    let rows = replace.iter().map(|replace| {
        let old = module(
            replace.path.as_str(),
            replace.version.as_ref().map(|v| v.as_str()),
        );
        let new = match &replace.with {
            Replacement::Module(new) => module(new.path().as_str(), Some(new.version().as_str())),
            Replacement::Directory(path) => module(path, None),
        };
        json!({"Old": old, "New": new})
    });
    rows.collect()
}

/// What `go mod edit -json` prints, but without the fields it leaves empty.
fn mod_json(file: &ModFile) -> Value {
    let mut module = json!({"Path": file.module.as_ref().map_or("", |module| &module.path)});
    if let Some(deprecated) = file
        .module
        .as_ref()
        .and_then(|module| module.deprecated.as_ref())
    {
        module["Deprecated"] = json!(deprecated);
    }
    let require = file.require.iter().map(|require| {
        let module = &require.module;
        let mut row = json!({"Path": module.path().as_str(), "Version": module.version().as_str()});
        if require.indirect {
            row["Indirect"] = json!(true);
        }
        row
    });
    let exclude = file.exclude.iter().map(|exclude| {
        let module = &exclude.module;
        json!({"Path": module.path().as_str(), "Version": module.version().as_str()})
    });
    let retract = file.retract.iter().map(|retract| {
        let mut row = json!({"Low": retract.low.as_str(), "High": retract.high.as_str()});
        if !retract.rationale.is_empty() {
            row["Rationale"] = json!(retract.rationale);
        }
        row
    });
    let godebug = file
        .godebug
        .iter()
        .map(|g| json!({"Key": g.key, "Value": g.value}));
    filled(json!({
        "Module": module,
        "Go": file.go.as_ref().map(|go| go.version.as_str()),
        "Toolchain": file.toolchain.as_ref().map(|toolchain| &toolchain.name),
        "GoDebug": godebug.collect::<Value>(),
        "Require": require.collect::<Value>(),
        "Exclude": exclude.collect::<Value>(),
        "Replace": replacements(&file.replace),
        "Retract": retract.collect::<Value>(),
        "Tool": file.tool.iter().map(|tool| json!({"Path": tool.path})).collect::<Value>(),
        "Ignore": file.ignore.iter().map(|i| json!({"Path": i.path})).collect::<Value>(),
    }))
}

/// What `go work edit -json` prints: neither `toolchain` nor `godebug`.
fn work_json(file: &WorkFile) -> Value {
    let uses = file
        .use_dirs
        .iter()
        .map(|dir| json!({"DiskPath": dir.path}));
    filled(json!({
        "Go": file.go.as_ref().map(|go| go.version.as_str()),
        "Use": uses.collect::<Value>(),
        "Replace": replacements(&file.replace),
    }))
}

fn filled(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, field| !field.is_null() && *field != json!([]));
    }
    value
}

#[test]
fn go_mod_edit_finds_the_same() {
    if !go_is_there() {
        return;
    }
    each(MODS, |row, directory| {
        fs::write(directory.join("go.mod"), row).unwrap();
        let output = go(directory, &["mod", "edit", "-json", "go.mod"]);
        match strict("go.mod", row.as_bytes(), Versions::Complete) {
            Ok(file) => {
                let want = serde_json::from_slice(&output.stdout)
                    .unwrap_or_else(|_| panic!("{row:?}: go refuses: {}", text(&output.stderr)));
                assert_eq!(mod_json(&file), filled(want), "{row:?}");
            }
            Err(error) => {
                let got = format!("go: {}", error.chain());
                assert_eq!(got, text(&output.stderr), "{row:?}");
            }
        }
    });
}

#[test]
fn go_refuses_main_modules_in_the_same_words() {
    if !go_is_there() {
        return;
    }
    each(LOADS, |row, directory| {
        fs::write(directory.join("go.mod"), row).unwrap();
        let output = go(directory, &["mod", "graph"]);
        let error = ModFile::parse("go.mod", row.as_bytes())
            .and_then(|file| file.main_path("go.mod").map(str::to_owned))
            .expect_err(row);
        assert_eq!(
            format!("go: {}", error.chain()),
            text(&output.stderr),
            "{row:?}"
        );
    });
}

#[test]
fn go_finds_the_same_in_dependencies() {
    if !go_is_there() {
        return;
    }
    each(DEPENDENCIES, |row, directory| {
        let main = "module m\ngo 1.16\nrequire d.com/d v1.0.0\nreplace d.com/d => ./d\n\
            replace x.com/1 => ./1\nreplace x.com/2 => ./2\n";
        fs::write(directory.join("go.mod"), main).unwrap();
        for (name, content) in [("d", row), ("1", "module x.com/1"), ("2", "module x.com/2")] {
            fs::create_dir(directory.join(name)).unwrap();
            fs::write(directory.join(name).join("go.mod"), content).unwrap();
        }
        let output = go(directory, &["mod", "graph"]);
        let name = directory.join("d/go.mod");
        match ModFile::parse_lax(name.to_str().unwrap(), row.as_bytes()) {
            Ok(file) => {
                let stdout = text(&output.stdout);
                let edges = stdout
                    .lines()
                    .filter_map(|line| line.strip_prefix("d.com/d@v1.0.0 "));
                let got = file
                    .require
                    .iter()
                    .map(|require| require.module.to_string());
                let stderr = text(&output.stderr);
                assert_eq!(
                    got.collect::<Vec<_>>(),
                    edges.collect::<Vec<_>>(),
                    "{row:?} {stderr}"
                );
            }
            Err(error) => {
                // The file that is parsed is named shortly, the places in it are not.
                let chain = error.chain();
                let faults = chain.split_once(": ").unwrap().1;
                let stderr = text(&output.stderr);
                let (_, want) = stderr.split_once(": parsing d/go.mod: ").expect(&stderr);
                assert_eq!(faults, want, "{row:?}");
            }
        }
    });
}

#[test]
fn go_work_edit_finds_the_same() {
    if !go_is_there() {
        return;
    }
    each(WORKS, |row, directory| {
        fs::write(directory.join("go.work"), row).unwrap();
        let output = go(directory, &["work", "edit", "-json", "go.work"]);
        match WorkFile::parse("go.work", row.as_bytes()) {
            Ok(file) => {
                let want = serde_json::from_slice(&output.stdout)
                    .unwrap_or_else(|_| panic!("{row:?}: go refuses: {}", text(&output.stderr)));
                assert_eq!(work_json(&file), filled(want), "{row:?}");
            }
            Err(error) => {
                // This one command says the first line twice.
                let got = format!("go: errors parsing go.work:\n{}", error.chain());
                assert_eq!(got, text(&output.stderr), "{row:?}");
            }
        }
    });
}

/// go.sum as people leave it: unsorted, repeated, from several algorithms, with the lines that go
/// drops. Without versions that differ and compare as equal: go leaves their order to chance.
const UNTIDY: &str = "z.com/z v1.10.0 h1:zz\n\n  z.com/z   v1.9.0/go.mod\th1:b\r\n\
    z.com/z v1.9.0 h1:c\nz.com/z v1.9.0 h2:other\nz.com/z v1.9.0 h1:a\nz.com/z v1.9.0 h1:a\n\
    z.com/z bogus h1:x\nz.com/z v1.9.0-pre h1:x\nA.com/x v1.0.0 h1:x\n\
    z.com/z v1.9.0 h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=\n\
    b.com/e v1.0.0/go.mod h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=\n\
    z.com/z v1.0.0/zzz h1:x\nz.com/z v1.0.0/go.mod h1:x\nz.com/z/v2 v2.0.0 h1:x\n\
    z.com/z-a v1.0.0 h1:x\nz.com/z v1.0.0 h1:x";

/// Makes a file proxy with a.com/a v1.0.0, whose go.mod is `go_mod`, and requires it.
fn project(directory: &Path, go_mod: &str) -> String {
    let versions = directory.join("proxy/a.com/a/@v");
    fs::create_dir_all(&versions).unwrap();
    fs::write(versions.join("v1.0.0.info"), "{\"Version\":\"v1.0.0\"}").unwrap();
    fs::write(versions.join("v1.0.0.mod"), go_mod).unwrap();
    fs::write(
        directory.join("go.mod"),
        "module m\nrequire a.com/a v1.0.0\n",
    )
    .unwrap();
    format!("file://{}", directory.join("proxy").display())
}

#[test]
fn go_writes_the_same_go_sum() {
    if !go_is_there() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let go_mod = "module a.com/a\n";
    let proxy = project(directory, go_mod);
    fs::write(directory.join("go.sum"), UNTIDY).unwrap();
    let output = command(directory, &["list", "-m", "all"])
        .env("GOPROXY", proxy)
        .env("GOSUMDB", "off")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));

    let mut sums = GoSum::parse("go.sum", UNTIDY.as_bytes()).unwrap();
    let sum = H1::of_go_mod(go_mod.as_bytes());
    assert!(sums.insert("a.com/a", "v1.0.0/go.mod", sum.as_str()));
    let want = fs::read_to_string(directory.join("go.sum")).unwrap();
    assert_eq!(String::from_utf8(sums.to_bytes()).unwrap(), want);
}

#[test]
fn go_refuses_go_sums_in_the_same_words() {
    if !go_is_there() {
        return;
    }
    each(
        &["a b", "\n\na b c\nd\n", "a b c d\ne\n", "a b c\u{a0}d\n"],
        |row, directory| {
            let proxy = project(directory, "module a.com/a\n");
            let file = directory.join("go.sum");
            fs::write(&file, row).unwrap();
            let mut command = command(directory, &["mod", "graph"]);
            let output = command
                .env("GOPROXY", proxy)
                .env("GOSUMDB", "off")
                .output()
                .unwrap();
            let error = GoSum::parse(file.to_str().unwrap(), row.as_bytes()).expect_err(row);
            assert_eq!(error.chain(), text(&output.stderr), "{row:?}");
        },
    );
}
