//! Metadata: what is stored, compared with what a real go stores.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::*;

/// Odd but acceptable inputs, for version v1.0.0 or the pseudo-version PSEUDO.
const GOOD: &[&str] = &[
    r#"{"Version":"v1.0.0","Time":"2020-01-02T03:04:05Z"}"#,
    r#"{"Version":"v1.0.0"}"#,
    "\n { \"Version\" : \"v1.0.0\" ,\r\n\t\"Time\":\"2020-01-02T03:04:05.120Z\" } \n",
    r#"{"Version":"v1.0.0","Time":"2020-01-02T03:04:05.123456789123Z"}"#,
    r#"{"Version":"v1.0.0","Time":"2020-01-02T03:04:05+02:00"}"#,
    r#"{"Version":"v1.0.0","Time":"2020-01-02T03:04:05-00:00"}"#,
    r#"{"Version":"v1.0.0","Time":"2020-01-02T03:04:05.000-07:30"}"#,
    r#"{"Version":"v1.0.0","Time":"2020-01-02T03:04:05,5Z"}"#,
    r#"{"Version":"v1.0.0","Time":"2020-01-02T3:04:05Z"}"#,
    r#"{"Version":"v1.0.0","Time":null}"#,
    r#"{"Version":"v1.0.0","Time":"2020-01-02T03:04:05Z","Name":"abc","Short":"ab","X":[{}]}"#,
    r#"{"version":"v1.0.0","TIME":"2020-01-02T03:04:05Z","oRIGIN":{"vcs":"git"}}"#,
    r#"{"Ver\u017fion":"v1.0.0"}"#,
    r#"{"Version":"v9.9.9","Version":"v1.0.0","Time":"2020-01-02T03:04:05Z","Time":null}"#,
    r#"{"Version":null,"Version":"v1.0.0","Origin":null}"#,
    r#"{"Version":"v1.0.0","Origin":{}}"#,
    r#"{"Version":"v1.0.0","Origin":{"VCS":"git"},"Origin":{"URL":"u","VCS":null}}"#,
    r#"{"Version":"v1.0.0","Origin":{"VCS":"git"},"Origin":null}"#,
    r#"{"Version":"v1.0.0","Origin":{"RepoSum":"r","Ref":"refs/tags/v1.0.0","TagSum":"t",
        "TagPrefix":"p","Hash":"h","Subdir":"s","URL":"https://u?a=b&c=<d>","VCS":"git"}}"#,
    r#"{"Version":"PSEUDO","Origin":{"VCS":"git","Ref":"refs/heads/main","Hash":"h"}}"#,
    r#"{"Version":"v1.0.0","Origin":{"URL":"\u003c\u2028\u2029é\ud83d\ude00\ud83d\b\f\n\u0001\u007f"}}"#,
    r#"{"Version":"v1.0.0","Origin":{"URL":"a\/b\"c\\d","Hash":""}}"#,
    r#"{"Version":"v1.0.0","Big":1e999,"Deep":[[[[{"a":[]}]]]]}"#,
    r#"{"Version":"v1.\u0030.0","Time":"0001-01-01T00:00:00Z"}"#,
    r#"{"Version":"v1.0.0","Time":"9999-12-31T23:59:59.999999999+23:59"}"#,
];

/// Inputs that go refuses.
const BAD: &[&str] = &[
    "",
    "<html>",
    "null",
    "[]",
    "{",
    r#"{"Version":"v1.0.0"} x"#,
    r#"{"Version":1}"#,
    r#"{"Version":"v1.0.1"}"#,
    r#"{"Version":"v1.0.0","Time":1}"#,
    r#"{"Version":"v1.0.0","Time":""}"#,
    r#"{"Version":"v1.0.0","Time":"2020-01-02"}"#,
    r#"{"Version":"v1.0.0","Time":"2020-01-02T03:04:05\u005a"}"#,
    r#"{"Version":"v1.0.0","Time":"2020-02-30T03:04:05Z"}"#,
    r#"{"Version":"v1.0.0","Origin":"git"}"#,
    r#"{"Version":"v1.0.0","Origin":{"VCS":true}}"#,
    r#"{"Version":"v1.0.0","Origin":{"Hash":{}}}"#,
];

const PSEUDO: &str = "v0.0.0-20200102030405-abcdefabcdef";

fn version_of(text: &str) -> &'static str {
    if text.contains("PSEUDO") {
        PSEUDO
    } else {
        "v1.0.0"
    }
}

/// Whether go is there; where it has to be, its absence is a failure.
fn go_is_there() -> bool {
    if Command::new("go").arg("version").output().is_ok() {
        return true;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of the test run, not of the program"
    )]
    let required = std::env::var_os("MODFETCH_REQUIRE_GO").is_some();
    assert!(!required, "go is required and was not found");
    false
}

