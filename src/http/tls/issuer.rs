//! The issuer of a certificate that is not trusted, in words.
//!
//! Whether any of it is true is for others to judge. What is malformed has no names.

use super::der::{self, CertificateFields};

/// The longest name that is shown, in characters.
const MAX_NAME_CHARS: usize = 120;

/// As many certificates of a chain are followed.
const MAX_CHAIN: usize = 10;

/// The parts of a name that are shown, in this order.
const ATTRIBUTES: [(&[u8], &str); 3] = [
    (der::COMMON_NAME, "CN"),
    (der::ORGANIZATION, "O"),
    (der::UNIT, "OU"),
];

/// The name of the authority that is missing: the issuer of the last certificate that can be
/// reached from the first one by the names of issuers. As `CN=Corp Root,O=Corp`; each certificate
/// in DER.
pub(super) fn unknown_issuer<'a>(
    leaf: &'a [u8],
    others: impl Iterator<Item = &'a [u8]>,
) -> Option<String> {
    let others: Vec<CertificateFields<'_>> = others
        .take(MAX_CHAIN)
        .filter_map(CertificateFields::of)
        .collect();
    let mut top = CertificateFields::of(leaf)?;
    for _ in 0..MAX_CHAIN {
        let above = |other: &&CertificateFields<'_>| {
            other.subject == top.issuer && top.subject != top.issuer
        };
        match others.iter().find(above) {
            Some(other) => top = *other,
            None => break,
        }
    }
    name_text(top.issuer)
}

fn name_text(name: &[u8]) -> Option<String> {
    let mut found = Vec::new();
    for (kind, text) in der::attributes(name)? {
        let rank = ATTRIBUTES.iter().position(|(oid, _)| *oid == kind);
        if let Some((rank, (_, label))) = rank.and_then(|rank| Some((rank, ATTRIBUTES.get(rank)?)))
        {
            found.push((rank, format!("{label}={text}")));
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    let parts: Vec<String> = found.into_iter().map(|(_, part)| part).collect();
    let text: String = parts.join(",").chars().take(MAX_NAME_CHARS).collect();
    (!text.is_empty()).then_some(text)
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
