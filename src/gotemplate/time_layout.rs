//! A time written by example: Go's layouts, which show how 2 January 2006, 15:04:05 is to look.
//!
//! Every element that `time.Format` knows. A time with an offset has no name for its zone, as in
//! Go where the offset is not that of the machine.
//!
//! Source: golang/go `time/format.go`.

use std::fmt::Write as _;

use crate::gomod::{Time, days_from_civil, days_in};

/// What stands for a part of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    LongMonth,
    Month,
    LongWeekday,
    Weekday,
    LongYear,
    /// Two digits.
    Year,
    /// "PM" or "AM".
    UpperNoon,
    LowerNoon,
    /// The name of the zone.
    Zone,
    /// A number and how it is filled up.
    Number(Part, Fill),
    Offset {
        /// Z for UTC.
        z: bool,
        colons: bool,
        /// 1 to 3 parts: hours, minutes, seconds.
        parts: u8,
    },
    Fraction {
        separator: char,
        digits: usize,
        /// No zeros at the end, and nothing at all for no fraction.
        trim: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Month,
    Day,
    YearDay,
    Hour,
    Hour12,
    Minute,
    Second,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    None,
    Zeros(usize),
    Blanks(usize),
}

use Element::{Number, Offset};
use Fill::{Blanks, Zeros};

/// The fixed elements. Of two that fit, the one before counts, so the longer come first.
const ELEMENTS: &[(&str, Element)] = &[
    ("January", Element::LongMonth),
    ("Jan", Element::Month),
    ("Monday", Element::LongWeekday),
    ("Mon", Element::Weekday),
    ("MST", Element::Zone),
    ("01", Number(Part::Month, Zeros(2))),
    ("02", Number(Part::Day, Zeros(2))),
    ("03", Number(Part::Hour12, Zeros(2))),
    ("04", Number(Part::Minute, Zeros(2))),
    ("05", Number(Part::Second, Zeros(2))),
    ("06", Element::Year),
    ("002", Number(Part::YearDay, Zeros(3))),
    ("15", Number(Part::Hour, Zeros(2))),
    ("1", Number(Part::Month, Fill::None)),
    ("2006", Element::LongYear),
    ("2", Number(Part::Day, Fill::None)),
    ("_2", Number(Part::Day, Blanks(2))),
    ("__2", Number(Part::YearDay, Blanks(3))),
    ("3", Number(Part::Hour12, Fill::None)),
    ("4", Number(Part::Minute, Fill::None)),
    ("5", Number(Part::Second, Fill::None)),
    ("PM", Element::UpperNoon),
    ("pm", Element::LowerNoon),
    ("-070000", zone(false, false, 3)),
    ("-07:00:00", zone(false, true, 3)),
    ("-0700", zone(false, false, 2)),
    ("-07:00", zone(false, true, 2)),
    ("-07", zone(false, false, 1)),
    ("Z070000", zone(true, false, 3)),
    ("Z07:00:00", zone(true, true, 3)),
    ("Z0700", zone(true, false, 2)),
    ("Z07:00", zone(true, true, 2)),
    ("Z07", zone(true, false, 1)),
];

const fn zone(z: bool, colons: bool, parts: u8) -> Element {
    Offset { z, colons, parts }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];

/// The element that a layout starts with, and what follows it.
fn element(layout: &str) -> Option<(Element, &str)> {
    for &(text, element) in ELEMENTS {
        let Some(rest) = layout.strip_prefix(text) else {
            continue;
        };
        let short_name = matches!(element, Element::Month | Element::Weekday);
        // "Month" is no "Mon", and in "_2006" the underscore is one.
        if (short_name && rest.starts_with(|c: char| c.is_ascii_lowercase()))
            || (text == "_2" && rest.starts_with("006"))
        {
            continue;
        }
        return Some((element, rest));
    }
    let separator = layout.chars().next().filter(|c| matches!(c, '.' | ','))?;
    let after = layout.get(1..)?;
    let digit = after.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let rest = after.trim_start_matches(digit);
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = after.len() - rest.len();
    let trim = digit == '9';
    let fraction = Element::Fraction {
        separator,
        digits,
        trim,
    };
    Some((fraction, rest))
}

