//! The client and transfers that are cut: gone on with where that is safe, and only there.

use super::*;
use crate::cancel::Deadline;
use crate::http::Validator;

/// Keeps what came, as the part of a zip does.
#[derive(Default)]
struct Part {
    bytes: Vec<u8>,
    of: Option<Resumable>,
}

impl io::Write for Part {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.bytes.write(data)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BodySink for Part {
    fn restart(&mut self, resumable: Option<&Resumable>) -> io::Result<()> {
        self.bytes.clear();
        // It knows no hash of the whole: what has no validator starts again.
        self.of = resumable.filter(|of| of.validator.is_some()).cloned();
        Ok(())
    }
    fn kept(&self) -> Option<PartialBody> {
        let bytes = self.bytes.len() as u64;
        self.of.clone().map(|of| PartialBody { of, bytes })
    }
}

const WHOLE: &str = "0123456789";

/// What a cut leaves, said in the words of an earlier run.
fn left(server: &Server, path: &str, bytes: &str) -> Part {
    let of = Resumable {
        url: server.url(path),
        validator: Validator::parse("\"a\""),
        length: 10,
    };
    Part {
        bytes: bytes.into(),
        of: Some(of),
    }
}

fn fetch(client: &Client, server: &Server, path: &str, part: &mut Part) -> Result<Fetched<()>> {
    client.get_into(&Url::parse(&server.url(path)).unwrap(), LIMIT, part)
}

/// The `Range` and `If-Range` of each request, `-` for none.
fn asked(server: &Server) -> Vec<String> {
    let of = |head: &String| {
        let value = |name: &str| {
            let line = head.lines().find(|line| {
                line.split(':')
                    .next()
                    .is_some_and(|n| n.eq_ignore_ascii_case(name))
            });
            line.and_then(|line| line.split_once(": "))
                .map(|(_, value)| value.to_owned())
        };
        match (value("range"), value("if-range")) {
            (Some(range), Some(validator)) => format!("{range} {validator}"),
            (None, None) => "-".to_owned(),
            odd => format!("{odd:?}"),
        }
    };
    server.heads().iter().map(of).collect()
}

#[test]
fn a_cut_body_is_gone_on_with_if_the_server_can_tell_that_it_is_the_same() {
    let old = "Last-Modified: Sun, 06 Nov 1994 08:00:00 GMT\r\n";
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let dated = format!("{old}{date}");
    let weak_and_dated = format!("ETag: W/\"a\"\r\n{dated}");
    let rows = [
        ("ETag: \"a\"\r\n", Some("\"a\"")),
        (dated.as_str(), Some("Sun, 06 Nov 1994 08:00:00 GMT")),
        ("ETag: W/\"a\"\r\n", None),
        (weak_and_dated.as_str(), None),
        (old, None),
        ("", None),
    ];
    for (headers, validator) in rows {
        let sent = headers.to_owned();
        let server = Server::start(move |_, count, wire| match (count, validator) {
            (1, _) => {
                raw(
                    wire,
                    &format!("HTTP/1.1 200 OK\r\n{sent}Content-Length: 10\r\n\r\n01234"),
                );
                Then::Close
            }
            (_, Some(_)) => {
                let range = "Content-Range: bytes 5-9/10\r\n";
                reply(wire, "206 Partial Content", range, "56789")
            }
            (_, None) => reply(wire, "200 OK", "", WHOLE),
        });
        let (client, waits) = new_client(settings());
        let mut part = Part::default();
        let fetched = fetch(&client, &server, "/x", &mut part).unwrap();
        assert_eq!(part.bytes, WHOLE.as_bytes(), "{headers}");
        let (bytes, resumed) = validator.map_or((10, 0), |_| (5, 5));
        let want = Fetched {
            value: (),
            bytes,
            resumed,
            retries: 1,
        };
        assert_eq!(fetched, want, "{headers}");
        let second = validator.map_or("-".to_owned(), |text| format!("bytes=5- {text}"));
        assert_eq!(asked(&server), ["-".to_owned(), second], "{headers}");
        assert_eq!(waits.lock().unwrap().len(), 1);
    }
}

#[test]
fn each_cut_adds_to_what_is_kept() {
    let server = Server::start(|_, count, wire| {
        let (from, to) = ((count - 1) * 3, (count * 3).min(10));
        let head = match count {
            1 => "200 OK\r\nETag: \"a\"\r\nContent-Length: 10".to_owned(),
            _ => format!(
                "206 Partial Content\r\nETag: \"a\"\r\nContent-Range: bytes {from}-9/10\r\n\
                 Content-Length: {}",
                10 - from
            ),
        };
        raw(
            wire,
            &format!("HTTP/1.1 {head}\r\n\r\n{}", &WHOLE[from..to]),
        );
        Then::Close
    });
    let recorder = Arc::new(Recorder::default());
    let settings = Settings {
        retry: RetryPolicy {
            retries: 3,
            ..RetryPolicy::default()
        },
        ..settings()
    };
    let client = Client::with_timer(settings, recorder.clone(), Box::<FakeTimer>::default());
    let mut part = Part::default();
    let fetched = fetch(&client, &server, "/x", &mut part).unwrap();
    assert_eq!(part.bytes, WHOLE.as_bytes());
    assert_eq!((fetched.bytes, fetched.resumed, fetched.retries), (1, 9, 3));
    let seen = recorder.0.lock().unwrap().clone();
    let resumed: Vec<_> = seen.iter().filter(|e| e.starts_with("resume")).collect();
    assert_eq!(resumed, ["resume 3", "resume 6", "resume 9"]);
}

#[test]
fn an_answer_that_is_not_the_rest_is_not_glued_to_what_is_kept() {
    let whole = "HTTP/1.1 200 OK\r\nETag: \"b\"\r\nContent-Length: 10\r\n\r\nabcdefghij";
    // (what the request for the rest is answered, requests that follow)
    let rows = [
        // The content has changed, or the server knows no ranges: no further request.
        (whole, &[][..]),
        (
            "HTTP/1.1 416 No\r\nContent-Range: bytes */3\r\nContent-Length: 0\r\n\r\n",
            &["-"],
        ),
        ("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n", &["-"]),
        ("HTTP/1.1 206 P\r\nContent-Length: 5\r\n\r\n56789", &["-"]),
        (
            "HTTP/1.1 206 P\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n456789",
            &["-"],
        ),
        (
            "HTTP/1.1 206 P\r\nContent-Range: bytes 5-9/11\r\nContent-Length: 5\r\n\r\n56789",
            &["-"],
        ),
        (
            "HTTP/1.1 206 P\r\nETag: \"b\"\r\nContent-Range: bytes 5-9/10\r\n\
             Content-Length: 5\r\n\r\n56789",
            &["-"],
        ),
        (
            "HTTP/1.1 206 P\r\nContent-Encoding: gzip\r\nContent-Range: bytes 5-9/10\r\n\
             Content-Length: 5\r\n\r\n56789",
            &["-"],
        ),
    ];
    for (answer, further) in rows {
        let server = Server::start(move |_, count, wire| {
            raw(wire, if count == 1 { answer } else { whole });
            Then::Keep
        });
        let (client, waits) = new_client(settings());
        let mut part = left(&server, "/x", "01234");
        let fetched = fetch(&client, &server, "/x", &mut part).unwrap();
        assert_eq!(part.bytes, b"abcdefghij", "{answer}");
        assert_eq!(
            (fetched.bytes, fetched.resumed, fetched.retries),
            (10, 0, 0)
        );
        let want = [&["bytes=5- \"a\""], further].concat();
        assert_eq!(asked(&server), want, "{answer}");
        // It is the same try: the server is well.
        assert!(waits.lock().unwrap().is_empty());
        assert_eq!(part.of.unwrap().validator.unwrap().as_str(), "\"b\"");
    }
}

#[test]
fn a_rest_that_is_short_or_long_is_tried_again() {
    for (first, then) in [("567", "89"), ("56789+", "56789")] {
        let server = Server::start(move |_, count, wire| {
            let body = if count == 1 { first } else { then };
            let from = 10 - if count == 1 { 5 } else { then.len() };
            // Neither length nor chunks: the end of the connection is the end of the body.
            raw(
                wire,
                &format!("HTTP/1.0 206 P\r\nContent-Range: bytes {from}-9/10\r\n\r\n{body}"),
            );
            Then::Close
        });
        let (client, _) = new_client(settings());
        let mut part = left(&server, "/x", "01234");
        let fetched = fetch(&client, &server, "/x", &mut part).unwrap();
        assert_eq!(
            (part.bytes.as_slice(), fetched.retries),
            (WHOLE.as_bytes(), 1)
        );
    }
}

#[test]
fn what_was_kept_outlasts_failures_that_bring_nothing() {
    let server = Server::start(|target, count, wire| match (target, count) {
        ("/busy", 1) => reply(wire, "503 Busy", "", "no"),
        ("/gone", _) => reply(wire, "404 No", "", "no"),
        ("/garbage", 1) => {
            raw(wire, "garbage\r\n\r\n");
            Then::Close
        }
        _ => reply(wire, "206 P", "Content-Range: bytes 5-9/10\r\n", "56789"),
    });
    let (client, _) = new_client(settings());
    for path in ["/busy", "/garbage"] {
        let mut part = left(&server, path, "01234");
        let fetched = fetch(&client, &server, path, &mut part).unwrap();
        assert_eq!(part.bytes, WHOLE.as_bytes());
        assert_eq!((fetched.resumed, fetched.retries), (5, 1), "{path}");
    }
    let mut part = left(&server, "/gone", "01234");
    let error = fetch(&client, &server, "/gone", &mut part).unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(part.bytes, b"01234");
}

#[test]
fn what_is_whole_or_of_another_url_is_not_asked_for() {
    let server = Server::start(|_, _, wire| reply(wire, "200 OK", "", "abcdefghij"));
    let (client, _) = new_client(settings());
    let mut part = left(&server, "/x", WHOLE);
    let fetched = fetch(&client, &server, "/x", &mut part).unwrap();
    assert_eq!((fetched.bytes, fetched.resumed), (0, 10));
    assert!(server.heads().is_empty());

    for mut part in [
        left(&server, "/other", "01234"),
        left(&server, "/x", "more than there is"),
        left(&server, "/x", ""),
    ] {
        let fetched = fetch(&client, &server, "/x", &mut part).unwrap();
        assert_eq!(part.bytes, b"abcdefghij");
        assert_eq!((fetched.bytes, fetched.resumed), (10, 0));
    }
    assert_eq!(asked(&server), ["-", "-", "-"]);

    // A whole that is larger than allowed is not taken for granted.
    let mut part = left(&server, "/x", WHOLE);
    let url = Url::parse(&server.url("/x")).unwrap();
    assert!(TooLarge::caused(
        &client.get_into(&url, 9, &mut part).unwrap_err()
    ));
}

#[test]
fn the_validator_is_that_of_where_redirects_lead_and_the_url_the_one_asked_for() {
    let server = Server::start(|target, count, wire| match (target, count) {
        ("/x", _) => {
            let headers = format!("ETag: \"of the redirect\"\r\nLocation: /cdn?sig={count}\r\n");
            reply(wire, "302 Found", &headers, "")
        }
        ("/cdn?sig=1", _) => {
            raw(
                wire,
                "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 10\r\n\r\n012",
            );
            Then::Close
        }
        _ => reply(wire, "206 P", "Content-Range: bytes 3-9/10\r\n", "3456789"),
    });
    let (client, _) = new_client(settings());
    let mut part = Part::default();
    let fetched = fetch(&client, &server, "/x", &mut part).unwrap();
    assert_eq!(part.bytes, WHOLE.as_bytes());
    assert_eq!((fetched.resumed, fetched.retries), (3, 1));
    assert_eq!(part.of.unwrap().url, server.url("/x"));
    let range = "bytes=3- \"a\"";
    assert_eq!(asked(&server), ["-", "-", range, range]);
}

#[test]
fn encoded_and_chunked_bodies_start_again() {
    for head in [
        "Content-Encoding: gzip\r\nContent-Length: 99\r\n\r\n\x1f",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n",
    ] {
        let server = Server::start(move |_, count, wire| {
            if count == 1 {
                raw(wire, &format!("HTTP/1.1 200 OK\r\nETag: \"a\"\r\n{head}"));
                return Then::Close;
            }
            reply(wire, "200 OK", "", WHOLE)
        });
        let (client, _) = new_client(settings());
        let mut part = Part::default();
        let fetched = fetch(&client, &server, "/x", &mut part).unwrap();
        assert_eq!(
            (part.bytes.as_slice(), fetched.retries),
            (WHOLE.as_bytes(), 1)
        );
        assert_eq!(asked(&server), ["-", "-"]);
    }
}

#[test]
fn no_try_begins_after_the_time_for_all_of_them() {
    let server = Server::start(|_, _, wire| reply(wire, "503 Busy", "Retry-After: 7\r\n", ""));
    let (client, waits) = new_client(Settings {
        retry: RetryPolicy {
            max_time: Some(MS(6000)),
            ..RetryPolicy::default()
        },
        ..settings()
    });
    let error = get(&client, &server.url("/x")).unwrap_err();
    assert!(error.is_transient() && error.hints()[0].contains("--retry-max-time"));
    assert_eq!((server.heads().len(), waits.lock().unwrap().len()), (1, 0));
}

#[test]
fn a_run_out_of_time_ends_what_is_under_way_and_begins_nothing() {
    let server = Server::start(|target, _, wire| {
        if target == "/busy" {
            return reply(wire, "503 Busy", "", "");
        }
        raw(
            wire,
            "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 10\r\n\r\n01234",
        );
        thread::sleep(MS(2000));
        Then::Close
    });
    let (client, waits) = new_client(Settings {
        stall_timeout: MS(30_000),
        ..settings()
    });
    let client = until(&client, Deadline::after(MS(300)));
    let mut part = Part::default();
    let error = fetch(&client, &server, "/x", &mut part).unwrap_err();
    let want = format!(
        "reading {}: the run took longer than 300ms",
        server.url("/x")
    );
    assert_eq!(error.chain(), want);
    assert_eq!((error.kind(), error.is_transient()), (Kind::Network, false));
    assert_eq!(part.bytes, b"01234", "what came is kept");
    let error = get(&client, &server.url("/busy")).unwrap_err();
    assert!(error.chain().contains("the run took longer"), "{error:?}");
    assert_eq!(server.heads().len(), 1);
    assert!(waits.lock().unwrap().is_empty());
}
