//! The other side of a git repository, without the program git: over http and https.
//!
//! For images that have no git. Protocol version 2 of git's smart HTTP: `ls-refs` for branches and
//! tags, `fetch` for a pack, which is checked, indexed ([`index_pack`]) and put into the clone, so
//! that git can go on from there. Requests are those of the HTTP client that proxies are asked
//! with: the same tokens, netrc, GOAUTH, certificates, HTTP proxies, retries and time-outs.
//!
//! Our own code: reading objects, deltas and indexes is needed for the clones of the program as
//! well (see `odb`), and what is left, this file and `pktline`, is less than an adapter to `gix`
//! would be, whose transport and pack crates would add 50 packages.
//!
//! Older servers (protocol versions 0 and 1, "dumb" HTTP) are refused with a hint.
//!
//! Source: git `Documentation/gitprotocol-v2.txt`, `gitprotocol-http.txt`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::layout;
use super::odb::{HashKind, ObjectId, index_pack};
use super::pktline::{Packet, PacketMessage, read_packet};
use super::refs::{Refs, local_tips, write_local};
use super::remote::{GitRemote, LockedClone};
use crate::error::{Error, Kind, Result};
use crate::fsio::{TempFile, write_atomically};
use crate::http::{self, Client, RealTimer, Reply, RetryClass, Timer as _, Url};
use crate::source::direct::program::Programs;
use crate::source::direct::work;

/// As many commits that are here are named to the server: each saves it from sending them.
const MAX_HAVES: usize = 64;

/// Deeper than any history: what git itself sends for "all of it".
const INFINITE_DEPTH: u32 = 0x7fff_ffff;

/// More packets than any list of refs has.
const MAX_PACKETS: usize = 4_000_000;

/// A repository at a URL.
pub(in crate::source::direct) struct BuiltinGit {
    url: Url,
    client: Client,
    programs: Arc<Programs>,
    server: Mutex<Option<Arc<RemoteServer>>>,
}

/// What a server says that it can do.
struct RemoteServer {
    /// Where it is: a redirect may have led elsewhere.
    base: Url,
    hash: HashKind,
    /// It names the hash, and wants it named.
    names_hash: bool,
    filters: bool,
}

/// What is to be fetched.
struct WantedObjects {
    ids: BTreeSet<ObjectId>,
    depth: Option<u32>,
    without_files: bool,
}

impl BuiltinGit {
    /// # Errors
    /// The URL is none of http or https.
    pub(in crate::source::direct) fn new(
        url: &str,
        programs: Arc<Programs>,
        client: Client,
    ) -> Result<BuiltinGit> {
        Ok(BuiltinGit {
            url: Url::parse(url)?,
            client,
            programs,
            server: Mutex::default(),
        })
    }

    fn shown(&self) -> String {
        self.url.redacted().to_string()
    }

    fn fail(&self, kind: Kind, what: impl std::fmt::Display) -> Error {
        Error::new(kind, format!("git repository {}: {what}", self.shown()))
    }

    /// A connection that ended too early.
    fn cut(&self, cause: io::Error) -> Error {
        match cause.kind() {
            io::ErrorKind::InvalidData => self.fail(Kind::Network, cause),
            _ => self
                .fail(Kind::Network, "the answer is cut")
                .because(cause)
                .transient(),
        }
    }

    fn server(&self) -> Result<Arc<RemoteServer>> {
        let mut known = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = &*known {
            return Ok(Arc::clone(server));
        }
        let server = Arc::new(self.greet()?);
        *known = Some(Arc::clone(&server));
        Ok(server)
    }

    /// Asks the server what it can do.
    fn greet(&self) -> Result<RemoteServer> {
        let url = self
            .url
            .join("info/refs")
            .with_query("service=git-upload-pack");
        let reply = work::bound(&self.client).ask(&http::PlainRequest {
            method: "GET",
            url: &url,
            headers: &[("git-protocol", "version=2")],
            body: None,
        })?;
        if let Some(error) = reply.error {
            return Err(match error.kind() {
                Kind::NotFound => self.fail(Kind::NotFound, "not found"),
                _ => error,
            });
        }
        let base = reply.url.without_suffix("/info/refs");
        let smart = reply
            .content_type
            .starts_with("application/x-git-upload-pack-advertisement");
        let Some(base) = base.filter(|_| smart) else {
            return Err(self.old_server("does not speak git's smart HTTP"));
        };
        let mut body = reply.body;
        let mut server = RemoteServer {
            base,
            hash: HashKind::Sha1,
            names_hash: false,
            filters: false,
        };
        let mut speaks = false;
        while let Some(packet) = read_packet(&mut body).map_err(|cause| self.cut(cause))? {
            let Some(line) = packet.line() else {
                // The line that names the service is a message of its own.
                if speaks {
                    break;
                }
                continue;
            };
            match line.split_once('=') {
                None if line == "version 2" => speaks = true,
                Some(("object-format", name)) => {
                    server.names_hash = true;
                    if name == "sha256" {
                        server.hash = HashKind::Sha256;
                    }
                }
                Some(("fetch", features)) => {
                    server.filters = features.split(' ').any(|feature| feature == "filter");
                }
                _ if !speaks && !line.starts_with("# service=") => {
                    return Err(self.old_server("does not speak version 2 of git's protocol"));
                }
                _ => {}
            }
        }
        match speaks {
            true => Ok(server),
            false => Err(self.old_server("does not speak version 2 of git's protocol")),
        }
    }

