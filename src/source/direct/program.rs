//! Programs for version control: what each start has in common, and what their complaints mean.
//!
//! A program that the network failed is started again, by the schedule that requests have. Every
//! start has an end: the time of the run, or an hour; a transfer that stalls ends sooner where the
//! program has a setting for that. Complaints are shown as go shows them, without secrets.
//!
//! Source: golang/go `cmd/go/internal/modfetch/codehost/codehost.go`, `Run`, `RunError`.

use std::env::{self, consts::EXE_SUFFIX};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::settings::DirectSettings;
use super::work;
use crate::cancel::Deadline;
use crate::error::{Error, Kind, Reason, Result};
use crate::event::Event;
use crate::fsio::FileLock;
use crate::http::{RealTimer, RetryClass, Timer as _};
use crate::proc::{ProcError, Program, Ran};
use crate::system::is_executable;

/// The longest that a program may run where the run itself has no limit.
const LONGEST_RUN: Duration = Duration::from_secs(60 * 60);

/// The most that a program may print: a list of a million refs.
const OUTPUT_BYTES: u64 = 256 << 20;

/// What all programs of a run share.
pub(super) struct Programs {
    pub(super) settings: DirectSettings,
}

impl Programs {
    pub(super) fn new(settings: DirectSettings) -> Arc<Programs> {
        Arc::new(Programs { settings })
    }

    /// True if a program of this name is in PATH.
    pub(super) fn has(&self, name: &str) -> bool {
        let path = self.settings.path.as_deref().unwrap_or_default();
        let file = format!("{name}{EXE_SUFFIX}");
        let mut directories = env::split_paths(path).filter(|dir| !dir.as_os_str().is_empty());
        directories.any(|dir| {
            let found = dir.join(&file).metadata();
            found.is_ok_and(|found| is_executable(&found))
        })
    }

    /// Runs a program to its end, once, and again while the network fails it.
    pub(super) fn run(&self, invocation: &ProgramInvocation<'_>) -> Result<Ran> {
        let started = Instant::now();
        let mut attempt = 1;
        loop {
            let error = match self.run_once(invocation) {
                Ok(ran) => return Ok(ran),
                Err(error) => error,
            };
            if !error.is_transient() || !invocation.network {
                return Err(error);
            }
            let schedule = &self.settings.retry;
            let failure = RetryClass::Transient;
            let wait = schedule.schedule(attempt, started.elapsed(), failure, RealTimer.jitter());
            let cancel = &self.settings.cancel;
            let in_time = |wait: &Duration| {
                let deadlines = [cancel.deadline(), work::deadline()];
                let in_time = |deadline: Deadline| *wait < deadline.left();
                deadlines.into_iter().flatten().all(in_time)
                    && !cancel.is_over()
                    && !work::is_over()
            };
            let Some(wait) = wait.filter(in_time) else {
                return Err(match attempt {
                    1 => error,
                    tries => error.hint(format!("tried {tries} times")),
                });
            };
            RealTimer.wait(wait, cancel);
            attempt += 1;
        }
    }

    fn run_once(&self, invocation: &ProgramInvocation<'_>) -> Result<Ran> {
        let deadlines = [self.settings.cancel.deadline(), work::deadline()];
        let left = deadlines.into_iter().flatten().map(|at| at.left()).min();
        let limit = left.unwrap_or(LONGEST_RUN).min(LONGEST_RUN);
        let cancelled = || self.settings.cancel.is_over() || work::is_over();
        if cancelled() {
            return Err(invocation.not_run(&ProcError::Cancelled));
        }
        let mut program = Program::new(invocation.program, limit)
            .args(&invocation.arguments)
            .stdout_limit(OUTPUT_BYTES)
            .own_group()
            .cancelled_by(&cancelled);
        if let Some(lock) = invocation.held {
            program = program.holding(lock.as_file());
        }
        if let Some(dir) = invocation.dir {
            program = program.current_dir(dir).env("PWD", dir);
        }
        for (name, value) in self
            .settings
            .environment
            .iter()
            .chain(&invocation.environment)
        {
            program = program.env(name, value);
        }
        for name in invocation.removed {
            program = program.env_remove(name);
        }
        let command = invocation.command();
        work::say(&Event::ProgramStarted { command: &command });
        let begun = Instant::now();
        let ran = program.run();
        work::say(&Event::ProgramFinished {
            command: &command,
            elapsed: begun.elapsed(),
        });
        let ran = ran.map_err(|cause| invocation.not_run(&cause))?;
        match ran.failure() {
            None => Ok(ran),
            Some(status) => Err(invocation.failed(&status, &ran)),
        }
    }
}

