//! What is done for a user who has no record to use: the work of a decision,
//! with nothing decided. So how long a denial takes does not tell who has one.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::MemfdFlags;
use rustix::io::Errno;

use super::create::check_file_limit;
use super::lock::Locked;
use crate::answer::Answer;
use crate::descriptor::clear_of_stdio;
use crate::source::Source;
use crate::state::State;
use crate::state::slots::Slots;
use crate::time::UnixTime;
use crate::token::TokenFile;
use crate::verify::{Kept, Rules, verify};

/// A record as `pam-otp enroll` makes them; nobody's.
const TOKENS: &[u8] = b"# pam-otp: nobody's record.
version = 1

[[token]]
name = \"phone\"
type = \"totp\"
secret = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"
algorithm = \"SHA1\"
digits = 6
period = 30

[recovery]
salt = \"00000000000000000000000000000000\"
hashes = [
    \"0000000000000000000000000000000000000000000000000000000000000000\",
    \"0100000000000000000000000000000000000000000000000000000000000000\",
    \"0200000000000000000000000000000000000000000000000000000000000000\",
    \"0300000000000000000000000000000000000000000000000000000000000000\",
    \"0400000000000000000000000000000000000000000000000000000000000000\",
    \"0500000000000000000000000000000000000000000000000000000000000000\",
    \"0600000000000000000000000000000000000000000000000000000000000000\",
    \"0700000000000000000000000000000000000000000000000000000000000000\",
    \"0800000000000000000000000000000000000000000000000000000000000000\",
    \"0900000000000000000000000000000000000000000000000000000000000000\",
]
";

/// Takes about as long as deciding about a wrong answer does. Whatever comes of
/// it, and whatever fails in it, is forgotten: there is no way from here to a
/// success.
pub fn pretend(answer: &Answer, source: &Source, rules: Rules, now: UnixTime) {
    let path = Path::new("decoy");
    let Ok(tokens) = TokenFile::parse(TOKENS) else {
        return;
    };
    let Ok(file) = state_file() else { return };
    let Ok(locked) = Locked::acquire(&file, path) else {
        return;
    };
    let Ok(slots) = rustix::fs::fstat(&file)
        .map_err(drop)
        .and_then(|stat| locked.read(&stat).map_err(drop))
    else {
        return;
    };
    let decision = verify(&tokens, &slots.state(), answer, source, rules, now);
    let _ = decision.settle(|state, durability| {
        let write = slots.update(state, durability).map_err(drop)?;
        locked.write(&write, durability, now).map_err(drop)?;
        Ok::<_, ()>(Kept::InMemory)
    });
}

/// A state file that exists nowhere. To make one takes about as long as to open
/// the files of a record.
fn state_file() -> Result<OwnedFd, Errno> {
    let file = rustix::fs::memfd_create("pam-otp", MemfdFlags::CLOEXEC)?;
    let file = clear_of_stdio(file)?;
    let content = Slots::create(&State::default()).map_err(|_| Errno::INVAL)?;
    check_file_limit(content.len())?;
    rustix::io::pwrite(&file, &content, 0)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decoy_is_a_record_like_any_other() {
        let tokens = TokenFile::parse(TOKENS).unwrap();
        assert_eq!(tokens.tokens().len(), 1);
        assert_eq!(tokens.recovery().unwrap().ids().count(), 10);
        let file = state_file().unwrap();
        let locked = Locked::acquire(&file, Path::new("decoy")).unwrap();
        let stat = rustix::fs::fstat(&file).unwrap();
        assert_eq!(locked.read(&stat).unwrap().state(), State::default());
    }
}
