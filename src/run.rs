//! One run of the program: from the command line to the exit status.

use std::ffi::{OsStr, OsString};

use crate::cli::{self, Action, CommandInfo, HelpSubject, Invocation, ProgramName, with_goflags};
use crate::command::{COMMANDS, Call, Command, Runner, command_tree, working_directory};
use crate::config::{Color, Config, Environment, Telling};
use crate::error::{Kind, Result};
use crate::failpoints;
use crate::report::Console;

/// Runs the program and returns its exit status, everything having been printed.
///
/// `argv` begins with the name the program was called by.
pub fn run(argv: Vec<OsString>, environment: &Environment) -> u8 {
    failpoints::arm(environment.get(failpoints::VARIABLE));
    let salvaged = cli::salvage(&argv);
    let program = ProgramName::of(argv.first().map_or(OsStr::new(""), OsString::as_os_str));
    let invocation = match cli::parse(&command_tree(), argv) {
        Ok(invocation) => invocation,
        Err(error) => {
            let telling = Telling::resolve(environment, &salvaged);
            first_console(program, telling).error(&error);
            return error.kind().exit_code();
        }
    };
    match dispatch(&invocation, environment) {
        Ok(Status::Done) => 0,
        Ok(Status::Failed { kind, go_codes }) => status(kind, go_codes),
        Err(error) => {
            let telling = Telling::resolve(environment, &invocation.raw);
            first_console(program, telling).error(&error);
            let go_codes = program == ProgramName::Go || telling.go_exit_codes;
            status(error.kind(), go_codes)
        }
    }
}

/// The console of what is told without a [`Config`].
fn first_console(program: ProgramName, telling: Telling) -> Console {
    Console::new(program.as_str(), telling.log, Color::Never, false)
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
    let (raw, program) = (&invocation.raw, invocation.program);
    // What runs with the settings has a console of its own: the files that decide are not read twice.
    let early = || first_console(program, Telling::resolve(environment, raw));
    let info = match invocation.action {
        Action::Run(info) => info,
        Action::Help { about, long } => {
            early().data(&cli::help(&command_tree(), about, long))?;
            return Ok(Status::Done);
        }
        Action::Missing => {
            let text = cli::help(&command_tree(), HelpSubject::Overview, false);
            early().line(text.trim_end());
            return Ok(Status::Failed {
                kind: Kind::Usage,
                go_codes: false,
            });
        }
    };
    let call = Call {
        program,
        raw,
        environment,
    };
    match command(info).run {
        Runner::Early(run) => {
            let failed = run(&call, &early())?;
            let go_codes =
                program == ProgramName::Go || Telling::resolve(environment, raw).go_exit_codes;
            Ok(failed.map_or(Status::Done, |kind| Status::Failed { kind, go_codes }))
        }
        Runner::Configured(run) => configured(info, &call, run),
    }
}

/// The row of a command, which is the only place that the parser can have it from.
fn command(info: &'static CommandInfo) -> &'static Command {
    let mut rows = COMMANDS.iter();
    rows.find(|row| std::ptr::eq(&row.info, info))
        .expect("the tree is made of the rows")
}

/// Runs a command with its settings. The command prints its results and partial failures; the error that
/// ends it is printed here.
fn configured(
    info: &CommandInfo,
    call: &Call<'_>,
    run: fn(&Call<'_>, &Config, &Console) -> Result<Option<Kind>>,
) -> Result<Status> {
    let config = Config::resolve(call.environment, call.raw, &working_directory(call.raw)?)?;
    let console = Console::new(
        call.program.as_str(),
        config.log.value,
        config.color.value,
        config.quiet.value,
    );
    // Of a command of go's, GOFLAGS may set each flag that was not typed.
    let merged = match info.go_name {
        Some(_) => with_goflags(call.raw, info, &config.goflags.value),
        None => Ok(call.raw.clone()),
    };
    let failed = merged.and_then(|raw| run(&Call { raw: &raw, ..*call }, &config, &console));
    let failed = failed.unwrap_or_else(|error| {
        console.error(&error);
        Some(error.kind())
    });
    let go_codes = call.program == ProgramName::Go || config.go_exit_codes.value;
    Ok(failed.map_or(Status::Done, |kind| Status::Failed { kind, go_codes }))
}