    fn old_server(&self, what: &str) -> Error {
        self.fail(Kind::Network, format!("the server {what}"))
            .hint("install git: the program can talk to such servers")
    }

    /// Sends a command, and hands back the answer.
    fn command(&self, server: &RemoteServer, message: &[u8]) -> Result<Reply> {
        let reply = work::bound(&self.client).ask(&http::PlainRequest {
            method: "POST",
            url: &server.base.join("git-upload-pack"),
            headers: &[
                ("git-protocol", "version=2"),
                ("content-type", "application/x-git-upload-pack-request"),
                ("accept", "application/x-git-upload-pack-result"),
            ],
            body: Some(message),
        })?;
        match reply.error {
            Some(error) => Err(error),
            None => Ok(reply),
        }
    }

    fn begin(server: &RemoteServer, command: &str) -> PacketMessage {
        let mut message = PacketMessage::default();
        message.line(&format!("command={command}"));
        message.line(concat!("agent=modfetch/", env!("CARGO_PKG_VERSION")));
        if server.names_hash {
            message.line(&format!("object-format={}", server.hash.name()));
        }
        message.delimiter();
        message
    }

    /// What the server says in place of an answer.
    fn refused(&self, line: &str) -> Option<Error> {
        let reason = line.strip_prefix("ERR ")?;
        Some(self.fail(Kind::Network, crate::proc::redact(reason, &[])))
    }

    fn list(&self) -> Result<Refs> {
        let server = self.server()?;
        let mut message = BuiltinGit::begin(&server, "ls-refs");
        message.line("peel");
        for prefix in ["HEAD", "refs/heads/", "refs/tags/"] {
            message.line(&format!("ref-prefix {prefix}"));
        }
        let mut body = self.command(&server, &message.flush())?.body;
        let mut listed = Vec::new();
        for _ in 0..MAX_PACKETS {
            let packet = read_packet(&mut body).map_err(|cause| self.cut(cause))?;
            let Some(packet) = packet else {
                return Err(self.cut(io::ErrorKind::UnexpectedEof.into()));
            };
            if packet == Packet::Flush {
                return Ok(Refs::new(listed));
            }
            let Some(line) = packet.line() else {
                continue;
            };
            if let Some(error) = self.refused(line) {
                return Err(error);
            }
            let mut words = line.split(' ');
            let id = words.next().and_then(ObjectId::parse_any);
            if let (Some(id), Some(name)) = (id, words.next()) {
                listed.push((name.to_owned(), id));
                let peeled = words.find_map(|word| word.strip_prefix("peeled:"));
                let peeled = peeled.and_then(ObjectId::parse_any);
                listed.extend(peeled.map(|id| (format!("{name}^{{}}"), id)));
            }
        }
        Err(self.fail(Kind::Network, "the list of refs has no end"))
    }

    /// Fetches a pack into the clone; tries again if it is cut.
    fn fetch(&self, dir: &Path, wanted: &WantedObjects) -> Result<()> {
        let started = Instant::now();
        let settings = &self.programs.settings;
        let mut attempt = 1;
        loop {
            let error = match self.fetch_once(dir, wanted) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let jitter = RealTimer.jitter();
            let schedule = &settings.retry;
            let wait = schedule.schedule(attempt, started.elapsed(), RetryClass::Transient, jitter);
            let cancel = &settings.cancel;
            let in_time = |wait: &std::time::Duration| {
                let deadline = cancel.deadline();
                deadline.is_none_or(|deadline| *wait < deadline.left()) && !cancel.is_over()
            };
            let Some(wait) = wait.filter(in_time).filter(|_| error.is_transient()) else {
                return Err(error);
            };
            RealTimer.wait(wait, cancel);
            attempt += 1;
        }
    }

