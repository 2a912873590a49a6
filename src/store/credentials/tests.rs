use std::fs;

use super::*;
use crate::event::NoEvents;
use crate::http::{Server, Settings, reply};

fn chain(variables: &[(&str, &str)]) -> KeyChain {
    chain_with(variables, Settings::default())
}

fn chain_with(variables: &[(&str, &str)], settings: Settings) -> KeyChain {
    let environment = StoreEnvironment::new(variables.iter().copied());
    let profile = read_profile(&environment).unwrap();
    let client = Client::new(settings, Arc::new(NoEvents));
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
fn a_relative_uri_is_a_path_of_the_host_for_containers() {
    // The HTTP proxy sees which host is asked.
    let server = Server::start(|target, _, wire| {
        assert_eq!(target, "http://169.254.170.2/v2/credentials/1");
        reply(wire, "200 OK", "", JSON)
    });
    let mut settings = Settings::default();
    settings.proxy.http_proxy = Some(server.url(""));
    let uri = (
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "/v2/credentials/1",
    );
    let keys = chain_with(&[uri], settings).keys().unwrap();
    assert_eq!(keys.access_key, "A");
    assert_eq!(keys.session_token.as_deref(), Some("T"));
    assert_eq!(server.heads().len(), 1);
}

#[test]
fn tokens_in_files_are_read_for_each_exchange() {
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    let server = Server::start(|target, _, wire| {
        let keys = JSON.replace("2999", "2001");
        let xml = "<R><AccessKeyId>W</AccessKeyId><SecretAccessKey>S</SecretAccessKey>\
                   <SessionToken>T</SessionToken><Expiration>2001-01-01T00:00:00Z</Expiration></R>";
        match target {
            "/c" => reply(wire, "200 OK", "", &keys),
            _ => reply(wire, "200 OK", "", xml),
        }
    });
    let file = token.display().to_string();
    let (container, sts) = (server.url("/c"), server.url("/sts"));
    let of_container = chain(&[
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &file),
    ]);
    let of_role = chain(&[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &file),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x"),
        ("AWS_ROLE_SESSION_NAME", "ci-7"),
        ("AWS_ENDPOINT_URL_STS", &sts),
    ]);
    // The keys have expired, so that each question is an exchange.
    for text in ["one\n", "two\n"] {
        fs::write(&token, text).unwrap();
        of_container.keys().unwrap();
        of_role.keys().unwrap();
    }
    let heads = server.heads();
    assert_eq!(heads.len(), 4);
    for (heads, token) in heads.chunks(2).zip(["one", "two"]) {
        let container = heads[0].to_ascii_lowercase();
        assert!(container.contains(&format!("authorization: {token}\r\n")));
        assert!(heads[1].contains(&format!("WebIdentityToken={token}")));
        assert!(heads[1].contains("RoleSessionName=ci-7"));
    }
    fs::remove_file(&token).unwrap();
    for chain in [of_container, of_role] {
        let error = chain.keys().unwrap_err().chain();
        assert!(
            error.contains("cannot read") && error.contains(&file),
            "{error}"
        );
    }
}

#[test]
fn profiles_have_keys_or_the_role_of_a_token() {
    let home = tempfile::tempdir().unwrap();
    let aws = home.path().join(".aws");
    fs::create_dir(&aws).unwrap();
    let token = home.path().join("token");
    fs::write(&token, "webtoken").unwrap();
    let config = format!(
        "[default]\naws_access_key_id = fromconfig\naws_secret_access_key = s\n\
         [profile role]\nrole_arn = arn:aws:iam::1:role/y\nweb_identity_token_file = {}\n\
         [profile sso]\nsso_session = x\n[profile half]\naws_access_key_id = h\n",
        token.display()
    );
    fs::write(aws.join("config"), config).unwrap();
    let keys =
        "[default]\naws_access_key_id = D\naws_secret_access_key = d\naws_session_token = t\n";
    fs::write(aws.join("credentials"), keys).unwrap();
    let server = Server::start(|target, _, wire| {
        assert!(target.contains("role%2Fy"), "{target}");
        let xml = "<R><AccessKeyId>W</AccessKeyId><SecretAccessKey>S</SecretAccessKey>\
                   <SessionToken>T</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></R>";
        reply(wire, "200 OK", "", xml)
    });
    let (home, sts) = (home.path().display().to_string(), server.url(""));
    let base = [("HOME", home.as_str()), ("AWS_ENDPOINT_URL_STS", &sts)];
    let with = |more: &[(&str, &str)]| chain(&[&base[..], more].concat()).keys();
    // The file of credentials counts before that of settings.
    let default = with(&[]).unwrap();
    assert_eq!(default.access_key, "D");
    assert_eq!(default.session_token.as_deref(), Some("t"));
    for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        assert_eq!(with(&[(variable, "role")]).unwrap().access_key, "W");
    }
    let rows = [
        ("sso", "profile sso: sso_session is not supported"),
        (
            "half",
            "profile half: aws_access_key_id is set and aws_secret_access_key is not",
        ),
    ];
    for (profile, want) in rows {
        let error = with(&[("AWS_PROFILE", profile)]).unwrap_err();
        assert_eq!((error.kind(), error.chain().as_str()), (Kind::Auth, want));
    }
    // Variables count before all files.
    let variables = [
        ("AWS_ACCESS_KEY_ID", "V"),
        ("AWS_SECRET_ACCESS_KEY", "v"),
        ("AWS_SESSION_TOKEN", "w"),
        ("AWS_PROFILE", "role"),
    ];
    let keys = with(&variables).unwrap();
    assert_eq!(keys.access_key, "V");
    assert_eq!(keys.session_token.as_deref(), Some("w"));
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
