//! `modfetch sbom`: a bill of materials, out of go.mod, go.sum and cached go.mod files.

use std::time::{SystemTime, UNIX_EPOCH};

use super::definition::{Command, CommandCall, Runner};
use super::project::need_project;
use super::session::SessionOptions;
use crate::cache::Cache;
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, flags};
use crate::config::{Config, Environment};
use crate::error::{Error, Kind, Result};
use crate::fetch::GraphReader;
use crate::fsio::write_atomically;
use crate::report::{BomFormat, BomStamp, Console, bill_of_materials};
use crate::sbom::BillOfMaterials;

static FORMAT: Flag = Flag {
    long: "format",
    value: Some("FORMAT"),
    brief: "Write this format: cyclonedx, spdx, spdx-3",
    detail: "CycloneDX 1.6 (the default), SPDX 2.3 or SPDX 3.0.1.",
    ..Flag::OURS
};

static LICENSES: Flag = Flag {
    long: "licenses",
    brief: "Add the licence files of the cached zips",
    detail: "The texts of LICENSE, COPYING and the like at the root of each module, proven by go.sum. They get no SPDX \
identifier; 'modfetch help audit' says why. A zip that is missing is named.",
    ..Flag::OURS
};

static ORIGINS: Flag = Flag {
    long: "origins",
    brief: "Add the repositories that cached .info files name",
    detail: "URL without user and password, commit and folder of each module, where the cache knows them.",
    ..Flag::OURS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["sbom"],
        groups: &[&groups::PROJECT, &groups::OUTPUT],
        flags: &[&flags::C, &FORMAT, &LICENSES, &ORIGINS, &flags::O],
        brief: "Write a software bill of materials",
        detail: "Lists the modules of the build list with version, package URL, h1 of go.sum, replacement, and \
which module requires which, as JSON. It needs no build, no sources and no network: the source is go.mod, go.sum, go.work and \
the go.mod files in the module cache.\n\
A module is listed if the build list has it, whether a package of it is compiled or not. 'modfetch:usage' says \
'go.mod only' of a module whose zip go.sum does not name, and 'tests of dependencies' of one that no go.mod of the project lists: \
no build or test of the project uses them, and their scope in CycloneDX is 'excluded'. The others are what syft and \
'cyclonedx-gomod mod -test' list.\n\
An h1 is a hash of the list of a module's files. It is written as the property 'modfetch:h1' and not as the hash of a file.\n\
With SOURCE_DATE_EPOCH set, equal projects give equal bytes on every machine. Without it the CycloneDX document has no time, and \
the SPDX document has the current one. With --licenses and --origins the document also depends on what the module cache has.",
        examples: &[
            ("modfetch sbom -o bom.json", "CycloneDX 1.6"),
            ("modfetch sbom --format spdx", "SPDX 2.3, to stdout"),
            (
                "modfetch sbom --licenses --origins -o bom.json",
                "with licence texts and commits",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    if let Some(argument) = call.raw.args.first() {
        let text = format!("sbom takes no arguments, but {argument:?} was given");
        return Err(Error::new(Kind::Usage, text));
    }
    let name = call.raw.text(&FORMAT).unwrap_or("cyclonedx");
    let format = BomFormat::parse(name).ok_or_else(|| {
        let names = BomFormat::NAMES.join(", ");
        Error::new(
            Kind::Usage,
            format!("invalid value {name:?} for flag --format: want one of {names}"),
        )
    })?;
    let stamp = stamp(call.go_env.environment())?;
    let bom = collect(config, console, call)?;
    let text = bill_of_materials(&bom, format, stamp);
    match call.raw.text(&flags::O) {
        Some(file) if file != "-" => write_atomically(&config.cwd.join(file), text.as_bytes())?,
        _ => console.data(&text)?,
    }
    Ok(None)
}

fn collect(config: &Config, console: &Console, call: &CommandCall<'_>) -> Result<BillOfMaterials> {
    let cache = Cache::at(&config.gomodcache.value)?;
    let project = need_project(config, console)?;
    // The document is about what is there: no file is fetched for it.
    let session = SessionOptions::new(config, console, cache)
        .project(Some(&project))
        .offline("sbom")
        .ending(call.ending())
        .open()?;
    let run = session.run(session.options());
    let graph = GraphReader::new(&run).requirement_graph(&project, None);
    session.settle(&run);
    let graph = graph
        .and_then(|graph| graph.check().map(|()| graph))
        .map_err(|error| match error.kind() {
            Kind::Offline => {
                error.hint("fetch the go.mod files first: modfetch download --mod-only")
            }
            _ => error,
        })?;
    let mut bom = BillOfMaterials::collect(&project, &graph, &session.sums);
    let cache = session.cache();
    if call.raw.is_on(&LICENSES) {
        let missing = session.engine.on_compute(|| bom.add_licenses(cache))?;
        if let Some(first) = missing.first() {
            let others = match missing.len() - 1 {
                0 => String::new(),
                1 => " and one more module".to_owned(),
                count => format!(" and {count} more modules"),
            };
            console.note(&format!(
                "no licence of {first}{others}: the zip is not in the module cache"
            ));
            console.line("hint: download the zips first: modfetch download");
        }
    }
    if call.raw.is_on(&ORIGINS) {
        bom.add_origins(cache)?;
    }
    Ok(bom)
}

/// The time that the document names.
fn stamp(environment: &Environment) -> Result<BomStamp> {
    let Some(text) = environment.get("SOURCE_DATE_EPOCH") else {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        return Ok(BomStamp::Now(now.map_or(0, |since| since.as_secs())));
    };
    let seconds = text.parse().ok().filter(|&seconds| seconds <= MAX_SECONDS);
    seconds.map(BomStamp::Fixed).ok_or_else(|| {
        let text = format!("SOURCE_DATE_EPOCH={text}: not a number of seconds since 1970");
        Error::new(Kind::Usage, text)
    })
}

/// The last second of the year 9999: the documents have four digits for a year.
const MAX_SECONDS: u64 = 253_402_300_799;
