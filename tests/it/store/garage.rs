//! Garage: a cluster of real nodes, each with the S3 API.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::engines::{ACCESS_KEY, BUCKET, SECRET_KEY, objects};
use crate::support::go::variable;
use crate::support::{skips, until};

/// How long a node or a command of Garage may take, on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// A node, which is killed when this is dropped.
pub struct Node {
    child: Child,
    config: PathBuf,
    /// Host and port of the S3 API.
    pub address: String,
    rpc: String,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The nodes of a cluster.
pub struct Cluster {
    /// Those that live.
    pub nodes: Vec<Node>,
    _folder: tempfile::TempDir,
}

/// The program that `MODFETCH_GARAGE` names; `None`, counted, without it.
fn program() -> Option<PathBuf> {
    let named = variable("MODFETCH_GARAGE").map(PathBuf::from);
    let found = named.filter(|file| file.is_file());
    if found.is_none() {
        skips::record("no Garage: MODFETCH_GARAGE names its program");
    }
    found
}

/// An address that is free: below the ports that the system gives away, and another one for each call.
fn free_address() -> String {
    static TURN: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(process::id() % 180).expect("it is small") * 64;
    loop {
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let address = format!("127.0.0.1:{}", 20_000 + (first + turn) % 11_520);
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

impl Cluster {
    /// Starts so many nodes that all have every object, a key and a bucket; `None`, counted, without Garage.
    pub fn start(count: usize) -> Option<Cluster> {
        let program = program()?;
        let folder = tempfile::tempdir().unwrap();
        let nodes: Vec<Node> = (0..count)
            .map(|number| start_node(&program, &folder.path().join(number.to_string()), count))
            .collect();
        let garage = |node: &Node, arguments: &[&str]| ask(&program, node, arguments);
        let ids: Vec<String> = nodes
            .iter()
            .map(|node| {
                let text = garage(node, &["node", "id", "-q"]);
                text.trim().split('@').next().unwrap_or_default().to_owned()
            })
            .collect();
        let first = &nodes[0];
        for (node, id) in nodes.iter().zip(&ids).skip(1) {
            garage(first, &["node", "connect", &format!("{id}@{}", node.rpc)]);
        }
        for (number, id) in ids.iter().enumerate() {
            let zone = format!("zone{number}");
            garage(first, &["layout", "assign", "-z", &zone, "-c", "1G", id]);
        }
        garage(first, &["layout", "apply", "--version", "1"]);
        garage(first, &["key", "import", "--yes", ACCESS_KEY, SECRET_KEY]);
        garage(first, &["bucket", "create", BUCKET]);
        let allow = ["bucket", "allow", "--read", "--write", "--owner"];
        garage(
            first,
            &[&allow[..], &[BUCKET, "--key", ACCESS_KEY]].concat(),
        );
        // The other nodes have heard of it.
        for node in &nodes {
            let store = objects(&node.address);
            until("every node has the bucket", || store.probe().is_ok());
        }
        Some(Cluster {
            nodes,
            _folder: folder,
        })
    }
}

/// Gives a node a command, again while the node is not ready.
fn ask(program: &Path, node: &Node, arguments: &[&str]) -> String {
    let begun = Instant::now();
    loop {
        let output = Command::new(program)
            .arg("-c")
            .arg(&node.config)
            .args(arguments)
            .output()
            .expect("garage was found");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, talk) = (text(&output.stdout), text(&output.stderr));
        // Of a command whose answer was lost, the effect is there.
        if output.status.success() || talk.contains("exists") {
            return said;
        }
        assert!(
            begun.elapsed() < LIMIT,
            "garage {arguments:?}: {said}{talk}"
        );
        thread::sleep(Duration::from_millis(50));
    }
}

fn start_node(program: &Path, folder: &Path, count: usize) -> Node {
    fs::create_dir(folder).unwrap();
    let config = folder.join("garage.toml");
    let at = folder.display();
    // Another program may take a port that was free.
    for _ in 0..10 {
        let (rpc, address) = (free_address(), free_address());
        let text = format!(
            "metadata_dir = \"{at}/meta\"\ndata_dir = \"{at}/data\"\ndb_engine = \"sqlite\"\n\
             replication_factor = {count}\nrpc_bind_addr = \"{rpc}\"\nrpc_public_addr = \"{rpc}\"\n\
             rpc_secret = \"{SECRET_KEY}\"\n\n[s3_api]\ns3_region = \"garage\"\n\
             api_bind_addr = \"{address}\"\n"
        );
        fs::write(&config, text).unwrap();
        let child = Command::new(program)
            .arg("-c")
            .arg(&config)
            .arg("server")
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("garage was found");
        let mut node = Node {
            child,
            config: config.clone(),
            address,
            rpc,
        };
        let begun = Instant::now();
        while node.child.try_wait().unwrap().is_none() {
            if TcpStream::connect(&node.address).is_ok() {
                return node;
            }
            assert!(begun.elapsed() < LIMIT, "garage does not listen");
            thread::sleep(Duration::from_millis(20));
        }
    }
    panic!("garage does not start");
}
