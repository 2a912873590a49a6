//! Mercurial repositories, by the program hg.
//!
//! The clone in `cache/vcs` has all of the repository: `hg pull -f` brings it once a run, before the
//! first question that what is there cannot answer. What is asked of the clone runs without the
//! user's settings, so that no hook, alias or extension has a say; pulling needs them, for
//! credentials and proxies.
//!
//! Source: golang/go `cmd/go/internal/modfetch/codehost/vcs.go`.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::archive::ArchiveTree;
use super::clone::CloneDir;
use super::program::{ProgramInvocation, Programs};
use super::recent::Recent;
use super::repository::{
    NotResolved, Repository, RepositoryTag, RepositoryTree, Revision, TagList, check_place,
    no_commits, unknown_revision,
};
use crate::error::{Error, Kind, Result};
use crate::fsio::{FileLock, TempFile, beside};
use crate::gomod::{Time, compare};
use crate::source::VcsOrigin;

/// A Mercurial repository.
pub(super) struct HgRepository {
    url: String,
    programs: Arc<Programs>,
    clone: CloneDir,
    pulled: Recent<(), (), Error>,
    branches: Recent<(), Vec<String>, Error>,
    sum: Recent<(), String, Error>,
    revisions: Recent<String, Revision, NotResolved>,
}

impl HgRepository {
    pub(super) fn new(url: &str, programs: Arc<Programs>) -> HgRepository {
        let settings = &programs.settings;
        let clone = CloneDir::new(&settings.clones, "vcs1.hg", url, settings.locks.clone());
        HgRepository {
            url: url.to_owned(),
            clone,
            programs,
            pulled: Recent::default(),
            branches: Recent::default(),
            sum: Recent::default(),
            revisions: Recent::default(),
        }
    }

    fn run(&self, network: bool, arguments: &[&str]) -> Result<String> {
        self.run_in(Some(self.clone.path()), None, network, arguments)
    }

