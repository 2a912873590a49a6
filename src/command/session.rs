//! What a command that fetches or checks works with, opened in one place and in one order.

use std::sync::Arc;

use super::interrupt::end_on_signal;
use super::network::{Network, cached_database, progress_settings, sum_policy};
use super::running::outside;
use crate::cache::Cache;
use crate::config::Config;
use crate::error::Result;
use crate::event::EventSink;
use crate::fetch::{Engine, EngineParts, GraphReader, Keep, Run, RunOptions};
use crate::gomod::GoVersion;
use crate::graph::Graph;
use crate::project::Project;
use crate::report::{Console, ProgressReporter};
use crate::signals::Ending;
use crate::source::{Chain, Offline, Source};
use crate::trust::SumPolicy;

/// How a command works, beside the settings: with the network, keeping what it fetches, ended by a signal as the system
/// has it, unless said otherwise.
#[derive(Clone)]
pub(super) struct SessionOptions<'o> {
    config: &'o Config,
    console: &'o Console,
    cache: Cache,
    project: Option<&'o Project>,
    fail_fast: bool,
    keep: Keep,
    ending: Option<Ending>,
    offline: Option<&'static str>,
}

impl<'o> SessionOptions<'o> {
    /// Those of a command without a main module that works on this cache.
    pub(super) fn new(
        config: &'o Config,
        console: &'o Console,
        cache: Cache,
    ) -> SessionOptions<'o> {
        SessionOptions {
            config,
            console,
            cache,
            project: None,
            fail_fast: false,
            keep: Keep::All,
            ending: None,
            offline: None,
        }
    }

    /// It is about these main modules: their go.sum files count.
    pub(super) fn project(self, project: Option<&'o Project>) -> Self {
        SessionOptions { project, ..self }
    }

    /// What is kept of the small files that it fetches.
    pub(super) fn keep(self, keep: Keep) -> Self {
        SessionOptions { keep, ..self }
    }

    /// `--fail-fast` counts.
    pub(super) fn fail_fast(self) -> Self {
        SessionOptions {
            fail_fast: true,
            ..self
        }
    }

    /// A signal ends the run in this way, with a message.
    pub(super) fn ending(self, ending: Ending) -> Self {
        SessionOptions {
            ending: Some(ending),
            ..self
        }
    }

    /// It opens no socket, for this reason, and writes nothing: what is cached is all there is.
    pub(super) fn offline(self, why: &'static str) -> Self {
        SessionOptions {
            offline: Some(why),
            keep: Keep::Nothing,
            ..self
        }
    }

    /// Opens everything. No socket is open, and no thread but the one that waits for signals runs, until something is
    /// missing.
    ///
    /// # Errors
    /// A setting that makes no sense, or a go.sum that cannot be read.
    pub(super) fn open(self) -> Result<Session<'o>> {
        let SessionOptions {
            config,
            console,
            project,
            ..
        } = self;
        let progress = Arc::new(ProgressReporter::start(progress_settings(config)));
        let mut cancel = None;
        let mut is_offline = self.offline.is_some();
        let (source, chain, sums, parts): (Arc<dyn Source>, _, _, _) = match self.offline {
            Some(why) => {
                let sums = sum_policy(config, project, cached_database(config, why))?;
                let parts = (self.cache, Vec::new(), 1);
                (Arc::new(Offline(why)), None, sums, parts)
            }
            None => {
                let network = Network::new(config, &progress)?;
                cancel = network.cancel();
                is_offline = network.is_offline();
                let cache = self.cache.with_locks(network.locks());
                let sums = sum_policy(config, project, network.database(config))?;
                let parts = (
                    cache,
                    network.read_only(config)?,
                    config.transfer.jobs.value,
                );
                (network.source(config), Some(network.chain()), sums, parts)
            }
        };
        if let Some(ending) = self.ending {
            end_on_signal(&progress, console, ending);
        }
        let running = match (project.and_then(Project::running), self.offline) {
            (Some(running), _) => Some(running.clone()),
            (None, Some(_)) => None,
            (None, None) => Some(outside(config)?),
        };
        let (cache, read_only, jobs) = parts;
        let sums = Arc::new(sums);
        Ok(Session {
            console,
            options: RunOptions {
                events: Arc::clone(&progress) as Arc<dyn EventSink>,
                cancel,
                keep: self.keep,
                fail_fast: self.fail_fast && config.download.fail_fast.value,
                running,
                overlay: config.overlay.clone(),
                ..RunOptions::new(Arc::clone(&sums))
            },
            engine: Engine::new(EngineParts {
                cache,
                source,
                read_only,
                jobs,
                writable: config.modcacherw.value,
            }),
            sums,
            chain,
            progress,
            is_offline,
        })
    }
}

/// An engine, the sums that its files must have, and the sink of its events.
pub(super) struct Session<'c> {
    console: &'c Console,
    /// Cache, source and threads.
    pub(super) engine: Arc<Engine>,
    /// go.sum and what stands behind it.
    pub(super) sums: Arc<SumPolicy>,
    /// What GOPROXY says, with `--offline` too; `None` where nothing may be asked in any case.
    pub(super) chain: Option<Chain>,
    /// Receives the events of the run.
    pub(super) progress: Arc<ProgressReporter>,
    options: RunOptions,
    is_offline: bool,
}

impl Session<'_> {
    /// The module cache, with the locks of this session.
    pub(super) fn cache(&self) -> &Cache {
        self.engine.cache()
    }

    /// True if no server may be asked.
    pub(super) fn is_offline(&self) -> bool {
        self.is_offline
    }

    /// How its runs work, to be changed for one of them.
    pub(super) fn options(&self) -> RunOptions {
        self.options.clone()
    }

    /// A run that remembers nothing yet.
    pub(super) fn run(&self, options: RunOptions) -> Run {
        Run::new(&self.engine, options)
    }

    /// Takes away what is being redrawn, and prints what was odd and no failure. Printed before the
    /// results, and each thing once.
    pub(super) fn settle(&self, run: &Run) {
        self.progress.clear();
        let warnings = [self.sums.take_warnings(), run.take_warnings()];
        for warning in warnings.iter().flatten() {
            self.console.line(warning);
        }
    }
}

/// The whole requirement graph, for a command that is about nothing else; with `go` by the rules of
/// that version.
///
/// # Errors
/// Those of [`SessionOptions::open`], and the failure nearest to a main module.
pub(super) fn requirement_graph(
    config: &Config,
    console: &Console,
    cache: Cache,
    project: &Project,
    go: Option<&GoVersion>,
    ending: Ending,
) -> Result<Graph> {
    let session = SessionOptions::new(config, console, cache)
        .project(Some(project))
        .keep(Keep::IfPossible)
        .ending(ending)
        .open()?;
    let run = session.run(session.options());
    let graph = GraphReader::new(&run).requirement_graph(project, go);
    session.settle(&run);
    let graph = graph?;
    // As go says it, not as a failure of what requires the module.
    if let Some(clash) = graph.clash(project.rules()) {
        return Err(clash);
    }
    graph.check()?;
    Ok(graph)
}
