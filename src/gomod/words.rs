//! Go's way to write a list of words in one variable, some of them in quotes.

/// Splits a list of words, each of which may be in single or double quotes as a whole.
///
/// Blanks are space, tab, line feed and carriage return. A quote inside a word is an ordinary
/// character; a closing quote ends its word even if no blank follows.
///
/// # Errors
/// The text `unterminated " string` (or `'`), as go words it.
///
/// Source: go `cmd/internal/quoted`, `Split`.
pub(crate) fn split_quoted(text: &str) -> Result<Vec<String>, String> {
    const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(BLANKS);
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let body = rest.strip_prefix(first).unwrap_or_default();
            let Some((word, after)) = body.split_once(first) else {
                return Err(format!("unterminated {first} string"));
            };
            words.push(word.to_owned());
            rest = after;
        } else {
            let (word, after) = rest.split_once(BLANKS).unwrap_or((rest, ""));
            words.push(word.to_owned());
            rest = after;
        }
        rest = rest.trim_start_matches(BLANKS);
    }
    Ok(words)
}
