//! The client and answers that are slow, encoded, indiscreet, or do not come.

use super::*;
use crate::http::answer::gzip;
use crate::http::testserver::Wire;

/// The URL of a path of the server, with credentials.
fn with_user(server: &Server, path: &str) -> String {
    format!("http://us3r:s3cr%2Ft@127.0.0.1:{}{path}", server.port)
}

/// What the server may say of `us3r:s3cr/t`; printf 'us3r:s3cr/t' | base64
const ECHO: &str = "bad: us3r:s3cr/t us3r%3As3cr%2ft Basic dXMzcjpzM2NyL3Q= s3cr/t t/rc3s";

/// Nothing of `ECHO` is in any form of the error.
fn check_discreet(error: &Error) {
    let all = format!("{error:?} {} {:?}", error.chain(), error.hints());
    for part in ["s3cr", "dXMz", "t/rc3s"] {
        assert!(!all.contains(part), "{all}");
    }
}

#[test]
fn an_echo_of_credentials_is_not_shown() {
    let server = Server::start(|target, _, wire| {
        let encoded = "Location: /seen/us3r:s3cr%2Ft?us3r:s3cr%2Ft\r\n";
        match target {
            "/303" => reply(wire, "302 Found", encoded, ""),
            "/bad" => reply(wire, "302 Found", "Location: http://s3cr/%s3\r\n", ""),
            "/ftp" => reply(wire, "302 Found", "Location: ftp://us3r:s3cr@x/\r\n", ""),
            "/host" => reply(
                wire,
                "302 Found",
                "Location: http://x.s3CR3t.invalid/\r\n",
                "",
            ),
            "/encoded" => reply(wire, "200 OK", "Content-Encoding: br, s3cr\r\n", ""),
            _ => reply(wire, "403 s3cr", "Content-Type: text/plain\r\n", ECHO),
        }
    });
    let recorder = Arc::new(Urls::default());
    let client = Client::new(settings(), recorder.clone());
    for path in ["/x", "/303", "/bad", "/ftp", "/encoded"] {
        let error = get(&client, &with_user(&server, path)).unwrap_err();
        check_discreet(&error);
    }
    let error = get(&client, &with_user(&server, "/x")).unwrap_err();
    assert_eq!(
        error.chain(),
        format!(
            "reading http://us3r:xxxxx@127.0.0.1:{}/x: 403 Forbidden\n\t\
             server response: [Not shown: it may repeat credentials.]",
            server.port
        )
    );
    let seen = recorder.0.lock().unwrap().join(" ");
    assert!(seen.contains("/xxxxx") && !seen.contains("s3cr"), "{seen}");

    let host = with_user(&server, "/host").replace("s3cr%2Ft", "s3cr3t");
    let error = get(&client, &host).unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    check_discreet(&error);

    // Without anything to repeat the text is shown, and so it is in a query's place.
    let error = get(&client, &server.url("/x")).unwrap_err();
    assert!(error.chain().contains("server response: bad: us3r"));
    let error = get(&client, &server.url("/x?token=s3cr")).unwrap_err();
    check_discreet(&error);
}

/// The URLs of responses.
#[derive(Default)]
struct Urls(Mutex<Vec<String>>);

impl EventSink for Urls {
    fn event(&self, event: &Event<'_>) {
        if let Event::ExchangeFinished(over) = event {
            self.0.lock().unwrap().push(over.url.to_string());
        }
    }
}

#[test]
fn an_echo_of_the_http_proxys_credentials_is_not_shown() {
    let server = Server::start(|target, _, wire| {
        if target.ends_with("/redirect") {
            let location = "Location: http://other.example.com/us3r:s3cr%2Ft\r\n";
            return reply(wire, "302 Found", location, "");
        }
        reply(wire, "407 No", "Content-Type: text/plain\r\n", ECHO)
    });
    let proxy = ProxySettings {
        http_proxy: Some(with_user(&server, "")),
        ..ProxySettings::default()
    };
    let recorder = Arc::new(Urls::default());
    let settings = Settings {
        proxy,
        ..settings()
    };
    let client = Client::new(settings, recorder.clone());
    for path in ["x", "redirect"] {
        let error = get(&client, &format!("http://a.example.com/{path}")).unwrap_err();
        assert!(error.chain().contains("407 Proxy Auth"), "{error:?}");
        check_discreet(&error);
    }
    let seen = recorder.0.lock().unwrap().join(" ");
    assert!(seen.contains("http://other.example.com/xxxxx"), "{seen}");
    assert!(server.heads()[0].contains("Basic dXMzcjpzM2NyL3Q="));
}

