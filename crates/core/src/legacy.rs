//! Files of other programs, for people who come from there: bytes in, values
//! or faults out. Nothing here opens a file or writes one.
//!
//! What of these files is read, and what becomes of it, is in
//! `docs/legacy-formats.md`.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::code::{Code, Secret};
use crate::recovery::{MAX_CODES, RecoveryId};

pub mod google;
pub mod oath;

/// Scratch codes of an old file: eight digits each, good for one login.
///
/// Such a code has 26 random bits, not the 80 of a recovery code. So it is
/// guessed at like a one-time code: not looked at where [`crate::throttle`] says
/// wait, counted when it is wrong, and part of the chance that the interval
/// between guesses follows from.
#[derive(Clone, Debug)]
pub struct ScratchCodes {
    codes: Vec<(Code, RecoveryId)>,
}

impl ScratchCodes {
    /// Most codes that are kept, which is as many as a state can remember as
    /// spent.
    pub const MAX: usize = MAX_CODES;

    /// What each that is not spent adds to the chance that a guess is right, in
    /// 10^-8.
    pub(crate) const CHANCE: u64 = 1;

    fn new() -> Self {
        Self {
            // Room for all: a vector that grows would leave copies of the codes.
            codes: Vec::with_capacity(Self::MAX),
        }
    }

    /// Adds a code, once. False if there is no room for it.
    fn add(&mut self, secret: &Secret, code: Code) -> bool {
        if self.find(&code).is_some() {
            return true;
        }
        let room = self.codes.len() < Self::MAX;
        if room {
            let id = id(secret, &code);
            self.codes.push((code, id));
        }
        room
    }

    /// Which of these codes it is, if any, whether spent or not. All of them
    /// are compared, each in constant time.
    #[must_use]
    pub fn find(&self, code: &Code) -> Option<RecoveryId> {
        self.codes.iter().fold(None, |found, (known, id)| {
            if bool::from(known.ct_eq(code)) {
                Some(*id)
            } else {
                found
            }
        })
    }

    /// The names under which the state remembers spent codes.
    pub fn ids(&self) -> impl Iterator<Item = RecoveryId> + '_ {
        self.codes.iter().map(|(_, id)| *id)
    }

    /// How many there are, 0 to [`ScratchCodes::MAX`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }
}

/// The first eight bytes of HMAC-SHA-256 over the code, keyed with the file's
/// secret: who reads a state cannot try out a hundred million codes.
fn id(secret: &Secret, code: &Code) -> RecoveryId {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    secret.fill(&mut block);
    let digest = <Hmac<Sha256> as KeyInit>::new(&block)
        .chain_update(b"pam-otp scratch 1")
        .chain_update(code.to_text().as_bytes())
        .finalize()
        .into_bytes();
    zeroize::Zeroize::zeroize(block.as_mut_slice());
    let mut id = [0; 8];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    RecoveryId(id)
}
