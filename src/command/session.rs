//! What a command that fetches works with, opened in one place and in one order.

use std::sync::Arc;

use super::interrupt::end_on_signal;
use super::network::{Network, live_settings};
use super::running::outside;
use crate::cache::Cache;
use crate::config::{Config, Overlay};
use crate::error::Result;
use crate::fetch::{FetchSettings, Fetcher, Keep};
use crate::gomod::{GoVersion, Running};
use crate::graph::Graph;
use crate::project::Project;
use crate::report::{Console, Live};
use crate::signals::Ending;
use crate::source::{Chain, LowerCache, Source};
use crate::trust::SumPolicy;

/// How a command works, beside the settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// `--fail-fast` counts.
    pub(super) fail_fast: bool,
    /// What is kept of what is fetched.
    pub(super) keep: Keep,
    /// How a signal ends the run; `None` leaves that to the system.
    pub(super) ending: Option<Ending>,
}

/// A cache, where to fetch from, what vouches for it, and who is told. No socket is open, and no
/// thread but the one that waits for signals runs, until something is missing.
pub(super) struct Session<'c> {
    console: &'c Console,
    /// The module cache, with the locks of this run.
    pub(super) cache: Cache,
    /// go.sum and what stands behind it.
    pub(super) sums: SumPolicy,
    /// Where modules come from.
    pub(super) source: Box<dyn Source>,
    /// What GOPROXY says of that, offline too.
    pub(super) chain: Chain,
    /// The caches that are looked into before that.
    pub(super) lower: Vec<LowerCache>,
    /// Who is told while the run goes on.
    pub(super) live: Arc<Live>,
    settings: FetchSettings,
    overlay: Overlay,
    running: Running,
}

impl<'c> Session<'c> {
    /// Opens everything for one run.
    ///
    /// # Errors
    /// A setting that makes no sense, or a go.sum that cannot be read.
    pub(super) fn open(
        config: &Config,
        console: &'c Console,
        cache: Cache,
        project: Option<&Project>,
        manner: Manner,
    ) -> Result<Session<'c>> {
        let live = Arc::new(Live::start(live_settings(config)));
        let network = Network::new(config, &live)?;
        if let Some(ending) = manner.ending {
            end_on_signal(&live, console, ending);
        }
        let running = match project.and_then(Project::running) {
            Some(running) => running.clone(),
            None => outside(config)?,
        };
        Ok(Session {
            running,
            overlay: config.overlay.clone(),
            console,
            cache: cache.with_locks(network.locks()),
            sums: network.sum_policy(config, project)?,
            source: network.source(config),
            chain: network.chain(),
            lower: network.lower(config)?,
            live,
            settings: FetchSettings {
                jobs: config.jobs.value,
                writable: config.modcacherw.value,
                fail_fast: manner.fail_fast && config.fail_fast.value,
                keep: manner.keep,
            },
        })
    }

    /// The go version that the run acts as.
    pub(super) fn running(&self) -> &Running {
        &self.running
    }

    /// An engine that remembers nothing yet.
    pub(super) fn fetcher(&self) -> Fetcher<'_> {
        let (source, watch) = (self.source.as_ref(), &*self.live);
        Fetcher::new(&self.cache, source, &self.sums, watch, self.settings)
            .with_lower(&self.lower)
            .acting_as(self.running.clone())
            .with_overlay(self.overlay.clone())
    }

    /// Takes away what is being redrawn, and tells what was odd and no failure. Told before the
    /// results, and each thing once.
    pub(super) fn settle(&self, fetcher: &Fetcher<'_>) {
        self.live.clear();
        let warnings = [self.sums.take_warnings(), fetcher.take_warnings()];
        for warning in warnings.iter().flatten() {
            self.console.line(warning);
        }
    }
}

/// The whole requirement graph, for a command that is about nothing else; with `go` by the rules of
/// that version.
///
/// # Errors
/// Those of [`Session::open`], and the failure nearest to a main module.
pub(super) fn requirement_graph(
    config: &Config,
    console: &Console,
    cache: Cache,
    project: &Project,
    go: Option<&GoVersion>,
    ending: Ending,
) -> Result<Graph> {
    let manner = Manner {
        fail_fast: false,
        keep: Keep::IfPossible,
        ending: Some(ending),
    };
    let session = Session::open(config, console, cache, Some(project), manner)?;
    let fetcher = session.fetcher();
    let graph = fetcher.requirement_graph(project, go);
    session.settle(&fetcher);
    let graph = graph?;
    // As go says it, not as a failure of what requires the module.
    if let Some(clash) = graph.clash(project.edits()) {
        return Err(clash);
    }
    graph.check()?;
    Ok(graph)
}
