use crate::system::FileAt as _;
use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use super::*;
use crate::cache::Cache;
use crate::cancel::{CancelToken, Cancelled};
use crate::error::Kind;
use crate::event::{Event, EventSink};
use crate::fetch::{Engine, EngineParts, RunOptions};
use crate::gomod::PrefixPatterns;
use crate::http::{BodySink, Fetched, RequestContext};
use crate::source::Source;
use crate::trust::{Database, SumPolicy, SumSettings};

const GO_MOD: &[u8] = b"module a.com/a\n";
const INFO: &[u8] = br#"{"Version":"v1.0.0","Time":"2024-01-01T00:00:00Z"}"#;

/// A zip of one stored file, as short as PKZIP's APPNOTE allows.
fn zip_of(name: &str, content: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(content);
    let size = u32::try_from(content.len()).unwrap();
    let name_length = u16::try_from(name.len()).unwrap();
    let mut common = Vec::new();
    for half in [20u16, 0, 0, 0, 0x21] {
        common.extend(half.to_le_bytes());
    }
    for word in [crc.sum(), size, size] {
        common.extend(word.to_le_bytes());
    }
    common.extend(name_length.to_le_bytes());
    common.extend(0u16.to_le_bytes());
    let mut zip = [b"PK\x03\x04".as_slice(), &common, name.as_bytes(), content].concat();
    let start = u32::try_from(zip.len()).unwrap();
    zip.extend(
        [
            b"PK\x01\x02\x14\x00".as_slice(),
            &common,
            &[0; 14],
            name.as_bytes(),
        ]
        .concat(),
    );
    let length = u32::try_from(zip.len()).unwrap() - start;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(length.to_le_bytes());
    zip.extend(start.to_le_bytes());
    zip.extend([0, 0]);
    zip
}

/// A source in memory that counts what it is asked for, and can be held up.
struct Counting {
    zip: Vec<u8>,
    /// What comes the first time in the place of the zip.
    wrong: Mutex<Option<Vec<u8>>>,
    asked: AtomicUsize,
    /// Whoever asks waits here, twice.
    gate: Option<Barrier>,
}

struct Bound(Arc<Counting>, RequestContext);

impl Bound {
    fn ask(&self) -> Result<()> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &self.0.gate {
            gate.wait();
            gate.wait();
        }
        self.1.cancel.check(&"a.com/a@v1.0.0")
    }
}

impl Source for Bound {
    fn bind(&self, context: &RequestContext) -> Arc<dyn Source> {
        Arc::new(Bound(Arc::clone(&self.0), context.clone()))
    }

    fn versions(&self, _: &ModulePath) -> Result<Vec<String>> {
        self.ask()?;
        Ok(vec!["v1.0.0".to_owned()])
    }

    fn latest(&self, path: &ModulePath) -> Result<Fetched<Info>> {
        self.info(path, "v1.0.0")
    }

    fn info(&self, _: &ModulePath, _: &str) -> Result<Fetched<Info>> {
        self.ask()?;
        let info = Info::parse(INFO).unwrap();
        Ok(Fetched::of_bytes(INFO.len() as u64).map(|()| info))
    }

    fn gomod(&self, _: &ModuleVersion) -> Result<Fetched<Vec<u8>>> {
        self.ask()?;
        Ok(Fetched::of_bytes(GO_MOD.len() as u64).map(|()| GO_MOD.to_vec()))
    }

    fn zip(&self, _: &ModuleVersion, sink: &mut dyn BodySink) -> Result<Fetched<()>> {
        self.ask()?;
        let failed = |cause| Error::new(Kind::LocalIo, "sink").because(cause);
        let wrong = self.0.wrong.lock().unwrap().take();
        let zip = wrong.as_ref().unwrap_or(&self.0.zip);
        sink.expect(zip.len() as u64);
        sink.restart(None).map_err(failed)?;
        for part in zip.chunks(50) {
            sink.write_all(part).map_err(failed)?;
        }
        Ok(Fetched::of_bytes(zip.len() as u64))
    }

    fn past_caches(&self, _: &ModulePath) -> Option<Arc<dyn Source>> {
        Some(Arc::new(Bound(Arc::clone(&self.0), self.1.clone())))
    }
}

struct TestEngine {
    source: Arc<Counting>,
    engine: Arc<Engine>,
    dir: Arc<tempfile::TempDir>,
}

