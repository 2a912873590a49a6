//! A zip rule that does not hold: what is wrong, and with which entry.

use std::borrow::Cow;
use std::fmt;

use crate::error::{Error, Kind};
use crate::gomod::ModuleVersion;

/// The rule that a zip breaks, with the entry's full name where one entry is to blame.
///
/// Go's wording is kept where go has one. Nothing branches on it, so it is text, written where
/// the rule is checked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    entry: Option<String>,
    reason: Cow<'static, str>,
}

impl Broken {
    /// The zip as a whole is at fault.
    pub(super) fn zip(reason: impl Into<Cow<'static, str>>) -> Broken {
        Broken {
            entry: None,
            reason: reason.into(),
        }
    }

    /// The entry of this full name (`path@version/file`) is at fault.
    pub(super) fn entry(name: &str, reason: impl Into<Cow<'static, str>>) -> Broken {
        Broken {
            entry: Some(name.to_owned()),
            reason: reason.into(),
        }
    }

    /// The error for callers: `MODULE: zip rule broken: ENTRY: reason`, [`Kind::Security`].
    pub(super) fn of(self, module: &ModuleVersion) -> Error {
        Error::new(Kind::Security, "zip rule broken")
            .because(self)
            .about(module)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(entry) = &self.entry {
            // A name may hold anything, a terminal's control codes too.
            write!(f, "{}: ", entry.escape_debug())?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Broken {}
