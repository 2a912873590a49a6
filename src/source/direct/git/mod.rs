//! Git repositories.
//!
//! A clone is a bare repository below `cache/vcs` (see `clone`), shallow as long as that will do:
//! a tag or a branch is fetched without its history; a tag that is a version, by its name, before the
//! list of all refs is asked for. History is fetched where a pseudo-version
//! has to be made or checked, or a commit is asked for that no branch or tag names. A server that
//! can leave files out then sends commits alone, into a clone of their own (see [`HISTORY`]), so
//! that the shared clone stays one that go understands.
//!
//! Commits that are reachable from no branch, tag or HEAD are no versions: forges show every
//! proposed change under a name of its own, and none of these may pass for a version.
//!
//! | file | idea |
//! |---|---|
//! | `refs` | branches and tags, and their sums |
//! | `odb` | reading objects |
//! | `attributes` | what `.gitattributes` changes in the content of files |
//! | `files` | the files of a commit |
//! | `layout` | making the folder of a bare repository |
//! | `remote` | what is asked of the other side: the trait |
//! | `system` | that by the program git |
//! | `builtin`, `pktline` | that without the program, over http and https |
//!
//! Source: golang/go `cmd/go/internal/modfetch/codehost/git.go`.

mod attributes;
mod builtin;
mod files;
mod layout;
pub(super) mod odb;
mod pktline;
mod refs;
mod remote;
mod system;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub(super) use builtin::BuiltinGit;
use files::GitTree;
use layout::CloneExtent;
use odb::{HashKind, ObjectDatabase, ObjectId, Prefix, TreeEntryKind};
use refs::{Refs, read_local, tag_sum, write_local};
pub(super) use remote::GitRemote;
use remote::LockedClone;
pub(super) use system::SystemGit;

use super::asked::AskedModules;
use super::clone::CloneDir;
use super::recent::Recent;
use super::repository::{
    NotResolved, Repository, RepositoryTree, Revision, TagList, check_place, no_commits,
    unknown_revision,
};
use super::settings::DirectSettings;
use super::work;
use crate::error::{Error, Kind, Result};
use crate::gomod::{Time, canonical, compare};
use crate::source::VcsOrigin;

/// As go names the kind of clone.
pub(super) const SHARED: &str = "git3";

/// The kind of the clone that has history and, if the server can leave them out, no files.
const HISTORY: &str = "modfetch-history1";

/// The fewest digits of a hash that are taken for one, as for go.
const MIN_HASH_DIGITS: usize = 7;

/// What a pseudo-version has of a hash.
const SHORT_DIGITS: usize = 12;

/// How long the first of several threads that want something from one repository waits for the
/// others, so that they share one fetch.
const GATHERING: Duration = Duration::from_millis(20);

/// A git repository.
pub(super) struct GitRepository {
    url: String,
    remote: Box<dyn GitRemote>,
    clone: CloneDir,
    history: CloneDir,
    refs: Recent<(), Arc<Refs>, Error>,
    revisions: Recent<String, Revision, NotResolved>,
    store: Mutex<Option<Arc<ObjectDatabase>>>,
    history_store: Mutex<Option<Arc<ObjectDatabase>>>,
    wanted: Mutex<Vec<(String, ObjectId)>>,
    /// Threads that may be about to want something.
    deciding: AtomicUsize,
    asked: Arc<AskedModules>,
    fetching: Mutex<()>,
}

impl GitRepository {
    /// The repository at `url`; nothing is asked or touched yet.
    pub(super) fn new(
        url: &str,
        remote: Box<dyn GitRemote>,
        settings: &DirectSettings,
        asked: Arc<AskedModules>,
    ) -> GitRepository {
        let clone = |kind| CloneDir::new(&settings.clones, kind, url, settings.locks.clone());
        GitRepository {
            url: url.to_owned(),
            remote,
            clone: clone(SHARED),
            history: clone(HISTORY),
            refs: Recent::default(),
            revisions: Recent::default(),
            store: Mutex::default(),
            history_store: Mutex::default(),
            wanted: Mutex::default(),
            deciding: AtomicUsize::new(0),
            asked,
            fetching: Mutex::default(),
        }
    }

    /// What the server says of its branches and tags.
    pub(super) fn refs(&self) -> Result<Arc<Refs>> {
        self.refs.get((), || self.remote.refs().map(Arc::new))
    }

    /// The objects that were fetched; `None` if nothing was.
    fn fetched(&self) -> Result<Option<Arc<ObjectDatabase>>> {
        opened(&self.store, self.clone.path())
    }

