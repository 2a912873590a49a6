//! The client through TLS and HTTP proxies.

use super::*;
use crate::transport::testserver::Wire;

/// Settings that trust one certificate and nothing else.
fn trusting(pem: &str) -> (tempfile::TempDir, Settings) {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("ca.pem");
    fs::write(&file, pem).unwrap();
    let none = temp.path().join("none");
    let roots = RootSettings {
        cert_file: Some(file),
        cert_dir: Some(vec![none]),
    };
    (
        temp,
        Settings {
            roots,
            ..settings()
        },
    )
}

#[test]
fn tls_trusts_what_ssl_cert_file_names_and_nothing_else() {
    let handler = |target: &str, _, wire: &mut dyn Wire| match target {
        "/down" => reply(
            wire,
            "302 Found",
            "Location: http://127.0.0.1:1/?token=x\r\n",
            "",
        ),
        _ => reply(wire, "200 OK", "", "secret"),
    };
    let (server, pem) = Server::start_tls("localhost", handler);
    let (stranger, _) = Server::start_tls("localhost", handler);
    let (_temp, trust) = trusting(&pem);
    let (client, waits) = new_client(trust);
    let url = |server: &Server, path| format!("https://localhost:{}{path}", server.port);
    for _ in 0..3 {
        assert_eq!(get(&client, &url(&server, "/x")).unwrap().value, b"secret");
    }
    assert_eq!(server.connections(), 1);

    let error = get(&client, &url(&stranger, "/x")).unwrap_err();
    assert_eq!(
        error.chain(),
        format!(
            "reading {}: cannot verify the certificate of localhost: x509: certificate signed \
             by unknown authority (SSL_CERT_FILE names those to trust)",
            url(&stranger, "/x")
        )
    );
    assert!(!error.is_transient() && error.hints()[0].contains("SSL_CERT_FILE"));

    let error = get(&client, &format!("https://127.0.0.1:{}/x", server.port)).unwrap_err();
    assert!(
        error
            .chain()
            .ends_with("x509: certificate is not valid for 127.0.0.1"),
        "{}",
        error.chain()
    );

    let down = url(&server, "/down");
    let error = get(&client, &down).unwrap_err();
    assert_eq!(
        error.chain(),
        format!(
            "reading {down}: redirected from secure URL {down} to insecure URL \
             http://127.0.0.1:1/?xxxxx"
        )
    );
    assert!(
        waits.lock().unwrap().is_empty(),
        "nothing of this is retried"
    );
}

#[test]
fn an_unusable_ssl_cert_file_is_named_and_only_for_https() {
    let plain = Server::start(|_, _, wire| reply(wire, "200 OK", "", "x"));
    let roots = RootSettings {
        cert_file: Some("/nonexistent.pem".into()),
        cert_dir: None,
    };
    let (client, waits) = new_client(Settings {
        roots,
        ..settings()
    });
    get(&client, &plain.url("/x")).unwrap();
    let error = get(&client, &format!("https://127.0.0.1:{}/x", plain.port)).unwrap_err();
    assert_eq!(
        error.chain(),
        format!(
            "reading https://127.0.0.1:{}/x: SSL_CERT_FILE: cannot read /nonexistent.pem: \
             no such file or directory",
            plain.port
        )
    );
    assert_eq!(error.kind(), Kind::Input);
    assert!(waits.lock().unwrap().is_empty());
}

