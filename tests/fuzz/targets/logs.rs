//! The checksum database: signed notes, records, tiles, and the client that puts them together.

use std::fs;
use std::sync::LazyLock;

use modfetch::ModuleVersion;
use modfetch::internals::sumdb::note::NoteVerifier;
use modfetch::internals::sumdb::tile::{TilePlan, Unproven};
use modfetch::internals::sumdb::tlog::{LogSubtree, LogTree, Record, consistency_proof, subtrees};
use modfetch::internals::sumdb::{Store, SumDbClient};

use super::Choices;
use super::sumdb::Shared;
use super::sumdb::testing::{Log, NAME, Server, head, key, sign, text};

static VERIFIER: LazyLock<NoteVerifier> =
    LazyLock::new(|| NoteVerifier::parse(&key(NAME)).expect("the key of the tests"));

pub(super) fn note(data: &[u8]) {
    let mut choices = Choices(data);
    if choices.byte().is_multiple_of(2) {
        let note = choices.0;
        // Nobody but us has the key, and Ed25519 signs a text in one way only.
        if let Ok(text) = VERIFIER.open(note) {
            let ours = sign(text);
            let line = ours.split_at(text.len() + 1).1;
            assert!(note.starts_with(text.as_bytes()));
            assert!(note.windows(line.len()).any(|part| part == line));
        }
        if let Ok(verifier) = std::str::from_utf8(note).map_or_else(|_| Err(()), parse_key) {
            assert!(!verifier.name().is_empty());
        }
        return;
    }
    let (at, flip) = (choices.below(usize::MAX), choices.byte());
    let mut text = String::from_utf8_lossy(choices.0).into_owned();
    text.retain(|c| c >= ' ' || c == '\n');
    text.push('\n');
    let mut note = sign(&text);
    assert_eq!(VERIFIER.open(&note), Ok(&*text));
    let at = at % note.len();
    note[at] ^= flip;
    assert_eq!(
        VERIFIER.open(&note).is_ok(),
        flip == 0,
        "byte {at} ^ {flip}"
    );
}

fn parse_key(text: &str) -> Result<NoteVerifier, ()> {
    NoteVerifier::parse(text).map_err(drop)
}

/// Three levels of tiles.
const LARGE: u64 = 66_000;
static LOG: LazyLock<Log> = LazyLock::new(|| Log::of(LARGE));

pub(super) fn tlog(data: &[u8]) {
    let mut choices = Choices(data);
    match choices.byte() % 3 {
        0 => record_and_head(choices.0),
        1 => any_plan(&mut choices),
        _ => proof(&mut choices),
    }
}

