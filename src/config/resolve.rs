//! How a [`Config`] comes about: each setting judged, and with its origin.

use std::path::{Path, PathBuf};

use super::effective::Config;
use super::flags::{self, Flag};
use super::project;
use super::settings::{
    ConnectionSettings, DownloadSettings, GlobalSettings, LockSettings, OutputSettings,
    ProjectSettings, ServeOptions, TransferSettings,
};
use super::toolchain::toolchain;
use super::{Environment, GoEnv, GoFlags, Origin, Overlay, RawArgs, Setting};
use crate::system::{HOME, LIST_SEPARATOR, is_absolute};
use crate::{Error, Kind, Result};

impl Config {
    /// Resolves every setting: flag over GOFLAGS over process environment over `GOENV` file over
    /// `$GOROOT/go.env` over default.
    ///
    /// `raw` is what was typed: its values are judged by the parsers that judge the variables. `go_flags` are
    /// the flags of the command that GOFLAGS may set. `cwd` is absolute, with `-C` applied. Reads the file of
    /// `-overlay` and nothing else.
    ///
    /// # Errors
    /// A value is refused: [`Kind::Usage`] if it was typed as a flag, [`Kind::Input`] otherwise;
    /// the message names flag or variable and value. There is no module cache directory.
    pub fn resolve(
        go_env: &GoEnv,
        raw: &RawArgs,
        go_flags: &[&'static Flag],
        cwd: &Path,
    ) -> Result<Config> {
        let env = go_env.environment();
        env.require_unicode(matters)?;
        go_env.check_gopath()?;
        let goflags = GoFlags::parse(go_env.get("GOFLAGS"))?;
        goflags.refuse_chdir()?;
        let raw = goflags.add_to(raw, go_flags)?;
        let origin = |flag: &Flag| match raw.is_typed(flag) {
            true => Origin::Flag(flag.shown()),
            false => goflags.words().origin.clone(),
        };
        let switch = |flag: &Flag| match raw.switch(flag) {
            Some(on) => Setting::new(on, origin(flag)),
            None => Setting::new(false, Origin::Default),
        };
        let text = |flag: &Flag| {
            let text = raw.text(flag)?;
            Some(Setting::new(text.to_owned(), origin(flag)))
        };
        let goauth = go_env.get_or("GOAUTH", Setting::new("netrc".into(), Origin::Default));
        let mode = project::module_mode(go_env)?;
        project::find_go_work(Path::new(""), go_env, &Overlay::default())?;
        let project = ProjectSettings::resolve(&raw, go_env, cwd)?;

        Ok(Config {
            cwd: cwd.to_owned(),
            goproxy: go_env.get("GOPROXY"),
            gonoproxy: go_env.or_goprivate("GONOPROXY").setting,
            goprivate: go_env.get("GOPRIVATE"),
            gosumdb: go_env.get("GOSUMDB"),
            gonosumdb: go_env.or_goprivate("GONOSUMDB").setting,
            goinsecure: go_env.get("GOINSECURE"),
            gomodcache: module_cache(go_env)?,
            gopath: go_env.gopath().setting,
            go111module: go_env.get("GO111MODULE").map(|_| mode),
            goauth: goauth.setting,
            govcs: go_env.get("GOVCS"),
            gotoolchain: toolchain(go_env, &project.go_version.value)?,

            connection: ConnectionSettings::resolve(&raw, go_env, cwd)?,
            transfer: TransferSettings::resolve(&raw, go_env, cwd)?,
            locks: LockSettings::resolve(&raw, go_env, cwd)?,
            download: DownloadSettings::resolve(&raw, go_env, cwd)?,
            output: OutputSettings::resolve(&raw, go_env, cwd)?,
            global: GlobalSettings::resolve(&raw, go_env, cwd)?,
            serve: ServeOptions::resolve(&raw, go_env, cwd)?,
            x: switch(&flags::X),
            json: switch(&flags::JSON),
            modcacherw: switch(&flags::MODCACHERW),
            mod_flag: text(&flags::MOD),
            modfile_as_typed: text(&flags::MODFILE).map(|found| found.value),
            modfile: modfile(text(&flags::MODFILE), cwd)?,
            overlay: overlay(text(&flags::OVERLAY), cwd)?,

            ssl_cert_file: process(env, &["SSL_CERT_FILE"]).map(|file| file.map(PathBuf::from)),
            ssl_cert_dir: process(env, &["SSL_CERT_DIR"]).map(|list| {
                list.map(|list| list.split(LIST_SEPARATOR).map(PathBuf::from).collect())
            }),
            http_proxy: process(env, &["HTTP_PROXY", "http_proxy"]),
            https_proxy: process(env, &["HTTPS_PROXY", "https_proxy"]),
            no_proxy: process(env, &["NO_PROXY", "no_proxy"]),
            request_method: env.get("REQUEST_METHOD").is_some(),
            netrc: netrc(env),
            tokens: tokens(env),

            go_env: go_env.clone(),
            args: raw,
        })
    }
}

/// The variables that are read somewhere and must be text.
fn matters(name: &str) -> bool {
    const SYSTEM: [&str; 13] = [
        HOME,
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NETRC",
        "NO_PROXY",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "SSL_CLIENT_CERT",
        "TMPDIR",
        "XDG_CONFIG_HOME",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    ];
    name.starts_with("GO") || name.starts_with("MODFETCH_") || SYSTEM.contains(&name)
}

/// The first of some variables that the process environment has.
fn process(env: &Environment, names: &[&str]) -> Option<Setting<String>> {
    names.iter().find_map(|name| {
        let value = env.get(name)?;
        Some(Setting::new(
            value.to_owned(),
            Origin::Environment((*name).to_owned()),
        ))
    })
}

fn module_cache(go_env: &GoEnv) -> Result<Setting<PathBuf>> {
    let found = go_env.gomodcache().setting;
    if found.value.is_empty() {
        return Err(Error::new(
            Kind::Input,
            "module cache not found: neither GOMODCACHE nor GOPATH is set",
        )
        .hint(format!("set GOMODCACHE to an absolute path, or {HOME}")));
    }
    if !is_absolute(&found.value) {
        return Err(Error::new(
            Kind::Input,
            format!(
                "GOMODCACHE entry is relative; must be absolute path: {:?}.",
                found.value
            ),
        )
        .hint(format!("GOMODCACHE is set {}", found.origin)));
    }
    Ok(found.map(PathBuf::from))
}

fn modfile(found: Option<Setting<String>>, cwd: &Path) -> Result<Option<Setting<PathBuf>>> {
    let Some(found) = found.filter(|found| !found.value.is_empty()) else {
        return Ok(None);
    };
    if !found.value.ends_with(".mod") {
        return Err(Error::new(
            found.origin.refusal(),
            format!(
                "-modfile={}: file does not have .mod extension",
                found.value
            ),
        ));
    }
    Ok(Some(found.map(|file| cwd.join(file))))
}

fn overlay(found: Option<Setting<String>>, cwd: &Path) -> Result<Overlay> {
    match found.filter(|found| !found.value.is_empty()) {
        Some(found) => Overlay::open(&found.value, cwd),
        None => Ok(Overlay::default()),
    }
}

/// Source: go `cmd/go/internal/auth/netrc.go`, `netrcPath`.
fn netrc(env: &Environment) -> Option<Setting<PathBuf>> {
    if let Some(named) = process(env, &["NETRC"]) {
        return Some(named.map(PathBuf::from));
    }
    let home = env.get(HOME)?;
    Some(Setting::new(
        Path::new(home).join(".netrc"),
        Origin::Default,
    ))
}

/// Tokens are read from the process environment only: a secret has no place in a file that
/// `env -w` writes and everybody may read.
fn tokens(env: &Environment) -> Vec<(String, String)> {
    env.iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| Some((name.strip_prefix("MODFETCH_TOKEN_")?, value)))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::OFFLINE;
    use crate::config::{Color, Log, Progress};
    use std::time::Duration;

