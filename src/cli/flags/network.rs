//! Our flags that say how the network is used.

use super::Flag;

/// `--jobs`.
pub static JOBS: Flag = Flag {
    long: "jobs",
    short: Some('j'),
    value: Some("N"),
    env: Some("MODFETCH_JOBS"),
    brief: "Fetch at most N files at once",
    detail: "Default 64. GOMODCONCURRENT is read too, below MODFETCH_JOBS.",
    set: |raw, given| {
        raw.jobs = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--jobs-per-host`.
pub static JOBS_PER_HOST: Flag = Flag {
    long: "jobs-per-host",
    value: Some("N"),
    env: Some("MODFETCH_JOBS_PER_HOST"),
    brief: "Fetch at most N files at once from one host",
    detail: "Default 64. Halved for a host that answers 429 or 503, and slowly raised again.",
    set: |raw, given| {
        raw.jobs_per_host = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--max-requests-per-second`.
pub static MAX_REQUESTS_PER_SECOND: Flag = Flag {
    long: "max-requests-per-second",
    value: Some("N"),
    env: Some("MODFETCH_MAX_REQUESTS_PER_SECOND"),
    brief: "Make at most N requests a second to one host",
    detail: "May be a fraction: 0.5 is one in two seconds. Each further try counts. Default 0, no limit.",
    set: |raw, given| {
        raw.max_requests_per_second = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--limit-rate`.
pub static LIMIT_RATE: Flag = Flag {
    long: "limit-rate",
    value: Some("RATE"),
    env: Some("MODFETCH_LIMIT_RATE"),
    brief: "Receive at most RATE bytes a second in all",
    detail: "Written as 800000, 500K, 2.5M, 1G; K is 1024 bytes, as in curl and wget. All \
             transfers share it; file:// is not limited. Default 0, no limit.",
    set: |raw, given| {
        raw.limit_rate = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--offline`.
pub static OFFLINE: Flag = Flag {
    long: "offline",
    env: Some("MODFETCH_OFFLINE"),
    brief: "Open no socket; use what the cache has",
    detail: "A module that is not in the cache fails with exit code 11.",
    set: |raw, given| {
        raw.offline = Some(given.on());
        Ok(())
    },
    ..Flag::OURS
};

/// `--wait-published`.
pub static WAIT_PUBLISHED: Flag = Flag {
    long: "wait-published",
    value: Some("TIME"),
    env: Some("MODFETCH_WAIT_PUBLISHED"),
    brief: "Wait this long for tags the checksum database lacks",
    detail: "Default 0: do not wait. For tags that were pushed moments ago: 404 and 410 of the \
database are asked again, with growing waits, until TIME has passed since the first of them.",
    set: |raw, given| {
        raw.wait_published = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--retries`.
pub static RETRIES: Flag = Flag {
    long: "retries",
    value: Some("N"),
    env: Some("MODFETCH_RETRIES"),
    brief: "Try a failed request N more times",
    detail: "Default 4. Only what may pass is tried again: cut or stalled transfers, 429, 5xx. \
             Tries that fail while the host answers other requests are bad luck; as many of \
             them as N are not counted.",
    set: |raw, given| {
        raw.retries = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--retry-max-time`.
pub static RETRY_MAX_TIME: Flag = Flag {
    long: "retry-max-time",
    value: Some("TIME"),
    env: Some("MODFETCH_RETRY_MAX_TIME"),
    brief: "Try no request again later than this after its first try",
    detail: "Default 0: no limit but --retries. A try that has begun may take longer.",
    set: |raw, given| {
        raw.retry_max_time = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--connect-timeout`.
pub static CONNECT_TIMEOUT: Flag = Flag {
    long: "connect-timeout",
    value: Some("TIME"),
    env: Some("MODFETCH_CONNECT_TIMEOUT"),
    brief: "Wait this long for a connection",
    detail: "Default 10s. Written as 10s, 1m30s, 250ms, or plain seconds.",
    set: |raw, given| {
        raw.connect_timeout = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--stall-timeout`.
pub static STALL_TIMEOUT: Flag = Flag {
    long: "stall-timeout",
    value: Some("TIME"),
    env: Some("MODFETCH_STALL_TIMEOUT"),
    brief: "Wait this long for the next byte",
    detail: "Default 30s. There is no limit on a whole transfer that moves.",
    set: |raw, given| {
        raw.stall_timeout = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--timeout`.
pub static TIMEOUT: Flag = Flag {
    long: "timeout",
    value: Some("TIME"),
    env: Some("MODFETCH_TIMEOUT"),
    brief: "End all requests this long after the start",
    detail: "Default 0: no limit. What has not come by then fails with exit code 6; the next \
             run goes on from what is there. No lock is waited for longer either: exit code 9.",
    set: |raw, given| {
        raw.timeout = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};
