//! go.sum: which hashes a module's zip and its go.mod may have.
//!
//! A line is `PATH VERSION HASH` for the zip and `PATH VERSION/go.mod HASH` for the go.mod.
//! Fields are parted by any white space, blank lines are skipped, and a pair may have several
//! hashes: of several algorithms, or because files were merged. Hashes of algorithms that are
//! not known here are kept and written back.
//!
//! The text is held once, as read, and entries point into it: a file of five thousand lines is
//! read in well under a millisecond on a machine of 2024.
//!
//! Source: golang/go `cmd/go/internal/modfetch/fetch.go`, `readGoSum` and `tidyGoSum`.

use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::ops::Range;
use std::slice;

use crate::error::{Error, Kind, Reason, Result};
use crate::gomod::compare;
use crate::map::{Map, Seed};

/// The hash of a go.mod of no bytes. Some version of go wrote it for what is no module, and
/// every later one drops it on reading.
pub const EMPTY_GO_MOD: &str = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=";

/// The content of a go.sum: for each path and version the hashes, as text.
#[derive(Clone, Debug, Default)]
pub struct GoSum {
    /// What the ranges of the entries refer to; grows at its end.
    text: String,
    /// In the order of first mention, which is nearly sorted if go wrote the file.
    entries: Vec<SumEntry>,
    /// From the hash of path and version to the newest entry with that hash. Seeded at random,
    /// so that no file can be made to collide.
    index: Map<u64, usize>,
    seed: Seed,
    /// Path and version of lines that were dropped for being [`EMPTY_GO_MOD`].
    dropped: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct SumEntry {
    path: Range<usize>,
    version: Range<usize>,
    sums: LineSums,
    /// The next older entry with the same hash.
    older: Option<usize>,
}

/// One hash is by far the commonest, and then spares an allocation.
#[derive(Clone, Debug)]
enum LineSums {
    One(String),
    Many(Vec<String>),
}

impl LineSums {
    fn as_slice(&self) -> &[String] {
        match self {
            LineSums::One(sum) => slice::from_ref(sum),
            LineSums::Many(sums) => sums,
        }
    }

    fn push(&mut self, sum: String) {
        match self {
            LineSums::One(first) => *self = LineSums::Many(vec![std::mem::take(first), sum]),
            LineSums::Many(sums) => sums.push(sum),
        }
    }
}

impl GoSum {
    /// Parses a go.sum. `file` is its name in messages. No data at all is an empty go.sum.
    ///
    /// # Errors
    /// [`Kind::Input`], `malformed go.sum:` and on the next line the first fault:
    /// `FILE:LINE: wrong number of fields N`.
    pub fn parse(file: &str, data: &[u8]) -> Result<GoSum> {
        let malformed = |line: usize, fault: &str| {
            Error::new(
                Kind::Input,
                format!("malformed go.sum:\n{file}:{line}: {fault}"),
            )
            .with_reason(Reason::MalformedGoSum)
        };
        let text = std::str::from_utf8(data).map_err(|error| {
            let good = data.get(..error.valid_up_to()).unwrap_or_default();
            let line = good.iter().filter(|&&byte| byte == b'\n').count() + 1;
            malformed(line, "invalid UTF-8")
        })?;
        let mut sums = GoSum {
            text: text.to_owned(),
            ..GoSum::default()
        };
        // A line of go.sum has about a hundred bytes.
        let lines = text.len() / 100 + 1;
        sums.entries.reserve(lines);
        sums.index.reserve(lines);
        let mut start = 0;
        for (i, line) in text.split_inclusive('\n').enumerate() {
            let line_start = start;
            start += line.len();
            let mut fields = LineFields { line, at: 0 };
            let Some(path) = fields.next() else { continue };
            let (version, sum) = match (fields.next(), fields.next(), fields.next()) {
                (Some(version), Some(sum), None) => (version, sum),
                _ => {
                    let count = line.split_whitespace().count();
                    return Err(malformed(i + 1, &format!("wrong number of fields {count}")));
                }
            };
            let sum = line.get(sum).unwrap_or_default();
            if sum == EMPTY_GO_MOD {
                let field = |field: &Range<usize>| line.get(field.clone()).map(str::to_owned);
                sums.dropped.extend(field(&path).zip(field(&version)));
                continue;
            }
            let shift = |field: Range<usize>| line_start + field.start..line_start + field.end;
            sums.add(shift(path), shift(version), sum);
        }
        Ok(sums)
    }

    /// The hashes of a version's zip, or of its go.mod if `version` ends in `/go.mod`. Empty if
    /// there is none. In the order of the file, repeated lines included.
    #[must_use]
    pub fn sums(&self, path: &str, version: &str) -> &[String] {
        self.place(path, version)
            .map_or(&[], |place| self.at(place).2)
    }

    /// Where path and version stand, counted in the order of first mention; it stays when more is
    /// added.
    #[must_use]
    pub fn place(&self, path: &str, version: &str) -> Option<usize> {
        self.find(self.hash(path, version), path, version)
    }

