//! `modfetch version`: the version of this program, and of go that it acts as.

use super::definition::{Command, Runner};
use crate::cli::{CommandInfo, flags};
use crate::gomod::GoVersion;
use crate::report::JsonObject;

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["version"],
        flags: &[&flags::JSON],
        brief: "Print the version of modfetch",
        detail: "Prints the name and version of this program.",
        examples: &[("modfetch version", "name and version")],
        ..CommandInfo::NEW
    },
    run: Runner::Early(|call, console| {
        console.data(&version(call.raw.is_on(&flags::JSON)))?;
        Ok(None)
    }),
};

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
