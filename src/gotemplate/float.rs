//! Floating-point numbers as `%v` prints them in Go: the fewest digits that name the number.
//!
//! Source: golang/go `internal/strconv/ftoa.go` (`%!g` with the precision -1).

/// Writes a finite number: with an exponent below 1e-4 and from 1e6 on.
pub(super) fn shortest(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        // Go writes the sign of an exponent, and at least two digits.
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    value.to_string()
}
