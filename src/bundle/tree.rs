//! A bundle into a directory that is a GOPROXY, for a web server or `file://`.
//!
//! The directory may have modules and a database of earlier bundles. Whatever it has is served with
//! one head, the newest, and with the proofs for all heads that it has had: no tile is ever removed, and
//! a bundle that was made with `--since` the directory's head brings those that the newer one needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::import::BundleImport;
use super::manifest::ManifestModule;
use super::reader::{BundleHead, BundleSink, BundleTrust, mismatch, normal_response, read_bundle};
use super::tile_spool::TileSpool;
use super::timeline::Timeline;
use super::zip_jobs::{ZipJobs, check_bytes, copy, unnamed_file};
use crate::error::{Error, Kind, Result};
use crate::fsio::{FileLock, TempFile, create_dir_all, write_atomically};
use crate::gomod::{ModuleVersion, compare};
use crate::layout;
use crate::modzip::ModuleZip;
use crate::sumdb::Store;
use crate::sumdb::tlog::Record;
use crate::system::slashed;

/// The lock of a tree, held while a bundle is added.
const LOCK: &str = ".modfetch.lock";

/// Reads a bundle to its end and adds its modules to the GOPROXY tree in `root`, each file whole.
///
/// # Errors
/// As [`import_bundle`](super::import_bundle).
pub fn import_into_tree(
    input: impl Read,
    trust: &BundleTrust,
    root: &Path,
) -> Result<BundleImport> {
    create_dir_all(root)?;
    let _lock = FileLock::acquire(&root.join(LOCK))?;
    let (added, failures) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let (summary, complete) = ZipJobs::run(&failures, |jobs| {
        let mut sink = TreeSink {
            root,
            trust,
            database: None,
            jobs,
            added: &added,
            complete: 0,
        };
        let summary = read_bundle(input, trust, &mut sink)?;
        Ok((summary, sink.complete))
    })?;
    Ok(BundleImport {
        summary,
        added: added.into_inner(),
        complete,
    })
}

/// The database of a tree while a bundle is added.
struct TreeDatabase {
    timeline: Timeline,
    spool: TileSpool,
    /// `sumdb/NAME` below the tree.
    directory: PathBuf,
    head: BundleHead,
    merged: bool,
}

struct TreeSink<'a, 'p, 's> {
    root: &'a Path,
    trust: &'a BundleTrust,
    database: Option<TreeDatabase>,
    jobs: &'a mut ZipJobs<'p, 's>,
    added: &'s AtomicUsize,
    complete: usize,
}

impl TreeSink<'_, '_, '_> {
    /// Makes the newest head that of the whole tree, when all tiles have come.
    fn merge(&mut self) -> Result<()> {
        let Some(database) = &mut self.database else {
            return Ok(());
        };
        if database.merged {
            return Ok(());
        }
        database.timeline.merge()?;
        if !database.timeline.is_ahead() {
            // Proven to be of one log with the tree's own: for clients with older heads, too.
            for name in database.spool.names() {
                if let Some(content) = database.spool.tile(&name) {
                    write_new(&database.directory.join(&name), &content)?;
                }
            }
            database.renew_lookups()?;
        }
        database.merged = true;
        Ok(())
    }
}

impl TreeDatabase {
    /// Proves the records that the tree has under the new head, and writes them with it.
    fn renew_lookups(&self) -> Result<()> {
        let root = self.directory.join("lookup");
        let mut files = Vec::new();
        collect_files(&root, &mut files)?;
        for file in files {
            let name = file.strip_prefix(&root).ok().map(slashed);
            let module = name.as_deref().and_then(|name| name.rsplit_once('@'));
            let module =
                module.and_then(|(path, version)| ModuleVersion::unescape(path, version).ok());
            let read = fs::read(&file).map_err(|cause| Error::io("cannot read", &file, cause))?;
            let (Some(module), Ok(record)) = (module, Record::parse(&read)) else {
                continue;
            };
            if record.head == self.head.note {
                continue;
            }
            let response = normal_response(record.id, record.text, &self.head.note);
            self.timeline.add_record(&module, &response)?;
            write_atomically(&file, &response)?;
        }
        Ok(())
    }
}

