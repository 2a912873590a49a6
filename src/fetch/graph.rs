//! Reading the requirement graph: the cached go.mod files at once, the others many at a time.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::iter;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::unbounded;

use super::Fetcher;
use super::conductor::Ahead;
use super::pools::on_two;
use crate::config::clean_path;
use crate::error::{Error, Kind, Result};
use crate::modset::{Actual, Graph, Loader, Node, Project, Summary, Wanted, minimal_roots};
use crate::module::{GoVersion, ModuleVersion};
use crate::trust::Part;

impl<'a> Fetcher<'a> {
    /// Loads the graph of `project`, as far as pruning says. A failure is in the graph
    /// ([`Graph::error`]); what could be read is there all the same.
    ///
    /// # Errors
    /// [`Kind::Other`] if no thread can be started.
    pub fn graph(&self, project: &Project) -> Result<Graph> {
        let pruned = project.is_pruned();
        let roots = project.roots();
        let mut loader = Loader::new(project.path(), project.edits(), pruned, roots);
        if pruned {
            return self.settled(&mut loader, Vec::new(), project);
        }
        self.drive(&mut loader)?;
        Ok(loader.finish())
    }

    /// As [`Fetcher::graph`], and hands the graph to `then`. While go.mod files are waited for, a
    /// download of what go.mod lists is begun, to be gone on with by [`Fetcher::download_with`].
    ///
    /// # Errors
    /// As [`Fetcher::graph`].
    pub fn graph_ahead<T>(
        &self,
        project: &Project,
        then: impl FnOnce(Graph, Ahead<'_, 'a>) -> T,
    ) -> Result<T> {
        let pruned = project.is_pruned();
        let roots = project.roots();
        let mut loader = Loader::new(project.path(), project.edits(), pruned, roots);
        let missing = self.serve(&mut loader);
        thread::scope(|scope| {
            let likely = match missing.is_empty() || !pruned {
                true => Vec::new(),
                false => self.likely(project),
            };
            let ahead = self.begin(scope, &likely);
            let graph = match pruned {
                true => self.settled(&mut loader, missing, project)?,
                false => {
                    self.fetch(&mut loader, missing)?;
                    loader.finish()
                }
            };
            Ok(then(graph, ahead))
        })
    }

    /// Loads the graph that `go mod graph` prints: with the roots that go would write to go.mod,
    /// or, where `go` names a version, as that one would read the roots that are there.
    ///
    /// # Errors
    /// As [`Fetcher::graph`]; [`Kind::Input`] if that version is older than go.mod allows.
    ///
    /// Source: golang/go `cmd/go/internal/modload/buildlist.go`, `LoadModGraph`.
    pub fn requirement_graph(&self, project: &Project, go: Option<&GoVersion>) -> Result<Graph> {
        let pruned = project.is_pruned();
        let mut roots = project.roots();
        let (path, edits) = (project.path(), project.edits());
        let mut loader = Loader::new(path, edits, pruned, roots.clone());
        let Some(go) = go else {
            return self.settled(&mut loader, Vec::new(), project);
        };
        if project.has_redundant_roots() {
            let graph = self.settled(&mut loader, Vec::new(), project)?;
            if graph.error().is_some() {
                return Ok(graph);
            }
            roots = graph.roots().to_vec();
        }
        let needed = roots.iter().find_map(Node::go);
        if let Some(needed) = needed.and_then(|text| GoVersion::parse(&text))
            && needed.at_least(Node::STRICT_GO)
            && *go < needed
        {
            let text = format!(
                "requested Go version {go} cannot load module graph (requires Go >= {needed})"
            );
            return Err(Error::new(Kind::Input, text));
        }
        loader.restart(pruned && go.at_least(Project::PRUNING_GO), roots);
        self.drive(&mut loader)?;
        Ok(loader.finish())
    }

    /// Loads the graph, and again from other roots if it does not select those it began with.
    /// `missing` was asked for already.
    fn settled(
        &self,
        loader: &mut Loader<'_>,
        missing: Vec<Wanted>,
        project: &Project,
    ) -> Result<Graph> {
        let pruned = project.is_pruned();
        self.fetch(loader, missing)?;
        loop {
            self.drive(loader)?;
            let graph = loader.finish();
            match graph.raised_roots() {
                Some(_) if graph.error().is_some() => return Ok(graph),
                Some(raised) if pruned => loader.restart(true, raised),
                Some(_) => {
                    loader.restart(false, minimal_roots(&graph, &project.direct()));
                    self.drive(loader)?;
                    return Ok(loader.finish());
                }
                None => return Ok(graph),
            }
        }
    }

    /// Tells the loader every go.mod it wants, until it wants none.
    fn drive(&self, loader: &mut Loader<'_>) -> Result<()> {
        let missing = self.serve(loader);
        self.fetch(loader, missing)
    }

    /// Tells the loader what needs no request; returns what does.
    fn serve(&self, loader: &mut Loader<'_>) -> Vec<Wanted> {
        let mut missing = Vec::new();
        self.serve_from_cache(loader, |wanted| missing.push(wanted));
        missing
    }

