//! One run of the program: from the command line to the exit status.

use std::ffi::{OsStr, OsString};

use crate::cli::{self, Action, CommandInfo, HelpSubject, Invocation, ProgramName};
use crate::command::{COMMANDS, Command, CommandCall, Runner, command_tree, working_directory};
use crate::config::{Color, Config, EarlyOutput, Environment, GoEnv};
use crate::error::{Kind, Result};
use crate::failpoints;
use crate::report::Console;

/// Runs the program and returns its exit status, everything having been printed.
///
/// `argv` begins with the name the program was called by.
pub fn run(argv: Vec<OsString>, environment: &Environment) -> u8 {
    failpoints::arm(environment.get(failpoints::VARIABLE));
    let go_env = GoEnv::load(environment);
    let recovered = cli::recover_log_flag(&argv);
    let program = ProgramName::of(argv.first().map_or(OsStr::new(""), OsString::as_os_str));
    let invocation = match cli::parse(&command_tree(), argv) {
        Ok(invocation) => invocation,
        Err(error) => {
            let early = EarlyOutput::resolve(&go_env, &recovered);
            early_console(program, early).error(&error);
            return error.kind().exit_code();
        }
    };
    let early = EarlyOutput::resolve(&go_env, &invocation.raw);
    let console = early_console(program, early);
    let early_codes = ExitCodes::new(program, early.go_exit_codes);
    match dispatch(&invocation, &go_env, &console, early_codes) {
        Ok(status) => status,
        Err(error) => {
            console.error(&error);
            early_codes.status(Some(error.kind()))
        }
    }
}

/// The console where there is no [`Config`].
fn early_console(program: ProgramName, early: EarlyOutput) -> Console {
    Console::new(program.as_str(), early.log, Color::Never, false)
}

/// Which exit codes a run has.
#[derive(Clone, Copy)]
enum ExitCodes {
    /// One for each class of failure.
    Own,
    /// `go` itself knows 1 for every failure, and 2 for a command line it cannot read, which ends the run
    /// before it comes to this.
    OfGo,
}

impl ExitCodes {
    fn new(program: ProgramName, asked_for: bool) -> ExitCodes {
        match program {
            ProgramName::Modfetch if !asked_for => ExitCodes::Own,
            ProgramName::Modfetch | ProgramName::Go => ExitCodes::OfGo,
        }
    }

    fn status(self, failed: Option<Kind>) -> u8 {
        match (failed, self) {
            (None, _) => 0,
            (Some(kind), ExitCodes::Own) => kind.exit_code(),
            (Some(_), ExitCodes::OfGo) => 1,
        }
    }
}

fn dispatch(
    invocation: &Invocation,
    go_env: &GoEnv,
    console: &Console,
    codes: ExitCodes,
) -> Result<u8> {
    let info = match invocation.action {
        Action::Run(info) => info,
        Action::Help { about, long } => {
            console.data(&cli::help(&command_tree(), about, long))?;
            return Ok(0);
        }
        Action::Missing => {
            let text = match invocation.program {
                ProgramName::Modfetch => cli::first_steps().to_owned(),
                ProgramName::Go => cli::help(&command_tree(), HelpSubject::Overview, false),
            };
            console.line(text.trim_end());
            return Ok(Kind::Usage.exit_code());
        }
    };
    let call = CommandCall {
        program: invocation.program,
        raw: &invocation.raw,
        go_env,
    };
    match command(info).run {
        Runner::Early(run) => Ok(codes.status(run(&call, console)?)),
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
    call: &CommandCall<'_>,
    run: fn(&CommandCall<'_>, &Config, &Console) -> Result<Option<Kind>>,
) -> Result<u8> {
    let cwd = working_directory(call.raw)?;
    let config = Config::resolve(call.go_env, call.raw, &info.goflags(), &cwd)?;
    let console = Console::new(
        call.program.as_str(),
        config.global.log.value,
        config.global.color.value,
        config.output.quiet.value,
    );
    let call = CommandCall {
        raw: &config.args,
        ..*call
    };
    let failed = run(&call, &config, &console).unwrap_or_else(|error| {
        console.error(&error);
        Some(error.kind())
    });
    let codes = ExitCodes::new(call.program, config.global.go_exit_codes.value);
    Ok(codes.status(failed))
}
