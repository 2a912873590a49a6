//! Flags that belong together: a command names the groups that it has.

use super::*;

/// Flags with a common subject.
#[derive(Debug)]
pub struct FlagGroup {
    /// The heading in help.
    pub title: &'static str,
    /// The flags, in the order of help.
    pub flags: &'static [&'static Flag],
}

/// For a command that reads go.mod.
pub static PROJECT: FlagGroup = FlagGroup {
    title: "Project",
    flags: &[&MODFILE, &OVERLAY, &GO_VERSION],
};

/// For a command that may open connections: how, with which credentials and certificates.
pub static CONNECTION: FlagGroup = FlagGroup {
    title: "Connections and credentials",
    flags: &[
        &OFFLINE,
        &CONNECT_TIMEOUT,
        &STALL_TIMEOUT,
        &NETRC_FILE,
        &ALLOW_INSECURE_AUTH,
        &CACERT,
        &CLIENT_CERT,
        &CLIENT_KEY,
    ],
};

/// For a command that fetches modules: how many transfers, how fast, how often.
pub static TRANSFER: FlagGroup = FlagGroup {
    title: "Transfers",
    flags: &[
        &JOBS,
        &JOBS_PER_HOST,
        &MAX_REQUESTS_PER_SECOND,
        &LIMIT_RATE,
        &RETRIES,
        &RETRY_MAX_TIME,
        &TIMEOUT,
        &WAIT_PUBLISHED,
        &RO_CACHE,
    ],
};

/// For a command that takes locks in the module cache.
pub static LOCKS: FlagGroup = FlagGroup {
    title: "Locks",
    flags: &[&LOCK_TIMEOUT],
};

/// For a command that does long work: what is printed meanwhile.
pub static OUTPUT: FlagGroup = FlagGroup {
    title: "Output",
    flags: &[&QUIET, &VERBOSE, &PROGRESS],
};

/// What every command has, without naming it.
pub static GLOBAL: FlagGroup = FlagGroup {
    title: "All commands",
    flags: &[&COLOR, &LOG, &GO_EXIT_CODES],
};
