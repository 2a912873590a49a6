//! A parsed template, which prints as Go prints one in messages.

use std::fmt;

use super::funcs::Function;
use crate::gomod::quote::quote;

/// What stands between or in the braces, in order.
#[derive(Debug)]
pub(super) enum TemplateStatement {
    Text(String),
    Action(Pipe),
    Control(Box<Control>),
    Call(TemplateCall),
    Break,
    Continue,
}

/// True of blanks, which define no template where there is another of the name.
///
/// Source: golang/go `text/template/parse/parse.go`, `IsEmptyTree`.
pub(super) fn is_empty(list: &[TemplateStatement]) -> bool {
    let is_blank = |statement: &TemplateStatement| match statement {
        TemplateStatement::Text(text) => text.trim().is_empty(),
        _ => false,
    };
    list.iter().all(is_blank)
}

/// `{{template "name" pipe}}`
#[derive(Debug)]
pub(super) struct TemplateCall {
    /// Where the name is.
    pub(super) at: usize,
    pub(super) name: String,
    pub(super) pipe: Option<Pipe>,
}

/// `if`, `with` or `range`, with what it encloses.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) word: Word,
    pub(super) pipe: Pipe,
    pub(super) list: Vec<TemplateStatement>,
    pub(super) otherwise: Vec<TemplateStatement>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    If,
    With,
    Range,
}

impl Word {
    pub(super) fn name(self) -> &'static str {
        match self {
            Word::If => "if",
            Word::With => "with",
            Word::Range => "range",
        }
    }
}

/// Commands, each of which hands its value to the next, and the variables that get the last.
#[derive(Debug)]
pub(super) struct Pipe {
    /// Byte offset in the template.
    pub(super) at: usize,
    /// `=`, not `:=`.
    pub(super) assigns: bool,
    pub(super) variables: Vec<String>,
    pub(super) commands: Vec<TemplateCommand>,
}

/// A function or method with its arguments, or a single value. There is at least one term.
#[derive(Debug)]
pub(super) struct TemplateCommand {
    pub(super) at: usize,
    pub(super) first: Term,
    pub(super) arguments: Vec<Term>,
}

#[derive(Debug)]
pub(super) struct Term {
    pub(super) at: usize,
    pub(super) what: Operand,
}

#[derive(Debug)]
pub(super) enum Operand {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    Text {
        quoted: String,
        text: String,
    },
    /// `.A.B`
    Field(Vec<String>),
    /// `$x.A.B`
    Variable(String, Vec<String>),
    Function(Function),
    Pipe(Box<Pipe>),
    /// `(pipe).A.B` or `function.A.B`
    Chain(Box<Term>, Vec<String>),
}

/// A number as it was written, and what it stands for where no type is asked for.
#[derive(Debug)]
pub(super) struct Number {
    pub(super) text: String,
    pub(super) value: Constant,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Constant {
    Int(i64),
    Float(f64),
    /// A `uint64` that is no `int`, which nothing here takes.
    Unsigned,
}

impl fmt::Display for TemplateCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", quote(&self.name))?;
        if let Some(pipe) = &self.pipe {
            write!(f, " {pipe}")?;
        }
        f.write_str("}}")
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            f.write_str(&self.variables.join(", "))?;
            f.write_str(if self.assigns { " = " } else { " := " })?;
        }
        for (at, command) in self.commands.iter().enumerate() {
            if at > 0 {
                f.write_str(" | ")?;
            }
            command.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for TemplateCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.in_command(f)?;
        for term in &self.arguments {
            f.write_str(" ")?;
            term.in_command(f)?;
        }
        Ok(())
    }
}

impl Term {
    /// As part of something, where a pipeline is in parentheses; alone it is not.
    fn in_command(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Operand::Pipe(pipe) => write!(f, "({pipe})"),
            _ => fmt::Display::fmt(self, f),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = |f: &mut fmt::Formatter<'_>, fields: &[String]| {
            fields.iter().try_for_each(|field| write!(f, ".{field}"))
        };
        match &self.what {
            Operand::Dot => f.write_str("."),
            Operand::Nil => f.write_str("nil"),
            Operand::Bool(value) => value.fmt(f),
            Operand::Number(number) => f.write_str(&number.text),
            Operand::Text { quoted, .. } => f.write_str(quoted),
            Operand::Field(names) => fields(f, names),
            Operand::Variable(name, names) => {
                f.write_str(name)?;
                fields(f, names)
            }
            Operand::Function(function) => f.write_str(function.name()),
            Operand::Pipe(pipe) => pipe.fmt(f),
            Operand::Chain(term, names) => {
                term.in_command(f)?;
                fields(f, names)
            }
        }
    }
}
