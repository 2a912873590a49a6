//! `serve`: the checksum database.

use super::{site, upstream};
use crate::integrity::sumdb::database;
use crate::support::go::only_modfetch;
use crate::support::served::Served;
use crate::support::sumdb::NAME;

#[test]
fn serve_checksum_database_shows_one_head() {
    only_modfetch!();
    let older = database();
    let proxy = upstream(&older);
    let site = site(&proxy.url(), &older.gosumdb());
    let server = Served::start(&site, &[]);
    let lookup = |name: &str| server.get(&format!("/sumdb/{NAME}/lookup/{name}"));
    let supported = server.get(&format!("/sumdb/{NAME}/supported"));
    assert_eq!((supported.status, proxy.requests().len()), (200, 0));
    assert_eq!(server.get("/sumdb/other.example.com/supported").status, 404);
    let head = |text: &str| text.split_once("\n\n").unwrap().1.to_owned();
    let first = lookup("example.com/text@v1.2.0");
    assert_eq!(first.status, 200, "{}", first.text());
    // The log grows: a record that was kept is then shown under the newer head.
    let newer = database().with_filler("example.com/filler");
    newer.serve_on(&proxy);
    let second = lookup("example.com/calc@v1.0.0");
    assert_ne!(head(&first.text()), head(&second.text()));
    let again = lookup("example.com/text@v1.2.0");
    assert_eq!(head(&again.text()), head(&second.text()));
    let record = |text: &str| text.split_once("\n\n").unwrap().0.to_owned();
    assert_eq!(record(&again.text()), record(&first.text()));
    // Tiles are proven and kept; what is not in the log is 404.
    assert_eq!(server.get(&format!("/{}", newer.tile())).status, 200);
    assert_eq!(lookup("example.com/absent@v1.0.0").status, 404);
    assert_eq!(server.get(&format!("/sumdb/{NAME}/tile/8/0/0")).status, 404);
    assert_eq!(
        server.get(&format!("/sumdb/{NAME}/latest")).text(),
        head(&second.text())
    );
}
