//! What can be said of modules where a vendor directory is used: of those that go.mod requires or
//! that have packages in it, and no more.
//!
//! Source: golang/go `cmd/go/internal/list/list.go`, `modload/list.go` (`listModules`), `build.go`
//! (`moduleInfo`), `query.go` (`queryDisabledError`).

use super::directory::Vendor;
use crate::error::{Error, Kind};
use crate::gomod::modfile::Listed;
use crate::gomod::{Argument, ModuleVersion};
use crate::graph::Graph;
use crate::project::{Node, Project, ResolvedModule};

/// How a message ends that `-mod` would have been needed for.
const BYPASS: &str = "using the vendor directory\n\t(Use -mod=mod or -mod=readonly to bypass.)";

/// What an argument is about.
#[derive(Clone, Debug)]
pub enum Vendored {
    /// The main module of this path.
    Main(String),
    /// A module, or a go version or toolchain.
    Known {
        /// Which.
        node: Node,
        /// Its go line; empty if modules.txt does not tell.
        go: String,
        /// What replaces it.
        replacement: Option<ResolvedModule>,
    },
    /// It is unknown.
    Unknown {
        /// As typed.
        path: String,
        /// As typed; empty if none was.
        version: String,
        /// Why.
        error: Error,
    },
}

impl Vendor {
    /// Refuses what takes more than a vendor directory: `versions` and `updates` say whether those
    /// were asked for.
    ///
    /// # Errors
    /// [`Kind::Usage`], in go's words.
    pub fn admit(arguments: &[Argument], versions: bool, updates: bool) -> Result<(), Error> {
        let refuse = |what: &str| Err(Error::new(Kind::Usage, format!("can't {what} {BYPASS}")));
        if versions {
            return refuse("determine available versions");
        }
        if updates {
            return refuse("determine available upgrades");
        }
        for argument in arguments {
            match argument {
                Argument::All => return refuse("compute 'all'"),
                Argument::Pattern(_) => return refuse("match module patterns"),
                Argument::Path(_) | Argument::Versioned { .. } => {}
            }
        }
        Ok(())
    }

    /// What an argument is about that [`Vendor::admit`] admits; `graph` is that of
    /// [`Vendor::graph`], if what go.mod says does not tell enough of all that are asked for.
    #[must_use]
    pub fn look_up(
        &self,
        argument: &Argument,
        project: &Project,
        graph: Option<&Graph>,
    ) -> Vendored {
        match argument {
            Argument::Versioned { path, version } => Vendored::Unknown {
                path: path.clone(),
                version: version.clone(),
                error: self.mode().no_query().context(argument.to_string()),
            },
            Argument::Path(path) if project.is_main(path) => Vendored::Main(path.clone()),
            _ => self.known(&argument.to_string(), project, graph),
        }
    }

    fn known(&self, path: &str, project: &Project, graph: Option<&Graph>) -> Vendored {
        let roots = || project.roots().into_iter();
        let root = || roots().filter(|root| root.path() == path).max();
        let Some(node) = graph.map_or_else(root, |graph| graph.node(path)) else {
            return Vendored::Unknown {
                path: path.to_owned(),
                version: String::new(),
                error: Error::new(
                    Kind::NotFound,
                    format!("module {path}: can't resolve module {BYPASS}"),
                ),
            };
        };
        let listed = Listed::new(node.path(), node.version());
        let module = node.module();
        let replaced = |module: &ModuleVersion| project.rules().replacement(module).cloned();
        Vendored::Known {
            go: self.list().go(&listed).unwrap_or_default().to_owned(),
            replacement: module.and_then(replaced),
            node,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Vendoring;
    use super::*;
    use crate::gomod::{Argument, GoVersion, Toolchain};

    fn argument(text: &str) -> Argument {
        Argument::parse(text).unwrap()
    }

    #[test]
    fn what_takes_the_whole_graph_is_refused_in_the_words_of_go() {
        // Of `go list -m -mod=vendor`, go1.26.8.
        let rows = [
            ("all", false, false, Some("compute 'all'")),
            ("a.com/...", false, false, Some("match module patterns")),
            ("a.com/a", true, true, Some("determine available versions")),
            ("all", false, true, Some("determine available upgrades")),
            ("a.com/a", false, false, None),
            ("a.com/a@latest", false, false, None),
        ];
        for (text, versions, updates, want) in rows {
            let got = Vendor::admit(&[argument(text)], versions, updates);
            let want = want.map(|what| {
                format!(
                    "can't {what} using the vendor directory\n\t(Use -mod=mod or -mod=readonly to \
                     bypass.)"
                )
            });
            assert_eq!(got.err().map(|error| error.chain()), want, "{text}");
        }
    }

    #[test]
    fn modules_txt_tells_what_go_tells() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("go.mod");
        let go_mod = "module m\ngo 1.21\nrequire a.com/a v1.0.0\nrequire b.com/b v1.0.0 // indirect\n\
                      replace b.com/b => c.com/c v1.2.0\n";
        let txt = "# a.com/a v1.0.0\n## explicit; go 1.16\na.com/a\n# b.com/b v1.0.0 => c.com/c \
                   v1.2.0\n## explicit; go 1.18\n# b.com/b => c.com/c v1.2.0\n";
        fs::write(&file, go_mod).unwrap();
        fs::create_dir(dir.path().join("vendor")).unwrap();
        fs::write(dir.path().join("vendor/modules.txt"), txt).unwrap();
        let project = Project::read(&file, None, dir.path()).unwrap();
        let local = GoVersion::parse("1.26.8").unwrap();
        let running = Toolchain::parse("local", &local).unwrap().start(None);
        let vendor = Vendor::open(&project, dir.path(), true, &running.unwrap());
        let Ok(Vendoring::Used(vendor)) = vendor else {
            panic!("{vendor:?}");
        };
        let graph = vendor.graph(&project).unwrap();
        let told = |text: &str| match vendor.look_up(&argument(text), &project, Some(&graph)) {
            Vendored::Main(path) => format!("main {path}"),
            Vendored::Known {
                node,
                go,
                replacement,
            } => {
                let with = replacement.map_or(String::new(), |with| with.describe());
                format!("{node} {go} {with}")
            }
            Vendored::Unknown { error, .. } => error.chain(),
        };
        // Of `go list -m -mod=vendor -json`, go1.26.8.
        let rows = [
            ("m", "main m"),
            ("a.com/a", "a.com/a@v1.0.0 1.16 "),
            ("b.com/b", "b.com/b@v1.0.0 1.18 c.com/c@v1.2.0"),
            ("go", "go@1.21  "),
            (
                "toolchain",
                "module toolchain: can't resolve module using the vendor directory\n\t(Use -mod=mod \
                 or -mod=readonly to bypass.)",
            ),
            (
                "a.com/a@latest",
                "a.com/a@latest: cannot query module due to -mod=vendor",
            ),
            (
                "m@upgrade",
                "m@upgrade: cannot query module due to -mod=vendor",
            ),
        ];
        for (text, want) in rows {
            assert_eq!(told(text), want, "{text}");
        }
    }
}