/// One program with its arguments.
pub(super) struct ProgramInvocation<'a> {
    pub(super) program: &'a str,
    pub(super) arguments: Vec<String>,
    /// How many of the first arguments are not shown.
    pub(super) hidden: usize,
    pub(super) dir: Option<&'a Path>,
    pub(super) environment: Vec<(String, String)>,
    /// Variables that it must not inherit.
    pub(super) removed: &'a [&'a str],
    /// It uses the network: what fails may work the next time.
    pub(super) network: bool,
    /// The lock that it works under.
    pub(super) held: Option<&'a FileLock>,
    /// The package that has the program.
    pub(super) package: &'a str,
}

impl ProgramInvocation<'_> {
    /// The command line without secrets, and without settings that no user has typed.
    fn line(&self, quote: fn(&str) -> String) -> String {
        let mut text = self.program.to_owned();
        for argument in self.arguments.iter().skip(self.hidden) {
            text.push(' ');
            text.push_str(&quote(&crate::proc::redact(argument, &[])));
        }
        text
    }

    /// As go shows it with `-x`.
    fn command(&self) -> String {
        let line = self.line(quoted);
        match self.dir {
            Some(dir) => format!("cd {}; {line}", dir.display()),
            None => line,
        }
    }

    /// As go shows it in errors: the command line and where it ran.
    fn shown(&self) -> String {
        let text = self.line(str::to_owned);
        match self.dir {
            Some(dir) => format!("{text} in {}", dir.display()),
            None => text,
        }
    }

    fn not_run(&self, cause: &ProcError) -> Error {
        if cause.is_missing_program() {
            return missing_program(self.program, self.package);
        }
        let kind = match cause {
            ProcError::TooSlow(_) | ProcError::Cancelled => Kind::Network,
            ProcError::Start(_) | ProcError::Sink(_) => Kind::LocalIo,
            ProcError::TooMuch(_) => Kind::Other,
        };
        Error::new(kind, format!("{} {cause}", self.shown()))
    }

    fn failed(&self, status: &str, ran: &Ran) -> Error {
        let complaint = ran.complaint(&[]);
        let meaning = Meaning::of(&complaint);
        let mut text = format!("{}: {status}", self.shown());
        if !complaint.is_empty() {
            text.push_str(":\n\t");
            text.push_str(&complaint.replace('\n', "\n\t"));
        }
        let error = Error::new(meaning.kind, text);
        let error = match meaning.hint {
            Some(hint) => error.hint(hint),
            None => error,
        };
        match meaning.transient {
            true => error.transient(),
            false => error,
        }
    }
}

