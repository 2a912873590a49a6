//! An extracted Go toolchain, made ready to run as `go` does it.
//!
//! A module zip has no execute bits and no second go.mod. So `golang.org/toolchain` comes without the
//! bits, and with `_go.mod` in the place of each go.mod below its root.
//!
//! Source: golang/go `cmd/go/internal/toolchain/select.go`, `Exec`.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::io;
use std::path::Path;

use crate::error::{Error, Result};
use crate::fsio::write_atomically;
use crate::system::{is_executable, mode, set_mode, with_mode};

/// Sets the execute bits and completes the go.mod files, unless that was done. `bin/go` and
/// `src/go.mod` are last, since `go` takes them as the sign that all of it was done.
///
/// # Errors
/// [`crate::Kind::LocalIo`].
pub fn prepare_goroot(goroot: &Path) -> Result<()> {
    let go = goroot.join(format!("bin/go{EXE_SUFFIX}"));
    let found = fs::metadata(&go).map_err(|cause| Error::io("cannot read", &go, cause))?;
    if !is_executable(&found) {
        let any = |_: &str| true;
        let runner = |name: &str| {
            name.starts_with("go_") && name.ends_with("_exec") && name.matches('_').count() >= 3
        };
        allow_execution(&goroot.join("pkg/tool"), &any)?;
        allow_execution(&goroot.join("lib"), &runner)?;
        allow_execution(&goroot.join("bin/gofmt"), &any)?;
        allow_execution(&goroot.join("bin"), &any)?;
    }
    let (hidden, visible) = (goroot.join("src/_go.mod"), goroot.join("src/go.mod"));
    let size = |file: &Path| fs::metadata(file).ok().map(|found| found.len());
    if size(&hidden).is_some() && size(&hidden) != size(&visible) {
        copy_go_mods(goroot, &hidden)?;
        copy_go_mod(&hidden)?;
    }
    Ok(())
}

/// Sets the bits of a file, or of the files below a directory whose names count.
fn allow_execution(path: &Path, counts: &dyn Fn(&str) -> bool) -> Result<()> {
    let failed = |cause| Error::io("cannot make executable", path, cause);
    let found = match fs::symlink_metadata(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(failed)?,
    };
    if found.is_dir() {
        for file in fs::read_dir(path).map_err(failed)? {
            allow_execution(&file.map_err(failed)?.path(), counts)?;
        }
        return Ok(());
    }
    let name = path.file_name().map(|name| name.to_string_lossy());
    if found.is_file() && name.is_some_and(|name| counts(&name)) {
        let mode = mode(&found.permissions()) & 0o777 | 0o111;
        set_mode(path, mode).map_err(failed)?;
    }
    Ok(())
}

/// Copies every `_go.mod` below `directory` but `last` to go.mod.
fn copy_go_mods(directory: &Path, last: &Path) -> Result<()> {
    let failed = |cause| Error::io("cannot read", directory, cause);
    for file in fs::read_dir(directory).map_err(failed)? {
        let file = file.map_err(failed)?;
        let path = file.path();
        if file.file_type().map_err(failed)?.is_dir() {
            copy_go_mods(&path, last)?;
        } else if file.file_name() == "_go.mod" && path != last {
            copy_go_mod(&path)?;
        }
    }
    Ok(())
}

/// Copies a `_go.mod` to go.mod beside it, with its mode. The directory may be sealed.
fn copy_go_mod(hidden: &Path) -> Result<()> {
    let Some(directory) = hidden.parent() else {
        return Ok(());
    };
    let failed = |cause| Error::io("cannot complete", directory, cause);
    let text = fs::read(hidden).map_err(failed)?;
    let sealed = fs::metadata(directory).map_err(failed)?.permissions();
    let open = with_mode(&sealed, mode(&sealed) | 0o200);
    fs::set_permissions(directory, open).map_err(failed)?;
    let visible = directory.join("go.mod");
    let written = write_atomically(&visible, &text).and_then(|()| {
        let mode = fs::metadata(hidden).map_err(failed)?.permissions();
        fs::set_permissions(&visible, mode).map_err(failed)
    });
    fs::set_permissions(directory, sealed).map_err(failed)?;
    written
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn mode_of(path: &Path) -> u32 {
        let meta = fs::metadata(path).expect("the test has made it");
        mode(&meta.permissions()) & 0o777
    }

    #[test]
    fn bits_and_go_mod_files_are_what_go_makes_of_them() {
        let root = tempfile::tempdir().unwrap();
        let files = [
            ("bin/go", true),
            ("bin/gofmt", true),
            ("pkg/tool/linux_amd64/compile", true),
            ("lib/wasm/go_js_wasm_exec", true),
            ("lib/time/zoneinfo.zip", false),
            ("src/_go.mod", false),
            ("src/cmd/_go.mod", false),
            ("src/make.bash", false),
        ];
        for (name, _) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
            set_mode(&path, 0o444).unwrap();
        }
        for directory in ["src", "src/cmd"] {
            let path = root.path().join(directory);
            set_mode(&path, 0o555).unwrap();
        }
        for _ in 0..2 {
            prepare_goroot(root.path()).unwrap();
            for (name, executable) in files {
                assert_eq!(
                    mode_of(&root.path().join(name)),
                    if executable { 0o555 } else { 0o444 },
                    "{name}"
                );
            }
            for name in ["src/go.mod", "src/cmd/go.mod"] {
                let path = root.path().join(name);
                let hidden = name.replace("go.mod", "_go.mod");
                assert_eq!(fs::read_to_string(&path).unwrap(), hidden);
                assert_eq!(mode_of(&path), 0o444);
            }
            assert_eq!(mode_of(&root.path().join("src")), 0o555);
        }
        // So that the directory can be removed by a user who is not root.
        for directory in ["src", "src/cmd"] {
            let path = root.path().join(directory);
            set_mode(&path, 0o755).unwrap();
        }
    }
}