    fn origin(&self) -> VcsOrigin {
        VcsOrigin {
            vcs: "git".to_owned(),
            url: self.url.clone(),
            ..VcsOrigin::default()
        }
    }

    /// A revision that is not there, which holds as long as no ref changes.
    fn unknown(&self, revision: &str) -> NotResolved {
        let refs = self.refs().ok();
        NotResolved {
            error: unknown_revision(revision),
            origin: refs.map(|refs| {
                Box::new(VcsOrigin {
                    repo_sum: refs.repo_sum(),
                    ..self.origin()
                })
            }),
        }
    }

    fn find(&self, revision: &str) -> Result<Revision, NotResolved> {
        let is_hash = is_hash(revision);
        if let Some(store) = self.fetched()? {
            // A tag keeps its meaning, and so does a hash. A branch may have moved.
            let name = format!("refs/tags/{revision}");
            if let Some(id) = read_local(self.clone.path(), &name)?
                && let Some(found) = self.describe(&store, &id, revision, Some(&name))?
            {
                return Ok(found);
            }
            if is_hash
                && let Prefix::One(id) = store.find_prefix(revision)?
                && let Some(found) = self.describe(&store, &id, revision, None)?
            {
                return Ok(found);
            }
        }
        if let Some(found) = self.find_unlisted(revision)? {
            return Ok(found);
        }
        let refs = self.refs()?;
        let named = |name: String| refs.get(&name).map(|id| (name, *id));
        let found = named(format!("refs/tags/{revision}"))
            .or_else(|| named(format!("refs/heads/{revision}")))
            .or_else(|| named(revision.to_owned()).filter(|(name, _)| name == "HEAD"));
        let found = match found {
            None if is_hash => {
                let mut of_hash = refs
                    .iter()
                    .filter(|(_, id)| id.to_string().starts_with(revision));
                let first = of_hash.next();
                if of_hash.any(|(_, id)| first.is_some_and(|(_, other)| id != other)) {
                    let text = format!("ambiguous revision {revision}");
                    return Err(Error::new(Kind::NotFound, text).into());
                }
                first.map(|(name, id)| (name.to_owned(), *id))
            }
            None => return Err(self.unknown(revision)),
            found => found,
        };
        let Some((name, id)) = found else {
            return self.find_in_history(revision);
        };
        self.fetch_tip(&name, &id)?;
        let store = self.fetched()?.ok_or_else(|| self.unknown(revision))?;
        // A commit that is also HEAD was asked for by another name.
        let shown = Some(name.as_str()).filter(|name| *name != "HEAD");
        let described = self.describe(&store, &id, revision, shown)?;
        described.ok_or_else(|| self.not_a_commit(&name).into())
    }

