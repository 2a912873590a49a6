//! What the pieces of a module version mean: who is right, who is not, and in which words.

use std::collections::HashSet;
use std::path::Path;

use super::Verifier;
use super::database::{DatabaseSums, has};
use super::pieces::{CachedPieces, ModuleCopy};
use super::report::{Leftover, PieceStatus, VerifyReport};
use crate::cache::{CacheEntry, EntryPiece, Extracted, RecordedHash};
use crate::error::{Error, Kind, Result, Subject};
use crate::gomod::{H1, ModuleVersion};
use crate::trust::SumPart;

impl Verifier<'_> {
    /// Checks one module version.
    pub(super) fn check_one(&self, module: &ModuleVersion) -> VerifyReport {
        let mut report = VerifyReport::new(module);
        // A path that no cache can have (`tools`, which go.mod replaces by a folder) has nothing.
        let Ok(entry) = self.cache.entry(module) else {
            return report;
        };
        if let Err(error) = self.judge(&entry, &mut report) {
            report.problem(error.kind(), None, &reason(&error, module));
        }
        report
    }

    fn judge(&self, entry: &CacheEntry, report: &mut VerifyReport) -> Result<()> {
        let module = entry.module();
        let pieces = CachedPieces::read(entry)?;
        report.leftover = leftover(&pieces);
        if !pieces.hold_anything() {
            return Ok(());
        }
        let gosum = |part| -> Vec<String> {
            let lines = self.sums.map(|sums| sums.recorded(module, part));
            let mut known: Vec<String> = lines.into_iter().flatten().collect();
            known.retain(|sum| sum.starts_with("h1:"));
            let mut seen = HashSet::new();
            known.retain(|sum| seen.insert(sum.clone()));
            known
        };
        let case = VerifyCase {
            entry,
            pieces,
            gosum: gosum(SumPart::Zip),
            gosum_gomod: gosum(SumPart::GoMod),
            logged: DatabaseSums::ask(self.proof, module),
        };
        case.copies(report);
        case.ziphash(report);
        case.name_files(report);
        case.gomod(report);
        case.against_gosum(self.sums.is_some(), report);
        if let Some(proof) = self.proof {
            case.against_database(proof.client.name(), report);
        }
        Ok(())
    }
}

/// One module version, everything about it having been read.
struct VerifyCase<'a> {
    entry: &'a CacheEntry,
    pieces: CachedPieces,
    /// The lines of go.sum, each hash once, in its order.
    gosum: Vec<String>,
    gosum_gomod: Vec<String>,
    logged: DatabaseSums,
}

