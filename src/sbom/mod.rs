//! What a bill of materials says of a project: its modules, their sums, and which module requires which.
//!
//! The source is the module graph after pruning and go.sum, so no build, no sources and no network are needed, and the result is
//! the same on every host. It is about modules: a module is listed if the build list has it, whether a package of it is
//! compiled or not. A module whose zip go.sum does not name is needed for its go.mod only ([`BomModule::is_loaded`]): `go mod tidy`
//! keeps the sum of a zip for every module that provides a package to a build or test.
//!
//! What the module cache adds, where the user asks for it, is in `cached`: then the result depends on what is cached.
//!
//! How this becomes CycloneDX or SPDX is decided in `report`.

mod cached;
mod purl;

use std::collections::HashMap;

pub use cached::{BomOrigin, LicenseFile};
pub use purl::package_url;

use crate::gomod::ModuleVersion;
use crate::graph::Graph;
use crate::project::{Node, Project, ResolvedModule};
use crate::trust::{SumPart, SumPolicy};

/// The modules of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillOfMaterials {
    /// The main modules in the order of go.work, then the build list by path.
    pub modules: Vec<BomModule>,
}

/// How a module came to be in the build list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BomRole {
    /// The project itself.
    Main,
    /// A main module requires it without the comment `// indirect`.
    Direct,
    /// Other modules require it.
    Indirect,
}

/// One module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BomModule {
    /// The path of the module whose content is used: after `replace`.
    pub path: String,
    /// Its version; `None` for main modules and directories.
    pub version: Option<String>,
    /// How it came to be in the build list.
    pub role: BomRole,
    /// `PATH@VERSION` of the module that this one replaces.
    pub replaces: Option<String>,
    /// The directory that stands in for the module, as the `replace` line has it.
    pub directory: Option<String>,
    /// The h1 of the module's files, of go.sum.
    pub sum: Option<String>,
    /// The h1 of its go.mod, of go.sum.
    pub go_mod_sum: Option<String>,
    /// Which modules it requires, as places in [`BillOfMaterials::modules`], ascending; `None` where pruning left its go.mod unread.
    pub requires: Option<Vec<usize>>,
    /// The licence files at its root by name, if [`BillOfMaterials::add_licenses`] found any.
    pub licenses: Vec<LicenseFile>,
    /// Its repository, if [`BillOfMaterials::add_origins`] found one.
    pub origin: Option<BomOrigin>,
}

impl BomModule {
    /// The name of the module in the document: `PATH@VERSION` as the build list has it, the path alone of a main module. It is
    /// unique in a document, which two modules that one module replaces could not be otherwise.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.replaces, &self.version) {
            (Some(listed), _) => listed.clone(),
            (None, Some(version)) => format!("{}@{version}", self.path),
            (None, None) => self.path.clone(),
        }
    }

    /// The package URL; `None` for a local directory, which no registry has.
    #[must_use]
    pub fn package_url(&self) -> Option<String> {
        let version = self.version.as_deref();
        (self.directory.is_none()).then(|| package_url(&self.path, version))
    }

    /// The module version whose files are used; `None` for main modules and directories.
    fn used(&self) -> Option<ModuleVersion> {
        ModuleVersion::parse(&self.path, self.version.as_deref()?).ok()
    }

    /// True if go.sum has the sum of the module's files, so that a build or a test may use them.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.role == BomRole::Main || self.directory.is_some() || self.sum.is_some()
    }
}

impl BillOfMaterials {
    /// Collects what go.mod, go.sum and the graph say.
    #[must_use]
    pub fn collect(project: &Project, graph: &Graph, sums: &SumPolicy) -> BillOfMaterials {
        let mut nodes: Vec<Node> = project
            .mains()
            .map(|main| Node::Main(main.path().to_owned()))
            .collect();
        nodes.extend(graph.build_list().map(Node::Module));
        let places: HashMap<Node, usize> = nodes.iter().cloned().zip(0..).collect();
        let direct = project.direct();
        let modules = nodes.iter().map(|node| {
            let required = graph.required_by(node);
            let requires = required.map(|required| {
                let used = required.iter().filter_map(|node| graph.in_use(node));
                let mut found: Vec<usize> =
                    used.filter_map(|node| places.get(&node).copied()).collect();
                found.sort_unstable();
                found.dedup();
                found
            });
            let role = match node {
                Node::Main(_) => BomRole::Main,
                _ if direct.contains(node.path()) => BomRole::Direct,
                _ => BomRole::Indirect,
            };
            describe(node, role, requires, project, sums)
        });
        BillOfMaterials {
            modules: modules.collect(),
        }
    }
}

fn describe(
    node: &Node,
    role: BomRole,
    requires: Option<Vec<usize>>,
    project: &Project,
    sums: &SumPolicy,
) -> BomModule {
    let mut module = BomModule {
        path: node.path().to_owned(),
        version: None,
        role,
        replaces: None,
        directory: None,
        sum: None,
        go_mod_sum: None,
        requires,
        licenses: Vec::new(),
        origin: None,
    };
    let Node::Module(listed) = node else {
        return module;
    };
    let replacement = project.rules().replacement(listed);
    module.replaces = replacement.map(|_| listed.to_string());
    match project.rules().resolved(listed) {
        ResolvedModule::Module(used) => {
            module.path = used.path().as_str().to_owned();
            module.version = Some(used.version().as_str().to_owned());
            module.sum = sums.record(&used, SumPart::Zip);
            module.go_mod_sum = sums.record(&used, SumPart::GoMod);
        }
        ResolvedModule::Directory { written, .. } => module.directory = Some(written),
    }
    module
}
