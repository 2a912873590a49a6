//! One module version: its files, from cache or source, checked.
//!
//! | file | idea |
//! |---|---|
//! | `compute` | the computing half of a zip: check, hash and unpack, then the commit |
//! | `transfer` | the blocking half of a zip: its lock, the second look, the bytes |
//! | `meta` | the two small files, `.info` and `.mod` |
//! | `read_only` | what module caches that are only read have is taken from there first |

mod compute;
mod meta;
mod read_only;
mod transfer;

use std::sync::Arc;

use super::{Run, Want, ZipTap};
use crate::cancel::CancelToken;
use crate::source::Source;

pub(super) use compute::{Finished, StagedModule};
pub(super) use meta::VerifiedGoMod;
pub(super) use transfer::{OnContention, ReadyZip, ResumeMode, Transferred};

/// The files of single module versions, for one run or for a part of one.
#[derive(Clone, Copy)]
pub(super) struct ModuleFiles<'r> {
    pub(super) run: &'r Run,
    /// Where they come from, and what ends the requests for them.
    pub(super) link: &'r Link,
    /// Sees the bytes of zips while they arrive.
    pub(super) tap: Option<&'r dyn ZipTap>,
    /// Zips alone are wanted, whatever the run is about.
    pub(super) zip_alone: bool,
}

impl<'r> ModuleFiles<'r> {
    /// Zips are not extracted, and `tap` sees their bytes.
    pub(super) fn zips_alone(self, tap: Option<&'r dyn ZipTap>) -> ModuleFiles<'r> {
        ModuleFiles {
            tap,
            zip_alone: true,
            ..self
        }
    }

    fn want(self) -> Want {
        match self.zip_alone {
            true => Want::Zip,
            false => self.run.want,
        }
    }
}

/// The source for a run, or for a part of one that can end before the rest.
#[derive(Clone)]
pub(super) struct Link {
    /// Bound to `cancel`.
    pub(super) source: Arc<dyn Source>,
    pub(super) cancel: CancelToken,
}
