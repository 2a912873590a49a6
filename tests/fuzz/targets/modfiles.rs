//! go.mod, go.work and go.sum.

use std::fmt::Write as _;

use modfetch::internals::gomod::modfile::{
    GoLine, GoModSummary, GoSum, Godebug, ModFile, ModulesTxt, Replace, Replacement, ToolchainLine,
    WorkFile,
};

/// A string as go.mod writes one that is no plain word, whatever is in it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            _ => drop(write!(out, "\\U{:08x}", u32::from(c))),
        }
    }
    out + "\""
}

fn print_heads(
    out: &mut String,
    go: Option<&GoLine>,
    toolchain: Option<&ToolchainLine>,
    godebug: &[Godebug],
) {
    if let Some(go) = go {
        let _ = writeln!(out, "go {}", go.version);
    }
    if let Some(toolchain) = toolchain {
        let _ = writeln!(out, "toolchain {}", toolchain.name);
    }
    for Godebug { key, value, .. } in godebug {
        let _ = writeln!(out, "godebug {key}={value}");
    }
}

fn print_replace(out: &mut String, replace: &[Replace]) {
    for Replace {
        path,
        version,
        with,
        ..
    } in replace
    {
        let version = version.as_ref().map_or("", |version| version.as_str());
        let _ = write!(out, "replace {} {version} => ", quoted(path.as_str()));
        match with {
            Replacement::Directory(path) => drop(writeln!(out, "{}", quoted(path))),
            Replacement::Module(module) => {
                let path = quoted(module.path().as_str());
                let _ = writeln!(out, "{path} {}", module.version());
            }
        }
    }
}

/// All that a go.mod says to a program, each statement on a line.
fn print_mod(file: &ModFile) -> String {
    let mut out = String::new();
    if let Some(module) = &file.module {
        let _ = writeln!(out, "module {}", quoted(&module.path));
    }
    print_heads(
        &mut out,
        file.go.as_ref(),
        file.toolchain.as_ref(),
        &file.godebug,
    );
    for require in &file.require {
        let comment = if require.indirect { " // indirect" } else { "" };
        let (path, version) = (require.module.path(), require.module.version());
        let _ = writeln!(out, "require {} {version}{comment}", quoted(path.as_str()));
    }
    for exclude in &file.exclude {
        let (path, version) = (exclude.module.path(), exclude.module.version());
        let _ = writeln!(out, "exclude {} {version}", quoted(path.as_str()));
    }
    print_replace(&mut out, &file.replace);
    for retract in &file.retract {
        let _ = writeln!(out, "retract [{}, {}]", retract.low, retract.high);
    }
    for tool in &file.tool {
        let _ = writeln!(out, "tool {}", quoted(&tool.path));
    }
    for ignore in &file.ignore {
        let _ = writeln!(out, "ignore {}", quoted(&ignore.path));
    }
    out
}

pub(super) fn go_mod(data: &[u8]) {
    let strict = ModFile::parse("go.mod", data);
    let lax = ModFile::parse_lax("go.mod", data);
    if let Ok(strict) = &strict {
        let printed = print_mod(strict);
        let again = ModFile::parse("go.mod", printed.as_bytes())
            .unwrap_or_else(|error| panic!("{}\n{printed}", error.chain()));
        assert_eq!(print_mod(&again), printed);
        let lax = lax.as_ref().expect("the lax reading is the laxer");
        let requires = |file: &ModFile| -> Vec<String> {
            let modules = file.require.iter();
            modules.map(|require| require.module.to_string()).collect()
        };
        assert_eq!(requires(strict), requires(lax));
    }
    let chain = |error: modfetch::Error| error.chain();
    let needs = GoModSummary::parse("go.mod", data).map_err(chain);
    assert_eq!(needs, lax.clone().map(GoModSummary::from).map_err(chain));
    if let Ok(lax) = &lax {
        let printed = print_mod(lax);
        let again = ModFile::parse_lax("go.mod", printed.as_bytes())
            .unwrap_or_else(|error| panic!("{}\n{printed}", error.chain()));
        assert_eq!(print_mod(&again), printed);
    }
}

fn print_work(file: &WorkFile) -> String {
    let mut out = String::new();
    print_heads(
        &mut out,
        file.go.as_ref(),
        file.toolchain.as_ref(),
        &file.godebug,
    );
    for used in &file.use_dirs {
        let _ = writeln!(out, "use {}", quoted(&used.path));
    }
    print_replace(&mut out, &file.replace);
    out
}

pub(super) fn go_work(data: &[u8]) {
    if let Ok(file) = WorkFile::parse("go.work", data) {
        let printed = print_work(&file);
        let again = WorkFile::parse("go.work", printed.as_bytes())
            .unwrap_or_else(|error| panic!("{}\n{printed}", error.chain()));
        assert_eq!(print_work(&again), printed);
    }
}

pub(super) fn go_sum(data: &[u8]) {
    let Ok(sums) = GoSum::parse("go.sum", data) else {
        return;
    };
    let written = sums.to_bytes();
    let again = GoSum::parse("go.sum", &written).expect("what was written");
    assert_eq!(again.to_bytes(), written);
    assert_eq!(again.iter().count(), sums.iter().count());
    let mut copy = GoSum::default();
    for ((path, version, hashes), (path_again, version_again, hashes_again)) in
        sums.iter().zip(again.iter())
    {
        assert_eq!((path, version), (path_again, version_again));
        assert_eq!(sums.sums(path, version), hashes);
        let mut once = hashes.to_vec();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once, hashes_again);
        for hash in &once {
            assert!(copy.insert(path, version, hash));
            assert!(!copy.insert(path, version, hash));
        }
    }
    assert_eq!(copy.to_bytes(), written);
}

pub(super) fn modules_txt(data: &[u8]) {
    let found = ModulesTxt::parse(data);
    let text = String::from_utf8_lossy(data);
    for module in found.providing() {
        assert!(text.contains(&module.path) && text.contains(&module.version));
        assert!(found.version(&module.path).is_some());
    }
    for module in found.replaced() {
        let replacement = found.replacement(module).expect("it is replaced");
        assert!(text.contains(&replacement.path) && text.contains(&replacement.version));
    }
}
