//! A GOPROXY tree that grows by bundles, parts, deltas, lists and settings.

use std::fs;

use super::site::{GO_MOD, H0, H1, H2, H3, Upstream, latest_of};
use crate::support::go::only_modfetch;
use crate::support::require_go;

#[test]
fn bundle_import_into_tree_serves_old_and_new_consumers() {
    only_modfetch!();
    require_go!();
    let upstream = Upstream::at(H1);
    let (maker, first) = upstream.bundle(&[]);
    let tree = maker.project_dir().join("tree");
    let folder = tree.display().to_string();
    maker
        .run(["bundle", "import", "--into", &folder, &first])
        .ok();
    let url = format!("file://{folder}");
    // A consumer of the first state, which keeps its head.
    let early = upstream.machine().env("GOPROXY", &url);
    early.go(["mod", "download"]).ok();
    assert_eq!(
        fs::read_to_string(latest_of(&early)).unwrap(),
        upstream.log.head(H1)
    );
    // The next bundle has one more module, which was logged later.
    upstream.log.write(upstream.root(), H3);
    let later = upstream.machine().file(
        "go.mod",
        &GO_MOD.replace("example.com/a v1.0.0", "example.com/a v1.1.0"),
    );
    let latest = tree
        .join("sumdb/sums.example.com/latest")
        .display()
        .to_string();
    let second = later.project_dir().join("second.tar").display().to_string();
    later.run(["bundle", "create", "-o", &second]).ok();
    let refused = maker.run(["bundle", "import", "--into", &folder, &second]);
    refused
        .fails(11)
        .stderr_has("this machine has seen tree#66120")
        .stderr_has("--since COPY");
    later
        .run(["bundle", "create", "-o", &second, "--since", &latest])
        .ok();
    maker
        .run(["bundle", "import", "--into", &folder, &second])
        .ok();
    // One head for all, and every kind of consumer is content.
    assert_eq!(fs::read_to_string(&latest).unwrap(), upstream.log.head(H3));
    let fresh = upstream.machine().env("GOPROXY", &url);
    fresh.go(["mod", "download"]).ok();
    fresh.go(["mod", "download", "example.com/a@v1.1.0"]).ok();
    assert_eq!(
        fs::read_to_string(latest_of(&fresh)).unwrap(),
        upstream.log.head(H3)
    );
    early.go(["mod", "download", "example.com/a@v1.1.0"]).ok();
    let seen = upstream.closed_with_head(H1).env("GOPROXY", &url);
    seen.go(["mod", "download"]).ok();
    // v1.0.0 is retracted, which the newest go.mod says.
    let versions = early.go(["list", "-m", "-versions", "example.com/a"]);
    versions.ok().stdout("example.com/a v1.1.0 v1.3.0\n");
    // An older bundle again changes nothing of that.
    maker
        .run(["bundle", "import", "--into", &folder, &first])
        .ok();
    assert_eq!(fs::read_to_string(&latest).unwrap(), upstream.log.head(H3));
    let again = upstream.machine().env("GOPROXY", &url);
    again.go(["mod", "download"]).ok();
}

#[test]
fn bundle_create_split_parts_are_read_as_one() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (maker, _) = upstream.bundle(&[]);
    let line = ["bundle", "create", "-o", "p.tar", "--split", "1M"];
    maker.run(line).ok();
    maker
        .shell("cmp p.tar.001 site.tar && sha256sum -c p.tar.sha256")
        .ok();
    maker.run(["bundle", "verify", "p.tar"]).ok();
    // Cut by hand, as by split(1).
    maker
        .shell(
            "rm p.tar.*; head -c 20000 site.tar > p.tar.001; tail -c +20001 site.tar > p.tar.002",
        )
        .ok();
    maker.run(["bundle", "verify", "p.tar"]).ok();
    maker
        .run(["bundle", "create", "-o", "-", "--split", "1M"])
        .fails(2);
}

