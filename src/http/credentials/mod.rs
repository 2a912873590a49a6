//! Credentials for requests: where they come from, and which request gets which.
//!
//! | file | idea |
//! |---|---|
//! | `netrc`, `answer` | pure parsers: netrc files, what GOAUTH commands and git print |
//! | `table` | URL prefix to headers; the longest prefix decides |
//! | `goauth` | the list in GOAUTH, and when its commands run |
//!
//! # Which are used
//! The first of these that has something for a URL: user and password in the URL itself (see
//! `request`); `MODFETCH_TOKEN_HOST`; the file that `--netrc-file` names; GOAUTH, in its order.
//!
//! # Where they go
//! - To the URL prefix they were given for, which is never less than scheme, host and port.
//! - Over https; over plain http only to hosts that `--allow-insecure-auth` names, and there not
//!   through an HTTP proxy.
//! - To the host that was asked. Where a redirect leads to another host, port or scheme,
//!   nothing is sent, be it known for there or not: a server that may choose where to send us
//!   must not choose who we are there.
//!
//! Nothing is read or run before the first request that could use it, and once for all threads.
//! What was sent is never printed; answers of who has seen it are not shown (see `request`).

mod answer;
mod goauth;
mod netrc;
mod table;

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use ureq::http::response::Parts;
use ureq::http::{HeaderValue, StatusCode, header};

use self::goauth::{AuthRefusal, GoAuth};
pub(super) use self::table::Held;
use self::table::Table;
use crate::cancel::Deadline;
use crate::error::{Error, Kind, Result};
use crate::http::answer::status_text;
use crate::http::url::{Scheme, Url};
use crate::memo::{Memo, MemoSettings};

/// Where credentials come from.
#[derive(Clone, Default)]
pub struct CredentialSettings {
    /// GOAUTH as written; empty counts as `off`.
    pub goauth: String,
    /// The file of GOAUTH's method `netrc`; need not exist.
    pub netrc: Option<PathBuf>,
    /// A file in netrc's format that comes first, whatever GOAUTH says, and must exist.
    pub netrc_file: Option<PathBuf>,
    /// What follows `MODFETCH_TOKEN_` in names of variables, and their values.
    pub tokens: Vec<(String, String)>,
    /// When no program of GOAUTH may run any more.
    pub deadline: Option<Deadline>,
    /// Hosts that get credentials over plain http as well: `HOST` (any port) or `HOST:PORT`.
    pub insecure_hosts: Vec<String>,
}

impl fmt::Debug for CredentialSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // GOAUTH may hold a token, too.
        f.debug_struct("CredentialSettings")
            .field("netrc", &self.netrc)
            .field("netrc_file", &self.netrc_file)
            .field("insecure_hosts", &self.insecure_hosts)
            .finish_non_exhaustive()
    }
}

/// A source of credentials is read once; one that could not be read is read again after a while.
const ONE: MemoSettings = MemoSettings::holding(1);

/// The credentials of a client.
#[derive(Debug)]
pub(super) struct Credentials {
    settings: CredentialSettings,
    named: Memo<(), Arc<Table>>,
    goauth: Memo<(), Arc<GoAuth>>,
}

impl Credentials {
    /// Reads and runs nothing yet.
    pub(super) fn new(settings: CredentialSettings) -> Credentials {
        Credentials {
            settings,
            named: Memo::new(ONE),
            goauth: Memo::new(ONE),
        }
    }

    /// True if credentials may go to this URL; `proxied` if an HTTP proxy would see the request.
    pub(super) fn may_go_to(&self, url: &Url, proxied: bool) -> bool {
        url.scheme() == Scheme::Https || !proxied && self.is_allowed_by_name(url)
    }

    fn is_allowed_by_name(&self, url: &Url) -> bool {
        let with_port = format!("{}:{}", url.hostname(), url.port());
        self.settings.insecure_hosts.iter().any(|host| {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            bare.eq_ignore_ascii_case(url.hostname()) || host.eq_ignore_ascii_case(&with_port)
        })
    }

    /// What a request for a URL is to have, beside what the URL itself says.
    ///
    /// # Errors
    /// [`Kind::Input`] for settings that make no sense.
    pub(super) fn find(&self, url: &Url, proxied: bool) -> Result<Option<Arc<Held>>> {
        if url.user().is_some() || !self.may_go_to(url, proxied) {
            return Ok(None);
        }
        if let Some(held) = self.token(url)? {
            return Ok(Some(Arc::new(held)));
        }
        if let Some(held) = self.named()?.and_then(|table| table.find(url)) {
            return Ok(Some(held));
        }
        Ok(self.goauth()?.and_then(|auth| auth.find(url)))
    }

