//! Which names are one name on a file system that ignores case.

use std::borrow::Cow;

/// The representative of all names that equal `name` under Unicode simple case folding:
/// `fold(a) == fold(b)` exactly if go's `strings.EqualFold(a, b)`.
///
/// Simple upper case and then simple lower case leads every member of a folding orbit to the
/// same letter (K, k and the Kelvin sign to k). The one exception in Unicode is the dotless i,
/// whose upper case is I though no locale-free folding joins them. Letters newer than go's tables
/// may be joined here and not there; file names cannot hold those.
///
/// Source: golang/mod `zip.strToFold`.
pub(super) fn fold(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .all(|b| b.is_ascii() && !b.is_ascii_uppercase())
    {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.chars().map(fold_char).collect())
}

fn fold_char(c: char) -> char {
    const DOTLESS_I: char = '\u{131}';
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    if c == DOTLESS_I {
        return c;
    }
    let upper = single(c.to_uppercase()).unwrap_or(c);
    single(upper.to_lowercase()).unwrap_or(upper)
}

/// The letter, if the mapping has one only: longer ones are not simple mappings.
fn single(mut mapping: impl Iterator<Item = char>) -> Option<char> {
    let first = mapping.next()?;
    mapping.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modzip::testing::go_run;

    #[test]
    fn orbits_have_one_representative() {
        // Rows of Unicode's CaseFolding.txt, statuses C and S.
        for orbit in [
            "Kk\u{212a}",
            "Ss\u{17f}",
            "\u{c5}\u{e5}\u{212b}",
            "\u{1c4}\u{1c5}\u{1c6}",
            "\u{398}\u{3b8}\u{3d1}\u{3f4}",
            "\u{3a3}\u{3c3}\u{3c2}",
            "\u{1e60}\u{1e61}\u{1e9b}",
            "\u{df}\u{1e9e}",
            "\u{13a0}\u{ab70}",
            "\u{1fb3}\u{1fbc}",
        ] {
            let folded: Vec<char> = orbit.chars().map(fold_char).collect();
            assert!(
                folded.iter().all(|c| *c == folded[0]),
                "{orbit}: {folded:?}"
            );
        }
        for (a, b) in [('\u{131}', 'i'), ('\u{130}', 'i'), ('\u{df}', 's')] {
            assert_ne!(fold_char(a), fold_char(b));
        }
    }

    /// Go prints, for every letter, the least member of its orbit; the partitions must agree.
    #[test]
    fn go_has_the_same_orbits_for_every_letter() {
        let Some(table) = go_run(
            r#"package main
import ("bufio"; "fmt"; "os"; "unicode")
func main() {
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if !unicode.IsLetter(r) { continue }
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) { if f < least { least = f } }
		fmt.Fprintln(w, int(r), int(least))
	}
}"#,
        ) else {
            return;
        };
        let letter = |number: &str| char::from_u32(number.parse().unwrap()).unwrap();
        let mut rows = 0;
        let mut least_of = std::collections::HashMap::new();
        for row in table.lines() {
            let (c, least) = row.split_once(' ').unwrap();
            let (c, least) = (letter(c), letter(least));
            assert_eq!(
                fold_char(c),
                fold_char(least),
                "{c:?} and {least:?} are one"
            );
            let first = *least_of.entry(fold_char(c)).or_insert(least);
            assert_eq!(first, least, "{c:?} is not one with {first:?}");
            rows += 1;
        }
        assert!(rows > 100_000, "go listed {rows} letters");
    }
}