/// A byte every 20 ms, until the client hangs up.
fn drip(wire: &mut dyn Wire) -> Then {
    while wire.write_all(b"x").and_then(|()| wire.flush()).is_ok() {
        thread::sleep(MS(20));
    }
    Then::Close
}

#[test]
fn a_small_body_that_drips_is_tried_again() {
    let server = Server::start(|target, count, wire| match (target, count) {
        ("/body", 1) | ("/always", _) => {
            raw(wire, "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n");
            drip(wire)
        }
        ("/error", 1) => {
            raw(wire, "HTTP/1.1 503 No\r\nContent-Length: 99999\r\n\r\n");
            drip(wire)
        }
        _ => reply(wire, "200 OK", "", "whole"),
    });
    let limited = Settings {
        stall_timeout: MS(300),
        small_body_timeout: MS(400),
        ..settings()
    };
    let (client, waits) = new_client(limited.clone());
    for (path, retries) in [("/body", 1), ("/error", 1)] {
        let fetched = get(&client, &server.url(path)).unwrap();
        assert_eq!(
            (fetched.value.as_slice(), fetched.retries),
            (&b"whole"[..], retries)
        );
    }
    assert_eq!(waits.lock().unwrap().len(), 2);
    let (text, kind, transient) = failure(&server, &client, "/always");
    let want = "reading http://HOST/always: HOST did not send all of it within 400ms \
                (tried 3 times)";
    assert_eq!(
        (text.as_str(), kind, transient),
        (want, Kind::Network, true)
    );

    // A stall time-out that somebody made longer counts for the whole as well.
    let patient = Settings {
        stall_timeout: MS(450),
        ..limited
    };
    let (client, _) = new_client(patient);
    let (text, ..) = failure(&server, &client, "/always");
    assert!(text.contains("within 450ms"), "{text}");
}

#[test]
fn a_body_for_a_sink_may_drip_but_not_what_comes_before() {
    let server = Server::start(|target, _, wire| {
        if target == "/error" {
            raw(wire, "HTTP/1.1 404 No\r\nContent-Length: 99999\r\n\r\n");
            return drip(wire);
        }
        if target == "/moved" {
            let head = "HTTP/1.1 302 Found\r\nLocation: /zip\r\nContent-Length: 99999\r\n\r\n";
            raw(wire, head);
            return drip(wire);
        }
        raw(wire, "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n");
        for _ in 0..12 {
            thread::sleep(MS(50));
            raw(wire, "x");
        }
        Then::Keep
    });
    let (client, _) = new_client(Settings {
        small_body_timeout: MS(100),
        ..settings()
    });
    let url = |path| Url::parse(&server.url(path)).unwrap();
    let mut body = Vec::new();
    for path in ["/zip", "/moved"] {
        body.clear();
        let fetched = client.get_into(&url(path), LIMIT, &mut body).unwrap();
        assert_eq!((body.len(), fetched.retries), (12, 0), "{path}");
    }
    let error = client.get_into(&url("/error"), LIMIT, &mut body);
    assert!(error.unwrap_err().is_not_found());
}

