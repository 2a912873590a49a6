//! Who signed a certificate that nobody here knows, in words.
//!
//! Reads of X.509 only what leads to the two names; whether any of it is true is for others to
//! judge. What is malformed has no names.
//!
//! Source: RFC 5280 section 4.1 (Certificate, TBSCertificate, Name); X.690 (DER).

/// The longest name that is shown, in characters.
const MAX_NAME_CHARS: usize = 120;

/// As many certificates of a chain are followed.
const MAX_CHAIN: usize = 10;

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

/// The parts of a name that are shown, in this order: id-at-commonName, id-at-organizationName,
/// id-at-organizationalUnitName.
const ATTRIBUTES: [(&[u8], &str); 3] = [
    (&[0x55, 0x04, 0x03], "CN"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
];

/// The name of the authority that is missing: the issuer of the last certificate that can be
/// reached from the first one by the names of issuers. As `CN=Corp Root,O=Corp`; each certificate
/// in DER.
pub(super) fn unknown_issuer<'a>(
    leaf: &'a [u8],
    others: impl Iterator<Item = &'a [u8]>,
) -> Option<String> {
    let others: Vec<Names<'_>> = others.take(MAX_CHAIN).filter_map(names).collect();
    let mut top = names(leaf)?;
    for _ in 0..MAX_CHAIN {
        let above = |other: &&Names<'_>| other.subject == top.issuer && top.subject != top.issuer;
        match others.iter().find(above) {
            Some(other) => top = *other,
            None => break,
        }
    }
    name_text(top.issuer)
}

/// The contents of two fields of type Name.
#[derive(Clone, Copy)]
struct Names<'a> {
    issuer: &'a [u8],
    subject: &'a [u8],
}

fn names(certificate: &[u8]) -> Option<Names<'_>> {
    let (certificate, _) = expect(certificate, SEQUENCE)?;
    let (mut fields, _) = expect(certificate, SEQUENCE)?;
    if let Some((_, rest)) = expect(fields, VERSION) {
        fields = rest;
    }
    let (_serial, rest) = expect(fields, INTEGER)?;
    let (_signature, rest) = expect(rest, SEQUENCE)?;
    let (issuer, rest) = expect(rest, SEQUENCE)?;
    let (_validity, rest) = expect(rest, SEQUENCE)?;
    let (subject, _) = expect(rest, SEQUENCE)?;
    Some(Names { issuer, subject })
}

fn name_text(mut name: &[u8]) -> Option<String> {
    let mut found = Vec::new();
    while let Some((mut set, rest)) = expect(name, SET) {
        name = rest;
        while let Some((pair, rest)) = expect(set, SEQUENCE) {
            set = rest;
            let (kind, value) = expect(pair, OBJECT_IDENTIFIER)?;
            let rank = ATTRIBUTES.iter().position(|(oid, _)| *oid == kind);
            if let (Some(rank), Some(text)) = (rank, string(value)) {
                let label = ATTRIBUTES.get(rank).map_or("", |(_, label)| label);
                found.push((rank, format!("{label}={text}")));
            }
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    let parts: Vec<String> = found.into_iter().map(|(_, part)| part).collect();
    let text: String = parts.join(",").chars().take(MAX_NAME_CHARS).collect();
    (!text.is_empty()).then_some(text)
}

/// A string of any of the types in use, without what steers a terminal.
fn string(der: &[u8]) -> Option<String> {
    let (tag, value, _) = element(der)?;
    let text = match tag {
        UTF8_STRING | PRINTABLE_STRING | TELETEX_STRING | IA5_STRING => {
            String::from_utf8_lossy(value).into_owned()
        }
        BMP_STRING => {
            let units: Vec<u16> = value
                .as_chunks::<2>()
                .0
                .iter()
                .map(|pair| u16::from_be_bytes(*pair))
                .collect();
            String::from_utf16_lossy(&units)
        }
        _ => return None,
    };
    Some(super::status::harmless(&text))
}

/// The content of an element that must have this tag, and what follows it.
fn expect(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, value, rest) = element(der)?;
    (found == tag).then_some((value, rest))
}

/// Tag, content and what follows. Tags of more than a byte and lengths of more than three are in
/// no certificate.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if bytes.is_empty() || bytes.len() > 3 {
            return None;
        }
        let length = bytes
            .iter()
            .fold(0, |length, &byte| length << 8 | usize::from(byte));
        (length, rest)
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    fn params(names: &[(DnType, &str)], ca: bool) -> CertificateParams {
        let mut params = CertificateParams::new(vec!["h".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in names {
            params.distinguished_name.push(kind.clone(), *value);
        }
        if ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params
    }

    #[test]
    fn the_top_of_what_was_presented_names_who_is_missing() {
        let key = || KeyPair::generate().unwrap();
        let root = Issuer::new(
            params(
                &[
                    (DnType::CountryName, "DE"),
                    (DnType::OrganizationName, "Corp\u{1b}[31m"),
                    (DnType::CommonName, "Corp Röot"),
                ],
                true,
            ),
            key(),
        );
        let (middle_params, middle_key) = (params(&[(DnType::CommonName, "Middle")], true), key());
        let middle_der = middle_params.signed_by(&middle_key, &root).unwrap();
        let middle = Issuer::new(middle_params, middle_key);
        let leaf = params(&[(DnType::CommonName, "Leaf")], false)
            .signed_by(&key(), &middle)
            .unwrap();
        let own = params(&[(DnType::CommonName, "Own")], false)
            .self_signed(&key())
            .unwrap();
        let ask = |leaf: &rcgen::Certificate, others: &[&rcgen::Certificate]| {
            unknown_issuer(leaf.der(), others.iter().map(|other| other.der().as_ref()))
        };
        let missing = Some("CN=Corp Röot,O=Corp?[31m".to_owned());
        assert_eq!(ask(&leaf, &[&middle_der]), missing);
        assert_eq!(ask(&leaf, &[&own, &middle_der, &middle_der]), missing);
        assert_eq!(ask(&leaf, &[]).as_deref(), Some("CN=Middle"));
        assert_eq!(ask(&own, &[&own]).as_deref(), Some("CN=Own"));
        assert_eq!(unknown_issuer(b"", std::iter::empty()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
            at in 0_usize..300,
            valid in any::<bool>(),
        ) {
            if valid {
                let certificate = rcgen::generate_simple_self_signed(vec!["h".to_owned()]).unwrap();
                let damage = bytes.first().copied().unwrap_or(0);
                bytes = certificate.cert.der().to_vec();
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = damage;
                }
            }
            if let Some(name) = unknown_issuer(&bytes, std::iter::once(bytes.as_slice())) {
                prop_assert!(name.chars().count() <= MAX_NAME_CHARS);
                prop_assert!(!name.chars().any(char::is_control), "{name:?}");
            }
        }
    }
}
