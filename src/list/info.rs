//! What a listing says of one module.

use std::fmt;

use crate::error::Error;
use crate::gomod::Time;
use crate::select::reused_failure;
use crate::source::{ReuseEntry, VcsOrigin};

/// What go's listings say of a module; a field is empty where there is nothing to say.
///
/// Source: golang/go `cmd/go/internal/modinfo/info.go`, `ModulePublic`.
#[derive(Clone, Debug, Default)]
pub struct ModuleInfo {
    /// The module path; of a replacement by a directory, the directory as written.
    pub path: String,
    /// The version; none for a main module and for a directory.
    pub version: String,
    /// The query that was typed, if it is not the version.
    pub query: String,
    /// The versions there are, if asked for.
    pub versions: Vec<String>,
    /// What stands in for it.
    pub replace: Option<Box<ModuleInfo>>,
    /// When the version was made.
    pub time: Option<Time>,
    /// A newer version, if asked for.
    pub update: Option<Box<ModuleInfo>>,
    /// It is a main module.
    pub main: bool,
    /// The main module does not require it, or only by a line marked `// indirect`.
    pub indirect: bool,
    /// Where its files are.
    pub dir: String,
    /// Where its go.mod is.
    pub gomod: String,
    /// What its go line says.
    pub go_version: String,
    /// Why the version was retracted.
    pub retracted: Vec<String>,
    /// Why the module should not be used any more.
    pub deprecated: String,
    /// Why less is known than there should be.
    pub error: Option<Error>,
    /// What go.sum has for its zip.
    pub sum: String,
    /// What go.sum has for its go.mod.
    pub gomod_sum: String,
    /// Where the source says that it comes from.
    pub origin: Option<Box<VcsOrigin>>,
    /// An earlier run has said all this, and it still holds.
    pub reuse: bool,
}

impl ModuleInfo {
    /// A module of which nothing is known yet.
    #[must_use]
    pub fn new(path: &str, version: &str) -> ModuleInfo {
        ModuleInfo {
            path: path.to_owned(),
            version: version.to_owned(),
            ..ModuleInfo::default()
        }
    }

    /// What an earlier run said, and where it says that the version comes from.
    pub(super) fn reused(entry: &ReuseEntry, origin: Box<VcsOrigin>) -> ModuleInfo {
        ModuleInfo {
            path: entry.path.clone(),
            version: entry.version.clone(),
            versions: entry.versions.clone(),
            time: entry.time,
            gomod: entry.gomod.clone(),
            go_version: entry.go_version.clone(),
            retracted: entry.retracted.clone(),
            deprecated: entry.deprecated.clone(),
            error: reused_failure(entry),
            sum: entry.sum.clone(),
            gomod_sum: entry.gomod_sum.clone(),
            origin: Some(origin),
            reuse: true,
            ..ModuleInfo::default()
        }
    }

    /// The version, and that it was retracted.
    fn marked(&self) -> String {
        let mark = if self.retracted.is_empty() {
            ""
        } else {
            " (retracted)"
        };
        format!("{}{mark}", self.version)
    }

    /// The version with what there is to warn of.
    fn state(&self) -> String {
        let mut text = String::new();
        if !self.version.is_empty() {
            text = format!(" {}", self.marked());
            if let Some(update) = &self.update {
                text.push_str(&format!(" [{}]", update.marked()));
            }
        }
        if !self.deprecated.is_empty() {
            text.push_str(" (deprecated)");
        }
        text
    }

    /// The line of `list -m -versions`.
    #[must_use]
    pub fn versions_line(&self) -> String {
        let mut line = self.path.clone();
        for version in &self.versions {
            line.extend([" ", version]);
        }
        if !self.deprecated.is_empty() {
            line.push_str(" (deprecated)");
        }
        line
    }
}

/// The line of `list -m`: `PATH VERSION [UPDATE] (deprecated) => REPLACEMENT VERSION`.
impl fmt::Display for ModuleInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.path, self.state())?;
        match &self.replace {
            Some(replace) => write!(f, " => {}{}", replace.path, replace.state()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_go() {
        let mut info = ModuleInfo::new("a.com/a", "v1.0.0");
        assert_eq!(info.to_string(), "a.com/a v1.0.0");
        info.retracted.push("bad".into());
        info.deprecated = "use b".into();
        let mut update = ModuleInfo::new("a.com/a", "v1.1.0");
        update.retracted.push("also".into());
        info.update = Some(Box::new(update));
        let line = "a.com/a v1.0.0 (retracted) [v1.1.0 (retracted)] (deprecated)";
        assert_eq!(info.to_string(), line);
        let mut replace = ModuleInfo::new("./b", "");
        replace.deprecated = "gone".into();
        info.replace = Some(Box::new(replace.clone()));
        assert_eq!(info.to_string(), format!("{line} => ./b (deprecated)"));
        replace.version = "v2.0.0".into();
        replace.update = Some(Box::new(ModuleInfo::new("./b", "v3.0.0")));
        info.replace = Some(Box::new(replace));
        let want = format!("{line} => ./b v2.0.0 [v3.0.0] (deprecated)");
        assert_eq!(info.to_string(), want);
        info.versions = vec!["v1.0.0".into(), "v1.1.0".into()];
        let want = "a.com/a v1.0.0 v1.1.0 (deprecated)";
        assert_eq!(info.versions_line(), want);
    }
}