impl VerifyCase<'_> {
    /// The sums that zip, directory and ziphash must have: the database is above go.sum.
    fn trusted(&self) -> &[String] {
        let logged = self.logged.zip();
        if logged.is_empty() {
            first(&self.gosum)
        } else {
            logged
        }
    }

    /// Zip and directory, in the order and words of `go mod verify`.
    fn copies(&self, report: &mut VerifyReport) {
        let CachedPieces {
            zip, dir, recorded, ..
        } = &self.pieces;
        report.zip = self.verdict(zip, None);
        report.dir = self.verdict(dir, zip.h1());
        if *recorded == RecordedHash::Missing && !zip.is_absent() {
            let path = self.entry.ziphash_path();
            let path = path.display();
            let text = format!("missing ziphash: open {path}: no such file or directory");
            report.problem(Kind::Security, Some(EntryPiece::ZipHash), &text);
        }
        self.copy(EntryPiece::Zip, zip, &self.entry.zip_path(), report);
        self.copy(EntryPiece::Dir, dir, self.entry.directory(), report);
    }

    fn verdict(&self, copy: &ModuleCopy, other: Option<&H1>) -> PieceStatus {
        let h1 = match copy {
            ModuleCopy::Absent => return PieceStatus::Absent,
            ModuleCopy::Broken(_) => return PieceStatus::Mismatch,
            ModuleCopy::Whole(h1, _) => h1,
        };
        match (self.trusted(), &self.pieces.recorded, other) {
            ([], RecordedHash::Sum(recorded), _) => PieceStatus::ok_if(recorded == h1),
            ([], RecordedHash::Torn, _) => PieceStatus::Mismatch,
            ([], RecordedHash::Missing, Some(other)) => PieceStatus::ok_if(other == h1),
            ([], RecordedHash::Missing, None) => PieceStatus::Skipped,
            (trusted, ..) => PieceStatus::ok_if(has(trusted, h1)),
        }
    }

    fn copy(&self, piece: EntryPiece, copy: &ModuleCopy, path: &Path, report: &mut VerifyReport) {
        let modified = format!("{} has been modified ({})", piece.noun(), path.display());
        let (verdict, h1) = match copy {
            ModuleCopy::Absent => return,
            ModuleCopy::Broken(error) => {
                let reason = reason(error, self.entry.module());
                let is_other =
                    piece == EntryPiece::Dir && self.pieces.extracted == Extracted::Other;
                let (kind, text) = match error.kind() {
                    Kind::LocalIo if is_other => {
                        (Kind::Security, format!("{modified}: not a directory"))
                    }
                    Kind::Differs => (Kind::Security, reason),
                    kind => (kind, reason),
                };
                report.problem(kind, Some(piece), &text);
                return;
            }
            ModuleCopy::Whole(h1, _) if piece == EntryPiece::Zip => (report.zip, h1),
            ModuleCopy::Whole(h1, _) => (report.dir, h1),
        };
        // As go: whatever differs from the ziphash, even where that is the odd one.
        let recorded = match &self.pieces.recorded {
            RecordedHash::Missing => true,
            RecordedHash::Torn => false,
            RecordedHash::Sum(recorded) => recorded == h1,
        };
        if verdict == PieceStatus::Mismatch || !recorded {
            let text = modified + &self.comparison(self.trusted(), h1);
            report.problem(Kind::Security, Some(piece), &text);
        }
    }

    fn ziphash(&self, report: &mut VerifyReport) {
        let CachedPieces {
            zip, dir, recorded, ..
        } = &self.pieces;
        let trusted = self.trusted();
        report.ziphash = match recorded {
            RecordedHash::Missing => PieceStatus::Absent,
            RecordedHash::Torn if zip.is_absent() && dir.is_absent() => PieceStatus::Absent,
            RecordedHash::Torn => PieceStatus::Mismatch,
            RecordedHash::Sum(h1) if !trusted.is_empty() => PieceStatus::ok_if(has(trusted, h1)),
            RecordedHash::Sum(_) if zip.is_absent() && dir.is_absent() => PieceStatus::Skipped,
            RecordedHash::Sum(h1) => {
                PieceStatus::ok_if([zip, dir].iter().any(|c| c.h1() == Some(h1)))
            }
        };
        let known = !trusted.is_empty() || *recorded == RecordedHash::Torn;
        if report.ziphash == PieceStatus::Mismatch && known {
            let path = self.entry.ziphash_path();
            let mut text = format!("ziphash has been modified ({})", path.display());
            if let RecordedHash::Sum(h1) = recorded {
                text += &self.comparison(trusted, h1);
            }
            report.problem(Kind::Security, Some(EntryPiece::ZipHash), &text);
        }
    }

    /// Names the files of a bad copy that differ from those of a good one.
    fn name_files(&self, report: &mut VerifyReport) {
        let (bad, good, piece) = match (report.zip, report.dir) {
            (PieceStatus::Mismatch, PieceStatus::Ok) => {
                (&self.pieces.zip, &self.pieces.dir, EntryPiece::Zip)
            }
            (PieceStatus::Ok, PieceStatus::Mismatch) => {
                (&self.pieces.dir, &self.pieces.zip, EntryPiece::Dir)
            }
            _ => return,
        };
        if let (Some(bad), Some(good)) = (bad.contents(), good.contents()) {
            let mut problems = report.problems.iter_mut();
            if let Some(problem) = problems.find(|problem| problem.piece == Some(piece)) {
                problem.files = Some(bad.differences(good));
            }
        }
    }

    /// The go.mod against its line; where there is none, against the file of a good copy.
    fn gomod(&self, report: &mut VerifyReport) {
        let Some(h1) = &self.pieces.gomod else {
            return;
        };
        let logged = self.logged.gomod();
        let trusted = if logged.is_empty() {
            first(&self.gosum_gomod)
        } else {
            logged
        };
        report.gomod = if trusted.is_empty() {
            let good = match (report.zip, report.dir) {
                (PieceStatus::Ok, _) => self.pieces.zip.contents(),
                (_, PieceStatus::Ok) => self.pieces.dir.contents(),
                _ => None,
            };
            let inside = good.and_then(|good| good.hash_of("go.mod"));
            inside.map_or(PieceStatus::Skipped, |hash| {
                PieceStatus::ok_if(H1::of_hashed_go_mod(hash) == *h1)
            })
        } else {
            PieceStatus::ok_if(has(trusted, h1))
        };
        if report.gomod == PieceStatus::Mismatch {
            let path = self.entry.gomod_path();
            let text = format!("go.mod has been modified ({})", path.display());
            let text = text + &self.comparison(trusted, h1);
            report.problem(Kind::Security, Some(EntryPiece::GoMod), &text);
        }
    }

    fn against_gosum(&self, project: bool, report: &mut VerifyReport) {
        if !project {
            return;
        }
        report.gosum = self.compare(first(&self.gosum), first(&self.gosum_gomod));
        for (part, recorded) in [
            (SumPart::Zip, &self.gosum),
            (SumPart::GoMod, &self.gosum_gomod),
        ] {
            if let [used, others @ ..] = &recorded[..]
                && !others.is_empty()
            {
                let key = part.version_key(self.entry.module());
                let others = others.join(", ");
                let text = format!(
                    "go.sum has several sums of {key}\n\tfirst: {used}\n\tothers: {others}"
                );
                report.problem(Kind::Security, None, &text);
                report.gosum = PieceStatus::Mismatch;
            }
        }
        let alike = self.odd_one_may_be_go_sum();
        if let Some(problem) = report.problems.last_mut().filter(|_| alike) {
            problem.error = problem.error.clone().hint(
                "what is cached agrees with itself and not with go.sum: either all of it was \
                 altered, or go.sum was",
            );
        }
    }

    /// True if zip, directory and ziphash, as far as they are there, have one sum that go.sum has
    /// not, and go.sum is all there is to go by.
    fn odd_one_may_be_go_sum(&self) -> bool {
        let RecordedHash::Sum(recorded) = &self.pieces.recorded else {
            return false;
        };
        let copies = [&self.pieces.zip, &self.pieces.dir];
        let alike = |copy: &&ModuleCopy| copy.is_absent() || copy.h1() == Some(recorded);
        self.logged.zip().is_empty()
            && !self.gosum.is_empty()
            && !has(first(&self.gosum), recorded)
            && copies.iter().all(alike)
    }

    fn against_database(&self, name: &str, report: &mut VerifyReport) {
        report.sumdb = match &self.logged {
            DatabaseSums::Unasked => PieceStatus::Skipped,
            DatabaseSums::Unknown => PieceStatus::Absent,
            DatabaseSums::Refused(error) => {
                let text = format!("{name}: {}", error.chain());
                report.problem(error.kind(), None, &text);
                PieceStatus::Mismatch
            }
            DatabaseSums::Sums { zip, gomod } => self.compare(zip, gomod),
        };
        let module = self.entry.module();
        for (part, recorded, logged) in [
            (SumPart::Zip, &self.gosum, self.logged.zip()),
            (SumPart::GoMod, &self.gosum_gomod, self.logged.gomod()),
        ] {
            // More than one is possible, and each of them lets something through.
            let unknown = recorded.iter().find(|sum| !logged.contains(sum));
            if let (Some(unknown), [log, ..]) = (unknown, logged) {
                let key = part.version_key(module);
                let text = format!(
                    "go.sum is not what {name} has logged of {key}\n\tgo.sum: {unknown}\n\t{name}: \
                     {log}"
                );
                report.problem(Kind::Security, None, &text);
                report.gosum = PieceStatus::Mismatch;
            }
        }
    }

    /// All pieces against one witness.
    fn compare(&self, zip: &[String], gomod: &[String]) -> PieceStatus {
        let recorded = match &self.pieces.recorded {
            RecordedHash::Sum(h1) => Some(h1),
            RecordedHash::Missing | RecordedHash::Torn => None,
        };
        let broken = |copy: &ModuleCopy| matches!(copy, ModuleCopy::Broken(_));
        let copies = [&self.pieces.zip, &self.pieces.dir];
        let mut verdicts = Vec::new();
        if !zip.is_empty() {
            let sums = copies.iter().filter_map(|copy| copy.h1()).chain(recorded);
            verdicts.extend(sums.map(|h1| has(zip, h1)));
            verdicts.extend(copies.iter().filter(|copy| broken(copy)).map(|_| false));
        }
        if let Some(h1) = self.pieces.gomod.as_ref().filter(|_| !gomod.is_empty()) {
            verdicts.push(has(gomod, h1));
        }
        match verdicts.is_empty() {
            true => PieceStatus::Absent,
            false => PieceStatus::ok_if(!verdicts.contains(&false)),
        }
    }

    /// Two lines below a mismatch: the sum at hand and the one that was expected.
    fn comparison(&self, trusted: &[String], h1: &H1) -> String {
        match trusted {
            [sum, ..] if !has(trusted, h1) => {
                let by = match self.logged {
                    DatabaseSums::Sums { .. } => "sumdb: ",
                    _ => "go.sum:",
                };
                format!("\n\tcached: {h1}\n\t{by} {sum}")
            }
            _ => String::new(),
        }
    }
}

