//! JSON as Go's `encoding/json` prints it with `MarshalIndent(v, "", "\t")`: tabs, keys in the
//! order given, empty values left out, `<`, `>` and `&` escaped.

use std::fmt::Write as _;

/// One object, written key by key.
///
/// Keys whose value is empty are left out, as with `omitempty`.
#[derive(Debug, Default)]
pub struct JsonObject {
    members: Vec<(&'static str, String)>,
}

impl JsonObject {
    /// An object without members.
    #[must_use]
    pub fn new() -> JsonObject {
        JsonObject::default()
    }

    /// Adds a string, unless it is empty.
    pub fn string(&mut self, key: &'static str, value: &str) {
        if !value.is_empty() {
            self.members.push((key, quoted(value)));
        }
    }

    /// Adds a number, unless it is zero.
    pub fn number(&mut self, key: &'static str, value: u64) {
        if value != 0 {
            self.members.push((key, value.to_string()));
        }
    }

    /// Adds a list of strings, unless it is empty.
    pub fn strings(&mut self, key: &'static str, values: &[impl AsRef<str>]) {
        if !values.is_empty() {
            let items: Vec<String> = values.iter().map(|value| quoted(value.as_ref())).collect();
            self.members.push((key, format!("[{}]", items.join(","))));
        }
    }

    /// Adds an object, unless it has no members.
    pub fn object(&mut self, key: &'static str, value: &JsonObject) {
        if !value.members.is_empty() {
            let lines = value.indented().replace('\n', "\n\t");
            self.members.push((key, lines));
        }
    }

    /// The object over several lines, without a final newline.
    #[must_use]
    pub fn indented(&self) -> String {
        if self.members.is_empty() {
            return "{}".to_owned();
        }
        let lines: Vec<String> = self
            .members
            .iter()
            .map(|(key, value)| format!("\t{}: {value}", quoted(key)))
            .collect();
        format!("{{\n{}\n}}", lines.join(",\n"))
    }

    /// The object on one line.
    #[must_use]
    pub fn compact(&self) -> String {
        let members: Vec<String> = self
            .members
            .iter()
            .map(|(key, value)| format!("{}:{value}", quoted(key)))
            .collect();
        format!("{{{}}}", members.join(","))
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_go_escapes_it() {
        // json.Marshal of the same string in go1.26.
        let text = "a\"b\\c\u{8}\u{c}\n\r\t\u{1}<x>&\u{2028}\u{e4}\u{7f}";
        let want = "\"a\\\"b\\\\c\\b\\f\\n\\r\\t\\u0001\\u003cx\\u003e\\u0026\\u2028\u{e4}\u{7f}\"";
        assert_eq!(quoted(text), want);
    }

    #[test]
    fn members_keep_their_order_and_empty_ones_are_left_out() {
        let mut inner = JsonObject::new();
        inner.string("VCS", "git");
        let mut object = JsonObject::new();
        object.string("Path", "a.com/m");
        object.string("Query", "");
        object.object("Origin", &inner);
        object.object("None", &JsonObject::new());
        object.number("Bytes", 12);
        object.number("Retries", 0);
        object.strings("Missing", &["zip"]);
        let want = "{\n\t\"Path\": \"a.com/m\",\n\t\"Origin\": {\n\t\t\"VCS\": \"git\"\n\t},\n\t\"Bytes\": 12,\n\t\"Missing\": [\"zip\"]\n}";
        assert_eq!(object.indented(), want);
    }
}
