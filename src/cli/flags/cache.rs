//! Our flags that say how module caches are used.

use super::Flag;

/// `--lock-timeout`.
pub static LOCK_TIMEOUT: Flag = Flag {
    long: "lock-timeout",
    value: Some("TIME"),
    env: Some("MODFETCH_LOCK_TIMEOUT"),
    brief: "Wait this long for a lock of another process",
    detail: "Default none: as long as it takes, as go does. 0 does not wait. Exit code 9.",
    set: |raw, given| {
        raw.lock_timeout = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--ro-cache`.
pub static RO_CACHE: Flag = Flag {
    long: "ro-cache",
    value: Some("DIR"),
    env: Some("MODFETCH_RO_CACHE"),
    brief: "Take what this module cache has, before the network",
    detail: "May be repeated; the variable is a list separated by colons. Nothing is written or \
             locked there, and what is taken is checked like everything else.",
    set: |raw, given| {
        raw.ro_cache.push(given.text());
        Ok(())
    },
    ..Flag::OURS
};
