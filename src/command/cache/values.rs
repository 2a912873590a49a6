//! Ages and sizes as they are written on the command line.

use std::time::Duration;

use crate::cli::{Flag, RawArgs};
use crate::config::{parse_age, parse_size};
use crate::error::{Error, Kind, Result};

/// The age given with a flag.
///
/// # Errors
/// [`Kind::Usage`] if it makes no sense.
pub(super) fn age_of(raw: &RawArgs, flag: &Flag) -> Result<Option<Duration>> {
    value(
        raw,
        flag,
        parse_age,
        "want an age such as 30d, 2w, 36h or 90m",
    )
}

/// The number of bytes given with a flag.
///
/// # Errors
/// [`Kind::Usage`] if it makes no sense.
pub(super) fn size_of(raw: &RawArgs, flag: &Flag) -> Result<Option<u64>> {
    value(
        raw,
        flag,
        parse_size,
        "want a size such as 20G, 500M or 1.5T",
    )
}

fn value<T>(
    raw: &RawArgs,
    flag: &Flag,
    parse: impl Fn(&str) -> Option<T>,
    want: &str,
) -> Result<Option<T>> {
    let Some(text) = raw.text(flag) else {
        return Ok(None);
    };
    parse(text).map(Some).ok_or_else(|| {
        let shown = flag.shown();
        let text = format!("invalid value {text:?} for flag {shown}: {want}");
        Error::new(Kind::Usage, text)
    })
}
