//! One small zip for every rule, with the wanted text; go is shown the same zips.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::directory::flag;
use super::testing::*;
use super::{hash_dir, remove_tree, seal};
use crate::module::ModuleVersion;

/// What go makes of a zip that we refuse.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Go {
    /// Refuses it, in the same words.
    SameText,
    /// Refuses it, in words of its own or for what it met first.
    Refuses,
    /// Takes it: the rule is ours.
    Accepts,
}

struct Case {
    zip: Vec<u8>,
    go: Go,
    want: String,
}

/// `entries` are joined with a file that is in order.
fn case(go: Go, entries: &[TestEntry], want: impl Into<String>) -> Case {
    let mut all = vec![file(named("fine.go"), b"package fine\n")];
    all.extend_from_slice(entries);
    whole(go, zip(&all), want)
}

fn whole(go: Go, zip: Vec<u8>, want: impl Into<String>) -> Case {
    let want = want.into();
    Case { zip, go, want }
}

/// A name that is refused, and why.
fn name_case(go: Go, name: &str, why: &str) -> Case {
    let want = format!("{MODULE}/{}: {why}", name.escape_debug());
    case(go, &[file(named(name), b"x")], want)
}

/// Two names that may not be together; the second is to blame.
fn clash(first: &str, second: &str, why: &str) -> Case {
    let want = format!("{MODULE}/{second}: {why}");
    let entries = [file(named(first), b"x"), file(named(second), b"x")];
    case(Go::SameText, &entries, want)
}

/// A file `a` whose entry was changed.
fn changed(go: Go, change: impl Fn(&mut TestEntry), why: &str) -> Case {
    let mut entry = file(named("a"), b"some content, some content, some content");
    change(&mut entry);
    case(go, &[entry], format!("{MODULE}/a: {why}"))
}

/// The same with an uncompressed file, which has no descriptor.
fn changed_stored(go: Go, change: impl Fn(&mut TestEntry), why: &str) -> Case {
    let mut entry = stored(named("a"), b"some content");
    change(&mut entry);
    case(go, &[entry], format!("{MODULE}/a: {why}"))
}

fn names() -> Vec<Case> {
    use Go::{Refuses, SameText};
    let malformed = |name: &str, why: &str| {
        name_case(
            SameText,
            name,
            &format!("malformed file path {name:?}: {why}"),
        )
    };
    vec![
        case(
            SameText,
            &[file("elsewhere", b"x")],
            format!("zip for {MODULE} has unexpected file elsewhere"),
        ),
        case(
            SameText,
            &[file(MODULE, b"x")],
            format!("zip for {MODULE} has unexpected file {MODULE}"),
        ),
        malformed("../x", "invalid path element \"..\""),
        malformed("/etc/passwd", "empty path element"),
        malformed("a\\b", "invalid char '\\\\'"),
        malformed("c:x", "invalid char ':'"),
        malformed(
            "con.txt",
            "\"con\" disallowed as path element component on Windows",
        ),
        malformed("a./b", "trailing dot in path element"),
        name_case(SameText, "a//b", "file path is not clean"),
        name_case(SameText, "a/./b", "file path is not clean"),
        name_case(SameText, "a/../b", "file path is not clean"),
        name_case(SameText, "./a", "file path is not clean"),
        case(
            SameText,
            &[stored(named("/"), b"")],
            format!("{MODULE}//: file path is not clean"),
        ),
        name_case(
            Refuses,
            "a\nb",
            "malformed file path \"a\\nb\": invalid char '\\n'",
        ),
        name_case(
            Refuses,
            "a\0b",
            "malformed file path \"a\\0b\": invalid char '\\0'",
        ),
        case(
            Refuses,
            &[file([named("a").as_bytes(), b"\xff"].concat(), b"x")],
            format!("{MODULE}/a\u{fffd}: malformed file path \"a\u{fffd}\": invalid UTF-8"),
        ),
        clash(
            "README",
            "readme",
            "case-insensitive file name collision: \"README\" and \"readme\"",
        ),
        clash(
            "k.go",
            "\u{212a}.go",
            "case-insensitive file name collision: \"k.go\" and \"\u{212a}.go\"",
        ),
        clash(
            "Dir/a",
            "dir/b",
            "case-insensitive file name collision: \"Dir\" and \"dir\"",
        ),
        clash("a", "a", "multiple entries for file \"a\""),
        clash("a", "a/b", "entry \"a\" is both a file and a directory"),
        clash("a/b", "a", "entry \"a\" is both a file and a directory"),
        case(
            SameText,
            &[file(named("a"), b"x"), stored(named("a/"), b"")],
            format!("{MODULE}/a/: entry \"a\" is both a file and a directory"),
        ),
        name_case(
            SameText,
            "sub/go.mod",
            "go.mod file not in module root directory",
        ),
        name_case(
            SameText,
            "sub/Go.Mod",
            "go.mod file not in module root directory",
        ),
        name_case(SameText, "GO.MOD", "go.mod files must have lowercase names"),
    ]
}

