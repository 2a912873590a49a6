//! One pass over a bundle: each member is checked when it has come, and then handed on.

use std::collections::HashMap;
use std::io::Read;

use super::manifest::{MANIFEST_NAME, MAX_MANIFEST_BYTES, Manifest, ManifestModule};
use super::proofs::ProofTiles;
use crate::error::{Error, Kind, Result};
use crate::gomod::modfile::GoSum;
use crate::gomod::{H1, ModuleVersion, PrefixPatterns, TOOLCHAIN};
use crate::layout::{self, VersionFile};
use crate::sumdb::lookup_file;
use crate::sumdb::note::NoteVerifier;
use crate::sumdb::tile::MAX_TILE_BYTES;
use crate::sumdb::tlog::{Hash, LogTree, Record};
use crate::tarfile::{TarMember, TarReader};
use crate::trust::SumPart;

/// The longest signed head, record, list and metadata that are read, in bytes.
const MAX_SMALL_BYTES: u64 = 1 << 20;

/// The longest go.mod that is read, in bytes; Go's limit.
const MAX_GOMOD_BYTES: u64 = 16 << 20;

/// The longest zip that is read, in bytes; Go's limit.
const MAX_ZIP_BYTES: u64 = 500 << 20;

/// What the reader of a bundle believes.
#[derive(Clone, Debug)]
pub struct BundleTrust {
    /// The key of the checksum database; `None` with GOSUMDB=off.
    pub verifier: Option<NoteVerifier>,
    /// GONOSUMDB: modules that are exempt from the checksum database.
    pub exempt: PrefixPatterns,
    /// A go.sum that the reader trusts.
    pub go_sum: Option<GoSum>,
}

/// Who vouches for a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voucher {
    /// The checksum database has logged the sums, which was proven.
    Database,
    /// The reader's go.sum has the sums.
    GoSum,
    /// None of them: the bundle alone says what the sums are.
    None,
}

impl Voucher {
    /// The word for it in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Voucher::Database => "sumdb",
            Voucher::GoSum => "go.sum",
            Voucher::None => "none",
        }
    }
}

impl BundleTrust {
    /// Compares the sums of a module with go.sum. `proven` says that the database has logged them.
    ///
    /// # Errors
    /// [`Kind::Security`] if go.sum has others.
    fn voucher(&self, one: &ManifestModule, proven: bool) -> Result<Voucher> {
        let module = &one.module;
        let zip = one.zip.as_ref().map(|zip| (SumPart::Zip, &zip.h1));
        let parts = [Some((SumPart::GoMod, &one.gomod)), zip];
        let mut recorded = true;
        for (part, h1) in parts.into_iter().flatten() {
            let key = part.version_key(module);
            let sums = self.go_sum.iter();
            let sums = sums.flat_map(|sums| sums.sums(module.path().as_str(), &key));
            let sums: Vec<&String> = sums.filter(|sum| sum.starts_with("h1:")).collect();
            if let Some(other) = sums.iter().find(|sum| sum.as_str() != h1.as_str()) {
                let text = format!(
                    "{}@{key}: checksum mismatch\n\tbundle: {h1}\n\tgo.sum: {other}",
                    module.path()
                );
                return Err(Error::new(Kind::Security, text));
            }
            recorded &= !sums.is_empty();
        }
        // As go since 1.26.9: go.sum never vouches for a toolchain.
        Ok(
            match (proven, recorded && module.path().as_str() != TOOLCHAIN) {
                (true, _) => Voucher::Database,
                (false, true) => Voucher::GoSum,
                (false, false) => Voucher::None,
            },
        )
    }

    /// Refuses a module that needs proof and has none.
    ///
    /// # Errors
    /// [`Kind::Security`].
    fn demand(&self, module: &ModuleVersion, voucher: Voucher) -> Result<()> {
        let path = module.path().as_str();
        let is_exempt = path != TOOLCHAIN && (self.verifier.is_none() || self.exempt.matches(path));
        if voucher != Voucher::None || is_exempt {
            return Ok(());
        }
        let text = format!("{module}: neither the checksum database nor go.sum vouches for it");
        let error = Error::new(Kind::Security, text);
        Err(match path {
            TOOLCHAIN => error.hint("a toolchain needs a record of the checksum database"),
            _ => error.hint(format!(
                "name a go.sum that has it with --go-sum FILE, or exempt it with GONOSUMDB={path}"
            )),
        })
    }
}

