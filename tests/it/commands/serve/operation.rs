//! `serve`: what supervisors, logs and people see.

use super::{client, site, upstream};
use crate::integrity::sumdb::database;
use crate::support::go::only_modfetch;
use crate::support::served::Served;
use crate::support::sumdb::NAME;
use crate::support::{Proxy, until};

#[test]
fn serve_env_prints_what_clients_export() {
    only_modfetch!();
    let run = site("off", "sum.golang.org").run([
        "serve",
        "--env",
        "--listen",
        ":3001",
        "--private",
        "corp.example.com",
    ]);
    run.ok().stdout(
        "export GOPROXY=http://localhost:3001\nexport GOSUMDB='sum.golang.org'\n\
         export GONOSUMDB='corp.example.com'\nexport GONOPROXY=none\n",
    );
}

#[test]
fn serve_request_ids_and_traces_go_upstream_and_come_back() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let site = site(&proxy.url(), "off");
    let server = Served::start(&site, &["--access-log", "text"]);
    let fields = [
        ("X-Request-Id", "job-7"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ];
    let answer = server.ask("GET", "/example.com/text/@v/v1.2.0.mod", &fields);
    assert_eq!(answer.field("X-Request-Id"), Some("job-7"));
    let asked = proxy.requests();
    assert_eq!(asked.len(), 1);
    for (name, value) in fields {
        let name = name.to_lowercase();
        assert_eq!(asked[0].header(&name), Some(value), "{name}");
    }
    assert!(
        server
            .get("/livez")
            .field("X-Request-Id")
            .is_some_and(|id| id.len() == 16)
    );
    server
        .stop()
        .ok()
        .stdout_has(" GET /example.com/text/@v/v1.2.0.mod 200 ")
        .stdout_has(" MISS job-7");
}

#[test]
fn serve_request_ids_go_to_the_checksum_database_too() {
    only_modfetch!();
    let database = database();
    let proxy = upstream(&database);
    let site = site(&proxy.url(), &database.gosumdb());
    let server = Served::start(&site, &[]);
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    // A lookup of a client, and the proof of a file.
    for (path, id) in [
        (
            format!("/sumdb/{NAME}/lookup/example.com/text@v1.2.0"),
            "lookup-1",
        ),
        ("/example.com/calc/@v/v1.0.0.mod".to_owned(), "proof-2"),
    ] {
        proxy.forget();
        let fields = [("X-Request-Id", id), ("traceparent", traceparent)];
        let answer = server.ask("GET", &path, &fields);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let asked = proxy.requests();
        let sums: Vec<_> = (asked.iter())
            .filter(|request| request.path.starts_with("sumdb/"))
            // Whether upstream has the database at all is asked once, for all.
            .filter(|request| !request.path.ends_with("/supported"))
            .collect();
        assert!(!sums.is_empty(), "{asked:?}");
        for request in sums {
            assert_eq!(request.header("x-request-id"), Some(id), "{request:?}");
            assert_eq!(request.header("traceparent"), Some(traceparent));
        }
    }
}

#[test]
fn serve_page_lists_what_is_kept_without_scripts() {
    only_modfetch!();
    let database = database();
    let proxy = upstream(&database);
    let site = site(&proxy.url(), &database.gosumdb());
    let server = Served::start(&site, &[]);
    client(&server, &database.gosumdb()).run(["download"]).ok();
    server.stop().ok();
    let server = Served::start(&site, &["--offline"]);
    until("the count", || {
        server.get("/").text().contains("example.com/text")
    });
    let page = server.get("/?module=example.com/text").text();
    assert!(
        page.contains("v1.2.0") && page.contains(&format!("{NAME}, record ")),
        "{page}"
    );
    assert!(!page.contains("<script"));
    let hostile = server.get("/?q=%22%3E%3Cscript%3E").text();
    assert!(!hostile.contains("<script"));
}

#[test]
fn serve_sockets_of_systemd_are_taken_over_and_it_says_ready() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let site = site(&proxy.url(), "off");
    // What systemd does, by a program that most systems have.
    let script = r#"
import os, socket, subprocess, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(16)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind("notify")
notify.settimeout(30)
child = os.fork()
if child == 0:
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET="notify")
    os.execvp("modfetch", ["modfetch", "serve", "--listen", "systemd"])
said = [notify.recv(64)]
answer = socket.create_connection(listener.getsockname())
answer.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
status = answer.recv(64).split(b"\r\n")[0]
os.kill(child, 15)
said.append(notify.recv(64))
print(said, status, os.waitpid(child, 0)[1])
"#;
    let site = site.file("systemd.py", script);
    let run = site.shell("command -v python3 >/dev/null || { echo skipped: no python3; exit 0; }; python3 systemd.py");
    if run.output().starts_with("skipped") {
        return eprintln!("{}", run.output());
    }
    run.ok()
        .stdout("[b'READY=1', b'STOPPING=1'] b'HTTP/1.1 200 OK' 0\n");
    // Without such a socket it says so.
    site.run(["serve", "--listen", "systemd"])
        .fails(2)
        .stderr_has("handed over no socket");
}

#[test]
fn serve_settings_come_from_variables_as_from_flags() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let site = site(&proxy.url(), "off")
        .env("MODFETCH_SERVE_DENY", "example.com/calc, example.com/tool")
        .env("MODFETCH_SERVE_ACCESS_LOG", "text")
        .env("MODFETCH_SERVE_TTL", "1d");
    let server = Served::start(&site, &["--deny", "example.com/text"]);
    // The flag comes in the place of the variable.
    assert_eq!(server.get("/example.com/text/@v/list").status, 403);
    assert_eq!(server.get("/example.com/calc/@v/list").status, 200);
    server
        .stop()
        .ok()
        .stdout_has(" GET /example.com/calc/@v/list 200 ");
    let server = Served::start(&site, &[]);
    assert_eq!(server.get("/example.com/tool/@v/list").status, 403);
    server.stop().ok();
    let site = site.env("MODFETCH_SERVE_LISTEN", "0.0.0.0:3001,unix:socket");
    let run = site.run(["serve", "--env"]);
    run.ok()
        .stdout_has("export GOPROXY=http://localhost:3001\n");
    let site = site.env("MODFETCH_SERVE_TTL", "soon");
    site.run(["serve"]).fails(3).stderr_has(
        "invalid value \"soon\" for MODFETCH_SERVE_TTL: want a time such as 90s, 24h or 7d",
    );
}
