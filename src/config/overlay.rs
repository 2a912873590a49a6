//! `-overlay`: files that stand in for others for one run.
//!
//! As in go, only go.mod, go.work and go.sum files are looked for here, and whether there is a
//! vendor directory and whose. Nothing of the module cache is, nor the files that settings name
//! (`-reuse`, `GOENV`, certificates).
//!
//! Source: golang/go `cmd/go/internal/fsys/fsys.go` (`initFromJSON`, `stat`, `Replaced`,
//! `DirContainsReplacement`).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Config;
use crate::error::{Error, Kind, Result, io_text};
use crate::fsio::{clean_path, read_whole};
use crate::gojson;
use crate::gomod::ActingVersion;

/// What stands in for which file; by default nothing.
///
/// Paths are absolute and clean. They sort by their elements, so that what is below a directory
/// comes right after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    files: BTreeMap<PathBuf, Option<PathBuf>>,
    /// The file that says so.
    json: Option<PathBuf>,
}

/// What a path is.
#[derive(Debug, PartialEq, Eq)]
enum Seen<'a> {
    /// Itself.
    Itself,
    /// Made to be missing.
    Deleted,
    /// Another file.
    Replaced(&'a Path),
    /// A directory, because something is put into it.
    Directory,
}

impl Overlay {
    /// Reads the file of the flag; relative names in it and its own are seen from `cwd`.
    ///
    /// # Errors
    /// In go's words: [`Kind::LocalIo`] if it cannot be read, [`Kind::Input`] if it makes no sense.
    pub(super) fn open(name: &str, cwd: &Path) -> Result<Overlay> {
        let data = fs::read(cwd.join(name)).map_err(|cause| {
            let act = match cause.kind() {
                io::ErrorKind::IsADirectory => "read",
                _ => "open",
            };
            let text = format!("reading overlay: {act} {name}: {}", io_text(&cause));
            Error::new(Kind::LocalIo, text)
        })?;
        let overlay = Overlay::parse(&data, cwd);
        let overlay = overlay.map_err(|text| Error::new(Kind::Input, text))?;
        Ok(Overlay {
            json: Some(cwd.join(name)),
            ..overlay
        })
    }

    /// The file that was read, if there was one.
    #[must_use]
    pub fn json(&self) -> Option<&Path> {
        self.json.as_deref()
    }

    fn parse(data: &[u8], cwd: &Path) -> std::result::Result<Overlay, String> {
        let named = replacements(data).map_err(|text| format!("parsing overlay JSON: {text}"))?;
        let clean = |path: &str| PathBuf::from(clean_path(&cwd.join(path).to_string_lossy()));
        let mut first: BTreeMap<PathBuf, &str> = BTreeMap::new();
        let mut overlay = Overlay::default();
        for (from, to) in &named {
            if from.is_empty() {
                return Err("empty string key in overlay map".to_owned());
            }
            if let Some(other) = first.insert(clean(from), from) {
                return Err(format!("duplicate paths {other} and {from} in overlay map"));
            }
            let to = (!to.is_empty()).then(|| clean(to));
            overlay.files.insert(clean(from), to);
        }
        for (from, _) in overlay.files.iter().filter(|(_, to)| to.is_some()) {
            let mut below = overlay.after(from);
            let file = below.find(|(_, to)| to.is_some());
            if let Some((file, _)) = file {
                let (from, file) = (from.display(), file.display());
                return Err(format!(
                    "inconsistent files {from} and {file} in overlay map"
                ));
            }
        }
        Ok(overlay)
    }

