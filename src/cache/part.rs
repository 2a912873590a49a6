//! A zip on its way into the cache, and what a cut transfer leaves for the next one.
//!
//! The bytes are in `V.zip.part` as they arrive, so that a killed process leaves all it had. What
//! they are the beginning of is in `V.zip.part.from`, written before the first of them:
//!
//! ```text
//! modfetch part 1
//! url https://proxy.example.com/a/@v/v1.0.0.zip
//! validator "5f3c"
//! length 104857600
//! end
//! ```
//!
//! The URL is without secrets; what the validator means is not known here, and `none` stands for
//! none. A part whose companion
//! is missing or torn is of no use, so whoever starts again from the first byte removes the
//! companion before anything else. Both are only touched under the version's lock, and `go` takes
//! no notice of either: it sweeps `V.zip*.tmp`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::fsio::{beside, open_or_create};
use crate::system;

/// The end of the names of parts.
pub(super) const PART: &str = ".part";

/// The end of the names of what says where a part is from.
pub(super) const FROM: &str = ".part.from";

/// More than any such file has.
const MAX_FROM_BYTES: u64 = 16 << 10;

const FIRST_LINE: &str = "modfetch part 1";

/// In the place of a validator; no entity tag and no date is this word.
const NO_VALIDATOR: &str = "none";

/// What a part is the beginning of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartOrigin {
    /// Where it came from, without secrets.
    pub url: String,
    /// By what the sender recognizes the content; `None` if only the hash of the whole will tell.
    pub validator: Option<String>,
    /// The size of the whole, in bytes.
    pub length: u64,
}

impl PartOrigin {
    /// `None` if a value would not come back as it is.
    fn to_text(&self) -> Option<String> {
        let PartOrigin {
            url,
            validator,
            length,
        } = self;
        let validator = validator.as_deref().unwrap_or(NO_VALIDATOR);
        let text =
            format!("{FIRST_LINE}\nurl {url}\nvalidator {validator}\nlength {length}\nend\n");
        (PartOrigin::parse(&text).as_ref() == Some(self)).then_some(text)
    }

    fn parse(text: &str) -> Option<PartOrigin> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let mut next = |key: &str| lines.next()?.strip_prefix(key);
        next(FIRST_LINE).filter(|rest| rest.is_empty())?;
        let origin = PartOrigin {
            url: next("url ")?.to_owned(),
            validator: Some(next("validator ")?.to_owned()).filter(|text| text != NO_VALIDATOR),
            length: next("length ")?.parse().ok()?,
        };
        next("end").filter(|rest| rest.is_empty())?;
        lines.next().is_none().then_some(origin)
    }

    fn read(path: &Path) -> Option<PartOrigin> {
        let mut text = String::new();
        // A pipe of that name would be waited for.
        fs::symlink_metadata(path)
            .ok()
            .filter(|found| found.is_file())?;
        let file = File::open(path).ok()?;
        file.take(MAX_FROM_BYTES).read_to_string(&mut text).ok()?;
        PartOrigin::parse(&text)
    }
}

/// A zip that is being fetched. Dropped, it stays if a later transfer can resume it, and is
/// removed otherwise.
#[derive(Debug)]
pub struct ZipPart {
    file: File,
    path: PathBuf,
    from: PathBuf,
    origin: Option<PartOrigin>,
    bytes: u64,
    committed: bool,
}

