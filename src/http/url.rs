//! A parsed http, https or file URL, and its redacted form.
//!
//! The path is kept escaped, as it goes over the wire: what is a valid encoding stays as
//! written, anything else is encoded anew, as Go's `net/url` does. Credentials are kept apart
//! from everything that can be printed. Hosts must be ASCII (an IDN in its `xn--` form).

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;

use crate::error::{Error, Kind, Result};
use crate::system::path_from_bytes;

/// The longest URL that is asked for, in bytes; longer ones do not fit common servers' limits.
const MAX_URL_BYTES: usize = 8 << 10;

/// The one query that is no secret.
const GO_GET: &str = "go-get=1";

/// How a URL is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// TLS.
    Https,
    /// A local file.
    File,
}

impl Scheme {
    /// `http`, `https` or `file`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::File => "file",
        }
    }
}

/// A parsed URL; printing it, also with `{:?}`, shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    user: Option<Userinfo>,
    /// As written: brackets around IPv6, the port if one was given.
    host: String,
    /// Escaped; empty or with a leading slash.
    path: String,
    query: Option<String>,
    /// The path came from a server that had been sent secrets, and may repeat them.
    hidden: bool,
}

/// Decoded credentials of a URL, and the escaped path below which they may be sent.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Userinfo {
    pub(super) name: Vec<u8>,
    pub(super) password: Option<Vec<u8>>,
    scope: String,
}

/// The printable form of a URL: passwords, lone user names (often tokens) and queries (often
/// signatures) are `xxxxx`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RedactedUrl(String);

