//! Zips that were cut, flipped or never were zips: an error or the same h1, nothing else.

use std::fs;

use proptest::prelude::*;

use super::testing::*;

/// A zip with one of each: deflated, stored, empty, a directory, a descriptor, a comment.
fn sample() -> Vec<u8> {
    let mut bytes = zip(&[
        file(named("go.mod"), b"module a.com/m\n"),
        stored(named("d/"), b""),
        stored(named("d/LICENSE"), b"do as you like\n"),
        file(named("d/e/a.go"), &b"package a\n".repeat(9)),
        file(named("empty"), b""),
    ]);
    let end = bytes.len();
    bytes[end - 2] = 3;
    bytes.extend(b"hey");
    bytes
}

#[test]
fn a_zip_cut_anywhere_is_refused() {
    let bytes = sample();
    hash(&bytes).unwrap();
    for len in 0..bytes.len() {
        let error = open(&bytes[..len]).expect_err("a shorter zip");
        reason(&error, &module());
    }
}

/// A flipped bit either shows or is in something that has no meaning: times, versions, the
/// comment. Whatever happens, nothing appears beside the directory, and no file that is another.
#[test]
fn a_flipped_byte_never_changes_what_is_taken() {
    let bytes = sample();
    let want = hash(&bytes).unwrap();
    let good = tempfile::tempdir().unwrap();
    open(&bytes)
        .unwrap()
        .extract(&good.path().join("out"))
        .unwrap();
    let (mut taken, mut refused) = (0, 0);
    for at in 0..bytes.len() {
        for flip in [0x01, 0x20, 0x80, 0xff] {
            let mut flipped = bytes.clone();
            flipped[at] ^= flip;
            let dir = tempfile::tempdir().unwrap();
            let out = dir.path().join("out");
            match open(&flipped).and_then(|zip| zip.extract(&out)) {
                Ok(h1) => {
                    assert_eq!(h1, want, "byte {at} ^ {flip:#x}");
                    assert_eq!(
                        fs::read(out.join("d/e/a.go")).unwrap(),
                        fs::read(good.path().join("out/d/e/a.go")).unwrap()
                    );
                    taken += 1;
                }
                Err(error) => {
                    reason(&error, &module());
                    refused += 1;
                }
            }
            let beside = fs::read_dir(dir.path()).unwrap().count();
            assert_eq!(beside, usize::from(out.exists()), "byte {at} ^ {flip:#x}");
        }
    }
    // Times and versions make up 19 of 76 bytes of header and 4 of 22 at the end; most of the
    // rest is names, data and sums.
    assert!(
        taken > 100 && refused > 2 * taken,
        "{taken} taken, {refused} refused"
    );
}

/// 20 MiB that claim to be less, on both ways to inflate: neither buffers nor the file grow past what is declared.
#[test]
fn a_bomb_stops_at_its_declared_size() {
    let mut bomb = file(named("bomb"), &vec![0; 20 << 20]);
    for declared in [1000, 2 << 20] {
        bomb.central.unpacked = declared;
        bomb.after = le(&[
            0x0807_4b50,
            bomb.central.crc,
            bomb.central.compressed,
            declared,
        ]);
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let zip = open(&zip(&[bomb.clone()])).unwrap();
        let error = zip.extract(&out).expect_err("more than declared");
        assert_eq!(
            reason(&error, &module()),
            format!(
                "{MODULE}/bomb: uncompressed size of file {MODULE}/bomb is larger than declared \
                 size ({declared} bytes)"
            )
        );
        let written = fs::metadata(out.join("bomb")).unwrap().len();
        assert!(written <= declared.into(), "{written} bytes written");
    }
}

proptest! {
    #[test]
    fn random_bytes_are_no_zip(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(hash(&bytes).is_err());
    }

    /// Random bytes in the place of part of a zip reach further in.
    #[test]
    fn random_parts_never_panic(
        at in 0_usize..700,
        part in proptest::collection::vec(any::<u8>(), 1..40),
    ) {
        let mut bytes = sample();
        let want = hash(&bytes).unwrap();
        let at = at.min(bytes.len() - part.len());
        bytes[at..at + part.len()].copy_from_slice(&part);
        if let Ok(h1) = hash(&bytes) {
            prop_assert_eq!(h1, want);
        }
    }

    /// What the writer was given is what is unpacked, whatever the shape of the zip.
    #[test]
    fn contents_come_out_as_they_went_in(
        files in proptest::collection::btree_map("[a-z]{1,8}", proptest::collection::vec(any::<u8>(), 0..300), 0..90),
        deflated in any::<bool>(),
    ) {
        let entries: Vec<_> = files
            .iter()
            // A directory, so that no name is also a Windows device.
            .map(|(name, content)| match (deflated, named(&format!("x{name}/f"))) {
                (true, name) => file(name, content),
                (false, name) => stored(name, content),
            })
            .collect();
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        open(&zip(&entries)).unwrap().extract(&out).unwrap();
        for (name, content) in &files {
            let got = fs::read(out.join(format!("x{name}/f"))).unwrap();
            prop_assert_eq!(&got, content);
        }
        prop_assert_eq!(fs::read_dir(&out).unwrap().count(), files.len());
    }
}
