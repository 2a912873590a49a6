//! Tests of `env`, most of them beside the real `go`.

use super::*;
use crate::cli;
use crate::command::command_tree;
use crate::config::Environment;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::OnceLock;

fn run_as(
    program: &str,
    args: &[&str],
    pairs: &[(&str, &str)],
    cwd: &Path,
) -> std::result::Result<EnvOutput, String> {
    let argv = [&[program, "env"], args].concat();
    let argv = argv.into_iter().map(OsString::from).collect();
    let invocation = cli::parse(&command_tree(), argv);
    // As the go that it is compared with, unless the test names a version.
    let acting = [(
        "GOLANG_VERSION",
        go_version().unwrap_or(GoVersion::EMULATED),
    )];
    let pairs = acting.iter().chain(pairs).copied();
    let environment = Environment::from_pairs(pairs);
    let go_env = GoEnv::load(&environment);
    let run = |invocation: cli::Invocation| {
        let call = CommandCall {
            program: invocation.program,
            raw: &invocation.raw,
            go_env: &go_env,
        };
        run(&call, cwd)
    };
    invocation.and_then(run).map_err(|error| error.chain())
}

/// The go command of this machine.
fn find_go() -> Option<PathBuf> {
    let named = Environment::from_process();
    if let Some(go) = named.get("MODFETCH_TEST_GO") {
        return Some(PathBuf::from(go));
    }
    ["/usr/local/go/bin/go", "/usr/lib/go/bin/go", "/usr/bin/go"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
}

/// Its version, without `go`.
fn go_version() -> Option<&'static str> {
    static VERSION: OnceLock<Option<String>> = OnceLock::new();
    let asked = || {
        let output = process::Command::new(find_go()?)
            .args(["env", "GOVERSION"])
            .env("GOTOOLCHAIN", "local")
            .output();
        let said = String::from_utf8(output.ok()?.stdout).ok()?;
        said.trim().strip_prefix("go").map(str::to_owned)
    };
    VERSION.get_or_init(asked).as_deref()
}

/// Runs the real go with nothing in its environment but `pairs`; `None` if there is no go.
fn real_go(
    args: &[&str],
    pairs: &[(&str, &str)],
    cwd: &Path,
) -> Option<std::result::Result<EnvOutput, String>> {
    let Some(go) = find_go() else {
        let required = Environment::from_process()
            .get("MODFETCH_REQUIRE_GO")
            .is_some();
        assert!(!required, "MODFETCH_REQUIRE_GO is set and there is no go");
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: no go");
        }
        return None;
    };
    let output = process::Command::new(go)
        .arg("env")
        .args(args)
        .env_clear()
        .envs(pairs.iter().copied())
        .env("PATH", "/usr/bin:/bin")
        .current_dir(cwd)
        .output()
        .expect("go runs");
    let stderr = String::from_utf8(output.stderr).expect("text");
    if output.status.success() {
        return Some(Ok(EnvOutput {
            stdout: String::from_utf8(output.stdout).expect("text"),
            warnings: stderr.lines().map(str::to_owned).collect(),
        }));
    }
    let said = stderr.trim_end();
    Some(Err(said.strip_prefix("go: ").unwrap_or(said).to_owned()))
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// What modfetch prints as go, less GOROOT, which go finds without being told.
const NAMES: &[&str] = &[
    "GO111MODULE",
    "GOARCH",
    "GOAUTH",
    "GOBIN",
    "GOCACHE",
    "GODEBUG",
    "GOENV",
    "GOFLAGS",
    "GOHOSTARCH",
    "GOHOSTOS",
    "GOINSECURE",
    "GOMOD",
    "GOMODCACHE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOOS",
    "GOPATH",
    "GOPRIVATE",
    "GOPROXY",
    "GOSUMDB",
    "GOTMPDIR",
    "GOVCS",
    "GOWORK",
    "NO_SUCH_VARIABLE",
    "GOMODCONCURRENT",
    "GOEXPERIMENT",
];

