//! `modfetch audit`: reports vulnerable, retracted, deprecated, new, too young and moved modules of a project.

mod moved;

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::age::{AgeCheck, AgeLimit, MIN_AGE};
use super::definition::{Command, CommandCall, Runner};
use super::project::need_project;
use super::session::SessionOptions;
use crate::audit::{
    AuditFinding, FindingKind, IgnoreFile, VulnDatabase, findings_of_go, findings_of_new_paths,
};
use crate::cache::Cache;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, flags};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{GraphReader, Keep, QueryResolver};
use crate::gomod::modfile::GoSum;
use crate::gomod::{GoVersion, ModuleVersion};
use crate::project::{Project, ResolvedModule};
use crate::report::{AuditForm, AuditReport, Console, audit_text, utc_date};
use crate::trust::SumPart;

static OSV: Flag = Flag {
    long: "osv",
    value: Some("PLACE"),
    brief: "Compare with the OSV records in this directory or zip",
    detail: "May be repeated. The zip is vulndb.zip of Go's vulnerability database, or any other with OSV records.",
    ..Flag::OURS
};

static RETRACTED: Flag = Flag {
    long: "retracted",
    brief: "Report versions that their authors have retracted",
    ..Flag::OURS
};

static DEPRECATED: Flag = Flag {
    long: "deprecated",
    brief: "Report modules that their authors have deprecated",
    ..Flag::OURS
};

static NEW: Flag = Flag {
    long: "new",
    value: Some("GO.SUM"),
    brief: "Report modules whose path this older go.sum lacks",
    ..Flag::OURS
};

static MOVED: Flag = Flag {
    long: "moved",
    brief: "Report versions whose tags have other files today",
    detail: "Fetches each module whose zip go.sum names from its repository anew, and compares it with what the checksum database has \
logged; of modules that are exempt from that, with go.sum.",
    ..Flag::OURS
};

static IGNORE: Flag = Flag {
    long: "ignore",
    value: Some("FILE"),
    brief: "Accept the findings that this file names with a reason",
    detail: "One rule a line: ID [PATH] [until YYYY-MM-DD] REASON. ID is that of the record, one of its aliases, or 'retracted', \
'deprecated', 'new', 'too-young' or 'moved'; PATH is a module, 'stdlib' or 'toolchain'. After the date the rule holds no longer.",
    ..Flag::OURS
};

