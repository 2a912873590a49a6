//! Which headers belong to which URL prefix.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use ureq::http::{HeaderValue, header};

use super::answer::CredentialHeader;
use super::netrc;
use crate::cancel::Deadline;
use crate::http::url::{Scheme, Url};

/// Headers that may be sent below one prefix, and where they come from.
pub(in crate::http) struct Held {
    pub(super) headers: Vec<CredentialHeader>,
    /// Printable: `netrc /home/u/.netrc, machine example.com`.
    pub(in crate::http) source: String,
    /// How git learns whether they were right.
    pub(super) git: Option<GitLogin>,
}

/// Where `git credential` answered, and what.
pub(super) struct GitLogin {
    pub(super) dir: PathBuf,
    pub(super) answer: Vec<u8>,
    pub(super) deadline: Option<Deadline>,
    /// Git knows already.
    pub(super) told: AtomicBool,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Held {
    pub(super) fn new(headers: Vec<CredentialHeader>, source: String) -> Held {
        Held {
            headers,
            source,
            git: None,
        }
    }

    /// Name and password in an `Authorization` header.
    pub(super) fn basic(user: &str, password: &str, source: String) -> Held {
        let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
        // Base64 is always a valid value; were it not, nothing would be sent.
        let value = HeaderValue::from_str(&format!("Basic {pair}"));
        let headers = value.into_iter().map(|mut value| {
            value.set_sensitive(true);
            (header::AUTHORIZATION, value)
        });
        Held::new(headers.collect(), source)
    }

    /// The headers to send.
    pub(in crate::http) fn headers(&self) -> &[CredentialHeader] {
        &self.headers
    }

    /// True if a host name repeats one of the secrets, as it is or decoded. Words under four
    /// bytes are in any name and no secret.
    pub(in crate::http) fn is_in_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let repeats = |secret: &[u8]| {
            let secret = secret.to_ascii_lowercase();
            let mut parts = host.as_bytes().windows(secret.len().max(1));
            secret.len() >= 4 && parts.any(|part| part == secret)
        };
        self.headers.iter().any(|(_, value)| {
            let mut words = value.as_bytes().split(|b| b" ,;=".contains(b));
            words.any(|word| {
                let decoded = BASE64_STANDARD_NO_PAD.decode(word).unwrap_or_default();
                repeats(word) || decoded.split(|&b| b == b':').any(repeats)
            })
        })
    }
}

/// The credentials of some prefixes; the longest prefix of a URL decides.
#[derive(Debug, Default)]
pub(super) struct Table(HashMap<String, Arc<Held>>);

impl Table {
    /// Those of a netrc file. Of two entries for one machine the first counts.
    pub(super) fn of_netrc(lines: &[netrc::NetrcLine], file: &str) -> Table {
        let mut table = Table::default();
        table.put_netrc(lines, file);
        table
    }

    /// Puts those of a netrc file in the place of what is there for the same machines. They do
    /// not say for which scheme they are: whether they may go over plain http is for others to
    /// decide.
    pub(super) fn put_netrc(&mut self, lines: &[netrc::NetrcLine], file: &str) {
        for line in lines.iter().rev() {
            let machine = &line.machine;
            let source = format!("{file}, machine {machine}");
            let held = Arc::new(Held::basic(&line.login, &line.password, source));
            let bare = machine.strip_prefix("https://").unwrap_or(machine);
            for scheme in [Scheme::Https, Scheme::Http] {
                self.0.insert(key_of_text(scheme, bare), Arc::clone(&held));
            }
        }
    }

    /// Replaces what is known for a prefix; headers that are none take it back.
    pub(super) fn put(&mut self, prefix: &Url, held: &Arc<Held>) {
        let key = key(prefix);
        if held.headers.is_empty() {
            self.0.remove(&key);
        } else {
            self.0.insert(key, Arc::clone(held));
        }
    }

    /// What belongs to a URL: looked for up the path, and last for the host itself.
    pub(super) fn find(&self, url: &Url) -> Option<Arc<Held>> {
        let key = key(url);
        let mut prefix = key.as_str();
        loop {
            if let Some(held) = self.0.get(prefix) {
                return Some(Arc::clone(held));
            }
            (prefix, _) = prefix
                .rsplit_once('/')
                .filter(|(up, _)| !up.ends_with('/'))?;
        }
    }
}

