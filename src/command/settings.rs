//! Hands what was typed to what gives it meaning: `cli` and `config` do not know each other.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::RawArgs;
use crate::config::GlobalFlags;
use crate::{Error, Kind, Result};

/// Collects the flags that decide settings.
#[must_use]
pub fn global_flags(raw: &RawArgs) -> GlobalFlags {
    GlobalFlags {
        jobs: raw.jobs.clone(),
        jobs_per_host: raw.jobs_per_host.clone(),
        retries: raw.retries.clone(),
        connect_timeout: raw.connect_timeout.clone(),
        stall_timeout: raw.stall_timeout.clone(),
        progress: raw.progress.clone(),
        color: raw.color.clone(),
        log: raw.log.clone(),
        offline: raw.offline,
        locked: raw.locked,
        fail_fast: raw.fail_fast,
        quiet: raw.quiet,
        verbose: raw.verbose,
        go_exit_codes: raw.go_exit_codes,
        x: raw.typed("x", raw.x),
        json: raw.typed("json", raw.json),
        modcacherw: raw.modcacherw,
        modfile: raw.modfile.clone(),
    }
}

/// Returns the directory to work in: `cwd`, or what `-C` says, seen from there.
///
/// # Errors
/// The directory of `-C` does not exist or is none.
pub fn working_directory(raw: &RawArgs, cwd: &Path) -> Result<PathBuf> {
    let Some(chdir) = &raw.chdir else {
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
    use crate::cli;
    use crate::config::{Config, Environment, own_values};
    use std::ffi::OsString;

    /// The table of flags and the table of settings name the same variables, and a flag
    /// reaches the setting that its variable sets.
    #[test]
    fn flags_and_their_variables_lead_to_the_same_setting() {
        let none = GlobalFlags::default();
        let home = ("HOME", "/h");
        let default = Config::resolve(&Environment::from_pairs([home]), &none, Path::new("/"));
        let default = format!("{:?}", default.expect("defaults"));
        let mut variables = Vec::new();
        for flag in cli::flags() {
            let Some(variable) = flag.env else { continue };
            variables.push(variable);
            // One of them fits any flag.
            let reached = ["7", "never", "json", "true"].iter().any(|value| {
                let verb = flag
                    .commands
                    .first()
                    .map_or("download", |verb| verb.info().name);
                let argv = ["modfetch", verb, &format!("--{}={value}", flag.long)]
                    .map(OsString::from)
                    .to_vec();
                let Ok(invocation) = cli::parse(argv) else {
                    return false;
                };
                let typed = global_flags(&invocation.raw);
                let env = Environment::from_pairs([home]);
                let Ok(typed) = Config::resolve(&env, &typed, Path::new("/")) else {
                    return false;
                };
                let env = Environment::from_pairs([home, (variable, value)]);
                let set = Config::resolve(&env, &none, Path::new("/")).expect(variable);
                let expected =
                    format!("{set:?}").replace(&format!("Environment({variable:?})"), "ORIGIN");
                let typed = format!("{typed:?}");
                assert_ne!(typed, default, "{variable}");
                // Compare up to go_env, which holds the environment itself.
                let settings = |text: &str| {
                    let (settings, _) = text.split_once("go_env:").expect("last field");
                    settings.to_owned()
                };
                let flag = format!("Flag(\"--{}\")", flag.long);
                assert!(typed.contains(&flag), "{flag}");
                let mut typed = settings(&typed).replace(&flag, "ORIGIN");
                if variable == "MODFETCH_QUIET" {
                    // Typing one of the two settles the other.
                    typed = typed.replace("Flag(\"--verbose\")", "Default");
                }
                if variable == "MODFETCH_VERBOSE" {
                    typed = typed.replace("Flag(\"--quiet\")", "Default");
                }
                assert_eq!(typed, settings(&expected), "{variable}");
                true
            });
            assert!(reached, "{variable}");
        }
        variables.sort_unstable();
        let go_env = crate::config::GoEnv::load(&Environment::default());
        let known: Vec<_> = own_values(&go_env).iter().map(|row| row.variable).collect();
        assert_eq!(variables, known);
    }

    #[test]
    fn chdir_is_relative_to_the_working_directory() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let root = fs::canonicalize(dir.path()).expect("exists");
        fs::create_dir(root.join("sub")).expect("creates");
        let at = |chdir: &str| {
            let raw = RawArgs {
                chdir: Some(chdir.into()),
                ..RawArgs::default()
            };
            working_directory(&raw, &root).map_err(|error| error.chain())
        };
        assert_eq!(at("sub"), Ok(root.join("sub")));
        assert_eq!(at("sub/.."), Ok(root.clone()));
        let error = at("none").expect_err("missing");
        assert!(error.starts_with("chdir none: "), "{error}");
    }
}
