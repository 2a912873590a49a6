//! `modfetch list -m`: the text and the objects of `go list -m`, to the byte.

use crate::support::compare::{both_complain, compare_with_go, same};
use crate::support::go::only_modfetch;
use crate::support::random_project::{RandomProject, Rng};
use crate::support::sums;
use crate::support::{Proxy, Sandbox, require_go};

/// Runs both on sandboxes of their own, and compares. Returns whether go succeeded; `None` if it
/// complained of the workspace and went on, after which it has written what we have not.
#[track_caller]
fn beside(ours: &Sandbox, gos: &Sandbox, arguments: &[&str], what: &str) -> Option<bool> {
    let words = || ["list"].into_iter().chain(arguments.iter().copied());
    let run = ours.run(words());
    let go = gos.go(words());
    if both_complain(&run, &go, &format!("{arguments:?}\n{what}")) {
        return None;
    }
    same(&run, &go, &format!("{arguments:?}\n{what}"));
    Some(go.code == Some(0))
}

#[test]
fn list_m_projects_match_go() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    for project in ["hello", "legacy"] {
        let (ours, gos) = (
            Sandbox::with(project, &proxy),
            Sandbox::with(project, &proxy),
        );
        let lines: &[&[&str]] = &[
            &["-m"],
            &["-m", "-json"],
            &["-m", "all"],
            &["-m", "-json", "all"],
            &["-m", "-json=Path,Version,Time,GoVersion", "all"],
            &["-m", "-u", "all"],
            &["-m", "-u", "-json", "all"],
            &["-m", "-versions", "all"],
            &["-m", "-versions", "-retracted", "-json", "all"],
            &["-m", "-retracted", "all"],
            &["-m", "example.com/..."],
            &["-m", "nothing.com/...", "all"],
            &["-m", "example.com/gone"],
            &["-m", "-e", "example.com/gone"],
            &["-m", "-e", "-json", "example.com/gone"],
            &["-m", "-versions", "example.com/gone"],
            &["-m", "-versions", "example.com/text"],
            &["-m", "-json", "example.com/text@latest", "go", "toolchain"],
            &["-m", "-json", "example.com/text@v1"],
            &["-m", "example.com/text@v1.0.0"],
            &["-m", "example.com/text@v9", "example.com/text@patch"],
            &["-m", "-e", "-json", "example.com/text@v9"],
            &["-m", "-u", "example.com/text@v1.0.0"],
        ];
        for line in lines {
            beside(&ours, &gos, line, project);
        }
        ours.picture().assert_same(&gos.picture(), "the cache");
        ours.project_picture()
            .assert_same(&gos.project_picture(), "the project");
    }
}

