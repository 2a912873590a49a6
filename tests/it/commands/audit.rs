//! `modfetch audit`: records of vulnerabilities, retractions, deprecations, new paths, ages, moved tags, and accepted findings.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::integrity::sumdb::database;
use crate::support::go::only_modfetch;
use crate::support::sumdb::NAME;
use crate::support::{Forge, Proxy, Sandbox};

/// What go's database looks like, with records about modules of the test project.
const FILES: &[(&str, &str)] = &[
    ("index/db.json", r#"{"modified":"2026-11-29T10:00:00Z"}"#),
    ("index/modules.json", r#"[{"path":"example.com/text"}]"#),
    (
        "ID/GO-2099-0001.json",
        r#"{"id":"GO-2099-0001","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2099-1"],"summary":"Reads past the end",
            "affected":[{"package":{"name":"example.com/text","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.1.0"},{"fixed":"1.2.1"}]}]}],
            "database_specific":{"url":"https://pkg.go.dev/vuln/GO-2099-0001"}}"#,
    ),
    (
        "ID/GO-2099-0002.json",
        r#"{"id":"GO-2099-0002","modified":"2026-01-02T00:00:00Z","summary":"Older versions only",
            "affected":[{"package":{"name":"example.com/text","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]}"#,
    ),
    (
        "ID/GO-2099-0003.json",
        r#"{"id":"GO-2099-0003","modified":"2026-01-03T00:00:00Z","withdrawn":"2026-02-01T00:00:00Z","summary":"Taken back",
            "affected":[{"package":{"name":"example.com/text","ecosystem":"Go"}}]}"#,
    ),
    (
        "ID/GO-2099-0004.json",
        r#"{"id":"GO-2099-0004","modified":"2026-01-04T00:00:00Z","summary":"Never fixed",
            "affected":[{"package":{"name":"example.com/old","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[{"introduced":"2.0.0"}]}]}]}"#,
    ),
];

/// The project has 15 modules beside the main one, by `go list -m all`.
const TEXT: &str = "example.com/text@v1.2.0: vulnerable: GO-2099-0001 (CVE-2099-1): Reads past the end; fixed in v1.2.1";
const OLD: &str = "example.com/old@v2.3.0+incompatible: vulnerable: GO-2099-0004: Never fixed";

fn sandbox(proxy: &Proxy) -> Sandbox {
    let sandbox = FILES
        .iter()
        .fold(Sandbox::with("hello", proxy), |sandbox, (name, text)| {
            sandbox.file(&format!("vulndb/{name}"), text)
        });
    let file = fs::File::create(sandbox.project_dir().join("vulndb.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(file);
    for (name, text) in FILES {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    sandbox.run(["download"]).ok();
    proxy.forget();
    sandbox
}

#[test]
fn audit_osv_reports_affected_versions_offline() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = sandbox(&proxy);
    let want = format!(
        "{OLD}\n{TEXT}\n15 modules, 2 findings, 0 accepted; 4 records of 2026-11-29T10:00:00Z\n"
    );
    for place in ["vulndb", "vulndb.zip"] {
        sandbox
            .run(["audit", "--osv", place])
            .fails(10)
            .stdout(&want);
    }
    assert_eq!(proxy.requests().len(), 0);
    let json = sandbox
        .run(["audit", "--osv", "vulndb", "-json"])
        .fails(10)
        .output();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["Findings"][1]["ID"], "GO-2099-0001");
    assert_eq!(json["Findings"][1]["Fixed"], "v1.2.1");
    assert_eq!(
        json["Findings"][1]["URL"],
        "https://pkg.go.dev/vuln/GO-2099-0001"
    );
    assert_eq!(json["Snapshot"], "2026-11-29T10:00:00Z");
    let sarif = sandbox
        .run(["audit", "--osv", "vulndb", "--sarif"])
        .fails(10)
        .output();
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 2);
    assert_eq!(
        sarif["runs"][0]["tool"]["driver"]["rules"][0]["id"],
        "GO-2099-0001"
    );
}

/// Records about the standard library and the commands, as go's database has them.
const GO_FILES: &[(&str, &str)] = &[
    (
        "ID/GO-2099-0005.json",
        r#"{"id":"GO-2099-0005","modified":"2026-01-01T00:00:00Z","summary":"Reads too much",
            "affected":[{"package":{"name":"stdlib","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[
            {"introduced":"0"},{"fixed":"1.22.7"},{"introduced":"1.23.0-0"},{"fixed":"1.23.1"}]}]}]}"#,
    ),
    (
        "ID/GO-2099-0006.json",
        r#"{"id":"GO-2099-0006","modified":"2026-01-01T00:00:00Z","summary":"Runs too much",
            "affected":[{"package":{"name":"toolchain","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[
            {"introduced":"1.23.0-0"},{"fixed":"1.24.0-rc.2"}]}]}]}"#,
    ),
];

