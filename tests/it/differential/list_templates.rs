//! `list -m -f`: what scripts ask for, and what is none, beside go.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::compare::same;
use crate::support::go::only_modfetch;
use crate::support::sampling::{pairs, sample};
use crate::support::{Proxy, Sandbox, require_go};

fn downloaded(proxy: &Proxy) -> Sandbox {
    let sandbox = Sandbox::with("hello", proxy);
    sandbox.run(["download"]).ok();
    sandbox
}

const TEMPLATES: &[&str] = &[
    "{{.Path}}@{{.Version}}",
    "{{.Path}} {{.Version}}\n",
    "{{.Dir}}",
    "{{.GoMod}}",
    "{{.String}}",
    "{{.}}",
    "{{.GoVersion}}",
    "{{.Sum}} {{.GoModSum}}",
    "{{.Query}}|{{.Reuse}}|{{.Origin}}",
    "{{.Retracted}} {{.Deprecated}}",
    "{{if not .Main}}{{.Path}}{{end}}",
    "{{if not (or .Main .Indirect)}}{{.Path}}@{{.Version}}{{end}}",
    "{{if .Indirect}}{{else}}{{.Path}}{{end}}",
    "{{if and (not .Indirect) (not .Main)}}{{.}}{{end}}",
    "{{if eq .Path \"example.com/text\"}}{{.Version}}{{end}}",
    "{{if ne .Version \"\"}}{{.Version}}{{end}}",
    "{{with .Replace}}{{.Path}} {{.Version}} {{.Dir}}{{end}}",
    "{{if .Replace}}{{.Replace.Path}}{{else}}{{.Path}}{{end}}",
    "{{.Path}}{{with .Replace}} => {{.}}{{end}}",
    "{{range .Versions}}{{.}} {{end}}",
    "{{range $i, $v := .Versions}}{{$i}}:{{$v}},{{else}}none{{end}}",
    "{{join .Versions \",\"}} {{len .Versions}}",
    "{{.Time}}",
    "{{if .Time}}{{.Time.Format \"2006-01-02\"}}{{end}}",
    "{{with .Time}}{{.Format \"Jan 2, 2006 at 15:04 (MST)\"}}{{end}}",
    "{{if .Update}}{{.Path}}: {{.Version}} -> {{.Update.Version}}{{end}}",
    "{{with .Update}}{{.Path}}@{{.Version}} {{.Time}}{{end}}",
    "{{with .Error}}{{.Err}}{{end}}",
    "{{.Error}}",
    "{{printf \"%-30s %s\" .Path .Version}}",
    "{{printf \"%q %v %d\" .Path .Main (len .Version)}}",
    "{{$p := .Path}}{{$p | printf \"%s!\"}}",
    "{{print .Path 1 2 \"a\"}} {{println .Path}}",
    "{{/* no word */}}{{- .Path -}} ",
    // What is no template, or none for a module.
    "{{.Path",
    "{{if}}",
    "{{nope .Path}}",
    "{{.Nope}}",
    "{{.Path.X}}",
    "{{join .Path \",\"}}",
    "{{.Replace.Path}}",
    "{{.Time.Format \"2006\"}}",
    "{{index .Versions 0}}",
];

#[test]
fn list_f_templates_of_scripts_match_go() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    let (ours, gos) = (downloaded(&proxy), downloaded(&proxy));
    let rows: &[&[&str]] = &[
        &["all"],
        &["-u", "-versions", "all"],
        &["-e", "example.com/gone", "example.com/text@v1"],
    ];
    for (template, rest) in sample(0, 15, pairs(TEMPLATES, rows)) {
        let line = || {
            ["list", "-m", "-f", template]
                .into_iter()
                .chain(rest.iter().copied())
        };
        let go = gos.go(line());
        same(&ours.run(line()), &go, &format!("{template} {rest:?}"));
    }
}

