//! A sandbox in which alice and bob have homes, and records in them that a
//! module running as root opens.

use std::sync::atomic::{AtomicU32, Ordering};

use pam_otp_testkit::pam::Stack;
use pam_otp_testkit::sandbox::{Sandbox, run};

use super::{Phone, Realm, Visit, visit_with};

/// Alice's record, and its files.
pub(crate) const RECORD: &str = "/home/alice/.pam-otp";
pub(crate) const TOKEN: &str = "/home/alice/.pam-otp/token.toml";
pub(crate) const GOOGLE: &str = "/home/alice/.google_authenticator";
pub(crate) const STATE: &str = "/home/alice/.pam-otp/state";

/// How many stacks have a name by now.
static NUMBER: AtomicU32 = AtomicU32::new(0);

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
        let _ = (sandbox.pam_try(), sandbox.pam_otp());
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
        self.bare();
        self.sandbox.inside(|| self.realm.enrol("alice"))
    }

    /// A home without a record.
    pub(crate) fn bare(&self) {
        self.script(
            "sed -i '/^alice:/s,:[^:]*:/bin/sh$,:/home/alice:/bin/sh,' /etc/passwd; cd /home; rm -rf alice real away bob/way
             mkdir -m 755 alice; chown alice:alice alice",
        );
    }

    /// A home with a file of `pam_google_authenticator`'s in it, and its phone.
    pub(crate) fn google(&self, options: &str) -> Phone {
        self.bare();
        self.google_at(GOOGLE, "alice", options)
    }

    /// Such a file anywhere, and anybody's.
    pub(crate) fn google_at(&self, path: &str, owner: &str, options: &str) -> Phone {
        let phone = Phone::stray();
        let text = format!("{}\n{options}\n", phone.secret);
        self.sandbox.write(path, text, 0o400);
        self.script(&format!("chown {owner}: {path}"));
        phone
    }

    /// A stack of our module with these arguments, and then one that lets in.
    pub(crate) fn stack(&self, arguments: &str) -> Stack {
        let module = self.realm.module(arguments);
        let lines = format!("auth required {module}\nauth required pam_permit.so");
        // A name of its own: the stacks of before stay as they are.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        self.sandbox.stack(&format!("door-{number}"), &lines)
    }

    /// How a login of alice's ends: whether she is in, and the reason.
    pub(crate) fn ends(&self, stack: &Stack, reply: &str) -> (bool, String) {
        let visit = self.visit(stack, "alice", &format!("{reply}\n"));
        let reason = super::value(visit.line(), "reason").unwrap_or_default();
        (visit.entered, reason.to_owned())
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
