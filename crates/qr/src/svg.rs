//! The QR code as an SVG file.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::{PIXELS, Picture, QUIET};

impl Picture {
    /// A file that needs no other: no script, no style, no font.
    #[must_use]
    pub fn svg(&self) -> Zeroizing<String> {
        let side = self.side(QUIET);
        let pixels = side.saturating_mul(PIXELS);
        // All of it, so that it does not grow and leave copies behind: a run is
        // at most "M184 184h177v1h-177z", and every second module starts one.
        let most = side
            .saturating_mul(side)
            .saturating_mul(10)
            .saturating_add(400);
        let mut svg = Zeroizing::new(String::with_capacity(most));
        // Writing to a string never fails.
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{pixels}\" height=\"{pixels}\" \
             viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\n\
             <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/>\n\
             <path fill=\"#000\" d=\""
        );
        for row in 0..side {
            let mut first = None;
            // One further than the row, where all is light: every run ends.
            for column in 0..=side {
                match (first, self.is_dark(row, column, QUIET)) {
                    (None, true) => first = Some(column),
                    (Some(from), false) => {
                        let run = column.saturating_sub(from);
                        let _ = write!(svg, "M{from} {row}h{run}v1h-{run}z");
                        first = None;
                    }
                    _ => {}
                }
            }
        }
        svg.push_str("\"/>\n</svg>\n");
        svg
    }
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, as it should"
)]
mod tests {
    use super::super::tests::{decode, uris};
    use super::*;

    /// What stands in an attribute.
    fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
        let (_, rest) = element.split_once(&format!(" {name}=\"")).unwrap();
        rest.split_once('"').unwrap().0
    }

    /// Draws each path's rectangles, eight pixels for each unit.
    fn rasterise(svg: &str) -> Vec<Vec<bool>> {
        let view = attribute(svg, "viewBox").split(' ').collect::<Vec<_>>();
        let side: usize = view[2].parse().unwrap();
        assert_eq!(view, ["0", "0", view[2], view[2]]);
        let scale = 8;
        let mut pixels = vec![vec![true; side * scale]; side * scale];
        for path in svg.split("<path").skip(1) {
            let dark = match attribute(path, "fill") {
                "#000" => true,
                "#fff" => false,
                other => panic!("{other}"),
            };
            for rectangle in attribute(path, "d").split_terminator('z') {
                let numbers = rectangle
                    .split(['M', ' ', 'h', 'v'])
                    .skip(1)
                    .map(|number| number.parse::<i64>().unwrap())
                    .collect::<Vec<_>>();
                let [x, y, width, height, back] = numbers[..] else {
                    panic!("{rectangle}");
                };
                assert_eq!(width, -back);
                for row in y * 8..(y + height) * 8 {
                    for column in x * 8..(x + width) * 8 {
                        pixels[usize::try_from(row).unwrap()][usize::try_from(column).unwrap()] =
                            dark;
                    }
                }
            }
        }
        pixels
    }

    #[test]
    fn a_real_decoder_reads_the_svg_file() {
        for uri in uris() {
            let picture = Picture::new(&uri).unwrap();
            for margin_is_dark in [false, true] {
                assert_eq!(decode(&rasterise(&picture.svg()), margin_is_dark), uri);
            }
        }
    }

    #[test]
    fn an_svg_file_has_four_light_modules_around_and_nothing_that_runs_or_loads() {
        let picture = Picture::new("otpauth://totp/a").unwrap();
        let svg = picture.svg();
        let pixels = rasterise(&svg);
        assert_eq!(pixels.len(), (picture.width + 8) * 8);
        let dark = |pixels: &[Vec<bool>]| pixels.iter().flatten().any(|dark| *dark);
        assert!(!dark(&pixels[..32]) && dark(&pixels[32..40]));
        let left = pixels
            .iter()
            .map(|row| row[..32].to_vec())
            .collect::<Vec<_>>();
        assert!(!dark(&left));
        let elements = svg
            .split('<')
            .skip(1)
            .map(|e| e.split([' ', '>']).next().unwrap());
        assert_eq!(
            elements.collect::<Vec<_>>(),
            ["svg", "path", "path", "/svg"]
        );
        assert_eq!(
            svg.matches("http").count(),
            1,
            "the name of the format alone"
        );
        assert!(svg.contains("shape-rendering=\"crispEdges\""));
    }

    #[test]
    fn the_text_does_not_outgrow_its_room() {
        for uri in uris() {
            let picture = Picture::new(&uri).unwrap();
            let side = picture.side(QUIET);
            assert!(picture.svg().len() <= side * side * 10 + 400);
        }
    }
}
