//! Which requests go through an HTTP proxy.
//!
//! Source: golang.org/x/net `http/httpproxy`, as vendored in Go. One difference: host names
//! beyond ASCII are compared as written, not in their `xn--` form.

use std::net::IpAddr;
use std::ptr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::http::Uri;

use super::socks::{self, Login};
use crate::error::{Error, Kind, Result};
use crate::http::url::{Scheme, Url};

/// The settings as found, each `None` if unset or empty.
#[derive(Clone, Default)]
pub struct ProxySettings {
    /// HTTP_PROXY or http_proxy: for http requests.
    pub http_proxy: Option<String>,
    /// HTTPS_PROXY or https_proxy: for https requests.
    pub https_proxy: Option<String>,
    /// NO_PROXY or no_proxy: comma-separated hosts that are asked directly.
    pub no_proxy: Option<String>,
    /// True where REQUEST_METHOD is set: in a CGI program HTTP_PROXY may come from a request.
    pub cgi: bool,
}

impl std::fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URLs may hold passwords.
        f.debug_struct("ProxySettings")
            .field("http_proxy", &self.http_proxy.is_some())
            .field("https_proxy", &self.https_proxy.is_some())
            .field("no_proxy", &self.no_proxy)
            .field("cgi", &self.cgi)
            .finish()
    }
}

/// A proxy to go through.
pub(in crate::http) struct HttpProxy {
    /// Its address, without credentials.
    pub(super) uri: Uri,
    /// Redacted, for messages.
    pub(in crate::http) shown: String,
    /// The value of `Proxy-Authorization`, from the credentials in its URL.
    pub(in crate::http) authorization: Option<String>,
    pub(super) protocol: Protocol,
}

/// How a proxy is spoken to.
pub(super) enum Protocol {
    /// In HTTP.
    Http,
    /// In SOCKS5, with a login if there is one.
    Socks(Option<Login>),
}

/// The host of a URI, without the brackets of IPv6.
pub(in crate::http) fn plain_host(uri: &Uri) -> &str {
    let host = uri.host().unwrap_or_default();
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

/// The settings, parsed.
pub(in crate::http) struct Proxies {
    http: Option<Result<HttpProxy>>,
    https: Option<Result<HttpProxy>>,
    exceptions: Vec<Exception>,
    cgi: bool,
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxies").finish_non_exhaustive()
    }
}

impl Proxies {
    pub(in crate::http) fn new(settings: &ProxySettings) -> Proxies {
        let hop = |name, value: &Option<String>| {
            let value = value.as_deref().filter(|value| !value.is_empty())?;
            parse_hop(name, value)
        };
        Proxies {
            http: hop("HTTP_PROXY", &settings.http_proxy),
            https: hop("HTTPS_PROXY", &settings.https_proxy),
            exceptions: parse_no_proxy(settings.no_proxy.as_deref().unwrap_or_default()),
            cgi: settings.cgi,
        }
    }

    /// The proxy for a request, `None` to go directly.
    ///
    /// # Errors
    /// [`Kind::Input`]: the proxy is of a sort that is not supported, or not to be trusted.
    pub(in crate::http) fn for_target(
        &self,
        scheme: Scheme,
        host: &str,
        port: u16,
    ) -> Result<Option<&HttpProxy>> {
        let hop = match scheme {
            Scheme::Http => &self.http,
            Scheme::Https => &self.https,
            Scheme::File => &None,
        };
        let Some(hop) = hop else { return Ok(None) };
        if scheme == Scheme::Http && self.cgi {
            return Err(Error::new(
                Kind::Input,
                "refusing to use HTTP_PROXY value in CGI environment; \
                 see golang.org/s/cgihttpproxy",
            ));
        }
        if !self.applies(host, port) {
            return Ok(None);
        }
        hop.as_ref().map(Some).map_err(Error::clone)
    }

