//! Reading an archive strictly, member by member, from a file or a pipe.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, BufRead as _, BufReader, Read};

use super::header::{
    self, BLOCK, BadName, MAX_NAME, MemberType, RECORD, TarBlock, check_name, checksum, octal,
};
use crate::error::{Error, Kind, Result};

const BUFFER_BYTES: usize = 256 << 10;

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TarMember {
    /// A relative path of plain elements, joined by slashes.
    pub name: String,
    /// The length of its content, in bytes.
    pub size: u64,
}

/// Reads members in their order; as [`Read`] it gives the content of the one that was returned last.
///
/// Memory: a buffer, and 16 bytes a member by which duplicates are recognised.
#[derive(Debug)]
pub struct TarReader<R> {
    input: BufReader<R>,
    /// How far the archive was read, in bytes.
    offset: u64,
    /// What is left of the content of the current member, in bytes.
    left: u64,
    current: String,
    seen: HashSet<[u64; 2]>,
    hashers: [RandomState; 2],
    ended: bool,
}

impl<R: Read> TarReader<R> {
    /// Begins to read an archive. A buffer around `input` is not needed.
    pub fn new(input: R) -> TarReader<R> {
        TarReader {
            input: BufReader::with_capacity(BUFFER_BYTES, input),
            offset: 0,
            left: 0,
            current: String::new(),
            seen: HashSet::new(),
            hashers: [RandomState::new(), RandomState::new()],
            ended: false,
        }
    }

    /// Goes on to the next member, past what was not read of the one before. `None` at the end,
    /// when the input has been read to its end.
    ///
    /// # Errors
    /// [`Kind::Security`] for a name that leaves the archive's root and for everything that is no
    /// regular file; [`Kind::Input`] for an archive that is cut off, damaged, or not in modfetch's
    /// form; [`Kind::LocalIo`] if it cannot be read. Each names the member, or the place in bytes.
    pub fn next_member(&mut self) -> Result<Option<TarMember>> {
        if self.ended {
            return Ok(None);
        }
        self.skip_content()?;
        self.current.clear();
        let block = self.block()?;
        if block == [0; BLOCK] {
            self.read_end()?;
            self.ended = true;
            return Ok(None);
        }
        let at = self.offset - BLOCK as u64;
        let (kind, size) = self.parse(&block, at)?;
        let (name, size) = match kind {
            MemberType::File => (ustar_name(&block), size),
            MemberType::Pax => {
                let name = self.read_pax(&block, size, at)?;
                let block = self.block()?;
                match self.parse(&block, at)? {
                    (MemberType::File, size) if header::named_by_pax(&name, size) == block => {
                        (Some(name), size)
                    }
                    _ => return Err(self.damaged(at, "pax header without its member")),
                }
            }
        };
        let Some(name) = name else {
            return Err(self.damaged(at, "the name is not UTF-8"));
        };
        match check_name(&name) {
            Ok(()) => {}
            Err(BadName::Leaves) => {
                let text = format!("{name:?}: name leaves the archive's directory");
                return Err(Error::new(Kind::Security, text));
            }
            Err(BadName::Malformed) => {
                return Err(self.damaged(at, &format!("malformed name {name:?}")));
            }
        }
        let is_pax = kind == MemberType::Pax;
        if is_pax == header::split(&name).is_some()
            || !is_pax && header::member(&name, size) != block
        {
            return Err(self.damaged(at, &format!("header of {name} is not in modfetch's form")));
        }
        let hashes = [0, 1].map(|which: usize| self.hashers[which].hash_one(&name));
        if !self.seen.insert(hashes) {
            let text = format!("{name}: in the archive twice");
            return Err(Error::new(Kind::Input, text));
        }
        (self.left, self.current) = (size, name.clone());
        Ok(Some(TarMember { name, size }))
    }

    /// Reads the whole content of the current member, if it has at most `limit` bytes.
    ///
    /// # Errors
    /// [`Kind::Input`] if it is longer, or the archive is cut off; [`Kind::LocalIo`].
    pub fn read_content(&mut self, limit: u64) -> Result<Vec<u8>> {
        if self.left > limit {
            let text = format!("{}: larger than {limit} bytes", self.current);
            return Err(Error::new(Kind::Input, text));
        }
        let mut content = Vec::with_capacity(usize::try_from(self.left).unwrap_or(0));
        let read = self.read_to_end(&mut content);
        read.map_err(|cause| self.failed(cause))?;
        Ok(content)
    }

