//! GOAUTH: its list of methods, run lazily, once, and again for a URL that was refused.
//!
//! Source: golang/go `cmd/go/internal/auth/auth.go`, `runGoAuth`; `gitauth.go`; `userauth.go`.
//! Where it differs, all to the same end, that a secret goes nowhere but where it belongs:
//! git learns the outcome from the server's answer to the request itself, in place of a
//! further `HEAD` request, and in the same directory; after 408, 425 and 429 no helper is asked
//! again, since the request is repeated anyway; a URL's own user and password are not passed to
//! commands; every program has a time limit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::answer::{parse_command, parse_git};
use super::netrc;
use super::table::{GitLogin, Held, Table, covers};
use crate::cancel::Deadline;
use crate::error::{Error, Kind, Result};
use crate::gomod::words::split_quoted;
use crate::http::url::Url;
use crate::io_text;
use crate::proc::{ProcError, Program, Ran};

/// Longer than a cloud provider's tool takes to get a token over a slow line.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// One entry of the list.
#[derive(Debug)]
enum GoAuthMethod {
    Netrc {
        lines: Vec<netrc::NetrcLine>,
        file: String,
    },
    Git {
        dir: PathBuf,
    },
    Command {
        words: Vec<String>,
    },
}

impl std::fmt::Debug for netrc::NetrcLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line")
            .field("machine", &self.machine)
            .finish_non_exhaustive()
    }
}

/// A method, what it last failed of, and whether asking again is of no use.
#[derive(Debug)]
struct GoAuthEntry {
    method: GoAuthMethod,
    trouble: Mutex<Option<String>>,
    given_up: AtomicBool,
}

/// The list at work.
#[derive(Debug)]
pub(super) struct GoAuth {
    entries: Vec<GoAuthEntry>,
    table: RwLock<Table>,
    /// Held while methods run: what one thread learns the others need not ask for.
    asking: Mutex<()>,
    /// When no program may run any more.
    deadline: Option<Deadline>,
}

/// A refusal, as a command reads it.
pub(super) struct AuthRefusal<'a> {
    pub(super) url: &'a Url,
    /// Status line, headers, empty line.
    pub(super) head: &'a [u8],
}

impl GoAuth {
    /// Reads the list and runs each command in it without a URL, as before the first request.
    /// `netrc` is the file of the method of that name.
    ///
    /// # Errors
    /// [`Kind::Input`] for a list that makes no sense, in go's words except for the list itself,
    /// which may hold secrets. A method that fails is no error.
    pub(super) fn start(
        list: &str,
        netrc: Option<&Path>,
        deadline: Option<Deadline>,
    ) -> Result<GoAuth> {
        let auth = GoAuth {
            deadline,
            entries: parse(list, netrc)?,
            table: RwLock::default(),
            asking: Mutex::default(),
        };
        auth.run(None);
        Ok(auth)
    }

