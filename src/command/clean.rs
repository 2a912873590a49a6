//! `modfetch clean -modcache`: removes the module cache.

use std::sync::Arc;

use super::network::live_settings;
use super::project::no_project;
use crate::cache::Cache;
use crate::cli::RawArgs;
use crate::config::{Config, GoMod};
use crate::error::{Error, Kind, Result};
use crate::fsio::{LockWatch, Locks};
use crate::report::{Console, Live};

/// What was asked for, beside the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// `-n`: print the command and do nothing.
    dry_run: bool,
    /// `-x`: print the command.
    told: bool,
    /// `-r` or `-i`.
    about_packages: Option<&'static str>,
}

impl Request {
    /// Understands what was typed.
    ///
    /// # Errors
    /// [`Kind::Usage`] for arguments, and where `-modcache` is missing: `go` would clean packages.
    pub fn of(raw: &RawArgs) -> Result<Request> {
        let refuse = |text: &str| Err(Error::new(Kind::Usage, text));
        if !raw.modcache {
            let text = "clean cleans -modcache only: packages and other caches are go's";
            return Err(Error::new(Kind::Usage, text)
                .hint("'modfetch clean -modcache' removes the module cache"));
        }
        if !raw.args.is_empty() {
            return refuse("clean -modcache cannot be used with package arguments");
        }
        let packages = [("-r", raw.r), ("-i", raw.i)];
        Ok(Request {
            dry_run: raw.n,
            told: raw.n || raw.x,
            about_packages: packages
                .iter()
                .find(|(_, given)| *given)
                .map(|(name, _)| *name),
        })
    }
}

/// Runs the command.
///
/// # Errors
/// [`Kind::Input`] if GOMODCACHE cannot be a module cache; [`Kind::LocalIo`] if something cannot be
/// removed; [`Kind::LockTimeout`] if somebody who was filling the cache does not end.
pub fn run(config: &Config, console: &Console, request: Request) -> Result<Option<Kind>> {
    // As go: a GOWORK that makes no sense is refused, whatever is to be done.
    config.work_file()?;
    if let Some(flag) = request.about_packages {
        // go loads packages for it, and says so first where there are none.
        if !matches!(config.mod_file(), GoMod::Found(_)) {
            return Err(no_project());
        }
        let text = format!("clean {flag} is about packages, of which modfetch knows nothing");
        return Err(Error::new(Kind::Usage, text).hint(format!("leave {flag} out")));
    }
    let root = &config.gomodcache.value;
    let live = Arc::new(Live::start(live_settings(config)));
    let watch = Arc::clone(&live) as Arc<dyn LockWatch>;
    let locks = Locks::new(config.lock_timeout.value, watch);
    let cache = Cache::at(root)?.with_locks(locks);
    if request.told || config.x.value {
        console.data(&format!("rm -rf {}\n", root.display()))?;
    }
    if !request.dry_run {
        cache.clear()?;
    }
    Ok(None)
}
