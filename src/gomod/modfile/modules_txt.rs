//! vendor/modules.txt: which modules a vendor directory was made from.
//!
//! ```text
//! ## workspace                       by `go work vendor`
//! # a.com/a v1.0.0 => b.com/b v1.2.0 a module, and what replaces it
//! ## explicit; go 1.21               go.mod requires it; its go line
//! a.com/a/pkg                        a package of it
//! # c.com/c => ./c                   a replacement of all versions
//! ```
//!
//! As for `go`, what is not understood is skipped: nothing here is malformed.
//!
//! Source: golang/go `cmd/go/internal/modload/vendor.go`, `readVendorList`; `init.go`,
//! `modulesTextIsForWorkspace`.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;

use crate::gomod::{GoVersion, check_import_path, compare, is_valid};

/// How much of the file is looked at to find out whether it is that of a workspace.
const HEAD: usize = 512;

/// A module as modules.txt names it, unchecked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Listed {
    /// The path; of what replaces a module also a directory.
    pub path: String,
    /// The version; empty for all versions, and of a directory.
    pub version: String,
}

impl Listed {
    /// Joins path and version.
    #[must_use]
    pub fn new(path: &str, version: &str) -> Listed {
        Listed {
            path: path.to_owned(),
            version: version.to_owned(),
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.version {
            "" => f.write_str(&self.path),
            version => write!(f, "{}@{version}", self.path),
        }
    }
}

/// What is said of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct About {
    explicit: bool,
    replacement: Option<Listed>,
    go: Option<String>,
}

/// What vendor/modules.txt says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModulesTxt {
    workspace: bool,
    providing: Vec<Listed>,
    replaced: Vec<Listed>,
    about: HashMap<Listed, About>,
    versions: HashMap<String, String>,
    go_lines: Vec<(String, GoVersion)>,
}

impl ModulesTxt {
    /// Reads the file.
    #[must_use]
    pub fn parse(data: &[u8]) -> ModulesTxt {
        let head = data.get(..HEAD).unwrap_or(data);
        let first = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let first = String::from_utf8_lossy(first);
        let mut entries = first.strip_prefix("## ").unwrap_or_default().split(';');
        let mut found = ModulesTxt {
            workspace: entries.any(|entry| entry.trim() == "workspace"),
            ..ModulesTxt::default()
        };
        let text = String::from_utf8_lossy(data);
        let mut current = None;
        for line in text.split('\n') {
            if line.starts_with("# ") {
                found.module(line, &mut current);
            } else if let Some(module) = &current {
                match line.strip_prefix("## ") {
                    Some(annotations) => found.annotate(module, annotations),
                    None => found.package(module, line),
                }
            }
        }
        found
    }

