//! Flags of modfetch's own that say which modules are meant.

use super::Flag;

/// `--from`.
pub static FROM: Flag = Flag {
    long: "from",
    value: Some("FILE"),
    brief: "Read more modules from a file, or - for standard input",
    detail: "One path@version a line; blank lines and lines starting with # are skipped.",
    ..Flag::OURS
};

/// `--scope`.
pub static SCOPE: Flag = Flag {
    long: "scope",
    value: Some("SCOPE"),
    choices: &["listed", "all"],
    brief: "Without modules: what go.mod lists, or all",
    detail: "listed: the modules that go.mod requires; all: every module of the build list. By \
             default as go: for download listed from go 1.17 on and all before, for verify all.",
    ..Flag::OURS
};

/// `--exclude`.
pub static EXCLUDE: Flag = Flag {
    long: "exclude",
    value: Some("PATTERN"),
    brief: "Leave modules out; may be repeated",
    detail: "A module path, with ... for any string, as in arguments: example.com/... is \
             example.com and all below. go.mod files that the module graph needs are read all the same.",
    ..Flag::OURS
};

/// `--missing-replace`.
pub static MISSING_REPLACE: Flag = Flag {
    long: "missing-replace",
    value: Some("WHAT"),
    choices: &["error", "warn", "ignore"],
    brief: "error, warn, ignore: a local replacement is missing",
    detail: "With warn or ignore, what a module requires whose replacement has no go.mod here is \
             left out of the module graph. Default: error, as go.",
    ..Flag::OURS
};
