//! Flags of go's, in its spelling.

use std::path::PathBuf;

use super::{ENV, Flag, GO, PROJECT, TALKING, UNPACKING, VERIFY, unsupported};
use crate::cli::commands::Verb;

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "C",
        value: Some("DIR"),
        commands: &[
            Verb::Download,
            Verb::Verify,
            Verb::Sum,
            Verb::Doctor,
            Verb::Env,
        ],
        brief: "Work in this directory",
        detail: "As if the program were started there. As 'go', it must be the first flag.",
        set: |raw, given| {
            raw.chdir = Some(PathBuf::from(given.text()));
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "json",
        commands: &[
            Verb::Download,
            Verb::Verify,
            Verb::Sum,
            Verb::Doctor,
            Verb::Env,
            Verb::Version,
        ],
        added: VERIFY,
        brief: "Print results as JSON",
        detail: "A sequence of objects in module order, for download with go's fields.",
        set: |raw, given| {
            raw.json = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "x",
        commands: TALKING,
        added: VERIFY,
        brief: "Print what is done",
        detail: "Requests and their outcome on standard error; secrets are left out.",
        set: |raw, given| {
            raw.x = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "modcacherw",
        commands: UNPACKING,
        brief: "Leave unpacked directories writable",
        detail: "Otherwise files and directories of the module cache are read-only.",
        set: |raw, given| {
            raw.modcacherw = Some(given.on());
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "modfile",
        value: Some("FILE"),
        commands: PROJECT,
        brief: "Use this file in place of go.mod",
        detail: "Its name ends in .mod; go.sum is replaced by the same name ending in .sum.",
        set: |raw, given| {
            raw.modfile = Some(given.text());
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "reuse",
        value: Some("FILE"),
        brief: "Not supported yet",
        detail: "go's way to skip what an earlier run described.",
        set: |_, given| match given.text().as_str() {
            "" => Ok(()),
            _ => Err(unsupported("-reuse").hint("the module cache is reused without it")),
        },
        ..GO
    },
    Flag {
        long: "overlay",
        commands: UNPACKING,
        value: Some("FILE"),
        brief: "Not supported",
        detail: "go's way to replace source files for one run.",
        set: |_, given| match given.text().as_str() {
            "" => Ok(()),
            _ => Err(unsupported("-overlay")),
        },
        ..GO
    },
    Flag {
        long: "changed",
        commands: ENV,
        brief: "Print only what differs from the default",
        detail: "The default is what an empty environment without a GOENV file gives.",
        set: |raw, given| {
            raw.changed = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "w",
        commands: ENV,
        brief: "Set variables (NAME=VALUE) in the GOENV file",
        detail: "The process environment still wins over the file.",
        set: |raw, given| {
            raw.write = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "u",
        commands: ENV,
        brief: "Remove variables from the GOENV file",
        detail: "",
        set: |raw, given| {
            raw.unset = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "n",
        commands: ENV,
        brief: "Accepted for go's sake",
        detail: "It does nothing here, as in go.",
        set: |raw, given| {
            raw.n = given.on();
            Ok(())
        },
        ..GO
    },
];
