//! The walk through the requirement graph; its caller fetches the go.mod files.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::loaded::{Graph, GraphStart};
use super::workspaces::WorkspaceMains;
use crate::error::{Error, Kind, Result};
use crate::gomod::ModuleVersion;
use crate::map::{Map, Seed};
use crate::project::{GraphSummary, Node, Project, ReplaceRules, ResolvedModule};

/// A go.mod that the walk needs.
#[derive(Clone, Debug)]
pub struct WantedGoMod {
    /// The module version in the graph.
    pub module: ModuleVersion,
    /// Where its go.mod comes from.
    pub resolved: ResolvedModule,
}

/// How far the walk goes below a module that was reached this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pruning {
    /// Only into requirements of modules that are not pruned themselves.
    Pruned,
    /// Into everything.
    Unpruned,
    /// Into its requirements, and from there as below a module that was reached so.
    Workspace,
}

/// A module that was reached. One look-up finds all there is to know: a graph has many more
/// requirements than modules.
#[derive(Debug)]
struct VisitedModule {
    pruned: bool,
    whole: bool,
    workspace: bool,
    progress: LoadProgress,
}

#[derive(Debug)]
enum LoadProgress {
    /// Its go.mod is on its way: how to go on when it comes.
    Waiting(Vec<Pruning>),
    Loaded(Arc<GraphSummary>),
    Failed(Error),
}

impl VisitedModule {
    /// True for the first time that it is reached in this way.
    fn is_new(&mut self, reach: Pruning) -> bool {
        let seen = match reach {
            Pruning::Pruned => &mut self.pruned,
            Pruning::Unpruned => &mut self.whole,
            Pruning::Workspace => &mut self.workspace,
        };
        !std::mem::replace(seen, true)
    }

    fn is_reached(&self) -> bool {
        self.pruned || self.whole || self.workspace
    }
}

/// The walk. Ask [`Loader::next_wanted`] until it is dry, [`Loader::provide`] each, and ask
/// again; when nothing is wanted and nothing outstanding, ask [`Loader::advance`], and if it does
/// not, [`Loader::finish`].
#[derive(Debug)]
pub struct Loader<'a> {
    main: &'a str,
    rules: &'a ReplaceRules,
    roots: Vec<Node>,
    /// In a workspace.
    mains: Option<WorkspaceMains>,
    /// The go versions that were walked into beside those of modules.
    walked: HashSet<String>,
    places: Map<ModuleVersion, VisitedModule>,
    queue: VecDeque<WantedGoMod>,
}

