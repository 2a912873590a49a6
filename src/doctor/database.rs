//! The checksum database: what its newest head says, and the one that was seen last here.

use std::path::Path;

use super::check::Check;
use crate::error::Error;
use crate::http::ProbeAnswer;
use crate::sumdb::Store;
use crate::sumdb::note::NoteVerifier;
use crate::sumdb::tlog::LogTree;

/// The longest head; ours to choose. Usual are 200 bytes.
pub(super) const MAX_HEAD_BYTES: u64 = 64 << 10;

/// The size of the log, if the head is signed.
fn size(verifier: &NoteVerifier, note: &[u8]) -> Result<u64, String> {
    let text = verifier.open(note).map_err(|reason| reason.to_string())?;
    let tree = LogTree::parse(text).map_err(|reason| reason.to_string())?;
    Ok(tree.size)
}

/// The head that the database serves.
pub(super) fn served(verifier: &NoteVerifier, answer: &Result<ProbeAnswer, Error>) -> Check {
    let body = match answer {
        Ok(answer) if answer.code == 200 => &answer.body,
        Ok(answer) => return Check::failed("head", format!("{} in its place", answer.status)),
        Err(_) => return Check::skipped("head", "not reached"),
    };
    match size(verifier, body) {
        Ok(records) => Check::ok("head", format!("signed, {records} records")),
        Err(reason) => Check::failed("head", reason)
            .next("something between here and the database answers in its place, or GOSUMDB has another key"),
    }
}

/// The head that was kept by an earlier run, or by go.
pub(super) fn kept(verifier: &NoteVerifier, store: &Store) -> Check {
    let path = match store.latest_path() {
        Ok(path) => path,
        Err(error) => return Check::error("kept-head", &error),
    };
    let shown = path.display();
    let note = match store.read_latest(|_| true) {
        Ok(note) => note,
        Err(error) => return Check::error("kept-head", &error),
    };
    if note.is_empty() {
        return Check::ok("kept-head", format!("none yet in {shown}"));
    }
    match size(verifier, &note) {
        Ok(records) => {
            let age = age(path);
            Check::ok("kept-head", format!("{records} records{age}, {shown}"))
        }
        Err(reason) => Check::failed("kept-head", format!("{shown}: {reason}"))
            .next(format!("if it is damaged, remove {shown}")),
    }
}

/// How long ago a file was written, in whole days.
fn age(path: &Path) -> String {
    const DAY_SECONDS: u64 = 86_400;
    let written = path.metadata().and_then(|found| found.modified());
    match written.map(|at| at.elapsed()) {
        Ok(Ok(age)) => format!(", kept {} days ago", age.as_secs() / DAY_SECONDS),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::CheckStatus;
    use super::*;
    use crate::http::Url;
    use crate::sumdb::testing;

    #[test]
    fn a_head_is_signed_or_it_is_none() {
        let name = testing::NAME;
        let verifier = NoteVerifier::parse(&testing::key(name)).unwrap();
        let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let good = testing::sign(&format!("go.sum database tree\n7\n{hash}\n"));
        let forged = String::from_utf8(good.clone())
            .unwrap()
            .replace("\n7\n", "\n8\n");
        let answer = |code, body: &[u8]| {
            Ok(ProbeAnswer {
                url: Url::parse("https://h.com").unwrap().redacted(),
                code,
                status: "404 Not Found".to_owned(),
                ahead: None,
                strong_tag: false,
                last_modified: false,
                body: body.to_vec(),
            })
        };
        let check = served(&verifier, &answer(200, &good));
        assert_eq!(check.seen, "signed, 7 records");
        let check = served(&verifier, &answer(200, forged.as_bytes()));
        assert_eq!(check.status, CheckStatus::Failed);
        assert!(
            check.seen.starts_with("invalid signature for key"),
            "{}",
            check.seen
        );
        let check = served(&verifier, &answer(404, &good));
        assert_eq!(
            (check.status, check.seen.as_str()),
            (CheckStatus::Failed, "404 Not Found in its place")
        );

        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path(), Some(dir.path()), name);
        assert!(kept(&verifier, &store).seen.starts_with("none yet in "));
        let latest = store.latest_path().unwrap();
        std::fs::create_dir_all(latest.parent().unwrap()).unwrap();
        std::fs::write(latest, &good).unwrap();
        let check = kept(&verifier, &store);
        assert!(
            check.seen.starts_with("7 records, kept 0 days ago, "),
            "{}",
            check.seen
        );
        std::fs::write(latest, &forged).unwrap();
        assert_eq!(kept(&verifier, &store).status, CheckStatus::Failed);
        let nowhere = Store::new(dir.path(), None, name);
        assert_eq!(kept(&verifier, &nowhere).status, CheckStatus::Failed);
    }
}
