//! The client against a real server that misbehaves.

mod answers;
mod cancelled;
mod limits;
mod resume;
mod secure;

use std::fs;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::*;
use crate::cancel::CancelToken;
use crate::event::{Exchange, NoEvents};
use crate::http::testserver::{Server, Then, raw, reply};
use crate::http::{ProxySettings, Resumable, RetryPolicy, RootSettings};

const MS: fn(u64) -> Duration = Duration::from_millis;
const LIMIT: u64 = 1 << 20;

/// Does not sleep, but remembers having been asked to.
#[derive(Clone, Default)]
struct FakeTimer(Arc<Mutex<Vec<Duration>>>);

impl Timer for FakeTimer {
    fn now(&self) -> SystemTime {
        // 1994-11-06 08:49:00 UTC
        UNIX_EPOCH + Duration::from_secs(784_111_740)
    }

    fn instant(&self) -> Instant {
        static START: OnceLock<Instant> = OnceLock::new();
        *START.get_or_init(Instant::now) + self.0.lock().unwrap().iter().sum::<Duration>()
    }

    fn wait(&self, wait: Duration, _: &CancelToken) {
        self.0.lock().unwrap().push(wait);
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}

#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl EventSink for Recorder {
    fn event(&self, event: &Event<'_>) {
        let line = match event {
            Event::RequestStarted { attempt, .. } => format!("start {attempt}"),
            Event::ExchangeFinished(over) => {
                let Exchange { attempt, bytes, .. } = over;
                let status = over.status.unwrap_or_default();
                format!("exchange {attempt} {status} {bytes}")
            }
            Event::RequestResumed { bytes, .. } => format!("resume {bytes}"),
            Event::BodyReceived { bytes, .. } => format!("body {bytes}"),
            Event::RequestRetried { attempt, wait, .. } => format!("retry {attempt} {wait:?}"),
            Event::RequestFailed { attempt, .. } => format!("failed {attempt}"),
            Event::HostOpened { cause, .. } => format!("given up: {cause}"),
            Event::RequestFinished { bytes, .. } => format!("done {bytes}"),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

fn settings() -> Settings {
    Settings {
        stall_timeout: MS(200),
        retry: RetryPolicy {
            retries: 2,
            ..RetryPolicy::default()
        },
        ..Settings::default()
    }
}

/// A client and the waits it asked for.
fn new_client(settings: Settings) -> (Client, Arc<Mutex<Vec<Duration>>>) {
    let timer = FakeTimer::default();
    let waits = timer.0.clone();
    (
        Client::with_timer(settings, Arc::new(NoEvents), Box::new(timer)),
        waits,
    )
}

/// The same client for work that has to be done by then.
fn until(client: &Client, deadline: Option<Deadline>) -> Client {
    client.bind(RequestContext {
        cancel: CancelToken::new().with_deadline(deadline),
        ..client.context.clone()
    })
}

fn get(client: &Client, url: &str) -> Result<Fetched<Vec<u8>>> {
    client.get(&Url::parse(url).unwrap(), LIMIT)
}

/// The error's text with the server's address replaced, its kind and its transience.
fn failure(server: &Server, client: &Client, path: &str) -> (String, Kind, bool) {
    let error = get(client, &server.url(path)).unwrap_err();
    let text = error
        .chain()
        .replace(&format!("127.0.0.1:{}", server.port), "HOST");
    (text, error.kind(), error.is_transient())
}

#[test]
fn statuses_end_or_are_retried() {
    // (status, tries, kind)
    let rows = [
        ("404 Not Found", 1, Kind::NotFound),
        ("410 Gone", 1, Kind::NotFound),
        ("400 Bad Request", 1, Kind::Network),
        ("401 Unauthorized", 1, Kind::Auth),
        ("403 Forbidden", 1, Kind::Auth),
        ("204 No Content", 1, Kind::Network),
        ("302 Found", 1, Kind::Network),
        ("501 Not Implemented", 1, Kind::Network),
        ("408 Request Timeout", 3, Kind::Network),
        ("425 Too Early", 3, Kind::Network),
        ("429 Too Many Requests", 3, Kind::Network),
        ("500 Internal Server Error", 3, Kind::Network),
        ("502 Bad Gateway", 3, Kind::Network),
        ("503 Service Unavailable", 3, Kind::Network),
        ("504 Gateway Timeout", 3, Kind::Network),
    ];
    for (status, tries, kind) in rows {
        let server = Server::start(move |_, _, wire| {
            let body = if status.starts_with("204") {
                ""
            } else {
                "why\n"
            };
            reply(wire, status, "Content-Type: text/plain\r\n", body)
        });
        let (client, waits) = new_client(settings());
        let detail = if status.starts_with("204") {
            ""
        } else {
            "\n\tserver response: why"
        };
        let counted = match tries {
            1 => String::new(),
            _ => format!(" (tried {tries} times)"),
        };
        let want = format!("reading http://HOST/x: {status}{counted}{detail}");
        assert_eq!(failure(&server, &client, "/x"), (want, kind, tries > 1));
        assert_eq!(server.heads().len(), tries, "{status}");
        assert_eq!(waits.lock().unwrap().len(), tries - 1, "{status}");
    }
}

#[test]
fn retries_wait_as_the_server_says_and_are_reported() {
    let server = Server::start(|_, count, wire| match count {
        1 => reply(wire, "503 Busy", "Retry-After: 7\r\n", "later"),
        2 => reply(
            wire,
            "429 Slow",
            "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
            "",
        ),
        _ => reply(wire, "200 OK", "", "body"),
    });
    let recorder = Arc::new(Recorder::default());
    let timer = FakeTimer::default();
    let client = Client::with_timer(settings(), recorder.clone(), Box::new(timer));
    let fetched = get(&client, &server.url("/x")).unwrap();
    assert_eq!(
        fetched,
        Fetched {
            value: b"body".to_vec(),
            bytes: 4,
            resumed: 0,
            retries: 2
        }
    );
    assert_eq!(
        *recorder.0.lock().unwrap(),
        [
            "start 1",
            "exchange 1 503 Busy 0",
            "retry 1 7.125s",
            "start 2",
            "exchange 2 429 Slow 0",
            "retry 2 37.125s",
            "start 3",
            "body 4",
            "exchange 3 200 OK 4",
            "done 4",
        ]
    );
    assert_eq!(
        server.connections(),
        1,
        "error bodies are read, so connections are reused"
    );
}

#[test]
fn broken_answers_are_retried_from_the_start() {
    // (first answer, part of the reason when it stays so)
    let rows = [
        ("", "closed the connection early"),
        ("garbage\r\n\r\n", "malformed HTTP response"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            "closed the connection early",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "closed the connection early",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n",
            "malformed HTTP response",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Le",
            "closed the connection early",
        ),
    ];
    for (answer, reason) in rows {
        let server = Server::start(move |target, count, wire| {
            if target == "/always" || count == 1 {
                raw(wire, answer);
                return Then::Close;
            }
            reply(wire, "200 OK", "", "the whole")
        });
        let (client, _) = new_client(settings());
        let fetched = get(&client, &server.url("/once")).unwrap();
        assert_eq!(fetched.value, b"the whole", "{answer:?}");
        assert_eq!(fetched.retries, 1, "{answer:?}");
        let (text, kind, transient) = failure(&server, &client, "/always");
        assert!(text.starts_with("reading http://HOST/always: "), "{text}");
        assert!(text.contains(reason), "{answer:?}: {text}");
        assert_eq!((kind, transient), (Kind::Network, true));
        let error = get(&client, &server.url("/always")).unwrap_err();
        assert!(error.chain().ends_with(" (tried 3 times)"), "{text}");
        assert!(error.hints().is_empty());
    }
}

#[test]
fn a_stall_ends_a_try_wherever_it_happens() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    ] {
        let server = Server::start(move |_, count, wire| {
            if count == 1 {
                raw(wire, answer);
                // Longer than any patience; the client has to hang up.
                let _ = wire.read(&mut [0]);
                return Then::Close;
            }
            reply(wire, "200 OK", "", "the whole")
        });
        let (client, _) = new_client(settings());
        let started = Instant::now();
        let fetched = get(&client, &server.url("/x")).unwrap();
        assert_eq!(
            (fetched.value.as_slice(), fetched.retries),
            (&b"the whole"[..], 1)
        );
        // Not a measurement: without a stall time-out this would never end.
        assert!(started.elapsed() < Duration::from_secs(30));
    }
    let server = Server::start(|_, _, wire| {
        let _ = wire.read(&mut [0]);
        Then::Close
    });
    let (client, _) = new_client(settings());
    let (text, kind, transient) = failure(&server, &client, "/x");
    assert_eq!(
        text,
        "reading http://HOST/x: HOST sent nothing for 200ms (tried 3 times)"
    );
    assert_eq!((kind, transient), (Kind::Network, true));
}

#[test]
fn a_slow_body_is_no_stall() {
    // One byte every 50 ms for 600 ms, three times the stall time-out.
    let server = Server::start(|_, _, wire| {
        raw(wire, "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n");
        for byte in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"] {
            thread::sleep(MS(50));
            raw(wire, byte);
        }
        Then::Keep
    });
    let (client, _) = new_client(settings());
    let fetched = get(&client, &server.url("/x")).unwrap();
    assert_eq!(
        (fetched.value.as_slice(), fetched.retries),
        (&b"abcdefghijkl"[..], 0)
    );
}

