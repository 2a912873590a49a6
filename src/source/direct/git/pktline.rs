//! Packets: how git frames what it says over a connection.
//!
//! Shape: four hexadecimal digits for the length of the packet, these included, and the payload.
//! 0000 ends a message, 0001 separates sections.
//!
//! Source: git `Documentation/gitprotocol-common.txt`, `gitprotocol-v2.txt`.

use std::io::{self, Read};

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    Data(Vec<u8>),
    Delimiter,
    Flush,
}

impl Packet {
    /// The payload as a line of text, without its end.
    pub(super) fn line(&self) -> Option<&str> {
        match self {
            Packet::Data(data) => std::str::from_utf8(data)
                .ok()
                .map(|text| text.trim_end_matches('\n')),
            Packet::Delimiter | Packet::Flush => None,
        }
    }
}

/// Reads one packet; `None` at the end of the stream.
pub(super) fn read_packet(reader: &mut dyn Read) -> io::Result<Option<Packet>> {
    let mut digits = [0; 4];
    let mut filled = 0;
    while let Some(rest) = digits.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    let text = std::str::from_utf8(&digits).ok();
    let length = text.and_then(|text| usize::from_str_radix(text, 16).ok());
    match length {
        Some(0 | 2) => Ok(Some(Packet::Flush)),
        Some(1) => Ok(Some(Packet::Delimiter)),
        Some(length @ 4..) => {
            let mut data = vec![0; length - 4];
            reader.read_exact(&mut data)?;
            Ok(Some(Packet::Data(data)))
        }
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "not a packet of git",
        )),
    }
}

/// A message that is being put together.
#[derive(Default)]
pub(super) struct PacketMessage(Vec<u8>);

impl PacketMessage {
    pub(super) fn line(&mut self, text: &str) {
        // No line here comes near the longest packet, 65520 bytes.
        self.0
            .extend(format!("{:04x}{text}\n", text.len() + 5).into_bytes());
    }

    pub(super) fn delimiter(&mut self) {
        self.0.extend(b"0001");
    }

    /// Ends the message.
    pub(super) fn flush(mut self) -> Vec<u8> {
        self.0.extend(b"0000");
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_they_are_written() {
        let mut message = PacketMessage::default();
        message.line("command=ls-refs");
        message.delimiter();
        let bytes = message.flush();
        assert_eq!(bytes, b"0014command=ls-refs\n00010000");
        let mut reader = &bytes[..];
        let first = read_packet(&mut reader).unwrap().unwrap();
        assert_eq!(first.line(), Some("command=ls-refs"));
        assert_eq!(read_packet(&mut reader).unwrap(), Some(Packet::Delimiter));
        assert_eq!(read_packet(&mut reader).unwrap(), Some(Packet::Flush));
        assert_eq!(read_packet(&mut reader).unwrap(), None);
        for bad in [&b"00"[..], b"0003", b"<htm", b"0009abc"] {
            let mut reader = bad;
            assert!(read_packet(&mut reader).is_err(), "{bad:?}");
        }
    }
}
