//! This process, those that it starts, and the terminal.

use std::io;
use std::os::windows::process::CommandExt as _;
use std::process::{Command, Stdio};

use winapi_util::HandleRef;
use winapi_util::console::{Console, screen_buffer_info};

/// `CREATE_NEW_PROCESS_GROUP`: Ctrl-C on the console is for modfetch, which ends the program then.
const NEW_GROUP: u32 = 0x200;

/// Starts the program in a group of its own.
pub(crate) fn lead_group(command: &mut Command) {
    command.creation_flags(NEW_GROUP);
}

/// Ends a process and all that it has started. Best effort: it may have ended by itself.
///
/// Job objects would need unsafe code; `taskkill` is part of every Windows.
pub(crate) fn kill_group(leader: u32) {
    let mut command = Command::new("taskkill.exe");
    command.args(["/T", "/F", "/PID", &leader.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let _ = command.stderr(Stdio::null()).status();
}

/// Asks a process to end. Programs without a window are not asked on Windows: they are ended.
pub(crate) fn end_group(_leader: u32) {}

/// Ends this process at once: no destructor runs.
#[cfg(debug_assertions)]
pub(crate) fn kill_self() {
    std::process::abort();
}

/// `None`: Windows has no such limit.
pub(crate) fn open_files() -> Option<u64> {
    None
}

/// Nothing to raise.
pub(crate) fn raise_open_files() {}

/// The width of the console at stderr, in columns; `None` if it is none, or one that cannot move its cursor by
/// escape sequences.
pub(crate) fn terminal_columns() -> Option<usize> {
    Console::stderr()
        .and_then(|mut console| console.set_virtual_terminal_processing(true))
        .ok()?;
    let size = screen_buffer_info(HandleRef::stderr()).ok()?.size();
    usize::try_from(size.0).ok()
}

/// There are no such sockets here.
pub(crate) fn send_datagram(_address: &str, _data: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
