//! GOAUTH with scripts in the place of commands.

use std::process::Command;

use super::*;
use proptest::prelude::*;
use std::thread;

fn url(text: &str) -> Url {
    Url::parse(text).expect("tests name URLs")
}

/// Makes a script and returns its path.
fn script(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("the folder is ours");
    crate::system::set_mode(&path, 0o755).expect("the script is ours");
    path.display().to_string()
}

fn value(auth: &GoAuth, asked: &str) -> Option<String> {
    let held = auth.find(&url(asked))?;
    let (_, value) = held.headers.first()?;
    Some(value.to_str().expect("tests send text").to_owned())
}

fn refused<'a>(url: &'a Url) -> AuthRefusal<'a> {
    let head = b"HTTP/1.1 401 Unauthorized\nA: b\n\n";
    AuthRefusal { url, head }
}

#[test]
fn lists_that_make_no_sense_are_refused_in_gos_words() {
    // From auth.go, without the list itself.
    let dir = "GOAUTH=git dir method requires an absolute path to the git working directory";
    let rows = [
        ("", "GOAUTH encountered an empty command".to_owned()),
        (
            "netrc; ;off",
            "GOAUTH encountered an empty command".to_owned(),
        ),
        (
            "off;netrc",
            "GOAUTH=off cannot be combined with other authentication commands".to_owned(),
        ),
        ("git", dir.to_owned()),
        ("git /a /b", dir.to_owned()),
        ("git a", format!("{dir}, dir is not absolute")),
        (
            "git /nonexistent/x",
            "GOAUTH=git encountered an error; cannot stat /nonexistent/x: no such file or \
             directory"
                .to_owned(),
        ),
        ("git /dev/null", format!("{dir}, dir is not a directory")),
    ];
    for (list, want) in rows {
        let error = GoAuth::start(list, None, None).unwrap_err();
        assert_eq!(
            (error.chain(), error.kind()),
            (want, Kind::Input),
            "{list:?}"
        );
    }
    for list in ["off", " off ", "netrc", "git /;netrc"] {
        assert!(GoAuth::start(list, None, None).is_ok(), "{list:?}");
    }
}

#[test]
fn the_earlier_method_decides_for_the_same_prefix_and_the_longer_prefix_before_that() {
    let temp = tempfile::tempdir().unwrap();
    let netrc = temp.path().join("netrc");
    fs::write(
        &netrc,
        "machine a.com login u password p\nmachine b.com login u password p",
    )
    .unwrap();
    let command = script(
        temp.path(),
        "cmd",
        "printf 'https://a.com\\nhttps://b.com/x/\\n\\nAuthorization: from %s\\n\\n' \"$1\"",
    );
    let basic = "Basic dTpw"; // printf u:p | base64
    let first = GoAuth::start(
        &format!("netrc;{command} 'an argument'"),
        Some(&netrc),
        None,
    )
    .unwrap();
    assert_eq!(value(&first, "https://a.com/m").as_deref(), Some(basic));
    assert_eq!(
        value(&first, "https://b.com/x/m").as_deref(),
        Some("from an argument")
    );
    assert_eq!(value(&first, "https://b.com/y").as_deref(), Some(basic));
    let last = GoAuth::start(&format!("{command} c ; netrc"), Some(&netrc), None).unwrap();
    assert_eq!(value(&last, "https://a.com/m").as_deref(), Some("from c"));
    assert_eq!(value(&last, "http://a.com/m").as_deref(), Some(basic));
    let off = GoAuth::start("off", Some(&netrc), None).unwrap();
    assert_eq!(value(&off, "https://a.com/m"), None);
}

#[test]
fn a_command_is_told_of_the_refusal_and_threads_share_what_it_says() {
    let temp = tempfile::tempdir().unwrap();
    let (log, dir) = (temp.path().join("log"), temp.path());
    let command = script(
        dir,
        "cmd",
        &format!(
            "echo \"run $*\" >> {log}\n[ $# = 0 ] && exit 0\ncat >> {log}\n\
             printf 'https://a.com\\n\\nToken: new\\n\\n'",
            log = log.display()
        ),
    );
    let auth = GoAuth::start(&command, None, None).unwrap();
    let asked = url("https://u:secret@a.com/m/@v/v1.zip");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let found = auth.again(&refused(&asked), None).expect("credentials");
                assert_eq!(found.headers[0].1, "new");
            });
        }
    });
    let held = auth.find(&asked).unwrap();
    assert!(
        auth.again(&refused(&asked), Some(&held)).is_none(),
        "nothing new"
    );
    let once = "run https://a.com/m/@v/v1.zip\nHTTP/1.1 401 Unauthorized\nA: b\n\n";
    let told = fs::read_to_string(log).unwrap();
    assert_eq!(told, format!("run \n{once}{once}"));
}

