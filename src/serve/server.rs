//! A server as a whole: opened, reloaded, drained.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::access::Access;
use super::answers::AnswerCache;
use super::checksums::Checksums;
use super::http1::{Drain, Front, Listener, Service, load_tls};
use super::journal::{Journal, LineSink, SecurityCount};
use super::rate::RateLimits;
use super::service::{ModuleService, ServiceHandle, ServiceParts};
use super::settings::ServeSettings;
use super::stock::Stock;
use super::trees::ServedTree;
use super::upkeep::Upkeep;
use super::upstream::{Keeper, Upstream};
use crate::error::{Error, Kind, Result};
use crate::gomod::PrefixPatterns;
use crate::store::SharedStore;
use crate::sumdb;
use crate::trust::FirstSeen;

/// The checksum database that a server hands out.
pub struct ServedDatabase {
    /// Proves it.
    pub client: Arc<sumdb::SumDbClient>,
    /// Keeps it.
    pub store: sumdb::Store,
    /// GONOSUMDB: what is not looked up.
    pub exempt: PrefixPatterns,
}

/// What a server hands out and where it comes from.
pub struct ServerParts {
    /// Where it listens.
    pub listeners: Vec<Listener>,
    /// The folder whose sub-folders are module paths.
    pub tree: PathBuf,
    /// It is that of a module cache: a zip counts only with its recorded sum.
    pub is_cache: bool,
    /// Where a server keeps what is its own.
    pub state: PathBuf,
    /// `None` to serve what is there.
    pub upstream: Option<Arc<dyn Upstream>>,
    /// Verifies and removes.
    pub keeper: Arc<dyn Keeper>,
    /// `None` if GOSUMDB is `off`.
    pub database: Option<ServedDatabase>,
    /// What is shared with other servers.
    pub store: Option<Arc<SharedStore>>,
    /// Counts what the upstream sees by itself as well.
    pub security_events: SecurityCount,
    /// Takes the lines of the log.
    pub lines: Arc<dyn LineSink>,
}

/// A running server.
pub struct Server {
    front: Front,
    service: Arc<ModuleService>,
    settings: ServeSettings,
    addresses: Vec<String>,
    stop: Arc<AtomicBool>,
    upkeep: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves. What has to be counted is counted afterwards.
    ///
    /// # Errors
    /// A file of the settings cannot be used.
    pub fn start(settings: ServeSettings, parts: ServerParts) -> Result<Server> {
        let tls = settings.tls.as_ref().map(load_tls).transpose()?;
        let access = Access::open(settings.access.clone())?;
        let listeners = parts.listeners;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let addresses = listeners
            .iter()
            .map(|listener| listener.shown(scheme))
            .collect();
        let main = ServedTree::at(&parts.tree);
        let checksums = parts.database.map(|database| {
            Checksums::new(FirstSeen::new(
                Arc::clone(&database.client),
                database.store,
                database.exempt,
                parts
                    .state
                    .with_file_name("heads")
                    .join(database.client.name()),
            ))
        });
        let stock = Stock::new(&main, parts.is_cache, settings.max_size);
        let service = Arc::new(ModuleService::new(ServiceParts {
            main,
            local: settings.local.iter().map(|dir| local_tree(dir)).collect(),
            upstream: parts.upstream,
            offline: settings.offline.unwrap_or("--offline"),
            only_store: settings.offline.is_some(),
            checksums,
            store: parts.store,
            answers: AnswerCache::new(settings.freshness, Some(parts.state.join("answers"))),
            policy: settings.policy.clone(),
            access,
            rate: settings.rate.map(RateLimits::new),
            journal: Journal::new(parts.lines, settings.access_log),
            stock,
            security_events: parts.security_events,
            jobs: settings.jobs,
        }));
        let handle: Arc<dyn Service> = Arc::new(ServiceHandle(Arc::clone(&service)));
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let front = Front::start(listeners, tls, &handle, settings.limits, cores)?;
        // Set once, by the one who made it.
        let _ = service.connections.set(front.open_connections());
        service.ready.store(true, Ordering::Relaxed);
        let stop = Arc::new(AtomicBool::new(false));
        let upkeep = Upkeep {
            service: Arc::clone(&service),
            keeper: parts.keeper,
            recheck: settings.recheck,
            stop: Arc::clone(&stop),
        };
        let thread = thread::Builder::new().name("upkeep".into());
        // Without that thread nothing is counted, and all else works.
        let upkeep = thread.spawn(move || upkeep.run()).ok();
        Ok(Server {
            front,
            service,
            settings,
            addresses,
            stop,
            upkeep,
        })
    }

    /// Where it listens, as a client writes it.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Reads certificate, users and tokens again. What cannot be read leaves in force what was.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn reload(&self) -> Result<()> {
        if let Some(tls) = &self.settings.tls {
            self.front.replace_tls(load_tls(tls)?);
        }
        self.service.parts.access.reload()
    }

    /// Accepts nothing more, and waits for what is being answered.
    ///
    /// # Errors
    /// [`Kind::Other`]: the time was over, and connections were cut.
    pub fn drain(mut self) -> Result<()> {
        self.service.draining.store(true, Ordering::Relaxed);
        self.stop.store(true, Ordering::Relaxed);
        if let Some(upkeep) = &self.upkeep {
            upkeep.thread().unpark();
        }
        let drained = self.front.drain(self.settings.drain);
        if let Some(store) = &self.service.parts.store
            && !store.drain(self.settings.drain)
        {
            let text = "not all uploads to the store have ended; the next server that needs them makes them";
            self.service.parts.journal.warn(text);
        }
        if let Some(upkeep) = self.upkeep.take() {
            let _ = upkeep.join();
        }
        match drained {
            Drain::Finished => Ok(()),
            Drain::Cut(count) => {
                let seconds = self.settings.drain.as_secs();
                let text = format!("{count} connections were cut {seconds} s after the signal");
                Err(Error::new(Kind::Other, text).hint("--drain sets how long they may take"))
            }
        }
    }
}

/// A module cache or a GOPROXY tree, by what is in it.
fn local_tree(dir: &Path) -> ServedTree {
    let download = dir.join(crate::layout::DOWNLOAD);
    match download.is_dir() {
        true => ServedTree::at(&download),
        false => ServedTree::at(dir),
    }
}
