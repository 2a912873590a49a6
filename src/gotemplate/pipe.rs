//! Reads what stands in braces: pipelines of commands, whose operands are terms with fields.
//!
//! Source: golang/go `text/template/parse/parse.go`.

use super::funcs::Function;
use super::lex::{Kind, Token};
use super::number::{self, Problem};
use super::parse::Parser;
use super::tree::{Command, Constant, Number, Pipe, Term, What};
use crate::error::Result;
use crate::gomod::quote::{quote, unquote};

impl Parser<'_> {
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipe> {
        let mut pipe = Pipe {
            at: self.peek_non_space().at,
            assigns: false,
            variables: Vec::new(),
            commands: Vec::new(),
        };
        while self.declaration(&mut pipe, context)? {}
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::Character
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParenthesis => {
                    self.back();
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
        if pipe.commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        for (at, command) in pipe.commands.iter().enumerate().skip(1) {
            if let What::Bool(_) | What::Dot | What::Nil | What::Number(_) | What::Text { .. } =
                command.first.what
            {
                let stage = at + 1;
                let problem = format!("non executable command in pipeline stage {stage}");
                return Err(self.error(problem));
            }
        }
        Ok(pipe)
    }

    /// Reads `$x :=`, `$x =` or `$x,`; true if another may follow.
    fn declaration(&mut self, pipe: &mut Pipe, context: &str) -> Result<bool> {
        let variable = self.peek_non_space();
        if variable.kind != Kind::Variable {
            return Ok(false);
        }
        self.next();
        // "$x foo" needs three tokens to see that there is no declaration.
        let after = self.peek();
        let next = self.peek_non_space();
        let declares = matches!(next.kind, Kind::Assign | Kind::Declare);
        if declares || (next.kind == Kind::Char && next.text == ",") {
            self.next_non_space();
            pipe.assigns |= next.kind == Kind::Assign;
            pipe.variables.push(variable.text.to_owned());
            self.here.variables.push(variable.text.to_owned());
            if declares {
                return Ok(false);
            }
            if context == "range" && pipe.variables.len() < 2 {
                return match self.peek_non_space().kind {
                    Kind::Variable | Kind::RightDelimiter | Kind::RightParenthesis => Ok(true),
                    _ => Err(self.error("range can only initialize variables")),
                };
            }
            return Err(self.error(format!("too many declarations in {context}")));
        }
        if after.kind == Kind::Space {
            self.here.tokens[1] = after;
            self.here.tokens[2] = variable;
            self.here.pending = 3;
        } else {
            self.here.tokens[1] = variable;
            self.here.pending = 2;
        }
        Ok(false)
    }

    fn command(&mut self) -> Result<Command> {
        let at = self.peek_non_space().at;
        let mut terms = Vec::new();
        loop {
            // Leading blanks.
            self.peek_non_space();
            terms.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelimiter | Kind::RightParenthesis => {
                    self.back();
                    break;
                }
                Kind::Pipe => break,
                _ => return Err(self.unexpected(&token, "operand")),
            }
        }
        let mut terms = terms.into_iter();
        match terms.next() {
            None => Err(self.error("empty command")),
            Some(first) => Ok(Command {
                at,
                first,
                arguments: terms.collect(),
            }),
        }
    }

    /// A term and the fields behind it.
    fn operand(&mut self) -> Result<Option<Term>> {
        let Some(mut term) = self.term()? else {
            return Ok(None);
        };
        let next = self.peek();
        if next.kind != Kind::Field {
            return Ok(Some(term));
        }
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(field_name(self.next().text));
        }
        match &mut term.what {
            What::Field(names) | What::Variable(_, names) => {
                names.append(&mut fields);
                // Where the second name is: that is what messages of go point to.
                term.at = next.at;
                Ok(Some(term))
            }
            What::Bool(_) | What::Text { .. } | What::Number(_) | What::Nil | What::Dot => {
                let term = quote(&term.to_string());
                Err(self.error(format!("unexpected . after term {term}")))
            }
            _ => Ok(Some(Term {
                at: next.at,
                what: What::Chain(Box::new(term), fields),
            })),
        }
    }

    fn term(&mut self) -> Result<Option<Term>> {
        let token = self.next_non_space();
        let what = match token.kind {
            Kind::Identifier => match Function::find(token.text) {
                Some(function) => What::Function(function),
                None if Function::is_known_elsewhere(token.text) => {
                    return Err(self.beyond(&format!("function {}", quote(token.text))));
                }
                None => {
                    let name = quote(token.text);
                    return Err(self.error(format!("function {name} not defined")));
                }
            },
            Kind::Dot => What::Dot,
            Kind::Nil => What::Nil,
            Kind::Variable => {
                if !self.here.variables.iter().any(|name| name == token.text) {
                    let name = quote(token.text);
                    return Err(self.error(format!("undefined variable {name}")));
                }
                What::Variable(token.text.to_owned(), Vec::new())
            }
            Kind::Field => What::Field(vec![field_name(token.text)]),
            Kind::Bool => What::Bool(token.text == "true"),
            Kind::Complex => {
                return Err(self.beyond(&format!("the complex number {}", token.text)));
            }
            Kind::Character => What::Number(self.literal(token.text, number::character)?),
            Kind::Number => What::Number(self.literal(token.text, number::number)?),
            Kind::LeftParenthesis => {
                let pipe = self.deeper(|parser| {
                    parser.pipeline("parenthesized pipeline", Kind::RightParenthesis)
                })?;
                // Go's node is where the pipeline starts, behind the parenthesis.
                return Ok(Some(Term {
                    at: pipe.at,
                    what: What::Pipe(Box::new(pipe)),
                }));
            }
            Kind::String | Kind::RawString => What::Text {
                quoted: token.text.to_owned(),
                text: self.unquoted(&token)?,
            },
            _ => {
                self.back();
                return Ok(None);
            }
        };
        Ok(Some(Term { at: token.at, what }))
    }

    /// What a string stands for.
    pub(super) fn unquoted(&self, token: &Token<'_>) -> Result<String> {
        if token.kind == Kind::RawString {
            // Go drops carriage returns from raw strings.
            return Ok(token.text.replace(['`', '\r'], ""));
        }
        match unquote(token.text) {
            Err("invalid UTF-8") => Err(self.beyond("a string that is no UTF-8")),
            result => result.map_err(|problem| self.error(problem)),
        }
    }

    fn literal(
        &self,
        text: &str,
        read: impl Fn(&str) -> Result<Constant, Problem>,
    ) -> Result<Number> {
        let value = read(text).map_err(|problem| match problem {
            Problem::Go(problem) => self.error(problem),
            Problem::Beyond(what) => self.beyond(&what),
        })?;
        let text = text.to_owned();
        Ok(Number { text, value })
    }
}

fn field_name(token: &str) -> String {
    token.strip_prefix('.').unwrap_or(token).to_owned()
}
