//! Three servers over one Garage of three nodes, of which one server and one node are killed.

use crate::integrity::sumdb::database;
use crate::support::go::only_modfetch;
use crate::support::run::Running;
use crate::support::served::Served;
use crate::support::{Proxy, Sandbox, require_go, until};

use super::engines::{url, with_keys};
use super::garage::Cluster;

/// Clients at once; `MODFETCH_FLEET_CLIENTS` has another number of them.
const CLIENTS: usize = 9;

const NEEDS: &str = "require (\n\texample.com/text v1.2.0\n\texample.com/calc v1.0.0\n)";

#[test]
fn serve_a_fleet_loses_a_server_and_a_node_and_no_client_fails() {
    only_modfetch!();
    let Some(mut cluster) = Cluster::start(3) else {
        return;
    };
    let clients = crate::support::go::variable("MODFETCH_FLEET_CLIENTS");
    let clients = clients.map_or(CLIENTS, |text| text.parse().expect("a number"));
    let database = database();
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    let gosumdb = database.gosumdb();
    let servers: Vec<(Sandbox, Served)> = (cluster.nodes.iter())
        .map(|node| {
            let site = Sandbox::new()
                .env("GOPROXY", &proxy.url())
                .env("GOSUMDB", &gosumdb)
                .env("MODFETCH_CONNECT_TIMEOUT", "2s");
            let site = with_keys(site);
            let server = Served::start(&site, &["--store", &url(&node.address)]);
            (site, server)
        })
        .collect();
    let client = |number: usize| {
        // Each begins with another server, and goes on with the next after any error.
        let list: Vec<String> = (0..3)
            .map(|step| servers[(number + step) % 3].1.url())
            .collect();
        Sandbox::new()
            .go_mod(NEEDS)
            .env("GOPROXY", &list.join("|"))
            .env("GOSUMDB", &gosumdb)
    };
    let sandboxes: Vec<Sandbox> = (0..clients).map(client).collect();
    let with_go = require_go().is_some();
    let start = |number: usize, sandbox: &Sandbox| -> Running {
        match with_go && number.is_multiple_of(2) {
            true => sandbox.spawn_go(["mod", "download"]),
            false => sandbox.spawn(["download"]),
        }
    };
    let (early, late) = sandboxes.split_at(clients / 2);
    let mut running: Vec<Running> = (early.iter().enumerate())
        .map(|(number, sandbox)| start(number, sandbox))
        .collect();
    until("clients are served", || !proxy.requests().is_empty());
    // A server and the node of another one go in the middle.
    servers[0].1.signal(nix::sys::signal::Signal::SIGKILL);
    drop(cluster.nodes.remove(1));
    running.extend(
        late.iter()
            .enumerate()
            .map(|(number, sandbox)| start(number, sandbox)),
    );
    for one in running {
        one.wait().ok();
    }
    let sums = sandboxes[0].read("go.sum");
    assert!(sums.contains("example.com/calc v1.0.0 h1:"), "{sums}");
    for sandbox in &sandboxes {
        assert_eq!(sandbox.read("go.sum"), sums);
        sandbox
            .run(["verify"])
            .ok()
            .stdout("all modules verified\n");
    }
    for module in ["text/@v/v1.2.0", "calc/@v/v1.0.0"] {
        for end in ["info", "mod", "zip"] {
            let hits = proxy.hits(&format!("example.com/{module}.{end}"));
            assert!((1..=3).contains(&hits), "{module}.{end}: {hits} requests");
        }
    }
    for (number, (_, server)) in servers.into_iter().enumerate() {
        if number > 0 {
            let metrics = server.get("/metrics").text();
            let lines = metrics
                .lines()
                .filter(|line| line.starts_with("modfetch_store_"));
            eprintln!("server {number}:\n{}", lines.collect::<Vec<_>>().join("\n"));
        }
    }
}
