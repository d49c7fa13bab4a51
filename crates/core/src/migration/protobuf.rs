//! As much of protobuf's wire format as an export needs
//! (protobuf.dev, "Encoding"): numbers, strings of bytes, and how to pass over
//! what is neither. Groups are long gone from it and are refused.

/// The message ends too early, or has what no message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damage;

/// What is left of a message. Gives field after field.
pub(super) struct Message<'a>(&'a [u8]);

/// What a field holds. Not `Debug`: it may be a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Value<'a> {
    /// Wire type 0, as its 64 bits.
    Number(u64),
    /// Wire type 2: bytes, a string or a message.
    Bytes(&'a [u8]),
    /// Wire types 1 and 5, which no field here has.
    Fixed,
}

impl<'a> Message<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next field's number and value; `None` at the end.
    pub(super) fn field(&mut self) -> Result<Option<(u64, Value<'a>)>, Damage> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.number()?;
        let field = tag >> 3;
        // Numbers go up to 2^29 - 1.
        if field == 0 || tag > u64::from(u32::MAX) {
            return Err(Damage);
        }
        let value = match tag & 7 {
            0 => Value::Number(self.number()?),
            1 => {
                self.take(8)?;
                Value::Fixed
            }
            2 => {
                let length = usize::try_from(self.number()?).map_err(|_| Damage)?;
                Value::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Value::Fixed
            }
            _ => return Err(Damage),
        };
        Ok(Some((field, value)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Damage> {
        let (taken, left) = self.0.split_at_checked(length).ok_or(Damage)?;
        self.0 = left;
        Ok(taken)
    }

    /// Seven bits in each byte, the lowest first; the eighth says that more
    /// follow. At most ten bytes, and no bit beyond 64.
    fn number(&mut self) -> Result<u64, Damage> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first().ok_or(Damage)?;
            let bits = u64::from(byte & 0x7f);
            let placed = bits.wrapping_shl(shift);
            if placed.wrapping_shr(shift) != bits {
                return Err(Damage);
            }
            number |= placed;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damage)
    }
}

/// An `int32`: the lowest 32 bits, whatever stands above them.
pub(super) fn int32(number: u64) -> i32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

/// An `int64`.
pub(super) fn int64(number: u64) -> i64 {
    i64::from_le_bytes(number.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_seven_bits_in_each_byte() {
        for (bytes, expected) in [
            (&[0x00][..], Ok(0)),
            (&[0x7f], Ok(127)),
            (&[0x96, 0x01], Ok(150)),
            (&[0x80, 0x00], Ok(0)),
            (
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
                Ok(u64::MAX),
            ),
            (
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03],
                Err(Damage),
            ),
            (&[0x80; 11], Err(Damage)),
            (&[0x80], Err(Damage)),
            (&[], Err(Damage)),
        ] {
            assert_eq!(Message::new(bytes).number(), expected, "{bytes:?}");
        }
        assert_eq!(int32(u64::MAX), -1);
        assert_eq!(int64(u64::MAX), -1);
    }

    #[test]
    fn every_kind_of_field_is_read_or_passed_over() {
        let mut message = Message::new(
            b"\x08\x96\x01\x12\x03abc\x19\x00\x00\x00\x00\x00\x00\x00\x00\x25\x00\x00\x00\x00",
        );
        assert_eq!(message.field(), Ok(Some((1, Value::Number(150)))));
        assert_eq!(message.field(), Ok(Some((2, Value::Bytes(b"abc")))));
        assert_eq!(message.field(), Ok(Some((3, Value::Fixed))));
        assert_eq!(message.field(), Ok(Some((4, Value::Fixed))));
        assert_eq!(message.field(), Ok(None));
    }

    #[test]
    fn nothing_is_read_beyond_the_end() {
        for bytes in [
            &b"\x00\x00"[..], // field 0
            b"\x0b",          // a group
            b"\x0e\x00",      // a wire type that there is not
            b"\x12\x04abc",   // longer than what is left
            b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x19\x00",
            b"\x25\x00",
            b"\x08",
            b"\x80\x80\x80\x80\x80\x01\x00", // a field number above 2^29 - 1
        ] {
            assert_eq!(Message::new(bytes).field(), Err(Damage), "{bytes:?}");
        }
    }
}
