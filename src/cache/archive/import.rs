//! Reading an archive into the cache: one thread reads, all cores unpack and hash.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use rayon::Scope;

use super::names::{self, MemberKind};
use super::tree::TreeImport;
use crate::cache::scan::in_parallel;
use crate::cache::{Cache, CacheEntry, VersionLock, ZipPart};
use crate::error::{Error, Kind, Result};
use crate::failpoints;
use crate::gomod::{H1, ModuleVersion};
use crate::modzip::ModuleZip;
use crate::tarfile::{TarMember, TarReader};

/// What the caller knows of modules that an archive brings.
pub trait ImportTrust: Sync {
    /// Judges the h1 of a zip or directory: true if it is known to be right, false if nothing is
    /// known.
    ///
    /// # Errors
    /// [`Kind::Security`] if it is another than the one that is known.
    fn check_zip(&self, module: &ModuleVersion, h1: &H1) -> Result<bool>;

    /// Judges the h1 of a go.mod likewise.
    ///
    /// # Errors
    /// As [`ImportTrust::check_zip`].
    fn check_gomod(&self, module: &ModuleVersion, h1: &H1) -> Result<bool>;
}

/// What was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Versions whose content has come.
    pub added: Vec<ModuleVersion>,
    /// Versions that were complete.
    pub present: Vec<ModuleVersion>,
    /// Versions of which the go.mod has come, and nothing else was in the archive.
    pub gomods: Vec<ModuleVersion>,
    /// Of those whose content has come, the ones that only the archive itself vouches for.
    pub unvouched: Vec<ModuleVersion>,
}

/// The most that the small files of a version may have: what go takes of a go.mod.
const MAX_SMALL_BYTES: u64 = 16 << 20;

const COPY_BYTES: usize = 256 << 10;

impl Cache {
    /// Takes what an archive has and the cache lacks. Directories are sealed unless `writable`.
    ///
    /// Memory: small files of as many versions as there are cores; zips are spooled to their places.
    ///
    /// # Errors
    /// Those of [`TarReader::next_member`]; [`Kind::Input`] for members that no export writes;
    /// [`Kind::Security`], naming the module, for contents that are not what the archive or `trust` says;
    /// [`Kind::LocalIo`] and [`Kind::LockTimeout`]. What was complete before the failure stays.
    pub fn import(
        &self,
        archive: impl Read + Send,
        writable: bool,
        trust: &dyn ImportTrust,
    ) -> Result<Imported> {
        let shared = ImportShared {
            trust,
            writable,
            waiting: AtomicUsize::new(0),
            outcome: Mutex::default(),
        };
        // As many versions are in work at a time.
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let (done, places) = bounded(2 * cores);
        for _ in 0..2 * cores {
            // There is room for each.
            let _ = done.send(());
        }
        in_parallel(|scope| {
            let mut reader = ArchiveReader {
                cache: self,
                tar: TarReader::new(archive),
                shared: &shared,
                scope,
                done,
                places,
                group: None,
                ended: HashSet::new(),
            };
            if let Err(error) = reader.read() {
                shared.fail(error);
            }
        })?;
        let outcome = shared.outcome.into_inner();
        let mut outcome = outcome.unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = outcome.failure {
            return Err(error);
        }
        let imported = &mut outcome.imported;
        for list in [
            &mut imported.added,
            &mut imported.present,
            &mut imported.gomods,
            &mut imported.unvouched,
        ] {
            list.sort_unstable();
        }
        Ok(outcome.imported)
    }
}

/// What all threads of one import share.
pub(super) struct ImportShared<'t> {
    trust: &'t dyn ImportTrust,
    writable: bool,
    /// Batches of files that wait for a thread.
    pub(super) waiting: AtomicUsize,
    outcome: Mutex<ImportOutcome>,
}

#[derive(Default)]
struct ImportOutcome {
    imported: Imported,
    failure: Option<Error>,
}

