use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use super::super::store::{Store, file_of};
use super::super::testing::{self, Log, Server};
use super::super::tile::TilePlan;
use super::*;

type Shared = Arc<Mutex<Server>>;

struct Place {
    dir: tempfile::TempDir,
    server: Shared,
}

impl Place {
    fn new(log: Log) -> Place {
        Place {
            dir: tempfile::tempdir().unwrap(),
            server: Server::of(log),
        }
    }

    fn store(&self) -> Store {
        Store::new(
            &self.dir.path().join("mod"),
            Some(&self.dir.path().join("gopath")),
            testing::NAME,
        )
    }

    /// A new run.
    fn client(&self) -> SumDbClient {
        let verifier = NoteVerifier::parse(&testing::key(testing::NAME)).unwrap();
        SumDbClient::new(verifier, self.store(), Box::new(Arc::clone(&self.server)))
    }

    fn lie(&self, path: &str, data: Option<Vec<u8>>) {
        self.server
            .lock()
            .unwrap()
            .lies
            .insert(path.to_owned(), data);
    }

    fn serve(&self, log: Log) {
        let mut server = self.server.lock().unwrap();
        server.log = Some(log);
        server.lies.clear();
    }

    fn down(&self, kind: Option<Kind>) {
        self.server.lock().unwrap().down = kind;
    }

    /// The requests since the last call, sorted.
    fn requests(&self) -> Vec<String> {
        let mut requests = std::mem::take(&mut self.server.lock().unwrap().requests);
        requests.sort();
        requests
    }

    fn latest(&self) -> Option<Vec<u8>> {
        fs::read(self.store().latest_path().unwrap()).ok()
    }

    fn file(&self, file: &str) -> PathBuf {
        file_of(&self.store(), file)
    }

    /// All files below the folder of the database in the cache.
    fn files(&self) -> Vec<String> {
        fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
                match entry.path().is_dir() {
                    true => walk(&entry.path(), found),
                    false => found.push(entry.path()),
                }
            }
        }
        let (root, mut found) = (self.file(""), Vec::new());
        walk(&root, &mut found);
        let name = |path: &PathBuf| path.strip_prefix(&root).unwrap().display().to_string();
        let mut names: Vec<String> = found.iter().map(name).collect();
        names.sort();
        names
    }
}

fn module(id: u64) -> ModuleVersion {
    ModuleVersion::parse(&format!("example.com/m{id}"), "v1.0.0").unwrap()
}

fn path(id: u64) -> String {
    format!("lookup/example.com/m{id}@v1.0.0")
}

#[track_caller]
fn assert_found(client: &SumDbClient, id: u64) {
    let sums = client
        .lookup(&module(id))
        .unwrap_or_else(|error| panic!("{}", error.chain()));
    let text = testing::text(id, "");
    let want = text.lines().next().unwrap().rsplit(' ').next().unwrap();
    let name = format!("example.com/m{id}");
    assert_eq!(sums.of(&name, "v1.0.0").collect::<Vec<_>>(), [want]);
    assert_eq!(sums.of(&name, "v1.0.0/go.mod").collect::<Vec<_>>(), [want]);
    assert_eq!(sums.of("example.com/m", "v1.0.0").count(), 0);
}

#[track_caller]
fn refused(client: &SumDbClient, id: u64, kind: Kind, text: &str) -> Error {
    let error = client.lookup(&module(id)).expect_err("it was believed");
    assert_eq!(error.kind(), kind, "{}", error.chain());
    assert!(error.chain().contains(text), "{}", error.chain());
    error
}

