//! Which proxy a request goes through.

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
fn socks_proxies_have_their_port_and_login() {
    for (written, uri, told) in [
        ("socks5://p", "http://p:1080/", "socks5://p"),
        ("SOCKS5H://u:pw@p:9", "http://p:9/", "socks5h://u:xxxxx@p:9"),
        ("socks5://[::1]", "http://[::1]:1080/", "socks5://[::1]"),
    ] {
        let proxies = proxies("", written, "");
        let hop = proxies.for_target(Scheme::Https, "a.com", 443);
        let hop = hop.unwrap().unwrap();
        assert_eq!(
            (hop.uri.to_string().as_str(), hop.shown.as_str()),
            (uri, told)
        );
        assert!(hop.authorization.is_none());
        let Protocol::Socks(login) = &hop.protocol else {
            panic!("{written} is SOCKS");
        };
        let login = login
            .as_ref()
            .map(|login| (&login.user[..], &login.password[..]));
        assert_eq!(
            login,
            written.contains('@').then_some((&b"u"[..], &b"pw"[..]))
        );
    }
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
    let socks = proxies("socks4://u:p@p", "", "");
    let error = socks.for_target(Scheme::Http, "a.com", 80).err().unwrap();
    assert_eq!(
        error.chain(),
        "HTTP_PROXY: proxies of the kind \"socks4\" are not supported"
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
    let no_url = Some("HTTP_PROXY: [redacted] is not the URL of a proxy");
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
