//! Who gets which credentials. The servers watch: a secret that comes to the wrong one is there
//! to be seen.

use std::fs;
use std::path::PathBuf;

use crate::support::go::only_modfetch;
use crate::support::script::Fault;
use crate::support::{Proxy, Run, Sandbox, Times, require_go};

const TOOL: &str = "example.com/tool/@v/v0.5.0.zip";
/// printf 'user:hunter2x' | base64
const BASIC: &str = "Basic dXNlcjpodW50ZXIyeA==";
/// In any form in which it might leak.
const SECRETS: [&str; 3] = ["hunter2x", "dXNlcjpodW50ZXIyeA", "hunter3y"];

/// A server with TLS, and the folder of its authority.
struct Site {
    proxy: Proxy,
    _folder: tempfile::TempDir,
}

impl Site {
    fn new(change: impl FnOnce(Proxy) -> Proxy) -> Site {
        let folder = tempfile::tempdir().expect("temporary folders can be made");
        Site {
            proxy: change(Proxy::serve_tls(folder.path())),
            _folder: folder,
        }
    }

    /// `127.0.0.1:PORT`.
    fn host(&self) -> String {
        self.proxy.url().replace("https://", "")
    }

    /// No request may have brought a secret, in whatever header or path.
    fn knows_nothing(&self, what: &str) {
        for request in self.proxy.requests() {
            let told = format!("{request:?}");
            assert!(request.header("authorization").is_none(), "{what}: {told}");
            for secret in SECRETS {
                assert!(!told.contains(secret), "{what}: {told}");
            }
        }
    }
}

/// A project that needs example.com/tool and more, trusting these servers.
fn sandbox(sites: &[&Site]) -> Sandbox {
    let sandbox = Sandbox::with("hello", &sites[0].proxy).env("MODFETCH_RETRIES", "0");
    let pem: String = sites
        .iter()
        .map(|site| fs::read_to_string(site.proxy.ca()).expect("written by the kit"))
        .collect();
    let sandbox = sandbox.file("ca.pem", &pem);
    let file = in_project(&sandbox, "ca.pem");
    sandbox.env("SSL_CERT_FILE", &file)
}

fn in_project(sandbox: &Sandbox, name: &str) -> String {
    sandbox.project_dir().join(name).display().to_string()
}

fn netrc(hosts: &[String]) -> String {
    let line = |host: &String| format!("machine {host} login user password hunter2x\n");
    hosts.iter().map(line).collect()
}

