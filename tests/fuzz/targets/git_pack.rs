//! Packs of git: what the built-in client indexes can be read, and is what its name says.

use std::fs::{self, File};
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use modfetch::internals::source::{HashKind, ObjectDatabase, ObjectId, index_pack};
use sha2::{Digest as _, Sha256};

use super::Choices;

/// The largest object that is read back.
const MAX_OBJECT_BYTES: u64 = 1 << 20;

/// In an index of version 2: magic, version and the table by first byte stand before the names.
const NAMES_START: usize = 8 + 4 * 256;

/// The first byte says whether the rest is a whole pack with SHA-1 or SHA-256 names, or choices from which one
/// is built.
pub(super) fn git_pack(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else {
        return;
    };
    match kind % 3 {
        0 => drop(check(rest, HashKind::Sha1)),
        1 => drop(check(rest, HashKind::Sha256)),
        _ => built(&mut Choices(rest)),
    }
}

/// Indexes a pack and reads all its objects; `None` if the pack is refused.
fn check(pack: &[u8], hash: HashKind) -> Option<Vec<(ObjectId, Vec<u8>)>> {
    let bytes = match hash {
        HashKind::Sha1 => 20,
        HashKind::Sha256 => 32,
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let packs = dir.path().join("objects/pack");
    fs::create_dir_all(&packs).expect("a new directory");
    let path = packs.join("pack-0.pack");
    fs::write(&path, pack).expect("a new file");
    let file = File::open(&path).expect("the file just written");
    let index = index_pack(&file, hash).ok()?.index;
    let count: [u8; 4] = index[NAMES_START - 4..NAMES_START]
        .try_into()
        .expect("four bytes");
    let names = &index[NAMES_START..][..u32::from_be_bytes(count) as usize * bytes];
    fs::write(packs.join("pack-0.idx"), &index).expect("a new file");
    let store = ObjectDatabase::open(dir.path(), hash).expect("the index just made");
    let read = names.chunks(bytes).map(|name| {
        let id = ObjectId::from_bytes(name, hash).expect("a name of this kind");
        let object = store.read(&id, MAX_OBJECT_BYTES);
        let object = object.expect("what was indexed is sound").expect("indexed");
        (id, object.data)
    });
    Some(read.collect())
}

/// A pack of some objects, each whole or a delta, some of which lie about their size or their base.
fn built(choices: &mut Choices<'_>) {
    let count = 1 + choices.byte() % 6;
    let mut pack = b"PACK\0\0\0\x02\0\0\0".to_vec();
    pack.push(count);
    let mut offsets = Vec::new();
    let mut whole: Vec<(ObjectId, Vec<u8>)> = Vec::new();
    let mut is_sound = true;
    for _ in 0..count {
        offsets.push(pack.len());
        let mut content = choices.slice(64).repeat(1 + choices.below(4));
        let form = choices.byte() % 8;
        let lie = u64::from(choices.byte().is_multiple_of(16));
        let size = content.len() as u64 + lie;
        is_sound &= lie == 0;
        match form {
            6 => {
                is_sound = false;
                let base = offsets[choices.below(offsets.len())];
                delta_of(&mut content, choices);
                entry_header(&mut pack, 6, content.len() as u64 + lie);
                let here = *offsets.last().expect("pushed above");
                distance(
                    &mut pack,
                    (here - base + usize::from(choices.byte() % 32 == 1)) as u64,
                );
            }
            7 => {
                is_sound = false;
                delta_of(&mut content, choices);
                entry_header(&mut pack, 7, content.len() as u64 + lie);
                let named = choices.below(whole.len() + 1);
                match whole.get(named) {
                    Some((_, base)) => pack.extend(Sha256::digest(with_header("blob", base))),
                    None => pack.extend([choices.byte(); 32]),
                }
            }
            _ => {
                let name = Sha256::digest(with_header("blob", &content));
                let id = ObjectId::from_bytes(&name, HashKind::Sha256).expect("a SHA-256");
                whole.push((id, content.clone()));
                entry_header(&mut pack, 3, size);
            }
        }
        let mut zlib = ZlibEncoder::new(&mut pack, Compression::new(1));
        zlib.write_all(&content).expect("memory takes it");
        zlib.finish().expect("memory takes it");
    }
    let checksum = Sha256::digest(&pack);
    pack.extend(checksum);
    match check(&pack, HashKind::Sha256) {
        // Two equal objects are two places of one name.
        Some(read) => {
            for object in &whole {
                assert!(read.contains(object), "{object:?}");
            }
        }
        None => assert!(!is_sound, "a pack of sound objects is refused"),
    }
}

fn with_header(kind: &str, content: &[u8]) -> Vec<u8> {
    let mut all = format!("{kind} {}\0", content.len()).into_bytes();
    all.extend_from_slice(content);
    all
}

/// Puts the sizes that a delta begins with before what is there.
fn delta_of(orders: &mut Vec<u8>, choices: &mut Choices<'_>) {
    let sizes = [choices.byte() % 128, choices.byte() % 128];
    orders.splice(..0, sizes);
}

/// Kind and size: four bits of it in the first byte, seven in each other.
fn entry_header(pack: &mut Vec<u8>, number: u8, mut size: u64) {
    let mut byte = (number << 4) | (size & 0x0f) as u8;
    size >>= 4;
    while size > 0 {
        pack.push(byte | 0x80);
        byte = (size & 0x7f) as u8;
        size >>= 7;
    }
    pack.push(byte);
}

/// How far before a delta its base is: big-endian, each further byte counts from one more.
fn distance(pack: &mut Vec<u8>, mut back: u64) {
    let mut bytes = vec![(back & 0x7f) as u8];
    back >>= 7;
    while back > 0 {
        back -= 1;
        bytes.push(0x80 | (back & 0x7f) as u8);
        back >>= 7;
    }
    pack.extend(bytes.iter().rev());
}
