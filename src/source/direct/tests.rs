//! A piece of work that is cancelled ends its programs, and leaves nothing wrong to others.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Direct, DirectSettings, GitChoice};
use crate::event::NoEvents;
use crate::gomod::ModulePath;
use crate::http::{Client, RequestContext, Settings};
use crate::source::Source as _;

/// A `git` that says that it runs and sleeps, once; then it lists one tag.
const GIT: &str = "#!/bin/sh
cd \"${0%/*}\" || exit 1
if [ ! -e ran ]; then echo $$ > ran.new; mv ran.new ran; exec sleep 600; fi
printf '%s\\t%s\\n' 0123456789012345678901234567890123456789 refs/tags/v1.0.0
";

fn direct(bin: &Path) -> Direct {
    let git = bin.join("git");
    fs::write(&git, GIT).unwrap();
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let settings = DirectSettings {
        clones: bin.join("vcs"),
        govcs: "*:all".to_owned(),
        git: GitChoice::Program,
        environment: vec![("PATH".to_owned(), path)],
        ..DirectSettings::default()
    };
    let client = || Client::new(Settings::default(), Arc::new(NoEvents));
    Direct::new(settings, client(), client())
}

#[test]
fn a_cancelled_piece_of_work_ends_its_git_and_spoils_no_other() {
    let bin = tempfile::tempdir().unwrap();
    let direct = direct(bin.path());
    let path = ModulePath::parse("v.test/m.git").unwrap();
    let context = RequestContext::new(Arc::new(NoEvents));
    let cancel = context.cancel.clone();
    let bound = direct.bind(&context);
    let asked = {
        let path = path.clone();
        thread::spawn(move || bound.versions(&path))
    };
    let ran = bin.path().join("ran");
    let until = Instant::now() + Duration::from_secs(30);
    while !ran.exists() {
        assert!(Instant::now() < until, "git was never started");
        thread::sleep(Duration::from_millis(2));
    }
    cancel.cancel();
    assert!(asked.join().unwrap().is_err());
    // The process is gone: it was waited for.
    let process = fs::read_to_string(&ran).unwrap();
    let command = fs::read_to_string(format!("/proc/{}/cmdline", process.trim()));
    assert!(!command.is_ok_and(|text| text.contains("sleep")));
    let other = direct.bind(&RequestContext::new(Arc::new(NoEvents)));
    assert_eq!(other.versions(&path).unwrap(), ["v1.0.0"]);
}
