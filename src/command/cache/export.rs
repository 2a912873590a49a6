//! `modfetch cache export`: the cache, or what projects need of it, as one file.

use std::collections::BTreeMap;
use std::io;
use std::io::Write as _;
use std::path::Path;

use super::needs::needs_of;
use super::{FOR, TREES, ZIPS, kept_form, open_cache};
use crate::cache::{Cache, ExportItem, Exported, KeptForm, RecordPiece, TreeSizes, VersionRecord};
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, flags};
use crate::command::definition::{Command, CommandCall, Runner};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fsio::TempFile;
use crate::gomod::ModuleVersion;
use crate::report::{Console, human};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["cache", "export"],
        groups: &[&groups::PROJECT, &groups::OUTPUT],
        flags: &[&flags::C, &flags::O, &FOR, &ZIPS, &TREES],
        brief: "Write the module cache to one file",
        detail: "Writes a tar archive without times, so that equal caches give equal files. With --for it has what \
these projects need: the modules that 'modfetch download' fetches there, and the go.mod of everything in their \
requirement graphs. Without, it has everything that is complete.\n\
Zips are a quarter of the size of what they unpack to, and 'modfetch cache import' unpacks them on all cores. The \
archive is not compressed: zips would not shrink.",
        examples: &[
            (
                "modfetch cache export -o mod.tar --for .",
                "what the project here needs",
            ),
            (
                "modfetch cache export -o - --trees | zstd > mod.tar.zst",
                "directories, compressed",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    let raw = call.raw;
    let Some(output) = raw.text(&flags::O) else {
        let error = Error::new(Kind::Usage, "cache export needs -o FILE");
        return Err(error.hint("-o - writes to standard output"));
    };
    let form = kept_form(raw)?;
    let cache = open_cache(config)?;
    let projects = raw.texts(&FOR);
    let items = match projects.is_empty() {
        true => everything(&cache, form)?,
        false => {
            let needs = needs_of(call, config, console, projects)?;
            let has = |module: &ModuleVersion| has_content(&cache, module, form);
            let mut items = BTreeMap::new();
            for one in &needs {
                for module in &one.keep.gomods {
                    items.entry(module.clone()).or_insert(false);
                }
                let content = one.keep.content.iter();
                // What is not listed is needed by no build of what was downloaded, if it is not here.
                for module in content.filter(|module| one.listed.contains(module) || has(module)) {
                    items.insert(module.clone(), true);
                }
            }
            let missing_gomod = |module: &ModuleVersion| {
                let entry = cache.entry(module);
                !entry.is_ok_and(|entry| entry.gomod_path().exists())
            };
            items.retain(|module, content| *content || !missing_gomod(module));
            let items = items.into_iter();
            items
                .map(|(module, content)| ExportItem { module, content })
                .collect()
        }
    };
    let exported = match output {
        "-" => cache.export(&items, form, io::stdout().lock())?,
        file => to_file(&cache, &items, form, &config.cwd.join(file))?,
    };
    console.note(&format!(
        "exported {} modules and {} go.mod files, {}",
        exported.versions,
        exported.gomods,
        human(exported.bytes)
    ));
    Ok(None)
}

/// Writes a new file beside, and renames it when it is whole.
fn to_file(cache: &Cache, items: &[ExportItem], form: KeptForm, file: &Path) -> Result<Exported> {
    let mut temp = TempFile::beside(file)?;
    let exported = cache.export(items, form, &mut temp)?;
    let path = temp.path().to_owned();
    temp.flush()
        .map_err(|cause| Error::io("cannot write", &path, cause))?;
    temp.commit(file)?;
    Ok(exported)
}

/// Every version that has a go.mod; with its content if that is complete in this form.
fn everything(cache: &Cache, form: KeptForm) -> Result<Vec<ExportItem>> {
    let inventory = cache.scan(TreeSizes::Known)?;
    let with_gomod = inventory
        .versions
        .iter()
        .filter(|record| record.has(RecordPiece::GoMod));
    let items = with_gomod.map(|record| ExportItem {
        module: record.module.clone(),
        content: is_complete(record, form),
    });
    Ok(items.collect())
}

fn is_complete(record: &VersionRecord, form: KeptForm) -> bool {
    record.has(RecordPiece::ZipHash)
        && match form {
            KeptForm::Zips => record.has(RecordPiece::Zip),
            KeptForm::Trees => record.has(RecordPiece::Tree) && !record.is_partial,
        }
}

fn has_content(cache: &Cache, module: &ModuleVersion, form: KeptForm) -> bool {
    cache.entry(module).is_ok_and(|entry| {
        entry.ziphash_path().exists()
            && match form {
                KeptForm::Zips => entry.has_zip(),
                KeptForm::Trees => entry.has_directory(),
            }
    })
}