    /// What is said of files below a directory.
    fn after<'o>(
        &'o self,
        directory: &'o Path,
    ) -> impl Iterator<Item = (&'o PathBuf, &'o Option<PathBuf>)> {
        let after = (Bound::Excluded(directory), Bound::Unbounded);
        let after = self
            .files
            .range::<Path, (Bound<&Path>, Bound<&Path>)>(after);
        after.take_while(move |(path, _)| path.starts_with(directory))
    }

    /// What is last of all that sorts before a path.
    fn before(&self, path: &Path) -> Option<(&PathBuf, &Option<PathBuf>)> {
        let before = (Bound::Unbounded, Bound::Excluded(path));
        let before = self
            .files
            .range::<Path, (Bound<&Path>, Bound<&Path>)>(before);
        { before }.next_back()
    }

    fn see(&self, path: &Path) -> Seen<'_> {
        if self.files.is_empty() {
            return Seen::Itself;
        }
        let path = PathBuf::from(clean_path(&path.to_string_lossy()));
        match self.files.get(&path) {
            Some(Some(file)) => return Seen::Replaced(file),
            Some(None) => return Seen::Deleted,
            None => {}
        }
        if self.after(&path).next().is_some() {
            return Seen::Directory;
        }
        // As in go, the one before it in the list counts, and no other.
        match self.before(&path) {
            Some((before, _)) if path.starts_with(before) => Seen::Deleted,
            _ => Seen::Itself,
        }
    }

    /// True if a file is another one, or made to be missing.
    #[must_use]
    pub fn replaces(&self, file: &Path) -> bool {
        matches!(self.see(file), Seen::Deleted | Seen::Replaced(_))
    }

    /// Refuses a file that cannot be opened whatever is on disk; `shown` is its name.
    ///
    /// # Errors
    /// In go's words: it is made to be missing, or to be a directory.
    pub fn check_open(&self, file: &Path, shown: &str) -> Result<()> {
        let why = match self.see(file) {
            Seen::Deleted => "deleted in overlay",
            Seen::Directory => "cannot open directory in overlay",
            Seen::Itself | Seen::Replaced(_) => return Ok(()),
        };
        Err(Error::new(Kind::LocalIo, format!("Open {shown}: {why}")))
    }

    /// The name of what is read for a file, which is called `shown`; as in go it is empty for one
    /// that is made to be missing.
    #[must_use]
    pub fn name_of(&self, file: &Path, shown: &str) -> String {
        match self.see(file) {
            Seen::Replaced(other) => other.display().to_string(),
            Seen::Deleted => String::new(),
            Seen::Itself | Seen::Directory => shown.to_owned(),
        }
    }

    /// Reads what stands in for a file, or lets `itself` read the file.
    ///
    /// # Errors
    /// Those of reading a file; [`io::ErrorKind::NotFound`] if it is made to be missing.
    pub fn read(
        &self,
        file: &Path,
        itself: impl FnOnce(&Path) -> io::Result<Vec<u8>>,
    ) -> io::Result<Vec<u8>> {
        match self.see(file) {
            Seen::Replaced(other) => fs::read(other),
            // What the system says of a file without a name.
            Seen::Deleted => fs::read(""),
            Seen::Itself | Seen::Directory => itself(file),
        }
    }

    /// True if there is such a file, which is no directory.
    #[must_use]
    pub fn is_file(&self, file: &Path) -> bool {
        self.resolved(file).is_some()
    }

    /// The file that is read for another, if there is one: that one or what stands in for it.
    #[must_use]
    pub fn resolved<'f>(&'f self, file: &'f Path) -> Option<&'f Path> {
        let resolved = match self.see(file) {
            Seen::Replaced(other) => other,
            Seen::Deleted | Seen::Directory => return None,
            Seen::Itself => file,
        };
        let found = fs::metadata(resolved);
        found.is_ok_and(|found| !found.is_dir()).then_some(resolved)
    }

    /// True if there is such a directory.
    #[must_use]
    pub fn is_dir(&self, path: &Path) -> bool {
        match self.see(path) {
            Seen::Directory => true,
            Seen::Deleted | Seen::Replaced(_) => false,
            Seen::Itself => path.is_dir(),
        }
    }

    /// What is said of a directory, of what is below it or of one that it is in: the first of them.
    #[must_use]
    pub fn touches<'o>(&'o self, directory: &'o Path) -> Option<&'o Path> {
        let below = || self.after(directory).next();
        let above = || self.before(directory);
        let (path, _) = self
            .files
            .get_key_value(directory)
            .or_else(below)
            .or_else(|| above().filter(|(path, _)| directory.starts_with(path)))?;
        Some(path)
    }
}

