//! `modfetch serve`: a caching module proxy that proves what it hands out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::network::{Network, progress_settings, sum_settings};
use super::table::{Call, Command, Runner};
use crate::cache::Cache;
use crate::cancel::CancelToken;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, RawArgs, flags};
use crate::config::{Config, Progress, parse_duration};
use crate::error::{Error, Kind, Result};
use crate::event::NoEvents;
use crate::fetch::{Engine, EngineParts};
use crate::gomod::PrefixPatterns;
use crate::layout;
use crate::report::{Console, ProgressReporter, ProgressSettings};
use crate::serve::http1::{Limits, ListenAddress, Listener, TlsSettings};
use crate::serve::{
    AccessLog, AccessSettings, CacheKeeper, EngineUpstream, Freshness, LineSink, ModulePatterns,
    Policy, ServeSettings, ServedDatabase, Server, ServerParts, ServiceManager, Upstream,
};
use crate::signals;
use crate::sumdb;
use crate::system::{link_directory, open_files, raise_open_files};
use crate::trust::{Database, SumPolicy};

static LISTEN: Flag = Flag {
    long: "listen",
    value: Some("ADDRESS"),
    brief: "Listen there; may be repeated",
    detail: "HOST:PORT, unix:PATH, or systemd for the sockets that a .socket unit has opened. \
Default: 127.0.0.1:3000. Port 0 is a free one, which is printed.",
    ..Flag::OURS
};

static CACHE: Flag = Flag {
    long: "cache",
    value: Some("DIR"),
    brief: "Serve and fill this module cache",
    detail: "Default: GOMODCACHE.",
    ..Flag::OURS
};

static TREE: Flag = Flag {
    long: "tree",
    value: Some("DIR"),
    brief: "Serve and fill this GOPROXY tree instead",
    detail: "A tree that a file:// GOPROXY names, such as one of a bundle. What is modfetch's own \
is in DIR/.modfetch.",
    ..Flag::OURS
};

static LOCAL: Flag = Flag {
    long: "local",
    value: Some("DIR"),
    brief: "Look into this tree or cache first; may be repeated",
    detail: "It is only read: own modules, a bundle. Its versions are listed beside those of upstream.",
    ..Flag::OURS
};

static ALLOW: Flag = Flag {
    long: "allow",
    value: Some("PATTERNS"),
    brief: "Hand out these modules alone; may be repeated",
    detail: "Patterns as in GOPRIVATE, separated by commas; PATTERN@VERSION is about one version. \
What is refused is answered by 403 with the reason: go prints it and looks nowhere else.",
    ..Flag::OURS
};

static DENY: Flag = Flag {
    long: "deny",
    value: Some("PATTERNS"),
    brief: "Hand out none of these modules; may be repeated",
    detail: "Patterns as in --allow; --deny wins.",
    ..Flag::OURS
};

static PRIVATE: Flag = Flag {
    long: "private",
    value: Some("PATTERNS"),
    brief: "Ask no upstream or database about these; repeatable",
    detail: "They come from --local and from what is kept. GOPRIVATE is another thing: it says \
what is fetched directly.",
    ..Flag::OURS
};

static MIN_AGE: Flag = Flag {
    long: "min-age",
    value: Some("AGE"),
    brief: "Hand out only versions that have been known for so long",
    detail: "Such as 7d. A version is known since the checksum database has it, or since it was \
first looked up here. The time in its .info does not count: its author sets it.",
    ..Flag::OURS
};

static MIN_AGE_EXEMPT: Flag = Flag {
    long: "min-age-exempt",
    value: Some("PATTERNS"),
    brief: "Hand out these modules at any age; repeatable",
    detail: "Patterns as in --allow.",
    ..Flag::OURS
};

static MAX_SIZE: Flag = Flag {
    long: "max-size",
    value: Some("SIZE"),
    brief: "Keep no more bytes of zips than this",
    detail: "Such as 50G (powers of 1024). Above it, zips go until nine tenths are left, those first that were \
used longest ago. A zip that upstream no longer has stays, and go.mod files stay.",
    ..Flag::OURS
};

static MAX_CONNECTIONS: Flag = Flag {
    long: "max-connections",
    value: Some("N"),
    brief: "Serve no more connections at once",
    detail: "Default: 16384, or what the limit of open files allows. One more is answered by 503.",
    ..Flag::OURS
};

static RATE: Flag = Flag {
    long: "rate",
    value: Some("N"),
    brief: "Take no more requests a second from one address",
    detail: "Averaged over ten seconds; more are answered by 429. Default: no limit.",
    ..Flag::OURS
};

