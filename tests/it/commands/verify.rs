//! `verify`: everything that go finds, in its words, and what it does not find.

use crate::support::go::only_modfetch;
use crate::support::tamper::{FOLDER, change, copy_of, entry, filled, forged, put};
use crate::support::{Proxy, Run, Sandbox, require_go};

const VERIFIED: &str = "all modules verified\n";

/// What go prints as a list of findings: ours has the same lines in the same order, and more.
#[track_caller]
fn assert_says_what_go_says(ours: &Run, gos: &Run, what: &str) {
    assert_eq!(ours.stdout, gos.stdout, "{what}");
    let mut said = ours.stderr.lines();
    for line in gos.stderr.lines() {
        let line = line.strip_prefix("go: ").unwrap_or(line);
        let found = said.any(|said| said.strip_prefix("modfetch: ").unwrap_or(said) == line);
        assert!(found, "{what}: no line {line:?} in\n{}", ours.stderr);
    }
}

#[test]
fn verify_damage_found_by_go_is_reported_as_go() {
    require_go!();
    type Tamper = fn(&Sandbox);
    let rows: &[(&str, i32, Tamper)] = &[
        ("nothing", 0, |_| {}),
        ("no ziphash", 5, |s| s.remove(&entry("ziphash"))),
        ("no ziphash and no zip", 0, |s| {
            s.remove(&entry("ziphash"));
            s.remove(&entry("zip"));
        }),
        ("no zip", 0, |s| s.remove(&entry("zip"))),
        ("no dir", 0, |s| s.remove(FOLDER)),
        ("nothing cached", 0, |s| {
            for suffix in ["zip", "ziphash", "info"] {
                s.remove(&entry(suffix));
            }
            s.remove(FOLDER);
        }),
        ("a changed file", 5, |s| {
            change(s, &format!("{FOLDER}/greet.go"), |data| data.push(b'\n'));
        }),
        ("a changed file and no zip", 5, |s| {
            change(s, &format!("{FOLDER}/greet.go"), |data| data.push(b'\n'));
            s.remove(&entry("zip"));
        }),
        ("an added file", 5, |s| {
            s.write(&format!("{FOLDER}/x.go"), b"x");
        }),
        ("a missing file", 5, |s| {
            s.remove(&format!("{FOLDER}/greet.go"));
        }),
        ("a link to nowhere", 5, |s| {
            let link = s.cached(&format!("{FOLDER}/link"));
            std::os::unix::fs::symlink("nowhere", link).unwrap();
        }),
        ("another zip", 5, |s| {
            s.remove(&entry("zip"));
            s.write(&entry("zip"), &forged().zip());
        }),
        ("another zip and dir", 5, |s| {
            let ziphash = std::fs::read(s.cached(&entry("ziphash"))).unwrap();
            put(s, &forged());
            s.write(&entry("ziphash"), &ziphash);
        }),
        ("a cut zip", 5, |s| {
            change(s, &entry("zip"), |data| data.truncate(100));
        }),
        ("an empty zip", 5, |s| change(s, &entry("zip"), Vec::clear)),
        ("a torn ziphash", 5, |s| {
            change(s, &entry("ziphash"), |data| data.truncate(9));
        }),
        ("another ziphash", 5, |s| {
            change(s, &entry("ziphash"), |data| data[5] ^= 1);
        }),
        ("a ziphash with a line feed", 0, |s| {
            change(s, &entry("ziphash"), |data| data.push(b'\n'));
        }),
        ("an unfinished dir", 0, |s| {
            s.write(&entry("partial"), b"");
            s.remove(&format!("{FOLDER}/greet.go"));
        }),
        ("an unfinished dir and another zip", 5, |s| {
            s.write(&entry("partial"), b"");
            s.remove(&entry("zip"));
            s.write(&entry("zip"), &forged().zip());
        }),
        ("a changed go.mod", 5, |s| {
            change(s, &entry("mod"), |data| data.push(b'\n'));
        }),
        ("no go.mod", 11, |s| s.remove(&entry("mod"))),
    ];
    let (_proxy, filled) = filled();
    let filled = filled.env("GOPROXY", "off");
    for (what, code, tamper) in rows {
        let sandbox = copy_of(&filled);
        tamper(&sandbox);
        let gos = sandbox.go(["mod", "verify"]);
        let run = sandbox.run(["verify"]);
        run.fails(*code);
        gos.fails(*code);
        assert_says_what_go_says(&run, &gos, what);
        let own = sandbox.run(["mod", "verify", "--go-exit-codes"]);
        assert_eq!(own.code, gos.code, "{what}");
        if *code == 0 {
            run.stdout(VERIFIED).stderr("");
        }
    }
}