    /// A version that is most likely a tag, fetched by its name without asking for the names of all
    /// branches and tags before, which saves a program and its requests. `None` if there is none, or
    /// if other modules are asked about: their tags may be in this repository, and one fetch is for all.
    fn find_unlisted(&self, revision: &str) -> Result<Option<Revision>> {
        let version = revision.rsplit('/').next().unwrap_or_default();
        let is_version = canonical(version).is_some_and(|plain| plain == version);
        if !is_version
            || !self.asked.is_one()
            || !self.remote.fetches_by_name()
            || !self.refs.is_empty()
        {
            return Ok(None);
        }
        let name = format!("refs/tags/{revision}");
        let _alone = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = self.clone.lock()?;
        let dir = self.clone.path();
        let is_new = layout::hash_kind(dir)?.is_none();
        if is_new {
            // If the server has the other hash, the clone is made again.
            layout::create(dir, &self.url, HashKind::Sha1, CloneExtent::Whole).inspect_err(
                |_| {
                    let _ = self.clone.remove();
                },
            )?;
        } else {
            layout::sweep(dir);
        }
        let clone = LockedClone { dir, lock: &lock };
        if let Err(error) = self.remote.fetch_by_name(&clone, &name) {
            if is_new {
                self.clone.remove()?;
                *self.store.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            // Whatever else it is, the list of the refs shows it, too.
            return match error.is_transient() || work::is_over() {
                true => Err(error),
                false => Ok(None),
            };
        }
        drop(lock);
        let Some(store) = self.fetched()? else {
            return Ok(None);
        };
        store.refresh()?;
        match read_local(dir, &name)? {
            Some(id) => self.describe(&store, &id, revision, Some(&name)),
            None => Ok(None),
        }
    }

    /// A tag that names no commit.
    fn not_a_commit(&self, name: &str) -> Error {
        let text = format!("{name} of {} does not lead to a commit", self.shown());
        Error::new(Kind::NotFound, text)
    }

    fn shown(&self) -> String {
        crate::proc::redact(&self.url, &[])
    }

    /// A commit that no branch or tag names, of which only the hash is known.
    fn find_in_history(&self, revision: &str) -> Result<Revision, NotResolved> {
        let store = self.full_history()?;
        let Prefix::One(id) = store.find_prefix(revision)? else {
            return Err(self.unknown(revision));
        };
        self.fetch_tip("HEAD", &id)?;
        let store = self.fetched()?.ok_or_else(|| self.unknown(revision))?;
        let described = self.describe(&store, &id, revision, None)?;
        described.ok_or_else(|| self.unknown(revision))
    }

    /// What is known of a commit; `None` if it was not fetched, or is none.
    fn describe(
        &self,
        store: &ObjectDatabase,
        id: &ObjectId,
        asked: &str,
        name: Option<&str>,
    ) -> Result<Option<Revision>> {
        let Some((commit, found)) = whole_commit(store, id)? else {
            return Ok(None);
        };
        let id = commit.to_string();
        let is_tag = name.is_some_and(|name| name.starts_with("refs/tags/"));
        let origin = VcsOrigin {
            hash: id.clone(),
            reference: name.unwrap_or_default().to_owned(),
            ..self.origin()
        };
        let is_named =
            is_tag && name.and_then(|name| name.strip_prefix("refs/tags/")) == Some(asked);
        Ok(Some(Revision {
            short: id.get(..SHORT_DIGITS).unwrap_or(&id).to_owned(),
            version: if is_named {
                asked.to_owned()
            } else {
                id.clone()
            },
            time: Time::from_unix_seconds(found.time),
            id,
            origin,
        }))
    }

    /// Brings what a ref leads to, without its history, together with what other threads want.
    fn fetch_tip(&self, name: &str, id: &ObjectId) -> Result<()> {
        let missing = |id: &ObjectId| -> Result<bool> {
            let store = self.fetched()?;
            Ok(match store {
                Some(store) => whole_commit(&store, id)?.is_none(),
                None => true,
            })
        };
        if !missing(id)? {
            return self.remember_tag(name, id);
        }
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.push((name.to_owned(), *id));
        drop(wanted);
        self.deciding.fetch_sub(1, Ordering::SeqCst);
        let fetched = self.fetch_wanted(id, &missing);
        self.deciding.fetch_add(1, Ordering::SeqCst);
        fetched
    }

    fn fetch_wanted(
        &self,
        id: &ObjectId,
        missing: &dyn Fn(&ObjectId) -> Result<bool>,
    ) -> Result<()> {
        let _alone = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if !missing(id)? {
            return Ok(());
        }
        let until = Instant::now() + GATHERING;
        while self.deciding.load(Ordering::SeqCst) > 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
        let mut batch = {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *wanted)
        };
        batch.sort();
        batch.dedup();
        let lock = self.clone.lock()?;
        self.prepare(&self.clone)?;
        let clone = LockedClone {
            dir: self.clone.path(),
            lock: &lock,
        };
        if let Some(store) = self.fetched()? {
            // Another process may have been here.
            store.refresh()?;
        }
        let mut open = Vec::new();
        for (name, id) in batch {
            if missing(&id)? {
                open.push((name, id));
            }
        }
        if !open.is_empty()
            && let Err(error) = self.remote.fetch_tips(&clone, &open)
        {
            // Some servers refuse what is asked for in this way; all of them give everything.
            if matches!(error.kind(), Kind::Auth | Kind::NotFound | Kind::Security)
                || error.is_transient()
                || work::is_over()
            {
                return Err(error);
            }
            self.remote.fetch_everything(&clone)?;
        }
        drop(lock);
        match self.fetched()? {
            Some(store) => store.refresh(),
            None => Ok(()),
        }
    }

    /// Writes down a tag whose commit is there already, so that the next run need not ask.
    fn remember_tag(&self, name: &str, id: &ObjectId) -> Result<()> {
        if !name.starts_with("refs/tags/") || read_local(self.clone.path(), name)?.is_some() {
            return Ok(());
        }
        let _lock = self.clone.lock()?;
        write_local(self.clone.path(), name, id)
    }

    /// Makes the folder, which is locked, a repository if it is none, and removes what a program that
    /// was killed has left.
    fn prepare(&self, clone: &CloneDir) -> Result<()> {
        if layout::hash_kind(clone.path())?.is_some() {
            layout::sweep(clone.path());
            return Ok(());
        }
        let hash = self.refs()?.hash_kind();
        let extent = match std::ptr::eq(clone, &self.history) {
            true => CloneExtent::Partial,
            false => CloneExtent::Whole,
        };
        layout::create(clone.path(), &self.url, hash, extent).inspect_err(|_| {
            let _ = clone.remove();
        })
    }