static TTL: Flag = Flag {
    long: "ttl",
    value: Some("TIME"),
    brief: "Answer lists, @latest and branches from memory this long",
    detail: "Default: 60s. Files of versions never change and are kept for good.",
    ..Flag::OURS
};

static STALE: Flag = Flag {
    long: "stale",
    value: Some("TIME"),
    brief: "Give old answers this long if upstream cannot be asked",
    detail: "Default: 24h.",
    ..Flag::OURS
};

static RECHECK: Flag = Flag {
    long: "recheck",
    value: Some("TIME"),
    brief: "Verify each kept zip once in this time",
    detail: "A zip that is wrong is moved to the quarantine of the cache, logged, and fetched \
again when it is asked for. Default: never.",
    ..Flag::OURS
};

static DRAIN: Flag = Flag {
    long: "drain",
    value: Some("TIME"),
    brief: "Let requests end for so long after SIGTERM",
    detail: "Default: 30s. A second signal ends the server at once.",
    ..Flag::OURS
};

static TLS_CERT: Flag = Flag {
    long: "tls-cert",
    value: Some("FILE"),
    brief: "Speak TLS with this certificate chain",
    detail: "PEM. SIGHUP has it read again.",
    ..Flag::OURS
};

static TLS_KEY: Flag = Flag {
    long: "tls-key",
    value: Some("FILE"),
    brief: "The private key of --tls-cert",
    detail: "PEM.",
    ..Flag::OURS
};

static TLS_CLIENT_CA: Flag = Flag {
    long: "tls-client-ca",
    value: Some("FILE"),
    brief: "Demand client certificates of these authorities",
    detail: "PEM. A connection without one is refused.",
    ..Flag::OURS
};

static HTPASSWD: Flag = Flag {
    long: "htpasswd",
    value: Some("FILE"),
    brief: "Demand a user and a password of this file",
    detail: "Lines as htpasswd -B writes them (bcrypt). SIGHUP has it read again.",
    ..Flag::OURS
};

static TOKENS: Flag = Flag {
    long: "tokens",
    value: Some("FILE"),
    brief: "Demand a token of this file",
    detail: "One a line, sent as a bearer token or as the password of any user. SIGHUP has it read again.",
    ..Flag::OURS
};

static ACCESS_LOG: Flag = Flag {
    long: "access-log",
    value: Some("FORM"),
    brief: "Write a line for each request: text, json or off",
    detail: "To stdout. Default: off.",
    ..Flag::OURS
};

static GO_SUM: Flag = Flag {
    long: "go-sum",
    value: Some("FILE"),
    brief: "Compare with this go.sum before the database is asked",
    detail: "It is only read.",
    ..Flag::OURS
};

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
        groups: &[&groups::CONNECTION, &groups::TRANSFER, &groups::LOCKS],
        flags: &[
            &flags::C,
            &LISTEN,
            &CACHE,
            &TREE,
            &LOCAL,
            &GO_SUM,
            &ENV,
            &TTL,
            &STALE,
            &ALLOW,
            &DENY,
            &PRIVATE,
            &MIN_AGE,
            &MIN_AGE_EXEMPT,
            &MAX_SIZE,
            &MAX_CONNECTIONS,
            &RATE,
            &RECHECK,
            &DRAIN,
            &TLS_CERT,
            &TLS_KEY,
            &TLS_CLIENT_CA,
            &HTPASSWD,
            &TOKENS,
            &ACCESS_LOG,
        ],
        brief: "Serve modules and the checksum database to other programs",
        detail: "A caching proxy: GOPROXY of other machines points to it. What it lacks it fetches \
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
                "modfetch serve --offline --tree /srv/goproxy",
                "for a closed site",
            ),
            ("eval \"$(modfetch serve --env)\"", "what a client sets"),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &Call<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    let raw = call.raw;
    let listen = listen_addresses(raw)?;
    if raw.is_on(&ENV) {
        console.data(&exports(raw, &listen, config))?;
        return Ok(None);
    }
    // Before any other file is open: the descriptors that systemd has named are its sockets, and
    // nothing else has taken their numbers.
    let mut listeners = Vec::new();
    for address in &listen {
        listeners.extend(Listener::open(address)?);
    }
    let place = Place::of(raw, config)?;
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
    let database = network.database(config);
    let offline = network.offline();
    let sums = sum_settings(config, database.clone());
    let sums = Arc::new(match raw.text(&GO_SUM) {
        Some(file) => SumPolicy::with_file(&config.cwd.join(file), sums)?,
        None => SumPolicy::without_file(sums),
    });
    let cancel = CancelToken::new();
    let source = network.source(config);
    let engine = Engine::new(EngineParts {
        cache: cache.clone(),
        source: Arc::clone(&source),
        read_only: network.read_only(config)?,
        jobs: config.transfer.jobs.value,
        writable: config.modcacherw.value,
    });
    let upstream = offline.is_none().then(|| {
        let (engine, sums) = (Arc::clone(&engine), Arc::clone(&sums));
        Arc::new(EngineUpstream::new(
            engine,
            sums,
            Arc::new(NoEvents),
            cancel.clone(),
        )) as Arc<dyn Upstream>
    });
    let keeper = CacheKeeper::new(cache, sums, offline.is_none().then_some(source));
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
        lines: Arc::new(ConsoleLines(console.clone())),
    };
    let signals = signals::for_server()?;
    let server = Server::start(settings(raw, config, offline)?, parts)?;
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

