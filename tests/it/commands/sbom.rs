//! `modfetch sbom`: the modules that `go list -m all` has, with the sums of go.sum and the edges of `go mod graph`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::go::{only_modfetch, require_go, variable};
use crate::support::{Proxy, Sandbox, skips, tamper};

/// A filled cache below a project with a replaced module, one that is a folder, and one that stands for two.
fn sandbox(proxy: &Proxy) -> Sandbox {
    let sandbox = Sandbox::with("hello", proxy)
        .edit("go.mod", |text| {
            text + "\nreplace example.com/words => ./words\n\nreplace example.com/letters v0.2.0 => example.com/letters v0.1.0\n"
        })
        .file("words/go.mod", "module example.com/words\n\ngo 1.21\n")
        .env("SOURCE_DATE_EPOCH", "1700000000");
    sandbox.run(["download"]).ok();
    sandbox
}

fn document(sandbox: &Sandbox, format: &str) -> Value {
    let run = sandbox.run(["sbom", "--format", format]);
    serde_json::from_str(&run.ok().output()).expect("the document is JSON")
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

#[test]
fn sbom_lists_modules_sums_and_requirements_of_go() {
    only_modfetch!();
    require_go!();
    let proxy = Proxy::serve();
    let sandbox = sandbox(&proxy);
    let document = document(&sandbox, "cyclonedx");

    let template = "{{if not .Main}}{{.Path}}@{{.Version}} {{with .Replace}}{{.Path}} {{.Version}}{{else}}{{.Path}} {{.Version}}{{end}}{{end}}";
    let listed = sandbox.go(["list", "-m", "-f", template, "all"]);
    let go: BTreeSet<String> = listed
        .ok()
        .output()
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| line.trim_end().replace("./words", "example.com/words"))
        .collect();
    let components = document["components"].as_array().expect("a list");
    let ours: BTreeSet<String> = components
        .iter()
        .map(|component| {
            let (name, version) = (text(component, "name"), text(component, "version"));
            format!("{} {name} {version}", text(component, "bom-ref"))
                .trim_end()
                .to_owned()
        })
        .collect();
    assert_eq!(ours, go);

    // Each sum is the line of go.sum, and each line for a zip is there.
    let sums = sandbox.read("go.sum");
    let mut lines: BTreeSet<String> = BTreeSet::new();
    for component in components {
        for property in component["properties"].as_array().into_iter().flatten() {
            let suffix = match text(property, "name") {
                "modfetch:h1" => "",
                "modfetch:go.mod-h1" => "/go.mod",
                _ => continue,
            };
            let (name, version, h1) = (
                text(component, "name"),
                text(component, "version"),
                text(property, "value"),
            );
            lines.insert(format!("{name} {version}{suffix} {h1}"));
        }
    }
    let known: BTreeSet<String> = sums.lines().map(str::to_owned).collect();
    assert!(lines.is_subset(&known), "{lines:?}");
    // Every listed module that go.sum knows has its sum; go.sum also knows the two that are replaced.
    let names: BTreeSet<String> = components
        .iter()
        .map(|component| {
            format!(
                "{} {} ",
                text(component, "name"),
                text(component, "version")
            )
        })
        .collect();
    let listed = |line: &&String| names.iter().any(|name| line.starts_with(name.as_str()));
    let zips: Vec<&String> = known.iter().filter(listed).collect();
    assert!(zips.len() >= 10);
    assert!(zips.iter().all(|line| lines.contains(*line)), "{zips:?}");

    // Each requirement of go's graph, taken to the selected version, is an edge.
    let selected: BTreeMap<&str, &str> = go
        .iter()
        .map(|line| {
            let name = line.split(' ').next().unwrap_or_default();
            (name.split('@').next().unwrap_or_default(), name)
        })
        .collect();
    let graph = sandbox.go(["mod", "graph"]).ok().output();
    let mut edges: BTreeSet<(String, String)> = BTreeSet::new();
    for line in graph.lines() {
        let (from, to) = line.split_once(' ').expect("two nodes");
        let path = |node: &str| node.split('@').next().unwrap_or_default().to_owned();
        let used = from == "example.com/hello" || selected.get(path(from).as_str()) == Some(&from);
        if let (true, Some(&to)) = (used, selected.get(path(to).as_str())) {
            edges.insert((from.to_owned(), to.to_owned()));
        }
    }
    // go.mod lists indirect requirements for pruning; they are no edges of the main module where another module has them.
    let by_others: BTreeSet<String> = edges
        .iter()
        .filter(|(from, _)| from != "example.com/hello")
        .map(|(_, to)| to.clone())
        .collect();
    let indirect: BTreeSet<&str> = components
        .iter()
        .filter(|component| {
            let properties = component["properties"].as_array().into_iter().flatten();
            properties
                .into_iter()
                .any(|property| text(property, "value") == "indirect")
        })
        .map(|component| text(component, "bom-ref"))
        .collect();
    let all = edges.len();
    edges.retain(|(from, to)| {
        from != "example.com/hello" || !by_others.contains(to) || !indirect.contains(to.as_str())
    });
    assert!(edges.len() < all, "the project has an indirect requirement");
    let mut ours: BTreeSet<(String, String)> = BTreeSet::new();
    for row in document["dependencies"].as_array().expect("a list") {
        for to in row["dependsOn"].as_array().into_iter().flatten() {
            ours.insert((
                text(row, "ref").to_owned(),
                to.as_str().expect("a name").to_owned(),
            ));
        }
    }
    assert_eq!(ours, edges);
}

