//! Drives pam-otp as its users do: through the real libpam, sshd, sudo, su
//! and login. For tests only; nothing here knows how pam-otp works inside.
//!
//! Where to begin:
//!
//! - [`pam`]: a PAM application in this process, with a scripted conversation;
//! - [`race`]: many logins at the same instant;
//! - [`sandbox`]: a private `/etc`, `/home`, `/var` and `/dev/log`, so that
//!   real programs run as root without touching the machine;
//! - [`sshd`] and [`pty`]: a server in that sandbox, and people at terminals;
//! - [`strace`]: one system call that goes wrong;
//! - [`faketime`]: a clock that is wrong;
//! - [`syslog`]: what the administrator gets to read;
//! - [`authenticator`]: the phone, which is oathtool and none of our code.
//!
//! Everything panics with a message when the surroundings fail: that is a
//! broken test, not a result.

pub mod artifacts;
pub mod authenticator;
pub mod faketime;
pub mod pam;
pub mod pty;
pub mod race;
pub mod sandbox;
pub mod sshd;
pub mod strace;
pub mod syslog;
pub mod temp;

pub mod process;