fn sizes() -> Vec<Case> {
    use Go::{Refuses, SameText};
    let large = vec![0; (16 << 20) + 1];
    let too_large = |name: &str| {
        let want = format!("{MODULE}/{name}: {name} file too large (max size is 16777216 bytes)");
        case(SameText, &[file(named(name), &large)], want)
    };
    vec![
        too_large("go.mod"),
        too_large("LICENSE"),
        {
            let mut entry = file(named("a"), b"x");
            entry.central.unpacked = 500 << 20;
            let want = "total uncompressed size of module contents too large \
                        (max size is 524288000 bytes)";
            case(Refuses, &[entry], want)
        },
        changed(
            Refuses,
            |e| {
                e.central.unpacked = 39;
                e.after = le(&[0x0807_4b50, e.central.crc, e.central.compressed, 39]);
            },
            &format!(
                "uncompressed size of file {MODULE}/a is larger than declared size (39 bytes)"
            ),
        ),
        changed(
            SameText,
            |e| {
                e.central.unpacked = 41;
                e.after = le(&[0x0807_4b50, e.central.crc, e.central.compressed, 41]);
            },
            "unexpected EOF",
        ),
        changed_stored(
            Refuses,
            |e| {
                e.central.unpacked = 11;
                e.local.unpacked = 11;
            },
            "zip: stored entry has two sizes",
        ),
    ]
}

fn contents() -> Vec<Case> {
    use Go::{Accepts, Refuses, SameText};
    let descriptor =
        |e: &TestEntry, crc: u32| le(&[0x0807_4b50, crc, e.central.compressed, e.central.unpacked]);
    vec![
        changed(
            SameText,
            |e| {
                e.central.crc ^= 1;
                e.after = descriptor(e, e.central.crc);
            },
            "zip: checksum error",
        ),
        changed(SameText, |e| e.data[0] = 0xff, "flate: corrupt input"),
        changed(
            Accepts,
            |e| {
                e.data.push(0);
                e.central.compressed += 1;
                e.after = descriptor(e, e.central.crc);
            },
            "zip: unused bytes in the entry's data",
        ),
        changed(
            SameText,
            |e| {
                e.data.pop();
                e.central.compressed -= 1;
                e.after = descriptor(e, e.central.crc);
            },
            "unexpected EOF",
        ),
        changed(
            Refuses,
            |e| e.after = descriptor(e, e.central.crc ^ 1),
            "zip: data descriptor has other sizes or another checksum",
        ),
        changed(
            Accepts,
            |e| e.after[12] ^= 1,
            "zip: data descriptor has other sizes or another checksum",
        ),
        changed(
            Refuses,
            |e| e.after.clear(),
            "zip: malformed data descriptor",
        ),
        changed(
            Refuses,
            |e| e.after[0] = 0,
            "zip: malformed data descriptor",
        ),
        changed_stored(
            Accepts,
            |e| e.after = vec![0; 16],
            "zip: unused bytes after the entry",
        ),
    ]
}

