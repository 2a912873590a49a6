//! What one `prune` evicts: a pure function from what the cache holds, the rules and the time.

use std::collections::BTreeMap;

use super::rules::{KeptForm, PruneLevel, PruneRules};
use crate::cache::{Inventory, RecordPiece, Space, SpaceKind, StoreRecord, VersionRecord};
use crate::gomod::ModuleVersion;

/// Why something is evicted. The first rule that selected it, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PruneReason {
    /// It was named.
    Named,
    /// It was not used for so many seconds.
    Unused(u64),
    /// No project needs it.
    Unneeded,
    /// It is among the least recently used, and the cache is too large; unused for so many seconds.
    OverSize(u64),
    /// It is needed, and stays as a zip.
    KeptAsZip,
    /// It is needed, and stays as a directory.
    KeptAsTree,
    /// Its kind was asked for.
    Kind,
}

/// What is evicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evicted {
    /// Pieces of a module version, sorted.
    Version(ModuleVersion, Vec<RecordPiece>),
    /// A repository, or what is cached of a checksum database, by the name of its directory.
    Store(SpaceKind, String),
}

/// One thing that is evicted, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// What.
    pub what: Evicted,
    /// What that frees.
    pub space: Space,
    /// When it was last used, in seconds since 1970. If it is used later than that, it stays.
    pub used: u64,
    /// Why.
    pub reason: PruneReason,
}

/// What is to be evicted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrunePlan {
    /// Module versions in their order, then repositories and checksum databases.
    pub evictions: Vec<Eviction>,
    /// Versions that the rules select and that were used within the time of grace.
    pub in_grace: Vec<ModuleVersion>,
    /// Bytes above the wanted size that nothing is allowed to free.
    pub excess_bytes: u64,
}

impl PrunePlan {
    /// Decides. `now` is in seconds since 1970.
    #[must_use]
    pub fn new(inventory: &Inventory, rules: &PruneRules, now: u64) -> PrunePlan {
        let mut planner = Planner {
            rules,
            now,
            taken: BTreeMap::new(),
            plan: PrunePlan::default(),
        };
        let candidates = planner.candidates(&inventory.versions);
        let stores = planner.stores(&inventory.stores);
        match rules.max_bytes {
            None => {
                for candidate in &candidates {
                    planner.take_all(candidate);
                }
                for store in stores {
                    planner.take_store(store);
                }
            }
            Some(limit) => {
                let excess = inventory.total().bytes.saturating_sub(limit);
                planner.shrink(candidates, stores, excess);
            }
        }
        planner.trim_kept(&inventory.versions);
        planner.finish()
    }

    /// What is freed by all of it.
    #[must_use]
    pub fn space(&self) -> Space {
        self.evictions.iter().map(|eviction| eviction.space).sum()
    }
}

/// A version of which something may go.
struct Candidate<'r> {
    record: &'r VersionRecord,
    /// Zip and directory may go.
    content: bool,
    /// The rest may, too.
    metadata: bool,
}

struct Planner<'p> {
    rules: &'p PruneRules,
    now: u64,
    /// What goes of each version.
    taken: BTreeMap<&'p ModuleVersion, (&'p VersionRecord, Vec<RecordPiece>, PruneReason)>,
    plan: PrunePlan,
}

const CONTENT: [RecordPiece; 4] = [
    RecordPiece::Zip,
    RecordPiece::ZipHash,
    RecordPiece::Tree,
    RecordPiece::Unfinished,
];

