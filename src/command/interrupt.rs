//! What a run says that a signal ends.

use std::sync::Arc;

use crate::error::{Error, Kind};
use crate::report::{Console, ProgressReporter};
use crate::signals::{self, Ending};

/// From now on SIGINT and SIGTERM end the run, as [`signals`] has it, with a message.
pub(super) fn end_on_signal(progress: &Arc<ProgressReporter>, console: &Console, ending: Ending) {
    let (telling, working) = (console.clone(), Arc::downgrade(progress));
    signals::watch(ending, move |signal| {
        // Whatever is being redrawn goes first. Without it the run is over already.
        if let Some(progress) = working.upgrade() {
            progress.clear();
            telling.error(&interrupted(signal, progress.progress()));
        }
    });
}

/// After so many modules of so many.
fn interrupted(signal: &str, (finished, planned): (usize, usize)) -> Error {
    let place = match planned {
        0 => "before it was known what is missing".to_owned(),
        planned => format!("after {finished} of {planned} modules"),
    };
    Error::new(Kind::Other, format!("interrupted by {signal} {place}"))
        .hint("what was fetched is kept: the next run goes on from there")
}
