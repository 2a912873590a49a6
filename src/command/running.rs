//! Which go version a run acts as, and that go.mod asks for no newer one.

use std::fs;
use std::path::Path;

use crate::config::{Config, short_path};
use crate::error::{Error, Kind, Result};
use crate::modfile::{GoLine, ModFile, WorkFile};
use crate::module::Running;

/// The version outside of any module.
pub(super) fn outside(config: &Config) -> Result<Running> {
    start(config, None)
}

/// The version where `file`, a go.work or the go.mod that was found, is what the run starts with.
pub(super) fn running(config: &Config, file: &Path) -> Result<Running> {
    // As in go, which chooses before it reads a flag, nothing stands in for it. What cannot be read
    // is told by who needs it.
    let data = fs::read(file).unwrap_or_default();
    start(config, Some((&short_path(&config.cwd, file), &data)))
}

fn start(config: &Config, file: Option<(&str, &[u8])>) -> Result<Running> {
    let started = config.gotoolchain.value.start(file);
    started.map_err(|text| Error::new(Kind::Input, text))
}

/// Refuses a go.mod that needs a newer go, malformed or not: what is wrong with it otherwise may
/// be what the newer one brought.
pub(super) fn refuse_newer(config: &Config, running: &Running, file: &Path) -> Result<()> {
    refuse(config, running, file, |name, data| {
        Ok(ModFile::parse_lax(name, data)?.go)
    })
}

/// Refuses a go.work that needs a newer go; as for go, a malformed one is just that.
pub(super) fn refuse_newer_work(config: &Config, running: &Running, file: &Path) -> Result<()> {
    refuse(config, running, file, |name, data| {
        Ok(WorkFile::parse(name, data)?.go)
    })
}

fn refuse(
    config: &Config,
    running: &Running,
    file: &Path,
    go_line: impl FnOnce(&str, &[u8]) -> Result<Option<GoLine>>,
) -> Result<()> {
    let name = short_path(&config.cwd, file);
    let data = config.overlay.read(file, |file| fs::read(file));
    // What cannot be read is told by those who need it.
    let line = data.ok().and_then(|data| go_line(&name, &data).ok()?);
    match line.and_then(|line| running.refusal(&name, &line.version)) {
        Some(text) => Err(Error::too_new(text)),
        None => Ok(()),
    }
}