fn headers() -> Vec<Case> {
    use Go::{Accepts, Refuses, SameText};
    let unix = |mode: u32| {
        move |e: &mut TestEntry| {
            e.creator = 3;
            e.attributes = mode << 16;
        }
    };
    let both = |flags: u16| {
        move |e: &mut TestEntry| {
            e.central.flags |= flags;
            e.local.flags |= flags;
        }
    };
    let extra = |tag: u16, data: &[u8]| {
        let length = u16::try_from(data.len()).unwrap();
        [&tag.to_le_bytes(), &length.to_le_bytes(), data].concat()
    };
    vec![
        changed(Accepts, unix(0o120_777), "not a regular file"),
        changed(Accepts, unix(0o010_644), "not a regular file"),
        changed(
            Accepts,
            unix(0o040_755),
            "a directory without a trailing slash",
        ),
        changed(
            Accepts,
            |e| e.attributes = 0x10,
            "a directory without a trailing slash",
        ),
        name_case(Refuses, "dir/", "a directory with content"),
        changed(Accepts, both(flag::ENCRYPTED), "zip: entry is encrypted"),
        changed(
            Accepts,
            both(flag::STRONG_ENCRYPTION),
            "zip: entry is encrypted",
        ),
        changed(
            SameText,
            |e| {
                e.central.method = 12;
                e.local.method = 12;
            },
            "zip: unsupported compression algorithm",
        ),
        changed(
            Accepts,
            |e| e.local.name = named("b").into(),
            "zip: local header has another name",
        ),
        changed(
            Accepts,
            |e| e.local.method = 0,
            "zip: local header has another method",
        ),
        changed(
            Accepts,
            |e| e.local.flags ^= flag::DESCRIPTOR,
            "zip: local header has other flags",
        ),
        changed(
            Accepts,
            |e| e.local.unpacked = 41,
            "zip: local header has other sizes or another checksum",
        ),
        changed_stored(
            Accepts,
            |e| e.local.compressed = 0,
            "zip: local header has other sizes or another checksum",
        ),
        changed_stored(
            Accepts,
            |e| e.local.crc = 0,
            "zip: local header has other sizes or another checksum",
        ),
        changed(Accepts, |e| e.disk = 1, "zip: spread over several disks"),
        changed(
            Accepts,
            |e| e.central.extra = extra(0x7075, b"\x01\0\0\0\0other"),
            "zip: entry has two names",
        ),
        changed(
            Accepts,
            |e| e.local.extra = extra(0x7075, b"\x01\0\0\0\0other"),
            "zip: entry has two names",
        ),
        changed(
            Accepts,
            |e| e.central.extra = [extra(1, b""), extra(1, b"")].concat(),
            "zip: two zip64 fields",
        ),
        changed(
            Refuses,
            |e| e.central.compressed = u32::MAX,
            "zip: missing zip64 field",
        ),
    ]
}

fn structure() -> Vec<Case> {
    use Go::{Accepts, Refuses, SameText};
    let good = zip(&[file(named("a"), b"x"), stored(named("b"), b"y")]);
    let not_a_zip = "zip: not a valid zip file";
    let overlapping = {
        let a = file(named("a"), b"x");
        let mut again = a.clone();
        again.central.name = named("b").into();
        again.offset = Some(0);
        zip(&[a, again])
    };
    let place = "zip: the central directory does not end where the end record starts";
    vec![
        whole(SameText, Vec::new(), not_a_zip),
        whole(
            SameText,
            b"<html>502 Bad Gateway</html>".to_vec(),
            not_a_zip,
        ),
        whole(SameText, good[..good.len() - 1].to_vec(), not_a_zip),
        whole(
            Refuses,
            patched(good.clone(), 2, &[1]),
            "zip: invalid comment length",
        ),
        whole(
            Accepts,
            [&good, &b"more"[..]].concat(),
            "zip: invalid comment length",
        ),
        whole(
            Accepts,
            patched(good.clone(), 18, &[1]),
            "zip: spread over several disks",
        ),
        whole(
            Refuses,
            patched(good.clone(), 14, &[1, 0, 1, 0]),
            "zip: the central directory has more than its entries",
        ),
        whole(Refuses, patched(good.clone(), 14, &[3, 0, 3, 0]), not_a_zip),
        whole(Accepts, [&b"#!/bin/sh\n"[..], &good].concat(), place),
        whole(
            Accepts,
            zip_with_gap(&[stored(named("a"), b"x")], b"gap"),
            format!("{MODULE}/a: zip: unused bytes after the entry"),
        ),
        whole(
            Accepts,
            overlapping,
            format!("{MODULE}/a: zip: entries overlap"),
        ),
        whole(
            Accepts,
            patched(with_zip64_end(&good), 14, &[2, 0, 3, 0]),
            "zip: spread over several disks",
        ),
        whole(
            Accepts,
            patched(with_zip64_end(&good), 14, &[3, 0, 3, 0]),
            "zip: the two end records disagree",
        ),
    ]
}

