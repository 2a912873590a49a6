//! `modfetch serve`: a caching module proxy that proves what it hands out.

mod exports;
mod place;

use std::sync::Arc;

use exports::exports;
use place::ServerFolders;

use super::definition::{Command, CommandCall, Runner};
use super::network::{Network, progress_settings, sum_settings};
use crate::cache::Cache;
use crate::cancel::CancelToken;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, flags};
use crate::config::settings::ServeOptions;
use crate::config::{Config, Progress, Setting};
use crate::error::{Error, Kind, Result};
use crate::event::EventSink;
use crate::fetch::{Engine, EngineParts};
use crate::gomod::PrefixPatterns;
use crate::layout;
use crate::report::{Console, ProgressReporter, ProgressSettings};
use crate::serve::http1::{Limits, ListenAddress, Listener, TlsSettings};
use crate::serve::{
    AccessSettings, CacheKeeper, EngineUpstream, Evictable, Freshness, LineSink, ModulePatterns,
    Policy, RefetchLog, SecurityCount, ServeSettings, ServedDatabase, Server, ServerParts,
    ServiceManager, Upstream,
};
use crate::signals;
use crate::source::Source;
use crate::store::{SharedStore, StoreBackedSource, StoreTiles};
use crate::sumdb;
use crate::system::{open_files, raise_open_files};
use crate::trust::{Database, SumPolicy};

