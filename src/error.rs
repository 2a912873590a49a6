//! The one error type of the crate, and the one place that turns a failure into an exit code.
//!
//! An [`Error`] says what was being attempted and on what ([`fmt::Display`]), leaves the reason
//! to [`std::error::Error::source`], and keeps its [`Kind`] and its hints apart from both, so
//! that callers branch on predicates and never on text. Nothing here prints.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it is: decides the exit code and how grave it is beside others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A command line that cannot be understood.
    Usage,
    /// A malformed go.mod, go.work, go.sum, setting or module path.
    Input,
    /// No source has the module or version (404 or 410 everywhere).
    NotFound,
    /// A checksum, proof or zip rule that does not hold.
    Security,
    /// Network or server trouble that outlasted every retry.
    Network,
    /// Credentials missing or refused (401, 403).
    Auth,
    /// The local file system: full, read-only, permission, I/O error.
    LocalIo,
    /// A lock that was not obtained in time.
    LockTimeout,
    /// A check that found differences.
    Differs,
    /// Offline, and the cache does not have it.
    Offline,
    /// Anything else.
    Other,
}

impl Kind {
    /// The process exit status of a run whose gravest failure is of this kind.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Other => 1,
            Kind::Usage => 2,
            Kind::Input => 3,
            Kind::NotFound => 4,
            Kind::Security => 5,
            Kind::Network => 6,
            Kind::Auth => 7,
            Kind::LocalIo => 8,
            Kind::LockTimeout => 9,
            Kind::Differs => 10,
            Kind::Offline => 11,
        }
    }

    /// Lower is graver. The order is 2, then 5 3 7 4 11 8 9 6 10 1, by exit code.
    ///
    /// A usage error ends a run before anything else can fail, so it comes first.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Kind::Usage => 0,
            Kind::Security => 1,
            Kind::Input => 2,
            Kind::Auth => 3,
            Kind::NotFound => 4,
            Kind::Offline => 5,
            Kind::LocalIo => 6,
            Kind::LockTimeout => 7,
            Kind::Network => 8,
            Kind::Differs => 9,
            Kind::Other => 10,
        }
    }

    /// The name used by `ErrorKind` in JSON output: stable, lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Usage => "usage",
            Kind::Input => "input",
            Kind::NotFound => "not-found",
            Kind::Security => "security",
            Kind::Network => "network",
            Kind::Auth => "auth",
            Kind::LocalIo => "local-io",
            Kind::LockTimeout => "lock-timeout",
            Kind::Differs => "differs",
            Kind::Offline => "offline",
            Kind::Other => "other",
        }
    }
}

/// The module, or the version of it, that a failure is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The module path.
    pub path: String,
    /// A version, or what was asked for in its place; `None` for the module as a whole.
    pub version: Option<String>,
}

impl Subject {
    /// A module as a whole.
    #[must_use]
    pub fn module(path: impl fmt::Display) -> Subject {
        Subject {
            path: path.to_string(),
            version: None,
        }
    }

    /// A version of a module; an empty one is the module as a whole.
    #[must_use]
    pub fn version(path: impl fmt::Display, version: impl fmt::Display) -> Subject {
        let version = Some(version.to_string()).filter(|version| !version.is_empty());
        Subject {
            version,
            ..Subject::module(path)
        }
    }
}

impl fmt::Display for Subject {
    /// `PATH@VERSION` or `module PATH`, as go's messages begin.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}@{version}", self.path),
            None => write!(f, "module {}", self.path),
        }
    }
}

/// Why something failed, where callers act on it and [`Kind`] does not say enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// GOPROXY is `off`, or comes to `off` before anything has it.
    ProxyOff,
    /// The answer to a version query is one that must not be used: retracted or excluded versions, no match.
    QueryRefused,
    /// The flag `-mod` or its value.
    ModFlag,
    /// An object store does not answer, or refuses what was asked.
    StoreFailed,
    /// An object store has the object that was to be written only if it had none.
    StoreHasIt,
    /// What is not found was there once: 410.
    Gone,
    /// go.sum has another hash.
    SumMismatch,
    /// A go.sum that cannot be parsed.
    MalformedGoSum,
    /// A system program that is not installed.
    ProgramMissing,
}