#[test]
fn output_is_gos_in_many_environments() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let root = fs::canonicalize(dir.path()).expect("exists");
    let root = root.to_str().expect("unicode").to_owned();
    let at = |name: &str| format!("{root}/{name}");
    fs::create_dir_all(at("home/.config/go")).expect("creates");
    fs::create_dir_all(at("xdg/go")).expect("creates");
    fs::create_dir_all(at("mod/sub")).expect("creates");
    fs::create_dir_all(at("work/sub")).expect("creates");
    fs::write(at("mod/go.mod"), "module example.com/m\n\ngo 1.21\n").expect("writes");
    fs::write(at("work/go.work"), "go 1.21\n").expect("writes");
    fs::write(
        at("home/.config/go/env"),
        "# comment\nGOPROXY=https://a.example|direct\n GOVCS=no\nGONOSUMDB=b.com\nGOFLAGS=-mod=mod\n\
GOPATH=/file/path\nGODEBUG=x=1\nGOSUMDB=\nUNKNOWN_THING=1\nGOINSECURE=a<b>&c\u{2028}\n",
    )
    .expect("writes");
    fs::write(
        at("xdg/go/env"),
        "GOPRIVATE=p.com/*\nGOSUMDB=off\nGOMODCACHE=/c\nGOARCH=arm64\n",
    )
    .expect("writes");
    let (home, bare, xdg) = (at("home"), at("bare"), at("xdg"));
    let (module, work, temp) = (at("mod/sub"), at("work/sub"), at("mod"));
    let file = at("xdg/go/env");

    let environments: &[&[(&str, &str)]] = &[
        &[("HOME", &bare)],
        &[("HOME", &home)],
        &[("HOME", &home), ("GOENV", "off")],
        &[
            ("HOME", &home),
            ("XDG_CONFIG_HOME", &xdg),
            ("XDG_CACHE_HOME", &xdg),
        ],
        &[("HOME", &home), ("XDG_CONFIG_HOME", "rel")],
        &[
            ("HOME", &home),
            ("GOENV", &file),
            ("GOPRIVATE", ""),
            ("GONOPROXY", "none"),
        ],
        &[
            ("HOME", &bare),
            ("GOPRIVATE", "a.com"),
            ("GONOPROXY", "a.com"),
            ("GOPROXY", "off"),
        ],
        &[
            ("HOME", &bare),
            ("GOPATH", "/a/:/b"),
            ("GOAUTH", "off"),
            ("GODEBUG", "a=1"),
        ],
        &[
            ("HOME", &bare),
            ("GOPATH", ":/b"),
            ("GOFLAGS", "it's -x \"quoted\""),
        ],
        &[
            ("HOME", &bare),
            ("GOMODCACHE", "rel"),
            ("GOSUMDB", "sum.golang.org"),
        ],
        &[
            ("HOME", &bare),
            ("GOPROXY", "https://proxy.golang.org,direct"),
            ("GOBIN", "/x\ny"),
        ],
        &[("HOME", &bare), ("GO111MODULE", "off")],
        &[("HOME", &bare), ("GO111MODULE", "auto"), ("GOWORK", "off")],
        &[
            ("HOME", &bare),
            ("GO111MODULE", "on"),
            ("GOWORK", "/x/y.work"),
        ],
        &[("HOME", &bare), ("TMPDIR", &temp)],
        &[
            ("HOME", &bare),
            ("GOOS", "windows"),
            ("GOTMPDIR", "/t"),
            ("GOVCS", "*:off"),
        ],
        &[("HOME", &bare), ("GOFLAGS", "-json -foo bar")],
        &[("HOME", &bare), ("GOFLAGS", "-changed"), ("GOPRIVATE", "x")],
        &[("HOME", "rel")],
        &[("HOME", "/h/../x//")],
        &[("GOPATH", "/only")],
        // Refused by go as well.
        &[("HOME", &bare), ("GOPATH", "/b:rel")],
        &[("HOME", &bare), ("GOPATH", "~/x")],
        &[("HOME", &bare), ("GOWORK", "rel")],
        &[("HOME", &bare), ("GO111MODULE", "blah")],
    ];
    let changed = [&["-changed"], NAMES].concat();
    let json = [&["-json"], NAMES].concat();
    let both = [&["-json", "-changed"], NAMES].concat();
    let forms: &[&[&str]] = &[NAMES, &json, &changed, &both];
    for (number, pairs) in environments.iter().enumerate() {
        for form in forms {
            // Each environment in one directory, chosen in turn; those that matter in all.
            let matters = (11..=14).contains(&number);
            for (place, cwd) in [&root, &module, &work].into_iter().enumerate() {
                if !matters && place != number % 3 {
                    continue;
                }
                let cwd = Path::new(cwd);
                let Some(want) = real_go(form, pairs, cwd) else {
                    return;
                };
                let got = run_as("go", form, pairs, cwd);
                assert_eq!(got, want, "{pairs:?}\n{form:?}\nin {}", cwd.display());
            }
        }
    }
}

