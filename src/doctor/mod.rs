//! Why does it not work? Every part that a download needs, looked at on its own.
//!
//! What is asked of servers is harmless, asked once, of all of them at the same time, and has the
//! time-outs of the settings; nothing is tried again, so that no trouble is hidden. Nothing is
//! written but a temporary in the cache, which is removed. No secret is in a report: URLs are
//! redacted, of credentials the kind and the place are reported.
//!
//! Observing (in [`crate::http`], [`crate::cache`]) is kept apart from judging: `server`,
//! `database`, `cache`, `tree` and `project` turn what was seen into checks, `render` shows them.
//! The order of a report depends on the settings only.

mod cache;
mod check;
mod database;
mod project;
mod render;
mod server;
mod settings;
mod tree;

use crate::system;
use std::path::Path;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

pub use check::{Check, CheckStatus, DoctorReport, DoctorSection, ShownSetting};
pub use render::{json, text};

use crate::config::{Config, Setting};
use crate::error::Result;
use crate::gomod::{ModulePath, ModuleVersion, escape_version};
use crate::http::{Client, ProbeBody, Scheme, Url};
use crate::source::{Chain, DatabaseRoute, DatabaseSetting, Direct, GoproxyEntry};
use crate::sumdb;
use server::Observed;

/// Looks at everything. `client` makes one that tries nothing twice, for each server anew, so
/// that no connection is shared; `chain` is what GOPROXY says, if that can be read; `direct` asks
/// repositories; `listed` are
/// the settings to show.
#[must_use]
pub fn examine(
    config: &Config,
    client: &(dyn Fn() -> Client + Sync),
    chain: &Result<Chain>,
    direct: &Direct,
    listed: &[(String, Setting<String>)],
) -> DoctorReport {
    let project = project::look(config);
    let database = DatabaseSetting::parse(&config.gosumdb.value);
    let examiner = Examiner {
        config,
        client,
        database: &database,
        module: project.module.as_ref(),
        direct,
        private: &project.private,
    };
    let mut sections = examiner.network(chain);
    sections.push(DoctorSection {
        group: "cache",
        subject: config.gomodcache.value.display().to_string(),
        checks: cache::checks(&config.gomodcache.value, config.connection.offline.value),
    });
    sections.push(DoctorSection {
        group: "project",
        subject: project.subject,
        checks: project.checks,
    });
    let mut settings: Vec<ShownSetting> = listed
        .iter()
        .map(|(name, setting)| settings::row(name, setting))
        .collect();
    settings.sort_by(|a, b| a.name.cmp(&b.name));
    DoctorReport { sections, settings }
}

/// More repositories than this are not asked: a project with a hundred private modules shows with the
/// first of them what is wrong.
const MAX_REPOSITORIES: usize = 16;

struct Examiner<'a> {
    config: &'a Config,
    client: &'a (dyn Fn() -> Client + Sync),
    database: &'a Result<Option<DatabaseSetting>>,
    /// What proxies are asked for.
    module: Option<&'a ModuleVersion>,
    direct: &'a Direct,
    /// The required modules that come from their repositories.
    private: &'a [ModulePath],
}

/// Looks at one thing, on a thread of its own if there is one to be had.
type Look<'a> = Box<dyn Fn() -> DoctorSection + Send + Sync + 'a>;

