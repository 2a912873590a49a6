//! What is printed while work is done.

use super::SettingRow;
use crate::config::flags::Flag;
use crate::config::value::Progress;

settings! {
    /// What is printed while work is done.
    struct OutputSettings;
    /// For a command that does long work.
    group OUTPUT = "Output";

    /// Errors only.
    quiet: bool = QUIET, SettingRow::switch(Flag {
        long: "quiet",
        short: Some('q'),
        env: Some("MODFETCH_QUIET"),
        default: "false",
        excludes: Some("verbose"),
        brief: "Print errors only",
        detail: "Whichever of --quiet and --verbose comes last counts.",
        ..Flag::OURS
    });

    /// Tell more.
    verbose: bool = VERBOSE, SettingRow::switch(Flag {
        long: "verbose",
        short: Some('v'),
        env: Some("MODFETCH_VERBOSE"),
        default: "false",
        excludes: Some("quiet"),
        brief: "Tell more; for env, what decided each setting",
        detail: "",
        ..Flag::OURS
    });

    /// When progress is drawn.
    progress: Progress = PROGRESS, SettingRow::new(Progress::parse, Flag {
        long: "progress",
        value: Some("WHEN"),
        env: Some("MODFETCH_PROGRESS"),
        default: "auto",
        choices: Progress::NAMES,
        brief: "Show progress: auto, always, never, json",
        detail: "auto shows it on a terminal; json writes one object a line to standard error.",
        ..Flag::OURS
    });
}
