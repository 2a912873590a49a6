//! Cold downloads through `modfetch serve`, beside the same without a server between.
//!
//! Every run starts from an empty cache, and a new server with an empty one. Upstream waits 20 ms before each
//! answer. The server's processor time is taken from the client where both share two cores, so a corpus of
//! small modules (`served light`) shows what the way through the server costs in time, and the large one
//! what it costs in all.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::corpus::{Content, Corpus, Shape};
use crate::report::Bound;
use crate::server::Server;
use crate::support;
use crate::{Bench, Place, command_line};

/// Before each answer of upstream.
const DELAY: Duration = Duration::from_millis(20);

/// As long as without a server, and a tenth more.
const OF_DIRECT: f64 = 1.1;

/// As many modules as the large corpus has, with next to nothing in them.
const LIGHT: Shape = Shape {
    seed: 4,
    modules: 250,
    files: 1_000,
    largest: 10,
    bytes: 5_000_000,
    content: Content::Source,
};

/// What the client's go.sum has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GoSum {
    Full,
    None,
}

fn place_with(corpus: &Corpus, modules: usize, go_sum: GoSum) -> io::Result<Place> {
    let place = Place::new(corpus, modules)?;
    if go_sum == GoSum::None {
        fs::remove_file(place.root.path().join("project/go.sum"))?;
    }
    Ok(place)
}

/// A running `modfetch serve`.
struct CachingProxy {
    child: Child,
    url: String,
}

impl CachingProxy {
    /// Starts a server with an empty cache below `place`.
    fn start(program: &str, upstream: &str, place: &Path) -> io::Result<CachingProxy> {
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--cache"])
            .arg(place.join("server"))
            .env_clear()
            .env("PATH", support::go::search_path())
            .env("HOME", place.join("home"))
            .env("GOENV", "off")
            .env("GOSUMDB", "off")
            .env("GOPROXY", upstream)
            .stderr(Stdio::piped())
            .spawn()?;
        let lines = child.stderr.take();
        let mut lines = BufReader::new(lines.ok_or_else(|| io::Error::other("no pipe"))?);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        let url = line
            .trim()
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        // What it says later is of no interest, and must not block it.
        std::thread::spawn(move || io::copy(&mut lines, &mut io::sink()));
        Ok(CachingProxy { child, url })
    }
}

impl Drop for CachingProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bench<'_> {
    /// Downloads through a server, and without.
    pub(crate) fn served(&mut self, corpus: &Corpus) -> io::Result<()> {
        let target = corpus.folder().parent().unwrap_or(Path::new("."));
        let light = Corpus::prepare(LIGHT, target)?;
        let large = self.options.shape.modules;
        self.served_corpus("light", &light, LIGHT.modules, GoSum::Full)?;
        self.served_corpus("no go.sum", &light, LIGHT.modules, GoSum::None)?;
        self.served_corpus("large", corpus, large, GoSum::Full)
    }

    fn served_corpus(
        &mut self,
        name: &str,
        corpus: &Corpus,
        modules: usize,
        go_sum: GoSum,
    ) -> io::Result<()> {
        let options = self.options;
        let (direct, served) = (format!("direct {name}"), format!("served {name}"));
        let mut server = Server::start(corpus, DELAY)?;
        for round in 0..options.runs {
            for program in self.round(round, 0) {
                let line = command_line(options, program, "download");
                let place = place_with(corpus, modules, go_sum)?;
                let sample = place.sample(&direct, program, round, &line, &mut server)?;
                self.samples.push(place.complete(sample, corpus.files()));
                let place = place_with(corpus, modules, go_sum)?;
                let proxy = CachingProxy::start(&options.program, server.url(), place.root.path())?;
                let sample = place.sample_through(
                    &proxy.url,
                    &served,
                    program,
                    round,
                    &line,
                    &mut server,
                )?;
                self.samples.push(place.complete(sample, corpus.files()));
            }
        }
        self.bounds.push(Bound {
            scenario: direct.clone(),
            ..Bound::default()
        });
        self.bounds.push(Bound {
            scenario: served,
            over: Some((direct, OF_DIRECT)),
            ..Bound::default()
        });
        Ok(())
    }
}
