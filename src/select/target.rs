//! The command line applied to the graph: which module versions are meant, in which order.

use super::needs_graph::is_main;
use crate::error::{Error, Kind, Subject};
use crate::gomod::{Argument, MatchPattern, ModulePath, ModuleVersion, Tool, Version};
use crate::graph::Graph;
use crate::map::Set;
use crate::project::{Project, ResolvedModule};

/// How a version was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolVersion {
    /// By a query, which may be the version itself.
    Query(String),
    /// By the requirements of the main module.
    Required(String),
    /// Not at all, there being no main module: it is that of the run.
    Own,
}

/// One module that an argument named.
#[derive(Clone, Debug)]
pub enum Target {
    /// A version to fetch, after replacement.
    Module {
        /// Which.
        module: ModuleVersion,
        /// The argument named the version; the graph had no say.
        named: bool,
    },
    /// A version query that a source has to answer.
    Query {
        /// The module path.
        path: ModulePath,
        /// The query as typed: `latest`, `v1`, a branch.
        query: String,
    },
    /// `go` or `toolchain`, which are no modules: there is nothing to fetch.
    Tool {
        /// Which.
        tool: Tool,
        /// Of it.
        version: ToolVersion,
    },
    /// ToolVersion, but it cannot be fetched.
    Failed {
        /// As typed.
        path: String,
        /// As typed; empty if none was.
        version: String,
        /// Why.
        error: Error,
    },
}

impl Target {
    /// The version to fetch, where it is known.
    #[must_use]
    pub fn module(&self) -> Option<&ModuleVersion> {
        match self {
            Target::Module { module, .. } => Some(module),
            Target::Query { .. } | Target::Tool { .. } | Target::Failed { .. } => None,
        }
    }

    /// The module path.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Target::Module { module, .. } => module.path().as_str(),
            Target::Query { path, .. } => path.as_str(),
            Target::Tool { tool, .. } => tool.name(),
            Target::Failed { path, .. } => path,
        }
    }
}

/// What the arguments mean, in the order of `go`.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// The modules; one that two arguments name stands here twice.
    pub list: Vec<Target>,
    /// Lines for the reader, such as patterns that match nothing.
    pub notices: Vec<String>,
}

impl Targets {
    /// Applies arguments. `graph` is there if one of them needed it.
    #[must_use]
    pub fn of(arguments: &[Argument], project: Option<&Project>, graph: Option<&Graph>) -> Targets {
        let mut targets = Targets::default();
        let mut matched = Set::default();
        for argument in arguments {
            if project.is_some_and(|project| is_main(argument, project)) {
                continue;
            }
            match argument {
                Argument::Versioned { path, version } => {
                    targets.list.push(versioned(path, version));
                }
                Argument::Path(path) => targets.path(path, project, graph),
                Argument::All => targets.matching("all", |_| true, &mut matched, project, graph),
                Argument::Pattern(pattern) => {
                    let compiled = MatchPattern::parse(pattern);
                    let matches = |path: &str| compiled.matches(path);
                    targets.matching(pattern, matches, &mut matched, project, graph);
                }
            }
        }
        targets
    }

    /// The requirements of go.mod at the versions that were selected: what `download` without
    /// arguments fetches from `go 1.17` on.
    #[must_use]
    pub fn listed(project: &Project, graph: &Graph) -> Targets {
        let lines = project.mains().flat_map(|main| &main.modfile().require);
        let mut seen = Set::default();
        // One that several modules of a workspace list is one.
        let lines = lines.filter(|line| {
            seen.insert(line.module.path().clone()) || project.workspace().is_none()
        });
        let arguments: Vec<Argument> = lines
            .map(|line| Argument::Path(line.module.path().to_string()))
            .collect();
        Targets::of(&arguments, Some(project), Some(graph))
    }