static ENV: Flag = Flag {
    long: "env",
    value: None,
    brief: "Print what clients export, and end",
    detail: "Without `,direct`: a client that this proxy refuses looks nowhere else.",
    ..Flag::OURS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["serve"],
        groups: &[
            &groups::SERVE,
            &groups::CONNECTION,
            &groups::TRANSFER,
            &groups::LOCKS,
        ],
        flags: &[&flags::C, &ENV],
        brief: "Serve modules and the checksum database to other programs",
        detail: "A caching proxy: GOPROXY of other machines points to it. It fetches missing files \
as download does (GOPROXY, GONOPROXY, GOPRIVATE, GOSUMDB, GOAUTH, netrc), proves it, keeps it in a \
module cache or a GOPROXY tree, and hands it out while it arrives. It answers the checksum \
database as well, from what it has proven, offline too.\n\
/livez, /readyz and /metrics are for supervisors; / is a page for people. SIGTERM lets requests \
end; SIGHUP has certificates, users and tokens read again.",
        examples: &[
            (
                "modfetch serve --listen 127.0.0.1:3000",
                "for the programs of this machine",
            ),
            (
                "modfetch serve --listen :3000 --cache /srv/modcache --max-size 50G",
                "for a team",
            ),
            (
                "modfetch serve --store s3://modules/go --max-size 50G",
                "one of several servers",
            ),
            (
                "modfetch serve --offline --tree /srv/goproxy",
                "for a closed site",
            ),
            ("eval \"$(modfetch serve --env)\"", "what a client sets"),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    let options = config.serve.clone();
    let listen = options.listen.value.iter();
    let listen: Vec<ListenAddress> = listen
        .map(|text| ListenAddress::parse(text))
        .collect::<Result<_>>()?;
    if call.raw.is_on(&ENV) {
        console.data(&exports(&listen, config))?;
        return Ok(None);
    }
    let tls = tls_settings(&options)?;
    // Before any other file is open: the descriptors that systemd has named are its sockets, and
    // nothing else has taken their numbers.
    let mut listeners = Vec::new();
    for address in &listen {
        listeners.extend(Listener::open(address)?);
    }
    let place = ServerFolders::of(config)?;
    let mut config = config.clone();
    // Its database files are beside the modules that are served.
    config.gomodcache.value.clone_from(&place.cache);
    config.gopath.value = place.state.display().to_string();
    // The time of a run is none of a server: what it asks has time-outs of its own.
    config.transfer.timeout.value = None;
    let config = &config;
    let progress = Arc::new(ProgressReporter::start(ProgressSettings {
        progress: Progress::Never,
        quiet: true,
        ..progress_settings(config)
    }));
    let network = Network::new(config, &progress)?;
    let cache = Cache::at(&place.cache)?.with_locks(network.locks());
    let lines = Arc::new(ConsoleLines(console.clone()));
    let store = shared_store(config, &network, &progress, &place, &lines)?;
    let database = match &store {
        None => network.database(config),
        Some(shared) => network.database_in(config, |local, name| {
            Box::new(StoreTiles {
                local,
                objects: Arc::clone(shared.objects()),
                uploads: Some(Arc::clone(shared)),
                name: name.to_owned(),
            })
        }),
    };
    let offline = network.offline();
    let sums = sum_settings(config, database.clone());
    let sums = Arc::new(match &options.go_sum.value {
        Some(file) => SumPolicy::with_file(file, sums)?,
        None => SumPolicy::without_file(sums),
    });
    let cancel = CancelToken::new();
    let mut source = network.source(config);
    let mut read_only = network.read_only(config)?;
    if let Some(store) = &store {
        read_only.push(Arc::new(store.source().clone()));
        source = Arc::new(StoreBackedSource {
            source,
            store: store.source().clone(),
        });
    }
    let engine = Engine::new(EngineParts {
        cache: cache.clone(),
        source: Arc::clone(&source),
        read_only,
        jobs: config.transfer.jobs.value,
        writable: config.modcacherw.value,
    });
    let security_events = SecurityCount::default();
    let upstream = (offline.is_none() || store.is_some()).then(|| {
        let (engine, sums) = (Arc::clone(&engine), Arc::clone(&sums));
        let lines = Arc::new(ConsoleLines(console.clone()));
        let refetches = RefetchLog::new(lines, security_events.clone());
        let upstream = EngineUpstream::new(engine, sums, Arc::new(refetches), cancel.clone());
        Arc::new(upstream.with_store(store.clone())) as Arc<dyn Upstream>
    });
    // What upstream or the store has may be evicted.
    let kept_by = match (&store, offline) {
        (Some(store), Some(_)) => Some(Arc::new(store.source().clone()) as Arc<dyn Source>),
        (_, None) => Some(source),
        (None, Some(_)) => None,
    };
    let evictable = match options.evict_unavailable.value {
        true => Evictable::All,
        false => Evictable::Available,
    };
    let keeper = CacheKeeper::new(cache, sums, kept_by, evictable);
    let served = match database {
        Database::Client(client) => Some(ServedDatabase {
            store: sumdb::Store::new(&place.cache, None, client.name()),
            client,
            exempt: PrefixPatterns::parse(&config.gonosumdb.value),
        }),
        Database::Off => None,
        Database::Invalid(error) => return Err(error),
    };
    raise_open_files();
    let parts = ServerParts {
        listeners,
        tree: place.cache.join(layout::DOWNLOAD),
        is_cache: place.is_cache,
        state: place.state.clone(),
        upstream,
        keeper: Arc::new(keeper),
        database: served,
        store,
        security_events,
        lines,
    };
    let signals = signals::for_server()?;
    let server = Server::start(
        settings(&options, tls, config.transfer.jobs.value, offline),
        parts,
    )?;
    let manager = ServiceManager::at(call.go_env.environment().get("NOTIFY_SOCKET"));
    for address in server.addresses() {
        console.line(&format!("listening on {address}"));
    }
    manager.say("READY=1");
    let signal = signals.wait(|| {
        manager.say("RELOADING=1");
        match server.reload() {
            Ok(()) => console.line("certificates, users and tokens were read again"),
            Err(error) => console.error(&error),
        }
        manager.say("READY=1");
    });
    manager.say("STOPPING=1");
    console.line(&format!("draining after {signal}"));
    let drained = server.drain();
    cancel.cancel();
    match drained {
        Ok(()) => Ok(None),
        Err(error) => {
            console.error(&error);
            Ok(Some(error.kind()))
        }
    }
}

/// What is shared with other servers, if so.
fn shared_store(
    config: &Config,
    network: &Network,
    progress: &Arc<ProgressReporter>,
    place: &ServerFolders,
    lines: &Arc<ConsoleLines>,
) -> Result<Option<Arc<SharedStore>>> {
    let redirect = config.serve.redirect.value;
    let Some(url) = &config.serve.store.value else {
        return match redirect {
            true => Err(Error::new(Kind::Usage, "--redirect goes with --store")),
            false => Ok(None),
        };
    };
    let events = Arc::clone(progress) as Arc<dyn EventSink>;
    let objects = network.objects(config, url, events)?;
    let local = place.cache.join(layout::DOWNLOAD);
    let lines = Arc::clone(lines);
    let warn = move |text: &str| lines.event(text);
    Ok(Some(Arc::new(SharedStore::new(
        objects, local, redirect, warn,
    ))))
}

fn tls_settings(options: &ServeOptions) -> Result<Option<TlsSettings>> {
    let files = [&options.tls_cert, &options.tls_key, &options.tls_client_ca];
    match files.map(|file| file.value.clone()) {
        [Some(cert), Some(key), client_ca] => Ok(Some(TlsSettings {
            cert,
            key,
            client_ca,
        })),
        [None, None, None] => Ok(None),
        _ => {
            let text = "TLS takes --tls-cert and --tls-key; --tls-client-ca comes to both";
            Err(Error::new(Kind::Usage, text))
        }
    }
}

fn settings(
    options: &ServeOptions,
    tls: Option<TlsSettings>,
    jobs: usize,
    offline: Option<&'static str>,
) -> ServeSettings {
    let patterns =
        |list: &Setting<Vec<String>>| ModulePatterns::parse(list.value.iter().map(String::as_str));
    let defaults = Limits::default();
    let connections = options.max_connections.value;
    ServeSettings {
        access: AccessSettings {
            htpasswd: options.htpasswd.value.clone(),
            tokens: options.tokens.value.clone(),
            certificates: tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()),
        },
        tls,
        policy: Policy {
            allow: patterns(&options.allow),
            deny: patterns(&options.deny),
            private: patterns(&options.private),
            min_age: options.min_age.value,
            min_age_exempt: patterns(&options.min_age_exempt),
        },
        freshness: Freshness {
            ttl: options.ttl.value,
            stale: options.stale.value,
        },
        limits: Limits {
            connections: connections.map_or_else(
                || {
                    open_files().map_or(defaults.connections, |files| {
                        let files = usize::try_from(files).unwrap_or(usize::MAX);
                        // Each may have a file open, and upstream needs some.
                        (files / 2).clamp(16, defaults.connections)
                    })
                },
                |count| count as usize,
            ),
            ..defaults
        },
        rate: options.rate.value,
        max_size: options.max_size.value,
        recheck: options.recheck.value,
        drain: options.drain.value,
        access_log: options.access_log.value,
        local: options.local.value.clone(),
        jobs,
        offline,
    }
}

/// Requests go to stdout, all else to stderr.
struct ConsoleLines(Console);

impl LineSink for ConsoleLines {
    fn access(&self, line: &str) {
        // A reader that has gone away must not end the server.
        let _ = self.0.data(&format!("{line}\n"));
    }

    fn event(&self, line: &str) {
        self.0.line(line);
    }
}
