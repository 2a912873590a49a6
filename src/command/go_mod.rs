//! Writing go.mod, where `go` would.
//!
//! Source: golang/go `cmd/go/internal/modload/init.go`, `commitRequirements`.

use crate::cache::Cache;
use crate::error::{Error, Kind, Result};
use crate::fsio::{NewText, rewrite};
use crate::gomod::{ActingVersion, GoVersion};
use crate::graph::{Requirements, Update};
use crate::project::Project;

/// Writes go.mod if what it says is not what the main module requires: under its lock, and under
/// go's lock for such edits if the cache lets us have it.
///
/// # Errors
/// [`Kind::Differs`] if `locked` or if another file stands in for it, and nothing is written; [`Kind::Other`] if another process has changed
/// the file since it was read; [`Kind::LocalIo`] or [`Kind::LockTimeout`], and it is as it was.
pub(super) fn commit(
    cache: &Cache,
    project: &Project,
    requirements: &Requirements,
    locked: bool,
) -> Result<()> {
    if project.workspace().is_some() {
        // go.mod files are not written in a workspace.
        return Ok(());
    }
    let go = GoVersion::parse(&requirements.go());
    let acting = project.running().map(ActingVersion::version);
    if go.zip(acting).is_some_and(|(go, acting)| go > *acting) {
        // A newer go would write it, by rules that are not known here.
        return Ok(());
    }
    let Some(update) = Update::of(project, requirements) else {
        return Ok(());
    };
    if locked {
        let text = "updates to go.mod needed, disabled by --locked; to update it:\n\tgo mod tidy";
        return Err(Error::new(Kind::Differs, text));
    }
    if project.overlay().replaces(project.file()) {
        let text =
            "updates to go.mod needed, but go.mod is part of the overlay specified with -overlay";
        return Err(Error::new(Kind::Differs, text));
    }
    let text = update.apply(project)?;
    let updating = |error: Error| error.context("updating go.mod");
    let _side_lock = match cache.side_lock() {
        Err(error) if error.kind() == Kind::LockTimeout => return Err(updating(error)),
        lock => lock.ok(),
    };
    let steps = ["mod-grown", "mod-written"];
    rewrite(cache.locks(), project.file(), steps, |now| {
        // Another process may have made the same change.
        if now == text {
            return Ok(None);
        }
        if now != project.main().data() {
            let text = "existing contents have changed since last read";
            return Err(Error::new(Kind::Other, text).hint("run it again"));
        }
        Ok(Some(NewText::padded(now, text)))
    })
    .map_err(updating)
}
