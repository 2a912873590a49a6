//! What the requirement graph connects: module versions, go versions and toolchains.
//!
//! Since go 1.21 a `go` line is a requirement like others: of a "module" `go`, each version of
//! which requires the toolchain of the same name.
//!
//! Source: golang/go `cmd/go/internal/gover/{mod,toolchain}.go`, `modload/modfile.go`.

use std::cmp::Ordering;
use std::fmt;

use crate::gomod::{GoVersion, ModuleVersion, Tool};

/// A node of the requirement graph.
///
/// Ordered by path, then by version, as `go` sorts requirements.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A main module, by its path: it has no version.
    Main(String),
    /// A version of a module.
    Module(ModuleVersion),
    /// The go version of a go line: `1.21`, `1.22.3`.
    Go(String),
    /// A toolchain: `go1.22.3`; `default` and `none` are none.
    Toolchain(String),
}

impl Node {
    /// From this go version on a go line is a requirement.
    pub const STRICT_GO: &'static str = "1.21";

    /// A version of `go` or `toolchain`.
    #[must_use]
    pub fn of_tool(tool: Tool, version: String) -> Node {
        match tool {
            Tool::Go => Node::Go(version),
            Tool::Toolchain => Node::Toolchain(version),
        }
    }

    /// What go calls the lack of any toolchain.
    pub(crate) fn no_toolchain() -> Node {
        Node::Toolchain("none".to_owned())
    }

    /// The toolchain that a go version requires.
    pub(crate) fn toolchain_of(go: &str) -> Option<Node> {
        let version = GoVersion::parse(go)?;
        let strict = version.at_least(Node::STRICT_GO);
        strict.then(|| Node::Toolchain(format!("go{go}")))
    }

    /// The module version, if it is one.
    #[must_use]
    pub fn module(&self) -> Option<&ModuleVersion> {
        match self {
            Node::Module(module) => Some(module),
            Node::Main(_) | Node::Go(_) | Node::Toolchain(_) => None,
        }
    }

    /// The go version, if it is one.
    #[must_use]
    pub fn go(&self) -> Option<String> {
        match self {
            Node::Go(version) => Some(version.clone()),
            Node::Main(_) | Node::Module(_) | Node::Toolchain(_) => None,
        }
    }

    /// The module path, `go` or `toolchain`.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Node::Main(path) => path,
            Node::Module(module) => module.path().as_str(),
            Node::Go(_) => "go",
            Node::Toolchain(_) => "toolchain",
        }
    }

    /// The version as go prints it; empty for a main module.
    #[must_use]
    pub fn version(&self) -> &str {
        match self {
            Node::Main(_) => "",
            Node::Module(module) => module.version().as_str(),
            Node::Go(version) | Node::Toolchain(version) => version,
        }
    }

    /// False for a toolchain that names none.
    pub(crate) fn is_version(&self) -> bool {
        match self {
            Node::Toolchain(name) => toolchain_version(name).is_some(),
            Node::Main(_) | Node::Module(_) | Node::Go(_) => true,
        }
    }
}

/// The go version in the name of a toolchain: `go1.22.3`, `go1.22.3-custom`.
fn toolchain_version(name: &str) -> Option<GoVersion> {
    GoVersion::parse(name).or_else(|| GoVersion::of_toolchain(name))
}

impl Ord for Node {
    fn cmp(&self, other: &Node) -> Ordering {
        let versions = || match (self, other) {
            (Node::Module(one), Node::Module(two)) => one.version().cmp(two.version()),
            (Node::Main(_), _) | (_, Node::Main(_)) => self.version().cmp(other.version()),
            (Node::Toolchain(one), Node::Toolchain(two)) => {
                toolchain_version(one).cmp(&toolchain_version(two))
            }
            _ => GoVersion::parse(self.version()).cmp(&GoVersion::parse(other.version())),
        };
        self.path().cmp(other.path()).then_with(versions)
    }
}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Node) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `PATH@VERSION`; the path alone of a main module.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Node::Main(path) = self {
            return f.write_str(path);
        }
        write!(f, "{}@{}", self.path(), self.version())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_sorted_as_go_sorts_requirements() {
        let module = |path, version| Node::Module(ModuleVersion::parse(path, version).unwrap());
        let sorted = [
            Node::Main("a.com/z".into()),
            module("a.com/z", "v1.9.0"),
            module("a.com/z", "v1.10.0"),
            Node::Go("1.9".into()),
            Node::Go("1.21".into()),
            Node::Go("1.21rc1".into()),
            Node::Go("1.21.0".into()),
            module("golang.org/x/mod", "v0.1.0"),
            Node::Main("m.com/m".into()),
            Node::Toolchain("default".into()),
            Node::Toolchain("go1.21.9-custom".into()),
            Node::Toolchain("go1.21.10".into()),
            module("u.com/a", "v1.0.0"),
        ];
        for pair in sorted.windows(2) {
            assert!(pair[0] < pair[1], "{} {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn a_go_version_requires_its_toolchain_from_1_21_on() {
        let of = |go| Node::toolchain_of(go).map(|node| node.to_string());
        assert_eq!(of("1.20"), None);
        assert_eq!(of("1.21").as_deref(), Some("toolchain@go1.21"));
        assert_eq!(of("1.22.3").as_deref(), Some("toolchain@go1.22.3"));
    }
}
