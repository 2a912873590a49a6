//! The process environment as a value: read once, here, and passed in everywhere else.
//!
//! Tests make their own with [`Environment::from_pairs`], so none of them depends on, or
//! disturbs, the environment of the test run.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Error, Kind, Result};

/// A snapshot of the environment variables a process was started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// Names of variables whose value is not Unicode: refused when they matter, see
    /// [`Environment::require_unicode`].
    unreadable: BTreeSet<String>,
}

impl Environment {
    /// Reads the environment of this process: the only place in the crate that does.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one reader of the environment"
    )]
    pub fn from_process() -> Environment {
        let mut environment = Environment::default();
        for (name, value) in std::env::vars_os() {
            // A name that is not Unicode is none of ours.
            let Ok(name) = name.into_string() else {
                continue;
            };
            match value.into_string() {
                Ok(value) => {
                    environment.variables.insert(name, value);
                }
                Err(_) => {
                    environment.unreadable.insert(name);
                }
            }
        }
        environment
    }

    /// Makes an environment from names and values; a later pair replaces an earlier one.
    #[must_use]
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Environment
    where
        N: Into<String>,
        V: Into<String>,
    {
        Environment {
            variables: pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            unreadable: BTreeSet::new(),
        }
    }

    /// Returns the value of a variable; an empty one counts as unset, as it does for go.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Lists every variable, the empty ones too, by name: what a child process is to inherit.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Refuses an environment in which a variable that `matters` is not Unicode.
    ///
    /// Treating such a variable as unset would, for `GOMODCACHE` say, fill another directory
    /// than the one that was meant.
    ///
    /// # Errors
    /// [`Kind::Input`], naming the first such variable.
    pub fn require_unicode(&self, matters: impl Fn(&str) -> bool) -> Result<()> {
        match self.unreadable.iter().find(|name| matters(name)) {
            None => Ok(()),
            Some(name) => Err(Error::new(
                Kind::Input,
                format!("environment variable {name} is not valid UTF-8"),
            )),
        }
    }
}

/// Returns Go's names of the operating system and architecture this program was built for.
#[must_use]
pub fn host_platform() -> (&'static str, &'static str) {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        "loongarch64" => "loong64",
        other => other,
    };
    (os, arch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_unset() {
        let env = Environment::from_pairs([("A", ""), ("B", "x"), ("B", "y")]);
        assert_eq!(env.get("A"), None);
        assert_eq!(env.get("B"), Some("y"));
        assert_eq!(env.get("C"), None);
        assert_eq!(env.iter().collect::<Vec<_>>(), [("A", ""), ("B", "y")]);
    }

    #[test]
    fn the_process_environment_is_read() {
        // Cargo sets this for every test run.
        assert!(
            Environment::from_process()
                .get("CARGO_MANIFEST_DIR")
                .is_some()
        );
    }

    #[test]
    fn a_value_that_is_not_unicode_is_refused_only_where_it_matters() {
        let mut env = Environment::default();
        env.unreadable.insert("GOPROXY".into());
        assert!(env.require_unicode(|name| name == "HOME").is_ok());
        let error = env
            .require_unicode(|name| name.starts_with("GO"))
            .expect_err("GOPROXY matters");
        assert_eq!(
            error.chain(),
            "environment variable GOPROXY is not valid UTF-8"
        );
        assert_eq!(error.kind(), Kind::Input);
    }
}
