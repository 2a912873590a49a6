//! `modfetch man`: the man pages.

use std::fs;

use super::definition::{Command, Runner};
use super::directory::working_directory;
use super::table::command_tree;
use crate::cli::{CommandInfo, Flag, flags, man_pages};
use crate::error::{Error, Kind};

/// `--dir`.
static DIR: Flag = Flag {
    long: "dir",
    value: Some("DIR"),
    brief: "Write every page to a file in DIR",
    detail: "DIR is made if it does not exist. Files are named as man looks for them: modfetch-download.1, \
modfetch-settings.7.",
    ..Flag::OURS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["man"],
        arguments: "[command or topic]",
        flags: &[&flags::C, &DIR],
        brief: "Print a man page, or write all of them",
        detail: "Prints the man page of the program, a command or a help topic in the macros of man(7), for man -l. \
With --dir, writes all of them.",
        examples: &[
            (
                "modfetch man download | man -l -",
                "read the page of download",
            ),
            ("modfetch man --dir man", "write every page below man"),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Early(|call, console| {
        let pages = man_pages(&command_tree());
        if let Some(dir) = call.raw.file(&DIR) {
            if !call.raw.args.is_empty() {
                let text = "man --dir writes every page: it takes no command";
                return Err(Error::new(Kind::Usage, text));
            }
            let dir = working_directory(call.raw)?.join(dir);
            let failed = |cause| Error::io("cannot write", &dir, cause);
            fs::create_dir_all(&dir).map_err(failed)?;
            for page in &pages {
                let file = dir.join(&page.file);
                fs::write(&file, &page.roff)
                    .map_err(|cause| Error::io("cannot write", &file, cause))?;
            }
            return Ok(None);
        }
        // `man mod download` is the page of download.
        let mut name = call.raw.args.join(" ");
        if let Some(info) = command_tree().command(&name) {
            name = info.name();
        }
        let stem = match name.as_str() {
            "" => "modfetch".to_owned(),
            name => format!("modfetch-{}", name.replace(' ', "-")),
        };
        let of_stem = |file: &str| {
            file.rsplit_once('.')
                .is_some_and(|(front, _)| front == stem)
        };
        let Some(page) = pages.iter().find(|page| of_stem(&page.file)) else {
            return Err(Error::new(Kind::Usage, format!("no man page {name:?}"))
                .hint("'modfetch --help' lists commands and topics"));
        };
        console.data(&page.roff)?;
        Ok(None)
    }),
};
