//! Applies a template to a value.
//!
//! Source: golang/go `text/template/exec.go`.

use std::fmt;

use super::tree::{Command, Control, Pipe, Statement, Term, What, Word};
use super::value::Value;
use super::{MAX_TEXT, beyond, print};
use crate::error::{Error, Kind, Result};

/// Applies what was parsed from `text`.
pub(super) fn render<'v>(
    text: &'v str,
    root: &'v [Statement],
    value: &Value<'v>,
    out: &mut String,
) -> Result<()> {
    let mut run = Run {
        text,
        limit: out.len().saturating_add(MAX_TEXT),
        out,
        variables: vec![("$", value.clone())],
        place: Place::default(),
    };
    run.list(value, root).map(|_| ())
}

/// What is being evaluated, for messages.
#[derive(Clone, Copy, Default)]
pub(super) enum Place<'v> {
    #[default]
    Start,
    Pipe(&'v Pipe),
    Command(&'v Command),
    Term(&'v Term),
}

impl Place<'_> {
    fn at(&self) -> usize {
        match self {
            Place::Start => 0,
            Place::Pipe(pipe) => pipe.at,
            Place::Command(command) => command.at,
            Place::Term(term) => term.at,
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Start => Ok(()),
            Place::Pipe(pipe) => pipe.fmt(f),
            Place::Command(command) => command.fmt(f),
            Place::Term(term) => term.fmt(f),
        }
    }
}

/// How a list of statements ended.
enum Flow {
    On,
    Break,
    Continue,
}

/// One application of a template.
pub(super) struct Run<'v, 'o> {
    text: &'v str,
    out: &'o mut String,
    /// The length that `out` must not pass.
    limit: usize,
    /// The innermost last.
    variables: Vec<(&'v str, Value<'v>)>,
    pub(super) place: Place<'v>,
}

impl<'v> Run<'v, '_> {
    /// What happened where, as go says it.
    fn located(&self, problem: &str) -> String {
        let before = self.text.get(..self.place.at()).unwrap_or_default();
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1);
        let place = self.place;
        format!("template: main:{line}:{column}: executing \"main\" at <{place}>: {problem}")
    }

    pub(super) fn fail<T>(&self, problem: impl fmt::Display) -> Result<T> {
        let text = self.located(&problem.to_string());
        Err(Error::new(Kind::Input, text))
    }

    pub(super) fn beyond<T>(&self, what: &str) -> Result<T> {
        Err(beyond(&self.located(""), what))
    }

    fn write(&mut self, text: &str) -> Result<()> {
        if self.out.len() + text.len() > self.limit {
            return self.beyond("room for so much output");
        }
        self.out.push_str(text);
        Ok(())
    }

    fn list(&mut self, dot: &Value<'v>, list: &'v [Statement]) -> Result<Flow> {
        for statement in list {
            match statement {
                Statement::Text(text) => self.write(text)?,
                Statement::Action(pipe) => {
                    let value = self.pipeline(dot, pipe)?;
                    if pipe.variables.is_empty() {
                        let text = print::printed(&value);
                        self.write(&text)?;
                    }
                }
                Statement::Control(control) => {
                    let known = self.variables.len();
                    let flow = match control.word {
                        Word::Range => self.range(dot, control),
                        _ => self.if_or_with(dot, control),
                    }?;
                    self.variables.truncate(known);
                    if !matches!(flow, Flow::On) {
                        return Ok(flow);
                    }
                }
                Statement::Break => return Ok(Flow::Break),
                Statement::Continue => return Ok(Flow::Continue),
            }
        }
        Ok(Flow::On)
    }

    fn if_or_with(&mut self, dot: &Value<'v>, control: &'v Control) -> Result<Flow> {
        let value = self.pipeline(dot, &control.pipe)?;
        match (value.truth(), control.word) {
            (true, Word::With) => self.list(&value, &control.list),
            (true, _) => self.list(dot, &control.list),
            (false, _) => self.list(dot, &control.otherwise),
        }
    }

    fn range(&mut self, dot: &Value<'v>, control: &'v Control) -> Result<Flow> {
        let list = match self.pipeline(dot, &control.pipe)? {
            Value::List(list) => list,
            Value::Missing => &[],
            Value::Int(_) | Value::Byte(_) => return self.beyond("ranges over integers"),
            value => {
                let value = print::shown_in_message(&value);
                return self.fail(format!("range can't iterate over {value}"));
            }
        };
        if list.is_empty() {
            return self.list(dot, &control.otherwise);
        }
        let known = self.variables.len();
        for (index, element) in (0..).zip(list) {
            let (index, element) = (Value::Int(index), Value::str(element));
            let pipe = &control.pipe;
            let values = match pipe.variables.len() {
                0 => vec![],
                1 => vec![element.clone()],
                _ => vec![index, element.clone()],
            };
            if pipe.assigns {
                for (name, value) in pipe.variables.iter().zip(values) {
                    self.assign(name, value)?;
                }
            } else {
                // The pipeline has pushed them, as many as there are names.
                let declared = self.variables.iter_mut().rev();
                for ((_, slot), value) in declared.zip(values.into_iter().rev()) {
                    *slot = value;
                }
            }
            let flow = self.list(&element, &control.list)?;
            self.variables.truncate(known);
            if let Flow::Break = flow {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn assign(&mut self, name: &str, value: Value<'v>) -> Result<()> {
        let mut known = self.variables.iter_mut().rev();
        match known.find(|(known, _)| *known == name) {
            Some((_, slot)) => *slot = value,
            None => return self.fail(format!("undefined variable: {name}")),
        }
        Ok(())
    }

    pub(super) fn pipeline(&mut self, dot: &Value<'v>, pipe: &'v Pipe) -> Result<Value<'v>> {
        self.place = Place::Pipe(pipe);
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(dot, command, last)?);
        }
        // There is at least one command.
        let value = last.unwrap_or(Value::Missing);
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    fn command(
        &mut self,
        dot: &Value<'v>,
        command: &'v Command,
        last: Option<Value<'v>>,
    ) -> Result<Value<'v>> {
        let (first, arguments) = (&command.first, &*command.arguments);
        let place = Place::Command(command);
        match &first.what {
            What::Function(function) => {
                self.function(dot, first, *function, place, arguments, last)
            }
            What::Field(_) | What::Variable(..) | What::Chain(..) => {
                self.chain(dot, first, arguments, last)
            }
            What::Pipe(pipe) => {
                self.no_arguments(first, arguments, last.as_ref())?;
                self.pipeline(dot, pipe)
            }
            _ => {
                self.place = Place::Term(first);
                self.no_arguments(first, arguments, last.as_ref())?;
                match &first.what {
                    What::Dot => Ok(dot.clone()),
                    What::Nil => self.fail("nil is not a command"),
                    _ => self.literal(first),
                }
            }
        }
    }

    pub(super) fn no_arguments(
        &self,
        first: &Term,
        arguments: &[Term],
        last: Option<&Value<'v>>,
    ) -> Result<()> {
        if arguments.is_empty() && last.is_none() {
            return Ok(());
        }
        self.fail(format!("can't give argument to non-function {first}"))
    }

    /// The value of a literal where any type will do.
    pub(super) fn literal(&mut self, term: &'v Term) -> Result<Value<'v>> {
        self.place = Place::Term(term);
        match &term.what {
            What::Bool(value) => Ok(Value::Bool(*value)),
            What::Text { text, .. } => Ok(Value::str(text)),
            What::Number(number) => match number.value {
                Some(value) => Ok(Value::Int(value)),
                None => self.fail(format!("{} overflows int", number.text)),
            },
            // Nothing else is asked for here.
            _ => Ok(Value::Missing),
        }
    }

    /// The value of a variable, which parsing has seen.
    pub(super) fn variable(&self, name: &str) -> Result<Value<'v>> {
        let known = self.variables.iter().rev().find(|known| known.0 == name);
        match known {
            Some((_, value)) => Ok(value.clone()),
            None => self.fail(format!("undefined variable: {name}")),
        }
    }
}