#[test]
fn verify_project_forms_match_go() {
    require_go!();
    let proxy = Proxy::serve();
    let legacy = Sandbox::with("legacy", &proxy);
    legacy.go(["mod", "download"]).ok();
    let empty = Sandbox::new().go_mod("");
    let outside = Sandbox::new();
    let hello = Sandbox::with("hello", &proxy);
    hello.go(["mod", "download"]).ok();
    // go.sum without lines: the settings demand no proof.
    let unsummed = Sandbox::with("hello", &proxy).cache_of(&hello).go_sum("");
    let replaced = Sandbox::with("hello", &proxy).cache_of(&hello);
    let replaced = replaced.edit("go.mod", |text| {
        text + "\nreplace example.com/text => example.com/patched v1.0.0\n"
    });
    replaced.go(["mod", "download"]).ok();
    for (what, sandbox, code) in [
        ("legacy", &legacy, 0),
        ("empty", &empty, 0),
        ("outside", &outside, 2),
        ("unsummed", &unsummed, 0),
        ("replaced", &replaced, 0),
    ] {
        let gos = sandbox.go(["mod", "verify"]);
        let run = sandbox.run(["verify"]);
        run.fails(code);
        assert_says_what_go_says(&run, &gos, what);
        assert_eq!(
            sandbox.run(["verify", "--go-exit-codes"]).code,
            gos.code,
            "{what}"
        );
    }
    // What replaces a module is what is built; go looks at the module that is replaced.
    if only_modfetch() {
        let file = "example.com/patched@v1.0.0/text.go";
        let file = match replaced.cached(file).exists() {
            true => file,
            false => "example.com/patched@v1.0.0/go.mod",
        };
        change(&replaced, file, |data| data.push(b'\n'));
        replaced
            .run(["verify"])
            .fails(5)
            .stderr_has("example.com/patched v1.0.0: dir has been modified (");
    }
}

#[test]
fn verify_consistent_tampering_is_found_by_go_sum() {
    only_modfetch!();
    let (_proxy, sandbox) = filled();
    put(&sandbox, &forged());
    if require_go().is_some() {
        sandbox.go(["mod", "verify"]).ok().stdout(VERIFIED);
    }
    let run = sandbox.run(["verify"]);
    run.fails(5).stdout("");
    for piece in ["zip", "dir", "ziphash"] {
        run.stderr_has(&format!(
            "example.com/greet v1.1.0: {piece} has been modified ("
        ));
    }
    run.stderr_has("either all of it was altered, or go.sum was");
    // The others are not to blame.
    assert_eq!(
        run.stderr.matches("has been modified").count(),
        3,
        "{}",
        run.stderr
    );
    // Without a project nothing contradicts.
    let outside = Sandbox::new().cache_of(&sandbox);
    outside.run(["verify", "--cache"]).ok().stdout(VERIFIED);
    sandbox.run(["verify", "--cache"]).fails(5);
}