/// The map in the file, as Go's `encoding/json` would read it: of the same key the last counts,
/// and the first value of a wrong type is reported.
fn replacements(data: &[u8]) -> std::result::Result<BTreeMap<String, String>, String> {
    let refused =
        |kind: &str, target: &str| format!("json: cannot unmarshal {kind} into Go {target}");
    let value = gojson::check(data)?;
    let mut all = BTreeMap::new();
    let members = match gojson::kind(value) {
        "object" => gojson::members(value)?,
        "null" => return Ok(all),
        kind => return Err(refused(kind, "value of type fsys.overlayJSON")),
    };
    let mut first = Ok(());
    let replace = members
        .iter()
        .filter(|(key, _)| gojson::key_matches(key, "Replace"));
    for (_, value) in replace {
        let files = match gojson::kind(value) {
            "object" => gojson::members(value)?,
            "null" => {
                all.clear();
                continue;
            }
            kind => {
                let target = "struct field overlayJSON.Replace of type map[string]string";
                first = first.and(Err(refused(kind, target)));
                continue;
            }
        };
        for (from, to) in files {
            let text = match gojson::kind(to) {
                "string" => gojson::string(to).into_owned(),
                "null" => String::new(),
                kind => {
                    let target = "struct field overlayJSON.Replace of type string";
                    first = first.and(Err(refused(kind, target)));
                    String::new()
                }
            };
            all.insert(from.into_owned(), text);
        }
    }
    first.map(|()| all)
}

/// How a run sees the files of a project: the directory from which messages name them, what
/// stands in for them, which go reads them, and what was read already.
#[derive(Clone, Debug)]
pub struct ProjectFiles {
    /// The working directory, absolute.
    pub cwd: PathBuf,
    /// What stands in for files.
    pub overlay: Overlay,
    /// The go version that the run acts as, if that was said.
    pub running: Option<ActingVersion>,
    /// What `-modfile` says, as it was typed.
    pub modfile: Option<String>,
    /// Files that were read, with their content on disk.
    contents: Vec<(PathBuf, Arc<[u8]>)>,
}

impl ProjectFiles {
    /// Reads a file on disk, which [`ProjectFiles::read`] then does not read again. A file that cannot be read is
    /// left to that function, which says why.
    #[must_use]
    pub fn with_content(mut self, file: &Path) -> ProjectFiles {
        if self.on_disk(file).is_none()
            && let Ok(data) = read_whole(file)
        {
            self.contents.push((file.to_owned(), data.into()));
        }
        self
    }

    /// The content on disk of a file that was read, whatever stands in for it.
    #[must_use]
    pub fn on_disk(&self, file: &Path) -> Option<&[u8]> {
        let found = self.contents.iter().find(|(path, _)| path == file);
        found.map(|(_, data)| &**data)
    }

    /// The content of a file or of what stands in for it.
    ///
    /// # Errors
    /// Those of [`Overlay::read`].
    pub fn read(&self, file: &Path) -> io::Result<Vec<u8>> {
        self.overlay.read(file, |file| match self.on_disk(file) {
            Some(data) => Ok(data.to_vec()),
            None => read_whole(file),
        })
    }

    /// Says which go version the run acts as.
    #[must_use]
    pub fn acting_as(self, running: &ActingVersion) -> ProjectFiles {
        ProjectFiles {
            running: Some(running.clone()),
            ..self
        }
    }
}

impl From<&Config> for ProjectFiles {
    fn from(config: &Config) -> ProjectFiles {
        ProjectFiles {
            cwd: config.cwd.clone(),
            overlay: config.overlay.clone(),
            running: None,
            modfile: config.modfile_as_typed.clone(),
            contents: Vec::new(),
        }
    }
}

impl From<&Path> for ProjectFiles {
    fn from(cwd: &Path) -> ProjectFiles {
        ProjectFiles {
            cwd: cwd.to_owned(),
            overlay: Overlay::default(),
            running: None,
            modfile: None,
            contents: Vec::new(),
        }
    }
}

