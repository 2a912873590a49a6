//! Finds what a listing says.

use std::path::Path;

use super::ModuleInfo;
use crate::error::{Error, Kind, Result};
use crate::fetch::{
    CacheReader, QueryResolver, ReleaseResolver, Run, Unresolved, VersionFilter, VersionQuery,
    is_unknown, unasked,
};
use crate::fsio::{clean_path, read_whole};
use crate::gomod::modfile::GoModSummary;
use crate::gomod::{GoVersion, ModulePath, ModuleVersion, Tool, Version, canonical};
use crate::graph::Graph;
use crate::project::{Node, Project, ReplaceRules, ResolvedModule};
use crate::select::{ListTarget, versioned_path};
use crate::source::{Info, ReuseFile};
use crate::system::is_absolute;
use crate::trust::{SumPart, SumPolicy};

/// What is said of each module beside what the cache and go.sum have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// `-u`: a newer version, and whether it is deprecated or retracted.
    pub update: bool,
    /// `-retracted`: whether the version is retracted; retracted ones count for queries.
    pub retracted: bool,
    /// `-versions`: which there are.
    pub versions: bool,
}

impl Extras {
    fn any(self) -> bool {
        self != Extras::default()
    }

    pub(super) fn retraction(self) -> bool {
        self.update || self.retracted
    }
}

/// Says of modules what there is to say, many at a time.
#[derive(Clone, Copy)]
pub struct Lister<'a> {
    /// Asks the cache, then the source.
    pub run: &'a Run,
    /// go.sum.
    pub sums: &'a SumPolicy,
    /// The main module.
    pub project: Option<&'a Project>,
    /// What it replaces and excludes.
    pub rules: &'a ReplaceRules,
    /// Its graph, if that was needed.
    pub graph: Option<&'a Graph>,
    /// Whose go.mod files were read for a graph before that one.
    pub superseded: &'a [ModuleVersion],
    /// What an earlier run said.
    pub reuse: Option<&'a ReuseFile>,
    /// Of what the main module requires, only that counts which go.sum knows.
    pub requires_sums: bool,
    /// What else is said.
    pub extras: Extras,
    /// The output has more than lines have: objects, or what templates make of them.
    pub details: bool,
}

/// The go version of a workspace that uses no module.
///
/// Source: golang/go `cmd/go/internal/gover/mod.go`, `DefaultGoWorkVersion`.
const EMPTY_WORK_GO: &str = "1.18";

/// What counts as no version at all where it was asked for, so that anything is newer.
pub(super) const NO_VERSION: &str = "none";

/// Whether a module was required by the main module, or named on the command line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    Required,
    Named,
}

/// The `.info` of a version that is to be described.
enum Metadata {
    /// It was not looked for.
    Unknown,
    /// It is in the cache, and nothing of it is printed.
    Cached,
    /// What it says.
    Read(Info),
}