#[test]
fn verify_modified_directory_names_files() {
    only_modfetch!();
    let (_proxy, sandbox) = filled();
    change(&sandbox, &format!("{FOLDER}/greet.go"), |data| {
        data.push(b'\n');
    });
    sandbox.remove(&format!("{FOLDER}/loud"));
    sandbox.write(&format!("{FOLDER}/evil\u{1b}[2J.go"), b"");
    sandbox
        .run(["verify"])
        .fails(5)
        .stderr_has("\tchanged: greet.go\n\tadded: evil\\u{1b}[2J.go\n\tremoved: loud/loud.go\n");
    for i in 0..20 {
        sandbox.write(&format!("{FOLDER}/{i}.go"), b"");
    }
    let run = sandbox.run(["verify"]);
    run.fails(5).stderr_has("\n\tand 13 more\n");
    let run = sandbox.run(["verify", "-json", "example.com/greet"]);
    run.fails(5).stderr("");
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["Path"], "example.com/greet");
    assert_eq!(json["Files"]["Piece"], "dir");
    assert_eq!(json["Files"]["Added"].as_array().unwrap().len(), 21);
    assert_eq!(json["Files"]["Changed"], serde_json::json!(["greet.go"]));
    assert_eq!(
        json["Files"]["Removed"],
        serde_json::json!(["loud/loud.go"])
    );
    for (key, want) in [
        ("Zip", "ok"),
        ("Dir", "mismatch"),
        ("ZipHash", "ok"),
        ("GoMod", "ok"),
        ("GoSum", "mismatch"),
        ("SumDB", "skipped"),
        ("ErrorKind", "security"),
    ] {
        assert_eq!(json[key], want, "{key}");
    }
    // The other way round, the directory is the good copy.
    let (_proxy, sandbox) = filled();
    sandbox.remove(&entry("zip"));
    sandbox.write(&entry("zip"), &forged().zip());
    let run = sandbox.run(["verify", "-json", "example.com/greet"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["Files"]["Piece"], "zip");
    assert_eq!(json["Files"]["Changed"], serde_json::json!(["greet.go"]));
}

#[test]
fn verify_mismatch_names_the_copy_that_differs() {
    only_modfetch!();
    let (_proxy, sandbox) = filled();
    change(&sandbox, &entry("ziphash"), |data| data[5] ^= 1);
    sandbox
        .run(["verify"])
        .fails(5)
        .stderr_has("ziphash has been modified ([ROOT]/modcache/");
    let verdicts = |sandbox: &Sandbox| {
        let run = sandbox.run(["verify", "-json", "example.com/greet@v1.1.0"]);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        ["Zip", "Dir", "ZipHash", "GoMod", "GoSum"]
            .map(|key| json[key].as_str().unwrap().to_owned())
    };
    assert_eq!(
        verdicts(&sandbox),
        ["ok", "ok", "mismatch", "ok", "mismatch"]
    );
    let (_proxy, sandbox) = filled();
    sandbox.remove(&entry("zip"));
    sandbox.remove(&entry("ziphash"));
    assert_eq!(verdicts(&sandbox), ["absent", "ok", "absent", "ok", "ok"]);
    change(&sandbox, &format!("{FOLDER}/greet.go"), |data| {
        data.push(b'\n');
    });
    // go takes such a directory for unfinished, and says nothing.
    assert_eq!(
        verdicts(&sandbox),
        ["absent", "mismatch", "absent", "ok", "mismatch"]
    );
    // Without a line of go.sum the go.mod in the zip is what the go.mod must be.
    let (_proxy, sandbox) = filled();
    let sandbox = sandbox.go_sum("");
    assert_eq!(verdicts(&sandbox), ["ok", "ok", "ok", "ok", "absent"]);
    change(&sandbox, &entry("mod"), |data| data.push(b'\n'));
    assert_eq!(verdicts(&sandbox), ["ok", "ok", "ok", "mismatch", "absent"]);
}

