//! Results to stdout, errors and notices to stderr.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::json::{JsonObject, info};
use super::summary::Summary;
use crate::config::{Color, Log};
use crate::error::{Error, Kind, Reason, Result};

/// True if go prints this without its name before it: an error that ends it in the middle of its work.
///
/// Source: golang/go `cmd/go/internal/modfetch/fetch.go`, `initGoSum` and `checkModSum`, through `base.Fatal`.
fn dies_nameless(name: &str, error: &Error) -> bool {
    let ends = matches!(
        error.reason(),
        Some(Reason::SumMismatch | Reason::MalformedGoSum)
    );
    // Within the failure of a module, the error is one of several.
    name == "go" && ends && error.source().is_none()
}

/// The two streams, and how the program calls itself in messages.
#[derive(Clone, Debug)]
pub struct Console {
    name: &'static str,
    log: Log,
    color: bool,
    quiet: bool,
    /// The hints that were printed: of a thousand failures with the same next step, one names it.
    hinted: Arc<Mutex<BTreeSet<String>>>,
}

impl Console {
    /// A console whose messages begin with `NAME: `.
    #[must_use]
    pub fn new(name: &'static str, log: Log, color: Color, quiet: bool) -> Console {
        let color = match color {
            Color::Auto => io::stderr().is_terminal(),
            Color::Always => true,
            Color::Never => false,
        };
        Console {
            name,
            log,
            color: color && log == Log::Text,
            quiet,
            hinted: Arc::default(),
        }
    }

    /// Writes data to stdout.
    ///
    /// # Errors
    /// [`Kind::LocalIo`]. A reader that has gone away is no error: it has what it wanted.
    pub fn data(&self, text: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::new(Kind::LocalIo, "cannot write to stdout").because(cause))
            }
            _ => Ok(()),
        }
    }

    /// Tells an error and its hints. Said even with `--quiet`.
    pub fn error(&self, error: &Error) {
        self.tell(
            error,
            Some(self.name).filter(|name| !dies_nameless(name, error)),
        );
    }

    /// Tells what a check found, as `go` does: without the program's name.
    pub fn finding(&self, error: &Error) {
        self.tell(error, None);
    }

    fn tell(&self, error: &Error, name: Option<&str>) {
        match self.log {
            Log::Text => {
                let (red, bold, plain) = if self.color {
                    ("\x1b[1;31m", "\x1b[1m", "\x1b[0m")
                } else {
                    ("", "", "")
                };
                let name = name.map(|name| format!("{red}{name}:{plain} "));
                self.say(&(name.unwrap_or_default() + &error.chain()));
                let mut hinted = self.hinted.lock().unwrap_or_else(PoisonError::into_inner);
                for hint in error.hints() {
                    if !hinted.insert(hint.clone()) {
                        continue;
                    }
                    self.say(&format!("{bold}hint:{plain} {hint}"));
                }
            }
            Log::Json => {
                let mut line = JsonObject::new();
                line.string("level", "error");
                line.string("message", &error.chain());
                line.string("kind", error.kind().name());
                line.strings("hints", error.hints());
                self.say(&line.compact());
            }
        }
    }

    /// Tells something worth knowing that is no failure, with the program's name before it.
    pub fn note(&self, text: &str) {
        match self.log {
            Log::Text => self.line(&format!("{}: {text}", self.name)),
            Log::Json => self.line(text),
        }
    }

    /// Tells what a run came to. Said even with `--quiet`: it was asked for.
    pub fn summary(&self, summary: &Summary) {
        match self.log {
            Log::Text => self.say(&format!("{}: {}", self.name, summary.text())),
            Log::Json => self.say(&summary.json().compact()),
        }
    }

    /// The name of the program, as messages have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Tells a line as it is.
    pub fn line(&self, text: &str) {
        if self.quiet {
            return;
        }
        self.say(&info(self.log, text));
    }

    fn say(&self, text: &str) {
        // There is nowhere to report that stderr is gone.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_go_has_no_name_before_it() {
        // go1.27.4 with a go.sum of one wrong line, and with one of another hash.
        let malformed =
            Error::new(Kind::Input, "malformed go.sum").with_reason(Reason::MalformedGoSum);
        let mismatch = Error::new(Kind::Security, "verifying").with_reason(Reason::SumMismatch);
        let rows = [
            ("go", &malformed, true),
            ("go", &mismatch, true),
            ("modfetch", &malformed, false),
            ("modfetch", &mismatch, false),
            ("go", &mismatch.clone().context("a.com/m@v1.0.0"), false),
            (
                "go",
                &Error::new(Kind::Security, "verifying module: missing GOSUMDB"),
                false,
            ),
        ];
        for (name, error, want) in rows {
            assert_eq!(
                dies_nameless(name, error),
                want,
                "{name}: {}",
                error.chain()
            );
        }
    }
}
