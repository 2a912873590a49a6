//! `-reuse`: what an earlier `download -json` or `list -m -json` printed.
//!
//! go takes an answer over from there if the repository itself still has the refs and tags that
//! the answer rested on. A module proxy cannot say that, so that of what comes from proxies go
//! never takes anything over, and everything here comes from proxies. What is left of the flag
//! is that its file must be such output: this reads all of it, in go's words where it is not, and
//! keeps nothing.
//!
//! Source: golang/go `cmd/go/internal/modload/list.go` (`ListModules`), `query.go`
//! (`checkReuseRepo`), `modfetch/proxy.go` (`CheckReuse`), `modinfo/info.go` (`ModulePublic`).

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::info::{VcsOrigin, set_origin_fields, set_time};
use crate::error::{Error, Kind, Result, io_text};
use crate::gojson;
use crate::gomod::Time;

/// Reads the file of `-reuse`, named as it was typed, relative to `cwd`.
///
/// # Errors
/// [`Kind::LocalIo`] if it cannot be read, [`Kind::Input`] if it is not a sequence of such objects.
pub fn check_reuse(file: &Path, cwd: &Path) -> Result<()> {
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
    while let Some(value) = gojson::next_value(&mut rest).map_err(fail)? {
        module(value).map_err(fail)?;
    }
    Ok(())
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
/// wrong type is told, unless a time or an error after it cannot be read, which ends the reading.
fn module(value: &[u8]) -> std::result::Result<(), String> {
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
        check_reuse(Path::new("old.json"), dir.path()).map_err(|error| {
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
        let missing = check_reuse(Path::new("none.json"), Path::new("/")).unwrap_err();
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

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([\\[\\]{}:,a1 ]|\"|true|null|\"Replace\":|\"Origin\":|\"Error\":|\"Versions\":){0,16}") {
            let _ = check(&text);
        }
    }
}
