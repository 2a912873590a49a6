//! `-reuse`: what an earlier `download -json` or `list -m -json` printed.
//!
//! An answer is taken over from there if the repository itself still has the refs and tags that
//! the answer rested on ([`super::Source::check_reuse`]). A module proxy cannot say that, so that
//! nothing that comes from a proxy is taken over. The file must be such output: all of it is read, in
//! go's words where it is not, and what has an origin is kept by module and version, and by module
//! and query.
//!
//! Source: golang/go `cmd/go/internal/modload/list.go` (`ListModules`), `query.go`
//! (`checkReuseRepo`), `modfetch/proxy.go` (`CheckReuse`), `modinfo/info.go` (`ModulePublic`).

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::info::{VcsOrigin, set_origin_fields, set_time};
use crate::error::{Error, Kind, Result, io_text};
use crate::gojson;
use crate::gomod::{Query, Time, canonical};

/// What an earlier run said of one module; a field is empty where it said nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReuseEntry {
    /// The module path.
    pub path: String,
    /// The version, or of a failure the query.
    pub version: String,
    /// The query, if it is not the version.
    pub query: String,
    /// The versions there were.
    pub versions: Vec<String>,
    /// When the version was made.
    pub time: Option<Time>,
    /// Where its go.mod was.
    pub gomod: String,
    /// What its go line said.
    pub go_version: String,
    /// Why the version was retracted.
    pub retracted: Vec<String>,
    /// Why the module should not be used.
    pub deprecated: String,
    /// Why there is no such version.
    pub error: String,
    /// What go.sum had for the zip.
    pub sum: String,
    /// What go.sum had for the go.mod.
    pub gomod_sum: String,
    /// What all that rests on.
    pub origin: VcsOrigin,
}

impl ReuseEntry {
    /// True if the origin has what is needed to say whether `asked` would be answered in the same
    /// way again: a tag may be added that `latest` would take, a branch may move.
    ///
    /// Source: golang/go `cmd/go/internal/modload/query.go`, `checkReuseRepo`.
    #[must_use]
    pub fn can_answer(&self, asked: &str) -> bool {
        let origin = &self.origin;
        if !origin.repo_sum.is_empty() {
            return true;
        }
        let is_named = !origin.hash.is_empty() || !origin.reference.is_empty();
        let has_tags = !origin.tag_sum.is_empty();
        if canonical(asked).as_deref() == Some(asked) {
            return is_named || has_tags;
        }
        match Query::parse(&self.path, asked, "") {
            Ok(Query::Revision) => is_named && has_tags,
            _ => has_tags,
        }
    }
}

/// The file of `-reuse`.
#[derive(Clone, Debug, Default)]
pub struct ReuseFile(HashMap<(String, String), Arc<ReuseEntry>>);

impl ReuseFile {
    /// Reads the file, named as it was typed, relative to `cwd`.
    ///
    /// # Errors
    /// [`Kind::LocalIo`] if it cannot be read, [`Kind::Input`] if it is not a sequence of such
    /// objects.
    pub fn read(file: &Path, cwd: &Path) -> Result<ReuseFile> {
        let name = file.display();
        let data = fs::read(cwd.join(file)).map_err(|cause| {
            let act = match cause.kind() {
                ErrorKind::IsADirectory => "read",
                _ => "open",
            };
            Error::new(Kind::LocalIo, format!("{act} {name}: {}", io_text(&cause)))
        })?;
        let mut rest = &data[..];
        let fail = |reason: String| Error::new(Kind::Input, format!("parsing {name}: {reason}"));
        let mut entries = HashMap::new();
        while let Some(value) = gojson::next_value(&mut rest).map_err(fail)? {
            check_module(value).map_err(fail)?;
            let Some(entry) = read_entry(value).map_err(fail)? else {
                continue;
            };
            let entry = Arc::new(entry);
            for asked in [&entry.version, &entry.query] {
                let key = (entry.path.clone(), asked.clone());
                if !asked.is_empty() {
                    entries.insert(key, Arc::clone(&entry));
                }
            }
        }
        Ok(ReuseFile(entries))
    }

    /// What was said of a module at a version or query.
    #[must_use]
    pub fn entry(&self, path: &str, asked: &str) -> Option<&Arc<ReuseEntry>> {
        self.0.get(&(path.to_owned(), asked.to_owned()))
    }
}

