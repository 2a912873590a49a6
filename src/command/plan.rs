//! `modfetch plan`, and what it shares with `download --dry-run`: what would be fetched.

mod files;

use std::collections::HashSet;

use super::definition::{Command, Runner};
use super::project::find_project;
use super::session::{Session, SessionOptions};
use crate::cache::Cache;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, RawArgs, flags};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{CacheReader, CacheStatus, Keep, Run, RunOptions, SumExaminer};
use crate::gomod::ModuleVersion;
use crate::graph::Graph;
use crate::project::Project;
use crate::report::{Console, JsonObject, Planned, failed_target_json, planned_table};
use crate::select::{ResolvedTarget, Selection, SelectionArgs, resolve};
use crate::signals::Ending;

/// `-urls`.
static URLS: Flag = Flag {
    long: "urls",
    brief: "Print the URL of each file to fetch, one a line",
    detail: "For curl and its like. Files that come from no proxy have no URL.",
    ..Flag::GOS
};

/// `-files`.
static FILES: Flag = Flag {
    long: "files",
    brief: "Print the files that a download needs, one a line",
    detail: "go.mod, go.sum, go.work and the go.mod files of local modules, relative to the working \
             directory: what an image has to COPY first. Nothing is fetched.",
    ..Flag::GOS
};

/// `--null`.
static NULL: Flag = Flag {
    long: "null",
    short: Some('0'),
    brief: "End each URL or file name with NUL, for xargs -0",
    detail: "For -urls and -files.",
    ..Flag::OURS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["plan"],
        groups: &[
            &groups::PROJECT,
            &groups::CONNECTION,
            &groups::TRANSFER,
            &groups::OUTPUT,
        ],
        flags: &[
            &flags::C,
            &flags::JSON,
            &flags::X,
            &URLS,
            &FILES,
            &flags::FROM,
            &flags::SCOPE,
            &flags::EXCLUDE,
            &flags::MISSING_REPLACE,
            &NULL,
        ],
        arguments: "[modules]",
        brief: "Say what download would fetch, and from where",
        detail: "Prints for each module that 'download' with the same arguments would complete what is \
missing in the cache, which proxy would be asked first, and how long the zip is, if it is cached. \
Nothing is fetched but go.mod files that the module graph is read from, and these are not kept.\n\
With -json, prints one object a module: URLs, sums of go.sum, size and SHA-256 of cached zips. With \
-urls, prints the URLs of what is missing. With -files, prints which files of the project a download \
needs, for COPY in a Dockerfile. No secret is in any of it.",
        examples: &[
            ("modfetch plan", "what is missing, as a table"),
            (
                "modfetch plan -json --scope all",
                "URLs and sums of the whole build list, for other programs",
            ),
            (
                "modfetch plan -urls -0 | xargs -0 curl --remote-name-all",
                "fetch it with something else",
            ),
            ("modfetch plan -files", "what an image has to COPY first"),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|call, config, console| {
        let request = PlanRequest {
            selection: SelectionArgs::of(call.raw, &config.cwd)?,
            form: PlanFormat::of(call.raw)?,
            ending: call.ending(),
        };
        run(config, console, &request)
    }),
};

/// How a plan is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlanFormat {
    /// For people.
    #[default]
    Table,
    /// `-json`: an object a module.
    Json,
    /// `-urls`, each with this character after it.
    Urls(char),
    /// `-files`, likewise: no plan, but what a download reads of the project.
    Files(char),
}

impl PlanFormat {
    /// The form that was asked for.
    ///
    /// # Errors
    /// [`Kind::Usage`] if that were two, or if other flags make no sense with it.
    pub fn of(raw: &RawArgs) -> Result<PlanFormat> {
        let refuse = |text: &str| Err(Error::new(Kind::Usage, text));
        let end = if raw.is_on(&NULL) { '\0' } else { '\n' };
        let form = match (raw.is_on(&flags::JSON), raw.is_on(&URLS), raw.is_on(&FILES)) {
            (false, false, false) => PlanFormat::Table,
            (true, false, false) => PlanFormat::Json,
            (false, true, false) => PlanFormat::Urls(end),
            (false, false, true) => PlanFormat::Files(end),
            _ => return refuse("-json, -urls and -files cannot be used together"),
        };
        if raw.is_on(&NULL) && !matches!(form, PlanFormat::Urls(_) | PlanFormat::Files(_)) {
            return refuse("--null needs -urls or -files");
        }
        let choosing = [&flags::FROM, &flags::SCOPE, &flags::EXCLUDE];
        let chosen = choosing.iter().any(|flag| raw.is_given(flag));
        if matches!(form, PlanFormat::Files(_)) && (chosen || !raw.args.is_empty()) {
            return refuse("-files is about the project: it takes no modules");
        }
        Ok(form)
    }
}

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct PlanRequest {
    /// Which modules.
    pub selection: SelectionArgs,
    /// How it is printed.
    pub form: PlanFormat,
    /// How a signal ends the run.
    pub ending: Ending,
}

