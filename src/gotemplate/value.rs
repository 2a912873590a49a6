//! What a template is applied to: the few kinds of Go values that a listing has.

use std::ops::Deref;
use std::rc::Rc;

use crate::gomod::Time;

/// The type of a Go struct that templates see through a pointer.
#[derive(Debug, PartialEq, Eq)]
pub struct Type {
    /// As Go prints it, with its package and without the star: `modinfo.ModulePublic`.
    pub name: &'static str,
    /// The exported fields in order.
    pub fields: &'static [&'static str],
    /// True if it has a method `String`, which then prints it.
    pub stringer: bool,
}

/// A struct of Go.
pub trait TemplateObject {
    /// Its type.
    fn go_type(&self) -> &'static Type;

    /// The value of a field. Called for the names in [`Type::fields`] only.
    fn field(&self, name: &str) -> Value<'_>;

    /// What the method `String` returns. Called only if [`Type::stringer`] says that there is one.
    fn string(&self) -> String {
        String::new()
    }
}

/// A value, with the type that Go would give it.
#[derive(Clone)]
pub enum Value<'v> {
    /// Nothing at all: what Go calls an invalid value, or an interface without one.
    Missing,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `uint8`: a part of a string.
    Byte(u8),
    /// `float64`, finite.
    Float(f64),
    /// `string`
    Str(Text<'v>),
    /// `[]string`; an empty one is nil.
    List(&'v [String]),
    /// A pointer to a struct.
    Object(&'v dyn TemplateObject),
    /// The nil pointer to a struct.
    Nil(&'static Type),
    /// `*time.Time`
    Time(Time),
}

/// A string that a listing has, or one that was made for a template and is shared by its copies.
#[derive(Clone)]
pub enum Text<'v> {
    /// Of the listing, or of the template.
    Given(&'v str),
    /// Made by a function or method.
    Made(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Given(text) => text,
            Text::Made(text) => text,
        }
    }
}

/// The type that nil pointers of times have, so that [`Value::time`] can be one.
static TIME: Type = Type {
    name: "time.Time",
    fields: &[],
    stringer: true,
};

impl<'v> Value<'v> {
    /// A string.
    #[must_use]
    pub fn str(text: &'v str) -> Value<'v> {
        Value::Str(Text::Given(text))
    }

    /// A string that was made.
    #[must_use]
    pub fn string(text: String) -> Value<'v> {
        Value::Str(Text::Made(text.into()))
    }

    /// A pointer to a time, or nil.
    #[must_use]
    pub fn time(time: Option<Time>) -> Value<'v> {
        time.map_or(Value::Nil(&TIME), Value::Time)
    }

    /// A pointer to a struct of some type, or nil.
    #[must_use]
    pub fn object(object: Option<&'v dyn TemplateObject>, go_type: &'static Type) -> Value<'v> {
        object.map_or(Value::Nil(go_type), Value::Object)
    }

    /// Go's truth: what is not zero, empty or nil.
    pub(super) fn truth(&self) -> bool {
        match self {
            Value::Missing | Value::Nil(_) => false,
            Value::Bool(value) => *value,
            Value::Int(value) => *value != 0,
            Value::Byte(value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Str(text) => !text.is_empty(),
            Value::List(list) => !list.is_empty(),
            Value::Object(_) | Value::Time(_) => true,
        }
    }

    /// True for what compares as nil.
    pub(super) fn is_nil(&self) -> bool {
        match self {
            Value::Missing | Value::Nil(_) => true,
            Value::List(list) => list.is_empty(),
            _ => false,
        }
    }

    /// The struct that a pointer is for.
    pub(super) fn pointed(&self) -> Option<&'static Type> {
        match self {
            Value::Object(object) => Some(object.go_type()),
            Value::Nil(go_type) => Some(go_type),
            Value::Time(_) => Some(&TIME),
            _ => None,
        }
    }

    /// True for a pointer to a time, nil or not.
    pub(super) fn is_time(&self) -> bool {
        self.pointed() == Some(&TIME)
    }

    /// The type as Go prints it.
    pub(super) fn type_name(&self) -> String {
        match self {
            Value::Missing => "<nil>".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Int(_) => "int".to_owned(),
            Value::Byte(_) => "uint8".to_owned(),
            Value::Float(_) => "float64".to_owned(),
            Value::Str(_) => "string".to_owned(),
            Value::List(_) => "[]string".to_owned(),
            pointer => format!("*{}", pointer.indirect_type_name()),
        }
    }

    /// The type of what a pointer points to, or of the value itself.
    pub(super) fn indirect_type_name(&self) -> String {
        match self.pointed() {
            Some(go_type) => go_type.name.to_owned(),
            None => self.type_name(),
        }
    }
}
