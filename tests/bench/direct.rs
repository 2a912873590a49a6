//! Modules from their repositories: `modfetch download` beside `go mod download`, `GOPROXY=direct`.
//!
//! A forge on this machine (https, `git http-backend`) waits 50 ms before each answer. Three
//! programs take turns: modfetch with the program git, modfetch with its own client ("builtin"), and
//! go. Program starts are counted apart from the timed runs, by a script in the place of git.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::report::{self, BUILTIN, Bound, Sample};
use crate::server::Counts;
use crate::support::{self, Forge};
use crate::{Options, in_memory, measure, temporary_folder};

/// What the forge waits before each answer.
const DELAY: Duration = Duration::from_millis(50);

/// Go starts git 15 times for the newest tag; modfetch may start it this often.
const MOST_STARTS: usize = 8;

/// One row of the table.
struct Row {
    scenario: &'static str,
    /// What is downloaded.
    modules: Vec<String>,
    /// The clones of the run before are there.
    keeps_clones: bool,
    faster: Option<f64>,
    of_bytes: Option<f64>,
    builtin_of_program: Option<f64>,
    most_starts: Option<usize>,
    /// The repositories, each of which has to be fetched once.
    repositories: Option<usize>,
}

impl Row {
    fn new(scenario: &'static str, modules: Vec<String>) -> Row {
        Row {
            scenario,
            modules,
            keeps_clones: false,
            faster: None,
            of_bytes: None,
            builtin_of_program: None,
            most_starts: None,
            repositories: None,
        }
    }
}

/// Makes the repositories, runs the programs in turn, and prints the table.
pub fn run(options: &Options, output: &Path) -> io::Result<()> {
    let forge = Forge::start();
    let commits = if options.quick { 300 } else { 20_000 };
    let rows = rows(&forge, output, commits)?;
    forge.delay(DELAY);
    let mut programs = vec!["modfetch", BUILTIN];
    if support::require_go().is_some() {
        programs.push("go");
    }
    programs.retain(|program| options.only.as_deref().is_none_or(|only| only == *program));
    let mut samples = Vec::new();
    let mut notes = String::new();
    for row in &rows {
        if !options.scenarios.iter().any(|name| name == row.scenario) && options.chosen {
            continue;
        }
        let mut places = Vec::new();
        for &program in &programs {
            places.push((program, Place::new(&forge)?));
        }
        for (program, place) in &places {
            // Counts; and the clones of the warm runs come from here.
            forge.take_packs();
            let counted = place.counted_starts(options, program, row)?;
            let starts = counted.map_or("none".to_owned(), |starts| starts.to_string());
            notes.push_str(&format!(
                "{:<18} {program:<9} starts git: {starts}",
                row.scenario
            ));
            let packs = forge.take_packs();
            if !packs.is_empty() {
                notes.push_str(&format!(", packs: {}", packs.len()));
            }
            if *program != "go" {
                let mut claim =
                    |holds: bool| notes.push_str(if holds { " (ok)" } else { " (MISSED)" });
                if let (Some(most), Some(starts)) = (row.most_starts, counted) {
                    claim(starts <= most);
                }
                if let Some(repositories) = row.repositories {
                    claim(packs.len() == repositories);
                }
            }
            notes.push('\n');
        }
        for round in 0..options.runs {
            for (program, place) in &places {
                samples.push(place.sample(options, program, row, round, &forge)?);
            }
        }
    }
    report::write_csv(&output.join("direct.csv"), &samples)?;
    let bounds: Vec<Bound> = rows.iter().map(bound).collect();
    let go = support::go::go_version().map_or("none".to_owned(), ToString::to_string);
    println!(
        "direct, {} ms a request, {} runs each, go {go}\n",
        DELAY.as_millis(),
        options.runs
    );
    println!("{}\n{notes}", report::table(&samples, &bounds));
    Ok(())
}

fn bound(row: &Row) -> Bound {
    Bound {
        scenario: row.scenario.to_owned(),
        faster: row.faster,
        of_bytes: row.of_bytes,
        builtin_of_program: row.builtin_of_program,
        ..Bound::default()
    }
}

