//! Disks that are full, and disks that cannot be written: who has a state gets
//! in, who has none is denied until there is room, and nobody gets by.

#![allow(clippy::expect_used, reason = "a helper that fails is a broken test")]

mod common;
mod faults;

use common::{value, visit_with};
use faults::{House, Login};
use pam_otp_testkit::sandbox::{Sandbox, run};

/// A house whose first resident's home is a file system of its own.
struct Place {
    house: House,
}

const HOME: &str = "/home/resident0";

const VOLATILE: &str = "unwritable = \"volatile\"";

impl Place {
    fn or_skip(mount: &str) -> Option<Self> {
        Self::under(mount, "")
    }

    fn under(mount: &str, rule: &str) -> Option<Self> {
        let place = Self {
            house: House::with_homes_and(rule)?,
        };
        if let Err(said) = place.try_shell(mount) {
            eprintln!("SKIPPED: {mount:?} does not work here: {said}");
            return None;
        }
        place.shell(&format!("chown resident0: {HOME}; chmod 755 {HOME}"));
        Some(place)
    }

    fn sandbox(&self) -> &Sandbox {
        self.house.sandbox.as_ref().expect("a sandbox")
    }

    fn shell(&self, script: &str) {
        run(self.sandbox().command("sh").args(["-euc", script]), "");
    }