#[test]
fn audit_osv_counts_the_go_version_of_the_project() {
    only_modfetch!();
    let rows = [
        (
            "go 1.22.6",
            "stdlib@go1.22.6: vulnerable: GO-2099-0005: Reads too much; fixed in go1.22.7\n",
        ),
        ("go 1.22.7", ""),
        // A pre-release of the line that is affected from its first on, and a toolchain line that is newer than the go line.
        (
            "go 1.22.7\ntoolchain go1.23rc1",
            "stdlib@go1.23rc1: vulnerable: GO-2099-0005: Reads too much; fixed in go1.23.1\n\
             toolchain@go1.23rc1: vulnerable: GO-2099-0006: Runs too much; fixed in go1.24rc2\n",
        ),
        ("go 1.22.6\ntoolchain go1.24.0", ""),
    ];
    for (lines, findings) in rows {
        let sandbox = Sandbox::new().file("go.mod", &format!("module m.test\n\n{lines}\n"));
        let sandbox = (GO_FILES.iter()).fold(sandbox, |sandbox, (name, text)| {
            sandbox.file(&format!("vulndb/{name}"), text)
        });
        let run = sandbox.run(["audit", "--osv", "vulndb"]);
        let count = findings.lines().count();
        run.stdout(&format!(
            "{findings}0 modules, {count} findings, 0 accepted; 2 records of 2026-01-01T00:00:00Z\n"
        ));
        match count {
            0 => run.ok(),
            _ => run.fails(10),
        };
    }
    let sandbox = Sandbox::new()
        .file("go.mod", "module m.test\n\ngo 1.22.6\n")
        .file("vulndb/GO-2099-0005.json", GO_FILES[0].1)
        .file(
            "accepted",
            "GO-2099-0005 stdlib patched by the distribution\n",
        );
    sandbox
        .run(["audit", "--osv", "vulndb", "--ignore", "accepted"])
        .ok()
        .stdout_has("[accepted: patched by the distribution]");
}

#[test]
fn audit_records_with_gos_zero_time_have_no_date() {
    only_modfetch!();
    let record = GO_FILES[0].1.replace("2026-01-01", "0001-01-01");
    Sandbox::new()
        .file("go.mod", "module m.test\n\ngo 1.22.7\n")
        .file("vulndb/GO-2099-0005.json", &record)
        .run(["audit", "--osv", "vulndb"])
        .ok()
        .stdout("0 modules, 0 findings, 0 accepted; 1 records of an unknown date\n");
}

/// Sets the time of a file back by days.
fn age(path: &Path, days: u64) {
    let then = SystemTime::now() - Duration::from_secs(days * 86_400);
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(then).unwrap();
}

#[test]
fn audit_min_age_counts_from_when_the_database_knew() {
    only_modfetch!();
    let database = database();
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    let sandbox = Sandbox::new()
        .proxy(&proxy)
        .go_mod("require example.com/text v1.2.0")
        .env("GOSUMDB", &database.gosumdb());
    sandbox.run(["download"]).ok();
    let audit = ["audit", "--min-age", "7d"];
    let young = "example.com/text@v1.2.0: too-young: first known 0 minutes ago, and 7 days are wanted (--min-age)\n\
                 1 modules, 1 findings, 0 accepted\n";
    sandbox.run(audit).fails(10).stdout(young);
    // Any one witness suffices: the lookup that was kept, or a file of the version.
    let lookup = format!("cache/download/sumdb/{NAME}/lookup/example.com/text@v1.2.0");
    let gomod = "cache/download/example.com/text/@v/v1.2.0.mod";
    for file in [lookup.as_str(), gomod] {
        age(&sandbox.cached(file), 8);
        proxy.forget();
        sandbox
            .run(audit)
            .ok()
            .stdout("1 modules, 0 findings, 0 accepted\n");
        assert_eq!(proxy.requests().len(), 0, "{file} says enough");
        age(&sandbox.cached(file), 6);
        sandbox
            .run(audit)
            .fails(10)
            .stdout_has("first known 6 days ago");
    }
    // Times before there were modules are those of an image, and prove nothing.
    age(&sandbox.cached(gomod), 20_000);
    sandbox.run(audit).fails(10);
    let sandbox = sandbox.file("accepted", "too-young example.com/text read by us\n");
    sandbox
        .run(["audit", "--min-age", "7d", "--ignore", "accepted"])
        .ok();
    sandbox
        .run(["audit", "--min-age", "week"])
        .fails(2)
        .stderr_has("want a time such as 90s, 24h or 7d");
}

