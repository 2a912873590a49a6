//! Floating-point numbers as Go writes them.
//!
//! Source: golang/go `internal/strconv/ftoa.go`.

/// The most digits after the point that are written.
pub(super) const MAX_PRECISION: usize = 10_000;

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `1.50e+00`, with so many digits after the point.
    Exponent(usize),
    /// `1.50`, with so many digits after the point.
    Point(usize),
    /// The shorter of the two, without zeros at the end; with at most so many digits, or else with as
    /// many as tell the number from others.
    General(Option<usize>),
}

/// Writes a finite number; digits are at most [`MAX_PRECISION`].
pub(super) fn written(value: f64, form: Form) -> String {
    match form {
        Form::Point(digits) => format!("{value:.*}", digits.min(MAX_PRECISION)),
        Form::Exponent(digits) => {
            let digits = digits.min(MAX_PRECISION);
            exponent(&format!("{value:.digits$e}"))
        }
        Form::General(digits) => general(value, digits),
    }
}

/// Gives an exponent a sign and two digits, as Go and C do.
fn exponent(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

fn general(value: f64, precision: Option<usize>) -> String {
    // Without a digit there is no number.
    let precision = precision.map(|count| count.clamp(1, MAX_PRECISION));
    let all = match precision {
        None => format!("{value:e}"),
        Some(count) => format!("{value:.*e}", count - 1),
    };
    let (sign, all) = match all.strip_prefix('-') {
        Some(all) => ("-", all),
        None => ("", &*all),
    };
    let (digits, power) = all.split_once('e').unwrap_or((all, "0"));
    let power: isize = power.parse().unwrap_or_default();
    let digits = match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    };
    let bare = digits.replace('.', "");
    let count = isize::try_from(bare.len()).unwrap_or(isize::MAX);
    let limit = match precision.map(|count| isize::try_from(count).unwrap_or(isize::MAX)) {
        // Six digits decide.
        None => 6,
        Some(limit) if limit > count && count > power => count,
        Some(limit) => limit,
    };
    if power < -4 || power >= limit {
        return exponent(&format!("{sign}{digits}e{power}"));
    }
    if power < 0 {
        let zeros = "0".repeat(power.unsigned_abs() - 1);
        return format!("{sign}0.{zeros}{bare}");
    }
    let before = power.unsigned_abs() + 1;
    match bare.split_at_checked(before) {
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, part)) => format!("{sign}{whole}.{part}"),
        None => format!("{sign}{bare:0<before$}"),
    }
}
