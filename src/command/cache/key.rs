//! `modfetch cache key`: a name for what projects need, for CI systems that keep caches by name.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::needs::project_at;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, flags};
use crate::command::definition::{Command, CommandCall, Runner};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fsio::read_whole;
use crate::gomod::modfile::GoSum;
use crate::project::{Project, ResolvedModule};
use crate::report::Console;

/// Changes when the same text would stand for other things.
const FORM: &str = "modfetch-1";

/// Hexadecimal digits of the SHA-256: more than enough to tell caches apart.
const DIGITS: usize = 32;

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["cache", "key"],
        groups: &[&groups::PROJECT],
        flags: &[&flags::C],
        arguments: "[PATH...]",
        brief: "Print a key for what projects need",
        detail: "Prints one line, to be used as the key of a CI cache. It is made from the module versions that \
the go.mod or go.work files require, their toolchains, and the sums in go.sum; it is the same on every operating \
system, and does not change with comments, order, line ends, or anything else in these files. Nothing is fetched, \
and the module cache is not looked at. Without PATH, a directory, go.mod or go.work, it is about the project here.",
        examples: &[
            ("modfetch cache key", "of the project here"),
            ("modfetch cache key ./a ./b", "of two projects together"),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    let here = [".".to_owned()];
    let paths = match call.raw.args.as_slice() {
        [] => &here,
        given => given,
    };
    let mut lines = BTreeSet::new();
    for path in paths {
        let (_, project) = project_at(call, config, console, path)?;
        add_lines(&project, &mut lines)?;
    }
    let mut hash = Sha256::new();
    for line in &lines {
        hash.update(line);
        hash.update("\n");
    }
    let mut key = format!("{FORM}-");
    for byte in &hash.finalize()[..DIGITS / 2] {
        // Writing to memory succeeds.
        let _ = write!(key, "{byte:02x}");
    }
    console.data(&(key + "\n"))?;
    Ok(None)
}

/// What decides which files a cache has for a project, a line each.
fn add_lines(project: &Project, lines: &mut BTreeSet<String>) -> Result<()> {
    for main in project.mains() {
        for line in &main.modfile().require {
            if let ResolvedModule::Module(module) = project.rules().resolved(&line.module) {
                lines.insert(format!("{} {}", module.path(), module.version()));
            }
        }
        let toolchain = &main.modfile().toolchain;
        lines.extend(
            toolchain
                .iter()
                .map(|line| format!("toolchain {}", line.name)),
        );
    }
    if let Some(workspace) = project.workspace() {
        let toolchain = &workspace.content().toolchain;
        lines.extend(
            toolchain
                .iter()
                .map(|line| format!("toolchain {}", line.name)),
        );
    }
    for file in project.other_sums().into_iter().chain([project.go_sum()]) {
        let text = match project.overlay().read(&file, read_whole) {
            Ok(text) => text,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => continue,
            Err(cause) => return Err(Error::io("cannot read", &file, cause)),
        };
        let sums = GoSum::parse(&file.display().to_string(), &text)?;
        for (path, version, sums) in sums.iter() {
            lines.extend(sums.iter().map(|sum| format!("{path} {version} {sum}")));
        }
    }
    Ok(())
}