/// What is served, and where a server keeps what is its own.
struct Place {
    /// A module cache, or a folder that looks like one, whose download folder is a tree.
    cache: PathBuf,
    is_cache: bool,
    state: PathBuf,
}

impl Place {
    fn of(raw: &RawArgs, config: &Config) -> Result<Place> {
        let cache = match (raw.text(&CACHE), raw.text(&TREE)) {
            (Some(_), Some(_)) => {
                return Err(Error::new(
                    Kind::Usage,
                    "--cache and --tree are two places: name one",
                ));
            }
            (Some(cache), None) => config.cwd.join(cache),
            (None, None) => config.gomodcache.value.clone(),
            (None, Some(tree)) => return Place::of_tree(&config.cwd.join(tree)),
        };
        Ok(Place {
            state: cache.join(layout::OWN).join("serve"),
            cache,
            is_cache: true,
        })
    }

    /// A tree gets a folder that looks like a module cache and whose download folder is the tree, so
    /// that the same code fills both.
    fn of_tree(tree: &Path) -> Result<Place> {
        let cache = tree.join(".modfetch");
        let folder = cache.join(layout::CACHE);
        let download = cache.join(layout::DOWNLOAD);
        if !download.exists() {
            std::fs::create_dir_all(&folder)
                .and_then(|()| link_directory(Path::new("../.."), &download))
                .map_err(|cause| Error::io("cannot create", &download, cause))?;
        }
        Ok(Place {
            state: cache.join(layout::OWN).join("serve"),
            cache,
            is_cache: false,
        })
    }
}

fn listen_addresses(raw: &RawArgs) -> Result<Vec<ListenAddress>> {
    match raw.texts(&LISTEN) {
        [] => Ok(vec![ListenAddress::Tcp("127.0.0.1:3000".into())]),
        texts => texts
            .iter()
            .map(|text| ListenAddress::parse(text))
            .collect(),
    }
}

fn settings(
    raw: &RawArgs,
    config: &Config,
    offline: Option<&'static str>,
) -> Result<ServeSettings> {
    let path = |flag: &Flag| raw.text(flag).map(|text| config.cwd.join(text));
    let patterns = |flag: &Flag| ModulePatterns::parse(raw.texts(flag).iter().map(String::as_str));
    let tls = match (path(&TLS_CERT), path(&TLS_KEY), path(&TLS_CLIENT_CA)) {
        (Some(cert), Some(key), client_ca) => Some(TlsSettings {
            cert,
            key,
            client_ca,
        }),
        (None, None, None) => None,
        _ => {
            let text = "TLS takes --tls-cert and --tls-key; --tls-client-ca comes to both";
            return Err(Error::new(Kind::Usage, text));
        }
    };
    let defaults = Limits::default();
    Ok(ServeSettings {
        access: AccessSettings {
            htpasswd: path(&HTPASSWD),
            tokens: path(&TOKENS),
            certificates: tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()),
        },
        tls,
        policy: Policy {
            allow: patterns(&ALLOW),
            deny: patterns(&DENY),
            private: patterns(&PRIVATE),
            min_age: time(raw, &MIN_AGE)?,
            min_age_exempt: patterns(&MIN_AGE_EXEMPT),
        },
        freshness: Freshness {
            ttl: time(raw, &TTL)?.unwrap_or(Duration::from_secs(60)),
            stale: time(raw, &STALE)?.unwrap_or(Duration::from_secs(86_400)),
        },
        limits: Limits {
            connections: number(raw, &MAX_CONNECTIONS)?.unwrap_or_else(|| {
                open_files().map_or(defaults.connections, |files| {
                    let files = usize::try_from(files).unwrap_or(usize::MAX);
                    // Each may have a file open, and upstream needs some.
                    (files / 2).clamp(16, defaults.connections)
                })
            }),
            ..defaults
        },
        rate: number(raw, &RATE)?.map(|rate| u32::try_from(rate).unwrap_or(u32::MAX)),
        max_size: raw
            .text(&MAX_SIZE)
            .map(|text| size(text, &MAX_SIZE))
            .transpose()?,
        recheck: time(raw, &RECHECK)?,
        drain: time(raw, &DRAIN)?.unwrap_or(Duration::from_secs(30)),
        access_log: match raw.text(&ACCESS_LOG) {
            None | Some("off") => AccessLog::Off,
            Some("text") => AccessLog::Text,
            Some("json") => AccessLog::Json,
            Some(text) => return Err(unfit(&ACCESS_LOG, text, "text, json or off")),
        },
        local: raw
            .texts(&LOCAL)
            .iter()
            .map(|dir| config.cwd.join(dir))
            .collect(),
        jobs: config.transfer.jobs.value,
        offline,
    })
}

