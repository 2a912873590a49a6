//! Which variables `env -w` and `env -u` may write, and which values go would choke on.
//!
//! Source: go `internal/cfg/cfg.go` `KnownEnv`; `cmd/go/internal/envcmd/env.go`
//! `checkEnvWrite`. Combinations of GOOS, GOARCH and GOEXPERIMENT are checked by the command, which knows
//! all that changes.

use super::compat::GO_VARIABLES;
use super::settings::own_values;
use super::{Environment, GoEnv};
use crate::gomod::compat::Change;
use crate::gomod::words::split_quoted;
use crate::system::is_absolute;
use crate::{Error, Kind, Result};
use std::path::is_separator;

/// True if go has a use for the variable.
#[must_use]
pub fn is_go_variable(name: &str) -> bool {
    GO_VARIABLES.binary_search(&name).is_ok()
}

/// Checks that a variable may be written to the user's file with this value.
///
/// `own` also admits modfetch's own variables, which go leaves alone in its file.
///
/// # Errors
/// [`Kind::Input`] with go's texts: the variable is computed, unknown, or for the process
/// environment only; the value would make every later go command fail.
pub fn check_write(go_env: &GoEnv, name: &str, value: &str, own: bool) -> Result<()> {
    let refuse = |text: String| Err(Error::new(Kind::Input, text));
    match name {
        "GOEXE" | "GOGCCFLAGS" | "GOHOSTARCH" | "GOHOSTOS" | "GOMOD" | "GOWORK" | "GOTOOLDIR"
        | "GOVERSION" | "GOTELEMETRY" | "GOTELEMETRYDIR" => return refuse(fixed(name)),
        "GOROOT" if has_fixed_goroot(go_env) => return refuse(fixed(name)),
        "GOENV" | "GODEBUG" => {
            return refuse(format!("{name} can only be set using the OS environment"));
        }
        _ => {}
    }
    // Judged as if the value stood in an environment of its own.
    let alone = GoEnv::load(&Environment::from_pairs([(name, value)]));
    match own_values(&alone).iter().find(|row| row.variable == name) {
        Some(row) if own => {
            if let Some(refused) = &row.refused {
                return Err(refused.clone());
            }
        }
        _ if !go_env.is_known(name) => {
            return refuse(format!("unknown go command variable {name}"));
        }
        _ => {}
    }
    let relative = !value.is_empty() && !is_absolute(value);
    match name {
        "GO111MODULE" if !matches!(value, "" | "auto" | "on" | "off") => {
            return refuse(format!("invalid {name} value {value:?}"));
        }
        "GOPATH" if value.starts_with('~') => {
            return refuse(format!(
                "GOPATH entry cannot start with shell metacharacter '~': {value:?}"
            ));
        }
        "GOPATH" | "GOMODCACHE" if relative => {
            return refuse(format!(
                "{name} entry is relative; must be absolute path: {value:?}"
            ));
        }
        "CC" | "CXX" if !value.is_empty() => check_compiler(name, value)?,
        _ => {}
    }
    if value.contains('\0') {
        return refuse(format!("invalid NUL in {name}=... value"));
    }
    if value.contains(['\u{b}', '\r', '\n']) {
        return refuse(format!("invalid newline in {name}=... value"));
    }
    if name == "GOTMPDIR" && relative {
        return refuse("GOTMPDIR must be an absolute path".to_owned());
    }
    Ok(())
}

/// What is said of a variable that go computes.
fn fixed(name: &str) -> String {
    format!("{name} cannot be modified")
}

/// True if the run acts as a go whose GOROOT is where it stands, whatever is set.
pub(crate) fn has_fixed_goroot(go_env: &GoEnv) -> bool {
    let acting = super::go_version(go_env);
    acting.is_ok_and(|acting| Change::FixedGoroot.applies_to(&acting.value))
}

fn check_compiler(name: &str, value: &str) -> Result<()> {
    let refuse = |text: String| Err(Error::new(Kind::Input, text));
    let words = match split_quoted(value) {
        Ok(words) => words,
        Err(what) => return refuse(format!("invalid {name}: {what}")),
    };
    let Some(program) = words.first() else {
        return refuse(format!("{name} entry cannot contain only space"));
    };
    // A bare name is looked up in PATH; anything else with a slash must be absolute.
    if !is_absolute(program) && (program.is_empty() || program.contains(is_separator)) {
        return refuse(format!(
            "{name} entry is relative; must be absolute path: {program:?}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_gos() {
        // Texts of `go env -w NAME=VALUE` (go1.26.8), after "go: ".
        let table = [
            ("FOO", "1", "unknown go command variable FOO"),
            ("GOMOD", "x", "GOMOD cannot be modified"),
            ("GOWORK", "off", "GOWORK cannot be modified"),
            (
                "GOENV",
                "x",
                "GOENV can only be set using the OS environment",
            ),
            (
                "GODEBUG",
                "x",
                "GODEBUG can only be set using the OS environment",
            ),
            ("GO111MODULE", "yes", "invalid GO111MODULE value \"yes\""),
            (
                "GOPATH",
                "~/x",
                "GOPATH entry cannot start with shell metacharacter '~': \"~/x\"",
            ),
            (
                "GOPATH",
                "x",
                "GOPATH entry is relative; must be absolute path: \"x\"",
            ),
            (
                "GOMODCACHE",
                "x",
                "GOMODCACHE entry is relative; must be absolute path: \"x\"",
            ),
            ("GOTMPDIR", "x", "GOTMPDIR must be an absolute path"),
            ("CC", " ", "CC entry cannot contain only space"),
            (
                "CC",
                "./cc",
                "CC entry is relative; must be absolute path: \"./cc\"",
            ),
            ("CXX", "'a", "invalid CXX: unterminated ' string"),
            ("GOPROXY", "a\nb", "invalid newline in GOPROXY=... value"),
            (
                "MODFETCH_JOBS",
                "1",
                "unknown go command variable MODFETCH_JOBS",
            ),
        ];
        let env = GoEnv::load(&Environment::default());
        for (name, value, want) in table {
            let error = check_write(&env, name, value, false).expect_err(name);
            assert_eq!(error.chain(), want);
        }
        for (name, value) in [
            ("GOPROXY", "off"),
            ("GOPATH", ""),
            ("CC", "gcc -m64"),
            ("CC", "/x/cc"),
        ] {
            assert!(
                check_write(&env, name, value, false).is_ok(),
                "{name}={value}"
            );
        }
        assert!(check_write(&env, "MODFETCH_JOBS", "1", true).is_ok());
        assert!(check_write(&env, "MODFETCH_JOBS", "x", true).is_err());
    }
}
