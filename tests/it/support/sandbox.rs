//! A folder of its own, an emptied environment, and programs that run in them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::go::{self, Program};
use super::proxy::Proxy;
use super::run::{Run, Running};
use super::skips;
use super::tree::Picture;

/// How long any program may run.
const LIMIT: Duration = Duration::from_secs(300);

/// The user and group `nobody`, for whom file modes hold even where tests run as root.
const NOBODY: u32 = 65534;

/// A project, a home and a module cache, all empty, and the environment that names them.
///
/// The environment is only what is set here: `PATH` (for go), `HOME`, `TMPDIR`, `GOPATH`,
/// `GOMODCACHE`, `GOCACHE` (shared by all tests, so that go compiles its library once),
/// `GOENV=off`, `GOTOOLCHAIN=local`, `GOSUMDB=off`, and `GOPROXY=off` until a proxy is given.
pub struct Sandbox {
    root: TempDir,
    cache: PathBuf,
    env: BTreeMap<String, String>,
    limit: Duration,
    unprivileged: bool,
}

impl Sandbox {
    /// An empty sandbox.
    pub fn new() -> Sandbox {
        let root = tempfile::Builder::new()
            .prefix("modfetch-it-")
            .tempdir()
            .expect("temporary folders can be made");
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        let path = |name: &str| root.path().join(name);
        for name in ["home", "project", "tmp", "gopath"] {
            fs::create_dir(path(name)).expect("the folder is new and ours");
        }
        quiet_telemetry(&path("home"));
        let cache = path("modcache");
        let text = |path: &Path| path.display().to_string();
        let gocache = go::build_cache();
        let env = [
            ("PATH", go::search_path()),
            ("HOME", text(&path("home"))),
            ("TMPDIR", text(&path("tmp"))),
            ("GOPATH", text(&path("gopath"))),
            ("GOMODCACHE", text(&cache)),
            ("GOCACHE", text(&gocache)),
            ("GOENV", "off".to_owned()),
            ("GOTOOLCHAIN", "local".to_owned()),
            ("GOSUMDB", "off".to_owned()),
            ("GOPROXY", "off".to_owned()),
        ];
        // As the images of Go do: modfetch acts as the go that it is compared with.
        let acting = go::go_version().map(|go| ("GOLANG_VERSION", go.to_string()));
        let env = env
            .into_iter()
            .chain(acting)
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Sandbox {
            root,
            cache,
            env,
            limit: LIMIT,
            unprivileged: false,
        }
    }

    /// A sandbox with a project of `testdata/projects` and a proxy.
    pub fn with(project: &str, proxy: &Proxy) -> Sandbox {
        Sandbox::new().project(project).proxy(proxy)
    }

    /// Copies a project of `testdata/projects`.
    #[must_use]
    pub fn project(self, name: &str) -> Sandbox {
        let from = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("testdata/projects")
            .join(name);
        copy(&from, &self.project_dir());
        self
    }

    /// Writes go.mod; a text without `module` line gets `module example.com/main` and `go 1.21`.
    #[must_use]
    pub fn go_mod(self, text: &str) -> Sandbox {
        if text.lines().any(|line| line.starts_with("module ")) {
            return self.file("go.mod", text);
        }
        self.file(
            "go.mod",
            &format!("module example.com/main\n\ngo 1.21\n\n{text}\n"),
        )
    }

    /// Writes go.sum.
    #[must_use]
    pub fn go_sum(self, text: &str) -> Sandbox {
        self.file("go.sum", text)
    }

    /// Writes a file of the project.
    #[must_use]
    pub fn file(self, name: &str, text: &str) -> Sandbox {
        let path = self.project_dir().join(name);
        fs::create_dir_all(path.parent().unwrap_or(&path)).expect("the project is ours");
        fs::write(&path, text).expect("the project is ours");
        self
    }

    /// Changes a file of the project.
    #[must_use]
    pub fn edit(self, name: &str, change: impl FnOnce(String) -> String) -> Sandbox {
        let old = self.read(name);
        let new = change(old.clone());
        assert_ne!(old, new, "the change to {name} changed nothing");
        self.file(name, &new)
    }