#[test]
fn refused_connections_are_retried() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let (client, waits) = new_client(settings());
    let error = get(&client, &format!("http://127.0.0.1:{port}/x")).unwrap_err();
    assert_eq!(
        error.chain(),
        format!(
            "reading http://127.0.0.1:{port}/x: cannot connect to 127.0.0.1:{port}: \
             connection refused (tried 3 times)"
        )
    );
    assert_eq!(*waits.lock().unwrap(), [MS(125), MS(250)]);
}

#[test]
fn redirects_are_followed_to_the_tenth() {
    let server = Server::start(|target, _, wire| {
        let n: usize = target.trim_start_matches('/').parse().unwrap_or(0);
        match (target, n) {
            ("/loop", _) => reply(wire, "301 Moved", "Location: /loop\r\n", "moved"),
            ("/bad", _) => reply(wire, "302 Found", "Location: ftp://h/?secret\r\n", ""),
            ("/none", _) => reply(wire, "302 Found", "", ""),
            (_, 0) => reply(wire, "200 OK", "", "there"),
            (_, n) => reply(
                wire,
                "307 Temporary",
                &format!("Location: {}\r\n", n - 1),
                "on you go",
            ),
        }
    });
    let (client, _) = new_client(settings());
    assert_eq!(get(&client, &server.url("/10")).unwrap().value, b"there");
    assert_eq!(server.heads().len(), 11);
    assert_eq!(server.connections(), 1);
    let rows = [
        ("/11", "reading http://HOST/11: stopped after 10 redirects"),
        (
            "/loop",
            "reading http://HOST/loop: stopped after 10 redirects",
        ),
        ("/none", "reading http://HOST/none: 302 Found"),
        (
            "/bad",
            "reading http://HOST/bad: redirected to a malformed URL: unsupported protocol scheme",
        ),
    ];
    for (path, want) in rows {
        assert_eq!(
            failure(&server, &client, path),
            (want.to_owned(), Kind::Network, false),
            "{path}"
        );
    }
}