fn refused() -> Vec<Case> {
    [names(), sizes(), contents(), headers(), structure()]
        .into_iter()
        .flatten()
        .collect()
}

/// Zips that we and go take, each with what is special about it.
fn accepted() -> Vec<(&'static str, Vec<u8>)> {
    let directory = |name: &str| stored(named(name), b"");
    let big = vec![b'a'; 3 << 20];
    let mut short_descriptor = file(named("a"), b"x");
    short_descriptor.after.drain(..4);
    let mut wide_descriptor = file(named("a"), b"x");
    let sums = wide_descriptor.central.clone();
    wide_descriptor.after = le(&[0x0807_4b50, sums.crc, sums.compressed, 0, sums.unpacked, 0]);
    let many: Vec<TestEntry> = (0..300)
        .map(|i| file(named(&format!("d{}/e/f{i}.go", i % 7)), &noise(i * 20)))
        .collect();
    let plain = [
        file(named("go.mod"), b"module a.com/m\n"),
        file(named("a/b/c.go"), b"package c\n"),
        file(named("a.go"), b"package a\n"),
        file(named("a/b.go"), b""),
        stored(named("LICENSE"), b"do as you like\n"),
    ];
    let mut commented = zip(&plain);
    let end = commented.len();
    commented[end - 2..].copy_from_slice(&[5, 0]);
    commented.extend(b"hello");
    let mut reversed = plain.to_vec();
    reversed.reverse();
    vec![
        ("plain", zip(&plain)),
        ("another order", zip(&reversed)),
        ("nothing", zip(&[])),
        ("one empty file", zip(&[file(named("empty"), b"")])),
        ("a comment", commented),
        (
            "directories, one of them twice and one for the root",
            zip(&[
                directory(""),
                directory("empty/"),
                directory("d/"),
                file(named("d/x"), b"x"),
                directory("d/"),
            ]),
        ),
        (
            "odd names",
            zip(&[
                file(named("a b/!#$%&()+,-.=@[]^_{}~ /x"), b"x"),
                file(named(".hidden/..x"), b"x"),
                file(named("\u{df}\u{e9}\u{4e16}/\u{131}"), b"x"),
                file(named("i"), b"x"),
            ]),
        ),
        ("a descriptor without signature", zip(&[short_descriptor])),
        ("a descriptor with wide sizes", zip(&[wide_descriptor])),
        ("zip64 end", with_zip64_end(&zip(&plain))),
        ("many files", zip(&many)),
        (
            "large files",
            zip(&[
                file(named("repeats"), &big),
                file(named("noise"), &noise(3 << 20)),
                stored(named("stored"), &noise(2 << 20)),
                file(named("edge"), &noise(1 << 20)),
                file(named("small"), b"small"),
            ]),
        ),
    ]
}

#[test]
fn every_rule_refuses_with_its_text() {
    let mut wrong = String::new();
    for (i, case) in refused().into_iter().enumerate() {
        let error = hash(&case.zip).expect_err(&case.want);
        let got = reason(&error, &module());
        if got != case.want {
            wrong += &format!("case {i}: {got}\n   want: {}\n", case.want);
        }
        assert_eq!(error.kind(), crate::Kind::Security);
        assert!(!error.is_transient());
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Relative path to mode and content of everything below `dir`.
fn listing(dir: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    fn add(root: &Path, path: &Path, all: &mut BTreeMap<String, (u32, Vec<u8>)>) {
        let metadata = fs::symlink_metadata(path).unwrap();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        let mut content = Vec::new();
        if metadata.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                add(root, &entry.unwrap().path(), all);
            }
        } else {
            content = fs::read(path).unwrap();
        }
        all.insert(name.to_owned(), (metadata.permissions().mode(), content));
    }
    let mut all = BTreeMap::new();
    add(dir, dir, &mut all);
    all
}

