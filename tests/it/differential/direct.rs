//! Modules from their repositories: the same files, sums and texts as go, by the program git and
//! by the built-in client.

use crate::commands::json::without_extra;
use crate::support::forge::has_program;
use crate::support::go::{only_modfetch, require_go, variable};
use crate::support::tree::Picture;
use crate::support::{Forge, Sandbox};

/// Tags of every kind, modules in folders, branches, retractions, files that do not belong.
const MODULES: &str = "
printf 'module v.test/m\\n\\ngo 1.20\\n' > go.mod; echo 'package m' > m.go; echo text > LICENSE
ln -s m.go link.go; mkdir -p sub vendor/a.com/x; echo 'package x' > vendor/a.com/x/x.go
printf 'module v.test/m/sub\\n' > sub/go.mod; echo 'package sub' > sub/s.go
echo '$Format:%H$' > f.txt; echo 'f.txt export-subst export-ignore' > .gitattributes
commit one; git tag v1.0.0; git tag -a -m x v1.0.1; git tag sub/v0.1.0
echo '// two' >> m.go; mkdir -p sub/v2; printf 'module v.test/m/sub/v2\\n' > sub/v2/go.mod
echo 'package v2' > sub/v2/x.go
commit two; git tag v1.1.0; git tag sub/v2.0.0; git tag v1.2.0-pre; git tag release-1; git tag v1
echo x > x.txt; commit three
printf 'module v.test/m\\n\\ngo 1.20\\n\\nretract v1.1.0\\n' > go.mod; commit four; git tag v1.3.0
git tag v1.4.0+meta; git tag v1.9.0-0.20200201220403-aa1844350c27
echo y > y.txt; commit five
git checkout -q -b dev v1.0.0; echo z > z.txt; commit six
git branch feature/x; git branch v1.8.0; git checkout -q main
";

/// From before modules.
const OLD: &str = "
echo 'package old' > o.go; commit a; git tag v1.0.0; commit b; git tag v2.0.0; commit c
git tag v3.1.0; printf 'module v.test/old/v4\\n' > go.mod; commit d; git tag v4.0.0
";

/// Attributes that change content.
const ATTRIBUTES: &str = "
printf 'module v.test/attr\\n' > go.mod
printf '*.crlf eol=crlf\\n*.id ident\\n*.u16 working-tree-encoding=UTF-16LE-BOM\\n*.lfs filter=lfs\\n' > .gitattributes
printf '*.bin binary\\n*.auto text=auto eol=crlf\\n' >> .gitattributes
mkdir sub; printf '*.crlf -text\\n' > sub/.gitattributes
printf 'a\\nb\\n' > a.crlf; printf 'a\\nb\\n' > sub/a.crlf; echo '$Id$' > b.id
printf '\\377\\376a\\000\\n\\000' > e.u16; printf 'a\\0\\n' > f.auto; printf 'a\\n' > g.auto
printf 'version x\\n' > h.lfs; git config filter.lfs.required false
commit a; git tag v1.0.0
";

fn forge() -> Forge {
    let forge = Forge::start();
    forge
        .git("m", MODULES)
        .import_git("m", &["sub", "sub/v2", "none"]);
    forge.git("old", OLD).import_git("old", &["v4"]);
    forge.git("attr", ATTRIBUTES).import_git("attr", &[]);
    let sha256 = "printf 'module v.test/s256\\n' > go.mod; commit a; git tag v1.0.0; commit b";
    forge
        .git_with("s256", "--object-format=sha256", sha256)
        .import_git("s256", &[]);
    forge.git("empty", "").import_git("empty", &[]);
    forge.import(
        "v.test/folder",
        "v.test/folder",
        "git",
        "https://v.test/git/m sub",
    );
    forge.import_git("missing", &[]);
    forge
}

/// What both say and keep, with the path of their caches cut out.
fn said(sandbox: &Sandbox, stdout: &str) -> String {
    let cache = sandbox.cache().display().to_string();
    without_extra(stdout).replace(&cache, "CACHE")
}