    /// Uses this proxy and nothing else.
    #[must_use]
    pub fn proxy(self, proxy: &Proxy) -> Sandbox {
        self.env("GOPROXY", &proxy.url())
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Sandbox {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Uses another sandbox's module cache.
    #[must_use]
    pub fn cache_of(mut self, other: &Sandbox) -> Sandbox {
        self.cache.clone_from(&other.cache);
        let text = self.cache.display().to_string();
        self.env("GOMODCACHE", &text)
    }

    /// Sets how long a program may run before it is killed and the test fails.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Sandbox {
        self.limit = limit;
        self
    }

    /// Runs programs as `nobody` where tests run as root, for whom no file is read-only.
    #[must_use]
    pub fn unprivileged(mut self) -> Sandbox {
        self.unprivileged = nix::unistd::geteuid().is_root();
        if self.unprivileged {
            for name in ["home", "project", "tmp", "gopath"] {
                let path = self.root.path().join(name);
                std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).expect("we are root");
            }
        }
        self
    }

    /// A variable of its environment; empty if it is not set.
    pub fn variable(&self, name: &str) -> &str {
        self.env.get(name).map_or("", String::as_str)
    }

    /// The project's folder, where programs start.
    pub fn project_dir(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// The folder that GOPATH names.
    pub fn gopath_dir(&self) -> PathBuf {
        self.root.path().join("gopath")
    }

    /// The project's files, which a download may change (go.sum) or must not.
    pub fn project_picture(&self) -> Picture {
        Picture::of(&self.project_dir())
    }

    /// The module cache.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// A path in the module cache.
    pub fn cached(&self, relative: &str) -> PathBuf {
        self.cache.join(relative)
    }

    /// A file of the project.
    ///
    /// # Panics
    /// If there is none.
    pub fn read(&self, name: &str) -> String {
        let path = self.project_dir().join(name);
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    }

    /// The cache, without what may differ between programs that did the same: lock files and
    /// modfetch's own state.
    pub fn picture(&self) -> Picture {
        Picture::of(&self.cache).without_locks().without_own_state()
    }

    /// Removes a file or folder of the cache, read-only or not.
    ///
    /// # Panics
    /// If it is not there.
    pub fn remove(&self, relative: &str) {
        let path = self.cached(relative);
        assert!(
            path.exists(),
            "{} is not there to be removed",
            path.display()
        );
        if let Some(parent) = path.parent() {
            let mode = fs::metadata(parent).map_or(0o755, |meta| meta.permissions().mode());
            let _ = fs::set_permissions(parent, fs::Permissions::from_mode(mode | 0o700));
            change_modes(&path, &|mode| mode | 0o700);
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.expect("it was made writable");
            let _ = fs::set_permissions(parent, fs::Permissions::from_mode(mode));
        }
    }

    /// A sandbox of the same kind whose cache is a copy of this one's: for programs that would
    /// add to it.
    #[must_use]
    pub fn with_copied_cache(self, other: &Sandbox) -> Sandbox {
        if !other.cache.exists() {
            return self;
        }
        let copied = Command::new("cp")
            .arg("-a")
            .args([&other.cache, &self.cache])
            .status();
        assert!(copied.is_ok_and(|status| status.success()), "cp -a failed");
        self
    }

    /// Writes a file of the cache.
    pub fn write(&self, relative: &str, data: &[u8]) {
        fs::write(self.cached(relative), data).expect("the cache is ours");
    }

    /// Takes write permission from everything in the cache.
    pub fn seal_cache(&self) {
        change_modes(&self.cache, &|mode| mode & !0o222);
    }

    /// Runs the program under test to its end.
    #[track_caller]
    pub fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        self.spawn(arguments).wait()
    }

    /// Starts the program under test.
    #[track_caller]
    pub fn spawn<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Running {
        let program = go::under_test();
        let command = match program {
            Program::Modfetch => self.command(&self.modfetch(), arguments),
            Program::Go => {
                let mut command = self.command(Path::new("go"), ["mod"]);
                command.args(arguments);
                command
            }
        };
        Running::start(program, command, self.root.path().to_owned(), self.limit)
    }

