//! The content of a go.mod.
//!
//! Source: golang/mod `modfile/rule.go`; what `go` does with the result, and the wording of the
//! first line of a refusal, golang/go `cmd/go/internal/modload/modfile.go`.

use super::comments::{comment_text, deprecation, is_indirect};
use super::directive::{
    self, GoLine, GoSyntax, Godebug, Replace, ResolveQuery, ToolchainLine, Versions, agreed,
    module_path, raw_version, string,
};
use super::problem::{GoModProblem, Position, UnplacedProblem, report};
use super::syntax::{self, SyntaxBlock, SyntaxLine, SyntaxStatement};
use crate::error::{Error, Kind, Result};
use crate::gomod::quote::quote;
use crate::gomod::{ModuleVersion, Version, canonical, check_import_path};

/// A go.mod, each sort of directive in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct ModFile {
    /// The `module` directive.
    pub module: Option<ModuleLine>,
    /// The `go` directive.
    pub go: Option<GoLine>,
    /// The `toolchain` directive; none in a dependency.
    pub toolchain: Option<ToolchainLine>,
    /// The `godebug` directives; none in a dependency.
    pub godebug: Vec<Godebug>,
    /// The requirements, repeated ones included.
    pub require: Vec<Require>,
    /// The excluded versions; none in a dependency.
    pub exclude: Vec<Exclude>,
    /// The replacements, repeated ones included; none in a dependency.
    pub replace: Vec<Replace>,
    /// The retracted versions.
    pub retract: Vec<Retract>,
    /// The tools; none in a dependency.
    pub tool: Vec<ToolLine>,
    /// The ignored directories.
    pub ignore: Vec<Ignore>,
}

/// The `module` directive.
#[derive(Clone, Debug)]
pub struct ModuleLine {
    /// The path, unchecked: see [`ModFile::main_path`].
    pub path: String,
    /// What follows `Deprecated:` at the start of a paragraph of its comments.
    pub deprecated: Option<String>,
    /// The line it stands on, from 1.
    pub line: u32,
}

/// A `require` directive.
#[derive(Clone, Debug)]
pub struct Require {
    /// The module and its lowest version.
    pub module: ModuleVersion,
    /// True if marked `// indirect`.
    pub indirect: bool,
    /// The line it stands on, from 1.
    pub line: u32,
}

/// An `exclude` directive.
#[derive(Clone, Debug)]
pub struct Exclude {
    /// The excluded version.
    pub module: ModuleVersion,
    /// The line it stands on, from 1.
    pub line: u32,
}

/// A `retract` directive: a closed interval of versions of this module.
///
/// In a dependency a bound that is no version is read as go compares it, as lower than every
/// version: `[bogus, v1.0.0]` begins at `v0.0.0-0`, the lowest version there is, and an
/// interval that ends so holds nothing and is left out.
#[derive(Clone, Debug)]
pub struct Retract {
    /// The lowest version.
    pub low: Version,
    /// The highest version; the same for a single one.
    pub high: Version,
    /// The text of its comments, or of its block's, a line each.
    pub rationale: String,
    /// The line it stands on, from 1.
    pub line: u32,
}

/// A `tool` directive.
#[derive(Clone, Debug)]
pub struct ToolLine {
    /// The package.
    pub path: String,
    /// The line it stands on, from 1.
    pub line: u32,
}

/// An `ignore` directive.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// The directory, relative to the module, or below any of its directories.
    pub path: String,
    /// The line it stands on, from 1.
    pub line: u32,
}

impl ModFile {
    /// Parses the go.mod of the main module. `file` is its name in messages.
    ///
    /// # Errors
    /// [`Kind::Input`], `errors parsing FILE:` and every fault on a line of its own; only the
    /// first if it is one of syntax. A version that is not canonical is a fault, with a hint:
    /// go would resolve it by a query, to perhaps another than the one it looks like.
    pub fn parse(file: &str, data: &[u8]) -> Result<ModFile> {
        strict(file, data, Versions::Refuse)
    }

    /// Parses as [`ModFile::parse`], but asks `query` for the version that a path and a text
    /// which is no canonical version (`master`, `v1.2`) stand for.
    ///
    /// # Errors
    /// As [`ModFile::parse`], the failures of `query` among the faults; the kind is then the
    /// gravest of all.
    pub fn parse_with(file: &str, data: &[u8], query: ResolveQuery<'_>) -> Result<ModFile> {
        strict(file, data, Versions::Query(query))
    }

