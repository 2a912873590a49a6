//! `modfetch bundle import --into s3://...`: a bundle into a store.
//!
//! What the store has of the checksum database is copied into a temporary tree, the bundle is added there as
//! to any tree, checked, and what has changed goes up, in an order in which nothing promises what is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::input::BundleInput;
use crate::bundle::{BundleImport, BundleTrust, import_into_tree};
use crate::command::network::objects;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::event::NoEvents;
use crate::fsio::write_atomically;
use crate::http::RequestContext;
use crate::layout::{SUMDB, TreeFile, VersionFile};
use crate::store::{Existing, ObjectStore, StoreSource, upload_turn};

/// Requests at once.
const AT_ONCE: usize = 8;

/// A file of a checksum database that is longer is none.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A folder that goes with this.
struct TemporaryTree(PathBuf);

impl Drop for TemporaryTree {
    fn drop(&mut self) {
        // What stays is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Adds a bundle to the store at `url`.
pub(super) fn import(
    config: &Config,
    trust: &BundleTrust,
    input: &mut BundleInput,
    url: &str,
) -> Result<BundleImport> {
    let store = objects(config, url, &RequestContext::new(Arc::new(NoEvents)))?;
    let name = format!("modfetch-import-{}", std::process::id());
    let tree = TemporaryTree(config.go_env.temp_dir().join(name));
    let root = tree.0.as_path();
    fs::create_dir(root).map_err(|cause| Error::io("cannot create", root, cause))?;
    let had = pull(&store, root)?;
    let name = input.name.clone();
    let imported = import_into_tree(input, trust, root).map_err(|error| error.context(name))?;
    push(&store, root, &had)?;
    Ok(imported)
}

/// Does `work` for each, several at once; the first failure ends it.
fn for_each<T: Sync>(all: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    let run = || {
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = work(one) {
                next.store(all.len(), Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..AT_ONCE.min(all.len()))
            .map(|_| scope.spawn(run))
            .collect();
        let mine = run();
        let ended = others.into_iter().map(|other| other.join());
        // A thread that panics ends the program.
        ended.fold(mine, |all, one| all.and(one.unwrap_or(Ok(()))))
    })
}

/// Copies the checksum databases; returns what they were.
fn pull(store: &ObjectStore, root: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut names = Vec::new();
    store.list(&format!("{SUMDB}/"), &mut |object| {
        // What is no name of a tree could lead out of the folder.
        if TreeFile::parse(&object.name).is_some() {
            names.push(object.name);
        }
        Ok(())
    })?;
    for_each(&names, |name| {
        let data = store.get(name, MAX_FILE_BYTES)?.value;
        write_atomically(&root.join(name), &data)
    })?;
    let mut had = BTreeMap::new();
    for name in names {
        let file = root.join(&name);
        let data = fs::read(&file).map_err(|cause| Error::io("cannot read", &file, cause))?;
        had.insert(name, data);
    }
    Ok(had)
}

/// Brings up what is new.
fn push(store: &Arc<ObjectStore>, root: &Path, had: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let mut files = Vec::new();
    collect(root, root, &mut files)?;
    let mut turns: BTreeMap<u8, Vec<String>> = BTreeMap::new();
    let mut paths = BTreeSet::new();
    for name in files {
        match TreeFile::parse(&name) {
            // It is made of what is there in the end.
            Some(TreeFile::List(path)) => drop(paths.insert(path)),
            Some(_) => turns.entry(upload_turn(&name)).or_default().push(name),
            None => {}
        }
    }
    let put = |name: &String| put(store, root, name, had.get(name));
    let heads = turns.split_off(&5);
    for names in turns.values() {
        for_each(names, put)?;
    }
    let source = StoreSource::new(Arc::clone(store));
    for path in paths {
        store.renew_list(&source, &path)?;
    }
    for names in heads.values() {
        for_each(names, put)?;
    }
    Ok(())
}

fn put(store: &ObjectStore, root: &Path, name: &str, had: Option<&Vec<u8>>) -> Result<()> {
    let path = root.join(name);
    let unreadable = |cause| Error::io("cannot read", &path, cause);
    if let Some(TreeFile::Version {
        file: VersionFile::Zip,
        ..
    }) = TreeFile::parse(name)
    {
        let file = fs::File::open(&path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        if store.head(name)? != Some(length) {
            store.put_file(name, &file, Existing::Replace)?;
        }
        return Ok(());
    }
    let data = fs::read(&path).map_err(unreadable)?;
    match had {
        Some(had) if *had == data => Ok(()),
        _ => store.put(name, &data, Existing::Replace),
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) -> Result<()> {
    let unreadable = |cause| Error::io("cannot read", folder, cause);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if entry.file_type().map_err(unreadable)?.is_dir() {
            collect(root, &path, files)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            files.push(name.to_owned());
        }
    }
    Ok(())
}
