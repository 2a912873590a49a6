//! What was read of a go.mod before counts for whoever comes later, in the order of the listing.
//!
//! go remembers the go line of every go.mod that it reads, and says it of that version from then
//! on: also where the version is replaced, needs a newer go, or is not in go.sum. What it reads on
//! the way are the go.mod files of what it has listed, and of the newest version of a module, for
//! its retractions. Several of its threads list at once; here it is as on one.
//!
//! Source: golang/go `cmd/go/internal/modload/build.go` (`moduleInfo`), `modfile.go`
//! (`rawGoVersion`).

use std::collections::HashMap;

use super::ModuleInfo;
use super::lister::{Chosen, Lister};
use crate::gomod::{ModulePath, ModuleVersion, Query, Version};
use crate::project::{Node, ResolvedModule};
use crate::select::ListTarget;
use crate::trust::SumPart;

/// The go lines that are remembered, and who will ask for one.
struct Recall<'l, 'a> {
    lister: &'l Lister<'a>,
    /// How many targets are listed with the last one that is about a version.
    until: HashMap<ModuleVersion, usize>,
    go: HashMap<ModuleVersion, String>,
}

impl Lister<'_> {
    /// Adds to each the go version that was read of it for the sake of one before.
    pub(super) fn recall(&self, targets: &[ListTarget], infos: &mut [ModuleInfo]) {
        let named = |target: &ListTarget| matches!(target, ListTarget::Query { .. });
        let replaced = infos.iter().any(|info| info.replace.is_some());
        if !replaced && !self.extras.retraction() && !targets.iter().any(named) {
            return;
        }
        let about: Vec<Option<ModuleVersion>> =
            targets.iter().zip(&*infos).map(module_of).collect();
        let until = about.iter().zip(1..);
        let until = until.filter_map(|(module, count)| Some((module.clone()?, count)));
        let mut recall = Recall {
            lister: self,
            until: until.collect(),
            go: HashMap::new(),
        };
        let listed = targets.iter().zip(infos).zip(&about);
        for (at, ((target, info), module)) in listed.enumerate() {
            if let ListTarget::Query {
                path,
                query,
                current,
            } = target
                && !self.extras.retraction()
                && is_range(path, query, current.as_ref())
            {
                recall.hear(at, path);
            }
            if let Some(module) = module {
                recall.visit(at + 1, info, module, named(target));
            }
        }
    }
}

impl Recall<'_, '_> {
    fn visit(&mut self, listed: usize, info: &mut ModuleInfo, module: &ModuleVersion, named: bool) {
        let known = self.go.get(module).cloned();
        if let Some(go) = &known {
            info.go_version.clone_from(go);
            if let Some(replace) = &mut info.replace {
                replace.go_version.clone_from(go);
            }
        }
        let lister = self.lister;
        let (resolved, chosen) = match named {
            true => (ResolvedModule::Module(module.clone()), Chosen::Named),
            false => (lister.rules.resolved(module), Chosen::Required),
        };
        let ResolvedModule::Module(resolved) = resolved else {
            return;
        };
        if known.is_none() && lister.counts(&resolved, SumPart::GoMod, chosen) {
            self.read(listed, &resolved, || lister.cached().go_line(&resolved));
        }
        if lister.extras.retraction() {
            self.hear(listed, resolved.path());
        }
    }

    /// Remembers what the newest version of a module said, if it was asked.
    fn hear(&mut self, listed: usize, path: &ModulePath) {
        if let Some((newest, go)) = self.lister.queries().newest_go_line(path) {
            self.read(listed, &newest, || go);
        }
    }

    fn read(&mut self, listed: usize, module: &ModuleVersion, go: impl FnOnce() -> Option<String>) {
        let asked_later = self.until.get(module).is_some_and(|until| *until > listed);
        if asked_later
            && !self.go.contains_key(module)
            && let Some(go) = go()
        {
            self.go.insert(module.clone(), go);
        }
    }
}

/// The version that is listed, if it is one of a module.
fn module_of((target, info): (&ListTarget, &ModuleInfo)) -> Option<ModuleVersion> {
    match target {
        ListTarget::Required(Node::Module(module)) => Some(module.clone()),
        ListTarget::Query { path, .. } => ModuleVersion::parse(path.as_str(), &info.version).ok(),
        ListTarget::Main { .. }
        | ListTarget::Required(_)
        | ListTarget::Release { .. }
        | ListTarget::Versions { .. }
        | ListTarget::Failed { .. } => None,
    }
}

/// True if a query chooses among versions, for which it asks whether they were retracted.
fn is_range(path: &ModulePath, query: &str, current: Option<&Version>) -> bool {
    let current = current.map_or("", Version::as_str);
    let parsed = Query::parse(path.as_str(), query, current);
    matches!(parsed, Ok(Query::Range(_)))
}