/// A failure: what was attempted, why it failed, and what to do next.
///
/// Cheap to clone, because one failure (a go.mod that cannot be fetched) may be the reason of
/// several others.
#[derive(Clone, Debug)]
pub struct Error(Arc<ErrorInner>);

#[derive(Clone, Debug)]
struct ErrorInner {
    kind: Kind,
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync + 'static>>,
    hints: Vec<String>,
    transient: bool,
    /// Set in the layer whose message it is.
    subject: Option<Subject>,
    reason: Option<Reason>,
}

impl Error {
    /// Makes an error from what was attempted and on what: subject first, lower case, no period.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error(Arc::new(ErrorInner {
            kind,
            message: message.into(),
            source: None,
            hints: Vec::new(),
            transient: false,
            subject: None,
            reason: None,
        }))
    }

    /// An I/O failure: `verb` is what was attempted ("cannot open"), `path` on what.
    #[must_use]
    pub fn io(verb: &str, path: &Path, cause: io::Error) -> Error {
        Error::new(Kind::LocalIo, format!("{verb} {}", path.display())).because(cause)
    }

    fn edit(mut self, change: impl FnOnce(&mut ErrorInner)) -> Error {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Adds the reason, shown after the message and a colon.
    #[must_use]
    pub fn because(self, cause: impl StdError + Send + Sync + 'static) -> Error {
        self.edit(|inner| inner.source = Some(Arc::new(cause)))
    }

    /// Adds a next step the reader can take; printed on a line of its own.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Error {
        self.edit(|inner| inner.hints.push(hint.into()))
    }

    /// Marks the failure as one that may pass: another try may succeed.
    #[must_use]
    pub fn transient(self) -> Error {
        self.edit(|inner| inner.transient = true)
    }

    /// Says why it failed, for callers that act on it.
    #[must_use]
    pub fn with_reason(self, reason: Reason) -> Error {
        self.edit(|inner| inner.reason = Some(reason))
    }

    /// Wraps the error in a message of an outer layer, keeping its kind, hints, transience and reason.
    #[must_use]
    pub fn context(self, message: impl Into<String>) -> Error {
        let (kind, hints, transient) = (self.0.kind, self.0.hints.clone(), self.0.transient);
        let reason = self.0.reason;
        let outer = Error::new(kind, message).because(self);
        outer.edit(|inner| {
            inner.hints = hints;
            inner.transient = transient;
            inner.reason = reason;
        })
    }

    /// Names what it is about: the message begins with `PATH@VERSION: ` or `module PATH: `.
    #[must_use]
    pub fn about(self, subject: impl Into<Subject>) -> Error {
        let subject = subject.into();
        let outer = self.context(subject.to_string());
        outer.edit(|inner| inner.subject = Some(subject))
    }

    /// The kind, which decides the exit code.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The module or version that the message begins with, if it begins with one.
    #[must_use]
    pub fn subject(&self) -> Option<&Subject> {
        self.0.subject.as_ref()
    }

    /// The same failure without the [`Error::subject`] that its message begins with, so that another
    /// name can take its place.
    #[must_use]
    pub fn without_subject(self) -> Error {
        let cause = self.0.source.as_ref().filter(|_| self.0.subject.is_some());
        let Some(cause) = cause.and_then(|cause| cause.downcast_ref::<Error>()) else {
            return self;
        };
        let (cause, hints) = (cause.clone(), self.0.hints.clone());
        cause.edit(|inner| inner.hints = hints)
    }

    /// Why it failed, where that is known as data.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.0.reason
    }

    /// The next steps, in the order they were added.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// True if the thing does not exist at that source (404 or 410, a missing file of a
    /// `file://` proxy): the only failure after which `,` in GOPROXY moves on.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.kind == Kind::NotFound
    }

    /// True if another try may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.transient
    }

    /// The message and every reason below it, joined by `: ` as go prints them.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            let cause_text = match cause.downcast_ref::<io::Error>() {
                Some(cause) => io_text(cause),
                None => cause.to_string(),
            };
            if !cause_text.is_empty() {
                if !text.is_empty() {
                    text.push_str(": ");
                }
                text.push_str(&cause_text);
            }
            next = cause.source();
        }
        text
    }

    /// The gravest kind of a set of failures, by [`Kind::rank`].
    pub fn gravest<'a>(errors: impl IntoIterator<Item = &'a Error>) -> Option<Kind> {
        errors
            .into_iter()
            .map(Error::kind)
            .min_by_key(|kind| kind.rank())
    }
}

