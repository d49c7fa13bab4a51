//! What must be true of a stack that asks for a code, in all ways through it.

use pam_otp_stack::{Module, Part, Return, Stack};

use super::{First, asks, is_ours};

/// What is true of it.
pub(super) struct Promises {
    /// Lines that let people in who were asked for nothing.
    pub(super) without: Vec<String>,
    /// A wrong password ends it before the code.
    pub(super) tells_password: bool,
}

/// What is noted on a way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Facts {
    /// A module ran that asks for a password.
    asked: bool,
    /// What our line returned: not at all, refused, said that none is needed, or
    /// took the code.
    code: Option<Return>,
    /// The last line that ran.
    last: usize,
}

impl Promises {
    /// Walks all ways; the first line that breaks a promise, and how.
    pub(super) fn of(
        stack: &Stack,
        first: First,
        hide: bool,
    ) -> Result<Self, (String, &'static str)> {
        let ways = stack.ways(Facts::default(), can, |facts, entry, module, returned| {
            facts.asked |= asks(module);
            if is_ours(Some(module)) {
                facts.code = Some(match returned {
                    Return::SUCCESS | Return::IGNORE => returned,
                    _ => Return::AUTH_ERR,
                });
            }
            facts.last = entry;
        });
        let at = |facts: &Facts| {
            let entry = stack.entries().get(facts.last);
            entry.map(|it| it.place.to_string()).unwrap_or_default()
        };
        let mut promises = Self {
            without: Vec::new(),
            tells_password: false,
        };
        let mut opens = false;
        for way in &ways {
            let (facts, success) = (&way.facts, way.result == Return::SUCCESS);
            match facts.code {
                Some(Return::AUTH_ERR) if success => {
                    return Err((at(facts), "a wrong code would be let in there"));
                }
                Some(Return::SUCCESS) if success => opens = true,
                None if success && (facts.asked || first == First::Key) => {
                    return Err((at(facts), "it lets in before a code could be asked"));
                }
                None if success => promises.without.push(name_of(stack, facts.last)),
                None if facts.asked => {
                    if hide {
                        return Err((at(facts), "it ends at a wrong password, before the code"));
                    }
                    promises.tells_password = true;
                }
                _ => {}
            }
        }
        promises.without.sort_unstable();
        promises.without.dedup();
        if opens {
            Ok(promises)
        } else {
            let facts = Facts::default();
            Err((at(&facts), "nobody would get in"))
        }
    }
}

/// A line and its module.
fn name_of(stack: &Stack, entry: usize) -> String {
    let Some(entry) = stack.entries().get(entry) else {
        return String::new();
    };
    match &entry.part {
        Part::Module(module) => format!("{} ({})", entry.place, module.file_name()),
        Part::Substack { .. } => entry.place.to_string(),
    }
}

/// Whether everybody who got in before gets in with a right code, and nobody else:
/// all other modules return what they did. Who was asked for nothing, as root is by
/// su, is still asked for nothing.
pub(super) fn keeps_what_was(before: &Stack, after: &Stack) -> bool {
    let ways = |stack: &Stack| stack.ways(false, can, |asked, _, module, _| *asked |= asks(module));
    let (old, new) = (ways(before), ways(after));
    let skeleton = |stack: &Stack| -> Vec<usize> {
        let entries = stack.entries().iter().enumerate();
        let others = entries.filter(|(_, it)| it.module().is_some_and(|it| !is_ours(Some(it))));
        others.map(|(index, _)| index).collect()
    };
    let (places_before, places_after) = (skeleton(before), skeleton(after));
    if places_before.len() != places_after.len() {
        return false;
    }
    let goes = |stack: &Stack, places: &[usize], code, returns: &dyn Fn(usize) -> Return| {
        let walk = stack.walk_by(|entry, module| {
            if is_ours(Some(module)) {
                return code;
            }
            let place = places.iter().position(|it| *it == entry);
            possible(module, place.map_or(Return::PERM_DENIED, returns))
        });
        walk.result == Return::SUCCESS
    };
    // Each way of either stack, walked in both; modules that did not run on it
    // succeed, fail, or are passed over.
    let sides = old.iter().map(|way| (way, &places_before));
    let mut sides = sides.chain(new.iter().map(|way| (way, &places_after)));
    sides.all(|(way, places)| {
        [Return::SUCCESS, Return::AUTH_ERR, Return::IGNORE]
            .into_iter()
            .all(|other| {
                let returns = |place: usize| {
                    let entry = places.get(place);
                    let step = way.steps.iter().find(|step| Some(&step.0) == entry);
                    step.map_or(other, |step| step.1)
                };
                let code = if way.facts {
                    Return::SUCCESS
                } else {
                    Return::AUTH_ERR
                };
                let before_it = goes(before, &places_before, Return::SUCCESS, &returns);
                // A way that asks for nothing and fails may become one that asks.
                before_it == goes(after, &places_after, code, &returns)
                    || (!way.facts && !before_it)
            })
    })
}

/// What a module returns in the place of what it never does. None of these ever
/// passes itself over; any other that does must not leave the code alone to decide.
fn possible(module: &Module, returned: Return) -> Return {
    match (module.file_name(), returned) {
        ("pam_permit.so", _) => Return::SUCCESS,
        ("pam_deny.so", _) | ("pam_unix.so", Return::IGNORE) => Return::AUTH_ERR,
        _ => returned,
    }
}

fn can(module: &Module, returned: Return) -> bool {
    possible(module, returned) == returned
}
