//! Bytes that are not UTF-8, carried through text and back.
//!
//! Only comments may have such bytes, and a file that is written again keeps them.

use std::borrow::Cow;

/// How bytes that are not UTF-8 stand in the text of a file.
#[derive(Clone, Debug)]
pub(super) struct RawBytes {
    /// Stands before each of them, and nowhere else; `None` where there are none.
    mark: Option<char>,
}

/// The character for a byte, after the mark: none that is a space, or that ends a line.
const FIRST: u32 = 0xE000;

impl RawBytes {
    /// The text of a file. A token with such a byte is one that no lexer takes.
    pub(super) fn take(data: &[u8]) -> (Cow<'_, str>, RawBytes) {
        if let Ok(text) = std::str::from_utf8(data) {
            return (Cow::Borrowed(text), RawBytes { mark: None });
        }
        let unused = |mark: &char| {
            let mut chunks = data.utf8_chunks();
            chunks.all(|chunk| !chunk.valid().contains(*mark))
        };
        // Characters that are none by definition, then those without a meaning.
        let mut marks = ('\u{FDD0}'..='\u{FDEF}').chain('\u{F0000}'..='\u{FFFFD}');
        // A file that has them all is as long as 65,000 of them, and loses nothing but such bytes.
        let mark = marks.find(unused).unwrap_or('\u{FFFFD}');
        let mut text = String::with_capacity(data.len());
        for chunk in data.utf8_chunks() {
            text.push_str(chunk.valid());
            for &byte in chunk.invalid() {
                text.push(mark);
                text.extend(char::from_u32(FIRST + u32::from(byte)));
            }
        }
        (Cow::Owned(text), RawBytes { mark: Some(mark) })
    }

    /// The bytes of a text made of such text.
    pub(super) fn restore(&self, text: &str) -> Vec<u8> {
        let Some(mark) = self.mark else {
            return text.as_bytes().to_vec();
        };
        let mut bytes = Vec::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let byte = || u8::try_from(u32::from(chars.clone().next()?).checked_sub(FIRST)?).ok();
            match byte().filter(|_| c == mark) {
                Some(byte) => {
                    bytes.push(byte);
                    chars.next();
                }
                None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_come_back(data in proptest::collection::vec(any::<u8>(), 0..40)) {
            let (text, bytes) = RawBytes::take(&data);
            prop_assert_eq!(bytes.restore(&text), data);
        }
    }

    #[test]
    fn a_mark_that_is_there_already_is_not_taken() {
        let data = "\u{FDD0}\u{E041}"
            .bytes()
            .chain([0xff, b'a'])
            .collect::<Vec<_>>();
        let (text, bytes) = RawBytes::take(&data);
        assert_eq!(text.matches('\u{FDD0}').count(), 1);
        assert_eq!(bytes.restore(&text), data);
    }
}
