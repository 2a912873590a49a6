//! The hostile zips of testdata are refused with their texts, others are taken; go is shown the
//! same ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::fixture::{Go, all};
use super::testing::*;
use super::{hash_dir, remove_tree, seal};
use crate::gomod::ModuleVersion;

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
    for fixture in all() {
        let error = hash(&fixture.zip).expect_err(&fixture.name);
        let got = reason(&error, &module());
        if got != fixture.want {
            wrong += &format!("{}: {got}\n   want: {}\n", fixture.name, fixture.want);
        }
        assert_eq!(error.kind(), crate::Kind::Security);
        assert!(!error.is_transient());
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The rows that the documentation of this module shows, one for each fixture.
#[test]
fn the_documented_table_has_every_fixture() {
    let row = |fixture: super::fixture::Fixture| {
        let go = match fixture.go {
            Go::SameText => "refused, same text",
            Go::Refuses => "refused",
            Go::Accepts => "**taken**",
        };
        format!("| `{}` | {} | {go} |\n", fixture.name, fixture.what)
    };
    let rows: String = all().into_iter().map(row).collect();
    let table = include_str!("hostile.md");
    assert!(
        table.ends_with(&format!("|---|---|---|\n{rows}")),
        "the rows are\n{rows}"
    );
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
        all.insert(
            name.to_owned(),
            (crate::system::mode(&metadata.permissions()), content),
        );
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

/// Number `i` of two hundred modules whose names are as long as that of [`MODULE`].
fn numbered(i: usize) -> ModuleVersion {
    let version = format!("v{}.{}.{}", i / 100 % 2, i / 10 % 10, i % 10);
    ModuleVersion::parse("a.com/m", &version).unwrap()
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
    let fixtures = all();
    let zips: Vec<_> = fixtures
        .iter()
        .enumerate()
        .map(|(i, fixture)| (numbered(i), renamed(&fixture.zip, i)))
        .collect();
    let Some(reports) = go_downloads(dir.path(), &zips) else {
        return;
    };
    let mut wrong = String::new();
    for (i, (fixture, report)) in fixtures.iter().zip(reports).enumerate() {
        let want = String::from_utf8(renamed(fixture.want.as_bytes(), i)).unwrap();
        let error = report["Error"].as_str();
        let go = match error {
            None => Go::Accepts,
            Some(text) if text.contains(&want) => Go::SameText,
            // Some texts name the entry here and not in go.
            Some(text) if want.split_once(": ").is_some_and(|w| text.contains(w.1)) => Go::SameText,
            Some(_) => Go::Refuses,
        };
        if go != fixture.go {
            let name = &fixture.name;
            wrong += &format!("{name}: {want}\n   go: {go:?}: {error:?}\n");
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
