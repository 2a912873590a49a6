//! A program that ran, or still runs, and what is demanded of it.

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, Once, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT};

use super::go::Program;
use super::tree::Picture;

/// A running child in a process group of its own.
pub struct Running {
    program: Program,
    command: String,
    root: PathBuf,
    group: Pid,
    started: Instant,
    limit: Duration,
    status: mpsc::Receiver<ExitStatus>,
    stdout: Option<Pipe>,
    stderr: Option<Pipe>,
    done: bool,
}

impl Running {
    pub(super) fn start(
        program: Program,
        mut command: Command,
        root: PathBuf,
        limit: Duration,
    ) -> Running {
        let shown = shown(&command);
        default_signals();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
        let stdout = child.stdout.take().map(collect);
        let stderr = child.stderr.take().map(collect);
        let id = i32::try_from(child.id()).expect("process ids fit");
        let (sender, status) = mpsc::channel();
        thread::spawn(move || wait(child, &sender));
        Running {
            program,
            command: shown,
            root,
            group: Pid::from_raw(id),
            started: Instant::now(),
            limit,
            status,
            stdout,
            stderr,
            done: false,
        }
    }

    /// Sends a signal to the program and whatever it started.
    pub fn signal(&self, signal: Signal) {
        let _ = killpg(self.group, signal);
    }

    /// Waits until it has said this on standard error, of which the sandbox's folder is shown as
    /// `[ROOT]`.
    ///
    /// # Panics
    /// If it does not within the time limit; the program is killed then.
    #[track_caller]
    pub fn until_stderr_has(&self, text: &str) {
        let root = self.root.display().to_string();
        let said = || {
            let bytes = self.stderr.as_ref().map(Pipe::so_far).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace(&root, "[ROOT]")
        };
        while !said().contains(text) {
            let late = self.started.elapsed() > self.limit;
            let what = format!("{} did not say\n{text}\nbut\n{}", self.command, said());
            assert!(!late, "{what}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What it has said on standard error so far.
    pub fn stderr_so_far(&self) -> String {
        let bytes = self.stderr.as_ref().map(Pipe::so_far).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If the time limit is passed; the program is killed then.
    #[track_caller]
    pub fn wait(mut self) -> Run {
        let left = self.limit.saturating_sub(self.started.elapsed());
        let status = self.status.recv_timeout(left).ok();
        self.done = true;
        if status.is_none() {
            self.signal(Signal::SIGKILL);
        }
        let text = |pipe: Option<Pipe>| {
            let bytes = pipe.map(Pipe::into_bytes).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let run = Run {
            program: self.program,
            command: self.command.clone(),
            root: self.root.clone(),
            code: status.and_then(|status| status.code()),
            stdout: text(self.stdout.take()),
            stderr: text(self.stderr.take()),
            took: self.started.elapsed(),
        };
        if status.is_none() {
            run.fault(&format!("still running after {:?}", self.limit));
        }
        run
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.done {
            self.signal(Signal::SIGKILL);
        }
    }
}

/// Lets children hear SIGINT and SIGHUP although the parent of the tests ignores them, as the shell of a
/// background job and `nohup` do: what is ignored stays so in a new program, what is handled becomes default.
fn default_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let always = Arc::new(AtomicBool::new(true));
        // The handler does what there would be without it: the tests themselves can be interrupted.
        signal_hook::flag::register_conditional_default(SIGINT, always).expect("SIGINT exists");
        // The tests go on after a hangup where they would without the handler.
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        if ignored.is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0) {
            signal_hook::flag::register(SIGHUP, Arc::default()).expect("SIGHUP exists");
        }
    });
}

fn wait(mut child: Child, sender: &mpsc::Sender<ExitStatus>) {
    if let Ok(status) = child.wait() {
        // Nobody listens if the test failed meanwhile.
        let _ = sender.send(status);
    }
}

/// What a program has said, collected by a thread.
struct Pipe {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: JoinHandle<()>,
}

impl Pipe {
    fn so_far(&self) -> Vec<u8> {
        self.bytes.lock().expect("nothing panics with it").clone()
    }