#[test]
fn sbom_is_equal_in_another_folder_and_opens_no_socket() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let (one, other) = (sandbox(&proxy), sandbox(&proxy));
    proxy.forget();
    for format in ["cyclonedx", "spdx", "spdx-3"] {
        let first = one.run(["sbom", "--format", format]).ok().output();
        other.run(["sbom", "--format", format]).ok().stdout(&first);
        one.run(["sbom", "--format", format, "-o", "bom.json"])
            .ok()
            .stdout("");
        assert_eq!(one.read("bom.json"), first);
        assert!(!first.contains(&one.project_dir().display().to_string()));
    }
    assert_eq!(proxy.requests().len(), 0);
    let document = document(&one, "cyclonedx");
    // By `date -u -d @1700000000 +%FT%TZ`.
    assert_eq!(
        text(&document["metadata"], "timestamp"),
        "2023-11-14T22:13:20Z"
    );
    let without = one.env("SOURCE_DATE_EPOCH", "");
    let without: Value = serde_json::from_str(&without.run(["sbom"]).ok().output()).unwrap();
    assert!(without["metadata"]["timestamp"].is_null());
}

/// The component or package of a module.
fn module<'v>(list: &'v Value, name: &str) -> &'v Value {
    let found = list.as_array().expect("a list").iter();
    let mut found = found.filter(|object| text(object, "name") == name);
    found.next().expect("the module is listed")
}

/// The file LICENSE of testdata/mod/example.com_text_v1.2.0.txtar.
const LICENSE: &str = "Public domain, as far as the law allows.\n";
/// Its Origin, as SPDX writes it.
const LOCATION: &str = "git+https://example.com/text@0123456789abcdef0123456789abcdef01234567";

#[test]
fn sbom_licenses_and_origins_come_from_the_cache() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = sandbox(&proxy);
    proxy.forget();
    let read = |format: &str| -> Value {
        let run = sandbox.run(["sbom", "--licenses", "--origins", "--format", format]);
        serde_json::from_str(&run.ok().stderr("").output()).expect("the document is JSON")
    };
    let cyclonedx = read("cyclonedx");
    let component = module(&cyclonedx["components"], "example.com/text");
    let license = &component["licenses"][0]["license"];
    assert_eq!(text(license, "name"), "LICENSE");
    assert_eq!(text(&license["text"], "content"), LICENSE);
    let reference = &component["externalReferences"][0];
    assert_eq!(text(reference, "url"), "https://example.com/text");
    assert_eq!(text(reference, "comment"), LOCATION);
    let without = module(&cyclonedx["components"], "example.com/greet");
    assert!(without["licenses"].is_null() && without["externalReferences"].is_null());

    let spdx = read("spdx");
    let package = module(&spdx["packages"], "example.com/text");
    assert_eq!(text(package, "downloadLocation"), LOCATION);
    let [extracted] = spdx["hasExtractedLicensingInfos"]
        .as_array()
        .expect("a list")
        .as_slice()
    else {
        panic!("one text: {spdx}");
    };
    assert_eq!(text(extracted, "extractedText"), LICENSE);
    assert_eq!(
        text(package, "licenseDeclared"),
        text(extracted, "licenseId")
    );
    let without = module(&spdx["packages"], "example.com/greet");
    assert_eq!(text(without, "licenseDeclared"), "NOASSERTION");
    assert_eq!(text(without, "downloadLocation"), "NOASSERTION");
    assert_eq!(proxy.requests().len(), 0);
}

