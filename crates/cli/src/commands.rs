//! One file for each command.

pub(crate) mod disable;
pub(crate) mod enroll;
pub(crate) mod resync;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod verify;
