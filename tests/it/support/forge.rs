//! A forge on this machine: an HTTP proxy behind which `https://v.test` and its neighbours are.
//!
//! Module paths have no ports, so that repositories need a host of their own. Programs reach it
//! through `HTTPS_PROXY` and `HTTP_PROXY`: what connects to the proxy for any host gets this
//! server, with TLS for port 443. Pages with `go-import` tags are what tests say; git repositories
//! are served by `git http-backend`.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Sandbox, tls};

/// The forge; it ends when it is dropped.
pub struct Forge {
    root: tempfile::TempDir,
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    repositories: PathBuf,
    acceptor: tls::Acceptor,
    stopping: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By host and path: status and body.
    pages: HashMap<String, (u16, String)>,
    /// `METHOD host/path?query`, in order.
    log: Vec<String>,
    /// Bytes of all bodies that were sent.
    sent: usize,
    /// What `Authorization` must be, for repositories and pages.
    authorization: Option<String>,
    /// Packs are cut after so many bytes, so many times.
    cut: (usize, usize),
    /// The next pack stops after so many bytes, until the test goes on.
    stall: Option<usize>,
    /// A pack has stopped.
    stalled: bool,
    /// The repositories that packs came from.
    packs: Vec<String>,
    delay: Duration,
    /// The server of Mercurial that has what is below `/hg`.
    hg_port: Option<u16>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Forge {
    /// An empty forge.
    pub fn start() -> Forge {
        let root = tempfile::tempdir().unwrap();
        let repositories = root.path().join("repositories");
        fs::create_dir(&repositories).unwrap();
        let names = [
            "v.test",
            "w.test",
            "private.test",
            "sub.v.test",
            "git.example.com",
            "vcs-test.golang.org",
        ];
        let (acceptor, authority) = tls::Acceptor::for_names(&names);
        fs::write(root.path().join("ca.pem"), authority).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            repositories,
            acceptor,
            stopping: AtomicBool::new(false),
            state: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if accepting.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&accepting);
                thread::spawn(move || {
                    let _ = stream.set_nodelay(true);
                    let _ = shared.converse(stream);
                });
            }
        });
        Forge { root, port, shared }
    }

    /// Makes the repository `https://v.test/git/NAME` with a shell script that runs in a fresh
    /// work tree. `commit MESSAGE` commits all files, a second after the last commit.
    pub fn git(&self, name: &str, script: &str) -> &Forge {
        self.git_with(name, "", script)
    }

    /// As [`Forge::git`], with arguments for `git init`.
    #[track_caller]
    pub fn git_with(&self, name: &str, init: &str, script: &str) -> &Forge {
        let work = self.root.path().join("work").join(name);
        let there = work.exists();
        fs::create_dir_all(&work).unwrap();
        let begin = match there {
            true => String::new(),
            false => format!("git init -q -b main {init} .\n"),
        };
        let bare = self.shared.repositories.join(name);
        let end = match there {
            true => format!("git push -q --mirror -f {}\n", bare.display()),
            false => format!(
                "git clone -q --bare . {0} 2>/dev/null\ngit -C {0} config uploadpack.allowFilter \
                 true\n",
                bare.display()
            ),
        };
        let clock = self.root.path().join(format!("{name}.clock"));
        let functions = format!(
            "commit() {{\n  n=$(cat {0} 2>/dev/null || echo 1580000000); n=$((n + 1)); echo $n > {0}\n\
             \x20 git add -A\n\
             \x20 GIT_AUTHOR_DATE=\"$n +0000\" GIT_COMMITTER_DATE=\"$n +0000\" git commit -q \
             --allow-empty -m \"$1\"\n}}\n",
            clock.display()
        );
        let made = Command::new("sh")
            .args(["-euc", &format!("{functions}{begin}{script}\n{end}")])
            .current_dir(&work)
            .env_clear()
            .env("PATH", super::go::variable("PATH").unwrap_or_default())
            .env("HOME", self.root.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@v.test")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@v.test")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{name}: {said}");
        self
    }

    /// Has the page of a module path say where its repository is.
    pub fn import(&self, path: &str, prefix: &str, vcs: &str, url: &str) -> &Forge {
        let tag = format!(
            "<html><head><meta name=\"go-import\" content=\"{prefix} {vcs} {url}\"></head></html>"
        );
        self.page(path, 200, &tag)
    }

    /// [`Forge::import`] of `v.test/NAME` and paths below it, in `https://v.test/git/NAME`.
    pub fn import_git(&self, name: &str, below: &[&str]) -> &Forge {
        let prefix = format!("v.test/{name}");
        let url = format!("https://v.test/git/{name}");
        self.import(&prefix, &prefix, "git", &url);
        for path in below {
            self.import(&format!("{prefix}/{path}"), &prefix, "git", &url);
        }
        self
    }

    /// Has a module path answer with this page.
    pub fn page(&self, path: &str, status: u16, body: &str) -> &Forge {
        let page = (status, body.to_owned());
        self.shared.state().pages.insert(path.to_owned(), page);
        self
    }

    /// Demands this `Authorization` header of all requests.
    pub fn demand(&self, authorization: &str) -> &Forge {
        self.shared.state().authorization = Some(authorization.to_owned());
        self
    }

    /// Cuts the next so many packs after so many bytes.
    pub fn cut(&self, after: usize, times: usize) -> &Forge {
        self.shared.state().cut = (after, times);
        self
    }

    /// Stops the next pack after so many bytes, with the connection open.
    pub fn stall(&self, after: usize) -> &Forge {
        let mut state = self.shared.state();
        (state.stall, state.stalled) = (Some(after), false);
        drop(state);
        self
    }

    /// Waits until a pack has stopped.
    #[track_caller]
    pub fn until_stalled(&self) {
        super::until("a pack that stops", || self.shared.state().stalled);
    }

    /// Closes the connection of the pack that has stopped.
    pub fn go_on(&self) {
        self.shared.state().stalled = false;
    }

    /// The repositories that packs came from so far, one for each pack; forgets them.
    pub fn take_packs(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.state().packs)
    }

    /// Waits before each answer.
    pub fn delay(&self, delay: Duration) -> &Forge {
        self.shared.state().delay = delay;
        self
    }

    /// Passes what is below `/hg` on to a server of Mercurial on this machine.
    pub fn serve_hg(&self, server: &super::hg_server::HgServer) -> &Forge {
        self.shared.state().hg_port = Some(server.port);
        self
    }

    /// The folder of a served repository.
    pub fn repository(&self, name: &str) -> PathBuf {
        self.shared.repositories.join(name)
    }

    /// Requests so far, as `POST v.test/git/m/git-upload-pack`; forgets them.
    pub fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.state().log)
    }

    /// Bytes of all answers so far; forgets them.
    pub fn take_sent(&self) -> usize {
        std::mem::take(&mut self.shared.state().sent)
    }

    /// A sandbox whose programs reach the forge, and nothing else.
    pub fn sandbox(&self) -> Sandbox {
        let pairs = self.environment();
        let sandbox = Sandbox::new();
        pairs
            .iter()
            .fold(sandbox, |sandbox, (name, value)| sandbox.env(name, value))
    }

    /// The variables that lead programs to the forge.
    pub fn environment(&self) -> Vec<(String, String)> {
        let proxy = format!("http://127.0.0.1:{}", self.port);
        let authority = self.root.path().join("ca.pem").display().to_string();
        let hgrc = self.root.path().join("hgrc");
        fs::write(&hgrc, format!("[web]\ncacerts = {authority}\n")).unwrap();
        let hgrc = hgrc.display().to_string();
        let pairs = [
            ("HGRCPATH", hgrc.as_str()),
            ("HTTPS_PROXY", proxy.as_str()),
            ("HTTP_PROXY", &proxy),
            // curl reads the name in small letters only.
            ("http_proxy", &proxy),
            ("SSL_CERT_FILE", &authority),
            ("GIT_SSL_CAINFO", &authority),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GOPROXY", "direct"),
            ("GONOSUMDB", "*"),
        ];
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }
}

