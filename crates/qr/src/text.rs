//! The QR code in characters.

use zeroize::Zeroizing;

use super::Picture;

/// What the characters stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// Light characters on dark: light modules are drawn.
    Dark,
    /// Dark characters on light: dark modules are drawn.
    Light,
    /// Colours work: black on white, whatever the terminal's own are.
    Any,
}

impl Background {
    /// Whether a character is put where the module is so.
    fn draws(self, dark: bool) -> bool {
        dark != (self == Self::Dark)
    }
}

/// Light modules around the code. Two do: with four, the usual code would need
/// 25 lines, and terminals have 24.
const QUIET: usize = 2;

/// Black on white. Where the bright white is unknown the other one stays.
const BLACK_ON_WHITE: &str = "\x1b[30;47;107m";
const WHITE: &str = "\x1b[47;107m";
const BLACK: &str = "\x1b[40m";
const PLAIN: &str = "\x1b[0m";

/// Of the signs in ASCII one with the most ink: in five fonts of terminals, six
/// decoders read `@` more than half again as often as `#`.
const INK: char = '@';

impl Picture {
    /// In half blocks: one column and half a line for each module.
    #[must_use]
    pub fn utf8(&self, background: Background) -> Zeroizing<String> {
        let side = self.side(QUIET);
        let mut text = self.room();
        for row in (0..side).step_by(2) {
            start(&mut text, row);
            if background == Background::Any {
                text.push_str(BLACK_ON_WHITE);
            }
            for column in 0..side {
                let upper = background.draws(self.is_dark(row, column, QUIET));
                // The number of rows is odd: one more is light.
                let lower = background.draws(self.is_dark(row.saturating_add(1), column, QUIET));
                text.push(match (upper, lower) {
                    (false, false) => ' ',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (true, true) => '█',
                });
            }
            if background == Background::Any {
                text.push_str(PLAIN);
            }
        }
        text
    }

    /// In ASCII alone: a line and two columns for each module.
    #[must_use]
    pub fn ascii(&self, background: Background) -> Zeroizing<String> {
        let columns = Columns::of(self.width);
        let mut text = self.room();
        for row in 0..self.side(columns.quiet) {
            start(&mut text, row);
            let mut last = None;
            for column in 0..self.side(columns.quiet) {
                let dark = self.is_dark(row, column, columns.quiet);
                if background == Background::Any && last.replace(dark) != Some(dark) {
                    text.push_str(if dark { BLACK } else { WHITE });
                }
                let ink = background != Background::Any && background.draws(dark);
                for _ in 0..columns.width(column) {
                    text.push(if ink { INK } else { ' ' });
                }
            }
            if background == Background::Any {
                text.push_str(PLAIN);
            }
        }
        text
    }

    /// Room for the whole picture: a text that grows would leave copies behind.
    fn room(&self) -> Zeroizing<String> {
        let side = self.side(QUIET).saturating_add(1);
        // A change of colour and two columns, or a block.
        let most = WHITE.len().saturating_add(2).saturating_mul(side);
        let line = most
            .saturating_add(BLACK_ON_WHITE.len())
            .saturating_add(PLAIN.len());
        Zeroizing::new(String::with_capacity(line.saturating_mul(side)))
    }
}

fn start(text: &mut String, row: usize) {
    if row > 0 {
        text.push('\n');
    }
}

/// How many characters wide each module is.
struct Columns {
    quiet: usize,
    narrow: &'static [usize],
}

impl Columns {
    /// A code of version 6, which a host's usual name needs, with one light
    /// module on each side.
    const SQUEEZED: usize = 41;
    /// Its six modules of one column, so that it takes 80 and not 86: the light
    /// ones, the middle columns of the finder patterns, and two of the data.
    /// Chosen so that decoders, which look where the middle of each module should
    /// be, look a quarter of a module inside at least: they read it nearly as well.
    /// Half height would need half blocks, of which ASCII has none: of 19 choices
    /// of characters, like `"`, `_` and `#`, no decoder read any. One column for
    /// each module would be twice as high as wide, which apps refuse.
    const NARROW: &'static [usize] = &[0, 4, 15, 27, 38, 42];

    fn of(width: usize) -> Self {
        let narrow: &[usize] = if width == Self::SQUEEZED {
            Self::NARROW
        } else {
            &[]
        };
        // Where two light modules at each side would be too much, one must do.
        // The next larger code, of 45 modules, is too wide in any case.
        let tight = (37..=Self::SQUEEZED).contains(&width);
        Self {
            quiet: if tight { 1 } else { QUIET },
            narrow,
        }
    }

    fn width(&self, column: usize) -> usize {
        if self.narrow.contains(&column) { 1 } else { 2 }
    }
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, as it should"
)]
mod tests {
    use super::super::tests::{decode, uri, uris};
    use super::*;

    const ALL: [Background; 3] = [Background::Dark, Background::Light, Background::Any];

    /// Characters in a line of every terminal.
    const LINE: usize = 80;

