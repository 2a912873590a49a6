//! `modfetch cache prune`: removes what the rules on the command line allow.

use std::time::Duration;

use super::needs::{needs_of, union};
use super::prune_store;
use super::values::{age_of, size_of};
use super::{KEEP_FROM, TREES, ZIPS, kept_form, note_access_times, now, open_cache};
use crate::cache::{
    NamePattern, PruneLevel, PruneOutcome, PrunePlan, PruneRules, Pruned, Space, TreeSizes,
};
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, Flag, RawArgs, flags};
use crate::command::definition::{Command, CommandCall, Runner};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::report::{Console, PruneReport, eviction_json, eviction_line};

static OLDER: Flag = Flag {
    long: "older",
    value: Some("AGE"),
    brief: "Remove what was not used for this long",
    detail: "Such as 30d, 2w or 36h.",
    ..Flag::OURS
};

static MAX_SIZE: Flag = Flag {
    long: "max-size",
    value: Some("SIZE"),
    brief: "Remove the least recently used above this size",
    detail: "Such as 20G or 500M, in units of 1024. First go extracted directories, which are made again from the \
zip without a network, then zips, then whole versions, then repositories with --vcs.",
    ..Flag::OURS
};

static ONLY: Flag = Flag {
    long: "only",
    value: Some("WHAT"),
    brief: "Remove directories only, or zips only",
    detail: "'extracted': directories whose zip is there. 'zips': zips whose directory is there, which go builds \
without. 'all' is the default.",
    ..Flag::OURS
};

static TOOLCHAINS: Flag = Flag {
    long: "toolchains",
    brief: "Go toolchains, too",
    detail: "Otherwise they stay unless they are named.",
    ..Flag::OURS
};

static VCS: Flag = Flag {
    long: "vcs",
    brief: "Repositories of version control, too",
    detail: "cache/vcs; go clones them again for modules that come from no proxy.",
    ..Flag::OURS
};

static SUMDB: Flag = Flag {
    long: "sumdb",
    brief: "Cached files of the checksum database, too",
    detail: "The newest signed tree heads are kept elsewhere and stay.",
    ..Flag::OURS
};

static GRACE: Flag = Flag {
    long: "grace",
    value: Some("AGE"),
    brief: "Remove nothing that was used within this time",
    detail: "Default 24h: a file system that records access times may do so once a day only. 0 with --ci.",
    ..Flag::OURS
};

static CI: Flag = Flag {
    long: "ci",
    brief: "Leave only what projects need, for a CI cache",
    detail: "Keeps what the project here, or those of --keep-from, needs, as zips or with --trees as directories. \
Everything else goes: other versions, toolchains, repositories, and the checksum database.",
    ..Flag::OURS
};

