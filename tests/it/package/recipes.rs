//! What `testdata/recipes/` names is what the program has.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use modfetch::internals::cli::{self, Action, command_tree};

use crate::support::go::only_modfetch;
use crate::support::served::Served;
use crate::support::skips;
use crate::support::{Proxy, Sandbox};

fn recipe(name: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/recipes/serve");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The words of a command line or of the JSON lists of a Dockerfile.
fn words(text: &str) -> Vec<String> {
    let split = text.split([' ', '[', ']', ',', '"', '\n']);
    split
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The calls of modfetch in a recipe: each begins a line, a list item or a command substitution.
fn calls(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.starts_with('#'));
    let commands = lines.flat_map(|line| line.split("modfetch ").skip(1));
    let ends = ["|", "||", "&&", ">", ";"];
    commands
        .map(|command| {
            let command = command.split([')', '"', ';']).next().unwrap_or(command);
            let words = command.split_whitespace();
            let words = words.take_while(|word| !ends.contains(word));
            std::iter::once("modfetch")
                .chain(words)
                .map(str::to_owned)
                .collect()
        })
        .collect()
}

#[test]
fn recipes_for_ci_call_commands_that_exist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/recipes");
    let tree = command_tree();
    let mut wrong = Vec::new();
    for (name, fewest) in [
        ("ci/github-actions.yml", 4),
        ("ci/gitlab-ci.yml", 5),
        ("ci/woodpecker.yml", 4),
        ("ci/tekton-task.yaml", 4),
        ("cache/github-actions.yml", 4),
        ("cache/gitlab-ci.yml", 2),
    ] {
        let calls = calls(&fs::read_to_string(folder.join(name)).unwrap());
        assert!(calls.len() >= fewest, "{name}: only {calls:?}");
        for call in calls {
            let argv: Vec<OsString> = call.iter().map(OsString::from).collect();
            match cli::parse(&tree, argv) {
                Ok(invocation) if matches!(invocation.action, Action::Run(_)) => {}
                Ok(_) => wrong.push(format!("{name}: {}: runs nothing", call.join(" "))),
                Err(error) => wrong.push(format!("{name}: {}: {error}", call.join(" "))),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // The proof that the check can fail.
    let argv = ["modfetch", "verify", "--no-such-flag"];
    assert!(cli::parse(&tree, argv.map(OsString::from).to_vec()).is_err());
}

#[test]
fn recipes_name_flags_that_serve_has() {
    let tree = command_tree();
    let serve = tree.command("serve").expect("there is a command serve");
    for (file, starts) in [
        ("modfetch.service", &["ExecStart="][..]),
        ("Dockerfile", &["ENTRYPOINT ", "CMD "][..]),
    ] {
        let text = recipe(file);
        let lines = text
            .lines()
            .filter(|line| starts.iter().any(|start| line.starts_with(start)));
        let flags: Vec<String> = lines
            .flat_map(words)
            .filter_map(|word| word.strip_prefix("--").map(str::to_owned))
            .collect();
        assert!(flags.len() >= 4, "{file}: {flags:?}");
        for flag in flags {
            let known = serve.flag(&flag);
            assert!(known.is_some(), "{file}: --{flag} is no flag of serve");
        }
    }
}

#[test]
fn recipes_dashboard_shows_metrics_that_serve_has() {
    if !only_modfetch() {
        return;
    }
    let dashboard: serde_json::Value = serde_json::from_str(&recipe("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let proxy = Proxy::serve();
    let site = Sandbox::new().proxy(&proxy);
    let server = Served::start(&site, &[]);
    // So that there is something to count.
    server.get("/example.com/text/@v/v1.2.0.zip");
    server.get("/example.com/absent/@v/list");
    crate::support::until("the count", || {
        server
            .get("/metrics")
            .text()
            .contains("modfetch_stored_bytes")
    });
    let metrics = server.get("/metrics").text();
    let mut seen = 0;
    for panel in panels {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            let names = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            for name in names.filter(|name| name.starts_with("modfetch_")) {
                let known = metrics.lines().any(|line| line.starts_with(name))
                    || metrics.contains(&format!("# TYPE {name} "));
                assert!(known, "{name} is not in\n{metrics}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 10);
}

#[test]
fn recipes_units_are_what_systemd_takes() {
    if !only_modfetch() {
        return;
    }
    let sandbox = Sandbox::new();
    // The program has to be there: this one stands for it.
    let service = recipe("modfetch.service").replace("/usr/local/bin/modfetch", "/bin/true");
    let sandbox = sandbox
        .file("modfetch.service", &service)
        .file("modfetch.socket", &recipe("modfetch.socket"));
    let run = sandbox.shell(
        "command -v systemd-analyze >/dev/null || { echo skipped: no systemd-analyze; exit 0; }
        systemd-analyze verify ./modfetch.service ./modfetch.socket",
    );
    run.ok();
    if run.output().starts_with("skipped") {
        return skips::record("no systemd-analyze");
    }
    run.demand(
        !run.talk().contains("modfetch."),
        "nothing to say about the units",
    );
}

#[test]
fn recipes_compose_file_names_files_that_are_there() {
    if !only_modfetch() {
        return;
    }
    let script = r#"
try:
    import yaml
except ImportError:
    raise SystemExit(print("skipped: no yaml"))
for name in ["compose.yaml", "prometheus.yml", "grafana-datasource.yaml", "grafana-dashboards.yaml"]:
    content = yaml.safe_load(open(name))
    assert isinstance(content, dict), name
    for service, parts in content.get("services", {}).items():
        assert "image" in parts or "build" in parts, service
        for volume in parts.get("volumes", []):
            if volume.startswith("./"):
                print(volume.split(":")[0])
"#;
    let names = [
        "compose.yaml",
        "prometheus.yml",
        "grafana-datasource.yaml",
        "grafana-dashboards.yaml",
    ];
    let mut sandbox = Sandbox::new().file("read.py", script);
    for name in names {
        sandbox = sandbox.file(name, &recipe(name));
    }
    let run = sandbox.shell(
        "command -v python3 >/dev/null || { echo skipped: no python3; exit 0; }
        python3 read.py",
    );
    run.ok();
    if run.output().starts_with("skipped") {
        return skips::record("no python3 with yaml");
    }
    let mounted: Vec<String> = run.output().lines().map(str::to_owned).collect();
    assert_eq!(mounted.len(), 4, "{mounted:?}");
    for name in mounted {
        recipe(&name);
    }
}
