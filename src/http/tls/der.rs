//! As much of DER, and of the structure of a certificate, as is read here: by `issuer` and
//! `validity`.
//!
//! Nothing is verified: that is rustls's. What is malformed is `None`, whatever it is.
//!
//! Source: RFC 5280, 4.1 (Certificate, TBSCertificate, Name); ITU-T X.690, 8.1.3 (lengths).

use crate::http::text::harmless;

const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const TELETEX_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const BMP_STRING: u8 = 0x1e;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// The version of a certificate, absent in the first.
const VERSION: u8 = 0xa0;

/// id-at-commonName
pub(super) const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// id-at-organizationName
pub(super) const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
/// id-at-organizationalUnitName
pub(super) const UNIT: &[u8] = &[0x55, 0x04, 0x0b];

/// Elements, one after the other.
#[derive(Clone, Copy)]
pub(super) struct DerReader<'a>(pub(super) &'a [u8]);

impl<'a> DerReader<'a> {
    /// The tag and content of the next element. Tags of more than a byte and lengths of more than
    /// three are in no certificate.
    pub(super) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if digits.is_empty() || digits.len() > 3 {
                return None;
            }
            let length = digits
                .iter()
                .fold(0, |length, &digit| length << 8 | usize::from(digit));
            (length, rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of the next element, if it has this tag; otherwise nothing is read.
    fn take(&mut self, wanted: u8) -> Option<&'a [u8]> {
        let mut after = *self;
        let (tag, content) = after.next()?;
        (tag == wanted).then(|| {
            *self = after;
            content
        })
    }
}

/// The contents of some fields of a certificate.
#[derive(Clone, Copy)]
pub(super) struct CertificateFields<'a> {
    pub(super) issuer: &'a [u8],
    pub(super) validity: &'a [u8],
    pub(super) subject: &'a [u8],
}

impl<'a> CertificateFields<'a> {
    pub(super) fn of(certificate: &'a [u8]) -> Option<CertificateFields<'a>> {
        let mut certificate = DerReader(DerReader(certificate).take(SEQUENCE)?);
        let mut fields = DerReader(certificate.take(SEQUENCE)?);
        fields.take(VERSION);
        let _serial = fields.take(INTEGER)?;
        let _algorithm = fields.take(SEQUENCE)?;
        Some(CertificateFields {
            issuer: fields.take(SEQUENCE)?,
            validity: fields.take(SEQUENCE)?,
            subject: fields.take(SEQUENCE)?,
        })
    }
}

/// The attributes of a Name that are text: which, and the text, without what steers a terminal.
pub(super) fn attributes(name: &[u8]) -> Option<Vec<(&[u8], String)>> {
    let mut found = Vec::new();
    let mut sets = DerReader(name);
    while !sets.0.is_empty() {
        let mut set = DerReader(sets.take(SET)?);
        while !set.0.is_empty() {
            let mut pair = DerReader(set.take(SEQUENCE)?);
            let kind = pair.take(OBJECT_IDENTIFIER)?;
            let (tag, value) = pair.next()?;
            found.extend(string(tag, value).map(|text| (kind, text)));
        }
    }
    Some(found)
}

/// A string of any of the types in use.
fn string(tag: u8, value: &[u8]) -> Option<String> {
    let text = match tag {
        UTF8_STRING | PRINTABLE_STRING | TELETEX_STRING | IA5_STRING => {
            String::from_utf8_lossy(value).into_owned()
        }
        BMP_STRING => {
            let pairs = value.as_chunks::<2>().0.iter();
            let units: Vec<u16> = pairs.map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16_lossy(&units)
        }
        _ => return None,
    };
    Some(harmless(&text))
}
