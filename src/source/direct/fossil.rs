//! Fossil repositories, by the program fossil.
//!
//! Go lists no tags of such a repository, although a tag can be asked for by its name. A module in a
//! folder is refused: go asks fossil for the folder in a way that gives an empty zip, and an empty
//! module with a right sum is of no use.
//!
//! Source: golang/go `cmd/go/internal/modfetch/codehost/vcs.go`.

use std::sync::Arc;

use super::archive::ArchiveTree;
use super::clone::CloneDir;
use super::program::{ProgramInvocation, Programs};
use super::recent::Recent;
use super::repository::{
    NotResolved, Repository, RepositoryTree, Revision, TagList, unknown_revision, unsupported,
};
use crate::error::{Error, Kind, Result};
use crate::fsio::{FileLock, TempFile};
use crate::gomod::Time;
use crate::source::VcsOrigin;

/// The clone, a file in its folder.
const FILE: &str = ".fossil";

/// A Fossil repository.
pub(super) struct FossilRepository {
    url: String,
    programs: Arc<Programs>,
    clone: CloneDir,
    pulled: Recent<(), (), Error>,
    revisions: Recent<String, Revision, NotResolved>,
}

impl FossilRepository {
    pub(super) fn new(url: &str, programs: Arc<Programs>) -> FossilRepository {
        let settings = &programs.settings;
        let clone = CloneDir::new(&settings.clones, "vcs1.fossil", url, settings.locks.clone());
        FossilRepository {
            url: url.to_owned(),
            clone,
            programs,
            pulled: Recent::default(),
            revisions: Recent::default(),
        }
    }

    fn run(&self, network: bool, arguments: &[&str]) -> Result<Vec<u8>> {
        self.run_under(None, network, arguments)
    }

    fn run_under(
        &self,
        lock: Option<&FileLock>,
        network: bool,
        arguments: &[&str],
    ) -> Result<Vec<u8>> {
        let ran = self.programs.run(&ProgramInvocation {
            program: "fossil",
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            hidden: 0,
            dir: Some(self.clone.path()),
            environment: vec![("LC_ALL".to_owned(), "C.UTF-8".to_owned())],
            removed: &[],
            network,
            held: lock,
            package: "fossil",
        })?;
        Ok(ran.stdout)
    }

    /// Brings all of the repository.
    fn pull(&self) -> Result<()> {
        self.pulled.get((), || {
            let lock = self.clone.lock()?;
            let run = |arguments: &[&str]| self.run_under(Some(&lock), true, arguments);
            if self.clone.path().join(FILE).is_file() {
                return run(&["pull", "-R", FILE]).map(drop);
            }
            let cloned = run(&["clone", "--", &self.url, FILE]);
            cloned.map(drop).inspect_err(|_| {
                let _ = self.clone.remove();
            })
        })
    }

    fn origin(&self) -> VcsOrigin {
        VcsOrigin {
            vcs: "fossil".to_owned(),
            url: self.url.clone(),
            ..VcsOrigin::default()
        }
    }

    fn find(&self, revision: &str) -> Result<Revision, NotResolved> {
        if revision.starts_with('-') {
            return Err(unknown_revision(revision).into());
        }
        self.pull()?;
        let said = self.run(false, &["info", "-R", FILE, "--", revision]);
        let said = said.map_err(|_| unknown_revision(revision))?;
        let said = String::from_utf8_lossy(&said);
        let unexpected = |line: &str| {
            let text = format!("unexpected response from fossil info: {line:?}");
            NotResolved::from(Error::new(Kind::Other, text))
        };
        let mut lines = said.lines();
        let line = lines.find(|line| line.starts_with("uuid:") || line.starts_with("hash:"));
        let line = line.ok_or_else(|| unexpected(&said))?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, id, day, time, "UTC"] = words[..] else {
            return Err(unexpected(line));
        };
        let time = Time::parse(&format!("{day}T{time}Z"));
        let time = time
            .filter(|_| id.len() == 40)
            .ok_or_else(|| unexpected(line))?;
        let is_hash = id.starts_with(revision);
        let mut origin = self.origin();
        id.clone_into(&mut origin.hash);
        if !(is_hash && revision.len() >= 12) {
            revision.clone_into(&mut origin.reference);
        }
        Ok(Revision {
            id: id.to_owned(),
            short: id.get(..12).unwrap_or(id).to_owned(),
            version: if is_hash { id } else { revision }.to_owned(),
            time,
            origin,
        })
    }
}

impl Repository for FossilRepository {
    fn check_reuse(&self, _: &VcsOrigin, _: &str) -> Result<()> {
        Err(unsupported("fossil", "CheckReuse"))
    }

    fn reach(&self) -> Result<Option<String>> {
        Ok(None)
    }

    fn tags(&self, _: &str) -> Result<TagList> {
        Ok(TagList {
            tags: Vec::new(),
            origin: self.origin(),
        })
    }

    fn tags_of(&self, _: &Revision) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn stat(&self, revision: &str) -> Result<Revision, NotResolved> {
        self.revisions
            .get(revision.to_owned(), || self.find(revision))
    }

    fn latest(&self) -> Result<Revision, NotResolved> {
        self.stat("trunk")
    }

    fn read_file(&self, revision: &str, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let revision = self.stat(revision).map_err(|cause| cause.error)?;
        let rev = format!("-r={}", revision.id);
        // Also if there is no such file: the program answers alike.
        let data = self.run(false, &["cat", "-R", FILE, &rev, "--", path]).ok();
        Ok(data.filter(|data| data.len() as u64 <= limit))
    }

    fn recent_tag(
        &self,
        _: &Revision,
        _: &str,
        _: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Option<String>> {
        Ok(None)
    }

    fn descends_from(&self, _: &Revision, _: &str) -> Result<bool> {
        Err(unsupported("fossil", "DescendsFrom"))
    }

    fn tree(&self, revision: &str, subdir: &str) -> Result<Box<dyn RepositoryTree + '_>> {
        if !subdir.is_empty() {
            let text = format!(
                "module in the folder {subdir} of a Fossil repository: go makes an empty zip of it"
            );
            return Err(Error::new(Kind::Other, text));
        }
        let revision = self.stat(revision).map_err(|cause| cause.error)?;
        // Within the folder: fossil takes a path that begins with a slash apart.
        let archive = TempFile::beside(&self.clone.path().join("archive"))?;
        let name = archive
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        self.run(
            false,
            &[
                "zip",
                "-R",
                FILE,
                "--name",
                "prefix",
                "--",
                &revision.id,
                &name,
            ],
        )?;
        Ok(Box::new(ArchiveTree::open(archive, subdir)?))
    }
}
