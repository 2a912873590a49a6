//! `fmt.Sprintf`, as much as listings use: verbs with flags and width for text and integers, a
//! precision for text, `%v` of floating-point numbers, and what Go prints for verbs that do not fit.
//!
//! Not here: `%p`, `%U`, `#`, `*` and argument numbers; a precision of integers; other verbs of
//! floating-point numbers.
//!
//! Source: golang/go `fmt/print.go`, `fmt/format.go`.

use std::fmt::Write as _;
use std::mem;

use super::float;
use super::funcs::Problem;
use super::print::{nested, plain};
use super::value::{TemplateObject, Value};
use crate::gomod::quote::{quote, quote_char};

/// Widths and precisions beyond this are not taken.
const MAX_WIDTH: usize = 1_000_000;

/// What is between `%` and the verb.
#[derive(Clone, Copy, Default)]
struct Flags {
    minus: bool,
    plus: bool,
    /// `%+v`, where the plus is not that of numbers.
    names: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Prints values by a format.
pub(super) fn sprintf(format: &str, values: &[Value<'_>]) -> Result<String, Problem> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some((text, directive)) = rest.split_once('%') {
        out.push_str(text);
        let (mut flags, after) = flags(directive)?;
        let mut characters = after.chars();
        let Some(verb) = characters.next() else {
            out.push_str("%!(NOVERB)");
            rest = "";
            break;
        };
        rest = characters.as_str();
        if verb == 'v' {
            flags.names = mem::take(&mut flags.plus);
        }
        match (verb, values.as_slice().first()) {
            ('%', _) => out.push('%'),
            ('*' | '[' | '#', _) => {
                return Err(Problem::Beyond(format!(
                    "{} in a format",
                    quote(&verb.to_string())
                )));
            }
            (_, None) => {
                let _ = write!(out, "%!{verb}(MISSING)");
            }
            (_, Some(value)) => {
                values.next();
                formatted(&mut out, flags, verb, value)?;
            }
        }
        if out.len() > super::MAX_STRING {
            break;
        }
    }
    out.push_str(rest);
    if !values.as_slice().is_empty() {
        let extra: Vec<String> = values
            .map(|value| match value {
                Value::Missing => "<nil>".to_owned(),
                value => format!("{}={}", value.type_name(), plain(value)),
            })
            .collect();
        // Writing to a String cannot fail.
        let _ = write!(out, "%!(EXTRA {})", extra.join(", "));
    }
    Ok(out)
}

fn flags(directive: &str) -> Result<(Flags, &str), Problem> {
    let mut flags = Flags::default();
    let mut rest = directive;
    while let Some(c) = rest.chars().next() {
        match c {
            '-' => flags.minus = true,
            '+' => flags.plus = true,
            ' ' => flags.space = true,
            '0' => flags.zero = true,
            _ => break,
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    (flags.width, rest) = number(rest)?;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = number(after)?;
        flags.precision = Some(precision.unwrap_or(0));
        rest = after;
        if rest.starts_with('*') {
            return Err(Problem::Beyond("\"*\" in a format".to_owned()));
        }
    }
    Ok((flags, rest))
}

fn number(text: &str) -> Result<(Option<usize>, &str), Problem> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.get(..text.len() - rest.len()).unwrap_or_default();
    if digits.is_empty() {
        return Ok((None, rest));
    }
    match digits.parse() {
        Ok(number) if number <= MAX_WIDTH => Ok((Some(number), rest)),
        _ => Err(Problem::Beyond(format!("a width of {digits}"))),
    }
}

/// Fills up to the width, which counts characters.
fn pad(out: &mut String, flags: Flags, text: &str) {
    let missing = flags
        .width
        .unwrap_or(0)
        .saturating_sub(text.chars().count());
    let fill = if flags.zero && !flags.minus { '0' } else { ' ' };
    let fill = std::iter::repeat_n(fill, missing);
    if flags.minus {
        out.push_str(text);
        out.extend(fill);
    } else {
        out.extend(fill);
        out.push_str(text);
    }
}

fn formatted(out: &mut String, flags: Flags, verb: char, value: &Value<'_>) -> Result<(), Problem> {
    let cannot = || {
        let (verb, name) = (format!("%{verb}"), value.type_name());
        Err(Problem::Beyond(format!("the format {verb} of {name}")))
    };
    if verb == 'T' {
        text(out, flags, 's', &value.type_name());
        return Ok(());
    }
    match value {
        _ if matches!(verb, 'p' | 'U' | 'w') => return cannot(),
        Value::Missing if verb == 'v' => pad(out, flags, "<nil>"),
        Value::Missing => {
            let _ = write!(out, "%!{verb}(<nil>)");
        }
        Value::Bool(value) if matches!(verb, 't' | 'v') => pad(out, flags, &value.to_string()),
        Value::Int(value) => return integer(out, flags, verb, *value, "int"),
        Value::Byte(value) => return integer(out, flags, verb, (*value).into(), "uint8"),
        Value::Float(value) if verb == 'v' && flags.precision.is_none() => {
            let digits = float::shortest(value.abs());
            signed(out, flags, value.is_sign_negative(), &digits);
        }
        Value::Float(_) => return cannot(),
        Value::Str(_) if matches!(verb, 'x' | 'X') && flags.precision.is_some() => {
            return cannot();
        }
        Value::Str(_) if flags.plus && verb == 'q' => return cannot(),
        Value::Str(value) if is_text(verb) => text(out, flags, verb, value),
        Value::List(list) => {
            out.push('[');
            for (at, element) in list.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                formatted(out, flags, verb, &Value::str(element))?;
            }
            out.push(']');
        }
        Value::Time(_) if is_text(verb) => text(out, flags, verb, &plain(value)),
        Value::Object(object) if object.go_type().stringer && is_text(verb) => {
            text(out, flags, verb, &object.string());
        }
        Value::Object(object) if !object.go_type().stringer => {
            return structure(out, flags, verb, *object);
        }
        Value::Nil(go_type) if go_type.stringer && is_text(verb) => out.push_str("<nil>"),
        Value::Nil(go_type) if !go_type.stringer && verb == 'v' => pad(out, flags, "<nil>"),
        Value::Time(_) | Value::Object(_) => return cannot(),
        Value::Nil(_) if matches!(verb, 'b' | 'o' | 'd' | 'x' | 'X') => return cannot(),
        value => {
            let mut shown = String::new();
            match value {
                // Each of them as %v would print it, with the flags that are there.
                Value::Nil(_) => pad(&mut shown, flags, "<nil>"),
                Value::Str(value) => text(&mut shown, flags, 'v', value),
                value => pad(&mut shown, flags, &plain(value)),
            }
            let _ = write!(out, "%!{verb}({}={shown})", value.type_name());
        }
    }
    Ok(())
}

