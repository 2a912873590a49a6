//! `modfetch doctor`: what is wrong is named, what is well is not, and nothing is changed or told.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::fixtures::Fixtures;
use crate::support::go::only_modfetch;
use crate::support::sumdb::SumDb;
use crate::support::{Proxy, Run, Sandbox, Times};

/// The report of a run with `-json`.
struct Report(Value);

impl Report {
    #[track_caller]
    fn of(run: &Run) -> Report {
        let object = serde_json::from_str(&run.stdout);
        run.demand(
            object.is_ok() && run.stderr.is_empty(),
            "one object and no talk",
        );
        Report(object.expect("it was just checked"))
    }

    fn checks(&self) -> &[Value] {
        self.0["Checks"].as_array().expect("a list of checks")
    }

    /// A check of the first section of a group.
    #[track_caller]
    fn check(&self, group: &str, name: &str) -> &Value {
        let of = |check: &&Value| check["Group"] == group && check["Name"] == name;
        let found = self.checks().iter().find(of);
        found.unwrap_or_else(|| panic!("no {group} {name} in {:#}", self.0))
    }

    #[track_caller]
    fn is(&self, group: &str, name: &str, status: &str, seen: &str) {
        let check = self.check(group, name);
        let text = check["Seen"].as_str().unwrap_or_default();
        assert!(
            check["Status"] == status && text.contains(seen),
            "want {status} {seen:?}: {check:#}"
        );
        let step = check["Next"][0].as_str();
        assert!(
            step.is_some() || ["ok", "skipped"].contains(&status),
            "no next step: {check:#}"
        );
    }
}

/// The modules of `testdata/mod`, over TLS, with a checksum database that knows them.
fn secure(sandbox: Sandbox, folder: &Path) -> (Sandbox, Proxy) {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod");
    let fixtures = Fixtures::read(&modules);
    let database = SumDb::of(fixtures.modules());
    let proxy = Proxy::serve_tls(folder);
    database.serve_on(&proxy);
    let sandbox = sandbox
        .proxy(&proxy)
        .env("GOSUMDB", &database.gosumdb())
        .env("SSL_CERT_FILE", &proxy.ca().display().to_string())
        .env("SSL_CERT_DIR", "/nonexistent");
    (sandbox, proxy)
}

