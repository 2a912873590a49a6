//! Which form progress has.

use std::io::{self, IsTerminal};

use crate::config::{Log, Progress};

/// What is shown while the work goes on.
#[derive(Clone, Copy, Debug)]
pub struct ProgressSettings {
    /// How progress is shown.
    pub progress: Progress,
    /// The form of lines. Where it is JSON, no line is redrawn on a terminal.
    pub log: Log,
    /// `-x`: every request.
    pub requests: bool,
    /// `-v`: retries.
    pub verbose: bool,
    /// `-q`: neither progress nor waiting.
    pub quiet: bool,
}

/// The form of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProgressMode {
    Nothing,
    /// A bar and a few lines, drawn over and over.
    Bar,
    /// A line now and then.
    Lines,
    /// One event a line.
    Events,
}

impl ProgressSettings {
    /// Decides on the form of progress.
    pub(super) fn mode(self) -> ProgressMode {
        let redraws = io::stderr().is_terminal() && self.log == Log::Text;
        match self.progress {
            _ if self.quiet => ProgressMode::Nothing,
            Progress::Never => ProgressMode::Nothing,
            Progress::Json => ProgressMode::Events,
            Progress::Auto | Progress::Always if redraws => ProgressMode::Bar,
            Progress::Auto => ProgressMode::Nothing,
            Progress::Always => ProgressMode::Lines,
        }
    }
}
