//! From the settings to a source of modules and a policy for their sums.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::cancel::{CancelToken, Deadline};
use crate::config::{Config, Git, Setting};
use crate::error::{Error, Kind, Result};
use crate::event::EventSink;
use crate::fsio::Locks;
use crate::gomod::PrefixPatterns;
use crate::http::{
    Client, ClientCertSettings, CredentialSettings, ProxySettings, RequestContext, RetryPolicy,
    RootSettings, Settings, Url,
};
use crate::layout;
use crate::project::Project;
use crate::report::{ProgressReporter, ProgressSettings};
use crate::source::{
    Chain, DatabaseRoute, DatabaseSetting, Direct, DirectSettings, GitChoice, LowerSource, Offline,
    ReadOnlyCache, Source,
};
use crate::store::{ObjectStore, StoreEnvironment, StorePlace, StoreSource, StoreTiles};
use crate::sumdb;
use crate::system::LIST_SEPARATOR;
use crate::trust::{Database, SumPolicy, SumSettings};

/// What everything that is fetched in one run goes through. Opens no socket until asked.
pub(super) struct Network {
    client: Client,
    chain: Chain,
    locks: Locks,
    cancel: CancelToken,
    /// Why nothing may be asked, if so.
    offline: Option<&'static str>,
    /// A store that is only read.
    from_store: Option<Arc<ObjectStore>>,
}

impl Network {
    /// Reads GOPROXY and its kin.
    pub(super) fn new(config: &Config, progress: &Arc<ProgressReporter>) -> Result<Network> {
        let goproxy = &config.goproxy;
        let noproxy = PrefixPatterns::parse(&config.gonoproxy.value);
        let events = Arc::clone(progress) as Arc<dyn EventSink>;
        let cancel = CancelToken::new();
        let cancel = cancel.with_deadline(config.transfer.timeout.value.and_then(Deadline::after));
        let client = Client::new(transport_settings(config), Arc::clone(&events));
        let client = client.bind(RequestContext {
            cancel: cancel.clone(),
            ..RequestContext::new(Arc::clone(&events))
        });
        let origin = goproxy.origin.to_string();
        let locks = Locks::new(longest_wait(config), Arc::clone(&events));
        let context = RequestContext {
            cancel: cancel.clone(),
            ..RequestContext::new(Arc::clone(&events))
        };
        let transport = transport_settings(config);
        let direct = direct(config, &transport, locks.clone(), client.clone(), context);
        let direct = Arc::new(direct) as Arc<dyn Source>;
        let chain = Chain::parse_lazily(&goproxy.value, &origin, noproxy, client.clone(), direct);
        let offline = if config.connection.offline.value {
            Some("--offline")
        } else if chain.is_off() {
            Some(crate::source::GOPROXY_OFF)
        } else {
            None
        };
        let from_store = match &config.transfer.from_store.value {
            None => None,
            Some(url) => {
                let context = RequestContext {
                    cancel: cancel.clone(),
                    ..RequestContext::new(Arc::clone(&events))
                };
                Some(objects(config, url, &context)?)
            }
        };
        Ok(Network {
            client,
            chain,
            cancel,
            locks,
            offline,
            from_store,
        })
    }

    /// True if no server may be asked.
    pub(super) fn is_offline(&self) -> bool {
        self.offline.is_some()
    }

    /// What ends the run, if its time is limited.
    pub(super) fn cancel(&self) -> Option<CancelToken> {
        self.cancel.deadline().map(|_| self.cancel.clone())
    }