    /// The proxy for a request that ureq makes.
    pub(super) fn for_uri(&self, uri: &Uri) -> Result<Option<&HttpProxy>> {
        let scheme = match uri.scheme_str() {
            Some("https") => Scheme::Https,
            _ => Scheme::Http,
        };
        let default = if scheme == Scheme::Https { 443 } else { 80 };
        self.for_target(scheme, plain_host(uri), uri.port_u16().unwrap_or(default))
    }

    /// True for the URI of one of these proxies itself, which `ProxyConnector` connects to: that very value, not one
    /// that is equal to it.
    pub(super) fn has(&self, uri: &Uri) -> bool {
        let hops = [&self.http, &self.https].into_iter().flatten().flatten();
        hops.into_iter().any(|hop| ptr::eq(uri, &raw const hop.uri))
    }

    fn applies(&self, host: &str, port: u16) -> bool {
        if host == "localhost" {
            return false;
        }
        let host = host.trim().to_lowercase();
        // A zone does not change which address it is.
        let ip = host
            .split('%')
            .next()
            .and_then(|ip| ip.parse::<IpAddr>().ok());
        let ip = ip.map(|ip| ip.to_canonical());
        if ip.is_some_and(|ip| ip.is_loopback()) {
            return false;
        }
        !self
            .exceptions
            .iter()
            .any(|exception| exception.matches(&host, port, ip))
    }
}

/// Schemes of proxies that exist elsewhere, named in the message. Another one may be anything,
/// a password too.
const OTHER_SCHEMES: [&str; 4] = ["ftp", "socks", "socks4", "socks4a"];

fn parse_hop(name: &str, value: &str) -> Option<Result<HttpProxy>> {
    // A value that cannot be parsed is not shown: any part of it may be a password.
    let refused = |reason: &str| {
        Error::new(Kind::Input, format!("{name}: {reason}"))
            .hint("set it to http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT")
    };
    let complete = |text: &str| Url::parse(text).ok().filter(|url| !url.host().is_empty());
    let mut socks = None;
    let url = match value.split_once("://") {
        Some((scheme, rest)) => {
            let scheme = scheme.to_ascii_lowercase();
            let plain = format!("http://{rest}");
            let value = if matches!(scheme.as_str(), "socks5" | "socks5h") {
                socks = Some(scheme.clone());
                &plain
            } else {
                value
            };
            if OTHER_SCHEMES.contains(&scheme.as_str()) {
                let reason = format!("proxies of the kind {scheme:?} are not supported");
                return Some(Err(refused(&reason)));
            }
            // Go puts a second scheme before it and then looks for a host named "http".
            match complete(value).filter(|url| url.scheme() != Scheme::File) {
                Some(url) => url,
                None => return Some(Err(refused("[redacted] is not the URL of a proxy"))),
            }
        }
        // As in Go, what has no scheme gets one, and what is then still no URL is ignored.
        None => complete(&format!("http://{value}"))?,
    };
    let authorization = url.user().map(|user| {
        let password = user.password.as_deref().unwrap_or_default();
        let pair = [user.name.as_slice(), b":", password].concat();
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    });
    let mut host = url.host().trim_end_matches(':').to_owned();
    if socks.is_some() && url.host_has_no_port() {
        host.push_str(&format!(":{}", socks::PORT));
    }
    let uri = format!("{}://{host}/", url.scheme().as_str())
        .parse()
        .ok()?;
    let shown = if url.path().contains('@') {
        // A slash within the password, which was then taken for a port.
        format!("[redacted] of {name}")
    } else {
        let origin = url.origin();
        match &socks {
            Some(scheme) => origin.replacen("http", scheme, 1),
            None => origin,
        }
    };
    let login = url.user().map(|user| Login {
        user: user.name.clone(),
        password: user.password.clone().unwrap_or_default(),
    });
    Some(Ok(HttpProxy {
        uri,
        shown,
        authorization: authorization.filter(|_| socks.is_none()),
        protocol: match socks {
            Some(_) => Protocol::Socks(login),
            None => Protocol::Http,
        },
    }))
}

