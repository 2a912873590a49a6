//! The front over real sockets, with a service of a few lines.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Mutex, OnceLock};

use super::*;
use crate::serve::http1::{
    Body, Http1Request, LiveEnd, LiveFile, Peer, Responder, Response, ServedExchange,
};

/// Answers by path; what is answered later is answered by the test.
struct Stub {
    file: Arc<File>,
    length: u64,
    later: Mutex<Vec<Responder>>,
    live: OnceLock<Arc<LiveFile>>,
    ended: Mutex<Vec<(u16, bool)>>,
}

impl Service for Stub {
    fn answer(
        &self,
        request: &Http1Request,
        _: Peer,
        later: &dyn Fn() -> Responder,
    ) -> Option<Response> {
        match &*request.path {
            "/file" => {
                let file = Arc::clone(&self.file);
                let (fields, tag) = (&request.fields, Some("\"tag\""));
                let kind = "application/zip";
                Some(Response::of_file(fields, file, self.length, kind, tag))
            }
            "/later" => {
                self.later.lock().unwrap().push(later());
                None
            }
            "/live" => {
                let live = Arc::clone(self.live.get().unwrap());
                Some(Response::new(200, "application/zip", Body::Live(live)))
            }
            path => Some(Response::text(200, path)),
        }
    }

    fn finished(&self, exchange: &ServedExchange<'_>) {
        let ended = (exchange.status, exchange.complete);
        self.ended.lock().unwrap().push(ended);
    }
}

struct Site {
    front: Option<Front>,
    stub: Arc<Stub>,
    address: SocketAddr,
    content: Vec<u8>,
}

fn site(limits: Limits) -> Site {
    // Longer than any socket takes at once.
    let content: Vec<u8> = (0..8_000_000_u32).flat_map(|n| n.to_le_bytes()).collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content).unwrap();
    let stub = Arc::new(Stub {
        file: Arc::new(file),
        length: content.len() as u64,
        later: Mutex::default(),
        live: OnceLock::new(),
        ended: Mutex::default(),
    });
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let service: Arc<dyn Service> = Arc::clone(&stub) as Arc<dyn Service>;
    let front = Front::start(vec![Listener::Tcp(listener)], None, &service, limits, 2);
    Site {
        front: Some(front.unwrap()),
        stub,
        address,
        content,
    }
}

impl Site {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        // Only so that a fault ends a test.
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream
    }

    /// Everything that comes until the server closes.
    fn all(&self, sent: &str) -> Vec<u8> {
        let mut stream = self.connect();
        stream.write_all(sent.as_bytes()).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        all
    }

    fn text(&self, sent: &str) -> String {
        String::from_utf8(self.all(sent)).unwrap()
    }
}

const CLOSE: &str = "Host: h\r\nConnection: close\r\n\r\n";

fn body(response: &[u8]) -> &[u8] {
    let end = response.windows(4).position(|four| four == b"\r\n\r\n");
    &response[end.unwrap() + 4..]
}