    fn resolve(pairs: &[(&str, &str)], raw: &RawArgs) -> Result<Config> {
        let env = Environment::from_pairs(pairs.iter().copied());
        let go_flags = [&flags::X, &flags::JSON, &flags::MODCACHERW, &flags::MODFILE];
        Config::resolve(&GoEnv::load(&env), raw, &go_flags, Path::new("/proj"))
    }

    fn chain(pairs: &[(&str, &str)], raw: &RawArgs) -> (String, Kind) {
        let error = resolve(pairs, raw).expect_err("refused");
        (error.chain(), error.kind())
    }

    const HOME: (&str, &str) = ("HOME", "/h");

    #[test]
    fn an_empty_environment_gives_the_documented_defaults() {
        let config = resolve(&[HOME], &RawArgs::default()).expect("defaults");
        assert_eq!(config.goproxy.value, "https://proxy.golang.org,direct");
        assert_eq!(config.gosumdb.value, "sum.golang.org");
        assert_eq!(config.goauth.value, "netrc");
        assert_eq!(config.gomodcache.value, Path::new("/h/go/pkg/mod"));
        assert_eq!(config.transfer.jobs, Setting::new(64, Origin::Default));
        assert_eq!(config.transfer.jobs_per_host.value, 64);
        assert_eq!(config.transfer.max_requests_per_second.value, None);
        assert_eq!(config.transfer.limit_rate.value, None);
        assert_eq!(config.transfer.retries.value, 4);
        assert_eq!(
            config.connection.connect_timeout.value,
            Duration::from_secs(10)
        );
        assert_eq!(
            config.connection.stall_timeout.value,
            Duration::from_secs(30)
        );
        assert_eq!(config.output.progress.value, Progress::Auto);
        assert_eq!(config.global.color.value, Color::Auto);
        assert_eq!(config.global.log.value, Log::Text);
        assert!(
            !config.connection.offline.value
                && !config.download.locked.value
                && !config.modcacherw.value
        );
        assert!(config.modfile.is_none() && config.http_proxy.is_none());
        assert_eq!(
            config.netrc,
            Some(Setting::new("/h/.netrc".into(), Origin::Default))
        );
        assert_eq!(config.work_file().expect("none"), None);
    }

