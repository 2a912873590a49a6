//! Running a system program: its input and output, and an end to every wait.
//!
//! [`Program`] says what to run: arguments as they are (no shell), directory, environment, input,
//! limits. [`Program::run`] keeps what the program prints; [`Program::run_into`] hands its stdout on
//! piece by piece, so that memory does not grow with it.
//!
//! # What always holds
//! - stdin is the given input, or `/dev/null`: no program reads what is meant for modfetch.
//! - The program is ended when its time is over, when its run is cancelled, and when it prints more
//!   than its limit: asked first, so that it can remove its lock files, then killed. With [`Program::own_group`] its children are killed too, also if a signal ends
//!   modfetch ([`kill_groups`]): git and ssh start others.
//! - A process that the program leaves behind may hold its pipes open: that is waited for only
//!   briefly.
//! - No secret of a command line or of the output gets into a message unless the caller puts it there:
//!   errors name the program alone, and [`redact()`] removes what was declared secret, and every user
//!   and password from URLs.

#![allow(dead_code, reason = "version control uses the rest of it")]

mod groups;
mod redact;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::system::lead_group;
pub(crate) use groups::kill_groups;
use groups::{GRACE, ProcessGroup};
pub(crate) use redact::redact;

/// More than any set of credentials, and any message worth reading.
const OUTPUT_BYTES: u64 = 1 << 20;

/// How long output may still come after the program itself has ended: a daemon that it left
/// behind may hold the pipe for ever.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// How often it is looked whether a program has ended or is to be stopped, at least.
const POLL: Duration = Duration::from_millis(20);

/// How much of a pipe is read at once.
const PIECE_BYTES: usize = 64 << 10;

/// Pieces that may wait for the caller: with more the program waits.
const PIECES: usize = 4;

/// A program to be run.
#[derive(Clone)]
pub(crate) struct Program<'c> {
    name: OsString,
    arguments: Vec<OsString>,
    directory: Option<PathBuf>,
    clears_environment: bool,
    /// `None` removes a variable.
    environment: Vec<(OsString, Option<OsString>)>,
    input: Option<Vec<u8>>,
    held: Option<&'c File>,
    time_limit: Duration,
    stdout_limit: u64,
    own_group: bool,
    cancelled: Option<&'c (dyn Fn() -> bool + Sync)>,
}

/// What a program that ended has left.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// What it printed; empty if it was handed on.
    pub(crate) stdout: Vec<u8>,
    /// The first mebibyte of its complaints.
    pub(crate) stderr: Vec<u8>,
}

impl Ran {
    /// `None` for success, else as `exit status 1`, in go's words.
    pub(crate) fn failure(&self) -> Option<String> {
        (!self.status.success()).then(|| match self.status.code() {
            Some(code) => format!("exit status {code}"),
            None => self.status.to_string(),
        })
    }

    /// Its complaints as text, without secrets: see [`redact()`].
    pub(crate) fn complaint(&self, secrets: &[&str]) -> String {
        redact(String::from_utf8_lossy(&self.stderr).trim_end(), secrets)
    }
}

/// Why there is no [`Ran`].
#[derive(Debug)]
pub(crate) enum ProcError {
    /// The program could not be started.
    Start(io::Error),
    /// It did not end within this time, and was killed.
    TooSlow(Duration),
    /// It printed more than this many bytes, and was killed.
    TooMuch(u64),
    /// The run was cancelled, and the program killed.
    Cancelled,
    /// What it printed could not be handed on; it was killed.
    Sink(io::Error),
}

impl ProcError {
    /// True if there is no such program.
    pub(crate) fn is_missing_program(&self) -> bool {
        matches!(self, ProcError::Start(cause) if cause.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for ProcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProcError::Start(cause) => write!(f, "cannot be run: {}", crate::io_text(cause)),
            ProcError::TooSlow(limit) => write!(f, "was stopped after {limit:?}"),
            ProcError::TooMuch(limit) => write!(f, "printed more than {limit} bytes"),
            ProcError::Cancelled => f.write_str("was cancelled"),
            ProcError::Sink(cause) => {
                write!(f, "its output cannot be kept: {}", crate::io_text(cause))
            }
        }
    }
}

impl<'c> Program<'c> {
    /// A program without arguments, found in PATH if `name` has no slash, that may take `time_limit`.
    pub(crate) fn new(name: impl AsRef<OsStr>, time_limit: Duration) -> Program<'c> {
        Program {
            name: name.as_ref().to_owned(),
            arguments: Vec::new(),
            directory: None,
            clears_environment: false,
            environment: Vec::new(),
            input: None,
            held: None,
            time_limit,
            stdout_limit: OUTPUT_BYTES,
            own_group: false,
            cancelled: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub(crate) fn args<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Self {
        arguments.into_iter().fold(self, Program::arg)
    }

    /// Runs it in this directory.
    #[must_use]
    pub(crate) fn current_dir(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_owned());
        self
    }

