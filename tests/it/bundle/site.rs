//! Two sides of an air gap: an upstream GOPROXY with a long checksum database, and projects.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::Sandbox;
use crate::support::fixtures::{Fixtures, Module};
use crate::support::long_log::LongLog;

/// Sizes of the log at four times.
pub const H0: usize = 700;
pub const H1: usize = 66_120;
pub const H2: usize = 132_000;
pub const H3: usize = 141_000;

/// The project of the closed side. The graph also reads the go.mod of `b@v1.0.0`.
pub const GO_MOD: &str = "module example.com/site

go 1.21

require (
	example.com/a v1.0.0
	example.com/Upper/b v1.2.0
)
";

/// A GOPROXY with a database, as files.
pub struct Upstream {
    pub log: LongLog,
    root: TempDir,
}

impl Upstream {
    /// Three modules, whose records are far apart in the log.
    pub fn new() -> Upstream {
        let modules = modules();
        let places = [300, 66_000, 5, 400, 700];
        let log = LongLog::new(H3, places.into_iter().zip(&modules));
        let upstream = Upstream {
            log,
            root: tempfile::tempdir().unwrap(),
        };
        for (path, data) in Fixtures::of(modules).tree() {
            let path = upstream.root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, data).unwrap();
        }
        upstream
    }

    /// The same, with the database as it was with `size` records.
    pub fn at(size: usize) -> Upstream {
        let upstream = Upstream::new();
        upstream.log.write(upstream.root.path(), size);
        upstream
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.root.path().display())
    }

    /// A machine with the project that asks this GOPROXY and believes this database.
    pub fn machine(&self) -> Sandbox {
        Sandbox::new()
            .file("go.mod", GO_MOD)
            .file(
                "main.go",
                "package main\n\nimport _ \"example.com/a\"\n\nfunc main() {}\n",
            )
            .env("GOPROXY", &self.url())
            .env("GOSUMDB", &self.log.gosumdb())
    }

    /// A machine with the project and no network.
    pub fn closed(&self) -> Sandbox {
        self.machine().env("GOPROXY", "off")
    }

    /// A closed machine that has seen the head of `size` records, and nothing else.
    pub fn closed_with_head(&self, size: usize) -> Sandbox {
        let machine = self.closed();
        let latest = latest_of(&machine);
        fs::create_dir_all(latest.parent().unwrap()).unwrap();
        fs::write(latest, self.log.head(size)).unwrap();
        machine
    }

    /// Makes a bundle of the project, with these flags; returns its path.
    pub fn bundle(&self, flags: &[&str]) -> (Sandbox, String) {
        let machine = self.machine();
        let file = machine.project_dir().join("site.tar").display().to_string();
        let mut line = vec!["bundle", "create", "-o", &file];
        line.extend(flags);
        machine.run(line).ok();
        (machine, file)
    }
}

/// The modules of the fixture: the last two are go.mod-only and newest.
pub fn modules() -> Vec<Module> {
    vec![
        Module::bare(
            "example.com/a",
            "v1.0.0",
            "go 1.16\n\nrequire example.com/Upper/b v1.0.0\n",
        ),
        Module::bare("example.com/Upper/b", "v1.2.0", "go 1.16\n"),
        Module::bare("example.com/Upper/b", "v1.0.0", "go 1.16\n"),
        Module::bare(
            "example.com/a",
            "v1.3.0",
            "go 1.16\n\nretract v1.0.0 // wrong\n",
        ),
        Module::bare("example.com/a", "v1.1.0", "go 1.16\n"),
    ]
}

/// The file with the newest head that a machine has seen.
pub fn latest_of(machine: &Sandbox) -> PathBuf {
    machine
        .gopath_dir()
        .join("pkg/sumdb/sums.example.com/latest")
}

/// Unpacks a bundle with tar; returns the URL of the tree.
pub fn unpack(bundle: &str, into: &Path) -> String {
    fs::create_dir_all(into).unwrap();
    let status = std::process::Command::new("tar")
        .args(["-xf", bundle, "-C"])
        .arg(into)
        .status()
        .unwrap();
    assert!(status.success());
    format!("file://{}", into.display())
}
