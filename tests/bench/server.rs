//! The proxy of a benchmark, in a process of its own: its work is not the work measured.
//!
//! Protocol on standard input and output: it prints its URL; for each line it reads it prints
//! `requests connections bytes max-in-flight` since the last one, and starts counting anew. The
//! end of standard input ends it.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

use crate::corpus::Corpus;
use crate::support::{Proxy, Times};

/// What the server counted during a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub requests: u64,
    pub connections: u64,
    pub bytes: u64,
    pub max_in_flight: u64,
}

/// A running server.
pub struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    url: String,
}

impl Server {
    /// Starts a server for a corpus that waits this long before each answer.
    pub fn start(corpus: &Corpus, delay: Duration) -> io::Result<Server> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg(corpus.folder())
            .arg(delay.as_millis().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let output = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no pipe"))?;
        let mut server = Server {
            child,
            input,
            output: BufReader::new(output),
            url: String::new(),
        };
        server.url = server.line()?;
        Ok(server)
    }

    /// What GOPROXY is set to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What happened since the last time this was asked.
    pub fn counts(&mut self) -> io::Result<Counts> {
        if let Some(input) = &mut self.input {
            input.write_all(b"count\n")?;
        }
        let line = self.line()?;
        let numbers: Vec<u64> = line
            .split(' ')
            .filter_map(|word| word.parse().ok())
            .collect();
        let [requests, connections, bytes, max_in_flight] = numbers[..] else {
            return Err(io::Error::other(format!("the server said {line:?}")));
        };
        Ok(Counts {
            requests,
            connections,
            bytes,
            max_in_flight,
        })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The server's process: `serve CORPUS DELAY-MS`.
pub fn serve(arguments: &[String]) -> ExitCode {
    let [folder, delay] = arguments else {
        return ExitCode::from(2);
    };
    let Ok(tree) = Corpus::tree(Path::new(folder)) else {
        return ExitCode::FAILURE;
    };
    let proxy = Proxy::of(tree).without_ranges();
    let delay = Duration::from_millis(delay.parse().unwrap_or(0));
    let proxy = if delay.is_zero() {
        proxy
    } else {
        proxy.delaying("*", delay, Times::ALWAYS)
    };
    println!("{}", proxy.url());
    for _ in io::stdin().lines() {
        let (requests, connections) = (proxy.hits("*"), proxy.connections());
        println!(
            "{requests} {connections} {} {}",
            proxy.bytes_sent(),
            proxy.max_in_flight()
        );
        proxy.forget();
    }
    ExitCode::SUCCESS
}
