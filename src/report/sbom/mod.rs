//! A bill of materials in the forms that other tools read: CycloneDX 1.6, SPDX 2.3 and SPDX 3.0.1, each as JSON.
//!
//! The text depends on the project, the version of modfetch and the time that [`BomStamp`] holds, and on nothing else. An h1 is a hash of a
//! listing (one line a file: its SHA-256 and its name), and not of a file that one could download. So it stands where a document keeps
//! free properties, under the name `modfetch:h1`, and never in a field for the hash of a file.

mod cyclonedx;
mod spdx2;
mod spdx3;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::sbom::{BillOfMaterials, BomModule, BomRole, BomUsage, LicenseFile};

/// Which document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BomFormat {
    /// CycloneDX 1.6.
    CycloneDx,
    /// SPDX 2.3.
    Spdx2,
    /// SPDX 3.0.1.
    Spdx3,
}

impl BomFormat {
    /// The names of the formats on the command line.
    pub const NAMES: &'static [&'static str] = &["cyclonedx", "spdx", "spdx-3"];

    /// The format of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<BomFormat> {
        match name {
            "cyclonedx" => Some(BomFormat::CycloneDx),
            "spdx" => Some(BomFormat::Spdx2),
            "spdx-3" => Some(BomFormat::Spdx3),
            _ => None,
        }
    }
}

/// The time that a document names as its creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BomStamp {
    /// SOURCE_DATE_EPOCH, in seconds since 1970: the document is reproducible.
    Fixed(u64),
    /// The clock, in the same unit. CycloneDX leaves the time out then; SPDX requires one.
    Now(u64),
}

impl BomStamp {
    fn seconds(self) -> u64 {
        match self {
            BomStamp::Fixed(seconds) | BomStamp::Now(seconds) => seconds,
        }
    }
}

/// The document, with a line feed at its end.
#[must_use]
pub fn bill_of_materials(bom: &BillOfMaterials, format: BomFormat, stamp: BomStamp) -> String {
    let object = match format {
        BomFormat::CycloneDx => cyclonedx::document(bom, stamp),
        BomFormat::Spdx2 => spdx2::document(bom, stamp),
        BomFormat::Spdx3 => spdx3::document(bom, stamp),
    };
    object.indented() + "\n"
}

/// The name of the whole: the main module, or `go.work` where there are several.
fn document_name(bom: &BillOfMaterials) -> &str {
    match mains(bom).collect::<Vec<_>>().as_slice() {
        [main] => &main.path,
        _ => "go.work",
    }
}

fn mains(bom: &BillOfMaterials) -> impl Iterator<Item = &BomModule> {
    bom.modules
        .iter()
        .filter(|module| module.role == BomRole::Main)
}

/// A UUID (RFC 9562, version 8) that depends on the contents of the bill only: equal bills have equal ones.
fn identity(bom: &BillOfMaterials) -> String {
    let mut hash = Sha256::new();
    hash.update(concat!("modfetch ", env!("CARGO_PKG_VERSION"), "\n"));
    for module in &bom.modules {
        hash.update(format!("{module:?}\n"));
    }
    let mut bytes: [u8; 32] = hash.finalize().into();
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().take(16).enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string succeeds.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Seconds since 1970 as `YYYY-MM-DDThh:mm:ssZ`.
fn timestamp(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // The calendar repeats every 400 years of 146,097 days; years begin in March here, so that a leap day is the last day.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The day of a second since 1970 in UTC, `YYYY-MM-DD`.
#[must_use]
pub fn utc_date(seconds: u64) -> String {
    let mut text = timestamp(seconds);
    text.truncate(10);
    text
}

/// What a document says of a module beside its name: names and values, in this order.
fn properties(module: &BomModule) -> Vec<(&'static str, &str)> {
    let pairs = [
        ("modfetch:h1", module.sum.as_deref()),
        ("modfetch:go.mod-h1", module.go_mod_sum.as_deref()),
        ("modfetch:replaces", module.replaces.as_deref()),
        ("modfetch:directory", module.directory.as_deref()),
        (
            "modfetch:requirement",
            match module.role {
                BomRole::Main => None,
                BomRole::Direct => Some("direct"),
                BomRole::Indirect => Some("indirect"),
            },
        ),
        (
            "modfetch:usage",
            match module.usage {
                BomUsage::Packages => None,
                BomUsage::DependencyTests => Some("tests of dependencies"),
                BomUsage::Graph => Some("go.mod only"),
            },
        ),
    ];
    let pairs = pairs.into_iter();
    pairs
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// The identifier of a licence text that has none on the SPDX list: equal texts have equal ones.
fn license_ref(file: &LicenseFile) -> String {
    let mut name = String::from("LicenseRef-modfetch-");
    for byte in Sha256::digest(&file.text).iter().take(10) {
        // Writing to a string succeeds.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// The licence texts of all modules by their identifier, each once.
fn license_texts(bom: &BillOfMaterials) -> BTreeMap<String, &LicenseFile> {
    let files = bom.modules.iter().flat_map(|module| &module.licenses);
    // The file of the first module gives its name.
    let files = files.map(|file| (license_ref(file), file)).rev();
    files.collect()
}

/// What a module with several licence files says of them: whether all hold or one of them is to be chosen stands in the files.
fn license_comment(module: &BomModule) -> Option<String> {
    let refs = module
        .licenses
        .iter()
        .map(|file| format!("{}: {}", file.name, license_ref(file)));
    let refs: Vec<String> = refs.collect();
    (refs.len() > 1).then(|| refs.join("; "))
}

/// The properties on one line, for documents without free properties.
fn comment(module: &BomModule) -> String {
    let pairs = properties(module);
    let lines: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests;
