//! The `GOENV` file: its syntax, how it is read, and how `env -w` and `env -u` edit it.
//!
//! A line counts if it starts with an ASCII capital and has `=`; everything after the first `=`
//! is the value, unquoted, blanks included. Other lines are kept and ignored. The last line of
//! a name decides.
//!
//! Source: go `cmd/go/internal/cfg/cfg.go` `readEnvFile`, `cmd/go/internal/envcmd/env.go`
//! `updateEnvFile`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Reads the variables of a file's text; bytes that are not UTF-8 become replacement characters.
#[must_use]
pub(super) fn parse(data: &[u8]) -> BTreeMap<String, String> {
    String::from_utf8_lossy(data)
        .split('\n')
        .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The name a line sets, or `None` for comments, blank lines and whatever else has no name.
///
/// Looser than [`parse`] about the first character, as it is in go.
fn line_name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    (!name.is_empty() && !name.contains('#')).then_some(name)
}

/// Returns the file's text after variables were set and removed.
///
/// A variable keeps its (last) line, a new one goes to the end, and then every run of
/// consecutive `NAME=value` lines is sorted by name. Comments and blank lines stay where they
/// are and separate the runs; so does the place of a removed line.
#[must_use]
pub fn edit(text: &str, set: &BTreeMap<String, String>, unset: &BTreeSet<String>) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if let Some(last) = lines.last_mut()
        && !last.ends_with('\n')
    {
        last.push('\n');
    }

    let mut last_line: HashMap<String, usize> = HashMap::new();
    let mut superseded = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if let Some(name) = line_name(line) {
            superseded.extend(last_line.insert(name.to_owned(), number));
        }
    }
    let mut replace = |number: usize, line: String| {
        if let Some(old) = lines.get_mut(number) {
            *old = line;
        }
    };
    for number in superseded {
        replace(number, String::new());
    }
    let mut added = Vec::new();
    for (name, value) in set {
        let line = format!("{name}={value}\n");
        match last_line.get(name) {
            Some(&number) => replace(number, line),
            None => added.push(line),
        }
    }
    for name in unset {
        if let Some(&number) = last_line.get(name) {
            replace(number, String::new());
        }
    }
    lines.extend(added);

    for run in lines.split_mut(|line| line_name(line).is_none()) {
        run.sort_by(|a, b| line_name(a).cmp(&line_name(b)));
    }
    lines.concat()
}

/// Reads the file for editing. A missing one is empty, unless it must exist.
///
/// # Errors
/// The file cannot be read, or is missing and must not be.
pub fn read(path: &Path, must_exist: bool) -> Result<String> {
    match fs::read(path) {
        Ok(data) => Ok(String::from_utf8_lossy(&data).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => Ok(String::new()),
        Err(error) => Err(Error::io("open", path, error).context("reading go env config")),
    }
}

/// Replaces the file in one step; parent directories are created.
///
/// A temporary file is renamed over the target, so that no reader sees half a file. A symbolic
/// link is followed first and stays a link, an existing file's permissions are kept. Where a
/// rename is impossible or would destroy something (the target is a device, or a single file
/// mounted into a container) the file is written in place, as go always does.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let refuse = |error| Error::io("open", path, error).context("writing go env config");
    let target = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(refuse(error)),
    };
    let existing = fs::metadata(&target).ok();
    if existing.as_ref().is_some_and(|found| !found.is_file()) {
        return fs::write(&target, text).map_err(refuse);
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(refuse)?;
    }
    let permissions = existing.as_ref().map(fs::Metadata::permissions);
    let renamed = create_temporary(&target).and_then(|(temporary, mut file)| {
        let done = file
            .write_all(text.as_bytes())
            .and_then(|()| permissions.map_or(Ok(()), |kept| file.set_permissions(kept)))
            .and_then(|()| fs::rename(&temporary, &target));
        if done.is_err() {
            // Nothing more can be done about a temporary that cannot be removed.
            let _ = fs::remove_file(&temporary);
        }
        done
    });
    match renamed {
        Ok(()) => Ok(()),
        Err(_) if existing.is_some() => fs::write(&target, text).map_err(refuse),
        Err(error) => Err(refuse(error)),
    }
}