#[test]
fn verify_arguments_select_modules() {
    only_modfetch!();
    let (_proxy, sandbox) = filled();
    change(&sandbox, &format!("{FOLDER}/greet.go"), |data| {
        data.push(b'\n');
    });
    let rows: &[(&[&str], i32)] = &[
        (&["verify", "example.com/text"], 0),
        (&["verify", "example.com/greet"], 5),
        (&["verify", "example.com/greet@v1.1.0"], 5),
        (&["verify", "example.com/greet@v1.0.0"], 11),
        (&["verify", "example.com/t..."], 0),
        (&["verify", "example.com/g..."], 5),
        (&["verify", "all"], 5),
        (&["verify", "example.com/none"], 4),
        (&["verify", "example.com/none@v1.0.0"], 11),
        (
            &["verify", "example.com/none@v1.0.0", "example.com/text"],
            11,
        ),
        (&["verify", "example.com/greet@latest"], 2),
        (&["verify", "--cache", "all"], 2),
    ];
    for (arguments, code) in rows {
        let run = sandbox.run(arguments.iter().copied());
        run.fails(*code);
        run.stdout(if *code == 0 { VERIFIED } else { "" });
    }
    let outside = Sandbox::new().cache_of(&sandbox);
    outside.run(["verify", "example.com/text@v1.2.0"]).ok();
    outside.run(["verify", "example.com/greet@v1.1.0"]).fails(5);
}

#[test]
fn go_mod_verify_prints_as_go() {
    only_modfetch!();
    let (_proxy, sandbox) = filled();
    let script = "mkdir bin; ln -s \"$(command -v modfetch)\" bin/go; bin/go mod verify; exit 9";
    sandbox.shell(script).fails(9).stdout(VERIFIED).stderr("");
    change(&sandbox, &format!("{FOLDER}/greet.go"), |data| {
        data.push(b'\n');
    });
    for (arguments, code, said) in [
        ("", 1, "example.com/greet v1.1.0: dir has been modified ("),
        ("all", 1, "go: verify takes no arguments\n"),
        ("-json", 2, "go: flag provided but not defined: -json\n"),
        ("--cache", 2, "go: flag provided but not defined: -cache\n"),
    ] {
        let run = sandbox.shell(&format!("bin/go mod verify {arguments}"));
        run.fails(code).stdout("").stderr_has(said);
    }
}

#[test]
fn verify_cache_needs_no_project() {
    only_modfetch!();
    let (_proxy, sandbox) = filled();
    let outside = Sandbox::new().cache_of(&sandbox);
    outside
        .run(["verify", "--cache"])
        .ok()
        .stdout(VERIFIED)
        .stderr("");
    // What interrupted runs leave is no difference, and is told apart.
    sandbox.write(&entry("partial"), b"");
    sandbox.remove("cache/download/example.com/text/@v/v1.2.0.zip");
    sandbox.remove("cache/download/example.com/text/@v/v1.2.0.ziphash");
    sandbox.remove("cache/download/example.com/tool/@v/v0.5.0.zip");
    sandbox.remove("example.com/tool@v0.5.0");
    change(
        &sandbox,
        "cache/download/example.com/tool/@v/v0.5.0.ziphash",
        |data| {
            data.truncate(20);
        },
    );
    sandbox.write(
        "cache/download/example.com/tool/@v/v0.5.0.zip123.tmp",
        b"half",
    );
    let run = outside.run(["verify", "--cache"]);
    run.ok().stdout(VERIFIED).stderr(
        "modfetch: example.com/greet@v1.1.0: extraction was not finished; the next download \
         repeats it\n\
         modfetch: example.com/text@v1.2.0: no ziphash beside the directory; the next download \
         repeats it\n\
         modfetch: example.com/tool@v0.5.0: ziphash was not written to its end; the next download \
         repeats it\n",
    );
    outside
        .run(["verify", "--cache", "-q"])
        .ok()
        .stdout(VERIFIED)
        .stderr("");
    let json = outside.run(["verify", "--cache", "-json"]);
    for leftover in ["unfinished", "unsealed", "torn"] {
        json.stdout_has(&format!("\t\"Leftover\": \"{leftover}\""));
    }
    let (_proxy, sandbox) = filled();
    sandbox.write("gopkg.in/tiny.v1@v1.0.2/more.go", b"");
    let outside = Sandbox::new().cache_of(&sandbox);
    outside
        .run(["verify", "--cache"])
        .fails(5)
        .stderr_has("gopkg.in/tiny.v1 v1.0.2: dir has been modified (");
    Sandbox::new()
        .run(["verify", "--cache"])
        .ok()
        .stdout(VERIFIED);
}

