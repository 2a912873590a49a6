//! What a failed download leaves: what has come, and no directory in which there is nothing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::go::only_modfetch;
use crate::support::many_modules::ManyModules;
use crate::support::{Proxy, Sandbox, Times, require_go};

/// What go.mod requires, and requires more.
const PROJECT: &str = "module example.org/project\n\ngo 1.21\n\nrequire example.com/m000 v1.0.0\n";

/// What is not served, or wrong, and the arguments of a download that meets it.
fn failures() -> Vec<(&'static str, u16, &'static [&'static str])> {
    let alone: &[_] = &["download", "example.com/m000@v1.0.0"];
    let project: &[_] = &["download"];
    ["info", "mod", "zip", "*"]
        .into_iter()
        .flat_map(|file| [(file, 404, alone), (file, 404, project), (file, 500, alone)])
        .collect()
}

fn failing(many: &ManyModules, file: &str, status: u16) -> Proxy {
    let pattern = format!("example.com/m000/@v/v1.0.0.{file}");
    Proxy::of_modules(many.modules.clone()).failing(&pattern, status, Times::ALWAYS)
}

/// Directories without a file that is not a lock, below those that every cache has.
fn idle(sandbox: &Sandbox) -> Vec<PathBuf> {
    let mut found = Vec::new();
    look(sandbox.cache(), &mut found);
    found.retain(|dir| !dir.ends_with("cache") && !dir.ends_with("cache/download"));
    found.retain(|dir| dir != sandbox.cache());
    found
}

/// True if there is a file other than a lock below `dir`.
fn look(dir: &Path, found: &mut Vec<PathBuf>) -> bool {
    let mut used = false;
    for file in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = file.path();
        used |= match path.is_dir() {
            true => look(&path, found),
            false => path.extension().is_none_or(|end| end != "lock"),
        };
    }
    if !used {
        found.push(dir.to_owned());
    }
    used
}

#[test]
fn download_failed_leaves_no_directory_without_files() {
    only_modfetch!();
    for (file, status, arguments) in failures() {
        let many = ManyModules::new(1, 1000);
        let proxy = failing(&many, file, status);
        let sandbox = many.sandbox().go_mod(PROJECT).go_sum("").proxy(&proxy);
        let line = arguments.iter().copied().chain(["--retries", "0"]);
        let run = sandbox.run(line);
        run.demand(run.code != Some(0), "it cannot work");
        let left = idle(&sandbox);
        run.demand(left.is_empty(), &format!("{file} {status}: {left:?}"));
    }
}

#[test]
fn download_zip_hash_mismatch_leaves_no_directory_without_files() {
    only_modfetch!();
    let many = ManyModules::new(1, 1000);
    let proxy = Proxy::of_modules(many.modules.clone());
    let sum = "example.com/m000 v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let sandbox = many.sandbox().go_sum(sum).proxy(&proxy);
    sandbox.run(["download"]).fails(5);
    assert_eq!(idle(&sandbox), Vec::<PathBuf>::new());
}

#[test]
fn go_mod_download_failed_leaves_no_directory_without_files() {
    require_go!();
    for (file, status, arguments) in failures() {
        let many = ManyModules::new(1, 1000);
        let proxy = failing(&many, file, status);
        let sandbox = many.sandbox().go_mod(PROJECT).go_sum("").proxy(&proxy);
        let line = ["mod"].into_iter().chain(arguments.iter().copied());
        let run = sandbox.go(line);
        let left = idle(&sandbox);
        run.demand(left.is_empty(), &format!("{file} {status}: {left:?}"));
    }
}
