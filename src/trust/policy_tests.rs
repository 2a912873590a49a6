//! What is checked against go.sum and what stands beside it.

use super::*;
use std::fs;
use std::sync::Arc;

use crate::source::DatabaseSetting;
use crate::sumdb::Store;
use crate::sumdb::testing::{self, Log, Server};

fn settings(database: Database, exempt: &str, locked: bool) -> SumSettings {
    SumSettings {
        database,
        accepted: Vec::new(),
        exempt: PrefixPatterns::parse(exempt),
        locked,
    }
}

fn module() -> ModuleVersion {
    ModuleVersion::parse("example.com/a", "v1.0.0").unwrap()
}

fn policy(go_sum: &str, settings: SumSettings) -> (tempfile::TempDir, SumPolicy) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("go.sum");
    fs::write(&file, go_sum).unwrap();
    let policy = SumPolicy::with_file(&file, settings).unwrap();
    (dir, policy)
}

const EMPTY: &str = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/// Measured: `go mod download` accepts the first and refuses the second.
#[test]
fn of_several_hashes_the_first_decides() {
    let first = H1::of_go_mod(b"module example.com/a\n");
    let text = format!("example.com/a v1.0.0 {first}\nexample.com/a v1.0.0 {EMPTY}\n");
    let (_dir, policy) = policy(&text, settings(Database::Off, "", false));
    policy.check(&module(), SumPart::Zip, &first).unwrap();
    let second = H1::parse(EMPTY).unwrap();
    let error = policy.check(&module(), SumPart::Zip, &second).unwrap_err();
    assert_eq!(error.kind(), Kind::Security);
}

#[test]
fn what_go_sum_knows_must_match() {
    let good = H1::of_go_mod(b"module example.com/a\n");
    let text = format!("example.com/a v1.0.0 {EMPTY}\nexample.com/a v1.0.0/go.mod {good}\n");
    // Even where nothing needs proof, a record that disagrees is fatal.
    let (_dir, policy) = policy(&text, settings(Database::Off, "", false));
    policy.check(&module(), SumPart::GoMod, &good).unwrap();
    let error = policy.check(&module(), SumPart::Zip, &good).unwrap_err();
    assert_eq!(error.kind(), Kind::Security);
    let want = format!(
        "verifying example.com/a@v1.0.0: checksum mismatch\n\tdownloaded: {good}\n\tgo.sum:     {EMPTY}\n\nSECURITY ERROR\n"
    );
    assert!(error.chain().starts_with(&want), "{}", error.chain());
    let error = policy
        .check(&module(), SumPart::GoMod, &H1::parse(EMPTY).unwrap())
        .unwrap_err();
    assert!(
        error
            .chain()
            .starts_with("verifying example.com/a@v1.0.0/go.mod: checksum mismatch")
    );
}

fn database(server: &Arc<Mutex<Server>>, dir: &Path) -> Database {
    let setting = DatabaseSetting::parse(&testing::key(testing::NAME))
        .unwrap()
        .unwrap();
    let store = Store::new(dir, Some(dir), testing::NAME);
    let transport = Box::new(Arc::clone(server));
    Database::Client(Arc::new(sumdb::SumDbClient::new(
        setting.verifier,
        store,
        transport,
    )))
}

fn logged(id: u64) -> (ModuleVersion, H1) {
    let text = testing::text(id, "");
    let mut words = text.split_whitespace();
    let (path, version) = (words.next().unwrap(), words.next().unwrap());
    let module = ModuleVersion::parse(path, version).unwrap();
    (module, H1::parse(words.next().unwrap()).unwrap())
}

