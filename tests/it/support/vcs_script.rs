//! The scripts that make the repositories of go's own tests: `src/cmd/go/testdata/vcstest` of a go
//! source tree, `git/hello.txt` and its neighbours.
//!
//! A script is commands, one a line, and behind them the files that they begin with. What is
//! understood of the language is what those scripts of git and Mercurial use; an unknown command
//! fails the test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::go;

/// The folder of the scripts, if the go under test comes with its sources.
pub fn folder() -> Option<PathBuf> {
    let go = super::require_go()?;
    let asked = Command::new(go).args(["env", "GOROOT"]).output().ok()?;
    let root = String::from_utf8(asked.stdout).ok()?;
    let folder = Path::new(root.trim()).join("src/cmd/go/testdata/vcstest");
    if folder.is_dir() {
        return Some(folder);
    }
    super::skips::record("no tests in the source tree of go");
    None
}

/// Runs a script in an empty folder.
///
/// # Panics
/// If a command fails, or prints something else than the script wants.
#[track_caller]
pub fn run(script: &str, folder: &Path) {
    let commands = unpack(script, folder);
    // As the server of go's tests has it.
    let hgrc = folder.with_extension("hgrc");
    let settings = "[ui]\nusername=Go Gopher <gopher@golang.org>\n[phases]\nnew-commit=public\n\
                    [extensions]\nconvert=\n";
    fs::write(&hgrc, settings).unwrap();
    let mut machine = Machine {
        folder: folder.to_owned(),
        hgrc,
        variables: BTreeMap::new(),
        said: Vec::new(),
    };
    for line in commands {
        let Some(words) = machine.words(line) else {
            continue;
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert!(
            machine.step(&words).is_some(),
            "{}: {line}",
            folder.display()
        );
    }
}

/// Writes the files behind the commands, and returns the lines of these.
fn unpack<'s>(script: &'s str, folder: &Path) -> Vec<&'s str> {
    let mut commands = Vec::new();
    let mut file: Option<(PathBuf, String)> = None;
    let write = |file: Option<(PathBuf, String)>| {
        if let Some((path, text)) = file {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    };
    for line in script.lines() {
        let name = line
            .strip_prefix("-- ")
            .and_then(|rest| rest.strip_suffix(" --"));
        match (name, &mut file) {
            (Some(name), file) => {
                let before = file.replace((folder.join(name), String::new()));
                write(before);
            }
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => commands.push(line),
        }
    }
    write(file);
    commands
}

struct Machine {
    folder: PathBuf,
    /// The settings of Mercurial.
    hgrc: PathBuf,
    variables: BTreeMap<String, String>,
    /// What the last command printed.
    said: Vec<u8>,
}

impl Machine {
    /// The words of a line, with the values of variables outside of quotes; `None` without any.
    fn words(&self, line: &str) -> Option<Vec<String>> {
        let (mut words, mut word) = (Vec::new(), None::<String>);
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\'' => {
                    let word = word.get_or_insert_default();
                    while let Some(character) = characters.next() {
                        match character {
                            // Two of them are one.
                            '\'' if characters.peek() == Some(&'\'') => {
                                characters.next();
                                word.push('\'');
                            }
                            '\'' => break,
                            _ => word.push(character),
                        }
                    }
                }
                '#' if word.is_none() => break,
                ' ' | '\t' => words.extend(word.take()),
                '$' => {
                    let mut name = String::new();
                    while let Some(next) =
                        characters.next_if(|c| c.is_ascii_alphanumeric() || *c == '_')
                    {
                        name.push(next);
                    }
                    let value = self.variables.get(&name).map_or("", String::as_str);
                    word.get_or_insert_default().push_str(value);
                }
                _ => word.get_or_insert_default().push(character),
            }
        }
        words.extend(word);
        (!words.is_empty()).then_some(words)
    }

    /// Runs a command; `None` if it is unknown or fails.
    fn step(&mut self, words: &[&str]) -> Option<()> {
        let path = |name: &str| self.folder.join(name);
        match words {
            // Systems that are handled, and what a program can.
            ["handle", _] | ["[!git-sha256]", "skip"] => {}
            ["env", pair] => {
                let (name, value) = pair.split_once('=')?;
                self.variables.insert(name.to_owned(), value.to_owned());
            }
            ["at", time] => {
                for name in ["GIT_COMMITTER_DATE", "GIT_AUTHOR_DATE"] {
                    self.variables.insert(name.to_owned(), (*time).to_owned());
                }
            }
            ["echo", rest @ ..] => self.said = format!("{}\n", rest.join(" ")).into_bytes(),
            ["unquote", text] => {
                let text = text.replace("\\n", "\n").replace("\\t", "\t");
                self.said = text.into_bytes();
            }
            ["cd", name] => self.folder = path(name).canonicalize().ok()?,
            ["rm", name] => fs::remove_dir_all(path(name)).ok()?,
            ["mkdir", name] => fs::create_dir_all(path(name)).ok()?,
            ["mv", from, to] => fs::rename(path(from), path(to)).ok()?,
            ["cp", from @ .., to] => {
                for from in from {
                    let data = match *from {
                        "stdout" => self.said.clone(),
                        name => fs::read(path(name)).ok()?,
                    };
                    let mut target = path(to);
                    if target.is_dir() {
                        target.push(Path::new(from).file_name()?);
                    }
                    fs::write(target, data).ok()?;
                }
            }
            ["cmp", "stdout", name] => {
                let wanted = fs::read_to_string(path(name)).ok()?;
                let said = String::from_utf8_lossy(&self.said);
                assert_eq!(said, wanted, "{}: {name}", self.folder.display());
            }
            [program @ ("git" | "hg"), rest @ ..] => {
                self.said = self.program(program, rest)?;
            }
            _ => return None,
        }
        Some(())
    }

    fn program(&self, program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
        let ran = Command::new(program)
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", go::variable("PATH").unwrap_or_default())
            .env("HOME", &self.folder)
            .env("USER", "gopher")
            .env("HGENCODING", "utf-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("HGRCPATH", &self.hgrc)
            .envs(&self.variables)
            .output()
            .ok()?;
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{program} {arguments:?}: {said}");
        Some(ran.stdout)
    }
}
