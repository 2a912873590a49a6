//! `modfetch toolchain`: a Go toolchain in the module cache, ready to run.

use super::definition::{Command, CommandCall, Runner};
use super::session::SessionOptions;
use crate::cache::{Cache, prepare_goroot};
use crate::cli::flags::{Flag, groups};
use crate::cli::{CommandInfo, flags};
use crate::config::{Config, host_platform};
use crate::error::{Error, Kind, Result};
use crate::fetch::{ReleaseQuery, ReleaseResolver, Scheduler, VersionFilter};
use crate::gomod::{GoVersion, ModuleVersion, TOOLCHAIN, Tool};
use crate::report::{Console, JsonObject};

static PLATFORM: Flag = Flag {
    long: "platform",
    value: Some("OS/ARCH"),
    brief: "The platform to run on; by default this one",
    ..Flag::OURS
};

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["toolchain"],
        groups: &[
            &groups::CONNECTION,
            &groups::TRANSFER,
            &groups::LOCKS,
            &groups::OUTPUT,
        ],
        flags: &[&flags::JSON, &flags::X, &PLATFORM],
        arguments: "VERSION",
        brief: "Fetch a Go toolchain and print its GOROOT",
        detail: "Fetches golang.org/toolchain into the module cache, where go looks for it, and sets the execute bits as go does. VERSION is a release (go1.27.4 or 1.27.4), a line of releases (1.27: its newest), or latest.\n\
The checksum database must know the toolchain: neither go.sum nor GONOSUMDB nor a local GOPROXY stands in for it.",
        examples: &[
            (
                "PATH=$(modfetch toolchain go1.27.4)/bin:$PATH",
                "use it in this shell",
            ),
            (
                "modfetch toolchain 1.26 --platform linux/arm64",
                "the newest 1.26, for another machine",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(run),
};

fn run(call: &CommandCall<'_>, config: &Config, console: &Console) -> Result<Option<Kind>> {
    let [version] = call.raw.args.as_slice() else {
        let text = "toolchain takes one version, as go1.27.4, 1.27 or latest";
        return Err(Error::new(Kind::Usage, text));
    };
    let platform = match call.raw.text(&PLATFORM) {
        Some(text) => platform(text)?,
        None => own_platform(),
    };
    let cache = Cache::at(&config.gomodcache.value)?;
    let session = SessionOptions::new(config, console, cache)
        .fail_fast()
        .ending(call.ending())
        .open()?;
    let run = session.run(session.options());
    let release = match exact(version) {
        Some(release) => release,
        None => {
            let query = version.strip_prefix("go").unwrap_or(version);
            let question = ReleaseQuery {
                tool: Tool::Go,
                query: query.to_owned(),
                current: String::new(),
                filter: VersionFilter::Allowed,
            };
            ReleaseResolver::new(&run).release(&question)?.version
        }
    };
    let module = module(&release, &platform)?;
    let Some(database) = session.sums.database()? else {
        let text =
            format!("{module}: the checksum database must vouch for a toolchain, and GOSUMDB=off");
        return Err(Error::new(Kind::Security, text));
    };
    let logged = database.lookup(&module)?;
    let entry = session.cache().entry(&module)?;
    // go fetches the zip of a toolchain alone: its .info and go.mod need not be there.
    if entry.read_ziphash()?.is_none() || !entry.has_zip() || !entry.has_directory() {
        let outcomes = Scheduler::new(&run).download(std::slice::from_ref(&module));
        if let Some(error) = outcomes.into_iter().find_map(|outcome| outcome.error) {
            session.settle(&run);
            return Err(error);
        }
    }
    session.settle(&run);
    let Some(sum) = entry.read_ziphash()? else {
        return Err(Error::new(Kind::Other, format!("{module}: not fetched")));
    };
    let directory = entry.directory();
    let mut sums = logged.of(TOOLCHAIN, module.version().as_str());
    if sums.find(|logged| logged.starts_with("h1:")) != Some(sum.as_str()) {
        let name = database.name();
        let text = format!("{module}: checksum mismatch\n\tcached: {sum}\n\t{name} has another");
        return Err(Error::new(Kind::Security, text)
            .hint("modfetch verify --cache --sumdb says which of its files differ"));
    }
    prepare_goroot(directory)?;
    let goroot = directory.display().to_string();
    console.data(&match call.raw.is_on(&flags::JSON) {
        true => {
            let mut json = JsonObject::new();
            json.string("Version", &format!("go{release}"));
            json.string("Platform", &platform);
            json.string("GOROOT", &goroot);
            json.string("Sum", sum.as_str());
            json.indented() + "\n"
        }
        false => goroot + "\n",
    })?;
    Ok(None)
}

/// The version of a release, without `go`; `None` for a query.
fn exact(text: &str) -> Option<String> {
    let plain = text.strip_prefix("go").unwrap_or(text);
    let version = GoVersion::parse(plain)?;
    (!version.is_language()).then(|| plain.to_owned())
}

/// The toolchain of a release for a platform.
fn module(release: &str, platform: &str) -> Result<ModuleVersion> {
    let platform = platform.replace('/', "-");
    ModuleVersion::parse(TOOLCHAIN, &format!("v0.0.1-go{release}.{platform}"))
}

/// The argument of `download` for `go1.27.4:linux/amd64`.
///
/// # Errors
/// [`Kind::Usage`] for another form.
pub(super) fn module_argument(text: &str) -> Result<String> {
    let (version, target) = match text.split_once(':') {
        Some((version, target)) => (version, platform(target)?),
        None => (text, own_platform()),
    };
    let Some(release) = exact(version) else {
        let text = format!("invalid toolchain {text:?}: want a release, as go1.27.4:linux/amd64");
        return Err(Error::new(Kind::Usage, text));
    };
    module(&release, &target).map(|module| module.to_string())
}

/// The platform of this machine.
fn own_platform() -> String {
    let (os, arch) = host_platform();
    format!("{os}/{arch}")
}

fn platform(text: &str) -> Result<String> {
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    match text.split_once('/') {
        Some((os, arch)) if plain(os) && plain(arch) => Ok(text.to_owned()),
        _ => {
            let text = format!("invalid platform {text:?}: want OS/ARCH, as linux/amd64");
            Err(Error::new(Kind::Usage, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toolchains_are_named_as_go_names_them() {
        let argument = |text: &str| module_argument(text).map_err(|error| error.chain());
        let want = "golang.org/toolchain@v0.0.1-go1.27.4.linux-arm64";
        for text in ["go1.27.4:linux/arm64", "1.27.4:linux/arm64"] {
            assert_eq!(argument(text), Ok(want.to_owned()));
        }
        let beta = argument("go1.27rc1:windows/386").unwrap();
        assert_eq!(beta, "golang.org/toolchain@v0.0.1-go1.27rc1.windows-386");
        for text in [
            "latest",
            "1.27",
            "go1.27.4:linux",
            "go1.27.4:Linux/amd64",
            "",
        ] {
            assert!(
                argument(text).unwrap_err().starts_with("invalid "),
                "{text}"
            );
        }
    }
}
