//! A go.work as go's formatter writes it.
//!
//! Source: golang/mod `modfile/work.go`.

use std::collections::HashSet;

use super::mod_edit::{read, rewrite, take_replacements};
use super::print::print;
use super::raw_bytes::RawBytes;
use super::sort::{Counts, Keyed, drop_repeated, in_words, sort_blocks};
use super::tree::Tree;
use crate::error::Result;
use crate::gomod::modfile::WorkFile;
use crate::gomod::quote::auto_quote;

/// A go.work that is being changed.
#[derive(Clone, Debug)]
pub struct WorkEdit {
    tree: Tree,
    bytes: RawBytes,
    replace: Keyed,
}

impl WorkEdit {
    /// Takes up a go.work: the bytes, and what [`WorkFile`] has made of them.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::Kind::Input) if the bytes are not those of a go.work.
    pub fn new(file: &str, data: &[u8], parsed: &WorkFile) -> Result<WorkEdit> {
        let (mut tree, bytes) = read(file, data)?;
        for found in &parsed.use_dirs {
            let line = tree.line_at(found.line);
            rewrite(&mut tree, line, "use", &[&auto_quote(&found.path)]);
        }
        let replace = take_replacements(&mut tree, &parsed.replace);
        Ok(WorkEdit {
            tree,
            bytes,
            replace,
        })
    }

    /// Sorts the lines of each block, without repeated replacements.
    pub fn sort(&mut self) {
        let mut dead = HashSet::new();
        drop_repeated(&mut self.replace, Counts::Last, &mut dead);
        self.tree.remove(|line| dead.contains(&line));
        sort_blocks(&mut self.tree, |_| in_words);
    }

    /// The text of the file, in the standard style.
    #[must_use]
    pub fn to_bytes(&mut self) -> Vec<u8> {
        self.tree.clean();
        self.bytes.restore(&print(&self.tree))
    }
}
