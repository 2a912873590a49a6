//! Who issued a certificate and until when it is valid, read from its DER.
//!
//! Nothing is verified here: rustls has done that. What is not as expected is "unknown".
//!
//! Source: RFC 5280, 4.1.2.5.

use super::der::{COMMON_NAME, CertificateFields, DerReader, ORGANIZATION, attributes};
use crate::gomod::days_from_civil;

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The longest name that is shown, in characters.
const MAX_NAME_CHARS: usize = 100;

/// What messages say of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The name of who signed it, with the organization in brackets where there is one;
    /// printable. Empty if it has neither.
    pub issuer: String,
    /// The end of its validity, in seconds since 1970.
    pub not_after: i64,
    /// The day of that, as `2027-01-31`.
    pub last_day: String,
}

impl Certificate {
    /// Reads a certificate in DER; `None` if it does not have the form of one.
    #[must_use]
    pub fn parse(der: &[u8]) -> Option<Certificate> {
        let fields = CertificateFields::of(der)?;
        let issuer = name(fields.issuer)?;
        let mut validity = DerReader(fields.validity);
        validity.next()?;
        let (tag, text) = validity.next()?;
        let (not_after, last_day) = time(tag, text)?;
        Some(Certificate {
            issuer,
            not_after,
            last_day,
        })
    }
}

/// A distinguished name: common name and organization.
fn name(name: &[u8]) -> Option<String> {
    let (mut common, mut organization) = (String::new(), String::new());
    for (kind, text) in attributes(name)? {
        let text: String = text.chars().take(MAX_NAME_CHARS).collect();
        if kind == COMMON_NAME {
            common = text;
        } else if kind == ORGANIZATION {
            organization = text;
        }
    }
    Some(match (common.is_empty(), organization.is_empty()) {
        (false, false) => format!("{common} ({organization})"),
        (false, true) => common,
        (true, _) => organization,
    })
}

/// `YYMMDDhhmmssZ` (1950 to 2049) or `YYYYMMDDhhmmssZ`.
fn time(tag: u8, text: &[u8]) -> Option<(i64, String)> {
    let digits = text.strip_suffix(b"Z")?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = digits.split_at_checked(2)?;
            let year = number(year)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = digits.split_at_checked(4)?;
            (number(year)?, rest)
        }
        _ => return None,
    };
    let mut pairs = rest.chunks(2).map(number);
    let mut next = || pairs.next().flatten();
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    let sane = rest.len() == 10 && (1..=12).contains(&month) && (1..=31).contains(&day);
    let days = days_from_civil(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    let at = days * 86_400 + hour * 3600 + minute * 60 + second;
    sane.then(|| (at, format!("{year:04}-{month:02}-{day:02}")))
}

fn number(digits: &[u8]) -> Option<i64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, DnValue, KeyPair, date_time_ymd};

    fn made(year: i32, change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["h.com".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 2, 28);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn issuer_and_end_are_read() {
        let der = made(2031, |params| {
            let name = &mut params.distinguished_name;
            name.push(DnType::CountryName, "DE");
            name.push(DnType::OrganizationName, "Example Corp");
            name.push(DnType::CommonName, "Example \u{1b}CA é");
        });
        let want = Certificate {
            issuer: "Example ?CA é (Example Corp)".to_owned(),
            // date -ud 2031-02-28 +%s
            not_after: 1_930_003_200,
            last_day: "2031-02-28".to_owned(),
        };
        assert_eq!(Certificate::parse(&der), Some(want));

        // From 2050 on the other form of time is used.
        let der = made(2051, |params| {
            let value = DnValue::BmpString("Ünit".try_into().unwrap());
            let mut name = rcgen::DistinguishedName::new();
            name.push(DnType::CommonName, value);
            params.distinguished_name = name;
        });
        let got = Certificate::parse(&der).unwrap();
        assert_eq!(
            (got.issuer.as_str(), got.last_day.as_str()),
            ("Ünit", "2051-02-28")
        );
        // date -ud 2051-02-28 +%s
        assert_eq!(got.not_after, 2_561_155_200);
    }

    #[test]
    fn what_is_cut_is_none() {
        let der = made(2031, |_| ());
        assert!(Certificate::parse(&der).is_some());
        for length in 0..100 {
            assert_eq!(Certificate::parse(der.get(..length).unwrap()), None);
        }
    }

    proptest! {
        #[test]
        fn never_panics(mut der in Just(made(2031, |_| ())), at in 0usize..200, byte: u8, noise: Vec<u8>) {
            let _ = Certificate::parse(&noise);
            if let Some(place) = der.get_mut(at) {
                *place = byte;
            }
            let _ = Certificate::parse(&der);
        }
    }
}
