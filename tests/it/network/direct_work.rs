//! What work on repositories costs and how it ends: programs, packs, bytes; signals, kills, leftovers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::support::go::{only_modfetch, require_go, variable};
use crate::support::{Forge, Proxy, Sandbox, until};

const MODULE: &str = "
printf 'module v.test/m\\n\\ngo 1.20\\n' > go.mod; echo 'package m' > m.go; commit one
git tag v1.0.0; head -c 300000 /dev/urandom > r.bin; commit two; git tag v1.1.0
";

fn forge() -> Forge {
    let forge = Forge::start();
    forge.git("m", MODULE).import_git("m", &[]);
    forge
}

/// Puts a script in the place of git, which has the true one in `$GIT`.
fn with_git(sandbox: Sandbox, script: &str) -> Sandbox {
    let path = variable("PATH").unwrap_or_default();
    let git = std::env::split_paths(&path).map(|dir| dir.join("git"));
    let git = git.into_iter().find(|file| file.is_file()).unwrap();
    let bin = sandbox.project_dir().parent().unwrap().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let text = format!("#!/bin/sh\nGIT={}\n{script}\n", git.display());
    fs::write(bin.join("git"), text).unwrap();
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.env("PATH", &format!("{}:{path}", bin.display()))
}

fn lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn download_of_a_tag_starts_git_once() {
    only_modfetch!();
    let forge = forge();
    let log = tempfile::NamedTempFile::new().unwrap();
    let script = format!(
        "echo \"$*\" >> {}; exec \"$GIT\" \"$@\"",
        log.path().display()
    );
    let sandbox = with_git(forge.sandbox(), &script);
    sandbox.run(["download", "v.test/m@v1.0.0"]).ok();
    let starts = lines(log.path());
    assert_eq!(starts.len(), 1, "{starts:#?}");
    // From the clone: the tag is there.
    fs::write(log.path(), "").unwrap();
    sandbox.remove("cache/download");
    sandbox.remove("v.test");
    sandbox.run(["download", "v.test/m@v1.0.0"]).ok();
    let starts = lines(log.path());
    assert!(starts.len() <= 1, "{starts:#?}");
}

#[test]
fn download_x_shows_programs_as_go_does() {
    only_modfetch!();
    let forge = forge();
    let sandbox = forge.sandbox().env("MODFETCH_GIT", "program");
    let run = sandbox.run(["download", "-x", "v.test/m@main"]);
    let url = "https://v.test/git/m";
    run.ok()
        .stderr_has(&format!("git ls-remote -q --end-of-options {url}\n"))
        .stderr_has(&format!("s # git ls-remote -q --end-of-options {url}\n"))
        .stderr_has("/cache/vcs/")
        .stderr_has("; git fetch -q -f --depth=1");
}

#[test]
fn download_of_forty_modules_fetches_them_together() {
    only_modfetch!();
    let forge = Forge::start();
    let mut modules = Vec::new();
    for repository in 0..8 {
        let name = format!("r{repository}");
        let script = format!(
            "for m in a b c d e; do mkdir $m; printf \"module v.test/{name}/$m\\n\" > $m/go.mod
             echo \"package $m\" > $m/x.go; done; commit all
             for m in a b c d e; do git tag $m/v1.0.0; done"
        );
        let below = ["a", "b", "c", "d", "e"];
        forge.git(&name, &script).import_git(&name, &below);
        modules.extend(below.map(|module| format!("v.test/{name}/{module}@v1.0.0")));
    }
    for git in ["program", "builtin"] {
        forge.take_packs();
        let sandbox = forge.sandbox().env("MODFETCH_GIT", git);
        let arguments = std::iter::once("download").chain(modules.iter().map(String::as_str));
        sandbox.run(arguments).ok();
        let packs = forge.take_packs();
        // Eight, unless a busy machine lets some modules come too late to be fetched with the others.
        assert!((8..=20).contains(&packs.len()), "by {git}: {packs:?}");
    }
}

