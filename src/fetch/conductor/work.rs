//! One module on its way, and what the conductor is told of it.

use std::collections::HashSet;

use crate::cache::Entry;
use crate::error::{Error, Kind, Result};
use crate::fetch::version::{Begin, Prepared, Ready, Unneeded};
use crate::gomod::{H1, ModuleVersion};
use crate::source::Info;

/// What a job tells the conductor.
pub(super) enum Report<'a> {
    Info(usize, Box<Result<Info>>),
    /// Fetched, but not kept.
    InfoAhead(usize, Result<Box<Info>>),
    GoMod(usize, Result<H1>),
    Zip(usize, Result<H1>),
    /// As `Zip`, from the compute pool, where it leaves room.
    Unpacked(usize, Result<H1>),
    /// From the compute pool as well: to be fetched again as a whole.
    Again(usize),
    /// From the compute pool as well: whole, but for being visible. Or this machine's disk could
    /// not take it.
    Prepared(usize, Box<Result<Prepared<'a>, Ready<'a>>>),
    /// Another process holds the lock.
    Busy(usize, Begin),
}

/// One module on its way.
pub(super) struct Work<'a> {
    pub(super) entry: Entry,
    pub(super) info: Option<Result<Info>>,
    pub(super) gomod: Option<Result<H1>>,
    pub(super) zip: Option<Result<H1>>,
    /// Fetched, but `.info` or `.mod` are still missing.
    pub(super) held: Option<Box<Ready<'a>>>,
    /// What is made of it before it is known to be needed.
    pub(super) early: Early<'a>,
}

impl<'a> Work<'a> {
    pub(super) fn of(entry: Entry) -> Work<'a> {
        Work {
            entry,
            info: None,
            gomod: None,
            zip: None,
            held: None,
            early: Early::default(),
        }
    }

    /// `Some(true)` if both small files are there, `Some(false)` if one has failed.
    pub(super) fn meta(&self) -> Option<bool> {
        match (&self.info, &self.gomod) {
            (Some(Err(_)), _) | (_, Some(Err(_))) => Some(false),
            (Some(Ok(_)), Some(Ok(_))) => Some(true),
            _ => None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.meta() == Some(false) || matches!(self.zip, Some(Err(_)))
    }

    pub(super) fn not_unpacked(&self) -> Error {
        let text = format!("{}: not unpacked", self.entry.module());
        Error::new(Kind::Other, text)
    }

    pub(super) fn is_settled(&self) -> bool {
        self.info.is_some() && self.gomod.is_some() && self.zip.is_some()
    }
}

/// What the graph came to.
#[derive(Default)]
pub(super) struct Verdict<'a> {
    /// Which of the modules that were begun are needed.
    pub(super) needed: HashSet<ModuleVersion>,
    /// Others to do.
    pub(super) more: Vec<Work<'a>>,
}

/// The state of a work that was begun.
#[derive(Default)]
pub(super) struct Early<'a> {
    /// Fetched, but not kept.
    pub(super) info: Option<Box<Info>>,
    /// Whole, but not visible.
    pub(super) prepared: Option<Box<Prepared<'a>>>,
    /// There will be a report of it.
    pub(super) info_awaited: bool,
    pub(super) zip_awaited: bool,
    /// To be begun once more if it is needed: another process holds the lock, or what was put
    /// together from pieces was wrong.
    pub(super) once_more: Option<Begin>,
    pub(super) unneeded: Unneeded,
}