impl ZipPart {
    /// Opens the part of `zip`, with what an earlier transfer left in it. The caller holds the
    /// version's lock.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], naming the file.
    pub(super) fn of(zip: &Path) -> Result<ZipPart> {
        let (path, from) = (beside(zip, PART), beside(zip, FROM));
        let open = || {
            // Whatever else has that name is not written through.
            if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
                fs::remove_file(&path)?;
            }
            match open_or_create(&path) {
                // Another user left it: it cannot be resumed, but perhaps replaced.
                Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
                    fs::remove_file(&path).map_err(|_| cause)?;
                    open_or_create(&path)
                }
                opened => opened,
            }
        };
        let sized = open().and_then(|mut file| Ok((file.seek(SeekFrom::End(0))?, file)));
        let (bytes, file) = sized.map_err(|cause| Error::io("cannot create", &path, cause))?;
        // What is longer than the whole is no beginning of it.
        let origin = PartOrigin::read(&from).filter(|origin| bytes <= origin.length);
        Ok(ZipPart {
            file,
            path,
            from,
            origin,
            bytes,
            committed: false,
        })
    }

    /// The body it is the beginning of, if it can be resumed, and how many bytes there are.
    #[must_use]
    pub fn kept(&self) -> Option<(&PartOrigin, u64)> {
        self.origin.as_ref().map(|origin| (origin, self.bytes))
    }

    /// Empties it for a body from `origin`; without one a later transfer cannot resume it.
    ///
    /// # Errors
    /// The file system's.
    pub fn restart(&mut self, origin: Option<&PartOrigin>) -> io::Result<()> {
        self.origin = None;
        self.bytes = 0;
        remove(&self.from)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        let Some((origin, text)) = origin.and_then(|origin| Some((origin, origin.to_text()?)))
        else {
            return Ok(());
        };
        let mut options = OpenOptions::new();
        let created = options.write(true).create_new(true).open(&self.from);
        // The transfer works without it, but cannot be resumed.
        if created
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .is_ok()
        {
            self.origin = Some(origin.clone());
        }
        Ok(())
    }

    /// The file, for reading by position while this value lives.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`] if no more files can be opened.
    pub fn reader(&self) -> Result<File> {
        system::reopen(&self.file, &self.path)
            .map_err(|cause| Error::io("cannot open", &self.path, cause))
    }

    /// Where the bytes are until they are committed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it: its content is wrong.
    pub fn discard(mut self) {
        self.origin = None;
    }

    /// Renames the file to `zip`. The companion goes afterwards: killed in between, it is swept
    /// when the directory is completed.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`], naming the target.
    pub(super) fn commit(mut self, zip: &Path) -> Result<()> {
        fs::rename(&self.path, zip).map_err(|cause| Error::io("cannot rename to", zip, cause))?;
        self.committed = true;
        // Alone it means nothing.
        let _ = remove(&self.from);
        Ok(())
    }
}

