//! One argument that names modules.

use std::fmt;

use crate::error::{Error, Kind, Result};

/// One argument that names modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// `all`: the build list.
    All,
    /// With `...`.
    Pattern(String),
    /// A dependency of the main module.
    Path(String),
    /// `path@version`, where the version may be a query.
    Versioned {
        /// Before the `@`.
        path: String,
        /// After it.
        version: String,
    },
}

impl Argument {
    /// Reads an argument, in go's words where it is none.
    ///
    /// # Errors
    /// [`Kind::Usage`].
    pub fn parse(argument: &str) -> Result<Argument> {
        let usage = |text: String| Err(Error::new(Kind::Usage, text));
        if argument.contains('\\') {
            return usage("module paths never use backslash".into());
        }
        let relative = argument == "." || argument == "..";
        if relative || argument.starts_with("./") || argument.starts_with("../") {
            return usage(format!(
                "cannot use relative path {argument} to specify module"
            ));
        }
        if argument == "all" {
            return Ok(Argument::All);
        }
        if argument.contains("...") && !argument.contains('@') {
            return Ok(Argument::Pattern(argument.to_owned()));
        }
        match argument.split_once('@') {
            None => Ok(Argument::Path(argument.to_owned())),
            Some((_, version)) if version.starts_with(['-', '/']) => {
                usage(format!("invalid module version {version:?}"))
            }
            Some((path, version)) => Ok(Argument::Versioned {
                path: path.to_owned(),
                version: version.to_owned(),
            }),
        }
    }

    /// True if this is about the main module with the path `main`, of which nothing is fetched: its
    /// path, also with `@upgrade` or `@patch`, which leave it where it is.
    ///
    /// Source: go `cmd/go/internal/modcmd/download.go`, `runDownload`.
    #[must_use]
    pub fn is_about(&self, main: &str) -> bool {
        match self {
            Argument::All | Argument::Pattern(_) => false,
            Argument::Path(path) => path == main,
            Argument::Versioned { path, version } => {
                path == main && ["upgrade", "patch"].contains(&version.as_str())
            }
        }
    }
}

/// As typed.
impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::All => f.write_str("all"),
            Argument::Pattern(text) | Argument::Path(text) => f.write_str(text),
            Argument::Versioned { path, version } => write!(f, "{path}@{version}"),
        }
    }
}