    /// Sets a variable of its environment, which otherwise is that of this process.
    #[must_use]
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let value = Some(value.as_ref().to_owned());
        self.environment.push((name.as_ref().to_owned(), value));
        self
    }

    /// Removes a variable of its environment.
    #[must_use]
    pub(crate) fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), None));
        self
    }

    /// Starts from an empty environment.
    #[must_use]
    pub(crate) fn env_clear(mut self) -> Self {
        self.clears_environment = true;
        self
    }

    /// What it reads on stdin; without, that is empty.
    #[must_use]
    pub(crate) fn input(mut self, input: Vec<u8>) -> Self {
        self.input = Some(input);
        self
    }

    /// Has it read this file, empty as a rule, on stdin. A lock on the file then lasts as long as the
    /// program, also if this process is killed.
    #[must_use]
    pub(crate) fn holding(mut self, file: &'c File) -> Self {
        self.held = Some(file);
        self
    }

    /// The most it may print, in bytes; by default one mebibyte.
    #[must_use]
    pub(crate) fn stdout_limit(mut self, bytes: u64) -> Self {
        self.stdout_limit = bytes;
        self
    }

    /// Runs it in a process group of its own, so that whatever it starts can be killed with it. It
    /// then cannot ask on a terminal.
    #[must_use]
    pub(crate) fn own_group(mut self) -> Self {
        self.own_group = true;
        self
    }

    /// Kills it as soon as `cancelled` returns true.
    #[must_use]
    pub(crate) fn cancelled_by(mut self, cancelled: &'c (dyn Fn() -> bool + Sync)) -> Self {
        self.cancelled = Some(cancelled);
        self
    }

    /// Runs it and keeps what it prints.
    ///
    /// # Errors
    /// Those of [`ProcError`]. A program that ends with another status than 0 is no error here.
    pub(crate) fn run(&self) -> Result<Ran, ProcError> {
        let mut stdout = Vec::new();
        let ran = self.run_into(&mut stdout)?;
        Ok(Ran { stdout, ..ran })
    }

    /// Runs it and hands on what it prints, in pieces.
    ///
    /// # Errors
    /// As [`Program::run`], and those of `sink`.
    pub(crate) fn run_into(&self, sink: &mut dyn Write) -> Result<Ran, ProcError> {
        let deadline = Instant::now().checked_add(self.time_limit);
        let mut command = self.command().map_err(ProcError::Start)?;
        let child = command.spawn().map_err(ProcError::Start)?;
        let mut running = RunningProgram {
            group: self.own_group.then(|| ProcessGroup::of(&child)),
            child,
            status: None,
        };
        // Where this process may have no more threads, the program is stopped by Drop.
        let pieces = running
            .connect(self.input.clone())
            .map_err(ProcError::Start)?;
        let (mut printed, mut stderr) = (0, Vec::new());
        let (mut open, mut pause) = (2, Duration::from_millis(1));
        let mut until = None;
        loop {
            let piece = match open {
                0 => {
                    thread::sleep(pause);
                    Err(RecvTimeoutError::Timeout)
                }
                _ => pieces.recv_timeout(pause),
            };
            match piece {
                Ok(Piece::Out(data)) => {
                    printed += data.len() as u64;
                    if printed > self.stdout_limit {
                        return Err(ProcError::TooMuch(self.stdout_limit));
                    }
                    sink.write_all(&data).map_err(ProcError::Sink)?;
                }
                Ok(Piece::Err(data)) => {
                    let room = (OUTPUT_BYTES as usize).saturating_sub(stderr.len());
                    stderr.extend_from_slice(data.get(..room).unwrap_or(&data));
                }
                Ok(Piece::End) => open -= 1,
                Err(_) => pause = (pause * 2).min(POLL),
            }
            let now = Instant::now();
            if let Some(status) = running.ended() {
                if open == 0 || *until.get_or_insert(now + AFTERWARDS) <= now {
                    return Ok(Ran {
                        status,
                        stdout: Vec::new(),
                        stderr,
                    });
                }
            } else if deadline.is_some_and(|deadline| now >= deadline) {
                return Err(ProcError::TooSlow(self.time_limit));
            } else if self.cancelled.is_some_and(|cancelled| cancelled()) {
                return Err(ProcError::Cancelled);
            }
        }
    }

    fn command(&self) -> io::Result<Command> {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        if self.clears_environment {
            command.env_clear();
        }
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if self.own_group {
            lead_group(&mut command);
        }
        command
            .stdin(match (&self.input, self.held) {
                (Some(_), _) => Stdio::piped(),
                (None, Some(file)) => Stdio::from(file.try_clone()?),
                (None, None) => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command)
    }
}

impl fmt::Debug for Program<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Arguments and environment may be secret.
        f.debug_struct("Program")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What comes from the pipes of a program.
enum Piece {
    Out(Vec<u8>),
    Err(Vec<u8>),
    End,
}

/// A started program, killed when dropped before its end.
struct RunningProgram {
    child: Child,
    group: Option<ProcessGroup>,
    status: Option<ExitStatus>,
}

