//! `modfetch download` beside `go mod download`, on the same corpus, machine and minute.
//!
//! `cargo bench --bench side_by_side -- [--quick|--short] [--runs N] [--delays 0,20,100]
//! [--scenarios cold,warm,verify,big,modules,many,disk,served] [--only modfetch|go] [--program PATH]
//! [--beside PATH] [--disk FOLDER]`, or
//! `-- --scale [--quick] [--runs N] [--svg PATH] [--program PATH]` (see `scale`), or
//! `-- --direct [--quick] [--runs N] [--scenarios 'newest tag,40 modules'] [--program PATH]` (see `direct`)
//!
//! `--quick` takes a small corpus, to see that everything works. `--short` takes the whole one, in less
//! than eight minutes: three rounds, `go` once where it waits for 100 ms a request, and no large
//! module. `--beside` runs another build of modfetch in each round. The go command is that of
//! MODFETCH_TEST_GO, or the first in PATH.
//!
//! A synthetic corpus is made once (see `corpus`), served from memory by a process of its own
//! with a fixed delay before each answer, and downloaded by both programs in turn: cold into an
//! empty cache, warm into a full one, and checked by `verify`; `modules` is `list -m all` and `graph`
//! from an empty cache, with the longest delay, and again, and `list -m -u -json all` on a full one with
//! that delay; `many` is `list -m all` of 1,000 modules; `disk` downloads to and checks on a
//! disk, with what the kernel has in memory and, where this process may empty that, without; `served` (see
//! there) downloads through `modfetch serve` and, to compare, without. The floor (see `floor`) does the
//! work of a cold download, or of a check, without any care, to compare with. One module with a
//! zip of 500 MB shows that memory does not depend on that. Caches lie in memory
//! (`/dev/shm`) where there is such a place, so that the disk is not what is measured. Raw runs
//! go to `target/bench/`.
//!
//! Read the figures with care: server and programs share the cores of one machine, the delay
//! stands for a network but does not limit its rate, and go is not run with tuned settings.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    unreachable_pub,
    missing_docs,
    reason = "a program for developers that shares the test kit"
)]

mod chart;
mod corpus;
mod direct;
mod floor;
mod measure;
mod report;
mod scale;
mod served;
mod server;
#[path = "../it/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
mod support;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use corpus::{Corpus, Shape};
use report::{Bound, Sample};
use server::Server;
use tempfile::TempDir;