    /// Fetches these for the loader, and what it wants then, until it wants none.
    fn fetch(&self, loader: &mut Loader<'_>, missing: Vec<Wanted>) -> Result<()> {
        if missing.is_empty() {
            return Ok(());
        }
        let pool = self.pools.transfer()?;
        let (summaries_in, summaries) = unbounded();
        pool.in_place_scope(|scope| {
            // One replacement may stand in for several versions; it is fetched once.
            let mut outstanding: HashMap<Actual, Vec<Wanted>> = HashMap::new();
            let fetch = |outstanding: &mut HashMap<Actual, Vec<Wanted>>, wanted: Wanted| {
                let actual = wanted.actual.clone();
                let same = outstanding.entry(actual.clone()).or_default();
                same.push(wanted);
                if same.len() > 1 {
                    return;
                }
                let summaries = summaries_in.clone();
                scope.spawn(move |_| {
                    let summary = self.fetch_summary(&actual);
                    // The receiver outlives the scope.
                    let _ = summaries.send((actual, summary));
                });
            };
            // Only as many as keep the threads busy: what is begun ahead waits in the same queue.
            let at_once = pool.current_num_threads().saturating_mul(3) / 2;
            let mut waiting = VecDeque::from(missing);
            loop {
                while outstanding.len() < at_once.max(1)
                    && let Some(wanted) = waiting.pop_front()
                {
                    fetch(&mut outstanding, wanted);
                }
                if outstanding.is_empty() {
                    return;
                }
                let Ok((actual, summary)) = summaries.recv() else {
                    return;
                };
                self.watch.graph_grew();
                for wanted in outstanding.remove(&actual).into_iter().flatten() {
                    let summary = summary
                        .clone()
                        .map_err(|error| name_failure(&wanted, error));
                    loader.provide(&wanted, summary);
                }
                self.serve_from_cache(loader, |wanted| waiting.push_back(wanted));
            }
        });
        Ok(())
    }

    /// Provides what needs no request; hands on the rest.
    fn serve_from_cache(&self, loader: &mut Loader<'_>, mut missing: impl FnMut(Wanted)) {
        loop {
            let wave: Vec<Wanted> = iter::from_fn(|| loader.next_wanted()).collect();
            if wave.is_empty() {
                return;
            }
            let found = on_two(&wave, |wanted| match &wanted.actual {
                Actual::Directory { .. } => Some(self.fetch_summary(&wanted.actual)),
                Actual::Module(actual) => self.cached_summary(actual).transpose(),
            });
            for (wanted, found) in wave.into_iter().zip(found) {
                match found {
                    Some(summary) => {
                        let summary = summary.map_err(|error| name_failure(&wanted, error));
                        loader.provide(&wanted, summary);
                    }
                    None => missing(wanted),
                }
            }
        }
    }

    fn cached_summary(&self, module: &ModuleVersion) -> Result<Option<Arc<Summary>>> {
        let entry = self.cache.entry(module)?;
        if self.sums.must_ask(module, Part::GoMod) {
            // Where waiting costs nobody anything, many at a time.
            return Ok(None);
        }
        let Some(gomod) = self.cached_gomod(&entry)? else {
            return Ok(None);
        };
        summary_of(module, &gomod.data).map(Some)
    }

    fn fetch_summary(&self, actual: &Actual) -> Result<Arc<Summary>> {
        let data = self.gomod_of(actual)?;
        match actual {
            Actual::Directory { written, .. } => {
                Summary::parse(&replacement_name(written), &data).map(Arc::new)
            }
            Actual::Module(module) => summary_of(module, &data),
        }
    }

    /// The go.mod of what stands in for a module version.
    pub(super) fn gomod_of(&self, actual: &Actual) -> Result<Vec<u8>> {
        match actual {
            Actual::Directory { written, path } => read_replacement(written, path),
            Actual::Module(module) => Ok(self.gomod(&self.cache.entry(module)?)?.data),
        }
    }
}

fn summary_of(module: &ModuleVersion, data: &[u8]) -> Result<Arc<Summary>> {
    let summary = Summary::parse("go.mod", data);
    summary
        .map(Arc::new)
        .map_err(|error| error.context(module.to_string()))
}

/// The go.mod of a replacement, as messages name it.
fn replacement_name(written: &str) -> String {
    clean_path(&format!("{written}/go.mod"))
}

fn read_replacement(written: &str, path: &Path) -> Result<Vec<u8>> {
    let file = clean_path(&path.join("go.mod").to_string_lossy());
    fs::read(&file).map_err(|cause| {
        let opening = Error::new(Kind::LocalIo, format!("open {file}")).because(cause);
        opening
            .context(format!("reading {}", replacement_name(written)))
            .hint("the directory that replaces the module must be there, its go.mod at least")
    })
}

/// Says what is replaced where the failure is that of a replacement. Every other failure names
/// its module already.
fn name_failure(wanted: &Wanted, error: Error) -> Error {
    let (module, actual) = (&wanted.module, wanted.actual.describe());
    if wanted.actual == Actual::Module(module.clone()) || error.kind() == Kind::Security {
        return error;
    }
    // go's form, in which the replacement is named once, in brackets.
    let text = error.chain();
    let cause = text.strip_prefix(&format!("{actual}: ")).unwrap_or(&text);
    let named = format!("{module} (replaced by {actual}): {cause}");
    let hints = error.hints().iter().cloned();
    hints.fold(Error::new(error.kind(), named), Error::hint)
}
