//! Where in a file something is wrong, and the list of all that is.

use crate::error::{Error, Kind};
use crate::gomod::quote::quote;

/// A place in a file, as people count: from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: u32,
    /// In characters, not bytes.
    pub(super) column: u32,
}

/// One fault. Its text has the place already apart from the file's name.
#[derive(Debug)]
pub(super) struct GoModProblem {
    position: Position,
    text: String,
    kind: Kind,
    hints: Vec<String>,
}

impl GoModProblem {
    pub(super) fn new(position: Position, fault: impl Into<UnplacedProblem>) -> GoModProblem {
        let fault = fault.into();
        GoModProblem {
            position,
            text: fault.text,
            kind: fault.kind,
            hints: fault.hints,
        }
    }
}

/// What is wrong, before it is known where.
#[derive(Debug)]
pub(super) struct UnplacedProblem {
    text: String,
    kind: Kind,
    hints: Vec<String>,
}

impl UnplacedProblem {
    /// `VERB PATH: reason`, with what is empty left out.
    pub(super) fn of(verb: &str, path: &str, reason: impl std::fmt::Display) -> UnplacedProblem {
        if path.is_empty() {
            UnplacedProblem::from(format!("{verb}: {reason}"))
        } else {
            UnplacedProblem::from(format!("{verb} {path}: {reason}"))
        }
    }

    /// What a query for a version in a file failed of, as go tells it there: of the directive, and
    /// not of the module.
    pub(super) fn of_query(verb: &str, path: &str, error: Error) -> UnplacedProblem {
        let mut fault = UnplacedProblem::from(error);
        // These name what they are about.
        let bare = ["no matching versions for query", "malformed module path"];
        let text = &fault.text;
        let told = if let Some(reason) = text.strip_prefix(&format!("module {path}: ")) {
            match bare.iter().any(|bare| reason.starts_with(bare)) {
                true => UnplacedProblem::from(reason),
                false => UnplacedProblem::of(verb, path, reason),
            }
        } else if let Some((version, reason)) = of_version(path, text) {
            match reason.strip_prefix("invalid version: ") {
                Some(reason) if reason.starts_with("malformed module path") => {
                    UnplacedProblem::from(reason)
                }
                Some(reason) => {
                    let reason = format!("version {} invalid: {reason}", quote(version));
                    UnplacedProblem::of(verb, path, reason)
                }
                None => UnplacedProblem::of(verb, path, reason),
            }
        } else {
            return fault;
        };
        fault.text = told.text;
        fault
    }

    pub(super) fn hint(mut self, hint: &str) -> UnplacedProblem {
        self.hints.push(hint.to_owned());
        self
    }
}

/// The version and the rest of `PATH@VERSION: rest`.
fn of_version<'t>(path: &str, text: &'t str) -> Option<(&'t str, &'t str)> {
    text.strip_prefix(path)?.strip_prefix('@')?.split_once(": ")
}

impl From<String> for UnplacedProblem {
    fn from(text: String) -> UnplacedProblem {
        UnplacedProblem {
            text,
            kind: Kind::Input,
            hints: Vec::new(),
        }
    }
}

impl From<&str> for UnplacedProblem {
    fn from(text: &str) -> UnplacedProblem {
        UnplacedProblem::from(text.to_owned())
    }
}

impl From<Error> for UnplacedProblem {
    fn from(error: Error) -> UnplacedProblem {
        UnplacedProblem {
            text: error.chain(),
            kind: error.kind(),
            hints: error.hints().to_vec(),
        }
    }
}

/// Joins faults, one a line, as `FILE:LINE:COLUMN: text`; column 1 is left out, as go does.
///
/// The kind is the gravest of theirs; a hint that several share is given once.
pub(super) fn report(file: &str, problems: Vec<GoModProblem>) -> (Kind, String, Vec<String>) {
    let kind = problems
        .iter()
        .map(|problem| problem.kind)
        .min_by_key(|kind| kind.rank())
        .unwrap_or(Kind::Input);
    let mut lines = String::new();
    let mut hints: Vec<String> = Vec::new();
    for problem in problems {
        if !lines.is_empty() {
            lines.push('\n');
        }
        let Position { line, column } = problem.position;
        if column > 1 {
            lines.push_str(&format!("{file}:{line}:{column}: {}", problem.text));
        } else {
            lines.push_str(&format!("{file}:{line}: {}", problem.text));
        }
        for hint in problem.hints {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
    }
    (kind, lines, hints)
}
