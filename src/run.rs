//! One run of the program: from the command line to the exit status.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::cli::{self, Command, Invocation, Persona, RawArgs, Verb, with_goflags};
use crate::command::{
    Wish, clean, doctor, download, env, graph, list, plan, sum, verify, why, working_directory,
};
use crate::config::{Color, Config, Environment, Telling};
use crate::error::{Error, Kind, Result};
use crate::failpoints;
use crate::gomod::GoVersion;
use crate::report::{Console, JsonObject};
use crate::signals::Ending;

/// Runs the program and returns its exit status, everything having been printed.
///
/// `argv` begins with the name the program was called by.
pub fn run(argv: Vec<OsString>, environment: &Environment) -> u8 {
    failpoints::arm(environment);
    let salvaged = cli::salvage(&argv);
    let persona = Persona::of(argv.first().map_or(OsStr::new(""), OsString::as_os_str));
    let invocation = match cli::parse(argv) {
        Ok(invocation) => invocation,
        Err(error) => {
            let telling = Telling::resolve(environment, &salvaged);
            first_console(persona, telling).error(&error);
            return error.kind().exit_code();
        }
    };
    match dispatch(&invocation, environment) {
        Ok(Status::Done) => 0,
        Ok(Status::Failed { kind, go_codes }) => status(kind, go_codes),
        Err(error) => {
            let telling = Telling::resolve(environment, &invocation.raw);
            first_console(persona, telling).error(&error);
            let go_codes = persona == Persona::Go || telling.go_exit_codes;
            status(error.kind(), go_codes)
        }
    }
}

/// The console of what is told without a [`Config`].
fn first_console(persona: Persona, telling: Telling) -> Console {
    Console::new(persona.name(), telling.log, Color::Never, false)
}

/// How a command ended that has told its failures itself.
enum Status {
    Done,
    Failed { kind: Kind, go_codes: bool },
}

/// `go` itself knows 1 for every failure, and 2 for a command line it cannot read, which has
/// ended the run before.
fn status(kind: Kind, go_codes: bool) -> u8 {
    if go_codes { 1 } else { kind.exit_code() }
}

fn dispatch(invocation: &Invocation, environment: &Environment) -> Result<Status> {
    let raw = &invocation.raw;
    let persona = invocation.persona;
    let call = Call {
        invocation,
        environment,
    };
    // A download has its own: the files that decide are not read twice.
    let first = || first_console(persona, Telling::resolve(environment, raw));
    match invocation.command {
        Command::Help { about, long } => first().data(&cli::help(about, long))?,
        Command::Missing => {
            first().line(cli::help(None, false).trim_end());
            return Ok(Status::Failed {
                kind: Kind::Usage,
                go_codes: false,
            });
        }
        Command::Version => first().data(&version(raw.json))?,
        Command::Env => {
            let cwd = working_directory(raw, &current_directory()?)?;
            let output = env::run(invocation, environment, &cwd)?;
            let console = first();
            for warning in &output.warnings {
                console.line(warning);
            }
            console.data(&output.stdout)?;
        }
        Command::Doctor => return call.run(doctor::run),
        Command::Verify => {
            return call.run(|config, console| {
                let request = verify::Request {
                    wish: Wish::of(raw, &config.cwd)?,
                    cache: raw.cache,
                    repair: raw.repair,
                    sumdb: raw.sumdb,
                    as_go: persona == Persona::Go,
                };
                verify::run(config, console, &request)
            });
        }
        Command::Graph => {
            return call.run_gos(Verb::Graph, |raw, config, console| {
                let request = graph::Request {
                    form: graph::Form::of(raw)?,
                    arguments: raw.args.clone(),
                    go: raw.go.clone(),
                    ending: ending(persona),
                };
                graph::run(config, console, &request)
            });
        }
        Command::List => {
            return call.run_gos(Verb::List, |raw, config, console| {
                let request = list::Request::of(raw, ending(persona));
                list::run(config, console, &request)
            });
        }
        Command::Why => {
            return call.run_gos(Verb::Why, |raw, config, console| {
                let request = why::Request::of(raw, ending(persona))?;
                why::run(config, console, &request)
            });
        }
        Command::Clean => {
            return call.run_gos(Verb::Clean, |raw, config, console| {
                clean::run(config, console, clean::Request::of(raw)?)
            });
        }
        Command::Download => {
            return call.run_gos(Verb::Download, |raw, config, console| {
                let request = download::Request {
                    wish: Wish::of(raw, &config.cwd)?,
                    reuse: raw.reuse.as_ref().map(PathBuf::from),
                    dry_run: raw.dry_run,
                    ending: ending(persona),
                };
                download::run(config, console, &request)
            });
        }
        Command::Plan => {
            let form = plan::Form::of(raw)?;
            return call.run(|config, console| {
                let request = plan::Request {
                    wish: Wish::of(raw, &config.cwd)?,
                    form,
                    ending: ending(persona),
                };
                plan::run(config, console, &request)
            });
        }
        Command::Sum => {
            let request = sum::Request::of(raw)?;
            return call.run(|config, console| sum::run(config, console, &request));
        }
    }
    Ok(Status::Done)
}

/// How a signal ends a run.
fn ending(persona: Persona) -> Ending {
    match persona {
        Persona::Modfetch => Ending::Status,
        Persona::Go => Ending::Signal,
    }
}

/// A command line that calls for a command which works by the settings.
struct Call<'a> {
    invocation: &'a Invocation,
    environment: &'a Environment,
}

impl Call<'_> {
    /// Runs the command. It tells its results and what failed in part; what ends it is told here.
    fn run(
        &self,
        command: impl FnOnce(&Config, &Console) -> Result<Option<Kind>>,
    ) -> Result<Status> {
        let (raw, persona) = (&self.invocation.raw, self.invocation.persona);
        let cwd = working_directory(raw, &current_directory()?)?;
        let config = Config::resolve(self.environment, raw, &cwd)?;
        let console = Console::new(
            persona.name(),
            config.log.value,
            config.color.value,
            config.quiet.value,
        );
        let failed = command(&config, &console).unwrap_or_else(|error| {
            console.error(&error);
            Some(error.kind())
        });
        let go_codes = persona == Persona::Go || config.go_exit_codes.value;
        Ok(failed.map_or(Status::Done, |kind| Status::Failed { kind, go_codes }))
    }

    /// Runs a command of go's: what GOFLAGS says of its flags counts where nothing was typed.
    fn run_gos(
        &self,
        verb: Verb,
        command: impl FnOnce(&RawArgs, &Config, &Console) -> Result<Option<Kind>>,
    ) -> Result<Status> {
        self.run(|config, console| {
            let raw = with_goflags(&self.invocation.raw, verb, &config.goflags.value)?;
            command(&raw, config, console)
        })
    }
}

/// What `modfetch version` prints.
fn version(json: bool) -> String {
    let version = env!("CARGO_PKG_VERSION");
    if json {
        let mut object = JsonObject::new();
        object.string("Name", "modfetch");
        object.string("Version", version);
        object.string("Go", GoVersion::EMULATED);
        return object.indented() + "\n";
    }
    format!("modfetch {version} (go {})\n", GoVersion::EMULATED)
}

fn current_directory() -> Result<PathBuf> {
    std::env::current_dir().map_err(|cause| {
        Error::new(Kind::LocalIo, "cannot find the current directory").because(cause)
    })
}
