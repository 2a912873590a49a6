//! Our flags that say what is told, and how.

use super::Flag;

/// `--quiet`.
pub static QUIET: Flag = Flag {
    long: "quiet",
    short: Some('q'),
    env: Some("MODFETCH_QUIET"),
    brief: "Print errors only",
    detail: "Whichever of --quiet and --verbose comes last counts.",
    set: |raw, given| {
        raw.quiet = Some(given.on());
        if given.on() {
            raw.verbose = Some(false);
        }
        Ok(())
    },
    ..Flag::OURS
};

/// `--verbose`.
pub static VERBOSE: Flag = Flag {
    long: "verbose",
    short: Some('v'),
    env: Some("MODFETCH_VERBOSE"),
    brief: "Tell more; for env, what decided each setting",
    detail: "",
    set: |raw, given| {
        raw.verbose = Some(given.on());
        if given.on() {
            raw.quiet = Some(false);
        }
        Ok(())
    },
    ..Flag::OURS
};

/// `--stats`.
pub static STATS: Flag = Flag {
    long: "stats",
    env: Some("MODFETCH_STATS"),
    brief: "End with a summary on standard error",
    detail: "Modules, requests, retries, bytes and time; an object with --log json. --quiet \
does not take it away.",
    set: |raw, given| {
        raw.stats = Some(given.on());
        Ok(())
    },
    ..Flag::OURS
};

/// `--progress`.
pub static PROGRESS: Flag = Flag {
    long: "progress",
    value: Some("WHEN"),
    env: Some("MODFETCH_PROGRESS"),
    brief: "Show progress: auto, always, never, json",
    detail: "auto shows it on a terminal; json writes one object a line to standard error.",
    set: |raw, given| {
        raw.progress = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--color`.
pub static COLOR: Flag = Flag {
    long: "color",
    value: Some("WHEN"),
    env: Some("MODFETCH_COLOR"),
    brief: "Use colours: auto, always, never",
    detail: "auto uses them on a terminal, unless NO_COLOR is set.",
    set: |raw, given| {
        raw.color = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--log`.
pub static LOG: Flag = Flag {
    long: "log",
    value: Some("FORM"),
    env: Some("MODFETCH_LOG"),
    brief: "Write messages as text or json",
    detail: "json writes one object a line to standard error.",
    set: |raw, given| {
        raw.log = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--go-exit-codes`.
pub static GO_EXIT_CODES: Flag = Flag {
    long: "go-exit-codes",
    env: Some("MODFETCH_GO_EXIT_CODES"),
    brief: "Exit with 0, 1 or 2 only, as go does",
    detail: "Otherwise each class of failure has its own code, 2 to 11.",
    set: |raw, given| {
        raw.go_exit_codes = Some(given.on());
        Ok(())
    },
    ..Flag::OURS
};
