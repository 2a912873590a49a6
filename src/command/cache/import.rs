//! `modfetch cache import`: fills the cache from an archive.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::sync::Arc;

use super::open_cache;
use crate::cache::{ImportTrust, Imported};
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, flags};
use crate::command::definition::{Command, CommandCall, Runner};
use crate::command::network::{progress_settings, sum_policy};
use crate::command::project::{MainModuleUse, find_project_to};
use crate::command::task_stream::TaskStream;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::event::EventSink;
use crate::gomod::{H1, ModuleVersion};
use crate::report::{Console, ProgressReporter};
use crate::trust::{Database, SumPart, SumPolicy};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["cache", "import"],
        groups: &[&groups::PROJECT, &groups::LOCKS, &groups::OUTPUT],
        flags: &[&flags::C, &flags::MODCACHERW],
        arguments: "FILE",
        brief: "Fill the module cache from an archive of 'cache export'",
        detail: "Takes what the archive has and the cache lacks; - reads standard input. Zips are unpacked on all \
cores. The hash of each module is compared with go.sum, if there is one here that has it, and with the hash in the \
archive; what differs ends the import with exit code 5 and is not seen by any reader of the cache. go compares with \
go.sum again when it uses a module.",
        examples: &[
            (
                "modfetch cache import mod.tar",
                "in the project, whose go.sum is compared with",
            ),
            (
                "zstd -dc mod.tar.zst | modfetch cache import -",
                "from a pipe",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    let [file] = call.raw.args.as_slice() else {
        let error = Error::new(Kind::Usage, "cache import needs one archive");
        return Err(error.hint("- reads standard input"));
    };
    let cache = open_cache(config)?;
    let sums = match find_project_to(MainModuleUse::Check, config, console)? {
        Some(project) => Some(sum_policy(config, Some(&project), Database::Off)?),
        None => None,
    };
    let trust = GoSumTrust { sums };
    let (bytes, archive): (_, Box<dyn Read + Send>) = match file.as_str() {
        "-" => (None, Box::new(io::stdin())),
        file => {
            let path = config.cwd.join(file);
            let opened = File::open(&path);
            let opened = opened.map_err(|cause| Error::io("cannot open", &path, cause))?;
            let found = opened.metadata().ok().filter(Metadata::is_file);
            (found.map(|found| found.len()), Box::new(opened))
        }
    };
    let progress = Arc::new(ProgressReporter::start(progress_settings(config)));
    let events = Arc::clone(&progress) as Arc<dyn EventSink>;
    let archive = TaskStream::begin(archive, "importing archive", bytes, events);
    let imported = cache.import(archive, config.modcacherw.value, &trust);
    progress.clear();
    let imported = imported.map_err(|error| error.context(format!("import of {file}")))?;
    let used = imported.added.iter().chain(&imported.present);
    cache.record_use(used, &imported.gomods);
    tell(&imported, trust.sums.is_some(), console);
    Ok(None)
}

fn tell(imported: &Imported, has_project: bool, console: &Console) {
    console.note(&format!(
        "imported {} modules and {} go.mod files; {} modules were there",
        imported.added.len(),
        imported.gomods.len(),
        imported.present.len()
    ));
    if let Some(first) = imported.unvouched.first() {
        let why = match has_project {
            true => "go.sum does not have them",
            false => "there is no go.sum here",
        };
        console.note(&format!(
            "only the archive vouches for {} of them, such as {first}: {why}",
            imported.unvouched.len()
        ));
    }
}

/// Compares with go.sum, without any other source.
struct GoSumTrust {
    sums: Option<SumPolicy>,
}

impl GoSumTrust {
    fn check(&self, module: &ModuleVersion, part: SumPart, h1: &H1) -> Result<bool> {
        let Some(sums) = &self.sums else {
            return Ok(false);
        };
        let known = sums
            .recorded(module, part)
            .iter()
            .any(|sum| sum.starts_with("h1:"));
        match known {
            true => sums.check(module, part, h1).map(|()| true),
            false => Ok(false),
        }
    }
}

impl ImportTrust for GoSumTrust {
    fn check_zip(&self, module: &ModuleVersion, h1: &H1) -> Result<bool> {
        self.check(module, SumPart::Zip, h1)
    }

    fn check_gomod(&self, module: &ModuleVersion, h1: &H1) -> Result<bool> {
        self.check(module, SumPart::GoMod, h1)
    }
}
