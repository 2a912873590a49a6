//! One module on its way, and what the jobs report of it.

use std::collections::HashSet;

use crate::cache::CacheEntry;
use crate::error::{Error, Kind, Result};
use crate::fetch::Want;
use crate::fetch::version::{Link, ReadyZip, ResumeMode, StagedModule};
use crate::gomod::{H1, ModuleVersion};
use crate::source::Info;

/// What a job reports to the dispatcher.
pub(super) enum Report {
    Info(usize, Box<Result<Info>>),
    /// Fetched, but not kept.
    InfoPrefetched(usize, Result<Box<Info>>),
    GoMod(usize, Result<H1>),
    /// Both small files.
    Meta(usize, Box<(Result<Info>, Result<H1>)>),
    Zip(usize, Result<H1>),
    /// As `Zip`, from the compute pool, where it leaves room.
    Unpacked(usize, Result<H1>),
    /// From the compute pool as well: to be fetched again as a whole.
    Refetch(usize),
    /// From the compute pool as well: whole, and not yet visible. Or this machine's disk could
    /// not take it.
    Staged(usize, Box<Result<StagedModule, ReadyZip>>),
    /// Another process holds the lock.
    Busy(usize, ResumeMode),
}

/// One module on its way.
pub(super) struct Work {
    pub(super) entry: CacheEntry,
    /// What is wanted of it.
    pub(super) want: Want,
    /// The way to the source: the run's, or one of its own that ends when the module is not needed.
    pub(super) link: Link,
    pub(super) info: Option<Result<Info>>,
    pub(super) gomod: Option<Result<H1>>,
    pub(super) zip: Option<Result<H1>>,
    /// Fetched, but `.info` or `.mod` are still missing.
    pub(super) held: Option<Box<ReadyZip>>,
    /// What is made of it before it is known to be needed.
    pub(super) early: Early,
}

impl Work {
    pub(super) fn of(entry: CacheEntry, want: Want, link: Link) -> Work {
        Work {
            entry,
            want,
            link,
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
        self.info.is_some()
            && (self.gomod.is_some() || self.want < Want::GoMod)
            && (self.zip.is_some() || self.want < Want::Zip)
    }
}

/// What the graph came to.
#[derive(Default)]
pub(super) struct Verdict {
    /// Which of the modules that were begun are needed.
    pub(super) needed: HashSet<ModuleVersion>,
    /// Others to do.
    pub(super) more: Vec<Work>,
}

/// The state of a work that was begun.
#[derive(Default)]
pub(super) struct Early {
    /// Fetched, but not kept.
    pub(super) info: Option<Box<Info>>,
    /// Whole, but not visible.
    pub(super) staged: Option<Box<StagedModule>>,
    /// There will be a report of it.
    pub(super) info_awaited: bool,
    pub(super) zip_awaited: bool,
    /// To be begun once more if it is needed: another process holds the lock, or what was put
    /// together from pieces was wrong.
    pub(super) once_more: Option<ResumeMode>,
    /// It has turned out that the module is not needed.
    pub(super) unneeded: bool,
}
