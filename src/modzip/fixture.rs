//! Hostile zips as text: `testdata/hostile/zip/NAME.txt`, one for each rule, made into bytes here.
//!
//! The README beside them has the grammar.

use std::fs;
use std::path::Path;

use super::testing::*;

/// What go makes of a zip that we refuse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Go {
    /// Refuses it, in the same words.
    SameText,
    /// Refuses it, in words of its own or for what it met first.
    Refuses,
    /// Takes it: the rule is ours.
    Accepts,
}

pub(super) struct Fixture {
    pub(super) name: String,
    /// What is wrong with the zip.
    pub(super) what: String,
    /// What follows `zip rule broken: `.
    pub(super) want: String,
    pub(super) go: Go,
    pub(super) zip: Vec<u8>,
}

/// All of them, by name.
pub(super) fn all() -> Vec<Fixture> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/hostile/zip");
    let mut files: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        parse(name, &fs::read_to_string(path).unwrap())
    };
    files.iter().map(read).collect()
}

fn parse(name: &str, text: &str) -> Fixture {
    let (head, body) = text.split_once("\n\n").expect(name);
    let mut head = head.lines();
    let mut after = |prefix: &str| {
        let line = head.next().and_then(|line| line.strip_prefix(prefix));
        line.unwrap_or_else(|| panic!("{name}: no {prefix}")).trim()
    };
    let what = after("# ").to_owned();
    let want = after("want: ").to_owned();
    let go = match after("go: ") {
        "same text" => Go::SameText,
        "refuses" => Go::Refuses,
        "accepts" => Go::Accepts,
        other => panic!("{name}: go {other}?"),
    };
    let mut making = Making::default();
    making
        .entries
        .push(file(named("fine.go"), b"package fine\n"));
    for line in body.lines() {
        making
            .step(&words(line))
            .unwrap_or_else(|| panic!("{name}: {line}"));
    }
    let zip = making.finish();
    Fixture {
        name: name.to_owned(),
        what,
        want,
        go,
        zip,
    }
}

/// A word of a line, or a quoted string of any bytes.
#[derive(Debug, PartialEq)]
enum Word {
    Plain(String),
    Bytes(Vec<u8>),
}

impl Word {
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Word::Bytes(bytes) => Some(bytes),
            Word::Plain(_) => None,
        }
    }

    fn number(&self) -> Option<u32> {
        let Word::Plain(word) = self else { return None };
        match word.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => word.parse().ok(),
        }
    }
}

fn words(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = line.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b' ' {
            rest = tail;
            continue;
        }
        if *first != b'"' {
            let end = rest.iter().position(|&b| b == b' ').unwrap_or(rest.len());
            words.push(Word::Plain(
                String::from_utf8(rest[..end].to_vec()).unwrap(),
            ));
            rest = &rest[end..];
            continue;
        }
        let mut bytes = Vec::new();
        rest = tail;
        rest = loop {
            rest = match rest {
                [b'"', tail @ ..] => break tail,
                [b'\\', b'0', tail @ ..] => {
                    bytes.push(0);
                    tail
                }
                [b'\\', b'n', tail @ ..] => {
                    bytes.push(b'\n');
                    tail
                }
                [b'\\', b'x', high, low, tail @ ..] => {
                    let digits = [*high, *low];
                    let digits = std::str::from_utf8(&digits).unwrap();
                    bytes.push(u8::from_str_radix(digits, 16).unwrap());
                    tail
                }
                [b'\\', byte, tail @ ..] | [byte, tail @ ..] => {
                    bytes.push(*byte);
                    tail
                }
                [] => panic!("no end of the string: {line}"),
            };
        };
        words.push(Word::Bytes(bytes));
    }
    words
}

/// Changes a number, if the operator is one of those.
fn operate(operator: &str, number: u32, value: u32) -> Option<u32> {
    Some(match operator {
        "=" => value,
        "+=" => number + value,
        "-=" => number - value,
        "^=" => number ^ value,
        "|=" => number | value,
        _ => return None,
    })
}

#[derive(Default)]
struct Making {
    entries: Vec<TestEntry>,
    /// Instead of a zip of the entries, or what became of it.
    made: Option<Vec<u8>>,
}

impl Making {
    fn finish(mut self) -> Vec<u8> {
        std::mem::take(self.zip())
    }

    /// The bytes; entries are of no more use.
    fn zip(&mut self) -> &mut Vec<u8> {
        self.made.get_or_insert_with(|| zip(&self.entries))
    }

    /// Where the next entry would start.
    fn end(&self) -> u32 {
        let record = |entry: &TestEntry| {
            let head = 30 + entry.local.name.len() + entry.local.extra.len();
            head + entry.data.len() + entry.after.len()
        };
        let bytes: usize = self.entries.iter().map(record).sum();
        u32::try_from(bytes).unwrap()
    }

