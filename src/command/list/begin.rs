//! What `list` refuses before anything is read, in the order of go.
//!
//! Source: golang/go `cmd/go/internal/list/list.go` (`runList`), `work/init.go` (`BuildInit`).

use super::ListRequest;
use crate::config::{Config, GoModSearch, ModMode, ModuleMode, Origin};
use crate::error::{Error, Kind, Reason};
use crate::gotemplate::Template;
use crate::list::Extras;

/// What the run begins with.
pub(super) struct ListStart {
    /// `-mod`, if the flag or GOFLAGS has it.
    pub(super) asked: Option<ModMode>,
    /// `-f`.
    pub(super) template: Option<Template>,
}

/// A failure, and whether the name of the program stands before it.
pub(super) enum ListRefusal {
    /// As in `go: list -m ...`.
    Named(Error),
    /// As in `go list ...`.
    Nameless(Error),
}

impl From<Error> for ListRefusal {
    fn from(error: Error) -> ListRefusal {
        ListRefusal::Named(error)
    }
}

/// Reads `-mod` and the template, and refuses what makes no sense; `name` is the program's.
///
/// # Errors
/// In go's words.
pub(super) fn begin(
    config: &Config,
    request: &ListRequest,
    name: &str,
) -> Result<ListStart, ListRefusal> {
    let nameless = |text: String| ListRefusal::Nameless(Error::new(Kind::Usage, text));
    let refuse = |text: &str| Err(nameless(format!("{name} list {text}")));
    if request.template.is_some() && request.json.is_some() {
        return refuse("-f cannot be used with -json");
    }
    if !request.modules {
        let Extras {
            update, versions, ..
        } = request.extras;
        if request.reuse.is_some() {
            return refuse("-reuse cannot be used without -m");
        } else if update {
            return refuse("-u can only be used with -m");
        } else if versions {
            return refuse("-versions can only be used with -m");
        }
        let text = "list without -m is not supported: packages are not loaded";
        let named = match &*request.arguments {
            [] => "all".to_owned(),
            modules => modules.join(" "),
        };
        let hint = format!("list modules: {name} list -m {named}");
        let error = Error::new(Kind::Usage, text).hint(hint);
        return Err(ListRefusal::Named(error));
    }
    let off = config.go111module.value == ModuleMode::Off;
    if request.reuse.is_some() && !off {
        // In a workspace go looks for no go.mod before this.
        let found = matches!(config.mod_file(), GoModSearch::Found(_));
        if found && config.work_file()?.is_none() {
            return refuse("-reuse cannot be used inside a module");
        }
    }
    let asked = config.mod_mode().map_err(|error| match error.reason() {
        Some(Reason::ModFlag) => ListRefusal::Nameless(error),
        _ => ListRefusal::Named(error),
    })?;
    if let Some(asked) = &asked
        && off
        && matches!(asked.origin, Origin::Flag(_))
    {
        let mode = asked.value.as_str();
        let text = format!("build flag -mod={mode} only valid when using modules");
        return Err(nameless(text));
    }
    let cache = config.gomodcache.value.as_path();
    if let Some(file) = config.overlay.touches(cache) {
        let (file, cache) = (file.display(), cache.display());
        let text = format!(
            "overlay contains a replacement for {file}. Files beneath GOMODCACHE ({cache}) must not \
             be replaced."
        );
        return Err(ListRefusal::Named(Error::new(Kind::Input, text)));
    }
    let asked = asked.map(|asked| asked.value);
    let template = request.template.as_deref().map(Template::parse);
    let template = template.transpose().map_err(ListRefusal::Nameless)?;
    if request.extras.retracted && asked == Some(ModMode::Vendor) {
        return refuse("-retracted cannot be used when vendoring is enabled");
    }
    if request.extras.retracted && off {
        return refuse("-retracted can only be used in module-aware mode");
    }
    if let Some(flag) = request.package_flags.first() {
        return refuse(&format!("-{flag} cannot be used with -m"));
    }
    if off {
        let origin = &config.go111module.origin;
        let error = Error::new(Kind::Input, "list -m cannot be used with GO111MODULE=off");
        return Err(ListRefusal::Named(
            error.hint(format!("GO111MODULE is set {origin}")),
        ));
    }
    Ok(ListStart { asked, template })
}