/// The signed head of a bundle.
#[derive(Clone, Debug)]
pub struct BundleHead {
    /// The head, as it was signed.
    pub note: Vec<u8>,
    /// What it says.
    pub tree: LogTree,
}

/// What is done with the members of a bundle. Each is called in the order of the archive, with what
/// has been checked.
pub trait BundleSink {
    /// The manifest, of which nothing is proven yet.
    ///
    /// # Errors
    /// Any ends the reading.
    fn manifest(&mut self, _manifest: &Manifest) -> Result<()> {
        Ok(())
    }

    /// The signed head, whose signature was checked.
    ///
    /// # Errors
    /// Any ends the reading.
    fn head(&mut self, _head: &BundleHead) -> Result<()> {
        Ok(())
    }

    /// A tile, by its name below the database. Those at the edge of the tree are proven with the
    /// last of them.
    ///
    /// # Errors
    /// Any ends the reading.
    fn tile(&mut self, _name: &str, _content: &[u8]) -> Result<()> {
        Ok(())
    }

    /// The response to a lookup, which was proven under the head.
    ///
    /// # Errors
    /// Any ends the reading.
    fn record(&mut self, _module: &ModuleVersion, _response: &[u8]) -> Result<()> {
        Ok(())
    }

    /// `@latest` or `@v/list`.
    ///
    /// # Errors
    /// Any ends the reading.
    fn version_list(&mut self, _name: &str, _content: &[u8]) -> Result<()> {
        Ok(())
    }

    /// An `.info`.
    ///
    /// # Errors
    /// Any ends the reading.
    fn info(&mut self, _name: &str, _one: &ManifestModule, _content: &[u8]) -> Result<()> {
        Ok(())
    }

    /// A go.mod that has the sum in the manifest.
    ///
    /// # Errors
    /// Any ends the reading.
    fn gomod(&mut self, _name: &str, _one: &ManifestModule, _content: &[u8]) -> Result<()> {
        Ok(())
    }

    /// A zip. Its content is not checked: whoever reads it compares its sum with the manifest's.
    ///
    /// # Errors
    /// Any ends the reading.
    fn zip(&mut self, name: &str, one: &ManifestModule, content: &mut dyn Read) -> Result<()>;
}

/// What was read.
#[derive(Clone, Debug)]
pub struct BundleSummary {
    /// The manifest.
    pub manifest: Manifest,
    /// The signed head; `None` without a database.
    pub head: Option<BundleHead>,
    /// Who vouches for each module, in the order of the manifest.
    pub vouchers: Vec<Voucher>,
}

/// Reads a bundle to its end, from a file or a pipe.
///
/// # Errors
/// [`Kind::Security`] or [`Kind::Input`], naming the member that is wrong; [`Kind::LocalIo`] if the
/// bundle cannot be read; those of `sink`.
pub fn read_bundle(
    input: impl Read,
    trust: &BundleTrust,
    sink: &mut dyn BundleSink,
) -> Result<BundleSummary> {
    let mut reader = BundleReader {
        tar: TarReader::new(input),
        trust,
        sink,
    };
    let manifest = reader.manifest()?;
    let (head, proven) = reader.database(&manifest)?;
    let vouchers = manifest.modules.iter().map(|one| {
        let voucher = trust.voucher(one, proven && one.record.is_some())?;
        trust.demand(&one.module, voucher).map(|()| voucher)
    });
    let vouchers = vouchers.collect::<Result<Vec<_>>>()?;
    reader.modules(&manifest)?;
    Ok(BundleSummary {
        manifest,
        head,
        vouchers,
    })
}

/// Reads the manifest of a bundle and the signed head behind it, unchecked.
///
/// # Errors
/// As [`read_bundle`].
pub fn read_manifest_and_head(input: impl Read) -> Result<(Manifest, Option<Vec<u8>>)> {
    let mut tar = TarReader::new(input);
    next(&mut tar, MANIFEST_NAME)?;
    let manifest = Manifest::parse(&tar.read_content(MAX_MANIFEST_BYTES)?)?;
    let Some(database) = &manifest.database else {
        return Ok((manifest, None));
    };
    let root = layout::sumdb(&database.name);
    next(&mut tar, &format!("{root}/supported"))?;
    next(&mut tar, &format!("{root}/latest"))?;
    let note = tar.read_content(MAX_SMALL_BYTES)?;
    Ok((manifest, Some(note)))
}

