//! That projects have what they are said to have, and each of it often enough to find a fault.

use super::RandomProject;

/// Worlds that are looked at: making one takes little time.
const PROJECTS: u64 = 200;

/// What a generated may have: a name, the texts that show it, and whether the project has it or any
/// file. Each is in one generated of a hundred at least, in most of them much more often.
const FEATURES: &[(&str, &[&str], Where)] = &[
    ("a pre-release", &[" v1.2.0-rc.1\n"], Where::Any),
    ("a pseudo-version", &["-20240102030405-"], Where::Project),
    ("+incompatible", &["+incompatible"], Where::Project),
    (
        "retracted +incompatible",
        &["retract v2.0.0+inc", "retract v3.1.0+inc"],
        Where::Any,
    ),
    (
        "a module that nobody has",
        &["require example.com/gone "],
        Where::Any,
    ),
    ("an indirect requirement", &[" // indirect"], Where::Project),
    (
        "a requirement on itself",
        &["require example.com/main "],
        Where::Project,
    ),
    (
        "a requirement on the project",
        &["require example.com/main "],
        Where::Any,
    ),
    ("an exclusion", &["\nexclude "], Where::Project),
    (
        "a replacement by a module",
        &[" => example.com/", " => b.org/"],
        Where::Project,
    ),
    (
        "a replacement by a folder",
        &[" => ./folder"],
        Where::Project,
    ),
    (
        "a replacement that means nothing",
        &[" => ../nowhere"],
        Where::Any,
    ),
    ("a retraction", &["\nretract v"], Where::Any),
    (
        "a retraction of many",
        &["\nretract [v0.0.0, v"],
        Where::Any,
    ),
    ("a deprecation", &["// Deprecated: "], Where::Any),
    ("a toolchain line", &["\ntoolchain go1."], Where::Project),
    (
        "a toolchain line of a dependency",
        &["\ntoolchain go1."],
        Where::Any,
    ),
    (
        "a toolchain of one's own",
        &["toolchain go1.24.2-custom"],
        Where::Project,
    ),
    (
        "a declared path that is another",
        &["module example.com/other"],
        Where::Any,
    ),
    ("a tool", &["\ntool "], Where::Project),
    ("a godebug line", &["\ngodebug "], Where::Project),
    ("a folder to ignore", &["\nignore "], Where::Any),
    ("a line that is not known", &["\nunheardof "], Where::Any),
    (
        "a version that nobody has",
        &["require example.com/a v1.99.0"],
        Where::Any,
    ),
    (
        "a go that is too new",
        &["\ngo 1.26.99\n", "\ngo 1.27\n", "\ngo 1.30.1\n"],
        Where::Any,
    ),
];

/// What only a project with a vendor directory has.
const OF_VENDORED: &[(&str, &[&str], Where)] = &[
    (
        "a vendor directory",
        &["vendor/modules.txt"],
        Where::Project,
    ),
    (
        "a replacement in it",
        &["\n# example.com/b => ", "\n# b.org/nested => "],
        Where::Project,
    ),
    (
        "what is deeper",
        &["# example.com/deep v1.3.0"],
        Where::Project,
    ),
];

/// What only a project of one module has.
const OF_PROJECTS: &[(&str, &[&str], Where)] = &[
    (
        "a query",
        &[" latest", " v1\n", " v0.2\n", " >=v1.0.0", " upgrade"],
        Where::Project,
    ),
    ("a query with no answer", &[" none-such"], Where::Project),
];

/// What only a workspace has.
const OF_WORKSPACES: &[(&str, &[&str], Where)] = &[
    (
        "a second module",
        &["\nuse ./m1\n", "\nuse m1\n"],
        Where::Project,
    ),
    ("one for another", &[" => ../m"], Where::Project),
    ("a folder for several", &[" => ../shared"], Where::Project),
    ("sums of its own", &["go.work.sum --"], Where::Project),
    (
        "a use of what is not there",
        &["use ./none"],
        Where::Project,
    ),
];

/// Where it is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// Only in the files of the project.
    Project,
    /// There and in the modules of the proxy.
    Any,
}

/// In how many projects each of them is.
fn count(features: &[(&str, &[&str], Where)], projects: &[RandomProject]) -> Vec<usize> {
    let project = |generated: &RandomProject| {
        let files = generated.files.iter();
        files
            .map(|(name, text)| format!("-- {name} --\n{text}\n"))
            .collect::<String>()
    };
    let texts: Vec<[String; 2]> = projects
        .iter()
        .map(|w| [project(w), w.describe()])
        .collect();
    let counts = features.iter().map(|(_, shown, place)| {
        let shows = |[project, any]: &&[String; 2]| {
            let text = if *place == Where::Project {
                project
            } else {
                any
            };
            shown.iter().any(|shown| text.contains(shown))
        };
        texts.iter().filter(shows).count()
    });
    counts.collect()
}

#[test]
fn random_projects_have_each_feature() {
    let plain: Vec<RandomProject> = (0..PROJECTS).map(RandomProject::of).collect();
    let spaces: Vec<RandomProject> = (0..PROJECTS).map(RandomProject::with_workspace).collect();
    let vendored: Vec<RandomProject> = (0..PROJECTS).map(RandomProject::vendored).collect();
    for (features, projects) in [
        (OF_VENDORED, &vendored),
        (FEATURES, &plain),
        (FEATURES, &spaces),
        (OF_PROJECTS, &plain),
        (OF_WORKSPACES, &spaces),
    ] {
        for ((name, ..), found) in features.iter().zip(count(features, projects)) {
            eprintln!("{found} of {PROJECTS} projects have {name}");
            assert!(found >= 2, "{found} of {PROJECTS} projects have {name}");
        }
    }
    // Every go version, with and without a patch release.
    for minor in 11..=26 {
        let line = format!("\ngo 1.{minor}");
        let has = |generated: &&RandomProject| {
            generated.files.iter().any(|(_, text)| text.contains(&line))
        };
        let found = plain.iter().filter(has).count();
        assert!(found >= 2, "{found} projects are of go 1.{minor}");
    }
}
