//! Go's variables: process environment over `GOENV` file over `$GOROOT/go.env` over built-in.
//!
//! Nothing here refuses a value: `env` must be able to print what is wrong. [`super::Config`]
//! is the strict reading.
//!
//! Source: go `cmd/go/internal/cfg/cfg.go` (`Getenv`, `EnvFile`, `initEnvCache`,
//! `EnvOrAndChanged`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Environment, Origin, Setting, env_file, known};
use crate::fsio::{clean_path, join_path};
use crate::system;
use crate::{Error, Kind, Result};

/// What `go.env` says in a Go distribution: modfetch needs no GOROOT to know it.
const BUILT_IN: [(&str, &str); 3] = [
    ("GOPROXY", "https://proxy.golang.org,direct"),
    ("GOSUMDB", "sum.golang.org"),
    ("GOTOOLCHAIN", "auto"),
];

/// A file of variables and what it said when it was read.
#[derive(Clone, Debug, Default)]
struct Layer {
    path: PathBuf,
    variables: BTreeMap<String, String>,
}

impl Layer {
    /// Reads a file; as for go, one that cannot be read says nothing.
    fn read(path: PathBuf) -> Layer {
        let variables = fs::read(&path)
            .map(|data| env_file::parse(&data))
            .unwrap_or_default();
        Layer { path, variables }
    }
}

/// The value of a Go variable and whether it differs from what an empty environment gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoValue {
    /// The value and where it was decided.
    pub setting: Setting<String>,
    /// What `go env -changed` goes by.
    pub changed: bool,
}

/// Go's settings as environment and files give them, before anything is judged.
#[derive(Clone, Debug)]
pub struct GoEnv {
    environment: Environment,
    user: Layer,
    goroot: Layer,
    /// GOROOT as the user's file gives it, for [`GoEnv::get`].
    file_goroot: Option<String>,
}

impl GoEnv {
    /// Reads the files that the environment leads to. Never fails: a missing or unreadable file
    /// says nothing, as it does for go.
    #[must_use]
    pub fn load(environment: &Environment) -> GoEnv {
        let mut user = env_file_path(environment)
            .ok()
            .map(|found| Layer::read(PathBuf::from(found.value)))
            .unwrap_or_default();
        // For the place of go.env the file's GOROOT wins over the environment's.
        let file_goroot = user
            .variables
            .remove("GOROOT")
            .filter(|root| !root.is_empty())
            .map(|root| clean_path(&root));
        let root = file_goroot
            .clone()
            .or_else(|| environment.get("GOROOT").map(clean_path));
        let goroot = root
            .map(|root| Layer::read(PathBuf::from(join_path(&root, "go.env"))))
            .unwrap_or_default();
        GoEnv {
            environment: environment.clone(),
            user,
            goroot,
            file_goroot,
        }
    }

    /// The process environment underneath.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Returns a variable's value, empty if nothing sets it, and where it was decided.
    ///
    /// A line `NAME=` of the user's file hides go.env and the built-in value, as it does in go.
    #[must_use]
    pub fn get(&self, name: &str) -> Setting<String> {
        if let Some(value) = self.environment.get(name) {
            return Setting::new(value.to_owned(), Origin::Environment(name.to_owned()));
        }
        if name == "GOROOT" {
            return match &self.file_goroot {
                Some(root) => Setting::new(root.clone(), Origin::GoEnvFile(self.user.path.clone())),
                None => Setting::new(String::new(), Origin::Default),
            };
        }
        if let Some(value) = self.user.variables.get(name) {
            return Setting::new(value.clone(), Origin::GoEnvFile(self.user.path.clone()));
        }
        if let Some(value) = self.goroot.variables.get(name) {
            return Setting::new(value.clone(), Origin::GoRootFile(self.goroot.path.clone()));
        }
        let value = built_in(name).unwrap_or_default();
        Setting::new(value.to_owned(), Origin::Default)
    }