impl Write for ZipPart {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.file.write(data)?;
        self.bytes = self.bytes.saturating_add(count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for ZipPart {
    fn drop(&mut self) {
        let worth_keeping = self.origin.is_some() && self.bytes > 0;
        if !self.committed && !worth_keeping {
            // Nothing can be done about a failure here; without companion it is of no effect.
            let _ = remove(&self.from);
            let _ = remove(&self.path);
        }
    }
}

/// The version whose part, or its companion, has this name.
pub(super) fn version_of(name: &str) -> Option<&str> {
    name.strip_suffix(FROM)
        .or_else(|| name.strip_suffix(PART))?
        .strip_suffix(".zip")
}

/// Removes what transfers have left of `zip`.
pub(super) fn sweep(zip: &Path) {
    for end in [FROM, PART] {
        // Best effort: what stays is swept another time.
        let _ = remove(&beside(zip, end));
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::symlink;

    fn origin() -> PartOrigin {
        PartOrigin {
            url: "https://h/a/@v/v1.0.0.zip".into(),
            validator: Some("\"a b\"".into()),
            length: 10,
        }
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_part_is_gone_on_with_until_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let zip = dir.path().join("v1.0.0.zip");
        let mut part = ZipPart::of(&zip).unwrap();
        assert_eq!(part.kept(), None);
        part.restart(Some(&origin())).unwrap();
        part.write_all(b"0123").unwrap();
        // As a killed process leaves it.
        std::mem::forget(part);
        let mut part = ZipPart::of(&zip).unwrap();
        assert_eq!(part.kept(), Some((&origin(), 4)));
        part.write_all(b"456").unwrap();
        drop(part);
        assert_eq!(
            names(dir.path()),
            ["v1.0.0.zip.part", "v1.0.0.zip.part.from"]
        );
        let mut part = ZipPart::of(&zip).unwrap();
        assert_eq!(part.kept(), Some((&origin(), 7)));
        part.write_all(b"789").unwrap();
        part.commit(&zip).unwrap();
        assert_eq!(fs::read(&zip).unwrap(), b"0123456789");
        assert_eq!(names(dir.path()), ["v1.0.0.zip"]);
    }

    #[test]
    fn what_cannot_be_gone_on_with_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let zip = dir.path().join("v1.0.0.zip");
        let multi_line = PartOrigin {
            url: "a\nb".into(),
            ..origin()
        };
        let unnamed = PartOrigin {
            validator: None,
            ..origin()
        };
        let text = unnamed.to_text().unwrap();
        assert_eq!(PartOrigin::parse(&text), Some(unnamed));
        for origin in [None, Some(&multi_line)] {
            let mut part = ZipPart::of(&zip).unwrap();
            part.restart(origin).unwrap();
            part.write_all(b"0123").unwrap();
            drop(part);
            assert!(names(dir.path()).is_empty(), "{origin:?}");
        }
        let mut part = ZipPart::of(&zip).unwrap();
        part.restart(Some(&origin())).unwrap();
        part.write_all(b"0123").unwrap();
        part.discard();
        assert!(names(dir.path()).is_empty(), "discarded");
        // Begun, and nothing has come.
        let mut part = ZipPart::of(&zip).unwrap();
        part.restart(Some(&origin())).unwrap();
        drop(part);
        assert!(names(dir.path()).is_empty(), "empty");
    }

    #[test]
    fn a_part_is_nothing_without_a_whole_companion_that_fits() {
        let dir = tempfile::tempdir().unwrap();
        let zip = dir.path().join("v1.0.0.zip");
        let from = beside(&zip, FROM);
        let whole = origin().to_text().unwrap();
        for cut in 0..whole.len() {
            fs::write(beside(&zip, PART), b"0123").unwrap();
            fs::write(&from, &whole[..cut]).unwrap();
            assert_eq!(ZipPart::of(&zip).unwrap().kept(), None, "{cut}");
        }
        let later = whole.replace("part 1", "part 2");
        let more = format!("{whole}x\n");
        for text in [
            &later,
            &more,
            &whole.replace("10", "3"),
            &whole.replace("10", "-1"),
        ] {
            fs::write(beside(&zip, PART), b"0123").unwrap();
            fs::write(&from, text).unwrap();
            assert_eq!(ZipPart::of(&zip).unwrap().kept(), None, "{text}");
        }
        fs::write(beside(&zip, PART), b"0123").unwrap();
        fs::write(&from, &whole).unwrap();
        assert_eq!(ZipPart::of(&zip).unwrap().kept(), Some((&origin(), 4)));
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let zip = dir.path().join("v1.0.0.zip");
        let victim = dir.path().join("victim");
        fs::write(&victim, b"0123").unwrap();
        symlink(&victim, beside(&zip, PART)).unwrap();
        symlink(&victim, beside(&zip, FROM)).unwrap();
        let mut part = ZipPart::of(&zip).unwrap();
        part.restart(Some(&origin())).unwrap();
        part.write_all(b"x").unwrap();
        drop(part);
        assert_eq!(fs::read(&victim).unwrap(), b"0123");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_origin_or_none(text in "(modfetch part 1\nurl )?\\PC{0,80}\n?") {
            if let Some(origin) = PartOrigin::parse(&text) {
                proptest::prop_assert_eq!(origin.to_text(), Some(text));
            }
        }
    }
}