    fn path(&mut self, path: &str, project: Option<&Project>, graph: Option<&Graph>) {
        if let Some(tool) = Tool::of(path) {
            let node = match graph {
                Some(graph) => graph.node(path),
                None => project.and_then(|project| project.root_tool(tool)),
            };
            let version = match node {
                Some(node) => Some(ToolVersion::Required(node.version().to_owned())),
                None => project
                    .is_none_or(Project::is_empty)
                    .then_some(ToolVersion::Own),
            };
            if let Some(version) = version {
                return self.list.push(Target::Tool { tool, version });
            }
        }
        let highest_root = || project?.root_version(path);
        let found = match graph {
            Some(graph) => graph.selected_module(path),
            None => highest_root(),
        };
        match found {
            Some(module) => self.push(&module, project),
            // A graph that is incomplete because of an error says nothing of the path.
            None if graph.is_some_and(|graph| graph.error().is_some()) => {}
            None => self.list.push(Target::Failed {
                path: path.to_owned(),
                version: String::new(),
                error: Error::new(
                    Kind::NotFound,
                    format!("module {path}: not a known dependency"),
                ),
            }),
        }
    }

    fn matching(
        &mut self,
        pattern: &str,
        matches: impl Fn(&str) -> bool,
        matched: &mut Set<ModuleVersion>,
        project: Option<&Project>,
        graph: Option<&Graph>,
    ) {
        let mut mains = project.into_iter().flat_map(Project::mains);
        let mut any = mains.any(|main| matches(main.path()));
        for module in graph.into_iter().flat_map(Graph::build_list) {
            if matches(module.path().as_str()) && matched.insert(module.clone()) {
                any = true;
                self.push(&module, project);
            }
        }
        if !any {
            self.notices.push(format!(
                "warning: pattern {pattern:?} matched no module dependencies"
            ));
        }
    }

    fn push(&mut self, module: &ModuleVersion, project: Option<&Project>) {
        match project.map(|project| project.rules().resolved(module)) {
            Some(ResolvedModule::Directory { .. }) => {}
            Some(ResolvedModule::Module(module)) => self.list.push(Target::Module {
                module,
                named: false,
            }),
            None => self.list.push(Target::Module {
                module: module.clone(),
                named: false,
            }),
        }
    }
}

