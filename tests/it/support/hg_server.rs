//! Mercurial repositories over http, by `hg serve`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server that ends when it is dropped.
pub struct HgServer {
    child: Child,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

impl HgServer {
    /// Serves the repositories in a folder, each below its name.
    pub fn start(repositories: &Path) -> HgServer {
        let settings = repositories.join("hgweb.conf");
        let text = format!("[paths]\n/ = {}/*\n", repositories.display());
        std::fs::write(&settings, text).unwrap();
        let mut child = Command::new("hg")
            .args([
                "serve",
                "-a",
                "127.0.0.1",
                "-p",
                "0",
                "--print-url",
                "--web-conf",
            ])
            .arg(&settings)
            .args(["-A", "/dev/null"])
            .current_dir(repositories)
            .env("HGRCPATH", "")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It prints its URL when it listens.
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let port = line.trim().trim_end_matches('/').rsplit(':').next();
        let port = port.and_then(|port| port.parse().ok());
        HgServer {
            port: port.unwrap_or_else(|| panic!("hg serve printed {line:?}")),
            child,
        }
    }
}

impl Drop for HgServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
