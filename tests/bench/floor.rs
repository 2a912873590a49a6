//! The least that any program must do: fetch wide, inflate each entry once, hash, write; or, for `verify`,
//! inflate and hash each entry once, compare the file with it, and look for files that are too many.
//!
//! The parts are the fastest that modfetch may use (zlib-rs on whole entries, SHA-256 by the processor's
//! instructions, names below an open directory, one write and one read a file), zips are held in
//! memory whole, and there are no rules, no checksums of entries, no locks, no atomic writes, no sums to
//! compare with, no modes: not a program to use, but the time below which no program that does the
//! same work can come, give or take scheduling.

use std::collections::HashSet;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use flate2::{Decompress, FlushDecompress, Status};
use rustix::fs::{Dir, FileType, Mode, OFlags, mkdirat, open, openat};
use sha2::{Digest as _, Sha256};

/// As many transfers at once as the program under test has by default.
const TRANSFERS: usize = 64;

/// The floor's process: `floor URL PROJECT CACHE`.
pub fn floor(arguments: &[String]) -> ExitCode {
    let [url, project, cache] = arguments else {
        return ExitCode::from(2);
    };
    match fill(url, Path::new(project), Path::new(cache)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The floor's process for `verify`: `floor-verify PROJECT CACHE`.
pub fn floor_verify(arguments: &[String]) -> ExitCode {
    let [project, cache] = arguments else {
        return ExitCode::from(2);
    };
    match hash_all(Path::new(project), Path::new(cache)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor-verify: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Path and version of what go.mod requires.
fn requirements(go_mod: &str) -> Vec<(&str, &str)> {
    let lines = go_mod.lines();
    lines
        .filter_map(|line| line.strip_prefix('\t')?.split_once(' '))
        .collect()
}

/// Inflates and hashes the entries of all zips and compares the files of all directories with them, on all
/// cores.
fn hash_all(project: &Path, cache: &Path) -> io::Result<()> {
    let go_mod = fs::read_to_string(project.join("go.mod"))?;
    let modules = requirements(&go_mod);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut scratch = Scratch::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((path, version)) = modules.get(number) else {
                return Ok::<(), io::Error>(());
            };
            let zip = fs::read(cache.join(format!("cache/download/{path}/@v/{version}.zip")))?;
            let module = format!("{path}@{version}");
            let root = open(cache.join(&module), DIRECTORY, Mode::empty())?;
            compare(&zip, &module, &root, &mut scratch)?;
        }
    };
    let cores = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker
                .join()
                .map_err(|_| io::Error::other("a thread panicked"))??;
        }
        Ok(())
    })
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

/// Compares a directory with a zip.
fn compare(zip: &[u8], module: &str, root: &OwnedFd, scratch: &mut Scratch) -> io::Result<()> {
    let mut directories = HashSet::from(["."]);
    let mut files = 0;
    for entry in entries(zip)? {
        let name = below(entry.name, module)?;
        let mut parent = name;
        while let Some((above, _)) = parent.rsplit_once('/')
            && directories.insert(above)
        {
            parent = above;
        }
        let text = scratch.unpack(&entry)?;
        std::hint::black_box(Sha256::digest(text));
        let file = openat(root, name, OFlags::RDONLY, Mode::empty())?;
        let own = &mut scratch.own[..entry.unpacked + 1];
        let read = rustix::io::read(&file, &mut *own)?;
        if own[..read] != scratch.text[..entry.unpacked] {
            return Err(io::Error::other(format!("{name} differs")));
        }
        files += 1;
    }
    let mut found = 0;
    for directory in directories {
        let mut directory = Dir::new(openat(root, directory, DIRECTORY, Mode::empty())?)?;
        while let Some(entry) = directory.read() {
            found += usize::from(entry?.file_type() == FileType::RegularFile);
        }
    }
    match found == files {
        true => Ok(()),
        false => Err(io::Error::other(format!("{module}: {found} files"))),
    }
}

/// A file of a module zip that has no comment and no large numbers.
struct Entry<'a> {
    name: &'a str,
    data: &'a [u8],
    deflated: bool,
    unpacked: usize,
}

fn entries(zip: &[u8]) -> io::Result<Vec<Entry<'_>>> {
    let read = || {
        let number = |at: usize, bytes: usize| -> Option<usize> {
            let bytes = zip.get(at..at + bytes)?.iter().rev();
            Some(bytes.fold(0, |sum, &byte| sum << 8 | usize::from(byte)))
        };
        let end = zip.len().checked_sub(22)?;
        let (count, mut at) = (number(end + 10, 2)?, number(end + 16, 4)?);
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            let name = number(at + 28, 2)?;
            let local = number(at + 42, 4)?;
            let data = local + 30 + number(local + 26, 2)? + number(local + 28, 2)?;
            entries.push(Entry {
                name: str::from_utf8(zip.get(at + 46..at + 46 + name)?).ok()?,
                data: zip.get(data..data + number(at + 20, 4)?)?,
                deflated: number(at + 10, 2)? == 8,
                unpacked: number(at + 24, 4)?,
            });
            at += 46 + name + number(at + 30, 2)? + number(at + 32, 2)?;
        }
        Some(entries)
    };
    read().ok_or_else(|| io::Error::other("a zip that the floor does not read"))
}

