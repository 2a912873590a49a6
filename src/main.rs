//! The `modfetch` program: gathers arguments and environment, runs, exits.

use std::process::ExitCode;

use modfetch::config::Environment;

fn main() -> ExitCode {
    let argv = std::env::args_os().collect();
    ExitCode::from(modfetch::run(argv, &Environment::from_process()))
}
