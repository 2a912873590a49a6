//! How a [`Config`] comes about: each setting judged, and with its origin.

use std::path::{Path, PathBuf};

use super::own::{self, Color};
use super::project;
use super::settings::Config;
use super::toolchain::{go_version, toolchain};
use super::{Environment, GoEnv, GoFlags, Origin, Overlay, Setting};
use crate::cli::RawArgs;
use crate::{Error, Kind, Result};

impl Config {
    /// Resolves every setting: flag over process environment over `GOENV` file over
    /// `$GOROOT/go.env` over default.
    ///
    /// `flags` are texts as typed: they are judged by the parser that judges the variables.
    /// `cwd` is absolute, with `-C` applied. Reads the two files and nothing else.
    ///
    /// # Errors
    /// A value is refused: [`Kind::Usage`] if it was typed as a flag, [`Kind::Input`] otherwise;
    /// the message names flag or variable and value. There is no module cache directory.
    pub fn resolve(env: &Environment, flags: &RawArgs, cwd: &Path) -> Result<Config> {
        env.require_unicode(matters)?;
        let go_env = GoEnv::load(env);
        go_env.check_gopath()?;
        let goflags = GoFlags::parse(go_env.get("GOFLAGS"))?;
        goflags.refuse_chdir()?;
        let typed = |flag, value, name| match value {
            Some(value) => Ok(Setting::new(value, Origin::Flag(flag))),
            None => {
                let found = goflags.boolean(name)?;
                Ok::<_, Error>(found.unwrap_or(Setting::new(false, Origin::Default)))
            }
        };
        let own_bool = |setting: &own::OwnSetting<bool>, value: Option<bool>| {
            setting.resolve(value.map(|on| if on { "true" } else { "false" }), &go_env)
        };
        let ro_cache = (!flags.ro_cache.is_empty()).then(|| flags.ro_cache.join(":"));
        let own_file = |setting: &own::OwnSetting<Option<PathBuf>>, value: Option<&str>| {
            let found = setting.resolve(value, &go_env)?;
            Ok::<_, Error>(found.map(|file| file.map(|file| cwd.join(file))))
        };
        let goauth = go_env.get_or("GOAUTH", Setting::new("netrc".into(), Origin::Default));
        let mode = project::module_mode(&go_env)?;
        project::find_go_work(Path::new(""), &go_env, &Overlay::default())?;
        let go_version = go_version(flags.go_version.as_deref(), &go_env)?;

        Ok(Config {
            cwd: cwd.to_owned(),
            goproxy: go_env.get("GOPROXY"),
            gonoproxy: go_env.or_goprivate("GONOPROXY").setting,
            goprivate: go_env.get("GOPRIVATE"),
            gosumdb: go_env.get("GOSUMDB"),
            gonosumdb: go_env.or_goprivate("GONOSUMDB").setting,
            goinsecure: go_env.get("GOINSECURE"),
            gomodcache: module_cache(&go_env)?,
            gopath: go_env.gopath().setting,
            goenv: match go_env.env_file_path() {
                Ok(path) => path.map(|path| Some(PathBuf::from(path))),
                Err(_) => Setting::new(None, off_origin(env)),
            },
            gowork: go_env.get("GOWORK"),
            go111module: go_env.get("GO111MODULE").map(|_| mode),
            godebug: process(env, &["GODEBUG"])
                .unwrap_or_else(|| Setting::new(String::new(), Origin::Default)),
            goauth: goauth.setting,
            govcs: go_env.get("GOVCS"),
            gotoolchain: toolchain(&go_env, &go_version.value)?,
            go_version,
            goroot: go_env.get("GOROOT"),

            jobs: own::JOBS.resolve(flags.jobs.as_deref(), &go_env)?,
            jobs_per_host: own::JOBS_PER_HOST.resolve(flags.jobs_per_host.as_deref(), &go_env)?,
            max_requests_per_second: own::MAX_REQUESTS_PER_SECOND
                .resolve(flags.max_requests_per_second.as_deref(), &go_env)?,
            limit_rate: own::LIMIT_RATE.resolve(flags.limit_rate.as_deref(), &go_env)?,
            retries: own::RETRIES.resolve(flags.retries.as_deref(), &go_env)?,
            connect_timeout: own::CONNECT_TIMEOUT
                .resolve(flags.connect_timeout.as_deref(), &go_env)?,
            stall_timeout: own::STALL_TIMEOUT.resolve(flags.stall_timeout.as_deref(), &go_env)?,
            lock_timeout: own::LOCK_TIMEOUT.resolve(flags.lock_timeout.as_deref(), &go_env)?,
            ro_cache: own::RO_CACHE
                .resolve(ro_cache.as_deref(), &go_env)?
                .map(|dirs| dirs.into_iter().map(|dir| cwd.join(dir)).collect()),
            retry_max_time: own::RETRY_MAX_TIME
                .resolve(flags.retry_max_time.as_deref(), &go_env)?,
            timeout: own::TIMEOUT.resolve(flags.timeout.as_deref(), &go_env)?,
            netrc_file: own_file(&own::NETRC_FILE, flags.netrc_file.as_deref())?,
            allow_insecure_auth: own::ALLOW_INSECURE_AUTH
                .resolve(flags.allow_insecure_auth.as_deref(), &go_env)?,
            cacert: own_file(&own::CACERT, flags.cacert.as_deref())?,
            client_cert: own_file(&own::CLIENT_CERT, flags.client_cert.as_deref())?,
            client_key: own_file(&own::CLIENT_KEY, flags.client_key.as_deref())?,
            wait_published: own::WAIT_PUBLISHED
                .resolve(flags.wait_published.as_deref(), &go_env)?,
            offline: own_bool(&own::OFFLINE, flags.offline)?,
            locked: own_bool(&own::LOCKED, flags.locked)?,
            fail_fast: own_bool(&own::FAIL_FAST, flags.fail_fast)?,
            quiet: own_bool(&own::QUIET, flags.quiet)?,
            verbose: own_bool(&own::VERBOSE, flags.verbose)?,
            stats: own_bool(&own::STATS, flags.stats)?,
            go_exit_codes: own_bool(&own::GO_EXIT_CODES, flags.go_exit_codes)?,
            progress: own::PROGRESS.resolve(flags.progress.as_deref(), &go_env)?,
            color: color(flags.color.as_deref(), &go_env)?,
            git: own::GIT.resolve(flags.git.as_deref(), &go_env)?,
            log: own::LOG.resolve(flags.log.as_deref(), &go_env)?,
            x: typed("-x", flags.typed("x", flags.x), "x")?,
            json: match flags.typed("json", flags.json) {
                Some(on) => Setting::new(on, Origin::Flag("-json")),
                None => goflags.switch_or_words("json"),
            },
            modcacherw: typed("-modcacherw", flags.modcacherw, "modcacherw")?,
            mod_flag: flags
                .mod_mode
                .clone()
                .map(|text| Setting::new(text, Origin::Flag("-mod"))),
            modfile: modfile(flags, &goflags, cwd)?,
            overlay: overlay(flags, &goflags, cwd)?,

            ssl_cert_file: process(env, &["SSL_CERT_FILE"]).map(|file| file.map(PathBuf::from)),
            ssl_cert_dir: process(env, &["SSL_CERT_DIR"])
                .map(|list| list.map(|list| list.split(':').map(PathBuf::from).collect())),
            http_proxy: process(env, &["HTTP_PROXY", "http_proxy"]),
            https_proxy: process(env, &["HTTPS_PROXY", "https_proxy"]),
            no_proxy: process(env, &["NO_PROXY", "no_proxy"]),
            request_method: env.get("REQUEST_METHOD").is_some(),
            netrc: netrc(env),
            tokens: tokens(env),
            ci: env.get("CI").is_some(),

            goflags: goflags.words().clone(),
            go_env,
        })
    }
}