impl<'a> Lister<'a> {
    pub(super) fn cached(&self) -> CacheReader<'a> {
        CacheReader::new(self.run)
    }

    pub(super) fn queries(&self) -> QueryResolver<'a> {
        QueryResolver::new(self.run, self.rules)
    }

    pub(super) fn releases(&self) -> ReleaseResolver<'a> {
        ReleaseResolver::new(self.run)
    }

    /// What there is to say of each target, in their order. What cannot be found is said in
    /// [`ModuleInfo::error`].
    ///
    /// # Errors
    /// [`Kind::Other`] if no thread can be started.
    pub fn list(&self, targets: &[ListTarget]) -> Result<Vec<ModuleInfo>> {
        self.run.for_each(
            targets,
            |target| self.at_hand(target),
            |target| self.describe(target, Metadata::Unknown),
        )
    }

    /// What there is to say of a target, if no request is needed for it. Where the time of a version is printed,
    /// the metadata is read here rather than looked for first; a line has no time, so that the file only has to be
    /// there, as go leaves it.
    fn at_hand(&self, target: &ListTarget) -> Option<ModuleInfo> {
        if self.extras.any() {
            return None;
        }
        let mut read = Metadata::Unknown;
        match target {
            ListTarget::Required(Node::Module(module)) => match self.rules.resolved(module) {
                ResolvedModule::Directory { .. } => {}
                ResolvedModule::Module(resolved) => {
                    read = match self.details {
                        true => Metadata::Read(self.cached().info(&resolved)?),
                        false if self.cached().has_info(&resolved) => Metadata::Cached,
                        false => return None,
                    };
                    let known = self.graph.is_some_and(|graph| graph.reads(module));
                    let gomod = known || !self.counts(&resolved, SumPart::GoMod, Chosen::Required);
                    if !gomod && !self.cached().has_gomod(&resolved) {
                        return None;
                    }
                }
            },
            ListTarget::Query { .. } | ListTarget::Release { .. } => return None,
            ListTarget::Main { .. }
            | ListTarget::Required(_)
            | ListTarget::Versions { .. }
            | ListTarget::Failed { .. } => {}
        }
        Some(self.describe(target, read))
    }

    /// What there is to say of a target; `read` is the metadata of what it is resolved to, if that
    /// is cached.
    fn describe(&self, target: &ListTarget, read: Metadata) -> ModuleInfo {
        let reused = match target {
            ListTarget::Query { path, query, .. } => self.reusable(path, query),
            _ => None,
        };
        if let Some(mut info) = reused {
            if let ListTarget::Query { query, .. } = target
                && *query != info.version
            {
                info.query.clone_from(query);
            }
            return info;
        }
        let mut info = match target {
            ListTarget::Main { path, query } => main_info(
                self.project,
                path,
                query,
                self.requires_sums,
                Some(self.run.local_version()),
            ),
            ListTarget::Required(node) => self.required(node, read),
            ListTarget::Query {
                path,
                query,
                current,
            } => self.query(path, query, current.clone()),
            ListTarget::Release {
                tool,
                query,
                current,
            } => self.release(*tool, query, current),
            ListTarget::Versions { path } => ModuleInfo::new(path, ""),
            ListTarget::Failed {
                path,
                version,
                error,
            } => ModuleInfo {
                error: Some(error.clone()),
                ..ModuleInfo::new(path, version)
            },
        };
        if info.reuse {
            return info;
        }
        self.add_extras(&mut info);
        if let Some(replace) = &mut info.replace {
            self.add_extras(replace);
        }
        info
    }

    fn required(&self, node: &Node, read: Metadata) -> ModuleInfo {
        let mut info = ModuleInfo::new(node.path(), node.version());
        info.indirect = self.details && marks_indirect(node, self.project);
        let Some(module) = node.module() else {
            return info;
        };
        let go = self.graph.and_then(|graph| graph.go_line(module));
        let go = go.map_or(String::new(), ToString::to_string);
        let Some(resolved) = self.queries().replacement(module) else {
            info.go_version = go;
            if let Some(go) = self.refused_go_line(module) {
                info.go_version = go;
            }
            self.complete(&mut info, module, Chosen::Required, read);
            return info;
        };
        // As in go, what was read of the module itself, in place of another one, says more.
        let same = ResolvedModule::Module(module.clone());
        let read_for = |other: &&ModuleVersion| self.rules.replacement(other) == Some(&same);
        let own = self
            .graph
            .and_then(|graph| graph.go_line(graph.loaded().find(read_for)?));
        let refused = |graph: &Graph| graph.failed().any(|other| read_for(&other));
        let was_read = || {
            self.graph.is_some_and(refused) || self.superseded.iter().any(|other| read_for(&other))
        };
        let own = match own {
            Some(go) => Some(go.to_string()),
            None if was_read() && self.counts(module, SumPart::GoMod, Chosen::Required) => {
                self.cached().go_line(module)
            }
            None => None,
        };
        let go = own.clone().unwrap_or(go);
        let replace = match resolved {
            ResolvedModule::Module(resolved) => {
                let (path, version) = (resolved.path().as_str(), resolved.version().as_str());
                let mut replace = ModuleInfo::new(path, version);
                replace.go_version = go;
                self.complete(&mut replace, resolved, Chosen::Required, read);
                replace
            }
            ResolvedModule::Directory { written, path, .. } => {
                let mut replace = replaced_by(written, path);
                let read = || {
                    let file = &replace.gomod;
                    let data = match self.project {
                        Some(project) => project.overlay().read(Path::new(file), read_whole),
                        None => read_whole(Path::new(file)),
                    };
                    let needs = GoModSummary::parse("go.mod", &data.ok()?).ok()?;
                    self.known(needs.go.map(|go| go.to_string()))
                };
                replace.go_version = own.or_else(read).unwrap_or_default();
                replace
            }
        };
        info.dir.clone_from(&replace.dir);
        info.gomod.clone_from(&replace.gomod);
        info.retracted.clone_from(&replace.retracted);
        info.go_version.clone_from(&replace.go_version);
        info.replace = Some(Box::new(replace));
        info
    }

    /// The go version of a go.mod that the graph was refused for, as too new: it has been read.
    fn refused_go_line(&self, module: &ModuleVersion) -> Option<String> {
        let is_it = |other: &ModuleVersion| match self.rules.resolved(other) {
            ResolvedModule::Module(resolved) => resolved == *module,
            ResolvedModule::Directory { .. } => false,
        };
        let refused = self.graph?.failed().any(is_it);
        let read = refused && self.counts(module, SumPart::GoMod, Chosen::Required);
        read.then(|| self.cached().go_line(module)).flatten()
    }

    /// Which versions count for a query.
    pub(super) fn filter(&self) -> VersionFilter {
        match self.extras.retraction() {
            true => VersionFilter::All,
            false => VersionFilter::Allowed,
        }
    }

    fn reusable(&self, path: &ModulePath, asked: &str) -> Option<ModuleInfo> {
        let (entry, origin) = self.queries().reusable(self.reuse?, path, asked)?;
        Some(ModuleInfo::reused(&entry, origin))
    }

    fn query(&self, path: &ModulePath, query: &str, current: Option<Version>) -> ModuleInfo {
        let asked = VersionQuery {
            path: path.clone(),
            query: query.to_owned(),
            current,
            filter: self.filter(),
        };
        let answer = match self.queries().resolve_one(&asked) {
            Ok(answer) => answer,
            Err(Unresolved { error, origin }) => {
                let mut info = ModuleInfo::new(path.as_str(), query);
                info.error = Some(error);
                info.origin = origin;
                return info;
            }
        };
        if let Some(mut info) = self.reusable(path, answer.module.version().as_str()) {
            query.clone_into(&mut info.query);
            info.origin = answer.origin;
            return info;
        }
        // A module that was named is described itself, not its replacement.
        let mut info = ModuleInfo::new(path.as_str(), answer.module.version().as_str());
        info.go_version = self.refused_go_line(&answer.module).unwrap_or_default();
        self.complete(&mut info, &answer.module, Chosen::Named, Metadata::Unknown);
        if query != info.version {
            query.clone_into(&mut info.query);
        }
        info.origin = answer.origin;
        info
    }

    /// True if what the cache or the source has of a module may be said.
    pub(super) fn counts(&self, module: &ModuleVersion, part: SumPart, chosen: Chosen) -> bool {
        chosen == Chosen::Named || !self.requires_sums || self.sums.records(module, part)
    }

    /// A go version, unless it is newer than this one: go does not say it of what it only looks at.
    fn known(&self, go: Option<String>) -> Option<String> {
        go.filter(|go| !self.run.is_too_new(go))
    }

    /// Adds what cache, source and go.sum have; `read` is its metadata, if that was read before.
    fn complete(
        &self,
        info: &mut ModuleInfo,
        module: &ModuleVersion,
        chosen: Chosen,
        read: Metadata,
    ) {
        let found = match read {
            Metadata::Cached => None,
            Metadata::Read(found) => Some(Ok(found)),
            Metadata::Unknown => Some(self.queries().stat(module)),
        };
        match found {
            None => {}
            Some(Ok(found)) => info.time = Some(found.time),
            Some(Err(error)) => {
                let (path, version) = (module.path(), module.version().as_str());
                let unasked = || unasked(error, path);
                info.error = Some(
                    versioned_path(path.as_str(), version)
                        .err()
                        .unwrap_or_else(unasked),
                );
            }
        }
        // Even without output, a file in the cache and a line of go.sum could result.
        let all_there =
            || self.sums.records(module, SumPart::GoMod) && self.cached().has_gomod(module);
        if self.details || !all_there() {
            self.add_details(info, module, chosen);
        }
        if self.extras.retraction() {
            self.add_retraction(info, module.path());
        }
    }

    /// Adds what only objects and templates tell. Fetches the go.mod if it is not cached.
    fn add_details(&self, info: &mut ModuleInfo, module: &ModuleVersion, chosen: Chosen) {
        let gomod = self.counts(module, SumPart::GoMod, chosen);
        if info.go_version.is_empty() && gomod {
            let go = self.known(self.cached().go_line(module));
            info.go_version = go.unwrap_or_default();
        }
        let known = self.cached().local(module);
        if gomod {
            let file = known.gomod.map(|file| file.display().to_string());
            info.gomod = file.unwrap_or_default();
            info.gomod_sum = self.sums.record(module, SumPart::GoMod).unwrap_or_default();
        }
        if self.counts(module, SumPart::Zip, chosen) {
            let dir = known.directory.map(|dir| dir.display().to_string());
            info.dir = dir.unwrap_or_default();
            info.sum = self.sums.record(module, SumPart::Zip).unwrap_or_default();
        }
    }

    /// Adds what `-u`, `-versions` and `-retracted` ask for. Of several failures the first counts.
    fn add_extras(&self, info: &mut ModuleInfo) {
        if !self.extras.any() {
            return;
        }
        if let Some(tool) = Tool::of(&info.path) {
            return self.add_release_extras(info, tool);
        }
        // Also a query that nothing matches counts as the version in use, if it looks like one.
        let path = ModulePath::parse(&info.path);
        let path = path.and_then(|path| path.escape().map(|_| path));
        let known = path.as_ref().ok().filter(|_| !info.version.is_empty());
        let main = |path: &ModulePath| {
            let is_main = |project: &Project| project.is_main(path.as_str());
            self.project.is_some_and(is_main)
        };
        if let Some(path) = known.filter(|path| self.extras.update && !main(path)) {
            let current = canonical(&info.version).and_then(|v| Version::parse(&v).ok());
            if current.is_some() || info.version == NO_VERSION {
                self.add_update(info, path, current.as_ref());
            }
        }
        if self.extras.versions {
            self.add_versions(info, path.clone());
        }
        let Some(path) = known else {
            return;
        };
        if self.extras.retraction() {
            self.add_retraction(info, path);
        }
        if self.extras.update {
            match self.queries().deprecation(path) {
                Ok(text) => info.deprecated = text,
                Err(error) => fail(info, error),
            }
        }
    }

    fn add_update(&self, info: &mut ModuleInfo, path: &ModulePath, current: Option<&Version>) {
        match self.queries().upgrade(path, current) {
            Ok(Some(newer)) => {
                let version = newer.module.version().as_str();
                let mut update = ModuleInfo::new(&info.path, version);
                update.time = Some(newer.time);
                info.update = Some(Box::new(update));
            }
            Ok(None) => {}
            Err(error) => fail(info, error),
        }
    }

    /// Which versions are listed.
    pub(super) fn listed_filter(&self) -> VersionFilter {
        match self.extras.retracted {
            true => VersionFilter::IncludeRetracted,
            false => VersionFilter::Allowed,
        }
    }

    fn add_versions(&self, info: &mut ModuleInfo, path: Result<ModulePath>) {
        let filter = self.listed_filter();
        let listed = path.and_then(|path| {
            let versions = self.queries().versions(&path, filter);
            versions.map_err(|error| unasked(error, &path))
        });
        let mut of_list = None;
        match listed {
            Ok((versions, origin)) => (info.versions, of_list) = (versions, origin),
            Err(error) if info.error.is_none() => info.error = Some(error),
            Err(_) => {}
        }
        // What a proxy lists comes with no word on where it was read, and so it is not known of the
        // whole.
        let both = info.origin.take().zip(of_list);
        info.origin = both.and_then(|(origin, of_list)| origin.merged(&of_list).map(Box::new));
    }

    fn add_retraction(&self, info: &mut ModuleInfo, path: &ModulePath) {
        match self.queries().retraction(path, &info.version) {
            Ok(Some(reasons)) if reasons.is_empty() => {
                info.retracted = vec!["retracted by module author".to_owned()];
            }
            Ok(Some(reasons)) => info.retracted = reasons,
            Ok(None) => {}
            Err(error) => fail(info, error),
        }
    }
}