/// What projects have shown, each in a small one: the files, the modules, what is not in go.sum, and
/// the command line.
#[test]
fn list_m_regressions_match_go() {
    require_go!();
    only_modfetch!();
    let n = "module n.com/n\ngo 1.13\n";
    let pseudo = "v1.1.0-0.20240102030405-abcdef123456";
    let upgraded = format!(
        "module m.com/m\ngo 1.13\nrequire n.com/n {pseudo}\n\
         replace n.com/n {pseudo} => n.com/n v1.0.0\n"
    );
    let twice = "module m.com/m\nrequire n.com/n v1.0.0\nrequire n.com/n v1.1.0\n";
    let newest = "module m.com/m\ngo 1.23\nrequire a.com/a v1.0.0\nrequire n.com/n v1.0.0\n\
                  replace a.com/a v1.1.0 => z.com/z v0.4.0\n";
    let itself = "module m.com/m\ngo 1.23\nrequire m.com/m v1.0.0\n";
    let vendored = "# m.com/m v1.0.0\n## explicit\nm.com/m\n";
    let of_z = "module n.com/n\ngo 1.21\nrequire z.com/z v0.4.0\n";
    let a = "module a.com/a\ngo 1.21\n";
    let z = "module z.com/z\ngo 1.22\n";
    let lending = "module m.com/m\nrequire a.com/a v1.1.0\nrequire b.com/b v1.0.0\n\
                   require n.com/n v1.0.0\nreplace n.com/n v1.0.0 => ./n\n\
                   replace a.com/a v1.0.0 => n.com/n v1.0.0\n";
    let of_a = "module b.com/b\ngo 1.21\nrequire a.com/a v1.0.0\n";
    let other = "module n.com/n\ngo 1.13\nrequire a.com/a v1.0.0\n";
    // A replaced version that is newer than the newest is looked up all the same.
    let replaced = RandomProject::made(
        &[("go.mod", &upgraded)],
        &[("n.com/n", "v1.0.0", n), ("n.com/n", pseudo, n)],
    );
    // The rules of the go version that is written say what go.sum gets.
    let converted = RandomProject::made(
        &[("go.mod", twice)],
        &[
            ("n.com/n", "v1.0.0", other),
            ("n.com/n", "v1.1.0", n),
            ("a.com/a", "v1.0.0", a),
        ],
    );
    // What was read for the retractions of one module is known of another one.
    let recalled = RandomProject::made(
        &[("go.mod", newest)],
        &[
            ("a.com/a", "v1.0.0", a),
            ("a.com/a", "v1.1.0", a),
            ("n.com/n", "v1.0.0", of_z),
            ("z.com/z", "v0.4.0", z),
        ],
    );
    let own = RandomProject::made(
        &[("go.mod", itself), ("vendor/modules.txt", vendored)],
        &[("m.com/m", "v1.0.0", "module m.com/m\n")],
    );
    // What was read before go.mod had a go line, and would not be by that line, is known after it.
    let superseded = RandomProject::made(
        &[
            ("go.mod", lending),
            ("n/go.mod", "module n.com/n\ngo 1.19\n"),
        ],
        &[
            ("a.com/a", "v1.0.0", a),
            ("a.com/a", "v1.1.0", a),
            ("b.com/b", "v1.0.0", of_a),
            ("n.com/n", "v1.0.0", n),
        ],
    );
    // What the graph was refused for has been read.
    let refused = RandomProject::made(
        &[(
            "go.mod",
            "module m.com/m\ngo 1.16\nrequire n.com/n v1.0.0\n",
        )],
        &[
            ("n.com/n", "v1.0.0", of_z),
            ("z.com/z", "v0.4.0", "module z.com/z\ngo 1.99\n"),
        ],
    );
    let rows: [(RandomProject, &str, &[&str]); 6] = [
        (
            refused,
            "-",
            &["-m", "-e", "-retracted", "-json", "z.com/z@upgrade"],
        ),
        (replaced, "-", &["-m", "-u", "n.com/n"]),
        (converted, "", &["-m", "-mod=mod", "n.com/n"]),
        (recalled, "z.com/z ", &["-m", "-retracted", "-json", "all"]),
        (own, "-", &["-m"]),
        (superseded, "-", &["-m", "-json", "-mod=mod", "all"]),
    ];
    for (generated, lacking, line) in rows {
        let generated = generated.on_one_thread();
        let proxy = Proxy::of_modules(generated.modules.clone());
        let lines = generated.modules.iter().flat_map(|module| {
            let text = sums::lines(module);
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        let lines = lines.filter(|line| !line.starts_with(lacking));
        let go_sum: String = lines.map(|line| line + "\n").collect();
        let sandbox = || {
            generated
                .place(Sandbox::new().proxy(&proxy))
                .go_sum(&go_sum)
        };
        let (ours, gos) = (sandbox(), sandbox());
        let what = generated.describe();
        beside(&ours, &gos, line, &what);
        ours.picture()
            .assert_same(&gos.picture(), &format!("the cache {what}"));
        ours.project_picture()
            .assert_same(&gos.project_picture(), &format!("the project {what}"));
    }
}

#[test]
fn list_m_random_projects_match_go() {
    compare_with_go(RandomProject::of, compare);
}

/// Like every list of a workspace, without `-mod=mod`, which go refuses there.
#[test]
fn list_m_random_workspaces_match_go() {
    compare_with_go(RandomProject::with_workspace, compare);
}

/// Without the flag most of them are listed from the vendor directory as well.
#[test]
fn list_m_random_vendored_projects_match_go() {
    compare_with_go(RandomProject::vendored, compare);
}

/// True if there was something to compare.
fn compare(generated: &RandomProject) -> bool {
    let mut rng = Rng::new(generated.seed ^ 0x115);
    let proxy = Proxy::of_modules(generated.modules.clone());
    // All of go.sum, nearly all, or none: what is not in it does not count.
    let share = *rng.one(&[100, 100, 95, 0]);
    let mut go_sum = String::new();
    for module in &generated.modules {
        for line in sums::lines(module).split_inclusive('\n') {
            if rng.percent(share) {
                go_sum.push_str(line);
            }
        }
    }
    let workspace = generated.is_workspace();
    let sandbox = || {
        let sandbox = generated.place(Sandbox::new().proxy(&proxy));
        // A workspace has its own.
        match workspace {
            true => sandbox,
            false => sandbox.go_sum(&go_sum),
        }
    };
    let (ours, gos) = (sandbox(), sandbox());
    let what = format!("go.sum has {share} of 100\n{}", generated.describe());
    let mut whole = false;
    let mut same_cache = true;
    let mut lines = Vec::new();
    for _ in 0..4 {
        let mut line = command(&mut rng, generated);
        line.retain(|word| !workspace || word != "-mod=mod");
        lines.push(line.join(" "));
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let Some(succeeded) = beside(&ours, &gos, &line, &what) else {
            return whole;
        };
        whole |= succeeded;
        // What was fetched before a failure was told depends on threads.
        same_cache &= succeeded;
        let what = format!("after list {} {what}", lines.join(", list "));
        let project = ours.project_picture();
        project.assert_same(&gos.project_picture(), &format!("the project {what}"));
        if same_cache {
            let cache = ours.picture();
            cache.assert_same(&gos.picture(), &format!("the cache {what}"));
        }
    }
    whole
}

/// In some lines, from where a project with a vendor directory is listed.
fn mod_flag(rng: &mut Rng) -> Option<String> {
    let flags = ["-mod=vendor", "-mod=vendor", "-mod=readonly", "-mod=mod"];
    rng.percent(40).then(|| (*rng.one(&flags)).to_owned())
}

/// A command line: all, or some modules, with some flags.
fn command(rng: &mut Rng, generated: &RandomProject) -> Vec<String> {
    let mut line = vec!["-m".to_owned()];
    // Nobody is asked where there is a vendor directory: most flags are refused.
    let vendored = generated.is_vendored();
    if vendored {
        line.extend(mod_flag(rng));
    }
    let flags = ["-json", "-u", "-versions", "-retracted", "-e", "-mod=mod"];
    let flags = if vendored && rng.percent(70) {
        &flags[..1]
    } else {
        &flags
    };
    for (flag, chance) in flags.iter().zip([50, 35, 15, 20, 30, 20]) {
        if rng.percent(chance) {
            line.push((*flag).to_owned());
        }
    }
    match rng.below(10) {
        0 => {}
        1..6 => line.push("all".to_owned()),
        6 => line.push((*rng.one(&["example.com/...", "...", "b.org/..."])).to_owned()),
        _ => {
            for _ in 0..=rng.below(3) {
                let module = rng.one(&generated.modules);
                let queries = [
                    "",
                    "",
                    "@latest",
                    "@upgrade",
                    "@patch",
                    "@v1",
                    "@v0.2",
                    "@<v1.5.0",
                    "@>=v1.0.0",
                    "@v1.0.0",
                    "@v9",
                ];
                let path = match rng.below(8) {
                    0 => *rng.one(&["example.com/main", "example.com/gone"]),
                    _ => &*module.path,
                };
                let mut query = *rng.one(&queries);
                // Of a path that is wholly replaced go takes any version, also of a major that the
                // path cannot have, for which we have no such module.
                if path.ends_with("/v2") && query == "@v1.0.0" {
                    query = "@v2.0.0";
                }
                line.push(format!("{path}{query}"));
            }
        }
    }
    line
}

#[test]
fn list_names_modfile_as_it_was_typed() {
    require_go!();
    only_modfetch!();
    let go_mod = "module example.com/main\n\ngo 1.21\n";
    let sandbox = Sandbox::new().go_mod(go_mod).file("alt.mod", go_mod);
    let absolute = sandbox.project_dir().join("alt.mod").display().to_string();
    for typed in ["alt.mod", "./alt.mod", &absolute] {
        let flag = format!("-modfile={typed}");
        let words = ["list", "-m", "-f", "{{.GoMod}}", &flag];
        let go = sandbox.go(words);
        go.ok();
        sandbox.run(words).ok().stdout(&go.output());
    }
}