    fn fetch_once(&self, dir: &Path, wanted: &WantedObjects) -> Result<()> {
        let server = self.server()?;
        let mut message = BuiltinGit::begin(&server, "fetch");
        message.line("no-progress");
        message.line("ofs-delta");
        for id in &wanted.ids {
            message.line(&format!("want {id}"));
        }
        let shallow = layout::read_shallow(dir)?;
        for id in &shallow {
            message.line(&format!("shallow {id}"));
        }
        if let Some(depth) = wanted.depth {
            message.line(&format!("deepen {depth}"));
        }
        let is_partial = wanted.without_files && server.filters;
        if is_partial {
            message.line("filter tree:0");
        }
        for id in local_tips(dir, MAX_HAVES)? {
            message.line(&format!("have {id}"));
        }
        message.line("done");
        let mut body = self.command(&server, &message.flush())?.body;
        let place = dir.join("objects/pack/pack");
        let mut pack = TempFile::beside(&place)?;
        let (mut now_shallow, mut section) = (shallow.clone(), String::new());
        let mut bytes = 0u64;
        loop {
            let packet = read_packet(&mut body).map_err(|cause| self.cut(cause))?;
            let data = match packet {
                None => return Err(self.cut(io::ErrorKind::UnexpectedEof.into())),
                Some(Packet::Flush) => break,
                Some(Packet::Delimiter) => {
                    section.clear();
                    continue;
                }
                Some(Packet::Data(data)) => data,
            };
            if section == "packfile" {
                match data.split_first() {
                    Some((1, content)) => {
                        bytes += content.len() as u64;
                        pack.write_all(content)
                            .map_err(|cause| Error::io("cannot write", pack.path(), cause))?;
                    }
                    Some((3, reason)) => {
                        let reason = String::from_utf8_lossy(reason);
                        let reason = crate::proc::redact(reason.trim_end(), &[]);
                        return Err(self.fail(Kind::Network, reason).transient());
                    }
                    _ => {}
                }
                continue;
            }
            let packet = Packet::Data(data);
            let line = packet.line().unwrap_or_default();
            if let Some(error) = self.refused(line) {
                return Err(error);
            }
            if section.is_empty() {
                line.clone_into(&mut section);
            } else if section == "shallow-info" {
                match line.split_once(' ') {
                    Some(("shallow", id)) => now_shallow.extend(ObjectId::parse_any(id)),
                    Some(("unshallow", id)) => {
                        if let Some(id) = ObjectId::parse_any(id) {
                            now_shallow.remove(&id);
                        }
                    }
                    _ => {}
                }
            }
        }
        if bytes == 0 {
            return Err(self.fail(Kind::Network, "the server sent no pack"));
        }
        self.install(dir, server.hash, pack, is_partial)?;
        if now_shallow != shallow {
            layout::write_shallow(dir, &now_shallow)?;
        }
        Ok(())
    }

    /// Checks and indexes a pack, and puts it where git has packs: the index last.
    fn install(&self, dir: &Path, hash: HashKind, pack: TempFile, is_partial: bool) -> Result<()> {
        let file = pack.reader()?;
        let indexed = index_pack(&file, hash).map_err(|cause| match cause.kind() {
            io::ErrorKind::InvalidData => self.fail(Kind::Security, cause),
            _ => Error::io("cannot read", pack.path(), cause),
        })?;
        if indexed.objects == 0 {
            return Ok(());
        }
        let name = |end: &str| dir.join(format!("objects/pack/pack-{}.{end}", indexed.checksum));
        if name("idx").exists() {
            return Ok(());
        }
        if is_partial {
            write_atomically(&name("promisor"), b"")?;
        }
        pack.commit(&name("pack"))?;
        write_atomically(&name("idx"), &indexed.index)
    }

    fn fetch_all(&self, dir: &Path, without_files: bool) -> Result<()> {
        let refs = self.refs()?;
        let is_shallow = !layout::read_shallow(dir)?.is_empty();
        let named: Vec<(&str, &ObjectId)> = refs
            .iter()
            .filter(|(name, _)| name.starts_with("refs/"))
            .collect();
        let wanted = WantedObjects {
            ids: named.iter().map(|(_, id)| **id).collect(),
            depth: is_shallow.then_some(INFINITE_DEPTH),
            without_files,
        };
        if wanted.ids.is_empty() {
            return Ok(());
        }
        self.fetch(dir, &wanted)?;
        for (name, id) in named {
            write_local(dir, name, id)?;
        }
        if is_shallow {
            let path = dir.join("shallow");
            fs::remove_file(&path).map_err(|cause| Error::io("cannot remove", &path, cause))?;
        }
        Ok(())
    }
}

impl GitRemote for BuiltinGit {
    fn name(&self) -> &'static str {
        "the built-in client"
    }

    fn refs(&self) -> Result<Refs> {
        self.list()
    }

    fn fetch_tips(&self, clone: &LockedClone<'_>, wanted: &[(String, ObjectId)]) -> Result<()> {
        self.fetch(
            clone.dir,
            &WantedObjects {
                ids: wanted.iter().map(|(_, id)| *id).collect(),
                depth: Some(1),
                without_files: false,
            },
        )?;
        for (name, id) in wanted.iter().filter(|(name, _)| name != "HEAD") {
            write_local(clone.dir, name, id)?;
        }
        Ok(())
    }

    fn fetch_everything(&self, clone: &LockedClone<'_>) -> Result<()> {
        self.fetch_all(clone.dir, false)
    }

    fn fetch_history(&self, clone: &LockedClone<'_>) -> Result<()> {
        self.fetch_all(clone.dir, true)
    }
}
