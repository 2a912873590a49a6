//! `modfetch bundle import`: a bundle into the module cache.

use std::sync::Arc;

use super::import_store;
use super::input::{BundleInput, HashedInput};
use super::verify::{json, text};
use super::{GO_SUM, from_current_directory, one_file, trust};
use crate::bundle::{
    BundleImport, BundleTrust, ImportLog, ImportOptions, import_bundle, import_into_tree,
};
use crate::cache::Cache;
use crate::cli::flags::{Flag, groups};
use crate::cli::{CommandInfo, flags};
use crate::command::definition::{Command, CommandCall, Runner};
use crate::command::interrupt::end_on_signal;
use crate::command::network::{database_store, lock_waits, progress_settings};
use crate::command::task_stream::TaskStream;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::event::EventSink;
use crate::report::{Console, ProgressReporter};
use crate::store::StorePlace;

static NO_EXTRACT: Flag = Flag {
    long: "no-extract",
    brief: "Leave zips packed: go unpacks what a build needs",
    ..Flag::OURS
};

static INTO: Flag = Flag {
    long: "into",
    value: Some("DIR"),
    brief: "Add to a GOPROXY tree instead of the module cache",
    detail: "A web server, or GOPROXY=file://DIR, then serves it to any go. It has one tree head, the newest, and the proofs for those it had before: make each further bundle with --since DIR/sumdb/NAME/latest. DIR may be a store, s3://BUCKET/PREFIX, as 'modfetch help store' says.",
    ..Flag::OURS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["bundle", "import"],
        groups: &[&groups::LOCKS, &groups::OUTPUT],
        flags: &[
            &flags::JSON,
            &flags::MODCACHERW,
            &GO_SUM,
            &NO_EXTRACT,
            &INTO,
        ],
        arguments: "FILE",
        brief: "Verify a bundle and fill the module cache in the same pass",
        detail: "Checks every member as 'bundle verify' does and puts each module into GOMODCACHE when it is proven, under the locks that go takes. What is complete is skipped, so an import that was interrupted goes on when it is run again.\n\
The newest tree head that this machine has seen ($GOPATH/pkg/sumdb) is kept: a bundle must prove that its head continues that one, or be proven by it. Where a tile for that is missing, the message names the command that makes a bundle with it.\n\
Each import adds a line to GOMODCACHE/cache/modfetch/imports.jsonl: time, SHA-256 of the file, head and modules.",
        examples: &[
            (
                "modfetch bundle import site.tar",
                "then build with GOPROXY=off or GOFLAGS=-mod=mod",
            ),
            (
                "zstd -dc site.tar.zst | modfetch bundle import -",
                "from a pipe",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    let trust = trust(config, call.raw)?;
    let file = one_file(call.raw, "bundle import")?;
    match call.raw.text(&INTO) {
        Some(directory) => into_tree(call, config, console, &trust, &file, directory)?,
        None => into_cache(call, config, console, &trust, &file)?,
    }
    Ok(None)
}

/// The bundle, hashed and with progress, and its name.
fn open(
    file: &str,
    progress: &Arc<ProgressReporter>,
) -> Result<(String, HashedInput<TaskStream<BundleInput>>)> {
    let input = BundleInput::open(file)?;
    let (name, bytes) = (input.name.clone(), input.bytes);
    let events = Arc::clone(progress) as Arc<dyn EventSink>;
    let input = TaskStream::begin(input, "importing bundle", bytes, events);
    Ok((name, HashedInput::new(input)))
}

fn into_tree(
    call: &CommandCall<'_>,
    config: &Config,
    console: &Console,
    trust: &BundleTrust,
    file: &str,
    directory: &str,
) -> Result<()> {
    if call.raw.is_given(&NO_EXTRACT) {
        let text = "--no-extract is about the module cache: a GOPROXY tree has zips in any case";
        return Err(Error::new(Kind::Usage, text));
    }
    let progress = Arc::new(ProgressReporter::start(progress_settings(config)));
    let (name, mut input) = open(file, &progress)?;
    let imported = if StorePlace::is_named_by(directory) {
        import_store::import(config, trust, (&name, &mut input), directory)
    } else {
        from_current_directory(directory).and_then(|root| {
            let imported = import_into_tree(&mut input, trust, &root);
            imported.map_err(|error| error.context(&name))
        })
    };
    progress.clear();
    let imported = imported?;
    print(call, console, &imported, &input.sha256())
}

fn into_cache(
    call: &CommandCall<'_>,
    config: &Config,
    console: &Console,
    trust: &BundleTrust,
    file: &str,
) -> Result<()> {
    let progress = Arc::new(ProgressReporter::start(progress_settings(config)));
    end_on_signal(&progress, console, call.ending());
    let locks = lock_waits(config, &progress);
    let cache = Cache::at(&config.gomodcache.value)?.with_locks(locks.clone());
    let store = database_store(config, locks)?;
    let saved = store.as_ref().and_then(|store| store.latest_path().ok());
    let saved = saved
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    let options = ImportOptions {
        extract: !call.raw.is_on(&NO_EXTRACT),
        writable: config.modcacherw.value,
    };
    let (name, mut input) = open(file, &progress)?;
    let imported = import_bundle(&mut input, trust, &cache, store, saved, options);
    progress.clear();
    let imported = imported.map_err(|error| error.context(&*name))?;
    let sha256 = input.sha256();
    ImportLog::of(&cache).append(&name, &sha256, &imported.summary)?;
    print(call, console, &imported, &sha256)
}

fn print(
    call: &CommandCall<'_>,
    console: &Console,
    imported: &BundleImport,
    sha256: &str,
) -> Result<()> {
    console.data(&match call.raw.is_on(&flags::JSON) {
        true => json(&imported.summary, sha256),
        false => format!(
            "{}{} zips added, {} were complete\n",
            text(&imported.summary),
            imported.added,
            imported.complete
        ),
    })
}