/// Writes an executable script and returns its path.
fn script(sandbox: &Sandbox, name: &str, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = sandbox.project_dir().join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("the project is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    path.display().to_string()
}

#[track_caller]
fn tells_no_secret(run: &Run) {
    for secret in SECRETS {
        let said = format!("{}{}", run.stdout, run.stderr);
        run.demand(!said.contains(secret), "a secret was printed");
    }
}

#[test]
fn download_netrc_is_read_as_go() {
    require_go!();
    let site = Site::new(|proxy| proxy.demanding(BASIC));
    for (machine, works) in [(site.host(), true), ("127.0.0.1".to_owned(), false)] {
        for usual in [true, false] {
            let sandbox = || {
                let name = if usual { "../home/.netrc" } else { "named" };
                let sandbox = sandbox(&[&site]).file(name, &netrc(std::slice::from_ref(&machine)));
                let file = in_project(&sandbox, "named");
                if usual {
                    sandbox
                } else {
                    sandbox.env("NETRC", &file)
                }
            };
            let (ours, gos) = (sandbox(), sandbox());
            let (ours, gos) = (ours.run(["download", "-x"]), gos.go(["mod", "download"]));
            tells_no_secret(&ours);
            if works {
                ours.ok();
                gos.ok();
            } else {
                gos.fails(1).stderr_has("401 Unauthorized");
                let variable = format!("MODFETCH_TOKEN_127_0_0_1_{}", port(&site));
                ours.fails(7)
                    .stderr_has("401 Unauthorized")
                    .stderr_has(&format!(
                        "no credentials were found for {}: put them into ~/.netrc or a file for \
                     --netrc-file, set {variable}, or name a source in GOAUTH",
                        site.host()
                    ));
            }
        }
    }
}

fn port(site: &Site) -> String {
    site.host().replace("127.0.0.1:", "")
}

#[test]
fn download_goauth_command_is_run_as_go() {
    require_go!();
    let run = |program: &str| {
        let site = Site::new(|proxy| proxy.demanding(BASIC));
        let sandbox = sandbox(&[&site]);
        // Knows nothing at first; asked again with a URL, it gives what the server wants.
        let command = script(
            &sandbox,
            "auth",
            &format!(
                "echo \"args $*\" >> log\n[ $# = 1 ] && exit 0\ncat >> log\n\
                 printf '%s\\n\\nAuthorization: {BASIC}\\n\\n' https://{}",
                site.host()
            ),
        );
        let sandbox = sandbox
            .env("GOAUTH", &format!("{command} one"))
            .env("GOMAXPROCS", "1")
            .env("MODFETCH_JOBS", "1");
        let run = if program == "go" {
            sandbox.go(["mod", "download", "example.com/tool"])
        } else {
            sandbox.run(["download", "example.com/tool"])
        };
        run.ok();
        let log = sandbox.read("log").replace(&site.host(), "HOST");
        let lines = log.lines().map(str::to_owned);
        let told = |line: &String| {
            line.starts_with("args") || line.starts_with("HTTP") || line.starts_with("Www-")
        };
        lines.filter(told).collect::<Vec<_>>()
    };
    let ours = run("modfetch");
    assert_eq!(ours[0], "args one");
    assert!(
        ours[1].starts_with("args one https://HOST/example.com/"),
        "{ours:?}"
    );
    assert_eq!(
        ours[2..],
        [
            "HTTP/1.1 401 Unauthorized",
            "Www-Authenticate: Basic realm=\"modules\""
        ]
    );
    let gos = run("go");
    assert_eq!((&gos[0], &gos[2..4]), (&ours[0], &ours[2..4]), "{gos:?}");
}

#[test]
fn download_goauth_git_fills_and_approves() {
    only_modfetch!();
    let site = Site::new(|proxy| proxy.demanding(BASIC));
    for (password, works) in [("hunter2x", true), ("hunter3y", false)] {
        let sandbox = sandbox(&[&site]);
        let helper = script(
            &sandbox,
            "helper",
            &format!(
                "echo $1 >> '{}'\n[ $1 = get ] && printf 'username=user\\npassword={password}\\n'",
                in_project(&sandbox, "log")
            ),
        );
        let config = format!("[credential]\n\thelper = {helper}\n");
        let sandbox = sandbox.file("../home/.gitconfig", &config);
        let dir = sandbox.project_dir().display().to_string();
        let sandbox = sandbox
            .env("GOAUTH", &format!("git {dir}; netrc"))
            .env("MODFETCH_JOBS", "1");
        let run = sandbox.run(["download", "-x"]);
        tells_no_secret(&run);
        let log = sandbox.read("log");
        if works {
            run.ok();
            assert_eq!(log, "get\nstore\n", "asked once for the host");
        } else {
            run.fails(7)
                .stderr_has("refused the credentials of GOAUTH=git [ROOT]/project, for");
            assert!(log.starts_with("get\nerase\n"), "{log}");
        }
    }
}

/// Makes credentials known for two hosts, in one of the ways there are; in the URL of GOPROXY
/// they are for the first one only.
fn give(way: &str, hosts: &[String; 2], sandbox: Sandbox) -> Sandbox {
    let [a, b] = hosts;
    match way {
        "netrc" => sandbox.file("../home/.netrc", &netrc(hosts)),
        "file" => sandbox
            .file("secret", &netrc(hosts))
            .env("MODFETCH_NETRC_FILE", "secret"),
        "token" => hosts.iter().fold(sandbox, |sandbox, host| {
            let name = host.replace(['.', ':'], "_");
            sandbox.env(&format!("MODFETCH_TOKEN_{name}"), "user:hunter2x")
        }),
        "url" => sandbox.env("GOPROXY", &format!("https://user:hunter2x@{a}")),
        _ => {
            let headers = format!("Authorization: {BASIC}\\nX-Own: hunter3y\\n");
            let text = format!("printf 'https://{a}\\nhttps://{b}\\n\\n{headers}\\n'");
            let command = script(&sandbox, "auth", &text);
            sandbox.env("GOAUTH", &command)
        }
    }
}

#[test]
fn download_redirect_to_other_host_sends_no_credentials() {
    only_modfetch!();
    let other = Site::new(|proxy| proxy);
    let closed = Site::new(|proxy| proxy.failing("*", 401, Times::ALWAYS));
    for (target, works) in [(&other, true), (&closed, false)] {
        let url = format!("{}/{TOOL}?password=hunter3y", target.proxy.url());
        let site = || {
            Site::new(|proxy| {
                proxy
                    .demanding(BASIC)
                    .redirecting(TOOL, &url, Times::ALWAYS)
            })
        };
        for way in ["netrc", "file", "token", "url", "command"] {
            let site = site();
            let sandbox = sandbox(&[&site, target]);
            let sandbox = give(way, &[site.host(), target.host()], sandbox);
            let arguments = ["download", "-x", "--log", "json"];
            if !works {
                let told = sandbox.run(arguments.into_iter().chain(["-json"]));
                tells_no_secret(told.fails(7));
            }
            let run = sandbox.run(arguments);
            tells_no_secret(&run);
            let first = site.proxy.requests();
            assert!(
                first
                    .iter()
                    .any(|request| request.header("authorization") == Some(BASIC)),
                "{way}: {first:?}"
            );
            if works {
                run.ok();
            } else {
                let why = format!(
                    "no credentials are sent to {}: a redirect led there",
                    target.host()
                );
                run.fails(7).stderr_has(&why);
            }
            assert!(target.proxy.hits(TOOL) > 0);
            // The redirect itself names a secret, which is its sender's to tell; the rest is ours.
            for request in target.proxy.requests() {
                let headers = format!("{:?}", request.headers);
                assert!(
                    request.header("authorization").is_none(),
                    "{way}: {headers}"
                );
                assert!(
                    SECRETS.iter().all(|secret| !headers.contains(secret)),
                    "{way}: {headers}"
                );
            }
            target.proxy.forget();
        }
    }
}

#[test]
fn download_next_proxy_gets_no_credentials_of_first() {
    only_modfetch!();
    let first = Site::new(|proxy| proxy.failing("*", 404, Times::ALWAYS));
    let second = Site::new(|proxy| proxy);
    let sandbox = sandbox(&[&first, &second]);
    let list = format!("{},{}", first.proxy.url(), second.proxy.url());
    let sandbox = sandbox
        .env("GOPROXY", &list)
        .file("../home/.netrc", &netrc(&[first.host()]));
    sandbox.run(["download"]).ok();
    assert!(
        first
            .proxy
            .requests()
            .iter()
            .all(|r| r.header("authorization") == Some(BASIC))
    );
    second.knows_nothing("second");
}

#[test]
fn download_echoed_credentials_are_not_printed() {
    only_modfetch!();
    let echo = "you sent user:hunter2x as dXNlcjpodW50ZXIyeA==\n";
    for status in [400, 401, 403, 404, 500] {
        let plain = [("Content-Type", "text/plain")];
        let site = Site::new(|proxy| proxy.failing_with("*", status, &plain, echo, Times::ALWAYS));
        let sandbox = sandbox(&[&site]).file("secret", &netrc(&[site.host()]));
        let run = sandbox.run(["download", "-x", "-v", "--netrc-file", "secret"]);
        tells_no_secret(&run);
        run.demand(run.code != Some(0), "it should fail");
        if matches!(status, 401 | 403) {
            let source = format!("netrc [ROOT]/project/secret, machine {}", site.host());
            run.fails(7).stderr_has(&source);
        }
    }
}

#[test]
fn download_plain_http_sends_credentials_only_to_allowed_host() {
    only_modfetch!();
    let proxy = Proxy::serve().demanding(BASIC);
    let host = proxy.url().replace("http://", "");
    let give = || {
        Sandbox::with("hello", &proxy).file("../home/.netrc", &netrc(std::slice::from_ref(&host)))
    };
    let run = give().run(["download"]);
    run.fails(7).stderr_has(&format!(
        "no credentials are sent to {host} over plain http: use https, or name the host with \
         --allow-insecure-auth"
    ));
    assert!(
        proxy
            .requests()
            .iter()
            .all(|r| r.header("authorization").is_none())
    );
    give()
        .run(["download", "--allow-insecure-auth", "other.example.com"])
        .fails(7);
    give()
        .run(["download", "--allow-insecure-auth", "127.0.0.1"])
        .ok();
    give()
        .env("MODFETCH_ALLOW_INSECURE_AUTH", &format!("x, {host}"))
        .run(["download"])
        .ok();
}

#[test]
fn download_bearer_token_is_read_from_environment() {
    only_modfetch!();
    let site = Site::new(|proxy| proxy.demanding("Bearer hunter3y"));
    let variable = format!("MODFETCH_TOKEN_127_0_0_1_{}", port(&site));
    let sandbox = sandbox(&[&site]).env(&variable, "hunter3y");
    let run = sandbox.run(["download", "-x"]);
    tells_no_secret(run.ok());
    site.proxy.script(
        "*",
        Fault::Status(403, Vec::new(), Vec::new()),
        Times::ALWAYS,
    );
    let run = sandbox.run(["download", "example.com/tool@v0.4.0"]);
    tells_no_secret(&run);
    run.fails(7)
        .stderr_has(&format!("refused the credentials of {variable}"));
}

#[test]
fn download_goauth_command_is_not_run_without_need() {
    only_modfetch!();
    let site = Site::new(|proxy| proxy);
    let sandbox = sandbox(&[&site]);
    sandbox.run(["download"]).ok();
    let ran: PathBuf = sandbox.project_dir().join("ran");
    let command = script(&sandbox, "auth", &format!("touch '{}'", ran.display()));
    let sandbox = sandbox.env("GOAUTH", &command);
    sandbox.run(["download"]).ok();
    sandbox.run(["download", "--offline"]).ok();
    sandbox
        .run(["download", "--offline", "example.com/absent@v1.0.0"])
        .fails(11);
    assert!(
        !ran.exists(),
        "a complete cache and a run offline ask nobody"
    );
    sandbox.remove("cache/download/example.com/tool/@v/v0.5.0.info");
    sandbox.run(["download"]).ok();
    assert!(ran.exists());
}

#[test]
fn download_failed_goauth_command_is_reported_with_request() {
    only_modfetch!();
    let site = Site::new(|proxy| proxy.demanding(BASIC));
    let sandbox = sandbox(&[&site]);
    let command = script(&sandbox, "auth", "echo hunter2x; echo hunter2x >&2; exit 4");
    let run = sandbox
        .env("GOAUTH", &format!("{command} hunter3y"))
        .run(["download", "-x"]);
    tells_no_secret(&run);
    run.fails(7).stderr_has("auth failed: exit status 4");
    let run = sandbox_with_goauth(&site, "off; netrc").run(["download"]);
    run.fails(3)
        .stderr_has("GOAUTH=off cannot be combined with other authentication commands");
}

fn sandbox_with_goauth(site: &Site, goauth: &str) -> Sandbox {
    sandbox(&[site]).env("GOAUTH", goauth)
}

#[test]
fn download_unknown_authority_is_named_and_can_be_added() {
    only_modfetch!();
    let site = Site::new(|proxy| proxy);
    let sandbox = Sandbox::with("hello", &site.proxy).env("MODFETCH_RETRIES", "0");
    let run = sandbox.run(["download"]);
    run.fails(6).stderr_has(
        "x509: certificate signed by unknown authority \"CN=authority of a test\" \
         (SSL_CERT_FILE or --cacert names those to trust)",
    );
    // One explanation, however many modules there are.
    let named = [1, 2, 3, 4].map(|number| format!("example.com/m{number}@v1.0.0"));
    let words: Vec<&str> = named.iter().map(String::as_str).collect();
    let run = sandbox.run([&["download"], words.as_slice()].concat());
    run.fails(6).stderr_has("3 more modules failed because ");
    assert_eq!(run.stderr.matches("x509: ").count(), 1, "{}", run.stderr);
    let ca = site.proxy.ca().display().to_string();
    sandbox.run(["download", "--cacert", &ca]).ok();
}