    /// Parses as [`ModFile::parse_with`], and says whether any version is another than written.
    ///
    /// # Errors
    /// As [`ModFile::parse_with`].
    pub fn parse_resolved(
        file: &str,
        data: &[u8],
        query: ResolveQuery<'_>,
    ) -> Result<(ModFile, bool)> {
        let mut resolved = false;
        let modfile = ModFile::parse_with(file, data, &mut |path, text| {
            let version = query(path, text)?;
            resolved |= version.as_str() != text;
            Ok(version)
        })?;
        Ok((modfile, resolved))
    }

    /// Parses the go.mod of a dependency: directives and blocks that are unknown or that only
    /// count in the main module are skipped, and so is what follows a `go` version's minor
    /// number if it is not understood.
    ///
    /// # Errors
    /// [`Kind::Input`], `parsing FILE: ` and every fault on a line of its own.
    pub fn parse_lax(file: &str, data: &[u8]) -> Result<ModFile> {
        ModFile::parse_lax_named(file, file, data)
    }

    /// Parses like [`ModFile::parse_lax`] a file that messages call `shown`; each fault in the file stands behind
    /// `file`.
    ///
    /// # Errors
    /// [`Kind::Input`], `parsing SHOWN: FILE:LINE: ...`.
    pub fn parse_lax_named(shown: &str, file: &str, data: &[u8]) -> Result<ModFile> {
        parse(file, data, ParseMode::Lax, Versions::Complete).map_err(|problems| {
            let (kind, text, hints) = report(file, problems);
            hinted(Error::new(kind, format!("parsing {shown}: {text}")), hints)
        })
    }

    /// What stands for a main module that has no file.
    #[must_use]
    pub fn without_file(path: &str) -> ModFile {
        let module = ModuleLine {
            path: path.to_owned(),
            deprecated: None,
            line: 0,
        };
        ModFile {
            module: Some(module),
            ..ModFile::default()
        }
    }

    /// The path of the main module, which must be there and be one that could be imported.
    ///
    /// # Errors
    /// [`Kind::Input`], in go's words.
    pub fn main_path(&self, file: &str) -> Result<&str> {
        let path = self.declared_path(file)?;
        check_import(path, "module")?;
        Ok(path)
    }

    /// The path of the main module, which must be there and not be go's own.
    ///
    /// # Errors
    /// [`Kind::Input`], in go's words.
    pub fn declared_path(&self, file: &str) -> Result<&str> {
        let Some(module) = &self.module else {
            let text = format!(
                "error reading {file}: missing module declaration. To specify the module path:\n\
                 \tgo mod edit -module=example.com/mod"
            );
            return Err(Error::new(Kind::Input, text));
        };
        let path = &module.path;
        if path == "go" || path == "toolchain" {
            let text = format!("error reading {file}: invalid module path: {}", quote(path));
            return Err(Error::new(Kind::Input, text));
        }
        Ok(path)
    }
}

/// Checks a path by the rules of imports, where it is not an import but some other `noun`.
///
/// # Errors
/// [`Kind::Input`], in go's words.
pub fn check_import(path: &str, noun: &str) -> Result<()> {
    check_import_path(path).map_err(|error| {
        let text = error.chain();
        let text = text.replacen("import path", &format!("{noun} path"), 1);
        Error::new(Kind::Input, text)
    })
}

pub(super) fn strict(file: &str, data: &[u8], versions: Versions<'_>) -> Result<ModFile> {
    parse(file, data, ParseMode::Strict, versions).map_err(|problems| {
        let (kind, text, hints) = report(file, problems);
        let error = Error::new(kind, format!("errors parsing {file}:\n{text}"));
        hinted(error, hints)
    })
}

