use std::sync::Arc;

use super::*;
use crate::event::NoEvents;
use crate::http::{Server, reply};
use crate::store::parts::PART_BYTES;

const VARIABLES: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "topsecret"),
    ("AWS_SESSION_TOKEN", "sessiontoken"),
];

fn store(server: &Server) -> ObjectStore {
    store_at(&[server])
}

fn store_at(servers: &[&Server]) -> ObjectStore {
    let urls: Vec<String> = servers.iter().map(|server| server.url("")).collect();
    let place = format!("s3://b/p?endpoint={}", urls.join(","));
    let settings = Settings {
        retry: RetryPolicy {
            retries: 0,
            ..RetryPolicy::default()
        },
        ..Settings::default()
    };
    ObjectStore::new(
        StorePlace::parse(&place).unwrap(),
        StoreEnvironment::new(VARIABLES),
        settings,
        &RequestContext::new(Arc::new(NoEvents)),
    )
    .unwrap()
}

/// A location, variables beside [`VARIABLES`], and the endpoint and region that follow.
type PlaceRow<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn region_and_endpoint_come_from_url_variables_and_profile() {
    let server = Server::start(|_, _, wire| reply(wire, "200 OK", "", ""));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config");
    let url = |path: &str| server.url(&format!("/{path}"));
    let profile = format!("[default]\nregion = r1\nendpoint_url = {}\n", url("e1"));
    std::fs::write(&file, profile).unwrap();
    let config = file.display().to_string();
    let place = format!("s3://b/p?region=r4&endpoint={}", url("e4"));
    let (e2, e3) = (url("e2"), url("e3"));
    // Each place without those that count before it.
    let rows: [PlaceRow<'_>; 4] = [
        ("s3://b/p", &[], "e1 r1"),
        (
            "s3://b/p",
            &[("AWS_DEFAULT_REGION", "r2"), ("AWS_ENDPOINT_URL", &e2)],
            "e2 r2",
        ),
        (
            "s3://b/p",
            &[("AWS_REGION", "r3"), ("AWS_ENDPOINT_URL_S3", &e3)],
            "e3 r3",
        ),
        (&place, &[], "e4 r4"),
    ];
    let mut variables = VARIABLES.to_vec();
    variables.push(("AWS_CONFIG_FILE", &config));
    for (text, more, want) in rows {
        variables.extend(more);
        let store = ObjectStore::new(
            StorePlace::parse(text).unwrap(),
            StoreEnvironment::new(variables.iter().copied()),
            Settings::default(),
            &RequestContext::new(Arc::new(NoEvents)),
        );
        store.unwrap().head("x").unwrap();
        let heads = server.heads();
        let head = heads.last().unwrap();
        let (endpoint, region) = want.split_once(' ').unwrap();
        assert!(
            head.starts_with(&format!("HEAD /{endpoint}/b/p/x ")),
            "{head}"
        );
        assert!(
            head.contains(&format!("/{region}/s3/aws4_request")),
            "{head}"
        );
    }
}

#[test]
fn listings_are_read_page_by_page() {
    let server = Server::start(|target, _, wire| {
        let one = |key: &str| {
            format!(
                "<Contents><Key>p%2F{key}</Key><LastModified>1970-01-02T00:00:00.000Z</LastModified>\
                 <Size>7</Size></Contents>"
            )
        };
        let page = match target.contains("continuation-token=a%26%2B") {
            false => format!(
                "{}<NextContinuationToken>a&amp;+</NextContinuationToken>",
                one("x")
            ),
            true => one("y%21%2B"),
        };
        reply(wire, "200 OK", "", &page)
    });
    let mut names = Vec::new();
    let listed = store(&server).list("", &mut |object| {
        assert_eq!(object.bytes, 7);
        assert_eq!(object.modified, UNIX_EPOCH + Duration::from_secs(86_400));
        names.push(object.name);
        Ok(())
    });
    listed.unwrap();
    assert_eq!(names, ["x", "y!+"]);
}

#[test]
fn a_clock_that_is_off_is_put_right_once() {
    let server = Server::start(|target, count, wire| {
        assert!(target.starts_with("/b/p/x"));
        let date = "Date: Fri, 24 May 2013 00:00:00 GMT\r\n";
        match count {
            1 => reply(
                wire,
                "403 Forbidden",
                date,
                "<Code>RequestTimeTooSkewed</Code>",
            ),
            _ => reply(wire, "200 OK", date, ""),
        }
    });
    store(&server).put("x", b"data", Existing::Replace).unwrap();
    let heads = server.heads();
    assert_eq!(heads.len(), 2);
    let second = heads[1].to_ascii_lowercase();
    assert!(second.contains("x-amz-date: 20130524t0000"), "{second}");
    assert!(second.contains("x-amz-security-token: sessiontoken"));
    assert!(!second.contains("if-none-match"));
}

#[test]
fn a_signed_url_is_made_by_the_clock_of_the_store() {
    // As Garage: what is signed by headers may be hours old, and a URL may not.
    let server = Server::start(|target, _, wire| {
        let date = "Date: Fri, 24 May 2013 00:00:00 GMT\r\n";
        let is_late = target.contains("X-Amz-Date=") && !target.contains("X-Amz-Date=20130524T");
        match is_late {
            true => reply(wire, "400 Bad Request", date, "<Code>InvalidRequest</Code>"),
            false => reply(wire, "200 OK", date, "data"),
        }
    });
    let store = store(&server);
    assert_eq!(store.get("x", 10).unwrap().value, b"data");
    assert_eq!(server.heads().len(), 3);
    let link = store.presigned_url("x", 900).unwrap();
    assert!(link.contains("X-Amz-Date=20130524T"), "{link}");
}

