//! `env`: prints the settings in force, or edits the `GOENV` file (`-w`, `-u`).
//!
//! Output is go's, line for line, for the variables that modfetch has. It judges no value it
//! prints, so that it can be used to find out what is wrong.
//!
//! Source: go `cmd/go/internal/envcmd/env.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{MAIN_SEPARATOR, Path};

use super::definition::{Command, CommandCall, Runner};
use super::directory::working_directory;
use crate::cli::{CommandInfo, Flag, ProgramName, RawArgs, flags};
use crate::config::settings::VERBOSE;
use crate::config::{
    self, Config, GoEnv, GoFlags, GoModSearch, GoValue, ModuleMode, Origin, Overlay, Setting,
};
use crate::gojson::quote;
use crate::gomod::GoVersion;
use crate::gomod::compat::{self, Change};
use crate::system::{LIST_SEPARATOR, is_absolute};
use crate::{Error, Kind, Result};

/// `-changed`.
static CHANGED: Flag = Flag {
    long: "changed",
    brief: "Print only what differs from the default",
    detail: "The default is what an empty environment without a GOENV file gives.",
    ..Flag::GOS
};

/// `-w`.
static W: Flag = Flag {
    long: "w",
    brief: "Set variables (NAME=VALUE) in the GOENV file",
    detail: "The process environment still wins over the file.",
    ..Flag::GOS
};

