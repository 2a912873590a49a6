//! `modfetch sum --explain`: the evidence, the verdict, the exit status.

use crate::cache::Cache;
use crate::command::project::find_project;
use crate::command::session::{Manner, Session};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{Evidence, Keep};
use crate::gomod::ModuleVersion;
use crate::report::{Console, Explained};
use crate::trust::{Claim, Part, Said, judge};

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
    config.locked.value = false;
    let manner = Manner {
        fail_fast: false,
        keep: Keep::Nothing,
        ending: None,
    };
    let session = Session::open(&config, console, cache, project.as_ref(), manner)?;
    let evidence = session
        .fetcher()
        .evidence(module, config.go_env.temp_dir())?;
    session.live.clear();
    let zip = judge(Part::Zip, &evidence.zip, evidence.age);
    let gomod = judge(Part::GoMod, &evidence.gomod, evidence.age);
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

fn claims(evidence: &Evidence) -> impl Iterator<Item = &Claim> {
    evidence.zip.iter().chain(&evidence.gomod)
}

fn has_sum(evidence: &Evidence) -> bool {
    claims(evidence).any(|claim| matches!(claim.said, Said::Sum(_)))
}

/// Why nobody had a sum: the gravest reason.
fn silence(evidence: &Evidence) -> Kind {
    let failures = claims(evidence).filter_map(|claim| match &claim.said {
        Said::Failed(error) => Some(error),
        Said::Sum(_) | Said::Nothing(_) => None,
    });
    Error::gravest(failures).unwrap_or(Kind::NotFound)
}
