//! `plan`: what would be fetched, from where, and what is known of it.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::fixtures::escape;
use crate::support::go::only_modfetch;
use crate::support::tree::Picture;
use crate::support::{Proxy, Run, Sandbox, require_go};

fn objects(run: &Run) -> Vec<Value> {
    let objects = serde_json::Deserializer::from_str(&run.stdout).into_iter();
    objects
        .map(|object| object.expect("plan -json prints JSON"))
        .collect()
}

fn object<'o>(objects: &'o [Value], path: &str) -> &'o Value {
    let found = objects.iter().find(|object| object["Path"] == path);
    found.unwrap_or_else(|| panic!("no {path} in {objects:?}"))
}

/// What a proxy was asked for, as the URLs of `plan`.
fn fetched(proxy: &Proxy) -> BTreeSet<String> {
    let requests = proxy.requests();
    let urls = requests
        .iter()
        .map(|request| format!("{}/{}", proxy.url(), request.path));
    urls.map(|url| url.replace("/!", "/%21"))
        .map(|url| url.replace("camel!case", "camel%21case"))
        .collect()
}

/// Demands that a plan for an empty cache names what a download put into the one that `fetched`
/// shows: whole modules, and go.mod files, all of them if `exact`; a query may have read more.
#[track_caller]
pub fn planned_is_fetched(plan: &Run, fetched: &Picture, exact: bool, story: &str) {
    let (mut zips, mut mods) = (BTreeSet::new(), BTreeSet::new());
    for object in objects(plan) {
        let [path, version] = ["Path", "Version"].map(|key| object[key].as_str().unwrap());
        let name = format!("{}/@v/{}", escape(path), escape(version));
        if object["GoModOnly"] != true {
            zips.insert(name.clone());
        }
        mods.insert(name);
    }
    let cached = |suffix: &str| -> BTreeSet<String> {
        let files = fetched.paths().into_iter();
        let names = files.filter_map(|file| {
            let name = file.strip_prefix("cache/download/")?;
            name.strip_suffix(suffix).map(str::to_owned)
        });
        names.collect()
    };
    let known = cached(".mod");
    let held = plan.code == Some(0)
        && zips == cached(".zip")
        && mods.is_subset(&known)
        && (!exact || mods == known);
    plan.demand(held, &format!("{known:?}\n{story}"));
}

#[test]
fn plan_urls_equal_requests_of_download() {
    only_modfetch!();
    for project in ["hello", "legacy"] {
        let proxy = Proxy::serve();
        let sandbox = Sandbox::with(project, &proxy);
        // The first reads the graph, and keeps nothing of it.
        let plan = sandbox.run(["plan", "-urls"]);
        plan.ok().stderr("");
        assert!(!sandbox.cache().exists(), "a plan writes nothing");
        let urls: BTreeSet<String> = plan.stdout.lines().map(str::to_owned).collect();
        assert_eq!(urls.len(), plan.stdout.lines().count(), "each once");
        let null = sandbox.run(["plan", "--urls", "-0"]);
        null.ok().demand(
            null.stdout == plan.stdout.replace('\n', "\0"),
            "NUL for line feed",
        );
        proxy.forget();
        sandbox.run(["download"]).ok();
        assert_eq!(urls, fetched(&proxy), "{project}");
        sandbox.run(["plan", "-urls"]).ok().stdout("");
    }
}

#[test]
fn plan_table_shows_missing_and_known() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let arguments = ["plan", "example.com/text", "example.com/greet@v1.1.0"];
    let url = proxy.url();
    sandbox.run(arguments).ok().stderr("").stdout(&format!(
        "example.com/text   v1.2.0  -  info mod zip ziphash dir  {url}\n\
         example.com/greet  v1.1.0  -  info mod zip ziphash dir  {url}\n\
         2 modules, 0 complete, 0 B of zips cached; to fetch: 2 info, 2 mod, 2 zip\n"
    ));
    sandbox.run(["download", "example.com/text"]).ok();
    let zip = sandbox.cached("cache/download/example.com/text/@v/v1.2.0.zip");
    let bytes = fs::metadata(zip).unwrap().len();
    assert!((1..1000).contains(&bytes), "{bytes}");
    sandbox.remove("example.com/text@v1.2.0");
    let run = sandbox.run(arguments);
    let rows: Vec<Vec<&str>> = run
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let size = bytes.to_string();
    assert_eq!(rows[0], ["example.com/text", "v1.2.0", &size, "B", "dir"]);
    assert_eq!(
        rows[2].join(" "),
        format!("2 modules, 0 complete, {size} B of zips cached; to fetch: 1 info, 1 mod, 1 zip")
    );
    // What is there is known offline as well.
    let offline = sandbox.run(["plan", "--offline", "example.com/text@v1.2.0"]);
    offline.ok();
}