#[test]
fn audit_moved_compares_tags_with_what_was_recorded() {
    only_modfetch!();
    let forge = Forge::start();
    forge
        .git(
            "m",
            "printf 'module v.test/m\\n\\ngo 1.20\\n' > go.mod; echo 'package m' > m.go; commit one\n\
             git tag v1.0.0; echo '// two' >> m.go; commit two; git tag v1.1.0",
        )
        .import_git("m", &[]);
    let sandbox = forge.sandbox().file(
        "go.mod",
        "module a.test\n\ngo 1.20\n\nrequire v.test/m v1.0.0\n",
    );
    // Without arguments go.sum gets no sum of a zip.
    sandbox.run(["download", "v.test/m@v1.0.0"]).ok();
    let audit = ["audit", "--moved"];
    sandbox
        .run(audit)
        .ok()
        .stdout("1 modules, 0 findings, 0 accepted\n");
    let recorded = sandbox.read("go.sum");
    let mut recorded = recorded.lines().next().unwrap().rsplit(' ');
    let recorded = recorded.next().unwrap();
    forge.git("m", "git tag -f v1.0.0 v1.1.0");
    let moved = sandbox.run(audit);
    moved
        .fails(10)
        .stdout_has("v.test/m@v1.0.0: moved: the repository has h1:")
        .stdout_has(&format!(" today, go.sum has {recorded}\n"));
    // go's own cache still says that all is well, which is the point.
    sandbox.run(["verify"]).ok();
    forge.git("m", "git tag -d v1.0.0");
    sandbox
        .run(audit)
        .fails(10)
        .stdout_has("v.test/m@v1.0.0: moved: the repository does not have it today: ");
    sandbox
        .run(["audit", "--moved", "--offline"])
        .fails(11)
        .stderr_has("v.test/m@v1.0.0");
}

#[test]
fn audit_ignore_file_accepts_findings_until_their_date() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = sandbox(&proxy)
        .file("accepted", "CVE-2099-1 example.com/text no reader of ours\nGO-2099-0004 until 9999-12-31 being replaced\n")
        .file("late", "GO-2099-0001 fine\nGO-2099-0004 until 2020-01-01 was fine\n")
        .file("wrong", "GO-2099-0001\n");
    sandbox
        .run(["audit", "--osv", "vulndb", "--ignore", "accepted"])
        .ok()
        .stdout_has("[accepted: no reader of ours]")
        .stdout_has("0 findings, 2 accepted");
    sandbox
        .run(["audit", "--osv", "vulndb", "--ignore", "late"])
        .fails(10)
        .stderr_has("the rule for GO-2099-0004 in line 2 of the ignore file ended on 2020-01-01")
        .stdout_has("1 findings, 1 accepted");
    sandbox
        .run(["audit", "--osv", "vulndb", "--ignore", "wrong"])
        .fails(3)
        .stderr_has("wrong:1: the rule for GO-2099-0001 has no reason");
}

#[test]
fn audit_retracted_and_deprecated_ask_the_newest_version() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = sandbox(&proxy).edit("go.mod", |text| {
        text.replace("example.com/recalled v1.1.0", "example.com/recalled v1.0.1")
    });
    // The texts are those of the test modules' go.mod files.
    let run = sandbox.run(["audit", "--retracted", "--deprecated"]);
    run.fails(10)
        .stdout_has("example.com/faded@v1.0.0: deprecated: use example.com/text instead.\n")
        .stdout_has("example.com/recalled@v1.0.1: retracted: loses data\n")
        .stdout_has("15 modules, 2 findings, 0 accepted\n");
    assert_eq!(proxy.hits("*.zip"), 0);
    let run = sandbox.run(["audit", "--deprecated"]).fails(10).output();
    assert!(!run.contains("retracted"), "{run}");
}

