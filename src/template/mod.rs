//! The part of Go's `text/template` that module listings use: `list -m -f TEMPLATE`.
//!
//! What is here behaves as in Go, down to the messages: fields, methods and variables; `if`, `with`,
//! `range`, `else`, `break`, `continue`; pipelines and parentheses; literals; comments and trimming;
//! the functions `and or not eq ne lt le gt ge len index slice print printf println join` and the
//! methods of a time. What Go has beyond that is refused as a mistake in usage that names it:
//! templates within templates, floating-point numbers, ranges over integers, `html`, `js`,
//! `urlquery`, `call`, and go list's `context` and `module`.
//!
//! It is pure: text and a [`Value`] in, text out. Nesting and the size of what is printed are
//! bounded; the time is that of the loops a template asks for.
//!
//! The name that messages give a template is `main`, as go list calls it.
//!
//! Source: golang/go `text/template`, `cmd/go/internal/list/list.go`.

mod call;
mod exec;
mod field;
mod funcs;
mod lex;
mod parse;
mod print;
mod printf;
mod tree;
mod value;

pub use value::{Object, Type, Value};

use crate::error::{Error, Kind, Result};

/// The most bytes that one rendering may have.
const MAX_TEXT: usize = 16 << 20;

/// The most bytes that a function may make.
const MAX_STRING: usize = 1 << 20;

/// A template that can be applied to any number of values.
#[derive(Debug)]
pub struct Template {
    text: String,
    root: Vec<tree::Statement>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What Go's parser refuses, in its words and of [`Kind::Input`]; what Go has and this has not, of
    /// [`Kind::Usage`].
    pub fn parse(text: &str) -> Result<Template> {
        Ok(Template {
            root: parse::parse(text)?,
            text: text.to_owned(),
        })
    }

    /// Applies the template to a value and appends what it prints, which is there up to the place of
    /// an error, too.
    ///
    /// # Errors
    /// As for [`Template::parse`].
    pub fn render<'v>(&'v self, value: &Value<'v>, out: &mut String) -> Result<()> {
        exec::render(&self.text, &self.root, value, out)
    }
}

/// The refusal of what is not in the subset.
fn beyond(place: &str, what: &str) -> Error {
    Error::new(
        Kind::Usage,
        format!("{place}modfetch's templates do not have {what}"),
    )
    .hint("they have fields, variables, pipelines, if, with, range and the functions that module listings need")
}