#[test]
fn the_whole_listing_is_a_part_of_gos() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().to_str().expect("unicode").to_owned();
    for pairs in [
        vec![("HOME", home.as_str()), ("GOROOT", "/usr/local/go")],
        vec![
            ("HOME", &home),
            ("GOROOT", "/usr/local/go"),
            ("GOFLAGS", "'-tags=a b'"),
        ],
    ] {
        let Some(want) = real_go(&[], &pairs, dir.path()) else {
            return;
        };
        let want = want.expect("go prints").stdout;
        let got = run_as("go", &[], &pairs, dir.path())
            .expect("prints")
            .stdout;
        for line in got.lines() {
            assert!(want.lines().any(|other| other == line), "{line}\n{want}");
        }
        assert_eq!(got.lines().count(), 20, "{got}");
    }
}

#[test]
fn the_file_is_edited_as_go_edits_it() {
    type Step = &'static [&'static str];
    let start = "GOX=1\n# c\nGOZ=1\nGOPROXY=a\nGOVCS=x\nGOPROXY=b\n\nGOSUMDB=off";
    /// What the file says at first, what the environment says, what is run.
    type Story = (
        Option<&'static str>,
        &'static [(&'static str, &'static str)],
        &'static [Step],
    );
    let stories: &[Story] = &[
        (
            None,
            &[],
            &[
                &["-w", "GOPROXY=off", "GOFLAGS=-mod=mod -x", "GOBIN=/b"],
                &["-w", "GOPROXY=direct", "GOAUTH=netrc"],
                &["-u", "GOFLAGS", "GOSUMDB"],
                &["-w", "GOPROXY="],
            ],
        ),
        (
            Some(start),
            &[("GOPROXY", "env"), ("GOVCS", "same")],
            &[
                &["-w", "GOPROXY=c", "GOVCS=same", "GO111MODULE=auto"],
                &["-u", "GOX", "GOZ"],
                &["-w", "GOX=1"],
            ],
        ),
        (
            Some("GOX=1\n"),
            &[],
            &[
                &["-w"],
                &["-u"],
                &["-w", "FOO=1"],
                &["-w", "MODFETCH_JOBS=1"],
                &["-u", "FOO"],
                &["-u", "GOPROXY=x"],
                &["-w", "GOPROXY"],
                &["-w", "GOENV=x"],
                &["-w", "GODEBUG=x"],
                &["-w", "GOMOD=x"],
                &["-w", "GOWORK=off"],
                &["-w", "GOPROXY=a", "GOPROXY=b"],
                &["-w", "GOPATH=rel"],
                &["-w", "GOPATH=~/x"],
                &["-w", "GOMODCACHE=rel"],
                &["-w", "GO111MODULE=yes"],
                &["-w", "GOTMPDIR=rel"],
                &["-w", "CC=./x"],
                &["-w", "CC= "],
                &["-w", "CXX='x"],
                &["-w", "GOPROXY=a\nb"],
                &["-w", "-u", "GOPROXY"],
                &["-w", "-json", "GOPROXY=x"],
                &["-u", "-json", "GOPROXY"],
                &["GOPROXY=x"],
                &["-w", "GOX=2", "CC=gcc -m64", "CXX=/x/y"],
            ],
        ),
    ];
    for (start, pairs, steps) in stories {
        let (ours, gos) = (
            tempfile::tempdir().expect("temporary directory"),
            tempfile::tempdir().expect("temporary directory"),
        );
        let file = |home: &tempfile::TempDir| home.path().join(".config/go/env");
        if let Some(text) = start {
            for home in [&ours, &gos] {
                fs::create_dir_all(home.path().join(".config/go")).expect("creates");
                fs::write(file(home), text).expect("writes");
            }
        }
        for step in *steps {
            let with_home = |home: &tempfile::TempDir| {
                let home = home.path().to_str().expect("unicode").to_owned();
                let mut env: Vec<(String, String)> = vec![("HOME".to_owned(), home)];
                env.extend(pairs.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())));
                env
            };
            let (kept_ours, kept_go) = (with_home(&ours), with_home(&gos));
            let env_ours = borrowed(&kept_ours);
            let env_go = borrowed(&kept_go);
            let Some(want) = real_go(step, &env_go, gos.path()) else {
                return;
            };
            let got = run_as("go", step, &env_ours, ours.path());
            assert_eq!(got, want, "{step:?}");
            let text = |home| fs::read_to_string(file(home)).unwrap_or_default();
            assert_eq!(text(&ours), text(&gos), "{step:?}");
        }
    }
}