#[test]
fn plan_json_has_urls_sums_and_cached_zip() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let empty = objects(sandbox.run(["plan", "-json"]).ok());
    let text = object(&empty, "example.com/text");
    let url = format!("{}/example.com/text/@v/v1.2.0", proxy.url());
    let go_sum = sandbox.read("go.sum");
    let line = |key: &str| {
        let found = go_sum.lines().find_map(|line| line.strip_prefix(key));
        found.expect("go.sum has it").trim().to_owned()
    };
    assert_eq!(
        text,
        &serde_json::json!({
            "Path": "example.com/text",
            "Version": "v1.2.0",
            "Missing": ["info", "mod", "zip", "ziphash", "dir"],
            "InfoURL": format!("{url}.info"),
            "GoModURL": format!("{url}.mod"),
            "ZipURL": format!("{url}.zip"),
            "Sum": line("example.com/text v1.2.0 "),
            "GoModSum": line("example.com/text v1.2.0/go.mod "),
        })
    );
    sandbox.run(["download"]).ok();
    proxy.forget();
    let full = objects(sandbox.run(["plan", "-json"]).ok());
    let offline = sandbox.run(["plan", "-json", "--offline"]);
    assert_eq!(objects(offline.ok()), full);
    assert_eq!(proxy.requests().len(), 0, "a complete cache needs none");
    assert_eq!(
        full.len(),
        empty.len(),
        "the list does not depend on the cache"
    );
    let text = object(&full, "example.com/text");
    let zip = fs::read(sandbox.cached("cache/download/example.com/text/@v/v1.2.0.zip")).unwrap();
    let digest: String = Sha256::digest(&zip)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(text["ZipSHA256"], digest);
    assert_eq!(text["ZipSize"], zip.len());
    assert_eq!(text["ZipURL"], format!("{url}.zip"));
    assert!(text.get("Missing").is_none());
}

/// Of what the graph needs besides, only the go.mod is told.
#[test]
fn plan_modules_outside_scope_are_marked() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::new()
        .proxy(&proxy)
        .go_mod("module example.com/main\n\ngo 1.21\n\nrequire example.com/words v1.1.0\n");
    let all = objects(sandbox.run(["plan", "-json"]).ok());
    let wanted: Vec<&Value> = all
        .iter()
        .filter(|one| one.get("GoModOnly").is_none())
        .collect();
    assert_eq!(wanted.len(), 1, "{all:?}");
    for one in all.iter().filter(|one| one.get("GoModOnly").is_some()) {
        assert!(
            one.get("ZipURL").is_none() && one["GoModURL"].is_string(),
            "{one}"
        );
        assert_eq!(one["Missing"], serde_json::json!(["mod"]));
    }
    let wide = objects(sandbox.run(["plan", "-json", "--scope=all"]).ok());
    assert!(
        wide.iter().filter(|one| one["ZipURL"].is_string()).count() > 1,
        "{wide:?}"
    );
    let none = objects(
        sandbox
            .run(["plan", "-json", "--exclude=example.com/..."])
            .ok(),
    );
    assert!(none.iter().all(|one| one["GoModOnly"] == true), "{none:?}");
}

#[test]
fn plan_equals_dry_run() {
    only_modfetch!();
    let proxy = Proxy::serve();
    for project in ["hello", "legacy"] {
        let sandbox = Sandbox::with(project, &proxy);
        sandbox.run(["download", "example.com/greet"]).ok();
        let dry = sandbox.run(["download", "--dry-run", "-json"]);
        dry.fails(10);
        let mut plan = objects(sandbox.run(["plan", "-json"]).ok());
        plan.retain(|one| one.get("Missing").is_some());
        let names = |objects: &[Value]| {
            let name =
                |one: &Value| format!("{} {} {}", one["Path"], one["Version"], one["Missing"]);
            objects.iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(names(&objects(&dry)), names(&plan), "{project}");
    }
}

#[test]
fn plan_without_proxy_opens_no_socket_and_prints_no_secret() {
    only_modfetch!();
    let module = "example.com/text@v1.2.0";
    let sandbox = |goproxy: &str| Sandbox::new().env("GOPROXY", goproxy);
    let run = sandbox("https://user:s3cret@proxy.test/go?token=t0ken,direct").run([
        "plan",
        "-json",
        "--offline",
        module,
    ]);
    run.ok();
    let all = objects(&run);
    assert_eq!(
        all[0]["ZipURL"],
        "https://proxy.test/go/example.com/text/@v/v1.2.0.zip?xxxxx"
    );
    let table = sandbox("https://t0ken@proxy.test/go").run(["plan", "--offline", module]);
    table.ok().stdout_has("  https://proxy.test/go\n");
    for text in [&run.stdout, &run.stderr, &table.stdout, &table.stderr] {
        assert!(!text.contains("s3cret") && !text.contains("t0ken") && !text.contains("user"));
    }
    for goproxy in ["off", "direct"] {
        let run = sandbox(goproxy).run(["plan", module]);
        run.ok().stdout_has("  no proxy\n");
        sandbox(goproxy)
            .run(["plan", "-urls", module])
            .ok()
            .stdout("");
    }
    for variable in ["GONOPROXY", "GOPRIVATE"] {
        let private = sandbox("https://proxy.test").env(variable, "example.com");
        private.run(["plan", "-urls", module]).ok().stdout("");
        let both = ["plan", "-urls", module, "example.org/x@v1.0.0"];
        let run = private.run(both);
        run.ok();
        assert_eq!(run.stdout.lines().count(), 3, "{}", run.stdout);
    }
}

#[test]
fn plan_modules_of_read_only_cache_have_no_url() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let lower = Sandbox::with("hello", &proxy);
    lower.run(["download", "example.com/text"]).ok();
    lower.remove("cache/download/example.com/text/@v/v1.2.0.info");
    let sandbox = Sandbox::with("hello", &proxy);
    let ro = format!("--ro-cache={}", lower.cache().display());
    let run = sandbox.run(["plan", "-urls", &ro, "example.com/text"]);
    let info = format!("{}/example.com/text/@v/v1.2.0.info\n", proxy.url());
    run.ok().stdout(&info);
    let all = objects(sandbox.run(["plan", "-json", &ro, "example.com/text"]).ok());
    assert_eq!(all[0]["ROCache"], serde_json::json!(["mod", "zip"]));
    assert_eq!(all[0]["Missing"].as_array().map(Vec::len), Some(5));
}

