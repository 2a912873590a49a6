//! What is fuzzed: for each thing that reads hostile input a function that feeds it any bytes and
//! panics if a property does not hold.
//!
//! | target | what the bytes are | what must hold, besides: no panic, bounded time and memory |
//! |---|---|---|
//! | `go_mod` | a go.mod | what is accepted and printed anew says the same; the lax reading knows it too |
//! | `go_work` | a go.work | the same |
//! | `go_sum` | a go.sum | written and read again it is the same, and is written as before; lookups agree with lines |
//! | `modules_txt` | a vendor/modules.txt | what is listed is in the text, and of a module that has packages the version is known |
//! | `info` | an `.info` | JSON for others is JSON here; what the cache gets is JSON, and reads back as the same |
//! | `goproxy` | a GOPROXY list | a refusal tells no password; URLs survive being printed; no suffix leaves the host |
//! | `list` | a version query, and the list of versions that a proxy serves | versions are in order; what is picked was listed and is allowed, and the highest or lowest |
//! | `note` | a signed note, or a text to sign and a byte to alter | only what the key signed is believed, to the byte |
//! | `tlog` | a record and a head; or a tree, hashes to prove, a bit to flip | text round trips; true tiles prove true hashes, one flipped bit is refused |
//! | `lookup` | what a lying database answers, and what lies in the cache | what is believed was logged |
//! | `bundle` | a manifest, a want file, an archive, or bits to flip in a good bundle | what is read is written the same; one flipped bit is refused, with exit code 3 or 5 |
//! | `git_pack` | a pack of git; or objects and deltas to put into one | what is indexed reads back under its name; whole objects are the ones that were put in |
//! | `module_zip` | a zip; or files and the bytes to patch in their zip | another reader sees the same files with the same h1; the tree hashes the same; nothing is written elsewhere |
//! | `template` | a template of `list -m -f` | what it prints is the same each time; text is itself; a refusal says where |
//! | `request` | what a client sends to `serve` | a head ends where it does however it comes; a path is canonical and leaves no tree; a range is part of the content |
//! | `words` | paths, versions, patterns, durations, dates | escaping has an inverse; orders are orders; what is valid is canonical |
//!
//! Both drivers take the list from here: `libfuzzer.rs`, guided by coverage, and `replay.rs`, on
//! stable, blind. Seeds are in `corpus/NAME/`, and so is what was ever found.

mod bundles;
mod git_pack;
mod logs;
mod modfiles;
mod module_zip;
mod requests;
mod served;
mod sumdb;
mod templates;
mod words;

/// The list of targets, for whoever needs an item for each: calls `$with` with names and functions.
macro_rules! for_each_target {
    ($with:ident) => {
        $with! {
            go_mod: modfiles::go_mod,
            go_work: modfiles::go_work,
            go_sum: modfiles::go_sum,
            modules_txt: modfiles::modules_txt,
            info: served::info,
            goproxy: served::goproxy,
            list: served::list,
            note: logs::note,
            tlog: logs::tlog,
            lookup: logs::lookup,
            bundle: bundles::bundle,
            git_pack: git_pack::git_pack,
            module_zip: module_zip::module_zip,
            template: templates::template,
            request: requests::request,
            words: words::words,
        }
    };
}

macro_rules! list {
    ($($name:ident: $area:ident::$function:ident,)*) => {
        /// The targets by name.
        pub(crate) const TARGETS: &[(&str, fn(&[u8]))] = &[$((stringify!($name), $area::$function)),*];
    };
}
for_each_target!(list);
#[allow(unused_imports, reason = "one of the drivers needs no items")]
pub(crate) use for_each_target;

/// Takes numbers off the front of the bytes that say what to do; zeros when there are no more.
struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for place in &mut out {
            if let Some((&first, rest)) = self.0.split_first() {
                (*place, self.0) = (first, rest);
            }
        }
        out
    }

    fn byte(&mut self) -> u8 {
        let [byte] = self.bytes();
        byte
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        u32::from_le_bytes(self.bytes()) as usize % end.max(1)
    }

    /// Up to `longest` bytes.
    fn slice(&mut self, longest: usize) -> &'a [u8] {
        let length = self.below(longest + 1).min(self.0.len());
        let (slice, rest) = self.0.split_at(length);
        self.0 = rest;
        slice
    }
}
