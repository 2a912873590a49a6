//! The module fixtures: `testdata/mod/*.txtar` turned into the files of a GOPROXY tree.
//!
//! One archive is one module version, named `ESCAPED-PATH_VERSION.txtar` with `_` for `/`. Its
//! files are those of the module zip, except `.info` and `.mod`, which are served as they stand.
//! Without `.mod` the zip's `go.mod` is served; without `.info` one with a fixed time is made.
//! Zips are deterministic: entries in byte order of their names, no times, files below
//! [`STORED_BELOW`] bytes stored and others deflated, so that both kinds occur.
//!
//! Independent of the program under test on purpose: what it computes here is what the program
//! is compared with. Also compiled into the `goproxy` example through `#[path]`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::sync::Arc;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Content that is shared between the fixtures and the servers that serve it.
pub type Bytes = Arc<[u8]>;

/// URL paths without leading slash (`example.com/text/@v/v1.0.0.zip`) and what is there.
pub type Tree = BTreeMap<String, Bytes>;

/// Entries shorter than this are stored, others deflated.
const STORED_BELOW: usize = 64;

/// The time of every version that does not bring an `.info` of its own.
const TIME: &str = "2024-01-01T00:00:00Z";

/// One module version.
#[derive(Clone)]
pub struct Module {
    /// The path as go.mod has it (`example.com/Upper/CamelCase`).
    pub path: String,
    /// The path as URLs have it (`example.com/!upper/!camel!case`).
    pub escaped: String,
    /// The version, canonical.
    pub version: String,
    /// What `.info` answers.
    pub info: Vec<u8>,
    /// What `.mod` answers.
    pub gomod: Vec<u8>,
    /// The files of the zip, without their `path@version/` prefix.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Module {
    /// Makes a module version by hand: a test's own, or one of a generated corpus.
    pub fn new(path: &str, version: &str, files: Vec<(String, Vec<u8>)>) -> Module {
        let gomod = find(&files, "go.mod")
            .map_or_else(|| format!("module {path}\n").into_bytes(), <[u8]>::to_vec);
        Module {
            path: path.to_owned(),
            escaped: escape(path),
            version: version.to_owned(),
            info: format!("{{\"Version\":\"{version}\",\"Time\":\"{TIME}\"}}").into_bytes(),
            gomod,
            files,
        }
    }

    /// Makes a module version with one file of source beside its go.mod, which says `lines` after
    /// its module line.
    pub fn bare(path: &str, version: &str, lines: &str) -> Module {
        let gomod = format!("module {path}\n\n{lines}");
        let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        let files = vec![file("go.mod", &gomod), file("x.go", "package x\n")];
        Module::new(path, version, files)
    }

    fn from_archive(name: &str, text: &str) -> Module {
        let (escaped, version) = split_name(name);
        let mut files = parse_txtar(text);
        let info = take(&mut files, ".info");
        let gomod = take(&mut files, ".mod");
        let mut module = Module::new(&unescape(&escaped), version, files);
        module.info = info.unwrap_or(module.info);
        module.gomod = gomod.unwrap_or(module.gomod);
        module
    }

    /// The URL path of one of its files: suffix is `info`, `mod` or `zip`.
    pub fn url(&self, suffix: &str) -> String {
        format!("{}/@v/{}.{suffix}", self.escaped, escape(&self.version))
    }

    /// The module zip.
    pub fn zip(&self) -> Vec<u8> {
        let prefix = format!("{}@{}/", self.path, self.version);
        zip_of(
            self.files
                .iter()
                .map(|(name, data)| (format!("{prefix}{name}"), data.as_slice())),
        )
    }

    fn is_pseudo(&self) -> bool {
        // Enough for what the fixtures holds: v0.0.0-TIME-REVISION.
        self.version.starts_with("v0.0.0-")
    }
}

/// All module versions of a folder of archives.
pub struct Fixtures(Vec<Module>);

