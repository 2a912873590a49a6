//! The few elements that are read of S3's XML answers.
//!
//! No parser: an answer is searched for the text of elements whose names are known. What is not there
//! is absent, whatever else the answer holds. Keys come encoded as in URLs (`encoding-type=url`), so
//! that no markup can hide in them.

/// The text of the first `<name>`.
pub(super) fn text<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    elements(xml, name).next()
}

/// What is in each `<name>`, from the first on; an element does not hold another of its name.
pub(super) fn elements<'x>(xml: &'x str, name: &str) -> impl Iterator<Item = &'x str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (found, after) = after.split_once(&close)?;
        rest = after;
        Some(found)
    })
}

/// Text without markup: the five entities that XML knows.
pub(super) fn unescape(text: &str) -> String {
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#34;", "\""),
        ("&amp;", "&"),
    ];
    let replace = |text: String, (entity, with): (&str, &str)| text.replace(entity, with);
    entities.into_iter().fold(text.to_owned(), replace)
}

/// A key as `encoding-type=url` has it.
pub(super) fn decode_key(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let value = digit()? * 16 + digit()?;
                u8::try_from(value).ok()?
            }
            b'+' => b' ',
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found() {
        let xml = "<R><C><Key>a%2Fb%21</Key></C><C><Key>c+d</Key></C><T>&lt;&amp;lt;</T><N/></R>";
        let keys: Vec<_> = elements(xml, "C")
            .filter_map(|one| decode_key(text(one, "Key")?))
            .collect();
        assert_eq!(keys, ["a/b!", "c d"]);
        assert_eq!(unescape(text(xml, "T").unwrap()), "<&lt;");
        assert_eq!(text(xml, "N"), None);
        assert_eq!(text("<Key>cut", "Key"), None);
        assert_eq!(decode_key("%2"), None);
    }
}