    /// After a refusal of a request: others than were sent, if GOAUTH has any when asked for
    /// this URL. Tells `url` and the header of the response to its commands.
    pub(super) fn again(
        &self,
        url: &Url,
        sent: Option<&Held>,
        answer: &Parts,
    ) -> Option<Arc<Held>> {
        if !asks_again(answer.status) || url.user().is_some() {
            return None;
        }
        let head = head(answer);
        let refusal = AuthRefusal { url, head: &head };
        let goauth = self.goauth().ok().flatten()?;
        goauth.again(&refusal, sent)
    }

    /// Takes note of what a server said to credentials.
    pub(super) fn judge(held: &Held, status: StatusCode) {
        if let Some(login) = &held.git {
            match status.as_u16() {
                200..=399 => goauth::tell_git(login, true),
                401 => goauth::tell_git(login, false),
                _ => {}
            }
        }
    }

    /// What to do about a refusal: says which credentials were sent, but not what they are.
    pub(super) fn explain(&self, error: Error, refused: &Refused<'_>) -> Error {
        let Refused { url, sent, .. } = refused;
        let host = url.host();
        if sent.is_none() && url.user().is_none() && error.chain().contains(NOT_AVAILABLE) {
            return error;
        }
        let error = if let Some(held) = sent {
            error.hint(format!("{host} refused the credentials of {}", held.source))
        } else if url.user().is_some() {
            error.hint(format!("{host} refused the user and password in the URL"))
        } else if refused.redirected {
            return error.hint(format!(
                "no credentials are sent to {host}: a redirect led there"
            ));
        } else if !self.may_go_to(url, refused.proxied) {
            return error.hint(if refused.proxied {
                format!("no credentials are sent to {host}: over plain http a proxy would see them")
            } else {
                format!(
                    "no credentials are sent to {host} over plain http: use https, or name the \
                     host with --allow-insecure-auth"
                )
            });
        } else {
            let variable =
                variable(url).map_or(String::new(), |name| format!(", set MODFETCH_TOKEN_{name}"));
            error.hint(format!(
                "no credentials were found for {host}: put them into ~/.netrc or a file for \
                 --netrc-file{variable}, or name a source in GOAUTH"
            ))
        };
        let goauth = self.goauth().ok().flatten();
        let troubles = goauth.map(|goauth| goauth.troubles());
        troubles.into_iter().flatten().fold(error, Error::hint)
    }

    fn token(&self, url: &Url) -> Result<Option<Held>> {
        let Some(name) = variable(url) else {
            return Ok(None);
        };
        let mut tokens = self.settings.tokens.iter();
        let Some((named, value)) = tokens.find(|(named, _)| named.eq_ignore_ascii_case(&name))
        else {
            return Ok(None);
        };
        let source = format!("MODFETCH_TOKEN_{named}");
        let value = value.trim();
        if let Some((user, password)) = value.split_once(':') {
            return Ok(Some(Held::basic(user, password, source)));
        }
        let mut value = HeaderValue::from_str(&format!("Bearer {value}"))
            .map_err(|_| Error::new(Kind::Input, format!("{source} is not a token")))?;
        value.set_sensitive(true);
        let headers = vec![(header::AUTHORIZATION, value)];
        Ok(Some(Held::new(headers, source)))
    }

    fn named(&self) -> Result<Option<Arc<Table>>> {
        let Some(file) = &self.settings.netrc_file else {
            return Ok(None);
        };
        let load = || {
            let named = format!("netrc {}", file.display());
            let data = fs::read(file).map_err(|cause| {
                Error::new(Kind::Input, format!("cannot read {named}")).because(cause)
            })?;
            Ok(Arc::new(Table::of_netrc(
                &netrc::parse(&String::from_utf8_lossy(&data)),
                &named,
            )))
        };
        self.named.get(&(), load).map(Some)
    }

    fn goauth(&self) -> Result<Option<Arc<GoAuth>>> {
        let CredentialSettings { goauth, netrc, .. } = &self.settings;
        if goauth.is_empty() {
            return Ok(None);
        }
        let start = || {
            let auth = GoAuth::start(goauth, netrc.as_deref(), self.settings.deadline)?;
            Ok(Arc::new(auth))
        };
        self.goauth.get(&(), start).map(Some)
    }
}

/// What proxies say with 403 of a module that they do not serve to anyone: credentials change nothing.
const NOT_AVAILABLE: &str = "not available";

/// A request that was refused.
pub(super) struct Refused<'a> {
    /// What was asked for last.
    pub(super) url: &'a Url,
    pub(super) sent: Option<&'a Held>,
    /// A redirect led to another origin.
    pub(super) redirected: bool,
    /// An HTTP proxy saw the request.
    pub(super) proxied: bool,
}

/// A 4xx, as for go; but those that are tried again anyway say nothing about credentials, nor
/// does that of an HTTP proxy.
fn asks_again(status: StatusCode) -> bool {
    status.is_client_error() && !matches!(status.as_u16(), 407 | 408 | 425 | 429)
}