/// Lines that a shell runs: their status counts as well.
const LINES: &[&str] = &[
    "go list -m -f '{{.Path}}@{{.Version}}' all",
    "go list -m -f '{{.Nope}}'",
    "go list -m -f '{{.Path'",
    "go list -m -f '{{.Path}}' -json",
    "go list -m -f '{{.Dir}}' example.com/gone",
    "go list -m -e -f '{{with .Error}}{{.Err}}{{end}}' example.com/gone",
    "go list -m -compiled all",
    "go list -m -deps all",
    "go list -m -export -test all",
    "go list -m -find -deps=false all",
    "go list -m -test=false",
    "go list -m -retracted -mod=vendor",
    "go list -m -mod=vendor all",
    "go list -m -mod=other",
    "go list -m -reuse old.json all",
    "GO111MODULE=off go list -m -mod=mod",
    "GO111MODULE=off GOFLAGS=-mod=mod go list -m",
    "GO111MODULE=off go list -m -retracted",
    "GO111MODULE=off go list -m -reuse old.json",
    "cd .. && go list -m -reuse none.json",
    "cd .. && go list -m -reuse none.json example.com/text@v1.0.0",
    "cd .. && go list -m -e -reuse none.json example.com/text@v1.0.0",
    "cd .. && go list -m -json example.com/text@v1 > old.json; go list -m -json -reuse old.json example.com/text@v1",
    "cd .. && echo '{}}' > old.json; go list -m -reuse old.json example.com/text@v1",
    "go list -m -tags x,y -race -ldflags='-s -w' -buildvcs=false -p 4 -a -n -v -trimpath all",
    "go list --m --tags=x --mod=readonly all",
    "go list -m -work -cover -covermode=set -coverpkg all -pgo off -toolexec 'a b' -msan all",
    "GOFLAGS='-json=Path -m -mod=mod -tags=x' go list all",
    "GOFLAGS='-u -versions -f={{.Path}}' go list -m -f '{{.Version}}' all",
    "GOFLAGS='-m -retracted -e' go list example.com/gone example.com/text",
    "GOFLAGS='-json' go list -m -json=false all",
    "GOFLAGS=-go=1.16 go mod graph",
    "GOFLAGS=-json go mod download example.com/text",
    "GOFLAGS='-modcache -n' go clean | sed 's/[^ ]*$//'",
    "go clean -n -modcache -tags x -race -p 1 | sed 's/[^ ]*$//'",
    "GOFLAGS=-f go list -m 2>&1 | head -1",
    "go list -m -modfile none.mod",
    "echo 'go 1.21' > go.work; echo 'use .' >> go.work; go list -m -reuse none.json example.com/text; rm go.work",
    "echo 'go 1.21' > go.work; echo 'use .' >> go.work; go list -m -reuse none.json; rm go.work",
    "rm -f go.work; sed -i 's/^go .*/go 1.21/; $arequire example.com/text v1.0.0' go.mod; go list -m all",
    "go list -m -mod=readonly all",
];

#[test]
fn go_list_f_errors_match_go() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    let (ours, gos) = (downloaded(&proxy), downloaded(&proxy));
    let bin = ours.project_dir().with_file_name("bin");
    fs::create_dir(&bin).unwrap();
    symlink(env!("CARGO_BIN_EXE_modfetch"), bin.join("go")).unwrap();
    let path = format!("PATH={}:$PATH; ", bin.display());
    let told = |text: &str, sandbox: &Sandbox| {
        let root = sandbox.project_dir();
        let root = root.parent().unwrap().display().to_string();
        let lines = text.lines().filter(|line| !line.starts_with("hint: "));
        let lines: Vec<&str> = lines.collect();
        lines.join("\n").replace(&root, "ROOT")
    };
    for line in LINES {
        let (run, go) = (ours.shell(&format!("{path}{line}")), gos.shell(line));
        assert_eq!(run.code, go.code, "{line}\n{}\n{}", run.stderr, go.stderr);
        assert_eq!(told(&run.stdout, &ours), told(&go.stdout, &gos), "{line}");
        assert_eq!(told(&run.stderr, &ours), told(&go.stderr, &gos), "{line}");
    }
}
