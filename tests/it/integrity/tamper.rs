//! Every piece of a cache damaged in every way: what `go mod verify` finds, what `verify` finds and
//! what `verify --sumdb` finds, compared with the table of the help topic verify, cell by cell.

use std::fmt::Write as _;
use std::fs;

use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::sumdb::{NAME, SumDb};
use crate::support::tamper::{change, copy_of, entry, module, proven, put, put_folder};
use crate::support::{Sandbox, require_go, sums};

const PIECES: [&str; 9] = [
    "dir",
    "zip",
    "ziphash",
    "go.mod",
    "go.sum",
    "dir, zip and ziphash alike",
    "lookup",
    "tile",
    "head",
];

const WAYS: [&str; 5] = ["flip a byte", "truncate", "swap", "delete", "add"];

fn greet() -> Module {
    module("example.com/greet", "v1.1.0")
}

/// Another module's files under greet's name.
fn stranger() -> Module {
    let text = module("example.com/text", "v1.2.0");
    Module::new("example.com/greet", "v1.1.0", text.files)
}

fn damage_module(module: Module, way: &str) -> Module {
    let mut files = module.files;
    let at = files
        .iter()
        .position(|(name, _)| name == "greet.go")
        .unwrap();
    let code = &mut files[at].1;
    match way {
        "flip a byte" => code[20] ^= 1,
        "truncate" => code.truncate(20),
        "swap" => return stranger(),
        "delete" => drop(files.remove(at)),
        _ => files.push(("evil.go".to_owned(), b"package greet\n".to_vec())),
    }
    Module::new(&module.path, &module.version, files)
}

/// Damages a file; `other` is what is swapped in.
fn damage_file(sandbox: &Sandbox, path: &str, way: &str, other: &[u8], added: &[u8]) {
    match way {
        "delete" => sandbox.remove(path),
        _ => change(sandbox, path, |data| damage_bytes(data, way, other, added)),
    }
}

fn damage_bytes(data: &mut Vec<u8>, way: &str, other: &[u8], added: &[u8]) {
    match way {
        "flip a byte" => {
            let middle = data.len() / 2;
            data[middle] ^= 1;
        }
        "truncate" => data.truncate(data.len() / 2),
        "swap" => *data = other.to_vec(),
        _ => data.extend_from_slice(added),
    }
}

/// Damages one piece of greet v1.1.0, or of what vouches for it.
fn damage(sandbox: &Sandbox, database: &SumDb, piece: &str, way: &str) {
    let read = |path: &str| fs::read(sandbox.cached(path)).unwrap();
    let text = |suffix: &str| {
        read(&format!(
            "cache/download/example.com/text/@v/v1.2.0.{suffix}"
        ))
    };
    let kept = format!("cache/download/sumdb/{NAME}");
    match (piece, way) {
        ("dir", way) => put_folder(sandbox, &damage_module(greet(), way)),
        ("dir, zip and ziphash alike", way) => put(sandbox, &damage_module(greet(), way)),
        ("zip", "add") => {
            let zip = damage_module(greet(), way).zip();
            damage_file(sandbox, &entry("zip"), "swap", &zip, b"");
        }
        ("zip", way) => damage_file(sandbox, &entry("zip"), way, &text("zip"), b""),
        ("ziphash", way) => {
            damage_file(sandbox, &entry("ziphash"), way, &text("ziphash"), b" more");
        }
        ("go.mod", way) => damage_file(sandbox, &entry("mod"), way, &text("mod"), b"// more\n"),
        ("go.sum", way) => damage_go_sum(sandbox, way),
        ("lookup", way) => {
            let of = |name: &str| format!("{kept}/lookup/example.com/{name}");
            let other = read(&of("text@v1.2.0"));
            damage_file(sandbox, &of("greet@v1.1.0"), way, &other, b"more\n");
        }
        ("tile", way) => {
            let tile = format!("cache/download/{}", database.tile());
            // A tile knows no modules: its first two records change places.
            let mut other = read(&tile);
            other[..64].rotate_left(32);
            damage_file(sandbox, &tile, way, &other, &[0; 32]);
        }
        ("head", way) => damage_head(sandbox, database, way),
        _ => panic!("no such piece: {piece}"),
    }
}