#[test]
fn doctor_healthy_setup_reports_ok_and_changes_nothing() {
    only_modfetch!();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (sandbox, proxy) = secure(Sandbox::new().project("hello"), folder.path());
    sandbox.run(["download"]).ok();
    let before = sandbox.picture();
    proxy.forget();

    let run = sandbox.run(["doctor", "-json"]);
    run.ok();
    let report = Report::of(&run);
    let names = |group: &str| -> Vec<&str> {
        let of = report
            .checks()
            .iter()
            .filter(|check| check["Group"] == group);
        of.filter_map(|check| check["Name"].as_str()).collect()
    };
    let way = ["route", "dns", "connect", "tls", "answer"];
    assert_eq!(
        names("proxy"),
        [&way[..], &["ranges", "clock", "credentials"]].concat()
    );
    let rest = ["clock", "credentials", "head", "kept-head"];
    assert_eq!(names("sumdb"), [&["route"], &way[..], &rest].concat());
    for check in report.checks() {
        // How much room there is, is the business of this machine; the server has no clock.
        let wanted = match check["Name"].as_str() {
            Some("space") => continue,
            Some("clock") => "skipped",
            _ => "ok",
        };
        assert_eq!(check["Status"], wanted, "{check:#}");
    }
    report.is(
        "proxy",
        "tls",
        "ok",
        "issued by \"authority of a test\", expires ",
    );
    report.is("proxy", "ranges", "ok", "206 Partial Content for ");
    report.is("proxy", "dns", "ok", "127.0.0.1, ");
    let records = Fixtures::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod"));
    let seen = format!("signed, {} records", records.modules().len());
    report.is("sumdb", "head", "ok", &seen);
    report.is("cache", "directory", "ok", "13 modules");
    report.is(
        "project",
        "go.mod",
        "ok",
        "example.com/hello, 13 modules required",
    );

    // Two looks at the proxy, two at the database: none of them at more than a byte of a zip.
    let requests = proxy.requests();
    assert_eq!(requests.len(), 4, "{requests:?}");
    let zips = requests
        .iter()
        .filter(|request| request.path.ends_with(".zip"));
    assert!(zips.map(|zip| zip.header("range")).eq([Some("bytes=1-")]));
    before.assert_same(&sandbox.picture(), "the cache before and after");
    let left = fs::read_dir(sandbox.cache())
        .expect("the cache is there")
        .flatten();
    assert!(
        left.into_iter()
            .all(|entry| !entry.path().display().to_string().ends_with(".tmp"))
    );

    let text = sandbox.run(["doctor"]);
    text.ok().stderr("");
    text.demand(
        text.stdout.contains("\n  ok       tls ") && text.stdout.contains("\n0 failed, "),
        "the same as text",
    );
    // Every key has its place in the help topic.
    let topic = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/help/output.md");
    let readme = fs::read_to_string(topic).expect("there is one");
    for object in [&report.0, &report.0["Checks"][0], &report.0["Settings"][0]] {
        for key in object.as_object().expect("an object").keys() {
            assert!(readme.contains(&format!("`{key}`")), "{key}");
        }
    }
    for check in report.checks() {
        let name = check["Name"].as_str().unwrap_or_default();
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn doctor_unreachable_proxy_is_named_and_others_are_checked() {
    only_modfetch!();
    let free = TcpListener::bind("127.0.0.1:0").expect("a free local port");
    let dead = format!("http://{}", free.local_addr().expect("it is bound"));
    drop(free);
    let proxy = Proxy::serve();
    let goproxy = format!("{dead}|{}|direct", proxy.url());
    let sandbox = Sandbox::new().project("hello").env("GOPROXY", &goproxy);
    let run = sandbox.run(["doctor", "-json"]);
    run.fails(10);
    let report = Report::of(&run);
    assert_eq!(report.0["Status"], "failed");
    report.is("proxy", "dns", "ok", "127.0.0.1");
    report.is("proxy", "connect", "failed", "connection refused");
    for name in ["tls", "answer", "ranges", "clock"] {
        report.is("proxy", name, "skipped", "not reached");
    }
    let mut subjects: Vec<&str> = Vec::new();
    for check in report
        .checks()
        .iter()
        .filter(|check| check["Group"] == "proxy")
    {
        let subject = check["Subject"].as_str().unwrap_or_default();
        if subjects.last() != Some(&subject) {
            subjects.push(subject);
        }
    }
    assert_eq!(subjects, [dead.as_str(), &proxy.url(), "direct"]);
    assert_eq!(proxy.hits("*"), 2, "the answer and the range");
    let text = sandbox.run(["doctor"]);
    text.fails(10)
        .stdout_has("  failed   connect      cannot connect to 127.0.0.1:");
    // Trouble is told, not tried away.
    sandbox.run(["doctor", "--go-exit-codes"]).fails(1);
}

#[test]
fn doctor_unknown_authority_names_setting() {
    only_modfetch!();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (sandbox, proxy) = secure(Sandbox::new().project("hello"), folder.path());
    let other = tempfile::tempdir().expect("a temporary folder");
    let stranger = Proxy::serve_tls(other.path());
    let sandbox = sandbox.proxy(&stranger);
    let run = sandbox.run(["doctor", "-json"]);
    run.fails(10);
    let report = Report::of(&run);
    report.is("proxy", "connect", "ok", "");
    report.is(
        "proxy",
        "tls",
        "failed",
        "certificate signed by unknown authority",
    );
    let step = &report.check("proxy", "tls")["Next"][0];
    assert!(
        step.as_str()
            .is_some_and(|step| step.contains("SSL_CERT_FILE")),
        "{step}"
    );
    report.is(
        "sumdb",
        "route",
        "failed",
        "certificate signed by unknown authority",
    );
    drop(proxy);
}

#[test]
fn doctor_missing_server_features_are_notes() {
    only_modfetch!();
    let proxy = Proxy::serve().without_ranges();
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["doctor", "-json"]);
    run.ok();
    Report::of(&run).is("proxy", "ranges", "warning", "200 OK for ");
    // Private modules are asked for nowhere.
    let run = sandbox
        .env("GOPRIVATE", "*")
        .env("GONOPROXY", "none")
        .run(["doctor", "-json"]);
    run.ok();
    Report::of(&run).is("proxy", "ranges", "skipped", "no module to ask for");

    let proxy = Proxy::serve().failing_with(
        "",
        404,
        &[("Date", "Sun, 06 Nov 1994 08:49:37 GMT")],
        "",
        Times::ALWAYS,
    );
    let run = Sandbox::with("hello", &proxy).run(["doctor", "-json"]);
    run.fails(10);
    let report = Report::of(&run);
    report.is("proxy", "answer", "ok", "404 Not Found");
    report.is("proxy", "clock", "failed", "our clock is ");

    for (status, next) in [(503, "try again later"), (401, "credentials are wanted")] {
        let proxy = Proxy::serve().failing("", status, Times::ALWAYS);
        let run = Sandbox::with("hello", &proxy).run(["doctor", "-json"]);
        run.fails(10);
        Report::of(&run).is("proxy", "answer", "failed", &status.to_string());
        run.stdout_has(next);
        assert_eq!(proxy.hits(""), 1, "nothing is tried again");
    }
}

#[test]
fn doctor_unwritable_cache_fails_unless_read_only() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let filled = Sandbox::with("hello", &proxy);
    filled.run(["download"]).ok();
    filled.seal_cache();
    let reader = Sandbox::with("hello", &proxy)
        .cache_of(&filled)
        .unprivileged();
    let run = reader.run(["doctor", "-json"]);
    run.fails(10);
    let report = Report::of(&run);
    report.is("cache", "writable", "failed", "permission denied");
    report.is("cache", "locks", "skipped", "nothing can be written");
    proxy.forget();
    let run = reader.run(["doctor", "-json", "--offline"]);
    run.ok();
    let report = Report::of(&run);
    report.is("cache", "writable", "ok", "offline nothing is written");
    report.is("proxy", "answer", "skipped", "offline");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn doctor_leftovers_are_counted_and_stay() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox.run(["download"]).ok();
    let entry = "cache/download/example.com/text/@v";
    let put = |name: &str, bytes: usize, hours: u64| {
        let path = sandbox.cached(&format!("{entry}/{name}"));
        fs::write(&path, vec![0; bytes]).expect("the cache is ours");
        let then = SystemTime::now() - Duration::from_secs(3600 * hours);
        let file = File::options()
            .write(true)
            .open(&path)
            .expect("it was just written");
        file.set_modified(then).expect("it is ours");
    };
    put("v1.2.0.zip123.tmp", 3000, 5);
    put("v1.3.0.zip7.tmp", 1500, 2);
    put("v1.4.0.zip8.tmp", 9000, 0);
    put("v1.2.0.partial", 0, 5);
    sandbox.remove("cache/download/example.com/tool/@v/v0.5.0.ziphash");
    let before = sandbox.picture();
    let run = sandbox.run(["doctor", "-json"]);
    run.ok();
    let report = Report::of(&run);
    assert_eq!(report.0["Status"], "warning");
    report.is(
        "cache",
        "leftovers",
        "warning",
        "2 temporaries of killed processes, 4.50 kB, such as ",
    );
    report.is(
        "cache",
        "partial",
        "warning",
        &format!("{entry}/v1.2.0.partial"),
    );
    report.is(
        "cache",
        "hashes",
        "warning",
        "1 zips without a valid ziphash",
    );
    before.assert_same(&sandbox.picture(), "the cache before and after");
}