    /// Why nothing may be asked; `None` if it may.
    pub(super) fn offline(&self) -> Option<&'static str> {
        self.offline
    }

    /// How the locks of the run are waited for.
    pub(super) fn locks(&self) -> Locks {
        self.locks.clone()
    }

    /// Where modules come from.
    pub(super) fn source(&self, config: &Config) -> Arc<dyn Source> {
        if config.connection.offline.value {
            return Arc::new(Offline("--offline"));
        }
        Arc::new(self.chain.clone())
    }

    /// The entries of GOPROXY.
    pub(super) fn chain(&self) -> Chain {
        self.chain.clone()
    }

    /// The caches that are looked into before that.
    pub(super) fn read_only(&self, config: &Config) -> Result<Vec<Arc<dyn LowerSource>>> {
        let setting = &config.transfer.ro_cache;
        let open = |dir: &PathBuf| match ReadOnlyCache::at(dir) {
            Ok(cache) => Ok(Arc::new(cache) as Arc<dyn LowerSource>),
            Err(error) => Err(error.hint(format!("it is set {}", setting.origin))),
        };
        let mut all = setting.value.iter().map(open).collect::<Result<Vec<_>>>()?;
        if let Some(objects) = &self.from_store {
            all.push(Arc::new(StoreSource::new(Arc::clone(objects))));
        }
        Ok(all)
    }

    /// The checksum database. A GOSUMDB that makes no sense is an error only where it is needed.
    pub(super) fn database(&self, config: &Config) -> Database {
        self.database_in(config, |local, name| match &self.from_store {
            None => Box::new(local),
            Some(objects) => Box::new(StoreTiles {
                local,
                objects: Arc::clone(objects),
                uploads: None,
                name: name.to_owned(),
            }),
        })
    }

    /// The checksum database, its files in what `place` makes of those on this machine and of its name.
    pub(super) fn database_in(
        &self,
        config: &Config,
        place: impl FnOnce(sumdb::Store, &str) -> Box<dyn sumdb::TileStore>,
    ) -> Database {
        let (setting, store) = match database_setting(config) {
            Ok(Some(found)) => found,
            Ok(None) => return Database::Off,
            Err(error) => return Database::Invalid(error),
        };
        let name = setting.verifier.name().to_owned();
        let store = place(store.with_locks(self.locks()), &name);
        let transport: Box<dyn sumdb::Transport> = match self.offline {
            Some(why) => Box::new(Unasked(why)),
            None => {
                let (chain, client) = (self.chain.clone(), self.client.clone());
                let route = DatabaseRoute::new(name, chain, setting.direct, setting.url, client);
                Box::new(route.waiting(config.transfer.wait_published.value))
            }
        };
        let client = sumdb::SumDbClient::new(
            setting.verifier,
            Arc::<dyn sumdb::TileStore>::from(store),
            transport,
        );
        Database::Client(Arc::new(client))
    }

    /// A store, asked as the settings have upstreams asked.
    pub(super) fn objects(
        &self,
        config: &Config,
        url: &str,
        events: Arc<dyn EventSink>,
    ) -> Result<Arc<ObjectStore>> {
        let context = RequestContext {
            cancel: self.cancel.clone(),
            ..RequestContext::new(events)
        };
        objects(config, url, &context)
    }
}

/// The store at `url`, with the keys that the environment names.
pub(super) fn objects(
    config: &Config,
    url: &str,
    context: &RequestContext,
) -> Result<Arc<ObjectStore>> {
    let place = StorePlace::parse(url)?;
    let environment = StoreEnvironment::new(config.go_env.environment().iter());
    let store = ObjectStore::new(place, environment, transport_settings(config), context)?;
    Ok(Arc::new(store))
}