    /// The pixels of what a terminal shows, eight by sixteen for each character;
    /// true is dark. Ink fills its cell, as good letters nearly do.
    fn screen(text: &str, background: Background) -> Vec<Vec<bool>> {
        let mut pixels = Vec::new();
        for line in text.split('\n') {
            let mut halves = [Vec::new(), Vec::new()];
            // Whether ink is dark, and paper.
            let own = (
                background != Background::Dark,
                background == Background::Dark,
            );
            let (mut ink, mut paper) = own;
            let mut rest = line;
            while let Some(c) = rest.chars().next() {
                rest = rest.strip_prefix(c).unwrap();
                if c == '\x1b' {
                    let (codes, after) = rest.strip_prefix('[').unwrap().split_once('m').unwrap();
                    for code in codes.split(';') {
                        match code {
                            "0" => (ink, paper) = own,
                            "30" => ink = true,
                            "40" => paper = true,
                            "47" | "107" => paper = false,
                            other => panic!("{other}"),
                        }
                    }
                    rest = after;
                    continue;
                }
                let (upper, lower) = match c {
                    ' ' => (paper, paper),
                    '█' | INK => (ink, ink),
                    '▀' => (ink, paper),
                    '▄' => (paper, ink),
                    other => panic!("{other}"),
                };
                halves[0].extend([upper; 8]);
                halves[1].extend([lower; 8]);
            }
            let [upper, lower] = halves;
            pixels.extend(std::iter::repeat_n(upper, 8));
            pixels.extend(std::iter::repeat_n(lower, 8));
        }
        pixels
    }

    /// How many columns a picture takes.
    fn columns(pixels: &[Vec<bool>]) -> usize {
        assert!(pixels.iter().all(|row| row.len() == pixels[0].len()));
        pixels[0].len() / 8
    }

    fn read(text: &str, background: Background, uri: &str) -> usize {
        let pixels = screen(text, background);
        // With colours, the picture may stand on either.
        for margin_is_dark in [false, true] {
            let stands = match background {
                Background::Dark => margin_is_dark,
                Background::Light => !margin_is_dark,
                Background::Any => true,
            };
            if stands {
                assert_eq!(decode(&pixels, margin_is_dark), uri, "{background:?}");
            }
        }
        columns(&pixels)
    }

    #[test]
    fn a_real_decoder_reads_half_blocks_on_every_background() {
        for uri in uris() {
            let picture = Picture::new(&uri).unwrap();
            for background in ALL {
                let text = picture.utf8(background);
                assert_eq!(read(&text, background, &uri), picture.width + 4);
            }
        }
    }

    #[test]
    fn a_real_decoder_reads_ascii_on_every_background() {
        for uri in uris() {
            let picture = Picture::new(&uri).unwrap();
            for background in ALL {
                let text = picture.ascii(background);
                assert!(text.is_ascii());
                read(&text, background, &uri);
            }
        }
    }

    #[test]
    fn the_picture_of_a_usual_token_fits_80_columns_and_in_half_blocks_24_lines() {
        for (issuer, account, half_blocks, ascii) in [
            ("pc", "root", 41, 78),
            ("web1", "alice", 41, 78),
            ("debian", "alice", 45, 80),
            ("web1.example.org", "alice", 45, 80),
            ("server.example.org", "root", 45, 80),
        ] {
            let picture = Picture::new(&uri(issuer, account)).unwrap();
            for background in ALL {
                let text = picture.utf8(background);
                assert_eq!(columns(&screen(&text, background)), half_blocks);
                assert!(text.lines().count() < 24);
                let text = picture.ascii(background);
                assert_eq!(columns(&screen(&text, background)), ascii);
                assert!(ascii <= LINE);
            }
        }
    }

    #[test]
    fn in_80_columns_decoders_look_into_each_module_well_inside() {
        let columns = Columns::of(41);
        let widths = (0..41)
            .map(|place| columns.width(place + 1))
            .collect::<Vec<_>>();
        let middle = |place: usize| {
            let before: usize = widths[..place].iter().sum();
            f64::from(u32::try_from(2 * before + widths[place]).unwrap()) / 2.0
        };
        // They know where the finder patterns are, and take the rest to be even.
        let even = (middle(37) - middle(3)) / 34.0;
        let mut looked_at = middle(3) - 3.0 * even;
        for (place, width) in widths.iter().enumerate() {
            let half = f64::from(u32::try_from(*width).unwrap()) / 2.0;
            let inside = half - (looked_at - middle(place)).abs();
            assert!(inside / even > 0.24, "{place}: {inside}");
            looked_at += even;
        }
    }

    #[test]
    fn a_text_does_not_outgrow_its_room() {
        for uri in uris() {
            let picture = Picture::new(&uri).unwrap();
            let room = picture.room().capacity();
            for background in ALL {
                assert!(picture.utf8(background).len() <= room);
                assert!(picture.ascii(background).len() <= room);
            }
        }
    }
}
