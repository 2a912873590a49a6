//! Fields and methods: `.Replace.Path`, `.Time.Format "2006"`.

use super::call::{Parameter, Signature};
use super::exec::{EvaluationPoint, TemplateRun};
use super::tree::{Operand, Term};
use super::value::Value;
use crate::error::Result;
use crate::gomod::Time;

const NONE: Signature = Signature {
    fixed: &[],
    variadic: false,
};

const ONE_STRING: Signature = Signature {
    fixed: &[Parameter::String],
    variadic: false,
};

/// The methods of a time that are here.
const TIME_METHODS: &[(&str, Signature)] = &[
    ("Day", NONE),
    ("Format", ONE_STRING),
    ("Hour", NONE),
    ("IsZero", NONE),
    ("Minute", NONE),
    ("Nanosecond", NONE),
    ("Second", NONE),
    ("String", NONE),
    ("Unix", NONE),
    ("Year", NONE),
    ("YearDay", NONE),
];

impl<'v> TemplateRun<'v, '_> {
    /// Evaluates a field, a variable or a chain; the arguments are those of the last name.
    pub(super) fn chain(
        &mut self,
        dot: &Value<'v>,
        term: &'v Term,
        arguments: &'v [Term],
        last: Option<Value<'v>>,
    ) -> Result<Value<'v>> {
        self.place = EvaluationPoint::Term(term);
        let (mut receiver, names) = match &term.what {
            Operand::Field(names) => (dot.clone(), names),
            Operand::Variable(name, names) => (self.variable(name)?, names),
            Operand::Chain(inner, names) => (self.operand(dot, inner)?, names),
            _ => return Ok(Value::Missing),
        };
        let Some((name, before)) = names.split_last() else {
            self.no_arguments(term, arguments, last.as_ref())?;
            return Ok(receiver);
        };
        for name in before {
            receiver = self.field(dot, term, &receiver, name, &[], None)?;
        }
        self.field(dot, term, &receiver, name, arguments, last)
    }

    fn field(
        &mut self,
        dot: &Value<'v>,
        term: &'v Term,
        receiver: &Value<'v>,
        name: &'v str,
        arguments: &'v [Term],
        last: Option<Value<'v>>,
    ) -> Result<Value<'v>> {
        if let Value::Missing = receiver {
            return Ok(Value::Missing);
        }
        if let Some(signature) = method(receiver, name) {
            self.check_count(name, signature, arguments, last.as_ref())?;
            let values = self.arguments(dot, signature, arguments, last)?;
            return match call(receiver, name, &values) {
                Ok(value) => self.count(value),
                Err(problem) => {
                    self.place = EvaluationPoint::Term(term);
                    self.fail(format!("error calling {name}: {problem}"))
                }
            };
        }
        let known = receiver
            .pointed()
            .is_some_and(|go_type| go_type.fields.contains(&name));
        let type_name = receiver.type_name();
        match receiver {
            Value::Object(object) if known => {
                if !arguments.is_empty() || last.is_some() {
                    return self.fail(format!(
                        "{name} has arguments but cannot be invoked as function"
                    ));
                }
                Ok(object.field(name))
            }
            Value::Nil(_) if known => {
                self.fail(format!("nil pointer evaluating {type_name}.{name}"))
            }
            // Go has other methods of a time: these are the ones that listings use.
            _ if receiver.is_time() => self.beyond(&format!("the method {name} of a time")),
            _ => self.fail(format!("can't evaluate field {name} in type {type_name}")),
        }
    }
}

fn method(receiver: &Value<'_>, name: &str) -> Option<Signature> {
    if receiver.is_time() {
        let found = TIME_METHODS.iter().find(|method| method.0 == name);
        return found.map(|method| method.1);
    }
    let stringer = receiver.pointed().is_some_and(|known| known.stringer);
    (stringer && name == "String").then_some(NONE)
}

/// Calls a method. An error is what Go's panic says.
fn call<'v>(
    receiver: &Value<'v>,
    name: &str,
    arguments: &[Value<'v>],
) -> Result<Value<'v>, String> {
    match receiver {
        Value::Object(object) => Ok(Value::string(object.string())),
        Value::Time(time) => Ok(of_time(time, name, arguments)),
        _ if receiver.is_time() => Err(format!(
            "value method time.Time.{name} called using nil *Time pointer"
        )),
        _ => Err("runtime error: invalid memory address or nil pointer dereference".to_owned()),
    }
}

fn of_time<'v>(time: &Time, name: &str, arguments: &[Value<'v>]) -> Value<'v> {
    let (hour, minute, second) = time.clock();
    let int = |value: u32| Value::Int(value.into());
    match (name, arguments) {
        ("Format", [Value::Str(layout)]) => Value::string(time.format(layout)),
        ("String", _) => Value::string(time.go_string()),
        ("IsZero", _) => Value::Bool(time.is_zero()),
        ("Unix", _) => Value::Int(time.unix_seconds()),
        ("Year", _) => int(time.date().0.into()),
        ("Day", _) => int(time.date().2.into()),
        ("YearDay", _) => int(time.year_day().into()),
        ("Hour", _) => int(hour.into()),
        ("Minute", _) => int(minute.into()),
        ("Second", _) => int(second.into()),
        ("Nanosecond", _) => int(time.nanosecond()),
        // The names are those of the table.
        _ => Value::Missing,
    }
}
