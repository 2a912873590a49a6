//! Whether the checksum database is asked: what the settings say, and whom they exempt.

use crate::integrity::sumdb::{database, sandbox, serve};
use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::sumdb::{NAME, SumDb};
use crate::support::{Proxy, Sandbox, require_go};

#[test]
fn download_invalid_gosumdb_fails_only_when_needed() {
    let database = database();
    let proxy = serve(&database);
    let bad = sandbox(&database, &proxy.url()).env("GOSUMDB", "nonsense");
    bad.run(["download"])
        .fails(3)
        .stderr_has("invalid GOSUMDB: malformed verifier id");
    Sandbox::with("hello", &proxy)
        .env("GOSUMDB", "nonsense")
        .run(["download"])
        .ok();
}

#[test]
fn download_sumdb_exemptions_match_go() {
    require_go!();
    let toolchain = Module::new(
        "golang.org/toolchain",
        "v0.0.1-go1.99.0.linux-amd64",
        vec![(
            "go.mod".to_owned(),
            b"module golang.org/toolchain\n".to_vec(),
        )],
    );
    let text = Module::new("example.com/text", "v1.2.0", Vec::new());
    let modules = [text, toolchain];
    let database = SumDb::of(&modules);
    // Variables beside GOSUMDB and GONOPROXY=none; which are proven: text, the toolchain.
    type Variables<'a> = &'a [(&'a str, &'a str)];
    let rows: [(Variables<'_>, [bool; 2]); 13] = [
        (&[], [true, true]),
        (&[("GONOSUMDB", "example.com/text")], [false, true]),
        (&[("GONOSUMDB", "example.com/*,golang.org")], [false, true]),
        (&[("GONOSUMDB", "*.com")], [false, true]),
        (&[("GONOSUMDB", "example.com/te")], [true, true]),
        (&[("GONOSUMDB", "*/*/*")], [true, true]),
        (&[("GOPRIVATE", "example.com")], [false, true]),
        (&[("GOPRIVATE", "*")], [false, true]),
        (
            &[("GOPRIVATE", "example.com"), ("GONOSUMDB", "none")],
            [true, true],
        ),
        (
            &[("GOPRIVATE", "example.com"), ("GONOSUMDB", "")],
            [false, true],
        ),
        (&[("GOINSECURE", "*")], [true, true]),
        (
            &[("GONOPROXY", "none"), ("GOINSECURE", "example.com")],
            [true, true],
        ),
        (&[("GOFLAGS", "-modcacherw")], [true, true]),
    ];
    for (variables, want) in rows {
        for (module, want) in modules.iter().zip(want) {
            let name = format!("{}@{}", module.path, module.version);
            let proven = |go: bool| {
                let proxy = Proxy::of_modules(modules.to_vec());
                database.serve_on(&proxy);
                let mut sandbox = Sandbox::new()
                    .proxy(&proxy)
                    .env("GOSUMDB", &database.gosumdb())
                    .env("GONOPROXY", "none");
                for (variable, value) in variables {
                    sandbox = sandbox.env(variable, value);
                }
                let run = match go {
                    true => sandbox.go(["mod", "download", &name]),
                    false => sandbox.run(["download", &name]),
                };
                run.ok();
                proxy.hits(&format!("sumdb/{NAME}/lookup/*")) == 1
            };
            assert_eq!(
                (proven(false), proven(true)),
                (want, want),
                "{variables:?} {name}"
            );
        }
    }
    // Without a database nothing vouches for a toolchain. go makes an exception of a single tree of
    // files, to test a build of itself; modfetch makes none.
    let name = format!("{}@{}", modules[1].path, modules[1].version);
    let proxy = Proxy::of_modules(modules.to_vec());
    let off = Sandbox::new().proxy(&proxy);
    let text = "checksum database disabled by GOSUMDB=off";
    off.run(["download", &name]).fails(5).stderr_has(text);
    off.go(["mod", "download", &name]).fails(1).stderr_has(text);
    let folder = tempfile::tempdir().unwrap();
    for suffix in ["info", "mod", "zip"] {
        let file = folder.path().join(modules[1].url(suffix));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let data = match suffix {
            "info" => modules[1].info.clone(),
            "mod" => modules[1].gomod.clone(),
            _ => modules[1].zip(),
        };
        std::fs::write(file, data).unwrap();
    }
    let tree = format!("file://{}", folder.path().display());
    let sandbox = || Sandbox::new().env("GOPROXY", &tree);
    let ours = sandbox().run(["download", &name]);
    if only_modfetch() {
        ours.fails(5).stderr_has(text);
    }
    sandbox().go(["mod", "download", &name]).ok();
}

#[test]
fn download_locked_never_contacts_checksum_database() {
    only_modfetch!();
    let database = database();
    let proxy = serve(&database);
    let sandbox = sandbox(&database, &proxy.url());
    sandbox
        .run(["download", "--locked"])
        .fails(3)
        .stderr_has("missing go.sum entry, disabled by --locked");
    assert_eq!(proxy.hits("sumdb/*"), 0);
}
