//! The manifest of a bundle, its first member: what else is in it, and what it must hash to.

use std::collections::BTreeMap;

use crate::error::{Error, Kind, Result};
use crate::gojson::{self, JsonObject, quote};
use crate::gomod::{H1, ModuleVersion};
use crate::layout;
use crate::source::Info;

/// The name of the manifest in the archive.
pub const MANIFEST_NAME: &str = "modfetch-bundle.json";

/// The longest manifest that is read, in bytes: room for some 60,000 modules.
pub(super) const MAX_MANIFEST_BYTES: u64 = 16 << 20;

const FORMAT: u64 = 1;

/// What a bundle contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The checksum database; `None` if the bundle has none.
    pub database: Option<ManifestDatabase>,
    /// True if the newest go.mod of each module was looked for.
    pub newest: bool,
    /// The modules, in increasing order.
    pub modules: Vec<ManifestModule>,
}

/// The checksum database in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestDatabase {
    /// Its name.
    pub name: String,
    /// The size of the tree that the head in the bundle is about.
    pub tree: u64,
    /// The sizes of older trees that the bundle proves to be the beginning of that one, in
    /// increasing order.
    pub since: Vec<u64>,
}

/// A module version in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestModule {
    /// Path and version.
    pub module: ModuleVersion,
    /// Where the settings of the side that made the bundle have it from, without secrets.
    pub source: String,
    /// The time in its `.info`; `None` if the bundle has no `.info` of it.
    pub time: Option<String>,
    /// The sum of its go.mod.
    pub gomod: H1,
    /// Its zip; `None` if only its go.mod is there.
    pub zip: Option<ManifestZip>,
    /// The number of its record in the database; `None` if the database does not vouch for it.
    pub record: Option<u64>,
    /// True if no newer version was published when the bundle was made.
    pub newest: bool,
}

/// A zip in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestZip {
    /// The sum of its files.
    pub h1: H1,
    /// Its length, in bytes.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hexadecimal: the sum of the files does not cover all of a zip.
    pub sha256: String,
}

impl ManifestModule {
    /// The one form of its `.info`; `None` if the bundle has none.
    #[must_use]
    pub fn info(&self) -> Option<String> {
        let time = self.time.as_ref()?;
        let version = quote(self.module.version().as_str());
        Some(format!(
            "{{\"Version\":{version},\"Time\":{}}}",
            quote(time)
        ))
    }

    fn json(&self) -> JsonObject {
        let mut json = JsonObject::new();
        json.string("path", self.module.path().as_str());
        json.string("version", self.module.version().as_str());
        json.string("time", self.time.as_deref().unwrap_or_default());
        json.string("mod", self.gomod.as_str());
        if let Some(zip) = &self.zip {
            json.string("zip", zip.h1.as_str());
            json.number("zipBytes", zip.bytes);
            json.string("zipSHA256", &zip.sha256);
        }
        if let Some(record) = self.record {
            json.number("record", record);
        }
        if self.newest {
            json.boolean("newest", true);
        }
        json.string("source", &self.source);
        json
    }
}

