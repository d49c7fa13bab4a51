//! Which accounts are the system's own, and no people's.

/// Where the system says which ids it gives to people, login.defs(5): what an
/// administrator has written, or else the distribution.
const DEFINITIONS: [&str; 2] = ["/etc/login.defs", "/usr/etc/login.defs"];
/// What programs that add users take where it does not say.
const USUAL: u32 = 1000;
/// `nobody`, and the id of 16 bits that no user can have.
const NOBODY: [u32; 2] = [65_534, 65_535];

/// The ids of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct People {
    first: u32,
}

impl People {
    /// Those of this system.
    pub(super) fn of_system() -> Self {
        let text = DEFINITIONS.iter().find_map(|path| std::fs::read(path).ok());
        Self::defined(&text.unwrap_or_default())
    }

    /// Those of a text in the form of login.defs(5): the last line counts.
    fn defined(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let mut values = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("UID_MIN")).then(|| words.next()?.parse().ok())?
        });
        Self {
            first: values.next_back().unwrap_or(USUAL),
        }
    }

    /// Whether an account with this id is the system's own. Root is a person.
    pub(super) fn lack(self, uid: u32) -> bool {
        uid != 0 && (uid < self.first || NOBODY.contains(&uid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_begin_where_login_defs_says_or_at_1000() {
        for (text, first) in [
            (&b""[..], 1000),
            (b"UID_MAX 60000\nSYS_UID_MIN 100\n#UID_MIN 300\n", 1000),
            (b"# \xff\nUID_MIN\t\t\t 500\n", 500),
            (b"UID_MIN 500\n  UID_MIN 600 # since\n", 600),
            (b"UID_MIN many\nUID_MIN\nUID_MIN -1\n", 1000),
        ] {
            assert_eq!(People::defined(text), People { first });
        }
    }

    #[test]
    fn below_are_accounts_of_the_system_but_root_and_so_is_nobody() {
        let people = People { first: 500 };
        for (uid, lacking) in [
            (0, false),
            (1, true),
            (499, true),
            (500, false),
            (60_100, false),
            (65_534, true),
            (65_535, true),
            (1_000_000, false),
        ] {
            assert_eq!(people.lack(uid), lacking, "{uid}");
        }
    }
}
