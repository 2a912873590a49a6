//! `modfetch plan`, and what it shares with `download --dry-run`: what would be fetched.

mod files;

use std::collections::HashSet;

use super::pick::{self, Pick};
use super::project::find_project;
use super::session::{Manner, Session};
use super::wanted::{Wanted, Wish};
use crate::cache::Cache;
use crate::cli::RawArgs;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{Fetcher, Keep, Stock};
use crate::gomod::ModuleVersion;
use crate::graph::Graph;
use crate::project::Project;
use crate::report::{Console, JsonObject, Planned, planned_table};
use crate::signals::Ending;

/// How a plan is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
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

impl Form {
    /// The form that was asked for.
    ///
    /// # Errors
    /// [`Kind::Usage`] if that were two, or if other flags make no sense with it.
    pub fn of(raw: &RawArgs) -> Result<Form> {
        let refuse = |text: &str| Err(Error::new(Kind::Usage, text));
        let end = if raw.null { '\0' } else { '\n' };
        let form = match (raw.json, raw.urls, raw.files) {
            (false, false, false) => Form::Table,
            (true, false, false) => Form::Json,
            (false, true, false) => Form::Urls(end),
            (false, false, true) => Form::Files(end),
            _ => return refuse("-json, -urls and -files cannot be used together"),
        };
        if raw.null && !matches!(form, Form::Urls(_) | Form::Files(_)) {
            return refuse("--null needs -urls or -files");
        }
        let choosing = ["from", "scope", "exclude"];
        let chosen = choosing.iter().any(|flag| raw.given.contains(flag));
        if matches!(form, Form::Files(_)) && (chosen || !raw.args.is_empty()) {
            return refuse("-files is about the project: it takes no modules");
        }
        Ok(form)
    }
}

/// What was asked for, beside the settings.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Which modules.
    pub wish: Wish,
    /// How it is printed.
    pub form: Form,
    /// How a signal ends the run.
    pub ending: Ending,
}

/// Runs the command. `Ok(None)` is success, whatever there is to fetch; `Ok(Some(kind))` the
/// gravest failure, all of them having been told already.
///
/// # Errors
/// What ends the run before there is a plan.
pub fn run(config: &Config, console: &Console, request: &Request) -> Result<Option<Kind>> {
    if let Form::Files(end) = request.form {
        return files::run(config, console, request.wish.missing_replace(), end);
    }
    let cache = Cache::at(&config.gomodcache.value)?;
    let project = find_project(config, console)?;
    let Some(wanted) = Wanted::of(project.as_ref(), &request.wish, console)? else {
        console.note("no module dependencies to download");
        return Ok(None);
    };
    let manner = Manner {
        fail_fast: false,
        keep: Keep::Nothing,
        ending: Some(request.ending),
    };
    let session = Session::open(config, console, cache, project.as_ref(), manner)?;
    let fetcher = session
        .fetcher()
        .switching()
        .with_missing_replace(request.wish.missing_replace());
    let plan = Plan::of(&session, &fetcher, project.as_ref(), &wanted);
    let plan = plan.and_then(|mut plan| {
        if request.form == Form::Json {
            let stocks = plan.planned.iter_mut();
            fetcher.add_zip_digests(stocks.map(|one| (&one.module, &mut one.stock)))?;
        }
        Ok(plan)
    });
    session.settle(&fetcher);
    let plan = plan?;
    plan.notices.iter().for_each(|notice| console.line(notice));
    console.data(&plan.text(request.form))?;
    plan.failures.iter().for_each(|error| console.error(error));
    Ok(Error::gravest(&plan.failures))
}

/// What a download would do.
pub(super) struct Plan {
    /// The modules in go's order, then those of which the graph needs the go.mod.
    pub(super) planned: Vec<Planned>,
    /// Objects for what was asked for and cannot be fetched.
    failed: Vec<JsonObject>,
    /// Why not, and what is wrong with the graph or the cache.
    pub(super) failures: Vec<Error>,
    /// Lines for the reader.
    pub(super) notices: Vec<String>,
}