#[test]
fn plan_unavailable_module_is_reported_and_rest_is_planned() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::new().proxy(&proxy);
    let run = sandbox.run([
        "plan",
        "-json",
        "example.com/none@latest",
        "example.com/text@latest",
    ]);
    run.fails(4).stderr_has("example.com/none");
    let all = objects(&run);
    assert_eq!(object(&all, "example.com/text")["Version"], "v1.2.0");
    assert_eq!(object(&all, "example.com/none")["ErrorKind"], "not-found");
    let hello = Sandbox::with("hello", &proxy);
    hello.run(["plan", "--offline"]).fails(11);
    hello.run(["plan", "-json", "-urls"]).fails(2);
    hello.run(["plan", "-0"]).fails(2);
    hello.run(["plan", "-files", "all"]).fails(2);
}

#[test]
fn plan_files_equal_files_read_by_download() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("legacy", &proxy);
    let run = sandbox.run(["plan", "-files"]);
    run.ok().stdout("go.mod\ngo.sum\nletters/go.mod\n");
    assert_eq!(proxy.requests().len(), 0);
    let null = sandbox.run(["plan", "-files", "--null"]);
    null.ok().stdout("go.mod\0go.sum\0letters/go.mod\0");
    // Nothing but these is needed.
    let copy = Sandbox::new().proxy(&proxy);
    let copy = run
        .stdout
        .lines()
        .fold(copy, |copy, name| copy.file(name, &sandbox.read(name)));
    copy.run(["download", "--locked"]).ok();
    let other = sandbox.file("etc/tools.mod", "module example.com/legacy\n");
    let run = other.run(["plan", "-files", "-modfile=etc/tools.mod"]);
    run.ok().stdout("go.mod\netc/tools.mod\n");
    // From below, and without what is missing.
    let below = other.file("cmd/main.go", "package main\n");
    below
        .run(["plan", "-files", "-C", "cmd"])
        .ok()
        .stdout("../go.mod\n../go.sum\n../letters/go.mod\n");
    fs::remove_file(below.project_dir().join("letters/go.mod")).unwrap();
    let missing = "letters/go.mod is missing: it replaces a module\n";
    let run = below.run(["plan", "-files"]);
    run.fails(8)
        .stdout("go.mod\ngo.sum\n")
        .stderr(&format!("modfetch: {missing}"));
    let run = below.run(["plan", "-files", "--missing-replace=warn"]);
    run.ok()
        .stdout("go.mod\ngo.sum\n")
        .stderr(&format!("warning: {missing}"));
    let run = below.run(["plan", "-files", "--missing-replace=ignore"]);
    run.ok().stdout("go.mod\ngo.sum\n").stderr("");
    Sandbox::new().run(["plan", "-files"]).fails(2);
}

#[test]
fn plan_workspace_files_are_those_of_its_modules() {
    only_modfetch!();
    let sandbox = Sandbox::new()
        .file(
            "go.work",
            "go 1.21\n\nuse (\n\t./a\n\t./b\n)\n\nreplace example.com/x => ./x\n",
        )
        .file("go.work.sum", "")
        .file(
            "a/go.mod",
            "module example.com/a\n\nreplace example.com/y => ../y\n",
        )
        .file("a/go.sum", "")
        .file("b/go.mod", "module example.com/b\n")
        .file("x/go.mod", "module example.com/x\n")
        .file("y/go.mod", "module example.com/y\n");
    let run = sandbox.run(["plan", "-files"]);
    run.ok()
        .stdout("go.work\ngo.work.sum\na/go.mod\na/go.sum\nb/go.mod\nx/go.mod\ny/go.mod\n");
    // go lists the workspace with no other file.
    require_go!();
    let copy = run.stdout.lines().fold(Sandbox::new(), |copy, name| {
        copy.file(name, &sandbox.read(name))
    });
    copy.go(["list", "-m"])
        .ok()
        .stdout("example.com/a\nexample.com/b\n");
}
