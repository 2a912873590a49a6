//! `modfetch sum`: h1 of zips and directories, go.sum compared and completed, mismatches explained.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::fixtures::{Bytes, Fixtures, Module};
use crate::support::go::only_modfetch;
use crate::support::sumdb::{NAME, SumDb};
use crate::support::{Proxy, Sandbox, Times, require_go, sums};

const TEXT: &str = "example.com/text@v1.2.0";
const TEXT_H1: &str = "h1:4+Q7j6hTqUHZiqevWq8GY7TDWCa1p8FZX3F9rH3W/oc=";
const OTHER_H1: &str = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const EMPTY_GO_MOD: &str = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=";

fn fixtures() -> Fixtures {
    Fixtures::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod"))
}

fn served() -> (Proxy, SumDb) {
    let (proxy, database) = (Proxy::serve(), SumDb::of(fixtures().modules()));
    database.serve_on(&proxy);
    (proxy, database)
}

/// The project `hello` with this go.sum, a proxy and a database.
fn hello(proxy: &Proxy, database: &SumDb) -> Sandbox {
    Sandbox::with("hello", proxy).env("GOSUMDB", &database.gosumdb())
}

fn complete_go_sum() -> String {
    Sandbox::new().project("hello").read("go.sum")
}

/// Changes a file of a sealed cache.
fn rewrite(sandbox: &Sandbox, relative: &str, data: &[u8]) {
    let path = sandbox.cached(relative);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path, data).unwrap();
}

#[test]
fn sum_of_cached_modules_equals_go_sum() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox.run(["download"]).ok();
    let go_sum = sandbox.read("go.sum");
    let mut compared = 0;
    for module in fixtures().modules() {
        let name = format!("{}@{}", module.path, module.version);
        let want = format!("{}\n", sums::of_zip(module));
        fs::write(sandbox.project_dir().join("m.zip"), module.zip()).unwrap();
        sandbox.run(["sum", "m.zip", &name]).ok().stdout(&want);
        if !go_sum.contains(&format!("{} {} {want}", module.path, module.version)) {
            continue;
        }
        let folder = format!("{}@{}", module.escaped, module.version);
        let folder = sandbox.cached(&folder).display().to_string();
        sandbox.run(["sum", &folder, &name]).ok().stdout(&want);
        compared += 1;
    }
    assert!(compared > 5);
    let want = concat!(
        "{\n\t\"Path\": \"gopkg.in/tiny.v1\",\n\t\"Version\": \"v1.0.2\",\n\t\"Sum\": ",
        "\"h1:iOu3hXD5tgYGSBxvUDJoLy1TUXpZcUVy3LKlz36giuA=\"\n}\n"
    );
    let tiny = "cache/download/gopkg.in/tiny.v1/@v/v1.0.2.zip";
    let tiny = sandbox.cached(tiny).display().to_string();
    let run = sandbox.run(["sum", "-json", &tiny, "gopkg.in/tiny.v1@v1.0.2"]);
    run.ok().stdout(want);
}

