//! Flags of go's, in its spelling.

use std::path::PathBuf;

use super::{CLEAN, ENV, Flag, GO, GRAPH, Given, LIST, PLAN, PROJECT, WHY};
use crate::cli::commands::Verb;
use crate::gomod::GoVersion;
use crate::{Error, Kind};

/// A flag that is there to be refused in go's words.
const ABOUT_PACKAGES: Flag = Flag {
    commands: LIST,
    brief: "Refused: it is about packages",
    detail: "go refuses it with -m.",
    ..GO
};

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "C",
        value: Some("DIR"),
        commands: &[
            Verb::Download,
            Verb::Verify,
            Verb::Graph,
            Verb::List,
            Verb::Why,
            Verb::Clean,
            Verb::Plan,
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
            Verb::Graph,
            Verb::List,
            Verb::Why,
            Verb::Plan,
            Verb::Sum,
            Verb::Doctor,
            Verb::Env,
            Verb::Version,
        ],
        words: LIST,
        added: &[Verb::Verify, Verb::Graph, Verb::Why],
        brief: "Print results as JSON",
        detail: "A sequence of objects in module order, for download and list with go's fields. \
For list, -json=Path,Version prints only those fields.",
        set: |raw, given| {
            match given {
                Given::Switch(on) => raw.json = on,
                Given::Value(fields) => {
                    raw.json = true;
                    raw.fields.extend(fields.split(',').map(str::to_owned));
                }
            }
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "x",
        commands: &[
            Verb::Download,
            Verb::Verify,
            Verb::Graph,
            Verb::List,
            Verb::Why,
            Verb::Clean,
            Verb::Env,
            Verb::Plan,
            Verb::Sum,
        ],
        added: &[Verb::Verify],
        brief: "Print what is done",
        detail: "Requests and their outcome on standard error; secrets are left out. For clean, \
the command that would do the same, on standard output.",
        set: |raw, given| {
            raw.x = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "modcacherw",
        commands: &[
            Verb::Download,
            Verb::Verify,
            Verb::Graph,
            Verb::List,
            Verb::Why,
        ],
        brief: "Leave unpacked directories writable",
        detail: "Otherwise files and directories of the module cache are read-only.",
        set: |raw, given| {
            raw.modcacherw = Some(given.on());
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "mod",
        value: Some("MODE"),
        commands: &[Verb::List, Verb::Clean],
        brief: "Whether go.mod may change: readonly, mod, vendor",
        detail: "Default: readonly, what go.mod would have to say and does not is an error. clean \
takes it and does not look at it, as in go.",
        set: |raw, given| {
            raw.mod_mode = Some(given.text());
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
        commands: &[Verb::Download, Verb::List],
        value: Some("FILE"),
        brief: "Read what an earlier -json printed, as go does",
        detail: "Outside a module only. go takes over what a repository confirms, and of what comes \
                 from proxies nothing: the file is read, and everything is looked up.",
        set: |raw, given| {
            raw.reuse = Some(given.text()).filter(|file| !file.is_empty());
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "overlay",
        commands: PROJECT,
        value: Some("FILE"),
        brief: "Read other files in place of some, as this file says",
        detail: "JSON: {\"Replace\": {\"PATH\": \"FILE\"}}, where no FILE makes PATH missing. It counts for go.mod, \
                 go.sum, go.work and go.work.sum, and none that is in it is written.",
        set: |raw, given| {
            raw.overlay = Some(given.text());
            Ok(())
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
        commands: &[Verb::List, Verb::Env],
        brief: "Tell of newer versions; for env, remove variables",
        detail: "For list, also of retractions and deprecations; for env, from the GOENV file.",
        set: |raw, given| {
            raw.u = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "go",
        value: Some("VERSION"),
        commands: GRAPH,
        brief: "Read the graph as this go version would",
        detail: "Otherwise go.mod's go line decides how much of it is pruned.",
        set: |raw, given| {
            raw.go = match given.text().as_str() {
                "" => None,
                text => Some(go_version(text)?),
            };
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "m",
        commands: &[Verb::List, Verb::Why],
        brief: "List or explain modules",
        detail: "It has to be said: go lists and explains packages without it.",
        set: |raw, given| {
            raw.m = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "f",
        commands: LIST,
        value: Some("TEMPLATE"),
        brief: "Print modules as this template says",
        detail: "All statements of Go's templates and all functions but call, context and module; what \
of them is missing is refused by name.",
        set: |raw, given| {
            raw.template = Some(given.text());
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "versions",
        commands: LIST,
        brief: "List the versions there are",
        detail: "Those that go.mod excludes are left out, and those that their author retracted, \
unless -retracted is given.",
        set: |raw, given| {
            raw.versions = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "retracted",
        commands: LIST,
        brief: "Tell of retracted versions",
        detail: "",
        set: |raw, given| {
            raw.retracted = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "e",
        commands: LIST,
        brief: "List also what is wrong",
        detail: "What failed is told of its module, in Error, and the exit code is 0.",
        set: |raw, given| {
            raw.e = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "compiled",
        set: |raw, given| {
            raw.package_flag("compiled", given.on());
            Ok(())
        },
        ..ABOUT_PACKAGES
    },
    Flag {
        long: "deps",
        set: |raw, given| {
            raw.package_flag("deps", given.on());
            Ok(())
        },
        ..ABOUT_PACKAGES
    },
    Flag {
        long: "export",
        set: |raw, given| {
            raw.package_flag("export", given.on());
            Ok(())
        },
        ..ABOUT_PACKAGES
    },
    Flag {
        long: "find",
        set: |raw, given| {
            raw.package_flag("find", given.on());
            Ok(())
        },
        ..ABOUT_PACKAGES
    },
    Flag {
        long: "test",
        set: |raw, given| {
            raw.package_flag("test", given.on());
            Ok(())
        },
        ..ABOUT_PACKAGES
    },
    Flag {
        long: "vendor",
        commands: WHY,
        brief: "Not supported",
        detail: "go's way to leave out what only tests of dependencies import.",
        set: |raw, given| {
            raw.vendor = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "modcache",
        commands: CLEAN,
        brief: "Remove the whole module cache",
        detail: "It has to be said: nothing else is cleaned.",
        set: |raw, given| {
            raw.modcache = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "r",
        commands: CLEAN,
        detail: "",
        set: |raw, given| {
            raw.r = given.on();
            Ok(())
        },
        ..ABOUT_PACKAGES
    },
    Flag {
        long: "i",
        commands: CLEAN,
        detail: "",
        set: |raw, given| {
            raw.i = given.on();
            Ok(())
        },
        ..ABOUT_PACKAGES
    },
    Flag {
        long: "n",
        commands: &[Verb::Clean, Verb::Env],
        brief: "Print what would be removed, and remove nothing",
        detail: "For env it does nothing, as in go.",
        set: |raw, given| {
            raw.n = given.on();
            Ok(())
        },
        ..GO
    },
    // Ours, and spelled like -json because they stand in its place.
    Flag {
        long: "urls",
        commands: PLAN,
        brief: "Print the URL of each file to fetch, one a line",
        detail: "For curl and its like. What no proxy is asked for has none.",
        set: |raw, given| {
            raw.urls = given.on();
            Ok(())
        },
        ..GO
    },
    Flag {
        long: "files",
        commands: PLAN,
        brief: "Print the files that a download needs, one a line",
        detail: "go.mod, go.sum, go.work and the go.mod files of local modules, relative to the working \
                 directory: what an image has to COPY first. Nothing is fetched.",
        set: |raw, given| {
            raw.files = given.on();
            Ok(())
        },
        ..GO
    },
];

/// A version that the graph can be read as; refused in go's words.
///
/// Source: golang/go `cmd/go/internal/modcmd/tidy.go`, `goVersionFlag`.
fn go_version(text: &str) -> crate::Result<GoVersion> {
    let version = GoVersion::parse(text).filter(|_| text.contains('.'));
    version.ok_or_else(|| {
        let like = GoVersion::EMULATED;
        let text =
            format!("invalid value {text:?} for flag -go: expecting a Go version like {like:?}");
        Error::new(Kind::Usage, text)
    })
}
