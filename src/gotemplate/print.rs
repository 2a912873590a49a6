//! Values as `fmt.Print` prints them.
//!
//! Source: golang/go `fmt/print.go`.

use super::float;
use super::value::{TemplateObject, Value};

/// What stands for the address of a struct within another.
const ADDRESS: &str = "0xc000000000";

/// What an action prints: nothing has a name, and a struct is printed itself, not a pointer to it.
pub(super) fn printed(value: &Value<'_>) -> String {
    match value {
        Value::Missing => "<no value>".to_owned(),
        Value::Object(object) if !object.go_type().stringer => structure(*object),
        _ => plain(value),
    }
}

/// What `%v` prints.
pub(super) fn plain(value: &Value<'_>) -> String {
    match value {
        Value::Missing | Value::Nil(_) => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Byte(value) => value.to_string(),
        Value::Float(value) => float::shortest(*value),
        Value::Str(text) => text.to_string(),
        Value::List(list) => format!("[{}]", list.join(" ")),
        Value::Time(time) => time.go_string(),
        Value::Object(object) if object.go_type().stringer => object.string(),
        Value::Object(object) => format!("&{}", structure(*object)),
    }
}

/// What go's messages show of a value, which is not where it is but what.
pub(super) fn shown_in_message(value: &Value<'_>) -> String {
    match value {
        Value::Object(object) => structure(*object),
        _ => plain(value),
    }
}

fn structure(object: &dyn TemplateObject) -> String {
    let fields = object.go_type().fields.iter();
    let fields: Vec<String> = fields.map(|name| nested(&object.field(name))).collect();
    format!("{{{}}}", fields.join(" "))
}

/// A value within a struct, where a pointer is printed as such.
pub(super) fn nested(value: &Value<'_>) -> String {
    match value {
        Value::Object(object) if !object.go_type().stringer => ADDRESS.to_owned(),
        _ => plain(value),
    }
}

/// `fmt.Sprint`: with a blank between two values that are no strings.
pub(super) fn sprint(values: &[Value<'_>]) -> String {
    let mut out = String::new();
    let mut after_string = true;
    for value in values {
        let is_string = matches!(value, Value::Str(_));
        if !is_string && !after_string {
            out.push(' ');
        }
        after_string = is_string;
        out.push_str(&plain(value));
    }
    out
}

/// `fmt.Sprintln`: with blanks between all.
pub(super) fn sprintln(values: &[Value<'_>]) -> String {
    let texts: Vec<String> = values.iter().map(plain).collect();
    texts.join(" ") + "\n"
}
