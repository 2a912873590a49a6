//! The static binary needs nothing beside itself: no library, no file, no folder.
//!
//! `MODFETCH_STATIC` names it (`make static` builds it, `.ci/run` sets the variable). Without the
//! variable these tests say that they were skipped.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nix::unistd::geteuid;

use crate::support::fixtures::{Fixtures, Module};
use crate::support::go::variable;
use crate::support::long_log::LongLog;
use crate::support::sandbox::change_modes;
use crate::support::skips;
use crate::support::tree::Picture;
use crate::support::{Proxy, Sandbox, require_go, sums};

/// The design aims at 8 MB with every part in the program. This is 9 MiB.
const MAX_BYTES: u64 = 9 << 20;

fn binary() -> Option<PathBuf> {
    let path = variable("MODFETCH_STATIC").map(PathBuf::from);
    if path.is_none() {
        skips::record("MODFETCH_STATIC names no static binary");
    }
    path
}

// ---- the file

/// Program header types of an ELF file.
#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Load,
    Dynamic,
    Interpreter,
    Other,
}

/// What the headers of a 64-bit little-endian ELF file say. Layout: elf(5).
struct Elf {
    segments: Vec<Segment>,
    /// Tags of the dynamic section.
    dynamic: Vec<u64>,
}

fn number(data: &[u8], at: usize, bytes: usize) -> usize {
    let slice = data.get(at..at + bytes).expect("the header is whole");
    let value = slice
        .iter()
        .rev()
        .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    usize::try_from(value).expect("offsets fit")
}

fn elf(data: &[u8]) -> Elf {
    assert_eq!(data.get(..6), Some(&b"\x7fELF\x02\x01"[..]), "not ELF64 LE");
    let (table, size, count) = (
        number(data, 32, 8),
        number(data, 54, 2),
        number(data, 56, 2),
    );
    let mut dynamic = Vec::new();
    let segments = (0..count)
        .map(|index| table + index * size)
        .map(|at| match number(data, at, 4) {
            1 => Segment::Load,
            2 => {
                let (start, length) = (number(data, at + 8, 8), number(data, at + 32, 8));
                let tags = (start..start + length).step_by(16);
                dynamic.extend(tags.map(|tag| number(data, tag, 8) as u64));
                Segment::Dynamic
            }
            3 => Segment::Interpreter,
            _ => Segment::Other,
        })
        .collect();
    Elf { segments, dynamic }
}

#[test]
fn static_binary_has_no_interpreter_and_no_library() {
    let Some(path) = binary() else { return };
    let data = fs::read(&path).expect("MODFETCH_STATIC names a file");
    let elf = elf(&data);
    assert!(elf.segments.contains(&Segment::Load));
    assert!(!elf.segments.contains(&Segment::Interpreter));
    // A position independent one relocates itself by a dynamic section; 1 is DT_NEEDED.
    assert!(!elf.dynamic.contains(&1), "it needs a library");
    let size = data.len() as u64;
    assert!(size < MAX_BYTES, "{size} bytes, {MAX_BYTES} allowed");
}

/// The proof that the check can fail: the ordinary build is dynamic.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
fn ordinary_binary_is_recognized_as_dynamic() {
    let data = fs::read(env!("CARGO_BIN_EXE_modfetch")).expect("it was built");
    let elf = elf(&data);
    assert!(elf.segments.contains(&Segment::Interpreter));
    assert!(elf.dynamic.contains(&1));
}

// ---- in an empty root

/// A root folder with the binary, a project, and nothing else: no library, no /etc, no /tmp.
struct EmptyRoot {
    folder: tempfile::TempDir,
    /// The command that enters it, which wants the folder next.
    enter: Vec<String>,
}

