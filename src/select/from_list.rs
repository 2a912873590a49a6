//! `--from`: modules listed in a file or on standard input.
//!
//! Whatever the file is, `/dev/zero` too, no more of it is held than the limits below allow.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::error::{Error, Kind, Result};

/// Bytes of a line, without its line feed: far more than a path and a version that any file
/// system could store.
const MAX_LINE: usize = 4096;
/// Lines: some ten times the modules that the largest mirrors are asked for.
const MAX_LINES: usize = 1_000_000;
/// Bytes that are kept, because a million long lines would be 4 GB.
const MAX_BYTES: usize = 128 << 20;

/// Reads a list: one `path@version` a line; blank lines and lines with `#` first are skipped.
/// `-` is standard input.
///
/// # Errors
/// [`Kind::LocalIo`]: it cannot be read. [`Kind::Input`], naming file and line: a line is none of
/// these, or not UTF-8, or a limit is passed.
pub(super) fn read(from: &Path) -> Result<Vec<String>> {
    if from == Path::new("-") {
        let fail = |cause| Error::new(Kind::LocalIo, "cannot read standard input").because(cause);
        return parse(io::stdin().lock(), from, MAX_BYTES, fail);
    }
    let fail = |cause| Error::io("cannot read", from, cause);
    let file = File::open(from).map_err(fail)?;
    parse(BufReader::new(file), from, MAX_BYTES, fail)
}

fn parse(
    mut reader: impl BufRead,
    from: &Path,
    max_bytes: usize,
    fail: impl Fn(io::Error) -> Error,
) -> Result<Vec<String>> {
    let mut modules = Vec::new();
    let mut bytes = 0;
    let mut line = Vec::new();
    for number in 1.. {
        let refuse = |why: &str| {
            let place = format!("{}:{number}", from.display());
            Err(Error::new(Kind::Input, format!("{place}: {why}")))
        };
        line.clear();
        let longest = MAX_LINE as u64 + 1;
        let read = reader.by_ref().take(longest).read_until(b'\n', &mut line);
        if read.map_err(&fail)? == 0 {
            break;
        }
        if number > MAX_LINES {
            return refuse(&format!("more than {MAX_LINES} lines"));
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if text.len() > MAX_LINE {
            return refuse(&format!("line is longer than {MAX_LINE} bytes"));
        }
        let Ok(text) = str::from_utf8(text) else {
            return refuse("not valid UTF-8");
        };
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if !text.contains('@') || text.contains(char::is_whitespace) {
            return refuse(&format!("not a path@version: {text:?}"));
        }
        bytes += text.len();
        if bytes > max_bytes {
            return refuse(&format!("more than {max_bytes} bytes of modules"));
        }
        modules.push(text.to_owned());
    }
    Ok(modules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(reader: impl Read) -> std::result::Result<Vec<String>, String> {
        let path = Path::new("list");
        let fail = |cause| Error::io("cannot read", path, cause);
        // Room for two long lines.
        parse(BufReader::new(reader), path, 2 * MAX_LINE, fail).map_err(|error| {
            assert_eq!(error.kind(), Kind::Input);
            error.chain()
        })
    }

    #[test]
    fn lines_are_modules_comments_or_blank() {
        let text = "# comment\n\n a.com/a@v1.0.0 \r\nb.com/b@latest";
        let want = ["a.com/a@v1.0.0", "b.com/b@latest"].map(str::to_owned);
        assert_eq!(list(text.as_bytes()), Ok(want.to_vec()));
        assert_eq!(list(&b""[..]), Ok(Vec::new()));
        let rows: [(&[u8], &str); 4] = [
            (b"\na.com/a\n", "list:2: not a path@version: \"a.com/a\""),
            (b"a@v1 b@v1", "list:1: not a path@version: \"a@v1 b@v1\""),
            (b"#\n#\n\xff@v1\n", "list:3: not valid UTF-8"),
            (b"a\0b", "list:1: not a path@version: \"a\\0b\""),
        ];
        for (text, want) in rows {
            assert_eq!(list(text), Err(want.to_owned()));
        }
    }

    #[test]
    fn what_has_no_end_is_refused() {
        let too_long = "list:1: line is longer than 4096 bytes";
        // Ends after all, so that a reader without limit fails this test and not the machine.
        let zeros = io::repeat(0).take(1 << 20);
        assert_eq!(list(zeros), Err(too_long.to_owned()));
        let comment = format!("#{}\n", "x".repeat(MAX_LINE - 1));
        assert_eq!(list(comment.as_bytes()), Ok(Vec::new()));
        assert_eq!(
            list(format!("#{comment}").as_bytes()),
            Err(too_long.to_owned())
        );
        let blank = |lines| io::repeat(b'\n').take(lines);
        assert_eq!(list(blank(1_000_000)), Ok(Vec::new()));
        assert_eq!(
            list(blank(1_000_001)),
            Err("list:1000001: more than 1000000 lines".to_owned())
        );
        let line = format!("a@{}\n", "x".repeat(MAX_LINE - 2));
        assert_eq!(
            list(line.repeat(2).as_bytes()).map(|list| list.len()),
            Ok(2)
        );
        assert_eq!(
            list(line.repeat(3).as_bytes()),
            Err("list:3: more than 8192 bytes of modules".to_owned())
        );
    }
}