/// What is asked for on the command line.
struct Options {
    shape: Shape,
    runs: usize,
    delays: Vec<u64>,
    scenarios: Vec<String>,
    only: Option<String>,
    program: String,
    beside: Option<String>,
    short: bool,
    disk: PathBuf,
    scale: bool,
    direct: bool,
    quick: bool,
    /// The scenarios were named.
    chosen: bool,
    svg: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("measure") => return measure::wrapper(&arguments[1..]),
        Some("floor") => return floor::floor(&arguments[1..]),
        Some("floor-verify") => return floor::floor_verify(&arguments[1..]),
        Some("serve") => return server::serve(&arguments[1..]),
        _ => {}
    }
    // `cargo bench` says so; `cargo test --all-targets` runs this program as well.
    if !arguments.iter().any(|argument| argument == "--bench") {
        eprintln!("skipped: run by cargo bench only");
        return ExitCode::SUCCESS;
    }
    match parse(&arguments).and_then(|options| benchmark(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("side_by_side: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> io::Result<Options> {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let scale = arguments.iter().any(|argument| argument == "--scale");
    let short = arguments.iter().any(|argument| argument == "--short");
    let mut options = Options {
        shape: match (scale, quick) {
            (false, false) => Shape::FULL,
            (false, true) => Shape::QUICK,
            (true, false) => scale::FULL,
            (true, true) => scale::QUICK,
        },
        runs: if quick || short || scale { 3 } else { 5 },
        delays: match (quick, short) {
            (true, _) => vec![0, 20],
            (_, true) => vec![0, 100],
            _ => vec![0, 20, 100],
        },
        scenarios: ["cold", "warm", "verify", "big", "modules", "many", "disk"]
            .iter()
            .filter(|scenario| **scenario != "big" || !short)
            .map(|scenario| (*scenario).to_owned())
            .collect(),
        only: None,
        beside: None,
        short,
        disk: env!("CARGO_TARGET_TMPDIR").into(),
        program: env!("CARGO_BIN_EXE_modfetch").to_owned(),
        scale,
        direct: arguments.iter().any(|argument| argument == "--direct"),
        quick,
        chosen: arguments.iter().any(|argument| argument == "--scenarios"),
        svg: None,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || {
            rest.next()
                .ok_or_else(|| io::Error::other(format!("{argument} wants a value")))
        };
        match argument.as_str() {
            "--bench" | "--quick" | "--short" | "--scale" | "--direct" => {}
            "--runs" => options.runs = value()?.parse().map_err(io::Error::other)?,
            "--delays" => {
                let list: Result<_, _> = value()?.split(',').map(str::parse).collect();
                options.delays = list.map_err(io::Error::other)?;
            }
            "--scenarios" => options.scenarios = value()?.split(',').map(str::to_owned).collect(),
            "--only" => options.only = Some(value()?.clone()),
            "--program" => options.program.clone_from(value()?),
            "--beside" => options.beside = Some(value()?.clone()),
            "--disk" => options.disk = value()?.into(),
            "--svg" => options.svg = Some(value()?.into()),
            other => return Err(io::Error::other(format!("unknown argument {other}"))),
        }
    }
    Ok(options)
}

fn benchmark(options: &Options) -> io::Result<()> {
    // CARGO_TARGET_TMPDIR is target/tmp.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .unwrap_or(Path::new("target"));
    let output = target.join("bench");
    fs::create_dir_all(&output)?;
    if options.direct {
        return direct::run(options, &output);
    }
    eprintln!("corpus: {:?}", options.shape);
    if options.scale {
        return scale::run(options, &output);
    }
    let corpus = Corpus::prepare(options.shape, &output)?;
    let mut programs = vec!["modfetch"];
    if options.beside.is_some() {
        programs.push(report::BESIDE);
    }
    if support::require_go().is_some() {
        programs.push("go");
    }
    programs.retain(|program| options.only.as_deref().is_none_or(|only| only == *program));

    let mut bench = Bench {
        options,
        programs,
        samples: Vec::new(),
        bounds: Vec::new(),
    };
    let wants = |name: &str| options.scenarios.iter().any(|scenario| scenario == name);
    if wants("cold") {
        bench.cold(&corpus)?;
    }
    if wants("big") && options.shape == Shape::FULL {
        bench.big(&Corpus::prepare(Shape::BIG, &output)?)?;
    }
    let full: Vec<_> = FULL.iter().filter(|row| wants(row.0)).collect();
    if !full.is_empty() {
        bench.full(&corpus, &full)?;
    }
    if wants("modules") {
        bench.modules(&corpus)?;
    }
    if wants("many") && options.shape == Shape::FULL {
        bench.many(&Corpus::prepare(Shape::MANY, &output)?)?;
    }
    if wants("disk") {
        bench.disk(&corpus)?;
    }
    if wants("served") {
        bench.served(&corpus)?;
    }
    let Bench {
        samples, bounds, ..
    } = bench;

    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let csv = output.join(format!("side-by-side-{now}.csv"));
    report::write_csv(&csv, &samples)?;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let go = support::go::go_version().map_or("none".to_owned(), ToString::to_string);
    println!(
        "{cores} cores, {} runs each, go {go}, {:?}\n",
        options.runs, options.shape
    );
    println!(
        "{}\nraw runs: {}",
        report::table(&samples, &bounds),
        csv.display()
    );
    Ok(())
}

/// What runs on a full cache: the scenario, the command, and how many times faster it has to be.
const FULL: [(&str, &str, f64); 2] = [("warm", "download", 7.0), ("verify", "verify", 4.8)];

/// What is being compared, and what came of it so far.
struct Bench<'a> {
    options: &'a Options,
    programs: Vec<&'static str>,
    samples: Vec<Sample>,
    bounds: Vec<Bound>,
}

impl Bench<'_> {
    /// The programs of a round; `go` only once where it waits long and there is little time.
    fn round(&self, round: usize, delay: u64) -> Vec<&'static str> {
        let skips = self.options.short && delay >= 100 && round > 0;
        let programs = self.programs.iter().copied();
        programs.filter(|&name| name != "go" || !skips).collect()
    }

    /// Downloads into empty caches, with the delays that were asked for.
    fn cold(&mut self, corpus: &Corpus) -> io::Result<()> {
        let options = self.options;
        for &delay in &options.delays {
            let scenario = format!("cold {delay} ms");
            let faster = match delay {
                0 => Some(5.6),
                20 => Some(14.0),
                100 => Some(40.0),
                _ => None,
            };
            let mut server = Server::start(corpus, Duration::from_millis(delay))?;
            for round in 0..options.runs {
                for program in self.round(round, delay).into_iter().chain(["floor"]) {
                    let place = Place::new(corpus, options.shape.modules)?;
                    let line = match program {
                        "floor" => place.floor(&["floor", server.url()])?,
                        _ => command_line(options, program, "download"),
                    };
                    let sample = place.sample(&scenario, program, round, &line, &mut server)?;
                    self.samples.push(place.complete(sample, corpus.files()));
                }
            }
            self.bounds.push(Bound {
                scenario,
                faster,
                of_cpu: faster.map(|_| report::OF_CPU),
                over_floor: (delay == 0).then_some(report::OVER_FLOOR),
                ..Bound::default()
            });
        }
        Ok(())
    }

    /// Downloads one large module.
    fn big(&mut self, corpus: &Corpus) -> io::Result<()> {
        let options = self.options;
        let mut server = Server::start(corpus, Duration::ZERO)?;
        for round in 0..options.runs {
            for &program in &self.programs {
                let place = Place::new(corpus, Shape::BIG.modules)?;
                let line = command_line(options, program, "download");
                let sample = place.sample("500 MB zip", program, round, &line, &mut server)?;
                self.samples.push(place.complete(sample, corpus.files()));
            }
        }
        self.bounds.push(Bound {
            scenario: "500 MB zip".to_owned(),
            ..Bound::default()
        });
        Ok(())
    }

    /// Runs on full caches, which each program filled itself.
    fn full(&mut self, corpus: &Corpus, rows: &[&(&str, &str, f64)]) -> io::Result<()> {
        let options = self.options;
        let mut server = Server::start(corpus, Duration::ZERO)?;
        let mut places = Vec::new();
        for &program in &self.programs {
            let place = Place::new(corpus, options.shape.modules)?;
            let line = command_line(options, program, "download");
            let sample = place.sample("fill", program, 0, &line, &mut server)?;
            if place.complete(sample, corpus.files()).usage.status != 0 {
                return Err(io::Error::other(format!("{program} cannot fill a cache")));
            }
            places.push((program, place));
        }
        for &&(scenario, verb, faster) in rows {
            for round in 0..options.runs {
                let times = if scenario == "warm" { WARM_TIMES } else { 1 };
                for (program, place) in &places {
                    let line = command_line(options, program, verb);
                    for _ in 0..times {
                        let sample = place.sample(scenario, program, round, &line, &mut server)?;
                        self.samples.push(sample);
                    }
                }
                if let ("verify", Some((_, place))) = (scenario, places.first()) {
                    let line = place.floor(&["floor-verify"])?;
                    let sample = place.sample(scenario, "floor", round, &line, &mut server)?;
                    self.samples.push(sample);
                }
            }
            self.bounds.push(Bound {
                scenario: scenario.to_owned(),
                faster: Some(faster),
                of_cpu: Some(report::OF_CPU),
                over_floor: (scenario == "verify").then_some(report::OVER_FLOOR),
                ..Bound::default()
            });
        }
        Ok(())
    }

    /// Asks which modules there are: of an empty cache with the longest delay, and at once again.
    fn modules(&mut self, corpus: &Corpus) -> io::Result<()> {
        let options = self.options;
        let delay = options.delays.iter().copied().max().unwrap_or(0);
        let mut server = Server::start(corpus, Duration::from_millis(delay))?;
        for (verb, warm) in [("list", 5.0), ("graph", 3.0)] {
            let update = (verb == "list").then(|| {
                (
                    format!("list -u {delay} ms"),
                    (delay == 100).then_some(20.0),
                )
            });
            let mut rows = vec![
                (format!("{verb} {delay} ms"), (delay == 100).then_some(5.0)),
                (format!("{verb} warm"), Some(warm)),
            ];
            rows.extend(update);
            for round in 0..options.runs {
                for program in self.round(round, delay) {
                    let place = Place::new(corpus, options.shape.modules)?;
                    for (scenario, _) in &rows {
                        let verb = if scenario.starts_with("list -u") {
                            "list -u"
                        } else {
                            verb
                        };
                        let line = command_line(options, program, verb);
                        // What takes some milliseconds is run more often than what takes seconds.
                        let times = if scenario.ends_with("warm") {
                            WARM_TIMES
                        } else {
                            1
                        };
                        for _ in 0..times {
                            let sample =
                                place.sample(scenario, program, round, &line, &mut server)?;
                            self.samples.push(sample);
                        }
                    }
                }
            }
            self.bounds
                .extend(rows.into_iter().map(|(scenario, faster)| Bound {
                    scenario,
                    faster,
                    ..Bound::default()
                }));
        }
        Ok(())
    }

    /// Lists many modules, of which the cache has what is needed.
    fn many(&mut self, corpus: &Corpus) -> io::Result<()> {
        let options = self.options;
        let mut server = Server::start(corpus, Duration::ZERO)?;
        let place = Place::new(corpus, Shape::MANY.modules)?;
        let scenario = "list 1000 warm";
        for round in 0..=options.runs {
            for &program in &self.programs {
                let line = command_line(options, program, "list");
                for _ in 0..WARM_TIMES {
                    let sample = place.sample(scenario, program, round, &line, &mut server)?;
                    // The first round fills the cache.
                    if round > 0 {
                        self.samples.push(sample);
                    }
                }
            }
        }
        self.bounds.push(Bound {
            scenario: scenario.to_owned(),
            faster: Some(5.0),
            ..Bound::default()
        });
        Ok(())
    }

    /// Downloads to a disk, and checks there.
    fn disk(&mut self, corpus: &Corpus) -> io::Result<()> {
        let options = self.options;
        let mut server = Server::start(corpus, Duration::ZERO)?;
        let without = drop_page_cache();
        let mut rows = vec![
            ("disk cold 0 ms", "download", 5.0, false),
            ("disk verify", "verify", 4.8, false),
        ];
        if without {
            rows.push(("disk verify, read", "verify", 1.0, true));
            rows.push(("disk warm, read", "download", 1.0, true));
        }
        for round in 0..options.runs {
            for &program in &self.programs {
                let place = Place::below(&options.disk, corpus, options.shape.modules)?;
                for &(scenario, verb, _, drops) in &rows {
                    if drops {
                        drop_page_cache();
                    }
                    let line = command_line(options, program, verb);
                    let sample = place.sample(scenario, program, round, &line, &mut server)?;
                    self.samples.push(place.complete(sample, corpus.files()));
                }
            }
        }
        self.bounds
            .extend(rows.into_iter().map(|(scenario, _, faster, _)| Bound {
                scenario: scenario.to_owned(),
                faster: Some(faster),
                ..Bound::default()
            }));
        Ok(())
    }
}