    /// True if go knows the variable, or a file sets it: what `env -w` accepts.
    #[must_use]
    pub fn is_known(&self, name: &str) -> bool {
        known::is_go_variable(name)
            || self.user.variables.contains_key(name)
            || self.goroot.variables.contains_key(name)
    }

    /// Returns the value or, if that is empty, a default that has its own origin.
    #[must_use]
    pub fn get_or(&self, name: &str, default: Setting<String>) -> GoValue {
        let setting = self.get(name);
        if setting.value.is_empty() {
            return GoValue {
                setting: default,
                changed: false,
            };
        }
        let usual = self
            .goroot
            .variables
            .get(name)
            .map(String::as_str)
            .or_else(|| built_in(name))
            .unwrap_or(&default.value);
        let changed = setting.value != usual;
        GoValue { setting, changed }
    }

    /// Returns the value of one variable that is changed if it is not empty.
    #[must_use]
    pub fn get_plain(&self, name: &str) -> GoValue {
        self.get_or(name, Setting::new(String::new(), Origin::Default))
    }

    /// Returns where the user's file is: `GOENV`, else `go/env` in the user's configuration
    /// directory. The file need not exist.
    ///
    /// # Errors
    /// There is none: `GOENV=off`, or no directory is known. The texts are go's.
    pub fn env_file_path(&self) -> Result<Setting<String>> {
        env_file_path(&self.environment)
    }

    /// Returns GOPATH; by default `go` in the home directory.
    ///
    /// The value of the process environment counts as the default when go decides what is
    /// changed, so only the user's file can change GOPATH.
    #[must_use]
    pub fn gopath(&self) -> GoValue {
        let default = match self.environment.get("GOPATH") {
            Some(value) => Setting::new(value.to_owned(), Origin::Environment("GOPATH".to_owned())),
            None => Setting::new(self.default_gopath(), Origin::Default),
        };
        self.get_or("GOPATH", default)
    }

    fn default_gopath(&self) -> String {
        let Some(home) = self.environment.get(system::HOME) else {
            return String::new();
        };
        let path = join_path(home, "go");
        let is_goroot = |root: &str| clean_path(root) == path;
        if self.environment.get("GOROOT").is_some_and(is_goroot) {
            return String::new();
        }
        path
    }

    /// Joins the first entry of GOPATH with a path, or returns `None` if there is no entry.
    #[must_use]
    pub fn in_gopath(&self, rest: &str) -> Option<Setting<String>> {
        let gopath = self.gopath().setting;
        let first = gopath
            .value
            .split(system::LIST_SEPARATOR)
            .next()
            .unwrap_or_default();
        if first.is_empty() {
            return None;
        }
        let joined = join_path(first, rest);
        Some(Setting::new(joined, gopath.origin))
    }

    /// Returns GOMODCACHE; by default `pkg/mod` in the first entry of GOPATH, or empty.
    #[must_use]
    pub fn gomodcache(&self) -> GoValue {
        let default = self
            .in_gopath("pkg/mod")
            .unwrap_or_else(|| Setting::new(String::new(), Origin::Default));
        self.get_or("GOMODCACHE", default)
    }

    /// Returns GOCACHE, go's build cache: by default `go-build` in the user's cache directory,
    /// or `off` if there is none.
    ///
    /// Source: go `cmd/go/internal/cache/default.go`; Go `os.UserCacheDir`.
    #[must_use]
    pub fn gocache(&self) -> GoValue {
        let directory = system::user_cache_dir(|name| self.environment.get(name));
        let default = match directory {
            Some(directory) => join_path(&directory, "go-build"),
            None => "off".to_owned(),
        };
        self.get_or("GOCACHE", Setting::new(default, Origin::Default))
    }

    /// Returns GONOPROXY or GONOSUMDB, whose default is GOPRIVATE.
    #[must_use]
    pub fn or_goprivate(&self, name: &str) -> GoValue {
        self.get_or(name, self.get("GOPRIVATE"))
    }

