//! Writing go.sum: when `go` would, what `go` would, and as `go` does it.
//!
//! Both locks of `go` are held: `cache/lock` (best effort, the cache may be read-only) and the
//! go.sum file itself, which is edited in place ([`rewrite`]).
//!
//! New lines are first appended to the old text; then everything is put in order by one write of
//! the same length. A run that is killed leaves the old text, all lines out of order, or all in
//! order: each is a go.sum that both programs read. (`go` writes the tail of the new text first:
//! killed then, it leaves a line that is cut in two.)

use std::collections::HashSet;
use std::path::Path;

use super::policy::{PolicyState, SumPolicy};
use crate::cache::Cache;
use crate::error::{Error, Kind, Result};
use crate::fsio::{NewText, rewrite};
use crate::gomod::modfile::GoSum;

impl SumPolicy {
    /// True if this run accepted a sum that go.sum does not have: only then is there anything
    /// for [`SumPolicy::save`] to look at.
    #[must_use]
    pub fn has_new(&self) -> bool {
        self.file().is_some() && self.state().used().any(|(.., status)| status.new)
    }

    /// That go.sum has another hash of something that this run has met, the first in path order.
    #[must_use]
    pub fn contradiction(&self) -> Option<Error> {
        self.state().contradictions.values().next().cloned()
    }

    /// Adds the sums this run accepted to go.sum, if `keep(path, version key)` says that the
    /// build list needs them. Returns whether the file was written.
    ///
    /// # Errors
    /// [`Kind::LocalIo`] or [`Kind::LockTimeout`], naming the file; [`Kind::Input`] if it became
    /// malformed meanwhile;
    /// [`Kind::Differs`] if another file stands in for it.
    pub fn save(&self, cache: &Cache, keep: impl Fn(&str, &str) -> bool) -> Result<bool> {
        let Some(file) = self.file() else {
            return Ok(false);
        };
        let state = self.state();
        if !state
            .used()
            .any(|(path, key, _, status)| status.new && keep(path, key))
        {
            return Ok(false);
        }
        if self.is_overlaid() {
            let text = "updates to go.sum needed, but go.sum is part of the overlay specified with \
                        -overlay";
            return Err(Error::new(Kind::Differs, text));
        }
        let updating = |error: Error| error.context("updating go.sum");
        let _side_lock = match cache.side_lock() {
            Err(error) if error.kind() == Kind::LockTimeout => return Err(updating(error)),
            lock => lock.ok(),
        };
        let steps = ["sum-appended", "sum-ordered"];
        rewrite(cache.locks(), file, steps, |now| {
            let sums = updated(&state, file, now, &keep)?;
            if !self.has_others() {
                return Ok(Some(in_order(now, sums.to_bytes())));
            }
            // As go: what another file of the workspace has is in no need of being here.
            let needed = |path: &str, key: &str| !self.others_have(path, key);
            Ok(Some(in_order(now, sums.filtered(needed).to_bytes())))
        })
        .map_err(updating)?;
        Ok(true)
    }
}

/// The content go.sum shall have: what is in it now, and what this run checked and must keep.
fn updated(
    state: &PolicyState,
    file: &Path,
    now: &[u8],
    keep: &impl Fn(&str, &str) -> bool,
) -> Result<GoSum> {
    let mut sums = GoSum::parse(&file.display().to_string(), now)?;
    for (path, key, hash, status) in state.used() {
        if !status.new || keep(path, key) {
            sums.insert(path, key, hash);
        }
    }
    Ok(sums)
}