impl EmptyRoot {
    /// Makes one; `None`, visibly, where chroot is not permitted.
    ///
    /// # Panics
    /// If it is not permitted although this is CI and the user is root.
    fn new(binary: &Path) -> Option<EmptyRoot> {
        let folder = tempfile::Builder::new()
            .prefix("modfetch-root-")
            .tempdir()
            .expect("temporary folders can be made");
        let program = folder.path().join("modfetch");
        fs::copy(binary, &program).expect("the binary can be copied");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o555)).expect("it is ours");
        let project = folder.path().join("src");
        fs::create_dir(&project).expect("the folder is new");
        let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/projects/hello");
        for name in ["go.mod", "go.sum"] {
            fs::copy(hello.join(name), project.join(name)).expect("test data is readable");
        }
        let mut root = EmptyRoot {
            folder,
            enter: Vec::new(),
        };
        for way in [&["chroot"][..], &["unshare", "-r", "chroot"]] {
            // By full path: inside there is no PATH.
            let words = way.iter().map(|&word| match word.strip_prefix('-') {
                Some(_) => Some(word.to_owned()),
                None => full_path(word),
            });
            if let Some(enter) = words.collect::<Option<Vec<String>>>() {
                root.enter = enter;
                if root.run(&["version"], &[]).status.success() {
                    return Some(root);
                }
            }
        }
        let must = geteuid().is_root() && variable("CI").as_deref() == Some("true");
        assert!(!must, "chroot does not work, although this is root in CI");
        skips::record("chroot is not permitted");
        None
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the binary in it, with this environment and nothing more.
    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        self.run_program("/modfetch", arguments, environment)
    }

    /// Runs a program that is in it.
    fn run_program(
        &self,
        program_inside: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Output {
        let (program, rest) = self.enter.split_first().expect("there is a way in");
        Command::new(program)
            .args(rest)
            .arg(self.folder.path())
            .arg(program_inside)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied())
            .output()
            .expect("the way in was found")
    }

    fn cache(&self) -> Picture {
        Picture::of(&self.path("mod"))
            .without_locks()
            .without_own_state()
    }

    /// What stands in the root itself.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("it is ours");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("it is ours").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for EmptyRoot {
    fn drop(&mut self) {
        change_modes(self.folder.path(), &|mode| mode | 0o700);
    }
}

/// Where a command of the system is.
fn full_path(name: &str) -> Option<String> {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .iter()
        .map(|folder| format!("{folder}/{name}"))
        .find(|path| Path::new(path).is_file())
}

/// Demands an exit status and the whole of standard error; standard output is empty.
#[track_caller]
fn expect(output: &Output, code: i32, stderr: &str) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let got = (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    );
    assert_eq!(got, (Some(code), String::new(), stderr.to_owned()));
}

/// The cache that the ordinary build makes.
fn ordinary_cache() -> Picture {
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let binary = env!("CARGO_BIN_EXE_modfetch");
    sandbox.shell(&format!("{binary} download")).ok();
    let picture = sandbox.picture();
    assert!(picture.has("example.com/text@v1.2.0/go.mod"));
    picture
}

#[test]
fn static_binary_empty_root_downloads_over_http() {
    let Some(root) = binary().and_then(|path| EmptyRoot::new(&path)) else {
        return;
    };
    let proxy = Proxy::serve();
    let url = proxy.url();
    let environment = [("GOMODCACHE", "/mod"), ("GOPROXY", url.as_str())];
    expect(
        &root.run(&["download", "-C", "/src", "--locked"], &environment),
        0,
        "",
    );
    ordinary_cache().assert_same(
        &root.cache(),
        "the ordinary cache and that of the empty root",
    );
    assert_eq!(root.names(), ["mod", "modfetch", "src"]);

    let connections = proxy.connections();
    let again = ["download", "-C", "/src", "--locked", "--offline"];
    expect(&root.run(&again, &environment), 0, "");
    assert_eq!(
        proxy.connections(),
        connections,
        "a complete cache is enough"
    );
}

