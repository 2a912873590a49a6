//! Which go version a run acts as, and that go.mod asks for no newer one.

use std::path::Path;

use crate::config::{Config, ProjectFiles};
use crate::error::{Error, Kind, Result};
use crate::fsio::short_path;
use crate::gomod::modfile::{GoLine, ModFile, WorkFile};
use crate::gomod::{ActingVersion, GoVersion, look_up};

/// The version outside of any module.
pub(super) fn outside(config: &Config) -> Result<ActingVersion> {
    start(config, None)
}

/// The version where `file`, a go.work or the go.mod that was found, is what the run starts with. Its content is
/// among `files`.
pub(super) fn running(config: &Config, files: &ProjectFiles, file: &Path) -> Result<ActingVersion> {
    // As in go, which chooses before it reads a flag, the file on disk counts and not what stands in for it. A file
    // that cannot be read is reported when it is parsed.
    let data = files.on_disk(file).unwrap_or_default();
    start(config, Some((&short_path(&files.cwd, file), data)))
}

fn start(config: &Config, file: Option<(&str, &[u8])>) -> Result<ActingVersion> {
    let started = config.gotoolchain.value.start(file);
    started.map_err(|text| Error::new(Kind::Input, text))
}

/// Refuses a go.mod that needs a newer go, malformed or not: what is wrong with it otherwise may
/// be what the newer one brought.
pub(super) fn refuse_newer(
    files: &ProjectFiles,
    running: &ActingVersion,
    file: &Path,
) -> Result<()> {
    refuse(files, running, file, |name, data| {
        Ok(ModFile::parse_lax(name, data)?.go)
    })
}

/// Refuses a go.work that needs a newer go; as for go, a malformed one is just that.
pub(super) fn refuse_newer_work(
    files: &ProjectFiles,
    running: &ActingVersion,
    file: &Path,
) -> Result<()> {
    refuse(files, running, file, |name, data| {
        Ok(WorkFile::parse(name, data)?.go)
    })
}

fn refuse(
    files: &ProjectFiles,
    running: &ActingVersion,
    file: &Path,
    go_line: impl FnOnce(&str, &[u8]) -> Result<Option<GoLine>>,
) -> Result<()> {
    let name = short_path(&files.cwd, file);
    // A file that cannot be read is reported when it is parsed.
    let data = files
        .read(file)
        .ok()
        .filter(|data| may_refuse(running, data));
    let line = data.and_then(|data| go_line(&name, &data).ok()?);
    line.map_or(Ok(()), |line| running.check(&name, &line.version))
}

/// False if no line could be a go line that is too new. That is nearly always so, and a file is then
/// not parsed for this alone, which would take longer than all that is done before.
fn may_refuse(running: &ActingVersion, data: &[u8]) -> bool {
    let mut lines = data.split(|&byte| byte == b'\n');
    lines.any(|line| {
        let said = look_up(line, "go");
        said.is_some_and(|said| match GoVersion::parse(said) {
            Some(version) => running.refuses(&version),
            // Parsing accepts more than this.
            None => true,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gomod::Toolchain;

    #[test]
    fn what_is_not_parsed_for_its_go_line_has_none_that_is_refused() {
        let local = GoVersion::parse("1.26").unwrap();
        let running = Toolchain::parse("local", &local).unwrap();
        let running = running.start(None).unwrap();
        // A look may be in vain, but nothing that the parser would find is missed.
        let rows = [
            ("", false),
            ("module m\n", false),
            ("module m\n\ngo 1.26\n", false),
            ("module m\n\ngo 1.27\n", true),
            ("module m\r\n\r\n\tgo\t1.27 // soon\r\n", true),
            ("go v1.27\n", true),
            ("go 1.27-custom\n", true),
            ("go 1.2\ngo 1.27\n", true),
            ("// go 1.27\ngoo 1.27\n", false),
            ("require (\n\tgo 1.27\n)\n", true),
        ];
        for (text, looks) in rows {
            assert_eq!(may_refuse(&running, text.as_bytes()), looks, "{text:?}");
            let parsed = ModFile::parse_lax("go.mod", text.as_bytes()).ok();
            let line = parsed.and_then(|file| file.go);
            let refused = line.is_some_and(|line| running.refuses(&line.version));
            assert!(looks || !refused, "{text:?}");
        }
    }
}