#[test]
fn what_was_proven_is_kept_and_needs_no_network_again() {
    let place = Place::new(Log::of(1000));
    assert_found(&place.client(), 300);
    let want = [
        "lookup/example.com/m300@v1.0.0",
        "tile/8/0/001",
        "tile/8/0/003.p/232",
        "tile/8/1/000.p/3",
    ];
    assert_eq!(place.files(), want);
    assert_eq!(place.requests(), want);
    assert_eq!(
        place.latest().unwrap(),
        testing::head(Log::of(1000).tree(1000))
    );
    place.down(Some(Kind::Offline));
    assert_found(&place.client(), 300);
    assert_eq!(place.requests(), [""; 0]);
    refused(
        &place.client(),
        301,
        Kind::Offline,
        "reading lookup/example.com/m301@v1.0.0",
    );
    // The head may be lost, the cache proves itself.
    fs::remove_file(place.store().latest_path().unwrap()).unwrap();
    place.requests();
    assert_found(&place.client(), 300);
    assert_eq!(place.requests(), [""; 0]);
    assert!(place.latest().is_some());
}

#[test]
fn a_growing_log_is_followed_and_older_heads_are_welcome() {
    let place = Place::new(Log::of(300));
    assert_found(&place.client(), 5);
    place.serve(Log::of(70_000));
    let client = place.client();
    assert_found(&client, 69_000);
    // From the cache, with the head of then.
    assert_found(&client, 5);
    // A server that is behind.
    place.lie(&path(7), Some(Log::of(70_000).response(7, 400)));
    assert_found(&client, 7);
    let head = testing::head(Log::of(70_000).tree(70_000));
    assert_eq!(place.latest().unwrap(), head);
}

#[test]
fn many_threads_ask_once() {
    let place = Place::new(Log::of(70_000));
    let client = place.client();
    thread::scope(|scope| {
        for thread in 0..32_u64 {
            let client = &client;
            scope.spawn(move || {
                for id in 0..8 {
                    assert_found(client, (thread + id) % 8 * 256);
                }
            });
        }
    });
    let requests = place.requests();
    let distinct: HashSet<_> = requests.iter().collect();
    assert_eq!(distinct.len(), requests.len(), "{requests:?}");
    // 8 lookups, 8 lowest tiles, the one above them, and the three at the edge.
    assert_eq!(requests.len(), 20);
}

#[test]
fn a_fork_is_proven_and_leaves_nothing() {
    let place = Place::new(Log::of(1000));
    assert_found(&place.client(), 300);
    let (files, latest) = (place.files(), place.latest());
    // Larger, smaller, and of the same size; a smaller one cannot serve the tiles of ours.
    for size in [2000, 700, 1000] {
        let fork = Log::forked(size, 500, "forked");
        let response = fork.response(600, size);
        place.serve(if size == 700 { Log::of(1000) } else { fork });
        place.lie(&path(600), Some(response));
        let error = refused(
            &place.client(),
            600,
            Kind::Security,
            "go.sum database server misbehavior detected!\n\nold database:\n\t",
        );
        let text = error.chain();
        let (old, new) = if size == 2000 {
            (1000, 2000)
        } else {
            (size, 1000)
        };
        assert!(
            text.contains(&format!("old database:\n\tgo.sum database tree\n\t{old}\n")),
            "{text}"
        );
        assert!(
            text.contains(&format!("new database:\n\tgo.sum database tree\n\t{new}\n")),
            "{text}"
        );
        let proof = text.split("proof of misbehavior:\n\t").nth(1).unwrap();
        assert!(!proof.contains("incomplete"), "{proof}");
        let parts = consistency_proof(old, new).len();
        assert_eq!(proof.lines().count(), 1 + parts, "{proof}");
        assert_eq!(place.files(), files, "the fork left something");
        assert_eq!(place.latest(), latest);
    }
    // A log that was set back, and says so.
    place.serve(Log::of(200));
    refused(&place.client(), 600, Kind::NotFound, "404");
    // Well again.
    place.serve(Log::of(1100));
    assert_found(&place.client(), 600);
}

#[test]
fn a_cached_response_of_another_fork_is_not_asked_about_again() {
    let place = Place::new(Log::of(1000));
    assert_found(&place.client(), 300);
    let fork = Log::forked(900, 500, "forked").response(600, 900);
    fs::write(place.file(&path(600)), fork).unwrap();
    refused(&place.client(), 600, Kind::Security, "misbehavior detected");
}