impl BundleSink for TreeSink<'_, '_, '_> {
    fn head(&mut self, head: &BundleHead) -> Result<()> {
        let Some(verifier) = &self.trust.verifier else {
            return Ok(());
        };
        let directory = self.root.join(layout::sumdb(verifier.name()));
        create_dir_all(&directory)?;
        let latest = directory.join("latest");
        let store = Store::at(&directory, &latest);
        let spool = TileSpool::new(unnamed_file(&directory)?);
        let saved = latest.display().to_string();
        let mut timeline = Timeline::new(verifier.clone(), store, spool.clone(), saved);
        timeline.add_head(head)?;
        self.database = Some(TreeDatabase {
            timeline,
            spool,
            directory,
            head: head.clone(),
            merged: false,
        });
        Ok(())
    }

    fn tile(&mut self, name: &str, content: &[u8]) -> Result<()> {
        match &self.database {
            Some(database) => database.spool.add(name, content),
            None => Ok(()),
        }
    }

    fn record(&mut self, module: &ModuleVersion, response: &[u8]) -> Result<()> {
        self.merge()?;
        match &self.database {
            Some(database) => database.timeline.add_record(module, response),
            None => Ok(()),
        }
    }

    fn version_list(&mut self, name: &str, content: &[u8]) -> Result<()> {
        self.merge()?;
        if let Some(database) = &self.database {
            write_new(&database.directory.join("supported"), b"")?;
        }
        let path = self.root.join(name);
        let merged = match (name.ends_with("/@v/list"), fs::read(&path)) {
            (true, Ok(old)) => merge_lists(&old, content),
            _ => content.to_vec(),
        };
        write_atomically(&path, &merged)
    }

    fn info(&mut self, name: &str, _: &ManifestModule, content: &[u8]) -> Result<()> {
        write_new(&self.root.join(name), content)
    }

    fn gomod(&mut self, name: &str, _: &ManifestModule, content: &[u8]) -> Result<()> {
        let path = self.root.join(name);
        match fs::read(&path) {
            Ok(found) if found == content => Ok(()),
            _ => write_atomically(&path, content),
        }
    }

    fn zip(&mut self, name: &str, one: &ManifestModule, content: &mut dyn Read) -> Result<()> {
        let Some(zip) = one.zip.clone() else {
            return Ok(());
        };
        let path = self.root.join(name);
        // It appeared there when it was proven.
        if fs::metadata(&path).is_ok_and(|found| found.len() == zip.bytes) {
            self.complete += 1;
            return Ok(());
        }
        let mut temp = TempFile::beside(&path)?;
        copy(content, &mut temp, zip.bytes).map_err(|error| match error.kind() {
            Kind::LocalIo => error.context(path.display().to_string()),
            _ => error.context(name),
        })?;
        let (name, module, added) = (name.to_owned(), one.module.clone(), self.added);
        self.jobs.start(move || {
            let file = temp.reader()?;
            check_bytes(&file, &zip, &name)?;
            let found = ModuleZip::open(file, &module).and_then(|archive| archive.hash());
            let found = found.map_err(|error| error.context(&*name))?;
            if found != zip.h1 {
                return Err(mismatch(&name, &zip.h1, &found));
            }
            temp.commit(&path)?;
            added.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    }
}

/// Writes a file, unless it is there.
fn write_new(path: &Path, content: &[u8]) -> Result<()> {
    match path.exists() {
        true => Ok(()),
        false => write_atomically(path, content),
    }
}

/// The versions of two lists, in their order.
fn merge_lists(old: &[u8], new: &[u8]) -> Vec<u8> {
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let all: BTreeSet<&str> = old.lines().chain(new.lines()).collect();
    let mut all: Vec<&str> = all
        .into_iter()
        .filter(|version| !version.is_empty())
        .collect();
    all.sort_by(|a, b| compare(a, b).then_with(|| a.cmp(b)));
    let lines = all.into_iter().map(|version| format!("{version}\n"));
    lines.collect::<String>().into_bytes()
}

/// The files below a directory.
fn collect_files(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |cause| Error::io("cannot read", directory, cause);
    let entries = match fs::read_dir(directory) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            collect_files(&entry.path(), files)?;
        } else if !entry.file_name().to_string_lossy().ends_with(".tmp") {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_merged_in_the_order_of_versions() {
        let merged = merge_lists(b"v1.2.0\nv1.10.0\n", b"v1.9.0\nv1.10.0\nv1.10.0-rc.1\n");
        assert_eq!(merged, b"v1.2.0\nv1.9.0\nv1.10.0-rc.1\nv1.10.0\n");
        assert_eq!(merge_lists(b"", b""), b"");
    }
}