    /// Returns the directory of temporary files: `TMPDIR`, else `/tmp`; as Windows has it there.
    #[must_use]
    pub fn temp_dir(&self) -> &Path {
        let (names, without) = system::TEMPORARY;
        let set = names.iter().find_map(|name| self.environment.get(name));
        Path::new(set.unwrap_or(without))
    }

    /// Checks GOPATH as the go command does before it runs anything.
    ///
    /// # Errors
    /// [`Kind::Input`]: an entry is relative or starts with `~`, and was set, not derived from
    /// the home directory.
    pub fn check_gopath(&self) -> Result<()> {
        let Setting { value, origin } = self.gopath().setting;
        for entry in value
            .split(system::LIST_SEPARATOR)
            .filter(|entry| !entry.is_empty())
        {
            let what = if entry.starts_with('~') {
                format!("GOPATH entry cannot start with shell metacharacter '~': {entry:?}")
            } else if !system::is_absolute(entry) && origin != Origin::Default {
                format!(
                    "GOPATH entry is relative; must be absolute path: {entry:?}.\nFor more details see: 'go help gopath'"
                )
            } else {
                continue;
            };
            return Err(Error::new(Kind::Input, what).hint(format!("GOPATH is set {origin}")));
        }
        Ok(())
    }
}

fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|&(_, value)| value)
}

