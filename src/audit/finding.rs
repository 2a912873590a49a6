//! What an audit reports.

use std::collections::BTreeSet;

use crate::gomod::ModuleVersion;
use crate::gomod::modfile::GoSum;

/// One thing that was found out about one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFinding {
    /// What was found.
    pub kind: FindingKind,
    /// The identifier of the record, or the name of the check: [`FindingKind::name`] of a finding without a record.
    pub id: String,
    /// Other names of the record.
    pub aliases: Vec<String>,
    /// The module path.
    pub path: String,
    /// The version in use; empty for a path that is only in go.sum.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// The lowest version above that is not affected.
    pub fixed: Option<String>,
    /// A page about it.
    pub url: Option<String>,
    /// Why it is accepted, by the ignore file.
    pub accepted: Option<String>,
}

impl AuditFinding {
    /// A finding without a record.
    #[must_use]
    pub fn of(kind: FindingKind, module: &ModuleVersion, summary: String) -> AuditFinding {
        AuditFinding {
            kind,
            id: kind.name().to_owned(),
            aliases: Vec::new(),
            path: module.path().as_str().to_owned(),
            version: module.version().as_str().to_owned(),
            summary,
            fixed: None,
            url: None,
            accepted: None,
        }
    }
}

/// The sort of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A record of a vulnerability or of malicious code.
    Vulnerable,
    /// The author has retracted the version.
    Retracted,
    /// The author has deprecated the module.
    Deprecated,
    /// An older go.sum did not have the path.
    New,
    /// It has not been known for long enough.
    TooYoung,
    /// Its repository gives something else today, or nothing.
    Moved,
}

impl FindingKind {
    /// The word of text and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FindingKind::Vulnerable => "vulnerable",
            FindingKind::Retracted => "retracted",
            FindingKind::Deprecated => "deprecated",
            FindingKind::New => "new",
            FindingKind::TooYoung => "too-young",
            FindingKind::Moved => "moved",
        }
    }
}

/// The modules in use whose path an older go.sum does not have.
#[must_use]
pub fn findings_of_new_paths(modules: &[ModuleVersion], old: &GoSum) -> Vec<AuditFinding> {
    let known: BTreeSet<&str> = old.iter().map(|(path, _, _)| path).collect();
    let new = modules
        .iter()
        .filter(|module| !known.contains(module.path().as_str()));
    let summary = "the older go.sum does not have this module path";
    new.map(|module| AuditFinding::of(FindingKind::New, module, summary.to_owned()))
        .collect()
}
