//! One file for each command, and one line here.
//!
//! A command's file has `Options`, its own options ([`NoOptions`] if there are
//! none), and `run`, which answers or fails. Results go into the [`Reply`]:
//! lines for people and fields for programs.

use clap::{Args, Subcommand};

use crate::error::Error;
use crate::reply::Reply;
use crate::session::Session;

/// For commands without options of their own.
#[derive(Clone, Debug, Args)]
pub(crate) struct NoOptions {}

pub(crate) mod doctor;

macro_rules! commands {
    ($($(#[$about:meta])+ $variant:ident($module:ident),)+) => {
        $(pub(crate) mod $module;)+

        /// What to do.
        #[derive(Clone, Debug, Subcommand)]
        pub(crate) enum Command {
            $(
                $(#[$about])+
                #[command(after_help = crate::examples::help(stringify!($module)))]
                $variant($module::Options),
            )+
        }

        impl Command {
            /// Its name, as it is typed.
            pub(crate) fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($module),)+
                }
            }

            /// Does it.
            pub(crate) fn run(&self, session: &Session) -> Result<Reply, Error> {
                match self {
                    $(Self::$variant(options) => $module::run(session, options),)+
                }
            }
        }
    };
}

commands! {
    /// Switch two-factor login on, or add a device; asks for a code
    Enroll(enroll),
    /// Make effective what `enroll --json` began; asks for a code of it
    Confirm(confirm),
    /// Forget what `enroll --json` began; takes no code
    Cancel(cancel),
    /// Tell whether two-factor login is on, and how it stands
    Status(status),
    /// Tell whether a code would open now; uses it up, as a login does
    Verify(verify),
    /// Follow a token that is far off; asks for two codes in a row
    Resync(resync),
    /// Show key and QR code again; asks for a code or a recovery code
    Show(show),
    /// Switch two-factor login off; asks for a code or a recovery code
    Disable(disable),
    /// Make new recovery codes, the old ones void; asks for a code
    Recovery(recovery),
    /// Give a token another name; asks for a code
    Rename(rename),
    /// Remove one of several tokens; asks for a code
    Remove(remove),
    /// Take over tokens from a file of another program, or of an app
    Import(import),
    /// Show the otpauth URIs; asks for a code
    Export(export),
    /// Tell who has two-factor login, and how it stands (root only)
    List(list),
    /// Remove a record in whatever state, e.g. for a lost phone (root only)
    Reset(reset),
    /// Forget wrong codes, so that nobody waits any more (root only)
    Unlock(unlock),
    /// Tell the last logins and changes, from the system's log (root only)
    Events(events),
    /// Tell or change who always needs a code (root only)
    Require(require),
    /// Tell or change who needs no code (root only)
    Exempt(exempt),
    /// Have a service ask for a code, or undo that (root only)
    Setup(setup),
}
