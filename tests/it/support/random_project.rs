//! Small module projects from a seed: modules that require each other, and a project on top.
//!
//! A seed makes the same generated always, so that a case that failed can be run again. What is made is
//! what `go` decides by: every go version from 1.11 to 1.26 and none, pre-releases,
//! pseudo-versions, `+incompatible`, cycles, requirements that repeat, that nobody has, that are a
//! branch or another query, or that are on the project itself; modules that need a newer go than
//! there is; replacements of all four forms, exclusions, retractions (of others and of itself, also
//! by what is retracted), deprecations, lines about toolchains, tools, godebug settings and folders
//! to ignore; vendor directories; and workspaces of several modules that edit and require each
//! other. How often each occurs is tested in `features`.

mod directives;
mod features;
mod vendor;
mod workspace;

use std::fmt::Write as _;

use super::Sandbox;
use super::fixtures::Module;

/// A path and the versions that some module of it may have.
const PATHS: &[(&str, &[&str])] = &[
    (
        "example.com/a",
        &["v1.0.0", "v1.1.0", "v1.2.0-rc.1", "v1.10.0"],
    ),
    ("example.com/b", &["v0.1.0", "v0.2.0", "v0.2.1"]),
    ("example.com/b/v2", &["v2.0.0", "v2.1.0"]),
    ("b.org/nested/c", &["v1.0.0", "v1.0.1", "v1.9.0", "v1.10.0"]),
    (
        "b.org/nested",
        &["v1.0.0", "v1.1.0-0.20240102030405-abcdef123456"],
    ),
    ("example.com/Upper", &["v1.0.0", "v1.1.0"]),
    ("gopkg.in/yell.v1", &["v1.0.0", "v1.2.0"]),
    (
        "go.example/z",
        &["v0.0.0-20240102030405-abcdef123456", "v0.3.0", "v0.4.0"],
    ),
    (
        "example.com/old",
        &[
            "v1.4.0",
            "v1.5.0",
            "v2.0.0+incompatible",
            "v2.1.0+incompatible",
            "v3.1.0+incompatible",
        ],
    ),
    ("u.example/last", &["v1.0.0", "v1.5.0", "v1.6.0"]),
    (MAIN, &["v0.9.0", "v1.0.0"]),
];

/// The project's module path, which others may require.
const MAIN: &str = "example.com/main";

/// Throws of a die, the same for the same seed.
pub struct Rng(u64);

impl Rng {
    /// Rng of this seed.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    fn next(&mut self) -> u64 {
        // SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("lists are short");
        usize::try_from(self.next() % end).expect("it was one")
    }

    /// True in so many of a hundred.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// One of them.
    pub fn one<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

/// Names of files, and what is in them.
type Files = Vec<(String, String)>;

/// What the proxy of a generated has.
struct Proxied<'w> {
    /// Paths and versions.
    there: &'w [(&'static str, &'static str)],
    /// The same with what is in them.
    modules: &'w [Module],
}

/// A project and the modules of its proxy.
pub struct RandomProject {
    /// What it is made from.
    pub seed: u64,
    /// Every module version of the proxy.
    pub modules: Vec<Module>,
    /// The project's files: go.mod, and that of folders it replaces modules by.
    pub files: Vec<(String, String)>,
    /// go runs on one thread.
    one_thread: bool,
}

impl RandomProject {
    /// The generated of a seed, with one project.
    pub fn of(seed: u64) -> RandomProject {
        RandomProject::with(seed, project)
    }

    /// The generated of a seed, with a workspace.
    pub fn with_workspace(seed: u64) -> RandomProject {
        RandomProject::with(seed, workspace::files)
    }

    /// The generated of a seed, with one project and its vendor directory.
    pub fn vendored(seed: u64) -> RandomProject {
        let mut generated = RandomProject::of(seed);
        vendor::add(&mut Rng::new(seed ^ 0x7665_6e64_6f72), &mut generated.files);
        generated
    }