/// How often in a round what takes some milliseconds is run.
const WARM_TIMES: usize = 5;

/// Writes everything out and empties the page cache; false if this process may not.
fn drop_page_cache() -> bool {
    let _ = std::process::Command::new("sync").status();
    fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

fn command_line(options: &Options, program: &str, verb: &str) -> Vec<String> {
    let start: &[&str] = match (program, &options.beside) {
        ("go", _) if verb.starts_with("list") => &["go"],
        ("go", _) => &["go", "mod"],
        (report::BESIDE, Some(other)) => &[other],
        _ => &[&options.program],
    };
    let rest: &[&str] = match verb {
        "list" => &["list", "-m", "all"],
        "list -u" => &["list", "-m", "-u", "-json", "all"],
        _ => &[verb],
    };
    start.iter().chain(rest).map(ToString::to_string).collect()
}

/// A folder of a file system in memory, if there is one.
fn in_memory() -> PathBuf {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => memory.to_owned(),
        false => std::env::temp_dir(),
    }
}

fn temporary_folder(below: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("modfetch-bench-").tempdir_in(below)
}

/// A project, a home and a cache for runs, in memory if possible, gone when dropped.
struct Place {
    root: TempDir,
}

impl Place {
    /// For a project that requires the first `modules` of a corpus.
    fn new(corpus: &Corpus, modules: usize) -> io::Result<Place> {
        Place::below(&in_memory(), corpus, modules)
    }