#[test]
fn credentials_stay_with_their_host() {
    let other = Server::start(|_, _, wire| reply(wire, "200 OK", "", "other"));
    let away = other.url("/x");
    let server = Server::start(move |target, _, wire| match target {
        "/base/away" => reply(wire, "302 Found", &format!("Location: {away}\r\n"), ""),
        "/base/near" => reply(wire, "302 Found", "Location: /base/x\r\n", ""),
        "/base/out" => reply(wire, "302 Found", "Location: /other\r\n", ""),
        _ => reply(wire, "200 OK", "", "here"),
    });
    let (client, _) = new_client(settings());
    let base = Url::parse(&format!(
        "http://user:pa%40ss@127.0.0.1:{}/base",
        server.port
    ))
    .unwrap();
    for path in ["away", "near", "out"] {
        client.get(&base.join(path), LIMIT).unwrap();
    }
    // printf 'user:pa@ss' | base64
    let header = "authorization: basic dxnlcjpwyubzcw==";
    let sent: Vec<_> = server
        .heads()
        .iter()
        .map(|head| {
            let target = head.split(' ').nth(1).unwrap().to_owned();
            (target, head.to_ascii_lowercase().contains(header))
        })
        .collect();
    let want = [
        ("/base/away", true),
        ("/base/near", true),
        ("/base/x", true),
        ("/base/out", true),
        ("/other", false),
    ];
    assert_eq!(sent, want.map(|(target, sent)| (target.to_owned(), sent)));
    assert_eq!(other.heads().len(), 1);
    assert!(
        !other.heads()[0]
            .to_ascii_lowercase()
            .contains("authorization")
    );
    let plain = get(&client, "http://user:secret@h.invalid/x").unwrap_err();
    assert_eq!(
        plain.chain(),
        "refusing to pass credentials to insecure URL: http://user:xxxxx@h.invalid/x"
    );
    assert_eq!(plain.kind(), Kind::Auth);
}