impl RunningProgram {
    /// Starts a thread for each pipe.
    fn connect(&mut self, input: Option<Vec<u8>>) -> io::Result<Receiver<Piece>> {
        if let (Some(mut pipe), Some(input)) = (self.child.stdin.take(), input) {
            // A program need not read its input; the thread ends with the program.
            thread::Builder::new().spawn(move || pipe.write_all(&input))?;
        }
        let (sender, pieces) = bounded(PIECES);
        read_pipe(self.child.stdout.take(), sender.clone(), Piece::Out)?;
        read_pipe(self.child.stderr.take(), sender, Piece::Err)?;
        Ok(pieces)
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
            if self.status.is_some() {
                // From here on the number may belong to another process.
                self.group = None;
            }
        }
        self.status
    }
}

impl Drop for RunningProgram {
    fn drop(&mut self) {
        if self.ended().is_none() {
            if let Some(group) = &self.group {
                group.terminate();
                let until = Instant::now() + GRACE;
                while Instant::now() < until {
                    if matches!(self.child.try_wait(), Ok(Some(_))) {
                        // What it has started was asked as well; what is left of that is killed.
                        break;
                    }
                    thread::sleep(Duration::from_millis(2));
                }
                group.kill();
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Reads a pipe in a thread of its own, piece by piece, until its end or until the receiver is gone.
fn read_pipe(
    pipe: Option<impl Read + Send + 'static>,
    sender: Sender<Piece>,
    piece: fn(Vec<u8>) -> Piece,
) -> io::Result<()> {
    let Some(mut pipe) = pipe else {
        let _ = sender.send(Piece::End);
        return Ok(());
    };
    let reading = thread::Builder::new().spawn(move || {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    let data = buffer.get(..count).unwrap_or_default().to_vec();
                    if sender.send(piece(data)).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let _ = sender.send(Piece::End);
    });
    reading.map(drop)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    fn shell(script: &str, limit: Duration) -> Program<'static> {
        Program::new("sh", limit).arg("-c").arg(script)
    }

    #[test]
    fn input_output_and_status() {
        let ran = shell("cat; echo no >&2; exit 3", LONG).input(b"in".to_vec());
        let ran = ran.run().unwrap();
        assert_eq!(ran.failure().as_deref(), Some("exit status 3"));
        assert_eq!(
            (&ran.stdout[..], &ran.stderr[..]),
            (&b"in"[..], &b"no\n"[..])
        );
        let ran = shell("cat", LONG).run().unwrap();
        assert_eq!((ran.failure(), ran.stdout.len()), (None, 0));
        let missing = Program::new("/nonexistent/x", LONG).run().unwrap_err();
        assert!(missing.is_missing_program());
        assert_eq!(
            missing.to_string(),
            "cannot be run: no such file or directory"
        );
    }

    #[test]
    fn directory_and_environment() {
        let dir = tempfile::tempdir().unwrap();
        let ran = shell("pwd -P; echo $A-$B-$HOME", LONG)
            .current_dir(dir.path())
            .env_clear()
            .env("A", "1")
            .env("B", "2")
            .env_remove("B");
        let want = format!("{}\n1--\n", dir.path().canonicalize().unwrap().display());
        assert_eq!(String::from_utf8(ran.run().unwrap().stdout).unwrap(), want);
    }

    #[test]
    fn a_slow_program_is_killed_and_a_daemon_left_behind_is_not_waited_for() {
        let started = Instant::now();
        let slow = shell("exec sleep 60", Duration::from_millis(50)).run();
        assert!(matches!(slow, Err(ProcError::TooSlow(_))));
        let ran = shell("sleep 20 & echo out", LONG).run().unwrap();
        assert_eq!(ran.stdout, b"out\n");
        assert!(started.elapsed() < Duration::from_secs(15));
    }

    #[test]
    fn a_cancelled_program_is_killed_with_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let begun = dir.path().join("begun");
        let script = format!(
            "(sleep 60; :) & echo $! > '{0}.tmp'; mv '{0}.tmp' '{0}'; wait",
            begun.display()
        );
        let seen = AtomicBool::new(false);
        let cancelled = || {
            seen.fetch_or(begun.exists(), Ordering::Relaxed);
            seen.load(Ordering::Relaxed)
        };
        let ran = shell(&script, LONG)
            .own_group()
            .cancelled_by(&cancelled)
            .run();
        assert!(matches!(ran, Err(ProcError::Cancelled)));
        let child = fs::read_to_string(&begun).unwrap();
        let stat = format!("/proc/{}/stat", child.trim());
        // Killed: a zombie until the first process of the system has noticed, then nothing.
        let is_alive = || fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
        while is_alive() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn output_beyond_its_limit_is_refused_and_long_output_is_handed_on() {
        let much = shell("yes", LONG).run();
        assert!(matches!(much, Err(ProcError::TooMuch(_))));
        let ran = shell("head -c 3000000 /dev/zero", LONG).stdout_limit(3_000_000);
        assert_eq!(ran.run().unwrap().stdout.len(), 3_000_000);
        let complaints = shell("head -c 3000000 /dev/zero >&2; echo", LONG)
            .run()
            .unwrap();
        assert_eq!(
            (complaints.stderr.len(), complaints.stdout.len()),
            (1 << 20, 1)
        );
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let full = shell("yes", LONG).run_into(&mut Full);
        assert!(matches!(full, Err(ProcError::Sink(_))));
    }
}
