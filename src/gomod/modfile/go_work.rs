//! The content of a go.work.
//!
//! Source: golang/mod `modfile/work.go`; the wording of the first line of a refusal, golang/go
//! `cmd/go/internal/modload/init.go`, `ReadWorkFile`.

use super::directive::{self, GoLine, GoSyntax, Godebug, Replace, ToolchainLine, Versions, string};
use super::go_mod::hinted;
use super::problem::{GoModProblem, UnplacedProblem, report};
use super::syntax::{self, SyntaxLine, SyntaxStatement};
use crate::error::{Error, Result};

/// A go.work, each sort of directive in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct WorkFile {
    /// The `go` directive.
    pub go: Option<GoLine>,
    /// The `toolchain` directive.
    pub toolchain: Option<ToolchainLine>,
    /// The directories of the modules in the workspace, repeated ones included.
    pub use_dirs: Vec<Use>,
    /// The replacements, repeated ones included.
    pub replace: Vec<Replace>,
    /// The `godebug` directives.
    pub godebug: Vec<Godebug>,
}

/// A `use` directive.
#[derive(Clone, Debug)]
pub struct Use {
    /// The directory, as written: rooted, or relative to the directory of go.work.
    pub path: String,
    /// The line it stands on, from 1.
    pub line: u32,
}

impl WorkFile {
    /// Parses a go.work. `file` is its name in messages.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::Kind::Input), `errors parsing go.work:` and every fault on a line
    /// of its own; only the first if it is one of syntax.
    pub fn parse(file: &str, data: &[u8]) -> Result<WorkFile> {
        parse(file, data).map_err(|problems| {
            let (kind, text, hints) = report(file, problems);
            hinted(
                Error::new(kind, format!("errors parsing go.work:\n{text}")),
                hints,
            )
        })
    }
}

fn parse(file: &str, data: &[u8]) -> Result<WorkFile, Vec<GoModProblem>> {
    let text = String::from_utf8_lossy(data);
    let bad_bytes = matches!(text, std::borrow::Cow::Owned(_));
    let statements = syntax::parse(file, &text).map_err(|problem| vec![problem])?;
    let mut found = WorkFile::default();
    let mut problems = Vec::new();
    let mut read = |verb: &str, arguments: &[&str], line: &SyntaxLine<'_>| {
        let result = if bad_bytes && line.tokens.iter().any(|t| t.contains('\u{fffd}')) {
            Err("invalid UTF-8".into())
        } else {
            found.directive(verb, arguments, line.position.line)
        };
        result.map_err(|fault| GoModProblem::new(line.position, fault))
    };
    for statement in &statements {
        match statement {
            SyntaxStatement::Line(line) => {
                if let [verb, arguments @ ..] = &*line.tokens {
                    problems.extend(read(verb, arguments, line).err());
                }
            }
            SyntaxStatement::Block(block) => match *block.tokens {
                [verb @ ("godebug" | "use" | "replace")] => {
                    for line in &block.lines {
                        problems.extend(read(verb, &line.tokens, line).err());
                    }
                }
                _ => {
                    let text = format!("unknown block type: {}", block.tokens.join(" "));
                    problems.push(GoModProblem::new(block.position, text));
                }
            },
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

impl WorkFile {
    fn directive(
        &mut self,
        verb: &str,
        arguments: &[&str],
        line: u32,
    ) -> Result<(), UnplacedProblem> {
        match verb {
            "go" => {
                if self.go.is_some() {
                    return Err("repeated go statement".into());
                }
                self.go = directive::go_line(arguments, line, GoSyntax::Strict)?;
            }
            "toolchain" => {
                if self.toolchain.is_some() {
                    return Err("repeated toolchain statement".into());
                }
                self.toolchain = Some(directive::toolchain(arguments, line)?);
            }
            "godebug" => self.godebug.push(directive::godebug(arguments, line)?),
            "use" => {
                let [token] = arguments else {
                    return Err("usage: use local/dir".into());
                };
                let path = string(token)?.into_owned();
                self.use_dirs.push(Use { path, line });
            }
            "replace" => {
                let replace = directive::replace(arguments, line, &mut Versions::Complete)?;
                self.replace.push(replace);
            }
            _ => return Err(UnplacedProblem::from(format!("unknown directive: {verb}"))),
        }
        Ok(())
    }
}
