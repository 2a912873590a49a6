//! `go` and `toolchain`, which stand where modules stand and are none: go lines and toolchain lines
//! are requirements of them.
//!
//! Their versions are written and ordered in ways of their own: `1.22.3` of `go`, `go1.22.3` of
//! `toolchain`.
//!
//! Source: golang/go `cmd/go/internal/gover/{mod,toolchain}.go`.

use std::cmp::Ordering;
use std::fmt;

use super::GoVersion;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tool {
    /// What go lines ask for.
    Go,
    /// What toolchain lines ask for.
    Toolchain,
}

impl Tool {
    /// The one of this path.
    #[must_use]
    pub fn of(path: &str) -> Option<Tool> {
        [Tool::Go, Tool::Toolchain]
            .into_iter()
            .find(|tool| tool.name() == path)
    }

    /// Its path.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Tool::Go => "go",
            Tool::Toolchain => "toolchain",
        }
    }

    /// Its version of a go version: `go1.22.3` of `1.22.3` for `toolchain`.
    #[must_use]
    pub fn version_of(self, go: &str) -> String {
        match self {
            Tool::Go => go.to_owned(),
            Tool::Toolchain => format!("go{go}"),
        }
    }

    /// True for a version, a part of one such as `1.22` as well.
    #[must_use]
    pub fn is_valid(self, version: &str) -> bool {
        self.plain(version).is_some()
    }

    /// True for a version of the language, which stands for its releases: `1.22`.
    #[must_use]
    pub fn is_prefix(self, version: &str) -> bool {
        self.plain(version).is_some_and(|plain| plain.is_language())
    }

    /// True for a version before a release: `1.22rc1`.
    #[must_use]
    pub fn is_prerelease(self, version: &str) -> bool {
        self.plain(version)
            .is_some_and(|plain| plain.is_prerelease())
    }

    /// What the versions of the same language begin with: `1.22` of `1.22.3`.
    #[must_use]
    pub fn major_minor(self, version: &str) -> String {
        let language = self.plain(version).map(|plain| plain.language());
        self.version_of(language.as_ref().map_or("", GoVersion::as_str))
    }

    /// The order of two versions; what is none comes before all that are.
    #[must_use]
    pub fn compare(self, one: &str, two: &str) -> Ordering {
        self.lenient(one).cmp(&self.lenient(two))
    }

    fn plain(self, version: &str) -> Option<GoVersion> {
        match self {
            Tool::Go => GoVersion::parse(version),
            Tool::Toolchain => GoVersion::of_toolchain(version),
        }
    }

    /// Of a toolchain the bare go version will do.
    fn lenient(self, version: &str) -> Option<GoVersion> {
        match self {
            Tool::Go => GoVersion::parse(version),
            Tool::Toolchain => {
                GoVersion::parse(version).or_else(|| GoVersion::of_toolchain(version))
            }
        }
    }
}

/// Its path.
impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_judged_as_by_gover() {
        // (tool, version, valid, prefix, prerelease, major and minor)
        let rows = [
            (Tool::Go, "1.22", true, true, false, "1.22"),
            (Tool::Go, "1.22.3", true, false, false, "1.22"),
            (Tool::Go, "1.22rc1", true, false, true, "1.22"),
            (Tool::Go, "1.20", true, false, false, "1.20"),
            (Tool::Go, "go1.22", false, false, false, ""),
            (Tool::Toolchain, "go1.22", true, true, false, "go1.22"),
            (Tool::Toolchain, "go1.22.3-x", true, false, false, "go1.22"),
            (Tool::Toolchain, "go1.22rc1", true, false, true, "go1.22"),
            (Tool::Toolchain, "1.22", false, false, false, "go"),
            (Tool::Toolchain, "default", false, false, false, "go"),
        ];
        for (tool, version, valid, prefix, prerelease, major_minor) in rows {
            let of = (
                tool.is_valid(version),
                tool.is_prefix(version),
                tool.is_prerelease(version),
                tool.major_minor(version),
            );
            let want = (valid, prefix, prerelease, major_minor.to_owned());
            assert_eq!(of, want, "{tool} {version}");
        }
        assert!(Tool::Toolchain.compare("1.22.1", "go1.22.0").is_gt());
        assert!(Tool::Go.compare("1.22", "1.22rc1").is_lt());
        assert!(Tool::Go.compare("odd", "1.0").is_lt());
    }

    #[test]
    fn two_paths_are_tools() {
        let names = ["go", "toolchain", TOOLCHAIN, "gone"].map(Tool::of);
        assert_eq!(names, [Some(Tool::Go), Some(Tool::Toolchain), None, None]);
    }

    const TOOLCHAIN: &str = crate::gomod::TOOLCHAIN;
}