/// What is said of a main module. `readonly` says that go.mod stays as it is; `local` is the go version
/// that the run acts as, which is said where there is no main module.
pub(super) fn main_info(
    project: Option<&Project>,
    path: &str,
    query: &str,
    readonly: bool,
    local: Option<&GoVersion>,
) -> ModuleInfo {
    let mut info = ModuleInfo::new(path, "");
    query.clone_into(&mut info.query);
    info.main = true;
    let used = project.filter(|project| !project.is_empty());
    let mut mains = used.into_iter().flat_map(Project::mains);
    let Some(main) = mains.find(|main| main.path() == path) else {
        let version = match project {
            // go takes what a go.work without a go line stands for, whatever is in it.
            Some(_) => EMPTY_WORK_GO,
            None => local.map_or("", GoVersion::as_str),
        };
        version.clone_into(&mut info.go_version);
        return info;
    };
    let workspace = project.is_some_and(|project| project.workspace().is_some());
    let running = project.and_then(Project::running);
    if let Some(running) = running.filter(|_| !workspace && !readonly)
        && main.modfile().go.is_none()
    {
        // go gives such a go.mod its own version before it does anything else.
        info.go_version = running.version().to_string();
    } else if !workspace || main.modfile().go.is_some() {
        main.go().clone_into(&mut info.go_version);
    }
    info.dir = main.root().display().to_string();
    info.gomod = main.shown_file();
    info
}

