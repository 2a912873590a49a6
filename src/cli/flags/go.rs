//! Flags of go's, in its spelling.

use std::path::PathBuf;

use super::{Flag, Given};
use crate::gomod::GoVersion;
use crate::{Error, Kind};

/// A flag that is there to be refused in go's words.
const ABOUT_PACKAGES: Flag = Flag {
    brief: "Refused: it is about packages",
    detail: "go refuses it with -m.",
    ..Flag::GOS
};

/// `-C`.
pub static C: Flag = Flag {
    long: "C",
    value: Some("DIR"),
    brief: "Work in this directory",
    detail: "As if the program were started there. As 'go', it must be the first flag.",
    set: |raw, given| {
        raw.chdir = Some(PathBuf::from(given.text()));
        Ok(())
    },
    ..Flag::GOS
};

const JSON_ROW: Flag = Flag {
    long: "json",
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
    ..Flag::GOS
};

/// `-json`.
pub static JSON: Flag = JSON_ROW;

/// `-json`, which may also name the fields to print: `-json=Path,Version`.
pub static JSON_FIELDS: Flag = Flag {
    words: true,
    ..JSON_ROW
};

/// `-x`.
pub static X: Flag = Flag {
    long: "x",
    brief: "Print what is done",
    detail: "Requests and their outcome on standard error; secrets are left out. For clean, \
the command that would do the same, on standard output.",
    set: |raw, given| {
        raw.x = given.on();
        Ok(())
    },
    ..Flag::GOS
};

/// `-modcacherw`.
pub static MODCACHERW: Flag = Flag {
    long: "modcacherw",
    brief: "Leave unpacked directories writable",
    detail: "Otherwise files and directories of the module cache are read-only.",
    set: |raw, given| {
        raw.modcacherw = Some(given.on());
        Ok(())
    },
    ..Flag::GOS
};

/// `-mod`.
pub static MOD: Flag = Flag {
    long: "mod",
    value: Some("MODE"),
    brief: "Whether go.mod may change: readonly, mod, vendor",
    detail: "Default: readonly, what go.mod would have to say and does not is an error. clean \
takes it and does not look at it, as in go.",
    set: |raw, given| {
        raw.mod_mode = Some(given.text());
        Ok(())
    },
    ..Flag::GOS
};

/// `-modfile`.
pub static MODFILE: Flag = Flag {
    long: "modfile",
    value: Some("FILE"),
    brief: "Use this file in place of go.mod",
    detail: "Its name ends in .mod; go.sum is replaced by the same name ending in .sum.",
    set: |raw, given| {
        raw.modfile = Some(given.text());
        Ok(())
    },
    ..Flag::GOS
};

/// `-reuse`.
pub static REUSE: Flag = Flag {
    long: "reuse",
    value: Some("FILE"),
    brief: "Read what an earlier -json printed, as go does",
    detail: "Outside a module only. go takes over what a repository confirms, and of what comes \
             from proxies nothing: the file is read, and everything is looked up.",
    set: |raw, given| {
        raw.reuse = Some(given.text()).filter(|file| !file.is_empty());
        Ok(())
    },
    ..Flag::GOS
};

/// `-overlay`.
pub static OVERLAY: Flag = Flag {
    long: "overlay",
    value: Some("FILE"),
    brief: "Read other files in place of some, as this file says",
    detail: "JSON: {\"Replace\": {\"PATH\": \"FILE\"}}, where no FILE makes PATH missing. It counts for go.mod, \
             go.sum, go.work and go.work.sum, and none that is in it is written.",
    set: |raw, given| {
        raw.overlay = Some(given.text());
        Ok(())
    },
    ..Flag::GOS
};

/// `-changed`.
pub static CHANGED: Flag = Flag {
    long: "changed",
    brief: "Print only what differs from the default",
    detail: "The default is what an empty environment without a GOENV file gives.",
    set: |raw, given| {
        raw.changed = given.on();
        Ok(())
    },
    ..Flag::GOS
};

/// `-w`.
pub static W: Flag = Flag {
    long: "w",
    brief: "Set variables (NAME=VALUE) in the GOENV file",
    detail: "The process environment still wins over the file.",
    set: |raw, given| {
        raw.write = given.on();
        Ok(())
    },
    ..Flag::GOS
};

/// `-u`.
pub static U: Flag = Flag {
    long: "u",
    brief: "Tell of newer versions; for env, remove variables",
    detail: "For list, also of retractions and deprecations; for env, from the GOENV file.",
    set: |raw, given| {
        raw.u = given.on();
        Ok(())
    },
    ..Flag::GOS
};

/// `-go`.
pub static GO: Flag = Flag {
    long: "go",
    value: Some("VERSION"),
    brief: "Read the graph as this go version would",
    detail: "Otherwise go.mod's go line decides how much of it is pruned.",
    set: |raw, given| {
        raw.go = match given.text().as_str() {
            "" => None,
            text => Some(go_version(text)?),
        };
        Ok(())
    },
    ..Flag::GOS
};