/// Serves zips to `go mod download` from a file tree; returns its report for each module.
fn go_downloads(dir: &Path, zips: &[(ModuleVersion, Vec<u8>)]) -> Option<Vec<serde_json::Value>> {
    let mut go = go(dir)?;
    let proxy = dir.join("proxy");
    for (module, zip) in zips {
        let escaped = module.escape().unwrap();
        let path = |suffix| proxy.join(escaped.file(suffix));
        fs::create_dir_all(path("zip").parent().unwrap()).unwrap();
        let info = format!("{{\"Version\":\"{}\"}}", module.version());
        fs::write(path("info"), info).unwrap();
        fs::write(path("mod"), format!("module {}\n", module.path())).unwrap();
        fs::write(path("zip"), zip).unwrap();
    }
    let output = go
        .env("GOPROXY", format!("file://{}", proxy.display()))
        .args(["mod", "download", "-json"])
        .args(zips.iter().map(|(module, _)| module.to_string()))
        .output()
        .unwrap();
    let reports = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    let reports: Vec<serde_json::Value> = reports.map(Result::unwrap).collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(reports.len(), zips.len(), "{errors}");
    Some(reports)
}

/// Number `i` of a hundred modules whose names are as long as that of [`MODULE`].
fn numbered(i: usize) -> ModuleVersion {
    ModuleVersion::parse("a.com/m", &format!("v1.{}.{}", i / 10, i % 10)).unwrap()
}

/// Text or zip with [`MODULE`] replaced by module number `i`.
fn renamed(bytes: &[u8], i: usize) -> Vec<u8> {
    let other = numbered(i).to_string();
    assert_eq!(other.len(), MODULE.len());
    let mut out = bytes.to_vec();
    for at in 0..out.len().saturating_sub(MODULE.len() - 1) {
        if out[at..].starts_with(MODULE.as_bytes()) {
            out[at..at + MODULE.len()].copy_from_slice(other.as_bytes());
        }
    }
    out
}

#[test]
fn go_takes_and_refuses_what_the_cases_say() {
    let dir = tempfile::tempdir().unwrap();
    let cases = refused();
    let zips: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(i, case)| (numbered(i), renamed(&case.zip, i)))
        .collect();
    let Some(reports) = go_downloads(dir.path(), &zips) else {
        return;
    };
    let mut wrong = String::new();
    for (i, (case, report)) in cases.iter().zip(reports).enumerate() {
        let want = String::from_utf8(renamed(case.want.as_bytes(), i)).unwrap();
        let error = report["Error"].as_str();
        let go = match error {
            None => Go::Accepts,
            Some(text) if text.contains(&want) => Go::SameText,
            // Some texts name the entry here and not in go.
            Some(text) if want.split_once(": ").is_some_and(|w| text.contains(w.1)) => Go::SameText,
            Some(_) => Go::Refuses,
        };
        if go != case.go {
            wrong += &format!("case {i}: {want}\n   go: {go:?}: {error:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    remove_tree(&dir.path().join("modcache")).unwrap();
}

#[test]
fn go_makes_the_same_sum_and_the_same_tree() {
    let dir = tempfile::tempdir().unwrap();
    let accepted = accepted();
    let mut zips = Vec::new();
    let mut ours = Vec::new();
    for (i, (what, zip)) in accepted.iter().enumerate() {
        let (module, zip) = (numbered(i), renamed(zip, i));
        let opened = open_as(&module, &zip).unwrap_or_else(|e| panic!("{what}: {}", e.chain()));
        let out = dir.path().join(i.to_string());
        let h1 = opened.extract(&out).expect(what);
        assert_eq!(opened.hash().expect(what), h1, "{what}");
        opened.seal(&out);
        let sealed = listing(&out);
        seal(&out);
        assert_eq!(listing(&out), sealed, "{what}: nothing was left to seal");
        // An entry for a directory is in the h1 of the zip and not in that of the tree.
        if !what.contains("directories") {
            assert_eq!(hash_dir(&out, &module).expect(what), h1, "{what}");
        }
        remove_tree(&out).unwrap();
        assert!(!out.exists());
        zips.push((module, zip));
        ours.push((what, h1, sealed));
    }
    let Some(reports) = go_downloads(dir.path(), &zips) else {
        return;
    };
    for ((what, h1, sealed), report) in ours.into_iter().zip(reports) {
        assert_eq!(report["Sum"], h1.as_str(), "{what}: {report}");
        let theirs = report["Dir"].as_str().unwrap();
        assert_eq!(sealed, listing(Path::new(theirs)), "{what}");
    }
    remove_tree(&dir.path().join("modcache")).unwrap();
}
