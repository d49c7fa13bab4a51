//! Random small stacks go the same way through our walk and through the real
//! libpam, and what our parser takes libpam takes for the same.

#![allow(clippy::expect_used, reason = "a helper that fails is a broken test")]
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use pam_otp_stack::{Kind, Return, Services};
use pam_otp_testkit::pam::{self, Application};
use pam_otp_testkit::temp::TempDir;

/// How many stacks.
const STACKS: u32 = 1000;

/// What `pam_debug.so` can be told to return.
const RETURNS: [&str; 8] = [
    "success",
    "success",
    "auth_err",
    "user_unknown",
    "ignore",
    "new_authtok_reqd",
    "perm_denied",
    "abort",
];

/// Numbers that look random and are the same each time (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).expect("24 bits") % end
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn control(&mut self) -> String {
        if self.below(2) == 0 {
            return self
                .one_of(&[
                    "required",
                    "requisite",
                    "sufficient",
                    "optional",
                    "REQUIRED",
                ])
                .to_owned();
        }
        let mut parts = Vec::new();
        for _ in 0..=self.below(3) {
            let value = self.one_of(&["success", "auth_err", "user_unknown", "ignore", "default"]);
            let action =
                self.one_of(&["ok", "done", "bad", "die", "ignore", "reset", "1", "2", "3"]);
            let equals = self.one_of(&["=", " =", "= "]);
            parts.push(format!("{value}{equals}{action}"));
        }
        format!("[{}]", parts.join(" "))
    }

    /// One line; `files` may be included from it.
    fn line(&mut self, files: &[&str]) -> String {
        let file = (!files.is_empty()).then(|| self.one_of(files));
        match (self.below(12), file) {
            (0, Some(file)) => format!("auth include {file}\n"),
            (1, Some(file)) => format!("@include {file}\n"),
            (2 | 3, Some(file)) => format!("auth substack {file}\n"),
            (4, _) => "# auth required pam_deny.so\n\n".to_owned(),
            (5, _) => "account required pam_deny.so\nsession [default=1] pam_deny.so\n".to_owned(),
            (6, _) => format!("-auth {} pam_not_there.so\n", self.control()),
            (7, _) => {
                let (control, returned) = (self.control(), self.one_of(&RETURNS));
                format!("Auth\t{control} \\\n  pam_debug.so auth={returned} # a [comment\n")
            }
            _ => {
                let (control, returned) = (self.control(), self.one_of(&RETURNS));
                format!("auth {control} pam_debug.so auth={returned}\n")
            }
        }
    }

    fn file(&mut self, files: &[&str]) -> String {
        (0..=self.below(5)).map(|_| self.line(files)).collect()
    }
}

/// What the module on a line returns.
fn returned(module: &pam_otp_stack::Module) -> Return {
    let Some(name) = module
        .arguments
        .iter()
        .find_map(|it| it.strip_prefix("auth="))
    else {
        return Return::MODULE_UNKNOWN;
    };
    Return::all()
        .find(|it| it.name() == name)
        .expect("a name of libpam's")
}

#[test]
fn random_stacks_go_the_same_way_as_through_libpam() {
    let mut dice = Dice(20_261_122);
    let directory = TempDir::new();
    // Some versions look for other names in /etc/pam.d alone.
    let path = |name| directory.path().join(name).display().to_string();
    let (one, two, three) = (&*path("one"), &*path("two"), &*path("three"));
    let mut results = std::collections::BTreeMap::new();
    for round in 0..STACKS {
        let mut texts = Vec::new();
        for (name, files) in [
            ("service", &[one, two, three][..]),
            ("one", &[two, three]),
            ("two", &[three]),
            ("three", &[]),
            ("other", &[three]),
        ] {
            let text = dice.file(files);
            std::fs::write(directory.path().join(name), &text).expect("write a file");
            texts.push(format!("== {name}\n{text}"));
        }
        let services = Services::in_directory(directory.path());
        let stack = services.stack("service", Kind::Auth).expect("a stack");
        let walk = stack.walk(returned);

        let real = pam::Stack::existing("service", Some(directory.path()));
        let transcript = Application::new().user("nobody").authenticate(&real);
        let texts = texts.concat();
        assert_eq!(
            i32::from(walk.result.number()),
            transcript.code,
            "round {round}: {walk:?}\n{texts}"
        );
        // pam_debug.so says what it returns; setcred says nothing.
        let said = transcript.messages();
        let ran = walk.steps.iter().filter_map(|step| {
            let module = stack.entries()[step.entry].module()?;
            let wanted = module.arguments.first()?;
            Some(wanted.as_str())
        });
        assert_eq!(ran.collect::<Vec<_>>(), said, "round {round}\n{texts}");
        *results.entry(walk.result.name()).or_insert(0) += 1;
    }
    // The comparison is of something.
    assert!(results.len() >= 6, "{results:?}");
    assert!(results["success"] > STACKS / 20, "{results:?}");
}

/// One service file alone, without `other`.
fn libpam_says(text: &str) -> i32 {
    let directory = TempDir::new();
    std::fs::write(directory.path().join("service"), text).expect("write a file");
    let real = pam::Stack::existing("service", Some(directory.path()));
    Application::new().user("nobody").authenticate(&real).code
}

fn we_say(text: &str) -> Result<i32, String> {
    let directory = TempDir::new();
    std::fs::write(directory.path().join("service"), text).expect("write a file");
    let services = Services::in_directory(directory.path());
    let stack = services.stack("service", Kind::Auth);
    let walk = stack
        .map_err(|error| error.to_string())?
        .walk(|module| match module.file_name() {
            "pam_permit.so" => Return::SUCCESS,
            _ => returned(module),
        });
    Ok(i32::from(walk.result.number()))
}

#[test]
fn what_is_written_in_unusual_ways_is_read_as_libpam_reads_it() {
    for text in [
        "auth required pam_permit.so",
        "auth [required] pam_permit.so\n",
        "auth success=ok pam_permit.so\n",
        "\t auth\trequired \\\n\t\\\n pam_permit.so # auth required pam_deny.so\n",
        "auth [ success = ok \\\n default = die ] pam_permit.so\n",
        "auth [success=2 default=ignore] pam_permit.so\nauth requisite pam_deny.so\n",
        "auth required pam_debug.so [auth=auth_err]\n",
        "# only account\naccount required pam_permit.so\n",
        "-auth required pam_not_there.so\nauth required pam_permit.so\n",
        "-auth optional pam_not_there.so\nauth required pam_permit.so\n",
        "auth required pam_permit.so#nullok\n",
    ] {
        assert_eq!(we_say(text), Ok(libpam_says(text)), "{text}");
    }
}

#[test]
fn what_we_do_not_understand_libpam_refuses_too() {
    for text in [
        "auth required pam_permit.so\nauht required pam_permit.so\n",
        "auth required pam_permit.so\nauth\n",
        "auth required pam_permit.so\nauth required\n",
        "auth required pam_permit.so\nauth [success=ok default=foo] pam_permit.so\n",
        "auth required pam_permit.so\nauth [success=0] pam_permit.so\n",
        "auth required pam_permit.so\nauth include missing\n",
        "auth required pam_permit.so\nauth substack missing\n",
        "auth required pam_permit.so\n@include missing\n",
        "auth required pam_permit.so\nauth include service\n",
        "auth required pam_permit.so\r\n",
    ] {
        // Some make pam_start itself fail, at which the test kit panics.
        let says = std::panic::catch_unwind(|| libpam_says(text));
        assert_ne!(says.ok(), Some(pam::SUCCESS), "{text}");
        assert!(we_say(text).is_err(), "{text}");
    }
}