/// `-m`.
pub static M: Flag = Flag {
    long: "m",
    brief: "List or explain modules",
    detail: "It has to be said: go lists and explains packages without it.",
    set: |raw, given| {
        raw.m = given.on();
        Ok(())
    },
    ..Flag::GOS
};

/// `-f`.
pub static F: Flag = Flag {
    long: "f",
    value: Some("TEMPLATE"),
    brief: "Print modules as this template says",
    detail: "All statements of Go's templates and all functions but call, context and module; what \
of them is missing is refused by name.",
    set: |raw, given| {
        raw.template = Some(given.text());
        Ok(())
    },
    ..Flag::GOS
};

/// `-versions`.
pub static VERSIONS: Flag = Flag {
    long: "versions",
    brief: "List the versions there are",
    detail: "Those that go.mod excludes are left out, and those that their author retracted, \
unless -retracted is given.",
    set: |raw, given| {
        raw.versions = given.on();
        Ok(())
    },
    ..Flag::GOS
};

/// `-retracted`.
pub static RETRACTED: Flag = Flag {
    long: "retracted",
    brief: "Tell of retracted versions",
    detail: "",
    set: |raw, given| {
        raw.retracted = given.on();
        Ok(())
    },
    ..Flag::GOS
};

/// `-e`.
pub static E: Flag = Flag {
    long: "e",
    brief: "List also what is wrong",
    detail: "What failed is told of its module, in Error, and the exit code is 0.",
    set: |raw, given| {
        raw.e = given.on();
        Ok(())
    },
    ..Flag::GOS
};

/// `-compiled`.
pub static COMPILED: Flag = Flag {
    long: "compiled",
    set: |raw, given| {
        raw.package_flag("compiled", given.on());
        Ok(())
    },
    ..ABOUT_PACKAGES
};

/// `-deps`.
pub static DEPS: Flag = Flag {
    long: "deps",
    set: |raw, given| {
        raw.package_flag("deps", given.on());
        Ok(())
    },
    ..ABOUT_PACKAGES
};

/// `-export`.
pub static EXPORT: Flag = Flag {
    long: "export",
    set: |raw, given| {
        raw.package_flag("export", given.on());
        Ok(())
    },
    ..ABOUT_PACKAGES
};

/// `-find`.
pub static FIND: Flag = Flag {
    long: "find",
    set: |raw, given| {
        raw.package_flag("find", given.on());
        Ok(())
    },
    ..ABOUT_PACKAGES
};

/// `-test`.
pub static TEST: Flag = Flag {
    long: "test",
    set: |raw, given| {
        raw.package_flag("test", given.on());
        Ok(())
    },
    ..ABOUT_PACKAGES
};

/// `-vendor`.
pub static VENDOR: Flag = Flag {
    long: "vendor",
    brief: "Not supported",
    detail: "go's way to leave out what only tests of dependencies import.",
    set: |raw, given| {
        raw.vendor = given.on();
        Ok(())
    },
    ..Flag::GOS
};

/// `-modcache`.
pub static MODCACHE: Flag = Flag {
    long: "modcache",
    brief: "Remove the whole module cache",
    detail: "It has to be said: nothing else is cleaned.",
    set: |raw, given| {
        raw.modcache = given.on();
        Ok(())
    },
    ..Flag::GOS
};

/// `-r`.
pub static R: Flag = Flag {
    long: "r",
    detail: "",
    set: |raw, given| {
        raw.r = given.on();
        Ok(())
    },
    ..ABOUT_PACKAGES
};

/// `-i`.
pub static I: Flag = Flag {
    long: "i",
    detail: "",
    set: |raw, given| {
        raw.i = given.on();
        Ok(())
    },
    ..ABOUT_PACKAGES
};

/// `-n`.
pub static N: Flag = Flag {
    long: "n",
    brief: "Print what would be removed, and remove nothing",
    detail: "For env it does nothing, as in go.",
    set: |raw, given| {
        raw.n = given.on();
        Ok(())
    },
    ..Flag::GOS
};

// Ours, and spelled like -json because they stand in its place.
/// `-urls`.
pub static URLS: Flag = Flag {
    long: "urls",
    brief: "Print the URL of each file to fetch, one a line",
    detail: "For curl and its like. What no proxy is asked for has none.",
    set: |raw, given| {
        raw.urls = given.on();
        Ok(())
    },
    ..Flag::GOS
};

/// `-files`.
pub static FILES: Flag = Flag {
    long: "files",
    brief: "Print the files that a download needs, one a line",
    detail: "go.mod, go.sum, go.work and the go.mod files of local modules, relative to the working \
             directory: what an image has to COPY first. Nothing is fetched.",
    set: |raw, given| {
        raw.files = given.on();
        Ok(())
    },
    ..Flag::GOS
};

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