    fn run_in(
        &self,
        dir: Option<&Path>,
        lock: Option<&FileLock>,
        network: bool,
        arguments: &[&str],
    ) -> Result<String> {
        let mut environment = vec![
            ("HGPLAIN".to_owned(), "1".to_owned()),
            ("LC_ALL".to_owned(), "C.UTF-8".to_owned()),
            // The extension below is gone when the program ends.
            ("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned()),
        ];
        if !network {
            environment.push(("HGRCPATH".to_owned(), String::new()));
        }
        let ran = self.programs.run(&ProgramInvocation {
            program: "hg",
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            hidden: 0,
            dir,
            environment,
            removed: &["HG", "HGPLAINEXCEPT"],
            network,
            held: lock,
            package: "mercurial",
        })?;
        Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
    }

    /// Makes the clone, empty, if there is none.
    fn prepare(&self) -> Result<()> {
        let _lock = self.clone.lock()?;
        let dir = self.clone.path();
        if dir.join(".hg").is_dir() {
            return Ok(());
        }
        let made = self.run(false, &["init", "."]).and_then(|_| {
            let path = dir.join(".hg/hgrc");
            let text = format!("[paths]\ndefault = {}\n", self.url);
            fs::write(&path, text).map_err(|cause| Error::io("cannot write", &path, cause))
        });
        made.inspect_err(|_| {
            let _ = self.clone.remove();
        })
    }

    fn pull(&self) -> Result<()> {
        self.pulled.get((), || {
            self.prepare()?;
            let lock = self.clone.lock()?;
            let dir = Some(self.clone.path());
            self.run_in(dir, Some(&lock), true, &["pull", "-f"])
                .map(drop)
        })
    }

    fn branches(&self) -> Result<Vec<String>> {
        self.branches.get((), || {
            self.pull()?;
            let listed = self.run(false, &["branches", "-c", "-q"])?;
            Ok(listed.lines().map(str::to_owned).collect())
        })
    }

    fn origin(&self) -> VcsOrigin {
        VcsOrigin {
            vcs: "hg".to_owned(),
            url: self.url.clone(),
            repo_sum: self.repo_sum(),
            ..VcsOrigin::default()
        }
    }

    /// The sum of all branches and bookmarks of the server, as go has it: `r1:` and a SHA-256 in
    /// base64. Empty where it cannot be had, which go takes for a repository that may have changed.
    fn repo_sum(&self) -> String {
        let sum = self.sum.get((), || {
            let mut file = TempFile::beside(&beside(self.clone.path(), ".py"))?;
            let path = file.path().to_owned();
            file.write_all(SUM_EXTENSION.as_bytes())
                .map_err(|cause| Error::io("cannot write", &path, cause))?;
            let extension = format!("--config=extensions.modfetch={}", path.display());
            let arguments = [&extension, "modfetch-sum", "--", &self.url];
            let said = self.run_in(None, None, true, &arguments)?;
            Ok(said.trim().to_owned())
        });
        sum.unwrap_or_default()
    }

    /// What the server calls a name or a hash.
    fn lookup(&self, name: &str) -> Result<String> {
        if !is_name(name) {
            return Err(unknown_revision(name));
        }
        let rev = format!("--rev={name}");
        let arguments = ["identify", "--debug", "--id", &rev, "--", &self.url];
        let said = self.run_in(None, None, true, &arguments)?;
        // Over http, `--debug` prints the requests too.
        let hash = said.lines().find(|line| is_full_hash(line));
        Ok(hash.unwrap_or_default().to_owned())
    }

    fn describe(&self, revision: &str) -> Result<Revision, NotResolved> {
        let unknown = || NotResolved {
            error: unknown_revision(revision),
            origin: None,
        };
        let template = "{node} {date|hgdate}";
        let rev = format!("--rev={revision}");
        let said = self.run(false, &["log", "-l1", &rev, "--template", template]);
        let said = said.map_err(|_| unknown())?;
        let mut words = said.split_whitespace();
        let (Some(id), Some(time)) = (words.next(), words.next()) else {
            return Err(unknown());
        };
        let seconds = time
            .parse()
            .ok()
            .filter(|_| id.bytes().any(|byte| byte != b'0'));
        let seconds = seconds.ok_or_else(unknown)?;
        let names_hash = revision.len() >= 12 && id.starts_with(revision);
        let is_hash = id.starts_with(revision);
        Ok(Revision {
            short: id.get(..12).unwrap_or(id).to_owned(),
            version: if is_hash {
                id.to_owned()
            } else {
                revision.to_owned()
            },
            time: Time::from_unix_seconds(seconds),
            origin: VcsOrigin {
                vcs: "hg".to_owned(),
                url: self.url.clone(),
                hash: id.to_owned(),
                reference: if names_hash {
                    String::new()
                } else {
                    revision.to_owned()
                },
                ..VcsOrigin::default()
            },
            id: id.to_owned(),
        })
    }

    fn find(&self, revision: &str) -> Result<Revision, NotResolved> {
        if !is_name(revision) {
            return Err(unknown_revision(revision).into());
        }
        self.prepare()?;
        let is_hash = revision.len() >= 12 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash && let Ok(found) = self.describe(revision) {
            return Ok(found);
        }
        self.pull()?;
        let mut found = self.describe(revision).map_err(|cause| NotResolved {
            origin: Some(Box::new(self.origin())),
            ..cause
        })?;
        if revision == "tip" || self.branches()?.iter().any(|branch| branch == revision) {
            // Where these lead to changes.
            found.version.clone_from(&found.id);
        }
        Ok(found)
    }
}

/// True for all digits of a hash.
fn is_full_hash(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// True for a name or a hash. Anything else would be an expression of a language of its own.
fn is_name(revision: &str) -> bool {
    let may_be = |byte: u8| byte.is_ascii_alphanumeric() || b"._/+-".contains(&byte);
    !revision.is_empty() && !revision.starts_with('-') && revision.bytes().all(may_be)
}

/// Sums up what a server says of its branches and bookmarks; tags are in files of the branches.
///
/// Source: golang/go `lib/hg/goreposum.py`, whose sum this is.
const SUM_EXTENSION: &str = "\
import base64
import hashlib
from mercurial import hg, registrar

cmdtable = {}
command = registrar.command(cmdtable)


@command(b'modfetch-sum', [], b'URL', norepo=True)
def modfetch_sum(ui, url):
    peer = hg.peer(ui, {}, url)
    digest = hashlib.sha256()
    for name, heads in peer.branchmap().items():
        digest.update(b' '.join([name, *heads]) + b'\\n')
    if b'bookmarks' in peer.listkeys(b'namespaces'):
        for name, node in peer.listkeys(b'bookmarks').items():
            digest.update(b'%s=%s\\n' % (name, node))
    ui.write(b'r1:' + base64.b64encode(digest.digest()) + b'\\n')
";

impl Repository for HgRepository {
    fn check_reuse(&self, old: &VcsOrigin, subdir: &str) -> Result<()> {
        check_place(old, "hg", &self.url, subdir)?;
        let changed = |text: &str| Err(Error::new(Kind::Other, text));
        let is_there = |name: &str| -> Result<bool> {
            let hash = self.lookup(name)?;
            Ok(!hash.is_empty() && hash == old.hash)
        };
        if old.repo_sum.is_empty() {
            let name = match old.reference.as_str() {
                "" => &old.hash,
                reference => reference,
            };
            if name.is_empty() {
                return changed("non-specific origin");
            }
            return match is_there(name)? {
                true => Ok(()),
                false => changed("hash changed"),
            };
        }
        match self.repo_sum() == old.repo_sum {
            true => Ok(()),
            false => changed("repo changed"),
        }
    }

    fn reach(&self) -> Result<Option<String>> {
        let arguments = ["identify", "--id", "--", &self.url];
        let tip = self.run_in(None, None, true, &arguments)?;
        Ok(Some(format!("tip {}", tip.trim())))
    }

    fn tags(&self, prefix: &str) -> Result<TagList> {
        self.pull()?;
        let listed = self.run(false, &["tags", "-q"])?;
        let mut tags: Vec<RepositoryTag> = listed
            .lines()
            .filter(|name| *name != "tip" && name.starts_with(prefix))
            .map(|name| RepositoryTag {
                name: name.to_owned(),
                commit: String::new(),
            })
            .collect();
        tags.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(TagList {
            tags,
            origin: self.origin(),
        })
    }

    fn tags_of(&self, revision: &Revision) -> Result<Vec<String>> {
        let rev = format!("--rev={}", revision.id);
        let said = self.run(
            false,
            &["log", "-l1", &rev, "--template", "{join(tags, '\\n')}"],
        )?;
        let mut tags: Vec<String> = said.lines().map(str::to_owned).collect();
        tags.retain(|tag| tag != "tip");
        tags.sort();
        Ok(tags)
    }

    fn stat(&self, revision: &str) -> Result<Revision, NotResolved> {
        self.revisions
            .get(revision.to_owned(), || self.find(revision))
    }

    fn latest(&self) -> Result<Revision, NotResolved> {
        self.stat("tip").map_err(|cause| match cause.error.kind() {
            Kind::NotFound => no_commits().into(),
            _ => cause,
        })
    }

    fn read_file(&self, revision: &str, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let revision = self.stat(revision).map_err(|cause| cause.error)?;
        let rev = format!("--rev={}", revision.id);
        // Also if there is no such file: the program answers alike.
        let said = self.run(false, &["cat", &rev, "--", path]).ok();
        let data = said.map(String::into_bytes);
        Ok(data.filter(|data| data.len() as u64 <= limit))
    }

    fn recent_tag(
        &self,
        revision: &Revision,
        prefix: &str,
        allowed: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Option<String>> {
        let rev = format!("--rev=ancestors({}) and tag()", revision.id);
        let said = self.run(false, &["log", &rev, "--template", "{tags}\n"])?;
        let mut highest: Option<&str> = None;
        for tag in said.split_whitespace() {
            let Some(version) = tag.strip_prefix(prefix).filter(|_| allowed(tag)) else {
                continue;
            };
            let known = highest
                .and_then(|tag| tag.strip_prefix(prefix))
                .unwrap_or_default();
            if compare(version, known).is_gt() {
                highest = Some(tag);
            }
        }
        Ok(highest.map(str::to_owned))
    }

    fn descends_from(&self, revision: &Revision, tag: &str) -> Result<bool> {
        if tag.contains(['\'', '\\']) {
            return Ok(false);
        }
        let rev = format!("--rev=ancestors({}) and tag('literal:{tag}')", revision.id);
        let said = self.run(false, &["log", &rev, "--template", "{node}"])?;
        Ok(!said.trim().is_empty())
    }

    fn tree(&self, revision: &str, subdir: &str) -> Result<Box<dyn RepositoryTree + '_>> {
        let revision = self.stat(revision).map_err(|cause| cause.error)?;
        let archive = TempFile::beside(self.clone.path())?;
        let target = archive.path().display().to_string();
        let rev = format!("--rev={}", revision.id);
        let include = format!("--include={subdir}/**");
        let mut arguments = vec![
            "archive",
            "-t",
            "zip",
            "--no-decode",
            &rev,
            "--prefix=prefix/",
        ];
        if !subdir.is_empty() {
            arguments.push(&include);
        }
        arguments.extend(["--", &target]);
        self.run(false, &arguments)?;
        Ok(Box::new(ArchiveTree::open(archive, subdir)?))
    }
}