#[test]
fn a_tls_cut_is_no_end_of_a_body_without_length() {
    let (server, pem) = Server::start_tls("localhost", |_, _, wire| {
        raw(wire, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf");
        Then::Close
    });
    let (_temp, trust) = trusting(&pem);
    let (client, waits) = new_client(trust);
    let error = get(&client, &format!("https://localhost:{}/x", server.port)).unwrap_err();
    assert!(error.is_transient(), "{}", error.chain());
    assert_eq!(waits.lock().unwrap().len(), 2);
}

#[test]
fn http_goes_through_a_proxy_in_absolute_form() {
    let proxy = Server::start_proxy(Some("Basic dTpwQHNz"));
    let through = |userinfo: &str| ProxySettings {
        http_proxy: Some(format!("http://{userinfo}127.0.0.1:{}", proxy.port)),
        ..ProxySettings::default()
    };
    // printf 'u:p@ss' | base64
    let (client, _) = new_client(Settings {
        proxy: through("u:p%40ss@"),
        ..settings()
    });
    for path in ["/a", "/b"] {
        // The name means nothing here: it is the proxy's to look up.
        let body = get(&client, &format!("http://host.invalid:81{path}"))
            .unwrap()
            .value;
        assert_eq!(
            String::from_utf8(body).unwrap(),
            format!("http://host.invalid:81{path}")
        );
    }
    assert_eq!(proxy.connections(), 1);
    assert!(proxy.heads()[1].contains("host.invalid:81\r\n"));

    let direct = Server::start(|_, _, wire| reply(wire, "200 OK", "", "direct"));
    assert_eq!(get(&client, &direct.url("/x")).unwrap().value, b"direct");
    assert_eq!(proxy.heads().len(), 2, "loopback is never proxied");

    let (stranger, _) = new_client(Settings {
        proxy: through(""),
        ..settings()
    });
    let error = get(&stranger, "http://host.invalid/x").unwrap_err();
    assert_eq!(
        error.chain(),
        "reading http://host.invalid/x: 407 Proxy Authentication Required"
    );
}

#[test]
fn https_goes_through_a_proxy_by_connect() {
    let proxy = Server::start_proxy(Some("Basic dTpw"));
    let (server, pem) = Server::start_tls("host.invalid", |_, _, wire| {
        reply(wire, "200 OK", "", "secret")
    });
    let (_temp, trust) = trusting(&pem);
    let through = |userinfo: &str| ProxySettings {
        https_proxy: Some(format!("{userinfo}127.0.0.1:{}", proxy.port)),
        ..ProxySettings::default()
    };
    let url = format!("https://host.invalid:{}/x", server.port);
    // printf 'u:p' | base64
    let (good, _) = new_client(Settings {
        proxy: through("u:p@"),
        ..trust.clone()
    });
    for _ in 0..2 {
        assert_eq!(get(&good, &url).unwrap().value, b"secret");
    }
    assert_eq!((proxy.connections(), server.connections()), (1, 1));
    assert!(proxy.heads()[0].starts_with(&format!("CONNECT host.invalid:{} ", server.port)));
    assert!(!server.heads()[0].contains("Proxy-Authorization"));

    let (stranger, waits) = new_client(Settings {
        proxy: through(""),
        ..trust
    });
    let error = get(&stranger, &url).unwrap_err();
    assert_eq!(
        error.chain(),
        format!(
            "reading {url}: proxy http://127.0.0.1:{} for host.invalid:{}: the proxy answered \
             CONNECT with status 407",
            proxy.port, server.port
        )
    );
    assert_eq!(error.kind(), Kind::Auth);
    assert!(waits.lock().unwrap().is_empty());
}

/// What exchanges were told: URL, whether over an old connection, which steps there were.
#[derive(Default)]
struct Ways(Mutex<Vec<(String, bool, [bool; 4])>>);

impl Observer for Ways {
    fn event(&self, event: &Event<'_>) {
        if let Event::Exchange(over) = event {
            let steps = over.steps;
            assert_eq!(steps.certificate.is_some(), steps.tls.is_some());
            assert!(over.first_byte.is_some_and(|first| first <= over.total));
            let way = format!("{} {} by {:?}", over.url, over.bytes, over.through);
            let taken =
                [steps.lookup, steps.connect, steps.tunnel, steps.tls].map(|step| step.is_some());
            self.0.lock().unwrap().push((way, over.reused(), taken));
        }
    }
}

#[test]
fn an_exchange_tells_its_way_and_whether_the_connection_was_there() {
    let (server, pem) = Server::start_tls("modules.test", |_, _, wire| {
        reply(wire, "200 OK", "", "secret")
    });
    let hop = Server::start_proxy(None);
    let (_temp, trust) = trusting(&pem);
    let through = format!("http://127.0.0.1:{}", hop.port);
    let ways = Arc::new(Ways::default());
    let settings = Settings {
        proxy: ProxySettings {
            http_proxy: Some(through.clone()),
            https_proxy: Some(through.clone()),
            ..ProxySettings::default()
        },
        ..trust
    };
    let client = Client::new(settings, ways.clone());
    let tunnelled = format!("https://modules.test:{}/x", server.port);
    let plain = "http://modules.test/abc";
    for url in [tunnelled.as_str(), &tunnelled, plain, plain] {
        get(&client, url).unwrap();
    }
    let way = |url: &str, bytes: usize| format!("{url} {bytes} by {:?}", Some(&through));
    let want = [
        (way(&tunnelled, 6), false, [true, true, true, true]),
        (way(&tunnelled, 6), true, [true, false, false, false]),
        (way(plain, plain.len()), false, [true, true, false, false]),
        (way(plain, plain.len()), true, [true, false, false, false]),
    ];
    assert_eq!(*ways.0.lock().unwrap(), want);
}