impl<'p> Planner<'p> {
    /// The versions that the rules select.
    fn candidates(&mut self, versions: &'p [VersionRecord]) -> Vec<Candidate<'p>> {
        let mut candidates = Vec::new();
        for record in versions {
            if !self.selects(record) {
                continue;
            }
            let keep = self.rules.keep.as_ref();
            let needs_content = keep.is_some_and(|keep| keep.needs_content(&record.module));
            let needs_gomod = keep.is_some_and(|keep| keep.needs_gomod(&record.module));
            let content = !needs_content && self.is_old(record.content_used);
            // Without its content a version needs no metadata, whose time is a bound, too.
            let metadata = !needs_gomod && content && self.is_old(record.last_used());
            let (spared_content, spared_metadata) = (
                content && self.is_in_grace(record.content_used),
                metadata && self.is_in_grace(record.last_used()),
            );
            if spared_content {
                self.plan.in_grace.push(record.module.clone());
            }
            let content = content && !spared_content;
            let metadata = metadata && !spared_content && !spared_metadata;
            if content && !record.is_gomod_only() || metadata {
                candidates.push(Candidate {
                    record,
                    content,
                    metadata,
                });
            }
        }
        candidates
    }

    /// True if the rules are about this version at all, needed or not, used or not.
    fn selects(&self, record: &VersionRecord) -> bool {
        let rules = self.rules;
        let is_named = rules.names.iter().any(|name| name.matches(&record.module));
        match record.is_toolchain() {
            true => is_named || rules.toolchains && rules.names.is_empty(),
            false => rules.selects_modules() && (is_named || rules.names.is_empty()),
        }
    }

    fn age(&self, used: u64) -> u64 {
        self.now.saturating_sub(used)
    }

    fn is_old(&self, used: u64) -> bool {
        self.rules
            .older
            .is_none_or(|older| self.age(used) >= older.as_secs())
    }

    fn is_in_grace(&self, used: u64) -> bool {
        self.age(used) < self.rules.grace.as_secs()
    }

    fn reason(&self, used: u64) -> PruneReason {
        let rules = self.rules;
        match () {
            () if !rules.names.is_empty() => PruneReason::Named,
            () if rules.max_bytes.is_some() => PruneReason::OverSize(self.age(used)),
            () if rules.older.is_some() => PruneReason::Unused(self.age(used)),
            () if rules.keep.is_some() => PruneReason::Unneeded,
            () => PruneReason::Kind,
        }
    }

    /// The pieces of a version that one step takes, of those that are there and still stay.
    fn pieces(&self, candidate: &Candidate<'p>, step: Step) -> Vec<RecordPiece> {
        let record = candidate.record;
        let stays = |piece: RecordPiece| record.has(piece) && !self.is_taken(record, piece);
        let tree = stays(RecordPiece::Tree) && !record.is_partial;
        let zip = stays(RecordPiece::Zip);
        let pieces: &[RecordPiece] = match step {
            Step::Tree if zip => &[RecordPiece::Tree],
            Step::ZipWithTree if tree => &[RecordPiece::Zip],
            Step::Content if candidate.content => &CONTENT,
            Step::Whole if candidate.metadata => &RecordPiece::ALL,
            Step::Tree | Step::ZipWithTree | Step::Content | Step::Whole => &[],
        };
        let pieces = pieces.iter().copied();
        pieces.filter(|piece| stays(*piece)).collect()
    }

    fn is_taken(&self, record: &VersionRecord, piece: RecordPiece) -> bool {
        let taken = self.taken.get(&record.module);
        taken.is_some_and(|(_, pieces, _)| pieces.contains(&piece))
    }

    /// Takes what one step may take; returns the bytes that this frees.
    fn take(&mut self, candidate: &Candidate<'p>, step: Step, reason: PruneReason) -> u64 {
        let record = candidate.record;
        let pieces = self.pieces(candidate, step);
        let freed = pieces.iter().map(|piece| record.space(*piece).bytes).sum();
        if !pieces.is_empty() {
            let taken = self.taken.entry(&record.module);
            let (_, taken, _) = taken.or_insert_with(|| (record, Vec::new(), reason));
            taken.extend(pieces);
        }
        freed
    }

    /// Takes all that the level allows.
    fn take_all(&mut self, candidate: &Candidate<'p>) {
        let reason = self.reason(candidate.record.content_used.max(match candidate.content {
            true => 0,
            false => candidate.record.gomod_used,
        }));
        for step in self.steps() {
            self.take(candidate, *step, reason);
        }
    }

    /// What the level allows, cheapest first.
    fn steps(&self) -> &'static [Step] {
        match self.rules.level {
            PruneLevel::Extracted => &[Step::Tree],
            PruneLevel::Zips => &[Step::ZipWithTree],
            PruneLevel::All => &[Step::Tree, Step::Content, Step::Whole],
        }
    }