/// `-u`.
static U: Flag = Flag {
    long: "u",
    brief: "Remove variables from the GOENV file",
    detail: "A value in the process environment stays in force.",
    ..Flag::GOS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["env"],
        flags: &[
            &flags::C,
            &flags::JSON,
            &flags::X,
            &CHANGED,
            &W,
            &U,
            &flags::N,
            &VERBOSE.flag,
        ],
        go_name: Some("env"),
        arguments: "[variables]",
        brief: "Print or change the settings in force",
        detail: "Prints Go's variables that concern modules, and modfetch's own, as a shell \
script; with names, prints the value of each on a line.\n\
-w and -u edit the file that GOENV names, the one 'go env -w' edits.",
        examples: &[
            ("modfetch env GOMODCACHE", "where modules are kept"),
            ("modfetch env -v", "every setting and what decided it"),
            (
                "modfetch env -w GOPROXY=https://proxy.example.com,direct",
                "keep a setting for modfetch and go",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Early(|call, console| {
        let output = run(call, &working_directory(call.raw)?)?;
        for warning in &output.warnings {
            console.line(warning);
        }
        console.data(&output.stdout)?;
        Ok(None)
    }),
};

/// What `env` has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvOutput {
    /// The text for standard output, complete with line feeds.
    pub stdout: String,
    /// Lines for standard error, complete with any prefix, without line feeds.
    pub warnings: Vec<String>,
}

/// Runs `env`.
///
/// `cwd` is absolute, with `-C` applied: go.mod and go.work are looked for from there.
///
/// # Errors
/// Flags that exclude each other, a name with `=` but without `-w`, a GOPATH, GOWORK or
/// GO111MODULE with which go would print nothing either, a variable that may not be written, a
/// file that cannot be.
pub fn run(call: &CommandCall<'_>, cwd: &Path) -> Result<EnvOutput> {
    let go_env = call.go_env;
    let environment = go_env.environment();
    environment.require_unicode(|name| name.starts_with("GO") || name.starts_with("MODFETCH_"))?;
    let own = call.program == ProgramName::Modfetch;
    let raw = call.raw;
    let wish = Wish::new(raw, go_env)?;
    if wish.write {
        return write(raw, go_env, own);
    }
    if wish.unset {
        return unset(raw, go_env, own);
    }
    go_env.check_gopath()?;
    if let Some(name) = raw.args.iter().find(|name| name.contains('=')) {
        let message = format!("invalid variable name {name:?} (use -w to set variable)");
        return Err(Error::new(Kind::Usage, message));
    }
    let mut listing = EnvListing::new(go_env, cwd, own)?;
    let stdout = listing.print(&raw.args, &wish);
    Ok(EnvOutput {
        stdout,
        warnings: listing.warnings,
    })
}

/// What `env -v` lists: every variable with its value, not redacted, and what decided it.
///
/// # Errors
/// A GOWORK or GO111MODULE with which go would print nothing either.
pub(super) fn listed(config: &Config) -> Result<Vec<(String, Setting<String>)>> {
    let listing = EnvListing::new(&config.go_env, &config.cwd, true)?;
    let rows = listing.rows.into_iter();
    Ok(rows.map(|row| (row.name, row.setting)).collect())
}

/// Flags of `env` with those of GOFLAGS added.
struct Wish {
    json: bool,
    changed: bool,
    write: bool,
    unset: bool,
    origins: bool,
}

impl Wish {
    fn new(raw: &RawArgs, go_env: &GoEnv) -> Result<Wish> {
        let goflags = GoFlags::parse_lenient(go_env.get("GOFLAGS"));
        goflags.refuse_chdir()?;
        let is_on = |flag: &Flag| {
            let listed = goflags.boolean(flag.long)?.is_some_and(|found| found.value);
            Ok::<_, Error>(raw.switch(flag).unwrap_or(listed))
        };
        let wish = Wish {
            json: is_on(&flags::JSON)?,
            changed: is_on(&CHANGED)?,
            write: is_on(&W)?,
            unset: is_on(&U)?,
            origins: raw.is_on(&VERBOSE.flag),
        };
        let excluded = [
            (wish.json && wish.unset, "cannot use -json with -u"),
            (wish.json && wish.write, "cannot use -json with -w"),
            (wish.unset && wish.write, "cannot use -u with -w"),
        ];
        match excluded.iter().find(|(both, _)| *both) {
            Some((_, message)) => Err(Error::new(Kind::Usage, *message)),
            None => Ok(wish),
        }
    }
}

/// The go version that a run acts as; a value that a run would refuse is shown by its own variable.
fn goversion(go_env: &GoEnv) -> Setting<String> {
    match config::go_version(go_env) {
        Ok(version) => version.map(|version| format!("go{version}")),
        Err(_) => Setting::new(format!("go{}", GoVersion::EMULATED), Origin::Default),
    }
}

/// That version, if it is none that would be refused.
fn acting(go_env: &GoEnv) -> Option<GoVersion> {
    config::go_version(go_env).ok().map(|version| version.value)
}

/// Where `go install` puts programs: as set, and from go1.27 on as it will be.
fn gobin(go_env: &GoEnv) -> Row {
    let GoValue {
        mut setting,
        changed,
    } = go_env.get_plain("GOBIN");
    let as_used = acting(go_env).is_some_and(|go| Change::GobinAsUsed.applies_to(&go));
    if as_used && setting.value.is_empty() {
        let gopath = gopath(go_env).setting.value;
        let first = gopath.split(LIST_SEPARATOR).find(|entry| !entry.is_empty());
        setting.value = first.map_or(String::new(), |entry| format!("{entry}{MAIN_SEPARATOR}bin"));
    }
    Row {
        name: "GOBIN".to_owned(),
        setting,
        changed,
    }
}

/// A variable of golang.org/x/tools, which go prints for bug reports and reads from the process
/// environment only.
fn packages_driver(go_env: &GoEnv) -> Row {
    const NAME: &str = "GOPACKAGESDRIVER";
    let value = go_env
        .environment()
        .get(NAME)
        .filter(|value| !value.is_empty());
    let setting = match value {
        Some(value) => Setting::new(value.to_owned(), Origin::Environment(NAME.to_owned())),
        None => Setting::new(String::new(), Origin::Default),
    };
    Row {
        name: NAME.to_owned(),
        changed: value.is_some(),
        setting,
    }
}

struct Row {
    name: String,
    setting: Setting<String>,
    changed: bool,
}

/// The variables of one run.
struct EnvListing<'a> {
    go_env: &'a GoEnv,
    /// What is printed without names, by name.
    rows: Vec<Row>,
    /// What is printed if asked for: build settings that scripts ask `go env` for.
    on_demand: Vec<Row>,
    warnings: Vec<String>,
}