impl Plan {
    /// Finds out. go.mod files that the graph needs are read, wherever they are; nothing is kept.
    pub(super) fn of(
        session: &Session<'_>,
        fetcher: &Fetcher<'_>,
        project: Option<&Project>,
        wanted: &Wanted<'_>,
    ) -> Result<Plan> {
        let requirements = wanted.requirements(fetcher)?;
        let graph = requirements.as_ref().and_then(|found| found.graph.as_ref());
        let selection = wanted.selection(graph)?;
        let picks = pick::resolve(selection.choices, fetcher, project, graph)?;
        fetcher.ask_ahead(picks.iter().filter_map(Pick::module));
        let mut plan = Plan {
            planned: Vec::new(),
            failed: Vec::new(),
            failures: graph.and_then(Graph::error).into_iter().collect(),
            notices: selection.notices,
        };
        let mut seen = HashSet::new();
        for pick in &picks {
            let failure = match pick {
                Pick::Module { module, .. } if seen.insert(module.clone()) => {
                    plan.add(session, module, false, fetcher.stock(module))
                }
                Pick::Module { .. } => None,
                Pick::Failed { error, .. } => Some(error.clone()),
            };
            if let Some(error) = failure {
                plan.failed.push(pick.failed_json(&error));
                plan.failures.push(error);
            }
        }
        // The rest of the graph needs its go.mod files only, as do those that were read before it.
        let outgrown = requirements.iter().flat_map(|found| &found.outgrown);
        let loaded = graph.into_iter().flat_map(Graph::loaded);
        let loaded = wanted.actual(loaded.chain(outgrown));
        let mut rest: Vec<ModuleVersion> = loaded.filter(|one| seen.insert(one.clone())).collect();
        rest.sort();
        for module in &rest {
            let stock = fetcher.gomod_stock(module);
            let failure = plan.add(session, module, true, stock);
            plan.failures.extend(failure);
        }
        Ok(plan)
    }

    fn add(
        &mut self,
        session: &Session<'_>,
        module: &ModuleVersion,
        gomod_only: bool,
        stock: Result<Stock>,
    ) -> Option<Error> {
        match stock {
            Ok(stock) => self.planned.push(Planned {
                module: module.clone(),
                gomod_only,
                stock,
                place: session.chain.first_place(module),
            }),
            Err(error) => return Some(error),
        }
        None
    }

    fn text(&self, form: Form) -> String {
        match form {
            Form::Table => planned_table(&self.planned),
            Form::Json => {
                let planned = self.planned.iter().map(Planned::json);
                let failed = self.failed.iter().map(JsonObject::indented);
                let objects = planned.map(|json| json.indented()).chain(failed);
                objects
                    .flat_map(|object| [object, "\n".to_owned()])
                    .collect()
            }
            Form::Urls(end) | Form::Files(end) => {
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

    #[test]
    fn a_plan_has_one_form() {
        let of = |raw: RawArgs| Form::of(&raw).map_err(|error| error.chain());
        let raw = RawArgs::default;
        assert_eq!(of(raw()), Ok(Form::Table));
        assert_eq!(
            of(RawArgs {
                json: true,
                ..raw()
            }),
            Ok(Form::Json)
        );
        assert_eq!(
            of(RawArgs {
                urls: true,
                null: true,
                ..raw()
            }),
            Ok(Form::Urls('\0'))
        );
        assert_eq!(
            of(RawArgs {
                files: true,
                ..raw()
            }),
            Ok(Form::Files('\n'))
        );
        assert_eq!(
            of(RawArgs {
                json: true,
                files: true,
                ..raw()
            }),
            Err("-json, -urls and -files cannot be used together".to_owned())
        );
        assert_eq!(
            of(RawArgs {
                json: true,
                null: true,
                ..raw()
            }),
            Err("--null needs -urls or -files".to_owned())
        );
        let args = vec!["all".to_owned()];
        assert_eq!(
            of(RawArgs {
                files: true,
                args,
                ..raw()
            }),
            Err("-files is about the project: it takes no modules".to_owned())
        );
    }
}
