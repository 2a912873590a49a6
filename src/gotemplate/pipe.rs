//! Reads what stands in braces: pipelines of commands, whose operands are terms with fields.
//!
//! Source: golang/go `text/template/parse/parse.go`.

use super::funcs::{Function, Problem};
use super::lex::{TemplateToken, TemplateTokenKind};
use super::number;
use super::parse::TemplateParser;
use super::tree::{Constant, Number, Operand, Pipe, TemplateCommand, Term};
use crate::error::Result;
use crate::gomod::quote::{quote, unquote};

impl TemplateParser<'_> {
    pub(super) fn pipeline(&mut self, context: &str, end: TemplateTokenKind) -> Result<Pipe> {
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
                TemplateTokenKind::Bool
                | TemplateTokenKind::Character
                | TemplateTokenKind::Complex
                | TemplateTokenKind::Dot
                | TemplateTokenKind::Field
                | TemplateTokenKind::Identifier
                | TemplateTokenKind::Number
                | TemplateTokenKind::Nil
                | TemplateTokenKind::RawString
                | TemplateTokenKind::String
                | TemplateTokenKind::Variable
                | TemplateTokenKind::LeftParenthesis => {
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
            if let Operand::Bool(_)
            | Operand::Dot
            | Operand::Nil
            | Operand::Number(_)
            | Operand::Text { .. } = command.first.what
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
        if variable.kind != TemplateTokenKind::Variable {
            return Ok(false);
        }
        self.next();
        // "$x foo" needs three tokens to see that there is no declaration.
        let after = self.peek();
        let next = self.peek_non_space();
        let declares = matches!(
            next.kind,
            TemplateTokenKind::Assign | TemplateTokenKind::Declare
        );
        if declares || (next.kind == TemplateTokenKind::Char && next.text == ",") {
            self.next_non_space();
            pipe.assigns |= next.kind == TemplateTokenKind::Assign;
            pipe.variables.push(variable.text.to_owned());
            self.here.variables.push(variable.text.to_owned());
            if declares {
                return Ok(false);
            }
            if context == "range" && pipe.variables.len() < 2 {
                return match self.peek_non_space().kind {
                    TemplateTokenKind::Variable
                    | TemplateTokenKind::RightDelimiter
                    | TemplateTokenKind::RightParenthesis => Ok(true),
                    _ => Err(self.error("range can only initialize variables")),
                };
            }
            return Err(self.error(format!("too many declarations in {context}")));
        }
        if after.kind == TemplateTokenKind::Space {
            self.here.tokens[1] = after;
            self.here.tokens[2] = variable;
            self.here.pending = 3;
        } else {
            self.here.tokens[1] = variable;
            self.here.pending = 2;
        }
        Ok(false)
    }

    fn command(&mut self) -> Result<TemplateCommand> {
        let at = self.peek_non_space().at;
        let mut terms = Vec::new();
        loop {
            // Leading blanks.
            self.peek_non_space();
            terms.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                TemplateTokenKind::Space => {}
                TemplateTokenKind::RightDelimiter | TemplateTokenKind::RightParenthesis => {
                    self.back();
                    break;
                }
                TemplateTokenKind::Pipe => break,
                _ => return Err(self.unexpected(&token, "operand")),
            }
        }
        let mut terms = terms.into_iter();
        match terms.next() {
            None => Err(self.error("empty command")),
            Some(first) => Ok(TemplateCommand {
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
        if next.kind != TemplateTokenKind::Field {
            return Ok(Some(term));
        }
        let mut fields = Vec::new();
        while self.peek().kind == TemplateTokenKind::Field {
            fields.push(field_name(self.next().text));
        }
        match &mut term.what {
            Operand::Field(names) | Operand::Variable(_, names) => {
                names.append(&mut fields);
                // Where the second name is: that is what messages of go point to.
                term.at = next.at;
                Ok(Some(term))
            }
            Operand::Bool(_)
            | Operand::Text { .. }
            | Operand::Number(_)
            | Operand::Nil
            | Operand::Dot => {
                let term = quote(&term.to_string());
                Err(self.error(format!("unexpected . after term {term}")))
            }
            _ => Ok(Some(Term {
                at: next.at,
                what: Operand::Chain(Box::new(term), fields),
            })),
        }
    }

    fn term(&mut self) -> Result<Option<Term>> {
        let token = self.next_non_space();
        let what = match token.kind {
            TemplateTokenKind::Identifier => match Function::find(token.text) {
                Some(function) => Operand::Function(function),
                None if Function::is_known_elsewhere(token.text) => {
                    return Err(self.beyond(&format!("function {}", quote(token.text))));
                }
                None => {
                    let name = quote(token.text);
                    return Err(self.error(format!("function {name} not defined")));
                }
            },
            TemplateTokenKind::Dot => Operand::Dot,
            TemplateTokenKind::Nil => Operand::Nil,
            TemplateTokenKind::Variable => {
                if !self.here.variables.iter().any(|name| name == token.text) {
                    let name = quote(token.text);
                    return Err(self.error(format!("undefined variable {name}")));
                }
                Operand::Variable(token.text.to_owned(), Vec::new())
            }
            TemplateTokenKind::Field => Operand::Field(vec![field_name(token.text)]),
            TemplateTokenKind::Bool => Operand::Bool(token.text == "true"),
            TemplateTokenKind::Complex => {
                return Err(self.beyond(&format!("the complex number {}", token.text)));
            }
            TemplateTokenKind::Character => {
                Operand::Number(self.literal(token.text, number::character)?)
            }
            TemplateTokenKind::Number => Operand::Number(self.literal(token.text, number::number)?),
            TemplateTokenKind::LeftParenthesis => {
                let pipe = self.deeper(|parser| {
                    parser.pipeline(
                        "parenthesized pipeline",
                        TemplateTokenKind::RightParenthesis,
                    )
                })?;
                // Go's node is where the pipeline starts, behind the parenthesis.
                return Ok(Some(Term {
                    at: pipe.at,
                    what: Operand::Pipe(Box::new(pipe)),
                }));
            }
            TemplateTokenKind::String | TemplateTokenKind::RawString => Operand::Text {
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
    pub(super) fn unquoted(&self, token: &TemplateToken<'_>) -> Result<String> {
        if token.kind == TemplateTokenKind::RawString {
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