#[test]
fn a_file_that_must_exist_or_is_off_is_an_error() {
    let cwd = Path::new("/");
    let chain = |args: &[&str], pairs: &[(&str, &str)]| {
        run_as("modfetch", args, pairs, cwd).expect_err("refused")
    };
    let off = [("HOME", "/nowhere"), ("GOENV", "off")];
    let want = "cannot find go env config: GOENV=off";
    assert_eq!(chain(&["-w", "GOPROXY=x"], &off), want);
    assert_eq!(chain(&["-u", "GOPROXY"], &off), want);
    assert_eq!(
        chain(&["-w", "GOPROXY=x"], &[]),
        "cannot find go env config: neither $XDG_CONFIG_HOME nor $HOME are defined"
    );
    let missing = chain(&["-u", "GOPROXY"], &[("GOENV", "/nowhere/env")]);
    let want = "reading go env config: open /nowhere/env: ";
    assert!(missing.starts_with(want), "{missing}");
}

#[test]
fn as_modfetch_own_settings_follow_and_origins_are_comments() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let file = dir.path().join("env");
    fs::write(&file, "GOPROXY=it's\nMODFETCH_RETRIES=9\n").expect("writes");
    let file = file.to_str().expect("unicode");
    let pairs = [
        ("GOENV", file),
        ("GOPATH", "/p"),
        ("MODFETCH_JOBS", "many"),
        ("GOPRIVATE", "a.com"),
    ];
    let out = run_as("modfetch", &["-v"], &pairs, dir.path()).expect("prints");
    let lines: Vec<&str> = out.stdout.lines().collect();
    for want in [
        &format!("GOPROXY='it'\\''s' # from GOENV file {file}"),
        "GONOPROXY='a.com' # from the environment",
        "GOSUMDB='sum.golang.org' # default",
        "MODFETCH_JOBS='many' # from the environment",
        &format!("MODFETCH_RETRIES='9' # from GOENV file {file}"),
        "MODFETCH_STALL_TIMEOUT='30s' # default",
    ] {
        assert!(lines.contains(&want), "{want}\n{}", out.stdout);
    }
    assert!(lines.is_sorted());
    assert_eq!(
        out.warnings,
        [
            "modfetch: warning: invalid value \"many\" for MODFETCH_JOBS: want a whole number from 1 to 1024"
        ]
    );
    let run = |args: &[&str]| {
        run_as("modfetch", args, &pairs, dir.path())
            .expect("prints")
            .stdout
    };
    assert_eq!(run(&["MODFETCH_RETRIES", "GOPATH"]), "9\n/p\n");
    assert_eq!(
        run(&["-v", "GOPATH"]),
        "GOPATH='/p' # from the environment\n"
    );
    assert_eq!(
        run(&["-v", "-json", "GOPATH"]),
        "{\n\t\"GOPATH\": {\n\t\t\"Value\": \"/p\",\n\t\t\"Origin\": \"from the environment\"\n\t}\n}\n"
    );
    let changed = run(&["-changed"]);
    assert!(changed.contains("MODFETCH_RETRIES='9'\n") && !changed.contains("MODFETCH_LOG"));
    // go has never heard of them.
    let as_go = run_as("go", &["MODFETCH_LOCKED"], &pairs, dir.path()).expect("prints");
    assert_eq!(as_go.stdout, "\n");

    // A line feed in the file's name does not end the comment.
    let odd = dir.path().join("a\nb");
    fs::write(&odd, "GOPROXY=x\n").expect("writes");
    let pairs = [("GOENV", odd.to_str().expect("unicode"))];
    let out = run_as("modfetch", &["-v", "GOPROXY"], &pairs, dir.path()).expect("prints");
    assert_eq!(out.stdout.lines().count(), 1, "{}", out.stdout);
}