/// The cache without repositories, and without bytes of zips, which differ by release.
fn kept(sandbox: &Sandbox) -> Picture {
    sandbox
        .picture()
        .without(|path| path.contains("cache/vcs") || path.ends_with(".zip"))
}

#[track_caller]
fn compare(forge: &Forge, git: &str, asked: &str) {
    let ours = forge.sandbox().env("MODFETCH_GIT", git);
    let gos = forge.sandbox();
    let run = ours.run(["download", "-json", asked]);
    let beside = gos.go(["mod", "download", "-json", asked]);
    let (mine, theirs) = (said(&ours, &run.stdout), said(&gos, &beside.stdout));
    assert_eq!(
        run.code == Some(0),
        beside.code == Some(0),
        "{asked}: {mine}\n{}\n{theirs}",
        run.stderr
    );
    assert_eq!(mine, theirs, "{asked} by {git}");
    if beside.code == Some(0) {
        kept(&ours).assert_same(&kept(&gos), asked);
    }
}

fn compare_all(git: &str) {
    require_go!();
    only_modfetch!();
    let forge = forge();
    for asked in [
        "v.test/m@v1.0.0",
        "v.test/m@v1.0.1",
        "v.test/m@v1.2.0-pre",
        "v.test/m@main",
        "v.test/m@dev",
        "v.test/m@HEAD",
        "v.test/m@release-1",
        "v.test/m@v1.4.0+meta",
        "v.test/m@v1.9.9",
        "v.test/m@v2.0.0",
        "v.test/m@latest",
        "v.test/m@v1",
        "v.test/m@<v1.1.0",
        "v.test/m/sub@latest",
        "v.test/old@v2.0.0",
        "v.test/old@latest",
        "v.test/m@v1.8.0",
        "v.test/m@nothing",
        "v.test/m@abcdef0",
        "v.test/m/sub@v0.1.0",
        "v.test/m/sub@main",
        "v.test/m/sub/v2@v2.0.0",
        "v.test/m/sub/v2@main",
        "v.test/m/none@main",
        "v.test/old@v1.0.0",
        "v.test/old@v3.1.0+incompatible",
        "v.test/old@v1.0.0+incompatible",
        "v.test/old/v4@v4.0.0",
        "v.test/old@main",
        "v.test/attr@v1.0.0",
        "v.test/s256@v1.0.0",
        "v.test/s256@main",
        "v.test/empty@main",
        "v.test/folder@v0.1.0",
        "v.test/nopage@v1.0.0",
    ] {
        compare(&forge, git, asked);
    }
    // A commit that no branch or tag names, by its hash, and what it may be called.
    let hash = |name: &str| {
        let output = std::process::Command::new("git")
            .args(["rev-parse", name])
            .current_dir(forge.repository("m"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let three = hash("v1.3.0^");
    for asked in [&three[..], &three[..8], &hash("main"), &hash("dev")[..12]] {
        compare(&forge, git, &format!("v.test/m@{asked}"));
    }
    let short = &three[..12];
    for version in [
        format!("v1.2.0-pre.0.20200126005323-{short}"),
        format!("v1.1.1-0.20200126005323-{short}"),
        format!("v0.0.0-20200126005323-{short}"),
        format!("v1.0.0-20200126005323-{short}"),
        format!("v1.2.0-pre.0.20200126005324-{short}"),
        format!("v1.2.0-pre.0.20200126005323-{}", &three[..11]),
        format!("v1.2.0-pre.0.20200126005323-{}", &three[..13]),
        format!("v1.5.1-0.20200126005323-{short}"),
        format!("v1.3.1-0.20200126005323-{short}"),
        format!("v1.0.0-0.20200126005323-{short}"),
    ] {
        compare(&forge, git, &format!("v.test/m@{version}"));
    }
}

#[test]
fn download_of_repositories_by_the_program_is_as_by_go() {
    compare_all("program");
}

#[test]
fn download_of_repositories_by_the_builtin_client_is_as_by_go() {
    compare_all("builtin");
}

#[test]
fn list_of_versions_and_queries_are_as_by_go() {
    require_go!();
    only_modfetch!();
    let forge = forge();
    for git in ["program", "builtin"] {
        for arguments in [
            &["-versions", "v.test/m"][..],
            &["-versions", "v.test/m/sub"],
            &["-versions", "v.test/m/sub/v2"],
            &["-versions", "v.test/old"],
            &["-versions", "-retracted", "v.test/m"],
            &["v.test/m@latest"],
            &["v.test/m@v1"],
            &["v.test/m@<v1.1.0"],
            &["v.test/m/sub@latest"],
            &["v.test/m@main"],
            &["v.test/old@latest"],
            &["-versions", "v.test/empty"],
            &["v.test/s256@latest"],
        ] {
            let mut all = vec!["list", "-m"];
            all.extend(arguments);
            let ours = forge.sandbox().env("MODFETCH_GIT", git);
            let gos = forge.sandbox();
            let (run, beside) = (ours.run(all.clone()), gos.go(all));
            assert_eq!(
                run.stdout, beside.stdout,
                "{arguments:?} by {git}: {}",
                run.stderr
            );
            assert_eq!(run.code == Some(0), beside.code == Some(0), "{arguments:?}");
        }
    }
}

/// A server of another system that ends with the test.
struct Served(std::process::Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that is free now.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Makes something with a script in a folder, and serves it.
fn serve(dir: &std::path::Path, script: &str, server: &[&str], port: u16) -> Served {
    let shell = std::process::Command::new("sh")
        .args(["-euc", script])
        .current_dir(dir)
        .env("HOME", dir)
        .env("USER", "a")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&shell.stderr);
    assert!(shell.status.success(), "{said}");
    let child = std::process::Command::new(server[0])
        .args(&server[1..])
        .current_dir(dir)
        .env("HOME", dir)
        .env("USER", "a")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let served = Served(child);
    crate::support::until("the server", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    served
}

/// As [`compare`], with servers on this machine.
#[track_caller]
fn compare_other(forge: &Forge, asked: &str) {
    let with = |sandbox: Sandbox| {
        sandbox
            .env("GOVCS", "*:all")
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1")
            // Fossil knows no exceptions from a proxy.
            .env("http_proxy", "")
            .env("USER", "a")
    };
    let (ours, gos) = (with(forge.sandbox()), with(forge.sandbox()));
    let run = ours.run(["download", "-json", asked]);
    let beside = gos.go(["mod", "download", "-json", asked]);
    let (mine, theirs) = (said(&ours, &run.stdout), said(&gos, &beside.stdout));
    assert_eq!(
        run.code == Some(0),
        beside.code == Some(0),
        "{asked}: {mine}\n{theirs}"
    );
    if beside.code == Some(0) {
        assert_eq!(mine, theirs, "{asked}");
        kept(&ours).assert_same(&kept(&gos), asked);
    }
}

#[test]
fn download_of_a_mercurial_repository_is_as_by_go() {
    require_go!();
    only_modfetch!();
    if !has_program("hg") {
        return;
    }
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let script = "hg init r; cd r; printf 'module v.test/hg\n' > go.mod; echo 'package hg' > h.go
        mkdir sub; printf 'module v.test/hg/sub\n' > sub/go.mod; echo 'package sub' > sub/s.go
        hg add -q; hg commit -q -m one -d '1580000000 0' -u a; hg tag v1.0.0 -d '1580000001 0' -u a
        hg tag sub/v0.1.0 -r 0 -d '1580000002 0' -u a; echo x > x.txt; hg add -q
        hg commit -q -m two -d '1580000003 0' -u a";
    let number = port.to_string();
    let server = ["hg", "serve", "-R", "r", "-a", "127.0.0.1", "-p", &number];
    let _served = serve(dir.path(), script, &server, port);
    let forge = Forge::start();
    let url = format!("http://127.0.0.1:{port}/");
    for path in ["v.test/hg", "v.test/hg/sub"] {
        forge.import(path, "v.test/hg", "hg", &url);
    }
    for asked in [
        "v.test/hg@v1.0.0",
        "v.test/hg@latest",
        "v.test/hg@default",
        "v.test/hg@tip",
        "v.test/hg@v9.0.0",
        "v.test/hg/sub@v0.1.0",
        "v.test/hg/sub@default",
    ] {
        compare_other(&forge, asked);
    }
}

#[test]
fn download_of_a_subversion_repository_is_as_by_go() {
    require_go!();
    only_modfetch!();
    if !has_program("svnserve") || !has_program("svn") {
        return;
    }
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let script = "svnadmin create r; svn mkdir -q -m d file://$PWD/r/trunk
        svn co -q file://$PWD/r/trunk w; cd w; printf 'module v.test/svn\n' > go.mod
        mkdir d; echo 'package d' > d/d.go; svn add -q go.mod d; svn ci -q -m x";
    let number = port.to_string();
    let root = dir.path().join("r").display().to_string();
    let server = [
        "svnserve",
        "-d",
        "--foreground",
        "-r",
        &root,
        "--listen-host",
        "127.0.0.1",
        "--listen-port",
        &number,
    ];
    let _served = serve(dir.path(), script, &server, port);
    let forge = Forge::start();
    let url = format!("svn://127.0.0.1:{port}/trunk");
    forge.import("v.test/svn", "v.test/svn", "svn", &url);
    for asked in ["v.test/svn@latest", "v.test/svn@2", "v.test/svn@v1.0.0"] {
        compare_other(&forge, asked);
    }
}

/// With SHA-1: of the 64 digits that a new repository has by default go says `unexpected response from
/// fossil info`.
#[test]
fn download_of_a_fossil_repository_is_as_by_go() {
    require_go!();
    only_modfetch!();
    if !has_program("fossil") {
        return;
    }
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let script = "fossil init --sha1 -A a --date-override '2020-01-01 00:00:00' r.fossil >/dev/null
        mkdir w; cd w; fossil open ../r.fossil >/dev/null; printf 'module v.test/fsl\n' > go.mod
        echo 'package fsl' > f.go; fossil add go.mod f.go >/dev/null
        fossil commit -m one --no-warnings --user-override a --date-override '2020-01-02 00:00:00'
        fossil tag add v1.0.0 tip; echo more >> f.go
        fossil commit -m two --no-warnings --user-override a --date-override '2020-01-03 00:00:00'";
    let number = port.to_string();
    let server = [
        "fossil",
        "server",
        "r.fossil",
        "--port",
        &number,
        "--localhost",
    ];
    let _served = serve(dir.path(), script, &server, port);
    let forge = Forge::start();
    let url = format!("http://127.0.0.1:{port}/");
    forge.import("v.test/fsl", "v.test/fsl", "fossil", &url);
    for asked in [
        "v.test/fsl@trunk",
        "v.test/fsl@latest",
        "v.test/fsl@v1.0.0",
        "v.test/fsl@v9.0.0",
    ] {
        compare_other(&forge, asked);
    }
}

#[test]
fn download_beside_go_on_one_cache_shares_clones() {
    require_go!();
    only_modfetch!();
    let forge = forge();
    let versions = ["v1.0.0", "v1.1.0", "main", "dev", "v1.3.0", "latest"];
    let rounds = variable("MODFETCH_TEST_ROUNDS").and_then(|rounds| rounds.parse().ok());
    for round in 0..rounds.unwrap_or(3) {
        let sandbox = forge.sandbox();
        let asked = |offset: usize| format!("v.test/m@{}", versions[(round + offset) % 6]);
        let ours = sandbox.spawn(["download", &asked(0), &asked(1)]);
        let gos = sandbox.spawn_go(["mod", "download", &asked(2), &asked(3)]);
        let builtin = sandbox.spawn(["download", "--git", "builtin", &asked(4), &asked(5)]);
        for run in [ours.wait(), gos.wait(), builtin.wait()] {
            run.ok();
        }
        // What one has left, the other goes on with.
        sandbox.remove("cache/download");
        sandbox.remove("v.test");
        sandbox.go(["mod", "download", &asked(0), &asked(5)]).ok();
        sandbox.remove("cache/download");
        sandbox.remove("v.test");
        sandbox.run(["download", &asked(2), &asked(4)]).ok();
    }
}