impl<'a> EnvListing<'a> {
    fn new(go_env: &'a GoEnv, cwd: &Path, own: bool) -> Result<EnvListing<'a>> {
        let row = |name: &str, value: GoValue| Row {
            name: name.to_owned(),
            setting: value.setting,
            changed: value.changed,
        };
        let plain = |name: &str| row(name, go_env.get_plain(name));
        let default = |text: &str| Setting::new(text.to_owned(), Origin::Default);
        let mode = config::module_mode(go_env)?;
        let go111module = Row {
            changed: matches!(mode, ModuleMode::Auto | ModuleMode::Off),
            ..plain("GO111MODULE")
        };
        let program = match own {
            true => ProgramName::Modfetch,
            false => ProgramName::Go,
        };
        let program = program.as_str();
        let (gomod, warnings) = gomod(go_env, cwd, mode, program);
        let fixed = |name: &str, setting| Row {
            name: name.to_owned(),
            setting,
            changed: false,
        };
        let mut rows = vec![
            go111module,
            row("GOAUTH", go_env.get_or("GOAUTH", default("netrc"))),
            gobin(go_env),
            row("GODEBUG", godebug(go_env)),
            goenv(go_env),
            plain("GOFLAGS"),
            plain("GOINSECURE"),
            fixed("GOMOD", default(&gomod)),
            row("GOMODCACHE", go_env.gomodcache()),
            row("GONOPROXY", go_env.or_goprivate("GONOPROXY")),
            row("GONOSUMDB", go_env.or_goprivate("GONOSUMDB")),
            row("GOPATH", gopath(go_env)),
            plain("GOPRIVATE"),
            plain("GOPROXY"),
            fixed("GOROOT", go_env.get("GOROOT")),
            plain("GOSUMDB"),
            plain("GOTOOLCHAIN"),
            plain("GOVCS"),
            fixed("GOVERSION", goversion(go_env)),
            fixed("GOWORK", gowork(go_env, cwd)?),
        ];
        if acting(go_env).is_some_and(|go| Change::PackagesDriver.applies_to(&go)) {
            rows.push(packages_driver(go_env));
        }
        let mut warnings = warnings;
        if own {
            for value in config::own_values(go_env) {
                if let Some(refused) = value.refused {
                    warnings.push(format!("{program}: warning: {}", refused.chain()));
                }
                rows.push(Row {
                    name: value.variable.to_owned(),
                    setting: value.written,
                    changed: value.changed,
                });
            }
        }
        let (os, arch) = config::host_platform();
        let on_demand = vec![
            row("GOARCH", go_env.get_or("GOARCH", default(arch))),
            row("GOCACHE", go_env.gocache()),
            plain("GOEXPERIMENT"),
            fixed("GOHOSTARCH", default(arch)),
            fixed("GOHOSTOS", default(os)),
            row("GOOS", go_env.get_or("GOOS", default(os))),
            plain("GOTMPDIR"),
        ];
        Ok(EnvListing {
            go_env,
            rows,
            on_demand,
            warnings,
        })
    }

    /// The value of a variable; that of an unknown variable is empty.
    fn find(&self, name: &str) -> Setting<String> {
        match self.row(name) {
            Some(row) => row.setting.clone(),
            None if self.go_env.is_known(name) => self.go_env.get(name),
            None => Setting::new(String::new(), Origin::Default),
        }
    }

    fn row(&self, name: &str) -> Option<&Row> {
        let mut all = self.rows.iter().chain(&self.on_demand);
        all.find(|row| row.name == name)
    }

    fn print(&mut self, names: &[String], wish: &Wish) -> String {
        let shown: Vec<(&str, Setting<String>)> = if names.is_empty() {
            self.rows
                .iter()
                .filter(|row| row.changed || !wish.changed)
                .map(|row| (row.name.as_str(), row.setting.clone()))
                .collect()
        } else if wish.changed {
            names
                .iter()
                .filter_map(|name| self.row(name))
                .filter(|row| row.changed)
                .map(|row| (row.name.as_str(), row.setting.clone()))
                .collect()
        } else {
            names
                .iter()
                .map(|name| (name.as_str(), self.find(name)))
                .collect()
        };
        if wish.json {
            return print_json(&shown, wish.origins);
        }
        if !names.is_empty() && !wish.changed && !wish.origins {
            return shown
                .iter()
                .map(|(_, setting)| format!("{}\n", setting.value))
                .collect();
        }
        print_shell(shown, wish.origins)
    }
}

/// GOMOD: the go.mod in force, the null device if there is none, empty where go would not look.
fn gomod(go_env: &GoEnv, cwd: &Path, mode: ModuleMode, program: &str) -> (String, Vec<String>) {
    if mode == ModuleMode::Off {
        return (String::new(), Vec::new());
    }
    let missing = if mode == ModuleMode::Auto {
        ""
    } else {
        "/dev/null"
    };
    match config::find_go_mod(cwd, go_env, &Overlay::default()) {
        GoModSearch::Found(path) => (path.display().to_string(), Vec::new()),
        GoModSearch::Missing => (missing.to_owned(), Vec::new()),
        GoModSearch::InTempRoot(root) => (
            missing.to_owned(),
            vec![format!(
                "{program}: warning: ignoring go.mod in system temp root {}",
                root.display()
            )],
        ),
    }
}

fn gowork(go_env: &GoEnv, cwd: &Path) -> Result<Setting<String>> {
    let typed = go_env.get("GOWORK");
    if typed.value == "off" {
        return Ok(typed);
    }
    let found = config::find_go_work(cwd, go_env, &Overlay::default())?;
    Ok(typed.map(|_| found.map_or_else(String::new, |path| path.display().to_string())))
}

/// GODEBUG is for the process environment only: what a file says does not count.
fn godebug(go_env: &GoEnv) -> GoValue {
    match go_env.environment().get("GODEBUG") {
        Some(value) => GoValue {
            setting: Setting::new(value.to_owned(), Origin::Environment("GODEBUG".to_owned())),
            changed: true,
        },
        None => GoValue {
            setting: Setting::new(String::new(), Origin::Default),
            changed: false,
        },
    }
}

fn goenv(go_env: &GoEnv) -> Row {
    let setting = go_env.env_file_path().unwrap_or_else(|_| {
        let origin = match go_env.environment().get("GOENV") {
            Some(_) => Origin::Environment("GOENV".to_owned()),
            None => Origin::Default,
        };
        Setting::new(String::new(), origin)
    });
    Row {
        name: "GOENV".to_owned(),
        changed: setting.origin != Origin::Default && !setting.value.is_empty(),
        setting,
    }
}

/// GOPATH; a relative one that came from the home directory is no GOPATH.
fn gopath(go_env: &GoEnv) -> GoValue {
    let mut gopath = go_env.gopath();
    if gopath.setting.origin == Origin::Default && !is_absolute(&gopath.setting.value) {
        gopath.setting.value.clear();
    }
    gopath
}

// ---- printing

fn print_shell(mut shown: Vec<(&str, Setting<String>)>, origins: bool) -> String {
    shown.sort_by_key(|(name, _)| *name);
    let mut out = String::new();
    // go prints TERM never, because a shell that reads this has a better one.
    for (name, setting) in shown.iter().filter(|(name, _)| *name != "TERM") {
        let value = setting.value.replace('\'', r"'\''");
        out.push_str(&format!("{name}='{value}'"));
        if origins {
            // In a comment: a path with a line feed must not end it.
            let origin: String = setting.origin.to_string();
            out.push_str(" # ");
            out.extend(origin.chars().map(|c| if c.is_control() { '?' } else { c }));
        }
        out.push('\n');
    }
    out
}

fn print_json(shown: &[(&str, Setting<String>)], origins: bool) -> String {
    let sorted: BTreeMap<&str, &Setting<String>> = shown
        .iter()
        .filter(|(name, _)| *name != "TERM")
        .map(|(name, setting)| (*name, setting))
        .collect();
    if sorted.is_empty() {
        return "{}\n".to_owned();
    }
    let lines: Vec<String> = sorted
        .iter()
        .map(|(name, setting)| {
            let (name, value) = (quote(name), quote(&setting.value));
            if origins {
                let origin = quote(&setting.origin.to_string());
                format!("\t{name}: {{\n\t\t\"Value\": {value},\n\t\t\"Origin\": {origin}\n\t}}")
            } else {
                format!("\t{name}: {value}")
            }
        })
        .collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

// ---- the file

fn write(raw: &RawArgs, go_env: &GoEnv, own: bool) -> Result<EnvOutput> {
    if raw.args.is_empty() {
        return Err(Error::new(Kind::Usage, "no KEY=VALUE arguments given"));
    }
    let mut set = BTreeMap::new();
    let mut warnings = Vec::new();
    for arg in &raw.args {
        let Some((name, value)) = arg.split_once('=') else {
            let message = format!("arguments must be KEY=VALUE: invalid argument: {arg}");
            return Err(Error::new(Kind::Usage, message));
        };
        config::check_write(go_env, name, value, own)?;
        if set.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Error::new(
                Kind::Usage,
                format!("multiple values for key: {name}"),
            ));
        }
        let process = go_env.environment().get(name);
        if process.is_some_and(|process| process != value) {
            warnings.push(format!(
                "warning: go env -w {name}=... does not override conflicting OS environment variable"
            ));
        }
    }
    check_build(go_env, &set, &BTreeSet::new())?;
    edit(go_env, &set, &BTreeSet::new())?;
    Ok(EnvOutput {
        stdout: String::new(),
        warnings,
    })
}

