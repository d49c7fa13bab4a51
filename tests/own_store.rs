//! A daemon that runs PAM as an ordinary user, as databases and web servers do,
//! with a store of its own: it needs no rights, and it gets none by it.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a broken test")]

mod common;

use common::{Phone, Realm, Visit, value, visit_with};
use pam_otp_testkit::pam::{AUTH_ERR, Stack};
use pam_otp_testkit::sandbox::{Sandbox, run};

/// Its user, and the directory that is its own.
const DAEMON: &str = "panel";
const OWN: &str = "/var/lib/panel-otp";
const POLICY: &str = "/etc/panel-otp.toml";

/// A machine with that daemon on it. Its users are nobody's on the machine.
struct Machine {
    sandbox: Sandbox,
    stack: Stack,
}

impl Machine {
    fn or_skip() -> Option<Self> {
        let sandbox = Sandbox::or_skip()?;
        sandbox.add_user(DAEMON, "no password is asked for");
        sandbox.add_user("mallory", "battery staple");
        // Who has no record needs no code: what cannot be read must not look
        // like that.
        let policy = "store = \"system\"\nfail_delay = 0\n[service.open]\nunenrolled = \"allow\"\n";
        let own = format!("system_store = \"{OWN}\"\n{policy}");
        sandbox.write(POLICY, own, 0o644);
        sandbox.write("/etc/security/pam_otp.toml", policy, 0o644);
        let stack = door(&sandbox, "door", &format!("policy={POLICY}"));
        let machine = Self { sandbox, stack };
        machine.script(&format!("install -d -m 700 -o {DAEMON} {OWN}"));
        Some(machine)
    }

    fn script(&self, script: &str) {
        run(self.sandbox.command("sh").args(["-euc", script]), "");
    }

    /// Makes a record as it is when the daemon's own user has made it. A process
    /// of root's does not: it keeps out of what is not its own.
    fn enrol(&self, user: &str) -> Phone {
        self.sandbox.inside(|| {
            let realm = Realm::new("");
            let phone = realm.enrol(user);
            let made = realm.record(user);
            let made = made.to_str().unwrap();
            self.script(&format!(
                "cp -rp '{made}' {OWN}; chown -R {DAEMON}: '{OWN}/{user}'"
            ));
            phone
        })
    }

    /// A login of the daemon's, as one of the machine's users.
    fn visit(&self, daemon: &str, stack: &Stack, user: &str, reply: &str) -> Visit {
        let pam_try = self.sandbox.command_as(daemon, self.sandbox.pam_try());
        visit_with(pam_try, stack, user, reply)
    }

    /// How a login at the daemon's door ends.
    fn ends(&self, user: &str, reply: &str) -> (bool, String) {
        let visit = self.visit(DAEMON, &self.stack, user, reply);
        assert!(visit.entered || visit.code == AUTH_ERR, "{visit:?}");
        let reason = value(visit.line(), "reason").unwrap();
        (visit.entered, reason.to_owned())
    }
}

/// Lets in whoever the module does not keep out.
fn door(sandbox: &Sandbox, service: &str, arguments: &str) -> Stack {
    let lines = format!("auth required {{module}} {arguments}\nauth required pam_permit.so");
    sandbox.stack(service, &lines)
}

fn refused(reason: &str) -> (bool, String) {
    (false, reason.to_owned())
}

fn granted(reason: &str) -> (bool, String) {
    (true, reason.to_owned())
}

#[test]
fn a_daemon_of_an_ordinary_user_logs_its_users_in_and_out_with_a_store_of_its_own() {
    let Some(machine) = Machine::or_skip() else {
        return;
    };
    // Users of a panel, one of them called like one of the machine, and one
    // like its administrator.
    for user in ["alice@example.org", "mallory", "root"] {
        let phone = machine.enrol(user);
        let code = phone.code();
        assert_eq!(machine.ends(user, &phone.wrong()), refused("wrong_code"));
        assert_eq!(machine.ends(user, &code), granted("code"));
        assert_eq!(machine.ends(user, &code), refused("used_code"));
        let paper = &phone.recovery[0];
        assert_eq!(machine.ends(user, paper), granted("recovery_code"));
        assert_eq!(machine.ends(user, paper), refused("used_code"));
        assert_eq!(machine.ends(user, "\n"), refused("no_code"));
    }
    assert_eq!(machine.ends("nobody-here", "123456"), refused("unenrolled"));
    // Nobody else's is anything in there.
    machine.script(&format!("test -z \"$(find {OWN} ! -user {DAEMON})\""));
}

