//! Calls: how many arguments, of which types, and what literals become.

use super::exec::{EvaluationPoint, TemplateRun};
use super::funcs::{Function, Problem};
use super::tree::{Operand, Term};
use super::value::Value;
use crate::error::Result;

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    /// An interface, or a value as it is.
    Any,
    String,
    Strings,
}

impl Parameter {
    fn name(self) -> &'static str {
        match self {
            Parameter::Any => "interface {}",
            Parameter::String => "string",
            Parameter::Strings => "[]string",
        }
    }
}

/// The parameters of a function or method.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature {
    pub(super) fixed: &'static [Parameter],
    /// Any number of any values may follow.
    pub(super) variadic: bool,
}

impl Signature {
    fn parameter(&self, at: usize) -> Parameter {
        self.fixed.get(at).copied().unwrap_or(Parameter::Any)
    }
}

impl<'v> TemplateRun<'v, '_> {
    /// Calls a function; `place` is where it says what went wrong within.
    pub(super) fn function(
        &mut self,
        dot: &Value<'v>,
        name: &'v Term,
        function: Function,
        place: EvaluationPoint<'v>,
        arguments: &'v [Term],
        last: Option<Value<'v>>,
    ) -> Result<Value<'v>> {
        self.place = EvaluationPoint::Term(name);
        let (name, signature) = (function.name(), function.signature());
        self.check_count(name, signature, arguments, last.as_ref())?;
        if matches!(function, Function::And | Function::Or) {
            return self.and_or(dot, function, arguments, last);
        }
        let values = self.arguments(dot, signature, arguments, last)?;
        match function.call(&values) {
            Ok(value) => self.count(value),
            Err(problem) => {
                self.place = place;
                match problem {
                    Problem::Beyond(what) => self.beyond(&what),
                    Problem::Go(problem) => self.fail(format!("error calling {name}: {problem}")),
                }
            }
        }
    }

    /// Refuses too few and too many arguments.
    pub(super) fn check_count(
        &self,
        name: &str,
        signature: Signature,
        arguments: &[Term],
        last: Option<&Value<'v>>,
    ) -> Result<()> {
        let count = arguments.len() + usize::from(last.is_some());
        let want = signature.fixed.len();
        if signature.variadic {
            if count < want {
                let got = arguments.len();
                return self.fail(format!(
                    "wrong number of args for {name}: want at least {want} got {got}"
                ));
            }
        } else if count != want {
            return self.fail(format!(
                "wrong number of args for {name}: want {want} got {count}"
            ));
        }
        Ok(())
    }

    /// Evaluates arguments, the last of which may come from the command before.
    pub(super) fn arguments(
        &mut self,
        dot: &Value<'v>,
        signature: Signature,
        arguments: &'v [Term],
        last: Option<Value<'v>>,
    ) -> Result<Vec<Value<'v>>> {
        let mut values = Vec::new();
        for (at, term) in arguments.iter().enumerate() {
            values.push(self.argument(dot, signature.parameter(at), term)?);
        }
        if let Some(last) = last {
            values.push(self.fit(last, signature.parameter(arguments.len()))?);
        }
        Ok(values)
    }

    /// `and` and `or` evaluate no more than they need.
    fn and_or(
        &mut self,
        dot: &Value<'v>,
        function: Function,
        arguments: &'v [Term],
        last: Option<Value<'v>>,
    ) -> Result<Value<'v>> {
        let mut value = Value::Missing;
        for term in arguments {
            value = self.argument(dot, Parameter::Any, term)?;
            if value.truth() == matches!(function, Function::Or) {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    fn argument(
        &mut self,
        dot: &Value<'v>,
        parameter: Parameter,
        term: &'v Term,
    ) -> Result<Value<'v>> {
        self.place = EvaluationPoint::Term(term);
        let value = match &term.what {
            Operand::Nil => {
                return match parameter {
                    Parameter::Any => Ok(Value::Missing),
                    Parameter::Strings => Ok(Value::List(&[])),
                    Parameter::String => self.fail("cannot assign nil to string"),
                };
            }
            Operand::Bool(_) | Operand::Number(_) | Operand::Text { .. } => {
                return match (parameter, &term.what) {
                    (Parameter::Any, _) | (Parameter::String, Operand::Text { .. }) => {
                        self.literal(term)
                    }
                    (Parameter::String, _) => self.fail(format!("expected string; found {term}")),
                    (Parameter::Strings, _) => {
                        let name = parameter.name();
                        self.fail(format!("can't handle {term} for arg of type {name}"))
                    }
                };
            }
            _ => self.operand(dot, term)?,
        };
        self.fit(value, parameter)
    }

    /// The value of a term that is not a literal, without arguments of its own.
    pub(super) fn operand(&mut self, dot: &Value<'v>, term: &'v Term) -> Result<Value<'v>> {
        match &term.what {
            Operand::Function(function) => {
                self.function(dot, term, *function, EvaluationPoint::Term(term), &[], None)
            }
            Operand::Field(_) | Operand::Variable(..) | Operand::Chain(..) => {
                self.chain(dot, term, &[], None)
            }
            Operand::Pipe(pipe) => {
                self.place = EvaluationPoint::Term(term);
                self.pipeline(dot, pipe)
            }
            _ => Ok(dot.clone()),
        }
    }

    /// Checks the type of a value that becomes an argument.
    fn fit(&self, value: Value<'v>, parameter: Parameter) -> Result<Value<'v>> {
        let want = parameter.name();
        match (parameter, &value) {
            (Parameter::Any, _)
            | (Parameter::String, Value::Str(_))
            | (Parameter::Strings, Value::List(_)) => Ok(value),
            (Parameter::Strings, Value::Missing) => Ok(Value::List(&[])),
            (Parameter::String, Value::Missing) => {
                self.fail(format!("invalid value; expected {want}"))
            }
            _ => {
                let got = value.type_name();
                self.fail(format!("wrong type for value; expected {want}; got {got}"))
            }
        }
    }
}