fn versioned(path: &str, version: &str) -> Target {
    let failed = |error: Error| Target::Failed {
        path: path.to_owned(),
        version: version.to_owned(),
        error,
    };
    if let Some(tool) = Tool::of(path) {
        let version = ToolVersion::Query(version.to_owned());
        return Target::Tool { tool, version };
    }
    let module_path = match ModulePath::parse(path).and_then(|path| path.escape().map(|_| path)) {
        Ok(module_path) => module_path,
        Err(error) => return failed(error.about(Subject::version(path, version))),
    };
    let Ok(canonical) = Version::parse(version) else {
        if version.is_empty() {
            let text = format!("{path}@: invalid version: disallowed version string");
            return failed(Error::new(Kind::Input, text));
        }
        return Target::Query {
            path: module_path,
            query: version.to_owned(),
        };
    };
    match ModuleVersion::new(module_path.clone(), canonical) {
        Ok(module) => Target::Module {
            module,
            named: true,
        },
        // A source may have it as `v2.0.0+incompatible`.
        Err(_) => Target::Query {
            path: module_path,
            query: version.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SelectionContext, needs_graph};
    use super::*;
    use crate::graph::Loader;
    use crate::graph::testing::provide;

    fn select(go_mod: &str, arguments: &[&str]) -> Targets {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("go.mod");
        std::fs::write(&file, go_mod).unwrap();
        let project = Project::read(&file, None, dir.path()).unwrap();
        let mut loader = Loader::new(
            project.path(),
            project.rules(),
            project.is_pruned(),
            project.roots(),
        );
        provide(&mut loader, |wanted| {
            let path = wanted.module.path();
            Some(match path.as_str() {
                "a.com/a" => "module a.com/a\ngo 1.17\nrequire b.com/b v1.5.0\n".to_owned(),
                _ => format!("module {path}\n"),
            })
        });
        let graph = loader.finish();
        let arguments: Vec<Argument> = arguments
            .iter()
            .map(|text| Argument::parse(text).unwrap())
            .collect();
        if arguments.is_empty() {
            return Targets::listed(&project, &graph);
        }
        Targets::of(&arguments, Some(&project), Some(&graph))
    }

    fn text(targets: &Targets) -> String {
        let name = |target: &Target| match target {
            Target::Module { module, .. } => module.to_string(),
            Target::Query { path, query } => format!("{path}?{query}"),
            Target::Tool { tool, version } => format!("{tool} {version:?}"),
            Target::Failed { error, .. } => format!("!{}", error.chain()),
        };
        targets.list.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    const GO_MOD: &str = "module main.com/m\ngo 1.17\nrequire (\n\tc.com/c v1.0.0\n\ta.com/a v1.0.0\n\td.com/d v1.0.0\n\te.com/e v1.0.0\n)\nreplace d.com/d => ../d\nreplace e.com/e => f.com/f v1.2.0\n";

    #[test]
    fn without_arguments_go_mods_lines_count_in_their_order() {
        assert_eq!(
            text(&select(GO_MOD, &[])),
            "c.com/c@v1.0.0 a.com/a@v1.0.0 f.com/f@v1.2.0"
        );
    }

    #[test]
    fn arguments_name_modules() {
        let rows = [
            (
                "all",
                "a.com/a@v1.0.0 b.com/b@v1.5.0 c.com/c@v1.0.0 f.com/f@v1.2.0",
            ),
            ("b.com/...", "b.com/b@v1.5.0"),
            ("b.com/b", "b.com/b@v1.5.0"),
            ("e.com/e", "f.com/f@v1.2.0"),
            ("d.com/d", ""),
            ("main.com/m", ""),
            ("main.com/m@upgrade", ""),
            ("main.com/m@patch", ""),
            ("main.com/m@latest", "main.com/m?latest"),
            ("x.com/x@upgrade", "x.com/x?upgrade"),
            ("e.com/e@v1.0.0", "e.com/e@v1.0.0"),
            ("x.com/x", "!module x.com/x: not a known dependency"),
            ("x.com/x@latest", "x.com/x?latest"),
            (
                "x.com/x@",
                "!x.com/x@: invalid version: disallowed version string",
            ),
            ("x.com/x@v2.0.0", "x.com/x?v2.0.0"),
            (
                "B@v1.0.0",
                "!B@v1.0.0: malformed module path \"B\": missing dot in first path element",
            ),
        ];
        for (argument, want) in rows {
            assert_eq!(text(&select(GO_MOD, &[argument])), want, "{argument}");
            assert_eq!(Argument::parse(argument).unwrap().to_string(), argument);
        }
        let targets = select(GO_MOD, &["zzz..."]);
        assert_eq!(
            targets.notices,
            ["warning: pattern \"zzz...\" matched no module dependencies"]
        );
    }

    #[test]
    fn what_is_no_argument_is_refused_in_the_words_of_go() {
        let error = |text: &str| Argument::parse(text).unwrap_err().chain();
        assert_eq!(
            error("./x"),
            "cannot use relative path ./x to specify module"
        );
        assert_eq!(error("a\\b"), "module paths never use backslash");
        assert_eq!(error("a.com/b@-x"), "invalid module version \"-x\"");
        let outside = |text: &str| {
            let argument = Argument::parse(text).unwrap();
            let refused = needs_graph(&argument, SelectionContext::default());
            refused.unwrap_err().chain()
        };
        assert_eq!(
            outside("all"),
            "cannot match \"all\": go.mod file not found in current directory or any parent \
             directory; see 'go help modules'"
        );
        assert_eq!(
            outside("a.com/b"),
            "cannot match \"a.com/b\" without -versions or an explicit version: go.mod file not \
             found in current directory or any parent directory; see 'go help modules'"
        );
    }
}
