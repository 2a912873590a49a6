//! Evaluates pipelines, commands and terms.
//!
//! Source: golang/go `text/template/exec.go`.

use std::fmt;

use super::parse::Templates;
use super::tree::{Constant, Operand, Pipe, TemplateCall, TemplateCommand, Term};
use super::value::{Text, Value};
use super::walk::Frame;
use super::{MAX_HELD, MAX_MADE, beyond};
use crate::error::{Error, Kind, Result};
use crate::gomod::quote::quote;

/// What is being evaluated, for messages.
#[derive(Clone, Copy, Default)]
pub(super) enum EvaluationPoint<'v> {
    #[default]
    Start,
    Call(&'v TemplateCall),
    Pipe(&'v Pipe),
    Command(&'v TemplateCommand),
    Term(&'v Term),
}

impl EvaluationPoint<'_> {
    fn at(&self) -> usize {
        match self {
            EvaluationPoint::Start => 0,
            EvaluationPoint::Call(call) => call.at,
            EvaluationPoint::Pipe(pipe) => pipe.at,
            EvaluationPoint::Command(command) => command.at,
            EvaluationPoint::Term(term) => term.at,
        }
    }
}

impl fmt::Display for EvaluationPoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvaluationPoint::Start => Ok(()),
            EvaluationPoint::Call(call) => call.fmt(f),
            EvaluationPoint::Pipe(pipe) => pipe.fmt(f),
            EvaluationPoint::Command(command) => command.fmt(f),
            EvaluationPoint::Term(term) => term.fmt(f),
        }
    }
}

/// One application of a template.
pub(super) struct TemplateRun<'v, 'o> {
    pub(super) text: &'v str,
    pub(super) templates: &'v Templates,
    pub(super) out: &'o mut String,
    /// The length that `out` must not pass.
    pub(super) limit: usize,
    /// The bytes of all strings that were made.
    pub(super) made: usize,
    /// What is being applied, the innermost last.
    pub(super) frames: Vec<Frame<'v>>,
    /// The innermost last.
    pub(super) variables: Vec<(&'v str, Value<'v>)>,
    /// Where the variables of the template that is being applied start.
    pub(super) own: usize,
    /// The name of that template.
    pub(super) name: &'v str,
    /// How many templates it is within.
    pub(super) depth: usize,
    pub(super) place: EvaluationPoint<'v>,
}

impl<'v> TemplateRun<'v, '_> {
    /// What happened where, as go says it.
    fn located(&self, problem: &str) -> String {
        let before = self.text.get(..self.place.at()).unwrap_or_default();
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1);
        let (name, place) = (quote(self.name), self.place);
        format!("template: main:{line}:{column}: executing {name} at <{place}>: {problem}")
    }

    pub(super) fn fail<T>(&self, problem: impl fmt::Display) -> Result<T> {
        let text = self.located(&problem.to_string());
        Err(Error::new(Kind::Input, text))
    }

    pub(super) fn beyond<T>(&self, what: &str) -> Result<T> {
        Err(beyond(&self.located(""), what))
    }

    pub(super) fn write(&mut self, text: &str) -> Result<()> {
        if self.out.len() + text.len() > self.limit {
            return self.beyond("room for so much output");
        }
        self.out.push_str(text);
        Ok(())
    }

    /// Counts a string that was made.
    pub(super) fn count(&mut self, value: Value<'v>) -> Result<Value<'v>> {
        if let Value::Str(Text::Made(text)) = &value {
            self.made = self.made.saturating_add(text.len());
            if self.made > MAX_MADE {
                return self.beyond("room for so many strings");
            }
        }
        Ok(value)
    }

    /// Refuses what would hold more than there is room for.
    pub(super) fn check_room(&self) -> Result<()> {
        if self.frames.len() + self.variables.len() > MAX_HELD {
            return self.beyond("room for so deep a nesting");
        }
        Ok(())
    }

    pub(super) fn assign(&mut self, name: &str, value: Value<'v>) -> Result<()> {
        let own = self.variables.iter_mut().skip(self.own);
        match own.rev().find(|(known, _)| *known == name) {
            Some((_, slot)) => *slot = value,
            None => return self.fail(format!("undefined variable: {name}")),
        }
        Ok(())
    }

    pub(super) fn pipeline(&mut self, dot: &Value<'v>, pipe: &'v Pipe) -> Result<Value<'v>> {
        self.place = EvaluationPoint::Pipe(pipe);
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
                self.check_room()?;
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    fn command(
        &mut self,
        dot: &Value<'v>,
        command: &'v TemplateCommand,
        last: Option<Value<'v>>,
    ) -> Result<Value<'v>> {
        let (first, arguments) = (&command.first, &*command.arguments);
        let place = EvaluationPoint::Command(command);
        match &first.what {
            Operand::Function(function) => {
                self.function(dot, first, *function, place, arguments, last)
            }
            Operand::Field(_) | Operand::Variable(..) | Operand::Chain(..) => {
                self.chain(dot, first, arguments, last)
            }
            Operand::Pipe(pipe) => {
                self.no_arguments(first, arguments, last.as_ref())?;
                self.pipeline(dot, pipe)
            }
            _ => {
                self.place = EvaluationPoint::Term(first);
                self.no_arguments(first, arguments, last.as_ref())?;
                match &first.what {
                    Operand::Dot => Ok(dot.clone()),
                    Operand::Nil => self.fail("nil is not a command"),
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
        self.place = EvaluationPoint::Term(term);
        match &term.what {
            Operand::Bool(value) => Ok(Value::Bool(*value)),
            Operand::Text { text, .. } => Ok(Value::str(text)),
            Operand::Number(number) => match number.value {
                Constant::Int(value) => Ok(Value::Int(value)),
                Constant::Float(value) => Ok(Value::Float(value)),
                Constant::Unsigned => self.fail(format!("{} overflows int", number.text)),
            },
            // Nothing else is asked for here.
            _ => Ok(Value::Missing),
        }
    }

    /// The value of a variable, which parsing has seen.
    pub(super) fn variable(&self, name: &str) -> Result<Value<'v>> {
        let own = self.variables.iter().skip(self.own);
        match own.rev().find(|(known, _)| *known == name) {
            Some((_, value)) => Ok(value.clone()),
            None => self.fail(format!("undefined variable: {name}")),
        }
    }
}
