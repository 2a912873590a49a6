//! modfetch's own settings: each long flag that has a `MODFETCH_` variable, where it is looked
//! for and how a refusal reads. `settings` is the table of them, `value` judges what is written.

mod settings;
mod value;

pub(in crate::config) use settings::*;
use value::Parsed;
pub use value::{Color, Log, Progress, parse_bool, parse_duration};

use super::{GoEnv, Origin, Setting};
use crate::{Error, Kind, Result};

/// A setting of modfetch's own: how it is named, what it is unless set, and how it is read.
#[derive(Debug)]
pub(in crate::config) struct OwnSetting<T: 'static> {
    /// The flag, dashes included.
    pub(in crate::config) flag: &'static str,
    /// The environment variable; it may stand in the `GOENV` file as well.
    pub(in crate::config) variable: &'static str,
    /// Another variable that decides if `variable` does not.
    pub(in crate::config) alias: Option<&'static str>,
    /// The value if nothing sets it, as it would be written.
    pub(in crate::config) default: &'static str,
    parse: fn(&str) -> Parsed<T>,
}

impl<T> OwnSetting<T> {
    /// Returns what is written for this setting, by flag, variable, alias or default, and where.
    fn written(&self, flag: Option<&str>, go_env: &GoEnv) -> Setting<String> {
        if let Some(text) = flag {
            return Setting::new(text.to_owned(), Origin::Flag(self.flag));
        }
        [Some(self.variable), self.alias]
            .into_iter()
            .flatten()
            .map(|name| go_env.get(name))
            .find(|found| !found.value.is_empty())
            .unwrap_or_else(|| Setting::new(self.default.to_owned(), Origin::Default))
    }

    /// Resolves the setting; `flag` is what was typed, if anything was.
    ///
    /// # Errors
    /// The value is refused: [`Kind::Usage`] for a flag, [`Kind::Input`] otherwise. The message
    /// names flag or variable, value and what was wanted, a hint names the file.
    pub(in crate::config) fn resolve(
        &self,
        flag: Option<&str>,
        go_env: &GoEnv,
    ) -> Result<Setting<T>> {
        let Setting { value, origin } = self.written(flag, go_env);
        match (self.parse)(&value) {
            Ok(parsed) => Ok(Setting::new(parsed, origin)),
            Err(wanted) => Err(self.refuse(&value, &origin, &wanted)),
        }
    }

    fn refuse(&self, value: &str, origin: &Origin, wanted: &str) -> Error {
        let (kind, place) = match origin {
            Origin::Flag(flag) => (Kind::Usage, format!("flag {flag}")),
            Origin::Environment(variable) => (Kind::Input, variable.clone()),
            _ => (Kind::Input, self.variable.to_owned()),
        };
        let error = Error::new(
            kind,
            format!("invalid value {value:?} for {place}: {wanted}"),
        );
        match origin {
            Origin::GoEnvFile(_) | Origin::GoRootFile(_) => {
                error.hint(format!("{place} is set {origin}"))
            }
            _ => error,
        }
    }
}

/// One line of what `env` prints about modfetch's own settings.
#[derive(Clone, Debug)]
pub struct OwnValue {
    /// The variable.
    pub variable: &'static str,
    /// The value as it was written.
    pub written: Setting<String>,
    /// True if it differs from the default.
    pub changed: bool,
    /// Why a run would refuse it.
    pub refused: Option<Error>,
}

