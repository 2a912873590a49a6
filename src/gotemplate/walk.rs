//! Applies a template to a value, statement by statement.
//!
//! What a statement encloses, and the templates it uses, are kept in a list of frames and take no stack:
//! a template may use itself as often as Go allows.
//!
//! Source: golang/go `text/template/exec.go`.

use std::slice;

use super::exec::{EvaluationPoint, TemplateRun};
use super::parse::Templates;
use super::tree::{Control, TemplateCall, TemplateStatement, Word};
use super::value::Value;
use super::{MAIN, MAX_TEXT, print};
use crate::error::Result;
use crate::gomod::quote::quote;

/// How many templates may be within each other, as Go has it.
const MAX_TEMPLATES: usize = 100_000;

/// Statements that are being applied.
pub(super) struct Frame<'v> {
    rest: slice::Iter<'v, TemplateStatement>,
    dot: Value<'v>,
    /// How many variables there are when it has ended.
    known: usize,
    of: Of<'v>,
}

/// What the statements of a frame belong to.
enum Of<'v> {
    Choice,
    Range(Box<Turns<'v>>),
    /// A template, with what the one that uses it has.
    Template {
        own: usize,
        name: &'v str,
    },
}

/// The turns of a range that are still to come.
struct Turns<'v> {
    control: &'v Control,
    items: Items<'v>,
    index: i64,
    /// How many variables there are when a turn begins.
    known: usize,
}

enum Items<'v> {
    List(slice::Iter<'v, String>),
    /// Up to a number, from 0.
    Ints(i64),
    /// Of the type of the number.
    Bytes(u8),
}

/// Applies what was parsed from `text`.
pub(super) fn render<'v>(
    text: &'v str,
    templates: &'v Templates,
    value: &Value<'v>,
    out: &mut String,
) -> Result<()> {
    let mut run = TemplateRun {
        text,
        templates,
        limit: out.len().saturating_add(MAX_TEXT),
        out,
        made: 0,
        frames: Vec::new(),
        variables: vec![("$", value.clone())],
        own: 0,
        name: MAIN,
        depth: 0,
        place: EvaluationPoint::default(),
    };
    let root = templates.get(MAIN).map_or(&[][..], |root| root);
    run.enter(root, value.clone(), 1, Of::Choice)?;
    run.walk()
}

