//! `cache export`, `cache import` and `cache key`.

use std::fs;

use super::filled;
use crate::support::go::only_modfetch;
use crate::support::{Proxy, Sandbox, require_go};

/// A sandbox with the project and an empty cache, and the archive of another one's in its project.
fn with_archive(from: &Sandbox, proxy: &Proxy) -> Sandbox {
    let sandbox = Sandbox::with("hello", proxy).env("GOPROXY", "off");
    let archive = fs::read(from.project_dir().join("mod.tar")).unwrap();
    fs::write(sandbox.project_dir().join("mod.tar"), archive).unwrap();
    sandbox
}

#[test]
fn import_makes_the_cache_that_was_exported() {
    require_go!();
    only_modfetch!();
    let proxy = Proxy::serve();
    let go = Sandbox::with("hello", &proxy);
    go.go(["mod", "download"]).ok();
    for form in ["--zips", "--trees"] {
        let run = go.run(["cache", "export", "-o", "mod.tar", form]);
        run.ok().stdout("").stderr_has("modfetch: exported ");
        let sandbox = with_archive(&go, &proxy);
        let run = sandbox.run(["cache", "import", "mod.tar"]);
        run.ok().stdout("").stderr_has("modfetch: imported ");
        run.demand(!run.stderr.contains("vouches"), "go.sum has them all");
        let is_zip = |path: &str| form == "--trees" && path.ends_with(".zip");
        let what = format!("go's cache and the imported one, {form}");
        go.picture()
            .without(is_zip)
            .assert_same(&sandbox.picture().without(is_zip), &what);
        sandbox.go(["build", "-o", "hello.out", "."]).ok();
        sandbox
            .go(["mod", "verify"])
            .ok()
            .stdout("all modules verified\n");
        // Nothing is missing any more.
        let again = sandbox.run(["cache", "import", "mod.tar"]);
        again
            .ok()
            .stderr_has("imported 0 modules and 0 go.mod files;");
        // Equal caches, equal archives.
        let second = sandbox.run(["cache", "export", "-o", "again.tar", form]);
        second.ok();
        let read = |name: &str| fs::read(sandbox.project_dir().join(name)).unwrap();
        assert!(read("mod.tar") == read("again.tar"), "{form}");
    }
}

#[test]
fn export_for_a_project_has_what_it_needs() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let from = filled(&proxy);
    from.run([
        "download",
        "example.com/calc@v1.0.0",
        "example.com/words@v1.0.0",
    ])
    .ok();
    from.run(["cache", "export", "-o", "mod.tar", "--for", "."])
        .ok();
    let sandbox = with_archive(&from, &proxy);
    sandbox.run(["cache", "import", "mod.tar"]).ok();
    sandbox.run(["download"]).ok();
    assert!(
        !sandbox
            .cached("cache/download/example.com/calc/@v/v1.0.0.mod")
            .exists()
    );
    // In the graph, and in no build list.
    assert!(
        sandbox
            .cached("cache/download/example.com/text/@v/v1.0.0.mod")
            .exists()
    );
    assert!(!sandbox.cached("example.com/text@v1.0.0").exists());
    let empty = Sandbox::with("hello", &proxy);
    let run = empty.run(["cache", "export", "-o", "mod.tar", "--for", "."]);
    run.fails(11)
        .stderr_has("is not in the cache")
        .stderr_has("'modfetch download' in the project");
    assert!(!empty.project_dir().join("mod.tar").exists());
    empty
        .run(["cache", "export"])
        .fails(2)
        .stderr_has("cache export needs -o FILE");
}

#[test]
fn export_to_a_pipe_is_imported_from_it() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let from = filled(&proxy);
    from.run(["cache", "export", "-o", "mod.tar"]).ok();
    let piped = from.run(["cache", "export", "-o", "-"]);
    assert!(piped.ok().stderr.contains("exported"));
    let sandbox = with_archive(&from, &proxy);
    sandbox.shell("modfetch cache import - < mod.tar").ok();
    sandbox.run(["download"]).ok();
}

