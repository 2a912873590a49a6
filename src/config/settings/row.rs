//! What a row of the table of settings is, and how its value is found.

use std::path::{Path, PathBuf};

use crate::config::flags::Flag;
use crate::config::value::{self, Parsed};
use crate::config::{GoEnv, Origin, RawArgs, Setting};
use crate::error::{Error, Kind, Result};

/// A setting: its flag, and how what is written becomes a value.
#[derive(Debug)]
pub struct SettingRow<T: 'static> {
    /// How it is typed, its variables, its default, what help says.
    pub flag: Flag,
    /// Reads what is written.
    parse: fn(&str) -> Parsed<T>,
    /// Makes paths absolute, seen from the working directory.
    below: fn(T, &Path) -> T,
    /// What decides if nothing of the row does, before the default.
    or_else: fn(&GoEnv) -> Option<Setting<T>>,
}

fn same<T>(value: T, _: &Path) -> T {
    value
}

fn none<T>(_: &GoEnv) -> Option<Setting<T>> {
    None
}

impl<T> SettingRow<T> {
    pub(in crate::config) const fn new(parse: fn(&str) -> Parsed<T>, flag: Flag) -> SettingRow<T> {
        SettingRow {
            flag,
            parse,
            below: same,
            or_else: none,
        }
    }

    pub(in crate::config) const fn below(mut self, below: fn(T, &Path) -> T) -> SettingRow<T> {
        self.below = below;
        self
    }

    pub(in crate::config) const fn or_else(
        mut self,
        or_else: fn(&GoEnv) -> Option<Setting<T>>,
    ) -> SettingRow<T> {
        self.or_else = or_else;
        self
    }

    /// Returns what is written for this setting, by flag, variables or default, and where.
    fn written(&self, flag: Option<&str>, go_env: &GoEnv) -> Setting<String> {
        if let Some(text) = flag {
            return Setting::new(text.to_owned(), Origin::Flag(self.flag.shown()));
        }
        [self.flag.env, self.flag.alias]
            .into_iter()
            .flatten()
            .map(|name| go_env.get(name))
            .find(|found| !found.value.is_empty())
            .unwrap_or_else(|| Setting::new(self.flag.default.to_owned(), Origin::Default))
    }

    fn read(&self, flag: Option<&str>, go_env: &GoEnv) -> Result<Setting<T>> {
        let Setting { value, origin } = self.written(flag, go_env);
        match (self.parse)(&value) {
            Ok(parsed) => Ok(Setting::new(parsed, origin)),
            Err(wanted) => Err(self.refuse(&value, &origin, &wanted)),
        }
    }

    /// Resolves the setting; `cwd` is the directory that paths are seen from.
    ///
    /// # Errors
    /// The value is refused: [`Kind::Usage`] for a flag, [`Kind::Input`] otherwise. The message
    /// names flag or variable, value and what was wanted, a hint names the file.
    pub(in crate::config) fn resolve(
        &self,
        raw: &RawArgs,
        go_env: &GoEnv,
        cwd: &Path,
    ) -> Result<Setting<T>> {
        let joined = self.flag.separator.filter(|_| raw.is_given(&self.flag));
        let joined = joined.map(|with| raw.texts(&self.flag).join(&with.to_string()));
        let typed = joined.as_deref().or_else(|| raw.text(&self.flag));
        let found = self.read(typed, go_env)?;
        let found = match found.origin {
            Origin::Default => (self.or_else)(go_env).unwrap_or(found),
            _ => found,
        };
        Ok(found.map(|value| (self.below)(value, cwd)))
    }

    fn refuse(&self, value: &str, origin: &Origin, wanted: &str) -> Error {
        let (kind, place) = match origin {
            Origin::Flag(flag) => (Kind::Usage, format!("flag {flag}")),
            Origin::Environment(variable) => (Kind::Input, variable.clone()),
            _ => (Kind::Input, self.flag.env.unwrap_or_default().to_owned()),
        };
        let text = format!("invalid value {value:?} for {place}: {wanted}");
        let error = Error::new(kind, text);
        match origin {
            Origin::GoEnvFile(_) | Origin::GoRootFile(_) => {
                error.hint(format!("{place} is set {origin}"))
            }
            _ => error,
        }
    }
}

impl SettingRow<bool> {
    pub(in crate::config) const fn switch(flag: Flag) -> SettingRow<bool> {
        SettingRow::new(value::boolean, flag)
    }
}

impl SettingRow<Option<PathBuf>> {
    /// A file, which is none if nothing is written.
    pub(in crate::config) const fn file(flag: Flag) -> SettingRow<Option<PathBuf>> {
        SettingRow::new(value::file, flag).below(|file, cwd| file.map(|file| cwd.join(file)))
    }
}

