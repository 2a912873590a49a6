use std::fs;

use super::*;
use crate::event::NoEvents;
use crate::http::{Server, Settings, reply};

fn chain(variables: &[(&str, &str)]) -> KeyChain {
    let environment = StoreEnvironment::new(variables.iter().copied());
    let profile = read_profile(&environment).unwrap();
    let client = Client::new(Settings::default(), Arc::new(NoEvents));
    KeyChain::new(environment, profile, "r".into(), client)
}

const JSON: &str = r#"{"AccessKeyId":"A","SecretAccessKey":"S","Token":"T",
    "Expiration":"2999-01-01T00:00:00Z"}"#;

#[test]
fn each_place_has_its_turn() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let config = file(
        "config",
        "[profile ci]\naws_access_key_id = c\naws_secret_access_key = c2\n",
    );
    let keys = file(
        "keys",
        "[ci]\naws_access_key_id = p\naws_secret_access_key = p2\n",
    );
    let token = file("token", "webtoken\n");
    let server = Server::start(|target, _, wire| {
        if target.starts_with("/sts") {
            assert!(target.contains("WebIdentityToken=webtoken"), "{target}");
            return reply(
                wire,
                "200 OK",
                "",
                "<R><AccessKeyId>W</AccessKeyId><SecretAccessKey>S/&amp;</SecretAccessKey>\
                 <SessionToken>T</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></R>",
            );
        }
        match target {
            "/container" => reply(wire, "200 OK", "", &JSON.replace("\"A\"", "\"C\"")),
            "/latest/api/token" => reply(wire, "200 OK", "", "mdtoken"),
            "/latest/meta-data/iam/security-credentials/" => reply(wire, "200 OK", "", "role\n"),
            "/latest/meta-data/iam/security-credentials/role" => reply(wire, "200 OK", "", JSON),
            _ => reply(wire, "404 Not Found", "", ""),
        }
    });
    let (sts, container) = (server.url("/sts"), server.url("/container"));
    let metadata = server.url("");
    // Each place without those before it.
    let all = [
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.as_str(), "A"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container, "C"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "ctoken", "C"),
        ("AWS_CONFIG_FILE", &config, "C"),
        ("AWS_PROFILE", "ci", "c"),
        ("AWS_SHARED_CREDENTIALS_FILE", &keys, "p"),
        ("AWS_ENDPOINT_URL_STS", &sts, "p"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &token, "p"),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x", "W"),
    ];
    for count in 1..=all.len() {
        let set: Vec<(&str, &str)> = all[..count].iter().map(|row| (row.0, row.1)).collect();
        let keys = chain(&set).keys().unwrap();
        assert_eq!(keys.access_key, all[count - 1].2, "{:?}", set.last());
    }
    let heads = server.heads().join("\n").to_ascii_lowercase();
    assert!(heads.contains("x-aws-ec2-metadata-token: mdtoken"));
    assert!(heads.contains("authorization: ctoken"));
}

#[test]
fn keys_that_expire_are_fetched_again_and_others_are_kept() {
    let server = Server::start(|target, count, wire| {
        assert_eq!(target, "/c");
        let life = if count == 1 { "2001" } else { "2999" };
        let keys = JSON
            .replace("2999", life)
            .replace("\"A\"", &format!("\"A{count}\""));
        reply(wire, "200 OK", "", &keys)
    });
    let chain = chain(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &server.url("/c"))]);
    let names: Vec<_> = (0..3)
        .map(|_| chain.keys().unwrap().access_key.clone())
        .collect();
    assert_eq!(names, ["A1", "A2", "A2"]);
    let keys = chain.keys().unwrap();
    assert!(chain.refused(&keys));
    assert_eq!(chain.keys().unwrap().access_key, "A3");
}

#[test]
fn what_cannot_be_used_is_refused_with_a_reason() {
    let off = ("AWS_EC2_METADATA_DISABLED", "true");
    let rows: [(&[(&str, &str)], &str); 3] = [
        (&[off], "no keys for the store"),
        (
            &[("AWS_ACCESS_KEY_ID", "A"), off],
            "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not",
        ),
        (
            &[
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/c"),
                off,
            ],
            "container endpoint http://example.com/c: neither https nor a host of this machine",
        ),
    ];
    for (variables, want) in rows {
        let error = chain(variables).keys().unwrap_err();
        assert_eq!((error.kind(), error.chain().as_str()), (Kind::Auth, want));
    }
    let environment = StoreEnvironment::new([("AWS_PROFILE", "x"), ("HOME", "/nonexistent")]);
    let error = read_profile(&environment).unwrap_err();
    assert!(
        error.chain().starts_with("profile x: no such profile"),
        "{}",
        error.chain()
    );
}