    /// Path, version and hashes of a [`GoSum::place`].
    #[must_use]
    pub fn at(&self, place: usize) -> (&str, &str, &[String]) {
        self.entries
            .get(place)
            .map_or(("", "", &[]), |entry| self.fields(entry))
    }

    /// True if the file had a line for it with the hash of no bytes, which go does not read.
    #[must_use]
    pub fn has_dropped(&self, path: &str, version: &str) -> bool {
        let lines = &mut self.dropped.iter();
        lines.any(|line| (line.0.as_str(), line.1.as_str()) == (path, version))
    }

    /// Adds a hash. False if it is there already, or if a field is empty or has white space: such
    /// a line could not be read back.
    pub fn insert(&mut self, path: &str, version: &str, hash: &str) -> bool {
        let is_field = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        let fields = [path, version, hash];
        if !fields.into_iter().all(is_field) || self.sums(path, version).iter().any(|s| s == hash) {
            return false;
        }
        let start = self.text.len();
        self.text.push_str(path);
        let middle = self.text.len();
        self.text.push_str(version);
        self.add(start..middle, middle..self.text.len(), hash);
        true
    }

    /// Every path, version (with `/go.mod` where it is the go.mod's) and their hashes, in go's
    /// order: by path, by version as versions compare, the zip before the go.mod.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &[String])> {
        let entries = self.entries.iter();
        let mut entries: Vec<_> = entries.map(|entry| self.fields(entry)).collect();
        // Stable, because that is fast on what is nearly sorted.
        entries.sort_by(|a, b| a.0.cmp(b.0).then_with(|| compare_versions(a.1, b.1)));
        entries.into_iter()
    }

    /// The file as go writes it: in the order of [`GoSum::iter`], the hashes of a line sorted as
    /// text and each once.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.text.len());
        for (path, version, sums) in self.iter() {
            let mut sums: Vec<&str> = sums.iter().map(String::as_str).collect();
            sums.sort_unstable();
            sums.dedup();
            for sum in sums {
                for (field, end) in [(path, b' '), (version, b' '), (sum, b'\n')] {
                    bytes.extend_from_slice(field.as_bytes());
                    bytes.push(end);
                }
            }
        }
        bytes
    }

    /// The lines whose path and version are wanted.
    #[must_use]
    pub fn filtered(&self, wanted: impl Fn(&str, &str) -> bool) -> GoSum {
        let mut kept = GoSum::default();
        for (path, version, sums) in self.iter() {
            if wanted(path, version) {
                for sum in sums {
                    kept.insert(path, version, sum);
                }
            }
        }
        kept
    }

    /// True if there is no hash at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn field(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    fn fields<'e>(&'e self, entry: &'e SumEntry) -> (&'e str, &'e str, &'e [String]) {
        let (path, version) = (self.field(&entry.path), self.field(&entry.version));
        (path, version, entry.sums.as_slice())
    }

    fn hash(&self, path: &str, version: &str) -> u64 {
        self.seed.hash_one((path, version))
    }

    fn find(&self, hash: u64, path: &str, version: &str) -> Option<usize> {
        let mut next = self.index.get(&hash).copied();
        while let Some(i) = next {
            let entry = self.entries.get(i)?;
            if self.field(&entry.path) == path && self.field(&entry.version) == version {
                return Some(i);
            }
            next = entry.older;
        }
        None
    }

    fn add(&mut self, path: Range<usize>, version: Range<usize>, sum: &str) {
        let (path_text, version_text) = (self.field(&path), self.field(&version));
        let hash = self.hash(path_text, version_text);
        let found = self.find(hash, path_text, version_text);
        if let Some(entry) = found.and_then(|i| self.entries.get_mut(i)) {
            entry.sums.push(sum.to_owned());
            return;
        }
        let older = self.index.insert(hash, self.entries.len());
        self.entries.push(SumEntry {
            path,
            version,
            sums: LineSums::One(sum.to_owned()),
            older,
        });
    }
}

/// The ranges of a line that hold no white space.
struct LineFields<'a> {
    line: &'a str,
    at: usize,
}

impl Iterator for LineFields<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.line.get(self.at..)?;
        let trimmed = rest.trim_start();
        let start = self.at + rest.len() - trimmed.len();
        // Most of a go.sum are characters that need no closer look.
        let plain = trimmed.bytes().position(|byte| !byte.is_ascii_graphic());
        let (plain, others) = trimmed.split_at(plain.unwrap_or(trimmed.len()));
        let length = plain.len() + others.find(char::is_whitespace).unwrap_or(others.len());
        self.at = start + length;
        (length > 0).then_some(start..self.at)
    }
}