impl RedactedUrl {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RedactedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())?;
        if self.hidden {
            return f.write_str("/xxxxx");
        }
        f.write_str(&self.path)?;
        match self.query.as_deref() {
            None => Ok(()),
            // What go asks every host for.
            Some(GO_GET) => write!(f, "?{GO_GET}"),
            Some(_) => f.write_str("?xxxxx"),
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Url {
    /// Parses an absolute http, https or file URL. A fragment is dropped.
    ///
    /// # Errors
    /// [`Kind::Input`], `parse "URL": reason`, the URL redacted.
    pub fn parse(text: &str) -> Result<Url> {
        Url::parse_inner(text).map_err(|reason| {
            let shown = Url::redact_text(text);
            Error::new(Kind::Input, format!("parse {shown:?}: {reason}"))
        })
    }

    fn parse_inner(text: &str) -> Result<Url, String> {
        if text.len() > MAX_URL_BYTES {
            return Err("URL is too long".into());
        }
        if text.bytes().any(|b| b < b' ' || b == 0x7f) {
            return Err("net/url: invalid control character in URL".into());
        }
        let text = text.split('#').next().unwrap_or_default();
        let (scheme, rest) = text.split_once(':').ok_or("missing protocol scheme")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "file" => Scheme::File,
            "" => return Err("missing protocol scheme".into()),
            _ => return Err("unsupported protocol scheme".into()),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let rest = rest
            .strip_prefix("//")
            .ok_or("missing // after the scheme")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = normal_path(path)?;
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(Userinfo::parse(user, &path)?), host),
            None => (None, authority),
        };
        check_host(host)?;
        if scheme != Scheme::File && host.is_empty() {
            return Err("no host in request URL".into());
        }
        let query = query.filter(|query| !query.is_empty());
        let query = query.map(|query| escape(query.as_bytes(), query_byte));
        Ok(Url {
            scheme,
            user,
            host: host.to_owned(),
            path,
            query,
            hidden: false,
        })
    }

    /// Makes a text that may be no URL printable: what is before its last `@` or after a `?`
    /// is not shown.
    #[must_use]
    pub fn redact_text(text: &str) -> String {
        let text = text.split_once('?').map_or(text, |(before, _)| before);
        match text.rsplit_once('@') {
            Some((before, after)) => {
                let scheme = before.find("://").map_or("", |i| &before[..i + 3]);
                format!("{scheme}xxxxx@{after}")
            }
            None => text.to_owned(),
        }
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host as written, with its port if one was given.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// True if the host is written without a port.
    pub(super) fn host_has_no_port(&self) -> bool {
        split_port(&self.host).1.is_none()
    }

    /// The host without port and brackets.
    #[must_use]
    pub fn hostname(&self) -> &str {
        split_port(&self.host).0
    }

    /// Scheme, redacted user and host as written: `https://user:xxxxx@host:8443`.
    pub(super) fn origin(&self) -> String {
        let user = match &self.user {
            Some(Userinfo {
                name,
                password: Some(_),
                ..
            }) => format!("{}:xxxxx@", escape(name, user_byte)),
            Some(_) => "xxxxx@".to_owned(),
            None => String::new(),
        };
        format!("{}://{user}{}", self.scheme.as_str(), self.host)
    }

    /// True if who is asked for this URL learns what must not be printed, or an answer on the
    /// way to it came from someone who had: credentials, or a query, which may be a signature.
    pub(super) fn tells_secrets(&self) -> bool {
        let query = self.query.as_deref();
        self.user.is_some() || query.is_some_and(|query| query != GO_GET) || self.hidden
    }

    /// The same URL; only scheme and host of it are printed.
    pub(super) fn with_hidden_path(mut self) -> Url {
        self.hidden = true;
        self
    }

    /// The port, written or the scheme's own.
    #[must_use]
    pub fn port(&self) -> u16 {
        let default = if self.scheme == Scheme::Https {
            443
        } else {
            80
        };
        split_port(&self.host).1.unwrap_or(default)
    }

    /// The escaped path: empty, or with a leading slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// True if the URL says nothing but a path: what a `file` proxy must do.
    #[must_use]
    pub fn is_only_path(&self) -> bool {
        self.user.is_none() && self.host.is_empty() && self.query.is_none()
    }

    /// True if the host is `localhost` or a loopback address, which no request leaves.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.hostname();
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.to_canonical().is_loopback())
    }

    /// The printable form.
    #[must_use]
    pub fn redacted(&self) -> RedactedUrl {
        RedactedUrl(self.to_string())
    }

    /// The URL without user and password.
    #[must_use]
    pub fn without_user(mut self) -> Url {
        self.user = None;
        self
    }

    /// Appends unescaped path elements: one slash between, `.`, `..` and empty elements cleaned
    /// away as Go's `path.Join` does. The query stays.
    #[must_use]
    pub fn join(&self, suffix: &str) -> Url {
        let joined = format!("{}/{}", self.path, escape(suffix.as_bytes(), path_byte));
        let mut url = self.clone();
        url.path = clean(&joined);
        url
    }

    /// The URL with this query, which is not escaped.
    #[must_use]
    pub(crate) fn with_query(mut self, query: &str) -> Url {
        self.query = Some(query.to_owned());
        self
    }

    /// The URL without the end of its path and without query; `None` if its path ends otherwise.
    #[must_use]
    pub(crate) fn without_suffix(&self, suffix: &str) -> Option<Url> {
        let mut url = self.clone();
        url.path = self.path.strip_suffix(suffix)?.to_owned();
        url.query = None;
        Some(url)
    }

    /// The URL that a `Location` header means here. Credentials stay only for the same scheme,
    /// host and port and below the path they were given for; those in `location` are ignored.
    pub(super) fn redirect(&self, location: &str) -> Result<Url, String> {
        let location = location.trim();
        let bare = location.split('#').next().unwrap_or_default();
        let scheme_end = bare
            .find([':', '/', '?'])
            .filter(|&i| bare[i..].starts_with(':'));
        let text = if scheme_end.is_some() {
            location.to_owned()
        } else if bare.starts_with("//") {
            format!("{}:{bare}", self.scheme.as_str())
        } else {
            let here = format!("{}://{}", self.scheme.as_str(), self.host);
            if bare.starts_with('/') {
                format!("{here}{bare}")
            } else if bare.is_empty() || bare.starts_with('?') {
                format!("{here}{}{bare}", self.path)
            } else {
                let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{here}{folder}/{bare}")
            }
        };
        let mut url = Url::parse_inner(&text)?;
        if url.scheme == Scheme::File {
            return Err("unsupported protocol scheme".into());
        }
        let slash = url.path.ends_with('/') && url.path.len() > 1;
        url.path = clean(&url.path);
        if slash {
            url.path.push('/');
        }
        let same = url.has_origin_of(self);
        url.user = self
            .user
            .clone()
            .filter(|user| same && user.covers(&url.path));
        Ok(url)
    }

    /// True if scheme, host and port are the same.
    pub(super) fn has_origin_of(&self, other: &Url) -> bool {
        self.scheme == other.scheme
            && self.port() == other.port()
            && self.hostname().eq_ignore_ascii_case(other.hostname())
    }

    pub(super) fn user(&self) -> Option<&Userinfo> {
        self.user.as_ref()
    }

    /// What goes into the request: everything but the credentials.
    pub(super) fn wire(&self) -> String {
        let path = if self.path.is_empty() {
            "/"
        } else {
            &self.path
        };
        let query = self
            .query
            .as_ref()
            .map_or(String::new(), |query| format!("?{query}"));
        format!("{}://{}{path}{query}", self.scheme.as_str(), self.host)
    }

    /// The file that a `file` URL names.
    ///
    /// # Errors
    /// What is wrong with it, in go's words.
    pub(crate) fn file_path(&self) -> Result<PathBuf, String> {
        if !self.host.is_empty() && self.host != "localhost" {
            return Err("file URL specifies non-local host".into());
        }
        if self.path.is_empty() {
            return Err("file URL missing path".into());
        }
        path_from_bytes(unescape(&self.path)?)
    }
}

