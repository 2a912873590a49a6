//! Reading the requirement graph: the cached go.mod files at once, the others many at a time.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io::ErrorKind;
use std::iter;
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::unbounded;

use super::GraphReader;
use crate::config::Overlay;
use crate::error::{Error, Kind, Result, Subject};
use crate::event::Event;
use crate::fetch::threads::on_two;
use crate::fsio::{clean_path, read_whole};
use crate::gomod::{GoVersion, ModulePath, ModuleVersion};
use crate::graph::{Graph, Loader, WantedGoMod, minimal_roots};
use crate::project::{GraphSummary, MissingReplace, Node, PRUNING_GO, Project, ResolvedModule};
use crate::trust::SumPart;

impl GraphReader<'_> {
    /// Loads the graph of `project`, as far as pruning says. A failure is in the graph
    /// ([`Graph::error`]); what could be read is there all the same.
    ///
    /// # Errors
    /// [`Kind::Other`] if no thread can be started.
    pub fn graph(self, project: &Project) -> Result<Graph> {
        let pruned = project.is_pruned();
        let (path, rules) = (project.path(), project.rules());
        if let Some(mode) = &self.run.readonly {
            let mut loader = Loader::new(path, rules, pruned, project.readonly_roots());
            self.drive(&mut loader)?;
            let graph = loader.finish();
            // Where the graph is pruned, go knows without it that the main module stays.
            let counts = |root: &Node| !pruned || root.path() != path;
            let settled = graph.error().is_some() || graph.selects_roots(counts);
            return Ok(match settled {
                true => graph,
                false => graph.superseded_by_error(mode.outdated()),
            });
        }
        let mut loader = Loader::of(project, false);
        if project.is_pruned() {
            return self.settled(&mut loader, project);
        }
        self.drive(&mut loader)?;
        Ok(loader.finish())
    }

    /// Loads the graph that `go mod graph` prints: with the roots that go would write to go.mod,
    /// or, where `go` names a version, as that one would read the roots that are there.
    ///
    /// # Errors
    /// As [`GraphReader::graph`]; [`Kind::Input`] if that version is older than go.mod allows.
    ///
    /// Source: golang/go `cmd/go/internal/modload/buildlist.go`, `LoadModGraph`.
    pub fn requirement_graph(self, project: &Project, go: Option<&GoVersion>) -> Result<Graph> {
        let pruned = project.is_pruned();
        let mut roots = project.roots();
        let mut loader = Loader::of(project, false);
        let Some(go) = go else {
            return self.settled(&mut loader, project);
        };
        if project.has_redundant_roots() {
            let graph = self.settled(&mut loader, project)?;
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
        let may_prune = go.at_least(PRUNING_GO);
        if project.workspace().is_some() {
            // Where the graph shall be whole, go panics.
            loader = Loader::of(project, !may_prune);
        } else {
            loader.restart(pruned && may_prune, roots);
        }
        self.drive(&mut loader)?;
        Ok(loader.finish())
    }

    /// Loads the graph, and again from other roots if it does not select those it began with.
    fn settled(self, loader: &mut Loader<'_>, project: &Project) -> Result<Graph> {
        let pruned = project.is_pruned();
        let mut first: Option<Graph> = None;
        loop {
            self.drive(loader)?;
            let graph = loader.finish();
            if let Some(error) = graph.error() {
                return Ok(first.map_or(graph, |first| first.superseded_by_error(error)));
            }
            match graph.raised_roots() {
                Some(raised) if pruned => {
                    loader.restart(true, raised);
                    first.get_or_insert(graph);
                }
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
    pub(in crate::fetch) fn drive(self, loader: &mut Loader<'_>) -> Result<()> {
        self.drive_once(loader)?;
        while loader.advance() {
            self.drive_once(loader)?;
        }
        Ok(())
    }

    fn drive_once(self, loader: &mut Loader<'_>) -> Result<()> {
        let mut missing = Vec::new();
        self.serve_from_cache(loader, |wanted| missing.push(wanted));
        if missing.is_empty() {
            return Ok(());
        }
        let pool = self.run.engine.pools.transfer()?;
        let (summaries_in, summaries) = unbounded();
        pool.in_place_scope(|scope| {
            // One replacement may stand in for several versions; it is fetched once.
            let mut outstanding: HashMap<ResolvedModule, Vec<WantedGoMod>> = HashMap::new();
            let fetch = |outstanding: &mut HashMap<ResolvedModule, Vec<WantedGoMod>>,
                         wanted: WantedGoMod| {
                let resolved = wanted.resolved.clone();
                let same = outstanding.entry(resolved.clone()).or_default();
                same.push(wanted);
                if same.len() > 1 {
                    return;
                }
                let summaries = summaries_in.clone();
                scope.spawn(move |_| {
                    let summary = self.fetch_summary(&resolved);
                    // The receiver outlives the scope.
                    let _ = summaries.send((resolved, summary));
                });
            };
            // Only as many as keep the threads busy: what is begun ahead waits in the same queue, and is served in
            // proportion. With half as many of those, two cores have work from the first answers on.
            let at_once = pool.current_num_threads().max(1);
            let mut waiting = VecDeque::from(missing);
            loop {
                while outstanding.len() < at_once
                    && let Some(wanted) = waiting.pop_front()
                {
                    fetch(&mut outstanding, wanted);
                }
                if outstanding.is_empty() {
                    return;
                }
                let Ok((resolved, summary)) = summaries.recv() else {
                    return;
                };
                self.run.say(&Event::GoModFetched);
                for wanted in outstanding.remove(&resolved).into_iter().flatten() {
                    let summary = self.named(&wanted, summary.clone());
                    loader.provide(&wanted, summary);
                }
                self.serve_from_cache(loader, |wanted| waiting.push_back(wanted));
            }
        });
        Ok(())
    }

    /// Provides what needs no request; hands on the rest.
    fn serve_from_cache(self, loader: &mut Loader<'_>, mut missing: impl FnMut(WantedGoMod)) {
        loop {
            let wave: Vec<WantedGoMod> = iter::from_fn(|| loader.next_wanted()).collect();
            if wave.is_empty() {
                return;
            }
            self.run.expect_gomods(wave.len());
            let found = on_two(&wave, |wanted| match &wanted.resolved {
                ResolvedModule::Directory { path, go_mod, .. }
                    if self.may_miss(wanted, path, go_mod) =>
                {
                    Some(GraphSummary::parse("go.mod", b"").map(Arc::new))
                }
                ResolvedModule::Directory { .. } => Some(self.fetch_summary(&wanted.resolved)),
                ResolvedModule::Module(resolved) if self.run.readonly.is_some() => {
                    match self.run.sums.records(resolved, SumPart::GoMod) {
                        true => self.cached_summary(resolved).transpose(),
                        false => Some(Err(no_sum(resolved, wanted.module.path()))),
                    }
                }
                ResolvedModule::Module(resolved) => self.cached_summary(resolved).transpose(),
            });
            for (wanted, found) in wave.into_iter().zip(found) {
                match found {
                    Some(summary) => {
                        loader.provide(&wanted, self.named(&wanted, summary));
                    }
                    None => missing(wanted),
                }
            }
        }
    }

    /// True if a local replacement is missing, and may be: it then counts as a module that requires
    /// nothing.
    fn may_miss(self, wanted: &WantedGoMod, path: &Path, go_mod: &str) -> bool {
        if self.run.missing_replace == MissingReplace::Error {
            return false;
        }
        let file = clean_path(&path.join("go.mod").to_string_lossy());
        let missing = match self.run.overlay.replaces(Path::new(&file)) {
            true => !self.run.overlay.is_file(Path::new(&file)),
            false => fs::metadata(&file).is_err_and(|cause| {
                matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
            }),
        };
        if missing && self.run.missing_replace == MissingReplace::Warn {
            let (module, directory) = (&wanted.module, wanted.resolved.describe());
            let text = format!(
                "warning: {module} is replaced by {directory}, and {go_mod} is missing: what it \
                 requires is left out"
            );
            self.run.warn(text);
        }
        missing
    }

    /// Names the failure, which may be that the module needs a newer go.
    fn named(
        self,
        wanted: &WantedGoMod,
        summary: Result<Arc<GraphSummary>>,
    ) -> Result<Arc<GraphSummary>> {
        let summary = summary.map_err(|error| name_failure(wanted, error))?;
        let needed = summary.go().zip(self.run.running.as_ref());
        if let Some((go, running)) = needed.filter(|(go, running)| running.refuses(go)) {
            let what = format!("module {}", wanted.resolved.describe());
            let checked = running.check(&what, go);
            checked.map_err(|error| error.about(&wanted.module))?;
        }
        Ok(summary)
    }

    fn cached_summary(self, module: &ModuleVersion) -> Result<Option<Arc<GraphSummary>>> {
        let entry = self.run.cache.entry(module)?;
        if self.run.sums.must_ask(module, SumPart::GoMod) {
            // Lines are verified later, many at a time, where waiting blocks no other work.
            return Ok(None);
        }
        let Some(gomod) = self.run.files().cached_gomod(&entry)? else {
            return Ok(None);
        };
        summary_of(module, &gomod.data).map(Some)
    }

    fn fetch_summary(self, resolved: &ResolvedModule) -> Result<Arc<GraphSummary>> {
        let data = self.gomod_of(resolved)?;
        match resolved {
            ResolvedModule::Directory { path, go_mod, .. } => {
                replacement_summary(path, go_mod, &data)
            }
            ResolvedModule::Module(module) => summary_of(module, &data),
        }
    }

    /// The go.mod of what stands in for a module version.
    pub(in crate::fetch) fn gomod_of(self, resolved: &ResolvedModule) -> Result<Vec<u8>> {
        match resolved {
            ResolvedModule::Directory { path, go_mod, .. } => {
                read_replacement(path, go_mod, &self.run.overlay)
            }
            ResolvedModule::Module(module) => {
                Ok(self.run.files().gomod(&self.run.cache.entry(module)?)?.data)
            }
        }
    }
}

fn summary_of(module: &ModuleVersion, data: &[u8]) -> Result<Arc<GraphSummary>> {
    let summary = GraphSummary::parse("go.mod", data);
    summary.map(Arc::new).map_err(|error| error.about(module))
}

/// Understands the go.mod below a directory; `shown` is its name. As in go, what is wrong within it
/// stands behind its whole path.
fn replacement_summary(path: &Path, shown: &str, data: &[u8]) -> Result<Arc<GraphSummary>> {
    let file = clean_path(&path.join("go.mod").to_string_lossy());
    GraphSummary::parse_named(shown, &file, data).map(Arc::new)
}

/// go.sum does not know the go.mod that stands in for a version of `required`.
fn no_sum(resolved: &ModuleVersion, required: &ModulePath) -> Error {
    let text =
        format!("missing go.sum entry for go.mod file; to add it:\n\tgo mod download {required}");
    Error::new(Kind::Input, text).about(resolved)
}

/// Reads the go.mod below a directory; `shown` is its name.
fn read_replacement(path: &Path, shown: &str, overlay: &Overlay) -> Result<Vec<u8>> {
    let file = clean_path(&path.join("go.mod").to_string_lossy());
    let path = Path::new(&file);
    overlay.read(path, read_whole).map_err(|cause| {
        let opened = overlay.name_of(path, &file);
        let opening = Error::new(Kind::LocalIo, format!("open {opened}")).because(cause);
        opening.context(format!("reading {shown}")).hint(
            "the directory that replaces the module must be there, its go.mod at least: \
                 'modfetch plan -files' names them all",
        )
    })
}

/// Says what is replaced where the failure is that of a replacement. Every other failure names
/// its module already.
fn name_failure(wanted: &WantedGoMod, error: Error) -> Error {
    let (module, resolved) = (&wanted.module, wanted.resolved.describe());
    if wanted.resolved == ResolvedModule::Module(module.clone()) || error.kind() == Kind::Security {
        return error;
    }
    // go's form, in which the replacement is named once, in brackets.
    let of_replacement = |subject: &Subject| subject.to_string() == resolved;
    let cause = match error.subject().is_some_and(of_replacement) {
        true => error.without_subject(),
        false => error,
    };
    cause.context(format!("{module} (replaced by {resolved})"))
}
