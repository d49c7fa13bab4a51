//! Who bears witness, during a trial of `pam-otp setup`, that a login with a code works.
//!
//! That a code opened is known here; that the whole stack has agreed, only in
//! `pam_sm_setcred`. A mark on the handle goes from the one to the other. Nothing of
//! this lets anybody in, or keeps anybody out: a trial without a witness undoes itself.

use pam_otp_core::policy::arguments::Arguments;
use pam_otp_core::user::UserName;
use pam_otp_core::witness;

use crate::host::Host;

/// In the mark, where a first login has its ticket.
const TICKET: &str = "witness";

/// Remembers until the stack has agreed that a code opened here, if a trial wants to
/// know.
pub(super) fn mark(host: &mut impl Host, arguments: &Arguments, name: &UserName) {
    if arguments.witness.is_some() {
        let _ = host.mark(&format!("{TICKET}:{name}"));
    }
}

/// Whether a mark with this ticket is such a one.
pub(super) fn is_ticket(ticket: &str) -> bool {
    ticket == TICKET
}

/// The stack has agreed: tells the trial of this line, if there is one.
pub(super) fn bear(arguments: &Arguments, name: &str) {
    if let (Some(path), Ok(name)) = (&arguments.witness, UserName::new(name)) {
        let _ = witness::leave(path, &name);
    }
}