fn engine_over(zip: Vec<u8>, gate: Option<Barrier>) -> TestEngine {
    engine_in(Arc::new(tempfile::tempdir().unwrap()), zip, gate)
}

fn engine_in(dir: Arc<tempfile::TempDir>, zip: Vec<u8>, gate: Option<Barrier>) -> TestEngine {
    let source = Arc::new(Counting {
        zip,
        wrong: Mutex::default(),
        asked: AtomicUsize::new(0),
        gate,
    });
    let context = RequestContext::new(Arc::new(crate::event::NoEvents));
    let engine = Engine::new(EngineParts {
        cache: Cache::at(dir.path()).unwrap(),
        source: Arc::new(Bound(Arc::clone(&source), context)),
        read_only: Vec::new(),
        jobs: 4,
        writable: true,
    });
    TestEngine {
        source,
        engine,
        dir,
    }
}

impl TestEngine {
    fn run(&self, cancel: Option<CancelToken>) -> Run {
        self.run_telling(cancel, Arc::new(crate::event::NoEvents))
    }

    fn run_telling(&self, cancel: Option<CancelToken>, events: Arc<dyn EventSink>) -> Run {
        let sums = SumPolicy::without_file(SumSettings {
            accepted: Vec::new(),
            database: Database::Off,
            exempt: PrefixPatterns::default(),
            locked: false,
        });
        Run::new(
            &self.engine,
            RunOptions {
                cancel,
                events,
                ..RunOptions::new(Arc::new(sums))
            },
        )
    }

    fn asked(&self) -> usize {
        self.source.asked.load(Ordering::SeqCst)
    }
}

fn module() -> ModuleVersion {
    ModuleVersion::parse("a.com/a", "v1.0.0").unwrap()
}

fn good_zip() -> Vec<u8> {
    zip_of("a.com/a@v1.0.0/go.mod", GO_MOD)
}

/// What a tap has seen.
#[derive(Default)]
struct Seen {
    file: Option<File>,
    length: Option<u64>,
    arrived: Vec<u64>,
    proven: Vec<u64>,
}

#[derive(Default)]
struct Tap(Mutex<Seen>);

impl ZipTap for Tap {
    fn begin(&self, partial: File, length: Option<u64>) {
        let mut seen = self.0.lock().unwrap();
        (seen.file, seen.length) = (Some(partial), length);
    }

    fn arrived(&self, bytes: u64) {
        self.0.lock().unwrap().arrived.push(bytes);
    }

    fn proven(&self, bytes: u64) {
        self.0.lock().unwrap().proven.push(bytes);
    }
}

/// Another process, which puts the zip into the cache as soon as this one has found its own wrong.
struct Rival(TestEngine);

impl EventSink for Rival {
    fn event(&self, event: &Event<'_>) {
        if let Event::ModuleRefetched { .. } = event {
            self.0.run(None).zip(&module(), None).unwrap();
        }
    }
}

#[test]
fn single_files_are_fetched_kept_and_then_not_asked_for() {
    let engine = engine_over(good_zip(), None);
    let run = engine.run(None);
    assert!(run.cached(&module(), Want::Zip).unwrap().is_none());
    let zip = run.zip(&module(), None).unwrap();
    assert_eq!(
        (zip.from, zip.bytes),
        (FileOrigin::Source, good_zip().len() as u64)
    );
    assert_eq!(fs::read(&zip.path).unwrap(), good_zip());
    // Nothing but what was asked for.
    assert_eq!(engine.asked(), 1);
    assert!(run.cached(&module(), Want::Extracted).unwrap().is_none());
    let go_mod = run.go_mod(&module()).unwrap();
    assert_eq!(go_mod.h1, Some(H1::of_go_mod(GO_MOD)));
    let info = run.info(&module()).unwrap();
    assert_eq!(
        (info.info.version.as_str(), info.file.from),
        ("v1.0.0", FileOrigin::Source)
    );
    assert_eq!(engine.asked(), 3);
    let later = engine.run(None);
    for want in [Want::Info, Want::GoMod, Want::Zip] {
        assert!(later.cached(&module(), want).unwrap().is_some(), "{want:?}");
    }
    assert_eq!(later.zip(&module(), None).unwrap().from, FileOrigin::Cache);
    assert_eq!(later.go_mod(&module()).unwrap().from, FileOrigin::Cache);
    assert_eq!(later.info(&module()).unwrap().file.from, FileOrigin::Cache);
    assert_eq!(engine.asked(), 3);
    assert_eq!(later.versions(module().path()).unwrap(), ["v1.0.0"]);
}