#[test]
fn every_altered_byte_of_a_response_is_refused_and_nothing_is_kept() {
    let log = Log::of(300);
    let good = log.response(7, 300);
    let place = Place::new(log);
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        place.lie(&path(7), Some(bad));
        let error = place
            .client()
            .lookup(&module(7))
            .expect_err("it was believed");
        assert_eq!(error.kind(), Kind::Security, "{at}: {}", error.chain());
    }
    // Only the head was good in some of them.
    assert!(
        place
            .files()
            .iter()
            .all(|file| !file.starts_with("lookup/"))
    );
    assert_eq!(place.latest(), None);
}

#[test]
fn responses_that_are_signed_but_wrong_are_refused() {
    let log = Log::of(300);
    let place = Place::new(log.clone());
    let record = |id: u64, text: u64, tree: LogTree| {
        let mut data = format!("{id}\n{}\n", testing::text(text, "")).into_bytes();
        data.extend(testing::head(tree));
        Some(data)
    };
    let rows = [
        (
            record(8, 7, log.tree(300)),
            "cannot authenticate record data in server response",
        ),
        (
            record(7, 7, LogTree::empty()),
            "cannot validate record 7 in tree of size 0",
        ),
        (
            record(300, 7, log.tree(300)),
            "cannot validate record 300 in tree of size 300",
        ),
        (
            record(
                7,
                7,
                LogTree {
                    size: 299,
                    ..log.tree(300)
                },
            ),
            "downloaded inconsistent tile",
        ),
        (
            Some(b"<html>Log in</html>".to_vec()),
            "malformed record data",
        ),
        (
            Some(b"7\nx\n\n<html>\n\n</html>".to_vec()),
            "reading tree note: malformed note",
        ),
        (
            Some([b"7\nx\n\n".as_slice(), &testing::sign("go.sum\n")].concat()),
            "reading tree: malformed tree note",
        ),
    ];
    for (response, want) in rows {
        place.lie(&path(7), response);
        refused(&place.client(), 7, Kind::Security, want);
        assert_eq!(place.latest(), None, "{want}");
        assert!(!place.file(&path(7)).exists(), "{want}");
    }
    place.serve(log);
    assert_found(&place.client(), 7);
}

/// CVE-2026-56864: only the record is authenticated, and what stands before, between and behind in
/// the response says nothing of a module.
#[test]
fn lines_beside_the_authenticated_record_do_not_count() {
    let log = Log::of(300);
    let forged = "example.com/m7 v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    let response = String::from_utf8(log.response(7, 300)).unwrap();
    let (record, head) = response.split_once("\n\n").unwrap();
    let rows = [
        // Into the record, before it and behind it.
        format!("{record}\n{forged}\n{head}"),
        response.replacen("7\n", &format!("7\n{forged}"), 1),
        // A block of its own, before the head and behind its signature.
        format!("{record}\n\n{forged}\n{head}"),
        format!("{record}\n\n{head}\n{forged}"),
        format!("{record}\n\n{head}{forged}"),
        format!("{forged}{record}\n\n{head}"),
    ];
    for response in rows {
        let place = Place::new(log.clone());
        place.lie(&path(7), Some(response.clone().into_bytes()));
        match place.client().lookup(&module(7)) {
            Err(error) => assert_eq!(error.kind(), Kind::Security, "{response}"),
            Ok(sums) => {
                let sums: Vec<&str> = sums.of("example.com/m7", "v1.0.0").collect();
                assert!(!sums.iter().any(|sum| forged.contains(sum)), "{response}");
            }
        }
    }
}

/// CVE-2026-42501: a true record that has no line about the module proves nothing of it, whether it
/// is empty or about another module.
#[test]
fn a_record_without_the_line_proves_nothing() {
    let log = Log::of(300);
    for id in [8, 299] {
        let place = Place::new(log.clone());
        place.lie(&path(7), Some(log.response(id, 300)));
        let sums = place.client().lookup(&module(7)).unwrap();
        for key in ["v1.0.0", "v1.0.0/go.mod"] {
            assert_eq!(sums.of("example.com/m7", key).count(), 0);
        }
    }
    let place = Place::new(log.clone());
    let mut empty = b"7\n\n".to_vec();
    empty.extend(testing::head(log.tree(300)));
    place.lie(&path(7), Some(empty));
    place.client().lookup(&module(7)).unwrap_err();
}

