//! Our flags that say what to do, and with which modules.

use std::path::PathBuf;

use super::Flag;

/// `--go-version`.
pub static GO_VERSION: Flag = Flag {
    long: "go-version",
    value: Some("VERSION"),
    env: Some("MODFETCH_GO_VERSION"),
    brief: "Act as this version of go",
    detail: "Default: that of GOROOT or of GOLANG_VERSION, otherwise 1.26.8. With \
             GOTOOLCHAIN=local modules that need a newer one are refused, as by go.",
    set: |raw, given| {
        raw.go_version = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--locked`.
pub static LOCKED: Flag = Flag {
    long: "locked",
    env: Some("MODFETCH_LOCKED"),
    brief: "Fail if go.sum or go.mod would have to change",
    detail: "Neither is written.",
    set: |raw, given| {
        raw.locked = Some(given.on());
        Ok(())
    },
    ..Flag::OURS
};

/// `--dry-run`.
pub static DRY_RUN: Flag = Flag {
    long: "dry-run",
    brief: "Print what would be fetched, and fetch nothing",
    detail: "Exit code 10 if there is something to fetch, 0 if the cache is complete.",
    set: |raw, given| {
        raw.dry_run = given.on();
        Ok(())
    },
    ..Flag::OURS
};

/// `--from`.
pub static FROM: Flag = Flag {
    long: "from",
    value: Some("FILE"),
    brief: "Read more modules from a file, or - for standard input",
    detail: "One path@version a line; blank lines and lines starting with # are skipped.",
    set: |raw, given| {
        raw.from = Some(PathBuf::from(given.text()));
        Ok(())
    },
    ..Flag::OURS
};

/// `--scope`.
pub static SCOPE: Flag = Flag {
    long: "scope",
    value: Some("SCOPE"),
    brief: "Without modules: what go.mod lists, or all",
    detail: "listed: the modules that go.mod requires; all: every module of the build list. By \
             default as go: for download listed from go 1.17 on and all before, for verify all.",
    set: |raw, given| {
        raw.scope = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--exclude`.
pub static EXCLUDE: Flag = Flag {
    long: "exclude",
    value: Some("PATTERN"),
    brief: "Leave modules out; may be repeated",
    detail: "A module path, with ... for any string, as in arguments: example.com/... is \
             example.com and all below. go.mod files that the module graph needs are read all the same.",
    set: |raw, given| {
        raw.exclude.push(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--missing-replace`.
pub static MISSING_REPLACE: Flag = Flag {
    long: "missing-replace",
    value: Some("WHAT"),
    brief: "error, warn, ignore: a local replacement is missing",
    detail: "With warn or ignore, what a module requires whose replacement has no go.mod here is \
             left out of the module graph. Default: error, as go.",
    set: |raw, given| {
        raw.missing_replace = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--null`.
pub static NULL: Flag = Flag {
    long: "null",
    short: Some('0'),
    brief: "End each URL or file name with NUL, for xargs -0",
    detail: "For -urls and -files.",
    set: |raw, given| {
        raw.null = given.on();
        Ok(())
    },
    ..Flag::OURS
};

/// `--dot`.
pub static DOT: Flag = Flag {
    long: "dot",
    brief: "Print the graph for Graphviz",
    detail: "Versions that are not selected have a dashed line.",
    set: |raw, given| {
        raw.dot = given.on();
        Ok(())
    },
    ..Flag::OURS
};

/// `--cache`.
pub static CACHE: Flag = Flag {
    long: "cache",
    brief: "Check the whole module cache",
    detail: "No go.mod is needed; where there is one, its go.sum counts too.",
    set: |raw, given| {
        raw.cache = given.on();
        Ok(())
    },
    ..Flag::OURS
};

/// `--repair`.
pub static REPAIR: Flag = Flag {
    long: "repair",
    brief: "Fetch or extract again what is damaged",
    detail: "The network is used, unless --offline. Damaged pieces are kept below \
             GOMODCACHE/cache/modfetch/quarantine. Exit code 0 if all was mended.",
    set: |raw, given| {
        raw.repair = given.on();
        Ok(())
    },
    ..Flag::OURS
};

/// `--sumdb`.
pub static SUMDB: Flag = Flag {
    long: "sumdb",
    brief: "Prove modules by the cached checksum database, too",
    detail: "What the cache has of it is used, and nothing is asked.",
    set: |raw, given| {
        raw.sumdb = given.on();
        Ok(())
    },
    ..Flag::OURS
};

/// `--keep-going`.
pub static KEEP_GOING: Flag = Flag {
    long: "keep-going",
    brief: "Go on after a module failed (the default)",
    detail: "",
    set: |raw, given| {
        raw.fail_fast = Some(!given.on());
        Ok(())
    },
    ..Flag::OURS
};

/// `--fail-fast`.
pub static FAIL_FAST: Flag = Flag {
    long: "fail-fast",
    env: Some("MODFETCH_FAIL_FAST"),
    brief: "Stop at the first module that fails",
    detail: "Whichever of --keep-going and --fail-fast comes last counts.",
    set: |raw, given| {
        raw.fail_fast = Some(given.on());
        Ok(())
    },
    ..Flag::OURS
};

/// `--check`.
pub static CHECK: Flag = Flag {
    long: "check",
    brief: "Compare go.sum with what the module graph needs",
    detail: "Exit code 10 if lines are missing, 5 if lines disagree. Nothing is written.",
    set: |raw, given| {
        raw.check = given.on();
        Ok(())
    },
    ..Flag::OURS
};

/// `--write`.
pub static WRITE: Flag = Flag {
    long: "write",
    brief: "Add the lines that go.sum lacks",
    detail: "A line that disagrees is told and stays as it is.",
    set: |raw, given| {
        raw.write_sums = given.on();
        Ok(())
    },
    ..Flag::OURS
};

/// `--explain`.
pub static EXPLAIN: Flag = Flag {
    long: "explain",
    brief: "Show who says what of a module version",
    detail: "go.sum, checksum database, cache and proxy side by side. What the proxy has is fetched, \
compared and thrown away.",
    set: |raw, given| {
        raw.explain = given.on();
        Ok(())
    },
    ..Flag::OURS
};
