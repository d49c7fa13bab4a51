//! A sandbox in which alice and bob have homes, and records in them that a
//! module running as root opens.

use pam_otp_testkit::pam::Stack;
use pam_otp_testkit::sandbox::{Sandbox, run};

use super::{Phone, Realm, Visit, visit_with};

/// Alice's record, and its files.
pub(crate) const RECORD: &str = "/home/alice/.pam-otp";
pub(crate) const TOKEN: &str = "/home/alice/.pam-otp/token.toml";
pub(crate) const STATE: &str = "/home/alice/.pam-otp/state";

/// Where users have homes, and one policy for all of them.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) realm: Realm,
    pub(crate) door: Stack,
    /// The same, and who has no record needs no code.
    pub(crate) open: Stack,
}

impl World {
    pub(crate) fn new() -> Option<Self> {
        let sandbox = Sandbox::or_skip()?;
        sandbox.add_user("alice", "correct horse");
        sandbox.add_user("bob", "battery staple");
        let realm = Realm::at_home("[service.open]\nunenrolled = \"allow\"");
        let line = format!("auth required {}", realm.module(""));
        // What follows lets in: only the module keeps out.
        let lines = format!("{line}\nauth required pam_permit.so");
        let (door, open) = (sandbox.stack("door", &lines), sandbox.stack("open", &lines));
        // Built and copied now: a login's time is looked at.
        let _ = sandbox.pam_try();
        // A record that a link could lead to.
        sandbox.inside(|| realm.enrol("bob"));
        Some(Self {
            sandbox,
            realm,
            door,
            open,
        })
    }

    /// A home and a record as they should be.
    pub(crate) fn fresh(&self) -> Phone {
        self.script(
            "sed -i '/^alice:/s,:[^:]*:/bin/sh$,:/home/alice:/bin/sh,' /etc/passwd; cd /home; rm -rf alice real away bob/way
             mkdir -m 755 alice; chown alice:alice alice",
        );
        self.sandbox.inside(|| self.realm.enrol("alice"))
    }

    pub(crate) fn script(&self, script: &str) {
        let mut shell = self.sandbox.command("sh");
        run(shell.args(["-euc", script]), "");
    }

    pub(crate) fn visit(&self, stack: &Stack, user: &str, reply: &str) -> Visit {
        let pam_try = self.sandbox.command(self.sandbox.pam_try());
        visit_with(pam_try, stack, user, reply)
    }
}
