//! Did you mean: the nearest of some names.

/// Returns the name that is nearest to what was typed, if any is near enough to be meant.
///
/// Near enough: one edit for each three characters, at least one. An edit inserts, removes or
/// replaces a character or swaps two neighbours.
pub(super) fn nearest<'a>(
    typed: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed: Vec<char> = typed.chars().take(64).collect();
    let limit = (typed.len() / 3).max(1);
    names
        .into_iter()
        .map(|name| (distance(&typed, &name.chars().collect::<Vec<_>>()), name))
        .filter(|(edits, name)| *edits <= limit && *edits < name.chars().count())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

/// Counts the edits between two words (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    // Rows of the usual table: the one before the last, the last, the current.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut a_previous = None;
    for (i, &ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        let mut b_previous = None;
        for (j, &cb) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let replaced = at(&last, j) + usize::from(ca != cb);
            let mut best = replaced.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if a_previous == Some(cb) && b_previous == Some(ca) {
                // Both have a previous character, so i and j are at least 1.
                best = best.min(at(&before, j.saturating_sub(1)).saturating_add(1));
            }
            row.push(best);
            b_previous = Some(cb);
        }
        before = std::mem::replace(&mut last, row);
        a_previous = Some(ca);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_by_hand() {
        let table = [
            ("", "", 0),
            ("", "abc", 3),
            ("jobs", "jobs", 0),
            ("jbos", "jobs", 1),
            ("offlin", "offline", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ];
        for (a, b, want) in table {
            let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(distance(&a, &b), want, "{a:?} {b:?}");
            assert_eq!(distance(&b, &a), want, "{b:?} {a:?}");
        }
    }

    #[test]
    fn only_what_may_be_meant_is_proposed() {
        let names = ["jobs", "jobs-per-host", "json", "x"];
        assert_eq!(nearest("jbos", names), Some("jobs"));
        assert_eq!(nearest("jsno", names), Some("json"));
        assert_eq!(nearest("job-per-hosts", names), Some("jobs-per-host"));
        assert_eq!(nearest("zebra", names), None);
        assert_eq!(nearest("y", names), None);
    }
}
