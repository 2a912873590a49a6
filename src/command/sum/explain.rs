//! `modfetch sum --explain`: the evidence, the verdict, the exit status.

use crate::cache::Cache;
use crate::command::project::find_project;
use crate::command::session::SessionOptions;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{HashEvidence, Keep, SumExaminer};
use crate::gomod::ModuleVersion;
use crate::report::{Console, Explained};
use crate::trust::{HashReport, ReportedHash, SumPart, find_mismatch};

/// Hears everybody about `module` and prints what they say.
///
/// # Errors
/// What keeps it from asking at all.
pub(super) fn run(
    config: &Config,
    console: &Console,
    module: &ModuleVersion,
) -> Result<Option<Kind>> {
    let cache = Cache::at(&config.gomodcache.value)?;
    let project = find_project(config, console)?;
    // The database is to be asked whatever go.sum may become.
    let mut config = config.clone();
    config.download.locked.value = false;
    let session = SessionOptions::new(&config, console, cache)
        .project(project.as_ref())
        .keep(Keep::Nothing)
        .open()?;
    let run = session.run(session.options());
    let evidence = SumExaminer::new(&run).evidence(module, config.go_env.temp_dir())?;
    session.progress.clear();
    let zip = find_mismatch(SumPart::Zip, &evidence.zip, evidence.age);
    let gomod = find_mismatch(SumPart::GoMod, &evidence.gomod, evidence.age);
    let kind = if zip.is_some() || gomod.is_some() {
        Some(Kind::Security)
    } else if has_sum(&evidence) {
        None
    } else {
        Some(silence(&evidence))
    };
    let state = match kind {
        None => "agree",
        Some(Kind::Security) => "disagree",
        Some(_) => "unknown",
    };
    let explained = Explained {
        module,
        evidence: &evidence,
        zip,
        gomod,
        state,
    };
    console.data(&match config.json.value {
        true => explained.json().indented() + "\n",
        false => explained.text(),
    })?;
    Ok(kind)
}

fn claims(evidence: &HashEvidence) -> impl Iterator<Item = &ReportedHash> {
    evidence.zip.iter().chain(&evidence.gomod)
}

fn has_sum(evidence: &HashEvidence) -> bool {
    claims(evidence).any(|claim| matches!(claim.report, HashReport::Sum(_)))
}

/// Why there is no sum: the gravest reason.
fn silence(evidence: &HashEvidence) -> Kind {
    let failures = claims(evidence).filter_map(|claim| match &claim.report {
        HashReport::Failed(error) => Some(error),
        HashReport::Sum(_) | HashReport::Absent(_) => None,
    });
    Error::gravest(failures).unwrap_or(Kind::NotFound)
}