/// The variables that are read somewhere and must be text.
fn matters(name: &str) -> bool {
    const SYSTEM: [&str; 14] = [
        "CI",
        "HOME",
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

fn off_origin(env: &Environment) -> Origin {
    match env.get("GOENV") {
        Some(_) => Origin::Environment("GOENV".to_owned()),
        None => Origin::Default,
    }
}

fn module_cache(go_env: &GoEnv) -> Result<Setting<PathBuf>> {
    let found = go_env.gomodcache().setting;
    if found.value.is_empty() {
        return Err(Error::new(
            Kind::Input,
            "module cache not found: neither GOMODCACHE nor GOPATH is set",
        )
        .hint("set GOMODCACHE to an absolute path, or HOME"));
    }
    if !found.value.starts_with('/') {
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

fn modfile(flags: &RawArgs, goflags: &GoFlags, cwd: &Path) -> Result<Option<Setting<PathBuf>>> {
    let found = match &flags.modfile {
        Some(file) => Some(Setting::new(file.clone(), Origin::Flag("-modfile"))),
        None => goflags.text("modfile")?,
    };
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

fn overlay(flags: &RawArgs, goflags: &GoFlags, cwd: &Path) -> Result<Overlay> {
    let found = match &flags.overlay {
        Some(file) => Some(file.clone()),
        None => goflags.text("overlay")?.map(|found| found.value),
    };
    match found.filter(|file| !file.is_empty()) {
        Some(file) => Overlay::open(&file, cwd),
        None => Ok(Overlay::default()),
    }
}

/// `--color` and its variable, then the conventions other programs share, then a terminal that
/// knows no colours.
///
/// Source: no-color.org (set and not empty), bixense.com/clicolors (set and not `0`).
fn color(flag: Option<&str>, go_env: &GoEnv) -> Result<Setting<Color>> {
    let own = own::COLOR.resolve(flag, go_env)?;
    if own.origin != Origin::Default {
        return Ok(own);
    }
    let env = go_env.environment();
    let shared = [
        ("NO_COLOR", Color::Never, env.get("NO_COLOR").is_some()),
        (
            "CLICOLOR_FORCE",
            Color::Always,
            env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
        ),
        ("TERM", Color::Never, env.get("TERM") == Some("dumb")),
    ];
    Ok(shared
        .into_iter()
        .find(|(_, _, applies)| *applies)
        .map_or(own, |(name, color, _)| {
            Setting::new(color, Origin::Environment(name.to_owned()))
        }))
}

/// Source: go `cmd/go/internal/auth/netrc.go`, `netrcPath`.
fn netrc(env: &Environment) -> Option<Setting<PathBuf>> {
    if let Some(named) = process(env, &["NETRC"]) {
        return Some(named.map(PathBuf::from));
    }
    let home = env.get("HOME")?;
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
    use crate::config::{Log, Progress};
    use std::time::Duration;

    fn resolve(pairs: &[(&str, &str)], flags: &RawArgs) -> Result<Config> {
        let env = Environment::from_pairs(pairs.iter().copied());
        Config::resolve(&env, flags, Path::new("/proj"))
    }

    fn chain(pairs: &[(&str, &str)], flags: &RawArgs) -> (String, Kind) {
        let error = resolve(pairs, flags).expect_err("refused");
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
        assert_eq!(config.jobs, Setting::new(64, Origin::Default));
        assert_eq!(config.jobs_per_host.value, 64);
        assert_eq!(config.max_requests_per_second.value, None);
        assert_eq!(config.limit_rate.value, None);
        assert_eq!(config.retries.value, 4);
        assert_eq!(config.connect_timeout.value, Duration::from_secs(10));
        assert_eq!(config.stall_timeout.value, Duration::from_secs(30));
        assert_eq!(config.progress.value, Progress::Auto);
        assert_eq!(config.color.value, Color::Auto);
        assert_eq!(config.log.value, Log::Text);
        assert!(!config.offline.value && !config.locked.value && !config.modcacherw.value);
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
        assert!(config.offline.value);

        let flags = RawArgs {
            offline: Some(false),
            modcacherw: Some(false),
            modfile: Some(String::new()),
            ..RawArgs::default()
        };
        let config = resolve(&pairs, &flags).expect("resolves");
        assert_eq!(
            config.offline,
            Setting::new(false, Origin::Flag("--offline"))
        );
        assert_eq!(
            config.modcacherw,
            Setting::new(false, Origin::Flag("-modcacherw"))
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
        let flags = RawArgs {
            modfile: Some("x".into()),
            ..RawArgs::default()
        };
        assert_eq!(chain(&[HOME], &flags).1, Kind::Usage);
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
            resolve(&pairs, &RawArgs::default())
                .expect("resolves")
                .color
                .value
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
