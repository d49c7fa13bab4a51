//! What is to be known before a stack is changed.

use pam_otp_stack::Kind;

use super::answer::Answer;
use super::placing::{self, First};
use super::{Setup, people, sshd};
use crate::error::Error;
use crate::first_login::Logged;

impl Setup<'_> {
    /// First logins that an application would log, by this service or by one that has
    /// its lines.
    pub(super) fn warn_of_first_logins(&self, service: &str, answer: &mut Answer) {
        let including = self.services.including(service, Kind::Auth);
        for name in including.iter().map(String::as_str).chain([service]) {
            let Ok(stack) = self.services.stack(name, Kind::Auth) else {
                continue;
            };
            let entries = stack.entries().iter();
            let mut ours = entries
                .filter(|entry| placing::is_ours(entry.module()))
                .peekable();
            let logged = if ours.peek().is_some() {
                ours.find_map(|entry| Logged::by_line(name, entry, &self.policies))
            } else {
                Logged::by_new_line(name, &self.policies)
            };
            if let Some(logged) = logged {
                answer.warnings.push(logged.to_string());
                answer.logged_first_logins.push(logged.service.to_owned());
            }
        }
    }

    /// Who would be locked out, and what else is to be known.
    pub(super) fn warn(&self, service: &str, answer: &mut Answer) -> Result<(), Error> {
        let including = self.services.including(service, Kind::Auth);
        if !including.is_empty() {
            let who = including.join(", ");
            let (has, asks) = match including.len() {
                1 => ("has", "asks"),
                _ => ("have", "ask"),
            };
            let text = format!("{who}: {has} the lines of {service}, and {asks} for a code too");
            answer.warnings.push(text);
        }
        if self.options.root.is_some() {
            return Ok(());
        }
        let policy = self.policies.for_service(service)?;
        let names = people::administrators();
        answer.locked_out = people::locked_out(&policy, &names);
        if !answer.locked_out.is_empty() {
            let who = answer.locked_out.join(", ");
            let all = answer.locked_out.len() == names.len();
            let rest = if all {
                ": that is every administrator"
            } else {
                ""
            };
            answer.warnings.push(format!(
                "{service} will refuse these administrators until they are enrolled: {who}{rest}"
            ));
        }
        if service == sshd::SERVICE {
            if sshd::settings("root")?.refuses_root() {
                let text = "sshd refuses root whatever is typed: log in as another user and \
                            become root by sudo or su, or put `PermitRootLogin yes` into \
                            /etc/ssh/sshd_config"
                    .to_owned();
                answer.warnings.push(text);
            }
            if self.first() == First::Password {
                let text = "keys alone no longer log in by ssh, nor do scripts that use them";
                answer.warnings.push(text.to_owned());
            }
        }
        let other = match service {
            "sudo" => "sudo-i",
            "su" => "su-l",
            _ => return Ok(()),
        };
        // It may include this one.
        let asks = self.services.stack(other, Kind::Auth);
        let includes = asks.is_ok_and(|stack| {
            let own = |it: &pam_otp_stack::Entry| it.place.path.ends_with(service);
            stack.entries().iter().any(own)
        });
        if !includes && self.services.find(other).is_ok_and(|it| it.is_some()) {
            let text = format!("{other} is a service of its own: pam-otp setup {other}");
            answer.warnings.push(text);
        }
        Ok(())
    }
}
