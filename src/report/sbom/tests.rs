use super::*;

#[test]
fn timestamp_is_that_of_the_calendar() {
    // By `date -u -d @SECONDS +%FT%TZ`.
    for (seconds, want) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_399, "2000-02-28T23:59:59Z"),
        (951_868_799, "2000-02-29T23:59:59Z"),
        (1_709_164_800, "2024-02-29T00:00:00Z"),
        (1_735_689_599, "2024-12-31T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ] {
        assert_eq!(timestamp(seconds), want);
    }
    assert_eq!(utc_date(1_709_164_800), "2024-02-29");
}

#[test]
fn identity_is_a_version_8_uuid_of_the_contents() {
    let bill = |path: &str| BillOfMaterials {
        modules: vec![BomModule {
            path: path.to_owned(),
            version: None,
            role: BomRole::Main,
            usage: BomUsage::Packages,
            replaces: None,
            directory: None,
            sum: None,
            go_mod_sum: None,
            requires: Some(Vec::new()),
            licenses: Vec::new(),
            origin: None,
        }],
    };
    let (one, other) = (identity(&bill("a.com/a")), identity(&bill("a.com/b")));
    assert_ne!(one, other);
    assert_eq!(one, identity(&bill("a.com/a")));
    let parts: Vec<&str> = one.split('-').collect();
    assert_eq!(
        parts.iter().map(|part| part.len()).collect::<Vec<_>>(),
        [8, 4, 4, 4, 12]
    );
    assert!(
        parts[2].starts_with('8') && parts[3].starts_with(['8', '9', 'a', 'b']),
        "{one}"
    );
}
