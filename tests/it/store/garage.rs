//! Garage: a cluster of real nodes, each with the S3 API.

use std::env;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::engines::{ACCESS_KEY, BUCKET, SECRET_KEY};
use crate::support::go::variable;
use crate::support::{skips, until};

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

/// The program, from `MODFETCH_GARAGE`, the `PATH`, or where CI keeps it; `None`, counted, without it.
fn program() -> Option<PathBuf> {
    let named = variable("MODFETCH_GARAGE").map(PathBuf::from);
    let paths = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&paths).map(|folder| folder.join("garage"));
    let caches = variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| {
        let home = variable("HOME")?;
        Some(Path::new(&home).join(".cache"))
    });
    let kept = caches.map(|folder| folder.join("modfetch-ci/garage-2.5.0/bin/garage"));
    let mut all = named.into_iter().chain(in_path).chain(kept);
    let found = all.find(|file| file.is_file());
    if found.is_none() {
        skips::record("no garage: set MODFETCH_GARAGE to the program");
    }
    found
}

/// A port that was free a moment ago.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

impl Cluster {
    /// Starts so many nodes that all have every object, a key and a bucket; `None`, counted, without Garage.
    pub fn start(count: usize) -> Option<Cluster> {
        let program = program()?;
        let folder = tempfile::tempdir().unwrap();
        let nodes: Vec<Node> = (0..count)
            .map(|number| start_node(&program, &folder.path().join(number.to_string()), count))
            .collect();
        let garage = |node: &Node, arguments: &[&str]| {
            let output = Command::new(&program)
                .arg("-c")
                .arg(&node.config)
                .args(arguments)
                .output()
                .expect("garage was found");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert!(
                output.status.success(),
                "garage {arguments:?}: {}{}",
                text(&output.stdout),
                text(&output.stderr)
            );
            text(&output.stdout)
        };
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
            let store = super::engines::objects(&node.address);
            until("every node has the bucket", || store.probe().is_ok());
        }
        Some(Cluster {
            nodes,
            _folder: folder,
        })
    }
}

fn start_node(program: &Path, folder: &Path, count: usize) -> Node {
    fs::create_dir(folder).unwrap();
    // Between the choice of a port and its use another program may take it.
    for _ in 0..10 {
        let (rpc, address) = (free_address(), free_address());
        let config = folder.join("garage.toml");
        let at = folder.display();
        let text = format!(
            "metadata_dir = \"{at}/meta\"\ndata_dir = \"{at}/data\"\ndb_engine = \"sqlite\"\n\
             replication_factor = {count}\nrpc_bind_addr = \"{rpc}\"\nrpc_public_addr = \"{rpc}\"\n\
             rpc_secret = \"{SECRET_KEY}\"\n\n[s3_api]\ns3_region = \"garage\"\n\
             api_bind_addr = \"{address}\"\n"
        );
        fs::write(&config, text).unwrap();
        let mut child = Command::new(program)
            .arg("-c")
            .arg(&config)
            .arg("server")
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("garage was found");
        loop {
            if TcpStream::connect(&address).is_ok() {
                return Node {
                    child,
                    config,
                    address,
                    rpc,
                };
            }
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
    panic!("garage does not start");
}