impl CachedPieces {
    fn hold_anything(&self) -> bool {
        let copies = !self.zip.is_absent() || !self.dir.is_absent();
        copies || self.gomod.is_some() || self.recorded != RecordedHash::Missing
    }
}

/// What counts of several sums: the first, as in go.
fn first(sums: &[String]) -> &[String] {
    sums.get(..1).unwrap_or_default()
}

fn leftover(pieces: &CachedPieces) -> Option<Leftover> {
    let CachedPieces {
        zip,
        dir,
        recorded,
        extracted,
        ..
    } = pieces;
    match (extracted, recorded) {
        (Extracted::Unfinished, _) => Some(Leftover::Unfinished),
        (_, RecordedHash::Torn) if zip.is_absent() && dir.is_absent() => Some(Leftover::Torn),
        (Extracted::Whole, RecordedHash::Missing) if zip.is_absent() => Some(Leftover::Unsealed),
        _ => None,
    }
}

/// The text of a failure without the module's name, which stands before it in go's form.
fn reason(error: &Error, module: &ModuleVersion) -> String {
    let text = match error.subject() {
        Some(subject) if *subject == Subject::from(module) => {
            error.clone().without_subject().chain()
        }
        _ => error.chain(),
    };
    text.strip_prefix("zip rule broken: ")
        .unwrap_or(&text)
        .to_owned()
}