    /// All commits of all branches and tags.
    fn full_history(&self) -> Result<Arc<ObjectDatabase>> {
        if let Some(store) = self.fetched()?
            && layout::is_complete(self.clone.path(), &*self.refs()?, &store)?
        {
            return Ok(store);
        }
        let _alone = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = self.history.lock()?;
        self.prepare(&self.history)?;
        let open = || opened(&self.history_store, self.history.path());
        let refs = self.refs()?;
        if let Some(store) = open()? {
            store.refresh()?;
            if layout::is_complete(self.history.path(), &refs, &store)? {
                return Ok(store);
            }
        }
        let clone = LockedClone {
            dir: self.history.path(),
            lock: &lock,
        };
        self.remote.fetch_history(&clone)?;
        drop(lock);
        let store = open()?.ok_or_else(no_commits)?;
        store.refresh()?;
        Ok(store)
    }

    /// The tag at or before a commit that comes first in `candidates`.
    fn first_before(
        &self,
        store: &ObjectDatabase,
        commit: &ObjectId,
        candidates: &[(String, ObjectId)],
        allowed: &mut dyn FnMut(&str) -> bool,
    ) -> Result<(Option<String>, bool)> {
        let ancestry = store.ancestry(commit, None)?;
        let mut found = candidates
            .iter()
            .filter(|(_, id)| ancestry.commits.contains(id));
        let found = found.find(|(tag, _)| allowed(tag));
        Ok((found.map(|(tag, _)| tag.clone()), ancestry.is_cut))
    }
}

/// The commit that an object leads to, if it is there with all of its files.
fn whole_commit(store: &ObjectDatabase, id: &ObjectId) -> Result<Option<(ObjectId, odb::Commit)>> {
    let Some((commit, found)) = store.peel(id)? else {
        return Ok(None);
    };
    let is_whole = store.is_whole(&commit, &found.tree)?;
    Ok(is_whole.then_some((commit, found)))
}

/// Opens the objects below a folder once they are there.
fn opened(
    slot: &Mutex<Option<Arc<ObjectDatabase>>>,
    dir: &Path,
) -> Result<Option<Arc<ObjectDatabase>>> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(store) = &*slot {
        return Ok(Some(Arc::clone(store)));
    }
    let Some(hash) = layout::hash_kind(dir)? else {
        return Ok(None);
    };
    let store = Arc::new(ObjectDatabase::open(dir, hash)?);
    *slot = Some(Arc::clone(&store));
    Ok(Some(store))
}

fn is_hash(revision: &str) -> bool {
    (MIN_HASH_DIGITS..=64).contains(&revision.len())
        && revision
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Counts a thread that may want something from the repository.
struct Deciding<'a>(&'a AtomicUsize);

impl<'a> Deciding<'a> {
    fn begin(count: &'a AtomicUsize) -> Deciding<'a> {
        count.fetch_add(1, Ordering::SeqCst);
        Deciding(count)
    }
}

impl Drop for Deciding<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Repository for GitRepository {
    fn check_reuse(&self, old: &VcsOrigin, subdir: &str) -> Result<()> {
        let changed = |text: String| Err(Error::new(Kind::Other, text));
        check_place(old, "git", &self.url, subdir)?;
        if old.hash.is_empty() && old.tag_sum.is_empty() && old.repo_sum.is_empty() {
            return changed("non-specific origin".to_owned());
        }
        let refs = self.refs()?;
        if !old.reference.is_empty() {
            let now = refs.get(&old.reference).map(ToString::to_string);
            if now.as_deref() != Some(&old.hash) {
                return changed(format!("ref {:?} moved or was deleted", old.reference));
            }
        }
        if !old.tag_sum.is_empty() {
            let tags = refs.tags(&old.tag_prefix);
            if tag_sum(&tags, &old.tag_prefix) != old.tag_sum {
                return changed("tags changed".to_owned());
            }
        }
        if !old.repo_sum.is_empty() && refs.repo_sum() != old.repo_sum {
            return changed("refs changed".to_owned());
        }
        Ok(())
    }

    fn reach(&self) -> Result<Option<String>> {
        let refs = self.refs()?;
        let count = |prefix: &str| {
            let names = refs.iter().filter(|(name, _)| name.starts_with(prefix));
            names.count()
        };
        let (branches, tags) = (count("refs/heads/"), count("refs/tags/"));
        let by = self.remote.name();
        Ok(Some(format!("{branches} branches, {tags} tags, by {by}")))
    }

