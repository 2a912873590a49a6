//! What a check came to, and all of them together.

use crate::error::Error;

/// The verdict of a check; a later one is graver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should be.
    Ok,
    /// There was nothing to look at, or no way to.
    Skipped,
    /// It works, and may stop doing so, or could do better.
    Warning,
    /// It does not work.
    Failed,
}

impl Status {
    /// The word for it in text and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Skipped => "skipped",
            Status::Warning => "warning",
            Status::Failed => "failed",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, a word that stays the same.
    pub name: &'static str,
    /// The verdict.
    pub status: Status,
    /// What was seen, in words; without secrets.
    pub seen: String,
    /// What the reader can do about it.
    pub next: Vec<String>,
}

impl Check {
    fn new(name: &'static str, status: Status, seen: impl Into<String>) -> Check {
        Check {
            name,
            status,
            seen: seen.into(),
            next: Vec::new(),
        }
    }

    pub(super) fn ok(name: &'static str, seen: impl Into<String>) -> Check {
        Check::new(name, Status::Ok, seen)
    }

    pub(super) fn skipped(name: &'static str, why: impl Into<String>) -> Check {
        Check::new(name, Status::Skipped, why)
    }

    pub(super) fn warning(name: &'static str, seen: impl Into<String>) -> Check {
        Check::new(name, Status::Warning, seen)
    }

    pub(super) fn failed(name: &'static str, seen: impl Into<String>) -> Check {
        Check::new(name, Status::Failed, seen)
    }

    /// A failure that has explained itself, with its hints.
    pub(super) fn error(name: &'static str, error: &Error) -> Check {
        let mut check = Check::failed(name, error.chain());
        check.next = error.hints().to_vec();
        check
    }

    /// Adds a next step.
    pub(super) fn next(mut self, step: impl Into<String>) -> Check {
        self.next.push(step.into());
        self
    }
}

/// The checks of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// `proxy`, `sumdb`, `cache` or `project`.
    pub group: &'static str,
    /// Which one: a redacted URL, a name, a path.
    pub subject: String,
    /// In a fixed order.
    pub checks: Vec<Check>,
}

/// A setting as it is shown: without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The variable.
    pub name: String,
    /// Its value, redacted.
    pub value: String,
    /// Where it was decided.
    pub origin: String,
}

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was checked, in a fixed order.
    pub sections: Vec<Section>,
    /// The settings in force.
    pub settings: Vec<Row>,
}

impl Report {
    /// The gravest verdict.
    #[must_use]
    pub fn status(&self) -> Status {
        let found = self.count(Status::Failed) > 0;
        let doubtful = self.count(Status::Warning) > 0;
        match (found, doubtful) {
            (true, _) => Status::Failed,
            (false, true) => Status::Warning,
            (false, false) => Status::Ok,
        }
    }

    /// How many checks had this verdict.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        let checks = self.sections.iter().flat_map(|section| &section.checks);
        checks.filter(|check| check.status == status).count()
    }
}
