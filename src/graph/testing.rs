//! Walks over go.mod texts, for tests.

use std::sync::Arc;

use super::{Loader, WantedGoMod};
use crate::error::{Error, Kind};
use crate::project::GraphSummary;

/// Gives a walk the go.mod files that it asks for, of which there may be some missing; returns what
/// was asked for, in order.
pub(crate) fn provide(
    loader: &mut Loader<'_>,
    go_mod: impl Fn(&WantedGoMod) -> Option<String>,
) -> Vec<String> {
    let mut asked = Vec::new();
    while let Some(wanted) = loader.next_wanted() {
        let name = wanted.resolved.describe();
        let gone = || Error::new(Kind::NotFound, format!("{name}: gone"));
        let text = go_mod(&wanted).ok_or_else(gone);
        let summary = text.and_then(|text| GraphSummary::parse("go.mod", text.as_bytes()));
        loader.provide(&wanted, summary.map(Arc::new));
        asked.push(name);
    }
    asked
}

/// The go.mod of a module among pairs of `path@version` and what it says after its module line.
pub(crate) fn go_mod_among(universe: &[(&str, &str)], wanted: &WantedGoMod) -> Option<String> {
    let name = wanted.module.to_string();
    let (_, text) = universe.iter().find(|(module, _)| *module == name)?;
    Some(format!("module {}\n{text}", wanted.module.path()))
}
