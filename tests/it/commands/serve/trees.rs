//! `serve`: trees of files that it fills, and those that it reads.

use super::{TEXT, client, site, upstream};
use crate::integrity::sumdb::database;
use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::served::Served;
use crate::support::{Proxy, Sandbox};

#[test]
fn serve_tree_is_a_goproxy_of_files_that_it_fills() {
    only_modfetch!();
    let database = database();
    let proxy = upstream(&database);
    let gosumdb = database.gosumdb();
    let site = site(&proxy.url(), &gosumdb);
    let tree = site.project_dir().join("tree");
    let named = tree.display().to_string();
    let server = Served::start(&site, &["--tree", &named]);
    client(&server, &gosumdb).run(["download"]).ok();
    server.stop().ok();
    assert!(tree.join("example.com/text/@v/v1.2.0.zip").is_file());
    // Without a server, as a tree of files.
    let url = format!("file://{named}");
    let files = Sandbox::new().go_mod(TEXT).env("GOPROXY", &url);
    files.run(["download"]).ok();
    let server = Served::start(&site, &["--tree", &named, "--offline"]);
    client(&server, &gosumdb).run(["download"]).ok();
    assert_eq!(server.get("/.modfetch/cache/lock").status, 404);
}

#[test]
fn serve_local_trees_come_first_and_are_listed() {
    only_modfetch!();
    let own = Module::new(
        "example.com/text",
        "v1.9.0",
        vec![("go.mod".to_owned(), b"module example.com/text\n".to_vec())],
    );
    let other = Proxy::of_modules(vec![own]);
    let filler = site(&other.url(), "off");
    let filled = Served::start(&filler, &[]);
    for file in ["info", "mod", "zip"] {
        assert_eq!(
            filled
                .get(&format!("/example.com/text/@v/v1.9.0.{file}"))
                .status,
            200
        );
    }
    filled.stop().ok();
    let proxy = Proxy::serve();
    let site = site(&proxy.url(), "off");
    let local = filler.cache().display().to_string();
    let server = Served::start(&site, &["--local", &local]);
    let list = server.get("/example.com/text/@v/list");
    assert_eq!(list.text(), "v1.0.0\nv1.1.0\nv1.2.0\nv1.3.0-rc.1\nv1.9.0\n");
    let latest = server.get("/example.com/text/@latest");
    assert!(
        latest.text().contains("\"Version\":\"v1.9.0\""),
        "{}",
        latest.text()
    );
    assert_eq!(server.get("/example.com/text/@v/v1.9.0.zip").status, 200);
    assert_eq!(proxy.hits("example.com/text/@v/v1.9.0.zip"), 0);
}
