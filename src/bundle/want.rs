//! What a closed site asks for: some kilobytes that are carried out, for `bundle create --for`.
//!
//! It has the newest signed tree head that the site has seen, what the go.mod files there require, and
//! which of these modules the site's cache lacks. Module paths of the site itself are not in it.

use super::manifest::ManifestObject;
use crate::error::{Error, Kind, Result};
use crate::gojson::{self, quote};
use crate::gomod::ModuleVersion;

/// What a closed site asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BundleWant {
    /// The newest signed head; empty if none was seen.
    pub head: String,
    /// A go version and the requirements of one go.mod each.
    pub projects: Vec<WantedProject>,
    /// The required modules whose zip the site lacks, in increasing order.
    pub lacks: Vec<ModuleVersion>,
}

/// What one go.mod requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedProject {
    /// The version in its go line; empty without one.
    pub go: String,
    /// The modules that it requires, as they are replaced.
    pub requires: Vec<ModuleVersion>,
}

impl BundleWant {
    /// The text that is carried out.
    #[must_use]
    pub fn to_json(&self) -> String {
        let list = |modules: &[ModuleVersion]| {
            let modules = modules.iter().map(|module| quote(&module.to_string()));
            modules.collect::<Vec<_>>().join(",\n")
        };
        let projects = self.projects.iter().map(|project| {
            let (go, requires) = (quote(&project.go), list(&project.requires));
            format!("{{\"go\": {go}, \"requires\": [\n{requires}]}}")
        });
        let projects: Vec<String> = projects.collect();
        format!(
            "{{\n\"modfetchWant\": 1,\n\"head\": {},\n\"projects\": [{}],\n\"lacks\": [\n{}]\n}}\n",
            quote(&self.head),
            projects.join(",\n"),
            list(&self.lacks)
        )
    }

    /// Reads such a text.
    ///
    /// # Errors
    /// [`Kind::Input`].
    pub fn parse(text: &[u8]) -> Result<BundleWant> {
        parse(text).map_err(|reason| Error::new(Kind::Input, reason))
    }
}

fn parse(text: &[u8]) -> Result<BundleWant, String> {
    let top = ManifestObject::of(gojson::check(text)?)?;
    if top.number("modfetchWant")? != 1 {
        return Err("this form of a want file is not known".to_owned());
    }
    let modules = |object: &ManifestObject<'_>, key: &str| {
        let items = object.list(key)?.into_iter();
        let items = items.map(|item| {
            let text = gojson::string(item);
            let (path, version) = text.split_once('@').ok_or("not a path@version")?;
            ModuleVersion::parse(path, version).map_err(|error| error.chain())
        });
        items.collect::<Result<Vec<_>, String>>()
    };
    let projects = top.list("projects")?.into_iter().map(|project| {
        let project = ManifestObject::of(project)?;
        let go = project.string("go")?;
        // It becomes a line of a go.mod.
        if !go.is_empty() && crate::gomod::GoVersion::parse(&go).is_none() {
            return Err(format!("malformed go version {go:?}"));
        }
        Ok(WantedProject {
            go,
            requires: modules(&project, "requires")?,
        })
    });
    Ok(BundleWant {
        head: top.string("head")?,
        projects: projects.collect::<Result<_, String>>()?,
        lacks: modules(&top, "lacks")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_want_is_read_as_it_was_written() {
        let module = |path: &str| ModuleVersion::parse(path, "v1.0.0").unwrap();
        let want = BundleWant {
            head: "go.sum database tree\n3\nx\n\n\u{2014} s y\n".to_owned(),
            projects: vec![
                WantedProject {
                    go: "1.21".to_owned(),
                    requires: vec![module("a.com/a"), module("b.com/Up")],
                },
                WantedProject {
                    go: String::new(),
                    requires: Vec::new(),
                },
            ],
            lacks: vec![module("a.com/a")],
        };
        assert_eq!(BundleWant::parse(want.to_json().as_bytes()).unwrap(), want);
        let none = BundleWant::default();
        assert_eq!(BundleWant::parse(none.to_json().as_bytes()).unwrap(), none);
        let text = want.to_json();
        for (old, new) in [
            ("Want\": 1", "Want\": 2"),
            ("1.21", "1.21\\nreplace"),
            ("a.com/a@", "a.com/a"),
            ("lacks", "x"),
        ] {
            assert!(
                BundleWant::parse(text.replacen(old, new, 1).as_bytes()).is_err(),
                "{old}"
            );
        }
    }
}