impl Examiner<'_> {
    /// The proxies in the order of GOPROXY, then the checksum database.
    fn network(&self, chain: &Result<Chain>) -> Vec<DoctorSection> {
        let mut looks: Vec<Look<'_>> = Vec::new();
        match chain {
            Ok(chain) => {
                for entry in chain.entries() {
                    looks.push(Box::new(move || self.entry(entry)));
                }
            }
            Err(error) => looks.push(Box::new(|| DoctorSection {
                group: "proxy",
                subject: "GOPROXY".to_owned(),
                checks: vec![
                    Check::error("list", error)
                        .next("GOPROXY lists URLs of module proxies, direct and off"),
                ],
            })),
        }
        for path in self.private.iter().take(MAX_REPOSITORIES) {
            looks.push(Box::new(move || self.repository(path)));
        }
        looks.push(Box::new(|| self.database(chain.as_ref().ok())));
        thread::scope(|scope| {
            let started: Vec<_> = looks
                .iter()
                .map(|look| {
                    let thread = thread::Builder::new().name("doctor".into());
                    (look, thread.spawn_scoped(scope, look).ok())
                })
                .collect();
            started
                .into_iter()
                // Where no thread was to be had, or one failed, it is done here.
                .map(|(look, thread)| {
                    thread
                        .and_then(|thread| thread.join().ok())
                        .unwrap_or_else(look)
                })
                .collect()
        })
    }

    fn entry(&self, entry: GoproxyEntry<'_>) -> DoctorSection {
        let section = |subject: &str, checks| DoctorSection {
            group: "proxy",
            subject: subject.to_owned(),
            checks,
        };
        match entry {
            GoproxyEntry::Off => section("off", vec![Check::ok("entry", "nothing more is asked")]),
            GoproxyEntry::Direct => {
                let check = match self.private {
                    [] => Check::skipped("entry", "go.mod requires no module that GONOPROXY names"),
                    _ => Check::ok("entry", "see the repositories below"),
                };
                section("direct", vec![check])
            }
            GoproxyEntry::Proxy(base) => {
                let checks = match base.scheme() {
                    Scheme::File => match base.file_path() {
                        Ok(path) => tree::checks(&path),
                        Err(reason) => vec![Check::failed("directory", reason)],
                    },
                    _ if self.config.connection.offline.value => {
                        vec![Check::skipped("answer", "offline")]
                    }
                    _ => self.proxy(base),
                };
                section(base.redacted().as_str(), checks)
            }
        }
    }

    /// A module proxy: any answer shows that it is there.
    fn proxy(&self, base: &Url) -> Vec<Check> {
        let asked = match self.database {
            Ok(Some(database)) => {
                base.join(&format!("sumdb/{}/supported", database.verifier.name()))
            }
            _ => base.clone(),
        };
        let client = (self.client)();
        let observed = observe(&client, asked, 1);
        let mut checks = server::verdicts(&observed);
        let ranges = match (&observed.probe.answer, self.module) {
            (Err(_), _) => Check::skipped("ranges", "not reached"),
            (Ok(_), None) => Check::skipped("ranges", "go.mod has no module to ask for"),
            (Ok(_), Some(module)) => ranges(&client, base, module),
        };
        // Behind the answer, before what is no step of it.
        let place = checks.iter().position(|check| check.name == "clock");
        checks.insert(place.unwrap_or(checks.len()), ranges);
        checks
    }

    /// The repository of a module: where it is, and whether it answers to the credentials that there
    /// are.
    fn repository(&self, path: &ModulePath) -> DoctorSection {
        let section = |checks| DoctorSection {
            group: "repository",
            subject: path.to_string(),
            checks,
        };
        if self.config.connection.offline.value {
            return section(vec![Check::skipped("place", "offline")]);
        }
        let place = match self.direct.locate(path) {
            Ok(place) => Check::ok("place", place),
            Err(error) => {
                let rest = Check::skipped("answer", "not reached");
                return section(vec![Check::error("place", &error), rest]);
            }
        };
        let answer = match self.direct.reach(path) {
            Ok(Some(seen)) => Check::ok("answer", seen),
            Ok(None) => Check::skipped("answer", "it is not asked without a clone"),
            Err(error) => Check::error("answer", &error),
        };
        section(vec![place, answer])
    }

    /// The checksum database, where requests for it go.
    fn database(&self, chain: Option<&Chain>) -> DoctorSection {
        let gosumdb = &self.config.gosumdb;
        let section = |subject: &str, checks| DoctorSection {
            group: "sumdb",
            subject: subject.to_owned(),
            checks,
        };
        let setting = match self.database {
            Ok(Some(setting)) => setting,
            Ok(None) => {
                let check =
                    Check::skipped("setting", format!("GOSUMDB is off, {}", gosumdb.origin));
                return section("off", vec![check]);
            }
            Err(error) => {
                let error = error
                    .clone()
                    .hint(format!("GOSUMDB is set {}", gosumdb.origin));
                return section("GOSUMDB", vec![Check::error("setting", &error)]);
            }
        };
        let name = setting.verifier.name();
        let mut checks = self.served(setting, chain);
        let gopath = self
            .config
            .gopath
            .value
            .split(system::LIST_SEPARATOR)
            .next()
            .unwrap_or_default();
        let gopath = Some(Path::new(gopath)).filter(|path| path.is_absolute());
        let store = sumdb::Store::new(&self.config.gomodcache.value, gopath, name);
        checks.push(database::kept(&setting.verifier, &store));
        section(name, checks)
    }

    fn served(&self, setting: &DatabaseSetting, chain: Option<&Chain>) -> Vec<Check> {
        let name = setting.verifier.name();
        let Some(chain) = chain else {
            return vec![Check::skipped("route", "GOPROXY cannot be read")];
        };
        if self.config.connection.offline.value || chain.is_off() {
            let why = if chain.is_off() {
                "GOPROXY=off"
            } else {
                "offline"
            };
            return vec![Check::skipped("route", why)];
        }
        let route = DatabaseRoute::new(
            name.to_owned(),
            chain.clone(),
            setting.direct.clone(),
            setting.url.clone(),
            (self.client)(),
        );
        let base = match route.base() {
            Ok(base) => base,
            Err(error) => {
                let why = "modules that go.sum does not know cannot be checked until the proxy \
                           answers, be it with 404";
                return vec![Check::error("route", &error).next(why)];
            }
        };
        let mut checks = vec![Check::ok("route", base.to_string())];
        let latest = base.join("latest");
        if base.scheme() == Scheme::File {
            return checks;
        }
        let observed = observe(&(self.client)(), latest, database::MAX_HEAD_BYTES);
        let head = database::served(&setting.verifier, &observed.probe.answer);
        checks.extend(server::verdicts(&observed));
        checks.push(head);
        checks
    }
}

fn ranges(client: &Client, base: &Url, module: &ModuleVersion) -> Check {
    let path = module.path().escape();
    let version = escape_version(module.version().as_str());
    let (Ok(path), Ok(version)) = (path, version) else {
        return Check::skipped("ranges", format!("{module} has no URL"));
    };
    let url = base.join(&format!("{path}/@v/{version}.zip"));
    let probe = client.probe(&url, ProbeBody::Rest);
    server::ranges(&url, &probe.answer)
}

fn observe(client: &Client, url: Url, limit: u64) -> Observed {
    let through = client.route(&url);
    Observed {
        through: through.map(|hop| hop.map(str::to_owned)),
        probe: client.probe(&url, ProbeBody::Body(limit)),
        credentials: client.credentials(&url),
        now: now(),
        url,
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