    /// Takes the least recently used until `excess` bytes are freed: step after step over all
    /// versions, so that nothing is lost that the cheaper step could have freed.
    fn shrink(
        &mut self,
        mut candidates: Vec<Candidate<'p>>,
        mut stores: Vec<&'p StoreRecord>,
        mut excess: u64,
    ) {
        candidates.sort_by_key(|candidate| candidate.record.content_used);
        for step in self.steps() {
            for candidate in &candidates {
                if excess == 0 {
                    return;
                }
                let reason = self.reason(candidate.record.content_used);
                excess = excess.saturating_sub(self.take(candidate, *step, reason));
            }
        }
        stores.sort_by_key(|store| store.used);
        for store in stores {
            if excess == 0 {
                return;
            }
            excess = excess.saturating_sub(store.space.bytes);
            self.take_store(store);
        }
        self.plan.excess_bytes = excess;
    }

    /// Of versions that stay because they are needed, takes the form that is not wanted.
    fn trim_kept(&mut self, versions: &'p [VersionRecord]) {
        let (Some(form), Some(keep)) = (self.rules.form, self.rules.keep.as_ref()) else {
            return;
        };
        let (step, reason) = match form {
            KeptForm::Zips => (Step::Tree, PruneReason::KeptAsZip),
            KeptForm::Trees => (Step::ZipWithTree, PruneReason::KeptAsTree),
        };
        for record in versions
            .iter()
            .filter(|record| keep.needs_content(&record.module))
        {
            if self.is_in_grace(record.content_used) {
                continue;
            }
            let candidate = Candidate {
                record,
                content: true,
                metadata: false,
            };
            self.take(&candidate, step, reason);
        }
    }

    /// The repositories and databases that the rules select.
    fn stores(&self, stores: &'p [StoreRecord]) -> Vec<&'p StoreRecord> {
        let selected = stores.iter().filter(|store| match store.kind {
            SpaceKind::Vcs => self.rules.vcs,
            _ => self.rules.sumdb,
        });
        let idle =
            selected.filter(|store| self.is_old(store.used) && !self.is_in_grace(store.used));
        idle.collect()
    }

    fn take_store(&mut self, store: &StoreRecord) {
        let reason = match (self.rules.max_bytes, self.rules.older) {
            (Some(_), _) => PruneReason::OverSize(self.age(store.used)),
            (None, Some(_)) => PruneReason::Unused(self.age(store.used)),
            (None, None) => PruneReason::Kind,
        };
        self.plan.evictions.push(Eviction {
            what: Evicted::Store(store.kind, store.name.clone()),
            space: store.space,
            used: store.used,
            reason,
        });
    }

    fn finish(mut self) -> PrunePlan {
        let versions = self
            .taken
            .into_values()
            .map(|(record, mut pieces, reason)| {
                pieces.sort_unstable();
                let keeps_gomod = !pieces.contains(&RecordPiece::GoMod);
                Eviction {
                    space: pieces.iter().map(|piece| record.space(*piece)).sum(),
                    what: Evicted::Version(record.module.clone(), pieces),
                    used: match keeps_gomod {
                        true => record.content_used,
                        false => record.last_used(),
                    },
                    reason,
                }
            });
        let stores = std::mem::take(&mut self.plan.evictions);
        self.plan.evictions = versions.chain(stores).collect();
        self.plan
    }
}

/// One way to free space, the cheapest to undo first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The directory of a version whose zip is there.
    Tree,
    /// The zip of a version whose directory is there.
    ZipWithTree,
    /// Zip, its hash and the directory.
    Content,
    /// All that is left.
    Whole,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::rules::{KeepSet, NamePattern};
    use super::*;
    use crate::cache::record::TreeStamp;

    const DAY: u64 = 24 * 60 * 60;
    const NOW: u64 = 1000 * DAY;

    fn module(name: &str) -> ModuleVersion {
        let (path, version) = name.split_once('@').unwrap();
        ModuleVersion::parse(path, version).unwrap()
    }

    /// A version with pieces by the letters of their names: i, m, z, h (ziphash), d (directory). A
    /// directory has 1000 bytes, a zip 100, the others 1.
    fn record(name: &str, pieces: &str, content_days: u64, gomod_days: u64) -> VersionRecord {
        let mut record = VersionRecord::empty(module(name));
        for (letter, piece) in "imzhd".chars().zip(RecordPiece::ALL) {
            if pieces.contains(letter) {
                let bytes = match piece {
                    RecordPiece::Tree => 1000,
                    RecordPiece::Zip => 100,
                    _ => 1,
                };
                *record.space_mut(piece) = Space { bytes, files: 1 };
            }
        }
        if pieces.contains('d') {
            record.stamp = TreeStamp {
                inode: 1,
                changed_ns: 1,
            };
        }
        if !record.is_gomod_only() {
            record.content_used = NOW - content_days * DAY;
        }
        record.gomod_used = NOW - gomod_days * DAY;
        record
    }

