//! Signals of POSIX systems.

use std::ffi::c_int;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

use super::{Ending, wind_up};
use crate::error::{Error, Kind, Result};

/// From now on SIGINT and SIGTERM end the program in good order, after `tell` has said so, which
/// is given the signal's name. To be called once.
pub(crate) fn watch(ending: Ending, tell: impl FnOnce(&'static str) + Send + 'static) {
    let mut tell = Some(tell);
    wait_for(ending, move |signal| {
        if let Some(tell) = tell.take() {
            end(signal, ending, tell);
        }
    });
}

/// Calls `act` for SIGINT and SIGTERM, on a thread of its own; the second of them ends the program at once.
fn wait_for(ending: Ending, mut act: impl FnMut(c_int) + Send + 'static) {
    // A flag without a reader: what counts is that the signal no longer kills.
    let _ = flag::register(SIGXFSZ, Arc::default());
    let watched = without_ignored(&[SIGINT, SIGTERM]);
    let Ok(mut signals) = Signals::new(&watched) else {
        return;
    };
    let waiting = thread::Builder::new().name("signals".into());
    let waiting = waiting.spawn(move || signals.forever().for_each(&mut act));
    // Without that thread the first one counts like a second one: nothing is printed.
    let begun = Arc::new(AtomicBool::new(waiting.is_err()));
    for signal in watched {
        // In this order, so that the first one only sets the flag. What cannot be registered
        // leaves the first one in force, which is enough.
        let _ = match ending {
            Ending::Status => {
                flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&begun))
            }
            Ending::Signal => flag::register_conditional_default(signal, Arc::clone(&begun)),
        };
        let _ = flag::register(signal, Arc::clone(&begun));
    }
}

/// The signals of a server: SIGHUP, SIGINT and SIGTERM, kept until they are waited for.
pub(crate) struct ServerSignals(Signals);

/// From now on SIGHUP, SIGINT and SIGTERM are for [`ServerSignals::wait`]. To be called once, and not beside [`watch`].
///
/// # Errors
/// [`Kind::LocalIo`]: the system does not allow it.
pub(crate) fn for_server() -> Result<ServerSignals> {
    let _ = flag::register(SIGXFSZ, Arc::default());
    let signals = Signals::new(without_ignored(&[SIGHUP, SIGINT, SIGTERM]));
    signals
        .map(ServerSignals)
        .map_err(|cause| Error::new(Kind::LocalIo, "cannot watch for signals").because(cause))
}

impl ServerSignals {
    /// Waits for SIGINT or SIGTERM, calls `reload` for each SIGHUP before, and returns the name of
    /// the signal. The next one ends the process at once.
    pub(crate) fn wait(mut self, mut reload: impl FnMut()) -> &'static str {
        for signal in self.0.forever() {
            if signal == SIGHUP {
                reload();
                continue;
            }
            for signal in [SIGINT, SIGTERM] {
                // Fails for no signal that can be caught; then a second one is ignored.
                let ending = Arc::new(AtomicBool::new(true));
                let _ = flag::register_conditional_shutdown(signal, 128 + signal, ending);
            }
            return low_level::signal_name(signal).unwrap_or("a signal");
        }
        "a signal"
    }
}

fn end(signal: c_int, ending: Ending, tell: impl FnOnce(&'static str) + Send + 'static) {
    wind_up(name_of(signal), tell);
    if ending == Ending::Signal {
        // Comes back only where the signal cannot kill.
        let _ = low_level::emulate_default_handler(signal);
    }
    // Not std's exit: it runs what other threads may still be using.
    low_level::exit(128 + signal);
}

fn name_of(signal: c_int) -> &'static str {
    low_level::signal_name(signal).unwrap_or("a signal")
}

fn without_ignored(signals: &[c_int]) -> Vec<c_int> {
    let ignored = ignored_signals();
    let all = signals.iter().copied();
    all.filter(|signal| ignored & (1 << (signal - 1)) == 0)
        .collect()
}

/// The signals that were set to be ignored, a bit for each, the lowest for signal 1; none where
/// the system does not tell.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_in(&status)
}

/// Source: proc(5), `SigIgn`.
fn ignored_in(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        // As `nohup grep SigIgn /proc/self/status` shows it: SIGHUP is 1, SIGPIPE 13.
        assert_eq!(ignored_in("Name:\tx\nSigIgn:\t0000000000000001\n"), 1);
        assert_eq!(ignored_in("SigIgn:\t0000000000001002\n"), 1 << 12 | 1 << 1);
        assert_eq!(ignored_in("Name:\tx\n"), 0);
        assert_eq!(ignored_in("SigIgn:\tnonsense\n"), 0);
    }
}
