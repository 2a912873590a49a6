//! Subversion repositories, by the program svn.
//!
//! There is no clone: each question goes to the server. Tags are folders and not names of
//! revisions, so that go knows no tagged version; every version is a pseudo-version with the
//! number of a revision.
//!
//! Source: golang/go `cmd/go/internal/modfetch/codehost/svn.go`, `vcs.go`.

use std::fs;
use std::sync::Arc;

use super::archive::FolderTree;
use super::clone::CloneDir;
use super::program::{ProgramInvocation, Programs};
use super::recent::Recent;
use super::repository::{
    NotResolved, Repository, RepositoryTree, Revision, TagList, unknown_revision, unsupported,
};
use crate::error::{Error, Kind, Reason, Result};
use crate::gomod::Time;
use crate::source::VcsOrigin;

/// A Subversion repository.
pub(super) struct SvnRepository {
    url: String,
    programs: Arc<Programs>,
    clone: CloneDir,
    revisions: Recent<String, Revision, NotResolved>,
}

impl SvnRepository {
    pub(super) fn new(url: &str, programs: Arc<Programs>) -> SvnRepository {
        let settings = &programs.settings;
        let clone = CloneDir::new(&settings.clones, "vcs1.svn", url, settings.locks.clone());
        SvnRepository {
            url: url.to_owned(),
            clone,
            programs,
            revisions: Recent::default(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let ran = self.programs.run(&ProgramInvocation {
            program: "svn",
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            hidden: 0,
            dir: None,
            environment: vec![("LC_ALL".to_owned(), "C.UTF-8".to_owned())],
            removed: &[],
            network: true,
            held: None,
            package: "subversion",
        })?;
        Ok(ran.stdout)
    }

    fn origin(&self, reference: &str) -> VcsOrigin {
        VcsOrigin {
            vcs: "svn".to_owned(),
            url: self.url.clone(),
            reference: reference.to_owned(),
            ..VcsOrigin::default()
        }
    }

    fn find(&self, revision: &str) -> Result<Revision, NotResolved> {
        let is_word = revision.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if revision.is_empty() || !is_word {
            return Err(unknown_revision(revision).into());
        }
        let target = match revision {
            "latest" => self.url.clone(),
            // What a pseudo-version has: the number with zeros before it.
            revision => format!("{}@{revision}", self.url),
        };
        let said = self.run(&["log", "--non-interactive", "-l1", "--xml", "--", &target]);
        let said = match said {
            Ok(said) => String::from_utf8_lossy(&said).into_owned(),
            Err(error) if matches!(error.kind(), Kind::Auth) || error.is_transient() => {
                return Err(error.into());
            }
            Err(error) if error.reason() == Some(Reason::ProgramMissing) => {
                return Err(error.into());
            }
            Err(_) => return Err(unknown_revision(revision).into()),
        };
        let number = between(&said, "revision=\"", "\"").and_then(|text| text.parse::<u64>().ok());
        let time = between(&said, "<date>", "</date>").and_then(Time::parse);
        let (Some(number), Some(time)) = (number, time) else {
            let text = format!("unexpected response from svn log --xml: {said:?}");
            return Err(Error::new(Kind::Other, text).into());
        };
        Ok(Revision {
            id: number.to_string(),
            short: format!("{number:012}"),
            version: revision.to_owned(),
            time,
            origin: self.origin(revision),
        })
    }
}

/// What stands between two texts.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

impl Repository for SvnRepository {
    fn check_reuse(&self, _: &VcsOrigin, _: &str) -> Result<()> {
        Err(unsupported("svn", "CheckReuse"))
    }

    fn reach(&self) -> Result<Option<String>> {
        let newest = self.stat("latest").map_err(|cause| cause.error)?;
        Ok(Some(format!("revision {}", newest.id)))
    }

    fn tags(&self, _: &str) -> Result<TagList> {
        // Whether there is a repository at all is found out here.
        self.stat("latest").map_err(|cause| cause.error)?;
        Ok(TagList {
            tags: Vec::new(),
            origin: self.origin(""),
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
        self.stat("latest")
    }

    fn read_file(&self, revision: &str, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let revision = self.stat(revision).map_err(|cause| cause.error)?;
        let target = format!("{}/{path}@{}", self.url, revision.id);
        // Also if there is no such file: the program answers alike.
        let data = self.run(&["cat", "--non-interactive", "--", &target]).ok();
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
        Err(unsupported("svn", "DescendsFrom"))
    }

    fn tree(&self, revision: &str, subdir: &str) -> Result<Box<dyn RepositoryTree + '_>> {
        let revision = self.stat(revision).map_err(|cause| cause.error)?;
        let below = match subdir {
            "" => String::new(),
            subdir => format!("/{subdir}"),
        };
        let target = format!("{}{below}", self.url);
        let id = revision.id.as_str();
        let listed = self.run(&[
            "list",
            "--non-interactive",
            "--xml",
            "--incremental",
            "--recursive",
            "--revision",
            id,
            "--",
            &target,
        ])?;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let folder = self.clone.path().join("export");
        let _lock = self.clone.lock()?;
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|cause| Error::io("cannot remove", &folder, cause))?;
        }
        let shown = folder.display().to_string();
        // Nothing of the machine has a say in the content.
        self.run(&[
            "export",
            "--non-interactive",
            "--quiet",
            "--native-eol",
            "LF",
            "--ignore-externals",
            "--ignore-keywords",
            "--revision",
            id,
            "--",
            &target,
            &shown,
        ])?;
        let mine = self
            .clone
            .path()
            .join(format!("export-{id}-{}", std::process::id()));
        fs::rename(&folder, &mine).map_err(|cause| Error::io("cannot rename", &folder, cause))?;
        let mut names = Vec::new();
        for entry in listed.split("<entry").skip(1) {
            if between(entry, "kind=\"", "\"") != Some("file") {
                continue;
            }
            let name = between(entry, "<name>", "</name>")
                .map(unescape)
                .unwrap_or_default();
            let size: Option<u64> =
                between(entry, "<size>", "</size>").and_then(|text| text.parse().ok());
            let there = fs::symlink_metadata(mine.join(&name));
            let exported = match there {
                Ok(there) if there.is_symlink() => {
                    fs::metadata(mine.join(&name)).map_or(0, |target| target.len())
                }
                Ok(there) => there.len(),
                Err(_) => {
                    let text = format!(
                        "file reported by 'svn list', but not written by 'svn export': {name}"
                    );
                    return Err(Error::new(Kind::Other, text));
                }
            };
            if size != Some(exported) {
                let listed = size.unwrap_or(0);
                let text = format!(
                    "file size differs between 'svn list' and 'svn export': file {name} listed as \
                     {listed} bytes, but exported as {exported} bytes"
                );
                return Err(Error::new(Kind::Other, text));
            }
            names.push(name);
        }
        Ok(Box::new(FolderTree::new(mine, names)))
    }
}

/// The five characters that XML writes in another way.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}