#[test]
fn a_record_of_the_daemon_s_own_without_a_state_gets_one_at_its_first_login() {
    let Some(machine) = Machine::or_skip() else {
        return;
    };
    let phone = machine.enrol("alice");
    machine.script(&format!("rm {OWN}/alice/state"));
    let code = phone.code();
    assert_eq!(machine.ends("alice", &code), granted("code"));
    assert_eq!(machine.ends("alice", &code), refused("used_code"));
    let mut stat = machine.sandbox.command("stat");
    let state = format!("{OWN}/alice/state");
    let said = run(stat.args(["-c", "%U %a", &state]), "");
    assert_eq!(said, format!("{DAEMON} 600\n"));
}

#[test]
fn a_daemon_gets_nobody_in_by_what_it_cannot_read_or_what_others_could_change() {
    let Some(machine) = Machine::or_skip() else {
        return;
    };
    let open = door(&machine.sandbox, "open", &format!("policy={POLICY}"));
    let phone = machine.enrol("alice");
    let code = phone.code();
    let link = format!("mv {OWN} {OWN}.away; ln -s {OWN}.away {OWN}; chown -h mallory {OWN}");
    for (script, reason) in [
        ("chmod 770 .", "insecure_record"),
        ("chmod 777 .", "insecure_record"),
        ("chown mallory .", "insecure_record"),
        ("chown mallory alice", "insecure_record"),
        ("chmod 640 alice/token.toml", "insecure_record"),
        ("chmod 660 alice/state", "insecure_record"),
        (&*link, "insecure_record"),
        (&*format!("mv {OWN} {OWN}.away"), "missing_directory"),
        ("chmod 000 .", "unreadable_record"),
        ("chown root .", "unreadable_record"),
        ("chown -R root alice", "unreadable_record"),
        ("chown mallory alice/token.toml", "unreadable_record"),
        ("chown mallory alice/state", "unreadable_record"),
    ] {
        machine.script(&format!("cd {OWN}; {script}"));
        for stack in [&machine.stack, &open] {
            let visit = machine.visit(DAEMON, stack, "alice", &code);
            assert!(!visit.entered, "{script}: {visit:?}");
            assert_eq!(value(visit.line(), "reason"), Some(reason), "{script}");
        }
        machine.script(&format!(
            "if [ -d {OWN}.away ]; then rm -f {OWN}; mv {OWN}.away {OWN}; fi
             chown -R {DAEMON}: {OWN}; chmod -R u=rwX,go= {OWN}"
        ));
    }
    assert_eq!(machine.ends("alice", &code), granted("code"));
}

#[test]
fn nobody_else_gets_anything_from_the_daemon_s_store_nor_the_daemon_from_root_s() {
    let Some(machine) = Machine::or_skip() else {
        return;
    };
    let phone = machine.enrol("alice");
    let code = phone.code();
    // mallory starts the same program, with the same stack.
    let visit = machine.visit("mallory", &machine.stack, "alice", &code);
    assert_eq!(value(visit.line(), "reason"), Some("insecure_record"));
    assert!(!visit.entered, "{visit:?}");

    // The store of the machine's own logins, with the machine's own policy.
    let store = "/var/lib/pam-otp";
    machine.script(&format!(
        "install -d -m 700 {store}; cp -r {OWN}/alice {store}; chown -R root: {store}"
    ));
    let stack = door(&machine.sandbox, "open", "");
    for user in ["alice", "who-has-no-record-there"] {
        let visit = machine.visit(DAEMON, &stack, user, &code);
        assert_eq!(value(visit.line(), "reason"), Some("unreadable_record"));
        assert!(!visit.entered, "{user}: {visit:?}");
    }
    assert_eq!(machine.ends("alice", &code), granted("code"));
}

#[test]
fn from_homes_a_program_of_an_ordinary_user_logs_in_that_user_and_nobody_else() {
    let Some(machine) = Machine::or_skip() else {
        return;
    };
    let policy = "/etc/homes.toml";
    let rules = "store = \"home\"\nfail_delay = 0\nunenrolled = \"allow\"\n";
    machine.sandbox.write(policy, rules, 0o644);
    let stack = door(&machine.sandbox, "homes", &format!("policy={policy}"));
    let realm = Realm::at_home("");
    let [own, other] = [DAEMON, "mallory"].map(|user| machine.sandbox.inside(|| realm.enrol(user)));

    let code = own.code();
    assert!(machine.visit(DAEMON, &stack, DAEMON, &code).entered);
    let again = machine.visit(DAEMON, &stack, DAEMON, &code);
    assert_eq!(value(again.line(), "reason"), Some("used_code"));
    let visit = machine.visit(DAEMON, &stack, "mallory", &other.code());
    assert_eq!(value(visit.line(), "reason"), Some("no_rights"));
    assert!(!visit.entered, "{visit:?}");
}