/// An argument as go writes it into a command line.
///
/// Source: golang/go `cmd/go/internal/modfetch/codehost/codehost.go`, `run`.
fn quoted(argument: &str) -> String {
    if argument.contains('\'') {
        let mut text = String::from("\"");
        for character in argument.chars() {
            if matches!(character, '"' | '$' | '`' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push('"');
        return text;
    }
    let is_special = |character: char| character.is_whitespace() || "$`\\*?[\"".contains(character);
    match argument.contains(is_special) {
        true => format!("'{argument}'"),
        false => argument.to_owned(),
    }
}

/// A program that is not installed.
pub(super) fn missing_program(program: &str, package: &str) -> Error {
    let text = format!("exec: {program:?}: executable file not found in $PATH");
    Error::new(Kind::Other, text)
        .hint(format!("install the package {package}"))
        .with_reason(Reason::ProgramMissing)
}

/// What a program complains about.
struct Meaning {
    kind: Kind,
    transient: bool,
    hint: Option<&'static str>,
}

impl Meaning {
    fn of(complaint: &str) -> Meaning {
        const AUTH: &[&str] = &[
            "could not read username",
            "could not read password",
            "authentication failed",
            "authorization failed",
            "terminal prompts disabled",
            "permission denied",
            "access denied",
            "returned error: 401",
            "returned error: 403",
            "http error 401",
            "http error 403",
            "host key verification failed",
        ];
        const NOT_FOUND: &[&str] = &[
            "repository not found",
            "' not found",
            "does not appear to be a git repository",
            "returned error: 404",
            "returned error: 410",
            "http error 404",
            "http error 410",
            "e170000",
            "e160013",
        ];
        const DAMAGED: &[&str] = &[
            "pack is corrupt",
            "pack has bad object",
            "sha1 mismatch",
            "hash mismatch",
            "collision",
            "inflate returned",
            "is corrupt",
            "corrupt loose object",
            "unresolved deltas",
        ];
        const PASSING: &[&str] = &[
            "could not resolve",
            "couldn't resolve",
            "failed to connect",
            "couldn't connect",
            "could not connect",
            "connection refused",
            "connection reset",
            "connection timed out",
            "operation timed out",
            "operation too slow",
            "early eof",
            "unexpected disconnect",
            "the remote end hung up",
            "rpc failed",
            "empty reply",
            "gnutls_handshake",
            "ssl_error_syscall",
            "error: 429",
            "error: 500",
            "error: 502",
            "error: 503",
            "error: 504",
            "http error 429",
            "http error 5",
            "unable to connect",
            "e000111",
            "e000104",
            "network is unreachable",
            "temporary failure in name resolution",
        ];
        let text = complaint.to_lowercase();
        let has = |list: &[&str]| list.iter().any(|part| text.contains(part));
        let meaning = |kind, transient, hint| Meaning {
            kind,
            transient,
            hint,
        };
        if has(AUTH) {
            let hint = "confirm that the import path was entered correctly; for a private \
                        repository give credentials: a token in MODFETCH_TOKEN_HOST, ~/.netrc, or \
                        git's credential helper";
            meaning(Kind::Auth, false, Some(hint))
        } else if has(NOT_FOUND) {
            meaning(Kind::NotFound, false, None)
        } else if has(DAMAGED) {
            meaning(Kind::Security, false, None)
        } else if has(PASSING) {
            meaning(Kind::Network, true, None)
        } else {
            meaning(Kind::Network, false, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_as_by_go() {
        // What `go mod download -x` shows of such arguments.
        let rows = [
            ("--prefix=prefix/", "--prefix=prefix/"),
            ("--format=format:%H %ct %D", "'--format=format:%H %ct %D'"),
            ("refs/heads/*:refs/heads/*", "'refs/heads/*:refs/heads/*'"),
            ("it's $x", "\"it's \\$x\""),
        ];
        for (argument, want) in rows {
            assert_eq!(quoted(argument), want);
        }
    }

    #[test]
    fn complaints_have_a_kind() {
        // What git 2.39.5, hg 6.3.2 and svn 1.14.2 print.
        let rows = [
            (
                "fatal: could not read Username for 'https://v.test': terminal prompts disabled",
                Kind::Auth,
                false,
            ),
            (
                "fatal: repository 'https://v.test/x/' not found",
                Kind::NotFound,
                false,
            ),
            (
                "fatal: unable to access 'https://v.test/': Could not resolve host: v.test",
                Kind::Network,
                true,
            ),
            (
                "fatal: unable to access 'https://v.test/': The requested URL returned error: 503",
                Kind::Network,
                true,
            ),
            (
                "error: RPC failed; curl 18 transfer closed\nfatal: early EOF",
                Kind::Network,
                true,
            ),
            ("abort: HTTP Error 404: Not Found", Kind::NotFound, false),
            (
                "svn: E170013: Unable to connect to a repository at URL 'https://v.test/'",
                Kind::Network,
                true,
            ),
            (
                "fatal: pack has bad object at offset 12: inflate returned -3",
                Kind::Security,
                false,
            ),
            ("fatal: something new", Kind::Network, false),
        ];
        for (text, kind, transient) in rows {
            let meaning = Meaning::of(text);
            assert_eq!(
                (meaning.kind, meaning.transient),
                (kind, transient),
                "{text}"
            );
        }
    }
}
