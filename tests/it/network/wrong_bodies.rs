//! Answers with status 200 that are not what was asked for: a cache on the way that serves something wrong once, and a
//! sign-in page in the place of every file.

use crate::support::go::only_modfetch;
use crate::support::many_modules::ManyModules;
use crate::support::script::Fault;
use crate::support::{Proxy, Sandbox, Times};

const MODULE: &str = "example.com/m000/@v/v1.0.0";

/// What a captive portal says.
const PAGE: &[u8] = b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n";

/// A body that is wrong although its length is what the header says.
fn wrong(body: &[u8]) -> Fault {
    Fault::Body("text/html".into(), body.to_vec())
}

#[track_caller]
fn demand_second_past_caches(proxy: &Proxy, path: &str) {
    let requests = proxy.requests();
    let asked = requests.iter().filter(|request| request.path == path);
    let headers: Vec<_> = asked
        .map(|request| request.header("cache-control"))
        .collect();
    assert_eq!(headers, [None, Some("no-cache")], "{path}");
}

#[test]
fn download_wrong_body_once_is_asked_once_more_past_caches() {
    only_modfetch!();
    let many = ManyModules::new(3, 1000);
    let well = Proxy::of_modules(many.modules.clone());
    let right = many.sandbox().proxy(&well);
    right.run(["download"]).ok();
    let right = right.picture();
    let zip = many.modules[0].zip();
    let rows: &[(&str, &[u8])] = &[
        ("info", PAGE),
        ("info", b"{\"Version\":\"v1.0.0\",\"Ti"),
        ("info", b"{\"Version\":\"v9.9.9\"}"),
        ("mod", PAGE),
        ("mod", b"module example.c"),
        ("zip", PAGE),
        ("zip", &zip[..zip.len() / 2]),
    ];
    for (file, body) in rows {
        let path = format!("{MODULE}.{file}");
        let proxy = Proxy::of_modules(many.modules.clone());
        proxy.script(&path, wrong(body), Times(1));
        let sandbox = many.sandbox().proxy(&proxy);
        sandbox.run(["download"]).ok().stdout("").stderr("");
        demand_second_past_caches(&proxy, &path);
        assert_eq!(proxy.hits("*"), 10, "{file}: the others are asked once");
        right.assert_same(&sandbox.picture(), "trees with and without a wrong body");
    }
}

#[test]
fn download_wrong_body_twice_fails_with_both_facts() {
    only_modfetch!();
    let many = ManyModules::new(1, 1000);
    let rows = [("info", 6), ("mod", 5), ("zip", 5)];
    for (file, code) in rows {
        let path = format!("{MODULE}.{file}");
        let proxy = Proxy::of_modules(many.modules.clone());
        proxy.script(&path, wrong(b"first"), Times(1));
        proxy.script(&path, wrong(PAGE), Times::ALWAYS);
        let sandbox = many.sandbox().proxy(&proxy);
        let run = sandbox.run(["download"]);
        run.fails(code)
            .stderr_has("asked twice, the second time with Cache-Control: no-cache");
        demand_second_past_caches(&proxy, &path);
    }
}

#[test]
fn download_sign_in_page_for_every_file_leaves_nothing() {
    only_modfetch!();
    // No go.sum, and GOSUMDB is off: nobody vouches for anything.
    for page in [PAGE, b"{\"error\": \"sign in\"}", b"", b"Sign in\n"] {
        for arguments in [
            &["download"][..],
            &["download", "example.com/m000@v1.0.0"],
            &["download", "example.com/m000@latest"],
            &["list", "-m", "all"],
        ] {
            let many = ManyModules::new(2, 100);
            let proxy = Proxy::of_modules(many.modules.clone());
            proxy.script("*", wrong(page), Times::ALWAYS);
            let sandbox = many.sandbox().go_sum("").proxy(&proxy);
            let run = sandbox.run(arguments.iter().copied());
            run.demand(run.code != Some(0), "a page is no module");
            let kept = [".mod", ".info", ".zip", ".ziphash", ".part", "/list"];
            let left = sandbox.picture();
            let left = left.without(|path| !kept.iter().any(|end| path.ends_with(end)));
            run.demand(left.paths().is_empty(), "something of the page is kept");
            let sums = std::fs::read_to_string(sandbox.project_dir().join("go.sum"));
            run.demand(
                sums.unwrap_or_default().is_empty(),
                "go.sum has a hash of the page",
            );
            // The next run, against a good proxy, is as if there had been none.
            proxy.heal();
            sandbox.run(["download"]).ok();
            let clean = many.sandbox().go_sum("").proxy(&proxy);
            clean.run(["download"]).ok();
            let what = "a clean cache and the one after a sign-in page";
            clean.picture().assert_same(&sandbox.picture(), what);
        }
    }
}

#[test]
fn download_unproven_go_mod_without_module_line_is_not_kept() {
    only_modfetch!();
    for text in ["", "go 1.21\n", "module\n", "// nothing\n"] {
        let proxy = Proxy::serve().with_file("example.com/text/@v/v1.0.0.mod", text);
        let sandbox = Sandbox::new().proxy(&proxy);
        let run = sandbox.run(["download", "example.com/text@v1.0.0"]);
        run.fails(3).stderr_has("example.com/text@v1.0.0: ");
        let left = sandbox.picture();
        let left = left.without(|path| !path.ends_with(".mod") && !path.ends_with(".info"));
        run.demand(left.paths().is_empty(), "what was asked together is kept");
    }
}

#[test]
fn download_refused_once_per_file_with_retry_after_works() {
    only_modfetch!();
    let many = ManyModules::new(15, 100);
    let proxy = Proxy::of_modules(many.modules.clone());
    for module in &many.modules {
        for file in ["info", "mod", "zip"] {
            let wish = vec![("Retry-After".to_owned(), "1".to_owned())];
            let path = module.url(file);
            proxy.script(&path, Fault::Status(429, wish, Vec::new()), Times(1));
        }
    }
    let run = many.sandbox().proxy(&proxy).run(["download", "-v"]);
    run.ok();
    assert_eq!(proxy.hits("*"), 90);
}
