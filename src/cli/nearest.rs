//! Did you mean: the nearest of some names.

use strsim::osa_distance;

/// Returns the name that is nearest to what was typed, if any is near enough to be meant.
///
/// Near enough: one edit for each three characters, at least one. An edit inserts, removes or
/// replaces a character or swaps two neighbours.
pub(super) fn nearest<'a>(
    typed: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed: String = typed.chars().take(64).collect();
    let limit = (typed.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (osa_distance(&typed, name), name))
        .filter(|(edits, name)| *edits <= limit && *edits < name.chars().count())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

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
