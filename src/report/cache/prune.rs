//! What a prune removes, and what came of it.

use crate::cache::{
    Evicted, Eviction, PruneOutcome, PrunePlan, PruneReason, Pruned, RecordPiece, Space,
};
use crate::report::{JsonObject, age, human};

fn name(eviction: &Eviction) -> String {
    match &eviction.what {
        Evicted::Version(module, _) => module.to_string(),
        Evicted::Store(kind, name) => format!("{} {name}", kind.name()),
    }
}

/// What goes of a version, in words.
fn pieces(eviction: &Eviction) -> &'static str {
    let Evicted::Version(_, pieces) = &eviction.what else {
        return "all";
    };
    let has = |piece: RecordPiece| pieces.contains(&piece);
    match (
        has(RecordPiece::GoMod),
        has(RecordPiece::Zip),
        has(RecordPiece::Tree),
    ) {
        (true, ..) => "all",
        (false, true, true) => "zip and directory",
        (false, true, false) => "zip",
        (false, false, true) => "directory",
        (false, false, false) => "leftovers",
    }
}

fn reason(reason: PruneReason) -> String {
    match reason {
        PruneReason::Named => "named".to_owned(),
        PruneReason::Unused(seconds) => format!("not used for {}", age(seconds)),
        PruneReason::Unneeded => "not needed".to_owned(),
        PruneReason::OverSize(seconds) => format!("least recently used: {} ago", age(seconds)),
        PruneReason::KeptAsZip => "needed, kept as zip".to_owned(),
        PruneReason::KeptAsTree => "needed, kept as directory".to_owned(),
        PruneReason::Kind => "asked for".to_owned(),
    }
}

/// A line for people: name, bytes, what goes, why; separated by tabs, so that scripts can cut it.
#[must_use]
pub fn eviction_line(eviction: &Eviction) -> String {
    let (name, bytes) = (name(eviction), eviction.space.bytes);
    let (pieces, reason) = (pieces(eviction), reason(eviction.reason));
    format!("{name}\t{bytes}\t{pieces}\t{reason}\n")
}

/// An object for programs.
#[must_use]
pub fn eviction_json(eviction: &Eviction, outcome: Option<&PruneOutcome>) -> String {
    let mut object = JsonObject::new();
    match &eviction.what {
        Evicted::Version(module, pieces) => {
            object.string("Path", module.path().as_str());
            object.string("Version", module.version().as_str());
            let names: Vec<&str> = pieces.iter().map(|piece| piece.name()).collect();
            object.strings("Pieces", &names);
        }
        Evicted::Store(kind, name) => {
            object.string("Kind", kind.name());
            object.string("Name", name);
        }
    }
    object.number("Bytes", eviction.space.bytes);
    object.number("Files", eviction.space.files);
    object.number("LastUsed", eviction.used);
    object.string("Reason", &reason(eviction.reason));
    match outcome {
        None => {}
        Some(PruneOutcome::Removed) => object.boolean("Removed", true),
        Some(other) => {
            object.boolean("Removed", false);
            object.string("Error", &other.text());
        }
    }
    object.indented() + "\n"
}

impl PruneOutcome {
    fn text(&self) -> String {
        match self {
            PruneOutcome::Removed => String::new(),
            PruneOutcome::Locked => "another process holds its lock".to_owned(),
            PruneOutcome::Used => "it was used meanwhile".to_owned(),
            PruneOutcome::Failed(error) => error.chain(),
        }
    }
}

/// What a prune comes to.
#[derive(Clone, Copy, Debug)]
pub struct PruneReport<'p> {
    /// What was to be removed.
    pub plan: &'p PrunePlan,
    /// What was; `None` where nothing is removed.
    pub pruned: Option<&'p Pruned>,
    /// The space of the cache before.
    pub before: Space,
}

impl PruneReport<'_> {
    /// Lines for people: what was freed, and what could not be.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let (freed, count) = match self.pruned {
            Some(pruned) => (pruned.space, self.removed(pruned)),
            None => (self.plan.space(), self.plan.evictions.len()),
        };
        let verb = if self.pruned.is_some() {
            "freed"
        } else {
            "would free"
        };
        let after = self.before.without(freed);
        lines.push(format!(
            "{verb} {} in {} files of {count} {}; {} of {} stay",
            human(freed.bytes),
            freed.files,
            if count == 1 { "entry" } else { "entries" },
            human(after.bytes),
            human(self.before.bytes),
        ));
        if !self.plan.in_grace.is_empty() {
            lines.push(format!(
                "{} versions stay because they were used within the time of --grace",
                self.plan.in_grace.len()
            ));
        }
        if self.plan.excess_bytes > 0 {
            lines.push(format!(
                "still {} above --max-size: the rest is needed, was used within the time of --grace, or is of a kind that was not named",
                human(self.plan.excess_bytes)
            ));
        }
        let outcomes = self.pruned.map_or(&[][..], |pruned| &pruned.outcomes);
        for (eviction, outcome) in self.plan.evictions.iter().zip(outcomes) {
            if let PruneOutcome::Locked | PruneOutcome::Used = outcome {
                lines.push(format!("{}: stays: {}", name(eviction), outcome.text()));
            }
        }
        lines
    }

    fn removed(&self, pruned: &Pruned) -> usize {
        let outcomes = pruned.outcomes.iter();
        outcomes
            .filter(|outcome| matches!(outcome, PruneOutcome::Removed))
            .count()
    }
}
