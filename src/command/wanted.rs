//! Which modules a run is about: what was typed, applied to the main module as go would.

use std::path::{Path, PathBuf};

use super::from_list;
use crate::cli::RawArgs;
use crate::error::{Error, Kind, Result};
use crate::fetch::Fetcher;
use crate::gomod::{MatchPattern, ModuleVersion};
use crate::graph::{Graph, Requirements};
use crate::list::{Ground, needs_graph};
use crate::modset::{Argument, Choice, Selection};
use crate::project::{Actual, MissingReplace, Project};
use crate::report::Console;

/// Which modules are meant without arguments, if not those that go means: `--scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What go.mod requires.
    Listed,
    /// The build list.
    All,
}

impl Scope {
    /// Judges what was typed, if anything was.
    ///
    /// # Errors
    /// [`Kind::Usage`] for any other word, and beside arguments, which say it themselves.
    pub(super) fn of(raw: &RawArgs) -> Result<Option<Scope>> {
        let Some(text) = &raw.scope else {
            return Ok(None);
        };
        let scope = match text.as_str() {
            "listed" => Scope::Listed,
            "all" => Scope::All,
            _ => {
                let text = format!("invalid value {text:?} for flag --scope: want listed or all");
                return Err(Error::new(Kind::Usage, text));
            }
        };
        if !raw.args.is_empty() || raw.from.is_some() {
            let text = "--scope says what is meant without modules: it cannot be used with them";
            return Err(Error::new(Kind::Usage, text));
        }
        Ok(Some(scope))
    }
}

/// Judges `--missing-replace`.
///
/// # Errors
/// [`Kind::Usage`] for a word that it does not know.
pub(super) fn missing_replace(raw: &RawArgs) -> Result<MissingReplace> {
    match raw.missing_replace.as_deref() {
        None | Some("error") => Ok(MissingReplace::Error),
        Some("warn") => Ok(MissingReplace::Warn),
        Some("ignore") => Ok(MissingReplace::Ignore),
        Some(text) => {
            let text = format!(
                "invalid value {text:?} for flag --missing-replace: want error, warn or ignore"
            );
            Err(Error::new(Kind::Usage, text))
        }
    }
}

/// The modules that are left out: `--exclude`.
#[derive(Clone, Debug, Default)]
pub(super) struct Excluded(Vec<(String, MatchPattern)>);

impl Excluded {
    /// Reads the patterns.
    ///
    /// # Errors
    /// [`Kind::Usage`] for what names a version, or can be no module path.
    pub(super) fn of(raw: &RawArgs) -> Result<Excluded> {
        let pattern = |text: &String| {
            if text.is_empty() || text.contains(['@', '\\', ' ']) {
                let text = format!(
                    "invalid value {text:?} for flag --exclude: want a module path, perhaps with \
                     ..., and no version"
                );
                return Err(Error::new(Kind::Usage, text));
            }
            Ok((text.clone(), MatchPattern::parse(text)))
        };
        raw.exclude
            .iter()
            .map(pattern)
            .collect::<Result<_>>()
            .map(Excluded)
    }

    /// True if a module with this path is left out.
    #[must_use]
    fn matches(&self, path: &str) -> bool {
        self.0.iter().any(|(_, pattern)| pattern.matches(path))
    }

    /// Takes out of `items` what is to be left out; a line for each pattern that matched none.
    pub(super) fn take_out<T>(&self, items: &mut Vec<T>, path: impl Fn(&T) -> &str) -> Vec<String> {
        let vain = |(_, pattern): &&(String, MatchPattern)| {
            !items.iter().any(|item| pattern.matches(path(item)))
        };
        let notices = self.0.iter().filter(vain);
        let notices = notices
            .map(|(text, _)| format!("warning: --exclude {text:?} matched no module"))
            .collect();
        items.retain(|item| !self.matches(path(item)));
        notices
    }
}

/// What was typed about modules.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    arguments: Vec<String>,
    /// `--from`: a file with one `path@version` a line, `-` for standard input.
    from: Option<PathBuf>,
    scope: Option<Scope>,
    excluded: Excluded,
    missing_replace: MissingReplace,
}

impl Wish {
    /// Understands what was typed, with files seen from `cwd`.
    ///
    /// # Errors
    /// [`Kind::Usage`].
    pub fn of(raw: &RawArgs, cwd: &Path) -> Result<Wish> {
        let from = raw.from.as_ref().map(|from| match from {
            // Standard input stays what it is.
            from if from == Path::new("-") => from.clone(),
            from => cwd.join(from),
        });
        Ok(Wish {
            arguments: raw.args.clone(),
            from,
            scope: Scope::of(raw)?,
            excluded: Excluded::of(raw)?,
            missing_replace: missing_replace(raw)?,
        })
    }

