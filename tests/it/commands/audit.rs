//! `modfetch audit`: records of vulnerabilities, retractions, deprecations, new paths, and accepted findings.

use std::fs;
use std::io::Write as _;

use serde_json::Value;

use crate::support::go::only_modfetch;
use crate::support::{Proxy, Sandbox};

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