impl Fixtures {
    /// Reads every `.txtar` file of `folder`.
    ///
    /// # Panics
    /// If the folder or an archive cannot be read: a test kit has no better answer.
    pub fn read(folder: &Path) -> Fixtures {
        let mut modules = Vec::new();
        let entries = fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("the folder was readable a moment ago").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if let Some(name) = name.strip_suffix(".txtar") {
                let text = fs::read_to_string(&path)
                    .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
                modules.push(Module::from_archive(name, &text));
            }
        }
        Fixtures::of(modules)
    }

    /// A fixtures of given modules.
    pub fn of(mut modules: Vec<Module>) -> Fixtures {
        modules.sort_by(|a, b| (&a.path, order(&a.version)).cmp(&(&b.path, order(&b.version))));
        Fixtures(modules)
    }

    /// The modules, by path and then by version.
    pub fn modules(&self) -> &[Module] {
        &self.0
    }

    /// Every file of the GOPROXY tree: `.info`, `.mod`, `.zip`, `@v/list` and `@latest`.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        let mut lists: BTreeMap<&str, String> = BTreeMap::new();
        let mut latest: BTreeMap<&str, &Module> = BTreeMap::new();
        for module in &self.0 {
            tree.insert(module.url("info"), module.info.clone().into());
            tree.insert(module.url("mod"), module.gomod.clone().into());
            tree.insert(module.url("zip"), module.zip().into());
            let list = lists.entry(&module.escaped).or_default();
            if !module.is_pseudo() {
                list.push_str(&module.version);
                list.push('\n');
            }
            // Versions come in ascending order: a release takes the place of whatever was
            // there, anything else only an empty one.
            if order(&module.version).1 || !latest.contains_key(module.escaped.as_str()) {
                latest.insert(&module.escaped, module);
            }
        }
        for (escaped, list) in lists {
            tree.insert(format!("{escaped}/@v/list"), list.into_bytes().into());
        }
        for (escaped, module) in latest {
            tree.insert(format!("{escaped}/@latest"), module.info.clone().into());
        }
        tree
    }
}

/// Makes a deterministic zip of the given entries, sorted by name.
pub fn zip_of<'a>(entries: impl IntoIterator<Item = (String, &'a [u8])>) -> Vec<u8> {
    let sorted: BTreeMap<String, &[u8]> = entries.into_iter().collect();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in sorted {
        let method = if data.len() < STORED_BELOW {
            CompressionMethod::Stored
        } else {
            CompressionMethod::Deflated
        };
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(zip::DateTime::default());
        writer
            .start_file(name, options)
            .expect("names of the fixtures fit a zip");
        writer
            .write_all(data)
            .expect("writing to memory does not fail");
    }
    writer
        .finish()
        .expect("writing to memory does not fail")
        .into_inner()
}

/// Splits a text archive into its files; what stands before the first one is a comment.
///
/// A file starts at a line `-- NAME --` and ends before the next such line.
pub fn parse_txtar(text: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for line in text.split_inclusive('\n') {
        let marker = line
            .trim_end()
            .strip_prefix("-- ")
            .and_then(|l| l.strip_suffix(" --"));
        match (marker, files.last_mut()) {
            (Some(name), _) => files.push((name.trim().to_owned(), Vec::new())),
            (None, Some((_, data))) => data.extend_from_slice(line.as_bytes()),
            (None, None) => {}
        }
    }
    files
}

/// Escapes a module path or version as URLs and the cache have it: `!` and the small letter.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_uppercase() {
            escaped.push('!');
        }
        escaped.push(c.to_ascii_lowercase());
    }
    escaped
}

fn unescape(escaped: &str) -> String {
    let mut text = String::with_capacity(escaped.len());
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        match c {
            '!' => text.extend(chars.next().map(|next| next.to_ascii_uppercase())),
            other => text.push(other),
        }
    }
    text
}

/// `example.com_calc_v2_v2.0.0` to the escaped path and the version, at the last `_v`.
fn split_name(name: &str) -> (String, &str) {
    let at = name
        .rfind("_v")
        .unwrap_or_else(|| panic!("no version in archive name {name}"));
    (name[..at].replace('_', "/"), &name[at + 1..])
}

/// The sort key of a version (numbers, whether it is a release, the rest): enough for the
/// fixtures, not semantic versioning.
fn order(version: &str) -> ([u64; 3], bool, String) {
    let bare = version
        .trim_start_matches('v')
        .trim_end_matches("+incompatible");
    let (numbers, rest) = bare.split_once('-').unwrap_or((bare, ""));
    let mut parts = numbers.split('.').map(|n| n.parse().unwrap_or(0));
    let triple = [(); 3].map(|()| parts.next().unwrap_or(0));
    (triple, rest.is_empty(), rest.to_owned())
}

fn find<'a>(files: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    files
        .iter()
        .find(|(n, _)| n == name)
        .map(|(_, data)| data.as_slice())
}

fn take(files: &mut Vec<(String, Vec<u8>)>, name: &str) -> Option<Vec<u8>> {
    let at = files.iter().position(|(n, _)| n == name)?;
    Some(files.remove(at).1)
}
