//! Where what is imported is read from.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use pam_otp_core::legacy::oath::MAX_FILE;
use pam_otp_core::store::{StoreError, open_file};
use zeroize::Zeroizing;

use crate::error::{Error, is_long_name};
use crate::reply::Reply;
use crate::session::Session;

/// Reads a file, and warns if others can read it. Root reads no other user's by a
/// link that somebody laid.
pub(super) fn read_file(
    session: &Session,
    path: &Path,
    reply: &mut Reply,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = |error| Error::File {
        path: path.to_owned(),
        error,
    };
    let file = if session.is_root() {
        let absolute = absolute(path).map_err(failed)?;
        let owners: Vec<u32> = session.account.uid().into_iter().collect();
        open_file(&absolute, &owners).map_err(|error| {
            // It begins with a path of its own.
            Error::File {
                path: error.path().unwrap_or(path).to_owned(),
                error: why(&error),
            }
        })?
    } else {
        File::open(path).map_err(failed)?
    };
    warn_of_readers(&file, path, reply).map_err(failed)?;
    read_all(file).map_err(failed)
}

/// Whoever reads it can make the codes.
fn warn_of_readers(file: &File, path: &Path, reply: &mut Reply) -> io::Result<()> {
    let found = file.metadata()?;
    if found.is_file() && found.mode() & 0o044 != 0 {
        reply.warn(format!(
            "{0}: others can read it, and make its codes; chmod 0600 {0}, or remove it when it \
             is imported",
            path.display()
        ));
    }
    Ok(())
}

/// The working directory's own path has no link in it, so its parents are known
/// by their names. Any other `..` is as good as a link.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    let mut base = std::env::current_dir()?;
    let mut rest = path.components().peekable();
    while let Some(Component::ParentDir | Component::CurDir) = rest.peek() {
        if rest.next() == Some(Component::ParentDir) {
            base.pop();
        }
    }
    Ok(base.join(rest.collect::<PathBuf>()))
}

/// What is wrong, without the path.
fn why(error: &StoreError) -> io::Error {
    let kind = match error {
        StoreError::Io { error, .. } if is_long_name(error) => io::ErrorKind::InvalidInput,
        StoreError::Io { error, .. } => error.kind(),
        StoreError::Missing(_) => io::ErrorKind::NotFound,
        _ => io::ErrorKind::PermissionDenied,
    };
    let text = error.to_string();
    let path = error.path().map(|path| format!("{}: ", path.display()));
    let text = path.and_then(|path| text.strip_prefix(&path).map(str::to_owned));
    io::Error::new(kind, text.unwrap_or_else(|| error.to_string()))
}

pub(super) fn read_stdin() -> Result<Zeroizing<Vec<u8>>, Error> {
    Ok(read_all(io::stdin().lock())?)
}

/// What some editors and exports put before the text, and none of the formats has.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One byte more than any of the formats has: then they say so themselves.
fn read_all(from: impl io::Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let most = MAX_FILE.saturating_add(1);
    // Room for all: a buffer that grows would leave copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(most.saturating_add(1)));
    from.take(u64::try_from(most).unwrap_or(u64::MAX))
        .read_to_end(&mut text)?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(text)
}
