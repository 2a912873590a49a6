//! Every kind of member, altered in every way: all of it is noticed, and nothing is imported.

use std::fs;

use super::site::{H1, H2, Upstream};
use crate::support::go::only_modfetch;

/// A member with its header.
#[derive(Clone)]
struct Member {
    name: String,
    content: Vec<u8>,
}

fn read(archive: &[u8]) -> Vec<Member> {
    let mut members = Vec::new();
    let mut at = 0;
    while archive[at] != 0 {
        let header = &archive[at..at + 512];
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            let end = field
                .iter()
                .position(|&byte| byte == 0)
                .unwrap_or(field.len());
            String::from_utf8(field[..end].to_vec()).unwrap()
        };
        let size = usize::from_str_radix(text(124..136).trim(), 8).unwrap();
        let content = archive[at + 512..at + 512 + size].to_vec();
        members.push(Member {
            name: text(0..100),
            content,
        });
        at += 512 + size.next_multiple_of(512);
    }
    members
}

/// An archive of these members, made as the format says.
fn write(members: &[Member]) -> Vec<u8> {
    let mut archive = Vec::new();
    for member in members {
        let mut header = [0; 512];
        header[..member.name.len()].copy_from_slice(member.name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[108..116].copy_from_slice(b"0000000\0");
        header[116..124].copy_from_slice(b"0000000\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", member.content.len()).as_bytes());
        header[136..148].copy_from_slice(b"00000000000\0");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[329..345].copy_from_slice(b"0000000\x000000000\0");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend(header);
        archive.extend(&member.content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive.resize(archive.len().next_multiple_of(10_240), 0);
    archive
}

#[test]
fn bundle_verify_and_import_notice_every_alteration() {
    only_modfetch!();
    let upstream = Upstream::at(H2);
    let (maker, _) = upstream.bundle(&[]);
    fs::write(maker.project_dir().join("head"), upstream.log.head(H1)).unwrap();
    maker
        .run(["bundle", "create", "-o", "site.tar", "--since", "head"])
        .ok();
    let bundle = maker.project_dir().join("site.tar");
    let good = fs::read(&bundle).unwrap();
    let members = read(&good);
    assert!(write(&members) == good, "the test writes another form");
    let mut kinds = std::collections::BTreeSet::new();
    let mut altered: Vec<(String, Option<String>, Vec<Member>)> = Vec::new();
    for (at, member) in members.iter().enumerate() {
        let kind = match member.name.as_str() {
            name if name.contains("/tile/8/0/") => "tile of level 0",
            name if name.contains("/tile/") => "tile",
            name if name.contains("/lookup/") => "record",
            name => name.rsplit(['/', '.']).next().unwrap(),
        };
        kinds.insert(kind.to_owned());
        let with = |change: &dyn Fn(&mut Vec<Member>)| {
            let mut members = members.clone();
            change(&mut members);
            members
        };
        let name = Some(member.name.clone());
        for place in [
            0,
            member.content.len() / 2,
            member.content.len().saturating_sub(1),
        ] {
            if place < member.content.len() {
                let flipped = with(&|all| all[at].content[place] ^= 1);
                altered.push((format!("{kind}: flip at {place}"), name.clone(), flipped));
            }
        }
        if !member.content.is_empty() {
            altered.push((
                format!("{kind}: cut"),
                name.clone(),
                with(&|all| {
                    all[at].content.pop();
                }),
            ));
        }
        altered.push((
            format!("{kind}: longer"),
            name.clone(),
            with(&|all| all[at].content.push(b'x')),
        ));
        altered.push((
            format!("{kind}: dropped"),
            None,
            with(&|all| {
                all.remove(at);
            }),
        ));
        altered.push((
            format!("{kind}: twice"),
            None,
            with(&|all| {
                let one = all[at].clone();
                all.insert(at, one);
            }),
        ));
        if at > 0 {
            altered.push((
                format!("{kind}: swapped"),
                None,
                with(&|all| all.swap(at - 1, at)),
            ));
        }
        altered.push((
            format!("{kind}: one more"),
            None,
            with(&|all| {
                all.insert(
                    at + 1,
                    Member {
                        name: "example.com/extra".to_owned(),
                        content: b"x".to_vec(),
                    },
                );
            }),
        ));
        altered.push((
            format!("{kind}: leaves"),
            None,
            with(&|all| all[at].name = format!("../{}", all[at].name)),
        ));
    }
    assert_eq!(
        kinds.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "info",
            "json",
            "latest",
            "list",
            "mod",
            "record",
            "supported",
            "tile",
            "tile of level 0",
            "zip"
        ]
    );
    let file = maker
        .project_dir()
        .join("altered.tar")
        .display()
        .to_string();
    let closed = upstream.closed();
    let check = |what: &str, name: Option<&str>, archive: &[u8]| {
        fs::write(&file, archive).unwrap();
        let run = closed.run(["bundle", "verify", &file]);
        let noticed = matches!(run.code, Some(3 | 5));
        run.demand(noticed, &format!("exit status 3 or 5 wanted for {what}"));
        if let Some(name) = name {
            // Tiles at the edge of the tree prove each other.
            let place = run.stderr.contains(name) || run.stderr.contains("/tile/8/0/515.p/160");
            run.demand(place, &format!("the name of {name} wanted for {what}"));
        }
    };
    for (what, name, members) in &altered {
        check(what, name.as_deref(), &write(members));
    }
    // The archive itself.
    for cut in [
        0,
        1,
        511,
        512,
        good.len() / 2,
        good.len() - 10_240,
        good.len() - 1,
    ] {
        check(&format!("cut at {cut}"), None, &good[..cut]);
    }
    let mut more = good;
    more.push(0);
    check("a byte behind the end", None, &more);
    // Nothing is imported from a bundle whose last member is wrong, but what was proven before it.
    let (_, _, members) = altered
        .iter()
        .rfind(|(what, ..)| what.starts_with("zip: flip"))
        .unwrap();
    fs::write(&file, write(members)).unwrap();
    let closed = upstream.closed();
    closed
        .run(["bundle", "import", &file])
        .fails(5)
        .stderr_has("example.com/a/@v/v1.0.0.zip");
    assert!(
        !closed
            .cached("cache/download/example.com/a/@v/v1.0.0.zip")
            .exists()
    );
    assert!(!closed.cache().join("example.com/a@v1.0.0").exists());
}
