//! Where a value came from, kept beside the value so that messages can say so.

use std::fmt;
use std::path::PathBuf;

use crate::Kind;

/// The place that decided a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A command line flag, as it is documented: `--jobs`, `-modfile`.
    Flag(String),
    /// The process environment: the variable, which may be an alias or stand for another
    /// (`GOPRIVATE` for `GONOPROXY`).
    Environment(String),
    /// The user's file, see `GOENV`.
    GoEnvFile(PathBuf),
    /// `go.env` in GOROOT.
    GoRootFile(PathBuf),
    /// Nothing: the built-in value.
    Default,
}

impl Origin {
    /// The kind of failure that a refused value from there is.
    #[must_use]
    pub fn refusal(&self) -> Kind {
        match self {
            Origin::Flag(_) => Kind::Usage,
            _ => Kind::Input,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(flag) => write!(f, "from flag {flag}"),
            Origin::Environment(_) => f.write_str("from the environment"),
            Origin::GoEnvFile(path) => write!(f, "from GOENV file {}", path.display()),
            Origin::GoRootFile(path) => write!(f, "from GOROOT file {}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A resolved value and the place that decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value in force.
    pub value: T,
    /// Where it was decided.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// Joins a value with its origin.
    pub fn new(value: T, origin: Origin) -> Setting<T> {
        Setting { value, origin }
    }

    /// Changes the value and keeps the origin.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        Setting::new(change(self.value), self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_read_as_parts_of_a_sentence() {
        let table = [
            (Origin::Flag("--jobs".into()), "from flag --jobs"),
            (
                Origin::Environment("GOPROXY".into()),
                "from the environment",
            ),
            (Origin::GoEnvFile("/a/env".into()), "from GOENV file /a/env"),
            (
                Origin::GoRootFile("/go/go.env".into()),
                "from GOROOT file /go/go.env",
            ),
            (Origin::Default, "default"),
        ];
        for (origin, want) in table {
            assert_eq!(origin.to_string(), want);
        }
    }
}
