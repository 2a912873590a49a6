//! Damaging a cache: pieces of greet v1.1.0, changed in every way.

use std::path::Path;
use std::process::Command;

use super::fixtures::{Fixtures, Module};
use super::sumdb::SumDb;
use super::{Proxy, Sandbox, sums};

/// The cached files of greet v1.1.0, without what follows the last dot.
pub const ENTRY: &str = "cache/download/example.com/greet/@v/v1.1.0";
/// Its directory.
pub const FOLDER: &str = "example.com/greet@v1.1.0";

/// A file of [`ENTRY`].
pub fn entry(suffix: &str) -> String {
    format!("{ENTRY}.{suffix}")
}

/// `hello` with a full cache, and no request counted yet.
pub fn filled() -> (Proxy, Sandbox) {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy).env("GOFLAGS", "-modcacherw");
    sandbox.run(["download"]).ok();
    proxy.forget();
    (proxy, sandbox)
}

fn fixtures() -> Fixtures {
    Fixtures::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod"))
}

/// `hello` with a cache and a go.sum that were filled with the proof of a checksum database.
pub fn proven() -> (Proxy, SumDb, Sandbox) {
    let database = SumDb::of(fixtures().modules());
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    let sandbox = Sandbox::with("hello", &proxy)
        .go_sum("")
        .env("GOSUMDB", &database.gosumdb())
        .env("GOFLAGS", "-modcacherw");
    sandbox.run(["download", "all"]).ok();
    proxy.forget();
    (proxy, database, sandbox)
}

/// A sandbox like `filled`, with copies of its cache, its go.sum and its checksum database.
///
/// # Panics
/// If they cannot be copied.
pub fn copy_of(filled: &Sandbox) -> Sandbox {
    let mut copy = Sandbox::new().project("hello").with_copied_cache(filled);
    for name in ["GOFLAGS", "GOPROXY", "GOSUMDB"] {
        copy = copy.env(name, filled.variable(name));
    }
    let database = Command::new("cp")
        .arg("-aT")
        .args([filled.gopath_dir(), copy.gopath_dir()])
        .status();
    assert!(
        database.is_ok_and(|status| status.success()),
        "cp -a failed"
    );
    copy.go_sum(&filled.read("go.sum"))
}

/// Changes a file of the cache, read-only or not.
///
/// # Panics
/// If it is not there.
pub fn change(sandbox: &Sandbox, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut data = std::fs::read(sandbox.cached(path)).expect("it is there to be changed");
    change(&mut data);
    sandbox.remove(path);
    sandbox.write(path, &data);
}

/// A module of the fixtures.
///
/// # Panics
/// If there is none.
pub fn module(path: &str, version: &str) -> Module {
    let fixtures = fixtures();
    let mut modules = fixtures.modules().iter();
    let found = modules.find(|module| module.path == path && module.version == version);
    let found = found.expect("the fixtures has it");
    Module::new(path, version, found.files.clone())
}

/// greet v1.1.0 after somebody has changed it.
pub fn forged() -> Module {
    let mut greet = module("example.com/greet", "v1.1.0");
    let code = greet.files.iter_mut().find(|(name, _)| name == "greet.go");
    let code = code.expect("it has code");
    code.1
        .extend_from_slice(b"\nfunc init() { println(\"evil\") }\n");
    greet
}

/// Puts a module in the place of greet v1.1.0: zip, directory and a ziphash that agrees.
pub fn put(sandbox: &Sandbox, forged: &Module) {
    for (suffix, data) in [
        ("zip", forged.zip()),
        ("ziphash", sums::of_zip(forged).into_bytes()),
    ] {
        sandbox.remove(&entry(suffix));
        sandbox.write(&entry(suffix), &data);
    }
    put_folder(sandbox, forged);
}

/// Puts a module's files in the place of those of greet v1.1.0.
pub fn put_folder(sandbox: &Sandbox, forged: &Module) {
    sandbox.remove(FOLDER);
    for (name, data) in &forged.files {
        let file = sandbox.cached(&format!("{FOLDER}/{name}"));
        std::fs::create_dir_all(file.parent().unwrap_or(&file)).expect("the cache is ours");
        std::fs::write(file, data).expect("the cache is ours");
    }
}