#[test]
fn a_tap_sees_the_bytes_as_they_arrive() {
    let engine = engine_over(good_zip(), None);
    let tap = Tap::default();
    engine.run(None).zip(&module(), Some(&tap)).unwrap();
    let seen = tap.0.lock().unwrap();
    let (file, length, arrived) = (&seen.file, seen.length, &seen.arrived);
    let whole = good_zip().len() as u64;
    assert_eq!(seen.proven, [whole]);
    assert_eq!(length, Some(whole));
    assert!(
        arrived.is_sorted() && arrived[0] == 0 && arrived.len() > 3,
        "{arrived:?}"
    );
    assert_eq!(arrived.last(), Some(&whole));
    let mut file = file.as_ref().unwrap();
    let mut middle = [0; 4];
    file.read_exact_at(&mut middle, 0).unwrap();
    assert_eq!(&middle, b"PK\x03\x04");
    let mut all = Vec::new();
    file.read_to_end(&mut all).unwrap();
    assert_eq!(all, good_zip(), "the file outlives its rename");
}

#[test]
fn a_zip_that_is_wrong_is_not_kept() {
    let engine = engine_over(spoilt_zip(), None);
    let error = engine.run(None).zip(&module(), None).unwrap_err();
    assert_eq!(error.kind(), Kind::Security, "{error:?}");
    assert!(
        engine
            .run(None)
            .cached(&module(), Want::Zip)
            .unwrap()
            .is_none()
    );
}

fn spoilt_zip() -> Vec<u8> {
    let mut zip = good_zip();
    let last = zip.len() - 60;
    zip[last] ^= 1;
    zip
}

#[test]
fn a_tap_is_told_of_a_proof_of_the_second_transfer_only() {
    let engine = engine_over(good_zip(), None);
    *engine.source.wrong.lock().unwrap() = Some(spoilt_zip());
    let tap = Tap::default();
    let zip = engine.run(None).zip(&module(), Some(&tap)).unwrap();
    assert_eq!((zip.from, engine.asked()), (FileOrigin::Source, 2));
    assert_eq!(tap.0.lock().unwrap().proven, [zip.bytes]);
}

#[test]
fn a_tap_that_saw_wrong_bytes_is_told_of_no_proof_by_another_process() {
    let engine = engine_over(good_zip(), None);
    *engine.source.wrong.lock().unwrap() = Some(spoilt_zip());
    let rival = Rival(engine_in(Arc::clone(&engine.dir), good_zip(), None));
    let tap = Tap::default();
    let run = engine.run_telling(None, Arc::new(rival));
    let zip = run.zip(&module(), Some(&tap)).unwrap();
    // The file is right, and what the tap saw is not.
    assert_eq!((zip.from, engine.asked()), (FileOrigin::Cache, 1));
    assert_eq!(fs::read(&zip.path).unwrap(), good_zip());
    assert!(tap.0.lock().unwrap().proven.is_empty());
}

#[test]
fn runs_that_want_one_file_at_a_time_share_a_request() {
    let engine = engine_over(good_zip(), Some(Barrier::new(2)));
    let gate = engine.source.gate.as_ref().unwrap();
    thread::scope(|scope| {
        let runs = [(); 8].map(|()| {
            scope.spawn(|| {
                engine
                    .run(Some(CancelToken::new()))
                    .go_mod(&module())
                    .map(drop)
            })
        });
        gate.wait();
        gate.wait();
        for run in runs {
            run.join().unwrap().unwrap();
        }
    });
    assert_eq!(engine.asked(), 1);
}

#[test]
fn a_run_that_is_cancelled_leaves_the_file_to_another() {
    let engine = engine_over(good_zip(), Some(Barrier::new(2)));
    let gate = engine.source.gate.as_ref().unwrap();
    let cancel = CancelToken::new();
    let run = engine.run(Some(cancel.clone()));
    thread::scope(|scope| {
        let first = scope.spawn(|| run.go_mod(&module()));
        gate.wait();
        cancel.cancel();
        // It waits for the first one's request, or comes too late for that.
        let second = scope.spawn(|| engine.run(Some(CancelToken::new())).go_mod(&module()));
        gate.wait();
        assert!(Cancelled::caused(&first.join().unwrap().unwrap_err()));
        gate.wait();
        gate.wait();
        second.join().unwrap().unwrap();
    });
    assert_eq!(engine.asked(), 2);
}