pub(super) fn hinted(error: Error, hints: Vec<String>) -> Error {
    hints.into_iter().fold(error, Error::hint)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ParseMode {
    Strict,
    Lax,
}

fn parse(
    file: &str,
    data: &[u8],
    mode: ParseMode,
    versions: Versions<'_>,
) -> Result<ModFile, Vec<GoModProblem>> {
    let text = String::from_utf8_lossy(data);
    let statements = syntax::parse(file, &text).map_err(|problem| vec![problem])?;
    let mut reader = GoModReader {
        found: ModFile::default(),
        problems: Vec::new(),
        mode,
        versions,
        bad_bytes: matches!(text, std::borrow::Cow::Owned(_)),
        seen_module: false,
        seen_go: false,
        intervals: Vec::new(),
    };
    for statement in &statements {
        reader.statement(statement);
    }
    reader.retract_all();
    if reader.problems.is_empty() {
        Ok(reader.found)
    } else {
        Err(reader.problems)
    }
}

/// What a `retract` line says, until the path of the module is known for sure.
struct Interval {
    low: String,
    high: String,
    rationale: String,
    position: Position,
}

struct GoModReader<'f> {
    found: ModFile,
    problems: Vec<GoModProblem>,
    mode: ParseMode,
    versions: Versions<'f>,
    /// Bytes that are not UTF-8 were replaced by U+FFFD.
    bad_bytes: bool,
    // Kept apart, because go reports a second statement even if the first was wrong.
    seen_module: bool,
    seen_go: bool,
    intervals: Vec<Interval>,
}

impl GoModReader<'_> {
    fn statement(&mut self, statement: &SyntaxStatement<'_>) {
        match statement {
            SyntaxStatement::Line(line) => {
                if let [verb, arguments @ ..] = &*line.tokens {
                    self.line(verb, arguments, line, None);
                }
            }
            SyntaxStatement::Block(block) => match *block.tokens {
                [
                    verb @ ("module" | "godebug" | "require" | "exclude" | "replace" | "retract"
                    | "tool" | "ignore"),
                ] => {
                    for line in &block.lines {
                        self.line(verb, &line.tokens, line, Some(block));
                    }
                }
                _ if self.mode == ParseMode::Lax => {}
                _ => {
                    let text = format!("unknown block type: {}", block.tokens.join(" "));
                    self.problems.push(GoModProblem::new(block.position, text));
                }
            },
        }
    }

    fn line(
        &mut self,
        verb: &str,
        arguments: &[&str],
        line: &SyntaxLine<'_>,
        block: Option<&SyntaxBlock<'_>>,
    ) {
        let counts_in_dependencies =
            matches!(verb, "go" | "module" | "retract" | "require" | "ignore");
        if self.mode == ParseMode::Lax && !counts_in_dependencies {
            return;
        }
        let result = if self.bad_bytes && line.tokens.iter().any(|t| t.contains('\u{fffd}')) {
            Err("invalid UTF-8".into())
        } else {
            self.directive(verb, arguments, line, block)
        };
        if let Err(fault) = result {
            self.problems.push(GoModProblem::new(line.position, fault));
        }
    }

    fn directive(
        &mut self,
        verb: &str,
        arguments: &[&str],
        line: &SyntaxLine<'_>,
        block: Option<&SyntaxBlock<'_>>,
    ) -> Result<(), UnplacedProblem> {
        let at = line.position.line;
        match verb {
            "go" => {
                if self.seen_go {
                    return Err("repeated go statement".into());
                }
                let syntax = match self.mode {
                    ParseMode::Strict => GoSyntax::Strict,
                    ParseMode::Lax => GoSyntax::Lax,
                };
                self.found.go = directive::go_line(arguments, at, syntax)?;
                self.seen_go = true;
            }
            "toolchain" => {
                if self.found.toolchain.is_some() {
                    return Err("repeated toolchain statement".into());
                }
                self.found.toolchain = Some(directive::toolchain(arguments, at)?);
            }
            "module" => {
                if self.seen_module {
                    return Err("repeated module statement".into());
                }
                self.seen_module = true;
                let [token] = arguments else {
                    return Err("usage: module module/path".into());
                };
                self.found.module = Some(ModuleLine {
                    path: string(token)?.into_owned(),
                    deprecated: deprecation(&comment_text(line, block)),
                    line: at,
                });
            }
            "godebug" => self.found.godebug.push(directive::godebug(arguments, at)?),
            "require" => {
                let module = self.requirement(verb, arguments)?;
                self.found.require.push(Require {
                    module,
                    indirect: is_indirect(line),
                    line: at,
                });
            }
            "exclude" => {
                let module = self.requirement(verb, arguments)?;
                self.found.exclude.push(Exclude { module, line: at });
            }
            "replace" => {
                let replace = directive::replace(arguments, at, &mut self.versions)?;
                self.found.replace.push(replace);
            }
            "retract" => self.retract(arguments, line, block)?,
            "tool" => {
                let path = only_string(verb, arguments)?;
                self.found.tool.push(ToolLine { path, line: at });
            }
            "ignore" => {
                let path = only_string(verb, arguments)?;
                self.found.ignore.push(Ignore { path, line: at });
            }
            _ => return Err(UnplacedProblem::from(format!("unknown directive: {verb}"))),
        }
        Ok(())
    }

    fn requirement(
        &mut self,
        verb: &str,
        arguments: &[&str],
    ) -> Result<ModuleVersion, UnplacedProblem> {
        let [path, version] = arguments else {
            return Err(UnplacedProblem::from(format!(
                "usage: {verb} module/path v1.2.3"
            )));
        };
        let path = string(path)?;
        let version = self.versions.version(verb, &path, version)?;
        agreed(verb, &module_path(&path)?, &version)
    }

    fn retract(
        &mut self,
        arguments: &[&str],
        line: &SyntaxLine<'_>,
        block: Option<&SyntaxBlock<'_>>,
    ) -> Result<(), UnplacedProblem> {
        let (low, high, rest) = match interval(arguments) {
            Ok(interval) => interval,
            // A later Go may have other intervals; a dependency may use them.
            Err(_) if self.mode == ParseMode::Lax => return Ok(()),
            Err(fault) => return Err(fault),
        };
        if let Some(token) = rest.first()
            && self.mode == ParseMode::Strict
        {
            let text = format!("unexpected token after version: {}", quote(token));
            return Err(UnplacedProblem::from(text));
        }
        self.intervals.push(Interval {
            low,
            high,
            rationale: comment_text(line, block),
            position: line.position,
        });
        Ok(())
    }

    /// Reads the versions of `retract` lines, which need the module's path: it may come last.
    fn retract_all(&mut self) {
        let path = match &self.found.module {
            Some(module) => module.path.clone(),
            None => String::new(),
        };
        for interval in std::mem::take(&mut self.intervals) {
            let (low, high) = if self.mode == ParseMode::Lax {
                let Some(high) = lax_bound(&interval.high) else {
                    continue;
                };
                (lax_bound(&interval.low), Some(high))
            } else if path.is_empty() {
                let text = "no module directive found, so retract cannot be used";
                self.problems
                    .push(GoModProblem::new(interval.position, text));
                return;
            } else {
                let mut read = |text: &str| match self.versions.version("retract", &path, text) {
                    Ok(version) => Some(version),
                    Err(fault) => {
                        self.problems
                            .push(GoModProblem::new(interval.position, fault));
                        None
                    }
                };
                // Of two wrong bounds go reports the first.
                match read(&interval.low) {
                    Some(low) if interval.low == interval.high => (Some(low.clone()), Some(low)),
                    Some(low) => (Some(low), read(&interval.high)),
                    None => continue,
                }
            };
            let Some(high) = high else { continue };
            let Some(low) = low.or_else(|| Version::parse("v0.0.0-0").ok()) else {
                continue;
            };
            self.found.retract.push(Retract {
                low,
                high,
                rationale: interval.rationale,
                line: interval.position.line,
            });
        }
    }
}

