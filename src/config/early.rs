//! [`EarlyOutput`]: how a failure is printed that comes before there is a [`super::Config`].

use std::path::Path;

use super::settings::{GO_EXIT_CODES, LOG};
use super::{GoEnv, Log, RawArgs};

/// The settings that decide how the failure to resolve the settings is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlyOutput {
    /// The form of messages.
    pub log: Log,
    /// Exit with 0, 1 or 2 only.
    pub go_exit_codes: bool,
}

impl EarlyOutput {
    /// Resolves them as [`super::Config::resolve`] does, but a value that is refused counts as
    /// not given: that failure is printed in its turn.
    #[must_use]
    pub fn resolve(go_env: &GoEnv, raw: &RawArgs) -> EarlyOutput {
        let nowhere = Path::new("");
        let log = LOG.resolve(raw, go_env, nowhere);
        let go_exit_codes = GO_EXIT_CODES.resolve(raw, go_env, nowhere);
        EarlyOutput {
            log: log.map_or(Log::Text, |found| found.value),
            go_exit_codes: go_exit_codes.is_ok_and(|found| found.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[test]
    fn flag_beats_variable_and_what_is_refused_counts_as_default() {
        let early = |log: Option<&str>, go_exit_codes: Option<&str>, pairs: &[(&str, &str)]| {
            let log = log.map(|text| (&LOG.flag, text));
            let go_exit_codes = go_exit_codes.map(|text| (&GO_EXIT_CODES.flag, text));
            let raw = RawArgs::with(log.into_iter().chain(go_exit_codes));
            let environment = Environment::from_pairs(pairs.iter().copied());
            let early = EarlyOutput::resolve(&GoEnv::load(&environment), &raw);
            (early.log, early.go_exit_codes)
        };
        let (on, off) = (Some("true"), Some("false"));
        let set = [("MODFETCH_LOG", "json"), ("MODFETCH_GO_EXIT_CODES", "1")];
        let wrong = [("MODFETCH_LOG", "xml"), ("MODFETCH_GO_EXIT_CODES", "x")];
        assert_eq!(early(None, None, &[]), (Log::Text, false));
        assert_eq!(early(None, None, &set), (Log::Json, true));
        assert_eq!(early(None, None, &wrong), (Log::Text, false));
        assert_eq!(early(Some("text"), off, &set), (Log::Text, false));
        assert_eq!(early(Some("json"), on, &wrong), (Log::Json, true));
        assert_eq!(early(Some("xml"), None, &set), (Log::Text, true));
    }
}