    fn inventory() -> Inventory {
        let store = |kind, name: &str, days: u64| StoreRecord {
            kind,
            name: name.to_owned(),
            space: Space {
                bytes: 10,
                files: 1,
            },
            used: NOW - days * DAY,
        };
        Inventory {
            taken: NOW,
            versions: vec![
                record("a.com/new@v1.0.0", "imzhd", 0, 0),
                record("a.com/old@v1.0.0", "imzhd", 90, 90),
                // Its go.mod is still read as part of a graph.
                record("a.com/old@v1.1.0", "imzhd", 60, 2),
                record("b.com/mod@v1.0.0", "m", 0, 50),
                record("b.com/tree@v1.0.0", "imhd", 40, 40),
                record("b.com/zip@v1.0.0", "imzh", 80, 80),
                record(
                    "golang.org/toolchain@v0.0.1-go1.26.0.linux-amd64",
                    "zhd",
                    70,
                    70,
                ),
                record(
                    "golang.org/toolchain@v0.0.1-go1.27.4.linux-amd64",
                    "zhd",
                    70,
                    70,
                ),
            ],
            stores: vec![
                store(SpaceKind::Vcs, "aa", 5),
                store(SpaceKind::Vcs, "bb", 50),
                store(SpaceKind::Sumdb, "sum.example.com", 5),
            ],
            rest: BTreeMap::new(),
            keeps_access_times: true,
        }
    }

    /// What goes, a line each: the last element of the name, the pieces as letters.
    fn plan(rules: &PruneRules) -> Vec<String> {
        let plan = PrunePlan::new(&inventory(), rules, NOW);
        let lines = plan.evictions.iter().map(|eviction| match &eviction.what {
            Evicted::Version(module, pieces) => {
                let letter = |piece: &RecordPiece| "imzhd".chars().nth(*piece as usize).unwrap();
                let pieces: String = pieces.iter().map(letter).collect();
                let name = module.to_string();
                format!("{} {pieces}", name.split_once('/').unwrap().1)
            }
            Evicted::Store(kind, name) => format!("{} {name}", kind.name()),
        });
        lines.collect()
    }

    fn rules() -> PruneRules {
        PruneRules {
            grace: Duration::from_secs(DAY),
            ..PruneRules::default()
        }
    }

    fn days(days: u64) -> Option<Duration> {
        Some(Duration::from_secs(days * DAY))
    }

    #[test]
    fn nothing_goes_without_a_rule() {
        assert!(!rules().selects_something());
        assert_eq!(plan(&rules()), [] as [&str; 0]);
        let level = PruneLevel::Extracted;
        assert_eq!(plan(&PruneRules { level, ..rules() }), [] as [&str; 0]);
    }

    #[test]
    fn age_counts_for_content_and_go_mod_apart() {
        let older = PruneRules {
            older: days(30),
            ..rules()
        };
        let want = [
            "old@v1.0.0 imzhd",
            "old@v1.1.0 zhd",
            "mod@v1.0.0 m",
            "tree@v1.0.0 imhd",
            "zip@v1.0.0 imzh",
        ];
        assert_eq!(plan(&older), want);
        let extracted = PruneRules {
            level: PruneLevel::Extracted,
            ..older.clone()
        };
        // What has no zip could not be made again.
        assert_eq!(plan(&extracted), ["old@v1.0.0 d", "old@v1.1.0 d"]);
        let zips = PruneRules {
            level: PruneLevel::Zips,
            ..older.clone()
        };
        assert_eq!(plan(&zips), ["old@v1.0.0 z", "old@v1.1.0 z"]);
        let all = PruneRules {
            toolchains: true,
            vcs: true,
            sumdb: true,
            ..older
        };
        let more = [
            "toolchain@v0.0.1-go1.26.0.linux-amd64 zhd",
            "toolchain@v0.0.1-go1.27.4.linux-amd64 zhd",
            "vcs bb",
        ];
        assert_eq!(plan(&all), [&want[..], &more[..]].concat());
    }

