//! `modfetch cache list`: which versions the cache has.

use super::{SCAN, note_access_times, now, open_cache};
use crate::cache::{NamePattern, TreeSizes};
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, flags};
use crate::command::definition::{Command, CommandCall, Runner};
use crate::config::Config;
use crate::error::{Kind, Result};
use crate::report::{Console, version_json, version_line};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["cache", "list"],
        groups: &[&groups::OUTPUT],
        flags: &[&flags::C, &flags::JSON, &SCAN],
        arguments: "[patterns]",
        brief: "List the module versions in the cache",
        detail: "Prints for each version, by path and version, the disk space that it takes, when it was last used, \
and which of its pieces are missing. 'go.mod only' are versions that a requirement graph names and that no build \
uses.\n\
The last use is the latest that modfetch has recorded (download, verify, list, import) or that the access time of \
the .ziphash shows, which go reads whenever it uses a version. Where the file system keeps no access times, that \
is said.\n\
Patterns are module paths, PATH@VERSION, or have '...' for any string.",
        examples: &[
            ("modfetch cache list", "every version"),
            ("modfetch cache list -json golang.org/x/...", "for programs"),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    let raw = call.raw;
    let patterns = raw.args.iter().map(|text| NamePattern::parse(text));
    let patterns = patterns.collect::<Result<Vec<_>>>()?;
    let cache = open_cache(config)?;
    // Access times are the point of it: they are looked at again.
    let sizes = match raw.is_on(&SCAN) {
        true => TreeSizes::Measured,
        false => TreeSizes::Known,
    };
    let inventory = cache.scan(sizes)?;
    let now = now();
    note_access_times(&inventory, console);
    let mut out = String::new();
    for record in inventory.versions.iter().filter(|record| {
        patterns.is_empty()
            || patterns
                .iter()
                .any(|pattern| pattern.matches(&record.module))
    }) {
        out += &match raw.is_on(&flags::JSON) {
            true => version_json(record),
            false => version_line(record, now),
        };
    }
    for pattern in patterns.iter().filter(|pattern| {
        !inventory
            .versions
            .iter()
            .any(|record| pattern.matches(&record.module))
    }) {
        console.note(&format!(
            "warning: {:?} matched no version",
            pattern.as_str()
        ));
    }
    console.data(&out)?;
    Ok(None)
}