#[test]
fn a_get_over_plain_http_has_a_connection_of_its_own() {
    let server = Server::start(|_, _, wire| reply(wire, "200 OK", "", "data"));
    let store = store(&server);
    for _ in 0..2 {
        store.get("x", 10).unwrap();
    }
    assert_eq!(server.connections(), 2);
    store.head("x").unwrap();
    let closing = |head: &String| head.to_ascii_lowercase().contains("connection: close\r\n");
    let heads: Vec<bool> = server.heads().iter().map(closing).collect();
    assert_eq!(heads, [true, true, false]);
}

#[test]
fn another_endpoint_takes_the_place_of_one_that_fails() {
    let failing = Server::start(|_, _, wire| reply(wire, "503 Service Unavailable", "", ""));
    let working = Server::start(|_, _, wire| reply(wire, "200 OK", "", "data"));
    let store = store_at(&[&failing, &working]);
    assert_eq!(store.head("x").unwrap(), Some(4));
    assert_eq!(store.get("x", 10).unwrap().value, b"data");
    store.put("x", b"data", Existing::Replace).unwrap();
    assert_eq!((failing.heads().len(), working.heads().len()), (1, 3));
    assert!(store.failing().is_none());
    let link = store.presigned_url("x", 900).unwrap();
    assert!(link.starts_with(&working.url("")), "{link}");
    // A transfer moves on as well.
    let store = store_at(&[&failing, &working]);
    assert_eq!(store.get("x", 10).unwrap().value, b"data");
    // An answer is an answer: no other endpoint is asked for what is missing or refused.
    let refusing = Server::start(|target, _, wire| {
        let status = match target.starts_with("/b/p/missing") {
            true => "404 Not Found",
            false => "403 Forbidden",
        };
        reply(wire, status, "", "")
    });
    let untouched = Server::start(|_, _, wire| reply(wire, "200 OK", "", "data"));
    let store = store_at(&[&refusing, &untouched]);
    assert!(store.get("missing", 10).unwrap_err().is_not_found());
    assert_eq!(store.get("x", 10).unwrap_err().kind(), Kind::Auth);
    assert_eq!(untouched.heads().len(), 0);
    // Where all fail that is a failure of the store.
    let store = store_at(&[&failing, &failing]);
    let error = store.put("x", b"data", Existing::Replace).unwrap_err();
    assert_eq!(error.reason(), Some(Reason::StoreFailed));
    assert!(error.is_transient());
}

#[test]
fn an_object_that_is_there_may_be_kept() {
    let server = Server::start(|_, _, wire| {
        reply(
            wire,
            "412 Precondition Failed",
            "",
            "<Code>PreconditionFailed</Code>",
        )
    });
    let store = store(&server);
    store.put("x", b"data", Existing::Keep).unwrap();
    assert!(
        server.heads()[0]
            .to_ascii_lowercase()
            .contains("if-none-match: *")
    );
    assert_eq!(store.count(Operation::Put).failures, 0);
    assert!(store.failing().is_none());
    let error = store.put("x", b"data", Existing::Replace).unwrap_err();
    assert_eq!(error.reason(), Some(Reason::StoreHasIt));
}

#[test]
fn failures_name_object_and_code_and_no_secret() {
    let server = Server::start(|_, _, wire| {
        let body = "<Error><Code>SignatureDoesNotMatch</Code><Message>topsecret</Message></Error>";
        reply(wire, "403 Forbidden", "", body)
    });
    let store = store(&server);
    let put = store.put("x", b"data", Existing::Replace).unwrap_err();
    let get = store.get("x", 10).unwrap_err();
    assert!(
        put.chain()
            .starts_with("PUT s3://b/p/x: SignatureDoesNotMatch: "),
        "{put:?}"
    );
    assert!(get.chain().starts_with("GET s3://b/p/x: "), "{get:?}");
    for error in [&put, &get] {
        assert_eq!(error.kind(), Kind::Auth);
        assert_eq!(error.reason(), Some(Reason::StoreFailed));
        let shown = format!("{error:?}\n{store:?}");
        for secret in ["topsecret", "sessiontoken", "Signature="] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    let count = store.count(Operation::Get);
    assert_eq!((count.requests, count.failures, count.absent), (1, 1, 0));
    assert!(store.failing().is_some());
}

#[test]
fn what_is_missing_is_no_failure_of_the_store() {
    let server =
        Server::start(|_, _, wire| reply(wire, "404 Not Found", "", "<Code>NoSuchKey</Code>"));
    let store = store(&server);
    assert!(store.get("x", 10).unwrap_err().is_not_found());
    assert_eq!(store.head("x").unwrap(), None);
    store.delete("x").unwrap();
    assert!(store.failing().is_none());
    assert_eq!(store.count(Operation::Head).absent, 1);
}

#[test]
fn an_upload_that_fails_behind_its_status_fails_and_is_given_up() {
    let server = Server::start(|target, _, wire| {
        if target.ends_with("?uploads=") {
            return reply(wire, "200 OK", "", "<UploadId>u/1</UploadId>");
        }
        if target.contains("partNumber=") {
            return reply(wire, "200 OK", "ETag: \"e\"\r\n", "");
        }
        assert!(target.ends_with("uploadId=u%2F1"), "{target}");
        reply(
            wire,
            "200 OK",
            "",
            "<Error><Code>InternalError</Code></Error>",
        )
    });
    let file = tempfile::tempfile().unwrap();
    file.set_len(PART_BYTES + 1).unwrap();
    let store = store(&server);
    let error = store.put_file("x", &file, Existing::Keep).unwrap_err();
    assert!(error.chain().contains("InternalError"), "{}", error.chain());
    let methods: Vec<String> = (server.heads().iter())
        .map(|head| head.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(methods, ["POST", "PUT", "PUT", "POST", "DELETE"]);
}