    /// A line that names a module; one that is not understood has no part in what comes below it.
    fn module(&mut self, line: &str, current: &mut Option<Listed>) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (module, rest) = match words[..] {
            [_, path, version, ref rest @ ..] if is_valid(version) => {
                (Listed::new(path, version), rest)
            }
            [_, path, "=>", ..] => (Listed::new(path, ""), words.get(2..).unwrap_or_default()),
            // Too short to be a module: go leaves the one above in force.
            [] | [_] | [_, _] => return,
            _ => {
                *current = None;
                return;
            }
        };
        let replacement = match *rest {
            ["=>", directory] => Some(Listed::new(directory, "")),
            ["=>", path, version] if is_valid(version) => Some(Listed::new(path, version)),
            _ => None,
        };
        if replacement.is_some() {
            self.replaced.push(module.clone());
            self.about.entry(module.clone()).or_default().replacement = replacement;
        }
        *current = Some(module);
    }

    fn annotate(&mut self, module: &Listed, annotations: &str) {
        let about = self.about.entry(module.clone()).or_default();
        for entry in annotations.split(';').map(str::trim) {
            if entry == "explicit" {
                about.explicit = true;
            } else if let Some(go) = entry.strip_prefix("go ") {
                about.go = Some(go.to_owned());
                let version = GoVersion::parse(go);
                self.go_lines
                    .extend(version.map(|version| (module.path.clone(), version)));
            }
        }
    }

    fn package(&mut self, module: &Listed, line: &str) {
        let mut words = line.split_whitespace();
        let (Some(package), None) = (words.next(), words.next()) else {
            return;
        };
        if check_import_path(package).is_err() {
            return;
        }
        let known = self.versions.get(&module.path);
        if known.is_none_or(|known| compare(known, &module.version) == Ordering::Less) {
            self.providing.push(module.clone());
            let Listed { path, version } = module.clone();
            self.versions.insert(path, version);
        }
    }

    /// True if `go work vendor` made it.
    #[must_use]
    pub fn is_workspace(&self) -> bool {
        self.workspace
    }

    /// The modules that have packages in the vendor directory, in the order of the file.
    #[must_use]
    pub fn providing(&self) -> &[Listed] {
        &self.providing
    }

    /// The modules that are replaced, in the order of the file.
    #[must_use]
    pub fn replaced(&self) -> &[Listed] {
        &self.replaced
    }

    /// True if go.mod is said to require it.
    #[must_use]
    pub fn is_explicit(&self, module: &Listed) -> bool {
        self.about.get(module).is_some_and(|about| about.explicit)
    }

    /// What is said to replace it.
    #[must_use]
    pub fn replacement(&self, module: &Listed) -> Option<&Listed> {
        self.about.get(module)?.replacement.as_ref()
    }

    /// What its go line is said to be, whatever that is.
    #[must_use]
    pub fn go(&self, module: &Listed) -> Option<&str> {
        self.about.get(module)?.go.as_deref()
    }

    /// The version of the packages that a module has in the vendor directory.
    #[must_use]
    pub fn version(&self, path: &str) -> Option<&str> {
        self.versions.get(path).map(String::as_str)
    }

    /// The go lines, with the path of each module, in the order of the file.
    pub fn go_lines(&self) -> impl Iterator<Item = (&str, &GoVersion)> {
        let lines = self.go_lines.iter();
        lines.map(|(path, version)| (path.as_str(), version))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(list: &[Listed]) -> String {
        let names: Vec<String> = list.iter().map(Listed::to_string).collect();
        names.join(" ")
    }

    #[test]
    fn what_go_writes_is_read() {
        // Of `go mod vendor`, go1.26.8, in a module with these requirements and replacements.
        let text = "# a.com/a v1.0.0 => b.com/b v1.2.0\n## explicit; go 1.21\na.com/a\na.com/a/x\n\
                    # c.com/c v1.1.0 => ./c\n## explicit\nc.com/c\n# d.com/d v1.0.0\n## go 1.16\n\
                    # e.com/e => ../e\n";
        let found = ModulesTxt::parse(text.as_bytes());
        assert!(!found.is_workspace());
        assert_eq!(names(found.providing()), "a.com/a@v1.0.0 c.com/c@v1.1.0");
        assert_eq!(
            names(found.replaced()),
            "a.com/a@v1.0.0 c.com/c@v1.1.0 e.com/e"
        );
        let (a, c) = (
            Listed::new("a.com/a", "v1.0.0"),
            Listed::new("c.com/c", "v1.1.0"),
        );
        let (d, e) = (Listed::new("d.com/d", "v1.0.0"), Listed::new("e.com/e", ""));
        assert!(found.is_explicit(&a) && found.is_explicit(&c) && !found.is_explicit(&d));
        assert_eq!(found.go(&a), Some("1.21"));
        assert_eq!((found.go(&c), found.go(&d)), (None, Some("1.16")));
        let replacement = |module| found.replacement(module).map(Listed::to_string);
        assert_eq!(replacement(&a).as_deref(), Some("b.com/b@v1.2.0"));
        assert_eq!(replacement(&c).as_deref(), Some("./c"));
        assert_eq!(replacement(&d), None);
        assert_eq!(replacement(&e).as_deref(), Some("../e"));
        assert_eq!(found.version("a.com/a"), Some("v1.0.0"));
        assert_eq!(found.version("d.com/d"), None);
        let lines: Vec<String> = found
            .go_lines()
            .map(|(path, go)| format!("{path} {go}"))
            .collect();
        assert_eq!(lines, ["a.com/a 1.21", "d.com/d 1.16"]);
    }

    #[test]
    fn the_first_line_tells_a_workspace() {
        let rows = [
            ("## workspace\n# a.com/a v1.0.0\n", true),
            ("## x; workspace ;\r\n", true),
            ("## workspace", true),
            ("##workspace\n", false),
            ("\n## workspace\n", false),
            ("", false),
        ];
        for (text, want) in rows {
            assert_eq!(
                ModulesTxt::parse(text.as_bytes()).is_workspace(),
                want,
                "{text}"
            );
        }
        let long = format!("## {};workspace\n", " ".repeat(HEAD));
        assert!(!ModulesTxt::parse(long.as_bytes()).is_workspace());
    }

    #[test]
    fn what_is_not_understood_is_skipped_as_by_go() {
        // Each row: the text, and which modules have packages. Read off vendor.go.
        let rows = [
            ("a.com/a\n## explicit\n", ""),
            ("# a.com/a v1.0.0\n# odd\na.com/a\n", "a.com/a@v1.0.0"),
            ("# a.com/a v1.0.0\n# odd and odd\na.com/a\n", ""),
            ("# a.com/a v1.0.0\na.com/a b\n", ""),
            ("# a.com/a v1.0.0\n../a\n", ""),
            ("# a.com/a v1.0.0 => x y z\na.com/a\n", "a.com/a@v1.0.0"),
            (
                "# a.com/a v1.0.0\na.com/a\n# a.com/a v1.2.0\na.com/a\n",
                "a.com/a@v1.0.0 a.com/a@v1.2.0",
            ),
            (
                "# a.com/a v1.2.0\na.com/a\n# a.com/a v1.0.0\na.com/a\n",
                "a.com/a@v1.2.0",
            ),
            ("#\ta.com/a v1.0.0\na.com/a\n", ""),
            ("# a.com/a v1.0.0\r\na.com/a\r\n", "a.com/a@v1.0.0"),
        ];
        for (text, want) in rows {
            let found = ModulesTxt::parse(text.as_bytes());
            assert_eq!(names(found.providing()), want, "{text}");
        }
        let odd = ModulesTxt::parse(b"# a.com/a v1.0.0 => x y z\n\xff\n## go x; other\n");
        assert!(odd.replaced().is_empty());
        assert_eq!(odd.go(&Listed::new("a.com/a", "v1.0.0")), Some("x"));
        assert_eq!(odd.go_lines().count(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_will_do(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = ModulesTxt::parse(&data);
        }

        #[test]
        fn what_is_listed_is_in_the_text(text in "(#|##|# a.com/a|v1.0.0|=>|explicit|go 1.1;| |\n|a.com/b){0,24}") {
            let found = ModulesTxt::parse(text.as_bytes());
            for module in found.providing().iter().chain(found.replaced()) {
                prop_assert!(text.contains(&module.path) && text.contains(&module.version));
            }
        }
    }
}
