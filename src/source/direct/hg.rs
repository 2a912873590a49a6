//! Mercurial repositories, by the program hg.
//!
//! The clone in `cache/vcs` has all of the repository: `hg pull -f` brings it once a run, before the
//! first question that what is there cannot answer. What is asked of the clone runs without the
//! user's settings, so that no hook, alias or extension has a say; pulling needs them, for
//! credentials and proxies.
//!
//! Source: golang/go `cmd/go/internal/modfetch/codehost/vcs.go`.

use std::fs;
use std::sync::Arc;

use super::archive::ArchiveTree;
use super::clone::CloneDir;
use super::program::{Invocation, Programs};
use super::recent::Recent;
use super::repository::{
    NotResolved, Repository, RepositoryTag, Revision, TagList, Tree, no_commits, unknown_revision,
};
use crate::error::{Error, Kind, Result};
use crate::fsio::TempFile;
use crate::gomod::{Time, compare};
use crate::source::VcsOrigin;

/// A Mercurial repository.
pub(super) struct HgRepository {
    url: String,
    programs: Arc<Programs>,
    clone: CloneDir,
    pulled: Recent<(), (), Error>,
    branches: Recent<(), Vec<String>, Error>,
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
            revisions: Recent::default(),
        }
    }

    fn run(&self, network: bool, arguments: &[&str]) -> Result<String> {
        let mut environment = vec![
            ("HGPLAIN".to_owned(), "1".to_owned()),
            ("LC_ALL".to_owned(), "C.UTF-8".to_owned()),
        ];
        if !network {
            environment.push(("HGRCPATH".to_owned(), String::new()));
        }
        let ran = self.programs.run(&Invocation {
            program: "hg",
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            hidden: 0,
            dir: Some(self.clone.path()),
            environment,
            removed: &["HG", "HGPLAINEXCEPT"],
            network,
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
            let _lock = self.clone.lock()?;
            self.run(true, &["pull", "-f"]).map(drop)
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

    /// The sum of all branches and tags, by an extension that comes with go; empty without go.
    fn repo_sum(&self) -> String {
        let Some(goroot) = &self.programs.settings.goroot else {
            return String::new();
        };
        let extension = goroot.join("lib/hg/goreposum.py");
        if !extension.is_file() {
            return String::new();
        }
        let extension = format!("--config=extensions.goreposum={}", extension.display());
        let sum = self.run(false, &[&extension, "goreposum", "--", "."]);
        sum.map(|text| text.trim().to_owned()).unwrap_or_default()
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
        // It is an expression of a language of its own: names and hashes are enough.
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._/+-".contains(&byte);
        if revision.is_empty() || revision.starts_with('-') || !revision.bytes().all(is_name) {
            return Err(unknown_revision(revision).into());
        }
        self.prepare()?;
        let is_hash = revision.len() >= 12 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash && let Ok(found) = self.describe(revision) {
            return Ok(found);
        }
        self.pull()?;
        let mut found = self.describe(revision)?;
        if revision == "tip" || self.branches()?.iter().any(|branch| branch == revision) {
            // Where these lead to changes.
            found.version.clone_from(&found.id);
        }
        Ok(found)
    }
}

impl Repository for HgRepository {
    fn check_reuse(&self, old: &VcsOrigin, _: &str) -> Result<()> {
        self.pull()?;
        let now = self.repo_sum();
        if old.url != self.url || now.is_empty() || old.repo_sum != now {
            return Err(Error::new(Kind::Other, "repo changed"));
        }
        Ok(())
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
        // Also if there is no such file, which cannot be told apart.
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

    fn tree(&self, revision: &str, subdir: &str) -> Result<Box<dyn Tree + '_>> {
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
