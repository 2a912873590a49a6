//! The metadata of a version: what a proxy serves as `.info`, and what go keeps of it.
//!
//! Source: golang/go `cmd/go/internal/modfetch` `repo.go` (`RevInfo`), `cache.go`
//! (`writeDiskStat`), `codehost/codehost.go` (`VcsOrigin`).

use std::fmt;

use crate::gojson;
use crate::gomod::Time;
use crate::gomod::is_pseudo_version;

/// A version and when it was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// As served; not checked to be a version.
    pub version: String,
    /// [`Time::ZERO`] if unknown.
    pub time: Time,
    /// Where it came from, if the proxy said so; apart, since it is rarely needed.
    pub origin: Option<Box<VcsOrigin>>,
}

/// Where a version came from; an empty field is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VcsOrigin {
    /// `git` or another system.
    pub vcs: String,
    /// Of the repository.
    pub url: String,
    /// Within the repository.
    pub subdir: String,
    /// Of the commit.
    pub hash: String,
    /// Which tags the resolution depends on.
    pub tag_prefix: String,
    /// Their sum.
    pub tag_sum: String,
    /// The ref that was resolved, as `refs/tags/v1.0.0`.
    pub reference: String,
    /// The sum of the whole repository's refs.
    pub repo_sum: String,
}

impl VcsOrigin {
    /// The fields that are not empty, by Go's names, in Go's order.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("VCS", &self.vcs),
            ("URL", &self.url),
            ("Subdir", &self.subdir),
            ("Hash", &self.hash),
            ("TagPrefix", &self.tag_prefix),
            ("TagSum", &self.tag_sum),
            ("Ref", &self.reference),
            ("RepoSum", &self.repo_sum),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, value.as_str()))
    }

    /// What an answer depends on that depends on both; `None` if they contradict each other.
    ///
    /// Source: golang/go `cmd/go/internal/modload/build.go`, `mergeOrigin`.
    #[must_use]
    pub(crate) fn merged(&self, other: &VcsOrigin) -> Option<VcsOrigin> {
        let same = (&self.vcs, &self.url, &self.subdir) == (&other.vcs, &other.url, &other.subdir);
        let either = |one: &str, other: &str| match (one, other) {
            (one, "") => Some(one.to_owned()),
            ("", other) => Some(other.to_owned()),
            (one, other) => (one == other).then(|| one.to_owned()),
        };
        let tags = either(&self.tag_sum, &other.tag_sum)?;
        let both = !self.tag_sum.is_empty() && !other.tag_sum.is_empty();
        if !same || both && self.tag_prefix != other.tag_prefix {
            return None;
        }
        let prefix = match other.tag_sum.is_empty() {
            true => &self.tag_prefix,
            false => &other.tag_prefix,
        };
        Some(VcsOrigin {
            hash: either(&self.hash, &other.hash)?,
            tag_prefix: prefix.clone(),
            tag_sum: tags,
            reference: either(&self.reference, &other.reference)?,
            repo_sum: either(&self.repo_sum, &other.repo_sum)?,
            ..self.clone()
        })
    }

    /// Without what go drops before it stores the metadata of `version`: conditions for the
    /// answer to stay the same, which do not concern a fixed version.
    #[must_use]
    pub fn for_cache(&self, version: &str) -> VcsOrigin {
        let mut origin = self.clone();
        origin.tag_prefix.clear();
        origin.tag_sum.clear();
        origin.repo_sum.clear();
        if is_pseudo_version(version) {
            origin.reference.clear();
        }
        origin
    }

    fn field_mut(&mut self, key: &str) -> Option<(&'static str, &mut String)> {
        [
            ("VCS", &mut self.vcs),
            ("URL", &mut self.url),
            ("Subdir", &mut self.subdir),
            ("Hash", &mut self.hash),
            ("TagPrefix", &mut self.tag_prefix),
            ("TagSum", &mut self.tag_sum),
            ("Ref", &mut self.reference),
            ("RepoSum", &mut self.repo_sum),
        ]
        .into_iter()
        .find(|(name, _)| gojson::key_matches(key, name))
    }
}