    fn with(seed: u64, files: impl Fn(&mut Rng, Style, &Proxied<'_>) -> Files) -> RandomProject {
        let mut rng = Rng::new(seed);
        let mut extra = Rng::new(seed ^ 0x6469_7265_6374);
        // A generated of few paths is tangled, one of many is wide.
        let paths: Vec<_> = PATHS.iter().filter(|_| rng.percent(60)).collect();
        let mut there = Vec::new();
        for (path, versions) in paths {
            for version in *versions {
                if rng.percent(75) {
                    there.push((*path, *version));
                }
            }
        }
        if there.is_empty() {
            there.push(("example.com/a", "v1.0.0"));
        }
        let style = Style::any(&mut rng);
        // In few projects, or none would be whole.
        let newer = if rng.percent(6) { 15 } else { 0 };
        let modules = there.iter().map(|(path, version)| {
            let mut text = dependency(&mut rng, style, path, &there);
            if rng.percent(newer) && text.contains("\ngo 1.") {
                text = text.replace("\ngo 1.", "\n// go 1.");
                let newer: [&str; 3] = ["go 1.26.99\n", "go 1.27\n", "go 1.30.1\n"];
                text.push_str(rng.one::<&str>(&newer));
            }
            directives::add_to_dependency(&mut extra, &mut text);
            module(path, version, &text)
        });
        let modules: Vec<Module> = modules.collect();
        let proxied = Proxied {
            there: &there,
            modules: &modules,
        };
        let mut files = files(&mut rng, style, &proxied);
        directives::add_to_project(&mut extra, &mut files);
        RandomProject {
            seed,
            modules,
            files,
            one_thread: false,
        }
    }

    /// One that is made by hand: the files of a project, and module versions with their go.mod.
    pub fn made(files: &[(&str, &str)], modules: &[(&str, &str, &str)]) -> RandomProject {
        let modules = modules.iter();
        let files = files.iter();
        RandomProject {
            seed: 0,
            modules: modules
                .map(|(path, version, text)| module(path, version, text))
                .collect(),
            files: files
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
            one_thread: false,
        }
    }

    /// The same for a go of one thread.
    pub fn on_one_thread(mut self) -> RandomProject {
        self.one_thread = true;
        self
    }

    /// True if there are several main modules.
    pub fn is_workspace(&self) -> bool {
        self.files.iter().any(|(name, _)| name == "go.work")
    }

    /// True if there is a vendor directory.
    pub fn is_vendored(&self) -> bool {
        self.files
            .iter()
            .any(|(name, _)| name == "vendor/modules.txt")
    }

    /// Puts the project into a sandbox.
    pub fn place(&self, sandbox: Sandbox) -> Sandbox {
        let put = |sandbox: Sandbox, (name, text): &(String, String)| sandbox.file(name, text);
        let sandbox = self.files.iter().fold(sandbox, put);
        match self.one_thread {
            true => sandbox.env("GOMAXPROCS", "1"),
            false => sandbox,
        }
    }

    /// Everything there is to know about it, for the message of a test that failed.
    pub fn describe(&self) -> String {
        let mut text = format!("the project of MODFETCH_SEED={}\n", self.seed);
        for (name, content) in &self.files {
            let _ = write!(text, "-- {name} --\n{content}");
        }
        for module in &self.modules {
            let content = String::from_utf8_lossy(&module.gomod);
            let _ = write!(text, "-- {}@{} --\n{content}", module.path, module.version);
        }
        text
    }
}

/// What a generated's go versions are like: one age throughout finds other faults than all at once.
#[derive(Clone, Copy)]
enum Style {
    Mixed,
    Old,
    Pruned,
    Strict,
}

impl Style {
    fn any(rng: &mut Rng) -> Style {
        *rng.one(&[
            Style::Mixed,
            Style::Mixed,
            Style::Old,
            Style::Pruned,
            Style::Strict,
        ])
    }