impl Drop for Forge {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A request that was read.
struct Request {
    method: String,
    /// Host and path.
    path: String,
    query: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Shared {
    fn converse(&self, stream: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        let Some((line, headers)) = read_head(&mut reader)? else {
            return Ok(());
        };
        if let Some(target) = line.strip_prefix("CONNECT ") {
            let host = target
                .split([':', ' '])
                .next()
                .unwrap_or_default()
                .to_owned();
            let mut stream = reader.into_inner();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            let mut reader = BufReader::new(self.acceptor.accept(stream)?);
            while let Some((line, headers)) = read_head(&mut reader)? {
                let request = read_request(&mut reader, &host, &line, headers)?;
                if !self.answer(request, reader.get_mut())? {
                    return Ok(());
                }
            }
            return Ok(());
        }
        // A proxy is asked for whole URLs.
        let mut next = Some((line, headers));
        while let Some((line, headers)) = next {
            let rest = line.replacen("http://", "", 1);
            let mut words = rest.splitn(2, ' ');
            let method = words.next().unwrap_or_default().to_owned();
            let target = words.next().unwrap_or_default().to_owned();
            let (host, path) = target.split_once('/').unwrap_or((&target, ""));
            let line = format!("{method} /{path}");
            let request = read_request(&mut reader, host, &line, headers)?;
            if !self.answer(request, reader.get_mut())? {
                return Ok(());
            }
            next = read_head(&mut reader)?;
        }
        Ok(())
    }

    /// Answers; false if the connection is over.
    fn answer(&self, request: Request, stream: &mut impl Write) -> io::Result<bool> {
        let Request {
            method,
            path,
            query,
            headers,
            body,
        } = request;
        let (delay, authorization) = {
            let mut state = self.state();
            let asked = if query.is_empty() {
                String::new()
            } else {
                format!("?{query}")
            };
            state.log.push(format!("{method} {path}{asked}"));
            (state.delay, state.authorization.clone())
        };
        thread::sleep(delay);
        let given = headers.get("authorization");
        let refused = authorization.is_some_and(|wanted| given != Some(&wanted));
        let below = path.split_once('/').map_or("", |(_, below)| below);
        let (status, head, body) = if refused {
            let head = "WWW-Authenticate: Basic realm=\"v\"\r\n".to_owned();
            (
                "401 Unauthorized".to_owned(),
                head,
                b"who are you?".to_vec(),
            )
        } else if query == "go-get=1" {
            let page = self.state().pages.get(path.trim_end_matches('/')).cloned();
            let (status, page) = page.unwrap_or((404, "no such page".to_owned()));
            let head = "Content-Type: text/html\r\n".to_owned();
            let reason = if status == 404 { "Not Found" } else { "OK" };
            (format!("{status} {reason}"), head, page.into_bytes())
        } else if let Some(name) = below.strip_prefix("git/") {
            self.backend(name, &method, &query, &headers, &body)?
        } else if let (Some(rest), Some(port)) = (below.strip_prefix("hg/"), self.state().hg_port) {
            relay(port, &method, &format!("/{rest}?{query}"), &headers, &body)?
        } else {
            (
                "404 Not Found".to_owned(),
                String::new(),
                b"nothing here".to_vec(),
            )
        };
        let is_pack = body.windows(4).any(|four| four == b"PACK");
        let cut = {
            let mut state = self.state();
            state.sent += body.len();
            if is_pack {
                let name = path.trim_end_matches("/git-upload-pack");
                state.packs.push(name.to_owned());
            }
            (is_pack && state.cut.1 > 0).then(|| {
                state.cut.1 -= 1;
                state.cut.0
            })
        };
        let length = body.len();
        let stall = match is_pack {
            true => self.state().stall.take(),
            false => None,
        };
        if let Some(after) = stall {
            write!(
                stream,
                "HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\n\r\n"
            )?;
            stream.write_all(&body[..after.min(length)])?;
            stream.flush()?;
            self.state().stalled = true;
            while self.state().stalled && !self.stopping.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(2));
            }
            return Ok(false);
        }
        write!(
            stream,
            "HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\n\r\n"
        )?;
        stream.write_all(&body[..cut.unwrap_or(length).min(length)])?;
        stream.flush()?;
        Ok(cut.is_none())
    }

