//! `download -json`: one object a module, go's keys in go's order, then ours.

use std::path::Path;

use super::json::JsonObject;
use crate::fetch::Outcome;
use crate::source::Origin;

/// How a module came to be chosen: what was asked for is part of the answer.
#[derive(Clone, Debug)]
pub enum Asked {
    /// By the requirement graph.
    Graph,
    /// By its version.
    Version,
    /// By a query.
    Query {
        /// As typed.
        query: String,
        /// Where the source says that it comes from.
        origin: Option<Box<Origin>>,
    },
}

/// The object that `go mod download -json` prints for a module.
///
/// Keys after `Origin` are ours: `ErrorKind` (see [`crate::Kind::name`]), `Bytes` (of bodies
/// received), `Resumed` (bytes kept of cut transfers), `Retries` (requests made again). The origin
/// is shown of a module that was named with its version, or with a query that the source resolved,
/// as go does.
#[must_use]
pub fn outcome_json(outcome: &Outcome, asked: &Asked) -> JsonObject {
    let mut json = JsonObject::new();
    let path = |path: Option<&Path>| path.map_or(String::new(), |path| path.display().to_string());
    let sum =
        |sum: &Option<crate::gomod::H1>| sum.as_ref().map_or(String::new(), |sum| sum.to_string());
    json.string("Path", outcome.module.path().as_str());
    json.string("Version", outcome.module.version().as_str());
    if let Asked::Query { query, .. } = asked
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
    let origin = match asked {
        Asked::Graph => None,
        Asked::Version => outcome
            .info
            .as_ref()
            .and_then(|info| info.origin.as_deref()),
        Asked::Query { origin, .. } => origin.as_deref(),
    };
    if let Some(origin) = origin {
        json.object("Origin", &origin_json(origin));
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

pub(super) fn origin_json(origin: &Origin) -> JsonObject {
    let mut json = JsonObject::new();
    for (key, value) in origin.fields() {
        json.string(key, value);
    }
    json
}
