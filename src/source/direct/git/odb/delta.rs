//! An object as the difference from another: copies from the other, and new bytes.
//!
//! Source: git `Documentation/gitformat-pack.txt`, "Deltified representation".

/// Reads a size: seven bits a byte, the lowest first.
fn size(delta: &mut &[u8]) -> Option<u64> {
    let mut size = 0u64;
    let mut shift = 0;
    loop {
        let (&byte, rest) = delta.split_first()?;
        *delta = rest;
        size |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(size);
        }
        shift += 7;
        if shift > 56 {
            return None;
        }
    }
}

/// How many bytes the object has that a delta makes.
pub(super) fn result_size(mut delta: &[u8]) -> Option<u64> {
    size(&mut delta)?;
    size(&mut delta)
}

/// Makes the object; `None` if the delta does not fit `base`, or is malformed.
pub(super) fn apply(base: &[u8], mut delta: &[u8]) -> Option<Vec<u8>> {
    if size(&mut delta)? != base.len() as u64 {
        return None;
    }
    let wanted = usize::try_from(size(&mut delta)?).ok()?;
    // Not before there are bytes for it: the size is what a server says.
    let mut made = Vec::with_capacity(wanted.min(base.len() + delta.len()));
    while let Some((&order, rest)) = delta.split_first() {
        delta = rest;
        if order & 0x80 == 0 {
            if order == 0 {
                return None;
            }
            let (new, rest) = delta.split_at_checked(order.into())?;
            made.extend_from_slice(new);
            delta = rest;
        } else {
            let mut number = |bits: u8| {
                let mut number = 0usize;
                for place in 0..4u32 {
                    if bits & (1 << place) != 0 {
                        let (&byte, rest) = delta.split_first()?;
                        delta = rest;
                        number |= usize::from(byte) << (8 * place);
                    }
                }
                Some(number)
            };
            let offset = number(order & 0x0f)?;
            let length = match number((order >> 4) & 0x07)? {
                0 => 0x1_0000,
                length => length,
            };
            made.extend_from_slice(base.get(offset..offset.checked_add(length)?)?);
        }
        if made.len() > wanted {
            return None;
        }
    }
    (made.len() == wanted).then_some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_new_bytes_make_an_object() {
        let base = b"0123456789abcdef";
        // 16 bytes become 9: four from offset 10, "xy", three from offset 0.
        let delta = [16, 9, 0x91, 10, 4, 2, b'x', b'y', 0x90, 3];
        assert_eq!(apply(base, &delta).unwrap(), b"abcdxy012");
        assert_eq!(result_size(&delta), Some(9));
        for (bad, why) in [
            (&[15, 9, 0x90, 9][..], "another base"),
            (&[16, 9, 0x90, 8][..], "too short"),
            (&[16, 9, 0x90, 10][..], "too long"),
            (&[16, 9, 0x91, 10, 9][..], "beyond the base"),
            (&[16, 9, 0][..], "the reserved order"),
            (&[16, 9, 9, b'x'][..], "cut"),
            (&[0xff; 12][..], "an endless size"),
        ] {
            assert_eq!(apply(base, bad), None, "{why}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(delta in proptest::collection::vec(0u8.., 0..40)) {
            let _ = (apply(b"0123456789abcdef", &delta), result_size(&delta));
        }
    }
}