    #[test]
    fn a_size_is_reached_by_the_cheapest_step_and_the_oldest_first() {
        let total = inventory().total().bytes;
        let to = |freed: u64| {
            let max_bytes = Some(total - freed);
            PruneRules {
                max_bytes,
                ..rules()
            }
        };
        assert_eq!(plan(&to(0)), [] as [&str; 0]);
        assert_eq!(plan(&to(1)), ["old@v1.0.0 d"]);
        assert_eq!(plan(&to(1001)), ["old@v1.0.0 d", "old@v1.1.0 d"]);
        let zips = ["old@v1.0.0 zhd", "old@v1.1.0 d"];
        assert_eq!(plan(&to(2001)), zips);
        // The directory without zip goes with the zips, in its turn.
        let trees = [
            "old@v1.0.0 zhd",
            "old@v1.1.0 zhd",
            "tree@v1.0.0 hd",
            "zip@v1.0.0 zh",
        ];
        assert_eq!(plan(&to(2304)), trees);
        let plan = PrunePlan::new(&inventory(), &to(total), NOW);
        let freed = plan.space().bytes;
        assert_eq!(
            plan.excess_bytes,
            total - freed,
            "the rest is in use or was not selected"
        );
    }

    #[test]
    fn what_projects_need_stays() {
        let keep = KeepSet {
            content: [module("a.com/old@v1.0.0")].into(),
            gomods: [module("a.com/old@v1.1.0"), module("b.com/mod@v1.0.0")].into(),
            toolchains: ["go1.27.4".to_owned()].into(),
        };
        let kept = PruneRules {
            keep: Some(keep),
            ..rules()
        };
        let want = ["old@v1.1.0 zhd", "tree@v1.0.0 imhd", "zip@v1.0.0 imzh"];
        assert_eq!(plan(&kept), want);
        let old = PruneRules {
            older: days(70),
            toolchains: true,
            ..kept.clone()
        };
        let want = [
            "zip@v1.0.0 imzh",
            "toolchain@v0.0.1-go1.26.0.linux-amd64 zhd",
        ];
        assert_eq!(plan(&old), want);
        let ci = |form| PruneRules {
            form: Some(form),
            grace: Duration::ZERO,
            toolchains: true,
            vcs: true,
            sumdb: true,
            ..kept.clone()
        };
        let others = |first: &str, toolchain: &str| {
            let kept = format!("toolchain@v0.0.1-go1.27.4.linux-amd64 {toolchain}");
            let lines = [
                "new@v1.0.0 imzhd",
                first,
                "old@v1.1.0 zhd",
                "tree@v1.0.0 imhd",
                "zip@v1.0.0 imzh",
                "toolchain@v0.0.1-go1.26.0.linux-amd64 zhd",
                &kept,
                "vcs aa",
                "vcs bb",
                "sumdb sum.example.com",
            ];
            lines.map(str::to_owned)
        };
        assert_eq!(plan(&ci(KeptForm::Zips)), others("old@v1.0.0 d", "d"));
        assert_eq!(plan(&ci(KeptForm::Trees)), others("old@v1.0.0 z", "z"));
    }

    #[test]
    fn names_select_and_grace_spares() {
        let named = |names: &[&str], grace: u64| PruneRules {
            names: names
                .iter()
                .map(|name| NamePattern::parse(name).unwrap())
                .collect(),
            grace: Duration::from_secs(grace * DAY),
            ..rules()
        };
        assert_eq!(plan(&named(&["a.com/old@v1.0.0"], 1)), ["old@v1.0.0 imzhd"]);
        // The go.mod of one was used in the time of grace.
        let want = ["old@v1.0.0 imzhd", "old@v1.1.0 zhd"];
        assert_eq!(plan(&named(&["a.com/..."], 3)), want);
        let plan_of = |rules: &PruneRules| PrunePlan::new(&inventory(), rules, NOW);
        assert_eq!(
            plan_of(&named(&["a.com/..."], 1)).in_grace,
            [module("a.com/new@v1.0.0")]
        );
        let want = ["toolchain@v0.0.1-go1.26.0.linux-amd64 zhd"];
        let name = "golang.org/toolchain@v0.0.1-go1.26.0.linux-amd64";
        assert_eq!(plan(&named(&[name], 1)), want);
        for bad in ["", "@v1.0.0", "a.com/a@"] {
            assert!(NamePattern::parse(bad).is_err(), "{bad}");
        }
    }
}
