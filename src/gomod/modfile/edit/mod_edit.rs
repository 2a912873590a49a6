//! Changes to a go.mod that keep its comments, its blocks and its order.
//!
//! What comes out is what go's own editor would have written, to the byte: a file that both
//! programs work on does not change from one to the other.
//!
//! Source: golang/mod `modfile/rule.go`.

use std::collections::{HashMap, HashSet};

use super::print::print;
use super::raw_bytes::RawBytes;
use super::sort::{
    KeptDuplicate, Keyed, by_exclusion, by_interval, drop_repeated, in_words, sort_blocks,
};
use super::tree::{EditLine, EditTree, LineId};
use crate::error::{Error, Result};
use crate::gomod::modfile::ModFile;
use crate::gomod::modfile::comments::says_indirect;
use crate::gomod::modfile::directive::{Replace, Replacement};
use crate::gomod::modfile::problem::report;
use crate::gomod::quote::auto_quote;
use crate::gomod::{ModuleVersion, compare};

/// A requirement that a go.mod is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The module and its lowest version.
    pub module: ModuleVersion,
    /// Whether it is to be marked `// indirect`.
    pub indirect: bool,
}

/// A requirement that a go.mod has.
#[derive(Clone, Debug)]
pub(super) struct RequireEntry {
    pub(super) path: String,
    pub(super) line: LineId,
}

/// A go.mod that is being changed.
#[derive(Clone, Debug)]
pub struct ModEdit {
    pub(super) tree: EditTree,
    bytes: RawBytes,
    module: Option<LineId>,
    go: Option<(String, LineId)>,
    toolchain: Option<LineId>,
    pub(super) require: Vec<RequireEntry>,
    exclude: Keyed,
    replace: Keyed,
    tool: Keyed,
    ignore: Keyed,
}

impl ModEdit {
    /// Takes up a go.mod: the bytes, and what [`ModFile`] has made of them. Versions in it become
    /// those of `parsed`: the answers, where the file has queries.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::Kind::Input) if the bytes are not those of a go.mod.
    pub fn new(file: &str, data: &[u8], parsed: &ModFile) -> Result<ModEdit> {
        let (tree, bytes) = read(file, data)?;
        let mut edit = ModEdit {
            tree,
            bytes,
            module: None,
            go: None,
            toolchain: None,
            require: Vec::new(),
            exclude: Vec::new(),
            replace: Vec::new(),
            tool: Vec::new(),
            ignore: Vec::new(),
        };
        edit.take_up(parsed);
        Ok(edit)
    }

    fn take_up(&mut self, parsed: &ModFile) {
        let tree = &mut self.tree;
        if let Some(module) = &parsed.module {
            self.module = tree.line_at(module.line);
            rewrite(tree, self.module, "module", &[&auto_quote(&module.path)]);
        }
        let go = parsed.go.as_ref();
        self.go = go.and_then(|go| Some((go.version.to_string(), tree.line_at(go.line)?)));
        let toolchain = parsed.toolchain.as_ref();
        self.toolchain = toolchain.and_then(|toolchain| tree.line_at(toolchain.line));
        for require in &parsed.require {
            let (path, version) = (require.module.path(), require.module.version());
            let Some(line) = tree.line_at(require.line) else {
                continue;
            };
            let path = path.to_string();
            let tokens = [&*auto_quote(&path), version.as_str()];
            rewrite(tree, Some(line), "require", &tokens);
            self.require.push(RequireEntry { path, line });
        }
        for exclude in &parsed.exclude {
            let (path, version) = (exclude.module.path(), exclude.module.version());
            let line = tree.line_at(exclude.line);
            let tokens = [&*auto_quote(path.as_str()), version.as_str()];
            rewrite(tree, line, "exclude", &tokens);
            let key = exclude.module.to_string();
            self.exclude.extend(line.map(|line| (key, line)));
        }
        self.replace = take_replacements(tree, &parsed.replace);
        for retract in &parsed.retract {
            let line = tree.line_at(retract.line);
            let (low, high) = (retract.low.as_str(), retract.high.as_str());
            let single = line.is_some_and(|line| !tree.line(line).tokens.iter().any(|t| t == "["));
            let tokens: &[&str] = if single {
                &[low]
            } else {
                &["[", low, ",", high, "]"]
            };
            rewrite(tree, line, "retract", tokens);
        }
        for tool in &parsed.tool {
            let line = tree.line_at(tool.line);
            rewrite(tree, line, "tool", &[&auto_quote(&tool.path)]);
            self.tool.extend(line.map(|line| (tool.path.clone(), line)));
        }
        for ignore in &parsed.ignore {
            let line = tree.line_at(ignore.line);
            rewrite(tree, line, "ignore", &[&auto_quote(&ignore.path)]);
            self.ignore
                .extend(line.map(|line| (ignore.path.clone(), line)));
        }
    }

    /// Sets the `go` line, or adds one below the `module` line.
    pub fn set_go(&mut self, version: &str) {
        match &mut self.go {
            Some((text, line)) => {
                version.clone_into(text);
                self.tree.update(*line, "go", &[version]);
            }
            None => {
                let line = self.tree.add(self.module, "go", &[version]);
                self.go = Some((version.to_owned(), line));
            }
        }
    }

    /// Sets the `toolchain` line, or adds one below the `go` line; `None` takes it out.
    pub fn set_toolchain(&mut self, name: Option<&str>) {
        match (name, self.toolchain) {
            (Some(name), Some(line)) => self.tree.update(line, "toolchain", &[name]),
            (Some(name), None) => {
                let hint = self.go.as_ref().map(|(_, line)| *line).or(self.module);
                self.toolchain = Some(self.tree.add(hint, "toolchain", &[name]));
            }
            (None, Some(line)) => {
                self.tree.kill(line);
                self.toolchain = None;
            }
            (None, None) => {}
        }
    }