#[test]
fn what_go_sum_lacks_needs_an_exemption_or_the_database() {
    let (module, h1) = logged(7);
    let server = Server::of(Log::of(300));
    let dir = tempfile::tempdir().unwrap();
    let ask = || database(&server, dir.path());
    let invalid = Database::Invalid(Error::new(Kind::Input, "missing GOSUMDB"));
    // The kind of refusal, and the number of requests: two tiles, one above, one lookup.
    let rows = [
        (settings(Database::Off, "", false), None, 0),
        (settings(invalid.clone(), "example.com", false), None, 0),
        (settings(invalid, "", false), Some(Kind::Input), 0),
        (settings(ask(), "example.com/*", false), None, 0),
        (settings(ask(), "", true), Some(Kind::Input), 0),
        (settings(Database::Off, "", true), Some(Kind::Input), 0),
        (settings(ask(), "other.com", false), None, 4),
    ];
    for (settings, refused, requests) in rows {
        let (_dir, policy) = policy("", settings);
        let kind = |result: Result<()>| result.err().map(|error| error.kind());
        assert_eq!(kind(policy.precheck(&module, SumPart::Zip)), refused);
        assert_eq!(server.lock().unwrap().requests.len(), 0, "it asked early");
        assert_eq!(kind(policy.ask(&module, SumPart::Zip)), refused);
        assert_eq!(kind(policy.check(&module, SumPart::Zip, &h1)), refused);
        assert_eq!(kind(policy.check(&module, SumPart::GoMod, &h1)), refused);
        let asked = std::mem::take(&mut server.lock().unwrap().requests);
        assert_eq!(asked.len(), requests, "{asked:?}");
    }
}

#[test]
fn a_toolchain_needs_the_database_whatever_exempts_it_and_whatever_go_sum_says() {
    let module = ModuleVersion::parse(TOOLCHAIN, "v0.0.1-go1.26.0.linux-amd64").unwrap();
    let h1 = H1::of_go_mod(b"module golang.org/toolchain\n");
    let lines = format!(
        "{TOOLCHAIN} {version} {h1}\n{TOOLCHAIN} {version}/go.mod {h1}\n",
        version = module.version()
    );
    // The text of `GOSUMDB=off go mod download golang.org/toolchain@...`, go1.27.4, for which such
    // lines in go.sum change nothing.
    let text = format!("{module}: verifying module: checksum database disabled by GOSUMDB=off");
    for go_sum in ["", lines.as_str()] {
        let (_dir, off) = policy(go_sum, settings(Database::Off, "", false));
        let checks = [
            off.precheck(&module, SumPart::Zip),
            off.ask(&module, SumPart::Zip),
            off.check(&module, SumPart::Zip, &h1),
            off.vouched(&module, SumPart::Zip).map(drop),
        ];
        for refused in checks {
            assert_eq!(refused.unwrap_err().chain(), text, "{go_sum}");
        }
    }
    let server = Server::of(Log::of(300));
    let dir = tempfile::tempdir().unwrap();
    for go_sum in ["", lines.as_str()] {
        let asked = database(&server, dir.path());
        let (_dir, asks) = policy(go_sum, settings(asked, "golang.org", false));
        assert!(asks.must_ask(&module, SumPart::Zip));
        // The log does not know it.
        asks.check(&module, SumPart::Zip, &h1).unwrap_err();
    }
    // A line that is there is not missing.
    let asked = database(&server, dir.path());
    let (_dir, locked) = policy(&lines, settings(asked, "", true));
    locked.precheck(&module, SumPart::Zip).unwrap();
}

#[test]
fn what_would_have_to_wait_is_known() {
    let (module, h1) = logged(7);
    let server = Server::of(Log::of(300));
    let dir = tempfile::tempdir().unwrap();
    let must_ask = |go_sum: &str, exempt: &str| {
        let (_dir, policy) = policy(
            go_sum,
            settings(database(&server, dir.path()), exempt, false),
        );
        policy.must_ask(&module, SumPart::Zip)
    };
    assert!(must_ask("", ""));
    assert!(!must_ask("", "example.com"));
    assert!(!must_ask(
        &format!("{} {} {h1}\n", module.path(), module.version()),
        ""
    ));
    let (_dir, policy) = policy("", settings(database(&server, dir.path()), "", false));
    policy.ask(&module, SumPart::GoMod).unwrap();
    // One answer is about both.
    assert!(!policy.must_ask(&module, SumPart::Zip));
    assert_eq!(
        policy.logged(&module, SumPart::Zip).unwrap(),
        Logged::Sum(h1)
    );
}

