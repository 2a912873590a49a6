//! Reads literals: integers, floating-point numbers and characters.
//!
//! What is written with a point or an exponent is a `float64`, anything else an `int`. Complex and
//! hexadecimal floating-point numbers are not here.
//!
//! Source: golang/go `text/template/parse/node.go`, `newNumber`; `text/template/exec.go`,
//! `idealConstant`.

use super::funcs::Problem;
use super::tree::Constant;
use crate::gomod::quote::{quote, unquote};

/// Reads a number that is no sum.
pub(super) fn number(text: &str) -> Result<Constant, Problem> {
    let beyond = || Err(Problem::Beyond(format!("the number {text}")));
    let malformed = || Problem::Go(format!("illegal number syntax: {}", quote(text)));
    let lower = text.to_ascii_lowercase();
    if lower.contains("0x") && lower.contains('p') {
        return beyond();
    }
    if let Some(imaginary) = lower.strip_suffix('i') {
        return match float(imaginary) {
            Some(_) => beyond(),
            None => Err(malformed()),
        };
    }
    // A sign before hexadecimal digits lets an e among them count as an exponent.
    let is_float = lower.contains(['.', 'e']) && !lower.starts_with("0x");
    match integer(text) {
        // As Go does, with the nearest there is.
        #[expect(clippy::cast_precision_loss)]
        Integer::Fits(value) if is_float => Ok(Constant::Float(value as f64)),
        Integer::Fits(value) => Ok(Constant::Int(value)),
        Integer::Unsigned => Ok(Constant::Unsigned),
        Integer::No => match float(&lower) {
            Some(value) if is_float => Ok(Constant::Float(value)),
            Some(_) => Err(Problem::Go(format!("integer overflow: {}", quote(text)))),
            None => Err(malformed()),
        },
    }
}

/// Reads decimal digits with a point and an exponent; what is beyond the largest number is none.
fn float(text: &str) -> Option<f64> {
    let stands_between_digits = |at: usize| {
        let is_digit = |at: Option<usize>| {
            let byte = at.and_then(|at| text.as_bytes().get(at));
            byte.is_some_and(u8::is_ascii_digit)
        };
        is_digit(at.checked_sub(1)) && is_digit(at.checked_add(1))
    };
    if !text
        .match_indices('_')
        .all(|(at, _)| stands_between_digits(at))
    {
        return None;
    }
    let value: f64 = text.replace('_', "").parse().ok()?;
    value.is_finite().then_some(value)
}

/// Reads a character in single quotes, for which its code stands.
pub(super) fn character(text: &str) -> Result<Constant, Problem> {
    let inner = text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''))
        .unwrap_or_default();
    let read = match inner {
        "\\'" => Ok("'".to_owned()),
        "\"" => Ok("\"".to_owned()),
        "\\\"" => Err("invalid syntax"),
        _ => unquote(&format!("\"{inner}\"")),
    };
    let invalid = || Problem::Go("invalid syntax".to_owned());
    let read = read.map_err(|_| invalid())?;
    let mut characters = read.chars();
    match (characters.next(), characters.next()) {
        (Some(c), None) => Ok(Constant::Int(i64::from(u32::from(c)))),
        (None, _) => Err(invalid()),
        _ => Err(Problem::Go(format!("malformed character constant: {text}"))),
    }
}

enum Integer {
    Fits(i64),
    /// Only as a `uint64`, which templates have no use for.
    Unsigned,
    No,
}

/// Reads an integer as Go source has it, with a sign.
///
/// Source: golang/go `strconv/atoi.go`, `ParseInt` with base 0.
fn integer(text: &str) -> Integer {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, prefixed) = [("0x", 16), ("0b", 2), ("0o", 8)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((radix, lower.strip_prefix(prefix)?)))
        .or_else(|| lower.strip_prefix('0').map(|rest| (8, rest)))
        .unwrap_or((10, &lower));
    // An underscore stands between digits, or behind a prefix.
    let has_prefix = prefixed.len() < lower.len();
    let misplaced = prefixed.contains("__")
        || prefixed.ends_with('_')
        || (!has_prefix && prefixed.starts_with('_'));
    let plain = prefixed.replace('_', "");
    if lower == "0" {
        return Integer::Fits(0);
    }
    if misplaced || plain.is_empty() || !plain.chars().all(|c| c.is_digit(radix)) {
        return Integer::No;
    }
    let Ok(value) = i128::from_str_radix(&plain, radix) else {
        return Integer::No;
    };
    let value = if negative { -value } else { value };
    match i64::try_from(value) {
        Ok(value) => Integer::Fits(value),
        // `ParseUint` takes no sign at all.
        Err(_) if lower == text.to_ascii_lowercase() && u64::try_from(value).is_ok() => {
            Integer::Unsigned
        }
        Err(_) => Integer::No,
    }
}
