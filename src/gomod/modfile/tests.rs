//! What go.mod and go.work files mean, and that no input can do harm.
//!
//! Wanted texts are those of go1.26.8 for the same files, unless a row says otherwise.

use proptest::prelude::*;

use super::{ModFile, Replacement, WorkFile};
use crate::error::{Error, Kind};
use crate::gomod::Version;

const RICH: &str = "// Deprecated: use b\nmodule a.com/a\n\ngo 1.21\ntoolchain go1.22.1\n\n\
    godebug default=go1.21\n\nrequire (\n\tb.com/b v1.2.3\n\tc.com/c/v2 v2.0.1 // indirect\n)\n\
    exclude b.com/b v1.2.4\nreplace (\n\tb.com/b v1.2.3 => d.com/d v1.0.0\n\tc.com/c/v2 => \
    ../c\n)\n// lost\nretract [v1.0.0, v1.1.0] // both\ntool b.com/b/cmd\nignore ./x\n";

#[test]
fn every_directive_is_found_with_its_line() {
    let file = ModFile::parse("go.mod", RICH.as_bytes()).unwrap();
    let module = file.module.as_ref().unwrap();
    assert_eq!(
        (&*module.path, module.deprecated.as_deref(), module.line),
        ("a.com/a", Some("use b"), 2)
    );
    let go = file.go.as_ref().unwrap();
    assert_eq!((go.version.as_str(), go.line), ("1.21", 4));
    let toolchain = file.toolchain.as_ref().unwrap();
    assert_eq!((&*toolchain.name, toolchain.line), ("go1.22.1", 5));
    assert_eq!(
        (&*file.godebug[0].key, &*file.godebug[0].value),
        ("default", "go1.21")
    );
    let require: Vec<_> = file
        .require
        .iter()
        .map(|r| (r.module.to_string(), r.indirect, r.line))
        .collect();
    assert_eq!(
        require,
        [
            ("b.com/b@v1.2.3".into(), false, 10),
            ("c.com/c/v2@v2.0.1".into(), true, 11)
        ]
    );
    assert_eq!(file.exclude[0].module.to_string(), "b.com/b@v1.2.4");
    let [first, second] = &*file.replace else {
        panic!("{:?}", file.replace)
    };
    assert_eq!(first.version.as_ref().map(Version::as_str), Some("v1.2.3"));
    assert!(matches!(&first.with, Replacement::Module(m) if m.to_string() == "d.com/d@v1.0.0"));
    assert_eq!(second.version, None);
    assert_eq!(second.with, Replacement::Directory("../c".into()));
    assert_eq!(second.line, 16);
    let retract = &file.retract[0];
    assert_eq!(
        (retract.low.as_str(), retract.high.as_str()),
        ("v1.0.0", "v1.1.0")
    );
    assert_eq!(retract.rationale, "lost\nboth");
    assert_eq!(file.tool[0].path, "b.com/b/cmd");
    assert_eq!(file.ignore[0].path, "./x");
}

fn strict_error(text: &str) -> Error {
    ModFile::parse("go.mod", text.as_bytes()).expect_err(text)
}

#[test]
fn all_faults_are_reported_one_a_line() {
    let error = strict_error("module m\nfoo\nrequire (\n\ta.com/m v2.0.0\n)\nbar (\n)\n");
    assert_eq!(error.kind(), Kind::Input);
    assert_eq!(
        error.chain(),
        "errors parsing go.mod:\ngo.mod:2: unknown directive: foo\ngo.mod:4:2: require a.com/m: \
         version \"v2.0.0\" invalid: should be v0 or v1, not v2\ngo.mod:6: unknown block type: bar"
    );
}

#[test]
fn version_queries_are_refused_with_a_hint_unless_the_caller_resolves_them() {
    let text = "module m\nrequire a.com/a master\nrequire b.com/b v1.2\nexclude c.com/c v1.0.0\n";
    let error = strict_error(text);
    // go asks the network here; without a fixer golang/mod has these words.
    assert_eq!(
        error.chain(),
        "errors parsing go.mod:\ngo.mod:2: require a.com/a: version \"master\" invalid: must be \
         of the form v1.2.3\ngo.mod:3: require b.com/b: version \"v1.2\" invalid: must be of the \
         form v1.2.3"
    );
    assert_eq!(error.hints().len(), 1);

    let mut asked = Vec::new();
    let file = ModFile::parse_with("go.mod", text.as_bytes(), &mut |path, version| {
        asked.push(format!("{path}@{version}"));
        Version::parse("v1.9.9")
    });
    let require = file.unwrap().require;
    assert_eq!(asked, ["a.com/a@master", "b.com/b@v1.2"]);
    assert_eq!(require[1].module.to_string(), "b.com/b@v1.9.9");

    let error = ModFile::parse_with("go.mod", text.as_bytes(), &mut |_, _| {
        Err(Error::new(
            Kind::Offline,
            "module lookup disabled by GOPROXY=off",
        ))
    });
    let error = error.unwrap_err();
    assert_eq!(error.kind(), Kind::Offline);
    assert_eq!(
        error.chain(),
        "errors parsing go.mod:\ngo.mod:2: module lookup disabled by GOPROXY=off\n\
         go.mod:3: module lookup disabled by GOPROXY=off"
    );
}