/// Runs the command. `Ok(None)` is success, whatever there is to fetch; `Ok(Some(kind))` the
/// gravest failure, all of them having been reported already.
///
/// # Errors
/// What ends the run before there is a plan.
pub fn run(config: &Config, console: &Console, request: &PlanRequest) -> Result<Option<Kind>> {
    if let PlanFormat::Files(end) = request.form {
        return files::run(config, console, request.selection.missing_replace(), end);
    }
    let cache = Cache::at(&config.gomodcache.value)?;
    let project = find_project(config, console)?;
    let Some(selection) = Selection::of(project.as_ref(), &request.selection)? else {
        console.note("no module dependencies to download");
        return Ok(None);
    };
    selection
        .skipped()
        .iter()
        .for_each(|line| console.note(line));
    let session = SessionOptions::new(config, console, cache)
        .project(project.as_ref())
        .keep(Keep::Nothing)
        .ending(request.ending)
        .open()?;
    let run = session.run(RunOptions {
        switches: true,
        missing_replace: request.selection.missing_replace(),
        ..session.options()
    });
    let plan = DownloadPlan::of(&session, &run, project.as_ref(), &selection);
    let plan = plan.and_then(|mut plan| {
        if request.form == PlanFormat::Json {
            let statuses = plan.planned.iter_mut();
            let statuses = statuses.map(|one| (&one.module, &mut one.status));
            CacheReader::new(&run).add_zip_digests(statuses)?;
        }
        Ok(plan)
    });
    session.settle(&run);
    let plan = plan?;
    plan.notices.iter().for_each(|notice| console.line(notice));
    console.data(&plan.text(request.form))?;
    plan.failures.iter().for_each(|error| console.error(error));
    Ok(Error::gravest(&plan.failures))
}

/// What a download would do.
pub(super) struct DownloadPlan {
    /// The modules in go's order, then those of which the graph needs the go.mod.
    pub(super) planned: Vec<Planned>,
    /// Objects for what was asked for and cannot be fetched.
    failed: Vec<JsonObject>,
    /// Why not, and what is wrong with the graph or the cache.
    pub(super) failures: Vec<Error>,
    /// Lines for the reader.
    pub(super) notices: Vec<String>,
}

impl DownloadPlan {
    /// Finds out. go.mod files that the graph needs are read, wherever they are; nothing is kept.
    pub(super) fn of(
        session: &Session<'_>,
        run: &Run,
        project: Option<&Project>,
        selection: &Selection<'_>,
    ) -> Result<DownloadPlan> {
        let requirements = selection.requirements(run)?;
        let graph = requirements.as_ref().and_then(|found| found.graph.as_ref());
        let targets = selection.targets(graph)?;
        let resolved = resolve(targets.list, run, project, graph, None)?;
        SumExaminer::new(run).ask_ahead(resolved.iter().filter_map(ResolvedTarget::module));
        let mut plan = DownloadPlan {
            planned: Vec::new(),
            failed: Vec::new(),
            failures: graph.and_then(Graph::error).into_iter().collect(),
            notices: targets.notices,
        };
        let cached = CacheReader::new(run);
        let mut seen = HashSet::new();
        for target in &resolved {
            let failure = match target {
                ResolvedTarget::Module { module, .. } if seen.insert(module.clone()) => {
                    plan.add(session, module, false, cached.status(module))
                }
                ResolvedTarget::Module { .. } => None,
                other => other.failure(),
            };
            if let Some(error) = failure {
                plan.failed.push(failed_target_json(target, &error));
                plan.failures.push(error);
            }
        }
        // The rest of the graph needs its go.mod files only, as do those that were read before it.
        let superseded = requirements.iter().flat_map(|found| &found.superseded);
        let loaded = graph.into_iter().flat_map(Graph::loaded);
        let loaded = selection.resolved(loaded.chain(superseded));
        let mut rest: Vec<ModuleVersion> = loaded.filter(|one| seen.insert(one.clone())).collect();
        rest.sort();
        for module in &rest {
            let status = cached.gomod_status(module);
            let failure = plan.add(session, module, true, status);
            plan.failures.extend(failure);
        }
        Ok(plan)
    }

    fn add(
        &mut self,
        session: &Session<'_>,
        module: &ModuleVersion,
        gomod_only: bool,
        status: Result<CacheStatus>,
    ) -> Option<Error> {
        match status {
            Ok(status) => {
                let chain = session.chain.as_ref();
                let asked =
                    chain.filter(|_| !session.is_offline() && status.asked().next().is_some());
                self.planned.push(Planned {
                    module: module.clone(),
                    gomod_only,
                    place: chain.and_then(|chain| chain.first_place(module)),
                    repository: asked.and_then(|chain| chain.repository(module.path())),
                    status,
                });
            }
            Err(error) => return Some(error),
        }
        None
    }

    fn text(&self, form: PlanFormat) -> String {
        match form {
            PlanFormat::Table => planned_table(&self.planned),
            PlanFormat::Json => {
                let planned = self.planned.iter().map(Planned::json);
                let failed = self.failed.iter().map(JsonObject::indented);
                let objects = planned.map(|json| json.indented()).chain(failed);
                objects
                    .flat_map(|object| [object, "\n".to_owned()])
                    .collect()
            }
            PlanFormat::Urls(end) | PlanFormat::Files(end) => {
                let urls = self.planned.iter().flat_map(Planned::urls);
                urls.flat_map(|url| [url.to_owned(), end.to_string()])
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::table::typed;

    #[test]
    fn a_plan_has_one_form() {
        let of = |line: &str| PlanFormat::of(&typed(line)).map_err(|error| error.chain());
        let refused = |text: &str| Err(text.to_owned());
        let rows = [
            ("plan", Ok(PlanFormat::Table)),
            ("plan -json", Ok(PlanFormat::Json)),
            ("plan -urls -0", Ok(PlanFormat::Urls('\0'))),
            ("plan -files", Ok(PlanFormat::Files('\n'))),
            (
                "plan -json -files",
                refused("-json, -urls and -files cannot be used together"),
            ),
            ("plan -json -0", refused("--null needs -urls or -files")),
            (
                "plan -files all",
                refused("-files is about the project: it takes no modules"),
            ),
        ];
        for (line, want) in rows {
            assert_eq!(of(line), want, "{line}");
        }
    }
}