#[test]
fn a_failing_method_leaves_the_others_and_tells_no_output() {
    let temp = tempfile::tempdir().unwrap();
    let netrc = temp.path().join("netrc");
    fs::write(&netrc, "machine a.com login u password p").unwrap();
    let failing = script(
        temp.path(),
        "failing",
        "echo hunter2; echo hunter2 >&2; exit 3",
    );
    let babbling = script(temp.path(), "babbling", "echo hunter2");
    let list = format!("{failing} hunter2;/nonexistent/cmd;{babbling};'odd;netrc");
    let auth = GoAuth::start(&list, Some(&netrc), None).unwrap();
    assert_eq!(
        value(&auth, "https://a.com/m").as_deref(),
        Some("Basic dTpw")
    );
    assert_eq!(
        auth.troubles(),
        [
            format!("GOAUTH command {failing} failed: exit status 3"),
            "GOAUTH command /nonexistent/cmd cannot be run: no such file or directory".into(),
            format!(
                "GOAUTH command {babbling}: cannot parse output: invalid format: missing empty \
                 line after URLs"
            ),
            "cannot parse GOAUTH command 'odd: unterminated ' string".into(),
        ]
    );
}

#[test]
fn git_gives_what_its_helper_knows_and_is_told_the_outcome_once() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let init = Command::new("git")
        .args(["init", "-q"])
        .current_dir(dir)
        .status();
    if !init.is_ok_and(|status| status.success()) {
        return;
    }
    let log = dir.join("log");
    let helper = script(
        dir,
        "helper",
        &format!(
            "{{ echo \"$1\"; cat; }} >> {}\n[ \"$1\" = get ] && printf 'username=u\\npassword=p\\n'",
            log.display()
        ),
    );
    let config = Command::new("git")
        .args([
            "config",
            "--local",
            "--replace-all",
            "credential.helper",
            &helper,
        ])
        .current_dir(dir)
        .status();
    assert!(config.unwrap().success());
    let auth = GoAuth::start(&format!("git {}", dir.display()), None, None).unwrap();
    assert_eq!(
        value(&auth, "https://127.0.0.1:9/m"),
        None,
        "not without need"
    );
    let asked = url("https://127.0.0.1:9/m/@v/v1.zip");
    let held = auth.again(&refused(&asked), None).expect("credentials");
    assert_eq!(held.headers[0].1, "Basic dTpw");
    assert_eq!(
        value(&auth, "https://127.0.0.1:9/other").as_deref(),
        Some("Basic dTpw")
    );
    assert_eq!(value(&auth, "https://127.0.0.1:8/m"), None);
    let login = held.git.as_ref().unwrap();
    tell_git(login, true);
    tell_git(login, false);
    let told = fs::read_to_string(log).unwrap();
    let words: Vec<&str> = told.lines().filter(|line| !line.contains('=')).collect();
    assert_eq!(words, ["get", "store"], "{told}");
    assert!(told.ends_with("username=u\npassword=p\n"), "{told}");
}

#[test]
fn git_does_not_prompt() {
    let temp = tempfile::tempdir().unwrap();
    let init = Command::new("git")
        .args(["init", "-q"])
        .current_dir(temp.path())
        .status();
    if !init.is_ok_and(|status| status.success()) {
        return;
    }
    let config = Command::new("git")
        .args(["config", "--local", "--add", "credential.helper", ""])
        .current_dir(temp.path())
        .status();
    assert!(config.unwrap().success());
    let auth = GoAuth::start(&format!("git {}", temp.path().display()), None, None).unwrap();
    assert!(
        auth.again(&refused(&url("https://127.0.0.1:9/m")), None)
            .is_none()
    );
    let troubles = auth.troubles();
    assert!(
        troubles.len() == 1 && troubles[0].contains("'git credential fill' failed: "),
        "{troubles:?}"
    );
}

proptest! {
    #[test]
    fn any_list_is_read_or_refused(list in "(netrc|off|git|;| |/|'|\"|\\PC){0,12}") {
        // Parsed only: what it names is not run.
        let _ = parse(&list, None);
    }
}

#[test]
fn a_command_ends_with_the_run() {
    let temp = tempfile::tempdir().unwrap();
    let command = script(temp.path(), "auth", "exec sleep 50");
    let deadline = Deadline::after(Duration::from_millis(100));
    let auth = GoAuth::start(&command, None, deadline).unwrap();
    assert_eq!(
        auth.troubles(),
        [format!(
            "GOAUTH command {command} was stopped when the time of the run was over"
        )]
    );
}