#[test]
fn verify_writes_nothing_and_opens_no_socket() {
    only_modfetch!();
    let (proxy, filled) = filled();
    filled.seal_cache();
    // Another process holds every lock there is.
    let lock = std::fs::File::open(filled.cached(&entry("lock"))).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "another process, as far as flock goes"
    )]
    lock.lock().unwrap();
    let before = crate::support::tree::Picture::of(filled.cache());
    let reader = Sandbox::with("hello", &proxy)
        .cache_of(&filled)
        .unprivileged();
    reader.run(["verify"]).ok().stdout(VERIFIED).stderr("");
    reader
        .run(["verify", "--cache"])
        .ok()
        .stdout(VERIFIED)
        .stderr("");
    let after = crate::support::tree::Picture::of(filled.cache());
    before.assert_same(&after, "the cache before and after");
    drop(lock);
    // Nothing is there, and still nobody is asked.
    let empty = Sandbox::with("hello", &proxy);
    empty
        .run(["verify"])
        .fails(11)
        .stdout("")
        .stderr_has("module lookup disabled by verify\n");
    assert!(!empty.cache().exists(), "something was written");
    assert_eq!(proxy.connections(), 0, "a socket was opened");
}

#[test]
fn verify_unreadable_file_exits_8() {
    only_modfetch!();
    let (proxy, filled) = filled();
    use std::os::unix::fs::PermissionsExt as _;
    let closed = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(filled.cached(&format!("{FOLDER}/greet.go")), closed).unwrap();
    let reader = Sandbox::with("hello", &proxy)
        .cache_of(&filled)
        .unprivileged();
    let run = reader.run(["verify"]);
    run.fails(8)
        .stdout("")
        .stderr_has("/greet.go: permission denied\n");
    run.demand(
        run.stderr.starts_with("example.com/greet v1.1.0: open "),
        "go's form",
    );
}

#[test]
fn mod_verify_fetches_go_mod_files_as_go() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    let (ours, gos) = (
        Sandbox::with("hello", &proxy),
        Sandbox::with("hello", &proxy),
    );
    gos.go(["mod", "verify"]).ok().stdout(VERIFIED);
    ours.run(["mod", "verify"]).ok().stdout(VERIFIED).stderr("");
    gos.picture()
        .assert_same(&ours.picture(), "the caches of go and ours");
    assert_eq!(proxy.hits("*.zip"), 0, "what is not cached is not checked");
    // By our own name nothing is asked, and the way out is named.
    let empty = Sandbox::with("hello", &proxy);
    empty
        .run(["verify"])
        .fails(11)
        .stderr_has("'modfetch mod verify' fetches the go.mod files that are needed");
}

#[test]
fn verify_cache_beside_a_broken_project_is_whole() {
    only_modfetch!();
    let (_proxy, filled) = filled();
    for (file, text) in [
        ("go.mod", "module\n"),
        ("go.mod", "module m\nrequire a.com/a master\n"),
        ("go.work", "use\n"),
    ] {
        let broken = Sandbox::new().go_mod("").file(file, text).cache_of(&filled);
        let run = broken.run(["verify", "--cache"]);
        run.ok().stdout(VERIFIED);
    }
    let outside = Sandbox::new()
        .env("GOFLAGS", "-modfile=x.mod")
        .cache_of(&filled);
    outside.run(["verify", "--cache"]).ok().stdout(VERIFIED);
}