impl Info {
    /// Reads an `.info` file as Go's `encoding/json` would: keys in any case, unknown ones
    /// ignored, later ones win, `null` changes nothing, a missing time is [`Time::ZERO`].
    ///
    /// # Errors
    /// The complaint, in go's words; there is no path or URL in it.
    pub fn parse(text: &[u8]) -> Result<Info, String> {
        let mut info = Info {
            version: String::new(),
            time: Time::ZERO,
            origin: None,
        };
        let value = gojson::check(text)?;
        match gojson::kind(value) {
            "object" => {}
            "null" => return Ok(info),
            kind => {
                let target = "Go value of type modfetch.RevInfo";
                return Err(format!("json: cannot unmarshal {kind} into {target}"));
            }
        }
        let mut mismatch = Ok(());
        for (key, value) in gojson::members(value)? {
            if gojson::key_matches(&key, "Version") {
                let name = format_args!("RevInfo.Version");
                set_string(&mut info.version, value, name, &mut mismatch);
            } else if gojson::key_matches(&key, "Time") {
                set_time(&mut info.time, value)?;
            } else if gojson::key_matches(&key, "Origin") {
                set_origin(&mut info.origin, value, &mut mismatch)?;
            }
        }
        mismatch.map(|()| info)
    }

    /// Reads what a cache holds; the same rules, since go reads it the same way.
    #[must_use]
    pub fn parse_cached(text: &[u8]) -> Option<Info> {
        Info::parse(text).ok()
    }

    /// What go writes into the cache, byte for byte: compact, Version, Time, Origin, without a
    /// newline at the end.
    #[must_use]
    pub fn to_cache_json(&self) -> String {
        let mut json = format!(
            "{{\"Version\":{},\"Time\":\"{}\"",
            gojson::quote(&self.version),
            self.time
        );
        if let Some(origin) = &self.origin {
            let origin = origin.for_cache(&self.version);
            let fields: Vec<String> = origin
                .fields()
                .map(|(name, value)| format!("\"{name}\":{}", gojson::quote(value)))
                .collect();
            json.push_str(&format!(",\"Origin\":{{{}}}", fields.join(",")));
        }
        json.push('}');
        json
    }
}

/// Sets a string field; a value of another type is remembered if it is the first one.
fn set_string(
    field: &mut String,
    value: &[u8],
    name: fmt::Arguments<'_>,
    mismatch: &mut Result<(), String>,
) {
    match gojson::kind(value) {
        "string" => *field = gojson::string(value).into_owned(),
        "null" => {}
        kind => note(mismatch, kind, name, "string"),
    }
}

fn note(mismatch: &mut Result<(), String>, kind: &str, field: fmt::Arguments<'_>, wanted: &str) {
    if mismatch.is_ok() {
        *mismatch = Err(format!(
            "json: cannot unmarshal {kind} into Go struct field {field} of type {wanted}"
        ));
    }
}

pub(super) fn set_time(field: &mut Time, value: &[u8]) -> Result<(), String> {
    match gojson::kind(value) {
        "null" => return Ok(()),
        "string" => {}
        _ => return Err("Time.UnmarshalJSON: input is not a JSON string".into()),
    }
    // Go does not decode escapes here.
    let text = value
        .get(1..value.len().saturating_sub(1))
        .unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    *field = Time::parse(&text).ok_or_else(|| {
        format!(
            "parsing time {value:?} as \"2006-01-02T15:04:05Z07:00\": malformed",
            value = text
        )
    })?;
    Ok(())
}

fn set_origin(
    field: &mut Option<Box<VcsOrigin>>,
    value: &[u8],
    mismatch: &mut Result<(), String>,
) -> Result<(), String> {
    match gojson::kind(value) {
        "null" => *field = None,
        "object" => {
            // A second Origin adds to the first one.
            let origin = field.get_or_insert_default();
            set_origin_fields(origin, value, "Origin", mismatch)?;
        }
        kind => {
            // Go allocates before it complains, but the complaint wins.
            let name = format_args!("RevInfo.Origin");
            note(mismatch, kind, name, "codehost.Origin");
        }
    }
    Ok(())
}

/// Sets what an object says of an origin that is at `place` in what is read.
pub(super) fn set_origin_fields(
    origin: &mut VcsOrigin,
    object: &[u8],
    place: &str,
    mismatch: &mut Result<(), String>,
) -> Result<(), String> {
    for (key, value) in gojson::members(object)? {
        // Go names the inner type before the path of the field.
        if let Some((name, target)) = origin.field_mut(&key) {
            let name = format_args!("Origin.{place}.{name}");
            set_string(target, value, name, mismatch);
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "info_tests.rs"]
mod tests;
