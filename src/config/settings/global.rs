//! What every command has.

use super::SettingRow;
use crate::config::flags::Flag;
use crate::config::value::{Color, Log};
use crate::config::{GoEnv, Origin, Setting};

settings! {
    /// What every command has.
    struct GlobalSettings;
    /// What every command has, without naming it.
    group GLOBAL = "All commands";

    /// When output is coloured; `NO_COLOR`, `CLICOLOR_FORCE` and `TERM=dumb` are in it already.
    color: Color = COLOR, SettingRow::new(Color::parse, Flag {
        long: "color",
        value: Some("WHEN"),
        env: Some("MODFETCH_COLOR"),
        default: "auto",
        choices: Color::NAMES,
        brief: "Use colours: auto, always, never",
        detail: "auto uses them on a terminal, unless NO_COLOR is set.",
        ..Flag::OURS
    }).or_else(shared_conventions);

    /// The form of messages.
    log: Log = LOG, SettingRow::new(Log::parse, Flag {
        long: "log",
        value: Some("FORM"),
        env: Some("MODFETCH_LOG"),
        default: "text",
        choices: Log::NAMES,
        brief: "Write messages as text or json",
        detail: "json writes one object a line to standard error.",
        ..Flag::OURS
    });

    /// Exit with 0, 1 or 2 only.
    go_exit_codes: bool = GO_EXIT_CODES, SettingRow::switch(Flag {
        long: "go-exit-codes",
        env: Some("MODFETCH_GO_EXIT_CODES"),
        default: "false",
        brief: "Exit with 0, 1 or 2 only, as go does",
        detail: "Otherwise each class of failure has its own code, 2 to 11.",
        ..Flag::OURS
    });
}

/// The conventions that other programs share, then a terminal that knows no colours.
///
/// Source: no-color.org (set and not empty), bixense.com/clicolors (set and not `0`).
fn shared_conventions(go_env: &GoEnv) -> Option<Setting<Color>> {
    let env = go_env.environment();
    let forced = env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let shared = [
        ("NO_COLOR", Color::Never, env.get("NO_COLOR").is_some()),
        ("CLICOLOR_FORCE", Color::Always, forced),
        ("TERM", Color::Never, env.get("TERM") == Some("dumb")),
    ];
    let (name, color, _) = shared.into_iter().find(|(_, _, applies)| *applies)?;
    Some(Setting::new(color, Origin::Environment(name.to_owned())))
}