/// True if the main module does not require this, or only by a line marked `// indirect`.
pub(super) fn marks_indirect(node: &Node, project: Option<&Project>) -> bool {
    match (node, project) {
        (Node::Go(_), Some(project)) => project.workspace().is_some() && !project.is_empty(),
        (Node::Go(_), None) => false,
        (node, Some(project)) => !project.requires_directly(node.path()),
        (_, None) => true,
    }
}

/// A local directory, `path`, in the place of a module, as it is written in go.mod.
pub(super) fn replaced_by(written: &str, path: &Path) -> ModuleInfo {
    let mut replace = ModuleInfo::new(written, "");
    let dir = path.display().to_string();
    replace.gomod = clean_path(&format!("{dir}/go.mod"));
    replace.dir = match is_absolute(written) {
        true => dir,
        false => clean_path(&dir),
    };
    replace
}

/// Remembers a failure, unless one is remembered or it only says that there is no such module.
pub(super) fn fail(info: &mut ModuleInfo, error: Error) {
    if info.error.is_none() && !is_unknown(&error) {
        info.error = Some(error);
    }
}

/// The gravest failure among what was found.
#[must_use]
pub fn gravest(infos: &[ModuleInfo]) -> Option<Kind> {
    Error::gravest(infos.iter().filter_map(|info| info.error.as_ref()))
}
