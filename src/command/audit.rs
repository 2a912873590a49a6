//! `modfetch audit`: reports vulnerable, retracted, deprecated and new modules of a project.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::project::need_project;
use super::session::SessionOptions;
use super::table::{Call, Command, Runner};
use crate::audit::{AuditFinding, FindingKind, IgnoreFile, VulnDatabase, findings_of_new_paths};
use crate::cache::Cache;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, flags};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{GraphReader, Keep, QueryResolver};
use crate::gomod::ModuleVersion;
use crate::gomod::modfile::GoSum;
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

static IGNORE: Flag = Flag {
    long: "ignore",
    value: Some("FILE"),
    brief: "Accept the findings that this file names with a reason",
    detail: "One rule a line: ID [PATH] [until YYYY-MM-DD] REASON. ID is that of the record, one of its aliases, or 'retracted', \
'deprecated' or 'new'. After the date the rule holds no longer.",
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
            &IGNORE,
            &SARIF,
        ],
        brief: "Report vulnerable, retracted and deprecated modules",
        detail: "Compares the build list with vulnerability records, retractions, deprecations and an older go.sum. It works at the level of modules: a module is \
reported if its version is affected, whether the affected package is compiled or not. govulncheck looks into the code.\n\
--osv opens no socket. The records are those of the snapshot that the output names; a snapshot that cannot be read whole is an error. \
--retracted and --deprecated read the newest go.mod of each module, from the source unless --offline is given.\n\
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
                "modfetch audit --osv vulndb.zip --ignore audit.ignore --sarif",
                "for a code scanner",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &Call<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
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
    let (retracted, deprecated) = (call.raw.is_on(&RETRACTED), call.raw.is_on(&DEPRECATED));
    let (osv, old) = (call.raw.texts(&OSV), call.raw.text(&NEW));
    if osv.is_empty() && old.is_none() && !retracted && !deprecated {
        let error = Error::new(Kind::Usage, "audit has nothing to compare with");
        return Err(error.hint("name --osv PLACE, --retracted, --deprecated or --new GO.SUM"));
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

    let Modules {
        used,
        summed,
        standing,
    } = read_modules(config, console, call, retracted || deprecated)?;
    let mut findings: Vec<AuditFinding> = Vec::new();
    for module in &used {
        findings.extend(database.findings(module));
    }
    let wanted = |finding: &AuditFinding| match finding.kind {
        FindingKind::Retracted => retracted,
        FindingKind::Deprecated => deprecated,
        FindingKind::Vulnerable | FindingKind::New => true,
    };
    findings.extend(standing.into_iter().filter(wanted));
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
    let open = findings.iter().any(|finding| finding.accepted.is_none());
    Ok(open.then_some(Kind::Differs))
}

/// The modules of the build list, without local directories.
struct Modules {
    used: Vec<ModuleVersion>,
    /// Those of them that go.sum has a line for.
    summed: Vec<ModuleVersion>,
    /// What their authors say of them.
    standing: Vec<AuditFinding>,
}

/// Reads the build list, and asks the authors.
fn read_modules(
    config: &Config,
    console: &Console,
    call: &Call<'_>,
    ask_authors: bool,
) -> Result<Modules> {
    let cache = Cache::at(&config.gomodcache.value)?;
    let project = need_project(config, console)?;
    let options = SessionOptions::new(config, console, cache)
        .project(Some(&project))
        .keep(Keep::IfPossible)
        .ending(call.ending());
    // Records are compared with what is there; only the authors are asked over the network.
    let options = if ask_authors {
        options
    } else {
        options.offline("audit --osv")
    };
    let session = options.open()?;
    let run = session.run(session.options());
    let graph = GraphReader::new(&run).requirement_graph(&project, None);
    let result = graph.and_then(|graph| {
        graph.check()?;
        let used: Vec<ModuleVersion> = graph
            .build_list()
            .filter_map(|module| content(&project, &module))
            .collect();
        let mut standing = Vec::new();
        if ask_authors {
            let resolver = QueryResolver::new(&run, project.rules());
            // Each is asked over the network: none is at hand.
            let said = run.for_each(&used, |_| None, |module| self::standing(resolver, module))?;
            for findings in said {
                standing.extend(findings?);
            }
        }
        let summed = used.iter().filter(|module| {
            let parts = [SumPart::Zip, SumPart::GoMod];
            parts.iter().any(|&part| session.sums.records(module, part))
        });
        let summed = summed.cloned().collect();
        Ok(Modules {
            used,
            summed,
            standing,
        })
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
    let finding = |kind: FindingKind, summary: String| AuditFinding {
        kind,
        id: kind.name().to_owned(),
        aliases: Vec::new(),
        path: path.as_str().to_owned(),
        version: version.to_owned(),
        summary,
        fixed: None,
        url: None,
        accepted: None,
    };
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