#[test]
fn the_old_gopkgin_versions_are_understood() {
    let text = "module m\nrequire gopkg.in/y.v2 v0.0.0-gopkgin-v2.1.0\n";
    let file = ModFile::parse("go.mod", text.as_bytes()).unwrap();
    assert_eq!(file.require[0].module.to_string(), "gopkg.in/y.v2@v2.1.0");
}

/// What is stricter than go, as the head of the area says.
#[test]
fn what_has_no_type_is_refused() {
    for (text, want) in [
        (
            "require \"\" v1.0.0\n",
            "go.mod:1: malformed module path \"\": empty string",
        ),
        (
            "go 1.21.3rc1\n",
            "go.mod:1: invalid go version '1.21.3rc1': must match format 1.23.0",
        ),
    ] {
        assert_eq!(
            strict_error(text).chain(),
            format!("errors parsing go.mod:\n{want}")
        );
    }
    let lax = ModFile::parse_lax("go.mod", b"go 1.21.3rc1\n").unwrap();
    assert!(lax.go.is_none());
    let work = WorkFile::parse("go.work", b"replace a.com/a => b.com/b v2.0.0\n").unwrap_err();
    assert_eq!(
        work.chain(),
        "errors parsing go.work:\ngo.work:1: replace b.com/b: version \"v2.0.0\" invalid: should \
         be v0 or v1, not v2"
    );
}

#[test]
fn dependencies_are_read_leniently() {
    let text = "future (\n)\nreplace x\nmodule d\ngo 1.99.future\nretract [bogus, v1.0]\n\
        retract [v1.0.0, bogus]\nretract v1 more\n";
    let file = ModFile::parse_lax("go.mod", text.as_bytes()).unwrap();
    assert_eq!(file.go.unwrap().version.as_str(), "1.99");
    let retract: Vec<_> = file
        .retract
        .iter()
        .map(|retract| (retract.low.as_str(), retract.high.as_str()))
        .collect();
    assert_eq!(retract, [("v0.0.0-0", "v1.0.0"), ("v1.0.0", "v1.0.0")]);
    assert!(file.replace.is_empty());

    let error = ModFile::parse_lax("go.mod", b"require (\n\ta.com/a x\n\tb\n)\n").unwrap_err();
    assert_eq!(
        error.chain(),
        "parsing go.mod: go.mod:2:2: require a.com/a: version \"x\" invalid: must be of the form \
         v1.2.3\ngo.mod:3:2: usage: require module/path v1.2.3"
    );
}

#[test]
fn bytes_that_are_no_utf8_may_stand_in_comments_only() {
    let file = ModFile::parse("go.mod", b"// caf\xe9\nmodule m // \xff\n").unwrap();
    assert_eq!(file.main_path("go.mod").unwrap(), "m");
    let error = ModFile::parse("go.mod", b"module m\nrequire caf\xe9.com/a v1.0.0\n").unwrap_err();
    assert_eq!(
        error.chain(),
        "errors parsing go.mod:\ngo.mod:2: invalid UTF-8"
    );
    assert!(ModFile::parse_lax("go.mod", b"future caf\xe9\n").is_ok());
    let error = WorkFile::parse("go.work", b"use caf\xe9\n").unwrap_err();
    assert_eq!(
        error.chain(),
        "errors parsing go.work:\ngo.work:1: invalid UTF-8"
    );
}

#[test]
fn a_workspace_is_found_with_its_lines() {
    let text = "go 1.21\r\ntoolchain go1.22.0\r\ngodebug a=b\r\nuse (\r\n\t.\r\n\t\"./b c\"\r\n)\r\n\
        replace a.com/a v1.0 => ./x";
    let file = WorkFile::parse("go.work", text.as_bytes()).unwrap();
    assert_eq!(file.go.unwrap().version.as_str(), "1.21");
    assert_eq!(file.toolchain.unwrap().name, "go1.22.0");
    assert_eq!(file.godebug[0].value, "b");
    let dirs: Vec<_> = file
        .use_dirs
        .iter()
        .map(|dir| (&*dir.path, dir.line))
        .collect();
    assert_eq!(dirs, [(".", 5), ("./b c", 6)]);
    assert_eq!(
        file.replace[0].version.as_ref().map(Version::as_str),
        Some("v1.0.0")
    );
    assert_eq!(file.replace[0].line, 8);
}