fn is_text(verb: char) -> bool {
    matches!(verb, 'v' | 's' | 'q' | 'x' | 'X')
}

fn text(out: &mut String, flags: Flags, verb: char, text: &str) {
    let cut: String;
    let text = match flags.precision {
        None => text,
        Some(count) => {
            cut = text.chars().take(count).collect();
            &cut
        }
    };
    match verb {
        'q' => pad(out, flags, &quote(text)),
        'x' | 'X' => {
            let mut digits = String::new();
            for (at, byte) in text.bytes().enumerate() {
                if flags.space && at > 0 {
                    digits.push(' ');
                }
                let _ = write!(digits, "{byte:02x}");
            }
            if verb == 'X' {
                digits.make_ascii_uppercase();
            }
            pad(out, flags, &digits);
        }
        _ => pad(out, flags, text),
    }
}

fn integer(
    out: &mut String,
    flags: Flags,
    verb: char,
    value: i64,
    type_name: &str,
) -> Result<(), Problem> {
    let size = value.unsigned_abs();
    let digits = match verb {
        'v' | 'd' => size.to_string(),
        'b' => format!("{size:b}"),
        'o' => format!("{size:o}"),
        'O' => format!("0o{size:o}"),
        'x' => format!("{size:x}"),
        'X' => format!("{size:X}"),
        'c' | 'q' => {
            let code = u32::try_from(value).ok();
            let c = code.and_then(char::from_u32).unwrap_or('\u{fffd}');
            let shown = if verb == 'q' {
                quote_char(c)
            } else {
                c.to_string()
            };
            pad(out, flags, &shown);
            return Ok(());
        }
        _ => {
            let _ = write!(out, "%!{verb}({type_name}=");
            integer(out, flags, 'v', value, type_name)?;
            out.push(')');
            return Ok(());
        }
    };
    if flags.precision.is_some() || (verb == 'O' && flags.zero) {
        return Err(Problem::Beyond("a precision of integers".to_owned()));
    }
    signed(out, flags, value < 0, &digits);
    Ok(())
}

/// A number, whose sign is before the zeros that it is filled with.
fn signed(out: &mut String, flags: Flags, is_negative: bool, digits: &str) {
    let sign = match is_negative {
        true => "-",
        false if flags.plus => "+",
        false if flags.space => " ",
        false => "",
    };
    if flags.zero && !flags.minus {
        let width = flags.width.map(|width| width.saturating_sub(sign.len()));
        out.push_str(sign);
        pad(out, Flags { width, ..flags }, digits);
    } else {
        pad(out, flags, &format!("{sign}{digits}"));
    }
}

/// A pointer to a struct, whose fields are printed one by one.
fn structure(
    out: &mut String,
    flags: Flags,
    verb: char,
    object: &dyn TemplateObject,
) -> Result<(), Problem> {
    out.push_str("&{");
    for (at, name) in object.go_type().fields.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        if flags.names {
            let _ = write!(out, "{name}:");
        }
        match object.field(name) {
            value @ Value::Object(_) => out.push_str(&nested(&value)),
            value => formatted(out, flags, verb, &value)?,
        }
    }
    out.push('}');
    Ok(())
}