#[test]
fn gzip_is_undone_and_other_encodings_are_refused() {
    let zeros = vec![0; 100_000];
    let (whole, bomb) = (gzip(b"the whole"), gzip(&zeros));
    let (whole_len, bomb_len) = (whole.len() as u64, bomb.len() as u64);
    let server = Server::start(move |target, count, wire| {
        let send = |wire: &mut dyn Wire, name: &str, body: &[u8]| {
            let length = body.len();
            raw(
                wire,
                &format!(
                    "HTTP/1.1 200 OK\r\nContent-Encoding: {name}\r\nContent-Length: {length}\r\n\r\n"
                ),
            );
            let _ = wire.write_all(body);
            Then::Keep
        };
        match target {
            "/cut" if count == 1 => send(wire, "gzip", &whole[..whole.len() - 3]),
            "/false" if count == 1 => send(wire, "gzip", b"module a\n"),
            // The length is of the encoded bytes, and these are not all of them.
            "/short" if count == 1 => {
                raw(
                    wire,
                    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 999\r\n\r\n",
                );
                let _ = wire.write_all(&whole);
                Then::Close
            }
            "/x" => send(wire, "x-gzip", &whole),
            "/bomb" => send(wire, "gzip", &bomb),
            "/br" => send(wire, "br", b"..."),
            "/plain" => send(wire, "identity", b"the whole"),
            "/error" => {
                let body = gzip(b"not found: no such module");
                let length = body.len();
                raw(
                    wire,
                    &format!(
                        "HTTP/1.1 404 No\r\nContent-Type: text/plain\r\n\
                         Content-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n"
                    ),
                );
                let _ = wire.write_all(&body);
                Then::Keep
            }
            _ => send(wire, "gzip", &whole),
        }
    });
    let (client, _) = new_client(settings());
    let rows = [
        ("/gzip", 0),
        ("/x", 0),
        ("/cut", 1),
        ("/false", 1),
        ("/short", 1),
    ];
    for (path, retries) in rows {
        let fetched = get(&client, &server.url(path)).unwrap();
        assert_eq!(fetched.value, b"the whole", "{path}");
        assert_eq!(
            (fetched.bytes, fetched.retries),
            (whole_len, retries),
            "{path}"
        );
    }
    assert_eq!(get(&client, &server.url("/plain")).unwrap().bytes, 9);

    let (text, kind, transient) = failure(&server, &client, "/br");
    let want = "reading http://HOST/br: HOST answered with an unsupported Content-Encoding (br), \
                and was asked for none";
    assert_eq!(
        (text.as_str(), kind, transient),
        (want, Kind::Network, false)
    );
    let (text, ..) = failure(&server, &client, "/error");
    let want = "reading http://HOST/error: 404 No\n\t\
                server response: not found: no such module";
    assert_eq!(text, want);

    let bomb = Url::parse(&server.url("/bomb")).unwrap();
    assert_eq!(client.get(&bomb, 100_000).unwrap().bytes, bomb_len);
    let error = client.get(&bomb, 99_999).unwrap_err();
    assert!(TooLarge::caused(&error) && !error.is_transient());
}

#[test]
fn a_connection_closed_while_idle_is_no_failed_try() {
    let server = Server::start(|target, count, wire| match (target, count) {
        // The request has arrived on a connection that was idle; no byte of an answer follows.
        ("/stale", 1) | ("/never", _) => Then::Close,
        ("/half", 1) => {
            raw(wire, "HTTP/1.1 200");
            Then::Close
        }
        _ => reply(wire, "200 OK", "", "whole"),
    });
    let (client, waits) = new_client(settings());
    get(&client, &server.url("/first")).unwrap();
    let fetched = get(&client, &server.url("/stale")).unwrap();
    assert_eq!(
        (fetched.value.as_slice(), fetched.retries),
        (&b"whole"[..], 0)
    );
    assert!(waits.lock().unwrap().is_empty());
    assert_eq!((server.connections(), server.heads().len()), (2, 3));

    // An answer that has begun is another matter, and so is a connection that is new.
    let fetched = get(&client, &server.url("/half")).unwrap();
    assert_eq!(fetched.retries, 1);
    let (text, ..) = failure(&server, &client, "/never");
    assert!(
        text.ends_with("closed the connection early (tried 3 times)"),
        "{text}"
    );
    let asked = server
        .heads()
        .iter()
        .filter(|head| head.contains("/never"))
        .count();
    assert_eq!(asked, 1 + 3, "the stale one, and three tries");
}

#[test]
fn what_is_known_is_asked_for_conditionally_and_304_stands_for_it() {
    let server = Server::start(|target, count, wire| match (target, count) {
        ("/moved", _) => reply(wire, "302 Found", "Location: /list\r\n", ""),
        ("/list", 1) => reply(wire, "200 OK", "ETag: W/\"1\"\r\n", "one"),
        ("/list", 2) => reply(wire, "304 Not Modified", "ETag: W/\"1\"\r\n", ""),
        _ => reply(wire, "200 OK", "", "two"),
    });
    let (client, _) = new_client(settings());
    let knowing = client.bind(RequestContext {
        known: Some(Arc::default()),
        ..client.context.clone()
    });
    for _ in 0..2 {
        assert_eq!(get(&knowing, &server.url("/moved")).unwrap().value, b"one");
    }
    // Known is what that URL led to, and not this one.
    assert_eq!(get(&knowing, &server.url("/list")).unwrap().value, b"two");
    let heads = server.heads();
    let asks = |head: &String| head.to_lowercase().contains("if-none-match: w/\"1\"");
    let asked: Vec<bool> = heads.iter().map(asks).collect();
    assert_eq!(asked, [false, false, false, true, false], "{heads:?}");
}