#[test]
fn what_the_database_says_is_final() {
    let server = Server::of(Log::of(300));
    let dir = tempfile::tempdir().unwrap();
    let (_dir, policy) = policy("", settings(database(&server, dir.path()), "", false));
    let ((seven, h1), (eight, _)) = (logged(7), logged(8));
    let fails = |module: &ModuleVersion, part: SumPart, kind: Kind, want: String| {
        let error = policy
            .check(module, part, &H1::parse(EMPTY).unwrap())
            .unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.chain().starts_with(&want), "{}", error.chain());
    };
    let (known, name) = (Kind::Security, testing::NAME);
    fails(
        &seven,
        SumPart::Zip,
        known,
        format!(
            "example.com/m7@v1.0.0: verifying module: checksum mismatch\n\tdownloaded: {EMPTY}\n\t{name}: {h1}\n\nSECURITY ERROR\nThis download does NOT match the one"
        ),
    );
    fails(
        &seven,
        SumPart::GoMod,
        known,
        "example.com/m7@v1.0.0: verifying go.mod: checksum mismatch\n\t".to_owned(),
    );
    let response = Log::of(300).response(9, 300);
    server
        .lock()
        .unwrap()
        .lies
        .insert("lookup/example.com/m8@v1.0.0".to_owned(), Some(response));
    fails(&eight, SumPart::Zip, known, "example.com/m8@v1.0.0: verifying module: checksum missing from sumdb response\n\nSECURITY ERROR\nThis download does NOT match one reported".to_owned());
    // Go's text: the module, what is verified, and the line of go.sum that was looked for.
    let unknown = "example.com/m300@v1.0.0: verifying go.mod: example.com/m300@v1.0.0/go.mod: reading lookup/example.com/m300@v1.0.0: 404 Not Found";
    let other = ModuleVersion::parse("example.com/m300", "v1.0.0").unwrap();
    fails(&other, SumPart::GoMod, Kind::NotFound, unknown.to_owned());
    // What was refused is not recorded, and what go.sum says is not asked about.
    assert!(!policy.knows(&seven, SumPart::Zip));
    policy.check(&seven, SumPart::Zip, &h1).unwrap();
    assert!(policy.knows(&seven, SumPart::Zip));
    server.lock().unwrap().requests.clear();
    policy.check(&seven, SumPart::Zip, &h1).unwrap();
    assert_eq!(server.lock().unwrap().requests, [""; 0]);
}

#[test]
fn an_unknown_algorithm_is_kept_and_warned_about() {
    let (_dir, policy) = policy(
        "example.com/a v1.0.0 h2:xyz\n",
        settings(Database::Off, "", false),
    );
    assert!(!policy.knows(&module(), SumPart::Zip));
    policy
        .check(&module(), SumPart::Zip, &H1::parse(EMPTY).unwrap())
        .unwrap();
    let warnings = policy.take_warnings();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("unknown hashes in go.sum: h2:xyz; adding h1:47DE"));
    assert!(warnings[0].contains("\n\nSECURITY WARNING\nThis download is listed in go.sum, but"));
}

/// In go1.26.8 the first line of go.work.sum decides, else every line of the other files.
#[test]
fn files_beside_it_count_and_must_agree() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let h1 = H1::of_go_mod(b"module example.com/a\n");
    let right = format!("example.com/a v1.0.0 {h1}\n");
    let wrong = format!("example.com/a v1.0.0 {EMPTY}\n");
    let check = |work: &str, one: &str, other: &str| {
        fs::write(at("go.work.sum"), work).unwrap();
        fs::write(at("one.sum"), one).unwrap();
        fs::write(at("other.sum"), other).unwrap();
        let others = [at("one.sum"), at("other.sum"), at("none.sum")];
        let off = settings(Database::Off, "", false);
        let policy =
            SumPolicy::with_files(&at("go.work.sum"), &others, &Overlay::default(), off).unwrap();
        let checked = policy.check(&module(), SumPart::Zip, &h1);
        checked
            .map(|()| policy.has_new())
            .map_err(|error| error.chain())
    };
    assert_eq!(check("", &right, ""), Ok(false));
    assert_eq!(check("", "", &right), Ok(false));
    assert_eq!(check(&right, &wrong, ""), Ok(false));
    assert_eq!(check("", "", ""), Ok(true));
    let named = |label: &str| format!("\t{label}:     {EMPTY}\n");
    let refused = check(&wrong, &right, &right).unwrap_err();
    assert!(refused.contains(&named("go.work.sum")), "{refused}");
    let refused = check("", &right, &wrong).unwrap_err();
    let file = at("other.sum").display().to_string();
    assert!(refused.contains(&named(&file)), "{refused}");
}
