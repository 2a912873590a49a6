//! Go's flags about building: its `list` and `clean` take them, and what they do to modules takes no
//! notice.

use crate::cli::commands::Verb;

/// Those that may stand without a value. `-n` and `-x` are flags of ours where they do something.
const SWITCHES: &[&str] = &[
    "a",
    "asan",
    "buildvcs",
    "linkshared",
    "msan",
    "race",
    "trimpath",
    "v",
    "work",
];

/// Those that have a value.
const VALUES: &[&str] = &[
    "asmflags",
    "buildmode",
    "compiler",
    "debug-actiongraph",
    "debug-runtime-trace",
    "debug-trace",
    "gccgoflags",
    "gcflags",
    "installsuffix",
    "ldflags",
    "p",
    "pgo",
    "pkgdir",
    "tags",
    "toolexec",
];

/// If this is a flag about building that the command takes: whether it has a value.
///
/// Source: golang/go `cmd/go/internal/work/build.go`, `AddBuildFlags`, `AddCoverFlags`.
pub(in crate::cli) fn build_flag(verb: Verb, name: &str) -> Option<bool> {
    let list = match verb {
        Verb::List => true,
        Verb::Clean => false,
        _ => return None,
    };
    if SWITCHES.contains(&name) || list && ["cover", "n"].contains(&name) {
        return Some(false);
    }
    let valued = VALUES.contains(&name) || list && ["covermode", "coverpkg"].contains(&name);
    valued.then_some(true)
}

#[cfg(test)]
mod tests {
    use super::super::flags;
    use super::*;

    #[test]
    fn none_hides_a_flag_that_does_something() {
        let gos = |verb| move |flag: &&super::super::Flag| flag.go && flag.applies_to(verb);
        for verb in [Verb::List, Verb::Clean] {
            for flag in flags().filter(gos(verb)) {
                assert_eq!(build_flag(verb, flag.long), None, "{}", flag.long);
            }
        }
        assert_eq!(build_flag(Verb::Download, "race"), None);
    }
}
