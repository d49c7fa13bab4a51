//! PAM stacks as files: read as libpam reads them, walked as its dispatcher
//! does, and changed with every other byte kept.
//!
//! ```no_run
//! use pam_otp_stack::{Kind, Return, Services};
//!
//! let services = Services::system();
//! let stack = services.stack("sshd", Kind::Auth)?;
//! let walk = stack.walk(|module| match module.file_name() {
//!     "pam_unix.so" => Return::AUTH_ERR,
//!     _ => Return::SUCCESS,
//! });
//! for step in &walk.steps {
//!     println!("{}: {}", stack.entries()[step.entry].place, step.returned);
//! }
//! println!("{}", walk.result);
//! # Ok::<(), pam_otp_stack::StackError>(())
//! ```
//!
//! The rules are those of pam.conf(5) and of Linux-PAM's own parser and
//! dispatcher, with Debian's `@include`. What libpam would take for a line that
//! always fails, and what its versions read differently, is an error here, with
//! file and line: nobody should rely on it.
//!
//! Where to begin: [`Services`] finds files, [`ServiceFile`] is one of them as
//! text, [`Stack`] is what libpam makes of all of them for one [`Kind`].

#![forbid(unsafe_code)]

mod control;
mod error;
mod file;
mod line;
mod services;
mod stack;
mod walk;
mod ways;

pub use control::{Action, Control, Return};
pub use error::{Place, Problem, StackError};
pub use file::{Edit, Kind, Rule, ServiceFile, Statement};
pub use services::{DIRECTORIES, OTHER, Services};
pub use stack::{Entry, Module, Part, Stack};
pub use walk::{State, Step, Walk};
pub use ways::Way;
