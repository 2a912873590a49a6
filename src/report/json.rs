//! Objects as Go's `encoding/json` prints them with `MarshalIndent(v, "", "\t")`: tabs, keys in the
//! order given, empty values left out, `<`, `>` and `&` escaped.

use std::borrow::Cow;

use crate::config::Log;
use crate::gojson::quote;

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
            self.members.push((key, quote(value)));
        }
    }

    /// Adds a number, be it zero.
    pub fn number(&mut self, key: &'static str, value: u64) {
        self.members.push((key, value.to_string()));
    }

    /// Adds a truth value, be it false.
    pub fn boolean(&mut self, key: &'static str, value: bool) {
        self.members.push((key, value.to_string()));
    }

    /// Adds a list of strings, unless it is empty.
    pub fn strings(&mut self, key: &'static str, values: &[impl AsRef<str>]) {
        if !values.is_empty() {
            let items: Vec<String> = values.iter().map(|value| quote(value.as_ref())).collect();
            self.members.push((key, format!("[{}]", items.join(","))));
        }
    }

    /// Adds a list of strings, one a line, unless it is empty.
    pub fn lines(&mut self, key: &'static str, values: &[impl AsRef<str>]) {
        if !values.is_empty() {
            let quoted = values.iter().map(|value| quote(value.as_ref()));
            let items: Vec<String> = quoted.map(|item| format!("\n\t\t{item}")).collect();
            self.members
                .push((key, format!("[{}\n\t]", items.join(","))));
        }
    }

    /// Adds an object, unless it has no members.
    pub fn object(&mut self, key: &'static str, value: &JsonObject) {
        if !value.members.is_empty() {
            self.present_object(key, value);
        }
    }

    /// Adds an object, be it without members, as Go prints what a pointer leads to.
    pub fn present_object(&mut self, key: &'static str, value: &JsonObject) {
        let lines = value.indented().replace('\n', "\n\t");
        self.members.push((key, lines));
    }

    /// Adds a list of objects, be it empty.
    pub fn objects(&mut self, key: &'static str, values: &[JsonObject]) {
        let items: Vec<String> = values
            .iter()
            .map(|value| format!("\n\t\t{}", value.indented().replace('\n', "\n\t\t")))
            .collect();
        let end = if items.is_empty() { "" } else { "\n\t" };
        self.members
            .push((key, format!("[{}{end}]", items.join(","))));
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
            .map(|(key, value)| format!("\t{}: {value}", quote(key)))
            .collect();
        format!("{{\n{}\n}}", lines.join(",\n"))
    }

    /// The object on one line.
    #[must_use]
    pub fn compact(&self) -> String {
        let members: Vec<String> = self
            .members
            .iter()
            .map(|(key, value)| format!("{}:{value}", quote(key)))
            .collect();
        format!("{{{}}}", members.join(","))
    }
}

/// A line of talk in the form that was asked for, without its line feed.
pub(super) fn info(log: Log, text: &str) -> Cow<'_, str> {
    match log {
        Log::Text => Cow::Borrowed(text),
        Log::Json => {
            let mut line = JsonObject::new();
            line.string("level", "info");
            line.string("message", text);
            Cow::Owned(line.compact())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        object.lines("Versions", &["v1.0.0", "v<"]);
        let want = "{\n\t\"Path\": \"a.com/m\",\n\t\"Origin\": {\n\t\t\"VCS\": \"git\"\n\t},\n\t\"Bytes\": 12,\n\t\"Retries\": 0,\n\t\"Missing\": [\"zip\"],\n\t\"Versions\": [\n\t\t\"v1.0.0\",\n\t\t\"v\\u003c\"\n\t]\n}";
        assert_eq!(object.indented(), want);
    }
}