static SARIF: Flag = Flag {
    long: "sarif",
    brief: "Print the result as SARIF 2.1.0",
    ..Flag::OURS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["audit"],
        groups: &[
            &groups::PROJECT,
            &groups::CONNECTION,
            &groups::TRANSFER,
            &groups::LOCKS,
            &groups::OUTPUT,
        ],
        flags: &[
            &flags::C,
            &flags::JSON,
            &OSV,
            &RETRACTED,
            &DEPRECATED,
            &NEW,
            &MIN_AGE,
            &MOVED,
            &IGNORE,
            &SARIF,
        ],
        brief: "Report vulnerable, retracted and deprecated modules",
        detail: "Compares the build list with vulnerability records, retractions, deprecations, an older go.sum, an age and repositories. It works at the level of modules: a module is \
reported if its version is affected, whether the affected package is compiled or not. govulncheck looks into the code.\n\
--osv opens no socket. The records are those of the snapshot that the output names; a snapshot that cannot be read whole is an error. The standard library \
and the commands of go count too, at the newest version that the go and toolchain lines of the project name.\n\
--retracted and --deprecated read the newest go.mod of each module, from the source unless --offline is given. \
--min-age asks the checksum database about what is not known to be old enough, --moved asks it and the repositories.\n\
The exit code is 10 if something is found that the ignore file does not accept.",
        examples: &[
            (
                "modfetch audit --osv vulndb.zip",
                "known vulnerabilities, offline",
            ),
            (
                "modfetch audit --retracted --deprecated",
                "what the authors say",
            ),
            (
                "modfetch audit --min-age 7d --moved",
                "what is young, and what has changed since it was logged",
            ),
            (
                "modfetch audit --osv vulndb.zip --ignore audit.ignore --sarif",
                "for a code scanner",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    if let Some(argument) = call.raw.args.first() {
        let text = format!("audit takes no arguments, but {argument:?} was given");
        return Err(Error::new(Kind::Usage, text));
    }
    let form = match (config.json.value, call.raw.is_on(&SARIF)) {
        (true, true) => {
            return Err(Error::new(
                Kind::Usage,
                "-json and --sarif cannot be used together",
            ));
        }
        (true, false) => AuditForm::Json,
        (false, true) => AuditForm::Sarif,
        (false, false) => AuditForm::Text,
    };
    let checks = Checks {
        retracted: call.raw.is_on(&RETRACTED),
        deprecated: call.raw.is_on(&DEPRECATED),
        min_age: AgeLimit::of(call.raw)?,
        moved: call.raw.is_on(&MOVED),
    };
    let (osv, old) = (call.raw.texts(&OSV), call.raw.text(&NEW));
    if osv.is_empty() && old.is_none() && !checks.ask_anybody() {
        let error = Error::new(Kind::Usage, "audit has nothing to compare with");
        return Err(error.hint(
            "name --osv PLACE, --retracted, --deprecated, --new GO.SUM, --min-age AGE or --moved",
        ));
    }
    let ignore = match call.raw.text(&IGNORE) {
        Some(name) => IgnoreFile::parse(name, &read_text(&config.cwd.join(name))?)?,
        None => IgnoreFile::default(),
    };
    let mut database = VulnDatabase::default();
    for place in osv {
        database.add(&config.cwd.join(place))?;
    }
    let old = old
        .map(|name| read_sums(name, &config.cwd.join(name)))
        .transpose()?;

    let modules = read_modules(config, console, call, &checks)?;
    let mut findings: Vec<AuditFinding> = Vec::new();
    for module in &modules.used {
        findings.extend(database.findings(module));
    }
    findings.extend((modules.go.iter()).flat_map(|go| findings_of_go(&database, go)));
    findings.extend(modules.found);
    let mut failures = Vec::new();
    if checks.moved {
        let (found, failed) = moved::findings(config, console, &modules.recorded)?;
        findings.extend(found);
        failures = failed;
    }
    let AuditedModules { used, summed, .. } = modules;
    findings.extend(
        old.iter()
            .flat_map(|old| findings_of_new_paths(&summed, old)),
    );
    let today = today();
    for finding in &mut findings {
        let mut names: Vec<&str> = finding.aliases.iter().map(String::as_str).collect();
        names.push(&finding.id);
        let rule = ignore.accepts(&names, &finding.path, &today);
        finding.accepted = rule.map(|rule| rule.reason.clone());
    }
    findings.sort_by(|a, b| {
        (&a.path, &a.version, a.kind, &a.id).cmp(&(&b.path, &b.version, b.kind, &b.id))
    });
    for rule in ignore.expired(&today) {
        let (id, line) = (&rule.id, rule.line);
        let until = rule.until.as_deref().unwrap_or_default();
        console.line(&format!(
            "warning: the rule for {id} in line {line} of the ignore file ended on {until}"
        ));
    }
    let report = AuditReport {
        findings: &findings,
        modules: used.len(),
        records: database.len(),
        snapshot: database.snapshot(),
    };
    console.data(&audit_text(&report, form))?;
    failures.iter().for_each(|error| console.error(error));
    let open = findings.iter().any(|finding| finding.accepted.is_none());
    Ok(Error::gravest(&failures).or(open.then_some(Kind::Differs)))
}

/// What is asked of others than a file of records.
struct Checks {
    retracted: bool,
    deprecated: bool,
    min_age: Option<AgeLimit>,
    moved: bool,
}

impl Checks {
    fn ask_authors(&self) -> bool {
        self.retracted || self.deprecated
    }

    fn ask_anybody(&self) -> bool {
        self.ask_authors() || self.min_age.is_some() || self.moved
    }

    fn wants(&self, finding: &AuditFinding) -> bool {
        match finding.kind {
            FindingKind::Retracted => self.retracted,
            FindingKind::Deprecated => self.deprecated,
            _ => true,
        }
    }
}

/// The modules of the build list, without local directories.
#[derive(Default)]
struct AuditedModules {
    used: Vec<ModuleVersion>,
    /// Those of them that go.sum has a line for.
    summed: Vec<ModuleVersion>,
    /// The go version of the project.
    go: Option<GoVersion>,
    /// What their authors and their ages say.
    found: Vec<AuditFinding>,
    /// What their tags have to have.
    recorded: Vec<moved::RecordedSum>,
}

/// Reads the build list, and asks about it.
fn read_modules(
    config: &Config,
    console: &Console,
    call: &CommandCall<'_>,
    checks: &Checks,
) -> Result<AuditedModules> {
    let cache = Cache::at(&config.gomodcache.value)?;
    let project = need_project(config, console)?;
    let options = SessionOptions::new(config, console, cache)
        .project(Some(&project))
        .keep(Keep::IfPossible)
        .ending(call.ending());
    // Records are compared with what is there; only for the other checks is anything asked over the network.
    let options = if checks.ask_anybody() {
        options
    } else {
        options.offline("audit --osv")
    };
    let session = options.open()?;
    let run = session.run(session.options());
    let graph = GraphReader::new(&run).requirement_graph(&project, None);
    let result = graph.and_then(|graph| {
        graph.check()?;
        let mut modules = AuditedModules {
            used: graph
                .build_list()
                .filter_map(|module| content(&project, &module))
                .collect(),
            go: project.go(),
            ..AuditedModules::default()
        };
        if checks.ask_authors() {
            let resolver = QueryResolver::new(&run, project.rules());
            // Each is asked over the network: none is at hand.
            let ask = |module: &ModuleVersion| standing(resolver, module);
            for findings in run.for_each(&modules.used, |_| None, ask)? {
                let wanted = findings?.into_iter().filter(|one| checks.wants(one));
                modules.found.extend(wanted);
            }
        }
        if let Some(limit) = &checks.min_age {
            let ages = AgeCheck::open(limit, config, &session)?;
            let youths = run.for_each(&modules.used, |_| None, |module| ages.youth(module))?;
            for (module, youth) in modules.used.iter().zip(youths) {
                let finding = |youth| AuditFinding::of(FindingKind::TooYoung, module, youth);
                modules.found.extend(youth?.map(finding));
            }
        }
        let has = |module: &ModuleVersion, part| session.sums.records(module, part);
        let summed = modules
            .used
            .iter()
            .filter(|module| has(module, SumPart::Zip) || has(module, SumPart::GoMod));
        modules.summed = summed.cloned().collect();
        if checks.moved {
            let built = modules.summed.iter();
            let built: Vec<ModuleVersion> = built
                .filter(|module| has(module, SumPart::Zip))
                .cloned()
                .collect();
            modules.recorded = moved::recorded_sums(&session, &run, &built)?;
        }
        Ok(modules)
    });
    session.settle(&run);
    result.map_err(|error| match error.kind() {
        Kind::Offline => error.hint("fetch the go.mod files first: modfetch download --mod-only"),
        _ => error,
    })
}

/// What the author of one version says of it: retracted, deprecated.
fn standing(resolver: QueryResolver<'_>, module: &ModuleVersion) -> Result<Vec<AuditFinding>> {
    let (path, version) = (module.path(), module.version().as_str());
    let finding = |kind, summary| AuditFinding::of(kind, module, summary);
    let mut found = Vec::new();
    if let Some(reasons) = resolver.retraction(path, version)? {
        let why = match reasons.is_empty() {
            true => "the author gives no reason".to_owned(),
            false => reasons.join("; "),
        };
        found.push(finding(FindingKind::Retracted, why));
    }
    let deprecation = resolver.deprecation(path)?;
    if !deprecation.is_empty() {
        found.push(finding(FindingKind::Deprecated, deprecation));
    }
    Ok(found)
}

/// The module whose content is used; `None` for a local directory.
fn content(project: &Project, module: &ModuleVersion) -> Option<ModuleVersion> {
    match project.rules().resolved(module) {
        ResolvedModule::Module(module) => Some(module),
        ResolvedModule::Directory { .. } => None,
    }
}

fn read_text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|cause| Error::io("cannot read", path, cause))?;
    String::from_utf8(bytes)
        .map_err(|_| Error::new(Kind::Input, format!("{}: not UTF-8", path.display())))
}

fn read_sums(name: &str, path: &Path) -> Result<GoSum> {
    let bytes = fs::read(path).map_err(|cause| Error::io("cannot read", path, cause))?;
    GoSum::parse(name, &bytes)
}

/// The day of the clock, `YYYY-MM-DD` in UTC.
fn today() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    utc_date(now.map_or(0, |since| since.as_secs()))
}
