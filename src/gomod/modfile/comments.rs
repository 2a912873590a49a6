//! What comments of a go.mod say.

use super::syntax::{SyntaxBlock, SyntaxLine};

/// True of a requirement that is marked as indirect.
pub(super) fn is_indirect(line: &SyntaxLine<'_>) -> bool {
    line.suffix.is_some_and(says_indirect)
}

/// True for `// indirect` and `// indirect; anything`.
pub(super) fn says_indirect(comment: &str) -> bool {
    let mut words = comment_words(comment).split_whitespace();
    match (words.next(), words.next()) {
        (Some("indirect"), None) => true,
        (Some(first), Some(_)) => first == "indirect;",
        _ => false,
    }
}

fn comment_words(comment: &str) -> &str {
    comment.strip_prefix("//").unwrap_or(comment)
}

/// The comments of a line, or of its block where it has none itself.
pub(super) fn comment_text(line: &SyntaxLine<'_>, block: Option<&SyntaxBlock<'_>>) -> String {
    let (mut before, mut suffix) = (&line.before, line.suffix);
    if let Some(block) = block
        && before.is_empty()
        && suffix.is_none()
    {
        (before, suffix) = (&block.before, None);
    }
    let mut text = String::new();
    let comments = before.iter().copied().chain(suffix);
    for (i, comment) in comments.filter(|comment| !comment.is_empty()).enumerate() {
        if i > 0 {
            text.push('\n');
        }
        text.push_str(comment_words(comment).trim());
    }
    text
}

/// The rest of the first paragraph that begins with `Deprecated:`.
pub(super) fn deprecation(text: &str) -> Option<String> {
    const MARK: &str = "Deprecated:";
    let rest = match text.strip_prefix(MARK) {
        Some(rest) => rest,
        None => text.split_once("\n\nDeprecated:")?.1,
    };
    let rest = rest.trim_start_matches(' ');
    let message = rest.split_once("\n\n").map_or(rest, |(message, _)| message);
    (!message.is_empty()).then(|| message.to_owned())
}