    /// What is known for a URL.
    pub(super) fn find(&self, url: &Url) -> Option<Arc<Held>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.find(url)
    }

    /// Asks for other credentials than those that were `sent` and refused; `None` if there are
    /// none.
    pub(super) fn again(
        &self,
        refusal: &AuthRefusal<'_>,
        sent: Option<&Held>,
    ) -> Option<Arc<Held>> {
        let asks = |entry: &GoAuthEntry| {
            let fixed = matches!(entry.method, GoAuthMethod::Netrc { .. });
            !fixed && !entry.given_up.load(Ordering::Relaxed)
        };
        if !self.entries.iter().any(asks) {
            return None;
        }
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let other = || {
            self.find(refusal.url)
                .filter(|found| sent.is_none_or(|sent| sent.headers != found.headers))
        };
        // Another thread may have asked while this one waited.
        other().or_else(|| {
            self.run(Some(refusal));
            other()
        })
    }

    /// What went wrong, a sentence a method; without output of a command, which may be secret.
    pub(super) fn troubles(&self) -> Vec<String> {
        let trouble = |entry: &GoAuthEntry| {
            let trouble = entry.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            trouble.clone()
        };
        self.entries.iter().filter_map(trouble).collect()
    }

    /// Runs every method, the first last, so that of two with the same prefix it decides.
    fn run(&self, refusal: Option<&AuthRefusal<'_>>) {
        for entry in self.entries.iter().rev() {
            if entry.given_up.load(Ordering::Relaxed) {
                continue;
            }
            let outcome = match (&entry.method, refusal) {
                (GoAuthMethod::Netrc { lines, file }, _) => {
                    self.change(|table| table.put_netrc(lines, file));
                    continue;
                }
                // It knows nothing without a URL.
                (GoAuthMethod::Git { .. }, None) => continue,
                (GoAuthMethod::Git { dir }, Some(refusal)) => self.ask_git(dir, refusal.url),
                (GoAuthMethod::Command { words }, refusal) => self.ask_command(words, refusal),
            };
            let trouble = match outcome {
                Ok(()) => None,
                Err(failure) => {
                    let for_good = failure.for_good;
                    entry.given_up.fetch_or(for_good, Ordering::Relaxed);
                    Some(failure.text)
                }
            };
            *entry.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        }
    }

    fn change(&self, change: impl FnOnce(&mut Table)) {
        change(&mut self.table.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn ask_command(
        &self,
        words: &[String],
        refusal: Option<&AuthRefusal<'_>>,
    ) -> Result<(), MethodFailed> {
        let Some((program, arguments)) = words.split_first() else {
            return Ok(());
        };
        // Its arguments may be secret.
        let named = format!("GOAUTH command {program}");
        let mut command = Program::new(program, limit(self.deadline)).args(arguments);
        if let Some(refusal) = refusal {
            let input = refusal.head.to_vec();
            command = command.arg(refusal.url.wire()).input(input);
        }
        let output = finished(&named, no_prompts(command).run())?.stdout;
        let unusable = |reason: &str| MethodFailed::passing(format!("{named}: {reason}"));
        let text = String::from_utf8(output)
            .map_err(|_| unusable("cannot parse output: it is not UTF-8"))?;
        let sections = parse_command(&text)
            .map_err(|reason| unusable(&format!("cannot parse output: {reason}")))?;
        for section in sections {
            // All of them first: nothing of a section is used if a part of it is wrong.
            let urls: Result<Vec<Url>> = section.urls.iter().map(|url| Url::parse(url)).collect();
            let urls = urls.map_err(|_| unusable("cannot parse output: could not parse URL"))?;
            for url in urls.iter().filter(|url| url.user().is_none()) {
                let source = format!("{named}, for {url}");
                let held = Arc::new(Held::new(section.headers.clone(), source));
                self.change(|table| table.put(url, &held));
            }
        }
        Ok(())
    }

    fn ask_git(&self, dir: &Path, url: &Url) -> Result<(), MethodFailed> {
        let named = format!("GOAUTH=git {}", dir.display());
        let input = format!("url={}\n", url.wire()).into_bytes();
        let command = git(dir, "fill", limit(self.deadline)).input(input);
        let ran = finished(&format!("{named}: 'git credential fill'"), command.run())?;
        let unusable = |reason: &str| {
            let text = format!("{named}: 'git credential fill' gave {reason}");
            MethodFailed::passing(text)
        };
        let answer = String::from_utf8(ran.stdout).map_err(|_| unusable("what is not UTF-8"))?;
        let told = parse_git(&answer).ok_or_else(|| unusable("no password"))?;
        let prefix = Url::parse(&told.prefix).map_err(|_| unusable("no URL"))?;
        if !covers(&prefix, url) {
            return Err(unusable("a credential for another URL than was asked for"));
        }
        let mut held = Held::basic(&told.user, &told.password, format!("{named}, for {prefix}"));
        held.git = Some(GitLogin {
            dir: dir.to_owned(),
            answer: answer.into_bytes(),
            deadline: self.deadline,
            told: AtomicBool::new(false),
        });
        self.change(|table| table.put(&prefix, &Arc::new(held)));
        Ok(())
    }
}

/// How long a program may run that is started now.
fn limit(deadline: Option<Deadline>) -> Duration {
    deadline.map_or(TIME_LIMIT, |deadline| deadline.left().min(TIME_LIMIT))
}

/// Tells git's credential helpers whether its answer was right: once, at the first verdict. What
/// comes of it is git's affair.
pub(super) fn tell_git(login: &GitLogin, right: bool) {
    if !login.told.swap(true, Ordering::SeqCst) {
        let action = if right { "approve" } else { "reject" };
        let command = git(&login.dir, action, limit(login.deadline));
        let _ = command.input(login.answer.clone()).run();
    }
}

fn git(dir: &Path, action: &str, limit: Duration) -> Program<'static> {
    let command = Program::new("git", limit).args(["credential", action]);
    no_prompts(command.current_dir(dir))
}