/// Recursion would overflow the stack, quadratic work would take minutes.
#[test]
fn long_and_deep_files_are_read_in_linear_time() {
    let n = 100_000;
    let mut requirements = String::from("require (\n");
    for _ in 0..n / 10 {
        requirements.push_str("\ta.com/a v1.0.0 // indirect\n");
    }
    let texts = [
        format!("{requirements})\n"),
        "(\n".repeat(n),
        format!("x {}", "(".repeat(n)),
        format!("x {}", "a ".repeat(n)),
        "x (\n".repeat(n),
        format!("module {}\n", "a/".repeat(n)),
        format!("module \"{}\"\n", "\\x61".repeat(n)),
        "// comment\n".repeat(n),
        "\n".repeat(n),
        "require a.com/a\n".repeat(n / 10),
        format!("retract {}\n", "[".repeat(n)),
        format!("go 1.{}\n", "9".repeat(n)),
    ];
    for text in texts {
        let _ = ModFile::parse("go.mod", text.as_bytes());
        let _ = ModFile::parse_lax("go.mod", text.as_bytes());
        let _ = WorkFile::parse("go.work", text.as_bytes());
    }
}

/// Everything a file says, without the lines it says it on.
fn meaning(file: &ModFile) -> String {
    let debug = format!("{file:?}");
    let mut pieces = debug.split("line: ");
    let mut meaning = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        meaning.push_str(piece.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    meaning
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = ModFile::parse("go.mod", &data);
        let _ = ModFile::parse_lax("go.mod", &data);
        let _ = WorkFile::parse("go.work", &data);
    }

    #[test]
    fn no_directives_make_it_panic(
        words in proptest::collection::vec(
            prop_oneof![
                "(module|go|toolchain|godebug|require|exclude|replace|retract|tool|ignore|use)",
                "(\n|\r\n|\\(|\\)|\\(\n|\n\\)\n|=>|,|\\[|\\]|\"|`|\\\\|//|/\\*|k=v)",
                "(a\\.com/a|m/v1|gopkg\\.in/y\\.v1|v1\\.0\\.0|v1|v2\\.0\\.0|master|1\\.21|\\./x)",
                "\\PC",
            ],
            0..40,
        ),
        gap in "[ \t]?",
    ) {
        let text = words.join(&gap);
        let _ = ModFile::parse("go.mod", text.as_bytes());
        let lax = ModFile::parse_lax("go.mod", text.as_bytes());
        let _ = WorkFile::parse("go.work", text.as_bytes());
        // What the main module may have, a dependency may have.
        if let Ok(strict) = ModFile::parse("go.mod", text.as_bytes()) {
            prop_assert_eq!(strict.require.len(), lax.map(|lax| lax.require.len()).unwrap());
        }
    }

    /// Space between words, comments above and after lines that give them no meaning, blank
    /// lines between statements, and Windows line ends change nothing.
    #[test]
    fn layout_does_not_change_the_meaning(
        gaps in proptest::collection::vec("[ \t]{1,3}", 64),
        fillers in proptest::collection::vec("(\n|// note\n\n| \t\n|// a\n// b\n\n){0,2}", 32),
        crlf in any::<bool>(),
        final_newline in any::<bool>(),
    ) {
        let plain = ModFile::parse("go.mod", RICH.as_bytes()).unwrap();
        let (mut text, mut in_block, mut attached) = (String::new(), false, false);
        let (mut gaps, mut fillers) = (gaps.iter().cycle(), fillers.iter().cycle());
        for line in RICH.lines() {
            // A comment above a line belongs to it: nothing may come between.
            if !in_block && !attached {
                text.push_str(fillers.next().unwrap());
            }
            let (code, comment) = match line.find("//") {
                Some(at) => line.split_at(at),
                None => (line, ""),
            };
            for word in code.split_whitespace() {
                text.push_str(gaps.next().unwrap());
                text.push_str(word);
            }
            text.push_str(gaps.next().unwrap());
            text.push_str(comment);
            if code.starts_with("require (") || code.starts_with("go ") {
                text.push_str("// says nothing");
            }
            text.push('\n');
            in_block = line.ends_with('(') || in_block && !line.starts_with(')');
            attached = line.starts_with("//");
        }
        if !final_newline {
            text.pop();
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        let file = ModFile::parse("go.mod", text.as_bytes());
        let file = file.unwrap_or_else(|error| panic!("{text}\n{}", error.chain()));
        prop_assert_eq!(meaning(&file), meaning(&plain));
    }
}
