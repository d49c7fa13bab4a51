//! Disks that are full, and disks that cannot be written: who has a state gets
//! in, who has none is denied until there is room, and nobody gets by.

#![allow(clippy::expect_used, reason = "a helper that fails is a broken test")]

mod common;
mod faults;

use common::value;
use faults::{House, Login};
use pam_otp_testkit::sandbox::{Sandbox, run};

/// A house whose first resident's home is a file system of its own.
struct Place {
    house: House,
}

const HOME: &str = "/home/resident0";

impl Place {
    fn or_skip(mount: &str) -> Option<Self> {
        let place = Self {
            house: House::with_homes()?,
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
    let mounts = [format!("mount -t tmpfs -o size=256k tmpfs {HOME}"), ext4()];
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
