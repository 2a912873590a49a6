//! The command line of `go`: the rules of Go's `flag` package.

use super::invocation::{Action, HelpSubject, Invocation, ProgramName};
use super::tree::{CommandInfo, CommandTree};
use super::words::{unsupported, usage};
use crate::config::RawArgs;
use crate::config::flags::C;
use crate::{Error, Result};

pub(super) fn parse_go(tree: &CommandTree, mut args: Vec<String>) -> Result<Invocation> {
    let mut raw = RawArgs::default();
    take_chdir(&mut args, &mut raw)?;
    let mut rest = args.into_iter();
    let invocation = |action, raw| {
        Ok(Invocation {
            program: ProgramName::Go,
            action,
            raw,
        })
    };
    let Some(first) = rest.next() else {
        return invocation(Action::Missing, raw);
    };
    let name = if first == "mod" {
        match rest.next() {
            Some(second) => format!("mod {second}"),
            None => first,
        }
    } else {
        first
    };
    let help = |about, long| Action::Help { about, long };
    if ["-h", "--h", "-help", "--help"].contains(&name.as_str()) {
        return invocation(help(HelpSubject::Overview, false), raw);
    }
    let served = |info: &&&CommandInfo| info.go_name == Some(&name) && info.is_served_as_go();
    let info = tree.commands.iter().find(served);
    let info: &'static CommandInfo = info.ok_or_else(|| unserved(tree, &name))?;
    if let Some(long) = go_flags(info, rest, &mut raw)? {
        return invocation(help(HelpSubject::Command(info), long), raw);
    }
    invocation(Action::Run(info), raw)
}

fn unserved(tree: &CommandTree, name: &str) -> Error {
    let commands = tree.commands.iter();
    let served: Vec<String> = commands
        .filter(|info| info.path != ["help"] && info.is_served_as_go())
        .filter_map(|info| {
            // With the flag that has to be there.
            let must = info.arguments.split(' ').find(|word| word.starts_with('-'));
            let name = info.go_name?;
            Some(must.map_or(name.to_owned(), |flag| format!("{name} {flag}")))
        })
        .collect();
    usage(format!(
        "unknown or unsupported command {name:?}: this is modfetch, which serves: {}",
        served.join(", ")
    ))
}

/// Takes `-C` out if it stands directly after the words of the command, or before them.
///
/// Source: go `cmd/go/main.go`, `handleChdirFlag`.
fn take_chdir(args: &mut Vec<String>, raw: &mut RawArgs) -> Result<()> {
    let words = match (args.first().map(String::as_str), args.get(1)) {
        (Some("mod"), Some(second)) if !second.starts_with('-') => 2,
        (Some(first), _) if !first.starts_with('-') => 1,
        _ => 0,
    };
    let Some(arg) = args.get(words) else {
        return Ok(());
    };
    let (dir, taken) = match (arg.as_str(), args.get(words + 1)) {
        ("-C" | "--C", Some(dir)) => (dir.clone(), 2),
        ("-C" | "--C", None) => return Err(usage("flag needs an argument: -C")),
        (arg, _) => match arg.strip_prefix("-C=").or_else(|| arg.strip_prefix("--C=")) {
            Some(dir) => (dir.to_owned(), 1),
            None => return Ok(()),
        },
    };
    args.drain(words..words + taken);
    raw.give(&C, &dir);
    Ok(())
}

/// Reads flags by the rules of Go's `flag` package, up to the first argument, and the arguments.
///
/// Returns which help was asked for, if any.
///
/// Source: Go `flag`, `FlagSet.parseOne`.
fn go_flags(
    info: &CommandInfo,
    rest: impl Iterator<Item = String>,
    raw: &mut RawArgs,
) -> Result<Option<bool>> {
    let mut rest = rest.peekable();
    while let Some(arg) = rest.next_if(|arg| arg.len() >= 2 && arg.starts_with('-')) {
        if arg == "--" {
            break;
        }
        let body = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-'));
        let body = body.unwrap_or_default();
        if body.is_empty() || body.starts_with(['-', '=']) {
            return Err(usage(format!("bad flag syntax: {arg}")));
        }
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (body, None),
        };
        let Some(flag) = info.go_flag(name) else {
            if name == "h" || name == "help" {
                return Ok(Some(name == "help"));
            }
            if let Some(valued) = info.ignored(name) {
                if valued && value.is_none() && rest.next().is_none() {
                    return Err(usage(format!("flag needs an argument: -{name}")));
                }
                continue;
            }
            if let Some(error) = unsupported(info, name) {
                return Err(error);
            }
            return Err(
                usage(format!("flag provided but not defined: -{name}")).hint(format!(
                    "'go help {}' lists the flags",
                    info.go_name.unwrap_or_default()
                )),
            );
        };
        if flag.value.is_none() {
            let value = value.unwrap_or_else(|| "true".to_owned());
            let Some(value) = flag.switch_value(&value) else {
                let text = format!("invalid boolean value {value:?} for -{name}: parse error");
                return Err(usage(text));
            };
            raw.give(flag, value);
            continue;
        }
        let value = match value {
            Some(value) => value,
            None => rest
                .next()
                .ok_or_else(|| usage(format!("flag needs an argument: -{name}")))?,
        };
        if name == "C" {
            return Err(usage(format!(
                "invalid value {value:?} for flag -C: -C flag must be first flag on command line"
            )));
        }
        if let Err(wanted) = flag.judge(&value) {
            let text = format!("invalid value {value:?} for flag -{name}: {wanted}");
            return Err(usage(text));
        }
        raw.give(flag, &value);
    }
    raw.args = rest.collect();
    Ok(None)
}
