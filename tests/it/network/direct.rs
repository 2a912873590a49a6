//! Repositories over the network: credentials, servers that misbehave, how much is asked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::support::go::only_modfetch;
use crate::support::{Forge, Proxy, Sandbox};

const MODULE: &str = "
printf 'module v.test/m\\n\\ngo 1.20\\n' > go.mod; echo 'package m' > m.go; commit one
git tag v1.0.0; echo more >> m.go; commit two; git tag v1.1.0; echo end >> m.go; commit three
";

fn forge() -> Forge {
    let forge = Forge::start();
    forge.git("m", MODULE).import_git("m", &[]);
    forge
}

/// A sandbox in which no program is found but those of the system's shell.
fn without_git(forge: &Forge) -> Sandbox {
    forge.sandbox().env("PATH", "/nonexistent")
}

fn posts(log: &[String]) -> usize {
    log.iter().filter(|line| line.starts_with("POST ")).count()
}

#[test]
fn download_without_git_takes_the_builtin_client_and_the_token() {
    only_modfetch!();
    let forge = forge();
    // printf token:s3cret | base64
    forge.demand("Basic dG9rZW46czNjcmV0");
    let sandbox = without_git(&forge).env("MODFETCH_TOKEN_V_TEST", "token:s3cret");
    let run = sandbox.run(["download", "v.test/m@v1.0.0", "v.test/m@main"]);
    run.ok();
    assert!(sandbox.cached("v.test/m@v1.0.0/m.go").exists());
    let refused = without_git(&forge).run(["download", "v.test/m@v1.0.0"]);
    refused
        .fails(7)
        .stderr_has("401 Unauthorized")
        .stderr_has("MODFETCH_TOKEN_V_TEST");
    assert!(!refused.stderr.contains("s3cret"));
}

#[test]
fn download_by_the_program_hands_the_token_over() {
    only_modfetch!();
    let forge = forge();
    forge.demand("Bearer s3cret");
    let sandbox = forge.sandbox().env("MODFETCH_TOKEN_V_TEST", "s3cret");
    sandbox.run(["download", "v.test/m@v1.0.0"]).ok();
    let refused = forge
        .sandbox()
        .env("MODFETCH_TOKEN_V_TEST", "wrong")
        .run(["download", "v.test/m@v1.0.0"]);
    refused.fails(7);
    assert!(!refused.stderr.contains("wrong"), "{}", refused.stderr);
}

#[test]
fn download_of_an_ssh_repository_without_git_says_what_to_install() {
    only_modfetch!();
    let forge = Forge::start();
    forge.import("v.test/s", "v.test/s", "git", "ssh://git@v.test/s");
    let run = without_git(&forge).run(["download", "v.test/s@v1.0.0"]);
    run.fails(1)
        .stderr_has("exec: \"git\": executable file not found in $PATH")
        .stderr_has("install the package git");
}

#[test]
fn download_of_a_cut_pack_is_tried_again() {
    only_modfetch!();
    let forge = forge();
    for git in ["builtin", "program"] {
        forge.cut(60, 1);
        let sandbox = forge.sandbox().env("MODFETCH_GIT", git);
        sandbox.run(["download", "v.test/m@v1.0.0"]).ok();
        forge.cut(60, 100);
        let sandbox = forge
            .sandbox()
            .env("MODFETCH_GIT", git)
            .env("MODFETCH_RETRIES", "1");
        sandbox.run(["download", "v.test/m@v1.0.0"]).fails(6);
        // What is left is sound for the next run.
        forge.cut(0, 0);
        sandbox.run(["download", "v.test/m@v1.0.0"]).ok();
    }
}