    #[test]
    fn flags_beat_goflags_and_variables() {
        let pairs = [
            HOME,
            ("MODFETCH_OFFLINE", "1"),
            ("GOFLAGS", "-modcacherw -modfile=a.mod -x -mod=mod"),
        ];
        let config = resolve(&pairs, &RawArgs::default()).expect("resolves");
        let goflags = || Origin::Environment("GOFLAGS".to_owned());
        assert_eq!(config.modcacherw, Setting::new(true, goflags()));
        assert_eq!(config.x, Setting::new(true, goflags()));
        assert!(!config.json.value);
        assert_eq!(
            config.modfile,
            Some(Setting::new("/proj/a.mod".into(), goflags()))
        );
        assert!(config.connection.offline.value);

        let raw = RawArgs::with([
            (&OFFLINE.flag, "false"),
            (&flags::MODCACHERW, "false"),
            (&flags::MODFILE, ""),
        ]);
        let config = resolve(&pairs, &raw).expect("resolves");
        assert_eq!(
            config.connection.offline,
            Setting::new(false, Origin::Flag("--offline".into()))
        );
        assert_eq!(
            config.modcacherw,
            Setting::new(false, Origin::Flag("-modcacherw".into()))
        );
        assert_eq!(config.modfile, None);
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let none = RawArgs::default();
        let table: &[(&[(&str, &str)], &str)] = &[
            (
                &[],
                "module cache not found: neither GOMODCACHE nor GOPATH is set",
            ),
            (
                &[HOME, ("GOMODCACHE", "rel")],
                "GOMODCACHE entry is relative; must be absolute path: \"rel\".",
            ),
            (
                &[("HOME", "rel")],
                "GOMODCACHE entry is relative; must be absolute path: \"rel/go/pkg/mod\".",
            ),
            (
                &[HOME, ("GOPATH", "rel")],
                "GOPATH entry is relative; must be absolute path: \"rel\".\nFor more details see: 'go help gopath'",
            ),
            (
                &[HOME, ("GO111MODULE", "blah")],
                "unknown environment setting GO111MODULE=blah",
            ),
            (
                &[HOME, ("GOWORK", "rel")],
                "invalid GOWORK: not an absolute path",
            ),
            (
                &[HOME, ("GOFLAGS", "-foo")],
                "parsing $GOFLAGS: unknown flag -foo",
            ),
            (
                &[HOME, ("GOFLAGS", "-modfile=x")],
                "-modfile=x: file does not have .mod extension",
            ),
            (
                &[HOME, ("MODFETCH_RETRIES", "-1")],
                "invalid value \"-1\" for MODFETCH_RETRIES: want a whole number from 0 to 100",
            ),
        ];
        for (pairs, want) in table {
            assert_eq!(chain(pairs, &none), ((*want).to_owned(), Kind::Input));
        }
        let raw = RawArgs::with([(&flags::MODFILE, "x")]);
        assert_eq!(chain(&[HOME], &raw).1, Kind::Usage);
    }

    #[test]
    fn proxies_are_read_in_both_cases_upper_first() {
        let pairs = [
            HOME,
            ("http_proxy", "low"),
            ("HTTPS_PROXY", "up"),
            ("https_proxy", "low"),
            ("NO_PROXY", ""),
            ("no_proxy", "low"),
            ("REQUEST_METHOD", "GET"),
        ];
        let config = resolve(&pairs, &RawArgs::default()).expect("resolves");
        let pick = |setting: &Option<Setting<String>>| {
            let found = setting.as_ref().expect("set");
            (found.value.clone(), found.origin.clone())
        };
        let from = |value: &str, name: &str| (value.into(), Origin::Environment(name.into()));
        assert_eq!(pick(&config.http_proxy), from("low", "http_proxy"));
        assert_eq!(pick(&config.https_proxy), from("up", "HTTPS_PROXY"));
        assert_eq!(pick(&config.no_proxy), from("low", "no_proxy"));
        assert!(config.request_method);
    }

    #[test]
    fn shared_colour_conventions_apply_below_our_own() {
        let color = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = [&[HOME], pairs].concat();
            let config = resolve(&pairs, &RawArgs::default()).expect("resolves");
            config.global.color.value
        };
        assert_eq!(
            color(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]),
            Color::Never
        );
        assert_eq!(color(&[("NO_COLOR", ""), ("TERM", "dumb")]), Color::Never);
        assert_eq!(
            color(&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]),
            Color::Always
        );
        assert_eq!(color(&[("CLICOLOR_FORCE", "0")]), Color::Auto);
        assert_eq!(
            color(&[("NO_COLOR", "1"), ("MODFETCH_COLOR", "always")]),
            Color::Always
        );
    }
}