#[test]
fn requests_are_plain_and_connections_are_kept() {
    let server = Server::start(|_, _, wire| reply(wire, "200 OK", "", "x"));
    let (client, _) = new_client(settings());
    for _ in 0..5 {
        get(&client.clone(), &server.url("/a/@v/list")).unwrap();
    }
    assert_eq!(server.connections(), 1);
    let version = env!("CARGO_PKG_VERSION");
    let head = server.heads()[0].to_ascii_lowercase();
    let mut lines: Vec<&str> = head.trim_end().split("\r\n").collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "get /a/@v/list http/1.1",
            &format!("host: 127.0.0.1:{}", server.port),
            &format!("user-agent: modfetch/{version}"),
        ]
    );
}

#[test]
fn limits_hold_with_and_without_a_length() {
    let server = Server::start(|target, _, wire| match target {
        "/length" => reply(wire, "200 OK", "", "12345"),
        _ => {
            raw(
                wire,
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            );
            raw(wire, "3\r\n123\r\n2\r\n45\r\n0\r\n\r\n");
            Then::Keep
        }
    });
    let (client, _) = new_client(settings());
    for path in ["/length", "/chunks"] {
        let url = Url::parse(&server.url(path)).unwrap();
        assert_eq!(client.get(&url, 5).unwrap().value, b"12345");
        let error = client.get(&url, 4).unwrap_err();
        assert!(TooLarge::caused(&error) && !error.is_transient());
        assert!(
            error.chain().ends_with(": larger than 4 bytes"),
            "{}",
            error.chain()
        );
    }
    assert!(!TooLarge::caused(
        &get(&client, "file:///nonexistent").unwrap_err()
    ));
}

#[test]
fn huge_headers_are_refused() {
    let server = Server::start(|_, _, wire| {
        reply(
            wire,
            "200 OK",
            &format!("X: {}\r\n", "y".repeat(100_000)),
            "",
        )
    });
    let (client, _) = new_client(settings());
    let (text, _, transient) = failure(&server, &client, "/x");
    assert_eq!(
        text,
        "reading http://HOST/x: the response header is too large"
    );
    assert!(!transient);
}

#[test]
fn a_sink_that_fails_ends_it() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl BodySink for Full {
        fn restart(&mut self, _: Option<&Resumable>) -> io::Result<()> {
            Ok(())
        }
    }
    let server = Server::start(|_, _, wire| reply(wire, "200 OK", "", "x"));
    let (client, _) = new_client(settings());
    let url = Url::parse(&server.url("/x")).unwrap();
    let error = client.get_into(&url, LIMIT, &mut Full).unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (Kind::LocalIo, false));
    assert_eq!(server.heads().len(), 1);
}

#[test]
fn files_are_read_as_go_reads_them() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().display();
    fs::write(temp.path().join("a b"), "text").unwrap();
    let (client, _) = new_client(settings());
    let fetched = get(&client, &format!("file://{dir}/a%20b")).unwrap();
    assert_eq!(
        fetched,
        Fetched {
            value: b"text".to_vec(),
            bytes: 4,
            resumed: 0,
            retries: 0
        }
    );
    // (URL, text as go1.26 prints it below the module, kind)
    let rows = [
        ("none", "no such file or directory", Kind::NotFound),
        ("a%20b/x", "not a directory", Kind::LocalIo),
        ("", "is a directory", Kind::LocalIo),
    ];
    for (name, text, kind) in rows {
        let url = format!("file://{dir}/{name}");
        let error = get(&client, &url).unwrap_err();
        assert_eq!(error.chain(), format!("reading {url}: {text}"));
        assert_eq!(error.kind(), kind);
    }
    let url = Url::parse(&format!("file://{dir}/a%20b")).unwrap();
    assert!(TooLarge::caused(&client.get(&url, 3).unwrap_err()));
}

#[test]
fn a_new_client_has_done_nothing() {
    let (client, _) = new_client(settings());
    assert!(client.inner.network.get().is_none());
    get(&client, "file:///nonexistent").unwrap_err();
    assert!(client.inner.network.get().is_none());
}