    fn backend(
        &self,
        name: &str,
        method: &str,
        query: &str,
        headers: &HashMap<String, String>,
        body: &[u8],
    ) -> io::Result<(String, String, Vec<u8>)> {
        let header = |name: &str| headers.get(name).map_or("", String::as_str);
        let mut child = Command::new("git")
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.repositories)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", &self.repositories)
            .env("PATH_INFO", format!("/{name}"))
            .env("QUERY_STRING", query)
            .env("REQUEST_METHOD", method)
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", body.len().to_string())
            .env("GIT_PROTOCOL", header("git-protocol"))
            .env("REMOTE_ADDR", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut stdin = child.stdin.take().expect("it is piped");
        let body = body.to_vec();
        thread::spawn(move || stdin.write_all(&body));
        Ok(split_answer(&child.wait_with_output()?.stdout))
    }
}

/// Asks a server on this machine.
fn relay(
    port: u16,
    method: &str,
    target: &str,
    headers: &HashMap<String, String>,
    body: &[u8],
) -> io::Result<(String, String, Vec<u8>)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    // Of this version, the end of the answer is that of the connection.
    let mut head = format!(
        "{method} {target} HTTP/1.0\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        let is_of_connection = matches!(
            &name[..],
            "connection" | "content-length" | "transfer-encoding"
        );
        if !is_of_connection {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(body)?;
    let mut output = Vec::new();
    stream.read_to_end(&mut output)?;
    Ok(split_answer(&output))
}