/// Lists modfetch's own settings as environment and files give them, refused values too.
#[must_use]
pub fn own_values(go_env: &GoEnv) -> Vec<OwnValue> {
    fn row<T>(setting: &OwnSetting<T>, go_env: &GoEnv) -> OwnValue {
        let written = setting.written(None, go_env);
        OwnValue {
            variable: setting.variable,
            changed: written.value != setting.default,
            refused: setting.resolve(None, go_env).err(),
            written,
        }
    }
    let mut rows = vec![
        row(&JOBS, go_env),
        row(&JOBS_PER_HOST, go_env),
        row(&MAX_REQUESTS_PER_SECOND, go_env),
        row(&LIMIT_RATE, go_env),
        row(&RETRIES, go_env),
        row(&CONNECT_TIMEOUT, go_env),
        row(&STALL_TIMEOUT, go_env),
        row(&LOCK_TIMEOUT, go_env),
        row(&RO_CACHE, go_env),
        row(&RETRY_MAX_TIME, go_env),
        row(&TIMEOUT, go_env),
        row(&ALLOW_INSECURE_AUTH, go_env),
        row(&WAIT_PUBLISHED, go_env),
        row(&GO_VERSION, go_env),
        row(&PROGRESS, go_env),
        row(&COLOR, go_env),
        row(&LOG, go_env),
    ];
    for setting in [&NETRC_FILE, &CACERT, &CLIENT_CERT, &CLIENT_KEY] {
        rows.push(row(setting, go_env));
    }
    for setting in [
        &OFFLINE,
        &LOCKED,
        &FAIL_FAST,
        &QUIET,
        &VERBOSE,
        &STATS,
        &GO_EXIT_CODES,
    ] {
        rows.push(row(setting, go_env));
    }
    rows.sort_by_key(|row| row.variable);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    fn go_env(pairs: &[(&str, &str)]) -> GoEnv {
        GoEnv::load(&Environment::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn flag_beats_variable_beats_alias_beats_default() {
        let alias = [("GOMODCONCURRENT", "3")];
        let both = [("GOMODCONCURRENT", "3"), ("MODFETCH_JOBS", "5")];
        let resolve = |flag, pairs: &[(&str, &str)]| {
            JOBS.resolve(flag, &go_env(pairs)).expect("a good number")
        };
        assert_eq!(resolve(None, &[]), Setting::new(64, Origin::Default));
        assert_eq!(
            resolve(None, &alias),
            Setting::new(3, Origin::Environment("GOMODCONCURRENT".into()))
        );
        assert_eq!(
            resolve(None, &both),
            Setting::new(5, Origin::Environment("MODFETCH_JOBS".into()))
        );
        assert_eq!(
            resolve(Some("7"), &both),
            Setting::new(7, Origin::Flag("--jobs"))
        );
    }

    #[test]
    fn refusals_name_place_value_and_wish() {
        let error = JOBS.resolve(Some("0"), &go_env(&[])).expect_err("zero");
        assert_eq!(
            error.chain(),
            "invalid value \"0\" for flag --jobs: want a whole number from 1 to 1024"
        );
        assert_eq!(error.kind(), Kind::Usage);

        let error = JOBS
            .resolve(None, &go_env(&[("GOMODCONCURRENT", "many")]))
            .expect_err("no number");
        assert_eq!(
            error.chain(),
            "invalid value \"many\" for GOMODCONCURRENT: want a whole number from 1 to 1024"
        );
        assert_eq!(error.kind(), Kind::Input);
        assert!(OFFLINE.resolve(Some("yes"), &go_env(&[])).is_err());
        assert!(STALL_TIMEOUT.resolve(Some("0"), &go_env(&[])).is_err());
        assert!(CONNECT_TIMEOUT.resolve(Some("25h"), &go_env(&[])).is_err());
        assert!(TIMEOUT.resolve(Some("-1s"), &go_env(&[])).is_err());
        assert_eq!(
            TIMEOUT.resolve(Some("0s"), &go_env(&[])).unwrap().value,
            None
        );
        assert!(RETRIES.resolve(Some("101"), &go_env(&[])).is_err());
        assert!(PROGRESS.resolve(Some(""), &go_env(&[])).is_err());
        assert!(COLOR.resolve(Some("Auto"), &go_env(&[])).is_err());
        assert!(LOG.resolve(Some("xml"), &go_env(&[])).is_err());
    }

    #[test]
    fn every_default_is_accepted_and_every_variable_mirrors_its_flag() {
        for row in own_values(&go_env(&[])) {
            assert!(row.refused.is_none(), "{row:?}");
            assert!(
                !row.changed && row.written.origin == Origin::Default,
                "{row:?}"
            );
        }
        let rows = own_values(&go_env(&[("MODFETCH_COLOR", "blue")]));
        let row = rows.iter().find(|row| row.variable == "MODFETCH_COLOR");
        let row = row.expect("it is listed");
        assert!(row.changed);
        assert!(row.refused.is_some());
    }
}