#[test]
fn bundle_create_have_leaves_out_what_the_other_side_has() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (maker, bundle) = upstream.bundle(&[]);
    let closed = upstream.closed();
    closed.run(["bundle", "import", &bundle]).ok();
    let maker = maker.file(
        "go.mod",
        &GO_MOD.replace("example.com/a v1.0.0", "example.com/a v1.1.0"),
    );
    upstream.log.write(upstream.root(), H3);
    maker
        .run(["bundle", "create", "-o", "delta.tar", "--have", "site.tar"])
        .ok();
    maker
        .run(["bundle", "list", "delta.tar"])
        .ok()
        .stdout("example.com/a@v1.1.0\n");
    maker
        .run(["bundle", "diff", "site.tar", "delta.tar"])
        .ok()
        .stdout(
            "- example.com/Upper/b@v1.0.0/go.mod\n- example.com/Upper/b@v1.2.0\n\
         - example.com/a@v1.0.0\n- example.com/a@v1.3.0/go.mod\n+ example.com/a@v1.1.0\n",
        );
    // A list does the same for the modules, and says nothing of a head.
    maker
        .shell(
            "modfetch bundle list site.tar > list && modfetch bundle create -o l.tar --have list",
        )
        .ok();
    maker
        .run(["bundle", "list", "l.tar"])
        .ok()
        .stdout("example.com/a@v1.1.0\n");
    closed
        .run([
            "bundle",
            "import",
            &maker.project_dir().join("l.tar").display().to_string(),
        ])
        .fails(11);
    let delta = maker.project_dir().join("delta.tar").display().to_string();
    closed.run(["bundle", "import", &delta]).ok();
    require_go!();
    closed.go(["mod", "download"]).ok();
    closed.go(["mod", "download", "example.com/a@v1.1.0"]).ok();
}

#[test]
fn bundle_env_makes_go_use_cache_and_tree() {
    only_modfetch!();
    require_go!();
    let upstream = Upstream::at(H2);
    let (_maker, bundle) = upstream.bundle(&[]);
    // Settings that would lead elsewhere, and a name that a shell has to be protected from.
    let closed = upstream
        .closed()
        .env("GOPRIVATE", "example.com")
        .env("GOPROXY", "https://proxy.invalid,direct")
        .env("GOFLAGS", "-mod=vendor")
        .env("GOWORK", "/nowhere/go.work");
    closed.run(["bundle", "import", &bundle]).ok();
    let build = "go mod download && go mod verify && go build -mod=mod -o x .";
    closed
        .shell(&format!(
            "eval \"$(modfetch bundle env {bundle})\"; {build}"
        ))
        .ok();
    let fresh = upstream.closed().env("GOPRIVATE", "example.com");
    let line = format!(
        "mkdir \"it's a $tree\" && tar -xf {bundle} -C \"it's a $tree\" && eval \"$(modfetch bundle env \"it's a $tree\")\"; {build}"
    );
    fresh.env("tree", "t").shell(&line).ok();
    let old = upstream.closed_with_head(H0);
    old.run(["bundle", "env", "/nowhere"]).fails(8);
}

#[test]
fn bundle_want_is_answered_by_create_for() {
    only_modfetch!();
    require_go!();
    let upstream = Upstream::at(H1);
    let (_maker, first) = upstream.bundle(&[]);
    let closed = upstream.closed();
    closed.run(["bundle", "import", &first]).ok();
    // A newer requirement, which the closed side cannot fetch, and a main module of its own name.
    let closed = closed.file(
        "go.mod",
        &GO_MOD
            .replace("example.com/a v1.0.0", "example.com/a v1.1.0")
            .replace("example.com/site", "secret.corp/site"),
    );
    let want = closed.run(["bundle", "want"]);
    want.ok()
        .demand(!want.stdout.contains("secret.corp"), "no name of the site");
    want.stdout_has("\"lacks\": [\n\"example.com/a@v1.1.0\"");
    upstream.log.write(upstream.root(), H3);
    let maker = upstream.machine().file("want.json", &want.stdout);
    maker
        .run(["bundle", "create", "-o", "answer.tar", "--for", "want.json"])
        .ok();
    let listed = maker.run(["bundle", "list", "answer.tar"]);
    listed.ok().stdout(
        "example.com/Upper/b@v1.2.0/go.mod\nexample.com/a@v1.1.0\nexample.com/a@v1.3.0/go.mod\n",
    );
    let answer = maker.project_dir().join("answer.tar").display().to_string();
    closed.run(["bundle", "import", &answer]).ok();
    closed.go(["mod", "download"]).ok();
    assert_eq!(
        fs::read_to_string(latest_of(&closed)).unwrap(),
        upstream.log.head(H3)
    );
    let left = fs::read_dir(maker.project_dir().parent().unwrap().join("tmp")).unwrap();
    assert_eq!(left.count(), 0, "files are left in TMPDIR");
}
