//! A first login, from in front of the screen.

use pam_otp_testkit::authenticator;

/// The question for a code of the new token.
pub(crate) const FIRST: &str = "Code that the app shows: ";
/// The question after the recovery codes.
pub(crate) const ENTER: &str = "Press Enter when you have them. ";

/// The key that was shown, as a person would type it into an app.
pub(crate) fn key(shown: &str) -> String {
    let (_, rest) = shown.split_once("Key:     ").expect("a key");
    let line = rest.lines().next().unwrap_or_default();
    line.split_whitespace().collect()
}

/// What an app with that key shows now.
pub(crate) fn code(key: &str) -> String {
    authenticator::code(key, authenticator::now())
}

/// The code after that, which opens already.
pub(crate) fn next_code(key: &str) -> String {
    authenticator::code(key, authenticator::now() + 30)
}

/// The recovery codes that were shown.
pub(crate) fn papers(shown: &str) -> Vec<String> {
    let (_, rest) = shown.split_once("Recovery codes").expect("codes");
    let words = rest.split_whitespace();
    let papers = words.filter(|word| word.len() == 19 && word.matches('-').count() == 3);
    papers.map(str::to_owned).collect()
}
