//! What an error says about the host: how far the trouble goes, and what others need not try.

use std::fmt;

use crate::error::{Error, Kind};
use crate::http::limits::HostEvidence;
use crate::http::url::RedactedUrl;

/// How far trouble with a host goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureScope {
    /// One request was in vain.
    Request,
    /// One was, and each other would be, until something is changed here.
    Host,
    /// This request was not made, because of others.
    NotAsked,
}

/// The reason of an error for a host that did not do its work in all the tries of a request, that
/// nothing can be asked of, or that was not asked because of others that ended so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFailure {
    host: String,
    reach: FailureScope,
    reason: String,
}

impl HostFailure {
    pub(crate) fn new(host: &str, reach: FailureScope, reason: String) -> HostFailure {
        HostFailure {
            host: host.to_owned(),
            reach,
            reason,
        }
    }

    /// Finds it among the reasons of an error.
    #[must_use]
    pub fn of(error: &Error) -> Option<&HostFailure> {
        find(error)
    }

    /// The host, with its port if that is unusual.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// False if the host was given up before this request began.
    #[must_use]
    pub fn was_asked(&self) -> bool {
        self.reach != FailureScope::NotAsked
    }

    /// True if it is news about the host, not about one request.
    #[must_use]
    pub fn is_of_all(&self) -> bool {
        self.reach != FailureScope::Request
    }
}

impl fmt::Display for HostFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for HostFailure {}

/// The reason of an error where no connection came about.
#[derive(Debug)]
pub(super) struct Unreachable(pub(super) String);

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreachable {}

fn find<T: std::error::Error + 'static>(error: &Error) -> Option<&T> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

/// What a transient failure says about the host.
pub(in crate::http) fn evidence(error: &Error) -> HostEvidence {
    match find::<Unreachable>(error) {
        Some(_) => HostEvidence::Unreachable,
        None => HostEvidence::Failing,
    }
}

/// Why it failed, on one line, without the URL.
pub(in crate::http) fn short_reason(url: &RedactedUrl, error: &Error) -> String {
    let chain = error.chain();
    let first = chain.lines().next().unwrap_or_default();
    let plain = first.strip_prefix(&format!("reading {url}: "));
    plain.unwrap_or(first).to_owned()
}

/// The error of a request that was not made, because its host is given up for this reason.
pub(in crate::http) fn not_asked(url: &RedactedUrl, host: &str, cause: &str) -> Error {
    let reason = format!("not tried, because {host} is failing: {cause}");
    let trouble = HostFailure::new(host, FailureScope::NotAsked, reason);
    Error::new(Kind::Network, format!("reading {url}"))
        .because(trouble)
        .transient()
}

/// Says at the end of the reason how often it was tried, if more than once; where more lines
/// follow, such as what the server said, at the end of the first. Remembers the host.
pub(in crate::http) fn tried(error: &Error, tries: u32, host: &str) -> Error {
    let message = error.to_string();
    let chain = error.chain();
    let reason = chain
        .strip_prefix(&message)
        .and_then(|rest| rest.strip_prefix(": "));
    let counted = |text: &str| match text.split_once('\n') {
        _ if tries < 2 => text.to_owned(),
        Some((first, rest)) => format!("{first} (tried {tries} times)\n{rest}"),
        None => format!("{text} (tried {tries} times)"),
    };
    let (message, reason) = match reason {
        Some(reason) => (message, counted(reason)),
        None => (counted(&message), String::new()),
    };
    let trouble = HostFailure::new(host, FailureScope::Request, reason);
    let told = Error::new(error.kind(), message).because(trouble);
    let told = error
        .hints()
        .iter()
        .fold(told, |told, hint| told.hint(hint.as_str()));
    if error.is_transient() {
        told.transient()
    } else {
        told
    }
}
