//! Tables for URLs; expected values are those of Go's `net/url` unless said otherwise.

use super::*;

#[test]
fn urls_are_printed_without_secrets() {
    // What Go's URL.Redacted prints, but for lone user names and queries, which we hide too.
    let rows = [
        ("https://proxy.example.com", "https://proxy.example.com"),
        (
            "HTTPS://Proxy.Example.com:8443/a/",
            "https://Proxy.Example.com:8443/a/",
        ),
        ("https://user:secret@h/p", "https://user:xxxxx@h/p"),
        ("https://us%2Fer:s%40cret@h/p", "https://us%2Fer:xxxxx@h/p"),
        ("https://user:@h", "https://user:xxxxx@h"),
        ("https://token@h/p", "https://xxxxx@h/p"),
        ("https://h/p?sig=secret", "https://h/p?xxxxx"),
        ("https://h/p#frag", "https://h/p"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("file:///tmp/a%20b", "file:///tmp/a%20b"),
        ("file:///tmp/a b", "file:///tmp/a%20b"),
        ("http://h/a%2fb/c", "http://h/a%2fb/c"),
        ("http://h/\u{e9}", "http://h/%C3%A9"),
    ];
    for (text, want) in rows {
        let url = Url::parse(text).unwrap();
        assert_eq!(url.to_string(), want, "{text}");
        assert_eq!(format!("{url:?}"), want, "{text}");
        assert_eq!(url.redacted().as_str(), want, "{text}");
    }
}

#[test]
fn refusals_hide_secrets_too() {
    let rows = [
        ("://x", "parse \"://x\": missing protocol scheme"),
        ("proxy", "parse \"proxy\": missing protocol scheme"),
        (
            "ftp://h/",
            "parse \"ftp://h/\": unsupported protocol scheme",
        ),
        ("https:h", "parse \"https:h\": missing // after the scheme"),
        ("https://", "parse \"https://\": no host in request URL"),
        (
            "http://h/%zz",
            "parse \"http://h/%zz\": invalid URL escape \"%zz\"",
        ),
        (
            "http://h/%4",
            "parse \"http://h/%4\": invalid URL escape \"%4\"",
        ),
        (
            "https://u:se cret@h/",
            "parse \"https://xxxxx@h/\": net/url: invalid userinfo",
        ),
        (
            "https://u:%zz@h/",
            "parse \"https://xxxxx@h/\": net/url: invalid userinfo",
        ),
        (
            "https://u:secret@h:x/",
            "parse \"https://xxxxx@h:x/\": invalid port after host",
        ),
        (
            "https://u:se/cret@h/",
            "parse \"https://xxxxx@h/\": invalid port after host",
        ),
        (
            "https://h:70000/",
            "parse \"https://h:70000/\": invalid port after host",
        ),
        (
            "https://h:+1/",
            "parse \"https://h:+1/\": invalid port after host",
        ),
        (
            "https://[::1/",
            "parse \"https://[::1/\": missing ']' in host",
        ),
        (
            "https://[1.2.3.4]/",
            "parse \"https://[1.2.3.4]/\": invalid host",
        ),
        (
            "https://a b/",
            "parse \"https://a b/\": invalid character in host name",
        ),
    ];
    for (text, want) in rows {
        assert_eq!(Url::parse(text).unwrap_err().chain(), want, "{text}");
    }
}

#[test]
fn joining_cleans_as_go_does() {
    let rows = [
        ("http://h", "a.com/m/@v/list", "http://h/a.com/m/@v/list"),
        ("http://h/", "a.com/m/@v/list", "http://h/a.com/m/@v/list"),
        ("http://h//x/../y/", "a/@latest", "http://h/y/a/@latest"),
        (
            "http://h/p",
            "github.com/!azure/x/@v/v1.0.0+incompatible.mod",
            "http://h/p/github.com/%21azure/x/@v/v1.0.0+incompatible.mod",
        ),
        ("http://h/a%2fb", "m", "http://h/a%2fb/m"),
    ];
    for (base, suffix, want) in rows {
        assert_eq!(
            Url::parse(base).unwrap().join(suffix).wire(),
            want,
            "{base} {suffix}"
        );
    }
    let url = Url::parse("https://u:p@h/x?a=b&c").unwrap().join("m");
    assert_eq!(url.wire(), "https://h/x/m?a=b&c");
}

#[test]
fn redirects_resolve_and_keep_credentials_at_home() {
    // (location, wire form, credentials kept), from https://u:p@h.com/base joined with a/b?q
    let base = Url::parse("https://u:p@h.com/base").unwrap().join("a/b");
    let rows = [
        ("c", "https://h.com/base/a/c", true),
        ("./c/", "https://h.com/base/a/c/", true),
        ("/base/x", "https://h.com/base/x", true),
        ("/basement", "https://h.com/basement", false),
        ("/other", "https://h.com/other", false),
        ("../../other", "https://h.com/other", false),
        (
            "/base/%2e%2e/other",
            "https://h.com/base/%2e%2e/other",
            false,
        ),
        ("?x=y", "https://h.com/base/a/b?x=y", true),
        ("https://H.com:443/base/z", "https://H.com:443/base/z", true),
        (
            "https://h.com:444/base/z",
            "https://h.com:444/base/z",
            false,
        ),
        ("http://h.com/base/z", "http://h.com/base/z", false),
        ("//h.com/base/z", "https://h.com/base/z", true),
        ("//cdn.h.com/base/z", "https://cdn.h.com/base/z", false),
        ("https://v:w@other/base/z#f", "https://other/base/z", false),
        ("/base/a:b", "https://h.com/base/a:b", true),
    ];
    for (location, wire, kept) in rows {
        let url = base.redirect(location).unwrap();
        assert_eq!(
            (url.wire().as_str(), url.user().is_some()),
            (wire, kept),
            "{location}"
        );
    }
    for bad in [
        "ftp://h/",
        "file:///etc/passwd",
        "https://",
        "http://h:x/",
        "mailto:x",
    ] {
        assert!(base.redirect(bad).is_err(), "{bad}");
    }
}

#[test]
fn file_urls_name_files() {
    let rows = [
        ("file:///tmp/a%20b/%21c", Ok("/tmp/a b/!c")),
        ("file://localhost/tmp", Ok("/tmp")),
        ("file://other/tmp", Err("file URL specifies non-local host")),
        ("file://", Err("file URL missing path")),
    ];
    for (text, want) in rows {
        let path = Url::parse(text).unwrap().file_path();
        let want = want.map(PathBuf::from).map_err(str::to_owned);
        assert_eq!(path, want, "{text}");
    }
}

#[test]
fn hosts_ports_and_loopback() {
    let rows = [
        ("http://localhost", "localhost", 80, true),
        ("https://localhost:9", "localhost", 9, true),
        ("https://127.9.9.9", "127.9.9.9", 443, true),
        ("https://[::1]:5", "::1", 5, true),
        ("https://[::ffff:127.0.0.1]", "::ffff:127.0.0.1", 443, true),
        (
            "https://localhost.evil.com",
            "localhost.evil.com",
            443,
            false,
        ),
        ("https://128.0.0.1", "128.0.0.1", 443, false),
    ];
    for (text, host, port, loopback) in rows {
        let url = Url::parse(text).unwrap();
        assert_eq!(
            (url.hostname(), url.port(), url.is_loopback()),
            (host, port, loopback)
        );
    }
}

proptest::proptest! {
    #[test]
    fn parsing_never_panics_and_hides_passwords(text in "\\PC{0,60}", at in "[a-z/.:@]{0,20}") {
        let _ = Url::parse(&text);
        let _ = Url::parse(&format!("https://h/{text}"));
        let base = Url::parse("https://h/a/b").unwrap();
        let _ = base.redirect(&text);
        let with_secret = format!("https://user:sesame0@{at}");
        let shown = match Url::parse(&with_secret) {
            Ok(url) => url.to_string(),
            Err(error) => error.chain(),
        };
        assert!(!shown.contains("sesame0"), "{shown}");
    }

    #[test]
    fn escaping_round_trips(bytes in proptest::collection::vec(0u8.., 0..40)) {
        assert_eq!(unescape(&escape(&bytes, path_byte)).unwrap(), bytes);
    }
}
