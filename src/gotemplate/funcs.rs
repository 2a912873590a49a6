//! The functions that templates call.
//!
//! Source: golang/go `text/template/funcs.go`; `join` is go list's.

use std::cmp::Ordering;
use std::ptr;

use super::call::{Parameter, Signature};
use super::value::{Text as Shared, Value};
use super::{MAX_STRING, print, printf};

/// Why a literal or a call of a function has no value.
#[derive(Debug)]
pub(super) enum Problem {
    /// What Go says.
    Go(String),
    /// Go can, and this cannot.
    Beyond(String),
}

impl From<String> for Problem {
    fn from(text: String) -> Problem {
        Problem::Go(text)
    }
}

impl From<&str> for Problem {
    fn from(text: &str) -> Problem {
        Problem::Go(text.to_owned())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    And,
    Or,
    Not,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Len,
    Index,
    Slice,
    Print,
    Printf,
    Println,
    Join,
}

use Parameter::{Any, String as Text, Strings};

/// Each function with its name and parameters.
const FUNCTIONS: &[(&str, Function, &[Parameter], bool)] = &[
    ("and", Function::And, &[Any], true),
    ("or", Function::Or, &[Any], true),
    ("not", Function::Not, &[Any], false),
    ("eq", Function::Eq, &[Any], true),
    ("ne", Function::Ne, &[Any, Any], false),
    ("lt", Function::Lt, &[Any, Any], false),
    ("le", Function::Le, &[Any, Any], false),
    ("gt", Function::Gt, &[Any, Any], false),
    ("ge", Function::Ge, &[Any, Any], false),
    ("len", Function::Len, &[Any], false),
    ("index", Function::Index, &[Any], true),
    ("slice", Function::Slice, &[Any], true),
    ("print", Function::Print, &[], true),
    ("printf", Function::Printf, &[Text], true),
    ("println", Function::Println, &[], true),
    ("join", Function::Join, &[Strings, Text], false),
];

/// What Go and go list have besides.
const ELSEWHERE: [&str; 6] = ["call", "context", "html", "js", "module", "urlquery"];

impl Function {
    pub(super) fn find(name: &str) -> Option<Function> {
        let found = FUNCTIONS.iter().find(|row| row.0 == name);
        found.map(|row| row.1)
    }

    pub(super) fn is_known_elsewhere(name: &str) -> bool {
        ELSEWHERE.contains(&name)
    }

    pub(super) fn name(self) -> &'static str {
        let found = FUNCTIONS.iter().find(|row| row.1 == self);
        found.map_or("", |row| row.0)
    }

    pub(super) fn signature(self) -> Signature {
        let found = FUNCTIONS.iter().find(|row| row.1 == self);
        let (fixed, variadic) = found.map_or((&[][..], true), |row| (row.2, row.3));
        Signature { fixed, variadic }
    }

    /// Calls the function with as many arguments as its signature wants.
    pub(super) fn call<'v>(self, arguments: &[Value<'v>]) -> Result<Value<'v>, Problem> {
        let text = match (self, arguments) {
            (Function::Not, [value]) => return Ok(Value::Bool(!value.truth())),
            (Function::Eq, [first, rest @ ..]) => return equal(first, rest).map(Value::Bool),
            (Function::Ne, [a, rest @ ..]) => return equal(a, rest).map(|eq| Value::Bool(!eq)),
            (Function::Lt, [a, b]) => return less(a, b).map(Value::Bool),
            (Function::Le, [a, b]) => return less_or_equal(a, b).map(Value::Bool),
            (Function::Gt, [a, b]) => return less_or_equal(a, b).map(|le| Value::Bool(!le)),
            (Function::Ge, [a, b]) => return less(a, b).map(|lt| Value::Bool(!lt)),
            (Function::Len, [value]) => return length(value),
            (Function::Index, [value, indexes @ ..]) => return index(value, indexes),
            (Function::Slice, [value, indexes @ ..]) => return slice(value, indexes),
            (Function::Print, values) => print::sprint(values),
            (Function::Println, values) => print::sprintln(values),
            (Function::Printf, [Value::Str(format), values @ ..]) => {
                printf::sprintf(format, values)?
            }
            (Function::Join, [Value::List(list), Value::Str(separator)]) => list.join(separator),
            // `and` and `or` are not called, and signatures are kept.
            _ => return Ok(Value::Missing),
        };
        if text.len() > MAX_STRING {
            return Err(Problem::Beyond("room for so long a string".to_owned()));
        }
        Ok(Value::string(text))
    }
}

/// What values can be compared as.
#[derive(PartialEq)]
enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
}

fn basic<'a>(value: &'a Value<'_>) -> Option<Basic<'a>> {
    match value {
        Value::Bool(value) => Some(Basic::Bool(*value)),
        Value::Int(value) => Some(Basic::Int(*value)),
        // Numbers with and without a sign compare.
        Value::Byte(value) => Some(Basic::Int((*value).into())),
        Value::Float(value) => Some(Basic::Float(*value)),
        Value::Str(text) => Some(Basic::Text(text)),
        _ => None,
    }
}

fn incompatible(a: &Value<'_>, b: &Value<'_>) -> Problem {
    let (a, b) = (a.type_name(), b.type_name());
    format!("incompatible types for comparison: {a} and {b}").into()
}

