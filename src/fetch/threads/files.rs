//! How many files this process may have open, and how many transfers that is enough for.

use crate::system::{open_files, raise_open_files};

/// Files that are open whatever is fetched: streams, the compute pool's, a library's own.
const RESERVED: u64 = 40;

/// At the worst, for one transfer: the connection, the temporary, its lock, and a file of a look-up
/// of names or of `list`.
const FOR_ONE: u64 = 4;

/// Raises the limit to what the system allows, as Go's runtime does; returns how many transfers
/// may then run at once, of `wanted`.
pub(in crate::fetch) fn affordable(wanted: usize) -> usize {
    raise_open_files();
    transfers(open_files(), wanted)
}

/// For a zip that is held back: its file and its lock.
const FOR_ONE_HELD: u64 = 2;

/// How many zips may be held back beside `transfers` at once, of twice as many.
pub(in crate::fetch) fn holdable(transfers: usize) -> usize {
    held(open_files(), transfers)
}

fn held(open_files: Option<u64>, transfers: usize) -> usize {
    let wanted = transfers.saturating_mul(2);
    let Some(open_files) = open_files else {
        return wanted;
    };
    let taken = u64::try_from(transfers).map_or(u64::MAX, |count| count.saturating_mul(FOR_ONE));
    let left = open_files.saturating_sub(RESERVED).saturating_sub(taken);
    usize::try_from(left / FOR_ONE_HELD).map_or(wanted, |enough_for| wanted.min(enough_for))
}

/// Of `wanted` transfers, as many as so many open files are enough for; at least one.
fn transfers(open_files: Option<u64>, wanted: usize) -> usize {
    let Some(open_files) = open_files else {
        return wanted;
    };
    let enough_for = open_files.saturating_sub(RESERVED) / FOR_ONE;
    usize::try_from(enough_for).map_or(wanted, |enough_for| wanted.min(enough_for).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_means_fewer_transfers() {
        let rows = [
            (None, 64, 64),
            (Some(1024), 64, 64),
            (Some(1024), 512, 246),
            (Some(128), 64, 22),
            (Some(64), 64, 6),
            (Some(32), 64, 1),
            (Some(0), 64, 1),
        ];
        for (open_files, wanted, want) in rows {
            assert_eq!(
                transfers(open_files, wanted),
                want,
                "{open_files:?} {wanted}"
            );
        }
    }

    #[test]
    fn what_is_held_back_leaves_the_transfers_their_files() {
        let rows = [
            (None, 64, 128),
            (Some(1024), 64, 128),
            // 450 - 40 - 4 * 64 = 154 files.
            (Some(450), 64, 77),
            (Some(128), 22, 0),
            (Some(0), 1, 0),
        ];
        for (open_files, transfers, want) in rows {
            assert_eq!(
                held(open_files, transfers),
                want,
                "{open_files:?} {transfers}"
            );
        }
    }
}
