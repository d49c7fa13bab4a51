//! The state file: two slots of one block each, updated in place.
//!
//! Each write goes to one slot, whole, with a sequence number and a checksum;
//! the newest valid slot counts. A login that is accepted is flushed before
//! anyone hears of it. A refused one need not be: losing the memory of a wrong
//! guess to a power cut is harmless, losing that of a spent code is not. So
//! each slot says whether it was written to be flushed, and a slot that was is
//! not overwritten before the other one is on disk too.
//!
//! That flag is written before the flush, and whoever wrote it may have been
//! killed between the two. So a writer whose flush is done leaves a *mark*, in
//! the file's time of modification: every write takes it away. Where it is
//! missing, the next writer flushes first.

use std::fmt;

use crc::{CRC_64_XZ, Crc};

use super::{State, payload, payload::take};

/// Bytes in a slot: a block of every usual file system and disk.
pub const SLOT: usize = 4096;
/// Bytes in a state file, always.
pub const FILE: usize = 2 * SLOT;
/// The version of the slot format. Version 1, of before the first release, had
/// other checksums, and other names of tokens and sources.
pub const VERSION: u16 = 2;

const MAGIC: [u8; 8] = *b"pam-otp\n";
const HEADER: usize = 24;
const CHECKSUM: usize = 8;
/// Against writes that were torn, and not against people: whoever can write the
/// file can make any checksum that needs no secret.
const SUM: Crc<u64> = Crc::<u64>::new(&CRC_64_XZ);
const FLUSHED: u16 = 1;

/// The two slots of a state file, as read under its lock.
#[derive(Clone, Debug)]
pub struct Slots {
    slots: [Option<Slot>; 2],
    /// The newest slot is known to be on disk.
    on_disk: bool,
}

impl Slots {
    /// Reads a state file's content.
    ///
    /// # Errors
    ///
    /// [`SlotsError`] for another size, for a version that this program does not
    /// know, and if neither slot is valid.
    pub fn decode(file: &[u8]) -> Result<Self, SlotsError> {
        if file.len() != FILE {
            return Err(SlotsError::Size(file.len()));
        }
        let (first, second) = file.split_at_checked(SLOT).unwrap_or_default();
        let slots = [Slot::decode(first)?, Slot::decode(second)?];
        if slots.iter().all(Option::is_none) {
            return Err(SlotsError::Torn);
        }
        let mut slots = Self {
            slots,
            on_disk: false,
        };
        // A new file was flushed before it got its name.
        slots.on_disk = slots.is_new();
        Ok(slots)
    }

    /// Takes the mark into account: the nanoseconds of the file's time of
    /// modification, as read under its lock.
    #[must_use]
    pub fn marked(mut self, nanoseconds: i128) -> Self {
        let vouched = newest(&self.slots).is_some_and(|(_, slot)| {
            slot.flushed && i128::from(mark(slot.sequence)) == nanoseconds
        });
        self.on_disk |= vouched;
        self
    }

    /// Whether no login has written yet: both slots have one sequence number.
    fn is_new(&self) -> bool {
        matches!(&self.slots, [Some(first), Some(second)] if first.sequence == second.sequence)
    }

    /// The content of a new state file: both slots valid, and the same.
    ///
    /// # Errors
    ///
    /// [`SlotsError::TooLarge`].
    pub fn create(state: &State) -> Result<Vec<u8>, SlotsError> {
        let slot = Slot {
            sequence: 1,
            flushed: true,
            state: state.clone(),
        };
        let bytes = slot.encode()?;
        Ok(bytes.iter().chain(&bytes).copied().collect())
    }

    /// The state that counts. Of two slots with one sequence number, as only a
    /// new file has, both.
    #[must_use]
    pub fn state(&self) -> State {
        match &self.slots {
            [Some(first), Some(second)] if first.sequence == second.sequence => {
                first.state.clone().merge(&second.state)
            }
            slots => newest(slots)
                .map(|(_, slot)| slot.state.clone())
                .unwrap_or_default(),
        }
    }

    /// Which bytes to write where, so that the file holds `state`.
    ///
    /// # Errors
    ///
    /// [`SlotsError::TooLarge`], and [`SlotsError::Exhausted`] after 2^64 writes.
    pub fn update(&self, state: State, durability: Durability) -> Result<Write, SlotsError> {
        let (index, newest) = newest(&self.slots).ok_or(SlotsError::Torn)?;
        let other = 1_usize.saturating_sub(index);
        // The newest slot may be overwritten only if it holds no promise, and
        // only if the other one does: else a torn write would leave nothing.
        let kept = self
            .slots
            .get(other)
            .is_some_and(|slot| slot.as_ref().is_some_and(|s| s.flushed));
        let target = if !newest.flushed && kept {
            index
        } else {
            other
        };
        let slot = Slot {
            sequence: newest
                .sequence
                .checked_add(1)
                .ok_or(SlotsError::Exhausted)?,
            flushed: durability == Durability::Flushed,
            state,
        };
        let offset = if target == 0 { 0 } else { SLOT as u64 };
        Ok(Write {
            offset,
            bytes: slot.encode()?,
            flush_first: target == other && newest.flushed && !self.on_disk,
            mark: mark(slot.sequence),
        })
    }
}

