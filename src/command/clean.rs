//! `modfetch clean -modcache`: removes the module cache.

use std::sync::Arc;

use super::definition::{Command, Runner};
use super::network::progress_settings;
use super::project::no_project;
use crate::cache::Cache;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, RawArgs, flags};
use crate::config::{Config, GoModSearch};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, EventSink};
use crate::fsio::Locks;
use crate::report::{Console, ProgressReporter};

/// `-modcache`.
static MODCACHE: Flag = Flag {
    long: "modcache",
    brief: "Remove the whole module cache",
    detail: "It has to be said: nothing else is cleaned.",
    ..Flag::GOS
};

/// `-r`.
static R: Flag = Flag {
    long: "r",
    brief: "Refused: it is about packages",
    ..Flag::GOS
};

/// `-i`.
static I: Flag = Flag {
    long: "i",
    brief: "Refused: it is about packages",
    ..Flag::GOS
};

/// Why go's other caches stay as they are.
const ONLY_MODCACHE: &str = "this is modfetch, which cleans -modcache only";

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["clean"],
        groups: &[&groups::LOCKS],
        flags: &[
            &flags::C,
            &flags::X,
            &flags::MOD,
            &MODCACHE,
            &R,
            &I,
            &flags::N,
        ],
        ignored: &[flags::BUILD_FLAGS],
        unsupported: &[
            ("cache", ONLY_MODCACHE),
            ("testcache", ONLY_MODCACHE),
            ("fuzzcache", ONLY_MODCACHE),
        ],
        go_name: Some("clean"),
        arguments: "-modcache",
        brief: "Remove the module cache",
        detail: "Removes GOMODCACHE and everything below it, read-only or not, as 'go clean \
-modcache' does; a link is removed and not followed. The directory is moved aside as a whole and then \
removed: no reader sees half of it, and the next clean removes what an interrupted one left. A process that is \
filling the cache meanwhile fails and leaves nothing that looks complete.\n\
Nothing else is cleaned: -modcache must be given. No go.mod is needed.",
        examples: &[
            ("modfetch clean -modcache", "as 'go clean -modcache'"),
            ("modfetch clean -modcache -n", "print what would be removed"),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|call, config, console| {
        run(config, console, CleanRequest::of(call.raw)?)
    }),
};

/// What was asked for, beside the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanRequest {
    /// `-n`: print the command and do nothing.
    dry_run: bool,
    /// `-x`: print the command.
    told: bool,
    /// `-r` or `-i`.
    about_packages: Option<&'static str>,
}

impl CleanRequest {
    /// Understands what was typed.
    ///
    /// # Errors
    /// [`Kind::Usage`] for arguments, and where `-modcache` is missing: `go` would clean packages.
    pub fn of(raw: &RawArgs) -> Result<CleanRequest> {
        let refuse = |text: &str| Err(Error::new(Kind::Usage, text));
        if !raw.is_on(&MODCACHE) {
            let text = "clean cleans -modcache only: packages and other caches are go's";
            return Err(Error::new(Kind::Usage, text)
                .hint("'modfetch clean -modcache' removes the module cache"));
        }
        if !raw.args.is_empty() {
            return refuse("clean -modcache cannot be used with package arguments");
        }
        let packages = [("-r", raw.is_on(&R)), ("-i", raw.is_on(&I))];
        Ok(CleanRequest {
            dry_run: raw.is_on(&flags::N),
            told: raw.is_on(&flags::N) || raw.is_on(&flags::X),
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
/// removed; [`Kind::LockTimeout`] if a process that was filling the cache does not end.
pub fn run(config: &Config, console: &Console, request: CleanRequest) -> Result<Option<Kind>> {
    // As go: a GOWORK that makes no sense is refused, whatever is to be done.
    config.work_file()?;
    if let Some(flag) = request.about_packages {
        // go loads packages for it, and says so first where there are none.
        if !matches!(config.mod_file(), GoModSearch::Found(_)) {
            return Err(no_project());
        }
        let text = format!("clean {flag} is about packages, of which modfetch knows nothing");
        return Err(Error::new(Kind::Usage, text).hint(format!("leave {flag} out")));
    }
    let root = &config.gomodcache.value;
    let progress = Arc::new(ProgressReporter::start(progress_settings(config)));
    let events = Arc::clone(&progress) as Arc<dyn EventSink>;
    let locks = Locks::new(config.locks.lock_timeout.value, events);
    let cache = Cache::at(root)?.with_locks(locks);
    if request.told || config.x.value {
        console.data(&format!("rm -rf {}\n", root.display()))?;
    }
    if !request.dry_run {
        progress.event(&Event::TaskStarted {
            task: "removing the module cache",
            items: None,
            bytes: None,
        });
        cache.clear()?;
    }
    Ok(None)
}
