//! The two pattern languages of the go command: glob lists of GOPRIVATE and its kin, and `...`.

/// A comma-separated list of path-prefix globs: GOPRIVATE, GONOPROXY, GONOSUMDB, GOINSECURE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixPatterns(Vec<String>);

impl PrefixPatterns {
    /// Splits the list; a malformed glob matches nothing, as in go.
    #[must_use]
    pub fn parse(list: &str) -> PrefixPatterns {
        let globs = list
            .split(',')
            .map(|glob| glob.strip_suffix('/').unwrap_or(glob));
        PrefixPatterns(
            globs
                .filter(|glob| !glob.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    /// True if the list has no glob.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if a glob of N elements matches the first N elements of `path`.
    ///
    /// Source: golang/mod `module.MatchPrefixPatterns`.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.0.iter().any(|glob| {
            let slashes = glob.matches('/').count();
            let mut ends = path.match_indices('/').map(|(i, _)| i).chain([path.len()]);
            ends.nth(slashes)
                .is_some_and(|end| glob_match(glob, &path[..end]))
        })
    }
}

/// Go's `path.Match`: `*` and `?` do not cross `/`, `[...]` classes, `\` escapes.
fn glob_match(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    well_formed(&pattern) && matches_from(&pattern, &name)
}

/// A malformed pattern is an error in go, and so never a match.
fn well_formed(pattern: &[char]) -> bool {
    let mut rest = pattern;
    while let Some((&c, tail)) = rest.split_first() {
        rest = match c {
            '\\' => match tail.split_first() {
                Some((_, tail)) => tail,
                None => return false,
            },
            '[' => match class(tail, None) {
                Some((_, tail)) => tail,
                None => return false,
            },
            _ => tail,
        };
    }
    true
}

/// Matches with one point to come back to (the last `*`), so the time is at most the product of
/// the lengths.
fn matches_from(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (pattern, name);
    let mut star: Option<(&[char], &[char])> = None;
    loop {
        let step = match p.split_first() {
            Some(('*', tail)) => {
                star = Some((tail, n));
                p = tail;
                continue;
            }
            None if n.is_empty() => return true,
            None => None,
            Some((&c, tail)) => n.split_first().and_then(|(&x, name_tail)| {
                let after = match c {
                    '?' => (x != '/').then_some(tail),
                    '[' => class(tail, Some(x)).and_then(|(hit, tail)| hit.then_some(tail)),
                    '\\' => tail
                        .split_first()
                        .and_then(|(&c, tail)| (c == x).then_some(tail)),
                    _ => (c == x).then_some(tail),
                };
                after.map(|after| (after, name_tail))
            }),
        };
        match (step, star) {
            (Some((after, name_tail)), _) => (p, n) = (after, name_tail),
            (None, Some((after_star, from))) => match from.split_first() {
                Some((&x, from)) if x != '/' => {
                    star = Some((after_star, from));
                    (p, n) = (after_star, from);
                }
                _ => return false,
            },
            (None, None) => return false,
        }
    }
}

/// Reads a class after its `[`; returns whether `x` is in it and what follows the `]`.
fn class(pattern: &[char], x: Option<char>) -> Option<(bool, &[char])> {
    let (negated, mut rest) = match pattern.split_first() {
        Some(('^', tail)) => (true, tail),
        _ => (false, pattern),
    };
    let mut hit = false;
    let mut ranges = 0;
    loop {
        if let Some((']', tail)) = rest.split_first()
            && ranges > 0
        {
            return Some((hit != negated, tail));
        }
        let (low, tail) = class_char(rest)?;
        let (high, tail) = match tail.split_first() {
            Some(('-', tail)) => class_char(tail)?,
            _ => (low, tail),
        };
        hit |= x.is_some_and(|x| low <= x && x <= high);
        ranges += 1;
        rest = tail;
    }
}

fn class_char(pattern: &[char]) -> Option<(char, &[char])> {
    let (&c, tail) = pattern.split_first()?;
    let (c, tail) = match c {
        '-' | ']' => return None,
        '\\' => tail.split_first().map(|(&c, tail)| (c, tail))?,
        _ => (c, tail),
    };
    (!tail.is_empty()).then_some((c, tail))
}