impl Manifest {
    /// The text of the manifest.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = JsonObject::new();
        json.number("modfetchBundle", FORMAT);
        if let Some(database) = &self.database {
            let mut object = JsonObject::new();
            object.string("name", &database.name);
            object.number("tree", database.tree);
            object.numbers("since", &database.since);
            json.object("database", &object);
        }
        json.boolean("newest", self.newest);
        // A line each, so that two bundles can be compared by tools for text.
        json.rows("modules", self.modules.iter().map(ManifestModule::json));
        json.indented() + "\n"
    }

    /// Reads a manifest. Only the text that [`Manifest::to_json`] writes is accepted.
    ///
    /// # Errors
    /// [`Kind::Input`].
    pub fn parse(text: &[u8]) -> Result<Manifest> {
        let manifest = parse(text)
            .map_err(|reason| Error::new(Kind::Input, format!("{MANIFEST_NAME}: {reason}")))?;
        manifest.check()?;
        if manifest.to_json().as_bytes() != text {
            let text = format!("{MANIFEST_NAME}: not in the form that modfetch writes");
            return Err(Error::new(Kind::Input, text));
        }
        Ok(manifest)
    }

    /// Demands what makes the members of a bundle follow from its manifest.
    fn check(&self) -> Result<()> {
        let refuse = |reason: String| {
            Err(Error::new(
                Kind::Input,
                format!("{MANIFEST_NAME}: {reason}"),
            ))
        };
        if !self.modules.is_sorted_by(|a, b| a.module < b.module) {
            return refuse("the modules are not in increasing order".to_owned());
        }
        let mut records = Vec::new();
        for one in &self.modules {
            let module = &one.module;
            if one.zip.is_some() && one.time.is_none() {
                return refuse(format!("{module} has a zip and no time"));
            }
            if let Some(time) = &one.time
                && Info::parse_cached(one.info().unwrap_or_default().as_bytes())
                    .is_none_or(|info| info.time.to_string() != *time)
            {
                return refuse(format!("{module}: malformed time {time:?}"));
            }
            match (&self.database, one.record) {
                (Some(database), Some(record)) if record < database.tree => records.push(record),
                (_, None) => {}
                (_, Some(record)) => {
                    return refuse(format!("{module}: no tree has record {record}"));
                }
            }
        }
        records.sort_unstable();
        if records.windows(2).any(|two| two[0] == two[1]) {
            return refuse("two modules have one record".to_owned());
        }
        if let Some(database) = &self.database {
            let ManifestDatabase { name, tree, since } = database;
            let sorted = since.is_sorted_by(|a, b| a < b);
            if !sorted || since.iter().any(|size| *size == 0 || size >= tree) || *tree >= 1 << 62 {
                return refuse("malformed tree sizes".to_owned());
            }
            let plain = |part: &str| !matches!(part, "" | "." | "..");
            if !name.split('/').all(plain) || name.contains(['@', '\\', '\0']) {
                return refuse(format!("malformed name of a database {name:?}"));
            }
        }
        Ok(())
    }

    /// The numbers of the records, in the order of the modules.
    pub fn records(&self) -> impl Iterator<Item = u64> {
        self.modules.iter().filter_map(|one| one.record)
    }

    /// The members that say which versions of a module there are: `@latest` where the newest one is
    /// a pseudo-version, `@v/list` with the others. In the order of the archive.
    ///
    /// # Errors
    /// [`Kind::Input`] if a path may not be fetched.
    pub fn version_lists(&self) -> Result<Vec<(String, String)>> {
        let mut paths: BTreeMap<&str, Vec<&ManifestModule>> = BTreeMap::new();
        for one in &self.modules {
            paths
                .entry(one.module.path().as_str())
                .or_default()
                .push(one);
        }
        let mut members = Vec::new();
        for versions in paths.values() {
            // Each path came with a version.
            let Some(first) = versions.first() else {
                continue;
            };
            let path = first.module.path().escape()?;
            let newest = versions.iter().find(|one| one.newest);
            if let Some(newest) = newest.filter(|one| one.module.version().is_pseudo()) {
                let info = newest.info().unwrap_or_default();
                members.push((layout::latest(&path), info));
            }
            let tagged = versions.iter().map(|one| one.module.version());
            let tagged = tagged.filter(|version| !version.is_pseudo());
            let list: String = tagged
                .map(|version| format!("{}\n", version.as_str()))
                .collect();
            members.push((layout::list(&path), list));
        }
        Ok(members)
    }
}

/// An object of the manifest, whose members are taken one by one.
pub(super) struct ManifestObject<'a>(Vec<(std::borrow::Cow<'a, str>, &'a [u8])>);

impl<'a> ManifestObject<'a> {
    pub(super) fn of(value: &'a [u8]) -> Result<ManifestObject<'a>, String> {
        match gojson::kind(value) {
            "object" => Ok(ManifestObject(gojson::members(value)?)),
            kind => Err(format!("{kind} in the place of an object")),
        }
    }

    fn get(&self, key: &str) -> Option<&'a [u8]> {
        let found = self.0.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| *value)
    }

    pub(super) fn string(&self, key: &str) -> Result<String, String> {
        let value = self
            .get(key)
            .filter(|value| gojson::kind(value) == "string");
        let value = value.ok_or_else(|| format!("no text {key:?}"))?;
        Ok(gojson::string(value).into_owned())
    }

    pub(super) fn number(&self, key: &str) -> Result<u64, String> {
        let value = self.get(key).ok_or_else(|| format!("no number {key:?}"))?;
        number(value)
    }

    pub(super) fn list(&self, key: &str) -> Result<Vec<&'a [u8]>, String> {
        let value = self.get(key).filter(|value| gojson::kind(value) == "array");
        gojson::items(value.ok_or_else(|| format!("no list {key:?}"))?)
    }

    /// What `read` makes of a member, if it is there.
    fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(&ManifestObject<'a>, &str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        self.get(key).map(|_| read(self, key)).transpose()
    }
}

fn number(value: &[u8]) -> Result<u64, String> {
    let text = String::from_utf8_lossy(value);
    text.parse().map_err(|_| format!("malformed number {text}"))
}

fn parse(text: &[u8]) -> Result<Manifest, String> {
    let top = ManifestObject::of(gojson::check(text)?)?;
    let format = top.number("modfetchBundle")?;
    if format != FORMAT {
        return Err(format!(
            "format {format} of a bundle is not known; this modfetch reads format {FORMAT}"
        ));
    }
    let database = top.get("database").map(|value| {
        let database = ManifestObject::of(value)?;
        let since = database.list("since")?;
        Ok::<_, String>(ManifestDatabase {
            name: database.string("name")?,
            tree: database.number("tree")?,
            since: since.into_iter().map(number).collect::<Result<_, _>>()?,
        })
    });
    let modules = top.list("modules")?;
    let modules = modules
        .into_iter()
        .map(|value| module(&ManifestObject::of(value)?));
    Ok(Manifest {
        database: database.transpose()?,
        newest: top.get("newest") == Some(b"true"),
        modules: modules.collect::<Result<_, _>>()?,
    })
}

