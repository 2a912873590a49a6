//! A small HTTP server on 127.0.0.1 that misbehaves as told. For tests only.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::server::NoClientAuth;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivateKeyDer;

/// What a handler does with the connection after its answer.
#[derive(PartialEq, Eq)]
pub(crate) enum Then {
    Keep,
    Close,
}

/// Either side of a connection.
pub(crate) trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// Answers one request: its target, how often that target was asked for (from 1), the wire.
type Handler = dyn Fn(&str, usize, &mut dyn Wire) -> Then + Send + Sync;

pub(crate) struct Server {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(
        handler: impl Fn(&str, usize, &mut dyn Wire) -> Then + Send + Sync + 'static,
    ) -> Server {
        Server::run(None, Arc::new(handler))
    }

    /// Serves over TLS with a fresh certificate for `name`; returns the certificate as PEM.
    pub(crate) fn start_tls(
        name: &str,
        handler: impl Fn(&str, usize, &mut dyn Wire) -> Then + Send + Sync + 'static,
    ) -> (Server, String) {
        Server::start_tls_with(name, Arc::new(NoClientAuth), handler)
    }

    /// As [`Server::start_tls`], and asks for the client certificate that `clients` wants.
    pub(crate) fn start_tls_with(
        name: &str,
        clients: Arc<dyn ClientCertVerifier>,
        handler: impl Fn(&str, usize, &mut dyn Wire) -> Then + Send + Sync + 'static,
    ) -> (Server, String) {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        (
            Server::run(Some(Arc::new(config)), Arc::new(handler)),
            made.cert.pem(),
        )
    }

    /// An HTTP proxy that tunnels `CONNECT x:port` to 127.0.0.1:port and answers everything
    /// else itself, with the target it was asked for.
    pub(crate) fn start_proxy(auth: Option<&'static str>) -> Server {
        Server::accept(move |stream, heads| proxy_connection(stream, auth, heads))
    }

    /// A SOCKS5 proxy that connects to 127.0.0.1 whatever the host is; its heads are the targets.
    /// `login` as `user:password`; the port 1 is refused.
    pub(crate) fn start_socks(login: Option<&'static str>) -> Server {
        Server::accept(move |stream, heads| {
            let _ = socks_connection(stream, login, heads);
        })
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The request headers seen so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Does `talk` on each connection, on a thread of its own; it is given where to note what it is
    /// asked.
    fn accept(talk: impl Fn(TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            heads: Arc::default(),
        };
        let (connections, heads) = (server.connections.clone(), server.heads.clone());
        let talk = Arc::new(talk);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (talk, heads) = (talk.clone(), heads.clone());
                thread::spawn(move || talk(stream, &heads));
            }
        });
        server
    }

    fn run(tls: Option<Arc<ServerConfig>>, handler: Arc<Handler>) -> Server {
        let counts: Mutex<HashMap<String, usize>> = Mutex::default();
        Server::accept(move |stream, heads| {
            let mut wire: Box<dyn Wire> = match &tls {
                None => Box::new(stream),
                Some(config) => {
                    let connection = ServerConnection::new(config.clone()).unwrap();
                    Box::new(StreamOwned::new(connection, stream))
                }
            };
            while let Some(head) = read_head(&mut *wire) {
                let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
                read_body(&head, &mut *wire);
                heads.lock().unwrap().push(head);
                let count = {
                    let mut counts = counts.lock().unwrap();
                    let count = counts.entry(target.clone()).or_default();
                    *count += 1;
                    *count
                };
                if handler(&target, count, &mut *wire) == Then::Close {
                    break;
                }
            }
        })
    }
}

/// Reads a request header byte by byte, so that nothing behind it is lost.
fn read_head(wire: &mut dyn Wire) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match wire.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// Reads past a request body.
fn read_body(head: &str, wire: &mut dyn Wire) {
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok()).flatten()
    });
    let _ = std::io::copy(&mut wire.take(length.unwrap_or(0)), &mut std::io::sink());
}

/// Writes a whole response; failures are the client's to notice.
pub(crate) fn reply(wire: &mut dyn Wire, status: &str, headers: &str, body: &str) -> Then {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    raw(wire, &text);
    Then::Keep
}

/// Writes anything at all.
pub(crate) fn raw(wire: &mut dyn Wire, text: &str) {
    let _ = wire.write_all(text.as_bytes());
    let _ = wire.flush();
}

fn proxy_connection(mut client: TcpStream, auth: Option<&str>, heads: &Mutex<Vec<String>>) {
    while let Some(head) = read_head(&mut client) {
        heads.lock().unwrap().push(head.clone());
        let authorized =
            auth.is_none_or(|auth| head.contains(&format!("Proxy-Authorization: {auth}\r\n")));
        if !authorized {
            reply(&mut client, "407 Proxy Authentication Required", "", "");
            continue;
        }
        let target = head.split(' ').nth(1).unwrap_or_default();
        if !head.starts_with("CONNECT ") {
            reply(&mut client, "200 OK", "", target);
            continue;
        }
        let (_, port) = target.rsplit_once(':').unwrap();
        let server = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        raw(
            &mut client,
            "HTTP/1.1 200 Connection established\r\nX-Hop: 1\r\n\r\n",
        );
        let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let up = thread::spawn(move || pump(from, to));
        pump(server, client);
        let _ = up.join();
        return;
    }
}

/// RFC 1928 and RFC 1929, from the proxy's side.
fn socks_connection(
    mut client: TcpStream,
    login: Option<&str>,
    heads: &Mutex<Vec<String>>,
) -> Option<()> {
    fn bytes(from: &mut TcpStream, count: u8) -> Option<Vec<u8>> {
        let mut bytes = vec![0; usize::from(count)];
        from.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
    fn counted(from: &mut TcpStream) -> Option<String> {
        let count = bytes(from, 1)?[0];
        String::from_utf8(bytes(from, count)?).ok()
    }
    assert_eq!(bytes(&mut client, 1)?, [5]);
    let methods = counted(&mut client)?;
    let method = if login.is_some() { 2 } else { 0 };
    if !methods.as_bytes().contains(&method) {
        return client.write_all(&[5, 0xff]).ok();
    }
    client.write_all(&[5, method]).ok()?;
    if let Some(login) = login {
        assert_eq!(bytes(&mut client, 1)?, [1]);
        let given = format!("{}:{}", counted(&mut client)?, counted(&mut client)?);
        client.write_all(&[1, u8::from(given != login)]).ok()?;
    }
    let request = bytes(&mut client, 4)?;
    assert_eq!(request[..3], [5, 1, 0]);
    let host = match request[3] {
        1 => format!("{:?}", bytes(&mut client, 4)?),
        3 => counted(&mut client)?,
        kind => panic!("address of type {kind}"),
    };
    let port = bytes(&mut client, 2)?;
    let port = u16::from_be_bytes([port[0], port[1]]);
    heads.lock().unwrap().push(format!("{host}:{port}"));
    if port == 1 {
        return client.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).ok();
    }
    let server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    client.write_all(b"\x05\0\0\x03\x03abc\0\0").ok()?;
    let (from, to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    thread::spawn(move || pump(from, to));
    pump(server, client);
    Some(())
}

fn pump(from: TcpStream, mut to: TcpStream) {
    let mut from = BufReader::new(from);
    while let Ok(bytes) = from.fill_buf() {
        let count = bytes.len();
        if count == 0 || to.write_all(bytes).is_err() {
            break;
        }
        from.consume(count);
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}