#[test]
fn download_of_an_old_commit_takes_a_twentieth_of_the_bytes_of_go() {
    require_go!();
    only_modfetch!();
    let forge = Forge::start();
    let script = "printf 'module v.test/big\\n' > go.mod
        for i in $(seq 1 60); do head -c 60000 /dev/urandom > f; commit $i; done; rm f; commit a; commit b; commit c";
    forge.git("big", script).import_git("big", &[]);
    let output = std::process::Command::new("git")
        .args(["rev-parse", "main~1"])
        .current_dir(forge.repository("big"))
        .output()
        .unwrap();
    let hash = String::from_utf8(output.stdout).unwrap();
    let asked = format!("v.test/big@{}", &hash[..12]);
    forge.take_sent();
    forge.sandbox().go(["mod", "download", &asked]).ok();
    let by_go = forge.take_sent();
    for git in ["program", "builtin"] {
        let sandbox = forge.sandbox().env("MODFETCH_GIT", git);
        sandbox.run(["download", &asked]).ok();
        let sent = forge.take_sent();
        assert!(sent * 20 <= by_go, "{sent} bytes by {git}, {by_go} by go");
    }
}

#[test]
fn download_killed_in_a_fetch_leaves_a_clone_for_the_next_run_and_for_go() {
    require_go!();
    only_modfetch!();
    for git in ["program", "builtin"] {
        for signal in [Signal::SIGKILL, Signal::SIGTERM] {
            let forge = forge();
            let sandbox = forge.sandbox().env("MODFETCH_GIT", git);
            sandbox.run(["download", "v.test/m@v1.0.0"]).ok();
            forge.stall(20_000);
            let running = sandbox.spawn(["download", "v.test/m@v1.1.0"]);
            forge.until_stalled();
            running.signal(signal);
            let killed = running.wait();
            killed.demand(killed.code != Some(0), "it was killed");
            // A git that has lost its starter ends with its connection.
            forge.go_on();
            sandbox.run(["download", "v.test/m@v1.1.0"]).ok();
            sandbox.remove("cache/download");
            sandbox.remove("v.test");
            sandbox.go(["mod", "download", "v.test/m@v1.1.0"]).ok();
            sandbox.go(["mod", "download", "v.test/m@main"]).ok();
        }
    }
}

#[test]
fn download_removes_what_a_killed_git_has_left() {
    only_modfetch!();
    let forge = forge();
    let sandbox = forge.sandbox().env("MODFETCH_GIT", "program");
    sandbox.run(["download", "v.test/m@v1.0.0"]).ok();
    let clones = fs::read_dir(sandbox.cached("cache/vcs")).unwrap().flatten();
    let clone = clones
        .map(|entry| entry.path())
        .find(|path| path.is_dir())
        .unwrap();
    let left = [
        "shallow.lock",
        "refs/tags/v1.1.0.lock",
        "objects/pack/tmp_pack_abc",
    ];
    left.iter()
        .for_each(|name| fs::write(clone.join(name), "x").unwrap());
    sandbox.run(["download", "v.test/m@v1.1.0"]).ok();
    let still: Vec<&&str> = left
        .iter()
        .filter(|name| clone.join(name).exists())
        .collect();
    assert_eq!(still, [&""; 0], "in {}", clone.display());
}

#[test]
fn download_ended_by_a_signal_ends_its_git() {
    only_modfetch!();
    let forge = forge();
    let here = tempfile::tempdir().unwrap();
    let pid = here.path().join("pid");
    let script = format!(
        "case \"$*\" in *' fetch '*) echo $$ > {0}.new; mv {0}.new {0}; exec sleep 600;; esac
         exec \"$GIT\" \"$@\"",
        pid.display()
    );
    let sandbox = with_git(forge.sandbox(), &script);
    let running = sandbox.spawn(["download", "v.test/m@v1.0.0"]);
    until("a fetch", || pid.exists());
    running.signal(Signal::SIGINT);
    running.wait().fails(130);
    let process = format!("/proc/{}/cmdline", lines(&pid)[0]);
    // An orphan that has ended has an empty command line until it is waited for.
    let runs = || fs::read_to_string(&process).is_ok_and(|text| text.contains("sleep"));
    until("the end of git", || !runs());
}

