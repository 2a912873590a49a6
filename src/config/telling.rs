//! [`Telling`]: how a failure is told that comes before there is a [`super::Config`].

use super::own;
use super::{Environment, GoEnv, Log};
use crate::cli::RawArgs;

/// The settings that decide how the failure to find out the settings is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Telling {
    /// The form of messages.
    pub log: Log,
    /// Exit with 0, 1 or 2 only.
    pub go_exit_codes: bool,
}

impl Telling {
    /// Resolves them as [`super::Config::resolve`] does, but a value that is refused counts as
    /// not given: that is a failure to be told in its turn.
    #[must_use]
    pub fn resolve(env: &Environment, flags: &RawArgs) -> Telling {
        let go_env = GoEnv::load(env);
        let go_exit_codes = flags
            .go_exit_codes
            .map(|on| if on { "true" } else { "false" });
        let go_exit_codes = own::GO_EXIT_CODES.resolve(go_exit_codes, &go_env);
        let log = own::LOG.resolve(flags.log.as_deref(), &go_env);
        Telling {
            log: log.map_or(Log::Text, |found| found.value),
            go_exit_codes: go_exit_codes.is_ok_and(|found| found.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_beats_variable_and_what_is_refused_counts_as_default() {
        let telling = |log: Option<&str>, go_exit_codes, pairs: &[(&str, &str)]| {
            let flags = RawArgs {
                log: log.map(str::to_owned),
                go_exit_codes,
                ..RawArgs::default()
            };
            let env = Environment::from_pairs(pairs.iter().copied());
            let told = Telling::resolve(&env, &flags);
            (told.log, told.go_exit_codes)
        };
        let set = [("MODFETCH_LOG", "json"), ("MODFETCH_GO_EXIT_CODES", "1")];
        let wrong = [("MODFETCH_LOG", "xml"), ("MODFETCH_GO_EXIT_CODES", "x")];
        assert_eq!(telling(None, None, &[]), (Log::Text, false));
        assert_eq!(telling(None, None, &set), (Log::Json, true));
        assert_eq!(telling(None, None, &wrong), (Log::Text, false));
        assert_eq!(telling(Some("text"), Some(false), &set), (Log::Text, false));
        assert_eq!(telling(Some("json"), Some(true), &wrong), (Log::Json, true));
        assert_eq!(telling(Some("xml"), None, &set), (Log::Text, true));
    }
}
