//! A running `modfetch serve`, and a client that says what it wants byte by byte.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::run::{Run, Running};
use super::sandbox::Sandbox;
use super::until;

/// A server on a free port of 127.0.0.1. It is killed when this is dropped.
pub struct Served {
    running: Option<Running>,
    address: String,
}

/// An answer of a server.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Status line and fields.
    pub head: String,
    /// The body, without its chunks' frames.
    pub body: Vec<u8>,
    /// The body ended as it said that it would.
    pub whole: bool,
}

impl Answer {
    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The body, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Served {
    /// Starts a server in a sandbox, with its environment.
    #[track_caller]
    pub fn start(sandbox: &Sandbox, arguments: &[&str]) -> Served {
        let all = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let running = sandbox.spawn(all);
        let mut address = String::new();
        running.until_stderr_has("listening on ");
        until("the whole line", || running.stderr_so_far().contains('\n'));
        for line in running.stderr_so_far().lines() {
            if let Some((_, url)) = line.split_once("://") {
                url.clone_into(&mut address);
            }
        }
        Served {
            running: Some(running),
            address,
        }
    }

    /// What GOPROXY is set to.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What it has said on standard error.
    pub fn said(&self) -> String {
        (self.running.as_ref()).map_or_else(String::new, Running::stderr_so_far)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        if let Some(running) = &self.running {
            running.signal(signal);
        }
    }

    /// Ends it by SIGTERM.
    #[track_caller]
    pub fn stop(mut self) -> Run {
        self.signal(Signal::SIGTERM);
        self.running.take().expect("it is taken once").wait()
    }

    /// Asks for a path.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    /// Asks for a path, with fields.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        ask(&self.address, method, path, fields)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// Asks a server for a path, over a connection of its own.
#[track_caller]
pub fn ask(address: &str, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let answer = try_ask(address, method, path, fields);
    answer.unwrap_or_else(|| panic!("{address} does not answer {method} {path}"))
}

/// As [`ask`]; `None` if there is no server, or if it ends before the head of its answer.
pub fn try_ask(address: &str, method: &str, path: &str, fields: &[(&str, &str)]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a socket takes a time-out");
    let fields: String = (fields.iter())
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut all = Vec::new();
    // A connection that is cut is an answer that is not whole.
    let _ = stream.read_to_end(&mut all);
    read_answer(&all, method == "HEAD")
}

fn read_answer(all: &[u8], is_head: bool) -> Option<Answer> {
    let end = all.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&all[..end]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let mut answer = Answer {
        status: status.unwrap_or_default(),
        head,
        body: all[end + 4..].to_vec(),
        whole: true,
    };
    if answer.field("Transfer-Encoding") == Some("chunked") {
        (answer.body, answer.whole) = unchunk(&all[end + 4..]);
    } else if let Some(length) = answer.field("Content-Length") {
        answer.whole = is_head || length.parse() == Ok(answer.body.len());
    }
    Some(answer)
}

fn unchunk(mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut content = Vec::new();
    while let Some(line) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..line]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size");
        bytes = &bytes[line + 2..];
        if size == 0 {
            return (content, bytes == b"\r\n");
        }
        content.extend_from_slice(&bytes[..size.min(bytes.len())]);
        let Some(rest) = bytes.get(size + 2..) else {
            break;
        };
        bytes = rest;
    }
    (content, false)
}