fn unfit(flag: &Flag, text: &str, wanted: &str) -> Error {
    Error::new(
        Kind::Usage,
        format!("--{} {text}: want {wanted}", flag.long),
    )
}

/// A duration; days as well, with `d`.
fn time(raw: &RawArgs, flag: &Flag) -> Result<Option<Duration>> {
    let Some(text) = raw.text(flag) else {
        return Ok(None);
    };
    let parsed = match text.strip_suffix('d') {
        Some(days) => days
            .parse::<u32>()
            .ok()
            .map(|days| Duration::from_secs(86_400) * days),
        None => parse_duration(text),
    };
    parsed
        .map(Some)
        .ok_or_else(|| unfit(flag, text, "a time such as 90s, 24h or 7d"))
}

fn number(raw: &RawArgs, flag: &Flag) -> Result<Option<usize>> {
    let Some(text) = raw.text(flag) else {
        return Ok(None);
    };
    let parsed = text.parse().ok().filter(|count| *count > 0);
    parsed
        .map(Some)
        .ok_or_else(|| unfit(flag, text, "a whole number from 1 on"))
}

/// Bytes, perhaps with K, M, G or T for powers of 1024.
fn size(text: &str, flag: &Flag) -> Result<u64> {
    let upper = text.to_ascii_uppercase();
    let upper = upper
        .strip_suffix("IB")
        .or(upper.strip_suffix('B'))
        .unwrap_or(&upper);
    let units = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];
    let found = units
        .into_iter()
        .find_map(|(unit, shift)| Some((upper.strip_suffix(unit)?, shift)));
    let (digits, shift) = found.unwrap_or((upper, 0));
    let bytes = digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(1 << shift));
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| unfit(flag, text, "a size such as 500M or 50G"))
}

/// What clients export.
fn exports(raw: &RawArgs, listen: &[ListenAddress], config: &Config) -> String {
    let scheme = if raw.text(&TLS_CERT).is_some() {
        "https"
    } else {
        "http"
    };
    let tcp = listen.iter().find_map(|address| match address {
        ListenAddress::Tcp(text) => Some(text.as_str()),
        ListenAddress::Unix(_) | ListenAddress::Systemd => None,
    });
    let address = tcp
        .unwrap_or("127.0.0.1:3000")
        .replace("[::]:", "localhost:");
    let mut lines = vec![
        format!(
            "export GOPROXY={scheme}://{}",
            address.replace("0.0.0.0:", "localhost:")
        ),
        format!(
            "export GOSUMDB='{}'",
            config.gosumdb.value.replace('\'', "'\\''")
        ),
    ];
    // A private module is here, and in no database.
    let private = raw.texts(&PRIVATE).join(",");
    let exempt = [private.as_str(), &config.gonosumdb.value];
    let exempt: Vec<&str> = exempt.into_iter().filter(|list| !list.is_empty()).collect();
    if !exempt.is_empty() {
        lines.push(format!(
            "export GONOSUMDB='{}'",
            exempt.join(",").replace('\'', "'\\''")
        ));
    }
    lines.push("export GONOPROXY=none".to_owned());
    lines.join("\n") + "\n"
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
