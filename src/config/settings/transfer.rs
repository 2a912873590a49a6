//! How modules are fetched: how many at once, how fast, how often.

use std::path::PathBuf;
use std::time::Duration;

use super::SettingRow;
use crate::config::flags::Flag;
use crate::config::{AcceptedSum, value};

settings! {
    /// How modules are fetched: how many at once, how fast, how often.
    struct TransferSettings;
    /// For a command that fetches modules.
    group TRANSFER = "Transfers";

    /// Transfers at once, at least 1.
    jobs: usize = JOBS, SettingRow::new(value::jobs, Flag {
        long: "jobs",
        short: Some('j'),
        value: Some("N"),
        env: Some("MODFETCH_JOBS"),
        alias: Some("GOMODCONCURRENT"),
        default: "64",
        brief: "Fetch at most N files at once",
        detail: "GOMODCONCURRENT is read too, below MODFETCH_JOBS.",
        ..Flag::OURS
    });

    /// Transfers at once from one host, at least 1.
    jobs_per_host: usize = JOBS_PER_HOST, SettingRow::new(value::jobs, Flag {
        long: "jobs-per-host",
        value: Some("N"),
        env: Some("MODFETCH_JOBS_PER_HOST"),
        default: "64",
        brief: "Fetch at most N files at once from one host",
        detail: "Halved for a host that answers 429 or 503, and slowly raised again.",
        ..Flag::OURS
    });

    /// Tries a second for one host, more than 0; `None` for no limit.
    max_requests_per_second: Option<f64> = MAX_REQUESTS_PER_SECOND, SettingRow::new(value::per_second, Flag {
        long: "max-requests-per-second",
        value: Some("N"),
        env: Some("MODFETCH_MAX_REQUESTS_PER_SECOND"),
        default: "0",
        brief: "Make at most N requests a second to one host",
        detail: "May be a fraction: 0.5 is one in two seconds. Each further try counts. 0 is no limit.",
        ..Flag::OURS
    });

    /// Bytes a second for all transfers together, at least 1; `None` for no limit.
    limit_rate: Option<u64> = LIMIT_RATE, SettingRow::new(value::byte_rate, Flag {
        long: "limit-rate",
        value: Some("RATE"),
        env: Some("MODFETCH_LIMIT_RATE"),
        default: "0",
        brief: "Receive at most RATE bytes a second in all",
        detail: "Written as 800000, 500K, 2.5M, 1G; K is 1024 bytes, as in curl and wget. All \
                 transfers share it; file:// is not limited. 0 is no limit.",
        ..Flag::OURS
    });

    /// Further tries of a request that failed.
    retries: u32 = RETRIES, SettingRow::new(value::retries, Flag {
        long: "retries",
        value: Some("N"),
        env: Some("MODFETCH_RETRIES"),
        default: "4",
        brief: "Try a failed request N more times",
        detail: "Only what may pass is tried again: cut or stalled transfers, 429, 5xx. \
                 Tries that fail while the host answers other requests are bad luck; as many of \
                 them as N are not counted.",
        ..Flag::OURS
    });

    /// How long after its first try a request may be tried again; `None` is no limit.
    retry_max_time: Option<Duration> = RETRY_MAX_TIME, SettingRow::new(value::limit, Flag {
        long: "retry-max-time",
        value: Some("TIME"),
        env: Some("MODFETCH_RETRY_MAX_TIME"),
        default: "0",
        brief: "Try no request again later than this after its first try",
        detail: "0 is no limit but --retries. A try that has begun may take longer.",
        ..Flag::OURS
    });

    /// The longest that a run may take; `None` is no limit.
    timeout: Option<Duration> = TIMEOUT, SettingRow::new(value::limit, Flag {
        long: "timeout",
        value: Some("TIME"),
        env: Some("MODFETCH_TIMEOUT"),
        default: "0",
        brief: "End all requests this long after the start",
        detail: "0 is no limit. Requests that are unfinished by then fail with exit code 6; the next \
                 run resumes them. Waits for locks end then, too: exit code 9.",
        ..Flag::OURS
    });

    /// How long to wait for versions that the checksum database does not know yet; zero is not.
    wait_published: Duration = WAIT_PUBLISHED, SettingRow::new(value::patience, Flag {
        long: "wait-published",
        value: Some("TIME"),
        env: Some("MODFETCH_WAIT_PUBLISHED"),
        default: "0",
        brief: "Wait this long for tags the checksum database lacks",
        detail: "0 is not to wait. For tags that were pushed moments ago: 404 and 410 of the \
    database are asked again, with growing waits, until TIME has passed since the first of them.",
        ..Flag::OURS
    });

    /// Module caches that are only read: absolute, in order.
    ro_cache: Vec<PathBuf> = RO_CACHE, SettingRow::directories(Flag {
        long: "ro-cache",
        value: Some("DIR"),
        env: Some("MODFETCH_RO_CACHE"),
        default: "",
        separator: Some(':'),
        brief: "Take what this module cache has, before the network",
        detail: "May be repeated; the variable is a list separated by colons. Nothing is written or \
                 locked there, and what is taken is checked like everything else.",
        ..Flag::OURS
    });

    /// Sums that count where the checksum database knows none.
    accept_unlogged: Vec<AcceptedSum> = ACCEPT_UNLOGGED, SettingRow::new(value::accepted_sums, Flag {
        long: "accept-unlogged",
        value: Some("MODULE=SUM"),
        env: Some("MODFETCH_ACCEPT_UNLOGGED"),
        default: "",
        separator: Some(','),
        brief: "Accept this sum if the database has no record",
        detail: "PATH@VERSION=h1:SUM for the zip, PATH@VERSION/go.mod=h1:SUM for its go.mod, as in \
                 go.sum. May be repeated; the variable is a list separated by commas. It counts only \
                 where go.sum has no line and the checksum database answers that it has no record \
                 (a public module that is too large for the mirror, for instance). Every other \
                 module stays checked, which GOSUMDB=off would end.",
        ..Flag::OURS
    });

    /// A store that is only read: `s3://BUCKET/PREFIX`, with its options.
    from_store: Option<String> = FROM_STORE, SettingRow::new(value::text, Flag {
        long: "from-store",
        value: Some("URL"),
        env: Some("MODFETCH_FROM_STORE"),
        default: "",
        brief: "Take what this store has, before the network",
        detail: "s3://BUCKET/PREFIX, as 'modfetch help store' says; the checksum database of the store \
                 is used as well. It is asked with --offline, too. Nothing is written there, and what is taken is checked like \
                 everything else.",
        ..Flag::OURS
    });
}