    fn into_bytes(self) -> Vec<u8> {
        let bytes = Arc::clone(&self.bytes);
        let _ = self.thread.join();
        let mut bytes = bytes.lock().expect("nothing panics with it");
        std::mem::take(&mut *bytes)
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> Pipe {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let collected = Arc::clone(&bytes);
    let thread = thread::spawn(move || {
        let mut buffer = [0; 1 << 16];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            let mut collected = collected.lock().expect("nothing panics with it");
            collected.extend_from_slice(&buffer[..count]);
        }
    });
    Pipe { bytes, thread }
}

fn shown(command: &Command) -> String {
    let mut text = String::new();
    for (name, value) in command.get_envs() {
        let value = value.unwrap_or_default().to_string_lossy();
        let _ = write!(text, "{}={value:?} ", name.to_string_lossy());
    }
    text.push_str(&command.get_program().to_string_lossy());
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// A program that ended.
pub struct Run {
    program: Program,
    command: String,
    root: PathBuf,
    /// The exit status; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output, as it was.
    pub stdout: String,
    /// Standard error, as it was.
    pub stderr: String,
    /// From start to end.
    pub took: Duration,
}

impl Run {
    /// Demands exit status 0.
    #[track_caller]
    pub fn ok(&self) -> &Run {
        self.demand(self.code == Some(0), "exit status 0 wanted")
    }

    /// Demands this exit status; of go, which knows only 1 and 2 for failures, 1.
    #[track_caller]
    pub fn fails(&self, code: i32) -> &Run {
        let wanted = match self.program {
            Program::Modfetch => code,
            Program::Go => code.min(if code == 2 { 2 } else { 1 }),
        };
        self.demand(
            self.code == Some(wanted),
            &format!("exit status {wanted} wanted"),
        )
    }

    /// Demands exactly this standard output, with the sandbox's folder shown as `[ROOT]`.
    #[track_caller]
    pub fn stdout(&self, wanted: &str) -> &Run {
        let got = self.normal(&self.stdout);
        self.demand(got == wanted, &format!("standard output wanted:\n{wanted}"))
    }

    /// Demands exactly this standard error, with the sandbox's folder shown as `[ROOT]`.
    #[track_caller]
    pub fn stderr(&self, wanted: &str) -> &Run {
        let wanted = self.dialect(wanted);
        let got = self.normal(&self.stderr);
        self.demand(got == wanted, &format!("standard error wanted:\n{wanted}"))
    }

    /// Demands that standard error has this text somewhere.
    #[track_caller]
    pub fn stderr_has(&self, text: &str) -> &Run {
        let text = self.dialect(text);
        let got = self.normal(&self.stderr);
        self.demand(
            got.contains(&text),
            &format!("standard error should have:\n{text}"),
        )
    }

    /// Demands that standard output has this text somewhere.
    #[track_caller]
    pub fn stdout_has(&self, text: &str) -> &Run {
        let got = self.normal(&self.stdout);
        self.demand(
            got.contains(text),
            &format!("standard output should have:\n{text}"),
        )
    }

    /// Demands anything of the run, with the whole story in the message.
    #[track_caller]
    pub fn demand(&self, held: bool, what: &str) -> &Run {
        if !held {
            self.fault(what);
        }
        self
    }

    /// Messages of go begin with its own name.
    fn dialect(&self, text: &str) -> String {
        match self.program {
            Program::Modfetch => text.to_owned(),
            Program::Go => text.replace("modfetch: ", "go: "),
        }
    }

    /// Standard output with the sandbox's folder shown as `[ROOT]`.
    pub fn output(&self) -> String {
        self.normal(&self.stdout)
    }

    /// Standard error with the sandbox's folder shown as `[ROOT]`.
    pub fn talk(&self) -> String {
        self.normal(&self.stderr)
    }

    fn normal(&self, text: &str) -> String {
        text.replace(&*self.root.to_string_lossy(), "[ROOT]")
    }

    #[track_caller]
    fn fault(&self, what: &str) -> ! {
        let picture = Picture::of(&self.root);
        let tree = picture
            .paths()
            .into_iter()
            .take(200)
            .collect::<Vec<_>>()
            .join("\n");
        panic!(
            "{what}\n\ncommand: {}\nstatus: {:?} after {:?}\n----- stdout\n{}\n----- stderr\n{}\n----- tree\n{tree}\n-----",
            self.command, self.code, self.took, self.stdout, self.stderr,
        );
    }
}
