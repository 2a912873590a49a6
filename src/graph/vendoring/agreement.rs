//! Whether go.mod and vendor/modules.txt agree.
//!
//! Source: golang/go `cmd/go/internal/modload/vendor.go`, `checkVendorConsistency`.

use std::collections::HashSet;
use std::path::Path;

use crate::fsio::short_path;
use crate::gomod::modfile::{Listed, ModulesTxt, Replace, Replacement};
use crate::gomod::{GoVersion, ModuleVersion};
use crate::project::main_modules::from_workspace;
use crate::project::{MainModule, Project};

/// From this go version on a vendor directory is used where there is one, and modules.txt tells
/// enough to be checked against go.mod.
pub(super) const VENDORING_GO: &str = "1.14";

/// A project, and where it is seen from.
pub(super) struct VendorView<'a> {
    pub(super) project: &'a Project,
    pub(super) cwd: &'a Path,
}

impl VendorView<'_> {
    /// The directory that the vendor directory is in.
    pub(super) fn root(&self) -> &Path {
        match self.project.workspace() {
            Some(work) => work.root(),
            None => self.project.root(),
        }
    }

    /// The go version that decides about vendoring, where there is one.
    pub(super) fn go(&self) -> Option<&GoVersion> {
        let line = match self.project.workspace() {
            Some(work) => work.content().go.as_ref(),
            None => self.project.modfile().go.as_ref(),
        };
        line.map(|line| &line.version)
    }

    pub(super) fn in_workspace(&self) -> bool {
        self.project.workspace().is_some()
    }

    /// The lines of go.work, if that is what replaces modules here as well.
    fn work_lines(&self) -> &[Replace] {
        let work = self.project.workspace();
        work.map_or(&[], |work| &work.content().replace)
    }

    /// What replaces a module: as it is written, as modules.txt would have it, and the file that
    /// says so.
    fn replacement(&self, module: &Listed) -> Option<(Listed, Listed, String)> {
        let work = self.project.workspace();
        if let Some(work) = work
            && let Some(with) = find(self.work_lines(), module)
        {
            return Some((with.clone(), with, short_path(self.cwd, work.file())));
        }
        if module.version.is_empty() && self.project.is_main(&module.path) {
            return None;
        }
        // Of several modules that replace it, the last one counts.
        let found = self
            .project
            .mains()
            .filter_map(|main| Some((main, find(&main.modfile().replace, module)?)));
        let (main, with) = found.last()?;
        let mut canonical = with.clone();
        if let Some(work) = work
            && with.version.is_empty()
        {
            canonical.path = from_workspace(work.root(), main.root(), &with.path);
        }
        Some((with, canonical, short_path(self.cwd, main.file())))
    }

    /// What go.mod and modules.txt do not agree on, each on a line of its own.
    pub(super) fn faults(&self, list: &ModulesTxt) -> String {
        let mut faults = String::new();
        let mut fault = |module: &Listed, text: String| faults += &format!("\n\t{module}: {text}");
        let recent = self.go().is_some_and(|go| go.at_least(VENDORING_GO));
        let told = recent || self.in_workspace();
        let mains = || self.project.mains().map(MainModule::modfile);
        let required = || mains().flat_map(|file| &file.require);
        for module in required().map(|line| listed(&line.module)) {
            if list.is_explicit(&module) {
                continue;
            }
            if told {
                let text = "is explicitly required in go.mod, but not marked as explicit in \
                            vendor/modules.txt";
                fault(&module, text.to_owned());
            } else if let Some(other) = list.version(&module.path).filter(|&v| v != module.version)
            {
                let path = &module.path;
                let text = format!(
                    "is explicitly required in go.mod, but vendor/modules.txt indicates \
                     {path}@{other}"
                );
                fault(&module, text);
            }
        }
        let lines = mains().flat_map(|file| &file.replace);
        let mut seen = HashSet::new();
        for line in lines.chain(self.work_lines()) {
            let version = version(line);
            let old = Listed::new(line.path.as_str(), version);
            if !seen.insert(old.clone()) {
                continue;
            }
            let with = self.replacement(&old);
            match (with, list.replacement(&old)) {
                (None, None) => {}
                (Some((_, _, file)), None) => {
                    // What was written before go 1.14 has neither replacements of all versions nor
                    // of modules without packages.
                    let provided = !version.is_empty() && list.version(&old.path) == Some(version);
                    if told || provided {
                        let text = format!(
                            "is replaced in {file}, but not marked as replaced in \
                             vendor/modules.txt"
                        );
                        fault(&old, text);
                    }
                }
                (Some((_, canonical, _)), Some(marked)) if canonical == *marked => {}
                (with, Some(marked)) => {
                    let (with, _, file) = with.unwrap_or_default();
                    let text = format!(
                        "is replaced by {with} in {file}, but marked as replaced by {marked} in \
                         vendor/modules.txt"
                    );
                    fault(&old, text);
                }
            }
        }
        for module in list
            .providing()
            .iter()
            .filter(|module| list.is_explicit(module))
        {
            if !required().any(|line| listed(&line.module) == *module) {
                let article = if self.in_workspace() { "a " } else { "" };
                let text = format!(
                    "is marked as explicit in vendor/modules.txt, but not explicitly required in \
                     {article}go.mod"
                );
                fault(module, text);
            }
        }
        for module in list.replaced() {
            if self.replacement(module).is_none() {
                let place = if self.in_workspace() {
                    "the workspace"
                } else {
                    "go.mod"
                };
                let text = format!(
                    "is marked as replaced in vendor/modules.txt, but not replaced in {place}"
                );
                fault(module, text);
            }
        }
        faults
    }
}

/// The line for a version, else the one for all versions.
fn find(lines: &[Replace], module: &Listed) -> Option<Listed> {
    let of_path = || {
        lines
            .iter()
            .filter(|line| line.path.as_str() == module.path)
    };
    let own = of_path().find(|line| version(line) == module.version);
    let line = own.or_else(|| of_path().find(|line| line.version.is_none()))?;
    Some(match &line.with {
        Replacement::Module(with) => listed(with),
        Replacement::Directory(path) => Listed::new(path, ""),
    })
}

/// The version that a line is for; empty for all.
fn version(line: &Replace) -> &str {
    line.version.as_ref().map_or("", |version| version.as_str())
}

/// A module version as modules.txt has it.
pub(super) fn listed(module: &ModuleVersion) -> Listed {
    Listed::new(module.path().as_str(), module.version().as_str())
}