fn below<'a>(name: &'a str, module: &str) -> io::Result<&'a str> {
    let below = name
        .strip_prefix(module)
        .and_then(|name| name.strip_prefix('/'));
    below.ok_or_else(|| io::Error::other("a name of another module"))
}

/// What a thread keeps.
struct Scratch {
    state: Decompress,
    text: Vec<u8>,
    own: Vec<u8>,
}

impl Scratch {
    fn new() -> Scratch {
        Scratch {
            state: Decompress::new(false),
            text: Vec::new(),
            own: Vec::new(),
        }
    }

    /// The content of an entry. There is room for one byte more in both buffers.
    fn unpack(&mut self, entry: &Entry<'_>) -> io::Result<&[u8]> {
        if self.text.len() <= entry.unpacked {
            self.text.resize(entry.unpacked + 1, 0);
            self.own.resize(entry.unpacked + 1, 0);
        }
        let text = &mut self.text[..entry.unpacked];
        if entry.deflated {
            self.state.reset(false);
            let inflated = self
                .state
                .decompress(entry.data, text, FlushDecompress::Finish);
            if inflated.map_err(io::Error::other)? != Status::StreamEnd {
                return Err(io::Error::other("an entry has not ended"));
            }
        } else {
            text.copy_from_slice(entry.data);
        }
        Ok(text)
    }
}

fn fill(url: &str, project: &Path, cache: &Path) -> io::Result<()> {
    let address = url.trim_start_matches("http://");
    let go_mod = fs::read_to_string(project.join("go.mod"))?;
    let modules = requirements(&go_mod);
    // Zips first, because only they make work after their transfer.
    let urls: Vec<String> = ["zip", "mod", "info"]
        .iter()
        .flat_map(|suffix| {
            modules
                .iter()
                .map(move |(path, version)| format!("{path}/@v/{version}.{suffix}"))
        })
        .collect();
    let next = AtomicUsize::new(0);
    let cores = thread::available_parallelism().map_or(2, usize::from);
    let (sender, receiver) = mpsc::sync_channel::<(PathBuf, Vec<u8>)>(cores);
    let receiver = Mutex::new(receiver);
    thread::scope(|scope| {
        let fetchers: Vec<_> = (0..TRANSFERS)
            .map(|_| {
                let (sender, urls, next) = (sender.clone(), &urls, &next);
                scope.spawn(move || fetch(address, urls, next, cache, &sender))
            })
            .collect();
        drop(sender);
        let workers: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn(|| {
                    let mut scratch = Scratch::new();
                    loop {
                        let taken = receiver
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .recv();
                        let Ok((_, data)) = taken else { return Ok(()) };
                        unpack(&data, cache, &mut scratch)?;
                    }
                })
            })
            .collect();
        for thread in fetchers.into_iter().chain(workers) {
            thread
                .join()
                .map_err(|_| io::Error::other("a thread panicked"))??;
        }
        Ok(())
    })
}

fn fetch(
    address: &str,
    urls: &[String],
    next: &AtomicUsize,
    cache: &Path,
    sender: &mpsc::SyncSender<(PathBuf, Vec<u8>)>,
) -> io::Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(address)?);
    while let Some(url) = urls.get(next.fetch_add(1, Ordering::Relaxed)) {
        write!(
            stream.get_mut(),
            "GET /{url} HTTP/1.1\r\nHost: {address}\r\n\r\n"
        )?;
        let mut length = 0;
        for line in stream.by_ref().lines() {
            let line = line?;
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.parse().map_err(io::Error::other)?;
            }
        }
        let mut data = vec![0; length];
        stream.read_exact(&mut data)?;
        let file = cache.join("cache/download").join(url);
        fs::create_dir_all(file.parent().unwrap_or(cache))?;
        fs::write(&file, &data)?;
        if url.ends_with(".zip") {
            // Refused only if the workers failed, which is told elsewhere.
            let _ = sender.send((file, data));
        }
    }
    Ok(())
}

fn unpack(zip: &[u8], cache: &Path, scratch: &mut Scratch) -> io::Result<()> {
    let entries = entries(zip)?;
    let module = entries.first().and_then(|entry| {
        let version = entry.name.find('@')?;
        let end = version + entry.name.get(version..)?.find('/')?;
        entry.name.get(..end)
    });
    let module = module.ok_or_else(|| io::Error::other("a zip without a module"))?;
    fs::create_dir_all(cache.join(module))?;
    let root = open(cache.join(module), DIRECTORY, Mode::empty())?;
    let mut made = HashSet::new();
    for entry in &entries {
        let name = below(entry.name, module)?;
        make_parents(&root, name, &mut made)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let file = openat(&root, name, flags, Mode::from_raw_mode(0o444))?;
        let text = scratch.unpack(entry)?;
        std::hint::black_box(Sha256::digest(text));
        fs::File::from(file).write_all(text)?;
    }
    Ok(())
}

fn make_parents<'a>(root: &OwnedFd, name: &'a str, made: &mut HashSet<&'a str>) -> io::Result<()> {
    let Some((parent, _)) = name.rsplit_once('/') else {
        return Ok(());
    };
    if made.insert(parent) {
        make_parents(root, parent, made)?;
        mkdirat(root, parent, Mode::from_raw_mode(0o777))?;
    }
    Ok(())
}