fn read_exactly(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

fn until(what: &str, seen: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !seen() {
        assert!(Instant::now() < deadline, "{what} was never there");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_file_goes_out_whole_and_in_parts() {
    let site = site(Limits::default());
    let whole = site.all(&format!("GET /file HTTP/1.1\r\n{CLOSE}"));
    assert!(whole.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(body(&whole) == site.content);
    let part = site.all(&format!(
        "GET /file HTTP/1.1\r\nRange: bytes=5-9\r\n{CLOSE}"
    ));
    let text = String::from_utf8_lossy(&part).into_owned();
    assert!(text.starts_with("HTTP/1.1 206 Partial Content\r\n"));
    assert!(text.contains("Content-Range: bytes 5-9/32000000\r\n"));
    assert_eq!(body(&part), &site.content[5..10]);
    let last = site.all(&format!(
        "GET /file HTTP/1.1\r\nRange: bytes=-100000\r\n{CLOSE}"
    ));
    assert!(body(&last) == &site.content[site.content.len() - 100_000..]);
    let head = site.text(&format!("HEAD /file HTTP/1.1\r\n{CLOSE}"));
    assert!(head.contains("Content-Length: 32000000\r\n") && head.ends_with("\r\n\r\n"));
    let same = site.text(&format!(
        "GET /file HTTP/1.1\r\nIf-None-Match: \"tag\"\r\n{CLOSE}"
    ));
    assert!(same.starts_with("HTTP/1.1 304") && same.ends_with("\r\n\r\n"));
}

#[test]
fn requests_that_come_together_are_answered_in_their_order() {
    let site = site(Limits::default());
    let mut sent = String::new();
    for number in 0..100 {
        sent.push_str(&format!("GET /{number} HTTP/1.1\r\nHost: h\r\n\r\n"));
    }
    sent.push_str(&format!("GET /last HTTP/1.1\r\n{CLOSE}"));
    let answers = site.text(&sent);
    let bodies: Vec<&str> = answers
        .lines()
        .filter(|line| line.starts_with('/'))
        .collect();
    let mut want: Vec<String> = (0..100).map(|number| format!("/{number}")).collect();
    want.push("/last".to_owned());
    assert_eq!(bodies, want);
}

#[test]
fn a_head_that_comes_byte_by_byte_is_a_head() {
    let site = site(Limits::default());
    let mut stream = site.connect();
    stream.set_nodelay(true).unwrap();
    for byte in format!("\r\nGET /slow HTTP/1.1\r\n{CLOSE}").bytes() {
        stream.write_all(&[byte]).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("/slow\n"));
}

#[test]
fn what_is_refused_is_answered_and_closed_though_bytes_are_unread() {
    let site = site(Limits::default());
    let table = [
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\nHost: h\n\n", "400"),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
            "400",
        ),
        ("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", "405"),
        ("GET / HTTP/3.0\r\nHost: h\r\n\r\n", "505"),
        ("\u{16}\u{3}\u{1}\u{2}", "400"),
    ];
    for (sent, status) in table {
        let junk = format!("{sent}{}", "x".repeat(20_000));
        let answer = site.text(&junk);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{sent:?}: {answer}"
        );
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{sent:?}");
    }
}

#[test]
fn an_answer_that_takes_time_holds_nothing_up() {
    let site = site(Limits::default());
    let mut slow = site.connect();
    slow.write_all(b"GET /later HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap();
    until("the request", || {
        !site.stub.later.lock().unwrap().is_empty()
    });
    assert!(
        site.text(&format!("GET /a HTTP/1.1\r\n{CLOSE}"))
            .ends_with("/a\n")
    );
    let responder = site.stub.later.lock().unwrap().pop().unwrap();
    responder.send(Response::text(404, "not found"));
    slow.shutdown(Shutdown::Write).unwrap();
    let mut answers = String::new();
    slow.read_to_string(&mut answers).unwrap();
    assert!(answers.starts_with("HTTP/1.1 404"));
    assert!(answers.ends_with("/next\n"), "{answers}");
}

#[test]
fn a_request_that_is_given_up_is_answered_all_the_same() {
    let site = site(Limits::default());
    let mut stream = site.connect();
    stream
        .write_all(format!("GET /later HTTP/1.1\r\n{CLOSE}").as_bytes())
        .unwrap();
    until("the request", || {
        !site.stub.later.lock().unwrap().is_empty()
    });
    site.stub.later.lock().unwrap().clear();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 500"));
}

/// A live file of the site, and what writes it.
fn live(site: &Site, length: Option<u64>) -> (Arc<LiveFile>, File) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let reader = file.reopen().unwrap();
    let live = Arc::new(LiveFile::new(reader, 0, length));
    site.stub.live.set(Arc::clone(&live)).unwrap();
    (live, file.into_file())
}

#[test]
fn a_live_file_goes_out_as_it_grows_and_ends_when_it_is_proven() {
    for length in [None, Some(300_000)] {
        let site = site(Limits::default());
        let (live, mut writer) = live(&site, length);
        let mut stream = site.connect();
        stream
            .write_all(format!("GET /live HTTP/1.1\r\n{CLOSE}").as_bytes())
            .unwrap();
        writer.write_all(&site.content[..200_000]).unwrap();
        live.grow(200_000);
        // All but the piece that is held back.
        let early = read_exactly(&mut stream, 130_000);
        assert!(early.starts_with(b"HTTP/1.1 200 OK"));
        writer.write_all(&site.content[200_000..300_000]).unwrap();
        live.grow(300_000);
        live.end(LiveEnd::Whole);
        let mut all = early;
        stream.read_to_end(&mut all).unwrap();
        let got = match length {
            Some(_) => body(&all).to_vec(),
            None => unchunk(body(&all)),
        };
        assert!(got == site.content[..300_000], "{length:?}");
        until("the report", || !site.stub.ended.lock().unwrap().is_empty());
        assert_eq!(*site.stub.ended.lock().unwrap(), [(200, true)]);
    }
}

#[test]
fn a_live_file_that_is_wrong_is_cut_before_its_end() {
    for length in [None, Some(300_000)] {
        let site = site(Limits::default());
        let (live, mut writer) = live(&site, length);
        let mut stream = site.connect();
        stream
            .write_all(format!("GET /live HTTP/1.1\r\n{CLOSE}").as_bytes())
            .unwrap();
        writer.write_all(&site.content[..300_000]).unwrap();
        live.grow(300_000);
        let mut all = read_exactly(&mut stream, 230_000);
        live.end(LiveEnd::Broken);
        stream.read_to_end(&mut all).unwrap();
        assert!(all.len() < 240_000);
        assert!(!all.ends_with(b"0\r\n\r\n"));
        until("the report", || !site.stub.ended.lock().unwrap().is_empty());
        assert_eq!(*site.stub.ended.lock().unwrap(), [(200, false)]);
    }
}

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let line = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = std::str::from_utf8(&bytes[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        bytes = &bytes[line + 2..];
        content.extend_from_slice(&bytes[..size]);
        assert_eq!(&bytes[size..size + 2], b"\r\n");
        bytes = &bytes[size + 2..];
        if size == 0 {
            assert!(bytes.is_empty());
            return content;
        }
    }
}

#[test]
fn abuse_ends_at_its_deadline_and_keeps_no_other_client_waiting() {
    let limits = Limits {
        head: Duration::from_millis(300),
        idle: Duration::from_millis(300),
        progress: Duration::from_millis(300),
        connections: 1000,
    };
    let site = site(limits);
    let mut abusers = Vec::new();
    for number in 0..60 {
        let mut stream = site.connect();
        match number % 3 {
            0 => stream.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap(),
            1 => stream
                .write_all(b"GET /file HTTP/1.1\r\nHost: h\r\n\r\n")
                .unwrap(),
            _ => {}
        }
        abusers.push(stream);
    }
    for _ in 0..20 {
        let answer = site.text(&format!("GET /fine HTTP/1.1\r\n{CLOSE}"));
        assert!(answer.ends_with("/fine\n"));
    }
    let open = site.front.as_ref().unwrap().open_connections();
    until("the end of all abusers", || {
        open.load(Ordering::Relaxed) == 0
    });
}

#[test]
fn one_connection_too_many_is_told_so() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let site = site(limits);
    let mut first = site.connect();
    first
        .write_all(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap();
    assert!(read_exactly(&mut first, 15).starts_with(b"HTTP/1.1 200 OK"));
    let mut second = site.connect();
    let mut answer = String::new();
    second.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"));
}

#[test]
fn idle_connections_make_room_for_clients_that_ask() {
    let limits = Limits {
        connections: 16,
        ..Limits::default()
    };
    let site = site(limits);
    let mut kept = Vec::new();
    for number in 0..100 {
        let mut stream = site.connect();
        let head = format!("GET /{number} HTTP/1.1\r\nHost: h\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let status = read_exactly(&mut stream, 15);
        assert!(status.starts_with(b"HTTP/1.1 200 OK"), "{number}");
        kept.push(stream);
    }
    // The oldest was closed, the newest is still there.
    let mut rest = Vec::new();
    kept[0].read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"/0\n"));
    let newest = kept.last_mut().unwrap();
    newest
        .write_all(format!("GET /again HTTP/1.1\r\n{CLOSE}").as_bytes())
        .unwrap();
    let mut rest = Vec::new();
    newest.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"/again\n"));
}

#[test]
fn a_drain_answers_what_was_asked_and_closes_the_rest() {
    let mut site = site(Limits::default());
    let mut idle = site.connect();
    idle.write_all(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap();
    let _ = read_exactly(&mut idle, 15);
    let mut busy = site.connect();
    busy.write_all(b"GET /later HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap();
    until("the request", || {
        !site.stub.later.lock().unwrap().is_empty()
    });
    let front = site.front.take().unwrap();
    let draining = thread::spawn(move || front.drain(Duration::from_secs(30)));
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).unwrap();
    assert!(TcpStream::connect(site.address).is_err());
    let responder = site.stub.later.lock().unwrap().pop().unwrap();
    responder.send(Response::text(200, "done"));
    let mut answer = String::new();
    busy.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("Connection: close") && answer.ends_with("done\n"));
    assert_eq!(draining.join().unwrap(), Drain::Finished);
}
