//! Our flags that say how module caches are used.

use super::{FETCHING, Flag, OURS};
use crate::cli::commands::Verb;

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "lock-timeout",
        value: Some("TIME"),
        env: Some("MODFETCH_LOCK_TIMEOUT"),
        commands: &[
            Verb::Download,
            Verb::Verify,
            Verb::Graph,
            Verb::Why,
            Verb::Clean,
            Verb::Sum,
        ],
        brief: "Wait this long for a lock of another process",
        detail: "Default none: as long as it takes, as go does. 0 does not wait. Exit code 9.",
        set: |raw, given| {
            raw.lock_timeout = Some(given.text());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "ro-cache",
        value: Some("DIR"),
        env: Some("MODFETCH_RO_CACHE"),
        commands: FETCHING,
        brief: "Take what this module cache has, before the network",
        detail: "May be repeated; the variable is a list separated by colons. Nothing is written or \
                 locked there, and what is taken is checked like everything else.",
        set: |raw, given| {
            raw.ro_cache.push(given.text());
            Ok(())
        },
        ..OURS
    },
];
