//! `modfetch cache du`: what takes how much space.

use super::needs::{needed_by, needs_of};
use super::{KEEP_FROM, SCAN, note_index_age, now, open_cache};
use crate::cache::TreeSizes;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, flags};
use crate::command::definition::{Command, CommandCall, Runner};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::report::{Console, DiskUsage, DiskUsageBy};

static BY: Flag = Flag {
    long: "by",
    value: Some("WHAT"),
    brief: "Rows by kind, module or version",
    detail: "Default kind. Modules and versions are printed largest first.",
    ..Flag::OURS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["cache", "du"],
        groups: &[&groups::PROJECT, &groups::OUTPUT],
        flags: &[&flags::C, &flags::JSON, &BY, &KEEP_FROM, &SCAN],
        brief: "Print how much space the module cache takes",
        detail: "Prints the disk space (as du counts it) and the number of files of GOMODCACHE: extracted \
directories, zips, toolchains, metadata (.info, .mod, .ziphash), what interrupted transfers have left, repositories \
of version control, the checksum database, modfetch's own state, and the rest.\n\
The answer comes from an index that the last look has left, so that it takes milliseconds; without an index, \
or with --scan, the whole cache is looked at. With --keep-from it also says how much of it each project needs, and \
how much none of them does.",
        examples: &[
            ("modfetch cache du", "a line for each kind"),
            (
                "modfetch cache du --by module --scan",
                "the largest modules first",
            ),
            (
                "modfetch cache du --keep-from ./a --keep-from ./b",
                "what two projects need, and what neither does",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    let raw = call.raw;
    let by = match raw.text(&BY) {
        None | Some("kind") => DiskUsageBy::Kind,
        Some("module") => DiskUsageBy::Module,
        Some("version") => DiskUsageBy::Version,
        Some(other) => {
            let text =
                format!("invalid value {other:?} for flag --by: want kind, module or version");
            return Err(Error::new(Kind::Usage, text));
        }
    };
    let cache = open_cache(config)?;
    let needs = needs_of(call, config, console, raw.texts(&KEEP_FROM))?;
    let indexed = match raw.is_on(&SCAN) {
        true => None,
        false => cache.indexed(),
    };
    let inventory = match indexed {
        Some(inventory) => {
            note_index_age(&inventory, now(), console);
            inventory
        }
        None => cache.scan(TreeSizes::Measured)?,
    };
    let names: Vec<String> = needs.iter().map(|one| one.name.clone()).collect();
    let usage = DiskUsage::new(&inventory, by, &names, |record| {
        needed_by(&needs, &record.module)
    });
    match raw.is_on(&flags::JSON) {
        true => console.data(&usage.json(&cache.root().display().to_string()))?,
        false => console.data(&usage.text())?,
    }
    Ok(None)
}
