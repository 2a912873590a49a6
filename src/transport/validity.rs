//! Who issued a certificate and until when it is valid, read from its DER.
//!
//! Nothing is verified here: rustls has done that. Only the way to three fields of the structure
//! is walked, `tbsCertificate.{issuer, validity.notAfter}`; what is not as expected is "unknown".
//!
//! Source: RFC 5280, 4.1; ITU-T X.690, 8.1.3 (lengths).

use super::date::days_from_civil;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The version, which only old certificates lack.
const CONTEXT_0: u8 = 0xa0;
const BMP_STRING: u8 = 0x1e;

/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
/// 2.5.4.10
const ORGANIZATION: [u8; 3] = [0x55, 0x04, 0x0a];

/// What is told about a certificate.
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
        let mut outer = Reader(der);
        let mut certificate = Reader(outer.take(SEQUENCE)?);
        let mut fields = Reader(certificate.take(SEQUENCE)?);
        let (mut tag, _) = fields.next()?;
        if tag == CONTEXT_0 {
            (tag, _) = fields.next()?;
        }
        // That was the serial number, an INTEGER; the algorithm follows.
        if tag != 0x02 {
            return None;
        }
        fields.take(SEQUENCE)?;
        let issuer = name(fields.take(SEQUENCE)?)?;
        let mut validity = Reader(fields.take(SEQUENCE)?);
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

/// Elements of DER, one after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The tag and content of the next element.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            // Three bytes say 16 MiB; no certificate is longer.
            let count = usize::from(first & 0x7f);
            if !(1..=3).contains(&count) {
                return None;
            }
            let (digits, after) = rest.split_at_checked(count)?;
            length = digits
                .iter()
                .fold(0, |sum, &digit| sum << 8 | usize::from(digit));
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of the next element, if it has this tag.
    fn take(&mut self, wanted: u8) -> Option<&'a [u8]> {
        let (tag, content) = self.next()?;
        (tag == wanted).then_some(content)
    }
}

/// A distinguished name: common name and organization.
fn name(der: &[u8]) -> Option<String> {
    let (mut common, mut organization) = (String::new(), String::new());
    let mut parts = Reader(der);
    while !parts.0.is_empty() {
        let mut set = Reader(parts.take(SET)?);
        let mut pair = Reader(set.take(SEQUENCE)?);
        let kind = pair.take(OBJECT_IDENTIFIER)?;
        let (tag, value) = pair.next()?;
        if kind == COMMON_NAME {
            common = text(tag, value);
        } else if kind == ORGANIZATION {
            organization = text(tag, value);
        }
    }
    Some(match (common.is_empty(), organization.is_empty()) {
        (false, false) => format!("{common} ({organization})"),
        (false, true) => common,
        (true, _) => organization,
    })
}

/// A string of any kind, without what a terminal would act on.
fn text(tag: u8, value: &[u8]) -> String {
    let text = if tag == BMP_STRING {
        let units = value.chunks_exact(2).map(|pair| match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            _ => 0,
        });
        char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    } else {
        String::from_utf8_lossy(value).into_owned()
    };
    text.chars().filter(|c| !c.is_control()).take(100).collect()
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
            issuer: "Example CA é (Example Corp)".to_owned(),
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