impl<'v> TemplateRun<'v, '_> {
    fn walk(&mut self) -> Result<()> {
        while let Some(frame) = self.frames.last_mut() {
            match frame.rest.next() {
                None => self.end_of_list()?,
                Some(statement) => {
                    let dot = frame.dot.clone();
                    self.statement(&dot, statement)?;
                }
            }
        }
        Ok(())
    }

    fn statement(&mut self, dot: &Value<'v>, statement: &'v TemplateStatement) -> Result<()> {
        match statement {
            TemplateStatement::Text(text) => self.write(text),
            TemplateStatement::Action(pipe) => {
                let value = self.pipeline(dot, pipe)?;
                if pipe.variables.is_empty() {
                    let text = print::printed(&value);
                    self.write(&text)?;
                }
                Ok(())
            }
            TemplateStatement::Control(control) if control.word == Word::Range => {
                self.range(dot, control)
            }
            TemplateStatement::Control(control) => self.choice(dot, control),
            TemplateStatement::Call(call) => self.call(dot, call),
            TemplateStatement::Break => {
                self.leave_turn();
                self.pop();
                Ok(())
            }
            TemplateStatement::Continue => {
                self.leave_turn();
                self.end_of_list()
            }
        }
    }

    fn enter(
        &mut self,
        list: &'v [TemplateStatement],
        dot: Value<'v>,
        known: usize,
        of: Of<'v>,
    ) -> Result<()> {
        self.check_room()?;
        let rest = list.iter();
        self.frames.push(Frame {
            rest,
            dot,
            known,
            of,
        });
        Ok(())
    }

    /// Leaves the innermost frame.
    fn pop(&mut self) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        self.variables.truncate(frame.known);
        if let Of::Template { own, name } = frame.of {
            (self.own, self.name) = (own, name);
            self.depth -= 1;
        }
    }

    /// Leaves what is within the innermost range; there is one, as the parser has seen.
    fn leave_turn(&mut self) {
        while let Some(frame) = self.frames.last() {
            if let Of::Range(_) = frame.of {
                return;
            }
            self.pop();
        }
    }

    /// Continues with the next turn of a range, or with what is behind the list.
    fn end_of_list(&mut self) -> Result<()> {
        let Some(frame) = self.frames.last_mut() else {
            return Ok(());
        };
        let turn = match &mut frame.of {
            Of::Range(turns) => turns.next().map(|turn| (turn, turns.control, turns.known)),
            _ => None,
        };
        let Some(((index, element), control, known)) = turn else {
            self.pop();
            return Ok(());
        };
        frame.rest = control.list.iter();
        frame.dot = element.clone();
        self.variables.truncate(known);
        let pipe = &control.pipe;
        let values = match pipe.variables.len() {
            0 => vec![],
            1 => vec![element],
            _ => vec![index, element],
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
        Ok(())
    }

    fn choice(&mut self, dot: &Value<'v>, control: &'v Control) -> Result<()> {
        let known = self.variables.len();
        let value = self.pipeline(dot, &control.pipe)?;
        let (list, dot) = match (value.truth(), control.word) {
            (true, Word::With) => (&control.list, value),
            (true, _) => (&control.list, dot.clone()),
            (false, _) => (&control.otherwise, dot.clone()),
        };
        self.enter(list, dot, known, Of::Choice)
    }

    fn range(&mut self, dot: &Value<'v>, control: &'v Control) -> Result<()> {
        let known = self.variables.len();
        let value = self.pipeline(dot, &control.pipe)?;
        let is_number = matches!(value, Value::Int(_) | Value::Byte(_));
        if is_number && control.pipe.variables.len() > 1 {
            let value = print::plain(&value);
            let problem = format!("can't use {value} to iterate over more than one variable");
            return self.fail(problem);
        }
        let items = match &value {
            Value::List(list) => Items::List(list.iter()),
            Value::Int(end) => Items::Ints(*end),
            Value::Byte(end) => Items::Bytes(*end),
            Value::Missing => Items::Ints(0),
            value => {
                let value = print::shown_in_message(value);
                return self.fail(format!("range can't iterate over {value}"));
            }
        };
        if items.is_empty() {
            return self.enter(&control.otherwise, dot.clone(), known, Of::Choice);
        }
        let turns = Turns {
            control,
            items,
            index: 0,
            known: self.variables.len(),
        };
        // The first turn begins where an empty list ends.
        self.enter(&[], Value::Missing, known, Of::Range(Box::new(turns)))
    }

    fn call(&mut self, dot: &Value<'v>, call: &'v TemplateCall) -> Result<()> {
        self.place = EvaluationPoint::Call(call);
        let Some((name, list)) = self.templates.get_key_value(&call.name) else {
            let name = quote(&call.name);
            return self.fail(format!("template {name} not defined"));
        };
        if self.depth == MAX_TEMPLATES {
            return self.fail(format!("exceeded maximum template depth ({MAX_TEMPLATES})"));
        }
        let dot = match &call.pipe {
            None => Value::Missing,
            // Its variables belong to the template that it is in.
            Some(pipe) => self.pipeline(dot, pipe)?,
        };
        let known = self.variables.len();
        let of = Of::Template {
            own: self.own,
            name: self.name,
        };
        self.enter(list, dot.clone(), known, of)?;
        self.variables.push(("$", dot));
        (self.own, self.name) = (known, name);
        self.depth += 1;
        Ok(())
    }
}

impl Items<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Items::List(list) => list.as_slice().is_empty(),
            Items::Ints(end) => *end <= 0,
            Items::Bytes(end) => *end == 0,
        }
    }
}

impl<'v> Turns<'v> {
    /// The index and the element of the next turn.
    fn next(&mut self) -> Option<(Value<'v>, Value<'v>)> {
        let index = self.index;
        let element = match &mut self.items {
            Items::List(list) => Value::str(list.next()?),
            Items::Ints(end) => (index < *end).then_some(Value::Int(index))?,
            Items::Bytes(end) => {
                let index = u8::try_from(index).ok().filter(|index| index < end)?;
                Value::Byte(index)
            }
        };
        self.index = index.saturating_add(1);
        Some((Value::Int(index), element))
    }
}