fn module(object: &ManifestObject<'_>) -> Result<ManifestModule, String> {
    let (path, version) = (object.string("path")?, object.string("version")?);
    let module = ModuleVersion::parse(&path, &version).map_err(|error| error.chain())?;
    let named = |reason: String| format!("{module}: {reason}");
    let h1 = |object: &ManifestObject<'_>, key: &str| {
        H1::parse(&object.string(key)?).map_err(|error| error.chain())
    };
    let zip = object.optional("zip", h1).map_err(named)?;
    let zip = zip.map(|h1| {
        let bytes = object.number("zipBytes")?;
        Ok(ManifestZip {
            h1,
            bytes,
            sha256: object.string("zipSHA256")?,
        })
    });
    Ok(ManifestModule {
        source: object.string("source").map_err(named)?,
        time: object
            .optional("time", ManifestObject::string)
            .map_err(named)?,
        gomod: h1(object, "mod").map_err(named)?,
        zip: zip.transpose().map_err(named)?,
        record: object
            .optional("record", ManifestObject::number)
            .map_err(named)?,
        newest: object.get("newest").is_some(),
        module,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn sample() -> Manifest {
        let h1 = H1::of_go_mod(b"module m\n");
        let of = |path: &str, version: &str, record| ManifestModule {
            module: ModuleVersion::parse(path, version).unwrap(),
            source: "https://proxy.example.com".to_owned(),
            time: Some("2020-01-02T03:04:05Z".to_owned()),
            gomod: h1.clone(),
            zip: Some(ManifestZip {
                h1: h1.clone(),
                bytes: 300,
                sha256: "0".repeat(64),
            }),
            record,
            newest: false,
        };
        let mut gomod_only = of("example.com/Up/b", "v1.2.0", Some(9));
        (gomod_only.zip, gomod_only.time) = (None, None);
        let mut pseudo = of("example.com/c", "v0.0.0-20200102030405-0123456789ab", None);
        pseudo.newest = true;
        Manifest {
            database: Some(ManifestDatabase {
                name: "sums.example.com".to_owned(),
                tree: 10,
                since: vec![3, 7],
            }),
            newest: true,
            modules: vec![
                gomod_only,
                of("example.com/a", "v1.0.0", Some(4)),
                of("example.com/a", "v1.10.0", Some(5)),
                pseudo,
            ],
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let manifest = sample();
        assert_eq!(
            Manifest::parse(manifest.to_json().as_bytes()).unwrap(),
            manifest
        );
        let bare = Manifest {
            database: None,
            newest: false,
            modules: Vec::new(),
        };
        assert_eq!(Manifest::parse(bare.to_json().as_bytes()).unwrap(), bare);
    }

    #[test]
    fn version_lists_follow_from_the_modules() {
        let lists = sample().version_lists().unwrap();
        let want = [
            ("example.com/!up/b/@v/list", "v1.2.0\n"),
            ("example.com/a/@v/list", "v1.0.0\nv1.10.0\n"),
            (
                "example.com/c/@latest",
                "{\"Version\":\"v0.0.0-20200102030405-0123456789ab\",\"Time\":\"2020-01-02T03:04:05Z\"}",
            ),
            ("example.com/c/@v/list", ""),
        ];
        let want = want.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(lists, want);
    }

    #[test]
    fn manifests_that_make_no_sense_are_refused() {
        let text = sample().to_json();
        let rows = [
            (
                "\"modfetchBundle\": 1",
                "\"modfetchBundle\": 2",
                "format 2 of a bundle is not known",
            ),
            (
                "\"since\": [3,7]",
                "\"since\": [7,3]",
                "malformed tree sizes",
            ),
            (
                "\"since\": [3,7]",
                "\"since\": [3,10]",
                "malformed tree sizes",
            ),
            ("\"since\": [3,7]", "\"since\": [3, 7]", "not in the form"),
            ("sums.example.com", "../x", "malformed name of a database"),
            ("\"record\":4", "\"record\":10", "no tree has record 10"),
            (
                "\"record\":4",
                "\"record\":5",
                "two modules have one record",
            ),
            ("v1.10.0", "v1.0.0", "not in increasing order"),
            ("v1.10.0", "latest", "latest"),
            ("05Z", "05", "malformed time"),
            (
                "\"time\":\"2020-01-02T03:04:05Z\",",
                "",
                "has a zip and no time",
            ),
            ("\"zipBytes\":300,", "", "no number \"zipBytes\""),
            ("]\n}\n", "]\n}", "not in the form"),
            ("]\n}\n", "]\n", "unexpected end of JSON input"),
        ];
        for (old, new, want) in rows {
            let altered = text.replacen(old, new, 1);
            assert_ne!(altered, text, "{old}");
            let error = Manifest::parse(altered.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), Kind::Input);
            assert!(error.chain().contains(want), "{old}: {}", error.chain());
        }
    }
}
