//! `audit --moved`: whether a tag still has what was logged of it.
//!
//! A proxy keeps what it has fetched once, so a tag that was moved afterwards goes unnoticed: what one reads in the repository is
//! not what is built. Each module is fetched from its repository anew, into a folder that is removed afterwards, because a clone that is kept
//! has the old tag.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use crate::audit::{AuditFinding, FindingKind};
use crate::cache::Cache;
use crate::command::session::{Session, SessionOptions};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{Keep, Run, SumExaminer};
use crate::gomod::ModuleVersion;
use crate::modzip::remove_tree;
use crate::report::Console;
use crate::trust::{Logged, SumPart};

/// A module with the h1 that it had, and the name of what says so.
pub(super) struct RecordedSum {
    module: ModuleVersion,
    sum: String,
    source: String,
}

/// What the database has logged of these modules, and what go.sum has of those that are exempt.
///
/// # Errors
/// The first that the database does not answer for.
pub(super) fn recorded_sums(
    session: &Session<'_>,
    run: &Run,
    modules: &[ModuleVersion],
) -> Result<Vec<RecordedSum>> {
    let sums = &session.sums;
    let found = run.for_each(
        modules,
        |_| None,
        |module| match sums.logged(module, SumPart::Zip)? {
            Logged::Sum(h1) => Ok(Some((h1.to_string(), sums.database_name().to_owned()))),
            Logged::Exempt | Logged::Off => {
                let sum = sums.record(module, SumPart::Zip);
                Ok(sum.map(|sum| (sum, "go.sum".to_owned())))
            }
        },
    )?;
    let mut recorded = Vec::new();
    for (module, found) in modules.iter().zip(found) {
        if let Some((sum, source)) = found? {
            let module = module.clone();
            recorded.push(RecordedSum {
                module,
                sum,
                source,
            });
        }
    }
    Ok(recorded)
}

/// Compares them with what the repositories have now. Repositories that cannot be asked are failures, and the others are compared.
///
/// # Errors
/// What keeps all of them from being asked.
pub(super) fn findings(
    config: &Config,
    console: &Console,
    recorded: &[RecordedSum],
) -> Result<(Vec<AuditFinding>, Vec<Error>)> {
    let scratch = ScratchFolder::below(config.go_env.temp_dir())?;
    let mut config = config.clone();
    "direct".clone_into(&mut config.goproxy.value);
    config.gomodcache.value.clone_from(&scratch.path);
    let session = SessionOptions::new(&config, console, Cache::at(&scratch.path)?)
        .keep(Keep::Nothing)
        .open()?;
    let run = session.run(session.options());
    let modules: Vec<&ModuleVersion> = recorded.iter().map(|one| &one.module).collect();
    let hashes = SumExaminer::new(&run).served_hashes(&modules, &scratch.path);
    session.settle(&run);
    let (mut findings, mut failures) = (Vec::new(), Vec::new());
    for (one, hash) in recorded.iter().zip(hashes?) {
        let RecordedSum {
            module,
            sum,
            source,
        } = one;
        let finding = |summary| AuditFinding::of(FindingKind::Moved, module, summary);
        match hash {
            Ok(h1) if h1.as_str() == sum => {}
            Ok(h1) => findings.push(finding(format!(
                "the repository has {h1} today, {source} has {sum}"
            ))),
            Err(error) if matches!(error.kind(), Kind::NotFound) => {
                let cause = error.chain();
                let cause = cause.lines().next().unwrap_or_default();
                findings.push(finding(format!(
                    "the repository does not have it today: {cause}"
                )));
            }
            Err(error) => failures.push(error.about(module)),
        }
    }
    Ok((findings, failures))
}

/// A folder that is removed with everything in it.
struct ScratchFolder {
    path: PathBuf,
}

impl ScratchFolder {
    fn below(parent: &Path) -> Result<ScratchFolder> {
        let number = RandomState::new().hash_one(0);
        let path = parent.join(format!("modfetch-moved-{number:016x}"));
        // Not one that is there: another user could have made it.
        fs::create_dir(&path).map_err(|cause| Error::io("cannot create", &path, cause))?;
        Ok(ScratchFolder { path })
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // Nothing reads it any more; what cannot be removed is a leftover in a temporary folder.
        let _ = remove_tree(&self.path);
    }
}
