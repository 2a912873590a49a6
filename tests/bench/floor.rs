//! What the machine allows: fetch wide, inflate once, hash, write, and nothing else; or, for
//! `verify`, read and hash everything once.
//!
//! No checks, no locks, no atomic writes, no modes: not a program to use, but the time below
//! which no program that does the same work can come, give or take scheduling.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Cursor, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

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

/// Hashes the files of all zips and all directories, each once, on all cores.
fn hash_all(project: &Path, cache: &Path) -> io::Result<()> {
    let go_mod = fs::read_to_string(project.join("go.mod"))?;
    let modules = requirements(&go_mod);
    // The first module is by far the largest, so that the last ones fill the gaps.
    let next = AtomicUsize::new(0);
    let work = || {
        let mut text = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((path, version)) = modules.get(number / 2) else {
                return Ok::<(), io::Error>(());
            };
            if number.is_multiple_of(2) {
                let zip = cache.join(format!("cache/download/{path}/@v/{version}.zip"));
                let mut archive =
                    ZipArchive::new(fs::File::open(zip)?).map_err(io::Error::other)?;
                for number in 0..archive.len() {
                    let mut entry = archive.by_index(number).map_err(io::Error::other)?;
                    text.clear();
                    entry.read_to_end(&mut text)?;
                    std::hint::black_box(Sha256::digest(&text));
                }
            } else {
                hash_tree(&cache.join(format!("{path}@{version}")), &mut text)?;
            }
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

fn hash_tree(folder: &Path, text: &mut Vec<u8>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            hash_tree(&entry.path(), text)?;
        } else {
            text.clear();
            fs::File::open(entry.path())?.read_to_end(text)?;
            std::hint::black_box(Sha256::digest(&*text));
        }
    }
    Ok(())
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
                    loop {
                        let taken = receiver
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .recv();
                        let Ok((_, data)) = taken else { return Ok(()) };
                        unpack(data, cache)?;
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

fn unpack(data: Vec<u8>, cache: &Path) -> io::Result<()> {
    let mut archive = ZipArchive::new(Cursor::new(data)).map_err(io::Error::other)?;
    let mut text = Vec::new();
    let mut made = PathBuf::new();
    for number in 0..archive.len() {
        let mut entry = archive.by_index(number).map_err(io::Error::other)?;
        text.clear();
        entry.read_to_end(&mut text)?;
        std::hint::black_box(Sha256::digest(&text));
        let name = entry
            .name()
            .map_err(|_| io::Error::other("a name that is no text"))?;
        let file = cache.join(&*name);
        let folder = file.parent().unwrap_or(cache);
        if folder != made {
            fs::create_dir_all(folder)?;
            folder.clone_into(&mut made);
        }
        fs::write(&file, &text)?;
    }
    Ok(())
}
