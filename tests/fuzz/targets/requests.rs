//! What a client sends to `serve`: heads of requests and their targets.

use modfetch::internals::serve::{
    ContentSelection, HeadExtent, MAX_HEAD_BYTES, RequestMethod, find_end, parse_head,
    parse_target, select,
};

/// A decoded path is one that could have been sent as it is, and leads nowhere else.
fn check_path(path: &str) {
    assert!(path.starts_with('/') && path.is_ascii());
    assert!(!path.contains(['%', '\\', '\0', '#', '?', ' ']));
    if path != "/" {
        let mut segments = path.split('/').skip(1);
        assert!(segments.all(|segment| !matches!(segment, "" | "." | "..")));
    }
    let again = parse_target(path).expect("a decoded path is a target");
    assert_eq!((&*again.path, again.query), (path, ""));
    // The other form of each reserved character is the same name.
    let escaped: String = path
        .chars()
        .map(|c| match c {
            '!' | '@' | '+' => format!("%{:02X}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    let same = parse_target(&escaped).expect("reserved characters may be escaped");
    assert_eq!(same.path, path);
}

/// The bytes are what comes over a connection.
pub(super) fn request(bytes: &[u8]) {
    let whole = find_end(bytes, 0);
    // However the bytes come, the end is where it is, or the refusal is the same.
    let mut seen = 0;
    for length in 0..=bytes.len() {
        match find_end(&bytes[..length], seen) {
            Ok(HeadExtent::Unfinished(looked)) => {
                assert!(looked >= seen && looked <= length);
                seen = looked;
            }
            ended => {
                assert_eq!(ended, whole);
                break;
            }
        }
    }
    let Ok(HeadExtent::Whole(end)) = whole else {
        return;
    };
    assert!(end <= MAX_HEAD_BYTES && bytes[..end].ends_with(b"\r\n\r\n"));
    let Ok(request) = parse_head(&bytes[..end]) else {
        return;
    };
    check_path(&request.path);
    assert!(request.query.is_ascii());
    let text = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    assert!(!text.contains("\ntransfer-encoding:"));
    assert!(matches!(
        request.method,
        RequestMethod::Get | RequestMethod::Head
    ));
    for length in [0, 1, 1000, u64::MAX] {
        if let ContentSelection::Part {
            start,
            length: part,
        } = select(&request.fields, Some("\"a\""), length)
        {
            assert!(part > 0 && start.checked_add(part).is_some_and(|end| end <= length));
        }
    }
}