#[test]
fn download_of_a_damaged_repository_is_a_security_error() {
    only_modfetch!();
    let forge = forge();
    let run = forge.sandbox().run(["download", "v.test/m@v1.0.0"]);
    run.ok();
    // An object of the clone is replaced by another.
    let sandbox = forge.sandbox().env("MODFETCH_GIT", "builtin");
    sandbox.run(["download", "v.test/m@v1.0.0"]).ok();
    let clones = fs::read_dir(sandbox.cached("cache/vcs")).unwrap();
    let mut damaged = 0;
    for clone in clones.flatten().filter(|entry| entry.path().is_dir()) {
        for file in fs::read_dir(clone.path().join("objects/pack"))
            .unwrap()
            .flatten()
        {
            if file.path().extension().is_some_and(|end| end == "pack") {
                let mut bytes = fs::read(file.path()).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x55;
                fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
                fs::write(file.path(), bytes).unwrap();
                damaged += 1;
            }
        }
    }
    assert!(damaged > 0);
    sandbox.remove("cache/download");
    sandbox.remove("v.test");
    let run = sandbox.run(["download", "v.test/m@v1.0.0"]);
    run.fails(8).stderr_has("to fetch the repository again");
}

#[test]
fn download_of_revisions_like_options_runs_nothing() {
    only_modfetch!();
    let forge = forge();
    for revision in ["--upload-pack=touch pwned", "-x", "--output=pwned"] {
        let sandbox = forge.sandbox();
        let run = sandbox.run(["download", &format!("v.test/m@{revision}")]);
        assert_ne!(run.code, Some(0), "{revision}");
        assert!(!sandbox.project_dir().join("pwned").exists());
    }
}

#[test]
fn download_does_not_run_what_the_users_git_settings_name() {
    only_modfetch!();
    let forge = Forge::start();
    let filtered = "printf 'module v.test/m\\n' > go.mod; echo text > a.lfs
        echo '*.lfs filter=up' > .gitattributes; commit one; git tag v1.0.0";
    forge.git("m", filtered).import_git("m", &[]);
    let plain = forge.sandbox();
    plain.run(["download", "v.test/m@v1.0.0"]).ok();
    let sandbox = forge.sandbox();
    let home = sandbox.project_dir().parent().unwrap().join("home");
    let marker = home.join("ran");
    let hook = home.join("hooks/reference-transaction");
    fs::create_dir(home.join("hooks")).unwrap();
    fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", marker.display())).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let config = format!(
        "[core]\n\thooksPath = {0}/hooks\n\tfsmonitor = touch {1}\n\tautocrlf = true\n\
         [filter \"up\"]\n\tsmudge = touch {1}; tr a-z A-Z\n[init]\n\ttemplateDir = {0}/hooks\n",
        home.display(),
        marker.display()
    );
    fs::write(home.join(".gitconfig"), config).unwrap();
    sandbox.run(["download", "v.test/m@v1.0.0"]).ok();
    assert!(!marker.exists(), "a program of the user's settings ran");
    let file = "v.test/m@v1.0.0/a.lfs";
    assert_eq!(
        fs::read(plain.cached(file)).unwrap(),
        fs::read(sandbox.cached(file)).unwrap()
    );
}

#[test]
fn download_asks_govcs_before_anything_runs() {
    only_modfetch!();
    let forge = forge();
    forge.take_log();
    let sandbox = forge.sandbox().env("GOVCS", "public:hg");
    let run = sandbox.run(["download", "v.test/m@v1.0.0"]);
    run.fails(1)
        .stderr_has("GOVCS disallows using git for public v.test/m; see 'go help vcs'");
    assert_eq!(forge.take_log(), ["GET v.test/m?go-get=1"]);
    assert!(!sandbox.cached("cache/vcs").exists());
}

#[test]
fn download_of_several_modules_fetches_their_repository_once() {
    only_modfetch!();
    let forge = Forge::start();
    let script = "for m in a b c d e; do mkdir $m; printf \"module v.test/mono/$m\\n\" > $m/go.mod
        echo \"package $m\" > $m/x.go; commit $m; git tag $m/v1.0.0; done";
    forge.git("mono", script);
    forge.import_git("mono", &["a", "b", "c", "d", "e"]);
    // While the list of refs is on its way, all of them come to want it.
    forge.delay(Duration::from_millis(30));
    for git in ["program", "builtin"] {
        let sandbox = forge.sandbox().env("MODFETCH_GIT", git);
        forge.take_log();
        let modules = ["a", "b", "c", "d", "e"].map(|name| format!("v.test/mono/{name}@v1.0.0"));
        let arguments = std::iter::once("download").chain(modules.iter().map(String::as_str));
        sandbox.run(arguments).ok();
        let log = forge.take_log();
        let asked = posts(&log);
        // One for the refs; one for the pack, and what git asks before it; of five modules one by one
        // it would be 11. How many come together is a matter of time on a busy machine.
        assert!(asked <= 8, "{asked} by {git}: {log:#?}");
        let pages = log.iter().filter(|line| line.contains("go-get=1")).count();
        assert_eq!(pages, 6, "{log:#?}");
    }
}