#[test]
fn static_binary_empty_root_downloads_over_https() {
    let Some(root) = binary().and_then(|path| EmptyRoot::new(&path)) else {
        return;
    };
    let outside = tempfile::tempdir().expect("temporary folders can be made");
    let proxy = Proxy::serve_tls(outside.path());
    fs::copy(proxy.ca(), root.path("ca.pem")).expect("the certificate can be copied");
    let url = proxy.url();
    let mut environment = vec![("GOMODCACHE", "/mod"), ("GOPROXY", url.as_str())];
    let download = ["download", "-C", "/src", "--locked"];

    // The authorities that are built in do not know this one.
    let refused = root.run(&download, &environment);
    let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(6), "{stderr}");
    assert!(
        stderr.contains("x509: certificate signed by unknown authority"),
        "{stderr}"
    );
    assert_eq!(proxy.hits("*"), 0, "a request was made all the same");

    environment.push(("SSL_CERT_FILE", "/ca.pem"));
    expect(&root.run(&download, &environment), 0, "");
    ordinary_cache().assert_same(
        &root.cache(),
        "the ordinary cache and that of the empty root",
    );
    assert_eq!(root.names(), ["ca.pem", "mod", "modfetch", "src"]);
}

/// The toolchain that the recipe takes.
const TOOLCHAIN: &str = "v0.0.1-go1.27.4.linux-amd64";

/// Zip and h1 of it, if go has fetched it before.
fn toolchain() -> Option<(PathBuf, String)> {
    let output = Command::new(require_go()?)
        .args(["env", "GOMODCACHE"])
        .output()
        .expect("go was found");
    let cache = String::from_utf8(output.stdout).expect("it is a path");
    let folder = Path::new(cache.trim()).join("cache/download/golang.org/toolchain/@v");
    let zip = folder.join(format!("{TOOLCHAIN}.zip"));
    let sum = fs::read_to_string(folder.join(format!("{TOOLCHAIN}.ziphash")));
    if !zip.is_file() || sum.is_err() || !cfg!(target_arch = "x86_64") {
        skips::record("go has not fetched go1.27.4 for linux/amd64");
        return None;
    }
    Some((zip, sum.ok()?))
}