struct BundleReader<'a, R> {
    tar: TarReader<R>,
    trust: &'a BundleTrust,
    sink: &'a mut dyn BundleSink,
}

impl<R: Read> BundleReader<'_, R> {
    fn manifest(&mut self) -> Result<Manifest> {
        next(&mut self.tar, MANIFEST_NAME)?;
        let manifest = Manifest::parse(&self.tar.read_content(MAX_MANIFEST_BYTES)?)?;
        if let (Some(verifier), Some(database)) = (&self.trust.verifier, &manifest.database)
            && verifier.name() != database.name
        {
            let (ours, theirs) = (verifier.name(), &database.name);
            let text = format!(
                "{MANIFEST_NAME}: the bundle is proven by {theirs}, and GOSUMDB names {ours}"
            );
            return Err(Error::new(Kind::Security, text)
                .hint("set GOSUMDB to the key of that database, from a source that you trust"));
        }
        self.sink.manifest(&manifest)?;
        Ok(manifest)
    }

    /// The next member, which must have this name, whole.
    fn take(&mut self, name: &str, limit: u64) -> Result<Vec<u8>> {
        next(&mut self.tar, name)?;
        self.tar.read_content(limit)
    }

    /// Reads and proves the database. True if a key has signed it.
    fn database(&mut self, manifest: &Manifest) -> Result<(Option<BundleHead>, bool)> {
        let Some(database) = &manifest.database else {
            return Ok((None, false));
        };
        let root = layout::sumdb(&database.name);
        let name = format!("{root}/supported");
        if !self.take(&name, MAX_SMALL_BYTES)?.is_empty() {
            return Err(Error::new(Kind::Security, "not empty").context(name));
        }
        let name = format!("{root}/latest");
        let note = self.take(&name, MAX_SMALL_BYTES)?;
        let head = self.open(note, database.tree);
        let head = head.map_err(|error| error.context(name))?;
        self.sink.head(&head)?;
        let records: Vec<u64> = manifest.records().collect();
        let mut tiles = ProofTiles::new(head.tree, &database.since, &records)
            .map_err(|error| error.context(MANIFEST_NAME))?;
        let names: Vec<String> = tiles.names().collect();
        for name in names {
            let member = format!("{root}/{name}");
            let content = self.take(&member, MAX_TILE_BYTES as u64)?;
            tiles.add(&content).map_err(|error| error.context(member))?;
            self.sink.tile(&name, &content)?;
        }
        let leaves = tiles.finish(records.len())?;
        let leaves: HashMap<u64, Hash> = records.into_iter().zip(leaves).collect();
        for one in &manifest.modules {
            let Some(leaf) = one.record.and_then(|id| leaves.get(&id)) else {
                continue;
            };
            let name = format!("{root}/{}", lookup_file(&one.module)?);
            let response = self.take(&name, MAX_SMALL_BYTES)?;
            check_record(one, &response, &head, *leaf).map_err(|error| error.context(name))?;
            self.sink.record(&one.module, &response)?;
        }
        Ok((Some(head), self.trust.verifier.is_some()))
    }

    /// Checks the signature of a head, if there is a key, and that it is about the tree that the
    /// manifest names.
    fn open(&self, note: Vec<u8>, size: u64) -> Result<BundleHead> {
        let refuse = |reason: String| Error::new(Kind::Security, reason);
        let text = match &self.trust.verifier {
            Some(verifier) => verifier
                .open(&note)
                .map_err(|why| refuse(why.to_string()))?,
            None => {
                let text = str::from_utf8(&note).unwrap_or_default();
                let end = text.rfind("\n\n").map_or(0, |at| at + 1);
                text.get(..end).unwrap_or_default()
            }
        };
        let tree = LogTree::parse(text).map_err(|why| refuse(why.to_string()))?;
        if tree.size != size {
            let signed = tree.size;
            let text = format!("the head is about {signed} records, the manifest about {size}");
            return Err(refuse(text));
        }
        Ok(BundleHead { note, tree })
    }

    fn modules(&mut self, manifest: &Manifest) -> Result<()> {
        for (name, want) in manifest.version_lists()? {
            let content = self.take(&name, MAX_SMALL_BYTES)?;
            demand_equal(&content, want.as_bytes(), &name)?;
            self.sink.version_list(&name, &content)?;
        }
        for one in &manifest.modules {
            let escaped = one.module.escape()?;
            if let Some(want) = one.info() {
                let name = layout::file(&escaped, VersionFile::Info);
                let content = self.take(&name, MAX_SMALL_BYTES)?;
                demand_equal(&content, want.as_bytes(), &name)?;
                self.sink.info(&name, one, &content)?;
            }
            let name = layout::file(&escaped, VersionFile::GoMod);
            let content = self.take(&name, MAX_GOMOD_BYTES)?;
            let h1 = H1::of_go_mod(&content);
            if h1 != one.gomod {
                return Err(mismatch(&name, &one.gomod, &h1));
            }
            self.sink.gomod(&name, one, &content)?;
            if let Some(zip) = &one.zip {
                let name = layout::file(&escaped, VersionFile::Zip);
                let member = next(&mut self.tar, &name)?;
                if member.size != zip.bytes || member.size > MAX_ZIP_BYTES {
                    let (found, want) = (member.size, zip.bytes);
                    let text = format!("{name}: {found} bytes, the manifest says {want}");
                    return Err(Error::new(Kind::Security, text));
                }
                self.sink.zip(&name, one, &mut self.tar)?;
            }
        }
        match self.tar.next_member()? {
            None => Ok(()),
            Some(more) => Err(Error::new(
                Kind::Security,
                format!("{}: the manifest does not have it", more.name),
            )),
        }
    }
}

