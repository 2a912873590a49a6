//! What GOFLAGS adds to what was typed.

use super::flags::Given;
use super::raw::RawArgs;
use super::tree::CommandInfo;
use super::words::switch;
use crate::{Error, Kind, Result};

/// Adds to `raw` the words of GOFLAGS that are flags of this command in go, where nothing was typed.
///
/// # Errors
/// [`Kind::Input`] with go's text for a value that the flag does not take, or lacks.
///
/// Source: golang/go `cmd/go/internal/base/goflags.go`, `SetFromGOFLAGS`.
pub fn with_goflags(raw: &RawArgs, info: &CommandInfo, words: &[String]) -> Result<RawArgs> {
    let mut raw = raw.clone();
    let typed = raw.clone();
    for word in words {
        let word = word.trim_start_matches('-');
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let flag = info.go_flag(name);
        let Some(flag) = flag.filter(|flag| name != "C" && !typed.is_given(flag)) else {
            continue;
        };
        let refuse = |text: String| Err(Error::new(Kind::Input, text));
        let given = match (flag.value, value) {
            (Some(_), Some(value)) => Given::Value(value),
            (Some(_), None) => {
                return refuse(format!("flag needs an argument: -{name} (from $GOFLAGS)"));
            }
            (None, value) => match switch(value.unwrap_or("true")) {
                Some(on) => Given::Switch(on),
                None if flag.words => Given::Value(value.unwrap_or_default()),
                None => {
                    let value = value.unwrap_or_default();
                    return refuse(format!(
                        "invalid boolean value {value:?} for flag -{name} (from $GOFLAGS): parse error"
                    ));
                }
            },
        };
        flag.give(&mut raw, given)?;
    }
    Ok(raw)
}
