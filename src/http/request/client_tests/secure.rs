//! The client through TLS and HTTP proxies.

use rustls::server::WebPkiClientVerifier;

use super::*;
use crate::http::testserver::Wire;
use crate::http::{ClientCertSettings, CredentialSettings};

/// Settings that trust one certificate and nothing else.
fn trusting(pem: &str) -> (tempfile::TempDir, Settings) {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("ca.pem");
    fs::write(&file, pem).unwrap();
    let none = temp.path().join("none");
    let roots = RootSettings {
        cert_file: Some(file),
        cert_dir: Some(vec![none]),
        added: None,
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
             by unknown authority \"CN=rcgen self signed cert\" (SSL_CERT_FILE or --cacert names \
             those to trust)",
            url(&stranger, "/x")
        )
    );
    assert!(!error.is_transient() && error.hints()[0].contains("SSL_CERT_FILE"));

    let error = get(&client, &format!("https://127.0.0.1:{}/x", server.port)).unwrap_err();
    assert!(
        error
            .chain()
            .ends_with("x509: certificate is valid for localhost, not 127.0.0.1"),
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
        added: None,
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

/// Credentials of GOAUTH's `netrc` for one machine: u and p.
fn known(temp: &tempfile::TempDir, machine: &str) -> CredentialSettings {
    let file = temp.path().join("netrc");
    fs::write(&file, format!("machine {machine} login u password p\n")).unwrap();
    CredentialSettings {
        goauth: "netrc".into(),
        netrc: Some(file),
        ..CredentialSettings::default()
    }
}

#[test]
fn an_http_proxy_on_the_way_sees_no_credentials() {
    let proxy = Server::start_proxy(None);
    let (server, pem) = Server::start_tls("host.invalid", |_, _, wire| {
        reply(wire, "200 OK", "", "secret")
    });
    let (temp, trust) = trusting(&pem);
    let mut credentials = known(&temp, &format!("host.invalid:{}", server.port));
    credentials.insecure_hosts.push("host.invalid".into());
    let through = Some(format!("http://127.0.0.1:{}", proxy.port));
    let (client, _) = new_client(Settings {
        proxy: ProxySettings {
            http_proxy: through.clone(),
            https_proxy: through,
            ..ProxySettings::default()
        },
        credentials,
        ..trust
    });
    let host = format!("host.invalid:{}", server.port);
    get(&client, &format!("https://{host}/x")).unwrap();
    // printf u:p | base64
    assert!(
        server.heads()[0]
            .to_lowercase()
            .contains("authorization: basic dtpw\r\n")
    );
    // Allowed by name, but here it would be the proxy's to read.
    get(&client, &format!("http://{host}/x")).unwrap();
    let error = get(&client, &format!("http://u:p@{host}/x")).unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    let heads = proxy.heads();
    assert_eq!(heads.len(), 2, "{heads:?}");
    for head in heads {
        assert!(!head.to_lowercase().contains("authorization"), "{head}");
    }
}

#[test]
fn a_refused_credential_of_a_redirected_request_stays_at_home() {
    let server = Server::start(|target, _, wire| match target {
        "/a/out" => reply(wire, "302 Found", "Location: /b\r\n", ""),
        _ => reply(wire, "200 OK", "", "x"),
    });
    let temp = tempfile::tempdir().unwrap();
    let mut credentials = known(&temp, &format!("127.0.0.1:{}/a", server.port));
    credentials.insecure_hosts.push("127.0.0.1".into());
    let (client, _) = new_client(Settings {
        credentials,
        ..settings()
    });
    get(&client, &server.url("/a/out")).unwrap();
    let heads = server.heads();
    assert!(
        heads[0].to_lowercase().contains("authorization: "),
        "{heads:?}"
    );
    assert!(
        !heads[1].to_lowercase().contains("authorization: "),
        "out of the prefix: {heads:?}"
    );
}

#[test]
fn a_client_certificate_goes_to_named_servers_only() {
    let me = rcgen::generate_simple_self_signed(vec!["me".to_owned()]).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(me.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .unwrap();
    let (server, pem) = Server::start_tls_with("localhost", clients, |_, _, wire| {
        reply(wire, "200 OK", "", "x")
    });
    let (temp, trust) = trusting(&pem);
    let file = temp.path().join("me.pem");
    fs::write(&file, me.cert.pem() + &me.signing_key.serialize_pem()).unwrap();
    let url = format!("https://localhost:{}/x", server.port);
    let with = |cert: Option<&std::path::PathBuf>, named: &str| {
        let (client, _) = new_client(Settings {
            client_cert: ClientCertSettings {
                cert: cert.cloned(),
                key: None,
                hosts: vec![Url::parse(named).unwrap()],
            },
            ..trust.clone()
        });
        get(&client, &url).map(|fetched| fetched.value)
    };
    assert_eq!(with(Some(&file), &url).unwrap(), b"x");
    for refused in [
        with(Some(&file), "https://localhost:1/x"),
        with(Some(&file), "https://other.invalid"),
        with(None, &url),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), Kind::Auth, "{}", error.chain());
        assert!(
            error
                .chain()
                .ends_with("TLS with localhost: it asks for a client certificate")
        );
    }
    assert_eq!(server.heads().len(), 1);
}