/// A module pattern with `...`, as `golang.org/x/...` on the command line.
///
/// `...` matches any string, `/...` at the end also nothing; an element `vendor` is matched only
/// where it is spelled out.
#[derive(Clone, Debug)]
pub struct MatchPattern(Vec<PatternPiece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum PatternPiece {
    Text(String),
    /// Any string without a `vendor` element that is followed by a slash.
    Wild,
    /// Nothing, or a slash and any string.
    SlashWild,
}

/// Stands for a `vendor` element: no module path can hold it, and no wildcard matches it.
const VENDOR: char = '\0';

impl MatchPattern {
    /// Reads a pattern; a text without `...` matches just itself.
    #[must_use]
    pub fn parse(pattern: &str) -> MatchPattern {
        let marked = mark_vendor(pattern);
        let (body, tail) = match marked.strip_suffix("/...") {
            Some(body) => (body, Some(PatternPiece::SlashWild)),
            None => (marked.as_str(), None),
        };
        let mut pieces = Vec::new();
        for (i, text) in body.split("...").enumerate() {
            if i > 0 {
                pieces.push(PatternPiece::Wild);
            }
            pieces.push(PatternPiece::Text(text.to_owned()));
        }
        pieces.extend(tail);
        MatchPattern(pieces)
    }

    /// True if the whole of `path` matches.
    ///
    /// Source: golang/go `cmd/internal/pkgpattern`, `MatchPattern`.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        matches_pieces(&self.0, &mark_vendor(path))
    }
}

fn mark_vendor(path: &str) -> String {
    let mut elements: Vec<&str> = path.split('/').collect();
    let marker = VENDOR.to_string();
    let last = elements.len() - 1;
    for element in &mut elements[..last] {
        if *element == "vendor" {
            *element = &marker;
        }
    }
    elements.join("/")
}

/// Walks all ways at once: after each piece, the places in `text`, in order, where it may end.
///
/// The time is at most the product of the lengths; to come back for each `...` would double it
/// with every one.
fn matches_pieces(pieces: &[PatternPiece], text: &str) -> bool {
    let rest = |at: usize| text.get(at..).unwrap_or_default();
    let mut ends = vec![0];
    for piece in pieces {
        ends = match piece {
            PatternPiece::Text(want) => ends
                .into_iter()
                .filter(|&at| rest(at).starts_with(want.as_str()))
                .map(|at| at + want.len())
                .collect(),
            PatternPiece::SlashWild => {
                return ends.into_iter().map(rest).any(|rest| {
                    rest.is_empty() || rest.starts_with('/') && !rest.contains(VENDOR)
                });
            }
            PatternPiece::Wild => {
                let mut starts = ends.into_iter().peekable();
                let mut reached = Vec::new();
                let mut inside = false;
                for (at, c) in text.char_indices().chain([(text.len(), VENDOR)]) {
                    inside |= starts.next_if_eq(&at).is_some();
                    if inside {
                        reached.push(at);
                    }
                    inside &= c != VENDOR;
                }
                reached
            }
        };
    }
    ends.last() == Some(&text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_match_as_in_go() {
        let rows = [
            ("a.com/m", "a.com/m", true),
            ("a.com/m", "a.com/mm", false),
            ("a.com/...", "a.com", true),
            ("a.com/...", "a.com/b/c", true),
            ("a.com/...", "a.comb", false),
            ("a.com...", "a.comb/c", true),
            ("...", "a.com/b", true),
            (".../m", "a.com/m", true),
            ("a.com/.../m", "a.com/b/c/m", true),
            ("a.com/.../m", "a.com/m", false),
            ("a.com/...", "a.com/vendor/b", false),
            ("a.com/vendor/...", "a.com/vendor/b", true),
            ("a.com/...vendor", "a.com/vendor", true),
            (".../a...b/...", "x/a/b/ab/vendor/y", false),
            (".../vendor/...", "a/vendor/b/vendor/c", false),
            (".../vendor/.../vendor/...", "a/vendor/b/vendor/c", true),
            ("\u{e9}...\u{e9}", "\u{e9}x\u{e9}", true),
        ];
        for (pattern, path, want) in rows {
            assert_eq!(
                MatchPattern::parse(pattern).matches(path),
                want,
                "{pattern} on {path}"
            );
        }
    }
    #[test]
    fn many_dots_take_no_time() {
        // Tried one after the other, the ways to spread 1000 letters over 60 dots never end.
        let pattern = MatchPattern::parse(&"...a".repeat(60));
        assert!(pattern.matches(&"a".repeat(1000)));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(1000))));
    }
}