/// The text of a system's failure as people and scripts know it: `permission denied`, without
/// the capital and the number that std adds.
pub(crate) fn io_text(cause: &io::Error) -> String {
    let text = cause.to_string();
    let Some(code) = cause.raw_os_error() else {
        return text;
    };
    let plain = text
        .strip_suffix(&format!(" (os error {code})"))
        .unwrap_or(&text);
    let mut letters = plain.chars();
    match (letters.next(), letters.next()) {
        // An acronym keeps its capitals.
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(plain.chars().skip(1)).collect()
        }
        _ => plain.to_owned(),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| &**source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_joins_every_reason() {
        let cause = io::Error::other("disk on fire");
        let error = Error::io("cannot open", Path::new("/a/b"), cause).context("a.com/m@v1.0.0");
        assert_eq!(
            error.chain(),
            "a.com/m@v1.0.0: cannot open /a/b: disk on fire"
        );
        assert_eq!(error.kind(), Kind::LocalIo);
    }

    #[test]
    fn system_failures_read_as_go_prints_them() {
        // ENOENT and EACCES, on every Unix.
        for (code, want) in [(2, "no such file or directory"), (13, "permission denied")] {
            let error = Error::io(
                "cannot open",
                Path::new("/x"),
                io::Error::from_raw_os_error(code),
            );
            assert_eq!(error.chain(), format!("cannot open /x: {want}"));
        }
    }

    #[test]
    fn context_keeps_kind_hints_and_transience() {
        let error = Error::new(Kind::Network, "x")
            .hint("try later")
            .transient()
            .context("y");
        assert_eq!(error.kind(), Kind::Network);
        assert_eq!(error.hints(), ["try later"]);
        assert!(error.is_transient());
    }

    #[test]
    fn the_subject_is_data_and_can_be_replaced() {
        let cause = Error::new(Kind::Offline, "disabled").with_reason(Reason::ProxyOff);
        let error = cause
            .about(Subject::version("a.com/m", "v1.0.0"))
            .hint("next");
        assert_eq!(error.chain(), "a.com/m@v1.0.0: disabled");
        assert_eq!(
            error.subject().map(|found| found.path.as_str()),
            Some("a.com/m")
        );
        assert_eq!(error.reason(), Some(Reason::ProxyOff));
        let other = error.without_subject().about(Subject::module("b.com/n"));
        assert_eq!(other.chain(), "module b.com/n: disabled");
        assert_eq!(
            (other.hints(), other.reason()),
            (&["next".to_owned()][..], Some(Reason::ProxyOff))
        );
        let within = other.context("loading");
        assert_eq!(within.subject(), None);
        assert_eq!(
            within.without_subject().chain(),
            "loading: module b.com/n: disabled"
        );
    }

    #[test]
    fn the_gravest_failure_wins_in_the_documented_order() {
        // The order that DESIGN.md gives, by exit code.
        let order = [5, 3, 7, 4, 11, 8, 9, 6, 1];
        let kinds = [
            Kind::Other,
            Kind::Network,
            Kind::LockTimeout,
            Kind::LocalIo,
            Kind::Offline,
            Kind::NotFound,
            Kind::Auth,
            Kind::Input,
            Kind::Security,
        ];
        for (i, &grave) in order.iter().enumerate() {
            for &mild in &order[i + 1..] {
                let find = |code| kinds.into_iter().find(|k: &Kind| k.exit_code() == code);
                let errors = [
                    Error::new(find(mild).expect("every code has a kind"), "mild"),
                    Error::new(find(grave).expect("every code has a kind"), "grave"),
                ];
                assert_eq!(Error::gravest(&errors).map(Kind::exit_code), Some(grave));
            }
        }
    }
}
