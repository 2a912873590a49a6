//! The table: each setting, its flag, its variable and its default.

use std::path::PathBuf;
use std::time::Duration;

use super::OwnSetting;
use super::value::{self, Color, Log, Progress};
use crate::gomod::GoVersion;

/// `--jobs`: transfers at once. `GOMODCONCURRENT` is what people have tried to set for go.
pub(in crate::config) const JOBS: OwnSetting<usize> = OwnSetting {
    flag: "--jobs",
    variable: "MODFETCH_JOBS",
    alias: Some("GOMODCONCURRENT"),
    default: "64",
    parse: value::jobs,
};
/// `--jobs-per-host`: transfers at once from one host.
pub(in crate::config) const JOBS_PER_HOST: OwnSetting<usize> = OwnSetting {
    flag: "--jobs-per-host",
    variable: "MODFETCH_JOBS_PER_HOST",
    alias: None,
    default: "64",
    parse: value::jobs,
};
/// `--max-requests-per-second`: tries a second for one host.
pub(in crate::config) const MAX_REQUESTS_PER_SECOND: OwnSetting<Option<f64>> = OwnSetting {
    flag: "--max-requests-per-second",
    variable: "MODFETCH_MAX_REQUESTS_PER_SECOND",
    alias: None,
    default: "0",
    parse: value::per_second,
};
/// `--limit-rate`: bytes a second for all transfers together.
pub(in crate::config) const LIMIT_RATE: OwnSetting<Option<u64>> = OwnSetting {
    flag: "--limit-rate",
    variable: "MODFETCH_LIMIT_RATE",
    alias: None,
    default: "0",
    parse: value::byte_rate,
};
/// `--retries`: further tries of one request.
pub(in crate::config) const RETRIES: OwnSetting<u32> = OwnSetting {
    flag: "--retries",
    variable: "MODFETCH_RETRIES",
    alias: None,
    default: "4",
    parse: value::retries,
};
/// `--connect-timeout`: the longest wait for a connection.
pub(in crate::config) const CONNECT_TIMEOUT: OwnSetting<Duration> = OwnSetting {
    flag: "--connect-timeout",
    variable: "MODFETCH_CONNECT_TIMEOUT",
    alias: None,
    default: "10s",
    parse: value::timeout,
};
/// `--stall-timeout`: the longest wait for the next byte.
pub(in crate::config) const STALL_TIMEOUT: OwnSetting<Duration> = OwnSetting {
    flag: "--stall-timeout",
    variable: "MODFETCH_STALL_TIMEOUT",
    alias: None,
    default: "30s",
    parse: value::timeout,
};
/// `--lock-timeout`: the longest wait for a lock, if there is a limit.
pub(in crate::config) const LOCK_TIMEOUT: OwnSetting<Option<Duration>> = OwnSetting {
    flag: "--lock-timeout",
    variable: "MODFETCH_LOCK_TIMEOUT",
    alias: None,
    default: "none",
    parse: value::lock_limit,
};
/// `--ro-cache`: module caches that are only read.
pub(in crate::config) const RO_CACHE: OwnSetting<Vec<PathBuf>> = OwnSetting {
    flag: "--ro-cache",
    variable: "MODFETCH_RO_CACHE",
    alias: None,
    default: "",
    parse: value::directories,
};
/// `--retry-max-time`: how long after its first try a request may be tried again.
pub(in crate::config) const RETRY_MAX_TIME: OwnSetting<Option<Duration>> = OwnSetting {
    flag: "--retry-max-time",
    variable: "MODFETCH_RETRY_MAX_TIME",
    alias: None,
    default: "0",
    parse: value::limit,
};
/// `--timeout`: the longest that a run may take.
pub(in crate::config) const TIMEOUT: OwnSetting<Option<Duration>> = OwnSetting {
    flag: "--timeout",
    variable: "MODFETCH_TIMEOUT",
    alias: None,
    default: "0",
    parse: value::limit,
};
/// `--netrc-file`: credentials that come before those of GOAUTH.
pub(in crate::config) const NETRC_FILE: OwnSetting<Option<PathBuf>> =
    file("--netrc-file", "MODFETCH_NETRC_FILE", None);