impl Time {
    /// Writes the time as a layout of Go's `time.Format` shows.
    #[must_use]
    pub fn format(&self, layout: &str) -> String {
        let mut out = String::new();
        let mut rest = layout;
        while let Some(c) = rest.chars().next() {
            if let Some((element, after)) = element(rest) {
                self.write_element(&mut out, element);
                rest = after;
            } else {
                out.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
        out
    }

    /// Writes the time as Go's `Time.String` does.
    #[must_use]
    pub fn go_string(&self) -> String {
        self.format("2006-01-02 15:04:05.999999999 -0700 MST")
    }

    /// The year, the month from 1 and the day of the month, in the time's own offset.
    #[must_use]
    pub fn date(&self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// The hour, minute and second, in the time's own offset.
    #[must_use]
    pub fn clock(&self) -> (u8, u8, u8) {
        (self.hour, self.minute, self.second)
    }

    /// Nanoseconds within the second.
    #[must_use]
    pub fn nanosecond(&self) -> u32 {
        self.nanos
    }

    /// The day of the year, from 1.
    #[must_use]
    pub fn year_day(&self) -> u16 {
        let before = (1..self.month).map(|month| u16::from(days_in(month, self.year)));
        before.sum::<u16>() + u16::from(self.day)
    }

    fn weekday(&self) -> &'static str {
        let days = days_from_civil(self.year.into(), self.month.into(), self.day.into());
        // 1 January 1970 was a Thursday.
        usize::try_from(days.rem_euclid(7))
            .ok()
            .and_then(|day| WEEKDAYS.get(day).copied())
            .unwrap_or_default()
    }

    fn month_name(&self) -> &'static str {
        MONTHS
            .get(usize::from(self.month).wrapping_sub(1))
            .copied()
            .unwrap_or_default()
    }

    fn write_element(&self, out: &mut String, element: Element) {
        let short = |name: &'static str| name.get(..3).unwrap_or(name);
        match element {
            Element::LongMonth => out.push_str(self.month_name()),
            Element::Month => out.push_str(short(self.month_name())),
            Element::LongWeekday => out.push_str(self.weekday()),
            Element::Weekday => out.push_str(short(self.weekday())),
            Element::LongYear => number(out, self.year, Zeros(4)),
            Element::Year => number(out, self.year % 100, Zeros(2)),
            Element::UpperNoon => out.push_str(if self.hour < 12 { "AM" } else { "PM" }),
            Element::LowerNoon => out.push_str(if self.hour < 12 { "am" } else { "pm" }),
            Element::Zone if self.offset_minutes == 0 => out.push_str("UTC"),
            Element::Zone => self.write_offset(out, false, 2),
            Number(part, fill) => number(out, self.part(part), fill),
            Offset { z: true, .. } if self.offset_minutes == 0 => out.push('Z'),
            Offset { colons, parts, .. } => self.write_offset(out, colons, parts),
            Element::Fraction {
                separator,
                digits,
                trim,
            } => self.write_fraction(out, separator, digits, trim),
        }
    }

    fn part(&self, part: Part) -> u16 {
        match part {
            Part::Month => self.month.into(),
            Part::Day => self.day.into(),
            Part::YearDay => self.year_day(),
            Part::Hour => self.hour.into(),
            // Noon and midnight are at twelve.
            Part::Hour12 => match self.hour % 12 {
                0 => 12,
                hour => hour.into(),
            },
            Part::Minute => self.minute.into(),
            Part::Second => self.second.into(),
        }
    }

    fn write_offset(&self, out: &mut String, colons: bool, parts: u8) {
        out.push(if self.offset_minutes < 0 { '-' } else { '+' });
        let minutes = self.offset_minutes.unsigned_abs();
        let all = [minutes / 60, minutes % 60, 0];
        for (at, part) in all.into_iter().take(parts.into()).enumerate() {
            if colons && at > 0 {
                out.push(':');
            }
            number(out, part, Zeros(2));
        }
    }

    fn write_fraction(&self, out: &mut String, separator: char, digits: usize, trim: bool) {
        if trim && self.nanos == 0 {
            return;
        }
        let text = format!("{:09}", self.nanos);
        let mut shown = text.get(..digits).unwrap_or(&text);
        if trim {
            shown = shown.trim_end_matches('0');
        }
        if !shown.is_empty() {
            out.push(separator);
            out.push_str(shown);
        }
    }
}

fn number(out: &mut String, value: u16, fill: Fill) {
    // Writing to a String cannot fail.
    let _ = match fill {
        Fill::None => write!(out, "{value}"),
        Zeros(width) => write!(out, "{value:0width$}"),
        Blanks(width) => write!(out, "{value:width$}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_layouts_show() {
        // Values that go1.26 printed; tests/it/template.rs asks it again, with more layouts.
        let rows = [
            ("2006-01-02", "2021-03-04"),
            (
                "Monday, 02-Jan-06 15:04:05 MST",
                "Thursday, 04-Mar-21 17:06:07 UTC",
            ),
            ("3:04PM", "5:06PM"),
            ("Jan _2 __2 002 _2006", "Mar  4  63 063 _2021"),
            ("15h4m5s .000 ,999999999 .9", "17h6m7s .120 ,12 .1"),
            ("Z07:00 -0700 -07:00:00 Z070000", "Z +0000 +00:00:00 Z"),
            ("Month Janus 20061", "Month Janus 20213"),
            (".0007", ".0007"),
            ("", ""),
            ("é", "é"),
        ];
        let time = Time::parse("2021-03-04T17:06:07.12Z").unwrap();
        for (layout, want) in rows {
            assert_eq!(time.format(layout), want, "{layout}");
        }
        let time = Time::parse("2021-03-04T00:06:07-07:30").unwrap();
        assert_eq!(time.format("3pm MST Z07 -070000"), "12am -0730 -07 -073000");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(layout in "\\PC{0,40}", seconds in "[0-5][0-9]") {
            let time = Time::parse(&format!("2020-02-29T03:04:{seconds}+01:30")).unwrap();
            let _ = time.format(&layout);
        }
    }
}
