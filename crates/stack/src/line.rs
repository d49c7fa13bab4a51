//! Bytes to rules: lines joined where they are continued, comments cut off,
//! words parted.

use std::ops::Range;

use crate::error::Problem;

/// The longest rule that every version of libpam takes is some 1023 bytes.
const LONGEST: usize = 1000;

/// A rule's bytes, without comment and continuations, and where each was.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The number of its first line, from 1.
    pub(crate) line: usize,
    /// Its lines within the file, with the last one's end.
    pub(crate) span: Range<usize>,
    bytes: Vec<(u8, usize)>,
}

/// A word, and where it was.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// It stood in brackets, which are not part of the text.
    pub(crate) bracketed: bool,
    /// Where each byte of the text is within the file.
    pub(crate) offsets: Vec<usize>,
}

/// All rules of a file. Empty lines and comments are passed over.
pub(crate) fn rules(source: &[u8]) -> Result<Vec<Rule>, (usize, Problem)> {
    let mut rules = Vec::new();
    let mut open: Option<Rule> = None;
    let (mut number, mut start) = (0_usize, 0_usize);
    for line in source.split_inclusive(|byte| *byte == b'\n') {
        number = number.saturating_add(1);
        let (end, text) = (
            start.saturating_add(line.len()),
            line.strip_suffix(b"\n").unwrap_or(line),
        );
        let first = open.as_ref().map_or(number, |rule| rule.line);
        let fail = |problem| (first, problem);
        let hash = text.iter().position(|byte| *byte == b'#');
        let rule_text = text.get(..hash.unwrap_or(text.len())).unwrap_or_default();
        let empty = rule_text.trim_ascii().is_empty();
        if let Some(strange) = rule_text
            .iter()
            .find(|byte| (**byte < b' ' && **byte != b'\t') || **byte == 0x7f)
        {
            return Err(fail(Problem::Character(*strange)));
        }
        if empty && open.is_some() {
            return Err(fail(Problem::Continuation));
        }
        if !empty {
            let rule = open.get_or_insert_with(|| Rule {
                line: number,
                span: start..end,
                bytes: Vec::new(),
            });
            rule.span.end = end;
            let continued = hash.is_none() && rule_text.trim_ascii_end().ends_with(b"\\");
            let kept = if continued {
                let Some(before) = rule_text.strip_suffix(b"\\") else {
                    return Err(fail(Problem::UncertainContinuation));
                };
                if !before.ends_with(b" ") && !before.ends_with(b"\t") {
                    return Err(fail(Problem::UncertainContinuation));
                }
                before
            } else {
                rule_text
            };
            rule.bytes.extend(kept.iter().copied().zip(start..));
            if rule.bytes.len() > LONGEST {
                return Err(fail(Problem::TooLong));
            }
            if !continued {
                rules.extend(open.take());
            }
        }
        start = end;
    }
    match open {
        Some(rule) => Err((rule.line, Problem::Continuation)),
        None => Ok(rules),
    }
}

impl Rule {
    /// Its words. `[…]` is one, with spaces; `\]` in it is `]`.
    pub(crate) fn words(&self) -> Result<Vec<Word>, Problem> {
        let mut words = Vec::new();
        let mut bytes = self.bytes.iter().copied().peekable();
        while let Some((byte, _)) = bytes.peek().copied() {
            if is_blank(byte) {
                bytes.next();
                continue;
            }
            let bracketed = byte == b'[';
            let (mut text, mut offsets) = (Vec::new(), Vec::new());
            if bracketed {
                bytes.next();
                loop {
                    let Some((byte, offset)) = bytes.next() else {
                        return Err(Problem::Unclosed);
                    };
                    let next = bytes.peek().copied();
                    let (byte, offset) = match (byte, next) {
                        (b'\\', Some((b']', offset))) => {
                            bytes.next();
                            (b']', offset)
                        }
                        (b']', None) => break,
                        (b']', Some((after, _))) if is_blank(after) => break,
                        (b']', Some(_)) => return Err(Problem::Glued),
                        _ => (byte, offset),
                    };
                    text.push(byte);
                    offsets.push(offset);
                }
            } else {
                while let Some((byte, offset)) = bytes.next_if(|(byte, _)| !is_blank(*byte)) {
                    text.push(byte);
                    offsets.push(offset);
                }
            }
            words.push(Word {
                text: String::from_utf8(text).map_err(|_| Problem::NotText)?,
                bracketed,
                offsets,
            });
        }
        Ok(words)
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}
