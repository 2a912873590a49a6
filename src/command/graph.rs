//! `modfetch graph`: the requirement graph, in go's text or in forms of ours.

use std::fmt::Write as _;

use super::definition::{Command, Runner};
use super::project::{MainModuleUse, find_project_allowing_conflicts, no_project, tell_disputes};
use super::session::requirement_graph;
use crate::cache::Cache;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, RawArgs, flags};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::gomod::GoVersion;
use crate::graph::Graph;
use crate::project::{Node, ReplaceRules};
use crate::report::{Console, JsonObject};
use crate::signals::Ending;

/// `-go`.
static GO: Flag = Flag {
    long: "go",
    value: Some("VERSION"),
    check: check_go_version,
    brief: "Read the graph as this go version would",
    detail: "Otherwise go.mod's go line decides how much of it is pruned.",
    ..Flag::GOS
};

/// `--dot`.
static DOT: Flag = Flag {
    long: "dot",
    brief: "Print the graph for Graphviz",
    detail: "Versions that are not selected have a dashed line.",
    ..Flag::OURS
};

/// Refuses, in go's words, what is no version that the graph can be read as.
///
/// Source: golang/go `cmd/go/internal/modcmd/tidy.go`, `goVersionFlag`.
fn check_go_version(text: &str) -> std::result::Result<(), String> {
    let is_version = text.contains('.') && GoVersion::parse(text).is_some();
    if text.is_empty() || is_version {
        return Ok(());
    }
    let like = GoVersion::EMULATED;
    Err(format!("expecting a Go version like {like:?}"))
}

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["graph"],
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
            &GO,
            &DOT,
        ],
        added: &["json"],
        go_name: Some("mod graph"),
        brief: "Print the module requirement graph",
        detail: "Prints one requirement a line, 'PATH@VERSION PATH@VERSION', the main module without \
a version, in the order of 'go mod graph': breadth first from go.mod. go and toolchain lines are \
requirements, too. go.mod files that are not cached are fetched and checked; go.mod and go.sum are \
not written.\n\
With -json, prints one object a module version: what it requires, whether it is the selected one, and \
what replaces it. With --dot, prints a graph for Graphviz, in which selected versions have a solid \
line.",
        examples: &[
            ("modfetch graph", "the graph, as 'go mod graph'"),
            (
                "modfetch graph -go=1.16",
                "the whole graph, as go 1.16 would read it",
            ),
            (
                "modfetch graph --dot | dot -Tsvg > graph.svg",
                "a picture of it",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|call, config, console| {
        let request = GraphRequest {
            form: GraphFormat::of(call.raw)?,
            arguments: call.raw.args.clone(),
            go: call.raw.text(&GO).and_then(GoVersion::parse),
            ending: call.ending(),
        };
        run(config, console, &request)
    }),
};

/// How the graph is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GraphFormat {
    /// A requirement a line, as go has it.
    #[default]
    Text,
    /// `-json`: an object a node.
    Json,
    /// `--dot`: for Graphviz.
    Dot,
}

impl GraphFormat {
    /// The form that was asked for.
    ///
    /// # Errors
    /// [`Kind::Usage`] if that were two.
    pub fn of(raw: &RawArgs) -> Result<GraphFormat> {
        match (raw.is_on(&flags::JSON), raw.is_on(&DOT)) {
            (false, false) => Ok(GraphFormat::Text),
            (true, false) => Ok(GraphFormat::Json),
            (false, true) => Ok(GraphFormat::Dot),
            (true, true) => Err(Error::new(
                Kind::Usage,
                "-json and --dot cannot be used together",
            )),
        }
    }
}

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct GraphRequest {
    /// The arguments, of which there may be none.
    pub arguments: Vec<String>,
    /// `-go`.
    pub go: Option<GoVersion>,
    /// How the graph is printed.
    pub form: GraphFormat,
    /// How a signal ends the run.
    pub ending: Ending,
}

/// Runs the command.
///
/// `Ok(Some(kind))` if something is wrong with the modules of a workspace together, which has been reported:
/// go prints the graph all the same.
///
/// # Errors
/// What go would print in place of the graph: nothing is printed of one that is not whole.
pub fn run(config: &Config, console: &Console, request: &GraphRequest) -> Result<Option<Kind>> {
    if !request.arguments.is_empty() {
        let text = "'go mod graph' accepts no arguments";
        return Err(Error::new(Kind::Usage, text));
    }
    let cache = Cache::at(&config.gomodcache.value)?;
    let (project, clashing) =
        find_project_allowing_conflicts(MainModuleUse::Edit, config, console)?;
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
        GraphFormat::Text => text(&graph),
        GraphFormat::Json => json(&graph, project.rules()),
        GraphFormat::Dot => dot(&graph),
    };
    let disputed = tell_disputes(graph.asked().cloned(), &project, console);
    console.data(&printed)?;
    Ok(clashing.or(disputed))
}

/// One line for each requirement: the module that requires, and the required one.
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
fn json(graph: &Graph, rules: &ReplaceRules) -> String {
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
        let replacement = node.module().and_then(|module| rules.replacement(module));
        let replacement = replacement.map(|resolved| resolved.describe());
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
