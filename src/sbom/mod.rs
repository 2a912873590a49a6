//! What a bill of materials says of a project: its modules, their sums, and which module requires which.
//!
//! The source is the module graph after pruning and go.sum, so no build, no sources and no network are needed, and the result is
//! the same on every host. It is about modules: a module is listed if the build list has it, whether a package of it is
//! compiled or not. What it is needed for ([`BomUsage`]) follows from what `go mod tidy` writes: a line in go.mod for every module with
//! a package in a build or test of the main module, a sum of the zip for those and for the modules of their tests.
//!
//! What the module cache adds, where the user asks for it, is in `cached`: then the result depends on what is cached.
//!
//! How this becomes CycloneDX or SPDX is decided in `report`.

mod cached;
mod purl;

use std::collections::{HashMap, HashSet};

pub use cached::{BomOrigin, LicenseFile};
pub use purl::package_url;

use crate::gomod::ModuleVersion;
use crate::graph::Graph;
use crate::project::{MainModule, Node, Project, ResolvedModule};
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

/// What a module of the build list is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BomUsage {
    /// A package of it may be part of a build or a test of a main module.
    Packages,
    /// Only tests of other modules use it: go.sum has its zip, and no main module lists it, although `go mod tidy` writes down all modules
    /// of builds and tests since go 1.17.
    DependencyTests,
    /// The module graph: go.sum has its go.mod alone.
    Graph,
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
    /// What it is needed for.
    pub usage: BomUsage,
    /// `PATH@VERSION` of the module that this one replaces.
    pub replaces: Option<String>,
    /// The directory that stands in for the module, as the `replace` line has it.
    pub directory: Option<String>,
    /// The h1 of the module's files, of go.sum.
    pub sum: Option<String>,
    /// The h1 of its go.mod, of go.sum.
    pub go_mod_sum: Option<String>,
    /// Which modules it requires, as places in [`BillOfMaterials::modules`], ascending; `None` where pruning left its go.mod unread. A main
    /// module has no indirect requirement that another module has too.
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
        let listed: HashSet<&str> = project
            .mains()
            .flat_map(|main| &main.modfile().require)
            .map(|line| line.module.path().as_str())
            .collect();
        // Before go 1.17 go.mod did not list all of them.
        let pruned = project.mains().all(MainModule::is_pruned);
        let lists = |path: &str| !pruned || listed.contains(path);
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
            let mut module = describe(node, role, requires, project, sums);
            module.usage = match module.role {
                BomRole::Main => BomUsage::Packages,
                _ if module.sum.is_none() && module.directory.is_none() => BomUsage::Graph,
                _ if lists(node.path()) => BomUsage::Packages,
                _ => BomUsage::DependencyTests,
            };
            module
        });
        let mut bom = BillOfMaterials {
            modules: modules.collect(),
        };
        bom.drop_redundant_edges();
        bom
    }

    /// Takes the requirements with the comment `// indirect` away from main modules, where another module has the same requirement.
    /// go.mod lists them for the sake of pruning; with them each module would look like a direct dependency.
    fn drop_redundant_edges(&mut self) {
        let is_main = |module: &BomModule| module.role == BomRole::Main;
        let others = self.modules.iter().filter(|module| !is_main(module));
        let by_others: HashSet<usize> = others
            .flat_map(|m| m.requires.iter().flatten().copied())
            .collect();
        let redundant: HashSet<usize> = by_others
            .into_iter()
            .filter(|&place| {
                self.modules
                    .get(place)
                    .is_some_and(|m| m.role == BomRole::Indirect)
            })
            .collect();
        for module in self.modules.iter_mut().filter(|module| is_main(module)) {
            if let Some(requires) = &mut module.requires {
                requires.retain(|place| !redundant.contains(place));
            }
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
        usage: BomUsage::Packages,
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
