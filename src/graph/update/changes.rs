//! What go would change in go.mod, and go.mod with that changed.
//!
//! A file is not written for its form alone: only if what it says would be another thing.
//!
//! Source: golang/go `cmd/go/internal/modload/init.go`, `UpdateGoModFromReqs`, and
//! `modload/modfile.go`, `modFileIsDirty`.

use super::requirements::Requirements;
use crate::error::Result;
use crate::gomod::GoVersion;
use crate::gomod::compat::Change;
use crate::gomod::modfile::{ModEdit, Requirement};
use crate::map::Map;
use crate::project::go_line::IMPLIED_GO_VERSION;
use crate::project::{Node, Project};

/// From this go version on direct and indirect requirements have blocks of their own.
const SEPARATE_GO: &str = "1.17";

/// How requirements stand in go.mod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequireLayout {
    /// Each where its line was.
    Mixed,
    /// Direct and indirect ones in blocks of their own.
    Separate,
    /// In two blocks at most.
    TwoBlocks,
}

impl RequireLayout {
    /// That of a go.mod with this go version.
    fn of(version: &str) -> RequireLayout {
        match GoVersion::parse(version) {
            Some(go) if Change::TwoRequireBlocks.applies_to(&go) => RequireLayout::TwoBlocks,
            Some(go) if go.at_least(SEPARATE_GO) => RequireLayout::Separate,
            _ => RequireLayout::Mixed,
        }
    }
}

/// Changes to a go.mod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// More would change than `// indirect`.
    beyond_marks: bool,
    /// What the go line is to say; `None` leaves it as it is, or missing.
    go: Option<String>,
    /// What the toolchain line is to say; `None` takes it out.
    toolchain: Option<String>,
    require: Vec<Requirement>,
    layout: RequireLayout,
}

impl Update {
    /// What has to change for go.mod to say what is required; `None` if it does.
    #[must_use]
    pub fn of(project: &Project, requirements: &Requirements) -> Option<Update> {
        let modfile = project.modfile();
        let version = requirements.go();
        let line = modfile.go.as_ref().map(|line| line.version.as_str());
        let go = match line {
            Some(line) => line != version,
            // go adds the line before, where it may.
            None => version != IMPLIED_GO_VERSION,
        };
        let written = modfile.toolchain.as_ref().map(|line| line.name.as_str());
        let toolchain = toolchain(requirements, &version);
        let direct = project.direct();
        let require: Vec<Requirement> = requirements
            .modules()
            .map(|module| Requirement {
                module: module.clone(),
                indirect: !direct.contains(module.path().as_str()),
            })
            .collect();
        let lines = modfile.require.iter();
        let listed: Map<_, _> = lines.map(|line| (&line.module, line.indirect)).collect();
        let same = |wanted: &Requirement| listed.get(&wanted.module) == Some(&wanted.indirect);
        let listed_so = |wanted: &Requirement| listed.contains_key(&wanted.module);
        let beyond_marks = project.main().is_resolved()
            || go
            || written != toolchain
            || require.len() != listed.len()
            || !require.iter().all(listed_so);
        let dirty = beyond_marks || !require.iter().all(same);
        dirty.then(|| Update {
            beyond_marks,
            go: go.then(|| version.clone()),
            toolchain: toolchain.map(str::to_owned),
            require,
            layout: RequireLayout::of(&version),
        })
    }

    /// True if more would change than `// indirect`, which go does not mind where it may not
    /// write.
    #[must_use]
    pub fn is_beyond_marks(&self) -> bool {
        self.beyond_marks
    }

    /// The go.mod of `project` with these changes, in the standard form.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::Kind::Input) if that is no go.mod, which it was when it was read.
    pub fn apply(&self, project: &Project) -> Result<Vec<u8>> {
        let name = project.file().display().to_string();
        let mut edit = ModEdit::new(&name, project.main().data(), project.modfile())?;
        if let Some(go) = &self.go {
            edit.set_go(go);
        }
        edit.set_toolchain(self.toolchain.as_deref());
        match self.layout {
            RequireLayout::Mixed => edit.set_require(&self.require),
            RequireLayout::Separate => edit.set_require_separately(&self.require),
            RequireLayout::TwoBlocks => edit.set_require_in_two_blocks(&self.require),
        }
        Ok(edit.to_bytes())
    }
}

/// The toolchain that is to stand in go.mod: none that the go version implies, and none from
/// before there were such lines.
fn toolchain<'r>(requirements: &'r Requirements, go: &str) -> Option<&'r str> {
    let root = requirements.roots.iter().find_map(|root| match root {
        Node::Toolchain(name) => Some(&**name),
        Node::Main(_) | Node::Module(_) | Node::Go(_) => None,
    })?;
    let implied = root.strip_prefix("go") == Some(go);
    let counts =
        GoVersion::of_toolchain(root).is_some_and(|version| version.at_least(Node::STRICT_GO));
    (counts && !implied).then_some(root)
}