#[test]
fn doctor_text_and_json_show_no_secret() {
    only_modfetch!();
    // The server repeats what it was sent, and wants something else.
    let echo = "wrong: us3r:s3cr%2Ft Basic dXMzcjpzM2NyL3Q=";
    let proxy = Proxy::serve().failing_with(
        "*",
        401,
        &[("Content-Type", "text/plain"), ("ETag", "\"s3cr\"")],
        echo,
        Times::ALWAYS,
    );
    let with_user = proxy.url().replace("http://", "http://us3r:s3cr%2Ft@");
    let sandbox = Sandbox::new()
        .project("hello")
        .env(
            "GOPROXY",
            &format!("{with_user},http://us3r:s3cr@modules.test/x?key=s3cr"),
        )
        .env("HTTP_PROXY", &with_user)
        .env("HTTPS_PROXY", "us3r:s3cr@127.0.0.1:1")
        .env("GOAUTH", "helper --token s3cr; netrc")
        .env("GOSUMDB", &format!("sum.golang.org {with_user}/sums"));
    for arguments in [&["doctor"][..], &["doctor", "-json"]] {
        let run = sandbox.run(arguments.iter().copied());
        run.fails(10);
        for secret in ["s3cr", "dXMzcjpz"] {
            let shown = run.stdout.contains(secret) || run.stderr.contains(secret);
            run.demand(!shown, &format!("{secret} is shown"));
        }
        run.stdout_has("user and password in the URL");
        run.stdout_has("GOAUTH");
    }
    let run = sandbox.run(["doctor", "-json"]);
    let report = Report::of(&run);
    report.is("proxy", "answer", "failed", "401 Unauthorized");
    // Through the HTTP proxy; refused before anything was sent, since it is plain http.
    let second = |name: &str| {
        let of = |check: &&Value| {
            let subject = check["Subject"].as_str().unwrap_or_default();
            subject.contains("modules.test") && check["Name"] == name
        };
        let check = report.checks().iter().find(of).expect("the second proxy");
        (
            check["Status"].as_str(),
            check["Seen"].as_str().unwrap_or_default(),
        )
    };
    assert!(
        second("route")
            .1
            .starts_with("through the HTTP proxy http://us3r:xxxxx@127.")
    );
    assert_eq!(second("connect").0, Some("skipped"));
    let (status, seen) = second("answer");
    assert!(
        status == Some("failed") && seen.contains("refusing to pass credentials"),
        "{seen}"
    );
    assert_eq!(second("credentials").0, Some("failed"));
}