    /// A failure to read the content of the current member, as an error that names it.
    pub fn failed(&self, cause: io::Error) -> Error {
        if cause.kind() == io::ErrorKind::UnexpectedEof {
            let place = match self.current.as_str() {
                "" => format!("after {} bytes", self.offset),
                name => format!("in {name}"),
            };
            return Error::new(Kind::Input, format!("archive is cut off {place}"));
        }
        Error::new(Kind::LocalIo, "cannot read the archive").because(cause)
    }

    /// The kind and size that a header gives.
    fn parse(&self, block: &TarBlock, at: u64) -> Result<(MemberType, u64)> {
        if octal(&block[148..156]) != Some(u64::from(checksum(block))) {
            return Err(self.damaged(at, "wrong header checksum"));
        }
        let refuse = |what: &str| {
            let name = ustar_name(block).unwrap_or_default();
            Error::new(Kind::Security, format!("{name:?}: {what} in the archive"))
        };
        let kind = match block[156] {
            flag if flag == MemberType::File.flag() => MemberType::File,
            flag if flag == MemberType::Pax.flag() => MemberType::Pax,
            b'1' => return Err(refuse("hard link")),
            b'2' => return Err(refuse("symbolic link")),
            b'3' | b'4' => return Err(refuse("device")),
            b'5' => return Err(refuse("directory entry")),
            b'6' => return Err(refuse("named pipe")),
            _ => return Err(refuse("member of an unknown type")),
        };
        match octal(&block[124..136]) {
            Some(size) => Ok((kind, size)),
            None => Err(self.damaged(at, "malformed size")),
        }
    }

    /// The name in the text behind a pax header.
    fn read_pax(&mut self, block: &TarBlock, size: u64, at: u64) -> Result<String> {
        const ROOM: u64 = (MAX_NAME + 16) as u64;
        if size > ROOM || *block != header::pax(size) {
            return Err(self.damaged(at, "pax header is not in modfetch's form"));
        }
        self.left = size;
        let text = self.read_content(ROOM)?;
        self.skip_content()?;
        let name = str::from_utf8(&text)
            .ok()
            .and_then(|text| text.split_once(" path="))
            .and_then(|(_, rest)| rest.strip_suffix('\n'));
        match name.filter(|name| header::pax_record(name) == text) {
            Some(name) => Ok(name.to_owned()),
            None => Err(self.damaged(at, "pax header has other records than path")),
        }
    }

    /// Reads past what is left of the content, and the zeros that fill its last block.
    fn skip_content(&mut self) -> Result<()> {
        while self.left > 0 {
            let there = self.input.fill_buf().map(<[u8]>::len);
            let there = there.map_err(|cause| self.failed(cause))?;
            if there == 0 {
                return Err(self.failed(io::ErrorKind::UnexpectedEof.into()));
            }
            let bytes = there.min(usize::try_from(self.left).unwrap_or(there));
            self.input.consume(bytes);
            self.advance(bytes);
        }
        let unit = BLOCK as u64;
        let missing = self.offset.next_multiple_of(unit) - self.offset;
        let mut padding = [0; BLOCK];
        let padding = &mut padding[..usize::try_from(missing).unwrap_or(0)];
        self.fill(padding)?;
        match padding.iter().all(|&byte| byte == 0) {
            true => Ok(()),
            false => Err(self.damaged(self.offset, "padding is not zero")),
        }
    }

    fn block(&mut self) -> Result<TarBlock> {
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        Ok(block)
    }

    /// Fills `room` with what is no content.
    fn fill(&mut self, room: &mut [u8]) -> Result<()> {
        self.input
            .read_exact(room)
            .map_err(|cause| self.failed(cause))?;
        self.offset += room.len() as u64;
        Ok(())
    }

    /// Demands the zeros of the end, of which one block was read, and nothing behind them.
    fn read_end(&mut self) -> Result<()> {
        let unit = RECORD as u64;
        let end = (self.offset + BLOCK as u64).next_multiple_of(unit);
        while self.offset < end {
            if self.block()? != [0; BLOCK] {
                return Err(self.damaged(self.offset, "member behind the end"));
            }
        }
        let there = self.input.fill_buf().map(<[u8]>::is_empty);
        match there.map_err(|cause| self.failed(cause))? {
            true => Ok(()),
            false => Err(self.damaged(end, "bytes behind the end")),
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.left -= bytes as u64;
        self.offset += bytes as u64;
    }

    fn damaged(&self, at: u64, reason: &str) -> Error {
        Error::new(
            Kind::Input,
            format!("damaged archive: {reason} (at byte {at})"),
        )
    }
}

impl<R: Read> Read for TarReader<R> {
    /// Reads the content of the current member; 0 bytes at its end.
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = room
            .len()
            .min(usize::try_from(self.left).unwrap_or(room.len()));
        if most == 0 {
            return Ok(0);
        }
        match self.input.read(&mut room[..most])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            bytes => {
                self.advance(bytes);
                Ok(bytes)
            }
        }
    }
}

