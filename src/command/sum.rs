//! `modfetch sum`: the sum of a zip or directory; go.sum compared, completed and explained.

mod check;
mod explain;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use check::GoSumMode;

use super::definition::{Command, Runner};
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, RawArgs, flags};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::on_cores;
use crate::gomod::{H1, ModuleVersion};
use crate::modzip::{ModuleZip, hash_dir};
use crate::report::{Console, JsonObject};
use crate::select::Scope;

/// `--check`.
static CHECK: Flag = Flag {
    long: "check",
    brief: "Compare go.sum with what the module graph needs",
    detail: "Exit code 10 if lines are missing, 5 if lines disagree. Nothing is written.",
    ..Flag::OURS
};

/// `--write`.
static WRITE: Flag = Flag {
    long: "write",
    brief: "Add the lines that go.sum lacks",
    detail: "A line that disagrees is reported and stays as it is.",
    ..Flag::OURS
};

/// `--explain`.
static EXPLAIN: Flag = Flag {
    long: "explain",
    brief: "Compare all recorded sums of a module version",
    detail: "go.sum, checksum database, cache and proxy side by side. The files of the proxy are \
fetched, compared and removed.",
    ..Flag::OURS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["sum"],
        groups: &[
            &groups::PROJECT,
            &groups::CONNECTION,
            &groups::TRANSFER,
            &groups::LOCKS,
            &groups::OUTPUT,
        ],
        flags: &[
            &flags::C,
            &flags::JSON,
            &flags::X,
            &flags::SCOPE,
            &CHECK,
            &WRITE,
            &EXPLAIN,
        ],
        arguments: "[FILE] [path@version]",
        brief: "Compute, check, complete and explain sums",
        detail: "With a module zip or directory and the path@version that it is, prints its h1, as \
go.sum would have it. A zip that breaks a rule for module zips has none.\n\
With --check, compares go.sum with what the module graph needs, and its lines with the checksum \
database and the cache. Needed are the go.mod of every module that the graph is read from, and \
the zip of every module that go.mod lists (go 1.16 or older: of the whole build list). With \
--write, adds what is missing, and never replaces a line.\n\
With --explain, shows side by side what go.sum, the checksum database, the cache and the proxy \
say of one version, which of them is odd, the likely cause, and what to do.",
        examples: &[
            (
                "modfetch sum v1.2.0.zip example.com/text@v1.2.0",
                "the h1 of a zip",
            ),
            (
                "modfetch sum --check",
                "is go.sum complete, and does it agree with the checksum database?",
            ),
            ("modfetch sum --write", "complete go.sum without a build"),
            (
                "modfetch sum --explain golang.org/x/mod@v0.20.0",
                "all recorded sums, after a checksum mismatch",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|call, config, console| {
        run(config, console, &SumRequest::of(call.raw)?)
    }),
};

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SumRequest {
    /// The h1 of a file or directory.
    Hash {
        /// A module zip, or a module's directory.
        path: PathBuf,
        /// Which module it is.
        module: ModuleVersion,
    },
    /// `--check`: compare go.sum with what these modules need.
    Check(Option<Scope>),
    /// `--write`: complete go.sum.
    Write(Option<Scope>),
    /// `--explain`: the recorded sums of this version.
    Explain(ModuleVersion),
}

impl SumRequest {
    /// Reads the command line.
    ///
    /// # Errors
    /// [`Kind::Usage`].
    pub fn of(raw: &RawArgs) -> Result<SumRequest> {
        let usage = |text: &str| Err(Error::new(Kind::Usage, text));
        if raw.is_given(&flags::SCOPE) && !(raw.is_on(&CHECK) || raw.is_on(&WRITE)) {
            return usage("sum --scope needs --check or --write");
        }
        let [check, write, explain] = [&CHECK, &WRITE, &EXPLAIN].map(|flag| raw.is_on(flag));
        match (check, write, explain, raw.args.as_slice()) {
            (true, false, false, []) => Ok(SumRequest::Check(Scope::of(raw)?)),
            (false, true, false, []) => Ok(SumRequest::Write(Scope::of(raw)?)),
            (true, false, false, _) | (false, true, false, _) => {
                usage("sum --check and --write are about all of go.sum and take no arguments")
            }
            (false, false, true, [module]) => Ok(SumRequest::Explain(parse(module)?)),
            (false, false, true, _) => usage("sum --explain takes one PATH@VERSION"),
            (false, false, false, [path, module]) => Ok(SumRequest::Hash {
                path: path.into(),
                module: parse(module)?,
            }),
            (false, false, false, _) => Err(Error::new(
                Kind::Usage,
                "sum takes a zip or directory and the PATH@VERSION that it is",
            )
            .hint("or one of --check, --write, --explain PATH@VERSION")),
            _ => usage("only one of --check, --write and --explain can be done at a time"),
        }
    }
}

fn parse(text: &str) -> Result<ModuleVersion> {
    let usage = |error: Error| {
        let error = Error::new(Kind::Usage, format!("{text}: {}", error.chain()));
        error.hint("name a canonical version, as v1.2.3 or a pseudo-version")
    };
    let (path, version) = text
        .split_once('@')
        .ok_or_else(|| Error::new(Kind::Usage, format!("{text}: not a PATH@VERSION")))?;
    ModuleVersion::parse(path, version).map_err(usage)
}

/// Runs the command. `Ok(None)` is success; `Ok(Some(kind))` the gravest of the reported failures.
///
/// # Errors
/// What ends the run.
pub fn run(config: &Config, console: &Console, request: &SumRequest) -> Result<Option<Kind>> {
    match request {
        SumRequest::Hash { path, module } => {
            let h1 = hash(&config.cwd.join(path), module, console)?;
            let text = if config.json.value {
                let mut json = JsonObject::new();
                json.string("Path", module.path().as_str());
                json.string("Version", module.version().as_str());
                json.string("Sum", h1.as_str());
                json.indented()
            } else {
                h1.to_string()
            };
            console.data(&(text + "\n"))?;
            Ok(None)
        }
        SumRequest::Check(scope) => check::run(config, console, GoSumMode::Check, *scope),
        SumRequest::Write(scope) => check::run(config, console, GoSumMode::Write, *scope),
        SumRequest::Explain(module) => explain::run(config, console, module),
    }
}

/// The h1 that go.sum would have for a zip or a directory.
fn hash(path: &Path, module: &ModuleVersion, console: &Console) -> Result<H1> {
    let found = fs::metadata(path).map_err(|cause| Error::io("cannot open", path, cause))?;
    if !found.is_dir() {
        let file = File::open(path).map_err(|cause| Error::io("cannot open", path, cause))?;
        return on_cores(|| ModuleZip::open(file, module)?.hash());
    }
    // What a working copy has and no module zip: the sum is right, and not what is looked for.
    for name in [".git", ".hg", ".svn", ".bzr", ".fslckout"] {
        if path.join(name).exists() {
            console.note(&format!(
                "warning: {} holds {name}, which is in no module zip; the sum is of all its files",
                path.display()
            ));
        }
    }
    // A link to a directory stands for it.
    let path = fs::canonicalize(path).map_err(|cause| Error::io("cannot open", path, cause))?;
    on_cores(|| hash_dir(&path, module))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_thing_is_asked_for() {
        let raw = |letters: &str, args: &[&str]| {
            let flags = [('c', &CHECK), ('w', &WRITE), ('e', &EXPLAIN)];
            let given = flags.iter().filter(|(letter, _)| letters.contains(*letter));
            let mut raw = RawArgs::with(given.map(|&(_, flag)| (flag, "true")));
            raw.args = args.iter().map(|&arg| arg.to_owned()).collect();
            raw
        };
        let module = ModuleVersion::parse("a.com/a", "v1.0.0").unwrap();
        assert_eq!(
            SumRequest::of(&raw("c", &[])).unwrap(),
            SumRequest::Check(None)
        );
        assert_eq!(
            SumRequest::of(&raw("w", &[])).unwrap(),
            SumRequest::Write(None)
        );
        let explain = SumRequest::of(&raw("e", &["a.com/a@v1.0.0"])).unwrap();
        assert_eq!(explain, SumRequest::Explain(module.clone()));
        let hash = SumRequest::of(&raw("", &["x.zip", "a.com/a@v1.0.0"])).unwrap();
        let path = PathBuf::from("x.zip");
        assert_eq!(hash, SumRequest::Hash { path, module });
        let refused: [(&str, &[&str]); 11] = [
            ("", &[]),
            ("", &["x.zip"]),
            ("", &["x.zip", "a.com/a"]),
            ("", &["x.zip", "a.com/a@latest"]),
            ("", &["x.zip", "a.com/a@v1.0.0", "y"]),
            ("c", &["a.com/a@v1.0.0"]),
            ("w", &["x"]),
            ("cw", &[]),
            ("e", &[]),
            ("ce", &["a.com/a@v1.0.0"]),
            ("e", &["a.com/a@v2.0.0"]),
        ];
        for (flags, args) in refused {
            let error = SumRequest::of(&raw(flags, args)).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage, "{flags} {args:?}");
        }
    }
}
