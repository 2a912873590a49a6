//! `modfetch graph`: the requirement graph, in go's text or in forms of ours.

use std::fmt::Write as _;

use super::project::{Use, find_project_despite, no_project, tell_disputes};
use super::session::requirement_graph;
use crate::cache::Cache;
use crate::cli::RawArgs;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::gomod::GoVersion;
use crate::graph::Graph;
use crate::project::{Edits, Node};
use crate::report::{Console, JsonObject};
use crate::signals::Ending;

/// How the graph is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A requirement a line, as go has it.
    #[default]
    Text,
    /// `-json`: an object a node.
    Json,
    /// `--dot`: for Graphviz.
    Dot,
}

impl Form {
    /// The form that was asked for.
    ///
    /// # Errors
    /// [`Kind::Usage`] if that were two.
    pub fn of(raw: &RawArgs) -> Result<Form> {
        match (raw.json, raw.dot) {
            (false, false) => Ok(Form::Text),
            (true, false) => Ok(Form::Json),
            (false, true) => Ok(Form::Dot),
            (true, true) => Err(Error::new(
                Kind::Usage,
                "-json and --dot cannot be used together",
            )),
        }
    }
}

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The arguments, of which there may be none.
    pub arguments: Vec<String>,
    /// `-go`.
    pub go: Option<GoVersion>,
    /// How the graph is printed.
    pub form: Form,
    /// How a signal ends the run.
    pub ending: Ending,
}

/// Runs the command.
///
/// `Ok(Some(kind))` if something is wrong with the modules of a workspace together, which has been told:
/// go prints the graph all the same.
///
/// # Errors
/// What go would print in place of the graph: nothing is printed of one that is not whole.
pub fn run(config: &Config, console: &Console, request: &Request) -> Result<Option<Kind>> {
    if !request.arguments.is_empty() {
        let text = "'go mod graph' accepts no arguments";
        return Err(Error::new(Kind::Usage, text));
    }
    let cache = Cache::at(&config.gomodcache.value)?;
    let (project, clashing) = find_project_despite(Use::Edit, config, console)?;
    let project = project.ok_or_else(no_project)?;
    if let (Some(go), Some(running)) = (&request.go, project.running())
        && *go > *running.version()
    {
        let newest = running.version();
        let text = format!(
            "invalid value \"{go}\" for flag -go: maximum supported Go version is {newest}"
        );
        return Err(Error::new(Kind::Usage, text));
    }
    let go = request.go.as_ref();
    let graph = requirement_graph(config, console, cache, &project, go, request.ending)?;
    let printed = match request.form {
        Form::Text => text(&graph),
        Form::Json => json(&graph, project.edits()),
        Form::Dot => dot(&graph),
    };
    let disputed = tell_disputes(graph.asked().cloned(), &project, console);
    console.data(&printed)?;
    Ok(clashing.or(disputed))
}

/// A line a requirement: who requires, and what.
fn text(graph: &Graph) -> String {
    let mut out = String::new();
    let mut lines = |from: &str, required: &[Node]| {
        for node in required {
            out.extend([from, " ", node.path(), "@", node.version(), "\n"]);
        }
    };
    for (node, required) in graph.walk() {
        if let Some(required) = required.filter(|required| !required.is_empty()) {
            lines(&node.to_string(), &required);
        }
    }
    out
}

/// An object a node, in the same order.
fn json(graph: &Graph, edits: &Edits) -> String {
    let names = |nodes: &[Node]| nodes.iter().map(Node::to_string).collect::<Vec<_>>();
    let mut out = String::new();
    for (node, required) in graph.walk() {
        let mut object = JsonObject::new();
        object.string("Path", node.path());
        if let Node::Main(_) = node {
            object.boolean("Main", true);
            object.strings("Requires", &names(&required.unwrap_or_default()));
            out.push_str(&(object.indented() + "\n"));
            continue;
        }
        object.string("Version", node.version());
        object.boolean("Selected", graph.in_use(&node).as_ref() == Some(&node));
        let replacement = node.module().and_then(|module| edits.replacement(module));
        let replacement = replacement.map(|actual| actual.describe());
        object.string("ReplacedBy", &replacement.unwrap_or_default());
        // Where it is missing, the walk ended: nothing is known of the requirements.
        object.boolean("Pruned", required.is_none() && node.module().is_some());
        object.strings("Requires", &names(&required.unwrap_or_default()));
        out.push_str(&(object.indented() + "\n"));
    }
    out
}

/// The same for Graphviz.
fn dot(graph: &Graph) -> String {
    let mut out = String::from("digraph modules {\n\trankdir=LR;\n\tnode [shape=box];\n");
    let mut edges = |from: &str, required: &[Node]| {
        for node in required {
            // Neither paths nor versions have quotes or backslashes. Writing to memory succeeds.
            let _ = writeln!(out, "\t{} -> {};", quoted(from), quoted(&node.to_string()));
        }
    };
    let steps = graph.walk();
    for (node, required) in &steps {
        edges(&node.to_string(), required.as_deref().unwrap_or_default());
    }
    for (node, _) in &steps {
        if graph.in_use(node).as_ref() != Some(node) {
            let _ = writeln!(out, "\t{} [style=dashed];", quoted(&node.to_string()));
        }
    }
    out.push_str("}\n");
    out
}

/// A name for Graphviz.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