/// Whether a write must be on disk before its login is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On disk first: it spends a code.
    Flushed,
    /// In time: it notes a wrong guess.
    Later,
}

/// One slot to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Where in the file: 0 or [`SLOT`].
    pub offset: u64,
    /// [`SLOT`] bytes.
    pub bytes: Vec<u8>,
    /// Whether the file must be flushed before: the slot that stays behind may
    /// not be on disk yet, and the one that is overwritten is.
    pub flush_first: bool,
    /// Nanoseconds for the file's time of modification, once this write is
    /// known to be on disk: [`Slots::marked`].
    pub mark: u64,
}

/// The mark of a sequence number: whole microseconds, since not every file
/// system keeps more; never 0, as where seconds are all that it keeps. Writes
/// have other ones but for one in a million, and then one flush is missing that
/// only matters if the power fails in the next write.
fn mark(sequence: u64) -> u64 {
    // Knuth's multiplicative hash: neighbours get marks far apart.
    let spread = sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    spread
        .checked_rem(999_999)
        .unwrap_or(0)
        .saturating_add(1)
        .saturating_mul(1000)
}

fn newest(slots: &[Option<Slot>; 2]) -> Option<(usize, &Slot)> {
    let valid = slots
        .iter()
        .enumerate()
        .filter_map(|(index, slot)| Some((index, slot.as_ref()?)));
    valid.max_by_key(|(_, slot)| slot.sequence)
}

#[derive(Clone, Debug)]
struct Slot {
    sequence: u64,
    flushed: bool,
    state: State,
}

impl Slot {
    /// `None` for a slot that is torn, or was never written.
    fn decode(bytes: &[u8]) -> Result<Option<Self>, SlotsError> {
        let mut rest = bytes;
        let mut slot = || {
            if take::<8>(&mut rest)? != MAGIC {
                return None;
            }
            let version = u16::from_le_bytes(take(&mut rest)?);
            let flags = u16::from_le_bytes(take(&mut rest)?);
            let length = u32::from_le_bytes(take(&mut rest)?);
            let sequence = u64::from_le_bytes(take(&mut rest)?);
            Some((version, flags, length, sequence))
        };
        let Some((version, flags, length, sequence)) = slot() else {
            return Ok(None);
        };
        // Before the checksum, which another version may have elsewhere.
        if version != VERSION {
            return Err(SlotsError::Version(version));
        }
        let decoded = || {
            let length = usize::try_from(length).ok()?;
            let (payload, rest) = rest.split_at_checked(length)?;
            let (checksum, _) = rest.split_first_chunk::<CHECKSUM>()?;
            let summed = bytes.get(..HEADER.checked_add(length)?)?;
            if u64::from_le_bytes(*checksum) != SUM.checksum(summed) || flags & !FLUSHED != 0 {
                return None;
            }
            Some(Self {
                sequence,
                flushed: flags == FLUSHED,
                state: payload::decode(payload)?,
            })
        };
        Ok(decoded())
    }

    fn encode(&self) -> Result<Vec<u8>, SlotsError> {
        let payload = payload::encode(&self.state).ok_or(SlotsError::TooLarge)?;
        let length = u32::try_from(payload.len()).map_err(|_| SlotsError::TooLarge)?;
        let mut bytes = Vec::with_capacity(SLOT);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(if self.flushed { FLUSHED } else { 0 }.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(self.sequence.to_le_bytes());
        bytes.extend(payload);
        let checksum = SUM.checksum(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes.resize(SLOT, 0);
        Ok(bytes)
    }
}

// The largest record's state fits a slot.
const _: () = assert!(HEADER + payload::MAX + CHECKSUM <= SLOT);

/// Why a state file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotsError {
    /// So many bytes, not [`FILE`].
    Size(usize),
    /// Neither slot has a valid checksum.
    Torn,
    /// A slot of a version that this program does not know.
    Version(u16),
    /// More tokens or codes than a record can have.
    TooLarge,
    /// The sequence number is at its end.
    Exhausted,
}

impl fmt::Display for SlotsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(bytes) => write!(f, "it has {bytes} bytes, not {FILE}"),
            Self::Torn => f.write_str("neither of its two slots is valid"),
            Self::Version(version) => {
                write!(
                    f,
                    "version {version} is not known here; this program reads version {VERSION}"
                )
            }
            Self::TooLarge => f.write_str("more tokens or recovery codes than a record can have"),
            Self::Exhausted => f.write_str("its sequence number is at its end"),
        }
    }
}

impl std::error::Error for SlotsError {}
