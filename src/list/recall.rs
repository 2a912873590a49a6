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

use super::lister::{Chosen, Lister};
use super::{ModuleInfo, Subject};
use crate::gomod::{ModulePath, ModuleVersion, Version};
use crate::modset::Query;
use crate::project::{Actual, Node};
use crate::trust::Part;

/// The go lines that are remembered, and who will ask for one.
struct Recall<'l, 'a> {
    lister: &'l Lister<'a>,
    /// How many subjects are listed with the last one that is about a version.
    until: HashMap<ModuleVersion, usize>,
    go: HashMap<ModuleVersion, String>,
}

impl Lister<'_> {
    /// Adds to each the go version that was read of it for the sake of one before.
    pub(super) fn recall(&self, subjects: &[Subject], infos: &mut [ModuleInfo]) {
        let named = |subject: &Subject| matches!(subject, Subject::Query { .. });
        let replaced = infos.iter().any(|info| info.replace.is_some());
        if !replaced && !self.extras.retraction() && !subjects.iter().any(named) {
            return;
        }
        let about: Vec<Option<ModuleVersion>> =
            subjects.iter().zip(&*infos).map(module_of).collect();
        let until = about.iter().zip(1..);
        let until = until.filter_map(|(module, count)| Some((module.clone()?, count)));
        let mut recall = Recall {
            lister: self,
            until: until.collect(),
            go: HashMap::new(),
        };
        let listed = subjects.iter().zip(infos).zip(&about);
        for (at, ((subject, info), module)) in listed.enumerate() {
            if let Subject::Query {
                path,
                query,
                current,
            } = subject
                && !self.extras.retraction()
                && is_range(path, query, current.as_ref())
            {
                recall.hear(at, path);
            }
            if let Some(module) = module {
                recall.visit(at + 1, info, module, named(subject));
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
        let (actual, chosen) = match named {
            true => (Actual::Module(module.clone()), Chosen::Named),
            false => (lister.edits.actual(module), Chosen::Required),
        };
        let Actual::Module(actual) = actual else {
            return;
        };
        if known.is_none() && lister.counts(&actual, Part::GoMod, chosen) {
            self.read(listed, &actual, || lister.fetcher.go_line(&actual));
        }
        if lister.extras.retraction() {
            self.hear(listed, actual.path());
        }
    }

    /// Remembers what the newest version of a module said, if it was asked.
    fn hear(&mut self, listed: usize, path: &ModulePath) {
        if let Some((newest, go)) = self.lister.fetcher.newest_go_line(path) {
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
fn module_of((subject, info): (&Subject, &ModuleInfo)) -> Option<ModuleVersion> {
    match subject {
        Subject::Required(Node::Module(module)) => Some(module.clone()),
        Subject::Query { path, .. } => ModuleVersion::parse(path.as_str(), &info.version).ok(),
        Subject::Main { .. }
        | Subject::Required(_)
        | Subject::Release { .. }
        | Subject::Named(_) => None,
    }
}

/// True if a query chooses among versions, for which it asks whether they were retracted.
fn is_range(path: &ModulePath, query: &str, current: Option<&Version>) -> bool {
    let current = current.map_or("", Version::as_str);
    let parsed = Query::parse(path.as_str(), query, current);
    matches!(parsed, Ok(Query::Range(_)))
}
