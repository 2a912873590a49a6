//! How much of a large comparison a run does: a sample, or all of it with `MODFETCH_CASES` set.
//!
//! Most of the time of these tests is that of real go commands, a hundred milliseconds each; the
//! tables have thousands. A sample is the same in every run, and takes from every part of a table.

use super::go::variable;

/// How many cases `MODFETCH_CASES` demands; `None` in a quick run.
///
/// # Panics
/// If that is no number.
pub fn demanded_cases() -> Option<u64> {
    variable("MODFETCH_CASES").map(|text| text.parse().expect("MODFETCH_CASES is a number"))
}

/// All of them if `MODFETCH_CASES` is set, else `quick` of them, others in each `round`.
pub fn sample<T>(round: usize, quick: usize, all: impl IntoIterator<Item = T>) -> Vec<T> {
    let all: Vec<T> = all.into_iter().collect();
    let count = all.len();
    if demanded_cases().is_some() || quick >= count {
        return all;
    }
    // A prime beyond any table: the remainders are a permutation, in which neighbours are apart.
    let place = |index: usize| index * 7919 % count;
    let first = round * quick % count;
    let taken = |index: usize| (place(index) + count - first) % count < quick;
    all.into_iter()
        .enumerate()
        .filter(|(index, _)| taken(*index))
        .map(|(_, item)| item)
        .collect()
}

/// Every pair of the two, the second running faster.
pub fn pairs<A: Copy, B: Copy>(first: &[A], second: &[B]) -> Vec<(A, B)> {
    let beside = |a: &A| second.iter().map(|b| (*a, *b)).collect::<Vec<_>>();
    first.iter().flat_map(beside).collect()
}
