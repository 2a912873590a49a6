//! `modfetch bundle create`: what projects need, in one file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::create_flags::{AS_OF, FOR, HAVE, NO_SUMDB, SINCE, SPLIT, TOOLCHAINS};
use super::from_current_directory;
use super::heads::{open_head, read_names, read_past};
use super::split::{SplitWriter, parse_size};
use super::wanted_projects::WantedProjects;
use crate::bundle::{
    BundleHead, BundleModule, BundleProofs, Manifest, ManifestModule, ManifestZip, write_bundle,
};
use crate::cache::Cache;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, RawArgs, flags};
use crate::command::definition::{Command, CommandCall, Runner};
use crate::command::directory::working_directory;
use crate::command::project::find_project;
use crate::command::session::{Session, SessionOptions};
use crate::command::task_stream::TaskStream;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, EventSink};
use crate::fetch::{
    GraphReader, QueryResolver, Run, RunOptions, Scheduler, Unresolved, VersionFilter,
    VersionQuery, Want, is_unknown,
};
use crate::fsio::TempFile;
use crate::gomod::{H1, ModuleVersion, TOOLCHAIN};
use crate::graph::Graph;
use crate::project::{Project, ReplaceRules};
use crate::report::Console;
use crate::select::{ResolvedTarget, Selection, SelectionArgs, resolve};
use crate::source::{DatabaseSetting, Info};
use crate::sumdb::note::NoteVerifier;
use crate::sumdb::tlog::LogTree;
use crate::sumdb::{LoggedSums, SumDbClient};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["bundle", "create"],
        groups: &[
            &groups::PROJECT,
            &groups::CONNECTION,
            &groups::TRANSFER,
            &groups::LOCKS,
            &groups::OUTPUT,
        ],
        flags: &[
            &flags::O,
            &flags::C,
            &flags::FROM,
            &flags::SCOPE,
            &flags::EXCLUDE,
            &flags::MISSING_REPLACE,
            &TOOLCHAINS,
            &SINCE,
            &AS_OF,
            &HAVE,
            &FOR,
            &SPLIT,
            &NO_SUMDB,
            &flags::X,
        ],
        arguments: "[modules]",
        brief: "Put what projects need into one file that proves itself",
        detail: "Fetches what the cache lacks, as download does, and writes a tar file that is a file:// GOPROXY with a checksum database. It has the modules that the projects need (-C, once for each; go.mod or go.work), those of --from and the ones that are named; the go.mod of every version that the requirement graph is read from; and the newest go.mod of each module, for retractions.\n\
Every module that the checksum database vouches for comes with its record; one signed tree head proves all of them, with exactly the tiles that a machine without a saved head reads. For a machine that has one, name a copy of its $GOPATH/pkg/sumdb/NAME/latest, or an earlier bundle, with --since.\n\
Equal inputs give equal bytes: the modules, the head and the newest versions are inputs, and --as-of takes the latter two from an earlier bundle.\n\
Files are named from the current directory, whatever -C says.",
        examples: &[
            (
                "modfetch bundle create -o site.tar",
                "what the go.mod here needs",
            ),
            (
                "modfetch bundle create -o site.tar -C api -C worker --toolchain go1.27.4",
                "two projects, and a toolchain",
            ),
            (
                "modfetch bundle create -o site2.tar --since site.tar",
                "for machines that have imported site.tar",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

/// One question to the engine: what a project needs, or the modules that are named.
struct Need {
    raw: RawArgs,
    /// A main module counts, if there is one.
    with_project: bool,
    /// Without a main module there is nothing to do, and that is no failure.
    is_optional: bool,
}

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    let Some(output) = call.raw.text(&flags::O) else {
        let text = "bundle create needs -o FILE (- for standard output)";
        return Err(Error::new(Kind::Usage, text));
    };
    let split = call.raw.text(&SPLIT).map(parse_size).transpose()?;
    if split.is_some() && output == "-" {
        let text = "--split writes files: it cannot be used with -o -";
        return Err(Error::new(Kind::Usage, text));
    }
    let wanted = call.raw.texts(&FOR).iter();
    let wanted = wanted.map(|file| WantedProjects::read(file, config.go_env.temp_dir()));
    let wanted = wanted.collect::<Result<Vec<_>>>()?;
    let past = Past::of(call.raw, config, &wanted)?;
    let mut found = BundleContents::default();
    for need in needs(call.raw, &wanted)? {
        let directory = working_directory(&need.raw)?;
        let config = resolve_config(call, &need.raw, &directory)?;
        if let Some(kind) = found.collect(call, &config, console, &need)? {
            return Ok(Some(kind));
        }
    }
    let here = call.raw.clone().without(&flags::C);
    let config = resolve_config(call, &here, &working_directory(&here)?)?;
    let session = found.session(call, &config, console, None)?;
    let client = session
        .sums
        .database()?
        .filter(|_| !call.raw.is_on(&NO_SUMDB));
    // No go.sum has the newest go.mod of a module.
    let newest = client.is_some() && found.add_newest(&session, &past)?;
    found.leave_out(&past.have);
    wanted
        .iter()
        .for_each(|wanted| found.leave_out_known(wanted));
    let proofs = match client {
        Some(client) => {
            found.add_records(client, &session, config.transfer.jobs.value)?;
            Some(past.proofs(client)?)
        }
        None => None,
    };
    let modules: Vec<BundleModule> = found.modules.into_values().collect();
    let zips = modules.iter().filter_map(|one| one.entry.zip.as_ref());
    let bytes = zips.map(|zip| zip.bytes).sum();
    let manifest = write_to(output, split, |out| {
        let events = Arc::clone(&session.progress) as Arc<dyn EventSink>;
        let out = TaskStream::begin(out, "writing bundle", Some(bytes), events);
        write_bundle(out, modules, proofs.as_ref(), newest)
    });
    session.progress.clear();
    let manifest = manifest?;
    let zips = manifest
        .modules
        .iter()
        .filter(|one| one.zip.is_some())
        .count();
    let count = manifest.modules.len();
    console.line(&format!(
        "{output}: {count} module versions, {zips} of them with zip"
    ));
    Ok(None)
}

/// The settings of a project.
fn resolve_config(call: &CommandCall<'_>, raw: &RawArgs, directory: &Path) -> Result<Config> {
    Config::resolve(call.go_env, raw, &COMMAND.info.goflags(), directory)
}

/// What is asked of the engine: once for each `-C`, and once for modules that are named.
fn needs(raw: &RawArgs, wanted: &[WantedProjects]) -> Result<Vec<Need>> {
    let directories = raw.texts(&flags::C);
    let names_modules = !raw.args.is_empty() || raw.is_given(&flags::FROM);
    let mut needs = Vec::new();
    let here = raw.clone().without(&flags::C);
    for directory in directories {
        let mut raw = here.clone().without(&flags::FROM);
        raw.give(&flags::C, directory);
        raw.args.clear();
        needs.push(Need {
            raw,
            with_project: true,
            is_optional: false,
        });
    }
    for directory in wanted.iter().flat_map(|wanted| &wanted.directories) {
        let mut raw = here.clone().without(&flags::FROM);
        raw.give(&flags::C, &directory.display().to_string());
        raw.args.clear();
        needs.push(Need {
            raw,
            with_project: true,
            is_optional: false,
        });
    }
    let lacks = wanted.iter().flat_map(|wanted| &wanted.want.lacks);
    let lacks: Vec<String> = lacks.map(ModuleVersion::to_string).collect();
    let toolchains = raw.texts(&TOOLCHAINS).iter();
    let toolchains = toolchains.map(|text| crate::command::toolchain::module_argument(text));
    let toolchains = toolchains.collect::<Result<Vec<_>>>()?;
    let is_asked = !wanted.is_empty();
    if names_modules || directories.is_empty() && !is_asked {
        needs.push(Need {
            raw: here.clone(),
            with_project: directories.is_empty() && !is_asked,
            is_optional: !names_modules && !toolchains.is_empty(),
        });
    }
    for modules in [toolchains, lacks] {
        if modules.is_empty() {
            continue;
        }
        let mut raw = here.clone();
        for flag in [&flags::FROM, &flags::SCOPE, &flags::EXCLUDE] {
            raw = raw.without(flag);
        }
        raw.args = modules;
        needs.push(Need {
            raw,
            with_project: false,
            is_optional: false,
        });
    }
    Ok(needs)
}

/// What goes into the bundle, as far as it was found.
#[derive(Default)]
struct BundleContents {
    modules: BTreeMap<ModuleVersion, BundleModule>,
    /// A signal ends the program: this was set up.
    listens: bool,
}

impl BundleContents {
    fn session<'c>(
        &mut self,
        call: &CommandCall<'_>,
        config: &'c Config,
        console: &'c Console,
        project: Option<&'c Project>,
    ) -> Result<Session<'c>> {
        let cache = Cache::at(&config.gomodcache.value)?;
        let mut options = SessionOptions::new(config, console, cache)
            .project(project)
            .fail_fast();
        if !std::mem::replace(&mut self.listens, true) {
            options = options.ending(call.ending());
        }
        options.open()
    }

    /// Brings what is needed into the cache. `Some` is the gravest failure, each of which was
    /// printed.
    fn collect(
        &mut self,
        call: &CommandCall<'_>,
        config: &Config,
        console: &Console,
        need: &Need,
    ) -> Result<Option<Kind>> {
        let project = match need.with_project {
            true => find_project(config, console)?,
            false => None,
        };
        if need.is_optional && project.is_none() {
            return Ok(None);
        }
        let args = SelectionArgs::of(&need.raw, &working_directory(&RawArgs::default())?)?;
        let Some(selection) = Selection::of(project.as_ref(), &args)? else {
            return Ok(None);
        };
        selection
            .skipped()
            .iter()
            .for_each(|notice| console.note(notice));
        let session = self.session(call, config, console, project.as_ref())?;
        let run = session.run(RunOptions {
            switches: true,
            missing_replace: args.missing_replace(),
            want: Want::Zip,
            ..session.options()
        });
        let requirements = selection.requirements(&run)?;
        let graph = requirements.as_ref().and_then(|found| found.graph.as_ref());
        let targets = selection.targets(graph)?;
        let resolved = resolve(targets.list, &run, project.as_ref(), graph, None)?;
        let mut failures: Vec<Error> = graph.and_then(Graph::error).into_iter().collect();
        let mut zips = Vec::new();
        for target in resolved {
            match target {
                ResolvedTarget::Module { module, .. } => zips.push(module),
                other => failures.extend(other.failure()),
            }
        }
        let outcomes = Scheduler::new(&run).download(&zips);
        session.settle(&run);
        targets
            .notices
            .iter()
            .for_each(|notice| console.line(notice));
        failures.extend(outcomes.iter().filter_map(|outcome| outcome.error.clone()));
        failures.iter().for_each(|error| console.error(error));
        if let Some(kind) = Error::gravest(&failures) {
            return Ok(Some(kind));
        }
        for module in zips {
            self.add(&session, &module, true)?;
        }
        // The rest of the graph needs its go.mod files only, as do those that were read before it.
        let superseded = requirements.iter().flat_map(|found| &found.superseded);
        let loaded = graph.into_iter().flat_map(Graph::loaded);
        for module in selection.resolved(loaded.chain(superseded)) {
            self.add(&session, &module, false)?;
        }
        Ok(None)
    }

    /// Leaves out what the other side has. Who has a zip has its go.mod as well.
    fn leave_out(&mut self, have: &BTreeSet<String>) {
        self.modules.retain(|module, one| {
            let name = module.to_string();
            let has_zip = have.contains(&name);
            let has_gomod = has_zip || have.contains(&format!("{name}/go.mod"));
            if one.zip.is_some() {
                !has_zip
            } else {
                !has_gomod
            }
        });
    }

    /// Leaves out the zips that a closed site requires and does not lack.
    fn leave_out_known(&mut self, wanted: &WantedProjects) {
        let projects = wanted.want.projects.iter();
        let requires: BTreeSet<_> = projects.flat_map(|project| &project.requires).collect();
        for (module, one) in &mut self.modules {
            if requires.contains(module) && !wanted.want.lacks.contains(module) {
                one.zip = None;
                one.entry.zip = None;
                if !one.entry.newest {
                    one.entry.time = None;
                }
            }
        }
    }

    /// Adds what the cache has of a module.
    fn add(&mut self, session: &Session<'_>, module: &ModuleVersion, zip: bool) -> Result<()> {
        let known = self.modules.get(module);
        if known.is_some_and(|known| !zip || known.zip.is_some()) {
            return Ok(());
        }
        let entry = session.cache().entry(module)?;
        let missing = |what: &str| {
            Error::new(
                Kind::LocalIo,
                format!("{module}: {what} is gone from the cache"),
            )
        };
        let gomod = entry.read_gomod()?.ok_or_else(|| missing("go.mod"))?;
        let time =
            entry.read_info(|text| Info::parse_cached(text).map(|info| info.time.to_string()))?;
        let (mut zip_path, mut manifest_zip) = (None, None);
        if zip {
            let path = entry.zip_path();
            let h1 = entry.read_ziphash()?.ok_or_else(|| missing("ziphash"))?;
            let bytes = fs::metadata(&path)
                .map_err(|cause| Error::io("cannot read", &path, cause))?
                .len();
            manifest_zip = Some(ManifestZip {
                h1,
                bytes,
                sha256: String::new(),
            });
            zip_path = Some(path);
        }
        let chain = session.chain.as_ref();
        let place = chain.and_then(|chain| chain.first_place(module));
        let found = BundleModule {
            entry: ManifestModule {
                module: module.clone(),
                source: place.map_or("direct".to_owned(), |place| place.proxy),
                // That of a go.mod alone is in the cache by chance.
                time: time.flatten().filter(|_| zip),
                gomod: H1::of_go_mod(&gomod),
                zip: manifest_zip,
                record: None,
                newest: false,
            },
            sums: None,
            gomod: entry.gomod_path(),
            zip: zip_path,
        };
        self.modules.insert(module.clone(), found);
        Ok(())
    }

    /// Adds the newest go.mod of each module. False if it was not looked for.
    fn add_newest(&mut self, session: &Session<'_>, past: &Past) -> Result<bool> {
        let run = session.run(session.options());
        let newest = match &past.newest {
            Some(manifest) => self.newest_of(manifest),
            None if session.is_offline() => return Ok(false),
            None => self.newest_from_source(session, &run)?,
        };
        let read: Vec<ModuleVersion> = newest.keys().cloned().collect();
        GraphReader::new(&run).read_gomods(read.iter());
        session.settle(&run);
        for (module, time) in newest {
            self.add(session, &module, false)?;
            if let Some(found) = self.modules.get_mut(&module) {
                found.entry.newest = true;
                found.entry.time.get_or_insert(time);
            }
        }
        Ok(true)
    }

    fn newest_of(&self, manifest: &Manifest) -> BTreeMap<ModuleVersion, String> {
        let has = |path: &str| {
            self.modules
                .keys()
                .any(|module| module.path().as_str() == path)
        };
        let newest = manifest.modules.iter().filter(|one| one.newest);
        let newest = newest.filter(|one| has(one.module.path().as_str()));
        newest
            .filter_map(|one| Some((one.module.clone(), one.time.clone()?)))
            .collect()
    }

    fn newest_from_source(
        &self,
        session: &Session<'_>,
        run: &Run,
    ) -> Result<BTreeMap<ModuleVersion, String>> {
        let mut paths: Vec<_> = self.modules.keys().map(|module| module.path()).collect();
        paths.dedup();
        let paths = paths
            .into_iter()
            .filter(|path| path.as_str() != TOOLCHAIN && !session.sums.is_exempt(path.as_str()));
        let questions: Vec<VersionQuery> = paths
            .map(|path| VersionQuery {
                path: path.clone(),
                query: "latest".to_owned(),
                current: None,
                // A newer version that takes itself back is what is looked for.
                filter: VersionFilter::All,
            })
            .collect();
        let rules = ReplaceRules::default();
        let answers = QueryResolver::new(run, &rules).resolve(&questions)?;
        let mut newest = BTreeMap::new();
        for answer in answers {
            match answer {
                Ok(answer) => {
                    newest.insert(answer.module, answer.time.to_string());
                }
                // It has no version that counts, or only direct knows it.
                Err(Unresolved { error, .. }) if is_unknown(&error) => {}
                Err(Unresolved { error, .. }) => return Err(error),
            }
        }
        Ok(newest)
    }

    /// Asks the checksum database about every module that it vouches for.
    fn add_records(
        &mut self,
        client: &SumDbClient,
        session: &Session<'_>,
        jobs: usize,
    ) -> Result<()> {
        let asked: Vec<&mut BundleModule> = self
            .modules
            .values_mut()
            .filter(|one| !session.sums.is_exempt(one.entry.module.path().as_str()))
            .collect();
        let modules: Vec<ModuleVersion> =
            asked.iter().map(|one| one.entry.module.clone()).collect();
        session.progress.event(&Event::TaskStarted {
            task: "looking up records",
            items: Some(modules.len() as u64),
            bytes: None,
        });
        let answers = lookup_all(client, &modules, jobs, &*session.progress);
        for (one, answer) in asked.into_iter().zip(answers) {
            one.sums = Some(answer.map_err(|error| error.context(one.entry.module.to_string()))?);
        }
        Ok(())
    }
}

