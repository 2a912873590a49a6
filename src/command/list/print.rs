//! What `list` has found, printed.

use super::ListRequest;
use crate::error::{Error, Kind, Result};
use crate::gotemplate::{Template, Value};
use crate::list::{ModuleInfo, gravest};
use crate::report::{Console, group_by_host, module_json};

/// What was found, and why there may be more to say.
pub(super) struct ModuleListing {
    /// A module each.
    pub(super) infos: Vec<ModuleInfo>,
    /// What is wrong with the whole.
    pub(super) broken: Option<Error>,
}

/// Tells what is wrong and, if that is nothing or does not matter, prints the modules. Something else may
/// have been `reported` already.
///
/// # Errors
/// That nothing can be printed.
pub(super) fn finish(
    listing: &ModuleListing,
    told: Option<Kind>,
    request: &ListRequest,
    template: Option<&Template>,
    console: &Console,
) -> Result<Option<Kind>> {
    let ModuleListing { infos, broken } = listing;
    if !request.lenient {
        let subject = |info: &ModuleInfo| format!("{}@{}", info.path, info.version);
        let failed = infos
            .iter()
            .filter_map(|info| Some((subject(info), info.error.clone()?)));
        let whole = broken
            .iter()
            .map(|error| ("the module graph".to_owned(), error.clone()));
        let failures: Vec<(String, Error)> = failed.chain(whole).collect();
        for error in group_by_host(&failures) {
            console.error(&error);
        }
        let broken = broken.as_ref().map(Error::kind);
        let kinds = gravest(infos).into_iter().chain(broken).chain(told);
        if let Some(kind) = kinds.min_by_key(|kind| kind.rank()) {
            return Ok(Some(kind));
        }
    }
    Ok(print(infos, request, template, console)?.or(told))
}

/// Prints what was found; what a template has made up to its failure is printed, too.
fn print(
    infos: &[ModuleInfo],
    request: &ListRequest,
    template: Option<&Template>,
    console: &Console,
) -> Result<Option<Kind>> {
    let mut out = String::new();
    let mut failed = None;
    for info in infos {
        match (template, &request.json) {
            (Some(template), _) => {
                if let Err(error) = template.render(&Value::Object(info), &mut out) {
                    failed = Some(error);
                    break;
                }
            }
            (None, Some(fields)) => out.push_str(&module_json(info, fields).indented()),
            (None, None) if request.extras.versions => out.push_str(&info.versions_line()),
            (None, None) => out.push_str(&info.to_string()),
        }
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
    }
    console.data(&out)?;
    Ok(failed.map(|error| {
        console.finding(&error);
        error.kind()
    }))
}
