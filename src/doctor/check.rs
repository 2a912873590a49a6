//! What a check came to, and all of them together.

use crate::error::Error;

/// The verdict of a check; a later one is graver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// There was nothing to look at, or no way to.
    Skipped,
    /// It works, and may stop doing so, or could do better.
    Warning,
    /// It does not work.
    Failed,
}

impl CheckStatus {
    /// The word for it in text and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CheckStatus::Ok => "ok",
            CheckStatus::Skipped => "skipped",
            CheckStatus::Warning => "warning",
            CheckStatus::Failed => "failed",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, a word that stays the same.
    pub name: &'static str,
    /// The verdict.
    pub status: CheckStatus,
    /// What was seen, in words; without secrets.
    pub seen: String,
    /// What the reader can do about it.
    pub next: Vec<String>,
}

impl Check {
    fn new(name: &'static str, status: CheckStatus, seen: impl Into<String>) -> Check {
        Check {
            name,
            status,
            seen: seen.into(),
            next: Vec::new(),
        }
    }

    pub(super) fn ok(name: &'static str, seen: impl Into<String>) -> Check {
        Check::new(name, CheckStatus::Ok, seen)
    }

    pub(super) fn skipped(name: &'static str, why: impl Into<String>) -> Check {
        Check::new(name, CheckStatus::Skipped, why)
    }

    pub(super) fn warning(name: &'static str, seen: impl Into<String>) -> Check {
        Check::new(name, CheckStatus::Warning, seen)
    }

    pub(super) fn failed(name: &'static str, seen: impl Into<String>) -> Check {
        Check::new(name, CheckStatus::Failed, seen)
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
pub struct DoctorSection {
    /// `proxy`, `repository`, `sumdb`, `cache` or `project`.
    pub group: &'static str,
    /// Which one: a redacted URL, a name, a path.
    pub subject: String,
    /// In a fixed order.
    pub checks: Vec<Check>,
}

/// A setting as it is shown: without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownSetting {
    /// The variable.
    pub name: String,
    /// Its value, redacted.
    pub value: String,
    /// Where it was decided.
    pub origin: String,
}

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoctorReport {
    /// What was checked, in a fixed order.
    pub sections: Vec<DoctorSection>,
    /// The settings in force.
    pub settings: Vec<ShownSetting>,
}

impl DoctorReport {
    /// The gravest verdict.
    #[must_use]
    pub fn status(&self) -> CheckStatus {
        let found = self.count(CheckStatus::Failed) > 0;
        let doubtful = self.count(CheckStatus::Warning) > 0;
        match (found, doubtful) {
            (true, _) => CheckStatus::Failed,
            (false, true) => CheckStatus::Warning,
            (false, false) => CheckStatus::Ok,
        }
    }

    /// How many checks had this verdict.
    #[must_use]
    pub fn count(&self, status: CheckStatus) -> usize {
        let checks = self.sections.iter().flat_map(|section| &section.checks);
        checks.filter(|check| check.status == status).count()
    }
}