/// See [`GoEnv::env_file_path`].
fn env_file_path(environment: &Environment) -> Result<Setting<String>> {
    match environment.get("GOENV") {
        Some("off") => return Err(Error::new(Kind::Input, "GOENV=off")),
        Some(path) => {
            let origin = Origin::Environment("GOENV".to_owned());
            return Ok(Setting::new(path.to_owned(), origin));
        }
        None => {}
    }
    let directory = system::user_config_dir(|name| environment.get(name));
    let directory = directory.map_err(|what| Error::new(Kind::Input, what))?;
    let path = join_path(&directory, "go/env");
    Ok(Setting::new(path, Origin::Default))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> GoEnv {
        GoEnv::load(&Environment::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn environment_beats_file_beats_goroot_beats_built_in() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let at = |name: &str| dir.path().join(name).to_str().expect("unicode").to_owned();
        fs::write(at("env"), "GOPROXY=file\nGOSUMDB=\nGOVCS=x:off\n").expect("writes");
        fs::write(
            at("go.env"),
            "# c\nGOPROXY=root\nGOAUTH=off\nGOSUMDB=root\n",
        )
        .expect("writes");
        let (file, root) = (at("env"), at(""));

        let none = load(&[]);
        assert_eq!(
            none.get("GOPROXY"),
            Setting::new("https://proxy.golang.org,direct".into(), Origin::Default)
        );
        let goroot = load(&[("GOROOT", &root)]);
        assert_eq!(
            goroot.get("GOPROXY"),
            Setting::new("root".into(), Origin::GoRootFile(at("go.env").into()))
        );
        assert!(
            !goroot.get_plain("GOPROXY").changed,
            "go.env is the default"
        );

        let user = load(&[("GOROOT", &root), ("GOENV", &file), ("GOVCS", "")]);
        let from_file = Origin::GoEnvFile(file.clone().into());
        assert_eq!(
            user.get("GOPROXY"),
            Setting::new("file".into(), from_file.clone())
        );
        assert!(user.get_plain("GOPROXY").changed);
        // Empty in the process environment is unset; empty in the file hides what is below.
        assert_eq!(user.get("GOVCS").origin, from_file);
        assert_eq!(user.get("GOSUMDB").value, "");
        assert_eq!(user.get("GOAUTH").value, "off");

        let process = load(&[("GOENV", &file), ("GOPROXY", "off")]);
        assert_eq!(
            process.get("GOPROXY"),
            Setting::new("off".into(), Origin::Environment("GOPROXY".into()))
        );
        assert_eq!(load(&[("GOENV", "off")]).get("GOVCS").value, "");
    }

    #[test]
    fn goroot_of_the_file_leads_to_go_env() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let root = dir.path().to_str().expect("unicode");
        let file = format!("{root}/env");
        fs::write(&file, format!("GOROOT={root}/x/..\n")).expect("writes");
        fs::write(format!("{root}/go.env"), "GOPROXY=root\nGOROOT=/other\n").expect("writes");
        let env = load(&[("GOENV", &file)]);
        assert_eq!(env.get("GOROOT").value, root);
        assert_eq!(env.get("GOPROXY").value, "root");
        let env = load(&[("GOENV", &file), ("GOROOT", "/none/")]);
        assert_eq!(env.get("GOROOT").value, "/none/");
        assert_eq!(env.get("GOPROXY").value, "root");
    }

    #[test]
    fn private_patterns_are_the_default_and_keep_their_origin() {
        let env = load(&[("GOPRIVATE", "a.com"), ("GONOSUMDB", "none")]);
        let noproxy = env.or_goprivate("GONOPROXY");
        assert_eq!(
            noproxy.setting,
            Setting::new("a.com".into(), Origin::Environment("GOPRIVATE".into()))
        );
        assert!(!noproxy.changed);
        let nosumdb = env.or_goprivate("GONOSUMDB");
        assert_eq!(nosumdb.setting.value, "none");
        assert!(nosumdb.changed);
    }

    #[test]
    fn the_file_is_found_as_go_finds_it() {
        let table = [
            (vec![("HOME", "/h")], Ok("/h/.config/go/env")),
            (
                vec![("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")],
                Ok("/x/go/env"),
            ),
            (vec![("GOENV", "rel")], Ok("rel")),
            (vec![("GOENV", "off"), ("HOME", "/h")], Err("GOENV=off")),
            (
                vec![("XDG_CONFIG_HOME", "x"), ("HOME", "/h")],
                Err("path in $XDG_CONFIG_HOME is relative"),
            ),
            (
                vec![],
                Err("neither $XDG_CONFIG_HOME nor $HOME are defined"),
            ),
        ];
        if cfg!(target_os = "macos") {
            return;
        }
        for (pairs, want) in table {
            let found = load(&pairs).env_file_path();
            let found = found.map(|f| f.value).map_err(|e| e.chain());
            assert_eq!(found.as_deref().map_err(String::as_str), want, "{pairs:?}");
        }
    }

    #[test]
    fn gopath_and_module_cache_follow_home() {
        // Wanted values are what `go env GOPATH GOMODCACHE` of go1.26.8 prints.
        type Row = (
            &'static [(&'static str, &'static str)],
            &'static str,
            &'static str,
        );
        let table: &[Row] = &[
            (&[("HOME", "/h")], "/h/go", "/h/go/pkg/mod"),
            (&[("HOME", "/h/../x//")], "/x/go", "/x/go/pkg/mod"),
            (&[], "", ""),
            (&[("GOPATH", "/a/:/b")], "/a/:/b", "/a/pkg/mod"),
            (&[("GOPATH", ":/b")], ":/b", ""),
            (&[("GOPATH", "/a"), ("GOMODCACHE", "rel")], "/a", "rel"),
            (&[("HOME", "/h"), ("GOROOT", "/h/go/")], "", ""),
        ];
        for (pairs, gopath, gomodcache) in table {
            let env = load(pairs);
            assert_eq!(env.gopath().setting.value, *gopath, "{pairs:?}");
            assert_eq!(env.gomodcache().setting.value, *gomodcache, "{pairs:?}");
        }
    }

    #[test]
    fn a_gopath_that_was_set_must_be_absolute() {
        let chain = |value| {
            let env = load(&[("GOPATH", value)]);
            env.check_gopath().map_err(|error| error.chain())
        };
        assert_eq!(chain("/a::/b"), Ok(()));
        assert_eq!(
            chain("/b:rel"),
            Err("GOPATH entry is relative; must be absolute path: \"rel\".\nFor more details see: 'go help gopath'".to_owned())
        );
        assert_eq!(
            chain("~/x"),
            Err("GOPATH entry cannot start with shell metacharacter '~': \"~/x\"".to_owned())
        );
        assert!(load(&[("HOME", "rel")]).check_gopath().is_ok(), "derived");
    }
}