    fn tags(&self, prefix: &str) -> Result<TagList> {
        let tags = self.refs()?.tags(prefix);
        let origin = VcsOrigin {
            tag_prefix: prefix.to_owned(),
            tag_sum: tag_sum(&tags, prefix),
            ..self.origin()
        };
        Ok(TagList { tags, origin })
    }

    fn tags_of(&self, revision: &Revision) -> Result<Vec<String>> {
        let id = ObjectId::parse_any(&revision.id);
        let refs = self.refs()?;
        Ok(id.map(|id| refs.tags_of(&id)).unwrap_or_default())
    }

    fn stat(&self, revision: &str) -> Result<Revision, NotResolved> {
        if revision.starts_with('-') {
            return Err(unknown_revision(revision).into());
        }
        self.revisions.get(revision.to_owned(), || {
            let _deciding = Deciding::begin(&self.deciding);
            self.find(revision)
        })
    }

    fn latest(&self) -> Result<Revision, NotResolved> {
        let refs = self.refs()?;
        let head = refs.get("HEAD").ok_or_else(no_commits)?;
        let mut revision = self.stat(&head.to_string())?;
        revision.origin.reference = "HEAD".to_owned();
        Ok(revision)
    }

    fn read_file(&self, revision: &str, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let revision = self.stat(revision).map_err(|cause| cause.error)?;
        let (store, tree) = self.tree_of(&revision)?;
        let Some(entry) = store.entry_at(&tree, path)? else {
            return Ok(None);
        };
        // What a symbolic link names is not looked at; go reads the link's target as the text.
        if matches!(
            entry.kind,
            TreeEntryKind::Directory | TreeEntryKind::Submodule
        ) {
            return Ok(None);
        }
        let object = store.read(&entry.id, limit)?;
        Ok(object.map(|object| object.data))
    }

    fn recent_tag(
        &self,
        revision: &Revision,
        prefix: &str,
        allowed: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Option<String>> {
        let Some(commit) = ObjectId::parse_any(&revision.id) else {
            return Ok(None);
        };
        let tags = self.refs()?.tags(prefix);
        let version = |tag: &str| tag.get(prefix.len()..).unwrap_or_default().to_owned();
        let mut candidates: Vec<(String, ObjectId)> = tags
            .into_iter()
            .filter(|tag| version(&tag.name).starts_with('v'))
            .filter_map(|tag| Some((ObjectId::parse_any(&tag.commit)?, tag.name)))
            .map(|(id, tag)| (tag, id))
            .collect();
        if candidates.is_empty() {
            return Ok(None);
        }
        candidates
            .sort_by(|(a, _), (b, _)| compare(&version(b), &version(a)).then_with(|| a.cmp(b)));
        if let Some(store) = self.fetched()? {
            match self.first_before(&store, &commit, &candidates, allowed)? {
                (None, true) => {}
                (found, _) => return Ok(found),
            }
        }
        let store = self.full_history()?;
        Ok(self.first_before(&store, &commit, &candidates, allowed)?.0)
    }

    fn descends_from(&self, revision: &Revision, tag: &str) -> Result<bool> {
        let Some(commit) = ObjectId::parse_any(&revision.id) else {
            return Ok(false);
        };
        let refs = self.refs()?;
        let Some(tagged) = refs.get(&format!("refs/tags/{tag}")) else {
            return Ok(false);
        };
        let is_before = |store: &ObjectDatabase| -> Result<(bool, bool)> {
            let ancestry = store.ancestry(&commit, Some(tagged))?;
            Ok((ancestry.commits.contains(tagged), ancestry.is_cut))
        };
        if let Some(store) = self.fetched()? {
            match is_before(&store)? {
                (false, true) => {}
                (found, _) => return Ok(found),
            }
        }
        Ok(is_before(&*self.full_history()?)?.0)
    }

    fn tree(&self, revision: &str, subdir: &str) -> Result<Box<dyn RepositoryTree + '_>> {
        let revision = self.stat(revision).map_err(|cause| cause.error)?;
        let (store, tree) = self.tree_of(&revision)?;
        Ok(Box::new(GitTree::read(store, &tree, subdir)?))
    }
}

impl GitRepository {
    /// The objects and the root of a commit.
    fn tree_of(&self, revision: &Revision) -> Result<(Arc<ObjectDatabase>, ObjectId)> {
        let missing = || unknown_revision(&revision.id);
        let store = self.fetched()?.ok_or_else(missing)?;
        let id = ObjectId::parse_any(&revision.id).ok_or_else(missing)?;
        let (_, commit) = store.peel(&id)?.ok_or_else(missing)?;
        Ok((store, commit.tree))
    }
}
