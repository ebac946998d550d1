//! The repository's own files: each changes whole or not at all, also when the machine stops half-way.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

/// Puts `bytes` in place of what stands at `path`, making its folder when needed. A reader sees the old
/// bytes or the new ones; what is on disk when this returns stays there. An existing file keeps its mode.
///
/// # Errors
/// When the file cannot be written; the old one is then still there.
pub fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_whole(path, bytes).with_context(|| format!("writing {}", path.display()))
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let mut candidate = temporary(path)?.tempfile_in(folder)?;
    candidate.write_all(bytes)?;
    candidate.as_file().sync_all()?;
    candidate.persist(path).map_err(|failed| failed.error)?;
    sync_folder(folder)
}

/// A hidden name, so that no reader of the folder takes the candidate for one of its files.
#[cfg(unix)]
fn temporary(path: &Path) -> io::Result<tempfile::Builder<'static, 'static>> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match fs::metadata(path) {
        Ok(found) => found.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0o644,
        Err(error) => return Err(error),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rocade-").permissions(fs::Permissions::from_mode(mode));
    Ok(builder)
}

#[cfg(not(unix))]
fn temporary(_path: &Path) -> io::Result<tempfile::Builder<'static, 'static>> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rocade-");
    Ok(builder)
}

/// A rename lasts once its folder is on disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The text of a file, or `None` when there is no file.
///
/// # Errors
/// When something is there and cannot be read as UTF-8 text.
pub fn read(path: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}
