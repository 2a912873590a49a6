//! How locks of other processes are waited for.

use std::time::Duration;

use super::SettingRow;
use crate::config::flags::Flag;
use crate::config::value;

settings! {
    /// How locks of other processes are waited for.
    struct LockSettings;
    /// For a command that takes locks in the module cache.
    group LOCKS = "Locks";

    /// The longest wait for a lock; `None` is no limit.
    lock_timeout: Option<Duration> = LOCK_TIMEOUT, SettingRow::new(value::lock_limit, Flag {
        long: "lock-timeout",
        value: Some("TIME"),
        env: Some("MODFETCH_LOCK_TIMEOUT"),
        default: "none",
        brief: "Wait this long for a lock of another process",
        detail: "Default none: as long as it takes, as go does. 0 does not wait. Exit code 9.",
        ..Flag::OURS
    });
}