#[test]
fn a_response_about_another_module_is_not_kept() {
    let log = Log::of(300);
    let place = Place::new(log.clone());
    place.lie(&path(7), Some(log.response(8, 300)));
    let sums = place.client().lookup(&module(7)).unwrap();
    assert_eq!(sums.of("example.com/m7", "v1.0.0").count(), 0);
    assert!(!place.file(&path(7)).exists());
    // Go keeps it: it is asked for again.
    fs::create_dir_all(place.file(&path(7)).parent().unwrap()).unwrap();
    fs::write(place.file(&path(7)), log.response(8, 300)).unwrap();
    place.serve(log);
    assert_found(&place.client(), 7);
}

#[test]
fn an_enormous_head_ends_and_is_not_saved() {
    for size in [1 << 62, (1 << 62) + 1, i64::MAX as u64] {
        let log = Log::of(300);
        let place = Place::new(log.clone());
        let mut data = format!("7\n{}\n", testing::text(7, "")).into_bytes();
        data.extend(testing::head(LogTree {
            size,
            ..log.tree(300)
        }));
        place.lie(&path(7), Some(data));
        refused(&place.client(), 7, Kind::Network, "404 Not Found");
        assert_eq!(place.latest(), None);
        place.serve(log);
        assert_found(&place.client(), 7);
    }
}

#[test]
fn every_altered_byte_of_a_tile_is_refused_and_nothing_is_kept() {
    let tile = "tile/8/0/000.p/20";
    let good = {
        let place = Place::new(Log::of(20));
        assert_found(&place.client(), 3);
        fs::read(place.file(tile)).unwrap()
    };
    assert_eq!(good.len(), 20 * 32);
    for at in 0..good.len() {
        let mut altered = good.clone();
        altered[at] ^= 1;
        let place = Place::new(Log::of(20));
        place.lie(tile, Some(altered));
        let want = "downloaded inconsistent tile";
        refused(&place.client(), 3, Kind::Security, want);
        assert_eq!((place.files(), place.latest()), (Vec::new(), None), "{at}");
    }
}

#[test]
fn tiles_that_are_altered_cut_or_missing_are_refused() {
    let tile = "tile/8/0/001";
    let good = {
        let place = Place::new(Log::of(1000));
        assert_found(&place.client(), 300);
        fs::read(place.file(tile)).unwrap()
    };
    let mut altered = good.clone();
    altered[100] ^= 4;
    let rows = [
        (
            Some(altered),
            Kind::Security,
            "downloaded inconsistent tile",
        ),
        (
            Some(good[..100].to_vec()),
            Kind::Security,
            "downloaded tile of wrong length",
        ),
        (
            Some(Vec::new()),
            Kind::Security,
            "downloaded tile of wrong length",
        ),
        (None, Kind::Network, "reading tile/8/0/001: 404 Not Found"),
    ];
    for (data, kind, want) in rows {
        let place = Place::new(Log::of(1000));
        place.lie(tile, data);
        refused(&place.client(), 300, kind, want);
        assert_eq!((place.files(), place.latest()), (Vec::new(), None));
    }
}

#[test]
fn a_full_tile_stands_for_its_beginning() {
    let place = Place::new(Log::of(1024));
    place.lie(&path(7), Some(Log::of(1024).response(7, 1000)));
    place.lie("tile/8/0/003.p/232", None);
    assert_found(&place.client(), 7);
    assert!(place.requests().contains(&"tile/8/0/003".to_owned()));
    // In the cache as well.
    fs::remove_file(place.file("tile/8/0/003.p/232")).unwrap();
    let full = Log::of(1024);
    let plan = TilePlan::new(
        full.tree(1024),
        &[LogSubtree {
            level: 0,
            number: 1000,
        }],
    )
    .unwrap();
    let at = plan
        .tiles()
        .iter()
        .position(|tile| tile.path() == "tile/8/0/003")
        .unwrap();
    fs::write(place.file("tile/8/0/003"), &full.tiles(&plan)[at]).unwrap();
    place.down(Some(Kind::Offline));
    assert_found(&place.client(), 7);
}