/// As go does for every program that it runs: there is no user to answer.
fn no_prompts(command: Program<'_>) -> Program<'_> {
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GCM_INTERACTIVE", "never")
}

/// Why a method brought nothing.
struct MethodFailed {
    text: String,
    for_good: bool,
}

impl MethodFailed {
    fn passing(text: String) -> MethodFailed {
        MethodFailed {
            text,
            for_good: false,
        }
    }
}

fn finished(named: &str, ran: Result<Ran, ProcError>) -> Result<Ran, MethodFailed> {
    let ran = ran.map_err(|error| MethodFailed {
        text: match error {
            ProcError::TooSlow(limit) if limit < TIME_LIMIT => {
                format!("{named} was stopped when the time of the run was over")
            }
            ProcError::TooMuch(_) => format!("{named} printed too much"),
            error => format!("{named} {error}"),
        },
        for_good: true,
    })?;
    let Some(failure) = ran.failure() else {
        return Ok(ran);
    };
    // Git's own complaint names no password. A command's could, if only by `set -x`.
    let stderr = String::from_utf8_lossy(&ran.stderr);
    let fatal = stderr
        .lines()
        .find(|line| line.starts_with("fatal: ") && named.starts_with("GOAUTH=git "));
    Err(MethodFailed::passing(match fatal {
        Some(fatal) => format!("{named} failed: {}", Url::redact_text(fatal)),
        None => format!("{named} failed: {failure}"),
    }))
}

/// Parses the list; the texts are go's.
fn parse(list: &str, netrc: Option<&Path>) -> Result<Vec<GoAuthEntry>> {
    let refused = |text: String| {
        Error::new(Kind::Input, text).hint("`go help goauth` explains what GOAUTH may be")
    };
    let mut entries = Vec::new();
    let methods: Vec<&str> = list.split(';').map(str::trim).collect();
    for text in &methods {
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut trouble = None;
        let method = match words.as_slice() {
            [] => return Err(refused("GOAUTH encountered an empty command".into())),
            ["off", ..] if methods.len() == 1 => return Ok(Vec::new()),
            ["off", ..] => {
                let text = "GOAUTH=off cannot be combined with other authentication commands";
                return Err(refused(text.into()));
            }
            ["netrc", ..] => {
                let file = netrc.map_or(String::new(), |file| format!("netrc {}", file.display()));
                let lines = match netrc.map(fs::read) {
                    // A byte that is not UTF-8 spoils the word it is in, not the file.
                    Some(Ok(data)) => netrc::parse(&String::from_utf8_lossy(&data)),
                    Some(Err(cause)) if cause.kind() != io::ErrorKind::NotFound => {
                        trouble = Some(format!("{file}: {}", io_text(&cause)));
                        Vec::new()
                    }
                    _ => Vec::new(),
                };
                GoAuthMethod::Netrc { lines, file }
            }
            ["git", rest @ ..] => {
                let about = "GOAUTH=git dir method requires an absolute path to the git working \
                             directory";
                let [dir] = rest else {
                    return Err(refused(about.into()));
                };
                let dir = PathBuf::from(dir);
                if !dir.is_absolute() {
                    return Err(refused(format!("{about}, dir is not absolute")));
                }
                let found = fs::metadata(&dir).map_err(|cause| {
                    let text = format!(
                        "GOAUTH=git encountered an error; cannot stat {}",
                        dir.display()
                    );
                    refused(text).because(cause)
                })?;
                if !found.is_dir() {
                    return Err(refused(format!("{about}, dir is not a directory")));
                }
                GoAuthMethod::Git { dir }
            }
            [program, ..] => match split_quoted(text) {
                Ok(words) => GoAuthMethod::Command { words },
                Err(reason) => {
                    trouble = Some(format!("cannot parse GOAUTH command {program}: {reason}"));
                    GoAuthMethod::Command { words: Vec::new() }
                }
            },
        };
        entries.push(GoAuthEntry {
            given_up: AtomicBool::new(
                trouble.is_some() && !matches!(method, GoAuthMethod::Netrc { .. }),
            ),
            trouble: Mutex::new(trouble),
            method,
        });
    }
    Ok(entries)
}

#[cfg(all(test, unix))]
#[path = "goauth_tests.rs"]
mod tests;