impl Userinfo {
    fn parse(text: &str, scope: &str) -> Result<Userinfo, String> {
        let hidden = |_| "net/url: invalid userinfo".to_owned();
        if !text
            .bytes()
            .all(|b| user_byte(b) || b":%@!'()*".contains(&b))
        {
            return Err("net/url: invalid userinfo".into());
        }
        let (name, password) = match text.split_once(':') {
            Some((name, password)) => (name, Some(unescape(password).map_err(hidden)?)),
            None => (text, None),
        };
        let name = unescape(name).map_err(hidden)?;
        Ok(Userinfo {
            name,
            password,
            scope: scope.trim_end_matches('/').to_owned(),
        })
    }

    /// True if a host name repeats the password, a lone user name (often a token), or both in
    /// the form of the header. Words under four bytes are in any name and no secret.
    pub(super) fn is_in_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let secret = self.password.as_ref().unwrap_or(&self.name);
        let pair = [self.name.as_slice(), b":", secret].concat();
        let header = BASE64_STANDARD_NO_PAD.encode(pair).into_bytes();
        [secret, &header].into_iter().any(|secret| {
            let secret = secret.to_ascii_lowercase();
            let windows = host.as_bytes().windows(secret.len().max(1));
            secret.len() >= 4 && windows.into_iter().any(|part| part == secret)
        })
    }

    fn covers(&self, path: &str) -> bool {
        // An encoded dot could climb out of the scope on a server that decodes first.
        let climbs = path.to_ascii_lowercase().contains("%2e");
        let below = path.strip_prefix(self.scope.as_str());
        !climbs && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Splits a host into name without brackets and port.
fn split_port(host: &str) -> (&str, Option<u16>) {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port.parse().ok()),
        _ => (host, None),
    };
    (
        name.strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
            .unwrap_or(name),
        port,
    )
}

fn check_host(host: &str) -> Result<(), String> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (inner, port) = rest.split_once(']').ok_or("missing ']' in host")?;
            inner.parse::<Ipv6Addr>().map_err(|_| "invalid host")?;
            ("", port)
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let port_ok = digits.is_empty() || port.starts_with(':') && digits.parse::<u16>().is_ok();
    if !port_ok || digits.starts_with('+') {
        // The text might be a part of a password with a slash or a colon: it is not repeated.
        return Err("invalid port after host".into());
    }
    if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
    {
        return Err("invalid character in host name".into());
    }
    Ok(())
}

/// Keeps a path that is validly encoded; encodes any other anew.
fn normal_path(path: &str) -> Result<String, String> {
    let decoded = unescape(path)?;
    let valid = path
        .bytes()
        .all(|b| path_byte(b) || b"!'()*[]%".contains(&b));
    Ok(if valid {
        path.to_owned()
    } else {
        escape(&decoded, path_byte)
    })
}

fn clean(path: &str) -> String {
    let mut elements: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." => {
                elements.pop();
            }
            _ => elements.push(element),
        }
    }
    format!("/{}", elements.join("/"))
}

fn unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-_.~".contains(&b)
}

/// What Go's `net/url` leaves alone in a path.
fn path_byte(b: u8) -> bool {
    unreserved(b) || b"$&+,/:;=@".contains(&b)
}

/// What it leaves alone in a user name.
fn user_byte(b: u8) -> bool {
    unreserved(b) || b"$&+,;=".contains(&b)
}

/// A query is sent as written, except for what would break the request line.
fn query_byte(b: u8) -> bool {
    b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)
}

fn escape(bytes: &[u8], keep: fn(u8) -> bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &b in bytes {
        if keep(b) {
            text.push(char::from(b));
        } else {
            text.push_str(&format!("%{b:02X}"));
        }
    }
    text
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        if b != b'%' {
            bytes.push(b);
            continue;
        }
        let hex = |b: u8| {
            char::from(b)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match tail {
            [high, low, after @ ..] if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or(0) << 4 | hex(*low).unwrap_or(0));
                rest = after;
            }
            _ => {
                let shown = String::from_utf8_lossy(&tail[..tail.len().min(2)]);
                return Err(format!("invalid URL escape \"%{shown}\""));
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