impl ImportShared<'_> {
    fn outcome(&self) -> MutexGuard<'_, ImportOutcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_writable(&self) -> bool {
        self.writable
    }

    /// Keeps the first failure, which ends the import.
    pub(super) fn fail(&self, error: Error) {
        self.outcome().failure.get_or_insert(error);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.outcome().failure.is_some()
    }

    /// Compares what was computed with what the archive says, and with what is known.
    pub(super) fn judge(&self, module: &ModuleVersion, h1: &H1, declared: &H1) -> Result<()> {
        if h1 != declared {
            let text = format!(
                "{module}: checksum mismatch in the archive\n\tcontent: {h1}\n\tziphash: {declared}"
            );
            return Err(Error::new(Kind::Security, text));
        }
        if !self.trust.check_zip(module, h1)? {
            self.outcome().imported.unvouched.push(module.clone());
        }
        Ok(())
    }

    pub(super) fn added(&self, module: &ModuleVersion) {
        self.outcome().imported.added.push(module.clone());
    }
}

/// The small files of one version, and what its content needs.
struct ImportGroup {
    entry: CacheEntry,
    info: Option<Vec<u8>>,
    gomod: Option<Vec<u8>>,
    ziphash: Option<H1>,
    content: GroupContent,
}

enum GroupContent {
    /// None has come.
    None,
    /// It is in the cache: what comes is passed over.
    Present,
    /// A zip, as a part or, where the directory alone was missing, in its place.
    Zip(VersionLock, Option<ZipPart>),
    /// A directory that is being made.
    Tree(Arc<TreeImport>),
}

struct ArchiveReader<'r, 's, R> {
    cache: &'r Cache,
    tar: TarReader<R>,
    shared: &'s ImportShared<'s>,
    scope: &'r Scope<'s>,
    done: Sender<()>,
    places: Receiver<()>,
    group: Option<ImportGroup>,
    /// Versions whose members have ended: none of them may come again.
    ended: HashSet<ModuleVersion>,
}

impl<'s, R: Read> ArchiveReader<'_, 's, R> {
    fn read(&mut self) -> Result<()> {
        while let Some(member) = self.tar.next_member()? {
            if self.shared.has_failed() {
                return Ok(());
            }
            let (module, kind) = names::parse(&member.name)?;
            let current = self.group.as_ref().map(|group| group.entry.module());
            if current != Some(&module) {
                self.end_group()?;
                if self.ended.contains(&module) {
                    let text = format!("{}: members of {module} are not together", member.name);
                    return Err(Error::new(Kind::Input, text));
                }
                self.group = Some(ImportGroup {
                    entry: self.cache.entry(&module)?,
                    info: None,
                    gomod: None,
                    ziphash: None,
                    content: GroupContent::None,
                });
            }
            self.take(&member, kind)?;
        }
        self.end_group()
    }

    fn take(&mut self, member: &TarMember, kind: MemberKind) -> Result<()> {
        // Set before each call.
        let Some(group) = &mut self.group else {
            return Ok(());
        };
        match kind {
            MemberKind::Info => group.info = Some(self.tar.read_content(MAX_SMALL_BYTES)?),
            MemberKind::GoMod => group.gomod = Some(self.tar.read_content(MAX_SMALL_BYTES)?),
            MemberKind::ZipHash => {
                let text = self.tar.read_content(MAX_SMALL_BYTES)?;
                let h1 = str::from_utf8(&text)
                    .ok()
                    .and_then(|text| H1::parse(text).ok());
                let malformed = || Error::new(Kind::Input, format!("{}: no h1", member.name));
                group.ziphash = Some(h1.ok_or_else(malformed)?);
            }
            MemberKind::Zip => {
                demand_ziphash(group, member)?;
                group.content = zip_content(&group.entry, &mut self.tar)?;
            }
            MemberKind::File(file) => {
                demand_ziphash(group, member)?;
                if let GroupContent::None = group.content {
                    group.content = match is_complete(&group.entry)? {
                        true => GroupContent::Present,
                        false => {
                            let lock = group.entry.lock()?;
                            match is_complete(&group.entry)? {
                                true => GroupContent::Present,
                                false => GroupContent::Tree(TreeImport::begin(&group.entry, lock)?),
                            }
                        }
                    };
                }
                if let GroupContent::Tree(tree) = &group.content {
                    tree.add(&file, member.size, &mut self.tar, self.shared, self.scope)?;
                }
            }
        }
        Ok(())
    }

    /// Hands what has come of a version to the other threads, when one of them has room.
    fn end_group(&mut self) -> Result<()> {
        let Some(group) = self.group.take() else {
            return Ok(());
        };
        self.ended.insert(group.entry.module().clone());
        // Each place comes back: what is spawned always runs to its end.
        let _ = self.places.recv();
        let (shared, done) = (self.shared, self.done.clone());
        self.scope.spawn(move |_| {
            if !shared.has_failed()
                && let Err(error) = finish(group, shared)
            {
                shared.fail(error);
            }
            let _ = done.send(());
        });
        Ok(())
    }
}

