//! `modfetch sum --explain`: the evidence, the verdict, the exit status.

use std::sync::Arc;

use super::network::{Network, live_settings};
use super::project::find_project;
use crate::cache::Cache;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{Evidence, FetchSettings, Fetcher};
use crate::module::ModuleVersion;
use crate::report::{Console, Explained, Live};
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
    let live = Arc::new(Live::start(live_settings(&config)));
    let network = Network::new(&config, &live)?;
    let sums = network.sum_policy(&config, project.as_ref())?;
    let source = network.source(&config);
    let settings = FetchSettings {
        jobs: config.jobs.value,
        writable: false,
        fail_fast: false,
        store: false,
    };
    let fetcher = Fetcher::new(&cache, source.as_ref(), &sums, &*live, settings);
    let evidence = fetcher.evidence(module, config.go_env.temp_dir())?;
    live.clear();
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
