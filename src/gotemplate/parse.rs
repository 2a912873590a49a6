//! Reads a template into trees: one for itself, one for each that it defines.
//!
//! Three tokens of look-ahead, as Go has, because its messages name the line of the last token that
//! was read.
//!
//! Source: golang/go `text/template/parse/parse.go`.

use std::collections::BTreeMap;
use std::{fmt, mem};

use super::beyond;
use super::lex::{TemplateLexer, TemplateToken, TemplateTokenKind};
use super::tree::{Control, TemplateCall, TemplateStatement, Word, is_empty};
use crate::error::{self, Error, Result};
use crate::gomod::quote::quote;

/// How deep actions and parentheses may be nested. Go takes 10,000 parentheses and any number of
/// actions; real templates have fewer than a dozen.
const MAX_DEPTH: usize = 100;

/// Where a list ends, besides the end of the text.
enum Stop {
    End,
    /// `{{else}}`, or the `else` of an `{{else if` that is still to be read.
    Else,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stop::End => "{{end}}",
            Stop::Else => "{{else}}",
        })
    }
}

enum Item {
    Statement(TemplateStatement),
    Stop(Stop),
}

pub(super) struct TemplateParser<'t> {
    lexer: TemplateLexer<'t>,
    /// What is known of the template that is being read; others are read within it.
    pub(super) here: Here<'t>,
    depth: usize,
    templates: Templates,
}

/// Templates by name.
pub(super) type Templates = BTreeMap<String, Vec<TemplateStatement>>;

/// Where the reader is in one template.
pub(super) struct Here<'t> {
    pub(super) tokens: [TemplateToken<'t>; 3],
    /// How many of them are still to be read, the last first.
    pub(super) pending: usize,
    /// The variables that are known here.
    pub(super) variables: Vec<String>,
    /// The line that the action started in.
    action_line: Option<usize>,
    ranges: usize,
}

impl<'t> Here<'t> {
    /// The start of a template, after a token that belongs to what is around it.
    fn after(token: &TemplateToken<'t>) -> Here<'t> {
        Here {
            tokens: [token.clone(), token.clone(), token.clone()],
            pending: 0,
            variables: vec!["$".to_owned()],
            action_line: None,
            ranges: 0,
        }
    }
}

/// Reads a whole template and those that it defines.
pub(super) fn parse(text: &str) -> Result<Templates> {
    let mut lexer = TemplateLexer::new(text);
    let mut here = Here::after(&lexer.next());
    here.pending = 1;
    let mut parser = TemplateParser {
        lexer,
        here,
        depth: 0,
        templates: Templates::new(),
    };
    let root = parser.whole()?;
    parser.add(super::MAIN, root)?;
    Ok(parser.templates)
}

impl<'t> TemplateParser<'t> {
    /// Reads up to the end of the text.
    fn whole(&mut self) -> Result<Vec<TemplateStatement>> {
        let mut root = Vec::new();
        loop {
            match self.peek().kind {
                TemplateTokenKind::End => return Ok(root),
                TemplateTokenKind::LeftDelimiter => {
                    let delimiter = self.next();
                    let word = self.next_non_space();
                    if word.kind == TemplateTokenKind::Keyword && word.text == "define" {
                        self.definition()?;
                        continue;
                    }
                    self.here.tokens[1] = delimiter;
                    self.here.pending = 2;
                }
                _ => {}
            }
            match self.text_or_action()? {
                Item::Statement(statement) => root.push(statement),
                Item::Stop(stop) => return Err(self.error(format!("unexpected {stop}"))),
            }
        }
    }

    /// Reads a template whose `{{define` is past.
    fn definition(&mut self) -> Result<()> {
        const CONTEXT: &str = "define clause";
        self.within(|parser| {
            let name = parser.next_non_space();
            let name = parser.template_name(&name, CONTEXT)?;
            parser.expect_end(CONTEXT)?;
            match parser.body(&name)? {
                Stop::End => Ok(()),
                stop => Err(parser.error(format!("unexpected {stop} in {CONTEXT}"))),
            }
        })
    }