#[test]
fn doctor_invalid_settings_are_failed_checks() {
    only_modfetch!();
    let sandbox = Sandbox::new()
        .go_mod("require example.com/text v1.2.0")
        .go_sum("example.com/text\n");
    let broken = sandbox
        .env("GOPROXY", "ftp://h.com")
        .env("GOSUMDB", "sums.example.com");
    let run = broken.run(["doctor", "-json"]);
    run.fails(10);
    let report = Report::of(&run);
    report.is(
        "proxy",
        "list",
        "failed",
        "invalid GOPROXY (from the environment)",
    );
    report.is("sumdb", "setting", "failed", "invalid GOSUMDB");
    let check = report.check("project", "go.sum");
    assert_eq!(check["Status"], "failed", "{check:#}");
    report.is("cache", "directory", "ok", "does not exist yet");
    assert!(!broken.cache().exists());

    let tree = broken.project_dir().join("tree");
    let broken = broken
        .env("GOPROXY", &format!("file://{},off", tree.display()))
        .env("GOSUMDB", "off");
    let run = broken.run(["doctor", "-json"]);
    run.fails(10);
    Report::of(&run).is("proxy", "directory", "failed", "no such file or directory");
    fs::create_dir_all(tree.join("example.com/text/@v")).expect("the project is ours");
    let broken = broken.go_sum("");
    let run = broken.run(["doctor", "-json"]);
    run.ok();
    let report = Report::of(&run);
    report.is("proxy", "tree", "ok", "it has modules");
    report.is(
        "sumdb",
        "setting",
        "skipped",
        "GOSUMDB is off, from the environment",
    );
    broken.run(["doctor", "everything"]).fails(2);
}
