//! This process, those that it starts, and the terminal.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process_group, setrlimit};
use rustix::termios::tcgetwinsize;

/// Makes the program the leader of a process group of its own.
pub(crate) fn lead_group(command: &mut Command) {
    command.process_group(0);
}

/// Kills every process of a group, whose leader has not been waited for. Best effort: it may have ended by itself.
pub(crate) fn kill_group(leader: u32) {
    if let Some(leader) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(leader, Signal::KILL);
    }
}

/// Asks every process of a group to end. Best effort, as [`kill_group`].
pub(crate) fn end_group(leader: u32) {
    if let Some(leader) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(leader, Signal::TERM);
    }
}

/// Ends this process at once, as SIGKILL does: no destructor runs.
#[cfg(debug_assertions)]
pub(crate) fn kill_self() {
    use rustix::process::{getpid, kill_process};
    let _ = kill_process(getpid(), Signal::KILL);
}

/// How many files this process may have open; `None` for no limit.
pub(crate) fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Raises the limit of open files to what the administrator allows, as Go's runtime does. Best effort.
///
/// The soft limit is low for the sake of programs that use `select(2)`, which is not done here.
pub(crate) fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        // Where it cannot be raised, the old one holds.
        let _ = setrlimit(Resource::Nofile, raised);
    }
}

/// The width of the terminal at stderr, in columns; what is drawn there may move the cursor.
pub(crate) fn terminal_columns() -> Option<usize> {
    let size = tcgetwinsize(io::stderr()).ok();
    size.map(|size| usize::from(size.ws_col))
}

/// Sends a datagram to a Unix socket: a path, or on Linux a name after `@`.
pub(crate) fn send_datagram(address: &str, data: &[u8]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    let sent = match address.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt as _;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name.as_bytes())?;
            socket.send_to_addr(data, &address)
        }
        _ => socket.send_to(data, address),
    };
    sent.map(drop)
}
