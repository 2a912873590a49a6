//! Workspaces: what go does in one, beside go.

use crate::support::beside::{beside_go, same};
use crate::support::world::World;
use crate::support::{Proxy, Run, Sandbox};

#[test]
fn workspaces_have_the_graph_that_go_prints() {
    beside_go(48, graph);
}

/// True if there was a graph to compare.
fn graph(seed: u64) -> bool {
    let world = World::with_workspace(seed);
    let proxy = Proxy::of_modules(world.modules.clone());
    let sandbox = || world.place(Sandbox::new().proxy(&proxy));
    let (ours, gos) = (sandbox(), sandbox());
    let mut whole = false;
    // From the root, from within a module, and as a newer go has it.
    let other = [["-C", "m0"], ["-go", "1.26"]];
    let other = other[usize::try_from(seed % 2).expect("it is small")];
    for flags in [&[][..], &other[..]] {
        let arguments = || ["graph"].into_iter().chain(flags.iter().copied());
        let run = ours.run(arguments());
        let go = gos.go(["mod"].into_iter().chain(arguments()));
        let story = format!("{flags:?}\n{}", world.describe());
        if !both_complain(&run, &go, &story) {
            same(&run, &go, &story);
        }
        if go.code == Some(0) {
            whole = true;
            ours.picture().assert_same(&gos.picture(), "the cache");
        }
    }
    let project = ours.project_picture();
    project.assert_same(&gos.project_picture(), "the project");
    whole
}

/// What go says of a workspace that makes no sense, and then goes on with some of it until it
/// fails, where we do not go on. The last is what go says at once, and we when we know for whom.
const COMPLAINTS: &[&str] = &[
    " is replaced at all versions in the go.work file. ",
    " appears multiple times in workspace\n",
    "conflicting replacements found for ",
    ": checksum mismatch\n",
];

/// True if go has such a complaint; demands that the same is ours.
#[track_caller]
fn both_complain(ours: &Run, go: &Run, story: &str) -> bool {
    let complaint = |run: &Run, text: &&&str| run.stderr.contains(**text);
    let found = COMPLAINTS.iter().find(|text| complaint(go, text));
    let Some(text) = found.filter(|_| !go.stderr.contains("error loading go.work")) else {
        return false;
    };
    // Of several things that are wrong, another may be the one that is told.
    let other = ours.stderr.contains(": reading ") && go.stderr.contains(": reading ");
    let same = (complaint(ours, &text) || other) && ours.code != Some(0) && go.code == Some(1);
    ours.demand(same, &format!("{story}\n{}", go.stderr));
    true
}