/// True if credentials for `prefix` belong to `url`.
pub(super) fn covers(prefix: &Url, url: &Url) -> bool {
    let below = key(url);
    let rest = below.strip_prefix(&key(prefix));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `host:port/path`, the usual port left out; before it the scheme, if that is not https.
fn key(url: &Url) -> String {
    // An encoded dot could climb out of the prefix on a server that decodes first: then only
    // what belongs to the whole host does.
    let climbs = url.path().to_ascii_lowercase().contains("%2e");
    let path = if climbs { "" } else { url.path() };
    key_of_text(url.scheme(), &format!("{}{path}", url.host()))
}

fn key_of_text(scheme: Scheme, text: &str) -> String {
    let (host, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    let (before, usual) = match scheme {
        Scheme::Https => ("", ":443"),
        _ => ("http://", ":80"),
    };
    let host = host.to_ascii_lowercase();
    let host = host
        .strip_suffix(usual)
        .unwrap_or(&host)
        .trim_end_matches(':');
    format!("{before}{host}{}", path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn table(prefixes: &[&str]) -> Table {
        let mut table = Table::default();
        for prefix in prefixes {
            let held = Held::basic("u", "p", (*prefix).to_owned());
            table.put(&url(prefix), &Arc::new(held));
        }
        table
    }

    #[test]
    fn the_longest_prefix_of_the_same_origin_decides() {
        let table = table(&[
            "https://a.com",
            "https://a.com/x/y/",
            "https://a.com:8443/z",
            "https://[2001:db8::1]:443",
            "http://plain.com/p",
        ]);
        let rows = [
            ("https://a.com/", Some("https://a.com")),
            ("https://A.com:443/x", Some("https://a.com")),
            ("https://a.com/x/y", Some("https://a.com/x/y/")),
            ("https://a.com/x/y/z@v1", Some("https://a.com/x/y/")),
            ("https://a.com/x/yy", Some("https://a.com")),
            ("https://a.com/x/y/%2E%2e/z", Some("https://a.com")),
            ("https://a.com:8443/z/1", Some("https://a.com:8443/z")),
            ("https://a.com:8443/zz", None),
            ("https://a.com:8443/", None),
            ("https://a.com:8444/z", None),
            ("https://sub.a.com/", None),
            ("https://a.com.evil.org/", None),
            ("https://[2001:db8::1]/x", Some("https://[2001:db8::1]:443")),
            ("http://a.com/", None),
            ("http://plain.com:80/p/q", Some("http://plain.com/p")),
            ("http://plain.com/", None),
            ("https://plain.com/p", None),
        ];
        for (asked, want) in rows {
            let found = table.find(&url(asked)).map(|held| held.source.clone());
            assert_eq!(found.as_deref(), want, "{asked}");
        }
    }

    #[test]
    fn no_header_takes_back_what_was_known() {
        let mut table = table(&["https://a.com/x"]);
        let none = Arc::new(Held::new(Vec::new(), String::new()));
        table.put(&url("https://a.com/x/"), &none);
        assert!(table.find(&url("https://a.com/x")).is_none());
    }

    #[test]
    fn the_first_of_two_machines_counts_and_ports_are_told_apart() {
        let lines = netrc::parse(
            "machine a.com login 1 password p\nmachine a.com login 2 password p\n\
             machine a.com:8443 login 3 password p\nmachine b.com/x login 4 password p\n",
        );
        let table = Table::of_netrc(&lines, "f");
        let user = |text: &str| {
            let held = table.find(&url(text))?;
            let value = held.headers[0].1.to_str().unwrap().to_owned();
            let pair = BASE64_STANDARD.decode(&value["Basic ".len()..]).unwrap();
            Some(String::from_utf8(pair).unwrap())
        };
        assert_eq!(user("https://a.com/m").as_deref(), Some("1:p"));
        assert_eq!(user("https://a.com:8443/m").as_deref(), Some("3:p"));
        assert_eq!(user("https://b.com/x/y").as_deref(), Some("4:p"));
        assert_eq!(user("https://b.com/y"), None);
        assert_eq!(user("http://a.com/m").as_deref(), Some("1:p"));
    }

    #[test]
    fn a_secret_in_a_host_name_is_seen() {
        let basic = Held::basic("user", "hunter2x", String::new());
        assert!(basic.is_in_host("Hunter2X.evil.org"));
        assert!(basic.is_in_host("dxnlcjpodw50zxiyea.evil.org"));
        assert!(!basic.is_in_host("example.com"));
    }
}
