//! Templates of `list -m -f`: what each line of `testdata/template/answers.jsonl` says of the modules in
//! `modules.json`, modfetch says as well, and so does go's `text/template`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use modfetch::Kind;
use modfetch::internals::gotemplate::{Template, Value};
use serde_json::{Value as Json, json};

use crate::support::go::{ask, program, source_of};
use crate::support::listed::Module;
use crate::support::require_go;

fn testdata(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("testdata/template").join(name)
}

pub(crate) fn modules() -> Vec<Json> {
    serde_json::from_str(&fs::read_to_string(testdata("modules.json")).unwrap()).unwrap()
}

fn answers() -> Vec<Json> {
    let text = fs::read_to_string(testdata("answers.jsonl")).unwrap();
    let answers = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let answers: Vec<Json> = answers.collect();
    assert!(answers.len() > 350, "only {} templates", answers.len());
    answers
}

/// What modfetch says, in the form of the oracle.
pub(crate) fn ours(text: &str, modules: &[Module]) -> (Json, Vec<Kind>) {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(error) => {
            let kinds = vec![error.kind()];
            return (
                json!({"Template": text, "Out": null, "Error": [error.chain()]}),
                kinds,
            );
        }
    };
    let (mut outs, mut errors, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    for module in modules {
        let mut out = String::new();
        let result = template.render(&Value::Object(module), &mut out);
        outs.push(out);
        kinds.extend(result.as_ref().err().map(modfetch::Error::kind));
        errors.push(result.map_or_else(|error| error.chain(), |()| String::new()));
    }
    let mut answer = json!({"Template": text, "Out": outs});
    if !kinds.is_empty() {
        answer["Error"] = json!(errors);
    }
    (answer, kinds)
}

