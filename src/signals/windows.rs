//! Ctrl-C, which the C runtime of Windows hands on as SIGINT.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::SIGINT;
use signal_hook::{flag, low_level};

use super::{Ending, wind_up};
use crate::error::{Error, Kind, Result};

/// The status of a program that Ctrl-C has ended: 128 and the signal's number.
const STATUS: i32 = 128 + SIGINT;

const NAME: &str = "Ctrl-C";

/// How often the flag is looked at: nothing that waits for it can be woken without unsafe code.
const PAUSE: Duration = Duration::from_millis(50);

/// From now on Ctrl-C ends the program in good order, after `tell` has said so. To be called once.
pub(crate) fn watch(_: Ending, tell: impl FnOnce(&'static str) + Send + 'static) {
    let Ok(begun) = register() else {
        return;
    };
    let watching = thread::Builder::new().name("signals".into());
    let flag = Arc::clone(&begun);
    let watching = watching.spawn(move || {
        wait(&flag);
        wind_up(NAME, tell);
        // Not std's exit: it runs what other threads may still be using.
        low_level::exit(STATUS);
    });
    // Without that thread the first one counts like a second one: nothing is printed.
    begun.fetch_or(watching.is_err(), Ordering::SeqCst);
}

/// Ctrl-C for a server, kept until it is waited for.
pub(crate) struct ServerSignals(Arc<AtomicBool>);

/// From now on Ctrl-C is for [`ServerSignals::wait`]. To be called once.
///
/// # Errors
/// [`Kind::LocalIo`]: the system does not allow it.
pub(crate) fn for_server() -> Result<ServerSignals> {
    let begun = register();
    begun
        .map(ServerSignals)
        .map_err(|cause| Error::new(Kind::LocalIo, "cannot watch for Ctrl-C").because(cause))
}

impl ServerSignals {
    /// Waits for Ctrl-C. The next one ends the process at once. Nothing asks for `_reload` here.
    pub(crate) fn wait(self, _reload: impl FnMut()) -> &'static str {
        wait(&self.0);
        NAME
    }
}

/// The first Ctrl-C sets the flag, the second one ends the program.
fn register() -> std::io::Result<Arc<AtomicBool>> {
    let begun = Arc::new(AtomicBool::new(false));
    // In this order, so that the first one only sets the flag.
    flag::register_conditional_shutdown(SIGINT, STATUS, Arc::clone(&begun))?;
    flag::register(SIGINT, Arc::clone(&begun))?;
    Ok(begun)
}

fn wait(flag: &AtomicBool) {
    while !flag.load(Ordering::SeqCst) {
        thread::sleep(PAUSE);
    }
}