/// Modules from the repositories they are written in.
pub(super) fn direct(
    config: &Config,
    transport: &Settings,
    locks: Locks,
    client: Client,
    context: RequestContext,
) -> Direct {
    let environment = config.go_env.environment();
    let set = |name: &str| environment.get(name).map(str::to_owned);
    // As for go, programs prompt for a password only where the environment allows it.
    let quiet = [("GIT_TERMINAL_PROMPT", "0"), ("GCM_INTERACTIVE", "never")];
    let quiet = quiet.into_iter().filter(|(name, _)| set(name).is_none());
    let insecure = Client::new(
        Settings {
            accept_any_certificate: true,
            ..transport.clone()
        },
        Arc::clone(&context.events),
    );
    let insecure = insecure.bind(context.clone());
    let settings = DirectSettings {
        clones: config.gomodcache.value.join(layout::VCS),
        locks,
        govcs: config.govcs.value.clone(),
        private: PrefixPatterns::parse(&config.goprivate.value),
        insecure: PrefixPatterns::parse(&config.goinsecure.value),
        path: set("PATH"),
        environment: quiet
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        git: match config.connection.git.value {
            Git::Auto => GitChoice::Auto,
            Git::Program => GitChoice::Program,
            Git::Builtin => GitChoice::Builtin,
        },
        git_allow_protocol: set("GIT_ALLOW_PROTOCOL"),
        retry: transport.retry.clone(),
        stall_timeout: transport.stall_timeout,
        cancel: context.cancel,
    };
    Direct::new(settings, client, insecure)
}

/// Reads go.sum, if there is a main module, and the settings that say what needs proof, and
/// from whom.
pub(super) fn sum_policy(
    config: &Config,
    project: Option<&Project>,
    database: Database,
) -> Result<SumPolicy> {
    let settings = sum_settings(config, database);
    match project {
        Some(project) => {
            let (file, others) = (project.go_sum(), project.other_sums());
            SumPolicy::with_files(&file, &others, project.overlay(), settings)
        }
        None => Ok(SumPolicy::without_file(settings)),
    }
}

/// What needs proof, and from whom.
pub(super) fn sum_settings(config: &Config, database: Database) -> SumSettings {
    SumSettings {
        database,
        accepted: config.transfer.accept_unlogged.value.clone(),
        exempt: PrefixPatterns::parse(&config.gonosumdb.value),
        locked: config.download.locked.value,
    }
}

/// The checksum database of a command that only reads: what is cached of it, and nothing is
/// asked, kept or locked.
pub(super) fn cached_database(config: &Config, why: &'static str) -> Database {
    match database_setting(config) {
        Ok(Some((setting, store))) => {
            let transport = Box::new(Unasked(why));
            let client = sumdb::SumDbClient::new(setting.verifier, store.read_only(), transport);
            Database::Client(Arc::new(client))
        }
        Ok(None) => Database::Off,
        Err(error) => Database::Invalid(error),
    }
}

/// What GOSUMDB names, and where its files are; `None` if it is `off`.
fn database_setting(config: &Config) -> Result<Option<(DatabaseSetting, sumdb::Store)>> {
    let gosumdb = &config.gosumdb;
    let setting = DatabaseSetting::parse(&gosumdb.value);
    let setting =
        setting.map_err(|error| error.hint(format!("GOSUMDB is set {}", gosumdb.origin)))?;
    let Some(setting) = setting else {
        return Ok(None);
    };
    let gopath = config
        .gopath
        .value
        .split(LIST_SEPARATOR)
        .next()
        .unwrap_or_default();
    let gopath = Path::new(gopath);
    let gopath = gopath.is_absolute().then_some(gopath);
    let store = sumdb::Store::new(&config.gomodcache.value, gopath, setting.verifier.name());
    Ok(Some((setting, store)))
}

/// How a command that opens no connection waits for locks.
pub(super) fn lock_waits(config: &Config, progress: &Arc<ProgressReporter>) -> Locks {
    Locks::new(
        longest_wait(config),
        Arc::clone(progress) as Arc<dyn EventSink>,
    )
}

/// What this machine has seen of the checksum database; `None` if GOSUMDB is `off`.
pub(super) fn database_store(config: &Config, locks: Locks) -> Result<Option<sumdb::Store>> {
    let found = database_setting(config)?;
    Ok(found.map(|(_, store)| store.with_locks(locks)))
}

impl sumdb::Transport for DatabaseRoute {
    fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        DatabaseRoute::get(self, path, limit)
    }

    fn with_headers(&self, headers: &[(String, String)]) -> Option<Arc<dyn sumdb::Transport>> {
        Some(Arc::new(DatabaseRoute::with_headers(self, headers)))
    }
}

