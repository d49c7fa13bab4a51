//! All ways through a stack, whatever its modules return.
//!
//! For promises that must hold in every one of them: ways that meet are followed once,
//! so that there is no limit. Doctor has a walk of its own (`doctor/ways.rs` of the
//! command), which keeps ways apart that this one joins.

use std::collections::HashSet;
use std::hash::Hash;

use crate::control::Return;
use crate::stack::{Module, Stack};
use crate::walk::State;

/// One of several ways that end alike.
#[derive(Clone, Debug)]
pub struct Way<F> {
    /// What the application is told.
    pub result: Return,
    /// What was noted on the way.
    pub facts: F,
    /// Which modules were called, and what they returned: indices into
    /// [`Stack::entries`].
    pub steps: Vec<(usize, Return)>,
}

impl Stack {
    /// All ways through the stack: for each module each of its returns from which
    /// something else follows, and that it `can` have. `note` keeps what is to be known of a way; of those
    /// that are alike in that and in the result, one is given.
    ///
    /// It takes no longer than there are lines, actions and facts: ways that have
    /// met are followed once.
    pub fn ways<F: Clone + Eq + Hash>(
        &self,
        facts: F,
        can: impl Fn(&Module, Return) -> bool,
        note: impl Fn(&mut F, usize, &Module, Return),
    ) -> Vec<Way<F>> {
        let mut seen = HashSet::new();
        let mut ended = HashSet::new();
        let mut ways = Vec::new();
        let mut open = vec![(State::start(), facts, Vec::new())];
        while let Some((mut state, facts, steps)) = open.pop() {
            let entry = state.next_module(self);
            let module = entry.and_then(|entry| self.entries().get(entry)?.module());
            let (Some(entry), Some(module)) = (entry, module) else {
                let result = state.result();
                if ended.insert((result, facts.clone())) {
                    ways.push(Way {
                        result,
                        facts,
                        steps,
                    });
                }
                continue;
            };
            for returned in different(module).into_iter().filter(|it| can(module, *it)) {
                let (mut state, mut facts) = (state.clone(), facts.clone());
                state.step(self, module, returned);
                note(&mut facts, entry, module, returned);
                if seen.insert((state.clone(), facts.clone())) {
                    let mut steps = steps.clone();
                    steps.push((entry, returned));
                    open.push((state, facts, steps));
                }
            }
        }
        ways
    }
}

/// One return for each action, and those that libpam or modules treat apart.
fn different(module: &Module) -> Vec<Return> {
    let mut returns = vec![Return::SUCCESS, Return::IGNORE, Return::AUTH_ERR];
    for other in Return::all().filter(|it| *it != Return::INCOMPLETE) {
        let action = module.control.action(other);
        let known = |it: &Return| *it != Return::SUCCESS && module.control.action(*it) == action;
        if !returns.iter().any(known) {
            returns.push(other);
        }
    }
    returns
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Kind, ServiceFile, Services};

    fn stack(text: &str) -> Stack {
        let file = ServiceFile::parse(Path::new("service"), text.as_bytes().to_vec()).unwrap();
        let nowhere = Services::in_directory(Path::new("/nonexistent"));
        nowhere.stack_of(&file, Kind::Auth).unwrap()
    }

    /// Whether there is a success on which the module on the last line did not run.
    fn can_pass_by(text: &str) -> bool {
        let stack = stack(text);
        let last = stack.entries().len().saturating_sub(1);
        let ways = stack.ways(false, |_, _| true, |ran, entry, _, _| *ran |= entry == last);
        ways.iter()
            .any(|way| way.result == Return::SUCCESS && !way.facts)
    }

    #[test]
    fn a_way_that_leaves_a_line_out_is_found_however_rare() {
        let required = "auth required a\n".repeat(60);
        assert!(!can_pass_by(&format!("{required}auth required b\n")));
        let rare = "auth [default=bad success=ok cred_expired=done] c\n";
        assert!(!can_pass_by(&format!("{required}{rare}auth required b\n")));
        let rare = "auth [default=bad success=ok try_again=1] c\nauth required d\n";
        assert!(!can_pass_by(&format!("{rare}auth required b\n")));
        let rare = "auth [default=bad success=ok try_again=2] c\nauth required d\n";
        let end = "auth required b\n";
        assert!(can_pass_by(&format!("auth required a\n{rare}{end}")));
        let sufficient = "auth sufficient c\n";
        assert!(can_pass_by(&format!("{required}{sufficient}{end}")));
        assert!(can_pass_by(&format!(
            "auth [success=ignore default=done] a\nauth [success=done default=ignore] c\n{end}"
        )));
    }

    #[test]
    fn a_way_says_how_it_went() {
        let stack = stack("auth sufficient a\nauth required b\n");
        let ways = stack.ways((), |_, _| true, |(), _, _, _| {});
        let way = ways.iter().find(|way| way.result == Return::SUCCESS);
        let way = way.expect("a success");
        let walk = stack.walk_by(|entry, _| {
            let step = way.steps.iter().find(|step| step.0 == entry);
            step.expect("a step").1
        });
        assert_eq!(walk.result, Return::SUCCESS);
        assert_eq!(walk.steps.len(), way.steps.len());
    }
}
