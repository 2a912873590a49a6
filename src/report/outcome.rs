//! `download -json`: one object a module, go's keys in go's order, then ours.

use std::path::Path;

use super::json::JsonObject;
use crate::error::Error;
use crate::fetch::Outcome;
use crate::select::{ChosenBy, ResolvedTarget};
use crate::source::VcsOrigin;

/// The object that `download -json` prints for a target; `failure_origin` is what it depends on that
/// there is no such version.
#[must_use]
pub fn target_json(
    target: &ResolvedTarget,
    outcome: Option<&Outcome>,
    failure_origin: Option<&VcsOrigin>,
) -> JsonObject {
    match (target, outcome) {
        (ResolvedTarget::Module { chosen_by, .. }, Some(outcome)) => {
            outcome_json(outcome, chosen_by, failure_origin)
        }
        (ResolvedTarget::Module { module, .. }, None) => {
            let mut json = JsonObject::new();
            json.string("Path", module.path().as_str());
            json.string("Version", module.version().as_str());
            json
        }
        (ResolvedTarget::Failed { error, .. }, _) => failed_target_json(target, error),
        (
            ResolvedTarget::Reused {
                entry,
                asked,
                origin,
            },
            _,
        ) => {
            let mut json = JsonObject::new();
            json.string("Path", &entry.path);
            json.string("Version", &entry.version);
            if *asked != entry.version {
                json.string("Query", asked);
            }
            json.string("Error", &entry.error);
            json.object("Origin", &origin_json(origin));
            json.boolean("Reuse", true);
            json
        }
    }
}

/// The object for a target that cannot be had, because of `error`.
#[must_use]
pub fn failed_target_json(target: &ResolvedTarget, error: &Error) -> JsonObject {
    let (path, version, query, origin) = match target {
        ResolvedTarget::Module { module, .. } => {
            let (path, version) = (module.path().as_str(), module.version().as_str());
            (path, version, "", None)
        }
        ResolvedTarget::Failed {
            path,
            version,
            query,
            origin,
            ..
        } => (
            path.as_str(),
            version.as_str(),
            query.as_str(),
            origin.as_deref(),
        ),
        ResolvedTarget::Reused { entry, asked, .. } => {
            (entry.path.as_str(), asked.as_str(), "", None)
        }
    };
    let mut json = JsonObject::new();
    json.string("Path", path);
    json.string("Version", version);
    json.string("Query", query);
    json.string("Error", &error.chain());
    if let Some(origin) = origin {
        json.object("Origin", &origin_json(origin));
    }
    json.string("ErrorKind", error.kind().name());
    json
}

/// The object that `go mod download -json` prints for a module.
///
/// Keys after `VcsOrigin` are ours: `ErrorKind` (see [`crate::Kind::name`]), `Bytes` (of bodies
/// received), `Resumed` (bytes kept of cut transfers), `Retries` (requests made again). The origin
/// is shown of a module that was named with its version, or with a query that the source resolved,
/// as go does.
#[must_use]
pub fn outcome_json(
    outcome: &Outcome,
    chosen_by: &ChosenBy,
    failure_origin: Option<&VcsOrigin>,
) -> JsonObject {
    let mut json = JsonObject::new();
    let path = |path: Option<&Path>| path.map_or(String::new(), |path| path.display().to_string());
    let sum =
        |sum: &Option<crate::gomod::H1>| sum.as_ref().map_or(String::new(), |sum| sum.to_string());
    json.string("Path", outcome.module.path().as_str());
    json.string("Version", outcome.module.version().as_str());
    if let ChosenBy::Query { query, .. } = chosen_by
        && query != outcome.module.version().as_str()
    {
        json.string("Query", query);
    }
    json.string(
        "Error",
        &outcome
            .error
            .as_ref()
            .map_or(String::new(), |error| error.chain()),
    );
    json.string("Info", &path(outcome.info_path().as_deref()));
    json.string("GoMod", &path(outcome.gomod_path().as_deref()));
    json.string("Zip", &path(outcome.zip_path().as_deref()));
    json.string("Dir", &path(outcome.directory()));
    json.string("Sum", &sum(&outcome.sum));
    json.string("GoModSum", &sum(&outcome.gomod_sum));
    let origin = match chosen_by {
        ChosenBy::Graph => None,
        ChosenBy::Version => outcome
            .info
            .as_ref()
            .and_then(|info| info.origin.as_deref())
            .or(failure_origin),
        ChosenBy::Query { origin, .. } => origin.as_deref(),
    };
    if let Some(origin) = origin {
        json.present_object("Origin", &origin_json(origin));
    }
    json.string(
        "ErrorKind",
        outcome
            .error
            .as_ref()
            .map_or("", |error| error.kind().name()),
    );
    if outcome.traffic.bytes > 0 {
        json.number("Bytes", outcome.traffic.bytes);
    }
    if outcome.traffic.resumed > 0 {
        json.number("Resumed", outcome.traffic.resumed);
    }
    if outcome.traffic.retries > 0 {
        json.number("Retries", outcome.traffic.retries.into());
    }
    json
}

pub(super) fn origin_json(origin: &VcsOrigin) -> JsonObject {
    let mut json = JsonObject::new();
    for (key, value) in origin.fields() {
        json.string(key, value);
    }
    json
}