    /// Runs the real go to its end; only after [`super::require_go`] said that there is one.
    #[track_caller]
    pub fn go<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        self.spawn_go(arguments).wait()
    }

    /// Starts the real go.
    #[track_caller]
    pub fn spawn_go<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Running {
        let command = self.command(Path::new("go"), arguments);
        Running::start(
            Program::Go,
            command,
            self.root.path().to_owned(),
            self.limit,
        )
    }

    /// True if a tmpfs can be mounted in a namespace of its own; if not, the test counts as skipped.
    pub fn can_mount(&self) -> bool {
        let probe = "unshare -rm sh -c 'mount -t tmpfs none /mnt' || echo none";
        let can = self.shell(probe).stdout.is_empty();
        if !can {
            skips::record("no tmpfs can be mounted here");
        }
        can
    }

    /// Runs a shell script in the project's folder, with the program under test in `PATH`; the
    /// first command that fails ends it.
    #[track_caller]
    pub fn shell(&self, script: &str) -> Run {
        self.spawn_shell(script).wait()
    }

    /// Starts such a script.
    #[track_caller]
    pub fn spawn_shell(&self, script: &str) -> Running {
        let built = self.modfetch();
        let folder = built.parent().expect("a file is in a folder");
        let mut command = self.command(Path::new("sh"), ["-euc", script]);
        let path = self.env.get("PATH").map_or("", String::as_str);
        command.env("PATH", format!("{}:{path}", folder.display()));
        Running::start(
            Program::Modfetch,
            command,
            self.root.path().to_owned(),
            self.limit,
        )
    }

    fn command<'a>(&self, program: &Path, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .envs(&self.env)
            .current_dir(self.project_dir());
        if self.unprivileged {
            // Another user may not write to the shared build cache.
            command.env("GOCACHE", self.root.path().join("home/gocache"));
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// The program; for `nobody` a copy, because the build folder may be closed to others.
    fn modfetch(&self) -> PathBuf {
        let built = PathBuf::from(env!("CARGO_BIN_EXE_modfetch"));
        if !self.unprivileged {
            return built;
        }
        let copy = self.root.path().join("modfetch");
        if !copy.exists() {
            // By another process: while this one has the copy open for writing, a child that some
            // other test starts would inherit that, and nobody could execute it ("text file busy").
            let made = Command::new("cp").arg(&built).arg(&copy).status();
            assert!(
                made.is_ok_and(|status| status.success()),
                "the program was built"
            );
        }
        copy
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Folders of a module cache cannot be emptied without write permission.
        change_modes(self.root.path(), &|mode| mode | 0o700);
        if go::variable("MODFETCH_TEST_KEEP").is_some() {
            self.root.disable_cleanup(true);
            eprintln!("kept: {}", self.root.path().display());
        }
    }
}

/// Turns go's counters off: a process that go leaves behind for them writes to the home while
/// it is being removed.
pub fn quiet_telemetry(home: &Path) {
    let folder = home.join(".config/go/telemetry");
    fs::create_dir_all(&folder).expect("the home is new and ours");
    fs::write(folder.join("mode"), "off\n").expect("the home is new and ours");
}

/// Changes the modes of folders and files below a path, children of a folder after it is made
/// readable and before it is closed.
pub fn change_modes(path: &Path, change: &dyn Fn(u32) -> u32) {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return;
    };
    if meta.is_symlink() {
        return;
    }
    let old = meta.permissions().mode() & 0o7777;
    if meta.is_dir() {
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(old | 0o700));
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            change_modes(&entry.path(), change);
        }
    }
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(change(old)));
}

/// Copies a folder of plain files.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the target is ours");
    let entries =
        fs::read_dir(from).unwrap_or_else(|error| panic!("no {}: {error}", from.display()));
    for entry in entries {
        let entry = entry.expect("the folder was readable a moment ago");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("test data is readable");
        }
    }
}
