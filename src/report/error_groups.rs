//! One piece of news for many failures that have one reason.

use crate::error::{Error, Kind};
use crate::http::HostFailure;

/// So many of those that share a reason are named.
const NAMED: usize = 5;

/// What to tell of failures, each with the module it is about.
///
/// Where a host was given up, or nothing can be asked of it as things are (a certificate that is
/// not believed), the first failure of a request to it is reported in full, in the place of the first of them all; the rest follows as one error that counts them and
/// names a few. All other errors are reported as they are, in their order.
#[must_use]
pub fn group_by_host(failures: &[(String, Error)]) -> Vec<Error> {
    let trouble = |(_, error): &(String, Error)| HostFailure::of(error).cloned();
    let troubles: Vec<Option<HostFailure>> = failures.iter().map(trouble).collect();
    let mut of_all: Vec<&str> = Vec::new();
    for trouble in troubles.iter().flatten() {
        if trouble.is_of_all() && !of_all.contains(&trouble.host()) {
            of_all.push(trouble.host());
        }
    }
    let mut told = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for ((_, error), trouble) in failures.iter().zip(&troubles) {
        let host = trouble.as_ref().map(HostFailure::host);
        let Some(host) = host.filter(|host| of_all.contains(host)) else {
            told.push(error.clone());
            continue;
        };
        if done.contains(&host) {
            continue;
        }
        done.push(host);
        let of_host = failures
            .iter()
            .zip(&troubles)
            .filter_map(|(failure, trouble)| {
                let trouble = trouble.as_ref().filter(|trouble| trouble.host() == host)?;
                Some((failure, trouble.was_asked()))
            });
        let mut of_host: Vec<(&(String, Error), bool)> = of_host.collect();
        let example = of_host.iter().position(|(_, asked)| *asked).unwrap_or(0);
        let ((_, error), _) = of_host.remove(example);
        told.push(error.clone());
        let subjects: Vec<&str> = of_host
            .iter()
            .map(|((subject, _), _)| subject.as_str())
            .collect();
        told.extend(rest(host, &subjects));
    }
    told
}

fn rest(host: &str, subjects: &[&str]) -> Option<Error> {
    let (named, unnamed) = subjects.split_at(subjects.len().min(NAMED));
    let mut list = named.join(", ");
    match (named.len(), unnamed.len()) {
        (0, _) => return None,
        (_, 0) => {}
        (_, more) => list.push_str(&format!(" and {more} more")),
    }
    let modules = match subjects.len() {
        1 => "1 more module".to_owned(),
        count => format!("{count} more modules"),
    };
    let text = format!("{modules} failed because {host} is failing: {list}");
    Some(Error::new(Kind::Network, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::FailureScope;

    /// `a+` was asked for and failed for host `a`, `a-` was not asked for, `a!` failed as all would;
    /// anything else is an error of its own.
    fn tell(letters: &[&str]) -> Vec<String> {
        let failures = letters.iter().enumerate().map(|(number, letter)| {
            let error = Error::new(Kind::Network, format!("m{number}"));
            let trouble = |reach| {
                HostFailure::new(
                    letter.trim_end_matches(['+', '-', '!']),
                    reach,
                    "why".into(),
                )
            };
            let error = match letter.chars().last() {
                Some('+') => error.because(trouble(FailureScope::Request)),
                Some('-') => error
                    .because(trouble(FailureScope::NotAsked))
                    .context("in it"),
                Some('!') => error.because(trouble(FailureScope::Host)),
                _ => Error::new(Kind::NotFound, format!("m{number}: {letter}")),
            };
            (format!("m{number}"), error)
        });
        let told = group_by_host(&failures.collect::<Vec<_>>());
        told.iter().map(Error::chain).collect()
    }

    #[test]
    fn one_reason_is_told_once_and_the_rest_as_it_is() {
        let rows: &[(&[&str], &[&str])] = &[
            (&[], &[]),
            (&["404", "403"], &["m0: 404", "m1: 403"]),
            // No host was given up: each error is its own.
            (&["a+", "a+", "b+"], &["m0: why", "m1: why", "m2: why"]),
            (
                &["404", "a-", "a+", "b+", "a+"],
                &[
                    "m0: 404",
                    "m2: why",
                    "2 more modules failed because a is failing: m1, m4",
                    "m3: why",
                ],
            ),
            (&["a-"], &["in it: m0: why"]),
            (&["a!"], &["m0: why"]),
            (
                &["a!", "b+", "a!", "404", "a!"],
                &[
                    "m0: why",
                    "2 more modules failed because a is failing: m2, m4",
                    "m1: why",
                    "m3: 404",
                ],
            ),
            (
                &["a+", "a-"],
                &["m0: why", "1 more module failed because a is failing: m1"],
            ),
            (
                &["a+", "b-", "a-", "a-", "a-", "a-", "a-", "a-", "b+"],
                &[
                    "m0: why",
                    "6 more modules failed because a is failing: m2, m3, m4, m5, m6 and 1 more",
                    "m8: why",
                    "1 more module failed because b is failing: m1",
                ],
            ),
        ];
        for (letters, want) in rows {
            assert_eq!(tell(letters), *want, "{letters:?}");
        }
    }
}