    /// The same on the file system of a folder.
    fn below(below: &Path, corpus: &Corpus, modules: usize) -> io::Result<Place> {
        let root = temporary_folder(below)?;
        for name in ["home", "project"] {
            fs::create_dir(root.path().join(name))?;
        }
        support::sandbox::quiet_telemetry(&root.path().join("home"));
        for (name, text) in corpus.project(modules)? {
            fs::write(root.path().join("project").join(name), text)?;
        }
        Ok(Place { root })
    }

    /// The command line of the floor: this program itself.
    fn floor(&self, work: &[&str]) -> io::Result<Vec<String>> {
        let path = |name: &str| self.root.path().join(name).display().to_string();
        let mut line = vec![std::env::current_exe()?.display().to_string()];
        line.extend(work.iter().map(|word| (*word).to_owned()));
        line.extend(["project", "modcache"].map(path));
        Ok(line)
    }

    /// Marks a run that says it was done, but left files out.
    fn complete(&self, mut sample: Sample, files: usize) -> Sample {
        let cache = self.root.path().join("modcache");
        let extracted = count_files(&cache).saturating_sub(count_files(&cache.join("cache")));
        if sample.usage.status == 0 && extracted != files {
            eprintln!("{}: {extracted} of {files} files are there", sample.program);
            sample.usage.status = report::INCOMPLETE;
        }
        sample
    }