fn demand_ziphash(group: &ImportGroup, member: &TarMember) -> Result<()> {
    match (&group.ziphash, &group.gomod) {
        (Some(_), Some(_)) => Ok(()),
        _ => {
            let text = format!(
                "{}: comes before go.mod and ziphash of its module",
                member.name
            );
            Err(Error::new(Kind::Input, text))
        }
    }
}

/// True if nothing of the content is missing. A directory whose zip was removed is enough for `go`.
fn is_complete(entry: &CacheEntry) -> Result<bool> {
    Ok(entry.read_ziphash()?.is_some() && entry.has_directory())
}

/// Spools a zip to its place, under the lock of its version, unless it is there.
fn zip_content<R: Read>(entry: &CacheEntry, tar: &mut TarReader<R>) -> Result<GroupContent> {
    if is_complete(entry)? {
        return Ok(GroupContent::Present);
    }
    let lock = entry.lock()?;
    if is_complete(entry)? {
        return Ok(GroupContent::Present);
    }
    if entry.has_zip() && entry.read_ziphash()?.is_some() {
        return Ok(GroupContent::Zip(lock, None));
    }
    let mut part = entry.zip_part(&lock)?;
    let path = part.path().to_owned();
    let cannot_write = |cause| Error::io("cannot write", &path, cause);
    part.restart(None).map_err(cannot_write)?;
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        match tar.read(&mut buffer) {
            Ok(0) => break,
            Ok(bytes) => part.write_all(&buffer[..bytes]).map_err(cannot_write)?,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(tar.failed(cause)),
        }
    }
    failpoints::reached("import-spooled");
    Ok(GroupContent::Zip(lock, Some(part)))
}

/// Checks what has come of a version and makes it visible.
fn finish(group: ImportGroup, shared: &ImportShared<'_>) -> Result<()> {
    let ImportGroup {
        entry,
        info,
        gomod,
        ziphash,
        content,
    } = group;
    let module = entry.module();
    if let Some(info) = info
        && !entry.info_path().exists()
    {
        entry.write_info(&info)?;
    }
    let mut has_new_gomod = false;
    if let Some(gomod) = gomod {
        shared.trust.check_gomod(module, &H1::of_go_mod(&gomod))?;
        if !entry.gomod_path().exists() {
            entry.write_gomod(&gomod)?;
            has_new_gomod = true;
        }
    }
    // The reader demands it before any content.
    let declared = ziphash.as_ref();
    match content {
        GroupContent::None if has_new_gomod => {
            shared.outcome().imported.gomods.push(module.clone());
        }
        GroupContent::None => {}
        GroupContent::Present => shared.outcome().imported.present.push(module.clone()),
        GroupContent::Zip(lock, part) => {
            if let Some(declared) = declared {
                unpack(&entry, &lock, part, declared, shared)?;
            }
        }
        GroupContent::Tree(tree) => {
            if let Some(declared) = declared {
                tree.end(declared.clone(), shared)?;
            }
        }
    }
    Ok(())
}

fn unpack(
    entry: &CacheEntry,
    lock: &VersionLock,
    part: Option<ZipPart>,
    declared: &H1,
    shared: &ImportShared<'_>,
) -> Result<()> {
    let file = match &part {
        Some(part) => part.reader()?,
        None => {
            let path = entry.zip_path();
            File::open(&path).map_err(|cause| Error::io("cannot open", &path, cause))?
        }
    };
    let zip = ModuleZip::open(file, entry.module())?;
    let partial = match entry.has_directory() {
        true => None,
        false => Some(entry.begin_directory(lock)?),
    };
    let h1 = match &partial {
        Some(partial) => zip.extract(partial.directory())?,
        None => zip.hash()?,
    };
    shared.judge(entry.module(), &h1, declared)?;
    failpoints::reached("import-unpacked");
    match part {
        Some(part) => entry.commit_zip(lock, part, &h1)?,
        None => entry.commit_ziphash(lock, &h1)?,
    }
    if let Some(partial) = partial {
        partial.seal(|directory| {
            if !shared.is_writable() {
                zip.seal(directory);
            }
        });
        partial.finish()?;
    }
    shared.added(entry.module());
    Ok(())
}
