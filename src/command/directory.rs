//! The directory that a command works in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::RawArgs;
use crate::config::flags::C;
use crate::{Error, Kind, Result};

/// Returns the directory to work in: the current one, or what `-C` says, seen from there.
///
/// # Errors
/// There is no current directory, or that of `-C` does not exist or is none.
pub fn working_directory(raw: &RawArgs) -> Result<PathBuf> {
    let cwd = std::env::current_dir().map_err(|cause| {
        Error::new(Kind::LocalIo, "cannot find the current directory").because(cause)
    })?;
    below(&cwd, raw)
}

fn below(cwd: &Path, raw: &RawArgs) -> Result<PathBuf> {
    let Some(chdir) = raw.text(&C).map(Path::new) else {
        return Ok(cwd.to_owned());
    };
    let target =
        fs::canonicalize(cwd.join(chdir)).map_err(|error| Error::io("chdir", chdir, error))?;
    if !target.is_dir() {
        let message = format!("chdir {}: not a directory", chdir.display());
        return Err(Error::new(Kind::LocalIo, message));
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chdir_is_relative_to_the_working_directory() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let root = fs::canonicalize(dir.path()).expect("exists");
        fs::create_dir(root.join("sub")).expect("creates");
        let at = |chdir: &str| {
            let raw = RawArgs::with([(&C, chdir)]);
            below(&root, &raw).map_err(|error| error.chain())
        };
        assert_eq!(at("sub"), Ok(root.join("sub")));
        assert_eq!(at("sub/.."), Ok(root.clone()));
        let error = at("none").expect_err("missing");
        assert!(error.starts_with("chdir none: "), "{error}");
    }
}
