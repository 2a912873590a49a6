//! Which go version a run acts as: `--go-version` over the Go that is installed beside it, and
//! GOTOOLCHAIN over both.

use std::fs;
use std::path::{Path, PathBuf};

use super::settings::GO_VERSION;
use super::{GoEnv, Origin, RawArgs, Setting};
use crate::gomod::{GoVersion, Toolchain};
use crate::{Error, Kind, Result};

/// The version that the run acts as where GOTOOLCHAIN says `local`, as environment and files give it.
///
/// # Errors
/// A MODFETCH_GO_VERSION that is no version.
pub fn go_version(go_env: &GoEnv) -> Result<Setting<GoVersion>> {
    GO_VERSION.resolve(&RawArgs::default(), go_env, Path::new(""))
}

/// That version where nothing sets it: the one of GOROOT, or the one in `GOLANG_VERSION`: the official images of
/// Go set this one, and `GOTOOLCHAIN=local` with it.
pub(super) fn installed_version(go_env: &GoEnv) -> Option<Setting<GoVersion>> {
    of_goroot(go_env).or_else(|| of_image(go_env))
}

fn of_goroot(go_env: &GoEnv) -> Option<Setting<GoVersion>> {
    let root = go_env.get("GOROOT").value;
    let file: PathBuf = Path::new(&root).join("VERSION");
    let text = fs::read_to_string(&file)
        .ok()
        .filter(|_| !root.is_empty())?;
    let version = GoVersion::of_toolchain(text.lines().next()?)?;
    Some(Setting::new(version, Origin::GoRootFile(file)))
}

fn of_image(go_env: &GoEnv) -> Option<Setting<GoVersion>> {
    const NAME: &str = "GOLANG_VERSION";
    let version = GoVersion::parse(go_env.environment().get(NAME)?)?;
    Some(Setting::new(version, Origin::Environment(NAME.to_owned())))
}

/// GOTOOLCHAIN, starting from that version.
pub(super) fn toolchain(go_env: &GoEnv, local: &GoVersion) -> Result<Setting<Toolchain>> {
    let Setting { value, origin } = go_env.get("GOTOOLCHAIN");
    match Toolchain::parse(&value, local) {
        Ok(toolchain) => Ok(Setting::new(toolchain, origin)),
        Err(text) => {
            let hint = format!("GOTOOLCHAIN is set {origin}");
            Err(Error::new(Kind::Input, text).hint(hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[test]
    fn the_nearest_thing_that_names_a_version_decides() {
        let root = tempfile::tempdir().expect("temporary directory");
        fs::write(root.path().join("VERSION"), "go1.27.3\ntime 2026\n").expect("writes");
        let goroot = ("GOROOT", root.path().to_str().expect("is text"));
        let image = ("GOLANG_VERSION", "1.28.1");
        let own = ("MODFETCH_GO_VERSION", "1.29");
        let odd = ("GOLANG_VERSION", "tip-20260101");
        type Row<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>, &'a str);
        let rows: [Row<'_>; 8] = [
            (&[], None, GoVersion::EMULATED),
            (&[odd], None, GoVersion::EMULATED),
            (&[("GOROOT", "/nowhere")], None, GoVersion::EMULATED),
            (&[image], None, "1.28.1"),
            (&[image, goroot], None, "1.27.3"),
            (&[image, goroot, own], None, "1.29"),
            (&[own], Some("go1.30rc1"), "1.30rc1"),
            (&[own], Some("1.31.0"), "1.31.0"),
        ];
        for (pairs, flag, want) in rows {
            let go_env = GoEnv::load(&Environment::from_pairs(pairs.iter().copied()));
            let raw = RawArgs::with(flag.map(|flag| (&GO_VERSION.flag, flag)));
            let found = GO_VERSION.resolve(&raw, &go_env, Path::new(""));
            let found = found.expect("is a version");
            assert_eq!(found.value.as_str(), want, "{pairs:?} {flag:?}");
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        let go_env = GoEnv::load(&Environment::from_pairs([("GOTOOLCHAIN", "bash")]));
        for flag in ["tip", "1", "go", "1.2.3.4"] {
            let raw = RawArgs::with([(&GO_VERSION.flag, flag)]);
            let error = GO_VERSION.resolve(&raw, &go_env, Path::new(""));
            let error = error.expect_err(flag);
            let want = format!(
                "invalid value {flag:?} for flag --go-version: want a Go version such as {}",
                GoVersion::EMULATED
            );
            assert_eq!(error.chain(), want);
            assert_eq!(error.kind(), Kind::Usage);
        }
        let local = GoVersion::parse("1.26.8").expect("is a version");
        let error = toolchain(&go_env, &local).expect_err("bash");
        assert_eq!(error.chain(), "invalid GOTOOLCHAIN \"bash\"");
    }
}