/// Status, headers and body of the answer of a CGI program or a server.
fn split_answer(output: &[u8]) -> (String, String, Vec<u8>) {
    let end = output
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or(output.len());
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let body = output.get(end + 4..).unwrap_or_default().to_vec();
    let mut status = "200 OK".to_owned();
    let mut others = String::new();
    for line in head.lines() {
        if let Some(found) = line.strip_prefix("Status: ") {
            found.clone_into(&mut status);
        } else if let Some(rest) = line.strip_prefix("HTTP/1.") {
            rest.split_once(' ')
                .map_or(rest, |(_, rest)| rest)
                .clone_into(&mut status);
        } else if !line.to_ascii_lowercase().starts_with("content-length:")
            && !line.to_ascii_lowercase().starts_with("connection:")
        {
            others.push_str(&format!("{line}\r\n"));
        }
    }
    (status, others, body)
}

/// The first line, without the protocol, and the headers by their names in small letters.
fn read_head(
    reader: &mut BufReader<impl Read>,
) -> io::Result<Option<(String, HashMap<String, String>)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let line = line
        .trim_end()
        .rsplit_once(' ')
        .map_or("", |(line, _)| line)
        .to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            return Ok(Some((line, headers)));
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
}

fn read_request(
    reader: &mut BufReader<impl Read>,
    host: &str,
    line: &str,
    headers: HashMap<String, String>,
) -> io::Result<Request> {
    let (method, target) = line.split_once(' ').unwrap_or((line, "/"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut body = Vec::new();
    if let Some(length) = headers.get("content-length") {
        body.resize(length.parse().unwrap_or(0), 0);
        reader.read_exact(&mut body)?;
    } else if headers.contains_key("transfer-encoding") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size)?;
            let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk)?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
    if headers
        .get("content-encoding")
        .is_some_and(|name| name == "gzip")
    {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain)?;
        body = plain;
    }
    Ok(Request {
        method: method.to_owned(),
        path: format!("{host}{path}"),
        query: query.to_owned(),
        headers,
        body,
    })
}

/// True if a program is in PATH; counts the test as skipped if not.
pub fn has_program(name: &str) -> bool {
    let path = super::go::variable("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
    if !found {
        super::skips::record(&format!("no {name} in PATH"));
    }
    found
}