#[test]
fn list_f_template_table_matches_go_output() {
    let modules: Vec<Module> = modules().iter().map(Module::new).collect();
    let mut wrong = String::new();
    for want in answers() {
        let text = want["Template"].as_str().unwrap();
        let (got, kinds) = ours(text, &modules);
        if got != want || kinds.iter().any(|&kind| kind != Kind::Input) {
            let _ = writeln!(wrong, "{got}\n   want: {want}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn list_f_unsupported_construct_is_named() {
    let module = Module::new(&modules()[1]);
    // Each of them go understands.
    let rows = [
        ("{{call .Path}}", "function \"call\""),
        ("{{(context).GOOS}}", "function \"context\""),
        ("{{module .Path}}", "function \"module\""),
        ("{{1+2i}}", "the complex number 1+2i"),
        ("{{2.5i}}", "the number 2.5i"),
        ("{{0x1.8p1}}", "the number 0x1.8p1"),
        ("{{html .Path}}", "function \"html\""),
        (r#"{{printf "%b" 1.5}}"#, "the format %b of float64"),
        (r#"{{printf "%.2f" 1.5}}"#, "the format %f of float64"),
        (r#"{{"\xff"}}"#, "a string that is no UTF-8"),
        ("{{.Time.Month}}", "the method Month of a time"),
        (r#"{{printf "%[1]s" .Path}}"#, "\"[\" in a format"),
        (r#"{{printf "%#v" .Path}}"#, "\"#\" in a format"),
        (r#"{{printf "%*d" 3 4}}"#, "\"*\" in a format"),
        (r#"{{printf "%9999999d" 4}}"#, "a width of 9999999"),
        (
            r#"{{printf "%p" .Replace}}"#,
            "the format %p of *modinfo.ModulePublic",
        ),
        (
            r#"{{printf "%1000000s%100000s" "" ""}}"#,
            "room for so long a string",
        ),
        ("{{eq .Time .Time}}", "the comparison of two times"),
    ];
    for (text, what) in rows {
        let mut out = String::new();
        let result = Template::parse(text);
        let error = result
            .and_then(|template| template.render(&Value::Object(&module), &mut out))
            .expect_err(text);
        assert_eq!(error.kind(), Kind::Usage, "{text}");
        let end = format!(": modfetch's templates do not have {what}");
        let said = error.chain();
        assert!(
            said.starts_with("template: main:1:") && said.ends_with(&end),
            "{said}"
        );
        assert_eq!(error.hints().len(), 1);
    }
}

#[test]
fn list_f_nesting_and_output_are_bounded() {
    let module = Module::new(&modules()[1]);
    for (open, close) in [("(", ")"), ("}}{{if 1}}{{", "}}{{end}}{{")] {
        let nested = |depth: usize| {
            let (open, close) = (open.repeat(depth), close.repeat(depth));
            Template::parse(&format!("{{{{{open}.Path{close}}}}}").replace("{{}}", ""))
        };
        let mut out = String::new();
        nested(90)
            .and_then(|template| template.render(&Value::Object(&module), &mut out))
            .unwrap();
        assert_eq!(out, "example.com/full");
        for depth in [101, 100_000] {
            let error = nested(depth).unwrap_err().chain();
            assert_eq!(error, "template: main:1: max expression depth exceeded");
        }
    }
    // A template within itself takes no stack, but room.
    let many = "{{$x := .}}".repeat(9);
    for (controls, count, says) in [
        ("{{if .}}", 3, "exceeded maximum template depth (100000)"),
        ("{{if .}}", 90, "room for so deep a nesting"),
        ("{{range 2}}{{with $}}", 40, "room for so deep a nesting"),
        (&*many, 1, "room for so deep a nesting"),
    ] {
        let ends = controls.matches("{{").count() - controls.matches(":=").count();
        let (controls, ends) = (controls.repeat(count), "{{end}}".repeat(ends * count));
        let text = [
            r#"{{define "x"}}"#,
            &controls,
            r#"{{template "x" .}}"#,
            &ends,
            r#"{{end}}{{template "x" .}}"#,
        ];
        let template = Template::parse(&text.concat()).unwrap();
        let error = template.render(&Value::Object(&module), &mut String::new());
        let said = error.unwrap_err().chain();
        assert!(said.ends_with(says), "{controls}: {said}");
    }
    // What is handed down gets longer with each.
    let longer = r#"{{define "x"}}{{template "x" (print . "longer")}}{{end}}{{template "x" ""}}"#;
    let template = Template::parse(longer).unwrap();
    let error = template.render(&Value::Object(&module), &mut String::new());
    let said = error.unwrap_err().chain();
    assert!(said.ends_with("room for so many strings"), "{said}");
    // Each doubles what is there: without a bound, a terabyte.
    let doubled = "{{$x = print $x $x}}".repeat(40);
    let template = Template::parse(&format!("{{{{$x := .Path}}}}{doubled}")).unwrap();
    let error = template.render(&Value::Object(&module), &mut String::new());
    assert_eq!(error.unwrap_err().kind(), Kind::Usage);
    let long = "{{printf \"%1000000s\" .Path}}".repeat(20);
    let template = Template::parse(&long).unwrap();
    let mut out = String::from("before");
    let error = template.render(&Value::Object(&module), &mut out);
    assert_eq!(error.unwrap_err().kind(), Kind::Usage);
    assert_eq!(out.len(), 16_000_006);
}

#[test]
fn text_template_matches_template_table() {
    let go = require_go!();
    let answers = answers();
    let texts = answers
        .iter()
        .map(|answer| answer["Template"].as_str().unwrap());
    let said = ask_go(&go, &texts.collect::<Vec<_>>());
    for (want, got) in answers.iter().zip(&said) {
        assert_eq!(got, want);
    }
}

/// What go says of templates, in their order.
pub(crate) fn ask_go(go: &Path, texts: &[&str]) -> Vec<Json> {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let modinfo = source_of(go).join("cmd/go/internal/modinfo/info.go");
    let modinfo = fs::read_to_string(modinfo).unwrap();
    let modinfo = modinfo.replace("cmd/go/internal/modfetch/codehost", "oracle/codehost");
    for package in ["modinfo", "codehost"] {
        fs::create_dir(here.join(package)).unwrap();
    }
    let codehost = "package codehost\n\n\
        type Origin struct{ VCS, URL, Subdir, Hash, TagPrefix, TagSum, Ref, RepoSum string }\n";
    fs::write(here.join("codehost/codehost.go"), codehost).unwrap();
    fs::write(here.join("modinfo/info.go"), modinfo).unwrap();
    fs::write(here.join("go.mod"), "module oracle\n\ngo 1.21\n").unwrap();
    let mut questions = Json::from(modules()).to_string();
    for text in texts {
        questions += &Json::from(*text).to_string();
        questions.push('\n');
    }
    let oracle = program(go, here, include_str!("template.go"));
    let said: Vec<Json> = ask(oracle, &questions)
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert_eq!(said.len(), texts.len());
    said
}
