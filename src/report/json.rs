//! The JSON of lines that people read.

use std::borrow::Cow;

use crate::config::Log;
pub use crate::gojson::JsonObject;

/// A line of talk in the form that was asked for, without its line feed.
pub(super) fn info(log: Log, text: &str) -> Cow<'_, str> {
    match log {
        Log::Text => Cow::Borrowed(text),
        Log::Json => {
            let mut line = JsonObject::new();
            line.string("level", "info");
            line.string("message", text);
            Cow::Owned(line.compact())
        }
    }
}