fn lax_bound(text: &str) -> Option<Version> {
    Version::parse(&canonical(text)?).ok()
}

fn only_string(verb: &str, arguments: &[&str]) -> Result<String, UnplacedProblem> {
    let [token] = arguments else {
        let text = format!("{verb} directive expects exactly one argument");
        return Err(UnplacedProblem::from(text));
    };
    Ok(string(token)?.into_owned())
}

/// Reads `VERSION` or `[ VERSION , VERSION ]`; returns the bounds and the tokens that follow.
fn interval<'t, 'a>(
    arguments: &'t [&'a str],
) -> Result<(String, String, &'t [&'a str]), UnplacedProblem> {
    let version = |token| raw_version("retract", "", token).map(|text| text.into_owned());
    let rest = match arguments {
        [] | ["(", ..] => return Err("expected '[' or version".into()),
        ["[", rest @ ..] => rest,
        [token, rest @ ..] => {
            let single = version(token)?;
            return Ok((single.clone(), single, rest));
        }
    };
    let [low, rest @ ..] = rest else {
        return Err("expected version after '['".into());
    };
    let low = version(low)?;
    let [",", rest @ ..] = rest else {
        return Err("expected ',' after version".into());
    };
    let [high, rest @ ..] = rest else {
        return Err("expected version after ','".into());
    };
    let high = version(high)?;
    let ["]", rest @ ..] = rest else {
        return Err("expected ']' after version".into());
    };
    Ok((low, high, rest))
}
