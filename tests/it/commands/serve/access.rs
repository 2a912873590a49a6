//! `serve`: users, tokens, certificates.

use std::fs;

use nix::sys::signal::Signal;

use super::{client, large_module, site};
use crate::support::go::only_modfetch;
use crate::support::served::Served;
use crate::support::{Proxy, Sandbox, require_go, until};

#[test]
fn serve_users_need_a_password_or_a_token_and_supervisors_none() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let site = site(&proxy.url(), "off")
        // `htpasswd -nbBC 5 ann secret`, of apache2-utils 2.4.
        .file(
            "users",
            "ann:$2y$05$bzwgE0E9nfie8u3XumAJNuAZ087U88Kl49G.dJusLrMT9d9ncGcAO\n",
        )
        .file("tokens", "0123456789abcdef\n");
    let server = Served::start(
        &site,
        &[
            "--htpasswd",
            "users",
            "--tokens",
            "tokens",
            "--access-log",
            "json",
        ],
    );
    let list = "/example.com/text/@v/list";
    let ask = |authorization: &str| {
        let fields = [("Authorization", authorization)];
        server.ask("GET", list, &fields).status
    };
    assert_eq!(server.get(list).status, 401);
    assert_eq!(server.get("/metrics").status, 401);
    assert_eq!(server.get("/livez").status, 200);
    assert_eq!(ask("Bearer 0123456789abcdef"), 200);
    assert_eq!(ask("Bearer wrong"), 401);
    assert_eq!(ask("Basic YW5uOnNlY3JldA=="), 200);
    assert_eq!(ask("Basic YW5uOnNlY3JldA=="), 200);
    assert_eq!(ask("Basic YW5uOndyb25n"), 401);
    // Another token after SIGHUP.
    fs::write(site.project_dir().join("tokens"), "fedcba9876543210\n").unwrap();
    server.signal(Signal::SIGHUP);
    until("the new token", || ask("Bearer fedcba9876543210") == 200);
    assert_eq!(ask("Bearer 0123456789abcdef"), 401);
    let log = server.stop();
    log.ok()
        .stdout_has("\"path\":\"/example.com/text/@v/list\"");
    for secret in ["0123456789abcdef", "YW5uOnNlY3JldA", "secret"] {
        log.demand(
            !log.output().contains(secret) && !log.talk().contains(secret),
            "no secret in it",
        );
    }
}

/// A certificate for 127.0.0.1 and its key, of an authority made for it, and one for a client.
fn write_certificates(folder: &std::path::Path) {
    use rcgen::{
        BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    };
    let key = || KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = key();
    let ca = params.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(params, ca_key);
    let leaf = |name: &str, purpose| {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        let key = key();
        (
            params.signed_by(&key, &issuer).unwrap().pem(),
            key.serialize_pem(),
        )
    };
    let (server, server_key) = leaf("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
    let (client, client_key) = leaf("client.example.com", ExtendedKeyUsagePurpose::ClientAuth);
    for (name, text) in [
        ("ca.pem", &ca.pem()),
        ("server.pem", &server),
        ("server.key", &server_key),
        ("client.pem", &client),
        ("client.key", &client_key),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn serve_tls_with_client_certificates_serves_those_who_have_one() {
    only_modfetch!();
    let proxy = Proxy::of_modules(vec![large_module()]);
    let site = site(&proxy.url(), "off");
    write_certificates(&site.project_dir());
    let tls = [
        "--tls-cert",
        "server.pem",
        "--tls-key",
        "server.key",
        "--tls-client-ca",
        "ca.pem",
    ];
    let server = Served::start(&site, &tls);
    let file = |name: &str| site.project_dir().join(name).display().to_string();
    let client = || {
        Sandbox::new()
            .go_mod("require example.com/large v1.0.0")
            .env("GOPROXY", &format!("https://{}", server.address()))
            .env("SSL_CERT_FILE", &file("ca.pem"))
            .env("MODFETCH_RETRIES", "0")
    };
    let (cert, key) = (file("client.pem"), file("client.key"));
    let with = ["download", "--client-cert", &cert, "--client-key", &key];
    client().run(with).ok();
    client().run(["download"]).fails(7);
    // Another certificate for the connections to come.
    let other = Sandbox::new();
    write_certificates(&other.project_dir());
    for name in ["server.pem", "server.key"] {
        fs::copy(
            other.project_dir().join(name),
            site.project_dir().join(name),
        )
        .unwrap();
    }
    server.signal(Signal::SIGHUP);
    until("the new certificate", || {
        server.said().contains("read again")
    });
    client().run(with).fails(6);
}

#[test]
fn serve_go_logs_in_over_tls_with_the_user_of_its_netrc() {
    only_modfetch!();
    require_go!();
    let proxy = Proxy::serve();
    // `htpasswd -nbBC 5 ann secret`, of apache2-utils 2.4.
    let users = "ann:$2y$05$bzwgE0E9nfie8u3XumAJNuAZ087U88Kl49G.dJusLrMT9d9ncGcAO\n";
    let site = site(&proxy.url(), "off").file("users", users);
    write_certificates(&site.project_dir());
    let arguments = [
        "--tls-cert",
        "server.pem",
        "--tls-key",
        "server.key",
        "--htpasswd",
        "users",
    ];
    let server = Served::start(&site, &arguments);
    let ca = site.project_dir().join("ca.pem").display().to_string();
    let client = || {
        client(&server, "off")
            .env("GOPROXY", &format!("https://{}", server.address()))
            .env("SSL_CERT_FILE", &ca)
    };
    let stranger = client();
    stranger
        .go(["mod", "download"])
        .fails(1)
        .stderr_has("401 Unauthorized");
    // Since 1.24 go wants the port in the name of the machine.
    let machine = server.address();
    let netrc = format!("machine {machine}\nlogin ann\npassword secret\n");
    let known = client().file("netrc", &netrc);
    let place = known.project_dir().join("netrc").display().to_string();
    let known = known.env("NETRC", &place);
    known.go(["mod", "download"]).ok();
    known
        .go(["mod", "verify"])
        .ok()
        .stdout("all modules verified\n");
}
