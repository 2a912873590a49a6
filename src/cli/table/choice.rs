//! Our flags that say what to do, and with which modules.

use std::path::PathBuf;

use super::{Flag, OURS, SUM};

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "locked",
        env: Some("MODFETCH_LOCKED"),
        brief: "Fail if go.sum lacks a line",
        detail: "go.sum is not written.",
        set: |raw, given| {
            raw.locked = Some(given.on());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "dry-run",
        brief: "Print what would be fetched, and fetch nothing",
        detail: "Exit code 10 if there is something to fetch, 0 if the cache is complete.",
        set: |raw, given| {
            raw.dry_run = given.on();
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "from",
        value: Some("FILE"),
        brief: "Read more modules from a file, or - for standard input",
        detail: "One path@version a line; blank lines and lines starting with # are skipped.",
        set: |raw, given| {
            raw.from = Some(PathBuf::from(given.text()));
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "keep-going",
        brief: "Go on after a module failed (the default)",
        detail: "",
        set: |raw, given| {
            raw.fail_fast = Some(!given.on());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "fail-fast",
        env: Some("MODFETCH_FAIL_FAST"),
        brief: "Stop at the first module that fails",
        detail: "Whichever of --keep-going and --fail-fast comes last counts.",
        set: |raw, given| {
            raw.fail_fast = Some(given.on());
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "check",
        commands: SUM,
        brief: "Compare go.sum with what the module graph needs",
        detail: "Exit code 10 if lines are missing, 5 if lines disagree. Nothing is written.",
        set: |raw, given| {
            raw.check = given.on();
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "write",
        commands: SUM,
        brief: "Add the lines that go.sum lacks",
        detail: "A line that disagrees is told and stays as it is.",
        set: |raw, given| {
            raw.write_sums = given.on();
            Ok(())
        },
        ..OURS
    },
    Flag {
        long: "explain",
        commands: SUM,
        brief: "Show who says what of a module version",
        detail: "go.sum, checksum database, cache and proxy side by side. What the proxy has is fetched, \
compared and thrown away.",
        set: |raw, given| {
            raw.explain = given.on();
            Ok(())
        },
        ..OURS
    },
];