/// Compares what stands before the first slash as versions, then what stands after as text.
///
/// go leaves versions that compare as equal but differ (only build metadata) in any order; here
/// their text decides.
fn compare_versions(a: &str, b: &str) -> Ordering {
    let split = |text| match str::find(text, '/') {
        Some(slash) => str::split_at(text, slash),
        None => (text, ""),
    };
    let ((version_a, file_a), (version_b, file_b)) = (split(a), split(b));
    if version_a == version_b {
        return file_a.cmp(file_b);
    }
    compare(version_a, version_b)
        .then_with(|| version_a.cmp(version_b))
        .then_with(|| file_a.cmp(file_b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> GoSum {
        GoSum::parse("go.sum", text.as_bytes()).unwrap()
    }

    #[test]
    fn lines_are_found_by_path_and_version() {
        let sums = parse("a v1.0.0 h1:1\na v1.0.0/go.mod h1:2\r\n\n \ta\tv1.0.0  h2:3");
        assert_eq!(sums.sums("a", "v1.0.0"), ["h1:1", "h2:3"]);
        assert_eq!(sums.sums("a", "v1.0.0/go.mod"), ["h1:2"]);
        assert!(sums.sums("a", "v1.0.1").is_empty());
        assert!(sums.sums("av1.0.0", "").is_empty());
        assert!(parse("").is_empty());
    }

    #[test]
    fn the_hash_of_an_empty_go_mod_is_dropped() {
        let sums = parse(&format!("a v1.0.0/go.mod {EMPTY_GO_MOD}\n"));
        assert!(sums.is_empty());
        assert!(sums.to_bytes().is_empty());
    }

    #[test]
    fn only_what_is_new_and_can_be_read_back_is_inserted() {
        let mut sums = parse("a v1.0.0 h1:1\n");
        assert!(!sums.insert("a", "v1.0.0", "h1:1"));
        assert!(sums.insert("a", "v1.0.0", "h1:0"));
        assert!(sums.insert("b", "v1.0.0/go.mod", "h1:2"));
        assert!(!sums.insert("b", "v1.0.0/go.mod", "h1:2"));
        for (path, version, hash) in [("", "v1", "h"), ("a", "v 1", "h"), ("a", "v1", "h\n")] {
            assert!(
                !sums.insert(path, version, hash),
                "{path:?} {version:?} {hash:?}"
            );
        }
        assert_eq!(
            sums.to_bytes(),
            b"a v1.0.0 h1:0\na v1.0.0 h1:1\nb v1.0.0/go.mod h1:2\n"
        );
    }

    /// The order is that of golang/mod's `module.Sort`.
    #[test]
    fn iteration_is_in_order_of_versions() {
        let sums =
            parse("b v1.10.0 h\nb v1.9.0/go.mod h\nb v1.9.0 h\nb v1.9.0-a h\na/b v1 h\nb x h\n");
        let got: Vec<_> = sums
            .iter()
            .map(|(path, version, _)| (path, version))
            .collect();
        let want = [
            ("a/b", "v1"),
            ("b", "x"),
            ("b", "v1.9.0-a"),
            ("b", "v1.9.0"),
            ("b", "v1.9.0/go.mod"),
            ("b", "v1.10.0"),
        ];
        assert_eq!(got, want);
    }

    #[test]
    fn malformed_files_are_refused_with_their_line() {
        let error = |data: &[u8]| GoSum::parse("go.sum", data).unwrap_err();
        assert_eq!(
            error(b"a v1 h\n\na b\n").chain(),
            "malformed go.sum:\ngo.sum:3: wrong number of fields 2"
        );
        assert_eq!(
            error(b"a b c d").chain(),
            "malformed go.sum:\ngo.sum:1: wrong number of fields 4"
        );
        let utf8 = error(b"a v1 h\ncaf\xe9 v1 h\n");
        assert_eq!(utf8.chain(), "malformed go.sum:\ngo.sum:2: invalid UTF-8");
        assert_eq!(utf8.kind(), Kind::Input);
    }

    /// Many versions of one module, with which quadratic work would take minutes.
    #[test]
    fn many_versions_of_one_module_are_read_and_added_in_linear_time() {
        let text: String = (0..50_000)
            .map(|i| format!("a.com/a v1.{i}.0 h1:x\n"))
            .collect();
        let mut sums = parse(&text);
        assert_eq!(sums.to_bytes(), text.as_bytes());
        for i in 0..50_000 {
            assert!(sums.insert("a.com/b", &format!("v1.{i}.0"), "h1:x"));
        }
        assert_eq!(sums.iter().count(), 100_000);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = GoSum::parse("go.sum", &data);
        }

        #[test]
        fn what_is_written_is_read_back(
            lines in proptest::collection::vec(
                ("[ab]{1,2}", r"(v[0-2]\.[0-2]\.[0-2](-a)?|x)(/go\.mod)?", "h[12]:[ab]"),
                0..40,
            ),
            space in "[ \t]{1,2}",
        ) {
            let text: String = lines
                .iter()
                .map(|(path, version, hash)| format!("{path}{space}{version}{space}{hash}\n"))
                .collect();
            let mut sums = parse(&text);
            let bytes = sums.to_bytes();
            let again = GoSum::parse("go.sum", &bytes).unwrap();
            prop_assert_eq!(&again.to_bytes(), &bytes);
            for (path, version, hash) in &lines {
                prop_assert!(again.sums(path, version).contains(hash));
                prop_assert!(!sums.insert(path, version, hash));
            }
            let mut unique: Vec<_> = lines.iter().collect();
            unique.sort();
            unique.dedup();
            prop_assert_eq!(bytes.iter().filter(|&&byte| byte == b'\n').count(), unique.len());
        }
    }
}