    /// `None` if it is no statement.
    fn step(&mut self, line: &[Word]) -> Option<()> {
        let [Word::Plain(verb), arguments @ ..] = line else {
            return None;
        };
        match (verb.as_str(), arguments) {
            ("alone", []) => self.entries.clear(),
            (how @ ("deflated" | "stored"), [name, content, rest @ ..]) => {
                let times = match rest {
                    [] => 1,
                    [_, times] => times.number()? as usize,
                    _ => return None,
                };
                let content = content.bytes()?.repeat(times);
                let make = if how == "stored" { stored } else { file };
                self.entries.push(make(name.bytes()?, &content));
            }
            ("again", [name]) => {
                let mut again = self.entries.last()?.clone();
                let start = again.offset.unwrap_or({
                    let last = self.entries.pop()?;
                    let start = self.end();
                    self.entries.push(last);
                    start
                });
                again.central.name = name.bytes()?.to_vec();
                again.offset = Some(start);
                self.entries.push(again);
            }
            ("hidden", []) => {
                let hidden = self.entries.pop()?;
                let gap = zip(std::slice::from_ref(&hidden));
                let directory = 46 + hidden.central.name.len() + hidden.central.extra.len() + 22;
                let gap = &gap[..gap.len() - directory];
                self.made = Some(zip_with_gap(&self.entries, gap));
            }
            ("gap", [gap]) => self.made = Some(zip_with_gap(&self.entries, gap.bytes()?)),
            ("bytes", [bytes]) => self.made = Some(bytes.bytes()?.to_vec()),
            ("before", [bytes]) => drop(self.zip().splice(..0, bytes.bytes()?.iter().copied())),
            ("behind", [bytes]) => self.zip().extend(bytes.bytes()?),
            ("doubled", []) => {
                let copy = self.zip().clone();
                self.zip().extend(copy);
            }
            ("cut", [bytes]) => {
                let left = self.zip().len().checked_sub(bytes.number()? as usize)?;
                self.zip().truncate(left);
            }
            ("zip64", []) => self.made = Some(with_zip64_end(self.zip())),
            (place, [Word::Plain(operator), value]) => self.change(place, operator, value)?,
            _ => return None,
        }
        Some(())
    }

    /// `PLACE OPERATOR VALUE`, of the last entry or of the zip.
    fn change(&mut self, place: &str, operator: &str, value: &Word) -> Option<()> {
        if let Some((record, at)) = place.strip_suffix(']').and_then(|p| p.split_once('[')) {
            let at: usize = at.parse().ok()?;
            let bytes = match record {
                "data" => &mut self.entries.last_mut()?.data,
                _ => self.zip(),
            };
            let start = match record {
                "end" => bytes.len() - 22,
                "end64" => bytes.len() - 22 - 20 - 56,
                "data" | "file" => 0,
                _ => return None,
            };
            let byte = bytes.get_mut(start + at)?;
            *byte = operate(operator, (*byte).into(), value.number()?)?
                .try_into()
                .ok()?;
            return Some(());
        }
        if place == "offset" {
            let last = self.entries.pop()?;
            let true_offset = self.end();
            self.entries.push(last);
            let offset = operate(operator, true_offset, value.number()?)?;
            self.entries.last_mut()?.offset = Some(offset);
            return Some(());
        }
        let entry = self.entries.last_mut()?;
        match place.split_once('.') {
            Some(("central", field)) => change_head(&mut entry.central, field, operator, value),
            Some(("local", field)) => change_head(&mut entry.local, field, operator, value),
            Some(("both", field)) => {
                change_head(&mut entry.central, field, operator, value)?;
                change_head(&mut entry.local, field, operator, value)
            }
            Some(("descriptor", field)) => {
                let fields = ["signature", "crc", "compressed", "unpacked"];
                let at = 4 * fields.iter().position(|name| *name == field)?;
                let bytes: &mut [u8; 4] = entry.after.get_mut(at..at + 4)?.try_into().ok()?;
                let number = operate(operator, u32::from_le_bytes(*bytes), value.number()?)?;
                *bytes = number.to_le_bytes();
                Some(())
            }
            Some(_) => None,
            None => {
                match (place, operator) {
                    ("data", "+=") => entry.data.extend(value.bytes()?),
                    ("data", "-=") => {
                        let left = entry.data.len().checked_sub(value.number()? as usize)?;
                        entry.data.truncate(left);
                    }
                    ("descriptor", "=") => entry.after = value.bytes()?.to_vec(),
                    ("creator", "=") => entry.creator = value.number()?.try_into().ok()?,
                    ("disk", "=") => entry.disk = value.number()?.try_into().ok()?,
                    ("attributes", "=") => entry.attributes = value.number()?,
                    _ => return None,
                }
                Some(())
            }
        }
    }
}

fn change_head(head: &mut Head, field: &str, operator: &str, value: &Word) -> Option<()> {
    let short = |number: &mut u16| {
        *number = operate(operator, (*number).into(), value.number()?)?
            .try_into()
            .ok()?;
        Some(())
    };
    let long = |number: &mut u32| {
        *number = operate(operator, *number, value.number()?)?;
        Some(())
    };
    match field {
        "name" => head.name = value.bytes()?.to_vec(),
        "extra" => head.extra = value.bytes()?.to_vec(),
        "flags" => short(&mut head.flags)?,
        "method" => short(&mut head.method)?,
        "crc" => long(&mut head.crc)?,
        "compressed" => long(&mut head.compressed)?,
        "unpacked" => long(&mut head.unpacked)?,
        _ => return None,
    }
    Some(())
}
