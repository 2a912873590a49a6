//! What ends a download, and what it may change.

use super::SettingRow;
use crate::config::flags::Flag;

settings! {
    /// What ends a download, and what it may change.
    struct DownloadSettings;
    ungrouped;

    /// go.sum is complete and stays as it is.
    locked: bool = LOCKED, SettingRow::switch(Flag {
        long: "locked",
        env: Some("MODFETCH_LOCKED"),
        default: "false",
        brief: "Fail if go.sum or go.mod would have to change",
        detail: "Neither is written.",
        ..Flag::OURS
    });

    /// Stop at the first module that fails.
    fail_fast: bool = FAIL_FAST, SettingRow::switch(Flag {
        long: "fail-fast",
        env: Some("MODFETCH_FAIL_FAST"),
        default: "false",
        brief: "Stop at the first module that fails",
        detail: "Whichever of --keep-going and --fail-fast comes last counts.",
        ..Flag::OURS
    });

    /// A summary at the end.
    stats: bool = STATS, SettingRow::switch(Flag {
        long: "stats",
        env: Some("MODFETCH_STATS"),
        default: "false",
        brief: "End with a summary on standard error",
        detail: "Modules, requests, retries, bytes and time; an object with --log json. --quiet \
    does not take it away.",
        ..Flag::OURS
    });
}
