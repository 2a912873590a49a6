//! The log of imports: who carried what in, for those who have to answer for it.
//!
//! `cache/modfetch/imports.jsonl` has a line of JSON for each import that was complete.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::reader::BundleSummary;
use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::fsio::create_dir_all;
use crate::gojson::quote;
use crate::gomod::Time;

/// The log of a module cache.
#[derive(Clone, Debug)]
pub struct ImportLog {
    file: PathBuf,
}

impl ImportLog {
    /// The log of this cache, which need not exist.
    #[must_use]
    pub fn of(cache: &Cache) -> ImportLog {
        ImportLog {
            file: cache.root().join("cache/modfetch/imports.jsonl"),
        }
    }

    /// Adds a line: time, file, its SHA-256, the signed head, and `PATH@VERSION` with the sum of the
    /// zip, or of the go.mod where there is no zip.
    ///
    /// # Errors
    /// [`crate::Kind::LocalIo`].
    pub fn append(&self, file: &str, sha256: &str, summary: &BundleSummary) -> Result<()> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = since.map_or(0, |since| since.as_secs());
        let time = Time::from_unix_seconds(i64::try_from(seconds).unwrap_or(0));
        let mut line = format!(
            "{{\"time\":\"{time}\",\"file\":{},\"sha256\":\"{sha256}\"",
            quote(file)
        );
        if let Some(head) = &summary.head {
            let note = String::from_utf8_lossy(&head.note);
            line.push_str(&format!(
                ",\"tree\":{},\"head\":{}",
                head.tree.size,
                quote(&note)
            ));
        }
        let modules = summary.manifest.modules.iter().map(|one| {
            let module = &one.module;
            match &one.zip {
                Some(zip) => format!("\"{module} {}\"", zip.h1),
                None => format!("\"{module}/go.mod {}\"", one.gomod),
            }
        });
        let modules: Vec<String> = modules.collect();
        line.push_str(&format!(",\"modules\":[{}]}}\n", modules.join(",")));
        let write = || {
            let mut log = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&self.file)?;
            // One write, so that two imports do not mix their lines.
            log.write_all(line.as_bytes())
        };
        if let Some(dir) = self.file.parent() {
            create_dir_all(dir)?;
        }
        write().map_err(|cause| Error::io("cannot write", &self.file, cause))
    }
}
