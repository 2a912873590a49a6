//! Versions in go.mod that are none: branches, commits, `v1.2` for the newest v1.2.x.
//!
//! Source: golang/go `cmd/go/internal/modload/init.go`, `fixVersion`.

use super::session::{Session, SessionOptions};
use crate::cache::Cache;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::fetch::{Keep, QueryResolver, ReleaseResolver, VersionFilter, VersionQuery};
use crate::gomod::{ModulePath, Tool, Version};
use crate::project::ReplaceRules;
use crate::report::Console;

/// Who answers them. Most go.mod files ask nothing, and nothing is opened for them.
pub(super) struct Queries<'c> {
    config: &'c Config,
    console: &'c Console,
    session: Option<Session<'c>>,
}

impl<'c> Queries<'c> {
    pub(super) fn new(config: &'c Config, console: &'c Console) -> Queries<'c> {
        Queries {
            config,
            console,
            session: None,
        }
    }

    /// The version that a text stands for, retracted or not. What go.mod replaces and excludes does
    /// not count yet: it is only being read.
    ///
    /// # Errors
    /// Those of the query.
    pub(super) fn answer(&mut self, path: &str, text: &str) -> Result<Version> {
        let session = match &mut self.session {
            Some(session) => session,
            none => none.insert(Queries::open(self.config, self.console)?),
        };
        let run = session.run(session.options());
        if let Some(tool) = Tool::of(path) {
            let found = ReleaseResolver::new(&run).written_release(tool, text);
            session.settle(&run);
            let version = found?.version;
            // It is a version, but none that a requirement may have.
            let text = format!("{path}@{version}: invalid version: should be v0 or v1, not ");
            return Err(Error::new(Kind::Input, text));
        }
        let query = VersionQuery {
            path: ModulePath::parse(path)?,
            query: text.to_owned(),
            current: None,
            filter: VersionFilter::All,
        };
        let rules = ReplaceRules::default();
        let answers = QueryResolver::new(&run, &rules).resolve(&[query]);
        session.settle(&run);
        let answer = answers?.into_iter().next();
        let none = || Error::new(Kind::Other, format!("{path}@{text}"));
        // There is an answer to each question.
        let answer = answer.ok_or_else(none)?;
        let found = answer.map_err(|unresolved| unresolved.error)?;
        Ok(found.module.version().clone())
    }

    fn open(config: &'c Config, console: &'c Console) -> Result<Session<'c>> {
        let cache = Cache::at(&config.gomodcache.value)?;
        SessionOptions::new(config, console, cache)
            .keep(Keep::IfPossible)
            .open()
    }
}
