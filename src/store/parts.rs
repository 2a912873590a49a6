//! Objects from files, which go up in parts where they are long.

use std::fs::File;

use super::counts::Operation;
use super::objects::{Existing, ObjectStore, StoreCall, kept};
use super::xml;
use crate::error::{Error, Kind, Result};
use crate::system::FileAt as _;

/// Longer objects go up in parts of this size: S3 wants at least 5 MiB, and a part is held in memory.
pub(super) const PART_BYTES: u64 = 8 << 20;

impl<'a> StoreCall<'a> {
    fn part(name: &'a str, method: &'static str, body: Option<&'a [u8]>) -> StoreCall<'a> {
        StoreCall {
            operation: Operation::Multipart,
            method,
            name,
            query: &[],
            headers: &[],
            body,
        }
    }
}

impl ObjectStore {
    /// Writes an object from a file, in parts if it is long.
    ///
    /// # Errors
    /// The file cannot be read; as [`ObjectStore::put`].
    pub fn put_file(&self, name: &str, file: &File, existing: Existing) -> Result<u64> {
        let unreadable =
            |cause| Error::new(Kind::LocalIo, format!("cannot read {name}")).because(cause);
        let length = file.metadata().map_err(unreadable)?.len();
        let part = |from: u64| {
            let bytes = PART_BYTES.min(length - from);
            let mut data = vec![0; usize::try_from(bytes).expect("a part fits in memory")];
            file.read_exact_at(&mut data, from).map_err(unreadable)?;
            Ok::<_, Error>(data)
        };
        if length <= PART_BYTES {
            self.put(name, &part(0)?, existing)?;
            return Ok(length);
        }
        let begun = self.answer(&StoreCall {
            query: &[("uploads", "")],
            ..StoreCall::part(name, "POST", Some(b""))
        })?;
        let upload = xml::text(&begun.text, "UploadId").map(xml::unescape);
        let upload = upload.ok_or_else(|| {
            let error = Error::new(Kind::Network, "an answer without an upload");
            self.named(&error, "POST", name, "")
        })?;
        let sent = self.put_parts(name, &upload, length, existing, &part);
        if sent.is_err() {
            // Parts that nothing ends are paid for until a rule of the bucket removes them.
            let _ = self.answer(&StoreCall {
                query: &[("uploadId", &upload)],
                ..StoreCall::part(name, "DELETE", None)
            });
        }
        kept(sent, existing)?;
        Ok(length)
    }

    fn put_parts(
        &self,
        name: &str,
        upload: &str,
        length: u64,
        existing: Existing,
        part: &dyn Fn(u64) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let mut parts = String::new();
        for (number, from) in (1..).zip((0..length).step_by(PART_BYTES as usize)) {
            let number: u32 = number;
            let number = number.to_string();
            let data = part(from)?;
            let answer = self.answer(&StoreCall {
                query: &[("partNumber", &number), ("uploadId", upload)],
                ..StoreCall::part(name, "PUT", Some(&data))
            })?;
            let etag = answer.etag.unwrap_or_default();
            let etag = etag.trim_matches('"');
            parts.push_str(&format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag></Part>"
            ));
        }
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let keep = [("if-none-match", "*")];
        let ended = self.answer(&StoreCall {
            query: &[("uploadId", upload)],
            headers: match existing {
                Existing::Keep => &keep,
                Existing::Replace => &[],
            },
            ..StoreCall::part(name, "POST", Some(body.as_bytes()))
        });
        ended.map(drop)
    }
}