impl From<&PathBuf> for ProjectFiles {
    fn from(cwd: &PathBuf) -> ProjectFiles {
        cwd.as_path().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> std::result::Result<Overlay, String> {
        Overlay::parse(text.as_bytes(), Path::new("/p"))
    }

    /// Each text is what `go list -m -overlay=FILE` of go1.26.8 says.
    #[test]
    fn a_file_is_read_from_disk_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("go.mod");
        fs::write(&file, "module first\n").unwrap();
        let files = ProjectFiles::from(dir.path()).with_content(&file);
        fs::write(&file, "module second\n").unwrap();
        let files = files.with_content(&file);
        assert_eq!(files.on_disk(&file), Some(&b"module first\n"[..]));
        assert_eq!(files.read(&file).unwrap(), b"module first\n");
        // A file that was not there is read when it is needed.
        let other = dir.path().join("other.mod");
        let files = files.with_content(&other);
        assert!(files.on_disk(&other).is_none() && files.read(&other).is_err());
        fs::write(&other, "module other\n").unwrap();
        assert_eq!(files.read(&other).unwrap(), b"module other\n");
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_the_words_of_go() {
        let json = "parsing overlay JSON: ";
        let field = "json: cannot unmarshal";
        let of_map = "into Go struct field overlayJSON.Replace of type map[string]string";
        let of_text = "into Go struct field overlayJSON.Replace of type string";
        let table = [
            ("", format!("{json}unexpected end of JSON input")),
            ("{", format!("{json}unexpected end of JSON input")),
            (
                "{} x",
                format!("{json}invalid character 'x' after top-level value"),
            ),
            (
                "[1]",
                format!("{json}{field} array into Go value of type fsys.overlayJSON"),
            ),
            (
                "true",
                format!("{json}{field} bool into Go value of type fsys.overlayJSON"),
            ),
            (r#"{"Replace":3}"#, format!("{json}{field} number {of_map}")),
            (
                r#"{"Replace":{"a":1,"b":[]}}"#,
                format!("{json}{field} number {of_text}"),
            ),
            (
                r#"{"Replace":{"a":3},"Replace":4}"#,
                format!("{json}{field} number {of_text}"),
            ),
            (
                r#"{"Replace":{"a":"b"},"Replace":{"c":"d","":"x"}}"#,
                "empty string key in overlay map".into(),
            ),
            (
                r#"{"Replace":{"a":"x","./a":"y"}}"#,
                "duplicate paths ./a and a in overlay map".into(),
            ),
            (
                r#"{"Replace":{"a":"x","a/b":"","a/c":"z"}}"#,
                "inconsistent files /p/a and /p/a/c in overlay map".into(),
            ),
        ];
        for (text, want) in table {
            assert_eq!(parse(text), Err(want), "{text}");
        }
        for text in [
            "null",
            "{}",
            r#"{"Replace":null}"#,
            r#"{"Replace":{"a":"x"},"replace":null}"#,
        ] {
            assert_eq!(parse(text), Ok(Overlay::default()), "{text}");
        }
    }

    #[test]
    fn a_path_is_seen_as_go_sees_it() {
        let text = r#"{"replace":{"a/go.mod":"f","b":"","/x/d/e":"./g/../h","c":null}}"#;
        let overlay = parse(text).unwrap();
        let table = [
            ("/p/a/go.mod", Seen::Replaced(Path::new("/p/f"))),
            ("/p/q/../a/go.mod", Seen::Replaced(Path::new("/p/f"))),
            ("/p/a", Seen::Directory),
            ("/p/a/go.mod/x", Seen::Deleted),
            ("/p/a/go.sum", Seen::Itself),
            ("/p/b", Seen::Deleted),
            ("/p/b/x/y", Seen::Deleted),
            ("/p/bc", Seen::Itself),
            ("/p/c", Seen::Deleted),
            ("/x/d/e", Seen::Replaced(Path::new("/p/h"))),
            ("/x/d", Seen::Directory),
            ("/x/dd", Seen::Itself),
        ];
        for (path, want) in table {
            assert_eq!(overlay.see(Path::new(path)), want, "{path}");
        }
        let touched = |dir| overlay.touches(Path::new(dir)).map(Path::to_owned);
        assert_eq!(touched("/x"), Some("/x/d/e".into()));
        assert_eq!(touched("/p/b/mod"), Some("/p/b".into()));
        assert_eq!(touched("/y"), None);
    }

    proptest! {
        /// No file of the flag stops the program, and what it says of a file is found.
        #[test]
        fn whatever_is_in_the_file_is_read(
            data in proptest::collection::vec(any::<u8>(), 0..64),
            names in proptest::collection::btree_map("[a-c./]{1,6}", "[a-c/]{0,3}", 0..4),
        ) {
            let _ = Overlay::parse(&data, Path::new("/p"));
            let json = serde_json::json!({ "Replace": names }).to_string();
            if let Ok(overlay) = parse(&json) {
                for (from, to) in names {
                    let path = Path::new("/p").join(from);
                    prop_assert!(overlay.replaces(&path));
                    prop_assert_eq!(overlay.check_open(&path, "f").is_err(), to.is_empty());
                }
            }
        }
    }
}