/// The repositories of all rows, and what is asked of them.
fn rows(forge: &Forge, output: &Path, commits: usize) -> io::Result<Vec<Row>> {
    let module = "printf 'module v.test/one\\n\\ngo 1.20\\n' > go.mod
        for i in $(seq 60); do mkdir -p p$i; seq $((i * 300)) > p$i/data.go; done; commit begin
        for i in $(seq 40); do echo \"// $i\" > p$i/new.go; commit $i; git tag v1.$i.0; done";
    forge.git("one", module).import_git("one", &[]);
    let below = ["a", "b", "c", "d", "e"];
    let mut many = Vec::new();
    for repository in 0..8 {
        let name = format!("r{repository}");
        let script = format!(
            "for m in a b c d e; do mkdir $m; printf \"module v.test/{name}/$m\\n\" > $m/go.mod
             for i in $(seq 20); do seq $((i * 100)) > $m/x$i.go; done; done; commit all
             for m in a b c d e; do git tag $m/v1.0.0; done"
        );
        forge.git(&name, &script).import_git(&name, &below);
        many.extend(below.map(|module| format!("v.test/{name}/{module}@v1.0.0")));
    }
    let (history, hash) = long_history(output, commits)?;
    std::os::unix::fs::symlink(history, forge.repository("history"))?;
    forge.import_git("history", &[]);
    let newest = vec!["v.test/one@v1.40.0".to_owned()];
    Ok(vec![
        Row {
            faster: Some(1.0 / 0.6),
            builtin_of_program: Some(1.0),
            most_starts: Some(MOST_STARTS),
            ..Row::new("newest tag", newest.clone())
        },
        Row {
            faster: Some(1.0 / 0.6),
            builtin_of_program: Some(1.0),
            most_starts: Some(MOST_STARTS),
            ..Row::new("older tag", vec!["v.test/one@v1.20.0".to_owned()])
        },
        Row {
            faster: Some(6.0),
            repositories: Some(8),
            ..Row::new("40 modules", many)
        },
        Row {
            keeps_clones: true,
            faster: Some(3.0),
            ..Row::new("from the clone", newest)
        },
        Row {
            of_bytes: Some(0.05),
            ..Row::new("untagged commit", vec![format!("v.test/history@{hash}")])
        },
    ])
}

/// A repository with many commits of 25 kB each, made once, and a commit of it without a tag.
fn long_history(output: &Path, commits: usize) -> io::Result<(PathBuf, String)> {
    let folder = output.join(format!("history-{commits}.git"));
    let git = |arguments: &[&str]| -> io::Result<String> {
        let ran = Command::new("git")
            .arg("-C")
            .arg(&folder)
            .args(arguments)
            .output()?;
        match ran.status.success() {
            true => Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned()),
            false => Err(io::Error::other(
                String::from_utf8_lossy(&ran.stderr).into_owned(),
            )),
        }
    };
    let done = folder.join("complete");
    if !done.exists() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        git(&["init", "-q", "--bare", "-b", "main"])?;
        git(&["config", "uploadpack.allowFilter", "true"])?;
        let mut child = Command::new("git")
            .args(["fast-import", "--quiet"])
            .current_dir(&folder)
            .stdin(std::process::Stdio::piped())
            .spawn()?;
        let stream = child
            .stdin
            .take()
            .ok_or_else(|| io::Error::other("no pipe"))?;
        write_history(io::BufWriter::new(stream), commits)?;
        if !child.wait()?.success() {
            return Err(io::Error::other("git fast-import failed"));
        }
        fs::write(&done, "")?;
    }
    let middle = format!("main~{}", commits / 2);
    let hash = git(&["rev-parse", &middle])?;
    Ok((
        fs::canonicalize(folder)?,
        hash.get(..12).unwrap_or_default().to_owned(),
    ))
}

fn write_history(mut stream: impl io::Write, commits: usize) -> io::Result<()> {
    let mut random = 1_u64;
    for commit in 0..commits {
        let time = 1_580_000_000 + commit;
        writeln!(stream, "commit refs/heads/main\nmark :{}", commit + 1)?;
        writeln!(stream, "committer a <a@v.test> {time} +0000\ndata 1\nc")?;
        if commit > 0 {
            writeln!(stream, "from :{commit}")?;
        } else {
            let go_mod = "module v.test/history\n";
            writeln!(
                stream,
                "M 644 inline go.mod\ndata {}\n{go_mod}",
                go_mod.len()
            )?;
        }
        let mut data = Vec::with_capacity(25_000);
        while data.len() < 25_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            data.extend(random.to_le_bytes());
        }
        writeln!(
            stream,
            "M 644 inline data{}.bin\ndata {}",
            commit % 40,
            data.len()
        )?;
        stream.write_all(&data)?;
        writeln!(stream)?;
    }
    stream.flush()
}

/// A home and a cache for the runs of one program.
struct Place {
    root: TempDir,
    environment: Vec<(String, String)>,
}

