//! The database of a bundle beside what the importing machine has seen of that database.
//!
//! The machine's own head is never given up: it shows when a database forks. So everything that a
//! bundle brings is proven a second time, by the client that fetches would use, with that head:
//!
//! | the machine's head | what happens |
//! |---|---|
//! | none, or the same | the bundle's head becomes the machine's |
//! | older | the same, if the bundle proves that it continues that one (`--since`) |
//! | newer | the records get the machine's own head; its tiles and the bundle's must prove them |

use super::reader::{BundleHead, normal_response};
use super::tile_spool::TileSpool;
use crate::error::{Error, Kind, Result};
use crate::gomod::ModuleVersion;
use crate::sumdb::note::NoteVerifier;
use crate::sumdb::tlog::{LogTree, Record};
use crate::sumdb::{SumDbClient, TileStore, lookup_file};

/// What a machine has seen of a database, and a bundle that is added to it.
pub(super) struct Timeline {
    client: SumDbClient,
    verifier: NoteVerifier,
    spool: TileSpool,
    /// The head of the bundle.
    theirs: Option<BundleHead>,
    /// The head that records get.
    head: Option<BundleHead>,
    /// How to name the machine's head in a hint.
    saved: String,
}

impl Timeline {
    /// Opens the timeline that `store` keeps. `saved` names the file with its head.
    pub(super) fn new(
        verifier: NoteVerifier,
        store: impl TileStore + 'static,
        spool: TileSpool,
        saved: String,
    ) -> Timeline {
        Timeline {
            client: SumDbClient::new(verifier.clone(), store, Box::new(spool.clone())),
            verifier,
            spool,
            theirs: None,
            head: None,
            saved,
        }
    }

    /// The head of the bundle, whose signature was checked.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn add_head(&mut self, head: &BundleHead) -> Result<()> {
        let ours = self.ours()?;
        let is_ahead = ours
            .as_ref()
            .is_some_and(|ours| ours.tree.size > head.tree.size);
        self.head = ours.filter(|_| is_ahead).or_else(|| Some(head.clone()));
        self.theirs = Some(head.clone());
        Ok(())
    }

    fn ours(&self) -> Result<Option<BundleHead>> {
        let Some(note) = self.client.head()? else {
            return Ok(None);
        };
        // The client has checked it.
        let text = self.verifier.open(&note);
        let tree = text.ok().and_then(|text| LogTree::parse(text).ok());
        Ok(tree.map(|tree| BundleHead { note, tree }))
    }

    /// True if the machine has seen a newer head than the bundle has.
    pub(super) fn is_ahead(&self) -> bool {
        let size = |head: &Option<BundleHead>| head.as_ref().map(|head| head.tree.size);
        size(&self.head) > size(&self.theirs)
    }

    /// Makes the bundle's head the machine's, when all tiles have come. Does nothing if the machine
    /// is ahead.
    ///
    /// # Errors
    /// [`Kind::Security`] if the two heads are of two logs; [`Kind::Offline`] if a tile is missing.
    pub(super) fn merge(&self) -> Result<()> {
        match &self.theirs {
            Some(head) if !self.is_ahead() => {
                let merged = self.client.merge_head(&head.note).map(drop);
                merged.map_err(|error| self.explain(error))
            }
            _ => Ok(()),
        }
    }

    /// Proves a record with the machine's head, and keeps what proves it. `response` is proven
    /// under the bundle's head.
    ///
    /// # Errors
    /// As [`Timeline::merge`].
    pub(super) fn add_record(&self, module: &ModuleVersion, response: &[u8]) -> Result<()> {
        let Some(head) = &self.head else {
            return Ok(());
        };
        let refused = |why: &dyn std::fmt::Display| Error::new(Kind::Security, why.to_string());
        let record = Record::parse(response).map_err(|why| refused(&why))?;
        let response = normal_response(record.id, record.text, &head.note);
        let file = lookup_file(module)?;
        self.spool.answer(&file, response);
        let sums = self.client.lookup(module);
        let sums = sums.map_err(|error| self.explain(error))?;
        match sums.text() == record.text {
            true => Ok(()),
            // What was kept before is proven as well: the log has two records about one module.
            false => {
                let text = format!("{module}: the database has logged it twice, with other sums");
                Err(Error::new(Kind::Security, text))
            }
        }
    }

    /// Says which heads do not go together where a tile is missing, and what would.
    fn explain(&self, error: Error) -> Error {
        if error.kind() != Kind::Network {
            return error;
        }
        let size =
            |head: Option<u64>| head.map_or("none".to_owned(), |size| format!("tree#{size}"));
        let ours = self.ours().ok().flatten().map(|head| head.tree.size);
        let theirs = self.theirs.as_ref().map(|head| head.tree.size);
        let (name, saved) = (self.client.name(), &self.saved);
        let text = format!(
            "this machine has seen {} of {name}, and the bundle is made for {}: {}",
            size(ours),
            size(theirs),
            error.chain()
        );
        Error::new(Kind::Offline, text).hint(format!(
            "carry a copy of {saved} to where the bundle is made, and make it with: modfetch \
             bundle create --since COPY"
        ))
    }
}