/// Goes on to the member of this name, which must be the next.
fn next<R: Read>(tar: &mut TarReader<R>, name: &str) -> Result<TarMember> {
    match tar.next_member()? {
        Some(member) if member.name == name => Ok(member),
        Some(_) if name == MANIFEST_NAME => {
            let text = format!("not a bundle: the first member is not {MANIFEST_NAME}");
            Err(Error::new(Kind::Input, text))
        }
        Some(other) => {
            let text = format!("{}: in the place of {name}", other.name);
            Err(Error::new(Kind::Security, text))
        }
        None => Err(Error::new(Kind::Security, format!("{name}: missing"))),
    }
}

/// Checks that the response is the record with this hash and this head, and has the sums of the
/// manifest.
fn check_record(
    one: &ManifestModule,
    response: &[u8],
    head: &BundleHead,
    leaf: Hash,
) -> Result<()> {
    let refuse = |reason: &str| Err(Error::new(Kind::Security, reason));
    let Ok(record) = Record::parse(response) else {
        return refuse("not a record");
    };
    if Some(record.id) != one.record || record.head != head.note {
        return refuse("another number or head than the manifest has");
    }
    if Hash::of_record(record.text.as_bytes()) != leaf {
        return refuse("the record is not the one that was signed");
    }
    if normal_response(record.id, record.text, &head.note) != response {
        return refuse("the record is not in the form that modfetch writes");
    }
    let (path, version) = (one.module.path().as_str(), one.module.version().as_str());
    let has = |key: &str, h1: &H1| {
        let sums = record.text.lines().filter_map(|line| {
            let rest = line.strip_prefix(path)?.strip_prefix(' ')?;
            rest.strip_prefix(key)?.strip_prefix(' ')
        });
        let mut sums = sums.filter(|sum| sum.starts_with("h1:"));
        // As go: of several the first counts.
        sums.next() == Some(h1.as_str())
    };
    let zip_agrees = one.zip.as_ref().is_none_or(|zip| has(version, &zip.h1));
    if !zip_agrees || !has(&format!("{version}/go.mod"), &one.gomod) {
        return refuse("checksum mismatch: the manifest has other sums than the database");
    }
    Ok(())
}

/// A response to a lookup, with another head than it may have come with.
#[must_use]
pub(super) fn normal_response(id: u64, text: &str, note: &[u8]) -> Vec<u8> {
    let mut response = format!("{id}\n{text}\n").into_bytes();
    response.extend(note);
    response
}

fn demand_equal(content: &[u8], want: &[u8], name: &str) -> Result<()> {
    match content == want {
        true => Ok(()),
        false => Err(Error::new(
            Kind::Security,
            format!("{name}: not what the manifest says"),
        )),
    }
}

/// A file has another sum than the manifest says.
pub(super) fn mismatch(name: &str, want: &H1, found: &H1) -> Error {
    let text = format!("{name}: checksum mismatch\n\tbundle: {found}\n\tmanifest: {want}");
    Error::new(Kind::Security, text)
}