/// Looks modules up, many at a time; the answers in their order.
fn lookup_all(
    client: &SumDbClient,
    modules: &[ModuleVersion],
    jobs: usize,
    events: &dyn EventSink,
) -> Vec<Result<LoggedSums>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(module) = modules.get(place) else {
                return found;
            };
            found.push((place, client.lookup(module)));
            events.event(&Event::TaskAdvanced { items: 1, bytes: 0 });
        }
    };
    let mut found = thread::scope(|scope| {
        // As many as the system lets start; this thread works as well.
        let others: Vec<_> = (1..jobs.min(modules.len() / 4 + 1))
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        let mut found = work();
        for other in others {
            found.extend(
                other
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            );
        }
        found
    });
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, answer)| answer).collect()
}

/// What earlier heads and bundles say: `--since` and `--as-of`.
struct Past {
    since: Vec<BundleHead>,
    as_of: Option<BundleHead>,
    /// The manifest that says which versions are the newest.
    newest: Option<Manifest>,
    verifier: Option<NoteVerifier>,
    /// What the other side has, by the names of `bundle list`.
    have: BTreeSet<String>,
}

impl Past {
    fn of(raw: &RawArgs, config: &Config, wanted: &[WantedProjects]) -> Result<Past> {
        let setting = DatabaseSetting::parse(&config.gosumdb.value)?;
        let verifier = setting.map(|setting| setting.verifier);
        let mut since = Vec::new();
        for file in raw.texts(&SINCE) {
            since.extend(read_past(file, verifier.as_ref())?.head);
        }
        for one in wanted {
            if let (false, Some(verifier)) = (one.want.head.is_empty(), &verifier) {
                let note = one.want.head.clone().into_bytes();
                since.push(open_head(note, verifier, "--for")?);
            }
        }
        let mut have = BTreeSet::new();
        for file in raw.texts(&HAVE) {
            match read_past(file, verifier.as_ref()) {
                Ok(past) => {
                    have.extend(read_names(file, past.manifest.as_ref())?);
                    since.extend(past.head);
                }
                // No bundle: a list.
                Err(error) if error.kind() == Kind::Input => have.extend(read_names(file, None)?),
                Err(error) => return Err(error),
            }
        }
        let as_of = raw
            .text(&AS_OF)
            .map(|file| read_past(file, verifier.as_ref()));
        let (as_of, newest) = match as_of.transpose()? {
            Some(past) => (past.head, past.manifest.filter(|manifest| manifest.newest)),
            None => (None, None),
        };
        Ok(Past {
            since,
            as_of,
            newest,
            verifier,
            have,
        })
    }