/// PREFIX/NAME of a header, if it is UTF-8. Both fields end at their first zero byte.
fn ustar_name(block: &TarBlock) -> Option<String> {
    let text = |field: &[u8]| {
        let end = field.iter().position(|&byte| byte == 0);
        let text = str::from_utf8(&field[..end.unwrap_or(field.len())]);
        text.ok().map(str::to_owned)
    };
    let (prefix, name) = (text(&block[345..500])?, text(&block[..100])?);
    match prefix.is_empty() {
        true => Some(name),
        false => Some(format!("{prefix}/{name}")),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::TarWriter;
    use super::*;

    fn long_name() -> String {
        format!("{}/{}", "p".repeat(120), "n".repeat(120))
    }

    fn members() -> Vec<(String, Vec<u8>)> {
        let rows = [
            ("a/b".to_owned(), 3),
            ("c".into(), 0),
            (long_name(), 600),
            ("d".into(), 512),
        ];
        let content = |(name, bytes)| (name, vec![b'x'; bytes]);
        rows.into_iter().map(content).collect()
    }

    fn archive() -> Vec<u8> {
        let mut tar = TarWriter::new(Vec::new());
        for (name, content) in members() {
            tar.append_bytes(&name, &content).unwrap();
        }
        tar.finish().unwrap()
    }

    fn read_all(tar: impl Read) -> Result<Vec<(String, Vec<u8>)>> {
        let mut reader = TarReader::new(tar);
        let mut found = Vec::new();
        while let Some(member) = reader.next_member()? {
            found.push((member.name, reader.read_content(1 << 20)?));
        }
        Ok(found)
    }

    /// Gives one byte at a time, as a slow pipe may.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let most = room.len().min(1);
            self.0.read(&mut room[..most])
        }
    }

    #[test]
    fn what_was_written_is_read_and_members_may_be_skipped() {
        assert_eq!(read_all(&*archive()).unwrap(), members());
        assert_eq!(read_all(Trickle(&archive())).unwrap(), members());
        assert_eq!(
            read_all(&*TarWriter::new(Vec::new()).finish().unwrap()).unwrap(),
            []
        );
        let tar = archive();
        let mut reader = TarReader::new(&*tar);
        let mut names = Vec::new();
        while let Some(member) = reader.next_member().unwrap() {
            names.push((member.name, member.size));
        }
        let sizes = members()
            .into_iter()
            .map(|(name, content)| (name, content.len() as u64));
        assert_eq!(names, sizes.collect::<Vec<_>>());
        assert_eq!(reader.next_member().unwrap(), None);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_noticed() {
        let tar = archive();
        for end in 0..tar.len() {
            assert!(read_all(&tar[..end]).is_err(), "cut at {end}");
        }
        let want = members();
        for at in 0..tar.len() {
            let mut damaged = tar.clone();
            damaged[at] ^= 1 << (at % 8);
            // Contents and the texts of pax headers carry no checksum. A change there shows in what
            // was read; every other change is an error.
            if let Ok(found) = read_all(&*damaged) {
                assert_ne!(found, want, "byte {at}");
            }
        }
        let behind = [&*tar, b"x"].concat();
        assert!(read_all(&*behind).is_err());
        assert!(read_all(&*[&*tar, &*tar].concat()).is_err());
    }

    type Change<'c> = &'c dyn Fn(&mut TarBlock);

    #[test]
    fn hostile_names_links_and_duplicates_are_refused() {
        let raw = |name: &str, change: &dyn Fn(&mut TarBlock)| {
            let mut block: TarBlock = header::member(name, 0).try_into().unwrap();
            change(&mut block);
            let sum = format!("{:06o}\0 ", checksum(&block));
            block[148..156].copy_from_slice(sum.as_bytes());
            let mut tar = block.to_vec();
            tar.resize(RECORD, 0);
            read_all(&*tar).unwrap_err()
        };
        let set = |at: usize, value: u8| move |block: &mut TarBlock| block[at] = value;
        let name = |text: &'static str| {
            move |block: &mut TarBlock| block[..text.len()].copy_from_slice(text.as_bytes())
        };
        let rows: [(Change<'_>, Kind, &str); 13] = [
            (&set(156, b'1'), Kind::Security, "hard link"),
            (&set(156, b'2'), Kind::Security, "symbolic link"),
            (&set(156, b'4'), Kind::Security, "device"),
            (&set(156, b'5'), Kind::Security, "directory"),
            (&set(156, b'S'), Kind::Security, "unknown type"),
            (&set(156, 0), Kind::Security, "unknown type"),
            (&name("/bc"), Kind::Security, "leaves"),
            (&name("../"), Kind::Security, "leaves"),
            (&name("a//"), Kind::Input, "malformed name"),
            (&name("\u{1}"), Kind::Input, "malformed name"),
            // Set-user-ID, a time, a target without a link.
            (&set(103, b'4'), Kind::Input, "not in modfetch's form"),
            (&set(146, b'1'), Kind::Input, "not in modfetch's form"),
            (&set(157, b'x'), Kind::Input, "not in modfetch's form"),
        ];
        for (change, kind, text) in rows {
            let error = raw("abc", change);
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
        let mut tar = TarWriter::new(Vec::new());
        tar.append_bytes("a", b"1").unwrap();
        tar.append_bytes("a", b"2").unwrap();
        let error = read_all(&*tar.finish().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "a: in the archive twice");
    }

    #[test]
    fn pax_records_of_other_programs_are_refused() {
        let Ok(made) = Command::new("tar").arg("--version").output() else {
            return; // no tar
        };
        if !made.stdout.starts_with(b"tar (GNU tar)") {
            return; // no GNU tar
        }
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "x").unwrap();
        for format in ["pax", "gnu"] {
            let mut tar = Command::new("tar");
            tar.arg("-C")
                .arg(dir.path())
                .arg("-cf")
                .arg("-")
                .arg(format!("--format={format}"));
            let made = tar.arg("file").output().unwrap();
            assert!(made.status.success());
            let error = read_all(&*made.stdout).unwrap_err();
            assert_eq!(error.kind(), Kind::Input, "{error}");
        }
    }

    mod properties {
        use proptest::collection::{btree_map, vec};
        use proptest::prelude::*;

        use super::*;

        /// Names of all lengths that the format has forms for.
        fn members() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
            let name = "[a-zA-Z0-9!@._-]{0,90}[a-z](/[a-z0-9]{1,90}){0,4}";
            let name = name.prop_filter("it is taken", |name: &String| check_name(name).is_ok());
            let content = vec(any::<u8>(), 0..1500);
            btree_map(name, content, 0..6).prop_map(|map| map.into_iter().collect())
        }

        fn write(members: &[(String, Vec<u8>)]) -> Vec<u8> {
            let mut tar = TarWriter::new(Vec::new());
            for (name, content) in members {
                tar.append_bytes(name, content).unwrap();
            }
            tar.finish().unwrap()
        }

        proptest! {
            #[test]
            fn what_was_written_is_read(members in members()) {
                prop_assert_eq!(read_all(write(&members).as_slice()).unwrap(), members);
            }

            /// A byte that is no content, nor in a long name, makes the archive unreadable: there is one
            /// form. A long name is in a record of its own, which has no checksum in this format.
            #[test]
            fn an_altered_byte_is_an_error_or_content(
                members in members(), place in any::<prop::sample::Index>(), bits in 1..=u8::MAX,
            ) {
                let mut archive = write(&members);
                let place = place.index(archive.len());
                archive[place] ^= bits;
                if let Ok(found) = read_all(archive.as_slice()) {
                    prop_assert_eq!(found.len(), members.len());
                    let bytes = found.iter().zip(&members).map(|((name, new), (old_name, old))| {
                        assert_eq!((name.len(), new.len()), (old_name.len(), old.len()));
                        let names = name.bytes().zip(old_name.bytes());
                        let in_name = names.filter(|(new, old)| new != old).count();
                        in_name + new.iter().zip(old).filter(|(new, old)| new != old).count()
                    });
                    prop_assert_eq!(bytes.sum::<usize>(), 1);
                }
            }

            #[test]
            fn a_cut_archive_is_an_error(members in members(), at in any::<prop::sample::Index>()) {
                let archive = write(&members);
                let error = read_all(&archive[..at.index(archive.len())]).unwrap_err();
                prop_assert_eq!(error.kind(), Kind::Input);
            }

            #[test]
            fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..3000)) {
                let _ = read_all(bytes.as_slice());
            }
        }
    }
}
