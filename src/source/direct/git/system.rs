//! The other side of a git repository, by the program git.
//!
//! The program gets the user's settings for the network (credential helpers, proxies, `insteadOf`,
//! ssh commands), because only they lead to a private repository. What they could have run
//! otherwise is switched off: hooks, the file system monitor, garbage collection in the background,
//! submodules. Content never passes through the program: it is read from the clone's objects.
//!
//! URLs and names follow `--end-of-options`. Credentials that modfetch holds for the URL are
//! handed over as a header for that URL alone, in the environment, where other users of the machine
//! do not see them.
//!
//! Source: golang/go `cmd/go/internal/modfetch/codehost/git.go`.

use std::sync::Arc;

use super::odb::ObjectId;
use super::refs::Refs;
use super::remote::{GitRemote, LockedClone};
use crate::error::{Error, Kind, Result};
use crate::http::{Client, Url};
use crate::proc::Ran;
use crate::source::direct::program::{ProgramInvocation, Programs};
use crate::source::direct::work;

/// Protocols that git may use: a server or a setting must not lead to a helper that runs programs.
const PROTOCOLS: &str = "file:git:http:https:ssh";

/// Variables that would lead git to another repository, or have it run something.
const REMOVED: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Settings that hold whatever the user's say.
const SETTINGS: &[&str] = &[
    // Servers of older protocols miss tags: golang/go#56881.
    "protocol.version=2",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.alternateRefsCommand=",
    "fetch.fsckObjects=false",
    "fetch.prune=false",
    "fetch.pruneTags=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
];

/// A repository at a URL.
pub(in crate::source::direct) struct SystemGit {
    url: String,
    programs: Arc<Programs>,
    client: Client,
}

impl SystemGit {
    pub(in crate::source::direct) fn new(
        url: &str,
        programs: Arc<Programs>,
        client: Client,
    ) -> SystemGit {
        SystemGit {
            url: url.to_owned(),
            programs,
            client,
        }
    }

    fn run(&self, clone: Option<&LockedClone<'_>>, arguments: &[&str]) -> Result<Ran> {
        let dir = clone.map(|clone| clone.dir);
        let settings = &self.programs.settings;
        let mut all: Vec<String> = Vec::new();
        for setting in SETTINGS {
            all.extend(["-c".to_owned(), (*setting).to_owned()]);
        }
        let stall = settings.stall_timeout.as_secs().max(1);
        all.extend(["-c".to_owned(), "http.lowSpeedLimit=1".to_owned()]);
        all.extend(["-c".to_owned(), format!("http.lowSpeedTime={stall}")]);
        let hidden = all.len();
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let mut environment = vec![
            // Complaints are read.
            ("LC_ALL".to_owned(), "C".to_owned()),
            ("GIT_NO_LAZY_FETCH".to_owned(), "1".to_owned()),
        ];
        if let Some(dir) = dir {
            // It works with safe.bareRepository=explicit, too.
            environment.push(("GIT_DIR".to_owned(), dir.display().to_string()));
        }
        let protocols = settings.git_allow_protocol.as_deref().unwrap_or(PROTOCOLS);
        environment.push(("GIT_ALLOW_PROTOCOL".to_owned(), protocols.to_owned()));
        environment.extend(self.credentials()?);
        let removed: Vec<&str> = match dir {
            Some(_) => REMOVED.to_vec(),
            None => REMOVED.iter().copied().chain(["GIT_DIR"]).collect(),
        };
        self.programs.run(&ProgramInvocation {
            program: "git",
            arguments: all,
            hidden,
            dir,
            environment,
            removed: &removed,
            network: true,
            held: clone.map(|clone| clone.lock),
            package: "git",
        })
    }

    /// What modfetch knows for the URL, as settings of git in its environment.
    fn credentials(&self) -> Result<Vec<(String, String)>> {
        let Ok(url) = Url::parse(&self.url) else {
            return Ok(Vec::new());
        };
        let headers = work::bound(&self.client).credentials_for(&url)?;
        let mut pairs = Vec::new();
        for (place, (name, value)) in headers.iter().enumerate() {
            let key = format!("http.{}.extraHeader", self.url);
            pairs.push((format!("GIT_CONFIG_KEY_{place}"), key));
            pairs.push((
                format!("GIT_CONFIG_VALUE_{place}"),
                format!("{name}: {value}"),
            ));
        }
        if !pairs.is_empty() {
            pairs.push(("GIT_CONFIG_COUNT".to_owned(), headers.len().to_string()));
        }
        Ok(pairs)
    }

    fn fetch(&self, clone: &LockedClone<'_>, arguments: &[&str]) -> Result<Ran> {
        let mut all = vec!["fetch", "-q", "-f"];
        all.extend_from_slice(arguments);
        self.run(Some(clone), &all)
    }
}

const ALL_REFS: [&str; 2] = ["refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"];

impl GitRemote for SystemGit {
    fn name(&self) -> &'static str {
        "the program git"
    }

    fn refs(&self) -> Result<Refs> {
        let ran = self.run(None, &["ls-remote", "-q", "--end-of-options", &self.url])?;
        let text = String::from_utf8(ran.stdout).map_err(|_| {
            let text = format!("git ls-remote -q {}: names of refs are not UTF-8", self.url);
            Error::new(Kind::Network, crate::proc::redact(&text, &[]))
        })?;
        Ok(Refs::parse(&text))
    }

    fn fetches_by_name(&self) -> bool {
        true
    }

    fn fetch_by_name(&self, clone: &LockedClone<'_>, name: &str) -> Result<()> {
        let spec = format!("{name}:{name}");
        let arguments = [
            "--depth=1",
            "--no-tags",
            "--end-of-options",
            "origin",
            &spec,
        ];
        self.fetch(clone, &arguments).map(drop)
    }

    fn fetch_tips(&self, clone: &LockedClone<'_>, wanted: &[(String, ObjectId)]) -> Result<()> {
        let spec = |(place, (name, id)): (usize, &(String, ObjectId))| match name.as_str() {
            // Some servers refuse hashes, so that a name is used where there is one.
            "HEAD" => format!(
                "{id}:refs/dummy{}",
                if place == 0 {
                    String::new()
                } else {
                    place.to_string()
                }
            ),
            name => format!("{name}:{name}"),
        };
        let specs: Vec<String> = wanted.iter().enumerate().map(spec).collect();
        let mut arguments = vec!["--depth=1", "--no-tags", "--end-of-options", "origin"];
        arguments.extend(specs.iter().map(String::as_str));
        self.fetch(clone, &arguments).map(drop)
    }

    fn fetch_everything(&self, clone: &LockedClone<'_>) -> Result<()> {
        let mut arguments = vec!["--end-of-options", "origin"];
        arguments.extend(ALL_REFS);
        self.fetch(clone, &arguments)?;
        // Apart from that, because clients up to git 2.23 mix the two up: golang/go#34266.
        if clone.dir.join("shallow").exists() {
            self.fetch(clone, &["--unshallow", "--end-of-options", "origin"])?;
        }
        Ok(())
    }

    fn fetch_history(&self, clone: &LockedClone<'_>) -> Result<()> {
        let mut arguments = vec!["--filter=tree:0", "--end-of-options", "origin"];
        arguments.extend(ALL_REFS);
        self.fetch(clone, &arguments).map(drop)
    }
}