    /// The arguments, as typed.
    pub(super) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// `--scope`.
    pub(super) fn scope(&self) -> Option<Scope> {
        self.scope
    }

    /// `--exclude`.
    pub(super) fn excluded(&self) -> &Excluded {
        &self.excluded
    }

    /// What is done about local replacements that are missing.
    pub(super) fn missing_replace(&self) -> MissingReplace {
        self.missing_replace
    }
}

/// The modules that a run is about.
pub(super) struct Wanted<'a> {
    wish: &'a Wish,
    project: Option<&'a Project>,
    what: What,
}

enum What {
    /// What go.mod lists, in a workspace any of them, and the graph for the sake of its go.mod files.
    Listed,
    /// The build list.
    All,
    /// What the arguments say.
    Named(Vec<Argument>),
}

impl<'a> Wanted<'a> {
    /// Decides as `go` does; `None` if there is nothing to do.
    pub(super) fn of(
        project: Option<&'a Project>,
        wish: &'a Wish,
        console: &Console,
    ) -> Result<Option<Wanted<'a>>> {
        let what = What::of(project, wish, console)?;
        Ok(what.map(|what| Wanted {
            wish,
            project,
            what,
        }))
    }

    /// True if the sums of what is downloaded are recorded, and not those of the graph alone.
    pub(super) fn records_all(&self) -> bool {
        matches!(self.what, What::Named(_)) || self.is_workspace()
    }

    fn is_workspace(&self) -> bool {
        self.project
            .is_some_and(|project| project.workspace().is_some())
    }

    /// What the main module requires, with the graph if it is needed.
    pub(super) fn requirements(&self, fetcher: &Fetcher<'_>) -> Result<Option<Requirements>> {
        let needed = match &self.what {
            // In a workspace there may be nothing that has a graph.
            What::Listed | What::All if self.is_workspace() => {
                Argument::All.needs_graph(self.project)?
            }
            What::Listed | What::All => true,
            What::Named(arguments) => {
                // All are looked at, so that one that means nothing here is refused.
                let needs = arguments
                    .iter()
                    .map(|argument| argument.needs_graph(self.project));
                needs.collect::<Result<Vec<bool>>>()?.contains(&true)
            }
        };
        let Some(project) = self.project else {
            return Ok(None);
        };
        let running = project.running().map(|running| running.version().as_str());
        let mut found = fetcher.requirements(project, running)?;
        if needed && found.graph.is_none() {
            let aside = self.says_enough(&found);
            fetcher.expand(project, &mut found)?;
            found.graph_aside = aside;
        }
        Ok(Some(found))
    }

    /// True if the requirements, put right, name all that is named on the command line, which go.mod as
    /// it was did not.
    fn says_enough(&self, found: &Requirements) -> bool {
        let ground = Ground {
            project: self.project,
            edited: Some(found),
            with_versions: false,
        };
        match &self.what {
            What::Named(arguments) => {
                let needs = |argument| needs_graph(argument, ground).unwrap_or(true);
                !arguments.iter().any(needs)
            }
            What::Listed | What::All => false,
        }
    }

    /// The modules that will as good as certainly be chosen, before the graph is known: those that
    /// a go.mod lists whose graph is pruned.
    pub(super) fn likely(&self) -> impl Iterator<Item = ModuleVersion> {
        let pruned = |project: &&Project| project.is_pruned() && project.workspace().is_none();
        let project = self.project.filter(pruned);
        let project = project.filter(|_| matches!(self.what, What::Listed));
        let listed = project.map(|project| project.modfile().require.iter());
        let modules = listed.into_iter().flatten().map(|line| &line.module);
        self.actual(modules.filter(move |module| {
            let path = module.path().as_str();
            !self.wish.excluded.matches(path)
                && !module.is_tool()
                && project.is_none_or(|project| {
                    path != project.path() && !project.edits().excludes(module)
                })
        }))
    }

    /// False where local replacements may be missing: what they require is then unknown, and
    /// go.mod is left as it is.
    pub(super) fn may_edit(&self) -> bool {
        self.wish.missing_replace == MissingReplace::Error
    }

    /// The modules that are fetched in place of these.
    pub(super) fn actual<'m>(
        &self,
        modules: impl IntoIterator<Item = &'m ModuleVersion>,
    ) -> impl Iterator<Item = ModuleVersion> {
        let edits = self.project.map(Project::edits);
        let actual = move |module: &ModuleVersion| match edits?.actual(module) {
            Actual::Module(actual) => Some(actual),
            Actual::Directory { .. } => None,
        };
        modules.into_iter().filter_map(actual)
    }

    /// The modules, in go's order, without those that are left out.
    ///
    /// # Errors
    /// Those of the graph; that main modules disagree on what replaces a module in the build list,
    /// wanted or not, which go says when it looks which sums are to stay.
    pub(super) fn selection(&self, graph: Option<&Graph>) -> Result<Selection> {
        if let Some((project, graph)) = self.project.zip(graph)
            && let Some(error) = graph.clash(project.edits())
        {
            return Err(error);
        }
        let mut selection = match (&self.what, self.project, graph) {
            (What::Listed, Some(project), Some(graph)) => {
                graph.check()?;
                Selection::listed(project, graph)
            }
            (What::Named(arguments), ..) => Selection::of(arguments, self.project, graph),
            _ => Selection::of(&[Argument::All], self.project, graph),
        };
        let notices = self
            .wish
            .excluded
            .take_out(&mut selection.choices, Choice::path);
        selection.notices.extend(notices);
        Ok(selection)
    }
}

