//! `modfetch bundle verify`: checks a bundle in one pass.

use std::sync::Arc;

use super::input::{BundleInput, HashedInput};
use super::{GO_SUM, one_file, trust};
use crate::bundle::{BundleSummary, Voucher, verify_bundle};
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, flags};
use crate::command::definition::{Command, Runner};
use crate::command::network::progress_settings;
use crate::command::task_stream::TaskStream;
use crate::event::EventSink;
use crate::report::{JsonObject, ProgressReporter};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["bundle", "verify"],
        groups: &[&groups::OUTPUT],
        flags: &[&flags::JSON, &GO_SUM],
        arguments: "FILE",
        brief: "Check a bundle in one pass, from a file or a pipe",
        detail: "Reads the bundle once and stops at the first wrong byte: the signature of the tree head with the key that GOSUMDB names, every tile and record, then the go.mod, zip and zip rules of every module. Nothing is written but temporary files for zips that do not fit into 32 MiB of memory.\n\
Prints how many modules the checksum database, go.sum (--go-sum) and neither of them vouch for. A module that needs a voucher and has none is an error, as it is for import; GONOSUMDB exempts modules.\n\
Exit code 5 or 3 comes with the name of the member that is wrong.",
        examples: &[
            (
                "modfetch bundle verify site.tar",
                "check a bundle before it is carried or imported",
            ),
            (
                "modfetch bundle verify --go-sum go.sum -json - < /dev/sr0",
                "from a disc, as JSON, private modules by go.sum",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|call, config, console| {
        let trust = trust(config, call.raw)?;
        let input = BundleInput::open(&one_file(call.raw, "bundle verify")?)?;
        let (name, bytes) = (input.name.clone(), input.bytes);
        let progress = Arc::new(ProgressReporter::start(progress_settings(config)));
        let events = Arc::clone(&progress) as Arc<dyn EventSink>;
        let mut input = TaskStream::begin(input, "verifying bundle", bytes, events);
        let temp_dir = config.go_env.temp_dir();
        let verified = match call.raw.is_on(&flags::JSON) {
            true => {
                let mut input = HashedInput::new(input);
                let summary = verify_bundle(&mut input, &trust, temp_dir);
                summary.map(|summary| json(&summary, &input.sha256()))
            }
            false => verify_bundle(&mut input, &trust, temp_dir).map(|summary| text(&summary)),
        };
        progress.clear();
        let text = verified.map_err(|error| error.context(name))?;
        console.data(&text)?;
        Ok(None)
    }),
};

/// How many modules each vouches for.
pub(super) fn text(summary: &BundleSummary) -> String {
    let modules = summary.manifest.modules.len();
    let zips = summary
        .manifest
        .modules
        .iter()
        .filter(|one| one.zip.is_some())
        .count();
    let mut text = format!("{modules} module versions verified, {zips} of them with zip\n");
    let count = |voucher| {
        summary
            .vouchers
            .iter()
            .filter(|one| **one == voucher)
            .count()
    };
    if let (Some(database), Some(head)) = (&summary.manifest.database, &summary.head) {
        let (count, name, size) = (count(Voucher::Database), &database.name, head.tree.size);
        text.push_str(&format!("{count} by {name}, tree {size}\n"));
    }
    for (voucher, by) in [
        (Voucher::GoSum, "by go.sum"),
        (Voucher::None, "by the bundle alone (exempt from proof)"),
    ] {
        let count = count(voucher);
        if count > 0 {
            text.push_str(&format!("{count} {by}\n"));
        }
    }
    text
}

/// An object with one object a module.
pub(super) fn json(summary: &BundleSummary, sha256: &str) -> String {
    let mut json = JsonObject::new();
    json.string("SHA256", sha256);
    if let (Some(database), Some(head)) = (&summary.manifest.database, &summary.head) {
        json.string("Database", &database.name);
        json.number("Tree", head.tree.size);
        json.string("Head", &String::from_utf8_lossy(&head.note));
    }
    let modules = summary.manifest.modules.iter().zip(&summary.vouchers);
    let modules = modules.map(|(one, voucher)| {
        let mut json = JsonObject::new();
        json.string("Path", one.module.path().as_str());
        json.string("Version", one.module.version().as_str());
        if let Some(zip) = &one.zip {
            json.string("Sum", zip.h1.as_str());
        }
        json.string("GoModSum", one.gomod.as_str());
        json.string("Voucher", voucher.name());
        json
    });
    json.objects("Modules", &modules.collect::<Vec<_>>());
    json.indented() + "\n"
}
