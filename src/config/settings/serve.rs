//! What a server hands out, to whom, and where.
//!
//! `serve` and its clients often run in containers, where a variable is easier to set than a flag: each has one.

use std::path::PathBuf;
use std::time::Duration;

use super::SettingRow;
use crate::config::flags::Flag;
use crate::config::value::{self, AccessLog};

settings! {
    /// What a server hands out, to whom, and where.
    struct ServeOptions;
    /// For `serve`.
    group SERVE = "Serving";

    /// Where it listens: `HOST:PORT`, `unix:PATH` or `systemd`.
    listen: Vec<String> = SERVE_LISTEN, SettingRow::new(value::words, Flag {
        long: "listen",
        value: Some("ADDRESS"),
        env: Some("MODFETCH_SERVE_LISTEN"),
        default: "127.0.0.1:3000",
        separator: Some(','),
        brief: "Listen there; may be repeated",
        detail: "HOST:PORT, unix:PATH, or systemd for the sockets that a .socket unit has opened. \
                 Port 0 is a free one, which is printed.",
        ..Flag::OURS
    });

    /// The module cache; `None` for GOMODCACHE.
    cache: Option<PathBuf> = SERVE_CACHE, SettingRow::file(Flag {
        long: "cache",
        value: Some("DIR"),
        env: Some("MODFETCH_SERVE_CACHE"),
        brief: "Serve and fill this module cache",
        detail: "Default: GOMODCACHE.",
        ..Flag::OURS
    });

    /// The tree that is served instead of a module cache.
    tree: Option<PathBuf> = SERVE_TREE, SettingRow::file(Flag {
        long: "tree",
        value: Some("DIR"),
        env: Some("MODFETCH_SERVE_TREE"),
        brief: "Serve and fill this GOPROXY tree instead",
        detail: "A tree that a file:// GOPROXY names, such as one of a bundle. DIR/.modfetch holds the \
                 files that are modfetch's own.",
        ..Flag::OURS
    });

    /// The store that is shared with other servers: `s3://BUCKET/PREFIX`, with its options.
    store: Option<String> = SERVE_STORE, SettingRow::new(value::text, Flag {
        long: "store",
        value: Some("URL"),
        env: Some("MODFETCH_SERVE_STORE"),
        default: "",
        brief: "Share what is kept with other servers in an S3 store",
        detail: "s3://BUCKET/PREFIX, perhaps with ?endpoint=URL&region=NAME&path-style=BOOL. The local \
                 cache is in front of it, bounded by --max-size. What the store has is verified like what \
                 upstream sends, and what is fetched upstream goes there. 'modfetch help store' has \
                 credentials and what happens when it fails.",
        ..Flag::OURS
    });

    /// Clients are sent to the store for zips.
    redirect: bool = SERVE_REDIRECT, SettingRow::switch(Flag {
        long: "redirect",
        env: Some("MODFETCH_SERVE_REDIRECT"),
        default: "false",
        brief: "Send clients to the store for zips",
        detail: "By a signed URL that is good for 15 minutes, for zips that this server has read from \
                 the store and verified. Clients must be able to reach the store.",
        ..Flag::OURS
    });

    /// Trees that are looked into first, and only read.
    local: Vec<PathBuf> = SERVE_LOCAL, SettingRow::directories(Flag {
        long: "local",
        value: Some("DIR"),
        env: Some("MODFETCH_SERVE_LOCAL"),
        separator: Some(':'),
        brief: "Look into this tree or cache first; may be repeated",
        detail: "It is only read: own modules, a bundle. Its versions are listed beside those of upstream. The \
                 variable is a list separated by colons.",
        ..Flag::OURS
    });

    /// A go.sum that vouches before the database does.
    go_sum: Option<PathBuf> = SERVE_GO_SUM, SettingRow::file(Flag {
        long: "go-sum",
        value: Some("FILE"),
        env: Some("MODFETCH_SERVE_GO_SUM"),
        brief: "Compare with this go.sum before the database is asked",
        detail: "It is only read.",
        ..Flag::OURS
    });

    /// How long an answer that may change is given without a question.
    ttl: Duration = SERVE_TTL, SettingRow::new(value::age, Flag {
        long: "ttl",
        value: Some("TIME"),
        env: Some("MODFETCH_SERVE_TTL"),
        default: "60s",
        brief: "Answer lists, @latest and branches from memory this long",
        detail: "Then upstream is asked whether they have changed. Files of versions never change and are kept for good.",
        ..Flag::OURS
    });

    /// How long an old answer is given where upstream cannot be asked.
    stale: Duration = SERVE_STALE, SettingRow::new(value::age, Flag {
        long: "stale",
        value: Some("TIME"),
        env: Some("MODFETCH_SERVE_STALE"),
        default: "24h",
        brief: "Give old answers this long if upstream cannot be asked",
        ..Flag::OURS
    });

    /// Patterns of what is handed out; none for everything.
    allow: Vec<String> = SERVE_ALLOW, SettingRow::new(value::words, Flag {
        long: "allow",
        value: Some("PATTERNS"),
        env: Some("MODFETCH_SERVE_ALLOW"),
        separator: Some(','),
        brief: "Hand out these modules alone; may be repeated",
        detail: "Patterns as in GOPRIVATE, separated by commas; PATTERN@VERSION is about one version. \
                 What is refused is answered by 403 with the reason: go prints it and looks nowhere else.",
        ..Flag::OURS
    });

    /// Patterns of what is not handed out.
    deny: Vec<String> = SERVE_DENY, SettingRow::new(value::words, Flag {
        long: "deny",
        value: Some("PATTERNS"),
        env: Some("MODFETCH_SERVE_DENY"),
        separator: Some(','),
        brief: "Hand out none of these modules; may be repeated",
        detail: "Patterns as in --allow; --deny wins.",
        ..Flag::OURS
    });

    /// Patterns of what no upstream and no database is asked about.
    private: Vec<String> = SERVE_PRIVATE, SettingRow::new(value::words, Flag {
        long: "private",
        value: Some("PATTERNS"),
        env: Some("MODFETCH_SERVE_PRIVATE"),
        separator: Some(','),
        brief: "Ask no upstream or database about these; repeatable",
        detail: "They come from --local and from what is kept. GOPRIVATE is another thing: it says \
                 what is fetched directly.",
        ..Flag::OURS
    });

    /// How long a version must have been known.
    min_age: Option<Duration> = SERVE_MIN_AGE, SettingRow::new(value::some_age, Flag {
        long: "min-age",
        value: Some("AGE"),
        env: Some("MODFETCH_SERVE_MIN_AGE"),
        brief: "Hand out only versions that have been known for so long",
        detail: "Such as 7d. A version is known since the checksum database has it, or since it was \
                 first looked up here. The time in its .info does not count: its author sets it.",
        ..Flag::OURS
    });

    /// Patterns of what is handed out at any age.
    min_age_exempt: Vec<String> = SERVE_MIN_AGE_EXEMPT, SettingRow::new(value::words, Flag {
        long: "min-age-exempt",
        value: Some("PATTERNS"),
        env: Some("MODFETCH_SERVE_MIN_AGE_EXEMPT"),
        separator: Some(','),
        brief: "Hand out these modules at any age; repeatable",
        detail: "Patterns as in --allow.",
        ..Flag::OURS
    });

    /// The most bytes of zips that are kept.
    max_size: Option<u64> = SERVE_MAX_SIZE, SettingRow::new(value::some_size, Flag {
        long: "max-size",
        value: Some("SIZE"),
        env: Some("MODFETCH_SERVE_MAX_SIZE"),
        brief: "Keep no more bytes of zips than this",
        detail: "Such as 50G (powers of 1024). Above it, zips go until nine tenths are left, those first that were \
                 used longest ago. A zip that upstream no longer has stays, and go.mod files stay.",
        ..Flag::OURS
    });

    /// Zips that upstream no longer has may be evicted as well.
    evict_unavailable: bool = SERVE_EVICT_UNAVAILABLE, SettingRow::switch(Flag {
        long: "evict-unavailable",
        env: Some("MODFETCH_SERVE_EVICT_UNAVAILABLE"),
        default: "false",
        brief: "Let --max-size remove what upstream no longer has",
        detail: "Such a zip cannot be fetched again. Upstream is not asked then, and --offline removes zips, too.",
        ..Flag::OURS
    });

    /// The most connections at once; `None` for as many as the system allows, up to a bound.
    max_connections: Option<u32> = SERVE_MAX_CONNECTIONS, SettingRow::new(value::some_count, Flag {
        long: "max-connections",
        value: Some("N"),
        env: Some("MODFETCH_SERVE_MAX_CONNECTIONS"),
        brief: "Serve no more connections at once",
        detail: "Default: 16384, or what the limit of open files allows. One more is answered by 503.",
        ..Flag::OURS
    });

    /// The most requests a second from one address.
    rate: Option<u32> = SERVE_RATE, SettingRow::new(value::some_count, Flag {
        long: "rate",
        value: Some("N"),
        env: Some("MODFETCH_SERVE_RATE"),
        brief: "Take no more requests a second from one address",
        detail: "Averaged over ten seconds; more are answered by 429. Default: no limit.",
        ..Flag::OURS
    });

    /// In which time each kept zip is verified once; `None` for never.
    recheck: Option<Duration> = SERVE_RECHECK, SettingRow::new(value::some_age, Flag {
        long: "recheck",
        value: Some("TIME"),
        env: Some("MODFETCH_SERVE_RECHECK"),
        brief: "Verify each kept zip once in this time",
        detail: "A zip that is wrong is moved to the quarantine of the cache, logged, and fetched \
                 again when it is asked for. Default: never.",
        ..Flag::OURS
    });

    /// How long requests may take to end after SIGTERM.
    drain: Duration = SERVE_DRAIN, SettingRow::new(value::age, Flag {
        long: "drain",
        value: Some("TIME"),
        env: Some("MODFETCH_SERVE_DRAIN"),
        default: "30s",
        brief: "Let requests end for so long after SIGTERM",
        detail: "A second signal ends the server at once.",
        ..Flag::OURS
    });

    /// The certificate chain of the server.
    tls_cert: Option<PathBuf> = SERVE_TLS_CERT, SettingRow::file(Flag {
        long: "tls-cert",
        value: Some("FILE"),
        env: Some("MODFETCH_SERVE_TLS_CERT"),
        brief: "Speak TLS with this certificate chain",
        detail: "PEM. SIGHUP has it read again.",
        ..Flag::OURS
    });

    /// Its private key.
    tls_key: Option<PathBuf> = SERVE_TLS_KEY, SettingRow::file(Flag {
        long: "tls-key",
        value: Some("FILE"),
        env: Some("MODFETCH_SERVE_TLS_KEY"),
        brief: "The private key of --tls-cert",
        detail: "PEM.",
        ..Flag::OURS
    });

    /// The authorities of client certificates.
    tls_client_ca: Option<PathBuf> = SERVE_TLS_CLIENT_CA, SettingRow::file(Flag {
        long: "tls-client-ca",
        value: Some("FILE"),
        env: Some("MODFETCH_SERVE_TLS_CLIENT_CA"),
        brief: "Demand client certificates of these authorities",
        detail: "PEM. A connection without one is refused.",
        ..Flag::OURS
    });

    /// The file of users.
    htpasswd: Option<PathBuf> = SERVE_HTPASSWD, SettingRow::file(Flag {
        long: "htpasswd",
        value: Some("FILE"),
        env: Some("MODFETCH_SERVE_HTPASSWD"),
        brief: "Demand a user and a password of this file",
        detail: "Lines as htpasswd -B writes them (bcrypt). SIGHUP has it read again.",
        ..Flag::OURS
    });

    /// The file of tokens.
    tokens: Option<PathBuf> = SERVE_TOKENS, SettingRow::file(Flag {
        long: "tokens",
        value: Some("FILE"),
        env: Some("MODFETCH_SERVE_TOKENS"),
        brief: "Demand a token of this file",
        detail: "One a line, sent as a bearer token or as the password of any user. SIGHUP has it read again.",
        ..Flag::OURS
    });

    /// How requests are written down.
    access_log: AccessLog = SERVE_ACCESS_LOG, SettingRow::new(AccessLog::parse, Flag {
        long: "access-log",
        value: Some("FORM"),
        choices: AccessLog::NAMES,
        env: Some("MODFETCH_SERVE_ACCESS_LOG"),
        default: "off",
        brief: "Write a line for each request: text, json or off",
        detail: "To stdout.",
        ..Flag::OURS
    });
}
