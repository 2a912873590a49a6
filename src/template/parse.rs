//! Reads a template into a tree.
//!
//! Three tokens of look-ahead, as Go has, because its messages name the line of the last token that
//! was read.
//!
//! Source: golang/go `text/template/parse/parse.go`.

use super::beyond;
use super::funcs::Function;
use super::lex::{Kind, Lexer, Token};
use super::tree::{Command, Control, Number, Pipe, Statement, Term, What, Word};
use crate::error::{self, Error, Result};
use crate::modfile::quote::{quote, unquote};

/// How deep actions and parentheses may be nested. Go takes 10,000 parentheses and any number of
/// actions; nobody writes a dozen.
const MAX_DEPTH: usize = 100;

/// Where a list ends, besides the end of the template.
enum Stop {
    End,
    /// `{{else}}`, or the `else` of an `{{else if` that is still to be read.
    Else,
}

enum Item {
    Statement(Statement),
    Stop(Stop),
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    tokens: [Token<'t>; 3],
    /// How many of them are still to be read, the last first.
    pending: usize,
    /// The variables that are known here.
    variables: Vec<String>,
    /// The line that the action started in.
    action_line: Option<usize>,
    ranges: usize,
    depth: usize,
}

/// Reads a whole template.
pub(super) fn parse(text: &str) -> Result<Vec<Statement>> {
    let mut lexer = Lexer::new(text);
    let first = lexer.next();
    let mut parser = Parser {
        lexer,
        tokens: [first.clone(), first.clone(), first],
        pending: 1,
        variables: vec!["$".to_owned()],
        action_line: None,
        ranges: 0,
        depth: 0,
    };
    let mut root = Vec::new();
    while parser.peek().kind != Kind::End {
        match parser.text_or_action()? {
            Item::Statement(statement) => root.push(statement),
            Item::Stop(Stop::End) => return Err(parser.error("unexpected {{end}}")),
            Item::Stop(Stop::Else) => return Err(parser.error("unexpected {{else}}")),
        }
    }
    Ok(root)
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Token<'t> {
        match self.pending.checked_sub(1) {
            Some(pending) => self.pending = pending,
            None => self.tokens[0] = self.lexer.next(),
        }
        // At most two are put back beside the one that is there.
        self.tokens[self.pending.min(2)].clone()
    }

    fn back(&mut self) {
        self.pending += 1;
    }

