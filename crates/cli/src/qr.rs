//! The QR code of a token: how its reader wants it, and files of its own for it.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};

use crate::error::Error;

mod file;

pub(crate) use file::Written;
pub(crate) use pam_otp_qr::{Background, Picture};

/// How the QR code is drawn, and where else it goes; nothing is asked for by
/// default.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Wishes {
    /// Draw the QR code in ASCII alone, for a terminal that has no half blocks
    #[arg(long)]
    pub(crate) ascii: bool,

    /// Draw it without colours, for a terminal that is dark or light
    #[arg(long, value_name = "SHADE", value_parser = backgrounds())]
    pub(crate) background: Option<Background>,

    /// Write it to this new file too, as a PNG picture that only you can read
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) png: Option<PathBuf>,

    /// Write it to this new file too, as an SVG picture that only you can read
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) svg: Option<PathBuf>,
}

fn backgrounds() -> impl TypedValueParser<Value = Background> {
    PossibleValuesParser::new(["dark", "light"]).map(|shade| {
        if shade == "light" {
            Background::Light
        } else {
            Background::Dark
        }
    })
}

impl Wishes {
    /// Whether there is a file to be written.
    pub(crate) fn has_files(&self) -> bool {
        self.png.is_some() || self.svg.is_some()
    }

    /// Refuses names that are taken already, before a code is spent.
    pub(crate) fn check_files(&self) -> Result<(), Error> {
        for path in [&self.png, &self.svg].into_iter().flatten() {
            file::check_new(path)?;
        }
        Ok(())
    }

    /// Writes the files that were asked for, all of them or none.
    pub(crate) fn write_files(&self, picture: &Picture) -> Result<Written, Error> {
        let mut written = Written::default();
        match self.write_each(picture, &mut written) {
            Ok(()) => Ok(written),
            Err(error) => {
                written.take_back();
                Err(error)
            }
        }
    }

    fn write_each(&self, picture: &Picture, written: &mut Written) -> Result<(), Error> {
        if let Some(path) = &self.png {
            written.write(path, &picture.png()?)?;
        }
        if let Some(path) = &self.svg {
            written.write(path, picture.svg().as_bytes())?;
        }
        Ok(())
    }

    /// The picture for programs: as it was asked for, and else half blocks for
    /// light letters on dark.
    pub(crate) fn text(&self, picture: &Picture) -> zeroize::Zeroizing<String> {
        let background = self.background.unwrap_or(Background::Dark);
        if self.ascii {
            picture.ascii(background)
        } else {
            picture.utf8(background)
        }
    }
}
