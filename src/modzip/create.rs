//! Makes a module zip from the files of a repository.
//!
//! Which files belong to it is golang/mod's rule for repositories: files of nested modules, most
//! vendored files, symbolic links and `.hg_archival.txt` are left out, and names that some system
//! could not unpack are refused. Names and contents, and with them the h1, are those of go's zips;
//! the bytes of the zip are not, because two releases of go do not agree on these either.
//!
//! Shape: per file a deflated entry with a data descriptor, so that the zip can be written as it
//! is made; entries in the order of the tree.
//!
//! Source: golang/mod `zip/zip.go`, `Create`, `checkFiles`, `isVendoredPackage`.

use std::collections::HashSet;
use std::io::{self, Read, Write};

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::rules::{MAX_ROOT_FILE_BYTES, MAX_ZIP_BYTES, NameKind, ZipNames, is_clean};
use crate::error::{Error, Kind, Result};
use crate::gomod::modfile::ModFile;
use crate::gomod::{ModuleVersion, check_file_path};

/// A file of a repository, below the directory of the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryFile {
    /// With `/` between its elements, relative to the module's directory.
    pub path: Vec<u8>,
    /// False for symbolic links, which are left out.
    pub is_regular: bool,
}

/// The files of a repository that belong to the module's zip, as indices into `files`, in order.
/// `go_mod` is the content of the module's own go.mod, if there is one: it says by which rule
/// vendored files are left out.
///
/// # Errors
/// [`Kind::Security`]: names that no module zip may have, each on a line, as go words it.
pub fn select_files(files: &[RepositoryFile], go_mod: Option<&[u8]>) -> Result<Vec<usize>> {
    let nested: HashSet<&[u8]> = files
        .iter()
        .filter(|file| file.is_regular)
        .filter_map(|file| {
            let (dir, base) = split(&file.path);
            base.eq_ignore_ascii_case(b"go.mod").then_some(dir)
        })
        .collect();
    let vendor_rule = VendorRule::of(go_mod);
    let mut names = ZipNames::default();
    let mut selected = Vec::new();
    let mut faults = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let shown = String::from_utf8_lossy(&file.path);
        if !is_clean(&shown) {
            faults.push(format!("{shown}: file path is not clean"));
            continue;
        }
        if vendor_rule.leaves_out(&file.path) || is_nested(&file.path, &nested) {
            continue;
        }
        if file.path == b".hg_archival.txt" {
            continue;
        }
        let Ok(path) = std::str::from_utf8(&file.path) else {
            faults.push(format!(
                "{shown}: malformed file path {shown:?}: invalid UTF-8"
            ));
            continue;
        };
        if let Err(error) = check_file_path(path) {
            faults.push(format!("{path}: {}", error.chain()));
            continue;
        }
        if path.eq_ignore_ascii_case("go.mod") && path != "go.mod" {
            faults.push(format!("{path}: go.mod files must have lowercase names"));
            continue;
        }
        if let Err(reason) = names.add(path, NameKind::File) {
            faults.push(format!("{path}: {reason}"));
            continue;
        }
        if file.is_regular {
            selected.push(index);
        }
    }
    if faults.is_empty() {
        return Ok(selected);
    }
    Err(refused(faults.join("\n")))
}

fn refused(reason: impl std::fmt::Display) -> Error {
    Error::new(Kind::Security, format!("create zip: {reason}"))
}

/// A directory with its slash at the end, empty for the root, and the last element.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let end = path.iter().rposition(|&byte| byte == b'/');
    path.split_at(end.map_or(0, |end| end + 1))
}

/// True if a directory above the file, other than the root, is a module of its own.
fn is_nested(path: &[u8], nested: &HashSet<&[u8]>) -> bool {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    slashes
        .filter_map(|(at, _)| path.get(..=at))
        .any(|dir| nested.contains(dir))
}

/// Which vendored files are left out: go 1.24 corrected the rule, for modules that say so.
#[derive(Clone, Copy)]
struct VendorRule {
    corrected: bool,
}

impl VendorRule {
    fn of(go_mod: Option<&[u8]>) -> VendorRule {
        let parsed = go_mod.and_then(|data| ModFile::parse_lax("go.mod", data).ok());
        let corrected = parsed
            .and_then(|file| file.go)
            .is_some_and(|go| go.version.language().at_least("1.24"));
        VendorRule { corrected }
    }