impl SettingRow<Vec<PathBuf>> {
    /// Directories, separated by colons in the variable.
    pub(in crate::config) const fn directories(flag: Flag) -> SettingRow<Vec<PathBuf>> {
        let join_all = |dirs: Vec<PathBuf>, cwd: &Path| -> Vec<PathBuf> {
            dirs.into_iter().map(|dir| cwd.join(dir)).collect()
        };
        SettingRow::new(value::directories, flag).below(join_all)
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

/// A row whose type of value does not matter.
pub(super) trait AnySetting {
    /// See [`SettingRow::flag`].
    #[cfg(test)]
    fn flag(&self) -> &Flag;
    /// What environment and files say.
    fn own_value(&self, go_env: &GoEnv) -> OwnValue;
}

impl<T> AnySetting for SettingRow<T> {
    #[cfg(test)]
    fn flag(&self) -> &Flag {
        &self.flag
    }

    fn own_value(&self, go_env: &GoEnv) -> OwnValue {
        let written = self.written(None, go_env);
        OwnValue {
            variable: self.flag.env.unwrap_or_default(),
            changed: written.value != self.flag.default,
            refused: self.read(None, go_env).err(),
            written,
        }
    }
}

/// Makes a section from its rows: a `static` for each, the struct of their values and the group of their flags.
macro_rules! settings {
    (
        $(#[$struct_doc:meta])* struct $section:ident;
        ungrouped;
        $( $(#[$doc:meta])* $field:ident: $type:ty = $row:ident, $value:expr; )*
    ) => {
        $( $(#[$doc])* pub static $row: SettingRow<$type> = $value; )*

        $(#[$struct_doc])*
        #[derive(Clone, Debug)]
        pub struct $section {
            $( $(#[$doc])* pub $field: $crate::config::Setting<$type>, )*
        }

        impl $section {
            /// The rows, for those who list settings.
            pub(super) const ROWS: &[&'static (dyn super::row::AnySetting + Sync)] = &[ $( &$row, )* ];

            /// Resolves each setting, and refuses the first that is written wrong.
            pub(in crate::config) fn resolve(
                raw: &$crate::config::RawArgs,
                go_env: &$crate::config::GoEnv,
                cwd: &std::path::Path,
            ) -> $crate::error::Result<$section> {
                Ok($section { $( $field: $row.resolve(raw, go_env, cwd)?, )* })
            }
        }
    };
    (
        $(#[$struct_doc:meta])* struct $section:ident;
        $(#[$group_doc:meta])* group $group:ident = $title:literal $(also [$($also:expr),*])?;
        $( $(#[$doc:meta])* $field:ident: $type:ty = $row:ident, $value:expr; )*
    ) => {
        settings! {
            $(#[$struct_doc])* struct $section;
            ungrouped;
            $( $(#[$doc])* $field: $type = $row, $value; )*
        }

        $(#[$group_doc])*
        pub static $group: $crate::config::flags::FlagGroup = $crate::config::flags::FlagGroup {
            title: $title,
            flags: &[ $($($also,)*)? $( &$row.flag, )* ],
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;
    use crate::config::settings::*;

    fn go_env(pairs: &[(&str, &str)]) -> GoEnv {
        GoEnv::load(&Environment::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn flag_beats_variable_beats_alias_beats_default() {
        let alias = [("GOMODCONCURRENT", "3")];
        let both = [("GOMODCONCURRENT", "3"), ("MODFETCH_JOBS", "5")];
        let resolve =
            |flag, pairs: &[(&str, &str)]| JOBS.read(flag, &go_env(pairs)).expect("a good number");
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
            Setting::new(7, Origin::Flag("--jobs".into()))
        );
    }

    #[test]
    fn refusals_name_place_value_and_wish() {
        let none = go_env(&[]);
        let error = JOBS.read(Some("0"), &none).expect_err("zero");
        assert_eq!(
            error.chain(),
            "invalid value \"0\" for flag --jobs: want a whole number from 1 to 1024"
        );
        assert_eq!(error.kind(), Kind::Usage);

        let error = JOBS
            .read(None, &go_env(&[("GOMODCONCURRENT", "many")]))
            .expect_err("no number");
        assert_eq!(
            error.chain(),
            "invalid value \"many\" for GOMODCONCURRENT: want a whole number from 1 to 1024"
        );
        assert_eq!(error.kind(), Kind::Input);
        assert!(OFFLINE.read(Some("yes"), &none).is_err());
        assert!(STALL_TIMEOUT.read(Some("0"), &none).is_err());
        assert!(CONNECT_TIMEOUT.read(Some("25h"), &none).is_err());
        assert!(TIMEOUT.read(Some("-1s"), &none).is_err());
        assert_eq!(TIMEOUT.read(Some("0s"), &none).unwrap().value, None);
        assert!(RETRIES.read(Some("101"), &none).is_err());
        assert!(PROGRESS.read(Some(""), &none).is_err());
        assert!(COLOR.read(Some("Auto"), &none).is_err());
        assert!(LOG.read(Some("xml"), &none).is_err());
    }

    #[test]
    fn every_default_is_accepted_and_a_refused_variable_is_listed() {
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