#[test]
fn what_is_wrong_in_the_cache_is_fetched_again() {
    let place = Place::new(Log::of(1000));
    assert_found(&place.client(), 300);
    let files = place.files();
    for file in &files {
        let file = place.file(file);
        let good = fs::read(&file).unwrap();
        let mut altered = good.clone();
        altered[10] ^= 1;
        for bad in [altered, good[..20].to_vec(), Vec::new()] {
            fs::write(&file, &bad).unwrap();
            place.down(Some(Kind::Offline));
            let error = place
                .client()
                .lookup(&module(300))
                .expect_err("it was believed");
            let whole = bad.len() == good.len()
                || file.starts_with(place.file("lookup")) && !bad.is_empty();
            let want = if whole { Kind::Security } else { Kind::Offline };
            assert_eq!(error.kind(), want, "{}: {}", file.display(), error.chain());
            place.down(None);
            assert_found(&place.client(), 300);
            assert_eq!(fs::read(&file).unwrap(), good, "{}", file.display());
        }
    }
}

#[test]
fn heads_that_others_saved_are_taken_over() {
    let log = Log::of(1000);
    let place = Place::new(log.clone());
    place.lie(&path(7), Some(log.response(7, 300)));
    let client = place.client();
    assert_found(&client, 7);
    // A newer one, then an older one, by another process.
    for size in [900, 350] {
        let head = testing::head(log.tree(size));
        fs::write(place.store().latest_path().unwrap(), &head).unwrap();
        place.lie(&path(8), Some(log.response(8, 600)));
        place.lie(&path(9), Some(log.response(9, 1000)));
        assert_found(&client, if size == 900 { 8 } else { 9 });
    }
    assert_eq!(place.latest().unwrap(), testing::head(log.tree(1000)));
    // And one of another log, which is proven.
    let fork = testing::head(Log::forked(950, 500, "forked").tree(950));
    fs::write(place.store().latest_path().unwrap(), &fork).unwrap();
    refused(&place.client(), 20, Kind::Security, "misbehavior detected");
    assert_eq!(place.latest().unwrap(), fork);
}

#[test]
fn a_damaged_newest_head_is_named() {
    let place = Place::new(Log::of(300));
    assert_found(&place.client(), 7);
    let file = place.store().latest_path().unwrap().to_owned();
    fs::write(&file, "go.sum database tree\n3").unwrap();
    let error = refused(
        &place.client(),
        7,
        Kind::Security,
        "reading tree note: malformed note",
    );
    assert!(error.hints()[0].contains(&file.display().to_string()));
    fs::write(&file, "").unwrap();
    assert_found(&place.client(), 7);
}

#[test]
fn failures_keep_their_kind_and_are_not_tried_again() {
    let place = Place::new(Log::of(300));
    let client = place.client();
    let error = refused(
        &client,
        400,
        Kind::NotFound,
        "reading lookup/example.com/m400@v1.0.0: 404 Not Found",
    );
    assert!(error.hints()[0].contains("GOPRIVATE=example.com/m400"));
    refused(&client, 400, Kind::NotFound, "404");
    assert_eq!(place.requests().len(), 1);
    for kind in [Kind::Network, Kind::Auth, Kind::Offline] {
        place.down(Some(kind));
        refused(&place.client(), 7, kind, "scripted");
    }
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn a_cache_that_cannot_be_written_is_no_failure() {
    let place = Place::new(Log::of(1000));
    // A file where the folder should be.
    fs::create_dir_all(place.dir.path().join("mod")).unwrap();
    fs::write(place.dir.path().join("mod/cache"), "").unwrap();
    let client = place.client();
    assert_found(&client, 300);
    assert_found(&client, 301);
    assert_eq!(place.requests().len(), 5, "tiles were fetched again");
    assert!(place.latest().is_some());
}
