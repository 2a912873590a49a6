//! What is told while the work goes on, and in which form.

use std::io::{self, IsTerminal};

use crate::config::{Log, Progress};

/// What is told.
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
pub(super) enum Shown {
    Nothing,
    /// One line, drawn over and over.
    Bar,
    /// A line now and then.
    Lines,
    /// One event a line.
    Events,
}

impl ProgressSettings {
    /// Decides on the form of progress.
    pub(super) fn shown(self) -> Shown {
        let redraws = io::stderr().is_terminal() && self.log == Log::Text;
        match self.progress {
            _ if self.quiet => Shown::Nothing,
            Progress::Never => Shown::Nothing,
            Progress::Json => Shown::Events,
            Progress::Auto | Progress::Always if redraws => Shown::Bar,
            Progress::Auto => Shown::Nothing,
            Progress::Always => Shown::Lines,
        }
    }
}