fn damage_go_sum(sandbox: &Sandbox, way: &str) {
    let file = sandbox.project_dir().join("go.sum");
    let mut data = fs::read(&file).unwrap();
    let old = sums::of_zip(&greet());
    let text = String::from_utf8(data.clone()).unwrap();
    assert!(text.contains(&old));
    match way {
        "flip a byte" => {
            let at = text.find(&old).unwrap() + 5;
            data[at] = if data[at] == b'A' { b'B' } else { b'A' };
        }
        "truncate" => data.truncate(data.len() - 10),
        "swap" => {
            let other = sums::of_zip(&module("example.com/text", "v1.2.0"));
            let swapped = text
                .replace(&old, "?")
                .replace(&other, &old)
                .replace('?', &other);
            data = swapped.into_bytes();
        }
        "delete" => return fs::remove_file(file).unwrap(),
        _ => {
            let more = format!("example.com/greet v1.1.0 {}\n", sums::of_zip(&stranger()));
            data.extend_from_slice(more.as_bytes());
        }
    }
    fs::write(file, data).unwrap();
}

fn damage_head(sandbox: &Sandbox, database: &SumDb, way: &str) {
    let file = sandbox
        .gopath_dir()
        .join(format!("pkg/sumdb/{NAME}/latest"));
    let mut data = fs::read(&file).unwrap();
    // The head of another log of the same size, signed by the same key.
    let modules = [greet()];
    let other = (1..database.size()).fold(SumDb::of(&modules), |log, i| {
        log.with_filler(&format!("example.com/x{i}"))
    });
    let files = other.files();
    let head = files.iter().find(|(path, _)| path.ends_with("/latest"));
    match way {
        "delete" => return fs::remove_file(file).unwrap(),
        _ => damage_bytes(&mut data, way, &head.unwrap().1, b"more\n"),
    }
    fs::write(file, data).unwrap();
}

/// Who finds it.
fn cell(go: bool, plain: bool, proof: bool) -> &'static str {
    match (go, plain, proof) {
        (true, true, true) => "go, verify",
        (false, true, true) => "verify",
        (false, false, true) => "`--sumdb`",
        (false, false, false) => "-",
        _ => "go finds more",
    }
}

#[test]
fn verify_each_tampering_matches_readme_table() {
    require_go!();
    only_modfetch!();
    let mut table = format!(
        "| | {} |\n|---|{}\n",
        WAYS.join(" | "),
        "---|".repeat(WAYS.len())
    );
    let (_proxy, database, filled) = proven();
    let filled = filled.env("GOPROXY", "off");
    let verified = filled.run(["verify", "--sumdb"]);
    verified.ok().stdout("all modules verified\n");
    for piece in PIECES {
        let _ = write!(table, "| {piece} |");
        for way in WAYS {
            let sandbox = copy_of(&filled);
            damage(&sandbox, &database, piece, way);
            // Ours first: it changes nothing, and go may.
            let finds = |run: &crate::support::Run| {
                let wrong = run.code != Some(0);
                assert_eq!(wrong, run.stdout.is_empty(), "{piece}, {way}");
                wrong
            };
            let plain = finds(&sandbox.run(["verify"]));
            let proof = finds(&sandbox.run(["verify", "--sumdb"]));
            let go = finds(&sandbox.go(["mod", "verify"]));
            let _ = write!(table, " {} |", cell(go, plain, proof));
        }
        table.push('\n');
    }
    assert!(!table.contains("go finds more"), "{table}");
    let topic = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/cli/help/verify.md"
    ))
    .unwrap();
    assert!(
        topic.contains(&table),
        "the topic verify should have\n{table}"
    );
}
