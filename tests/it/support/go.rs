//! The real `go`, where there is one.

use std::fs;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

pub(crate) use super::guards::{only_modfetch, require_go};
use modfetch::internals::gomod::GoVersion;

use super::skips;

/// Reads a variable of the test process itself; sandboxes pass nothing of it on.
#[expect(
    clippy::disallowed_methods,
    reason = "the test kit is configured by its environment"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where the go command is: `MODFETCH_TEST_GO`, or the first in `PATH`.
fn find() -> Option<PathBuf> {
    if let Some(go) = variable("MODFETCH_TEST_GO") {
        let go = PathBuf::from(go);
        assert!(
            go.is_file(),
            "MODFETCH_TEST_GO={}: no such file",
            go.display()
        );
        return Some(go);
    }
    let path = variable("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("go"))
        .find(|go| go.is_file())
}

/// The go command, or a visible skip.
///
/// # Panics
/// If there is none and `MODFETCH_REQUIRE_GO=1`.
pub fn require_go() -> Option<PathBuf> {
    static GO: OnceLock<Option<PathBuf>> = OnceLock::new();
    let go = GO.get_or_init(find).clone();
    if go.is_none() {
        assert!(
            variable("MODFETCH_REQUIRE_GO").as_deref() != Some("1"),
            "MODFETCH_REQUIRE_GO=1, but there is no go in PATH"
        );
        skips::record("no go in PATH");
    }
    go
}

/// The search path of sandboxes: that of the tests, behind the folder of the go command.
pub fn search_path() -> String {
    let path = variable("PATH").unwrap_or_default();
    let go = variable("MODFETCH_TEST_GO").map(PathBuf::from);
    match go.as_deref().and_then(Path::parent) {
        Some(folder) => format!("{}:{path}", folder.display()),
        None => path,
    }
}

/// The version of the go command, without `go`: `1.26.8`. `None` if there is none.
pub fn go_version() -> Option<&'static GoVersion> {
    static VERSION: OnceLock<Option<GoVersion>> = OnceLock::new();
    let asked = || {
        let mut command = Command::new(find()?);
        let command = command
            .env("GOTOOLCHAIN", "local")
            .args(["env", "GOVERSION"]);
        let said = String::from_utf8(command.output().ok()?.stdout).ok()?;
        GoVersion::of_toolchain(said.trim())
    };
    VERSION.get_or_init(asked).as_ref()
}

/// The version that modfetch acts as in a sandbox: that of the go command, if there is one.
pub fn acting_version() -> String {
    go_version().map_or(GoVersion::EMULATED.to_owned(), GoVersion::to_string)
}

/// True if the go command is this version or a newer one.
pub fn go_is_at_least(version: &str) -> bool {
    go_version().is_some_and(|go| go.at_least(version))
}

/// Makes a program of `source` and these packages of golang.org/x/mod, from the copy that comes with
/// go, in the folder `here`; returns what builds and runs it.
pub fn with_golang_mod(go: &Path, here: &Path, packages: &[&str], source: &str) -> Command {
    let vendored = source_of(go).join("cmd/vendor/golang.org/x/mod");
    for package in packages.iter().chain(&["internal/lazyregexp"]) {
        fs::create_dir_all(here.join(package)).unwrap();
        for file in fs::read_dir(vendored.join(package)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), here.join(package).join(file.file_name())).unwrap();
        }
    }
    fs::write(here.join("go.mod"), "module golang.org/x/mod\n\ngo 1.23\n").unwrap();
    program(go, here, source)
}

/// The folder of the source that comes with a go command.
pub fn source_of(go: &Path) -> PathBuf {
    let output = Command::new(go).args(["env", "GOROOT"]).output().unwrap();
    let root = String::from_utf8(output.stdout).unwrap();
    Path::new(root.trim()).join("src")
}

/// The build cache of all tests, so that go compiles its library once.
pub fn build_cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("gocache")
}

/// Adds `source` as the program of the module in the folder `here`; returns what builds and runs it.
pub fn program(go: &Path, here: &Path, source: &str) -> Command {
    fs::write(here.join("main.go"), source).unwrap();
    let mut command = Command::new(go);
    command
        .args(["run", "."])
        .current_dir(here)
        .env("GOENV", "off")
        .env("GOFLAGS", "")
        .env("GOWORK", "off")
        .env("GOTOOLCHAIN", "local")
        .env("GO111MODULE", "on")
        .env("GOCACHE", build_cache())
        .env("GOPATH", here.join("gopath"));
    command
}

/// Runs a program that answers questions; returns what it says.
///
/// # Panics
/// If it fails.
pub fn ask(mut program: Command, questions: &str) -> String {
    // A file and no pipe, which would be full before the program reads: go builds it first.
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(questions.as_bytes()).unwrap();
    file.rewind().unwrap();
    let output = program
        .stdin(file)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// What is being tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The program of this crate.
    Modfetch,
    /// The go command in its place, to test the tests.
    Go,
}

/// What `run` runs: see the module documentation of the test kit.
pub fn under_test() -> Program {
    skips::begin();
    match variable("MODFETCH_TEST_PROGRAM").as_deref() {
        None | Some("modfetch") => Program::Modfetch,
        Some("go") => Program::Go,
        Some(other) => panic!("MODFETCH_TEST_PROGRAM={other}: want modfetch or go"),
    }
}

/// True where a test demands what go does not do; counts it as skipped if go is being tested.
pub fn only_modfetch() -> bool {
    let ours = under_test() == Program::Modfetch;
    if !ours {
        skips::record("go is under test and has no such feature");
    }
    ours
}