#[test]
fn own_settings_can_be_kept_in_the_file() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let file = dir.path().join("env");
    let pairs = [("GOENV", file.to_str().expect("unicode"))];
    let run = |args: &[&str]| run_as("modfetch", args, &pairs, dir.path());
    run(&["-w", "MODFETCH_JOBS=8"]).expect("writes");
    assert_eq!(run(&["MODFETCH_JOBS"]).expect("prints").stdout, "8\n");
    let refused = run(&["-w", "MODFETCH_JOBS=x"]).expect_err("no number");
    assert!(refused.contains("want a whole number"), "{refused}");
    run(&["-u", "MODFETCH_JOBS"]).expect("removes");
    assert_eq!(run(&["MODFETCH_JOBS"]).expect("prints").stdout, "64\n");
}

/// What `go env` and `go env -w` of go1.26.8 and go1.27.4 print.
#[test]
fn what_go_1_27_changed_depends_on_the_version() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let home = dir.path().to_str().expect("unicode");
    let said = |version: &str, args: &[&str]| {
        let pairs = [
            ("HOME", home),
            ("GOLANG_VERSION", version),
            ("GOPACKAGESDRIVER", "off"),
        ];
        run_as("go", args, &pairs, dir.path()).map(|output| output.stdout)
    };
    let names = ["GOBIN", "GOPACKAGESDRIVER"];
    assert_eq!(said("1.26.10", &names), Ok("\n\n".to_owned()));
    assert_eq!(said("1.27.4", &names), Ok(format!("{home}/go/bin\noff\n")));
    for args in [&["-w", "GOROOT=/x"][..], &["-u", "GOROOT"]] {
        assert_eq!(said("1.26.10", args), Ok(String::new()));
    }
    for args in [&["-w", "GOROOT=/x"][..], &["-u", "GOROOT"]] {
        let refused = "GOROOT cannot be modified".to_owned();
        assert_eq!(said("1.27.4", args), Err(refused));
    }
    // Changed is only what was set.
    let changed = said("1.27.4", &["-changed", "GOBIN"]);
    assert_eq!(changed, Ok(String::new()));
}