    /// Reads a template that is used where it is defined; `{{block` is past.
    fn block(&mut self) -> Result<TemplateCall> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, TemplateTokenKind::RightDelimiter)?;
        match self.within(|parser| parser.body(&name))? {
            Stop::End => Ok(TemplateCall {
                at: token.at,
                name,
                pipe: Some(pipe),
            }),
            stop => Err(self.error(format!("unexpected {stop} in {CONTEXT}"))),
        }
    }

    /// Reads the use of a template; `{{template` is past.
    fn template_call(&mut self) -> Result<TemplateCall> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = match self.next_non_space().kind {
            TemplateTokenKind::RightDelimiter => None,
            _ => {
                self.back();
                Some(self.pipeline(CONTEXT, TemplateTokenKind::RightDelimiter)?)
            }
        };
        let at = token.at;
        Ok(TemplateCall { at, name, pipe })
    }

    fn template_name(&self, token: &TemplateToken<'_>, context: &str) -> Result<String> {
        match token.kind {
            TemplateTokenKind::String | TemplateTokenKind::RawString => self.unquoted(token),
            _ => Err(self.unexpected(token, context)),
        }
    }

    /// Reads what a name is for, up to its end.
    fn body(&mut self, name: &str) -> Result<Stop> {
        let (list, stop) = self.list()?;
        if let Stop::End = stop {
            self.add(name, list)?;
        }
        Ok(stop)
    }

    /// Keeps a template, if it is the only one of its name that is more than blanks.
    fn add(&mut self, name: &str, list: Vec<TemplateStatement>) -> Result<()> {
        match self.templates.get(name) {
            Some(known) if !is_empty(known) => {
                if is_empty(&list) {
                    return Ok(());
                }
                let name = quote(name);
                let problem = format!("template: multiple definition of template {name}");
                Err(self.error(problem))
            }
            _ => {
                self.templates.insert(name.to_owned(), list);
                Ok(())
            }
        }
    }

    /// Runs a step that reads a template within this one.
    fn within<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.deeper(|parser| {
            let inner = Here::after(&parser.here.tokens[0]);
            let outer = mem::replace(&mut parser.here, inner);
            let result = step(parser);
            parser.here = outer;
            result
        })
    }

    pub(super) fn next(&mut self) -> TemplateToken<'t> {
        match self.here.pending.checked_sub(1) {
            Some(pending) => self.here.pending = pending,
            None => self.here.tokens[0] = self.lexer.next(),
        }
        // At most two are put back beside the one that is there.
        self.here.tokens[self.here.pending.min(2)].clone()
    }

    pub(super) fn back(&mut self) {
        self.here.pending += 1;
    }

    pub(super) fn peek(&mut self) -> TemplateToken<'t> {
        let token = self.next();
        self.back();
        token
    }

    pub(super) fn next_non_space(&mut self) -> TemplateToken<'t> {
        loop {
            let token = self.next();
            if token.kind != TemplateTokenKind::Space {
                return token;
            }
        }
    }

    pub(super) fn peek_non_space(&mut self) -> TemplateToken<'t> {
        let token = self.next_non_space();
        self.back();
        token
    }

    fn located(&self, problem: impl fmt::Display) -> String {
        format!("template: main:{}: {problem}", self.here.tokens[0].line)
    }

    pub(super) fn error(&self, problem: impl fmt::Display) -> Error {
        Error::new(error::Kind::Input, self.located(problem))
    }

    pub(super) fn beyond(&self, what: &str) -> Error {
        beyond(&self.located(""), what)
    }

    pub(super) fn unexpected(&self, token: &TemplateToken<'_>, context: &str) -> Error {
        if token.kind != TemplateTokenKind::Error {
            return self.error(format!("unexpected {token} in {context}"));
        }
        let problem = token.to_string();
        match self.here.action_line {
            Some(line) if line != token.line => {
                // Not "unclosed action in action started at".
                let within = if problem.ends_with(" action") {
                    ""
                } else {
                    " in action"
                };
                self.error(format!("{problem}{within} started at main:{line}"))
            }
            _ => self.error(problem),
        }
    }

    fn expect_end(&mut self, context: &str) -> Result<()> {
        let token = self.next_non_space();
        if token.kind == TemplateTokenKind::RightDelimiter {
            Ok(())
        } else {
            Err(self.unexpected(&token, context))
        }
    }

    /// Runs a step one level deeper.
    pub(super) fn deeper<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error("max expression depth exceeded"));
        }
        self.depth += 1;
        let result = step(self);
        self.depth -= 1;
        result
    }

    fn list(&mut self) -> Result<(Vec<TemplateStatement>, Stop)> {
        let mut list = Vec::new();
        while self.peek_non_space().kind != TemplateTokenKind::End {
            match self.text_or_action()? {
                Item::Statement(statement) => list.push(statement),
                Item::Stop(stop) => return Ok((list, stop)),
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        match token.kind {
            TemplateTokenKind::Text => Ok(Item::Statement(TemplateStatement::Text(
                token.text.to_owned(),
            ))),
            TemplateTokenKind::LeftDelimiter => {
                self.here.action_line = Some(token.line);
                let action = self.action();
                self.here.action_line = None;
                action
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        if token.kind != TemplateTokenKind::Keyword {
            self.back();
            // Its variables live on, until the next end.
            let pipe = self.pipeline("command", TemplateTokenKind::RightDelimiter)?;
            return Ok(Item::Statement(TemplateStatement::Action(pipe)));
        }
        let statement = match token.text {
            "if" => self.control(Word::If)?,
            "with" => self.control(Word::With)?,
            "range" => self.control(Word::Range)?,
            "break" => self.jump("{{break}}", TemplateStatement::Break)?,
            "continue" => self.jump("{{continue}}", TemplateStatement::Continue)?,
            "end" => {
                self.expect_end("end")?;
                return Ok(Item::Stop(Stop::End));
            }
            "else" => {
                let next = self.peek_non_space();
                let goes_on =
                    next.kind == TemplateTokenKind::Keyword && matches!(next.text, "if" | "with");
                if !goes_on {
                    self.expect_end("else")?;
                }
                return Ok(Item::Stop(Stop::Else));
            }
            "template" => TemplateStatement::Call(self.template_call()?),
            "block" => TemplateStatement::Call(self.block()?),
            // A definition is not where definitions may be.
            _ => return Err(self.unexpected(&token, "command")),
        };
        Ok(Item::Statement(statement))
    }

    fn jump(&mut self, name: &str, statement: TemplateStatement) -> Result<TemplateStatement> {
        self.expect_end(name)?;
        if self.here.ranges == 0 {
            return Err(self.error(format!("{name} outside {{{{range}}}}")));
        }
        Ok(statement)
    }

    fn control(&mut self, word: Word) -> Result<TemplateStatement> {
        let known = self.here.variables.len();
        let control = self.deeper(|parser| parser.control_body(word))?;
        self.here.variables.truncate(known);
        Ok(TemplateStatement::Control(Box::new(control)))
    }

    fn control_body(&mut self, word: Word) -> Result<Control> {
        let pipe = self.pipeline(word.name(), TemplateTokenKind::RightDelimiter)?;
        let in_range = usize::from(word == Word::Range);
        self.here.ranges += in_range;
        let (list, stop) = self.list()?;
        self.here.ranges -= in_range;
        let mut otherwise = Vec::new();
        if let Stop::Else = stop {
            // `{{else if` is `{{else}}{{if`, and both have one `{{end}}`.
            let next = self.peek();
            let goes_on = word != Word::Range
                && next.kind == TemplateTokenKind::Keyword
                && next.text == word.name();
            if goes_on {
                self.next();
                otherwise.push(self.control(word)?);
            } else {
                let stop;
                (otherwise, stop) = self.list()?;
                if let Stop::Else = stop {
                    return Err(self.error("expected end; found {{else}}"));
                }
            }
        }
        Ok(Control {
            word,
            pipe,
            list,
            otherwise,
        })
    }
}
