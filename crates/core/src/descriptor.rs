//! Descriptors that a host cannot mistake for its own.

use std::os::fd::{AsRawFd, OwnedFd};

/// Moves a descriptor out of the way of standard input, output and error.
///
/// A host that has closed those gets their numbers for the next files opened:
/// ours. What it then prints would go into a user's record.
pub(crate) fn clear_of_stdio(file: OwnedFd) -> rustix::io::Result<OwnedFd> {
    if file.as_raw_fd() > 2 {
        Ok(file)
    } else {
        rustix::io::fcntl_dupfd_cloexec(&file, 3)
    }
}
