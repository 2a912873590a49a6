//! Which go.mod and go.work belong to a directory, as go looks for them.
//!
//! Only file names are looked at; the files are read elsewhere.
//!
//! Source: go `cmd/go/internal/modload/init.go` (`Init`, `findModuleRoot`, `FindGoWork`,
//! `findWorkspaceFile`).

use std::fs;
use std::path::{Path, PathBuf};

use super::{GoEnv, Overlay};
use crate::system::is_absolute;
use crate::{Error, Kind, Result};

/// Where a search for go.mod ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoModSearch {
    /// The go.mod of the main module.
    Found(PathBuf),
    /// There is none.
    Missing,
    /// There is one, but in the directory of temporary files itself, where it would change the
    /// meaning of every work directory below: it does not count. The directory is given.
    InTempRoot(PathBuf),
}

/// Looks for go.mod in a directory and its parents.
///
/// `cwd` is absolute and clean.
#[must_use]
pub fn find_go_mod(cwd: &Path, go_env: &GoEnv, overlay: &Overlay) -> GoModSearch {
    let mut dirs = cwd.ancestors();
    let Some(root) = dirs.find(|dir| overlay.is_file(&dir.join("go.mod"))) else {
        return GoModSearch::Missing;
    };
    if is_same_dir(root, go_env.temp_dir()) {
        return GoModSearch::InTempRoot(go_env.temp_dir().to_owned());
    }
    GoModSearch::Found(root.join("go.mod"))
}

/// Looks for the workspace file: `GOWORK`, else go.work in a directory and its parents.
///
/// `None` means that there is no workspace, or `GOWORK=off`. GOROOT is not searched from
/// within.
///
/// # Errors
/// `GOWORK` is neither `off`, `auto` nor an absolute path.
pub fn find_go_work(cwd: &Path, go_env: &GoEnv, overlay: &Overlay) -> Result<Option<PathBuf>> {
    let gowork = go_env.get("GOWORK");
    match gowork.value.as_str() {
        "off" => return Ok(None),
        "" | "auto" => {}
        path if is_absolute(path) => return Ok(Some(PathBuf::from(path))),
        _ => {
            return Err(
                Error::new(Kind::Input, "invalid GOWORK: not an absolute path")
                    .hint(format!("GOWORK is set {}", gowork.origin)),
            );
        }
    }
    let goroot = go_env.get("GOROOT").value;
    for (depth, dir) in cwd.ancestors().enumerate() {
        if depth > 0 && !goroot.is_empty() && dir.as_os_str() == goroot.as_str() {
            return Ok(None);
        }
        let file = dir.join("go.work");
        if overlay.is_file(&file) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Whether commands look for go.mod at all: `GO111MODULE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleMode {
    /// `on` or empty.
    On,
    /// `auto`: only where there is a go.mod.
    Auto,
    /// `off`.
    Off,
}

/// Reads `GO111MODULE`.
///
/// # Errors
/// Any other value, with go's text.
pub fn module_mode(go_env: &GoEnv) -> Result<ModuleMode> {
    let setting = go_env.get("GO111MODULE");
    match setting.value.as_str() {
        "" | "on" => Ok(ModuleMode::On),
        "auto" => Ok(ModuleMode::Auto),
        "off" => Ok(ModuleMode::Off),
        other => Err(Error::new(
            Kind::Input,
            format!("unknown environment setting GO111MODULE={other}"),
        )
        .hint(format!("GO111MODULE is set {}", setting.origin))),
    }
}

fn is_same_dir(a: &Path, b: &Path) -> bool {
    // Components are compared, so that a final slash makes no difference.
    a.components().eq(b.components())
        || match (fs::canonicalize(a), fs::canonicalize(b)) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    fn env(pairs: &[(&str, &str)]) -> GoEnv {
        GoEnv::load(&Environment::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn the_nearest_go_mod_counts_unless_it_is_in_the_temporary_root() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let root = dir.path();
        let deep = root.join("a/b");
        fs::create_dir_all(&deep).expect("creates");
        fs::write(root.join("a/go.mod"), "").expect("writes");
        // A directory of that name is no go.mod.
        fs::create_dir(deep.join("go.mod")).expect("creates");
        let plain = env(&[]);
        assert_eq!(
            find_go_mod(&deep, &plain, &Overlay::default()),
            GoModSearch::Found(root.join("a/go.mod"))
        );
        let temp = root.join("a/");
        let temp = env(&[("TMPDIR", temp.to_str().expect("unicode"))]);
        assert_eq!(
            find_go_mod(&deep, &temp, &Overlay::default()),
            GoModSearch::InTempRoot(root.join("a"))
        );
        assert_eq!(
            find_go_mod(root, &plain, &Overlay::default()),
            GoModSearch::Missing
        );
    }

    #[test]
    fn the_workspace_is_searched_or_named() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let root = dir.path();
        let deep = root.join("go/src");
        fs::create_dir_all(&deep).expect("creates");
        fs::write(root.join("go.work"), "").expect("writes");
        let find = |pairs: &[(&str, &str)]| {
            find_go_work(&deep, &env(pairs), &Overlay::default()).map_err(|error| error.chain())
        };
        assert_eq!(find(&[]), Ok(Some(root.join("go.work"))));
        assert_eq!(find(&[("GOWORK", "auto")]), Ok(Some(root.join("go.work"))));
        assert_eq!(find(&[("GOWORK", "off")]), Ok(None));
        assert_eq!(find(&[("GOWORK", "/x.work")]), Ok(Some("/x.work".into())));
        assert_eq!(
            find(&[("GOWORK", "x.work")]),
            Err("invalid GOWORK: not an absolute path".to_owned())
        );
        let goroot = root.join("go");
        assert_eq!(
            find(&[("GOROOT", goroot.to_str().expect("unicode"))]),
            Ok(None)
        );
    }

    #[test]
    fn module_mode_has_four_spellings() {
        let mode = |value| module_mode(&env(&[("GO111MODULE", value)]));
        assert_eq!(mode("").expect("default"), ModuleMode::On);
        assert_eq!(mode("on").expect("on"), ModuleMode::On);
        assert_eq!(mode("auto").expect("auto"), ModuleMode::Auto);
        assert_eq!(mode("off").expect("off"), ModuleMode::Off);
        assert_eq!(
            mode("blah").expect_err("unknown").chain(),
            "unknown environment setting GO111MODULE=blah"
        );
    }
}