    /// The head for all records, and what it is proven to continue.
    fn proofs<'c>(&self, client: &'c SumDbClient) -> Result<BundleProofs<'c>> {
        let heads = self.since.iter().chain(&self.as_of);
        let trees = heads.map(|head| client.merge_head(&head.note));
        trees.collect::<Result<Vec<_>>>()?;
        let newest = match &self.as_of {
            Some(head) => Some(head.clone()),
            None => client.head()?.and_then(|note| {
                // The client has checked it.
                let text = self.verifier.as_ref()?.open(&note).ok()?;
                let tree = LogTree::parse(text).ok()?;
                Some(BundleHead { note, tree })
            }),
        };
        let Some(head) = newest else {
            let text = format!("no tree head of {} is known", client.name());
            return Err(Error::new(Kind::Other, text));
        };
        let sizes = self.since.iter().map(|head| head.tree.size);
        let mut since: Vec<u64> = sizes
            .filter(|size| (1..head.tree.size).contains(size))
            .collect();
        since.sort_unstable();
        since.dedup();
        Ok(BundleProofs {
            client,
            head,
            since,
        })
    }
}

/// Writes the output whole: to a file, or parts, that appear when all is complete, or to standard
/// output.
fn write_to<T>(
    output: &str,
    split: Option<u64>,
    write: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<T> {
    if output == "-" {
        return write(&mut io::stdout().lock());
    }
    let path = from_current_directory(output)?;
    if let Some(limit) = split {
        let mut parts = SplitWriter::new(&path, limit);
        let written = write(&mut parts).map_err(|error| error.context(output))?;
        parts.finish()?;
        return Ok(written);
    }
    let mut temp = TempFile::beside(&path)?;
    let written = write(&mut temp).map_err(|error| error.context(output))?;
    temp.commit(&path)?;
    Ok(written)
}
