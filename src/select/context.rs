//! What arguments are read against.

use crate::graph::Requirements;
use crate::project::{Node, Project};

/// What arguments are read against.
#[derive(Clone, Copy, Debug, Default)]
pub struct SelectionContext<'a> {
    /// The main modules.
    pub project: Option<&'a Project>,
    /// Their requirements, where they were put right before.
    pub edited: Option<&'a Requirements>,
    /// A path alone means something without a main module: its versions are asked for.
    pub with_versions: bool,
}

impl<'a> SelectionContext<'a> {
    /// That of the main modules as their go.mod files are.
    #[must_use]
    pub fn of(project: Option<&'a Project>) -> SelectionContext<'a> {
        SelectionContext {
            project,
            ..SelectionContext::default()
        }
    }

    /// The version of `path` that go.mod names, and `None` for the main module's own; `None` if
    /// go.mod names none.
    pub(super) fn root(&self, path: &str) -> Option<Option<Node>> {
        let project = self.project?;
        if project.is_main(path) {
            return Some(None);
        }
        let roots = match self.edited {
            Some(edited) => edited.roots.clone(),
            None => project.roots(),
        };
        let of_path = roots.into_iter().filter(|root| root.path() == path);
        of_path.max().map(Some)
    }

    /// True where go.mod names every module that a build needs.
    pub(super) fn is_pruned(&self) -> bool {
        let workspace = |project: &Project| project.workspace().is_some();
        match (self.edited, self.project) {
            (_, Some(project)) if workspace(project) => true,
            (Some(edited), _) => edited.pruned,
            (None, project) => project.is_some_and(Project::is_pruned),
        }
    }
}