impl<'a> Loader<'a> {
    /// Starts at the requirements of the main module `main`, whose graph is pruned or whole.
    #[must_use]
    pub fn new(
        main: &'a str,
        rules: &'a ReplaceRules,
        pruned: bool,
        roots: Vec<Node>,
    ) -> Loader<'a> {
        let mut loader = Loader {
            main,
            rules,
            roots: Vec::new(),
            mains: None,
            walked: HashSet::new(),
            // The graph has about twice as many as go.mod lists.
            places: Map::with_capacity_and_hasher(2 * roots.len(), Seed::default()),
            queue: VecDeque::new(),
        };
        loader.start(pruned, roots);
        loader
    }

    /// Starts at the main modules of a project; `whole` if nothing shall be pruned, whatever they
    /// say.
    #[must_use]
    pub fn of(project: &'a Project, whole: bool) -> Loader<'a> {
        let (rules, roots) = (project.rules(), project.roots());
        if project.workspace().is_none() {
            return Loader::new(project.path(), rules, !whole && project.is_pruned(), roots);
        }
        let requires = project.summaries();
        let mut loader = Loader::new(project.path(), rules, false, roots);
        for (_, summary) in &requires {
            let reach = if whole {
                Pruning::Unpruned
            } else {
                Pruning::Workspace
            };
            loader.follow(Arc::clone(summary), reach);
            loader
                .walked
                .extend(summary.go.as_ref().map(ToString::to_string));
        }
        let followed = if whole { &[][..] } else { &loader.roots };
        loader.mains = Some(WorkspaceMains::new(requires, followed));
        loader
    }

    /// Goes on below what has been selected, in a workspace; false if there is nothing to go on
    /// with. To be asked when nothing is outstanding.
    pub fn advance(&mut self) -> bool {
        while self.queue.is_empty() {
            if self.mains.is_none() {
                return false;
            }
            let graph = self.finish();
            let Some(mains) = &mut self.mains else {
                return false;
            };
            let next = mains.next(&graph);
            if next.is_empty() {
                return false;
            }
            for node in next {
                match node {
                    Node::Module(module) => self.reach(&module, Pruning::Workspace),
                    Node::Go(go) => drop(self.walked.insert(go)),
                    Node::Main(_) | Node::Toolchain(_) => {}
                }
            }
        }
        true
    }

    /// Starts over from other roots, keeping the go.mod files read so far.
    pub fn restart(&mut self, pruned: bool, roots: Vec<Node>) {
        for place in self.places.values_mut() {
            (place.pruned, place.whole, place.workspace) = (false, false, false);
        }
        self.start(pruned, roots);
    }

    fn start(&mut self, pruned: bool, roots: Vec<Node>) {
        let reach = if pruned {
            Pruning::Pruned
        } else {
            Pruning::Unpruned
        };
        for root in roots.iter().filter_map(Node::module) {
            self.reach(root, reach);
        }
        self.roots = roots;
    }

    /// The next go.mod to fetch; each is asked for once.
    pub fn next_wanted(&mut self) -> Option<WantedGoMod> {
        self.queue.pop_front()
    }

    /// Tells the walk a go.mod that it asked for, or why there is none.
    pub fn provide(&mut self, wanted: &WantedGoMod, summary: Result<Arc<GraphSummary>>) {
        let module = &wanted.module;
        let progress = match summary.and_then(|summary| self.accept(wanted, summary)) {
            Ok(summary) => LoadProgress::Loaded(summary),
            Err(error) => LoadProgress::Failed(error),
        };
        let Some(place) = self.places.get_mut(module) else {
            return;
        };
        if let LoadProgress::Waiting(reaches) = std::mem::replace(&mut place.progress, progress)
            && let LoadProgress::Loaded(summary) = &place.progress
        {
            let summary = Arc::clone(summary);
            for reach in reaches {
                self.follow(Arc::clone(&summary), reach);
            }
        }
    }

    /// Checks that a go.mod belongs to the module, and takes out what the main module excludes.
    fn accept(
        &self,
        wanted: &WantedGoMod,
        summary: Arc<GraphSummary>,
    ) -> Result<Arc<GraphSummary>> {
        if let ResolvedModule::Module(resolved) = &wanted.resolved {
            let required = wanted.module.path();
            let fail = |text: String| {
                let subject = if *resolved == wanted.module {
                    resolved.to_string()
                } else {
                    format!("{} (replaced by {resolved})", wanted.module)
                };
                Err(Error::new(
                    Kind::Input,
                    format!("{subject}: parsing go.mod:{text}"),
                ))
            };
            match summary.module.as_deref() {
                None => return fail(" missing module line".into()),
                Some(declared)
                    if declared != required.as_str() && declared != resolved.path().as_str() =>
                {
                    return fail(format!(
                        "\n\tmodule declares its path as: {declared}\n\
                         \t        but was required as: {required}"
                    ));
                }
                Some(_) => {}
            }
        }
        if summary
            .require
            .iter()
            .any(|module| self.rules.excludes(module))
        {
            let mut edited = GraphSummary::clone(&summary);
            edited.require.retain(|module| !self.rules.excludes(module));
            return Ok(Arc::new(edited));
        }
        Ok(summary)
    }

    fn reach(&mut self, module: &ModuleVersion, reach: Pruning) {
        if let Some(summary) = self.arrive(module, reach) {
            self.follow(summary, reach);
        }
    }

    /// Marks a module as reached in this way; its go.mod, if that is read and the walk is to go
    /// on below it.
    fn arrive(&mut self, module: &ModuleVersion, reach: Pruning) -> Option<Arc<GraphSummary>> {
        if let Some(place) = self.places.get_mut(module) {
            if !place.is_new(reach) {
                return None;
            }
            return match &mut place.progress {
                LoadProgress::Loaded(summary) => Some(Arc::clone(summary)),
                LoadProgress::Waiting(reaches) => {
                    reaches.push(reach);
                    None
                }
                LoadProgress::Failed(_) => None,
            };
        }
        let clash = self.rules.clash(module);
        let clashes = clash.is_some();
        let progress = match clash {
            Some(error) => LoadProgress::Failed(error),
            None => LoadProgress::Waiting(vec![reach]),
        };
        let place = VisitedModule {
            pruned: reach == Pruning::Pruned,
            whole: reach == Pruning::Unpruned,
            workspace: reach == Pruning::Workspace,
            progress,
        };
        self.places.insert(module.clone(), place);
        if clashes {
            return None;
        }
        let resolved = self.rules.resolved(module);
        self.queue.push_back(WantedGoMod {
            module: module.clone(),
            resolved,
        });
        None
    }

    /// Goes on below a module that was read.
    fn follow(&mut self, summary: Arc<GraphSummary>, reach: Pruning) {
        // A list of its own instead of recursion: a chain of requirements may be long.
        let mut todo = vec![(summary, reach)];
        while let Some((summary, reach)) = todo.pop() {
            let below = match (reach, summary.pruned) {
                (Pruning::Pruned, true) => continue,
                (Pruning::Workspace, true) => Pruning::Pruned,
                (Pruning::Pruned | Pruning::Workspace, false) | (Pruning::Unpruned, _) => {
                    Pruning::Unpruned
                }
            };
            for required in &summary.require {
                let arrived = self.arrive(required, below);
                todo.extend(arrived.map(|summary| (summary, below)));
            }
        }
    }

    /// The graph of all that was read from the roots on.
    #[must_use]
    pub fn finish(&self) -> Graph {
        let mut requires = Map::with_capacity_and_hasher(self.places.len(), Seed::default());
        let mut failed = HashMap::new();
        // A go version is walked into where a module version would be.
        let mut walked = self.walked.clone();
        walked.extend(self.roots.iter().filter_map(Node::go));
        for (module, place) in self.places.iter().filter(|(_, place)| place.is_reached()) {
            match &place.progress {
                LoadProgress::Loaded(summary) => {
                    if let (true, Some(go)) = (place.whole || place.workspace, &summary.go) {
                        walked.insert(go.to_string());
                    }
                    requires.insert(module.clone(), Arc::clone(summary));
                }
                LoadProgress::Failed(error) => {
                    failed.insert(module.clone(), error.clone());
                }
                LoadProgress::Waiting(_) => {}
            }
        }
        let roots = self.roots.clone();
        let mains = match &self.mains {
            Some(mains) => GraphStart::Workspace {
                roots,
                mains: mains.requires.iter().cloned().collect(),
            },
            None => GraphStart::Main {
                path: self.main.to_owned(),
                roots,
            },
        };
        Graph::new(mains, requires, walked, failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gomod::modfile::ModFile;
    use crate::graph::testing::provide;
    use crate::project::go_line::is_pruned;
    use std::path::Path;

    fn module(text: &str) -> ModuleVersion {
        let (path, version) = text.split_once('@').unwrap();
        ModuleVersion::parse(path, version).unwrap()
    }

    /// Runs a walk over go.mod texts; returns what was asked for, in order, and the graph.
    fn walk(go_mod: &str, universe: &[(&str, &str)]) -> (Vec<String>, Graph) {
        let main = ModFile::parse("go.mod", go_mod.as_bytes()).unwrap();
        let rules = ReplaceRules::of(&main, Path::new("/p"), Path::new("/p")).unwrap();
        let roots = main
            .require
            .iter()
            .map(|line| Node::Module(line.module.clone()))
            .collect();
        let pruned = is_pruned(main.go.as_ref().map(|line| &line.version));
        let mut loader = Loader::new("main.com/m", &rules, pruned, roots);
        let asked = provide(&mut loader, |wanted| {
            let name = wanted.resolved.describe();
            let found = universe.iter().find(|(module, _)| *module == name);
            found.map(|(_, text)| (*text).to_owned())
        });
        (asked, loader.finish())
    }

    fn list(graph: &Graph) -> String {
        graph
            .build_list()
            .map(|module| module.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn pruning_ends_the_walk_below_pruned_modules_only() {
        let universe = [
            (
                "a.com/a@v1.0.0",
                "module a.com/a\ngo 1.17\nrequire b.com/b v1.0.0\n",
            ),
            (
                "b.com/b@v1.0.0",
                "module b.com/b\ngo 1.17\nrequire c.com/c v1.0.0\n",
            ),
            ("c.com/c@v1.0.0", "module c.com/c\n"),
            (
                "old.com/o@v1.0.0",
                "module old.com/o\ngo 1.16\nrequire b.com/b v1.1.0\n",
            ),
            (
                "b.com/b@v1.1.0",
                "module b.com/b\ngo 1.17\nrequire d.com/d v1.0.0\n",
            ),
            ("d.com/d@v1.0.0", "module d.com/d\ngo 1.17\n"),
        ];
        let (asked, graph) = walk(
            "module main.com/m\ngo 1.17\nrequire a.com/a v1.0.0\n",
            &universe,
        );
        assert_eq!(asked, ["a.com/a@v1.0.0"]);
        assert_eq!(list(&graph), "a.com/a@v1.0.0 b.com/b@v1.0.0");
        // The same graph from a main module that is not pruned.
        let (_, graph) = walk(
            "module main.com/m\ngo 1.16\nrequire a.com/a v1.0.0\n",
            &universe,
        );
        assert_eq!(list(&graph), "a.com/a@v1.0.0 b.com/b@v1.0.0 c.com/c@v1.0.0");
        // Below a module that is not pruned, pruned ones are walked through as well.
        let (asked, _) = walk(
            "module main.com/m\ngo 1.17\nrequire old.com/o v1.0.0\n",
            &universe,
        );
        assert_eq!(
            asked,
            ["old.com/o@v1.0.0", "b.com/b@v1.1.0", "d.com/d@v1.0.0"]
        );
    }

    #[test]
    fn a_module_reached_both_ways_is_read_once_and_walked_whole() {
        let universe = [
            (
                "a.com/a@v1.0.0",
                "module a.com/a\ngo 1.17\nrequire b.com/b v1.0.0\n",
            ),
            ("b.com/b@v1.0.0", "module b.com/b\n"),
            (
                "old.com/o@v1.0.0",
                "module old.com/o\nrequire a.com/a v1.0.0\n",
            ),
        ];
        let go_mod = "module main.com/m\ngo 1.17\nrequire (\na.com/a v1.0.0\nold.com/o v1.0.0\n)\n";
        let (asked, _) = walk(go_mod, &universe);
        assert_eq!(
            asked,
            ["a.com/a@v1.0.0", "old.com/o@v1.0.0", "b.com/b@v1.0.0"]
        );
    }

    #[test]
    fn replace_and_exclude_edit_the_graph() {
        let universe = [
            (
                "a.com/a@v1.0.0",
                "module a.com/a\nrequire (\nb.com/b v1.0.0\nb.com/b v1.5.0\n)\n",
            ),
            (
                "fork.com/b@v0.1.0",
                "module b.com/b\nrequire c.com/c v1.0.0\n",
            ),
            ("../c", "module whatever\n"),
        ];
        let (asked, graph) = walk(
            "module main.com/m\nrequire a.com/a v1.0.0\nexclude b.com/b v1.5.0\n\
             replace b.com/b => fork.com/b v0.1.0\nreplace c.com/c v1.0.0 => ../c\n",
            &universe,
        );
        assert_eq!(asked, ["a.com/a@v1.0.0", "fork.com/b@v0.1.0", "../c"]);
        assert_eq!(list(&graph), "a.com/a@v1.0.0 b.com/b@v1.0.0 c.com/c@v1.0.0");
        assert!(graph.error().is_none());
    }

    #[test]
    fn another_version_of_the_main_module_is_read_and_never_selected() {
        let universe = [
            (
                "a.com/a@v1.0.0",
                "module a.com/a\nrequire main.com/m v1.2.0\n",
            ),
            (
                "main.com/m@v1.2.0",
                "module main.com/m\nrequire b.com/b v1.0.0\n",
            ),
            ("b.com/b@v1.0.0", "module b.com/b\n"),
        ];
        let (asked, graph) = walk("module main.com/m\nrequire a.com/a v1.0.0\n", &universe);
        assert_eq!(
            asked,
            ["a.com/a@v1.0.0", "main.com/m@v1.2.0", "b.com/b@v1.0.0"]
        );
        assert_eq!(list(&graph), "a.com/a@v1.0.0 b.com/b@v1.0.0");
    }

    #[test]
    fn a_go_mod_of_another_module_is_refused_in_the_words_of_go() {
        let universe = [("a.com/a@v1.0.0", "module other.com/a\n")];
        let (_, graph) = walk("module main.com/m\nrequire a.com/a v1.0.0\n", &universe);
        assert_eq!(
            graph.error().unwrap().chain(),
            "a.com/a@v1.0.0: parsing go.mod:\n\tmodule declares its path as: other.com/a\n\
             \t        but was required as: a.com/a"
        );
    }

    #[test]
    fn a_long_chain_does_not_exhaust_the_stack() {
        let texts: Vec<(String, String)> = (0..20_000)
            .map(|i| {
                (
                    format!("a.com/m{i}x@v1.0.0"),
                    format!("module a.com/m{i}x\nrequire a.com/m{}x v1.0.0\n", i + 1),
                )
            })
            .collect();
        let rules = ReplaceRules::default();
        let roots = vec![Node::Module(module("a.com/m0x@v1.0.0"))];
        let mut loader = Loader::new("main.com/m", &rules, true, roots.clone());
        let mut next = 0;
        while let Some(wanted) = loader.next_wanted() {
            let summary = texts
                .get(next)
                .map(|(_, text)| GraphSummary::parse("go.mod", text.as_bytes()));
            next += 1;
            let gone = || Err(Error::new(Kind::NotFound, "gone"));
            loader.provide(&wanted, summary.unwrap_or_else(gone).map(Arc::new));
        }
        // All of it is loaded now: the second walk follows the whole chain at once.
        loader.restart(false, roots);
        assert_eq!(loader.finish().loaded().count(), 20_000);
    }
}
