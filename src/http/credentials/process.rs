//! Running a program for its output, with an end to every wait.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// More than any set of credentials.
const MAX_OUTPUT_BYTES: usize = 1 << 20;

/// How long output may still come after the program itself has ended: a daemon that it left
/// behind may hold the pipe for ever.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// How often a program is asked if it has ended, at most.
const POLL: Duration = Duration::from_millis(20);

/// What a program that ended has left.
pub(super) struct Ran {
    /// `None` for success, else as `exit status 1`.
    pub(super) failure: Option<String>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Why there is no [`Ran`].
#[derive(Debug)]
pub(super) enum Trouble {
    /// It could not be started.
    Start(io::Error),
    /// It did not end within this time, and was killed.
    TooSlow(Duration),
    /// It printed too much, and was killed.
    TooMuch,
}

/// Runs a program that reads `input`, if there is any, and nothing else.
pub(super) fn run(
    command: &mut Command,
    input: Option<Vec<u8>>,
    limit: Duration,
) -> Result<Ran, Trouble> {
    let deadline = Instant::now() + limit;
    let stdin = if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Trouble::Start)?;
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
        // Who does not read it is not asked to; the thread ends with the program.
        let writing = thread::Builder::new().spawn(move || pipe.write_all(&input));
        stop_unless(&mut child, writing)?;
    }
    let stdout = collect(child.stdout.take());
    let stdout = stop_unless(&mut child, stdout)?;
    let stderr = collect(child.stderr.take());
    let stderr = stop_unless(&mut child, stderr)?;
    let ended = ended(&mut child, deadline);
    let Some(status) = ended else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(Trouble::TooSlow(limit));
    };
    let until = deadline.min(Instant::now() + AFTERWARDS);
    let stdout = gather(&stdout, until)?;
    let stderr = gather(&stderr, until)?;
    Ok(Ran {
        failure: (!status.success()).then(|| match status.code() {
            Some(code) => format!("exit status {code}"),
            None => status.to_string(),
        }),
        stdout,
        stderr,
    })
}

/// Where the process may have no more threads, nobody can listen to the program.
fn stop_unless<T>(child: &mut Child, started: io::Result<T>) -> Result<T, Trouble> {
    started.map_err(|cause| {
        let _ = child.kill();
        let _ = child.wait();
        Trouble::Start(cause)
    })
}

fn ended(child: &mut Child, deadline: Instant) -> Option<std::process::ExitStatus> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(POLL);
    }
}

/// Reads a pipe in a thread of its own, piece by piece; one piece more than the limit at most.
fn collect(pipe: Option<impl Read + Send + 'static>) -> io::Result<mpsc::Receiver<Vec<u8>>> {
    let (sender, pieces) = mpsc::channel();
    if let Some(mut pipe) = pipe {
        thread::Builder::new().spawn(move || {
            let mut total = 0;
            let mut piece = [0; 4096];
            while total <= MAX_OUTPUT_BYTES {
                match pipe.read(&mut piece) {
                    Ok(0) => return,
                    Ok(count) => {
                        total += count;
                        let piece = piece.get(..count).unwrap_or_default();
                        if sender.send(piece.to_vec()).is_err() {
                            return;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
            }
        })?;
    }
    Ok(pieces)
}

fn gather(pieces: &mpsc::Receiver<Vec<u8>>, until: Instant) -> Result<Vec<u8>, Trouble> {
    let mut all = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match pieces.recv_timeout(left) {
            Ok(piece) => all.extend(piece),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    if all.len() > MAX_OUTPUT_BYTES {
        return Err(Trouble::TooMuch);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: Option<&str>, limit: Duration) -> Result<Ran, Trouble> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script);
        run(
            &mut command,
            input.map(|text| text.as_bytes().to_vec()),
            limit,
        )
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn input_output_and_status() {
        let ran = shell("cat; echo no >&2; exit 3", Some("in"), LONG).unwrap();
        assert_eq!(ran.failure.as_deref(), Some("exit status 3"));
        assert_eq!(
            (&ran.stdout[..], &ran.stderr[..]),
            (&b"in"[..], &b"no\n"[..])
        );
        let ran = shell("cat", None, LONG).unwrap();
        assert_eq!((ran.failure, ran.stdout.len()), (None, 0));
        let missing = run(&mut Command::new("/nonexistent/x"), None, LONG);
        assert!(matches!(missing, Err(Trouble::Start(_))));
    }

    #[test]
    fn who_does_not_end_is_ended_and_a_daemon_left_behind_is_not_waited_for() {
        let started = Instant::now();
        let slow = shell("exec sleep 60", None, Duration::from_millis(50));
        assert!(matches!(slow, Err(Trouble::TooSlow(_))));
        let ran = shell("sleep 20 & echo out", None, LONG).unwrap();
        assert_eq!(ran.stdout, b"out\n");
        assert!(started.elapsed() < Duration::from_secs(15));
    }

    #[test]
    fn endless_output_is_refused() {
        let much = shell("yes", None, LONG);
        assert!(matches!(
            much,
            Ok(Ran {
                failure: Some(_),
                ..
            }) | Err(Trouble::TooMuch)
        ));
    }
}