/// Creates a file beside `target` that no other process has: `NAME<number>.tmp`.
fn create_temporary(target: &Path) -> io::Result<(PathBuf, File)> {
    let mut number = u64::from(std::process::id());
    loop {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!("{number}.tmp"));
        let path = target.with_file_name(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                number = number.wrapping_add(1);
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter()
            .map(|&(n, v)| (n.to_owned(), v.to_owned()))
            .collect()
    }

    fn names(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|&n| n.to_owned()).collect()
    }

    #[test]
    fn only_lines_with_a_name_count() {
        let text = b"# A=1\nGOPROXY=a=b, c \n lower=x\ngo=1\nGOFLAGS\n=x\nGOSUMDB=\nGOPROXY=last\r";
        assert_eq!(
            parse(text),
            pairs(&[("GOPROXY", "last\r"), ("GOSUMDB", "")])
        );
        assert_eq!(parse(b"GOX=\xff"), pairs(&[("GOX", "\u{fffd}")]));
    }

    #[test]
    fn edits_keep_comments_and_sort_runs() {
        // The same texts go through `go env -w` and `-u` in the comparison with go.
        type Row = (
            &'static str,
            &'static [(&'static str, &'static str)],
            &'static [&'static str],
            &'static str,
        );
        let table: &[Row] = &[
            ("", &[("GOPROXY", "off")], &[], "GOPROXY=off\n"),
            ("GOX=1", &[("GOA", "2")], &[], "GOA=2\nGOX=1\n"),
            (
                "# mine\nGOX=1\n\nGOB=1\n",
                &[("GOA", "2"), ("GOX", "3")],
                &[],
                "# mine\nGOX=3\n\nGOA=2\nGOB=1\n",
            ),
            ("GOX=1\nGOB=1\nGOX=2\n", &[], &["GOQ"], "GOB=1\nGOX=2\n"),
            ("GOB=1\nGOX=1\n", &[], &["GOB"], "GOX=1\n"),
            // The place of a removed line separates two runs.
            ("GOZ=1\nGOX=1\nGOA=1\n", &[], &["GOX"], "GOZ=1\nGOA=1\n"),
        ];
        for (text, set, unset, want) in table {
            assert_eq!(
                edit(text, &pairs(set), &names(unset)),
                *want,
                "{text:?} {set:?} {unset:?}"
            );
        }
    }

    #[test]
    fn a_write_replaces_the_file_and_leaves_no_temporary() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("a/b/env");
        write(&path, "GOA=1\n").expect("parents are created");
        write(&path, "GOA=2\n").expect("replaces");
        assert_eq!(read(&path, true).expect("reads"), "GOA=2\n");
        let left: Vec<_> = fs::read_dir(dir.path().join("a/b"))
            .expect("reads directory")
            .collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[cfg(unix)]
    #[test]
    fn links_devices_and_modes_survive_a_write() {
        use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
        let dir = tempfile::tempdir().expect("temporary directory");
        let real = dir.path().join("real");
        let link = dir.path().join("link");
        fs::write(&real, "GOA=1\n").expect("writes");
        fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).expect("chmod");
        std::os::unix::fs::symlink(&real, &link).expect("links");
        write(&link, "GOA=2\n").expect("follows the link");
        assert!(fs::symlink_metadata(&link).expect("stat").is_symlink());
        assert_eq!(fs::read_to_string(&real).expect("reads"), "GOA=2\n");
        let mode = fs::metadata(&real).expect("stat").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        write(Path::new("/dev/null"), "GOA=2\n").expect("written in place");
        let null = fs::metadata("/dev/null").expect("stat");
        assert!(null.file_type().is_char_device());
    }

    #[test]
    fn a_missing_file_is_empty_unless_it_must_exist() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("none");
        assert_eq!(read(&path, false).expect("empty"), "");
        let text = read(&path, true).expect_err("missing").chain();
        assert!(
            text.starts_with(&format!("reading go env config: open {}: ", path.display())),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn what_was_set_is_read_back(
            text in "([A-C#]{0,2}=?[a-c#=]{0,3}\n?){0,8}",
            name in "[A-C]{1,2}",
            value in "[a-z#= ]{0,4}",
        ) {
            let set = pairs(&[(&name, &value)]);
            let edited = edit(&text, &set, &BTreeSet::new());
            let read = parse(edited.as_bytes());
            prop_assert_eq!(read.get(&name), Some(&value));
            let removed = edit(&edited, &BTreeMap::new(), &names(&[&name]));
            prop_assert!(!parse(removed.as_bytes()).contains_key(&name));
        }
    }
}