/// Which events of a run are reported while it happens.
pub(super) fn progress_settings(config: &Config) -> ProgressSettings {
    ProgressSettings {
        progress: config.output.progress.value,
        log: config.global.log.value,
        requests: config.x.value,
        verbose: config.output.verbose.value,
        quiet: config.output.quiet.value,
    }
}

/// The checksum database of a run that may not use the network: only what is cached counts.
struct Unasked(&'static str);

impl sumdb::Transport for Unasked {
    fn get(&self, path: &str, _: u64) -> Result<Vec<u8>> {
        let why = self.0;
        let text = format!("{path}: checksum database lookup disabled by {why}");
        Err(Error::new(Kind::Offline, text).hint(
            "go.sum does not have it and what the database says is not in the cache: run once \
             with the network, or complete go.sum",
        ))
    }
}

/// The servers that the settings name: those in GOPROXY and GOSUMDB. What is no URL there is
/// refused elsewhere.
fn named_servers(config: &Config) -> impl Iterator<Item = Url> {
    let proxies = config.goproxy.value.split([',', '|']);
    let mut database = config.gosumdb.value.split_whitespace();
    let name = database.next().and_then(|name| name.split('+').next());
    let named = proxies.chain(name).chain(database.next()).map(str::trim);
    named.filter_map(|text| {
        // As in GOPROXY, what names no scheme is https.
        let https = format!("https://{text}");
        let text = if text.contains("://") { text } else { &https };
        Url::parse(text).ok()
    })
}

/// The longest wait for a lock: a run that has a time does not spend more of it on one.
fn longest_wait(config: &Config) -> Option<Duration> {
    let limits = [
        config.locks.lock_timeout.value,
        config.transfer.timeout.value,
    ];
    limits.into_iter().flatten().min()
}

/// How the settings have requests made.
pub(super) fn transport_settings(config: &Config) -> Settings {
    let text =
        |setting: &Option<Setting<String>>| setting.as_ref().map(|setting| setting.value.clone());
    let deadline = config.transfer.timeout.value.and_then(Deadline::after);
    let default = Settings::default();
    Settings {
        retry: RetryPolicy {
            retries: config.transfer.retries.value,
            max_time: config.transfer.retry_max_time.value,
            ..RetryPolicy::default()
        },
        connect_timeout: config.connection.connect_timeout.value,
        stall_timeout: config.connection.stall_timeout.value,
        roots: RootSettings {
            cert_file: config
                .ssl_cert_file
                .as_ref()
                .map(|setting| setting.value.clone()),
            cert_dir: config
                .ssl_cert_dir
                .as_ref()
                .map(|setting| setting.value.clone()),
            added: config.connection.cacert.value.clone(),
        },
        client_cert: ClientCertSettings {
            cert: config.connection.client_cert.value.clone(),
            key: config.connection.client_key.value.clone(),
            hosts: named_servers(config).collect(),
        },
        proxy: ProxySettings {
            http_proxy: text(&config.http_proxy),
            https_proxy: text(&config.https_proxy),
            no_proxy: text(&config.no_proxy),
            cgi: config.request_method,
        },
        credentials: CredentialSettings {
            goauth: config.goauth.value.clone(),
            netrc: config.netrc.as_ref().map(|setting| setting.value.clone()),
            netrc_file: config.connection.netrc_file.value.clone(),
            tokens: config.tokens.clone(),
            insecure_hosts: config.connection.allow_insecure_auth.value.clone(),
            deadline,
        },
        per_host: config.transfer.jobs_per_host.value,
        requests_per_second: config.transfer.max_requests_per_second.value,
        bytes_per_second: config.transfer.limit_rate.value,
        connections: config.transfer.jobs.value,
        user_agent: config
            .connection
            .user_agent
            .value
            .clone()
            .unwrap_or(default.user_agent),
        ..default
    }
}