    fn leaves_out(self, path: &[u8]) -> bool {
        const BELOW: &[u8] = b"/vendor/";
        if self.corrected && path == b"vendor/modules.txt" {
            return true;
        }
        let start = if path.starts_with(b"vendor/") {
            b"vendor/".len()
        } else if let Some(at) = find(path, BELOW) {
            // Before, the prefix was cut from the front of the path, wherever it stood.
            if self.corrected {
                at + BELOW.len()
            } else {
                BELOW.len()
            }
        } else {
            return false;
        };
        path.get(start..).is_some_and(|rest| rest.contains(&b'/'))
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Writes the files of one module version into a zip.
pub struct ModuleZipWriter<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    prefix: String,
    left: u64,
}

impl<W: Write> ModuleZipWriter<W> {
    /// Begins a zip for `module`; nothing is written yet.
    pub fn new(module: &ModuleVersion, sink: W) -> ModuleZipWriter<W> {
        ModuleZipWriter {
            zip: ZipWriter::new_stream(sink),
            prefix: format!("{module}/"),
            left: MAX_ZIP_BYTES,
        }
    }

    /// Adds a file: `copy` writes its content.
    ///
    /// # Errors
    /// [`Kind::Security`] if it is larger than a module may be; those of `copy`;
    /// [`Kind::LocalIo`] if the zip cannot be written.
    pub fn add(
        &mut self,
        path: &str,
        copy: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            // The level that go uses: the zips are as large as those of the public proxy.
            .compression_level(Some(5))
            .last_modified_time(DateTime::default());
        let name = format!("{}{path}", self.prefix);
        self.zip.start_file(name, options).map_err(unwritable)?;
        let root_file = matches!(path, "go.mod" | "LICENSE");
        let limit = if root_file {
            MAX_ROOT_FILE_BYTES
        } else {
            self.left
        };
        let mut counted = LimitedWriter {
            inner: &mut self.zip,
            left: limit.min(self.left),
            passed: false,
        };
        let copied = copy(&mut counted);
        let (left, passed) = (counted.left, counted.passed);
        if passed && root_file && limit < self.left {
            let reason = format!("{path}: {path} file too large (max size is {limit} bytes)");
            return Err(refused(reason));
        }
        if passed {
            let reason =
                format!("module source tree too large (max size is {MAX_ZIP_BYTES} bytes)");
            return Err(refused(reason));
        }
        copied?;
        self.left -= limit.min(self.left) - left;
        Ok(())
    }

    /// Writes the directory of the zip.
    ///
    /// # Errors
    /// [`Kind::LocalIo`] if the zip cannot be written.
    pub fn finish(self) -> Result<()> {
        self.zip.finish().map(drop).map_err(unwritable)
    }
}

fn unwritable(cause: zip::result::ZipError) -> Error {
    let error = Error::new(Kind::LocalIo, "cannot write module zip");
    match cause {
        zip::result::ZipError::Io(cause) => error.because(cause),
        other => error.because(other),
    }
}

/// Counts what is written and refuses what goes beyond a limit.
struct LimitedWriter<'a, W: Write> {
    inner: &'a mut W,
    left: u64,
    passed: bool,
}

impl<W: Write> Write for LimitedWriter<'_, W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if data.len() as u64 > self.left {
            self.passed = true;
            return Err(io::Error::other("too large"));
        }
        let count = self.inner.write(data)?;
        self.left -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Copies all of `content`.
