//! What is shown while the work goes on: progress, `-x`, retries, waits for locks.
//!
//! | file | idea |
//! |---|---|
//! | `reporter` | [`ProgressReporter`]: takes events from workers, and owns the printing thread |
//! | `state` | what the events add up to, and the lines that people read |
//! | `rate` | how fast things are going, and how long they will take |
//! | `terminal` | a few lines at the end of a terminal, drawn over and over |
//! | `request` | the lines of `-x` |
//! | `mode` | which form progress has |
//!
//! Workers never wait for the terminal: an event changes a number or the state, and lines go over a channel to the one
//! thread that prints. That thread starts with the run if there will be something to show, and otherwise with the first
//! wait for a lock.

mod mode;
mod rate;
mod reporter;
mod request;
mod state;
mod terminal;

pub use mode::ProgressSettings;
pub use reporter::ProgressReporter;