/// As `net/http.ReadResponse` reads it.
fn head(answer: &Parts) -> Vec<u8> {
    let (version, headers) = (answer.version, &answer.headers);
    let mut head = format!(
        "{version:?} {}\n",
        status_text(answer.status, &answer.extensions)
    )
    .into_bytes();
    for name in headers.keys() {
        let values: Vec<_> = headers
            .get_all(name)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        head.extend(canonical(name.as_str()).as_bytes());
        head.extend(b": ");
        head.extend(values.join(&b", "[..]));
        head.push(b'\n');
    }
    head.push(b'\n');
    head
}

/// `Www-Authenticate`, as Go writes names of headers and scripts look for them.
fn canonical(name: &str) -> String {
    let mut first = true;
    let letter = |letter: char| {
        let capital = std::mem::replace(&mut first, letter == '-');
        if capital {
            letter.to_ascii_uppercase()
        } else {
            letter
        }
    };
    name.chars().map(letter).collect()
}

/// The name of the token variable for a URL's host, after `MODFETCH_TOKEN_`: in capitals, `.` as
/// `_`, `-` as `__` so that `a-b.com` and `a.b.com` are not the same, then `_` and the port if it is
/// not the scheme's own. `None` for hosts that fit no name.
fn variable(url: &Url) -> Option<String> {
    let host = url.hostname();
    if host.contains([':', '_', '~']) {
        return None;
    }
    let usual = if url.scheme() == Scheme::Https {
        443
    } else {
        80
    };
    let mut name = host
        .to_ascii_uppercase()
        .replace('-', "__")
        .replace('.', "_");
    if url.port() != usual {
        name.push_str(&format!("_{}", url.port()));
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn value(held: Option<Arc<Held>>) -> Option<String> {
        let held = held?;
        let (name, value) = held.headers().first()?;
        Some(format!("{name}: {}", value.to_str().unwrap()))
    }

    #[test]
    fn a_token_goes_to_its_host_and_port_only() {
        let tokens = [
            ("PROXY_EXAMPLE_COM", "tok-1\n"),
            ("a__b_example_com_8443", "user:pass"),
        ];
        let credentials = Credentials::new(CredentialSettings {
            tokens: tokens.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(),
            insecure_hosts: vec!["proxy.example.com".into()],
            ..CredentialSettings::default()
        });
        let rows = [
            (
                "https://proxy.example.com/x",
                Some("authorization: Bearer tok-1"),
            ),
            (
                "https://Proxy.example.com:443/x",
                Some("authorization: Bearer tok-1"),
            ),
            (
                "http://proxy.example.com/x",
                Some("authorization: Bearer tok-1"),
            ),
            ("https://proxy.example.com:8443/x", None),
            ("https://proxy-example.com/x", None),
            // printf user:pass | base64
            (
                "https://a-b.example.com:8443/",
                Some("authorization: Basic dXNlcjpwYXNz"),
            ),
            ("http://a-b.example.com:8443/", None),
            ("https://a.b.example.com:8443/", None),
        ];
        for (asked, want) in rows {
            let found = credentials.find(&url(asked), false).unwrap();
            assert_eq!(value(found).as_deref(), want, "{asked}");
        }
        let proxied = credentials
            .find(&url("http://proxy.example.com/x"), true)
            .unwrap();
        assert!(proxied.is_none(), "a proxy would see it");
        let shown = format!("{credentials:?}");
        assert!(
            !shown.contains("tok-1") && !shown.contains("pass"),
            "{shown}"
        );
    }

    #[test]
    fn the_named_file_comes_before_goauth_and_must_exist() {
        let temp = tempfile::tempdir().unwrap();
        let (usual, named) = (temp.path().join("netrc"), temp.path().join("named"));
        fs::write(
            &usual,
            "machine a.com login usual password p\nmachine b.com login usual password p",
        )
        .unwrap();
        fs::write(&named, "machine a.com login named password p").unwrap();
        let mut settings = CredentialSettings {
            goauth: "netrc".into(),
            netrc: Some(usual),
            netrc_file: Some(named),
            ..CredentialSettings::default()
        };
        let credentials = Credentials::new(settings.clone());
        // printf named:p | base64; printf usual:p | base64
        for (asked, want) in [
            ("https://a.com/x", Some("authorization: Basic bmFtZWQ6cA==")),
            ("https://b.com/x", Some("authorization: Basic dXN1YWw6cA==")),
            ("http://b.com/x", None),
            ("https://u@b.com/x", None),
        ] {
            let found = credentials.find(&url(asked), false).unwrap();
            assert_eq!(value(found).as_deref(), want, "{asked}");
        }
        settings.netrc_file = Some("/nonexistent/netrc".into());
        let error = Credentials::new(settings)
            .find(&url("https://a.com/x"), false)
            .unwrap_err();
        assert_eq!(
            (error.chain().as_str(), error.kind()),
            (
                "cannot read netrc /nonexistent/netrc: no such file or directory",
                Kind::Input
            )
        );
    }
}
