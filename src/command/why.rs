//! `modfetch why -m`: by which requirements modules are there.
//!
//! The form is that of `go mod why -m`. The answer is another: go looks for imported packages, this
//! for requirements.

use std::collections::HashSet;

use super::definition::{Command, Runner};
use super::project::need_project;
use super::session::requirement_graph;
use crate::cache::Cache;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, RawArgs, flags};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::gomod::{Argument, MatchPattern};
use crate::graph::Graph;
use crate::project::Node;
use crate::report::{Console, JsonObject};
use crate::select::{SelectionContext, needs_graph};
use crate::signals::Ending;

/// `-vendor`.
static VENDOR: Flag = Flag {
    long: "vendor",
    brief: "Not supported",
    detail: "go's way to leave out what only tests of dependencies import.",
    ..Flag::GOS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["why"],
        groups: &[
            &groups::PROJECT,
            &groups::CONNECTION,
            &groups::TRANSFER,
            &groups::LOCKS,
            &groups::OUTPUT,
        ],
        flags: &[
            &flags::C,
            &flags::JSON,
            &flags::X,
            &flags::MODCACHERW,
            &flags::M,
            &VENDOR,
        ],
        added: &["json"],
        only_modfetch: true,
        go_name: Some("mod why"),
        arguments: "-m [modules]",
        brief: "Explain by which requirements a module is there",
        detail: "Prints for each module the shortest chain of requirements from the main module to the \
version that is in use, one a line below '# MODULE', in the form of 'go mod why -m'. Modules are \
paths, patterns (with ...) and 'all'; without any, it is the main module. go and toolchain are \
modules, too.\n\
It is another question than go's: go looks for packages that are imported, modfetch reads no source \
and looks at go.mod files only. A module that is required and never imported has a chain here, \
where go says that the main module does not need it. For that reason -m must be given, and the \
command does not stand in for 'go mod why' where modfetch is called as go.\n\
go.mod files that are not cached are fetched and checked; go.mod and go.sum are not written. With \
-json, prints one object a module.",
        examples: &[
            (
                "modfetch why -m golang.org/x/text",
                "the modules that require it, at their selected versions",
            ),
            (
                "modfetch why -m go",
                "the modules that require this go version",
            ),
            ("modfetch why -m -json all", "every module of the build"),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|call, config, console| {
        let request = WhyRequest::of(call.raw, call.ending())?;
        run(config, console, &request)
    }),
};

/// What was asked for, beside the settings.
#[derive(Clone, Debug)]
pub struct WhyRequest {
    arguments: Vec<Argument>,
    json: bool,
    ending: Ending,
}

impl WhyRequest {
    /// Understands the command line; `ending` is how a signal ends the run.
    ///
    /// # Errors
    /// [`Kind::Usage`]: without `-m`, with `-vendor`, with a version, with what is no module path.
    pub fn of(raw: &RawArgs, ending: Ending) -> Result<WhyRequest> {
        let usage = |text: String| Error::new(Kind::Usage, text);
        if !raw.is_on(&flags::M) {
            let named = match &*raw.args {
                [] => "MODULE".to_owned(),
                modules => modules.join(" "),
            };
            return Err(usage(
                "why without -m is about packages, which modfetch does not read".to_owned(),
            )
            .hint(format!("explain modules: modfetch why -m {named}")));
        }
        if raw.is_on(&VENDOR) {
            return Err(usage("flag -vendor is not supported".to_owned())
                .hint("modfetch looks at no imports"));
        }
        if let Some(argument) = raw.args.iter().find(|argument| argument.contains('@')) {
            let text = "'go mod why' requires a module path, not a version query";
            return Err(usage(format!("{argument}: {text}")));
        }
        let arguments = raw.args.iter().map(|argument| Argument::parse(argument));
        Ok(WhyRequest {
            arguments: arguments.collect::<Result<_>>()?,
            json: raw.is_on(&flags::JSON),
            ending,
        })
    }
}

/// Runs the command.
///
/// # Errors
/// What ends `graph`, too: nothing is explained by a graph that is not whole.
pub fn run(config: &Config, console: &Console, request: &WhyRequest) -> Result<Option<Kind>> {
    let cache = Cache::at(&config.gomodcache.value)?;
    let project = need_project(config, console)?;
    for argument in &request.arguments {
        // In a workspace without modules an argument means nothing.
        needs_graph(argument, SelectionContext::of(Some(&project)))?;
    }
    let graph = requirement_graph(config, console, cache, &project, None, request.ending)?;
    let (paths, unmatched) = named(&request.arguments, &graph);
    for pattern in unmatched {
        console.line(&format!(
            "warning: pattern {pattern:?} matched no module dependencies"
        ));
    }
    let mut printed = Vec::new();
    for path in &paths {
        printed.push(match request.json {
            true => json(&graph, path),
            false => text(&graph, path),
        });
    }
    let separator = if request.json { "" } else { "\n" };
    console.data(&printed.join(separator))?;
    Ok(None)
}

/// The module paths that arguments name, in go's order, and the patterns that name none.
///
/// Source: golang/go `cmd/go/internal/modload/list.go`, `listModules`.
fn named(arguments: &[Argument], graph: &Graph) -> (Vec<String>, Vec<String>) {
    let mains = || graph.mains().map(str::to_owned);
    if arguments.is_empty() {
        return (mains().collect(), Vec::new());
    }
    let (mut paths, mut unmatched) = (Vec::new(), Vec::new());
    // What patterns have named already they do not name again.
    let mut seen = HashSet::new();
    for argument in arguments {
        let matches: Box<dyn Fn(&str) -> bool> = match argument {
            Argument::All => Box::new(|_| true),
            Argument::Pattern(pattern) => {
                let pattern = MatchPattern::parse(pattern);
                Box::new(move |path| pattern.matches(path))
            }
            Argument::Path(path) | Argument::Versioned { path, .. } => {
                paths.push(path.clone());
                continue;
            }
        };
        let before = paths.len();
        let all = graph.build_list().map(|module| module.path().to_string());
        for path in mains().chain(all) {
            if matches(&path) && seen.insert(path.clone()) {
                paths.push(path);
            }
        }
        if paths.len() == before {
            unmatched.push(argument.to_string());
        }
    }
    (paths, unmatched)
}

/// The names of a chain; a main module has no version.
fn names(chain: &[Node]) -> Vec<String> {
    chain.iter().map(Node::to_string).collect()
}

/// A stanza of go's.
fn text(graph: &Graph, path: &str) -> String {
    match graph.chain_to(path) {
        Some(chain) => format!("# {path}\n{}\n", names(&chain).join("\n")),
        None => format!("# {path}\n(main module does not need module {path})\n"),
    }
}

fn json(graph: &Graph, path: &str) -> String {
    let chain = graph.chain_to(path).unwrap_or_default();
    let mut object = JsonObject::new();
    object.string("Path", path);
    object.boolean("Main", matches!(&*chain, [Node::Main(_)]));
    object.string(
        "Version",
        chain.last().map(Node::version).unwrap_or_default(),
    );
    object.strings("Chain", &names(&chain));
    object.indented() + "\n"
}