/// Reads a module that [`check_module`] has accepted; `None` without an origin.
fn read_entry(value: &[u8]) -> std::result::Result<Option<ReuseEntry>, String> {
    if gojson::kind(value) != "object" {
        return Ok(None);
    }
    let mut entry = ReuseEntry::default();
    let mut has_origin = false;
    let text = |value: &[u8]| match gojson::kind(value) {
        "string" => Some(gojson::string(value).into_owned()),
        _ => None,
    };
    for (key, value) in gojson::members(value)? {
        let is = |name: &str| gojson::key_matches(&key, name);
        let field = [
            ("Path", &mut entry.path),
            ("Version", &mut entry.version),
            ("Query", &mut entry.query),
            ("GoMod", &mut entry.gomod),
            ("GoVersion", &mut entry.go_version),
            ("Deprecated", &mut entry.deprecated),
            ("Error", &mut entry.error),
            ("Sum", &mut entry.sum),
            ("GoModSum", &mut entry.gomod_sum),
        ]
        .into_iter()
        .find(|(name, _)| is(name));
        let list = [
            ("Versions", &mut entry.versions),
            ("Retracted", &mut entry.retracted),
        ]
        .into_iter()
        .find(|(name, _)| is(name));
        if let Some((name, field)) = field {
            if let Some(text) = text(value) {
                *field = text;
            } else if name == "Error" && gojson::kind(value) == "object" {
                let members = gojson::members(value)?;
                let said = members
                    .iter()
                    .rev()
                    .find(|(key, _)| gojson::key_matches(key, "Err"));
                *field = said.and_then(|(_, value)| text(value)).unwrap_or_default();
            }
        } else if let Some((_, list)) = list {
            if gojson::kind(value) == "array" {
                *list = gojson::items(value)?.into_iter().filter_map(text).collect();
            }
        } else if is("Time") {
            let mut time = Time::ZERO;
            set_time(&mut time, value)?;
            entry.time = (gojson::kind(value) != "null").then_some(time);
        } else if is("Origin") && gojson::kind(value) == "object" {
            has_origin = true;
            set_origin_fields(&mut entry.origin, value, "Origin", &mut Ok(()))?;
        }
    }
    Ok(has_origin.then_some(entry))
}

/// What a field of go's `ModulePublic` holds.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Text,
    Texts,
    Switch,
    Time,
    Error,
    Origin,
    Module,
}

impl Shape {
    /// Its type, as go names it.
    fn name(self) -> &'static str {
        match self {
            Shape::Text => "string",
            Shape::Texts => "[]string",
            Shape::Switch => "bool",
            Shape::Time => "time.Time",
            Shape::Error => "modinfo.moduleErrorNoMethods",
            Shape::Origin => "codehost.Origin",
            Shape::Module => "modinfo.ModulePublic",
        }
    }
}

const FIELDS: &[(&str, Shape)] = &[
    ("Path", Shape::Text),
    ("Version", Shape::Text),
    ("Query", Shape::Text),
    ("Versions", Shape::Texts),
    ("Replace", Shape::Module),
    ("Time", Shape::Time),
    ("Update", Shape::Module),
    ("Main", Shape::Switch),
    ("Indirect", Shape::Switch),
    ("Dir", Shape::Text),
    ("GoMod", Shape::Text),
    ("GoVersion", Shape::Text),
    ("Retracted", Shape::Texts),
    ("Deprecated", Shape::Text),
    ("Error", Shape::Error),
    ("Sum", Shape::Text),
    ("GoModSum", Shape::Text),
    ("Origin", Shape::Origin),
    ("Reuse", Shape::Switch),
];

