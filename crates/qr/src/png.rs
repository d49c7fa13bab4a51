//! The QR code as a PNG file.

use std::io;

use png::{BitDepth, ColorType, Encoder};
use zeroize::Zeroizing;

use super::{PIXELS, Picture, QUIET};

/// One module's pixels in a row: one byte, since a pixel is one bit.
const LIGHT: u8 = 0xff;
const DARK: u8 = 0x00;
const _: () = assert!(PIXELS == 8, "as many as a byte has bits");

impl Picture {
    /// The file: black and white, one bit for each pixel.
    ///
    /// # Errors
    ///
    /// What the encoder says; it writes to memory.
    pub fn png(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let side = self.side(QUIET);
        let bytes = side.saturating_mul(PIXELS).saturating_mul(side);
        let mut pixels = Zeroizing::new(Vec::with_capacity(bytes));
        for row in 0..side {
            for _ in 0..PIXELS {
                let dark = (0..side).map(|column| self.is_dark(row, column, QUIET));
                pixels.extend(dark.map(|dark| if dark { DARK } else { LIGHT }));
            }
        }
        let pixels_wide = u32::try_from(side.saturating_mul(PIXELS)).map_err(io::Error::other)?;
        // Compressed it is smaller: it does not grow and leave copies behind.
        let mut file = Zeroizing::new(Vec::with_capacity(bytes.saturating_add(1024)));
        let mut encoder = Encoder::new(&mut *file, pixels_wide, pixels_wide);
        encoder.set_color(ColorType::Grayscale);
        encoder.set_depth(BitDepth::One);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&pixels)?;
        writer.finish()?;
        Ok(file)
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

    /// Rows of pixels; true is dark.
    fn pixels(file: &[u8]) -> Vec<Vec<bool>> {
        let mut reader = png::Decoder::new(io::Cursor::new(file))
            .read_info()
            .unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(
            (info.color_type, info.bit_depth, info.width),
            (ColorType::Grayscale, BitDepth::One, info.height)
        );
        let bits = |byte: &u8| {
            (0..8)
                .rev()
                .map(|bit| byte >> bit & 1 == 0)
                .collect::<Vec<_>>()
        };
        bytes
            .chunks(info.line_size)
            .map(|row| row.iter().flat_map(bits).collect())
            .collect()
    }

    #[test]
    fn a_real_decoder_reads_the_png_file() {
        for uri in uris() {
            let file = Picture::new(&uri).unwrap().png().unwrap();
            for margin_is_dark in [false, true] {
                assert_eq!(decode(&pixels(&file), margin_is_dark), uri);
            }
        }
    }

    #[test]
    fn a_png_file_has_four_light_modules_of_eight_pixels_around() {
        let picture = Picture::new("otpauth://totp/a").unwrap();
        let pixels = pixels(&picture.png().unwrap());
        assert_eq!(pixels.len(), (picture.width + 8) * 8);
        let dark = |rows: &[Vec<bool>]| rows.iter().flatten().any(|dark| *dark);
        assert!(!dark(&pixels[..32]) && dark(&pixels[32..33]));
        assert!(pixels.iter().all(|row| !row[..32].contains(&true)));
    }

    #[test]
    fn the_file_does_not_outgrow_its_room() {
        for uri in uris() {
            let picture = Picture::new(&uri).unwrap();
            let side = picture.side(QUIET);
            assert!(picture.png().unwrap().len() <= side * side * 8 + 1024);
        }
    }
}
