//! Lines in columns, for people.

use std::fmt::Write as _;

/// The lines, each cell as wide as the widest of its column. What has no bound
/// stands best in the last one. Text of strangers must be [`crate::plain::plain`].
pub(crate) fn aligned<const N: usize>(lines: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let aligned = |line: &[String; N]| {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        text.trim_end().to_owned()
    };
    lines.iter().map(aligned).collect()
}
