//! `modfetch verify --store`: whether a store has what the checksum database says.
//!
//! Each file is read from the store and hashed; a zip passes through a temporary file. With `--repair`,
//! what is wrong is removed, `.info` first, and the next server that needs it brings it again.

use std::fs::File;
use std::io::{Seek as _, Write};
use std::path::Path;
use std::sync::Arc;

use super::network::{Network, objects, progress_settings, sum_settings};
use crate::bundle::unnamed_file;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::event::EventSink;
use crate::gomod::{H1, ModuleVersion};
use crate::http::{BodySink, RequestContext, Resumable};
use crate::layout::{self, VersionFile};
use crate::modzip::ModuleZip;
use crate::report::{Console, ProgressReporter};
use crate::source::{Info, MAX_INFO_BYTES, MAX_MOD_BYTES, MAX_ZIP_BYTES};
use crate::store::{ObjectStore, StoreSource, StoredVersion};
use crate::trust::{SumPart, SumPolicy};

pub(super) fn run(
    config: &Config,
    console: &Console,
    url: &str,
    repair: bool,
) -> Result<Option<Kind>> {
    let progress = Arc::new(ProgressReporter::start(progress_settings(config)));
    let network = Network::new(config, &progress)?;
    let database = network.database(config);
    let sums = SumPolicy::without_file(sum_settings(config, database));
    let events = Arc::clone(&progress) as Arc<dyn EventSink>;
    let store = objects(config, url, &RequestContext::new(events))?;
    let versions = store.versions()?;
    let checker = Checker {
        store: &store,
        sums: &sums,
        temp_dir: config.go_env.temp_dir(),
    };
    let source = StoreSource::new(Arc::clone(&store));
    let (mut verified, mut failures) = (0, Vec::new());
    for (module, stored) in &versions {
        let wrong = checker.check(module, stored);
        if wrong.is_empty() {
            verified += 1;
        }
        for (file, error) in wrong {
            let is_wrong = error.kind() == Kind::Security;
            console.error(&error.clone().about(module));
            failures.push(error);
            if repair && is_wrong {
                store.remove_files(module, &[VersionFile::Info, file])?;
                store.renew_list(&source, module.path())?;
                console.note(&format!(
                    "{module}: removed .{} from the store",
                    file.suffix()
                ));
            }
        }
    }
    progress.clear();
    match failures.is_empty() {
        true => console.data(&format!("all modules verified: {verified} versions\n"))?,
        false => console.note(&format!(
            "{verified} of {} versions verified",
            versions.len()
        )),
    }
    Ok(Error::gravest(&failures))
}

struct Checker<'c> {
    store: &'c ObjectStore,
    sums: &'c SumPolicy,
    temp_dir: &'c Path,
}

impl Checker<'_> {
    fn check(&self, module: &ModuleVersion, stored: &StoredVersion) -> Vec<(VersionFile, Error)> {
        let mut wrong = Vec::new();
        if !stored.is_whole() {
            let text = "not complete: its .info is there, and its .mod or .zip is not";
            wrong.push((VersionFile::Info, Error::new(Kind::Differs, text)));
        }
        for file in stored.files.keys() {
            let checked = match file {
                VersionFile::Info => self.check_info(module),
                VersionFile::GoMod => self.check_gomod(module),
                VersionFile::Zip => self.check_zip(module, stored),
                _ => Ok(()),
            };
            wrong.extend(checked.err().map(|error| (*file, error)));
        }
        wrong
    }

    fn name(&self, module: &ModuleVersion, file: VersionFile) -> Result<String> {
        Ok(layout::file(&module.escape()?, file))
    }

    fn check_info(&self, module: &ModuleVersion) -> Result<()> {
        let name = self.name(module, VersionFile::Info)?;
        let data = self.store.get(&name, MAX_INFO_BYTES)?.value;
        match Info::parse_cached(&data) {
            Some(info) if info.version == module.version().as_str() => Ok(()),
            _ => Err(Error::new(
                Kind::Security,
                ".info is not that of this version",
            )),
        }
    }

    fn check_gomod(&self, module: &ModuleVersion) -> Result<()> {
        let name = self.name(module, VersionFile::GoMod)?;
        let data = self.store.get(&name, MAX_MOD_BYTES)?.value;
        let h1 = H1::of_go_mod(&data);
        self.sums.check(module, SumPart::GoMod, &h1)
    }

    fn check_zip(&self, module: &ModuleVersion, stored: &StoredVersion) -> Result<()> {
        let name = self.name(module, VersionFile::Zip)?;
        let mut sink = FileSink(unnamed_file(self.temp_dir)?);
        self.store.get_into(&name, MAX_ZIP_BYTES, &mut sink)?;
        let h1 = ModuleZip::open(sink.0, module)?.hash()?;
        self.sums.check(module, SumPart::Zip, &h1)?;
        if stored.files.contains_key(&VersionFile::ZipHash) {
            let name = self.name(module, VersionFile::ZipHash)?;
            let recorded = self.store.get(&name, 64)?.value;
            if recorded.trim_ascii() != h1.as_str().as_bytes() {
                let text = format!("zip and ziphash differ: the zip is {h1}");
                return Err(Error::new(Kind::Security, text));
            }
        }
        Ok(())
    }
}

/// A file that takes a zip.
struct FileSink(File);

impl Write for FileSink {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl BodySink for FileSink {
    fn restart(&mut self, _: Option<&Resumable>) -> std::io::Result<()> {
        self.0.rewind()?;
        self.0.set_len(0)
    }
}