    /// Runs a command line here once.
    fn sample(
        &self,
        scenario: &str,
        program: &'static str,
        round: usize,
        line: &[String],
        server: &mut Server,
    ) -> io::Result<Sample> {
        let url = server.url().to_owned();
        self.sample_through(&url, scenario, program, round, line, server)
    }

    /// Runs a command line here once, whose GOPROXY is `url`.
    fn sample_through(
        &self,
        url: &str,
        scenario: &str,
        program: &'static str,
        round: usize,
        line: &[String],
        server: &mut Server,
    ) -> io::Result<Sample> {
        let path = |name: &str| self.root.path().join(name).display().to_string();
        let environment = [
            ("PATH", support::go::search_path()),
            ("HOME", path("home")),
            ("GOPATH", path("gopath")),
            ("GOMODCACHE", path("modcache")),
            ("GOENV", "off".to_owned()),
            ("GOTOOLCHAIN", "local".to_owned()),
            ("GOSUMDB", "off".to_owned()),
            ("GOPROXY", url.to_owned()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value));
        server.counts()?;
        let report = self.root.path().join("report");
        let folder = self.root.path().join("project");
        let usage = measure::run(line, &environment, &folder, &report)?;
        let counts = server.counts()?;
        if usage.status != 0 {
            let said = fs::read_to_string(report.with_extension("stderr")).unwrap_or_default();
            let said: Vec<&str> = said.lines().take(3).collect();
            eprintln!(
                "{scenario} {program}: exit {}: {}",
                usage.status,
                said.join(" / ")
            );
        }
        eprintln!(
            "{scenario} {program} {round}: {:.3} s",
            usage.wall.as_secs_f64()
        );
        Ok(Sample {
            scenario: scenario.to_owned(),
            program,
            round,
            usage,
            counts,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        support::sandbox::change_modes(self.root.path(), &|mode| mode | 0o700);
    }
}

fn count_files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => count_files(&entry.path()),
            _ => 1,
        })
        .sum()
}
