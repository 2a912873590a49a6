//! The main module of a run, and what is worth a word about it.

use super::queries::Queries;
use crate::config::{Config, GoMod, ModuleMode};
use crate::error::{Error, Kind, Result};
use crate::modset::Project;
use crate::module::GoVersion;
use crate::report::Console;

/// Finds and reads the main module, and says what is odd about it.
pub(super) fn find_project(config: &Config, console: &Console) -> Result<Option<Project>> {
    if config.go111module.value == ModuleMode::Off {
        let text = "modules disabled by GO111MODULE=off; see 'go help modules'";
        let origin = &config.go111module.origin;
        return Err(Error::new(Kind::Input, text).hint(format!("GO111MODULE is set {origin}")));
    }
    if let Some(work) = config.work_file()? {
        let text = format!("workspaces are not supported yet: found {}", work.display());
        return Err(
            Error::new(Kind::Other, text).hint("set GOWORK=off to work on the module alone")
        );
    }
    let modfile = config
        .modfile
        .as_ref()
        .map(|setting| setting.value.as_path());
    let found = match config.mod_file() {
        GoMod::Found(found) => found,
        GoMod::InTempRoot(_) | GoMod::Missing if modfile.is_some() => {
            let text = "cannot find main module, but -modfile was set.\n\t-modfile cannot be \
                        used to set the module root directory.";
            return Err(Error::new(Kind::Usage, text));
        }
        GoMod::InTempRoot(dir) => {
            let dir = dir.display();
            console.note(&format!(
                "warning: ignoring go.mod in system temp root {dir}"
            ));
            return Ok(None);
        }
        GoMod::Missing => return Ok(None),
    };
    let mut queries = Queries::new(config, console);
    let mut query = |path: &str, text: &str| queries.answer(path, text);
    let project = Project::read_with(&found, modfile, &config.cwd, &mut query)?;
    for module in project.excluded_requirements() {
        let (path, version) = (module.path(), module.version());
        console.note(&format!(
            "dropping requirement on excluded version {path} {version}"
        ));
    }
    if let Some(line) = &project.modfile().go
        && line.version.is_newer_than_known()
    {
        let (file, version) = (found.display(), &line.version);
        let known = GoVersion::NEWEST_KNOWN;
        console.note(&format!(
            "warning: {file} says go {version}; the rules of go {known} are applied"
        ));
    }
    Ok(Some(project))
}
