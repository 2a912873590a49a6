//! Texts of strangers, fit for a terminal: what servers and certificates say may steer none.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// A text with a question mark for all that steers a terminal.
pub(super) fn harmless(text: &str) -> String {
    let shown = |c: char| {
        if is_harmless(c) && !c.is_control() {
            c
        } else {
            '?'
        }
    };
    text.chars().map(shown).collect()
}

/// Graphic in Go's sense, or white space: nothing that steers a terminal.
pub(super) fn is_harmless(c: char) -> bool {
    c.is_whitespace()
        || c.general_category() == GeneralCategory::SpaceSeparator
        || !matches!(
            c.general_category_group(),
            GeneralCategoryGroup::Other | GeneralCategoryGroup::Separator
        )
}