fn unset(raw: &RawArgs, go_env: &GoEnv, own: bool) -> Result<EnvOutput> {
    if raw.args.is_empty() {
        return Err(Error::new(Kind::Usage, "'go env -u' requires an argument"));
    }
    for name in &raw.args {
        config::check_write(go_env, name, "", own)?;
    }
    let (set, unset) = (BTreeMap::new(), raw.args.iter().cloned().collect());
    check_build(go_env, &set, &unset)?;
    edit(go_env, &set, &unset)?;
    Ok(EnvOutput::default())
}

/// Refuses what go could not build for any more, as far as it is changed.
///
/// Source: go `cmd/go/internal/envcmd/env.go`, `checkBuildConfig`.
fn check_build(
    go_env: &GoEnv,
    set: &BTreeMap<String, String>,
    unset: &BTreeSet<String>,
) -> Result<()> {
    let go = acting(go_env).unwrap_or_else(GoVersion::emulated);
    let (os, arch) = config::host_platform();
    // The value that will be in force, and whether that changes it.
    let will_be = |name: &str, default: &str| {
        let or_default = |value: String| match value.is_empty() {
            true => default.to_owned(),
            false => value,
        };
        match set.get(name) {
            Some(value) => (value.clone(), true),
            None if unset.contains(name) => {
                let process = go_env.environment().get(name).unwrap_or_default();
                (or_default(process.to_owned()), true)
            }
            None => (or_default(go_env.get(name).value), false),
        }
    };
    let refuse = |text: String| Err(Error::new(Kind::Input, text));
    let ((os, os_changes), (arch, arch_changes)) = (will_be("GOOS", os), will_be("GOARCH", arch));
    if (os_changes || arch_changes) && !compat::has_platform(&go, &os, &arch) {
        return refuse(format!("unsupported GOOS/GOARCH pair {os}/{arch}"));
    }
    match will_be("GOEXPERIMENT", "") {
        (list, true) => match compat::unknown_experiment(&go, &list) {
            Some(unknown) => refuse(format!("unknown GOEXPERIMENT {unknown}")),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Edits the user's file. With `GOENV=off` there is none; go, by a slip, edits the default one.
fn edit(go_env: &GoEnv, set: &BTreeMap<String, String>, unset: &BTreeSet<String>) -> Result<()> {
    let path = go_env
        .env_file_path()
        .map_err(|error| error.context("cannot find go env config"))?;
    let path = Path::new(&path.value);
    let text = config::read_env_file(path, set.is_empty())?;
    config::write_env_file(path, &config::edit_env_file(&text, set, unset))
}

#[cfg(test)]
mod tests;
