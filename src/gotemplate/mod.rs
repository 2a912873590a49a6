//! The part of Go's `text/template` that module listings use: `list -m -f TEMPLATE`.
//!
//! What is here behaves as in Go, down to the messages: fields, methods and variables; `if`, `with`,
//! `range` over lists and integers, `else`, `break`, `continue`; `define`, `template`, `block`;
//! pipelines and parentheses; literals; comments and trimming; the functions `and or not eq ne lt le
//! gt ge len index slice print printf println join` and some methods of a time. What Go has beyond
//! that is refused as a mistake in usage that names it: complex numbers, hexadecimal floats, some
//! verbs of `printf`, all but `%v` of floating-point numbers, `html`, `js`, `urlquery` and `call`,
//! which no value of a listing is for, and go list's `context` and `module`, which ask for more than
//! the module at hand. The area is frozen: no more of `text/template` is built.
//!
//! It is pure: text and a [`Value`] in, text out. Nesting, what is held and what is printed are
//! bounded; the time is that of the loops a template asks for. Templates within templates take no
//! stack: they may be as deep as in Go, and end with its message where they have no end.
//!
//! The name that messages give a template is `main`, as go list calls it.
//!
//! Source: golang/go `text/template`, `cmd/go/internal/list/list.go`.

mod call;
mod exec;
mod field;
mod float;
mod funcs;
mod lex;
mod number;
mod parse;
mod pipe;
mod print;
mod printf;
mod time_layout;
mod tree;
mod value;
mod walk;

pub use value::{TemplateObject, Type, Value};

use crate::error::{Error, Kind, Result};

/// The most bytes that one rendering may have.
const MAX_TEXT: usize = 16 << 20;

/// The most bytes that a function may make.
const MAX_STRING: usize = 1 << 20;

/// The most bytes that the functions may make in one rendering.
const MAX_MADE: usize = 64 << 20;

/// The most templates, controls and variables that one rendering may be within at a time. Go would run
/// out of stack.
const MAX_HELD: usize = 1_000_000;

/// The name of what is applied first.
const MAIN: &str = "main";

/// A template that can be applied to any number of values.
#[derive(Debug)]
pub struct Template {
    text: String,
    templates: parse::Templates,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What Go's parser refuses, in its words and of [`Kind::Input`]; what Go has and this has not, of
    /// [`Kind::Usage`].
    pub fn parse(text: &str) -> Result<Template> {
        Ok(Template {
            templates: parse::parse(text)?,
            text: text.to_owned(),
        })
    }

    /// Applies the template to a value and appends what it prints, which is there up to the place of
    /// an error, too.
    ///
    /// # Errors
    /// As for [`Template::parse`].
    pub fn render<'v>(&'v self, value: &Value<'v>, out: &mut String) -> Result<()> {
        walk::render(&self.text, &self.templates, value, out)
    }
}

/// The refusal of what is not in the subset.
fn beyond(place: &str, what: &str) -> Error {
    Error::new(
        Kind::Usage,
        format!("{place}modfetch's templates do not have {what}"),
    )
    .hint("they have all statements of Go's, and the functions that module listings need")
}