/// `after`, which has all lines of `before`: what is new in it is appended, then all is put in order.
fn in_order(before: &[u8], after: Vec<u8>) -> NewText {
    let lines = |text: &[u8]| -> Vec<Vec<u8>> {
        let lines = text.split_inclusive(|&byte| byte == b'\n');
        lines.map(<[u8]>::to_vec).collect()
    };
    let old: HashSet<Vec<u8>> = lines(before).into_iter().collect();
    let mut lead = Vec::new();
    if !before.is_empty() && !before.ends_with(b"\n") {
        lead.push(b'\n');
    }
    let new = lines(&after).into_iter();
    lead.extend(new.filter(|line| !old.contains(line)).flatten());
    NewText { lead, text: after }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overlay;
    use crate::fsio::FileLock;
    use crate::gomod::{H1, ModuleVersion, PrefixPatterns};
    use crate::system::{self, FileAt as _};
    use crate::trust::{Database, SumPart, SumSettings};
    use std::fs;
    use std::path::PathBuf;

    /// What one go.sum says, without the others.
    fn policy(go_sum: &Path) -> SumPolicy {
        let settings = SumSettings {
            accepted: Vec::new(),
            database: Database::Off,
            exempt: PrefixPatterns::default(),
            locked: false,
        };
        SumPolicy::with_file(go_sum, settings).unwrap()
    }

    fn setup(go_sum: Option<&str>) -> (tempfile::TempDir, PathBuf, SumPolicy, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("go.sum");
        if let Some(text) = go_sum {
            fs::write(&file, text).unwrap();
        }
        let policy = policy(&file);
        let cache = Cache::at(&dir.path().join("cache")).unwrap();
        (dir, file, policy, cache)
    }

    fn module(path: &str) -> ModuleVersion {
        ModuleVersion::parse(path, "v1.0.0").unwrap()
    }

    #[test]
    fn only_what_is_new_and_kept_is_written_and_nothing_new_writes_nothing() {
        let (_dir, file, policy, cache) = setup(None);
        assert!(!policy.save(&cache, |_, _| true).unwrap());
        assert!(!file.exists());
        let h1 = H1::of_go_mod(b"x");
        policy
            .check(&module("b.com/b"), SumPart::GoMod, &h1)
            .unwrap();
        policy
            .check(&module("c.com/c"), SumPart::GoMod, &h1)
            .unwrap();
        assert!(!policy.save(&cache, |_, _| false).unwrap());
        assert!(!file.exists());
        assert!(
            policy
                .save(&cache, |path, key| path == "b.com/b"
                    && key == "v1.0.0/go.mod")
                .unwrap()
        );
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            format!("b.com/b v1.0.0/go.mod {h1}\n")
        );
    }

    #[test]
    fn whoever_waits_for_go_sum_finds_what_the_others_added_in_the_same_file() {
        let (dir, file, _, _) = setup(Some(""));
        system::set_mode(&file, 0o640).unwrap();
        let identity = |file: &Path| {
            let found = fs::metadata(file).unwrap();
            (system::inode(&found), system::mode(&found.permissions()))
        };
        let before = identity(&file);
        let h1 = H1::of_go_mod(b"x");
        // Caches of their own, so that go.sum's own lock is the only one in common.
        let save = |path: &'static str| {
            let policy = policy(&file);
            policy
                .check(&module(path), SumPart::Zip, &H1::of_go_mod(b"x"))
                .unwrap();
            let cache = Cache::at(&dir.path().join(path)).unwrap();
            move || policy.save(&cache, |_, _| true).unwrap()
        };
        let mut held = FileLock::acquire(&file).unwrap();
        let saves = ["b.com/b", "c.com/c", "d.com/d"].map(save);
        std::thread::scope(|scope| {
            for save in saves {
                scope.spawn(save);
            }
            let line = format!("z.com/z v1.0.0 {h1}\na.com/a v1.0.0 {h1}\n");
            held.file().write_all_at(line.as_bytes(), 0).unwrap();
            drop(held);
        });
        let want = ["a.com/a", "b.com/b", "c.com/c", "d.com/d", "z.com/z"];
        let want: String = want
            .iter()
            .map(|path| format!("{path} v1.0.0 {h1}\n"))
            .collect();
        assert_eq!(fs::read_to_string(&file).unwrap(), want);
        assert_eq!(identity(&file), before);
    }

    #[test]
    fn what_is_new_is_appended_before_all_is_put_in_order() {
        for (before, after, lead) in [
            ("old\n", "new\nold\nolder\n", "new\nolder\n"),
            ("", "a\n", "a\n"),
            ("b", "a\nb\n", "\na\nb\n"),
            ("\n\nb\nb\n   \n", "a\nb\n", "a\n"),
            ("c\nb\n", "b\nc\n", ""),
        ] {
            let want = NewText {
                lead: lead.into(),
                text: after.into(),
            };
            assert_eq!(
                in_order(before.as_bytes(), after.into()),
                want,
                "{before:?}"
            );
        }
    }

    #[test]
    fn a_link_to_go_sum_stays_a_link() {
        let (dir, file, policy, cache) = setup(Some(""));
        let real = dir.path().join("real.sum");
        fs::rename(&file, &real).unwrap();
        system::symlink(&real, &file).unwrap();
        policy
            .check(&module("b.com/b"), SumPart::Zip, &H1::of_go_mod(b"x"))
            .unwrap();
        assert!(policy.save(&cache, |_, _| true).unwrap());
        assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
        assert!(
            fs::read_to_string(&real)
                .unwrap()
                .starts_with("b.com/b v1.0.0 h1:")
        );
    }

    #[test]
    fn what_a_file_beside_it_has_is_not_written() {
        let (dir, file, _, cache) = setup(None);
        let h1 = H1::of_go_mod(b"x");
        let line = |path: &str| format!("{path} v1.0.0 {h1}\n");
        let other = dir.path().join("other.sum");
        fs::write(&other, line("a.com/a")).unwrap();
        fs::write(&file, line("a.com/a") + &line("c.com/c")).unwrap();
        let settings = SumSettings {
            accepted: Vec::new(),
            database: Database::Off,
            exempt: PrefixPatterns::default(),
            locked: false,
        };
        let policy = SumPolicy::with_files(&file, &[other], &Overlay::default(), settings).unwrap();
        policy.check(&module("a.com/a"), SumPart::Zip, &h1).unwrap();
        assert!(!policy.save(&cache, |_, _| true).unwrap());
        policy.check(&module("b.com/b"), SumPart::Zip, &h1).unwrap();
        assert!(policy.save(&cache, |_, _| true).unwrap());
        let written = fs::read_to_string(&file).unwrap();
        assert_eq!(written, line("b.com/b") + &line("c.com/c"));
    }
}
