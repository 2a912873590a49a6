//! GOMODCACHE: whether it can be read, written and locked, and what was left in it.

use std::fs::{self, Metadata};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::check::Check;
use crate::cache::{Cache, Survey};
use crate::error::{Error, Kind, Result};
use crate::fsio::{FileLock, TempFile};
use crate::report::human;
use crate::system;

/// The longest time for counting files.
const SURVEY_TIME: Duration = Duration::from_secs(10);

/// The largest module zip that go takes, and twice that for its unpacked files.
const ROOMY_BYTES: u64 = 3 * (500 << 20);

/// Less than this does not hold the modules of a small project.
const FULL_BYTES: u64 = 50 << 20;

/// Looks at the cache; leaves nothing in it.
pub(super) fn checks(root: &Path, offline: bool) -> Vec<Check> {
    const REST: [&str; 7] = [
        "owner",
        "writable",
        "locks",
        "space",
        "hashes",
        "partial",
        "leftovers",
    ];
    let cache = match Cache::at(root) {
        Ok(cache) => cache,
        Err(error) => {
            let mut checks = vec![Check::error("directory", &error)];
            checks.extend(REST.map(|name| Check::skipped(name, "not reached")));
            return checks;
        }
    };
    let Ok(found) = fs::metadata(root) else {
        return absent(root, offline);
    };
    let survey = cache.survey(Instant::now() + SURVEY_TIME);
    let (writable, locks) = written(root, offline);
    vec![
        directory(&survey),
        owner(&found, system::user()),
        writable,
        locks,
        space(root),
        hashes(&survey),
        partial(&survey),
        leftovers(&survey),
    ]
}

/// A cache that the first download makes.
fn absent(root: &Path, offline: bool) -> Vec<Check> {
    let parent = root.ancestors().find(|dir| dir.exists());
    let parent = parent.unwrap_or(Path::new("/"));
    let shown = parent.display();
    let writable = match system::check_writable(parent) {
        Ok(()) => Check::ok("writable", format!("{shown} is")),
        Err(cause) => {
            let error = Error::io("cannot write to", parent, cause);
            unwritable(&error, offline)
        }
    };
    let empty = |name| Check::skipped(name, "there is no cache yet");
    vec![
        Check::ok(
            "directory",
            "does not exist yet; the first download makes it",
        ),
        empty("owner"),
        writable,
        empty("locks"),
        space(parent),
        empty("hashes"),
        empty("partial"),
        empty("leftovers"),
    ]
}

fn directory(survey: &Survey) -> Check {
    let complete = survey.complete;
    let seen = match survey.cut_short {
        true => format!("{complete} modules and more: not all was looked at"),
        false => format!("{complete} modules"),
    };
    match &survey.unreadable {
        Some(reason) => Check::failed("directory", format!("cannot read {reason}"))
            .next("make it readable for this user, or name another GOMODCACHE"),
        None => Check::ok("directory", seen),
    }
}

fn owner(found: &Metadata, us: u32) -> Check {
    let Some((owner, mode)) = system::owner(found) else {
        return Check::skipped("owner", "not known on this system");
    };
    let seen = format!("user {owner}, mode {mode:04o}; this is user {us}");
    if owner == us {
        return Check::ok("owner", seen);
    }
    Check::warning("owner", seen)
        .next("files of two users in one cache shut each other out: let one user fill it")
}

fn unwritable(error: &Error, offline: bool) -> Check {
    if offline {
        return Check::ok(
            "writable",
            format!("no, and offline nothing is written: {}", error.chain()),
        );
    }
    let mut check = Check::error("writable", error);
    check.next.push(
        "what is complete can be used all the same; for the rest make it writable for this user, \
         or name another GOMODCACHE"
            .to_owned(),
    );
    check
}

/// Writes a page into a temporary and locks it; it is removed again.
fn written(root: &Path, offline: bool) -> (Check, Check) {
    let temp = TempFile::beside(&root.join("doctor")).and_then(|mut temp| {
        let path = temp.path().to_owned();
        temp.write_all(&[0; 4096])
            .map_err(|cause| Error::io("cannot write", &path, cause))?;
        Ok(temp)
    });
    match temp {
        Ok(temp) => (Check::ok("writable", "yes"), locks(temp.path())),
        Err(error) => (
            unwritable(&error, offline),
            Check::skipped("locks", "nothing can be written"),
        ),
    }
}

fn locks(path: &Path) -> Check {
    let twice = || -> Result<bool> {
        let held = FileLock::try_acquire(path)?;
        let again = FileLock::try_acquire(path)?;
        Ok(held.is_some() && again.is_none())
    };
    match twice() {
        Ok(true) => Check::ok("locks", "work"),
        Ok(false) => Check::failed("locks", "two owners got one lock").next(
            "put GOMODCACHE on a file system with locks, or let one process at a time use it",
        ),
        Err(error) => {
            let check = Check::error("locks", &error);
            check.next("put GOMODCACHE on a file system with locks: a local one has them")
        }
    }
}