    fn peek(&mut self) -> Token<'t> {
        let token = self.next();
        self.back();
        token
    }

    fn next_non_space(&mut self) -> Token<'t> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token<'t> {
        let token = self.next_non_space();
        self.back();
        token
    }

    fn located(&self, problem: impl std::fmt::Display) -> String {
        format!("template: main:{}: {problem}", self.tokens[0].line)
    }

    fn error(&self, problem: impl std::fmt::Display) -> Error {
        Error::new(error::Kind::Input, self.located(problem))
    }

    fn beyond(&self, what: &str) -> Error {
        beyond(&self.located(""), what)
    }

    fn unexpected(&self, token: &Token<'_>, context: &str) -> Error {
        if token.kind != Kind::Error {
            return self.error(format!("unexpected {token} in {context}"));
        }
        let problem = token.to_string();
        match self.action_line {
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
        if token.kind == Kind::RightDelimiter {
            Ok(())
        } else {
            Err(self.unexpected(&token, context))
        }
    }

    /// Runs a step one level deeper.
    fn deeper<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error("max expression depth exceeded"));
        }
        self.depth += 1;
        let result = step(self);
        self.depth -= 1;
        result
    }

    fn list(&mut self) -> Result<(Vec<Statement>, Stop)> {
        let mut list = Vec::new();
        while self.peek_non_space().kind != Kind::End {
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
            Kind::Text => Ok(Item::Statement(Statement::Text(token.text.to_owned()))),
            Kind::LeftDelimiter => {
                self.action_line = Some(token.line);
                let action = self.action();
                self.action_line = None;
                action
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        if token.kind != Kind::Keyword {
            self.back();
            // Its variables live on, until the next end.
            let pipe = self.pipeline("command", Kind::RightDelimiter)?;
            return Ok(Item::Statement(Statement::Action(pipe)));
        }
        let statement = match token.text {
            "if" => self.control(Word::If)?,
            "with" => self.control(Word::With)?,
            "range" => self.control(Word::Range)?,
            "break" => self.jump("{{break}}", Statement::Break)?,
            "continue" => self.jump("{{continue}}", Statement::Continue)?,
            "end" => {
                self.expect_end("end")?;
                return Ok(Item::Stop(Stop::End));
            }
            "else" => {
                let next = self.peek_non_space();
                let goes_on = next.kind == Kind::Keyword && matches!(next.text, "if" | "with");
                if !goes_on {
                    self.expect_end("else")?;
                }
                return Ok(Item::Stop(Stop::Else));
            }
            word => return Err(self.beyond(&format!("{{{{{word}}}}}"))),
        };
        Ok(Item::Statement(statement))
    }

    fn jump(&mut self, name: &str, statement: Statement) -> Result<Statement> {
        self.expect_end(name)?;
        if self.ranges == 0 {
            return Err(self.error(format!("{name} outside {{{{range}}}}")));
        }
        Ok(statement)
    }

    fn control(&mut self, word: Word) -> Result<Statement> {
        let known = self.variables.len();
        let control = self.deeper(|parser| parser.control_body(word))?;
        self.variables.truncate(known);
        Ok(Statement::Control(Box::new(control)))
    }

    fn control_body(&mut self, word: Word) -> Result<Control> {
        let pipe = self.pipeline(word.name(), Kind::RightDelimiter)?;
        let in_range = usize::from(word == Word::Range);
        self.ranges += in_range;
        let (list, stop) = self.list()?;
        self.ranges -= in_range;
        let mut otherwise = Vec::new();
        if let Stop::Else = stop {
            // `{{else if` is `{{else}}{{if`, and both have one `{{end}}`.
            let next = self.peek();
            let goes_on =
                word != Word::Range && next.kind == Kind::Keyword && next.text == word.name();
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

    fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipe> {
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
            self.variables.push(variable.text.to_owned());
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
            self.tokens[1] = after;
            self.tokens[2] = variable;
            self.pending = 3;
        } else {
            self.tokens[1] = variable;
            self.pending = 2;
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
                if !self.variables.iter().any(|name| name == token.text) {
                    let name = quote(token.text);
                    return Err(self.error(format!("undefined variable {name}")));
                }
                What::Variable(token.text.to_owned(), Vec::new())
            }
            Kind::Field => What::Field(vec![field_name(token.text)]),
            Kind::Bool => What::Bool(token.text == "true"),
            Kind::Character | Kind::Complex | Kind::Number => {
                What::Number(self.number(token.kind, token.text)?)
            }
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
            Kind::String => {
                let text = match unquote(token.text) {
                    Err("invalid UTF-8") => return Err(self.beyond("a string that is no UTF-8")),
                    result => result.map_err(|problem| self.error(problem))?,
                };
                let quoted = token.text.to_owned();
                What::Text { quoted, text }
            }
            Kind::RawString => What::Text {
                quoted: token.text.to_owned(),
                // Go drops carriage returns from raw strings.
                text: token.text.replace(['`', '\r'], ""),
            },
            _ => {
                self.back();
                return Ok(None);
            }
        };
        Ok(Some(Term { at: token.at, what }))
    }

    fn number(&self, kind: Kind, text: &str) -> Result<Number> {
        let value = match kind {
            Kind::Character => Some(self.character(text)?),
            Kind::Complex => return Err(self.beyond(&format!("the complex number {text}"))),
            _ => match integer(text) {
                Integer::Fits(value) => Some(value),
                Integer::Unsigned => None,
                Integer::TooLarge => {
                    let number = quote(text);
                    return Err(self.error(format!("integer overflow: {number}")));
                }
                Integer::Malformed if text.contains(['.', 'e', 'E', 'p', 'P', 'i']) => {
                    return Err(self.beyond(&format!("the number {text}")));
                }
                Integer::Malformed => {
                    let number = quote(text);
                    return Err(self.error(format!("illegal number syntax: {number}")));
                }
            },
        };
        let text = text.to_owned();
        Ok(Number { text, value })
    }

    /// The code of a character in single quotes.
    fn character(&self, text: &str) -> Result<i64> {
        let inner = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''))
            .unwrap_or_default();
        let read = match inner {
            "\\'" => Ok("'".to_owned()),
            "\"" => Ok("\"".to_owned()),
            "\\\"" => Err("invalid syntax"),
            _ => unquote(&format!("\"{inner}\"")),
        };
        let read = read.map_err(|_| self.error("invalid syntax"))?;
        let mut characters = read.chars();
        match (characters.next(), characters.next()) {
            (Some(c), None) => Ok(i64::from(u32::from(c))),
            (None, _) => Err(self.error("invalid syntax")),
            _ => Err(self.error(format!("malformed character constant: {text}"))),
        }
    }
}

fn field_name(token: &str) -> String {
    token.strip_prefix('.').unwrap_or(token).to_owned()
}

enum Integer {
    Fits(i64),
    /// Only as a `uint64`, which templates have no use for.
    Unsigned,
    TooLarge,
    Malformed,
}

/// Reads an integer as Go source has it, with a sign.
///
/// Source: golang/go `strconv/atoi.go`, `ParseInt` with base 0.
fn integer(text: &str) -> Integer {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, prefixed) = [("0x", 16), ("0b", 2), ("0o", 8)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((radix, lower.strip_prefix(prefix)?)))
        .or_else(|| lower.strip_prefix('0').map(|rest| (8, rest)))
        .unwrap_or((10, &lower));
    // An underscore stands between digits, or behind a prefix.
    let has_prefix = prefixed.len() < lower.len();
    let misplaced = prefixed.contains("__")
        || prefixed.ends_with('_')
        || (!has_prefix && prefixed.starts_with('_'));
    let plain = prefixed.replace('_', "");
    if lower == "0" {
        return Integer::Fits(0);
    }
    if misplaced || plain.is_empty() || !plain.chars().all(|c| c.is_digit(radix)) {
        return beyond_integers(&lower);
    }
    let Ok(value) = i128::from_str_radix(&plain, radix) else {
        return beyond_integers(&lower);
    };
    let value = if negative { -value } else { value };
    match i64::try_from(value) {
        Ok(value) => Integer::Fits(value),
        // `ParseUint` takes no sign at all.
        Err(_) if lower == text.to_ascii_lowercase() && u64::try_from(value).is_ok() => {
            Integer::Unsigned
        }
        Err(_) => beyond_integers(&lower),
    }
}

/// What Go's next try, to read a floating-point number, comes to: "089" is no octal, but can be one.
fn beyond_integers(digits: &str) -> Integer {
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        Integer::TooLarge
    } else {
        Integer::Malformed
    }
}