#[derive(Debug, PartialEq, Eq)]
enum Exception {
    All,
    Network {
        prefix: IpAddr,
        bits: u32,
    },
    Address {
        ip: IpAddr,
        port: Option<String>,
    },
    /// `suffix` starts with a dot.
    Domain {
        suffix: String,
        port: Option<String>,
        itself: bool,
    },
}

impl Exception {
    fn matches(&self, host: &str, port: u16, ip: Option<IpAddr>) -> bool {
        let port_ok = |wanted: &Option<String>| match wanted {
            Some(wanted) => *wanted == port.to_string(),
            None => true,
        };
        match self {
            Exception::All => true,
            Exception::Network { prefix, bits } => {
                ip.is_some_and(|ip| same_network(*prefix, ip, *bits))
            }
            Exception::Address { ip: wanted, port } => ip == Some(*wanted) && port_ok(port),
            Exception::Domain {
                suffix,
                port,
                itself,
            } => {
                let named = host.ends_with(suffix.as_str())
                    || *itself && suffix.strip_prefix('.') == Some(host);
                ip.is_none() && named && port_ok(port)
            }
        }
    }
}

fn same_network(a: IpAddr, b: IpAddr, bits: u32) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
            (a.to_bits() ^ b.to_bits()) & mask == 0
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let mask = u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0);
            (a.to_bits() ^ b.to_bits()) & mask == 0
        }
        _ => false,
    }
}

fn parse_no_proxy(list: &str) -> Vec<Exception> {
    let mut exceptions = Vec::new();
    for entry in list.split(',') {
        let entry = entry.trim().to_lowercase();
        if entry == "*" {
            return vec![Exception::All];
        }
        if let Some(network) = parse_cidr(&entry) {
            exceptions.push(network);
            continue;
        }
        let (host, port) = match split_host_port(&entry) {
            Some((host, port)) => (host, Some(port.to_owned()).filter(|port| !port.is_empty())),
            None => (entry.as_str(), None),
        };
        if host.is_empty() {
            continue;
        }
        if let Ok(ip) = host.parse::<IpAddr>() {
            exceptions.push(Exception::Address {
                ip: ip.to_canonical(),
                port,
            });
            continue;
        }
        let host = if host.starts_with("*.") {
            &host[1..]
        } else {
            host
        };
        let itself = !host.starts_with('.');
        let suffix = if itself {
            format!(".{host}")
        } else {
            host.to_owned()
        };
        exceptions.push(Exception::Domain {
            suffix,
            port,
            itself,
        });
    }
    exceptions
}

fn parse_cidr(entry: &str) -> Option<Exception> {
    let (address, bits_text) = entry.split_once('/')?;
    let digits = !bits_text.is_empty() && bits_text.bytes().all(|b| b.is_ascii_digit());
    let bits: u32 = bits_text.parse().ok().filter(|_| digits)?;
    let address: IpAddr = address.parse().ok()?;
    let max = if address.is_ipv4() { 32 } else { 128 };
    if bits > max {
        return None;
    }
    Some(match address.to_canonical() {
        // An IPv4 network in IPv6 clothes; a prefix that is wider than all of IPv4 is none.
        prefix @ IpAddr::V4(_) if address.is_ipv6() => Exception::Network {
            prefix,
            bits: bits.checked_sub(96)?,
        },
        prefix => Exception::Network { prefix, bits },
    })
}

/// Go's `net.SplitHostPort`: there is a port, and colons in the host are in brackets.
fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']')?;
        return (!inner.contains(['[', ']'])).then_some((inner, port));
    }
    (!host.contains([':', '[', ']']) && !port.contains(['[', ']'])).then_some((host, port))
}

#[cfg(test)]
#[path = "proxies_tests.rs"]
mod tests;
