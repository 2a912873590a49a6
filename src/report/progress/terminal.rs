//! A few lines at the end of a terminal, drawn over and over.
//!
//! Own code in place of a crate: of `indicatif` and its five packages this was all that was used. What is drawn is cut to the
//! width of the terminal, so that no line wraps and the cursor can go back by as many lines as were drawn.

use std::io::{self, Write};

use crate::system::terminal_columns;

/// The width where the terminal does not say one.
const COLUMNS: usize = 80;

/// The lines at the end of stderr.
#[derive(Debug, Default)]
pub(super) struct StatusLines {
    drawn: usize,
}

impl StatusLines {
    /// The columns that a line may take: one less than there are, for the cursor.
    pub(super) fn width() -> usize {
        let columns = terminal_columns();
        columns.filter(|columns| *columns > 1).unwrap_or(COLUMNS) - 1
    }

    /// Draws these in place of those that are there.
    pub(super) fn draw(&mut self, lines: &[String]) {
        let mut out = self.back();
        let width = StatusLines::width();
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            out.extend(line.chars().take(width));
            out.push_str("\x1b[K");
        }
        out.push_str("\x1b[J");
        self.drawn = lines.len();
        write(&out);
    }

    /// Prints a line for good, above them; they have to be drawn again.
    pub(super) fn print_above(&mut self, line: &str) {
        let mut out = self.back();
        out.push_str("\x1b[J");
        out.push_str(line);
        out.push('\n');
        self.drawn = 0;
        write(&out);
    }

    /// Takes them away.
    pub(super) fn clear(&mut self) {
        if self.drawn > 0 {
            let out = self.back() + "\x1b[J";
            self.drawn = 0;
            write(&out);
        }
    }

    /// Goes back to the first column of the first of them.
    fn back(&self) -> String {
        match self.drawn {
            0 => String::new(),
            1 => "\r".to_owned(),
            lines => format!("\r\x1b[{}A", lines - 1),
        }
    }
}

fn write(text: &str) {
    // There is nowhere to report that stderr is gone.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