    /// Makes `wanted` the requirements, one a path. Each stays where its path is; new ones are
    /// added to the last block.
    pub fn set_require(&mut self, wanted: &[Requirement]) {
        let mut need: HashMap<&str, &Requirement> = by_path(wanted);
        for entry in std::mem::take(&mut self.require) {
            match need.remove(&*entry.path) {
                Some(requirement) => {
                    set(self.tree.line_mut(entry.line), requirement);
                    self.require.push(entry);
                }
                None => self.tree.kill(entry.line),
            }
        }
        for requirement in wanted {
            let path = requirement.module.path().as_str();
            if need.remove(path).is_none() {
                continue;
            }
            let version = requirement.module.version().as_str();
            let tokens = [&*auto_quote(path), version];
            let line = self.tree.add(None, "require", &tokens);
            mark(self.tree.line_mut(line), requirement.indirect);
            let path = path.to_owned();
            self.require.push(RequireEntry { path, line });
        }
        self.sort();
    }

    /// Sorts the lines of each block, without repeated ones where go takes these for the same.
    pub fn sort(&mut self) {
        let mut dead = HashSet::new();
        for list in [&mut self.exclude, &mut self.tool, &mut self.ignore] {
            drop_repeated(list, KeptDuplicate::First, &mut dead);
        }
        drop_repeated(&mut self.replace, KeptDuplicate::Last, &mut dead);
        self.tree.remove(|line| dead.contains(&line));
        let go = self.go.as_ref().map(|(go, _)| format!("v{go}"));
        let exclude = match go {
            Some(go) if compare(&go, "v1.21").is_ge() => by_exclusion,
            _ => in_words,
        };
        sort_blocks(&mut self.tree, |verb| match verb {
            "exclude" => exclude,
            "retract" => by_interval,
            _ => in_words,
        });
    }

    /// The text of the file, in the standard style.
    #[must_use]
    pub fn to_bytes(&mut self) -> Vec<u8> {
        self.tree.clean();
        self.bytes.restore(&print(&self.tree))
    }
}

/// Gives a line the tokens that go would give it on reading: unquoted where that is possible,
/// versions in full.
pub(super) fn rewrite(tree: &mut EditTree, line: Option<LineId>, verb: &str, arguments: &[&str]) {
    if let Some(line) = line {
        tree.update(line, verb, arguments);
    }
}

pub(super) fn take_replacements(tree: &mut EditTree, replacements: &[Replace]) -> Keyed {
    let mut found = Vec::new();
    for replace in replacements {
        let (new, new_version) = match &replace.with {
            Replacement::Module(module) => (module.path().as_str(), Some(module.version())),
            Replacement::Directory(path) => (&**path, None),
        };
        let (old, new) = (auto_quote(replace.path.as_str()), auto_quote(new));
        let mut tokens = vec![&*old];
        tokens.extend(replace.version.as_ref().map(|version| version.as_str()));
        tokens.extend(["=>", &*new]);
        tokens.extend(new_version.map(|version| version.as_str()));
        let line = tree.line_at(replace.line);
        rewrite(tree, line, "replace", &tokens);
        let version = replace
            .version
            .as_ref()
            .map_or("", |version| version.as_str());
        let key = format!("{}@{version}", replace.path);
        found.extend(line.map(|line| (key, line)));
    }
    found
}

pub(super) fn by_path(wanted: &[Requirement]) -> HashMap<&str, &Requirement> {
    let named = |requirement| -> (&str, &Requirement) {
        let requirement: &Requirement = requirement;
        (requirement.module.path().as_str(), requirement)
    };
    wanted.iter().map(named).collect()
}

/// Gives the line of a requirement its version and its mark.
pub(super) fn set(line: &mut EditLine, requirement: &Requirement) {
    // A block's lines are sorted anew, and a blank line would go with the one below it.
    if line.in_block && line.comments.before.len() == 1 && line.comments.before[0].is_empty() {
        line.comments.before.clear();
    }
    let place = if line.in_block { 1 } else { 2 };
    if let Some(version) = line.tokens.get_mut(place) {
        requirement.module.version().as_str().clone_into(version);
    }
    mark(line, requirement.indirect);
}

fn after_slashes(comment: &str) -> &str {
    comment.strip_prefix("//").unwrap_or(comment)
}

/// True for `// indirect` and `// indirect; anything`.
pub(super) fn is_indirect(line: &EditLine) -> bool {
    let first = line.comments.suffix.first();
    first.is_some_and(|comment| says_indirect(comment))
}

/// Sets or takes out the mark `// indirect`, and keeps what else the comment says.
pub(super) fn mark(line: &mut EditLine, indirect: bool) {
    if is_indirect(line) == indirect {
        return;
    }
    let Some(comment) = line.comments.suffix.first_mut() else {
        line.comments.suffix.push("// indirect".to_owned());
        return;
    };
    let text = after_slashes(comment).trim();
    if indirect {
        *comment = match text {
            "" => "// indirect".to_owned(),
            text => format!("// indirect; {text}"),
        };
    } else if text == "indirect" {
        line.comments.suffix.clear();
    } else if let Some((_, rest)) = comment.split_once("indirect;") {
        *comment = format!("//{rest}");
    }
}

/// Reads the bytes of a file into a tree.
pub(super) fn read(file: &str, data: &[u8]) -> Result<(EditTree, RawBytes)> {
    let (text, bytes) = RawBytes::take(data);
    let tree = EditTree::parse(file, &text).map_err(|problem| {
        let (kind, text, _) = report(file, vec![problem]);
        Error::new(kind, format!("errors parsing {file}:\n{text}"))
    })?;
    Ok((tree, bytes))
}
