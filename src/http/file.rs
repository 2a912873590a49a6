//! `file://` URLs, read as `go` reads them.

use std::fs::File;
use std::io::{self, ErrorKind};

use super::url::Url;
use crate::error::{Error, Kind};

/// Opens the file that a URL names.
///
/// # Errors
/// `reading URL: no such file or directory` is [`Kind::NotFound`]; a refused permission and
/// everything else the file system says is [`Kind::LocalIo`].
pub(super) fn open(url: &Url) -> Result<File, Error> {
    let path = url
        .file_path()
        .map_err(|reason| Error::new(Kind::Input, reason))?;
    File::open(path).map_err(|cause| {
        let kind = match cause.kind() {
            ErrorKind::NotFound => Kind::NotFound,
            _ => Kind::LocalIo,
        };
        unreadable(url, kind, cause)
    })
}

/// A failure while reading it; a directory can be opened, for example, but not read.
pub(super) fn unreadable(url: &Url, kind: Kind, cause: io::Error) -> Error {
    Error::new(kind, format!("reading {url}")).because(cause)
}