#[test]
fn socks_proxies_are_gone_through_for_both_schemes() {
    let (server, pem) = Server::start_tls("host.invalid", |_, _, wire| {
        reply(wire, "200 OK", "", "secret")
    });
    let plain = Server::start(|_, _, wire| reply(wire, "200 OK", "", "plain"));
    let (_temp, trust) = trusting(&pem);
    for (login, userinfo) in [(None, ""), (Some("u:p@ss"), "u:p%40ss@")] {
        let socks = Server::start_socks(login);
        let with = |userinfo: &str| {
            let through = Some(format!("socks5://{userinfo}127.0.0.1:{}", socks.port));
            let proxy = ProxySettings {
                http_proxy: through.clone(),
                https_proxy: through,
                ..ProxySettings::default()
            };
            new_client(Settings {
                proxy,
                ..trust.clone()
            })
        };
        let (client, waits) = with(userinfo);
        let secure = format!("https://host.invalid:{}/x", server.port);
        let open = format!("http://192.0.2.1:{}/x", plain.port);
        for _ in 0..2 {
            assert_eq!(get(&client, &secure).unwrap().value, b"secret");
            assert_eq!(get(&client, &open).unwrap().value, b"plain");
        }
        let want = [
            format!("host.invalid:{}", server.port),
            format!("[192, 0, 2, 1]:{}", plain.port),
        ];
        assert_eq!(socks.heads(), want, "connections are kept");
        let error = get(&client, "https://host.invalid:1/x").unwrap_err();
        assert_eq!(
            error.chain(),
            format!(
                "reading https://host.invalid:1/x: proxy socks5://{}127.0.0.1:{} for \
                 host.invalid:1: the proxy: not allowed by its rules",
                if login.is_some() { "u:xxxxx@" } else { "" },
                socks.port
            )
        );
        assert!(waits.lock().unwrap().is_empty(), "not tried again");
        if login.is_some() {
            for userinfo in ["", "u:wrong@"] {
                let error = get(&with(userinfo).0, &secure).unwrap_err();
                assert_eq!(error.kind(), Kind::Auth, "{}", error.chain());
            }
        }
    }
    assert!(plain.heads()[0].starts_with("GET /x HTTP/1.1\r\n"));
    let garbage = Server::start(|_, _, _| Then::Close);
    let (client, waits) = new_client(Settings {
        proxy: ProxySettings {
            http_proxy: Some(format!("socks5://127.0.0.1:{}", garbage.port)),
            ..ProxySettings::default()
        },
        ..settings()
    });
    assert!(get(&client, "http://host.invalid/x").is_err());
    assert_eq!(waits.lock().unwrap().len(), 2, "it may pass");
}

/// What exchanges were told: URL, whether over an old connection, which steps there were.
#[derive(Default)]
struct Ways(Mutex<Vec<(String, bool, [bool; 4])>>);

impl EventSink for Ways {
    fn event(&self, event: &Event<'_>) {
        if let Event::ExchangeFinished(over) = event {
            let steps = over.timings;
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