/// Checks one value of the file, as go's `encoding/json` would read it: the first value of a
/// wrong type is reported, unless a time or an error after it cannot be read, which ends the reading.
fn check_module(value: &[u8]) -> std::result::Result<(), String> {
    let refused =
        |kind: &str, target: &str| format!("json: cannot unmarshal {kind} into Go {target}");
    match gojson::kind(value) {
        "object" => {}
        "null" => return Ok(()),
        kind => return Err(refused(kind, "value of type modinfo.ModulePublic")),
    }
    let mut first = Ok(());
    // A list of its own instead of recursion: a replacement may have one in turn, and so on.
    let mut open = vec![(String::new(), gojson::members(value)?.into_iter())];
    while let Some((prefix, members)) = open.last_mut() {
        let Some((key, value)) = members.next() else {
            open.pop();
            continue;
        };
        let known = FIELDS
            .iter()
            .find(|(name, _)| gojson::key_matches(&key, name));
        let Some((name, shape)) = known else {
            continue;
        };
        let place = format!("{prefix}{name}");
        let kind = gojson::kind(value);
        let wrong = |kind: &str, shape: Shape| {
            let target = format!("struct field ModulePublic.{place} of type {}", shape.name());
            Err(refused(kind, &target))
        };
        let found = match (shape, kind) {
            (_, "null") | (Shape::Text | Shape::Error, "string") | (Shape::Switch, "bool") => {
                Ok(())
            }
            (Shape::Texts, "array") => {
                let kinds = gojson::items(value)?.into_iter().map(gojson::kind);
                let mut odd = kinds.filter(|kind| !matches!(*kind, "string" | "null"));
                odd.next().map_or(Ok(()), |kind| wrong(kind, Shape::Text))
            }
            (Shape::Module, "object") => {
                let below = gojson::members(value)?.into_iter();
                open.push((format!("{place}."), below));
                Ok(())
            }
            (Shape::Origin, "object") => {
                let mut mismatch = Ok(());
                set_origin_fields(&mut VcsOrigin::default(), value, &place, &mut mismatch)?;
                mismatch
            }
            (Shape::Time, _) => {
                let mut time = Time::ZERO;
                set_time(&mut time, value)?;
                Ok(())
            }
            (Shape::Error, "object") => {
                for (key, value) in gojson::members(value)? {
                    let kind = gojson::kind(value);
                    let is_text = matches!(kind, "string" | "null");
                    if gojson::key_matches(&key, "Err") && !is_text {
                        let target =
                            format!("struct field ModulePublic.{place}.Err of type string");
                        return Err(refused(kind, &target));
                    }
                }
                Ok(())
            }
            (Shape::Error, kind) => return wrong(kind, Shape::Error),
            (shape, kind) => wrong(kind, *shape),
        };
        first = first.and(found);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> std::result::Result<(), String> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("old.json"), text).unwrap();
        ReuseFile::read(Path::new("old.json"), dir.path())
            .map(drop)
            .map_err(|error| {
                assert_eq!(error.kind(), Kind::Input);
                let text = error.chain();
                text.strip_prefix("parsing old.json: ").unwrap().to_owned()
            })
    }

    /// Each text is what `go mod download -reuse=FILE a@v1.0.0` of go1.26.8 says.
    #[test]
    fn what_is_no_such_output_is_refused_in_the_words_of_go() {
        let field = "json: cannot unmarshal";
        let rows = [
            (
                r#"{"Path":1}"#,
                "number into Go struct field ModulePublic.Path of type string",
            ),
            (
                r#"{"Origin":3}"#,
                "number into Go struct field ModulePublic.Origin of type codehost.Origin",
            ),
            ("[1]", "array into Go value of type modinfo.ModulePublic"),
            (
                r#""s""#,
                "string into Go value of type modinfo.ModulePublic",
            ),
            (
                r#"{"Error":3}"#,
                "number into Go struct field ModulePublic.Error of type modinfo.moduleErrorNoMethods",
            ),
            (
                r#"{"Error":{"Err":3}}"#,
                "number into Go struct field ModulePublic.Error.Err of type string",
            ),
            (
                r#"{"Replace":{"Versions":[1]}}"#,
                "number into Go struct field ModulePublic.Replace.Versions of type string",
            ),
            (
                r#"{"Main":"x"}"#,
                "string into Go struct field ModulePublic.Main of type bool",
            ),
            (
                r#"{"Origin":{"VCS":1}}"#,
                "number into Go struct field Origin.Origin.VCS of type string",
            ),
            (
                r#"{"Retracted":3, "Path":4}"#,
                "number into Go struct field ModulePublic.Retracted of type []string",
            ),
            (
                r#"{"Replace":3}"#,
                "number into Go struct field ModulePublic.Replace of type modinfo.ModulePublic",
            ),
            (
                r#"{"Update":{"Origin":{"Hash":1}}}"#,
                "number into Go struct field Origin.Update.Origin.Hash of type string",
            ),
            (
                r#"{"Update":{"Replace":{"Origin":[]}}}"#,
                "array into Go struct field ModulePublic.Update.Replace.Origin of type codehost.Origin",
            ),
        ];
        for (text, want) in rows {
            assert_eq!(check(text), Err(format!("{field} {want}")), "{text}");
        }
        let rows = [
            (
                r#"{"Path":"a"} x"#,
                "invalid character 'x' looking for beginning of value",
            ),
            (r#"{"Path":"a""#, "unexpected EOF"),
            (r#"{"Path":"a"}{"Path"#, "unexpected EOF"),
            ("nullx", "invalid character 'x' after top-level value"),
            (
                r#"{"Path":1,"Time":3}"#,
                "Time.UnmarshalJSON: input is not a JSON string",
            ),
        ];
        for (text, want) in rows {
            assert_eq!(check(text), Err(want.to_owned()), "{text}");
        }
        let missing = ReuseFile::read(Path::new("none.json"), Path::new("/")).unwrap_err();
        assert_eq!(missing.chain(), "open none.json: no such file or directory");
        assert_eq!(missing.kind(), Kind::LocalIo);
    }

    #[test]
    fn output_of_download_and_of_list_is_accepted() {
        for text in [
            "",
            " \n",
            "null",
            r#"{"Path":"a","Error":"text","Bytes":3}{"Error":{"Err":"text"}}"#,
            r#"{"Versions":null,"Main":null,"Replace":null,"Error":null}"#,
            r#"{"Path":"a","Time":"2020-01-01T00:00:00Z","Replace":{"Dir":"x"},"Versions":["v1.0.0"],
                "Origin":{"VCS":"git","Hash":"0123"},"Main":true}"#,
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        let deep = r#"{"Replace":"#.repeat(300) + "null" + &"}".repeat(300);
        assert_eq!(check(&deep), Ok(()));
    }

    #[test]
    fn what_has_an_origin_is_found_by_version_and_by_query() {
        let text = r#"{"Path":"a.com/m","Version":"v1.0.0","Query":"latest","Time":"2020-01-01T00:00:00Z",
            "Versions":["v1.0.0"],"Origin":{"VCS":"git","Hash":"01","TagSum":"t1:x"}}
            {"Path":"a.com/n","Version":"v1.0.0"}
            {"Path":"a.com/m","Version":"none","Error":{"Err":"unknown revision none"},
             "Origin":{"VCS":"git","RepoSum":"r1:x"}}"#;
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("old.json"), text).unwrap();
        let file = ReuseFile::read(Path::new("old.json"), dir.path()).unwrap();
        let entry = file.entry("a.com/m", "latest").unwrap();
        assert_eq!(entry, file.entry("a.com/m", "v1.0.0").unwrap());
        assert_eq!((&*entry.versions[0], &*entry.origin.hash), ("v1.0.0", "01"));
        assert_eq!(entry.time, Time::parse("2020-01-01T00:00:00Z"));
        assert!(file.entry("a.com/n", "v1.0.0").is_none());
        let failed = file.entry("a.com/m", "none").unwrap();
        assert_eq!(failed.error, "unknown revision none");
        assert!(failed.can_answer("none") && failed.can_answer("latest"));
        // By rules of checkReuseRepo: a branch needs a hash and the tags, a version either, a range
        // the tags.
        let with = |hash: &str, tags: &str| {
            let mut entry = ReuseEntry::clone(entry);
            (entry.origin.hash, entry.origin.tag_sum) = (hash.to_owned(), tags.to_owned());
            ["v1.0.0", "main", "latest", "v1"].map(|asked| entry.can_answer(asked))
        };
        assert_eq!(with("01", "t1:x"), [true; 4]);
        assert_eq!(with("01", ""), [true, false, false, false]);
        assert_eq!(with("", "t1:x"), [true, false, true, true]);
        assert_eq!(with("", ""), [false; 4]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([\\[\\]{}:,a1 ]|\"|true|null|\"Replace\":|\"Origin\":|\"Error\":|\"Versions\":){0,16}") {
            let _ = check(&text);
        }
    }
}