/// A recipe of `modfetch help air-gap`: the program, one bundle and sources are all there is.
#[test]
fn static_binary_empty_root_builds_from_one_bundle() {
    let Some(root) = binary().and_then(|path| EmptyRoot::new(&path)) else {
        return;
    };
    let Some((zip, sum)) = toolchain() else {
        return;
    };
    let word = Module::new(
        "example.com/word",
        "v1.0.0",
        vec![
            ("go.mod".to_owned(), b"module example.com/word\n".to_vec()),
            (
                "word.go".to_owned(),
                b"package word\n\nfunc Say() { println(\"built from one bundle\") }\n".to_vec(),
            ),
        ],
    );
    let gomod = b"module golang.org/toolchain\n".to_vec();
    let files = vec![("go.mod".to_owned(), gomod.clone())];
    let go = Module::new("golang.org/toolchain", TOOLCHAIN, files);
    let gomod_sum = sums::of_go_mod(&go);
    let records = [
        ("example.com/word@v1.0.0".to_owned(), sums::lines(&word)),
        (
            format!("golang.org/toolchain@{TOOLCHAIN}"),
            format!(
                "golang.org/toolchain {TOOLCHAIN} {sum}\n\
                 golang.org/toolchain {TOOLCHAIN}/go.mod {gomod_sum}\n"
            ),
        ),
    ];
    let log = LongLog::of_records(1000, (300..).zip(records).collect(), "");
    let outside = tempfile::tempdir().expect("temporary folders can be made");
    let put = |name: &str, data: &[u8]| {
        let path = outside.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("it is ours");
        fs::write(path, data).expect("it is ours");
    };
    for (name, data) in Fixtures::of(vec![word]).tree() {
        put(&name, &data);
    }
    let versions = "golang.org/toolchain/@v";
    put(&format!("{versions}/{TOOLCHAIN}.mod"), &gomod);
    let info = format!("{{\"Version\":\"{TOOLCHAIN}\",\"Time\":\"2026-11-19T00:00:00Z\"}}");
    put(&format!("{versions}/{TOOLCHAIN}.info"), info.as_bytes());
    let place = format!("{versions}/{TOOLCHAIN}.zip");
    fs::copy(zip, outside.path().join(place)).expect("the zip can be copied");
    log.write(outside.path(), 1000);

    // With a network.
    let maker = Sandbox::new()
        .go_mod("require example.com/word v1.0.0")
        .file(
            "main.go",
            "package main\n\nimport \"example.com/word\"\n\nfunc main() { word.Say() }\n",
        )
        .env("GOPROXY", &format!("file://{}", outside.path().display()))
        .env("GOSUMDB", &log.gosumdb());
    let create = ["bundle", "create", "-o", "site.tar"];
    let toolchain = ["--toolchain", "go1.27.4:linux/amd64"];
    maker.run([&create[..], &toolchain].concat()).ok();
    maker.run(["sum", "--write"]).ok();

    // Without.
    for name in ["go.mod", "go.sum", "main.go"] {
        fs::copy(maker.project_dir().join(name), root.path("src").join(name)).expect("it is ours");
    }
    fs::rename(maker.project_dir().join("site.tar"), root.path("site.tar"))
        .or_else(|_| {
            fs::copy(maker.project_dir().join("site.tar"), root.path("site.tar")).map(drop)
        })
        .expect("the bundle can be carried");
    let gosumdb = log.gosumdb();
    let environment = [
        ("HOME", "/home"),
        ("GOMODCACHE", "/mod"),
        ("GOPROXY", "off"),
        ("GOSUMDB", gosumdb.as_str()),
    ];
    let imported = root.run(&["bundle", "import", "/site.tar"], &environment);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    let fetched = root.run(&["toolchain", "--offline", "go1.27.4"], &environment);
    assert!(fetched.status.success(), "{}", text(&fetched.stderr));
    let goroot = text(&fetched.stdout).trim().to_owned();
    assert_eq!(goroot, format!("/mod/golang.org/toolchain@{TOOLCHAIN}"));
    // What every container has: without /proc go does not know where it is.
    fs::create_dir(root.path("dev")).expect("it is ours");
    fs::write(root.path("dev/null"), "").expect("it is ours");
    let environment = [
        &environment[..],
        &[
            ("GOROOT", goroot.as_str()),
            ("GOTOOLCHAIN", "local"),
            ("CGO_ENABLED", "0"),
            ("TMPDIR", "/"),
        ],
    ]
    .concat();
    let build = ["build", "-C", "/src", "-o", "/app", "."];
    let built = root.run_program(&format!("{goroot}/bin/go"), &build, &environment);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let ran = root.run_program("/app", &[], &[]);
    assert_eq!(text(&ran.stderr), "built from one bundle\n");
}

#[test]
fn static_binary_without_home_names_gomodcache() {
    let Some(root) = binary().and_then(|path| EmptyRoot::new(&path)) else {
        return;
    };
    let wanted = "modfetch: module cache not found: neither GOMODCACHE nor GOPATH is set\n\
                  hint: set GOMODCACHE to an absolute path, or HOME\n";
    for environment in [&[][..], &[("HOME", ""), ("GOPROXY", "off")]] {
        let output = root.run(&["download", "-C", "/src"], environment);
        expect(&output, 3, wanted);
    }
    // In an image without users HOME is often the root.
    let output = root.run(
        &["download", "-C", "/src"],
        &[("HOME", "/"), ("GOPROXY", "off")],
    );
    assert_eq!(output.status.code(), Some(11));
    assert_eq!(root.names(), ["modfetch", "src"], "nothing was made");
}