#[test]
fn sbom_licenses_of_a_missing_zip_are_named_and_of_an_altered_zip_refused() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    sandbox.run(["download"]).ok();
    tamper::put(&sandbox, &tamper::forged());
    sandbox
        .run(["sbom", "--licenses"])
        .fails(5)
        .stdout("")
        .stderr_has("example.com/greet@v1.1.0: the zip in the module cache has h1:");
    sandbox.remove(&tamper::entry("zip"));
    let run = sandbox.run(["sbom", "--licenses"]);
    run.ok()
        .stderr_has("no licence of example.com/greet@v1.1.0: the zip is not in the module cache")
        .stderr_has("modfetch download");
}

#[test]
fn sbom_without_cached_go_mod_files_names_the_next_step() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["sbom"]);
    run.fails(11)
        .stdout("")
        .stderr_has("modfetch download --mod-only");
    assert_eq!(proxy.requests().len(), 0);
    sandbox
        .run(["sbom", "--format", "xml"])
        .fails(2)
        .stderr_has("cyclonedx, spdx, spdx-3");
    let sandbox = sandbox.env("SOURCE_DATE_EPOCH", "yesterday");
    sandbox
        .run(["sbom"])
        .fails(2)
        .stderr_has("SOURCE_DATE_EPOCH=yesterday");
}

/// Reads each document with a public library for its format, which checks it against the published schema.
const VALIDATE: &str = r#"
import json, sys, tempfile
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
from spdx_python_model import v3_0_1
kind, text = sys.argv[1], sys.stdin.read()
if kind == 'cyclonedx':
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    sys.exit(str(wrong) if wrong else 0)
with tempfile.NamedTemporaryFile('w', suffix='.spdx.json') as file:
    file.write(text); file.flush()
    if kind == 'spdx':
        wrong = validate_full_spdx_document(parse_file(file.name))
        sys.exit('\n'.join(str(w.validation_message) for w in wrong) if wrong else 0)
    found = v3_0_1.SHACLObjectSet()
    v3_0_1.JSONLDDeserializer().read(open(file.name), found)
    packages = [o for o in found.objects if type(o).__name__ == 'software_Package']
    sys.exit(0 if len(packages) == text.count('"software_Package"') else 'packages are missing')
"#;

#[test]
fn sbom_of_each_format_is_valid_for_its_library() {
    only_modfetch!();
    let python = variable("MODFETCH_PYTHON").unwrap_or_else(|| "python3".to_owned());
    let imports = "import cyclonedx.validation.json, jsonschema, spdx_tools, spdx_python_model";
    let found = Command::new(&python)
        .args(["-c", imports])
        .stderr(Stdio::null())
        .status();
    if !found.is_ok_and(|status| status.success()) {
        skips::record(
            "no Python with cyclonedx-python-lib[json-validation], spdx-tools and spdx-python-model",
        );
        return;
    }
    let proxy = Proxy::serve();
    let sandbox = sandbox(&proxy);
    let more: &[&str] = &["--licenses", "--origins"];
    for (format, more) in ["cyclonedx", "spdx", "spdx-3"]
        .into_iter()
        .flat_map(|format| [(format, &[][..]), (format, more)])
    {
        let arguments = [&["sbom", "--format", format], more].concat();
        let text = sandbox.run(arguments).ok().output();
        let mut documents = vec![(text.clone(), true)];
        if more.is_empty() {
            documents.push((text.replacen("\"name\"", "\"nmae\"", 1), false));
        }
        for (text, valid) in documents {
            let mut child = Command::new(&python)
                .args(["-c", VALIDATE, format])
                .stdin(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("python was found");
            child
                .stdin
                .take()
                .expect("it is a pipe")
                .write_all(text.as_bytes())
                .expect("python reads it");
            let output = child.wait_with_output().expect("python ends");
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.success(), valid, "{format}: {said}");
        }
    }
}