/// Runs `go list -m -e -json` on modules of a tree of files; returns its output.
fn go_list(temp: &Path, modules: &[String]) -> Vec<serde_json::Value> {
    let output = Command::new("go")
        .args(["list", "-m", "-e", "-json"])
        .args(modules)
        .current_dir(temp)
        .env("GOPROXY", format!("file://{}/proxy", temp.display()))
        .env("GOMODCACHE", temp.join("cache"))
        .env("GOPATH", temp.join("gopath"))
        .env("HOME", temp)
        .env("GOENV", "off")
        .env("GOSUMDB", "off")
        .env("GOFLAGS", "-mod=mod")
        .env("GOTOOLCHAIN", "local")
        .env_remove("GONOPROXY")
        .env_remove("GOPRIVATE")
        .output()
        .unwrap();
    let values = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    values.map(Result::unwrap).collect()
}

#[test]
fn the_cache_gets_the_bytes_that_go_writes() {
    if !go_is_there() {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: no go");
        }
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mut modules = Vec::new();
    let inputs: Vec<&str> = GOOD.iter().chain(BAD).copied().collect();
    for (i, text) in inputs.iter().enumerate() {
        let version = version_of(text);
        let dir = temp.path().join(format!("proxy/a.com/m{i}/@v"));
        fs::create_dir_all(&dir).unwrap();
        let text = text.replace("PSEUDO", PSEUDO);
        fs::write(dir.join(format!("{version}.info")), text).unwrap();
        fs::write(
            dir.join(format!("{version}.mod")),
            format!("module a.com/m{i}\n"),
        )
        .unwrap();
        modules.push(format!("a.com/m{i}@{version}"));
    }
    let listed = go_list(temp.path(), &modules);
    assert_eq!(listed.len(), inputs.len());
    for (i, text) in inputs.iter().enumerate() {
        let version = version_of(text);
        let text = text.replace("PSEUDO", PSEUDO);
        let stored = temp
            .path()
            .join(format!("cache/cache/download/a.com/m{i}/@v/{version}.info"));
        let theirs = fs::read_to_string(stored).ok();
        let parsed = Info::parse(text.as_bytes());
        let ours = parsed.as_ref().ok().filter(|info| info.version == version);
        let ours = ours.map(Info::to_cache_json);
        assert_eq!(ours, theirs, "{text}");
        // What is stored is what would be stored again.
        if let Some(stored) = &theirs {
            let again = Info::parse_cached(stored.as_bytes()).unwrap();
            assert_eq!(again.to_cache_json(), *stored);
        }
        // The complaint is go's, too.
        let error = listed[i]["Error"]["Err"].as_str().unwrap_or_default();
        match parsed {
            Err(reason) if !reason.starts_with("parsing time") => {
                assert!(
                    error.ends_with(&format!(": {reason}")),
                    "{text}:\n{error}\n{reason}"
                );
            }
            Err(_) => assert!(error.contains(": parsing time \""), "{text}: {error}"),
            Ok(_) => {}
        }
    }
    assert!(GOOD.iter().all(|text| Info::parse(text.as_bytes()).is_ok()));
}

#[test]
fn known_bytes_without_go() {
    // From the cache of go1.26, by the test above.
    let rows = [
        (
            r#"{"version":"v1.0.0","Time":"2020-01-02T03:04:05.120+00:00","Name":"x"}"#,
            r#"{"Version":"v1.0.0","Time":"2020-01-02T03:04:05.12Z"}"#,
        ),
        (
            r#"{"Version":"v1.0.0","Origin":{"Ref":"r","TagSum":"t","VCS":"git","URL":"a&b"}}"#,
            "{\"Version\":\"v1.0.0\",\"Time\":\"0001-01-01T00:00:00Z\",\
             \"Origin\":{\"VCS\":\"git\",\"URL\":\"a\\u0026b\",\"Ref\":\"r\"}}",
        ),
    ];
    for (text, want) in rows {
        assert_eq!(Info::parse(text.as_bytes()).unwrap().to_cache_json(), want);
    }
}

#[test]
fn origins_print_in_gos_order() {
    let text = r#"{"Version":"v1.0.0","Origin":{"RepoSum":"8","Ref":"7","TagSum":"6",
        "TagPrefix":"5","Hash":"4","Subdir":"3","URL":"2","VCS":"1"}}"#;
    let origin = Info::parse(text.as_bytes()).unwrap().origin.unwrap();
    let fields: Vec<_> = origin
        .fields()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        fields.join(" "),
        "VCS=1 URL=2 Subdir=3 Hash=4 TagPrefix=5 TagSum=6 Ref=7 RepoSum=8"
    );
}

proptest::proptest! {
    #[test]
    fn parsing_never_panics(text in proptest::collection::vec(0u8.., 0..80)) {
        let _ = Info::parse(&text);
        let wrapped = [br#"{"Version":"v1.0.0","Time":""#, text.as_slice(), b"\"}"].concat();
        if let Ok(info) = Info::parse(&wrapped) {
            let json = info.to_cache_json();
            assert_eq!(Info::parse(json.as_bytes()).unwrap(), info);
        }
    }
}