#[test]
fn doctor_asks_the_repositories_of_private_modules() {
    only_modfetch!();
    let forge = forge();
    forge.demand("Bearer s3cret");
    let proxy = Proxy::serve();
    let project = |token: &str| {
        forge
            .sandbox()
            .go_mod("require v.test/m v1.0.0")
            .env("GOPROXY", &format!("{},direct", proxy.url()))
            .env("GOPRIVATE", "v.test")
            .env("GOSUMDB", "off")
            .env("MODFETCH_TOKEN_V_TEST", token)
    };
    for git in ["program", "builtin"] {
        let sandbox = project("s3cret").env("MODFETCH_GIT", git);
        let run = sandbox.run(["doctor"]);
        run.ok()
            .stdout_has("git https://v.test/git/m")
            .stdout_has("1 branches, 2 tags");
        assert!(!sandbox.cached("cache/vcs").exists(), "nothing is written");
        let run = project("wr0ng").env("MODFETCH_GIT", git).run(["doctor"]);
        run.fails(10);
        assert!(!run.stdout.contains("wr0ng"), "{}", run.stdout);
    }
}

#[test]
fn plan_names_the_repository() {
    only_modfetch!();
    let forge = forge();
    let sandbox = forge.sandbox().go_mod("require v.test/m v1.0.0");
    sandbox
        .run(["plan"])
        .ok()
        .stdout_has("git https://v.test/git/m");
    sandbox
        .run(["plan", "-json"])
        .ok()
        .stdout_has("\"Repository\": \"git https://v.test/git/m\"");
}

/// The recipe of README for an image without git, line by line.
#[test]
fn readme_recipe_for_an_image_without_git_fetches_a_private_module() {
    only_modfetch!();
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let blocks = readme.split("```dockerfile\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("```").next());
    let recipe = blocks.find(|block| block.contains("MODFETCH_TOKEN_GIT_EXAMPLE_COM"));
    let recipe = recipe.expect("README has a recipe with a token");
    let forge = Forge::start();
    let script = "printf 'module git.example.com/team/lib\\n\\ngo 1.20\\n' > go.mod
        echo 'package lib' > lib.go; commit one; git tag v1.0.0";
    forge.git("lib", script);
    let path = "git.example.com/team/lib";
    forge.import(path, path, "git", "https://git.example.com/git/lib");
    // printf user:s3cret | base64
    forge.demand("Basic dXNlcjpzM2NyZXQ=");
    let line = |start: &str| {
        let found = recipe.lines().find_map(|line| line.strip_prefix(start));
        found
            .unwrap_or_else(|| panic!("no {start} in {recipe}"))
            .to_owned()
    };
    let sums = {
        let writer = forge.sandbox().go_mod(&format!("require {path} v1.0.0"));
        let writer = writer
            .env("PATH", "/nonexistent")
            .env("MODFETCH_TOKEN_GIT_EXAMPLE_COM", "user:s3cret");
        writer.run(["download", &format!("{path}@v1.0.0")]).ok();
        writer.read("go.sum")
    };
    let mut sandbox = forge
        .sandbox()
        .go_mod(&format!("require {path} v1.0.0"))
        .go_sum(&sums)
        .env("PATH", "/nonexistent")
        .env("GOPROXY", "http://127.0.0.1:9")
        .env("GONOSUMDB", "");
    for pair in line("ENV ").split_whitespace() {
        let (name, value) = pair.split_once('=').unwrap();
        // The cache is that of the sandbox.
        if name != "GOMODCACHE" {
            sandbox = sandbox.env(name, value);
        }
    }
    let run = line("RUN ");
    assert!(run.contains("env=MODFETCH_TOKEN_GIT_EXAMPLE_COM"), "{run}");
    let words = run
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    let words: Vec<&str> = words
        .unwrap()
        .0
        .split(',')
        .map(|word| word.trim().trim_matches('"'))
        .collect();
    assert_eq!(words[0], "/modfetch", "{run}");
    let refused = sandbox.run(words[1..].iter().copied());
    refused.fails(7);
    let sandbox = sandbox.env("MODFETCH_TOKEN_GIT_EXAMPLE_COM", "user:s3cret");
    sandbox.run(words[1..].iter().copied()).ok();
    assert!(sandbox.cached(&format!("{path}@v1.0.0/lib.go")).exists());
}