/// `--allow-insecure-auth`: hosts that get credentials over plain http.
pub(in crate::config) const ALLOW_INSECURE_AUTH: OwnSetting<Vec<String>> = OwnSetting {
    flag: "--allow-insecure-auth",
    variable: "MODFETCH_ALLOW_INSECURE_AUTH",
    alias: None,
    default: "",
    parse: value::hosts,
};
/// `--cacert`: further certificate authorities.
pub(in crate::config) const CACERT: OwnSetting<Option<PathBuf>> =
    file("--cacert", "MODFETCH_CACERT", None);
/// `--client-cert`. `SSL_CLIENT_CERT` is what other programs read.
pub(in crate::config) const CLIENT_CERT: OwnSetting<Option<PathBuf>> = file(
    "--client-cert",
    "MODFETCH_CLIENT_CERT",
    Some("SSL_CLIENT_CERT"),
);
/// `--client-key`.
pub(in crate::config) const CLIENT_KEY: OwnSetting<Option<PathBuf>> =
    file("--client-key", "MODFETCH_CLIENT_KEY", None);
/// `--wait-published`: how long a version may take to be known to the checksum database.
pub(in crate::config) const WAIT_PUBLISHED: OwnSetting<Duration> = OwnSetting {
    flag: "--wait-published",
    variable: "MODFETCH_WAIT_PUBLISHED",
    alias: None,
    default: "0",
    parse: value::patience,
};
/// `--go-version`: the go version that a run acts as.
pub(in crate::config) const GO_VERSION: OwnSetting<GoVersion> = OwnSetting {
    flag: "--go-version",
    variable: "MODFETCH_GO_VERSION",
    alias: None,
    default: GoVersion::EMULATED,
    parse: value::go_version,
};
/// `--progress`.
pub(in crate::config) const PROGRESS: OwnSetting<Progress> = OwnSetting {
    flag: "--progress",
    variable: "MODFETCH_PROGRESS",
    alias: None,
    default: "auto",
    parse: value::progress,
};
/// `--color`.
pub(in crate::config) const COLOR: OwnSetting<Color> = OwnSetting {
    flag: "--color",
    variable: "MODFETCH_COLOR",
    alias: None,
    default: "auto",
    parse: value::color,
};
/// `--log`.
pub(in crate::config) const LOG: OwnSetting<Log> = OwnSetting {
    flag: "--log",
    variable: "MODFETCH_LOG",
    alias: None,
    default: "text",
    parse: value::log,
};
/// `--offline`: open no socket.
pub(in crate::config) const OFFLINE: OwnSetting<bool> = off("--offline", "MODFETCH_OFFLINE");
/// `--locked`: go.sum is complete and stays as it is.
pub(in crate::config) const LOCKED: OwnSetting<bool> = off("--locked", "MODFETCH_LOCKED");
/// `--fail-fast`: stop at the first module that fails.
pub(in crate::config) const FAIL_FAST: OwnSetting<bool> = off("--fail-fast", "MODFETCH_FAIL_FAST");
/// `--quiet`: errors only.
pub(in crate::config) const QUIET: OwnSetting<bool> = off("--quiet", "MODFETCH_QUIET");
/// `--verbose`: tell more.
pub(in crate::config) const VERBOSE: OwnSetting<bool> = off("--verbose", "MODFETCH_VERBOSE");
/// `--stats`: a summary at the end.
pub(in crate::config) const STATS: OwnSetting<bool> = off("--stats", "MODFETCH_STATS");
/// `--go-exit-codes`: 0, 1 and 2 only.
pub(in crate::config) const GO_EXIT_CODES: OwnSetting<bool> =
    off("--go-exit-codes", "MODFETCH_GO_EXIT_CODES");

const fn off(flag: &'static str, variable: &'static str) -> OwnSetting<bool> {
    OwnSetting {
        flag,
        variable,
        alias: None,
        default: "false",
        parse: value::boolean,
    }
}

const fn file(
    flag: &'static str,
    variable: &'static str,
    alias: Option<&'static str>,
) -> OwnSetting<Option<PathBuf>> {
    OwnSetting {
        flag,
        variable,
        alias,
        default: "",
        parse: value::file,
    }
}