fn record_and_head(data: &[u8]) {
    if let Ok(record) = Record::parse(data) {
        let mut again = format!("{}\n{}\n", record.id, record.text).into_bytes();
        again.extend(record.head);
        assert_eq!(again, data);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(tree) = LogTree::parse(text)
    {
        let again = format!("go.sum database tree\n{}\n{}\n", tree.size, tree.hash);
        assert!(text.starts_with(&again));
        let _ = TilePlan::new(tree, &subtrees(0, tree.size));
    }
}

/// Whatever size a head claims and whatever is asked for, a plan is small.
fn any_plan(choices: &mut Choices<'_>) {
    let size = choices.u64() >> (1 + choices.byte() % 62);
    let tree = LogTree {
        size,
        ..LogTree::empty()
    };
    let older = choices.u64() >> (choices.byte() % 63);
    let wanted: Vec<LogSubtree> = (0..choices.byte() % 8)
        .map(|_| LogSubtree {
            level: u32::from(choices.byte()),
            number: choices.u64() >> (choices.byte() % 63),
        })
        .chain(consistency_proof(older, size).into_iter().flatten())
        .collect();
    if let Ok(plan) = TilePlan::new(tree, &wanted) {
        // At most 8 tiles at the edge, and 8 on the way to each hash.
        assert!(plan.tiles().len() <= 8 * (wanted.len() + 1));
        let empty: Vec<Vec<u8>> = vec![Vec::new(); plan.tiles().len()];
        if size > 0 {
            assert_eq!(plan.prove(&empty), Err(Unproven::Length));
        }
    }
}

fn proof(choices: &mut Choices<'_>) {
    let size = choices.u64() % LARGE + 1;
    let ids: Vec<u64> = (0..choices.byte() % 6)
        .map(|_| choices.u64() % size)
        .collect();
    let wanted: Vec<LogSubtree> = ids
        .iter()
        .map(|&number| LogSubtree { level: 0, number })
        .collect();
    let tree = LOG.tree(size);
    let plan = TilePlan::new(tree, &wanted).expect("records of the tree");
    let mut tiles = LOG.tiles(&plan);
    let hashes = plan.prove(&tiles).expect("true tiles");
    assert!(
        hashes
            .iter()
            .zip(&ids)
            .all(|(hash, &id)| *hash == LOG.leaf(id))
    );
    // Every byte that was asked for takes part in the proof.
    let which = choices.below(tiles.len());
    let tile = &mut tiles[which];
    let at = choices.below(tile.len());
    let bit = choices.byte() % 8;
    tile[at] ^= 1 << bit;
    assert!(
        plan.prove(&tiles).is_err(),
        "tile {which}, byte {at}, bit {bit}"
    );
    // Nor is another tree's head a way in.
    let other = LOG.tree(choices.u64() % LARGE + 1);
    if other.size != size {
        let lying = LogTree { size, ..other };
        let plan = TilePlan::new(lying, &wanted).expect("records of the tree");
        assert!(plan.prove(&LOG.tiles(&plan)).is_err());
    }
}

const SMALL: u64 = 600;
static SMALL_LOG: LazyLock<Log> = LazyLock::new(|| Log::of(SMALL));

/// What somebody without the key can make of an answer.
fn altered(truth: Option<Vec<u8>>, choices: &mut Choices<'_>) -> Option<Vec<u8>> {
    let mut bytes = truth.unwrap_or_default();
    match choices.byte() % 6 {
        0 => return None,
        1 => bytes = choices.slice(300).to_vec(),
        2 if !bytes.is_empty() => {
            let at = choices.below(bytes.len());
            bytes[at] ^= choices.byte();
        }
        3 => bytes.truncate(choices.below(bytes.len() + 1)),
        4 => bytes.extend(choices.slice(100)),
        _ => {
            // The truth about something else, or at another time.
            let size = choices.u64() % SMALL + 1;
            bytes = SMALL_LOG.response(choices.u64() % size, size);
            if choices.byte().is_multiple_of(2) {
                // With a head of its own, signed, that is of another time still.
                let other = head(SMALL_LOG.tree(choices.u64() % SMALL + 1));
                let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(0) + 2;
                bytes.truncate(end);
                bytes.extend(other);
            }
        }
    }
    Some(bytes)
}

pub(super) fn lookup(data: &[u8]) {
    let mut choices = Choices(data);
    let id = choices.u64() % SMALL;
    let path = format!("example.com/m{id}");
    let module = ModuleVersion::parse(&path, "v1.0.0").expect("a module");
    let file = format!("lookup/{path}@v1.0.0");
    let plan = TilePlan::new(
        SMALL_LOG.tree(SMALL),
        &[LogSubtree {
            level: 0,
            number: id,
        }],
    )
    .expect("a plan");
    let mut truth = vec![(file, SMALL_LOG.response(id, SMALL))];
    for (tile, bytes) in plan.tiles().iter().zip(SMALL_LOG.tiles(&plan)) {
        truth.push((tile.path(), bytes));
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Store::new(dir.path(), Some(dir.path()), NAME);
    let server = Server::of(SMALL_LOG.clone());
    for _ in 0..choices.byte() % 4 {
        let (name, bytes) = &truth[choices.below(truth.len())];
        let on_disk = choices.byte().is_multiple_of(2);
        let lie = altered(Some(bytes.clone()), &mut choices);
        if on_disk {
            store.write(name, &lie.unwrap_or_default());
        } else {
            server
                .lock()
                .expect("no panic")
                .lies
                .insert(name.clone(), lie);
        }
    }
    let believed = |server| {
        let client = SumDbClient::new(VERIFIER.clone(), store.clone(), Box::new(Shared(server)));
        client.lookup(&module).map(|sums| {
            let keys = ["v1.0.0", "v1.0.0/go.mod"];
            keys.map(|key| sums.of(&path, key).map(str::to_owned).collect::<Vec<_>>())
        })
    };
    let logged = text(id, "");
    let sum = logged.split_whitespace().nth(2).expect("a sum");
    if let Ok(sums) = believed(server) {
        // About this module nothing, or the truth.
        for sums in sums {
            assert!(sums.is_empty() || sums == [sum], "{sums:?}");
        }
    }
    // Whatever was told, an honest answer is believed afterwards.
    let honest = Server::of(SMALL_LOG.clone());
    let sums = believed(honest).unwrap_or_else(|error| panic!("{}", error.chain()));
    assert_eq!(sums, [[sum], [sum]]);
    let _ = fs::remove_dir_all(dir.path());
}