///
/// # Errors
/// [`Kind::LocalIo`], naming the file.
pub fn copy_content(path: &str, mut content: impl Read, out: &mut dyn Write) -> Result<()> {
    let copied = io::copy(&mut content, out);
    copied
        .map(drop)
        .map_err(|cause| Error::new(Kind::LocalIo, format!("cannot copy {path}")).because(cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modzip::ModuleZip;

    fn selected(names: &[&str], go_mod: Option<&str>) -> std::result::Result<Vec<String>, String> {
        let files: Vec<RepositoryFile> = names
            .iter()
            .map(|name| RepositoryFile {
                path: name.trim_end_matches('@').as_bytes().to_vec(),
                is_regular: !name.ends_with('@'),
            })
            .collect();
        let selected = select_files(&files, go_mod.map(str::as_bytes));
        selected
            .map(|found| {
                let name = |index: usize| String::from_utf8_lossy(&files[index].path).into_owned();
                found.into_iter().map(name).collect()
            })
            .map_err(|error| error.chain())
    }

    /// What `go mod download` of go1.26.8 kept of such repositories; `@` marks symbolic links.
    #[test]
    fn files_that_do_not_belong_to_the_module_are_left_out() {
        let all = [
            ".gitignore",
            ".hg_archival.txt",
            "GoMod/Go.mod",
            "GoMod/x.go",
            "go.mod",
            "link.go@",
            "linked/go.mod@",
            "linked/x.go",
            "nested/deep/x.go",
            "nested/go.mod",
            "nested/x.go",
            "pkg/vendor/a/a.go",
            "pkg/vendor/modules.txt",
            "pkg/vendor/top.txt",
            "vendor/a.com/x/x.go",
            "vendor/modules.txt",
            "vendor/top.go",
            "x.go",
        ];
        let old = [
            ".gitignore",
            "go.mod",
            "linked/x.go",
            "vendor/modules.txt",
            "vendor/top.go",
            "x.go",
        ];
        let new = [
            ".gitignore",
            "go.mod",
            "linked/x.go",
            "pkg/vendor/modules.txt",
            "pkg/vendor/top.txt",
            "vendor/top.go",
            "x.go",
        ];
        for (go, want) in [("1.23", &old[..]), ("1.24.1", &new[..])] {
            let go_mod = format!("module v.test/m\ngo {go}\n");
            assert_eq!(selected(&all, Some(&go_mod)).unwrap(), want, "{go}");
        }
        assert_eq!(selected(&all, None).unwrap(), old);
    }

    /// Texts of go1.26.8.
    #[test]
    fn names_that_cannot_be_unpacked_everywhere_are_refused() {
        let rows: &[(&[&str], &str)] = &[
            (
                &["README", "Readme"],
                "create zip: Readme: case-insensitive file name collision: \"README\" and \"Readme\"",
            ),
            (
                &["sub/a:b.txt"],
                "create zip: sub/a:b.txt: malformed file path \"sub/a:b.txt\": invalid char ':'",
            ),
            (
                &["GO.MOD"],
                "create zip: GO.MOD: go.mod files must have lowercase names",
            ),
            (
                &["con", "x."],
                "create zip: con: malformed file path \"con\": \"con\" disallowed as path element \
                 component on Windows\nx.: malformed file path \"x.\": trailing dot in path element",
            ),
        ];
        for (names, want) in rows {
            assert_eq!(selected(names, None).unwrap_err(), *want);
        }
        assert!(selected(&["a b~1/\u{e4}.go"], None).is_ok());
    }

    #[test]
    fn a_zip_that_is_written_passes_the_strict_reader() {
        let module = ModuleVersion::parse("a.com/m", "v1.0.0").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.zip");
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = ModuleZipWriter::new(&module, file);
        for (name, text) in [
            ("go.mod", "module a.com/m\n"),
            ("empty", ""),
            ("\u{e4}.go", "x"),
        ] {
            writer
                .add(name, |out| copy_content(name, text.as_bytes(), out))
                .unwrap();
        }
        writer.finish().unwrap();
        let zip = ModuleZip::open(std::fs::File::open(&path).unwrap(), &module).unwrap();
        // hash1 is tested beside go; it takes names in order.
        let lines = [
            ("empty", ""),
            ("go.mod", "module a.com/m\n"),
            ("\u{e4}.go", "x"),
        ];
        let hashes = lines.map(|(name, text)| {
            use sha2::Digest as _;
            let hash: [u8; 32] = sha2::Sha256::digest(text).into();
            (format!("{module}/{name}"), hash)
        });
        let want = crate::gomod::hash1(hashes.iter().map(|(name, hash)| (name.as_str(), *hash)));
        assert_eq!(zip.hash().unwrap(), want);
    }

    #[test]
    fn files_that_are_too_large_are_refused() {
        let module = ModuleVersion::parse("a.com/m", "v1.0.0").unwrap();
        let add = |name: &str, mebibytes: u64| {
            let mut writer = ModuleZipWriter::new(&module, io::sink());
            let content = io::repeat(0).take((mebibytes << 20) + 1);
            let added = writer.add(name, |out| copy_content(name, content, out));
            added.map_err(|error| error.chain())
        };
        assert_eq!(
            add("LICENSE", 16).unwrap_err(),
            "create zip: LICENSE: LICENSE file too large (max size is 16777216 bytes)"
        );
        assert_eq!(
            add("x", 500).unwrap_err(),
            "create zip: module source tree too large (max size is 524288000 bytes)"
        );
    }
}
