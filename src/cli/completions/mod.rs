//! Completions for shells, made from the command tree: commands, flags, choices, and files where a flag or an
//! argument is one. Nothing is asked of the program when a key is pressed.

mod bash;
mod fish;
mod zsh;

use super::flags::Flag;
use super::tree::{CommandInfo, CommandTree, names};

/// A shell that completions can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// GNU bash, 4 or later.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}

impl Shell {
    /// The shells, by the names that they are asked for.
    pub const NAMES: &[(&str, Shell)] = &[
        ("bash", Shell::Bash),
        ("zsh", Shell::Zsh),
        ("fish", Shell::Fish),
    ];
}

/// The script for a shell.
#[must_use]
pub fn completions(tree: &CommandTree, shell: Shell) -> String {
    match shell {
        Shell::Bash => bash::script(tree),
        Shell::Zsh => zsh::script(tree),
        Shell::Fish => fish::script(tree),
    }
}

/// What a value or an argument can be completed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CompletionValues {
    /// One of these words.
    Choices(&'static [&'static str]),
    Files,
    Directories,
    /// Nothing that a shell knows.
    Unknown,
}

/// What the value of a flag can be completed with; `None` for a switch.
fn values(flag: &Flag) -> Option<CompletionValues> {
    let value = flag.value?;
    Some(match value {
        _ if !flag.choices.is_empty() => CompletionValues::Choices(flag.choices),
        "FILE" => CompletionValues::Files,
        "DIR" => CompletionValues::Directories,
        _ => CompletionValues::Unknown,
    })
}

/// What the arguments of a command can be completed with.
fn arguments(info: &CommandInfo) -> CompletionValues {
    match info.path {
        ["completions"] => CompletionValues::Choices(&["bash", "zsh", "fish"]),
        _ if info.arguments.contains("FILE") => CompletionValues::Files,
        _ => CompletionValues::Unknown,
    }
}

/// The spellings of a flag: `-j`, `--jobs`; of go's flags the one with one dash.
fn spellings(flag: &Flag) -> Vec<String> {
    let short = flag.short.map(|short| format!("-{short}"));
    short.into_iter().chain([flag.shown()]).collect()
}

/// A place in the tree: the words so far, and what may come next with its brief.
struct CompletionPoint {
    words: Vec<String>,
    next: Vec<(String, &'static str)>,
}

/// The places at which a command is not complete: the start, and below each first word of two.
fn places(tree: &CommandTree) -> Vec<CompletionPoint> {
    let mut places = vec![CompletionPoint {
        words: Vec::new(),
        next: Vec::new(),
    }];
    for info in &tree.commands {
        for name in names(info) {
            let mut words: Vec<String> = name.split(' ').map(str::to_owned).collect();
            let Some(last) = words.pop() else { continue };
            let below = !words.is_empty();
            if let [area] = words.as_slice() {
                let brief = tree.areas.iter().find(|known| known.name == area);
                let brief = brief.map_or("The commands of go mod", |area| area.brief);
                add(&mut places, &[], area, brief);
            }
            if !below || words.len() == 1 {
                add(&mut places, &words, &last, info.brief);
            }
        }
    }
    places
}

fn add(places: &mut Vec<CompletionPoint>, words: &[String], next: &str, brief: &'static str) {
    let place = match places.iter_mut().find(|place| place.words == words) {
        Some(place) => place,
        None => {
            places.push(CompletionPoint {
                words: words.to_vec(),
                next: Vec::new(),
            });
            let Some(place) = places.last_mut() else {
                return;
            };
            place
        }
    };
    if place.next.iter().all(|(known, _)| known != next) {
        place.next.push((next.to_owned(), brief));
    }
}
