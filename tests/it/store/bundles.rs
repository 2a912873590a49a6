//! Bundles, checks and removal with a store in the place of a directory.

use modfetch::internals::store::Existing;

use super::engines::{self, objects, url, with_keys};
use crate::integrity::sumdb::database;
use crate::support::go::only_modfetch;
use crate::support::{Proxy, Sandbox};

const TEXT: &str = "require example.com/text v1.2.0";
const AT: &str = "example.com/text/@v/v1.2.0";

#[test]
fn bundle_a_store_takes_and_gives_what_a_directory_would() {
    only_modfetch!();
    engines::on_each(|address| {
        let database = database();
        let gosumdb = database.gosumdb();
        let proxy = Proxy::serve();
        database.serve_on(&proxy);
        let sandbox = |goproxy: &str| {
            let sandbox = Sandbox::new().go_mod(TEXT);
            with_keys(sandbox.env("GOPROXY", goproxy).env("GOSUMDB", &gosumdb))
        };
        let outside = sandbox(&proxy.url());
        outside.run(["bundle", "create", "-o", "site.tar"]).ok();
        let bundle = outside.project_dir().join("site.tar").display().to_string();
        let store_url = url(address);
        let store = objects(address);
        // Twice: what is there stays.
        for _ in 0..2 {
            let import = ["bundle", "import", "--into", &store_url, &bundle];
            sandbox("off").run(import).ok();
        }
        let list = store.get("example.com/text/@v/list", 100).unwrap().value;
        assert_eq!(list, b"v1.2.0\n");
        let name = gosumdb.split('+').next().unwrap();
        let head = store.get(&format!("sumdb/{name}/latest"), 4096);
        assert!(head.is_ok(), "the store has a head");
        proxy.stop();
        // Another machine takes all of it from there, the proofs too, and makes a bundle of it.
        let inside = sandbox("off");
        inside.run(["download", "--from-store", &store_url]).ok();
        inside.run(["verify"]).ok().stdout("all modules verified\n");
        let again = sandbox("off").go_sum(&inside.read("go.sum"));
        again
            .run([
                "bundle",
                "create",
                "-o",
                "again.tar",
                "--from-store",
                &store_url,
            ])
            .ok();
        let verify = ["verify", "--store", &store_url];
        let checker = sandbox("off").env("MODFETCH_FROM_STORE", &store_url);
        checker.run(verify).ok().stdout_has("all modules verified");
        // Something wrong is named, and removed only when that is asked for.
        let mut bad = store.get(&format!("{AT}.mod"), 4096).unwrap().value;
        bad.extend_from_slice(b"// more\n");
        store
            .put(&format!("{AT}.mod"), &bad, Existing::Replace)
            .unwrap();
        let checker = sandbox("off").env("MODFETCH_FROM_STORE", &store_url);
        checker
            .run(verify)
            .fails(5)
            .stderr_has("example.com/text@v1.2.0: ");
        assert!(store.head(&format!("{AT}.mod")).unwrap().is_some());
        let repair = [&verify[..], &["--repair"]].concat();
        checker.run(repair).fails(5);
        for end in ["mod", "info"] {
            assert_eq!(store.head(&format!("{AT}.{end}")).unwrap(), None, "{end}");
        }
        checker.run(verify).ok();
    });
}

#[test]
fn cache_prune_removes_versions_of_a_store_by_the_same_rules() {
    only_modfetch!();
    engines::on_each(|address| {
        let store = objects(address);
        for version in ["v1.0.0", "v1.1.0"] {
            for end in ["zip", "ziphash", "mod", "info"] {
                let name = format!("example.com/a/@v/{version}.{end}");
                store.put(&name, b"content", Existing::Replace).unwrap();
            }
        }
        let store_url = url(address);
        let sandbox = with_keys(Sandbox::new());
        let prune = |more: &[&str]| {
            let all = [&["cache", "prune", "--store", &store_url], more].concat();
            sandbox.run(all)
        };
        prune(&[]).fails(2).stderr_has("nothing says what may go");
        prune(&["example.com/..."])
            .ok()
            .stderr_has("2 versions stay because they were used within the time of --grace");
        let dry = prune(&["-n", "--grace", "0", "example.com/a@v1.0.0"]);
        dry.ok().stdout_has("example.com/a@v1.0.0");
        let there = |version: &str, end: &str| {
            let name = format!("example.com/a/@v/{version}.{end}");
            store.head(&name).unwrap().is_some()
        };
        assert!(there("v1.0.0", "zip"));
        prune(&["--grace", "0", "example.com/a@v1.0.0"]).ok();
        for end in ["zip", "ziphash", "mod", "info"] {
            assert!(!there("v1.0.0", end) && there("v1.1.0", end), "{end}");
        }
        let list = store.get("example.com/a/@v/list", 100).unwrap().value;
        assert_eq!(list, b"v1.1.0\n");
    });
}
