//! Writing a bundle: from modules that are at hand to the archive.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use rayon::prelude::*;

use super::manifest::{MANIFEST_NAME, Manifest, ManifestDatabase, ManifestModule};
use super::proofs::{ProofTiles, wanted};
use super::reader::{BundleHead, normal_response};
use crate::error::{Error, Kind, Result};
use crate::fetch::on_cores;
use crate::gomod::H1;
use crate::layout::{self, VersionFile};
use crate::modzip::sha256_of_file;
use crate::sumdb::{LoggedSums, SumDbClient, lookup_file};
use crate::tarfile::TarWriter;

/// So many records are proven at a time: their tiles are in memory.
const RECORDS_AT_ONCE: usize = 64;

/// A module version that goes into a bundle.
#[derive(Clone, Debug)]
pub struct BundleModule {
    /// What the manifest says about it. `record` is filled in from `sums`, and the SHA-256 of the zip
    /// from the file.
    pub entry: ManifestModule,
    /// What the database has logged; `None` if the database does not vouch for it.
    pub sums: Option<LoggedSums>,
    /// Its go.mod.
    pub gomod: PathBuf,
    /// Its zip, if that goes into the bundle.
    pub zip: Option<PathBuf>,
}

/// The proofs that go into a bundle.
#[derive(Clone, Debug)]
pub struct BundleProofs<'a> {
    /// The client that the records came from.
    pub client: &'a SumDbClient,
    /// The head that all of them are proven under, which the client has merged.
    pub head: BundleHead,
    /// The sizes of older trees, whose heads the client has merged.
    pub since: Vec<u64>,
}

/// Writes a bundle of these modules, in any order. Returns its manifest.
///
/// The go.mod files are hashed. Of zips the caller knows the sum.
///
/// # Errors
/// [`Kind::Security`] if a go.mod or the database is not what was proven before; [`Kind::LocalIo`].
pub fn write_bundle(
    out: impl Write,
    mut modules: Vec<BundleModule>,
    proofs: Option<&BundleProofs<'_>>,
    newest: bool,
) -> Result<Manifest> {
    modules.sort_by(|a, b| a.entry.module.cmp(&b.entry.module));
    hash_zips(&mut modules)?;
    for one in &mut modules {
        one.entry.record = one
            .sums
            .as_ref()
            .filter(|_| proofs.is_some())
            .map(LoggedSums::id);
    }
    let database = proofs.map(|proofs| ManifestDatabase {
        name: proofs.client.name().to_owned(),
        tree: proofs.head.tree.size,
        since: proofs.since.clone(),
    });
    let manifest = Manifest {
        database,
        newest,
        modules: modules.iter().map(|one| one.entry.clone()).collect(),
    };
    let text = manifest.to_json();
    // What would be refused when it is read is not written.
    Manifest::parse(text.as_bytes())?;
    let mut tar = TarWriter::new(out);
    tar.append_bytes(MANIFEST_NAME, text.as_bytes())?;
    if let Some(proofs) = proofs {
        write_database(&mut tar, &manifest, &modules, proofs)?;
    }
    for (name, content) in manifest.version_lists()? {
        tar.append_bytes(&name, content.as_bytes())?;
    }
    for one in &modules {
        write_module(&mut tar, one)?;
    }
    tar.finish()?;
    Ok(manifest)
}

/// Computes the SHA-256 of the zips, on all cores.
fn hash_zips(modules: &mut [BundleModule]) -> Result<()> {
    if modules.iter().all(|one| one.zip.is_none()) {
        return Ok(());
    }
    on_cores(|| {
        modules.par_iter_mut().with_max_len(1).try_for_each(|one| {
            if let (Some(path), Some(zip)) = (&one.zip, &mut one.entry.zip) {
                zip.sha256 = sha256_of_file(path)?;
            }
            Ok(())
        })
    })
}

fn write_database<W: Write>(
    tar: &mut TarWriter<W>,
    manifest: &Manifest,
    modules: &[BundleModule],
    proofs: &BundleProofs<'_>,
) -> Result<()> {
    let root = layout::sumdb(proofs.client.name());
    let (tree, note) = (proofs.head.tree, &proofs.head.note);
    tar.append_bytes(&format!("{root}/supported"), b"")?;
    tar.append_bytes(&format!("{root}/latest"), note)?;
    let records: Vec<u64> = manifest.records().collect();
    let mut tiles = ProofTiles::new(tree, &proofs.since, &records)?;
    let names: Vec<String> = tiles.names().collect();
    let mut names = names.iter();
    let mut next = names.next();
    let mut nodes = wanted(&proofs.since, &records);
    if nodes.is_empty() {
        // The edge of the tree alone.
        nodes.extend(wanted(&[tree.size], &[]));
    }
    for nodes in nodes.chunks(RECORDS_AT_ONCE) {
        // Those that an earlier chunk had are at hand again and come in the same order.
        for (tile, content) in proofs.client.proven_tiles(tree, nodes)? {
            if next.is_some_and(|name| *name == tile.path()) {
                tiles.add(&content)?;
                tar.append_bytes(&format!("{root}/{}", tile.path()), &content)?;
                next = names.next();
            }
        }
    }
    for (name, content) in tiles.shorter() {
        tiles.add(&content)?;
        tar.append_bytes(&format!("{root}/{name}"), &content)?;
    }
    tiles.finish(records.len())?;
    for one in modules {
        if let Some(sums) = &one.sums {
            let response = normal_response(sums.id(), sums.text(), note);
            let name = format!("{root}/{}", lookup_file(&one.entry.module)?);
            tar.append_bytes(&name, &response)?;
        }
    }
    Ok(())
}

fn write_module<W: Write>(tar: &mut TarWriter<W>, one: &BundleModule) -> Result<()> {
    let escaped = one.entry.module.escape()?;
    if let Some(info) = one.entry.info() {
        tar.append_bytes(&layout::file(&escaped, VersionFile::Info), info.as_bytes())?;
    }
    let read = std::fs::read(&one.gomod);
    let gomod = read.map_err(|cause| Error::io("cannot read", &one.gomod, cause))?;
    if H1::of_go_mod(&gomod) != one.entry.gomod {
        let (module, path) = (&one.entry.module, one.gomod.display());
        let text = format!("{module}: {path} is not the go.mod that its sum is of");
        return Err(Error::new(Kind::Security, text));
    }
    tar.append_bytes(&layout::file(&escaped, VersionFile::GoMod), &gomod)?;
    if let (Some(path), Some(zip)) = (&one.zip, &one.entry.zip) {
        let file = File::open(path);
        let mut file = file.map_err(|cause| Error::io("cannot open", path, cause))?;
        tar.append(
            &layout::file(&escaped, VersionFile::Zip),
            zip.bytes,
            &mut file,
        )?;
    }
    Ok(())
}
