//! Help, man pages and completions, as their readers and shells see them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use modfetch::internals::cli::TOPICS;
use modfetch::internals::cli::command_tree;

fn modfetch(args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_modfetch"))
        .args(args)
        .env_clear()
        .env("HOME", "/nonexistent")
        .output();
    output.expect("it runs")
}

fn stdout(args: &[&str]) -> String {
    let output = modfetch(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}");
    assert!(output.stderr.is_empty(), "{args:?}");
    String::from_utf8(output.stdout).expect("it is text")
}

fn stderr(args: &[&str], code: i32) -> String {
    let output = modfetch(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}");
    assert!(output.stdout.is_empty(), "{args:?}");
    String::from_utf8(output.stderr).expect("it is text")
}

/// Runs a program if it is installed.
fn tool(program: &str, args: &[&str], dir: &Path) -> Option<Output> {
    Command::new(program)
        .args(args)
        .current_dir(dir)
        .output()
        .ok()
}

#[test]
fn no_command_shows_where_to_begin() {
    let text = stderr(&[], 2);
    for line in [
        "  modfetch download ",
        "  modfetch verify ",
        "  modfetch doctor ",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.contains("'modfetch -h' lists the commands"), "{text}");
}

#[test]
fn list_without_m_says_what_to_type() {
    for (args, want) in [
        (vec!["list"], "modfetch list -m all"),
        (
            vec!["list", "example.com/a", "all"],
            "modfetch list -m example.com/a all",
        ),
    ] {
        let text = stderr(&[&args[..], &["-C", "/"]].concat(), 2);
        assert!(text.contains(want), "{text}");
    }
}

#[test]
fn help_prints_every_topic_and_command() {
    for topic in TOPICS {
        let text = stdout(&["help", topic.name]);
        assert!(text.lines().count() > 5, "{text}");
    }
    for info in command_tree().commands {
        let words: Vec<&str> = [&["help"], info.path].concat();
        assert!(stdout(&words).starts_with(info.brief));
    }
    let text = stderr(&["help", "setings"], 2);
    assert!(text.contains("did you mean \"settings\"?"), "{text}");
}

#[test]
fn man_dir_writes_pages_that_man_accepts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    assert_eq!(stdout(&["man", "--dir", path]), "");
    let mut files: Vec<String> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files.len(),
        1 + command_tree().commands.len() + TOPICS.len()
    );
    for name in ["modfetch.1", "modfetch-download.1", "modfetch-settings.7"] {
        assert!(files.iter().any(|file| file == name), "{files:?}");
    }
    let page = fs::read_to_string(dir.path().join("modfetch-download.1")).unwrap();
    assert_eq!(stdout(&["man", "download"]), page);
    assert_eq!(stdout(&["man", "mod", "download"]), page);
    let text = stderr(&["man", "nonsense"], 2);
    assert!(text.contains("no man page"), "{text}");

    // What groff warns of: unknown escapes and macros, unbalanced blocks.
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let args = [&["-man", "-Tutf8", "-ww", "-z", "-rLL=200n"], &files[..]].concat();
    if let Some(output) = tool("groff", &args, dir.path()) {
        let said = String::from_utf8_lossy(&output.stderr);
        // A long URL or name may not break; that is no fault of the page.
        let faults: Vec<&str> = said
            .lines()
            .filter(|line| !line.contains("adjust line"))
            .collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }
    let args = ["-T", "lint", "-W", "error"];
    if let Some(output) = tool("mandoc", &[&args, &files[..]].concat(), dir.path()) {
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
    }
    if let Some(output) = tool("mandoc", &["-T", "utf8", "modfetch-download.1"], dir.path()) {
        // Without overstriking.
        let text = String::from_utf8_lossy(&output.stdout);
        let chars: Vec<char> = text.chars().collect();
        let text: String = (0..chars.len())
            .filter(|&at| chars[at] != '\u{8}' && chars.get(at + 1) != Some(&'\u{8}'))
            .map(|at| chars[at])
            .collect();
        assert!(text.contains("-j, --jobs N"), "{text}");
        assert!(text.contains("Environment: MODFETCH_JOBS"), "{text}");
    }
}

#[test]
fn completions_bash_completes_commands_flags_and_values() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("script"), stdout(&["completions", "bash"])).unwrap();
    fs::write(dir.path().join("roots.pem"), "").unwrap();
    let rows = [
        ("modfetch dow", "download"),
        ("modfetch mod d", "download"),
        ("modfetch mod download --jobs-", "--jobs-per-host"),
        ("modfetch download -modf", "-modfile"),
        ("modfetch download --color a", "auto always"),
        ("modfetch download --color = n", "never"),
        ("modfetch download --scope l", "listed"),
        ("modfetch download --cacert roo", "roots.pem"),
        ("modfetch completions z", "zsh"),
        ("modfetch download --nonsen", ""),
        ("modfetch nonsense -", "--help --version"),
    ];
    let mut script = "source ./script\n".to_owned();
    for (line, _) in rows {
        let count = line.split(' ').count() - 1;
        script += &format!(
            "COMP_WORDS=({line}); COMP_CWORD={count}; COMPREPLY=(); _modfetch; echo \"${{COMPREPLY[*]}}\"\n"
        );
    }
    let Some(output) = tool("bash", &["-c", &script], dir.path()) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said: Vec<&str> = said.lines().collect();
    for ((line, want), got) in rows.iter().zip(&said) {
        assert_eq!(got, want, "{line}");
    }
    assert_eq!(said.len(), rows.len());
}

#[test]
fn completions_zsh_is_understood_and_offers_flags() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("_modfetch"),
        stdout(&["completions", "zsh"]),
    )
    .unwrap();
    // The functions of the completion system need a line editor: what they would be given is printed.
    let script = "_arguments() { print -rl -- \"$@\" }; _describe() { print -rl -- \"${(@P)2}\" }; \
                  words=(modfetch mod ''); CURRENT=3; source ./_modfetch; \
                  words=(modfetch download ''); CURRENT=3; source ./_modfetch";
    let Some(output) = tool("zsh", &["-f", "-c", script], dir.path()) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for line in [
        "verify:Check that cached modules are what go.sum says",
        "*--jobs=[Fetch at most N files at once]:N: ",
        "*--color=[Use colours\\: auto, always, never]:WHEN:(auto always never)",
        "*-json[Print results as JSON]",
        "*--cacert=[Trust the certificate authorities in FILE, too]:FILE:_files",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}\n{said}");
    }
}

#[test]
fn completions_fish_completes_commands_flags_and_values() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("script"), stdout(&["completions", "fish"])).unwrap();
    let rows = [
        ("modfetch dow", "download"),
        ("modfetch mod v", "verify"),
        ("modfetch mod download --jobs-", "--jobs-per-host"),
        ("modfetch download -modf", "-modfile"),
        ("modfetch download --color n", "never"),
        ("modfetch completions z", "zsh"),
    ];
    let mut script = "source ./script\n".to_owned();
    for (line, _) in rows {
        script += &format!("complete -C '{line}' | string split -f1 \\t\n");
    }
    let home = format!("HOME={}", dir.path().display());
    let Some(output) = tool("env", &[&home, "fish", "-N", "-c", &script], dir.path()) else {
        return;
    };
    if output.status.code() == Some(127) {
        return;
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let want: Vec<&str> = rows.iter().map(|(_, want)| *want).collect();
    assert_eq!(said.lines().collect::<Vec<_>>(), want);
}
