//! Our flags that say what is told, and how.

use super::{FETCHING, Flag, OURS, TALKING};

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "quiet",
        short: Some('q'),
        env: Some("MODFETCH_QUIET"),
        commands: FETCHING,
        brief: "Print errors only",
        detail: "Whichever of --quiet and --verbose comes last counts.",
        set: |raw, given| {
            raw.quiet = Some(given.on());
            if given.on() {
                raw.verbose = Some(false);
            }
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "verbose",
        short: Some('v'),
        env: Some("MODFETCH_VERBOSE"),
        commands: TALKING,
        brief: "Tell more; for env, what decided each setting",
        detail: "",
        set: |raw, given| {
            raw.verbose = Some(given.on());
            if given.on() {
                raw.quiet = Some(false);
            }
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "progress",
        value: Some("WHEN"),
        env: Some("MODFETCH_PROGRESS"),
        commands: FETCHING,
        brief: "Show progress: auto, always, never, json",
        detail: "auto shows it on a terminal; json writes one object a line to standard error.",
        set: |raw, given| {
            raw.progress = Some(given.text());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "color",
        value: Some("WHEN"),
        env: Some("MODFETCH_COLOR"),
        commands: &[],
        brief: "Use colours: auto, always, never",
        detail: "auto uses them on a terminal, unless NO_COLOR is set.",
        set: |raw, given| {
            raw.color = Some(given.text());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "log",
        value: Some("FORM"),
        env: Some("MODFETCH_LOG"),
        commands: &[],
        brief: "Write messages as text or json",
        detail: "json writes one object a line to standard error.",
        set: |raw, given| {
            raw.log = Some(given.text());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "go-exit-codes",
        env: Some("MODFETCH_GO_EXIT_CODES"),
        commands: &[],
        brief: "Exit with 0, 1 or 2 only, as go does",
        detail: "Otherwise each class of failure has its own code, 2 to 11.",
        set: |raw, given| {
            raw.go_exit_codes = Some(given.on());
            Ok(())
        },
        ..OURS
    },
];