static STORE: Flag = Flag {
    long: "store",
    value: Some("URL"),
    brief: "Prune this store instead of the module cache",
    detail: "s3://BUCKET/PREFIX, as 'modfetch help store' says. A store keeps no time of use: the time when a version \
was written stands for it. Without its zip a version is not complete, so that its .info goes with it.",
    ..Flag::OURS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["cache", "prune"],
        groups: &[&groups::PROJECT, &groups::LOCKS, &groups::OUTPUT],
        flags: &[
            &flags::C,
            &flags::N,
            &flags::JSON,
            &OLDER,
            &MAX_SIZE,
            &KEEP_FROM,
            &ONLY,
            &TOOLCHAINS,
            &VCS,
            &SUMDB,
            &GRACE,
            &CI,
            &ZIPS,
            &TREES,
            &STORE,
        ],
        arguments: "[patterns]",
        brief: "Remove from the module cache what rules allow",
        detail: "Nothing is removed without a rule that says so: --older, --max-size, --keep-from, or patterns \
(PATH, PATH@VERSION, '...' for any string). With several, a version goes only if each allows it. \
--toolchains, --vcs and --sumdb extend the rules to these; alone, they remove all of that kind.\n\
What a graph still reads, the go.mod, stays longer than zip and directory. -n prints what would go: name, bytes, pieces, reason.\n\
It is safe beside go and modfetch at work: each version is removed under its lock, its directory renamed away \
whole, so that no build sees a part of it. A build that is just reading a module which was not used for the time of \
--grace may fail, and works when it is started again. One prune runs at a time; a second one ends at once. A killed one \
leaves a cache that go can use, and the next one finishes the work.",
        examples: &[
            (
                "modfetch cache prune --older 30d -n",
                "what 30 days without use would remove",
            ),
            ("modfetch cache prune --max-size 20G", "bound the cache"),
            (
                "modfetch cache prune --keep-from ./a --keep-from ./b",
                "what neither project needs",
            ),
            (
                "modfetch cache prune --older 7d --only extracted",
                "directories only",
            ),
            ("modfetch cache prune example.com/old@v1.0.0", "one version"),
            (
                "modfetch cache prune --ci",
                "before a CI job saves the cache",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    let raw = call.raw;
    let rules = rules(call, config, console)?;
    if let Some(url) = raw.text(&STORE) {
        return prune_store::run(call, config, console, url, &rules);
    }
    let cache = open_cache(config)?;
    let pruner = match raw.is_on(&flags::N) {
        true => None,
        false => match cache.begin_prune()? {
            Some(pruner) => Some(pruner),
            None => {
                console.note("another prune of this cache is running: nothing to do");
                return Ok(None);
            }
        },
    };
    let inventory = cache.scan(TreeSizes::Known)?;
    note_access_times(&inventory, console);
    for name in &rules.names {
        if !inventory
            .versions
            .iter()
            .any(|record| name.matches(&record.module))
        {
            console.note(&format!("warning: {:?} matched no version", name.as_str()));
        }
    }
    let plan = PrunePlan::new(&inventory, &rules, now());
    let before = inventory.total();
    let pruned = match pruner {
        Some(pruner) => Some(pruner.run(&plan, inventory, &|_, _| {})?),
        None => None,
    };
    print(raw, console, &plan, pruned.as_ref(), before)
}

/// Prints what was removed, or would be with `-n`, and what failed.
pub(super) fn print(
    raw: &RawArgs,
    console: &Console,
    plan: &PrunePlan,
    pruned: Option<&Pruned>,
    before: Space,
) -> Result<Option<Kind>> {
    let mut out = String::new();
    for (place, eviction) in plan.evictions.iter().enumerate() {
        let outcome = pruned.and_then(|pruned| pruned.outcomes.get(place));
        if raw.is_on(&flags::JSON) {
            out += &eviction_json(eviction, outcome);
        } else if raw.is_on(&flags::N) {
            out += &eviction_line(eviction);
        }
    }
    console.data(&out)?;
    let report = PruneReport {
        plan,
        pruned,
        before,
    };
    for line in report.lines() {
        console.note(&line);
    }
    let outcomes = pruned.iter().flat_map(|pruned| &pruned.outcomes);
    let failures: Vec<&Error> = outcomes
        .filter_map(|outcome| match outcome {
            PruneOutcome::Failed(error) => Some(error),
            PruneOutcome::Removed | PruneOutcome::Locked | PruneOutcome::Used => None,
        })
        .collect();
    failures.iter().for_each(|error| console.error(error));
    Ok(Error::gravest(failures))
}

fn rules(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<PruneRules> {
    let raw = call.raw;
    let refuse = |text: &str| Err(Error::new(Kind::Usage, text));
    let ci = raw.is_on(&CI);
    if (raw.is_given(&ZIPS) || raw.is_given(&TREES)) && !ci {
        return refuse("--zips and --trees say what --ci keeps: they need it");
    }
    if ci
        && let Some(flag) = [&OLDER, &MAX_SIZE, &ONLY]
            .into_iter()
            .find(|flag| raw.is_given(flag))
    {
        return refuse(&format!(
            "--ci removes all that is not needed: it cannot be used with --{}",
            flag.long
        ));
    }
    if ci && !raw.args.is_empty() {
        return refuse("--ci removes all that is not needed: it takes no patterns");
    }
    let here = [".".to_owned()];
    let projects = match raw.texts(&KEEP_FROM) {
        [] if ci => &here,
        given => given,
    };
    let grace = match ci {
        true => Duration::ZERO,
        false => Duration::from_secs(24 * 60 * 60),
    };
    let names = raw.args.iter().map(|text| NamePattern::parse(text));
    let mut rules = PruneRules {
        older: age_of(raw, &OLDER)?,
        max_bytes: size_of(raw, &MAX_SIZE)?,
        keep: None,
        names: names.collect::<Result<Vec<_>>>()?,
        level: level(raw)?,
        toolchains: ci || raw.is_on(&TOOLCHAINS),
        vcs: ci || raw.is_on(&VCS),
        sumdb: ci || raw.is_on(&SUMDB),
        grace: age_of(raw, &GRACE)?.unwrap_or(grace),
        form: match ci {
            true => Some(kept_form(raw)?),
            false => None,
        },
    };
    if projects.is_empty() && !rules.selects_something() {
        let error = Error::new(Kind::Usage, "nothing says what may go");
        return Err(error.hint(
            "give a rule: --older 30d, --max-size 20G, --keep-from DIR, or modules; -n shows what would go",
        ));
    }
    if !projects.is_empty() {
        rules.keep = Some(union(&needs_of(call, config, console, projects)?));
    }
    Ok(rules)
}

fn level(raw: &RawArgs) -> Result<PruneLevel> {
    match raw.text(&ONLY) {
        None | Some("all") => Ok(PruneLevel::All),
        Some("extracted") => Ok(PruneLevel::Extracted),
        Some("zips") => Ok(PruneLevel::Zips),
        Some(other) => {
            let text =
                format!("invalid value {other:?} for flag --only: want extracted, zips or all");
            Err(Error::new(Kind::Usage, text))
        }
    }
}