impl What {
    fn of(project: Option<&Project>, wish: &Wish, console: &Console) -> Result<Option<What>> {
        let mut arguments = wish.arguments.clone();
        if let Some(from) = &wish.from {
            arguments.extend(from_list::read(from)?);
        }
        if !arguments.is_empty() {
            let arguments = arguments
                .iter()
                .map(|text| Argument::parse(text))
                .collect::<Result<Vec<_>>>()?;
            for main in project.into_iter().flat_map(Project::mains) {
                let about = |argument: &&Argument| argument.is_about(main.path());
                for argument in arguments.iter().filter(about) {
                    console.note(&format!(
                        "skipping download of {argument} that resolves to the main module"
                    ));
                }
            }
            return Ok(Some(What::Named(arguments)));
        }
        if wish.from.is_some() {
            return Ok(None);
        }
        let Some(project) = project else {
            let text = "no modules specified (see 'go help mod download')";
            return Err(Error::new(Kind::Usage, text)
                .hint("name modules as PATH@VERSION, or run it where there is a go.mod"));
        };
        let workspace = project.workspace().is_some();
        if !workspace && project.modfile().require.is_empty() {
            return Ok(None);
        }
        let listed = match wish.scope {
            Some(scope) => scope == Scope::Listed,
            None if workspace => false,
            // `go` gives a go.mod without a go line its own version before it decides, so that
            // such a module downloads what is listed, although its graph is read by the rules of
            // an old one.
            None => project.is_pruned() || project.modfile().go.is_none(),
        };
        Ok(Some(if listed { What::Listed } else { What::All }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_mean_nothing_are_refused() {
        let refused = |raw: RawArgs| {
            let error = Wish::of(&raw, Path::new("/")).map(drop).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            error.chain()
        };
        let scope = |text: &str| Some(text.to_owned());
        assert_eq!(
            refused(RawArgs {
                scope: scope("none"),
                ..RawArgs::default()
            }),
            "invalid value \"none\" for flag --scope: want listed or all"
        );
        assert_eq!(
            refused(RawArgs {
                scope: scope("all"),
                args: vec!["a.com/a".to_owned()],
                ..RawArgs::default()
            }),
            "--scope says what is meant without modules: it cannot be used with them"
        );
        assert_eq!(
            refused(RawArgs {
                missing_replace: scope(""),
                ..RawArgs::default()
            }),
            "invalid value \"\" for flag --missing-replace: want error, warn or ignore"
        );
        for text in ["", "a.com/a@v1.0.0", "a\\b", "a b"] {
            let raw = RawArgs {
                exclude: vec![text.to_owned()],
                ..RawArgs::default()
            };
            assert!(refused(raw).starts_with("invalid value "), "{text:?}");
        }
    }

    #[test]
    fn what_a_pattern_matches_is_taken_out_and_one_that_matches_nothing_is_told() {
        let raw = RawArgs {
            exclude: ["a.com/...", "b.com/x", "c.com/c"]
                .map(str::to_owned)
                .to_vec(),
            ..RawArgs::default()
        };
        let excluded = Excluded::of(&raw).unwrap();
        let mut paths = vec!["a.com", "a.com/b", "a.community", "b.com/x/y", "c.com/c"];
        let notices = excluded.take_out(&mut paths, |path| path);
        assert_eq!(paths, ["a.community", "b.com/x/y"]);
        assert_eq!(
            notices,
            ["warning: --exclude \"b.com/x\" matched no module"]
        );
    }
}