    fn try_shell(&self, script: &str) -> Result<(), String> {
        let mut shell = self.sandbox().command("sh");
        let output = shell.args(["-euc", script]).output().expect("start sh");
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Fills the disk to its last byte, and, if asked for, to its last file.
    fn fill(&self, files: bool) {
        let touch = if files { "touch" } else { "false" };
        self.shell(&format!(
            "cd {HOME}; dd if=/dev/zero of=full bs=64k 2>/dev/null || true
             dd if=/dev/zero of=fuller bs=512 2>/dev/null || true
             n=0; while {touch} file$n 2>/dev/null; do n=$((n + 1)); done
             if echo x 2>/dev/null > one-more; then echo 'not full' >&2; exit 1; fi"
        ));
    }

    fn clear(&self) {
        self.shell(&format!("cd {HOME}; rm -f full fuller file* one-more"));
    }

    fn denied(&self, user: &str, code: &str, why: &str) {
        let visit = self.house.visit(user, code);
        assert!(!visit.entered, "{visit:?}");
        let line = visit.line();
        let said = ["outcome", "reason"].map(|key| value(line, key));
        assert_eq!(said, [Some("denied"), Some("unreadable_record")], "{line}");
        assert!(line.contains(why), "{line}");
    }

    /// In or out, and why, and whether it is kept in memory alone.
    fn says(&self, user: &str, code: &str, outcome: &str, reason: &str, in_memory: bool) {
        let visit = self.house.visit(user, code);
        let line = visit.line();
        let said = ["outcome", "reason"].map(|key| value(line, key));
        assert_eq!(said, [Some(outcome), Some(reason)], "{visit:?}");
        assert_eq!(visit.entered, outcome == "granted", "{visit:?}");
        assert_eq!(value(line, "kept") == Some("memory"), in_memory, "{line}");
    }

    /// Root's copies, with mode and owner.
    fn copies(&self) -> String {
        let mut shell = self.sandbox().command("sh");
        let list = "[ ! -e /run/pam-otp ] || stat -c '%a %U %s' /run/pam-otp /run/pam-otp/*";
        let output = shell.args(["-uc", list]).output().expect("start sh");
        String::from_utf8(output.stdout).expect("text")
    }

    /// What a login leaves in memory while `spoil` holds, and that the disk
    /// takes it after `mend`.
    fn stands_in(&self, kind: Login, spoil: impl Fn(), mend: impl Fn()) {
        let guest = self.house.guest(0);
        let code = kind.prepare(&self.house, &guest);
        spoil();
        self.says(&guest.name, &guest.wrong, "denied", "wrong_code", false);
        self.says(&guest.name, &code, "granted", "code", true);
        self.says(&guest.name, &code, "denied", "used_code", false);
        let copies = self.copies();
        assert_eq!(copies.lines().count(), 2, "{copies}");
        assert!(copies.starts_with("711 root "), "{copies}");
        assert!(copies.ends_with("\n600 root 8192\n"), "{copies}");
        mend();
        self.says(&guest.name, &code, "denied", "used_code", false);
        self.says(&guest.name, &guest.next, "granted", "code", false);
        self.says(&guest.name, &code, "denied", "used_code", false);
        self.says(&guest.name, &guest.next, "denied", "used_code", false);
        let left = self.copies();
        assert_eq!(left.lines().count(), 1, "the copy is still there: {left}");
    }

    /// A full disk, with a state and without one.
    fn full(&self, files: bool) {
        let guest = self.house.guest(0);
        self.fill(files);
        assert!(!self.house.visit(&guest.name, &guest.wrong).entered);
        let visit = self.house.visit(&guest.name, &guest.code);
        assert!(visit.entered, "{visit:?}");
        let again = self.house.visit(&guest.name, &guest.code);
        assert_eq!(value(again.line(), "reason"), Some("used_code"));
        self.clear();

        let guest = self.house.guest(0);
        Login::First.prepare(&self.house, &guest);
        self.fill(files);
        self.denied(&guest.name, &guest.code, "No space left on device");
        self.clear();
        let visit = self.house.visit(&guest.name, &guest.code);
        assert!(visit.entered, "{visit:?}");
        let left = self.house.inside(|| {
            let files = std::fs::read_dir(self.house.record(&guest.name)).expect("a record");
            files.count()
        });
        assert_eq!(left, 2, "something was left behind");
    }
}

#[test]
fn on_a_full_tmpfs_who_has_a_state_gets_in_and_who_has_none_is_denied() {
    let mount = format!("mount -t tmpfs -o size=256k,nr_inodes=64 tmpfs {HOME}");
    if let Some(place) = Place::or_skip(&mount) {
        for files in [false, true] {
            place.full(files);
        }
    }
}

/// A disk of a file, with no space that is kept for root. Inside, the devices of
/// loops have to be made.
fn ext4() -> String {
    format!(
        "cd /dev; [ -e loop-control ] || mknod -m 600 loop-control c 10 237
         for n in 0 1 2 3 4 5 6 7; do [ -e loop$n ] || mknod -m 600 loop$n b 7 $n; done
         truncate -s 8M /run/disk; mkfs.ext4 -q -m 0 -N 64 /run/disk
         mount -o loop /run/disk {HOME}"
    )
}

#[test]
fn on_a_full_ext4_who_has_a_state_gets_in_and_who_has_none_is_denied() {
    if let Some(place) = Place::or_skip(&ext4()) {
        for files in [false, true] {
            place.full(files);
        }
    }
}

#[test]
fn on_a_disk_that_cannot_be_written_all_are_denied_until_it_can() {
    let mounts = [
        format!("mount -t tmpfs -o size=256k,nr_inodes=64 tmpfs {HOME}"),
        ext4(),
    ];
    for mount in mounts {
        let Some(place) = Place::or_skip(&mount) else {
            continue;
        };
        for kind in [Login::Right, Login::First] {
            let guest = place.house.guest(0);
            let code = kind.prepare(&place.house, &guest);
            place.shell(&format!("mount -o remount,ro {HOME}"));
            place.denied(&guest.name, &code, "Read-only file system");
            place.shell(&format!("mount -o remount,rw {HOME}"));
            let visit = place.house.visit(&guest.name, &code);
            assert!(visit.entered, "{kind:?}: {visit:?}");
        }
    }
}

#[test]
fn where_the_policy_bears_it_memory_stands_in_for_a_disk_that_cannot_be_written() {
    let mounts = [
        format!("mount -t tmpfs -o size=256k,nr_inodes=64 tmpfs {HOME}"),
        ext4(),
    ];
    for mount in mounts {
        let Some(place) = Place::under(&mount, VOLATILE) else {
            continue;
        };
        for kind in [Login::Right, Login::First] {
            place.stands_in(
                kind,
                || place.shell(&format!("mount -o remount,ro {HOME}")),
                || place.shell(&format!("mount -o remount,rw {HOME}")),
            );
        }
        // A full disk has room for a state that is there, and none for a new one.
        place.stands_in(Login::First, || place.fill(true), || place.clear());
    }
}

#[test]
fn of_twenty_logins_with_one_code_on_a_disk_that_cannot_be_written_one_gets_in() {
    let mount = format!("mount -t tmpfs -o size=256k tmpfs {HOME}");
    let Some(place) = Place::under(&mount, VOLATILE) else {
        return;
    };
    for kind in [Login::Right, Login::First] {
        let guest = place.house.guest(0);
        let code = kind.prepare(&place.house, &guest);
        place.shell(&format!("mount -o remount,ro {HOME}"));
        let entered: usize = std::thread::scope(|scope| {
            let visits: Vec<_> = (0..20)
                .map(|_| scope.spawn(|| place.house.visit(&guest.name, &code).entered))
                .collect();
            visits
                .into_iter()
                .map(|visit| usize::from(visit.join().expect("a visit")))
                .sum()
        });
        assert_eq!(entered, 1, "{kind:?}");
        place.shell(&format!("mount -o remount,rw {HOME}; rm -f /run/pam-otp/*"));
    }
}

/// One service may bear what another does not; a code opens once all the same.
#[test]
fn what_memory_knows_counts_for_services_that_do_not_bear_it_too() {
    let mount = format!("mount -t tmpfs -o size=256k tmpfs {HOME}");
    let Some(place) = Place::under(&mount, VOLATILE) else {
        return;
    };
    let strict = place.house.realm.module("unwritable=deny");
    let strict = place.sandbox().stack(
        "strict",
        &format!("auth required {strict}\nauth required pam_permit.so"),
    );
    for kind in [Login::Right, Login::First] {
        let guest = place.house.guest(0);
        let code = kind.prepare(&place.house, &guest);
        place.shell(&format!("mount -o remount,ro {HOME}"));
        place.says(&guest.name, &code, "granted", "code", true);
        let there = |code: &str| {
            let pam_try = place.sandbox().command(place.house.pam_try());
            visit_with(pam_try, &strict, &guest.name, code)
        };
        // Neither while the disk cannot be written, nor when it can be again.
        let visit = there(&code);
        assert!(!visit.entered, "{visit:?}");
        place.shell(&format!("mount -o remount,rw {HOME}"));
        let visit = there(&code);
        assert_eq!(
            value(visit.line(), "reason"),
            Some("used_code"),
            "{visit:?}"
        );
        // A wrong code is enough for the disk to learn what the copy knows.
        let visit = there(&guest.wrong);
        assert_eq!(
            value(visit.line(), "reason"),
            Some("wrong_code"),
            "{visit:?}"
        );
        assert_eq!(place.copies().lines().count(), 1, "{}", place.copies());
        place.says(&guest.name, &code, "denied", "used_code", false);
    }
}

/// Whoever gets a record in the place of another's inherits nothing.
#[test]
fn a_copy_in_memory_is_for_one_owner_and_one_secret() {
    let mount = format!("mount -t tmpfs -o size=256k tmpfs {HOME}");
    let Some(place) = Place::under(&mount, VOLATILE) else {
        return;
    };
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..3 {
        // Each a new enrolment in the same directory.
        let guest = place.house.guest(0);
        place.shell(&format!("mount -o remount,ro {HOME}"));
        place.says(&guest.name, &guest.code, "granted", "code", true);
        place.shell(&format!(
            "mount -o remount,rw {HOME}; umask 077; chmod 700 /run/pam-otp"
        ));
        let list = place.copies();
        names.insert(list.lines().count());
    }
    assert_eq!(names.into_iter().collect::<Vec<_>>(), [2, 3, 4]);
    // Others must be able to see that there is no copy of theirs.
    assert!(place.copies().starts_with("700 "), "{}", place.copies());
    let guest = place.house.guest(0);
    place.shell(&format!("mount -o remount,ro {HOME}"));
    place.says(&guest.name, &guest.code, "granted", "code", true);
    assert!(place.copies().starts_with("711 "), "{}", place.copies());
}

/// A program that runs as the user cannot know what root's copy knows.
#[test]
fn while_there_is_a_copy_in_memory_a_program_without_rights_is_denied() {
    let mount = format!("mount -t tmpfs -o size=256k tmpfs {HOME}");
    let Some(place) = Place::under(&mount, VOLATILE) else {
        return;
    };
    let guest = place.house.guest(0);
    let as_user = |code: &str| {
        let mut command = place.sandbox().command("setpriv");
        command
            .args([
                "--reuid",
                &guest.name,
                "--regid",
                &guest.name,
                "--clear-groups",
            ])
            .arg(place.house.pam_try());
        visit_with(command, &place.house.stack, &guest.name, code)
    };
    let module = place.house.realm.module("");
    let (_, policy) = module.split_once("policy=").expect("an argument");
    place.shell(&format!(
        "chmod o+rx $(dirname {policy}); chmod o+r {policy}; mount -o remount,ro {HOME}"
    ));
    place.says(&guest.name, &guest.code, "granted", "code", true);
    place.shell(&format!("mount -o remount,rw {HOME}"));
    for code in [&guest.code, &guest.next] {
        let visit = as_user(code);
        assert!(!visit.entered, "{visit:?}");
        let line = visit.line();
        assert_eq!(value(line, "reason"), Some("unreadable_record"), "{line}");
        assert!(line.contains("/run/pam-otp/"), "{line}");
    }
    // Root's next success takes it away.
    place.says(&guest.name, &guest.next, "granted", "code", false);
    let visit = as_user(&guest.next);
    assert_eq!(
        value(visit.line(), "reason"),
        Some("used_code"),
        "{visit:?}"
    );
}
