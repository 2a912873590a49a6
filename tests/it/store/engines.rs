//! Real engines with the S3 API, started and stopped by the tests, and a gate in front of one.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use modfetch::internals::event::NoEvents;
use modfetch::internals::http::{RequestContext, Settings};
use modfetch::internals::store::{ObjectStore, StoreEnvironment, StorePlace};

use super::garage::Cluster;
use crate::support::Sandbox;
use crate::support::go::variable;
use crate::support::served::ask;
use crate::support::skips;

/// The keys of all engines here: moto takes any.
pub const ACCESS_KEY: &str = "GK0123456789abcdef01234567";
pub const SECRET_KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The bucket that each engine has.
pub const BUCKET: &str = "modcache";

/// A program that is killed when this is dropped.
pub struct Engine {
    child: Child,
    /// Host and port.
    pub address: String,
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts moto, a mock of S3 in memory that knows conditional writes; `None`, counted, without it.
pub fn moto() -> Option<Engine> {
    let python = variable("MODFETCH_PYTHON").unwrap_or_else(|| "python3".to_owned());
    let found = Command::new(&python)
        .args(["-c", "import moto.server, flask, flask_cors"])
        .stderr(Stdio::null())
        .status();
    if !found.is_ok_and(|status| status.success()) {
        skips::record("no Python with moto[s3], flask and flask-cors");
        return None;
    }
    let mut child = Command::new(&python)
        .args(["-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python was found");
    // The kernel chooses the port, and moto says which.
    let talk = BufReader::new(child.stderr.take().expect("it is piped"));
    let (sent, received) = mpsc::channel();
    thread::spawn(move || {
        for line in talk.lines().map_while(Result::ok) {
            if let Some((_, address)) = line.split_once("http://127.0.0.1:") {
                let port: String = address.chars().take_while(char::is_ascii_digit).collect();
                let _ = sent.send(format!("127.0.0.1:{port}"));
            }
        }
    });
    let address = received.recv_timeout(Duration::from_secs(60));
    let engine = Engine {
        child,
        address: address.expect("moto says where it listens"),
    };
    let made = ask(
        &engine.address,
        "PUT",
        &format!("/{BUCKET}"),
        &[("Content-Length", "0")],
    );
    assert_eq!(made.status, 200, "{}", made.text());
    Some(engine)
}

/// Runs a test with each engine that is there, by its address: moto, then Garage.
pub fn on_each(test: impl Fn(&str)) {
    if let Some(engine) = moto() {
        test(&engine.address);
    }
    if let Some(cluster) = Cluster::start(1) {
        test(&cluster.nodes[0].address);
    }
}

/// The store at an address, as `--store` takes it.
pub fn url(address: &str) -> String {
    format!("s3://{BUCKET}/go?endpoint=http://{address}&region=garage")
}

/// Gives a sandbox the keys.
pub fn with_keys(sandbox: Sandbox) -> Sandbox {
    sandbox
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
}

/// The same store for the test itself.
pub fn objects(address: &str) -> ObjectStore {
    let keys = [
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
    ];
    ObjectStore::new(
        StorePlace::parse(&url(address)).unwrap(),
        StoreEnvironment::new(keys),
        Settings::default(),
        &RequestContext::new(Arc::new(NoEvents)),
    )
    .unwrap()
}

/// What a gate does with a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// Passes it on.
    Open,
    /// Answers each request by 500.
    Failing,
    /// Answers nothing.
    Silent,
}

/// Stands in front of an engine, which it can make fail.
pub struct Gate {
    /// Host and port.
    pub address: String,
    mode: Arc<AtomicU8>,
}

impl Gate {
    /// In front of an engine.
    pub fn before(engine: &str) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gate = Gate {
            address: listener.local_addr().unwrap().to_string(),
            mode: Arc::default(),
        };
        let (mode, engine) = (Arc::clone(&gate.mode), engine.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (mode, engine) = (Arc::clone(&mode), engine.clone());
                thread::spawn(move || pass(client, &engine, &mode));
            }
        });
        gate
    }

    /// From now on; open connections change with their next request.
    pub fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
    }
}

fn pass(mut client: TcpStream, engine: &str, mode: &AtomicU8) {
    let mut back: Option<TcpStream> = None;
    let mut room = [0; 1 << 16];
    loop {
        let count = match client.read(&mut room) {
            Ok(0) | Err(_) => break,
            Ok(count) => count,
        };
        match mode.load(Ordering::SeqCst) {
            1 => {
                let text = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let _ = client.write_all(text.as_bytes());
                break;
            }
            2 => continue,
            _ => {}
        }
        let back = back.get_or_insert_with(|| {
            let back = TcpStream::connect(engine).expect("the engine listens");
            let (mut from, mut to) = (back.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
            back
        });
        if back.write_all(&room[..count]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    if let Some(back) = back {
        let _ = back.shutdown(Shutdown::Both);
    }
}
