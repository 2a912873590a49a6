//! Which requests go through an HTTP proxy.
//!
//! Source: golang.org/x/net `http/httpproxy`, as vendored in Go. One difference: host names
//! beyond ASCII are compared as written, not in their `xn--` form.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::http::Uri;

use super::url::{Scheme, Url};
use crate::error::{Error, Kind, Result};

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
pub(super) struct Hop {
    /// Its address, without credentials.
    pub(super) uri: Uri,
    /// Redacted, for messages.
    pub(super) shown: String,
    /// The value of `Proxy-Authorization`, from the credentials in its URL.
    pub(super) authorization: Option<String>,
}

/// The settings, parsed.
pub(super) struct Proxies {
    http: Option<Result<Hop>>,
    https: Option<Result<Hop>>,
    exceptions: Vec<Exception>,
    cgi: bool,
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxies").finish_non_exhaustive()
    }
}

impl Proxies {
    pub(super) fn new(settings: &ProxySettings) -> Proxies {
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
    pub(super) fn for_target(&self, scheme: Scheme, host: &str, port: u16) -> Result<Option<&Hop>> {
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
    pub(super) fn for_uri(&self, uri: &Uri) -> Result<Option<&Hop>> {
        let scheme = match uri.scheme_str() {
            Some("https") => Scheme::Https,
            _ => Scheme::Http,
        };
        let default = if scheme == Scheme::Https { 443 } else { 80 };
        let host = uri.host().unwrap_or_default();
        let host = host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(host);
        self.for_target(scheme, host, uri.port_u16().unwrap_or(default))
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
const OTHER_SCHEMES: [&str; 6] = ["ftp", "socks", "socks4", "socks4a", "socks5", "socks5h"];

fn parse_hop(name: &str, value: &str) -> Option<Result<Hop>> {
    // What cannot be parsed is not shown: nobody knows where in it a password is.
    let refused = |reason: &str| {
        Error::new(Kind::Input, format!("{name}: {reason}"))
            .hint("set it to http://HOST:PORT or https://HOST:PORT")
    };
    let complete = |text: &str| Url::parse(text).ok().filter(|url| !url.host().is_empty());
    let url = match value.split_once("://") {
        Some((scheme, _)) => {
            let scheme = scheme.to_ascii_lowercase();
            if OTHER_SCHEMES.contains(&scheme.as_str()) {
                let reason = format!("proxies of the kind {scheme:?} are not supported");
                return Some(Err(refused(&reason)));
            }
            // Go puts a second scheme before it and then looks for a host named "http".
            match complete(value).filter(|url| url.scheme() != Scheme::File) {
                Some(url) => url,
                None => return Some(Err(refused("[redacted] is not the URL of an HTTP proxy"))),
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
    let uri = format!("{}://{}/", url.scheme().as_str(), url.host())
        .parse()
        .ok()?;
    let shown = if url.path().contains('@') {
        // A slash within the password, which was then taken for a port.
        format!("[redacted] of {name}")
    } else {
        url.origin()
    };
    Some(Ok(Hop {
        uri,
        shown,
        authorization,
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
mod tests {
    use super::*;

    fn proxies(http: &str, https: &str, no: &str) -> Proxies {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Proxies::new(&ProxySettings {
            http_proxy: some(http),
            https_proxy: some(https),
            no_proxy: some(no),
            cgi: false,
        })
    }

    fn shown(proxies: &Proxies, url: &str) -> Option<String> {
        let url = Url::parse(url).unwrap();
        let hop = proxies
            .for_target(url.scheme(), url.hostname(), url.port())
            .unwrap();
        hop.map(|hop| hop.uri.to_string())
    }

    #[test]
    fn no_proxy_as_in_go() {
        // The table of golang.org/x/net/http/httpproxy's TestUseProxy, with its NO_PROXY.
        let list = "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, \
                    192.168.1.3:80, 10.0.0.0/30, 2001:db8::52:0:1, [2001:db8::52:0:2]:443, \
                    [2001:db8::52:0:3]:80, 2002:db8:a::45/64";
        let proxies = proxies("http://p", "", list);
        let rows = [
            ("localhost", false),
            ("127.0.0.1", false),
            ("127.0.0.2", false),
            ("[::1]", false),
            ("[::2]", true),
            ("192.168.1.1", false),
            ("192.168.1.2", true),
            ("192.168.1.3", false),
            ("192.168.1.4", true),
            ("10.0.0.2", false),
            ("[2001:db8::52:0:1]", false),
            ("[2001:db8::52:0:2]", true),
            ("[2001:db8::52:0:3]", false),
            ("[2002:db8:a::123]", false),
            ("[fe80::424b:c8be:1643:a1b6]", true),
            ("barbaz.net", true),
            ("www.barbaz.net", false),
            ("foobar.com", false),
            ("www.foobar.com", false),
            ("foofoobar.com", true),
            ("baz.com", true),
            ("localhost.net", true),
            ("local.localhost", true),
            ("barbarbaz.net", true),
            ("wildcard.io", true),
            ("nested.wildcard.io", false),
            ("awildcard.io", true),
        ];
        for (host, through) in rows {
            let got = shown(&proxies, &format!("http://{host}/")).is_some();
            assert_eq!(got, through, "{host}");
        }
        assert!(shown(&proxies, "http://192.168.1.2:81/").is_none());
        assert!(shown(&proxies, "http://www.barbaz.net:80/").is_none());
    }

    #[test]
    fn no_proxy_oddities() {
        // Expected values by httpproxy's init and the matchers.
        let rows = [
            ("*", "a.com", false),
            ("a.com,*", "b.com", false),
            ("", "a.com", true),
            (":1", "a.com", true),
            ("a.com:80", "a.com", false),
            ("a.com:81", "a.com", true),
            ("A.COM", "a.com", false),
            ("a.com", "A.com", false),
            ("1.2.3", "1.2.3.4", true),
            ("0.0.0.0/0", "9.9.9.9", false),
            ("0.0.0.0/0", "[2001::1]", true),
            ("::/0", "[2001::1]", false),
            ("::ffff:1.2.3.0/120", "1.2.3.9", false),
            ("::ffff:1.2.3.4", "1.2.3.4", false),
            ("1.2.3.4/33", "1.2.3.4", true),
            ("[1.2.3.4]", "1.2.3.4", true),
            ("com", "a.com", false),
        ];
        for (list, host, through) in rows {
            let proxies = proxies("p:3128", "", list);
            let got = shown(&proxies, &format!("http://{host}/")).is_some();
            assert_eq!(got, through, "{list:?} {host}");
        }
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        // From httpproxy's proxyForURLTests.
        let rows = [
            (
                "127.0.0.1:8080",
                "http://a.com",
                Some("http://127.0.0.1:8080/"),
            ),
            (
                "cache.corp.example.com:1234",
                "http://a.com",
                Some("http://cache.corp.example.com:1234/"),
            ),
            (
                "cache.corp.example.com",
                "http://a.com",
                Some("http://cache.corp.example.com/"),
            ),
            (
                "https://cache.corp.example.com",
                "http://a.com",
                Some("https://cache.corp.example.com/"),
            ),
            (
                "http://127.0.0.1:8080",
                "http://a.com",
                Some("http://127.0.0.1:8080/"),
            ),
            ("http://proxy.example.com", "https://a.com", None),
            ("http://proxy.example.com", "file:///a", None),
            ("%zz", "http://a.com", None),
        ];
        for (http, url, want) in rows {
            assert_eq!(
                shown(&proxies(http, "", ""), url).as_deref(),
                want,
                "{http}"
            );
        }
        let both = proxies("http.proxy.tld", "secure.proxy.tld", "");
        assert_eq!(
            shown(&both, "https://a.com").as_deref(),
            Some("http://secure.proxy.tld/")
        );
    }

    #[test]
    fn cgi_and_unsupported_proxies_are_refused() {
        let cgi = Proxies::new(&ProxySettings {
            http_proxy: Some("p".into()),
            https_proxy: Some("p".into()),
            no_proxy: None,
            cgi: true,
        });
        let error = cgi.for_target(Scheme::Http, "a.com", 80).err().unwrap();
        assert_eq!(
            error.chain(),
            "refusing to use HTTP_PROXY value in CGI environment; see golang.org/s/cgihttpproxy"
        );
        assert!(
            cgi.for_target(Scheme::Https, "a.com", 443)
                .unwrap()
                .is_some()
        );
        let socks = proxies("socks5://u:p@p", "", "");
        let error = socks.for_target(Scheme::Http, "a.com", 80).err().unwrap();
        assert_eq!(
            error.chain(),
            "HTTP_PROXY: proxies of the kind \"socks5\" are not supported"
        );
    }

    #[test]
    fn credentials_become_a_header_and_are_not_shown() {
        let proxies = proxies("http://us%3Aer:p%40ss@p:1", "", "");
        let hop = proxies
            .for_target(Scheme::Http, "a.com", 80)
            .unwrap()
            .unwrap();
        // printf 'us:er:p@ss' | base64
        assert_eq!(hop.authorization.as_deref(), Some("Basic dXM6ZXI6cEBzcw=="));
        assert_eq!(hop.shown, "http://us%3Aer:xxxxx@p:1");
        assert_eq!(hop.uri.to_string(), "http://p:1/");
    }

    #[test]
    fn a_value_that_is_no_url_is_never_shown() {
        let no_url = Some("HTTP_PROXY: [redacted] is not the URL of an HTTP proxy");
        let rows = [
            ("http://us3r:s3cr3t@[::1", no_url),
            ("http://us3r:s3cr3t@p:port", no_url),
            ("HTTPS://us3r:s3cr3t%@p", no_url),
            ("http://us3r:s3/cr3t@p", no_url),
            ("us3r:s3cr3t@p/://", no_url),
            ("s3cr3t://p", no_url),
            ("file://s3cr3t/", no_url),
            ("us3r:s3cr3t@[::1", None),
            ("us3r:s3/cr3t@p", None),
        ];
        for (value, want) in rows {
            let proxies = proxies(value, "", "");
            let got = proxies.for_target(Scheme::Http, "a.com", 80);
            let text = got.as_ref().map_err(Error::chain);
            assert_eq!(text.err().as_deref(), want, "{value}");
            assert!(!matches!(got, Ok(Some(_))), "{value}");
            if let Err(error) = got {
                assert!(!format!("{error:?}").contains("s3"), "{error:?}");
            }
        }
        let rows = [
            (
                "http://us3r:s3cr3t@p:1/s3cr3t?s3cr3t",
                "http://us3r:xxxxx@p:1",
            ),
            ("http://s3cr3t@p/", "http://xxxxx@p"),
            ("us3r:s3cr3t@p", "http://us3r:xxxxx@p"),
            ("http://us3r:17/4@p", "[redacted] of HTTP_PROXY"),
        ];
        for (value, want) in rows {
            let proxies = proxies(value, "", "");
            let hop = proxies.for_target(Scheme::Http, "a.com", 80).unwrap();
            assert_eq!(hop.unwrap().shown, want, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(list in "[a-z0-9.:/*,\\[\\] %]{0,40}", host in "[a-z0-9.:%]{0,20}") {
            let _ = proxies(&list, "", &list).for_target(Scheme::Http, &host, 80);
        }
    }
}
