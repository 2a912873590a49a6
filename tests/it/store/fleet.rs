//! Three servers over one Garage of three nodes, of which one server and one node are killed.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use nix::sys::signal::Signal;

use crate::integrity::sumdb::database;
use crate::support::go::{only_modfetch, variable};
use crate::support::run::Running;
use crate::support::served::{Answer, Served, ask, try_ask};
use crate::support::{Proxy, Sandbox, require_go, until};

use super::engines::{objects, url, with_keys};
use super::garage::Cluster;

/// Clients at once; `MODFETCH_FLEET_CLIENTS` has another number of them.
const CLIENTS: usize = 8;

const MODULES: [&str; 2] = ["example.com/text@v1.2.0", "example.com/calc@v1.0.0"];

const NEEDS: &str = "require (\n\texample.com/text v1.2.0\n\texample.com/calc v1.0.0\n)";

const ENDS: [&str; 3] = ["info", "mod", "zip"];

/// A load balancer: each request goes to the next server, and to another one where that gives no whole answer.
struct Front {
    address: String,
}

impl Front {
    fn before(servers: Vec<String>) -> Front {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let servers = Arc::new(servers);
        thread::spawn(move || {
            for (turn, client) in listener.incoming().flatten().enumerate() {
                let servers = Arc::clone(&servers);
                thread::spawn(move || balance(client, &servers, turn));
            }
        });
        Front { address }
    }
}

/// Answers the one request of a connection.
fn balance(mut client: TcpStream, servers: &[String], turn: usize) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if client.read_exact(&mut byte).is_err() {
            return;
        }
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let is_good = |answer: &Answer| answer.whole && answer.status < 500;
    let answer = (0..servers.len())
        .filter_map(|step| try_ask(&servers[(turn + step) % servers.len()], "GET", path, &[]))
        .find(is_good);
    let (status, body) = answer.map_or((503, Vec::new()), |answer| (answer.status, answer.body));
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} S\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    // A client that has gone needs no answer.
    let _ = client.write_all(&[head.as_bytes(), &body].concat());
}

fn file(module: &str, end: &str) -> String {
    let (path, version) = module.split_once('@').unwrap();
    format!("{path}/@v/{version}.{end}")
}

/// Half of the clients are `go` behind a front, which `go` needs: it fails where the proxy ends that it has found
/// to have the checksum database. The others are modfetch with a list of all servers.
#[test]
fn serve_a_fleet_loses_a_server_and_a_node_and_no_client_fails() {
    only_modfetch!();
    let Some(mut cluster) = Cluster::start(3) else {
        return;
    };
    let clients = variable("MODFETCH_FLEET_CLIENTS");
    let clients = clients.map_or(CLIENTS, |text| text.parse().expect("a number"));
    let database = database();
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    let gosumdb = database.gosumdb();
    let nodes: Vec<String> = (cluster.nodes.iter())
        .map(|node| node.address.clone())
        .collect();
    // Each begins with another node.
    let store = |first: usize| {
        let list = [0, 1, 2].map(|step| nodes[(first + step) % 3].as_str());
        url(&list.join(",http://"))
    };
    let start_server = |number: usize| {
        let site = Sandbox::new()
            .env("GOPROXY", &proxy.url())
            .env("GOSUMDB", &gosumdb);
        Served::start(&with_keys(site), &["--store", &store(number)])
    };
    let servers: Vec<Served> = (0..3).map(start_server).collect();
    let addresses: Vec<String> = (servers.iter())
        .map(|server| server.address().to_owned())
        .collect();
    let front = Front::before(addresses);
    let with_go = require_go().is_some();
    let is_go = |number: usize| with_go && number.is_multiple_of(2);
    let sandboxes: Vec<Sandbox> = (0..clients)
        .map(|number| {
            let list = match is_go(number) {
                true => format!("http://{}", front.address),
                // Each begins with another server.
                false => (0..3)
                    .map(|step| servers[(number + step) % 3].url())
                    .collect::<Vec<_>>()
                    .join("|"),
            };
            let sandbox = Sandbox::new().go_mod(NEEDS);
            sandbox.env("GOPROXY", &list).env("GOSUMDB", &gosumdb)
        })
        .collect();
    let start = |number: usize| -> Running {
        match is_go(number) {
            true => sandboxes[number].spawn_go(["mod", "download", MODULES[0], MODULES[1]]),
            false => sandboxes[number].spawn(["download", MODULES[0], MODULES[1]]),
        }
    };
    let mut running: Vec<Running> = (0..clients / 2).map(start).collect();
    until("clients are served", || !proxy.requests().is_empty());
    // A server and the node of another one go in the middle.
    servers[0].signal(Signal::SIGKILL);
    drop(cluster.nodes.remove(1));
    running.extend((clients / 2..clients).map(start));
    for one in running {
        one.wait().ok();
    }
    // At most once a server.
    for name in MODULES
        .iter()
        .flat_map(|one| ENDS.map(|end| file(one, end)))
    {
        let hits = proxy.hits(&name);
        assert!((1..=3).contains(&hits), "{name}: {hits} requests");
    }
    // Each client has the bytes of upstream.
    let sums = sandboxes[1].read("go.sum");
    for module in MODULES {
        let name = module.replace('@', " ");
        assert!(sums.contains(&format!("{name} h1:")), "{sums}");
        for name in ["mod", "zip"].map(|end| file(module, end)) {
            let upstream = proxy.url();
            let upstream = upstream.strip_prefix("http://").unwrap();
            let want = ask(upstream, "GET", &format!("/{name}"), &[]).body;
            for sandbox in &sandboxes {
                let got = sandbox.cached(&format!("cache/download/{name}"));
                assert!(std::fs::read(&got).unwrap() == want, "{}", got.display());
            }
        }
    }
    for sandbox in &sandboxes {
        assert_eq!(sandbox.read("go.sum"), sums);
    }
    for (number, server) in servers.into_iter().enumerate().skip(1) {
        let metrics = server.get("/metrics").text();
        let counts = |line: &&str| line.starts_with("modfetch_store_") && !line.ends_with(" 0");
        for line in metrics.lines().filter(counts) {
            eprintln!("server {number}: {line}");
        }
        server.stop().ok();
    }
    // A server that has nothing takes the place of the lost one, and completes what that one left.
    let server = start_server(1);
    let last = Sandbox::new()
        .go_mod(NEEDS)
        .env("GOPROXY", &server.url())
        .env("GOSUMDB", &gosumdb);
    last.run(["download", MODULES[0], MODULES[1]]).ok();
    assert_eq!(last.read("go.sum"), sums);
    server.stop().ok();
    let objects = objects(&nodes[2]);
    for name in MODULES
        .iter()
        .flat_map(|one| ENDS.map(|end| file(one, end)))
    {
        assert!(objects.head(&name).unwrap().is_some(), "{name}");
    }
}
