//! What was found out about one module version.

use crate::cache::EntryPiece;
use crate::error::{Error, Kind};
use crate::gomod::ModuleVersion;
use crate::modzip::Differences;

/// How a piece compares with what vouches for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PieceStatus {
    /// It is what it should be.
    Ok,
    /// It is not.
    Mismatch,
    /// It is not there.
    #[default]
    Absent,
    /// It was not compared: no sum is known, or no comparison was asked for.
    Skipped,
}

impl PieceStatus {
    /// The word in `-json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PieceStatus::Ok => "ok",
            PieceStatus::Mismatch => "mismatch",
            PieceStatus::Absent => "absent",
            PieceStatus::Skipped => "skipped",
        }
    }

    pub(super) fn ok_if(right: bool) -> PieceStatus {
        if right {
            PieceStatus::Ok
        } else {
            PieceStatus::Mismatch
        }
    }
}

/// What an interrupted run leaves; no fault, the next download sees to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftover {
    /// `.partial` marks the directory.
    Unfinished,
    /// A ziphash that was not written to its end, without the zip that would follow it.
    Torn,
    /// A directory without a ziphash: `go` extracts it again.
    Unsealed,
}

impl Leftover {
    /// The word in `-json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Leftover::Unfinished => "unfinished",
            Leftover::Torn => "torn",
            Leftover::Unsealed => "unsealed",
        }
    }

    /// A sentence about it.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        match self {
            Leftover::Unfinished => "extraction was not finished; the next download repeats it",
            Leftover::Torn => "ziphash was not written to its end; the next download repeats it",
            Leftover::Unsealed => "no ziphash beside the directory; the next download repeats it",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct VerifyProblem {
    /// With which piece; `None` if with what vouches for it.
    pub piece: Option<EntryPiece>,
    /// The error, beginning with `PATH VERSION: `.
    pub error: Error,
    /// The files in which it differs from a good copy, if there is one.
    pub files: Option<Differences>,
}

/// The verdicts about one module version.
#[derive(Clone, Debug)]
pub struct VerifyReport {
    /// Which.
    pub module: ModuleVersion,
    /// The zip, by the sum that vouches for it.
    pub zip: PieceStatus,
    /// The directory, by the same.
    pub dir: PieceStatus,
    /// The recorded hash, by the same.
    pub ziphash: PieceStatus,
    /// The go.mod, by its own line of go.sum, or the file in the zip.
    pub gomod: PieceStatus,
    /// All pieces against go.sum; absent if that has no line.
    pub gosum: PieceStatus,
    /// All pieces against the checksum database; absent if that is not in the cache.
    pub sumdb: PieceStatus,
    /// What an interrupted run left.
    pub leftover: Option<Leftover>,
    /// What is wrong, in the order of `go mod verify`.
    pub problems: Vec<VerifyProblem>,
}

impl VerifyReport {
    pub(super) fn new(module: &ModuleVersion) -> VerifyReport {
        VerifyReport {
            module: module.clone(),
            zip: PieceStatus::Absent,
            dir: PieceStatus::Absent,
            ziphash: PieceStatus::Absent,
            gomod: PieceStatus::Absent,
            gosum: PieceStatus::Skipped,
            sumdb: PieceStatus::Skipped,
            leftover: None,
            problems: Vec::new(),
        }
    }

    /// True if nothing of the module is cached.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let pieces = [self.zip, self.dir, self.ziphash, self.gomod];
        let absent = pieces.iter().all(|verdict| *verdict == PieceStatus::Absent);
        absent && self.leftover.is_none() && self.problems.is_empty()
    }

    /// The errors of all problems.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        self.problems.iter().map(|problem| &problem.error)
    }

    /// Notes a problem in go's form, `PATH VERSION: TEXT`.
    pub(super) fn problem(&mut self, kind: Kind, piece: Option<EntryPiece>, text: &str) {
        let (path, version) = (self.module.path(), self.module.version());
        let error = Error::new(kind, format!("{path} {version}: {text}"));
        self.problems.push(VerifyProblem {
            piece,
            error,
            files: None,
        });
    }
}