fn space(path: &Path) -> Check {
    match system::space_left(path) {
        Ok(left) => room(left.bytes, left.files),
        Err(cause) if cause.kind() == io::ErrorKind::Unsupported => {
            Check::skipped("space", "not known on this system")
        }
        Err(cause) => {
            let error = Error::new(Kind::LocalIo, format!("cannot ask for {}", path.display()));
            Check::error("space", &error.because(cause))
        }
    }
}

fn room(left: u64, files: Option<u64>) -> Check {
    let seen = format!("{} left", human(left));
    let step = "make room, or put GOMODCACHE on another file system";
    match files {
        Some(0) => Check::failed("space", format!("{seen}, but not for one more file")).next(step),
        _ if left < FULL_BYTES => Check::failed("space", seen).next(step),
        _ if left < ROOMY_BYTES => Check::warning("space", seen).next(step),
        _ => Check::ok("space", seen),
    }
}

fn hashes(survey: &Survey) -> Check {
    match survey.unhashed {
        0 => Check::ok("hashes", "every zip has its ziphash"),
        count => Check::warning("hashes", format!("{count} zips without a valid ziphash"))
            .next("modfetch download makes those that go.mod needs again"),
    }
}

fn partial(survey: &Survey) -> Check {
    match &survey.partial_example {
        None => Check::ok("partial", "no directory is half unpacked"),
        Some(mark) => {
            let (count, mark) = (survey.partial, mark.display());
            let seen = format!("{count} directories are marked as half unpacked, such as {mark}");
            Check::warning("partial", seen).next(
                "unless a download is running: modfetch download unpacks those that go.mod needs \
                 again",
            )
        }
    }
}

fn leftovers(survey: &Survey) -> Check {
    let parts = match survey.parts {
        0 => String::new(),
        count => format!(
            "; of {count} cut zips {} are kept to go on from",
            human(survey.parts_bytes)
        ),
    };
    match &survey.abandoned_example {
        None => Check::ok("leftovers", format!("no temporaries{parts}")),
        Some(example) => {
            let (count, bytes) = (survey.abandoned, human(survey.abandoned_bytes));
            let example = example.display();
            let seen = format!(
                "{count} temporaries of killed processes, {bytes}, such as {example}{parts}"
            );
            Check::warning("leftovers", seen)
                .next("no process needs them: remove the *.tmp files below cache/download")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::CheckStatus;
    use super::*;

    fn statuses(checks: &[Check]) -> Vec<(&'static str, CheckStatus)> {
        let pairs = checks.iter().map(|check| (check.name, check.status));
        pairs.collect()
    }

    #[test]
    fn a_look_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("mod");
        let absent = checks(&root, false);
        assert!(!root.exists());
        assert!(
            absent
                .iter()
                .all(|check| check.status <= CheckStatus::Skipped || check.name == "space")
        );
        fs::create_dir(&root).unwrap();
        let present = checks(&root, false);
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
        let names = |checks: &[Check]| checks.iter().map(|check| check.name).collect::<Vec<_>>();
        assert_eq!(names(&absent), names(&present));
        let of = |name| present.iter().find(|check| check.name == name).unwrap();
        for name in [
            "directory",
            "owner",
            "writable",
            "locks",
            "hashes",
            "partial",
        ] {
            assert_eq!(of(name).status, CheckStatus::Ok, "{:?}", of(name));
        }
        fs::remove_dir(&root).unwrap();
        fs::write(&root, "").unwrap();
        let wrong = checks(&root, false);
        assert_eq!(names(&wrong), names(&present));
        assert_eq!(statuses(&wrong)[0], ("directory", CheckStatus::Failed));
    }

    #[test]
    fn room_and_owners_are_judged() {
        let rows = [
            (10 << 30, Some(5), CheckStatus::Ok),
            (10 << 30, None, CheckStatus::Ok),
            (1 << 30, Some(5), CheckStatus::Warning),
            (1 << 20, Some(5), CheckStatus::Failed),
            (10 << 30, Some(0), CheckStatus::Failed),
        ];
        for (left, files, want) in rows {
            assert_eq!(room(left, files).status, want, "{left} {files:?}");
        }
        let dir = tempfile::tempdir().unwrap();
        let found = fs::metadata(dir.path()).unwrap();
        let (user, _) = system::owner(&found).unwrap();
        assert_eq!(owner(&found, user).status, CheckStatus::Ok);
        assert_eq!(owner(&found, user + 1).status, CheckStatus::Warning);
        let refused = Error::new(Kind::LocalIo, "no");
        assert_eq!(unwritable(&refused, true).status, CheckStatus::Ok);
        assert_eq!(unwritable(&refused, false).status, CheckStatus::Failed);
    }
}