fn equal(first: &Value<'_>, others: &[Value<'_>]) -> Result<bool, Problem> {
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        let same = match (basic(first), basic(other)) {
            (Some(a), Some(b)) if std::mem::discriminant(&a) == std::mem::discriminant(&b) => {
                a == b
            }
            (None, None) => same_pointer(first, other)?,
            _ if matches!(first, Value::Missing) || matches!(other, Value::Missing) => false,
            _ => return Err(incompatible(first, other)),
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Compares what is no basic value: with nil, and pointers.
fn same_pointer(a: &Value<'_>, b: &Value<'_>) -> Result<bool, Problem> {
    let is_list = |value: &Value<'_>| matches!(value, Value::List(_));
    let either_missing = matches!(a, Value::Missing) || matches!(b, Value::Missing);
    if is_list(a) != is_list(b) && !either_missing {
        let shown_a = printf::sprintf("%s", std::slice::from_ref(a))?;
        let shown_b = print::plain(b);
        let (type_a, type_b) = (a.type_name(), b.type_name());
        return Err(
            format!("non-comparable types {shown_a}: {type_a}, {type_b}: {shown_b}").into(),
        );
    }
    if a.is_nil() || b.is_nil() {
        return Ok(a.is_nil() && b.is_nil());
    }
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => Ok(ptr::addr_eq(*a, *b)),
        // A time is the same pointer only if it is the same field.
        (Value::Time(_), Value::Time(_)) => {
            Err(Problem::Beyond("the comparison of two times".to_owned()))
        }
        (Value::List(_), _) => {
            let (shown, name) = (print::plain(b), b.type_name());
            Err(format!("non-comparable type {shown}: {name}").into())
        }
        _ => Ok(false),
    }
}

fn less(a: &Value<'_>, b: &Value<'_>) -> Result<bool, Problem> {
    let no_order = || Problem::from("invalid type for comparison");
    let (x, y) = (
        basic(a).ok_or_else(no_order)?,
        basic(b).ok_or_else(no_order)?,
    );
    let order = match (x, y) {
        (Basic::Int(a), Basic::Int(b)) => a.cmp(&b),
        // Neither is no number.
        (Basic::Float(a), Basic::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        (Basic::Text(a), Basic::Text(b)) => a.cmp(b),
        (Basic::Bool(_), Basic::Bool(_)) => return Err(no_order()),
        _ => return Err(incompatible(a, b)),
    };
    Ok(order == Ordering::Less)
}

fn less_or_equal(a: &Value<'_>, b: &Value<'_>) -> Result<bool, Problem> {
    Ok(less(a, b)? || equal(a, std::slice::from_ref(b))?)
}

fn length<'v>(value: &Value<'_>) -> Result<Value<'v>, Problem> {
    let length = match value {
        Value::Str(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Nil(_) => return Err("len of nil pointer".into()),
        Value::Missing => {
            return Err("reflect: call of reflect.Value.Type on zero Value".into());
        }
        _ => return Err(format!("len of type {}", value.indirect_type_name()).into()),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// An index up to `end`, as Go checks one.
fn position(index: &Value<'_>, end: usize) -> Result<usize, Problem> {
    let value = match index {
        Value::Int(value) => *value,
        Value::Byte(value) => i64::from(*value),
        Value::Missing => return Err("cannot index slice/array with nil".into()),
        _ => {
            let name = index.type_name();
            return Err(format!("cannot index slice/array with type {name}").into());
        }
    };
    usize::try_from(value)
        .ok()
        .filter(|&at| at <= end)
        .ok_or_else(|| format!("index out of range: {value}").into())
}

fn index<'v>(value: &Value<'v>, indexes: &[Value<'v>]) -> Result<Value<'v>, Problem> {
    let mut value = value.clone();
    if let Value::Missing = value {
        return Err("index of untyped nil".into());
    }
    for index in indexes {
        value = match &value {
            Value::Nil(_) => return Err("index of nil pointer".into()),
            Value::List(list) => match list.get(position(index, list.len())?) {
                Some(text) => Value::str(text),
                None => return Err("reflect: slice index out of range".into()),
            },
            Value::Str(text) => match text.as_bytes().get(position(index, text.len())?) {
                Some(&byte) => Value::Byte(byte),
                None => return Err("reflect: string index out of range".into()),
            },
            _ => {
                let name = value.indirect_type_name();
                return Err(format!("can't index item of type {name}").into());
            }
        };
    }
    Ok(value)
}

fn slice<'v>(value: &Value<'v>, indexes: &[Value<'v>]) -> Result<Value<'v>, Problem> {
    let length = match value {
        Value::Missing => return Err("slice of untyped nil".into()),
        Value::Nil(_) => return Err("slice of nil pointer".into()),
        _ if indexes.len() > 3 => {
            return Err(format!("too many slice indexes: {}", indexes.len()).into());
        }
        Value::Str(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::Str(text) => text.len(),
        Value::List(list) => list.len(),
        _ => {
            let name = value.indirect_type_name();
            return Err(format!("can't slice item of type {name}").into());
        }
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, length)?;
    }
    let [start, end, last] = bounds;
    for (low, high) in [(start, end), (end, last)] {
        if low > high {
            return Err(format!("invalid slice index: {low} > {high}").into());
        }
    }
    match value {
        Value::List(list) => Ok(Value::List(list.get(start..end).unwrap_or_default())),
        Value::Str(text) => {
            let part = match text {
                Shared::Given(text) => text.get(start..end).map(Shared::Given),
                Shared::Made(text) => text.get(start..end).map(|part| Shared::Made(part.into())),
            };
            part.map(Value::Str)
                .ok_or_else(|| Problem::Beyond("parts of characters".to_owned()))
        }
        _ => Ok(Value::Missing),
    }
}