    /// A go line, or none.
    fn go_line(self, rng: &mut Rng) -> String {
        let minor = match self {
            Style::Mixed => 11 + rng.below(16),
            Style::Old => 11 + rng.below(6),
            Style::Pruned => 17 + rng.below(4),
            Style::Strict => 21 + rng.below(6),
        };
        if rng.percent(8) {
            return String::new();
        }
        let end = match minor {
            21..=25 => *rng.one(&["", "", ".0", ".0", ".3", "rc1"]),
            26 => *rng.one(&["", ".0"]),
            _ => "",
        };
        format!("go 1.{minor}{end}\n")
    }
}

/// A requirement that is mostly there.
fn requirement(rng: &mut Rng, there: &[(&str, &str)]) -> String {
    if rng.percent(2) {
        return "example.com/gone v1.0.0".to_owned();
    }
    let (path, version) = rng.one(there);
    format!("{path} {version}")
}

/// The go.mod of a module of the proxy.
fn dependency(rng: &mut Rng, style: Style, path: &str, there: &[(&str, &str)]) -> String {
    let declared = if rng.percent(1) {
        "example.com/other"
    } else {
        path
    };
    let mut text = String::new();
    if rng.percent(10) {
        text.push_str("// Deprecated: use another.\n");
    }
    let _ = writeln!(text, "module {declared}");
    text.push_str(&style.go_line(rng));
    if rng.percent(10) {
        text.extend(Some(*rng.one(TOOLCHAINS)));
    }
    for _ in 0..rng.below(5) {
        let _ = writeln!(text, "require {}", requirement(rng, there));
    }
    if rng.percent(20) {
        text.push_str(&retraction(rng, path, there));
    }
    // Replacements and exclusions of a dependency mean nothing.
    if rng.percent(10) {
        let _ = writeln!(text, "exclude {}", requirement(rng, there));
    }
    if rng.percent(10) {
        let (path, _) = rng.one(there);
        let _ = writeln!(text, "replace {path} => ../nowhere");
    }
    text
}

/// A retraction, of a version of that path or, which means nothing, of another one.
fn retraction(rng: &mut Rng, path: &str, there: &[(&str, &str)]) -> String {
    let own: Vec<_> = there.iter().filter(|(other, _)| *other == path).collect();
    let (_, version) = match rng.percent(85) && !own.is_empty() {
        true => **rng.one(&own),
        false => *rng.one(there),
    };
    let reason = rng.one(&[" // of no use", " // leaks", ""]);
    match rng.below(6) {
        0 => format!("retract [v0.0.0, {version}]{reason}\n"),
        1 => format!("// Published by mistake.\nretract {version}\n"),
        _ => format!("retract {version}{reason}\n"),
    }
}

/// The files of the project.
fn project(rng: &mut Rng, style: Style, proxied: &Proxied<'_>) -> Files {
    let mut files = Vec::new();
    let mut text = format!("module {MAIN}\n\n{}\n", style.go_line(rng));
    if rng.percent(15) {
        text.extend(Some(*rng.one(TOOLCHAINS)));
    }
    let queried = if rng.percent(8) { 25 } else { 0 };
    text.push_str(&requirements(rng, MAIN, proxied.there, queried));
    text.push_str(&replacements(rng, style, proxied.there, "", &mut files));
    files.insert(0, ("go.mod".to_owned(), text));
    files
}

/// Toolchain lines of main modules and of go.work.
const TOOLCHAINS: &[&str] = &[
    "toolchain go1.21.5\n",
    "toolchain go1.26.0\n",
    "toolchain go1.22rc1\n",
    "toolchain default\n",
    "toolchain go1.24.2-custom\n",
];

/// What may stand in a go.mod for a version, until it is found which that is.
const QUERIES: &[&str] = &[
    "latest",
    "v1",
    "v0.2",
    "<v1.10.0",
    ">=v1.0.0",
    "upgrade",
    "none-such",
];

/// What a main module requires, `queried` of a hundred by a query, and excludes.
fn requirements(rng: &mut Rng, main: &str, there: &[(&str, &str)], queried: usize) -> String {
    let mut text = String::new();
    let mut required: Vec<String> = Vec::new();
    for _ in 0..rng.below(8) {
        let line = requirement(rng, there);
        let path = line.split(' ').next().unwrap_or_default().to_owned();
        let again = required.contains(&path);
        // Each path once, and itself never, as `go mod tidy` would have it; sometimes not.
        if (again || path == main) && !rng.percent(20) {
            continue;
        }
        required.push(path);
        let mark = if rng.percent(40) { " // indirect" } else { "" };
        let line = match rng.percent(queried) {
            true => format!("{} {}", required[required.len() - 1], rng.one(QUERIES)),
            false => line,
        };
        let _ = writeln!(text, "require {line}{mark}");
    }
    for _ in 0..rng.below(6).saturating_sub(3) {
        let (path, version) = rng.one(there);
        let _ = writeln!(text, "exclude {path} {version}");
    }
    text
}

/// What a file below `folder` (with a final slash, or empty) replaces; the directories that it
/// names are added to `files`.
fn replacements(
    rng: &mut Rng,
    style: Style,
    there: &[(&str, &str)],
    folder: &str,
    files: &mut Files,
) -> String {
    let mut text = String::new();
    let mut replaced = Vec::new();
    for _ in 0..rng.below(6).saturating_sub(2) {
        let (path, version) = rng.one(there);
        let old = if rng.percent(50) {
            format!("{path} {version}")
        } else {
            (*path).to_owned()
        };
        if replaced.contains(&old) {
            continue;
        }
        let new = if rng.percent(50) {
            let (path, version) = rng.one(there);
            format!("{path} {version}")
        } else {
            let name = format!("folder{}", files.len());
            if !rng.percent(5) {
                let text = dependency(rng, style, path, there);
                files.push((format!("{folder}{name}/go.mod"), text));
            }
            format!("./{name}")
        };
        let _ = writeln!(text, "replace {old} => {new}");
        replaced.push(old);
    }
    text
}

fn module(path: &str, version: &str, text: &str) -> Module {
    let files = vec![("m.go".to_owned(), b"package m\n".to_vec())];
    let mut module = Module::new(path, version, files);
    // Without a go.mod a proxy makes one; a version of +incompatible has none.
    if !version.ends_with("+incompatible") {
        module.gomod = text.as_bytes().to_vec();
        module
            .files
            .push(("go.mod".to_owned(), module.gomod.clone()));
    }
    module
}

#[test]
fn same_seed_makes_same_project() {
    for generated in [RandomProject::of, RandomProject::with_workspace] {
        let text = |seed| generated(seed).describe();
        assert_eq!(text(7), text(7));
        assert_ne!(text(7), text(8).replace("SEED=8", "SEED=7"));
    }
}
