//! `modfetch sum --check` and `--write`: is go.sum complete, and does it agree.
//!
//! # Which lines are needed
//! - `/go.mod` of every go.mod that the module graph is read from, after replacement. With fewer,
//!   `go list -m all` fails; `go mod tidy` keeps the same.
//! - The zip of every module that go.mod lists, at the version that was selected. From go 1.17 on
//!   these are all that builds and tests need, and what `download` fetches. `go mod tidy` leaves
//!   out those from which no package is imported, which only reading the sources can tell; a line
//!   too many does no harm, one too few fails a build.
//! - Where go.mod says go 1.16 or older, and in a workspace, the zip of every module of the build
//!   list. `--scope` may say either.
//!
//! In a workspace a line counts in go.work.sum and in the go.sum of every module that is used; what
//! none of them has is written to go.work.sum.
//!
//! Lines that are there and not needed stay, as with every command of go but `tidy`.

use crate::cache::Cache;
use crate::command::project::need_project;
use crate::command::session::SessionOptions;
use crate::command::sums::save_sums;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{GraphReader, Keep, RunOptions, SumExaminer, SumLine, SumState};
use crate::gomod::{Argument, ModuleVersion};
use crate::graph::Graph;
use crate::project::{Project, ResolvedModule};
use crate::report::{Console, JsonObject};
use crate::select::{Scope, Target, Targets};
use crate::signals::Ending;
use crate::trust::SumPart;

/// Whether go.sum may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GoSumMode {
    /// Nothing is written.
    Check,
    /// go.sum is completed.
    Write,
}

/// Runs either.
///
/// # Errors
/// What ends the run before a line was examined.
pub(super) fn run(
    config: &Config,
    console: &Console,
    mode: GoSumMode,
    scope: Option<Scope>,
) -> Result<Option<Kind>> {
    if mode == GoSumMode::Write && config.download.locked.value {
        let text = "go.sum may not be written: --locked";
        let origin = &config.download.locked.origin;
        return Err(Error::new(Kind::Input, text).hint(format!("it is set {origin}")));
    }
    let cache = Cache::at(&config.gomodcache.value)?;
    let project = need_project(config, console)?;
    // What is missing has to be found out, not to be refused.
    let mut config = config.clone();
    config.download.locked.value = false;
    let session = SessionOptions::new(&config, console, cache)
        .project(Some(&project))
        .keep(match mode {
            GoSumMode::Write => Keep::All,
            _ => Keep::Nothing,
        })
        .ending(Ending::Status)
        .open()?;
    let run = session.run(RunOptions {
        switches: true,
        ..session.options()
    });
    let graph = GraphReader::new(&run).graph(&project)?;
    let mut failures: Vec<Error> = graph.error().into_iter().collect();
    let write = mode == GoSumMode::Write && failures.is_empty();
    let lines = needed(&project, &graph, scope, &mut failures);
    let states = SumExaminer::new(&run).examine(&lines, config.go_env.temp_dir())?;
    session.settle(&run);
    let mut told = SumCheckReport {
        config: &config,
        console,
        // As go: what is known of half a graph is not recorded.
        found: if write { "added" } else { "missing" },
        missing: 0,
        failures,
    };
    for (line, state) in lines.iter().zip(&states) {
        told.tell(line, state)?;
    }
    let SumCheckReport {
        missing,
        mut failures,
        ..
    } = told;
    if write {
        let kept = || {
            lines
                .iter()
                .map(|line| (line.module.clone(), line.part))
                .collect()
        };
        failures.extend(save_sums(&session, kept).err());
    }
    failures.iter().for_each(|error| console.error(error));
    let differs = (!write && missing > 0).then_some(Kind::Differs);
    let kinds = failures.iter().map(Error::kind).chain(differs);
    Ok(kinds.min_by_key(|kind| kind.rank()))
}

/// The lines that go.sum needs, in its order.
fn needed(
    project: &Project,
    graph: &Graph,
    scope: Option<Scope>,
    failures: &mut Vec<Error>,
) -> Vec<SumLine> {
    let listed = scope.map_or(project.is_pruned(), |scope| scope == Scope::Listed);
    let targets = if listed {
        Targets::listed(project, graph)
    } else {
        Targets::of(&[Argument::All], Some(project), Some(graph))
    };
    let mut lines = Vec::new();
    let mut add = |module: ModuleVersion, part| lines.push(SumLine { module, part });
    for target in targets.list {
        match target {
            Target::Module { module, .. } => add(module, SumPart::Zip),
            Target::Failed { error, .. } => failures.push(error),
            // Requirements have versions, and those of go and a toolchain no sums.
            Target::Query { .. } | Target::Tool { .. } => {}
        }
    }
    for module in graph.loaded().chain(graph.failed()) {
        if let ResolvedModule::Module(module) = project.rules().resolved(module) {
            add(module, SumPart::GoMod);
        }
    }
    lines.sort_by(|a, b| {
        let is_gomod = |line: &SumLine| line.part == SumPart::GoMod;
        let paths = a.module.path().as_str().cmp(b.module.path().as_str());
        let versions = a.module.version().cmp(b.module.version());
        paths.then(versions).then(is_gomod(a).cmp(&is_gomod(b)))
    });
    lines.dedup_by(|a, b| (&a.module, a.part) == (&b.module, b.part));
    lines
}

struct SumCheckReport<'a> {
    config: &'a Config,
    console: &'a Console,
    /// What is said of a line that was found out.
    found: &'static str,
    missing: usize,
    failures: Vec<Error>,
}

impl SumCheckReport<'_> {
    /// Prints what is to be said of a line, if anything.
    fn tell(&mut self, line: &SumLine, state: &SumState) -> Result<()> {
        let SumLine { module, part } = line;
        let key = part.version_key(module);
        let name = format!("{}@{key}", module.path());
        match state {
            SumState::Recorded => Ok(()),
            SumState::Missing(h1) => {
                self.missing += 1;
                self.print(line, self.found, &[("Sum", h1.as_str())])
            }
            SumState::Unknown { missing, error } => {
                // A failure is reported once: that of the graph may be the same.
                if !self
                    .failures
                    .iter()
                    .any(|told| told.chain() == error.chain())
                {
                    self.failures.push(error.clone());
                }
                if !missing {
                    return Ok(());
                }
                self.missing += 1;
                self.print(line, "missing", &[])
            }
            SumState::Disagrees {
                recorded,
                witness,
                says,
            } => {
                self.failures.push(
                    Error::new(
                        Kind::Security,
                        format!("{name}: go.sum does not agree with {witness}"),
                    )
                    .hint(format!("modfetch sum --explain {module}")),
                );
                let fields = [
                    ("Recorded", recorded.as_str()),
                    ("Witness", witness),
                    ("Sum", says.as_str()),
                ];
                self.print(line, "disagrees", &fields)
            }
        }
    }

    /// Prints one line of go.sum with a word before it and fields behind.
    fn print(&self, line: &SumLine, state: &str, fields: &[(&'static str, &str)]) -> Result<()> {
        let SumLine { module, part } = line;
        let key = part.version_key(module);
        let text = if self.config.json.value {
            let mut json = JsonObject::new();
            json.string("Path", module.path().as_str());
            json.string("Version", &key);
            json.string("State", state);
            for (name, value) in fields {
                json.string(name, value);
            }
            json.indented()
        } else {
            let mut text = format!("{state} {} {key}", module.path());
            for (_, value) in fields {
                text.push_str(&format!(" {value}"));
            }
            text
        };
        self.console.data(&(text + "\n"))
    }
}