#[test]
fn sum_of_invalid_zip_fails() {
    only_modfetch!();
    let zip = fixtures();
    let zip = zip.modules().iter().find(|m| m.path == "example.com/text");
    let zip = zip.unwrap().zip();
    let sandbox = Sandbox::new();
    let put = |name: &str, data: &[u8]| fs::write(sandbox.project_dir().join(name), data).unwrap();
    put("cut.zip", &zip[..zip.len() - 10]);
    put("good.zip", &zip);
    sandbox
        .run(["sum", "cut.zip", "example.com/text@v1.0.0"])
        .fails(5)
        .stdout("");
    // The names in a zip say which module it is.
    sandbox
        .run(["sum", "good.zip", "example.com/text@v1.9.9"])
        .fails(5);
    sandbox
        .run(["sum", "none.zip", "example.com/text@v1.0.0"])
        .fails(8);
    sandbox.run(["sum", "good.zip"]).fails(2);
    fs::create_dir_all(sandbox.project_dir().join("dir/.git")).unwrap();
    let run = sandbox.run(["sum", "dir", "example.com/text@v1.0.0"]);
    // The sum of nothing: SHA-256 of no lines.
    run.ok()
        .stdout("h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
        .stderr_has("holds .git, which is in no module zip");
}

#[test]
fn sum_check_and_write_complete_empty_go_sum() {
    only_modfetch!();
    let (proxy, database) = served();
    let want = complete_go_sum();
    let lines = |word: &str| -> String {
        want.lines()
            .map(|line| format!("{word} {line}\n"))
            .collect()
    };
    let sandbox = hello(&proxy, &database).go_sum("");
    sandbox
        .run(["sum", "--check"])
        .fails(10)
        .stdout(&lines("missing"))
        .stderr("");
    assert_eq!(sandbox.read("go.sum"), "");
    assert!(
        !sandbox.cached("cache/download/example.com").exists(),
        "a check stores modules"
    );
    sandbox
        .run(["sum", "--write"])
        .ok()
        .stdout(&lines("added"))
        .stderr("");
    assert_eq!(sandbox.read("go.sum"), want);
    assert_eq!(proxy.hits("*.zip"), 0);
    // Now nothing is missing, and the database has said all that it has to say.
    proxy.stop();
    sandbox.run(["sum", "--check"]).ok().stdout("").stderr("");
    sandbox.run(["sum", "--check", "--offline"]).ok().stdout("");
    let sandbox = sandbox.env("MODFETCH_LOCKED", "1");
    sandbox.run(["sum", "--check"]).ok();
    sandbox
        .run(["sum", "--write"])
        .fails(3)
        .stderr_has("may not be written");
}

#[test]
fn sum_write_result_is_accepted_by_go() {
    let (true, Some(_)) = (only_modfetch(), require_go()) else {
        return;
    };
    for project in ["hello", "legacy"] {
        let (proxy, database) = served();
        let sandbox = Sandbox::with(project, &proxy)
            .env("GOSUMDB", &database.gosumdb())
            .env("GOFLAGS", "-mod=readonly")
            .go_sum("");
        sandbox.go(["list", "-m", "all"]).fails(1);
        sandbox.run(["sum", "--write"]).ok();
        let complete = sandbox.read("go.sum");
        sandbox.go(["list", "-m", "all"]).ok();
        sandbox.go(["build", "./..."]).ok();
        sandbox.run(["download", "--locked"]).ok();
        sandbox.go(["mod", "verify"]).ok();
        assert_eq!(sandbox.read("go.sum"), complete, "{project}");
        // go adds nothing either; it may do without some.
        sandbox.go(["mod", "tidy"]).ok();
        let tidy = sandbox.read("go.sum");
        for line in tidy.lines() {
            assert!(complete.contains(line), "{project}: {line}");
        }
    }
}

#[test]
fn sum_check_mismatch_is_reported_and_line_stays() {
    only_modfetch!();
    let (proxy, database) = served();
    let wrong = complete_go_sum()
        .replace(TEXT_H1, OTHER_H1)
        .replace("example.com/tool v0.5.0 h1:", "example.com/gone v0.5.0 h1:");
    let tool = "example.com/tool v0.5.0 h1:SZvAe2i9iL0mOIDCPBChBukoo0YOfI9AxeRlrWOkbd4=";
    let disagrees = format!("disagrees example.com/text v1.2.0 {OTHER_H1} {NAME} {TEXT_H1}\n");
    let sandbox = hello(&proxy, &database).go_sum(&wrong);
    let run = sandbox.run(["sum", "--check"]);
    run.fails(5)
        .stdout(&format!("{disagrees}missing {tool}\n"))
        .stderr_has("example.com/text@v1.2.0: go.sum does not agree with sums.example.com")
        .stderr_has("hint: modfetch sum --explain example.com/text@v1.2.0");
    let run = sandbox.run(["sum", "--write"]);
    run.fails(5).stdout(&format!("{disagrees}added {tool}\n"));
    let now = sandbox.read("go.sum");
    assert!(now.contains(OTHER_H1) && !now.contains(TEXT_H1) && now.contains(tool));
    assert!(
        now.contains("example.com/gone v0.5.0 h1:"),
        "a line that is not needed went"
    );
    let json = sandbox.run(["sum", "--check", "-json"]);
    json.fails(5);
    let object: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let want = serde_json::json!({
        "Path": "example.com/text", "Version": "v1.2.0", "State": "disagrees",
        "Recorded": OTHER_H1, "Witness": NAME, "Sum": TEXT_H1,
    });
    assert_eq!(object, want);
    // A go.mod that disagrees spoils the graph, and nothing is written of half a graph.
    let gomod = "h1:4KYMyjJWf0MdG09LOcJuKzB6t97QX4kkVt1rpAZxQi4=";
    let wrong = complete_go_sum().replace(gomod, OTHER_H1).replace(tool, "");
    let sandbox = sandbox.go_sum(&wrong);
    let run = sandbox.run(["sum", "--write"]);
    run.fails(5)
        .stdout_has("disagrees example.com/text v1.2.0/go.mod")
        .stdout_has(&format!("missing {tool}"));
    assert_eq!(sandbox.read("go.sum"), wrong);
}

#[test]
fn sum_check_without_database_uses_cache() {
    only_modfetch!();
    let proxy = Proxy::serve();
    // GOSUMDB=off: sums are those of what is cached, or served.
    let sandbox = Sandbox::with("hello", &proxy).go_sum("");
    sandbox.run(["sum", "--write"]).ok();
    assert_eq!(sandbox.read("go.sum"), complete_go_sum());
    assert!(proxy.hits("*.zip") > 5);
    assert!(
        !sandbox
            .cached("cache/download/example.com/text/@v/v1.2.0.zip")
            .exists()
    );
    assert_eq!(
        fs::read_dir(sandbox.project_dir().join("../tmp"))
            .unwrap()
            .count(),
        0
    );
    sandbox.run(["download"]).ok();
    proxy.forget();
    let sandbox = sandbox.go_sum("");
    sandbox.run(["sum", "--write", "--offline"]).ok();
    assert_eq!(sandbox.read("go.sum"), complete_go_sum());
    assert_eq!(proxy.connections(), 0);
    rewrite(
        &sandbox,
        "cache/download/example.com/text/@v/v1.2.0.ziphash",
        OTHER_H1.as_bytes(),
    );
    let want = format!("disagrees example.com/text v1.2.0 {TEXT_H1} cache {OTHER_H1}\n");
    sandbox.run(["sum", "--check"]).fails(5).stdout(&want);
}

#[test]
fn sum_check_unavailable_sum_fails() {
    only_modfetch!();
    let (proxy, database) = served();
    let go_mod = "require example.com/text v1.2.0";
    let sandbox = |proxy: &Proxy| {
        Sandbox::new()
            .go_mod(go_mod)
            .proxy(proxy)
            .env("GOSUMDB", &database.gosumdb())
            .env("MODFETCH_RETRIES", "0")
    };
    let run = sandbox(&proxy).run(["sum", "--check", "--offline"]);
    run.fails(11)
        .stdout_has("missing example.com/text v1.2.0\n");
    let lookup = SumDb::lookup(TEXT);
    for (status, code) in [(404, 4), (410, 4), (500, 6), (403, 7)] {
        let (proxy, _) = served();
        let proxy = proxy.failing(&lookup, status, Times::ALWAYS);
        let sandbox = sandbox(&proxy);
        let run = sandbox.run(["sum", "--write"]);
        run.fails(code)
            .stdout_has("missing example.com/text v1.2.0\n");
        assert!(!sandbox.project_dir().join("go.sum").exists());
    }
    Sandbox::new().run(["sum", "--check"]).fails(2);
}

/// What `--explain` says of text: status, and the object.
fn explain(sandbox: &Sandbox) -> (i32, serde_json::Value) {
    let run = sandbox.run(["sum", "--explain", "-json", TEXT]);
    let object = serde_json::from_str(&run.stdout).unwrap();
    (run.code.unwrap(), object)
}

/// A zip of text with other content, under its name.
fn retagged() -> Module {
    let fixtures = fixtures();
    let text = fixtures
        .modules()
        .iter()
        .find(|module| module.path == "example.com/text" && module.version == "v1.2.0");
    let mut files = text.unwrap().files.clone();
    files.push(("new.go".to_owned(), b"package text\n".to_vec()));
    Module::new("example.com/text", "v1.2.0", files)
}

#[test]
fn sum_explain_agreeing_sources_are_listed() {
    only_modfetch!();
    let (proxy, database) = served();
    let sandbox = hello(&proxy, &database);
    sandbox.run(["download"]).ok();
    let before = sandbox.picture();
    let gomod = "h1:4KYMyjJWf0MdG09LOcJuKzB6t97QX4kkVt1rpAZxQi4=";
    let want = format!(
        "{TEXT}\nmodule\n  go.sum          {TEXT_H1}\n  database        {TEXT_H1}\n  \
         cached ziphash  {TEXT_H1}\n  cached zip      {TEXT_H1}\n  directory       {TEXT_H1}\n  \
         proxy           {TEXT_H1}\ngo.mod\n  go.sum          {gomod}\n  database        {gomod}\n  \
         cached go.mod   {gomod}\n  proxy           {gomod}\nall that could be asked agree\n"
    );
    sandbox
        .run(["sum", "--explain", TEXT])
        .ok()
        .stdout(&want)
        .stderr("");
    let without_sumdb = |picture: crate::support::tree::Picture| {
        picture.without(|path| path.starts_with("cache/download/sumdb"))
    };
    without_sumdb(sandbox.picture()).assert_same(&without_sumdb(before), "the cache");
    assert_eq!(
        fs::read_dir(sandbox.project_dir().join("../tmp"))
            .unwrap()
            .count(),
        0
    );
    // What cannot be asked is told, and no failure while somebody can.
    proxy.forget();
    let offline = sandbox.run(["sum", "--explain", "--offline", TEXT]);
    offline
        .ok()
        .stdout_has("module lookup disabled by --offline");
    assert_eq!(proxy.connections(), 0);
    proxy.stop();
    let sandbox = sandbox.env("MODFETCH_RETRIES", "0");
    sandbox
        .run(["sum", "--explain", TEXT])
        .ok()
        .stdout_has("connection refused");
}

#[test]
fn sum_explain_without_any_source_fails() {
    only_modfetch!();
    let (proxy, database) = served();
    let sandbox = hello(&proxy, &database);
    let unknown = "example.com/unknown@v1.0.0";
    let run = sandbox.run(["sum", "--explain", unknown]);
    run.fails(4).stdout_has("no source has a sum\n");
    sandbox
        .run(["sum", "--explain", "--offline", unknown])
        .fails(11);
}

#[test]
fn sum_explain_wrong_go_sum_is_named() {
    only_modfetch!();
    let (proxy, database) = served();
    let sandbox = hello(&proxy, &database);
    sandbox.run(["download"]).ok();
    let sandbox = sandbox.edit("go.sum", |text| text.replace(TEXT_H1, OTHER_H1));
    let run = sandbox.run(["sum", "--explain", TEXT]);
    run.fails(5)
        .stdout_has(&format!("go.sum          {OTHER_H1}  <- mismatch\n"))
        .stdout_has("likely cause: go.sum has the sum of other bytes than the database")
        .stdout_has("next step: find out who wrote the line")
        .stdout_has("they do not agree\n");
    // The hash of an empty go.mod, which go drops when it reads the file.
    let line = format!("example.com/text v1.2.0/go.mod {EMPTY_GO_MOD}\n");
    let sandbox = sandbox.go_sum(&(complete_go_sum() + &line));
    let (code, said) = explain(&sandbox);
    assert_eq!(code, 5);
    assert_eq!(said["GoMod"]["Mismatched"], serde_json::json!(["GoSum"]));
    assert!(
        said["GoMod"]["Cause"]
            .as_str()
            .unwrap()
            .starts_with("empty go.mod hash")
    );
    assert_eq!(said["Zip"]["Mismatched"], serde_json::Value::Null);
    assert_eq!(said["State"], "disagree");
    // Of before go1.11.4: the version says when it was made.
    let old = br#"{"Version":"v1.2.0","Time":"2018-11-01T12:00:00Z"}"#;
    rewrite(
        &sandbox,
        "cache/download/example.com/text/@v/v1.2.0.info",
        old,
    );
    let sandbox = sandbox.go_sum(&complete_go_sum().replace(TEXT_H1, OTHER_H1));
    let (_, said) = explain(&sandbox);
    assert!(
        said["Zip"]["Cause"]
            .as_str()
            .unwrap()
            .contains("before go1.11.4")
    );
}

#[test]
fn sum_explain_bad_proxy_and_moved_tag_are_distinguished() {
    only_modfetch!();
    let (proxy, database) = served();
    let sandbox = hello(&proxy, &database);
    sandbox.run(["download"]).ok();
    let good = proxy_zip();
    let zip = retagged().zip();
    let odd = |said: &serde_json::Value| said["Zip"]["Mismatched"].clone();
    let cause = |said: &serde_json::Value| said["Zip"]["Cause"].as_str().unwrap().to_owned();
    proxy.put("example.com/text/@v/v1.2.0.zip", Some(Bytes::from(zip)));
    let (code, said) = explain(&sandbox);
    assert_eq!((code, odd(&said)), (5, serde_json::json!(["Proxy"])));
    assert!(cause(&said).starts_with("proxy out of step"));
    // Everybody but the database has the new content.
    let new_h1 = sums::of_zip(&retagged());
    let fresh = Sandbox::new()
        .go_mod("require example.com/text v1.2.0")
        .proxy(&proxy);
    fresh.run(["download"]).ok();
    let line = format!("example.com/text v1.2.0 {new_h1}\n");
    let fresh = fresh.go_sum(&line).env("GOSUMDB", &database.gosumdb());
    let (code, said) = explain(&fresh);
    assert_eq!((code, odd(&said)), (5, serde_json::json!(["Database"])));
    assert!(cause(&said).starts_with("retagged version"));
    // A zip that is cut, where it is served.
    proxy.put(
        "example.com/text/@v/v1.2.0.zip",
        Some(Bytes::from(good[..90].to_vec())),
    );
    let (code, said) = explain(&sandbox);
    assert_eq!((code, odd(&said)), (5, serde_json::json!(["Proxy"])));
    assert!(cause(&said).starts_with("cut zip"));
    assert!(
        said["Zip"]["Unavailable"]["Proxy"]
            .as_str()
            .unwrap()
            .contains("zip")
    );
}

fn proxy_zip() -> Vec<u8> {
    let tree = crate::support::proxy::fixtures_tree();
    tree["example.com/text/@v/v1.2.0.zip"].to_vec()
}

#[test]
fn sum_explain_tampered_cache_is_named() {
    only_modfetch!();
    let (proxy, database) = served();
    let sandbox = hello(&proxy, &database);
    let at = "cache/download/example.com/text/@v/v1.2.0";
    let good = proxy_zip();
    let other = retagged();
    let new_h1 = sums::of_zip(&other);
    let tamper: [(&str, &[&str], &str); 5] = [
        (
            "dir",
            &["Dir"],
            "tampered cache: files of the unpacked directory",
        ),
        ("ziphash", &["ZipHash"], "tampered cache: the recorded hash"),
        ("cut", &["Zip"], "cut zip: the cached one"),
        ("mod", &["Mod"], "tampered cache: the cached go.mod"),
        (
            "all",
            &["ZipHash", "Zip", "Dir"],
            "tampered cache: what is cached was replaced",
        ),
    ];
    for (what, odd, cause) in tamper {
        sandbox.run(["download"]).ok();
        match what {
            "dir" => rewrite(&sandbox, "example.com/text@v1.2.0/go.mod", b"module x\n"),
            "ziphash" => rewrite(&sandbox, &format!("{at}.ziphash"), new_h1.as_bytes()),
            "cut" => rewrite(&sandbox, &format!("{at}.zip"), &good[..100]),
            "mod" => rewrite(&sandbox, &format!("{at}.mod"), b"module x\n"),
            _ => {
                rewrite(&sandbox, &format!("{at}.zip"), &other.zip());
                rewrite(&sandbox, &format!("{at}.ziphash"), new_h1.as_bytes());
                let folder = sandbox.cached("example.com/text@v1.2.0");
                fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
                fs::write(folder.join("new.go"), "package text\n").unwrap();
            }
        }
        let (code, said) = explain(&sandbox);
        assert_eq!(code, 5, "{what}: {said}");
        let part = if what == "mod" {
            &said["GoMod"]
        } else {
            &said["Zip"]
        };
        assert_eq!(part["Mismatched"], serde_json::json!(odd), "{what}");
        let told = part["Cause"].as_str().unwrap();
        assert!(told.starts_with(cause), "{what}: {told}");
        // The step that is called safe is one, and helps.
        let next = part["Next"].as_str().unwrap();
        if what == "cut" {
            assert!(next.contains("modfetch download"), "{next}");
        } else {
            assert!(next.contains("modfetch verify --repair"), "{next}");
            let repair = ["verify", "--repair", "example.com/text@v1.2.0"];
            sandbox.run(repair).ok();
            let (code, said) = explain(&sandbox);
            assert_eq!(code, 0, "{what}: {said}");
        }
        for piece in ["zip", "ziphash", "mod"] {
            sandbox.remove(&format!("{at}.{piece}"));
        }
        sandbox.remove("example.com/text@v1.2.0");
    }
}
