//! What the pieces of a module version mean: who is right, who is not, and in which words.

use std::collections::HashSet;
use std::path::Path;

use super::Verifier;
use super::database::{Witness, has};
use super::pieces::{Copy, Pieces};
use super::report::{Leftover, Report, Verdict};
use crate::cache::{Entry, Extracted, Piece, Recorded};
use crate::error::{Error, Kind, Result};
use crate::gomod::{H1, ModuleVersion};
use crate::trust::Part;

impl Verifier<'_> {
    /// Checks one module version.
    pub(super) fn check_one(&self, module: &ModuleVersion) -> Report {
        let mut report = Report::new(module);
        // A path that no cache can have (`tools`, which go.mod replaces by a folder) has nothing.
        let Ok(entry) = self.cache.entry(module) else {
            return report;
        };
        if let Err(error) = self.judge(&entry, &mut report) {
            report.problem(error.kind(), None, &reason(&error, module));
        }
        report
    }

    fn judge(&self, entry: &Entry, report: &mut Report) -> Result<()> {
        let module = entry.module();
        let pieces = Pieces::read(entry)?;
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
        let case = Case {
            entry,
            pieces,
            gosum: gosum(Part::Zip),
            gosum_gomod: gosum(Part::GoMod),
            witness: Witness::ask(self.proof, module),
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
struct Case<'a> {
    entry: &'a Entry,
    pieces: Pieces,
    /// The lines of go.sum, each hash once, in its order.
    gosum: Vec<String>,
    gosum_gomod: Vec<String>,
    witness: Witness,
}

impl Case<'_> {
    /// The sums that zip, directory and ziphash must have: the database is above go.sum.
    fn trusted(&self) -> &[String] {
        let logged = self.witness.zip();
        if logged.is_empty() {
            first(&self.gosum)
        } else {
            logged
        }
    }

    /// Zip and directory, in the order and words of `go mod verify`.
    fn copies(&self, report: &mut Report) {
        let Pieces {
            zip, dir, recorded, ..
        } = &self.pieces;
        report.zip = self.verdict(zip, None);
        report.dir = self.verdict(dir, zip.h1());
        if *recorded == Recorded::Missing && !zip.is_absent() {
            let path = self.entry.ziphash_path();
            let path = path.display();
            let text = format!("missing ziphash: open {path}: no such file or directory");
            report.problem(Kind::Security, Some(Piece::ZipHash), &text);
        }
        self.copy(Piece::Zip, zip, &self.entry.zip_path(), report);
        self.copy(Piece::Dir, dir, self.entry.directory(), report);
    }

    fn verdict(&self, copy: &Copy, other: Option<&H1>) -> Verdict {
        let h1 = match copy {
            Copy::Absent => return Verdict::Absent,
            Copy::Broken(_) => return Verdict::Mismatch,
            Copy::Whole(h1, _) => h1,
        };
        match (self.trusted(), &self.pieces.recorded, other) {
            ([], Recorded::Sum(recorded), _) => Verdict::ok_if(recorded == h1),
            ([], Recorded::Torn, _) => Verdict::Mismatch,
            ([], Recorded::Missing, Some(other)) => Verdict::ok_if(other == h1),
            ([], Recorded::Missing, None) => Verdict::Skipped,
            (trusted, ..) => Verdict::ok_if(has(trusted, h1)),
        }
    }

    fn copy(&self, piece: Piece, copy: &Copy, path: &Path, report: &mut Report) {
        let modified = format!("{} has been modified ({})", piece.noun(), path.display());
        let (verdict, h1) = match copy {
            Copy::Absent => return,
            Copy::Broken(error) => {
                let reason = reason(error, self.entry.module());
                let is_other = piece == Piece::Dir && self.pieces.extracted == Extracted::Other;
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
            Copy::Whole(h1, _) if piece == Piece::Zip => (report.zip, h1),
            Copy::Whole(h1, _) => (report.dir, h1),
        };
        // As go: whatever differs from the ziphash, even where that is the odd one.
        let recorded = match &self.pieces.recorded {
            Recorded::Missing => true,
            Recorded::Torn => false,
            Recorded::Sum(recorded) => recorded == h1,
        };
        if verdict == Verdict::Mismatch || !recorded {
            let text = modified + &self.comparison(self.trusted(), h1);
            report.problem(Kind::Security, Some(piece), &text);
        }
    }

    fn ziphash(&self, report: &mut Report) {
        let Pieces {
            zip, dir, recorded, ..
        } = &self.pieces;
        let trusted = self.trusted();
        report.ziphash = match recorded {
            Recorded::Missing => Verdict::Absent,
            Recorded::Torn if zip.is_absent() && dir.is_absent() => Verdict::Absent,
            Recorded::Torn => Verdict::Mismatch,
            Recorded::Sum(h1) if !trusted.is_empty() => Verdict::ok_if(has(trusted, h1)),
            Recorded::Sum(_) if zip.is_absent() && dir.is_absent() => Verdict::Skipped,
            Recorded::Sum(h1) => Verdict::ok_if([zip, dir].iter().any(|c| c.h1() == Some(h1))),
        };
        let known = !trusted.is_empty() || *recorded == Recorded::Torn;
        if report.ziphash == Verdict::Mismatch && known {
            let path = self.entry.ziphash_path();
            let mut text = format!("ziphash has been modified ({})", path.display());
            if let Recorded::Sum(h1) = recorded {
                text += &self.comparison(trusted, h1);
            }
            report.problem(Kind::Security, Some(Piece::ZipHash), &text);
        }
    }

    /// Names the files of a bad copy that differ from those of a good one.
    fn name_files(&self, report: &mut Report) {
        let (bad, good, piece) = match (report.zip, report.dir) {
            (Verdict::Mismatch, Verdict::Ok) => (&self.pieces.zip, &self.pieces.dir, Piece::Zip),
            (Verdict::Ok, Verdict::Mismatch) => (&self.pieces.dir, &self.pieces.zip, Piece::Dir),
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
    fn gomod(&self, report: &mut Report) {
        let Some(h1) = &self.pieces.gomod else {
            return;
        };
        let logged = self.witness.gomod();
        let trusted = if logged.is_empty() {
            first(&self.gosum_gomod)
        } else {
            logged
        };
        report.gomod = if trusted.is_empty() {
            let good = match (report.zip, report.dir) {
                (Verdict::Ok, _) => self.pieces.zip.contents(),
                (_, Verdict::Ok) => self.pieces.dir.contents(),
                _ => None,
            };
            let inside = good.and_then(|good| good.hash_of("go.mod"));
            inside.map_or(Verdict::Skipped, |hash| {
                Verdict::ok_if(H1::of_hashed_go_mod(hash) == *h1)
            })
        } else {
            Verdict::ok_if(has(trusted, h1))
        };
        if report.gomod == Verdict::Mismatch {
            let path = self.entry.gomod_path();
            let text = format!("go.mod has been modified ({})", path.display());
            let text = text + &self.comparison(trusted, h1);
            report.problem(Kind::Security, Some(Piece::GoMod), &text);
        }
    }

    fn against_gosum(&self, project: bool, report: &mut Report) {
        if !project {
            return;
        }
        report.gosum = self.compare(first(&self.gosum), first(&self.gosum_gomod));
        for (part, recorded) in [(Part::Zip, &self.gosum), (Part::GoMod, &self.gosum_gomod)] {
            if let [used, others @ ..] = &recorded[..]
                && !others.is_empty()
            {
                let key = part.version_key(self.entry.module());
                let others = others.join(", ");
                let text = format!(
                    "go.sum has several sums of {key}\n\tfirst: {used}\n\tothers: {others}"
                );
                report.problem(Kind::Security, None, &text);
                report.gosum = Verdict::Mismatch;
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
        let Recorded::Sum(recorded) = &self.pieces.recorded else {
            return false;
        };
        let copies = [&self.pieces.zip, &self.pieces.dir];
        let alike = |copy: &&Copy| copy.is_absent() || copy.h1() == Some(recorded);
        self.witness.zip().is_empty()
            && !self.gosum.is_empty()
            && !has(first(&self.gosum), recorded)
            && copies.iter().all(alike)
    }

    fn against_database(&self, name: &str, report: &mut Report) {
        report.sumdb = match &self.witness {
            Witness::Unasked => Verdict::Skipped,
            Witness::Unknown => Verdict::Absent,
            Witness::Refused(error) => {
                let text = format!("{name}: {}", error.chain());
                report.problem(error.kind(), None, &text);
                Verdict::Mismatch
            }
            Witness::Sums { zip, gomod } => self.compare(zip, gomod),
        };
        let module = self.entry.module();
        for (part, recorded, logged) in [
            (Part::Zip, &self.gosum, self.witness.zip()),
            (Part::GoMod, &self.gosum_gomod, self.witness.gomod()),
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
                report.gosum = Verdict::Mismatch;
            }
        }
    }

    /// All pieces against one witness.
    fn compare(&self, zip: &[String], gomod: &[String]) -> Verdict {
        let recorded = match &self.pieces.recorded {
            Recorded::Sum(h1) => Some(h1),
            Recorded::Missing | Recorded::Torn => None,
        };
        let broken = |copy: &Copy| matches!(copy, Copy::Broken(_));
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
            true => Verdict::Absent,
            false => Verdict::ok_if(!verdicts.contains(&false)),
        }
    }

    /// Two lines below a mismatch: the sum at hand and the one that was expected.
    fn comparison(&self, trusted: &[String], h1: &H1) -> String {
        match trusted {
            [sum, ..] if !has(trusted, h1) => {
                let by = match self.witness {
                    Witness::Sums { .. } => "sumdb: ",
                    _ => "go.sum:",
                };
                format!("\n\tcached: {h1}\n\t{by} {sum}")
            }
            _ => String::new(),
        }
    }
}

impl Pieces {
    fn hold_anything(&self) -> bool {
        let copies = !self.zip.is_absent() || !self.dir.is_absent();
        copies || self.gomod.is_some() || self.recorded != Recorded::Missing
    }
}

/// What counts of several sums: the first, as in go.
fn first(sums: &[String]) -> &[String] {
    sums.get(..1).unwrap_or_default()
}

fn leftover(pieces: &Pieces) -> Option<Leftover> {
    let Pieces {
        zip,
        dir,
        recorded,
        extracted,
        ..
    } = pieces;
    match (extracted, recorded) {
        (Extracted::Unfinished, _) => Some(Leftover::Unfinished),
        (_, Recorded::Torn) if zip.is_absent() && dir.is_absent() => Some(Leftover::Torn),
        (Extracted::Whole, Recorded::Missing) if zip.is_absent() => Some(Leftover::Unsealed),
        _ => None,
    }
}

/// The text of a failure without the module's name, which stands before it in go's form.
fn reason(error: &Error, module: &ModuleVersion) -> String {
    let text = error.chain();
    let text = text.strip_prefix(&format!("{module}: ")).unwrap_or(&text);
    text.strip_prefix("zip rule broken: ")
        .unwrap_or(text)
        .to_owned()
}