#[test]
fn download_of_an_old_commit_fetches_commits_and_not_all_files() {
    only_modfetch!();
    let forge = Forge::start();
    let script = "printf 'module v.test/big\\n' > go.mod
        for i in $(seq 1 30); do head -c 40000 /dev/urandom > f; commit $i; done; rm f; commit last";
    forge.git("big", script).import_git("big", &[]);
    let output = std::process::Command::new("git")
        .args(["rev-parse", "main~4"])
        .current_dir(forge.repository("big"))
        .output()
        .unwrap();
    let hash = String::from_utf8(output.stdout).unwrap();
    for git in ["program", "builtin"] {
        forge.take_sent();
        let sandbox = forge.sandbox().env("MODFETCH_GIT", git);
        sandbox
            .run(["download", &format!("v.test/big@{}", &hash[..12])])
            .ok();
        let sent = forge.take_sent();
        assert!(sent < 100_000, "{sent} bytes by {git}, of 1,200,000");
    }
}

#[test]
fn download_falls_back_to_direct_as_go_does() {
    only_modfetch!();
    let forge = forge();
    let proxy = Proxy::serve();
    let with = |list: String| {
        // The proxy is on this machine, which no HTTP proxy is asked for.
        forge.sandbox().env("GOPROXY", &list)
    };
    let url = proxy.url();
    with(format!("{url},direct"))
        .run(["download", "v.test/m@v1.0.0"])
        .ok();
    with("http://127.0.0.1:9|direct".to_owned())
        .env("MODFETCH_RETRIES", "0")
        .run(["download", "v.test/m@v1.0.0"])
        .ok();
    with("http://127.0.0.1:9,direct".to_owned())
        .env("MODFETCH_RETRIES", "0")
        .run(["download", "v.test/m@v1.0.0"])
        .fails(6);
    with(url)
        .env("GOPRIVATE", "v.test")
        .run(["download", "v.test/m@v1.0.0"])
        .ok();
}

#[test]
fn download_over_plain_http_needs_goinsecure() {
    only_modfetch!();
    let forge = Forge::start();
    forge.git("m", MODULE);
    forge.import("v.test/m", "v.test/m", "git", "http://v.test/git/m");
    let sandbox = forge.sandbox().env("SSL_CERT_FILE", "/dev/null");
    sandbox.run(["download", "v.test/m@v1.0.0"]).fails(6);
    for git in ["program", "builtin"] {
        let sandbox = forge
            .sandbox()
            .env("SSL_CERT_FILE", "/dev/null")
            .env("MODFETCH_GIT", git)
            .env("GOINSECURE", "v.test");
        sandbox.run(["download", "v.test/m@v1.0.0"]).ok();
    }
}

#[test]
fn download_of_a_path_with_git_in_it_needs_no_page() {
    only_modfetch!();
    let forge = Forge::start();
    let script = "printf 'module v.test/git/p.git/sub\\n' > go.mod; mkdir sub; mv go.mod sub
        echo 'package sub' > sub/x.go; commit one; git tag sub/v1.0.0";
    forge.git("p", script);
    for git in ["program", "builtin"] {
        forge.take_log();
        let sandbox = forge.sandbox().env("MODFETCH_GIT", git);
        sandbox
            .run(["download", "v.test/git/p.git/sub@v1.0.0"])
            .ok();
        let log = forge.take_log();
        assert!(
            !log.iter().any(|line| line.contains("go-get=1")),
            "{log:#?}"
        );
    }
}
