//! Writing go.sum: when `go` would, what `go` would, and whole.
//!
//! Both locks of `go` are held: `cache/lock` (best effort, the cache may be read-only) and the
//! go.sum file itself. Lines that others added meanwhile are kept. The new file replaces the old
//! by a rename, so that no reader and no crash sees half of it; where the directory cannot take
//! a new file (a go.sum that is mounted by itself, say) it is edited in place, as `go` does.

use std::fs;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::policy::{Line, State, Status, SumPolicy};
use crate::cache::{Cache, FileLock, TempFile};
use crate::error::{Error, Result};
use crate::modfile::GoSum;

impl SumPolicy {
    /// Adds the sums this run accepted to go.sum, if `keep(path, version key)` says that the
    /// build list needs them. Returns whether the file was written.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], naming the file; [`crate::Kind::Input`] if it became malformed
    /// meanwhile.
    pub fn save(&self, cache: &Cache, keep: impl Fn(&str, &str) -> bool) -> Result<bool> {
        let Some(file) = self.file() else {
            return Ok(false);
        };
        let state = self.state();
        let wanted =
            |line: &Line, status: &Status| status.new && (!status.used || keep(&line.0, &line.1));
        if !state
            .status
            .iter()
            .any(|(line, status)| wanted(line, status))
        {
            return Ok(false);
        }
        let _side_lock = cache.side_lock().ok();
        let updating = |error: Error| error.context("updating go.sum");
        rewrite(
            file,
            |now| Ok(updated(&state, file, now, &keep)?.to_bytes()),
        )
        .map_err(updating)?;
        Ok(true)
    }
}

/// The content go.sum shall have: what is in it now, and what this run checked and must keep.
fn updated(
    state: &State,
    file: &Path,
    now: &[u8],
    keep: &impl Fn(&str, &str) -> bool,
) -> Result<GoSum> {
    let mut sums = GoSum::parse(&file.display().to_string(), now)?;
    for ((path, key, hash), status) in &state.status {
        if status.used && (!status.new || keep(path, key)) {
            sums.insert(path, key, hash);
        }
    }
    Ok(sums)
}

fn rewrite(file: &Path, change: impl Fn(&[u8]) -> Result<Vec<u8>>) -> Result<()> {
    // Through a symbolic link, the file it names is replaced, not the link.
    let target: PathBuf = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut lock = FileLock::acquire(&target)?;
    let fail = |verb| {
        let target = &target;
        move |cause: io::Error| Error::io(verb, target, cause)
    };
    let mut before = Vec::new();
    lock.file()
        .read_to_end(&mut before)
        .map_err(fail("cannot read"))?;
    let after = change(&before)?;
    if after == before {
        return Ok(());
    }
    match replace(&target, &after) {
        Ok(()) => Ok(()),
        Err(_) => overwrite(lock.file(), &after).map_err(fail("cannot write")),
    }
}

fn replace(target: &Path, data: &[u8]) -> Result<()> {
    let permissions = fs::metadata(target).map(|found| found.permissions());
    let mut temp = TempFile::beside(target)?;
    let prepare = |temp: &mut TempFile| -> io::Result<()> {
        temp.write_all(data)?;
        fs::set_permissions(temp.path(), permissions?)
    };
    prepare(&mut temp).map_err(|cause| Error::io("cannot write", temp.path(), cause))?;
    temp.commit(target)
}

fn overwrite(file: &mut fs::File, data: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(data)?;
    file.set_len(data.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::{H1, ModuleVersion, PrefixPatterns};
    use crate::trust::{Database, Part, SumSettings};
    use std::os::unix::fs::PermissionsExt;

    fn setup(go_sum: Option<&str>) -> (tempfile::TempDir, PathBuf, SumPolicy, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("go.sum");
        if let Some(text) = go_sum {
            fs::write(&file, text).unwrap();
        }
        let settings = SumSettings {
            database: Database::Off,
            exempt: PrefixPatterns::default(),
            locked: false,
        };
        let policy = SumPolicy::with_file(&file, settings).unwrap();
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
        policy.check(&module("b.com/b"), Part::GoMod, &h1).unwrap();
        policy.check(&module("c.com/c"), Part::GoMod, &h1).unwrap();
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
    fn lines_that_others_added_and_the_mode_survive() {
        let (dir, file, policy, cache) = setup(Some(""));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let h1 = H1::of_go_mod(b"x");
        policy.check(&module("b.com/b"), Part::Zip, &h1).unwrap();
        fs::write(&file, format!("z.com/z v1.0.0 {h1}\na.com/a v1.0.0 {h1}\n")).unwrap();
        assert!(policy.save(&cache, |_, _| true).unwrap());
        let want = format!("a.com/a v1.0.0 {h1}\nb.com/b v1.0.0 {h1}\nz.com/z v1.0.0 {h1}\n");
        assert_eq!(fs::read_to_string(&file).unwrap(), want);
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o640
        );
        let names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(
            names.len(),
            2,
            "go.sum and the cache, no temporary: {names:?}"
        );
    }

    #[test]
    fn a_link_to_go_sum_stays_a_link() {
        let (dir, file, policy, cache) = setup(Some(""));
        let real = dir.path().join("real.sum");
        fs::rename(&file, &real).unwrap();
        std::os::unix::fs::symlink(&real, &file).unwrap();
        policy
            .check(&module("b.com/b"), Part::Zip, &H1::of_go_mod(b"x"))
            .unwrap();
        assert!(policy.save(&cache, |_, _| true).unwrap());
        assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
        assert!(
            fs::read_to_string(&real)
                .unwrap()
                .starts_with("b.com/b v1.0.0 h1:")
        );
    }
}