#[test]
fn audit_new_reports_paths_that_an_older_go_sum_lacks() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = sandbox(&proxy);
    let old: String = sandbox
        .read("go.sum")
        .lines()
        .filter(|line| !line.starts_with("example.com/many "))
        .map(|line| format!("{line}\n"))
        .collect();
    let sandbox = sandbox.file("old.sum", &old);
    sandbox
        .run(["audit", "--new", "old.sum"])
        .fails(10)
        .stdout("example.com/many@v1.0.0: new: the older go.sum does not have this module path\n15 modules, 1 findings, 0 accepted\n");
    sandbox
        .run(["audit", "--new", "go.sum"])
        .ok()
        .stdout("15 modules, 0 findings, 0 accepted\n");
}

#[test]
fn audit_unusable_database_is_an_error() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = sandbox(&proxy)
        .file("empty/README", "no records")
        .file("torn/GO-1.json", "{\"id\":")
        .file("no.zip", "this is no zip");
    sandbox
        .run(["audit", "--osv", "empty"])
        .fails(3)
        .stderr_has("no record about Go modules");
    sandbox
        .run(["audit", "--osv", "torn"])
        .fails(3)
        .stderr_has("GO-1.json: unexpected end of JSON input");
    sandbox
        .run(["audit", "--osv", "no.zip"])
        .fails(3)
        .stderr_has("not a zip that can be read");
    sandbox
        .run(["audit", "--osv", "missing"])
        .fails(8)
        .stderr_has("missing");
    sandbox
        .run(["audit"])
        .fails(2)
        .stderr_has("nothing to compare with");
    sandbox
        .run(["audit", "--osv", "vulndb", "-json", "--sarif"])
        .fails(2);
}

#[test]
fn download_min_age_refuses_named_versions_and_warns_of_listed_ones() {
    only_modfetch!();
    let database = database();
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    let sandbox = Sandbox::new()
        .proxy(&proxy)
        .go_mod("require example.com/text v1.2.0")
        .env("GOSUMDB", &database.gosumdb());
    let refused = "modfetch: example.com/text@v1.2.0: first known 0 minutes ago, and 7 days are wanted (--min-age)\n\
                   hint: name an older version, or --min-age-exempt PATH@VERSION\n";
    for named in ["example.com/text@latest", "example.com/text@v1.2.0"] {
        sandbox
            .run(["download", "--min-age", "7d", named])
            .fails(5)
            .stderr(refused);
        assert_eq!(proxy.hits("*.zip"), 0, "it was fetched all the same");
    }
    let json = sandbox.run([
        "download",
        "-json",
        "--min-age",
        "7d",
        "example.com/text@latest",
    ]);
    let json: Value = serde_json::from_str(&json.fails(5).output()).unwrap();
    assert_eq!(json["Version"], "v1.2.0");
    assert!(
        json["Error"].as_str().unwrap().contains("--min-age"),
        "{json}"
    );
    // What go.mod lists is fetched, and said; what go.sum has by order is not even said.
    sandbox
        .run(["download", "--min-age", "7d"])
        .ok()
        .stderr_has("warning: example.com/text@v1.2.0: first known 0 minutes ago");
    sandbox.run(["download", "example.com/text@v1.2.0"]).ok();
    sandbox
        .run(["download", "--min-age", "7d", "--locked"])
        .ok()
        .stderr("");
    let exempt = ["--min-age-exempt", "example.com/*@v1.2.0"];
    let command = ["download", "--min-age", "7d", "example.com/text@latest"];
    sandbox
        .run(command.into_iter().chain(exempt))
        .ok()
        .stderr("");
    age(
        &sandbox.cached("cache/download/example.com/text/@v/v1.2.0.info"),
        8,
    );
    sandbox.run(command).ok().stderr("");
    sandbox.run(["download", "--min-age-exempt", "x"]).fails(2);
    sandbox
        .run(["download", "--min-age", "7d", "--dry-run"])
        .fails(2);
}