impl Place {
    fn new(forge: &Forge) -> io::Result<Place> {
        let root = temporary_folder(&in_memory())?;
        for name in ["home", "project", "bin"] {
            fs::create_dir(root.path().join(name))?;
        }
        support::sandbox::quiet_telemetry(&root.path().join("home"));
        let path = |name: &str| root.path().join(name).display().to_string();
        let own = [
            ("PATH", support::go::search_path()),
            ("HOME", path("home")),
            ("GOPATH", path("gopath")),
            ("GOMODCACHE", path("modcache")),
            ("GOENV", "off".to_owned()),
            ("GOTOOLCHAIN", "local".to_owned()),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        let environment = forge.environment().into_iter().chain(own).collect();
        Ok(Place { root, environment })
    }

    /// Leaves nothing of the runs before but, if wanted, the clones.
    fn empty(&self, keeps_clones: bool) -> io::Result<()> {
        let cache = self.root.path().join("modcache");
        if !cache.exists() {
            return Ok(());
        }
        support::sandbox::change_modes(&cache, &|mode| mode | 0o700);
        if !keeps_clones {
            return fs::remove_dir_all(&cache);
        }
        for entry in fs::read_dir(&cache)?
            .chain(fs::read_dir(cache.join("cache"))?)
            .flatten()
        {
            if entry.file_name() != "cache" && entry.file_name() != "vcs" {
                match entry.file_type()?.is_dir() {
                    true => fs::remove_dir_all(entry.path())?,
                    false => fs::remove_file(entry.path())?,
                }
            }
        }
        Ok(())
    }

    fn line(options: &Options, program: &str, row: &Row) -> Vec<String> {
        let start: &[&str] = match program {
            "go" => &["go", "mod", "download"],
            BUILTIN => &[&options.program, "download", "--git", "builtin"],
            _ => &[&options.program, "download", "--git", "program"],
        };
        let start = start.iter().map(ToString::to_string);
        start.chain(row.modules.iter().cloned()).collect()
    }

    /// How often a program starts git for a row; `None` if never.
    fn counted_starts(
        &self,
        options: &Options,
        program: &str,
        row: &Row,
    ) -> io::Result<Option<usize>> {
        let search = support::go::search_path();
        let git = std::env::split_paths(&search)
            .map(|dir| dir.join("git"))
            .find(|file| file.is_file());
        let git = git.ok_or_else(|| io::Error::other("no git in PATH"))?;
        let log = self.root.path().join("starts");
        let script = self.root.path().join("bin/git");
        let text = format!(
            "#!/bin/sh\necho start >> {}\nexec {} \"$@\"\n",
            log.display(),
            git.display()
        );
        fs::write(&script, text)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        let path = format!("{}:{search}", self.root.path().join("bin").display());
        let mut environment = self.environment.clone();
        environment.push(("PATH".to_owned(), path));
        let mut starts = None;
        // With clones, it is the second run that counts.
        for run in 0..=usize::from(row.keeps_clones) {
            let _ = fs::remove_file(&log);
            self.empty(run > 0)?;
            let usage = self.measure(&Place::line(options, program, row), &environment)?;
            if usage.status != 0 {
                return Err(self.failed(row.scenario, program));
            }
            starts = fs::read_to_string(&log)
                .ok()
                .map(|text| text.lines().count());
        }
        Ok(starts)
    }

    fn measure(
        &self,
        line: &[String],
        environment: &[(String, String)],
    ) -> io::Result<measure::Usage> {
        let report = self.root.path().join("report");
        measure::run(
            line,
            environment,
            &self.root.path().join("project"),
            &report,
        )
    }

    fn failed(&self, scenario: &str, program: &str) -> io::Error {
        let said = fs::read_to_string(self.root.path().join("report.stderr")).unwrap_or_default();
        io::Error::other(format!("{scenario} {program}: {said}"))
    }

    fn sample(
        &self,
        options: &Options,
        program: &'static str,
        row: &Row,
        round: usize,
        forge: &Forge,
    ) -> io::Result<Sample> {
        self.empty(row.keeps_clones)?;
        forge.take_log();
        forge.take_sent();
        let usage = self.measure(&Place::line(options, program, row), &self.environment)?;
        if usage.status != 0 {
            return Err(self.failed(row.scenario, program));
        }
        eprintln!(
            "{} {program} {round}: {:.3} s",
            row.scenario,
            usage.wall.as_secs_f64()
        );
        let counts = Counts {
            requests: forge.take_log().len() as u64,
            bytes: forge.take_sent() as u64,
            ..Counts::default()
        };
        Ok(Sample {
            scenario: row.scenario.to_owned(),
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