#[test]
fn import_of_damaged_archives_shows_nothing() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let from = filled(&proxy);
    for form in ["--zips", "--trees"] {
        from.run(["cache", "export", "-o", "mod.tar", form]).ok();
        let whole = fs::read(from.project_dir().join("mod.tar")).unwrap();
        let find = |text: &str| {
            let mut places = whole.windows(text.len()).enumerate();
            places
                .find(|(_, window)| *window == text.as_bytes())
                .unwrap()
                .0
        };
        // A byte in the content of greet, which is behind its name in the tar header.
        let content = match form {
            "--zips" => find("cache/download/example.com/greet/@v/v1.1.0.zip\0") + 512 + 60,
            _ => find("example.com/greet@v1.1.0/go.mod\0") + 512 + 3,
        };
        let change = |place: usize, with: &[u8]| {
            let mut archive = whole.clone();
            archive[place..place + with.len()].copy_from_slice(with);
            archive
        };
        let hash = find("example.com/greet/@v/v1.1.0.ziphash\0");
        let hash = whole[hash..]
            .windows(3)
            .position(|window| window == b"h1:")
            .unwrap()
            + hash;
        let rows = [
            (change(content, b"@@@@"), 5, "example.com/greet@v1.1.0"),
            (change(hash + 3, b"AAAA"), 5, "example.com/greet@v1.1.0"),
            (whole[..whole.len() / 2].to_vec(), 3, "archive is cut off"),
            ([&whole[..], &[1]].concat(), 3, "bytes behind the end"),
        ];
        for (archive, code, text) in rows {
            let sandbox = with_archive(&from, &proxy);
            fs::write(sandbox.project_dir().join("mod.tar"), archive).unwrap();
            let run = sandbox.run(["cache", "import", "mod.tar"]);
            run.fails(code)
                .stderr_has("import of mod.tar")
                .stderr_has(text);
            if code == 5 {
                assert!(!sandbox.cached("example.com/greet@v1.1.0").exists());
                let zip = "cache/download/example.com/greet/@v/v1.1.0.zip";
                assert!(!sandbox.cached(zip).exists());
            }
            // What came before is right.
            sandbox.run(["verify", "--cache"]).ok();
        }
    }
}

#[test]
fn import_is_checked_by_go_sum() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let from = filled(&proxy);
    from.run(["cache", "export", "-o", "mod.tar"]).ok();
    let wrong = |text: &'static str| {
        move |sums: String| {
            let changed = |line: &str| match line.strip_prefix(text) {
                Some(sum) => format!("{text}{}{}\n", &sum[..3], "A".repeat(43) + "="),
                None => format!("{line}\n"),
            };
            sums.lines().map(changed).collect()
        }
    };
    for line in [
        "example.com/greet v1.1.0 ",
        "example.com/greet v1.1.0/go.mod ",
    ] {
        let sandbox = with_archive(&from, &proxy).edit("go.sum", wrong(line));
        let run = sandbox.run(["cache", "import", "mod.tar"]);
        run.fails(5).stderr_has("checksum mismatch");
        assert!(!sandbox.cached("example.com/greet@v1.1.0").exists());
    }
    let without = with_archive(&from, &proxy);
    fs::remove_file(without.project_dir().join("go.mod")).unwrap();
    let run = without.run(["cache", "import", "mod.tar"]);
    run.ok()
        .stderr_has("modfetch: only the archive vouches for 13 of them");
}

#[test]
fn key_depends_on_what_is_needed_alone() {
    only_modfetch!();
    let proxy = Proxy::serve();
    let key = |sandbox: Sandbox| {
        let run = sandbox.run(["cache", "key"]);
        let line = run.ok().stdout.trim_end().to_owned();
        let digits = line.strip_prefix("modfetch-1-").unwrap_or_default();
        assert!(
            digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{line}"
        );
        assert!(!sandbox.cache().exists());
        line
    };
    let project = || Sandbox::with("hello", &proxy);
    let same = key(project());
    assert_eq!(
        key(project().edit("go.mod", |text| format!(
            "// A comment.\n{text}\n// Another.\n"
        ))),
        same
    );
    assert_eq!(
        key(project().edit("go.mod", |text| text.replace('\n', "\r\n"))),
        same
    );
    assert_eq!(
        key(project().edit("go.sum", |text| text.replace('\n', "\r\n"))),
        same
    );
    let reversed = |text: String| text.lines().rev().map(|line| format!("{line}\n")).collect();
    assert_eq!(key(project().edit("go.sum", reversed)), same);
    let without = |text: String| {
        text.lines()
            .skip(1)
            .map(|line| format!("{line}\n"))
            .collect()
    };
    assert_ne!(key(project().edit("go.sum", without)), same);
    let newer = |text: String| text.replace("greet v1.1.0", "greet v1.0.0");
    assert_ne!(key(project().edit("go.mod", newer)), same);
    let toolchain = |text: String| text.replace("go 1.21\n", "go 1.21\n\ntoolchain go1.26.0\n");
    assert_ne!(key(project().edit("go.mod", toolchain)), same);
}
