//! The repository's own files: each changes whole or not at all, also when the machine stops half-way.

pub mod audit;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
#[cfg(unix)]
use sha2::{Digest, Sha256};

/// What the names of files begin with that are not whole yet.
pub const TEMPORARY: &str = ".rocade-";

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
    // A bare name stands in the folder we are in.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
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
    builder.prefix(TEMPORARY).permissions(fs::Permissions::from_mode(mode));
    Ok(builder)
}

#[cfg(not(unix))]
fn temporary(_path: &Path) -> io::Result<tempfile::Builder<'static, 'static>> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
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

/// The state of the repository that a run works from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The commit that is checked out, in hex digits.
    pub id: String,
    /// Files differ from it, or nobody could tell: what was wished is then not what the commit says.
    pub dirty: bool,
}

/// The commit that is checked out, 40 hex digits; `None` outside a git repository or before its first commit.
pub fn commit(root: &Path) -> Option<String> {
    // A file is that of a worktree or a submodule: the folders above it are another repository's.
    let git = root.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
    let head = fs::read_to_string(git.join("HEAD")).ok()?;
    let hex = |text: &str| text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Some(name) = head.trim().strip_prefix("ref: ") else {
        return Some(head.trim().to_owned()).filter(|commit| hex(commit));
    };
    let loose = fs::read_to_string(git.join(name)).ok().map(|commit| commit.trim().to_owned());
    let packed = || {
        let packed = fs::read_to_string(git.join("packed-refs")).ok()?;
        let commit = packed.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix(' '))?;
        Some(commit.to_owned())
    };
    loose.or_else(packed).filter(|commit| hex(commit))
}

/// A random name for this copy of the repository, made at the first question and kept in `.rocade/id`: who
/// holds a lock on a host. Beside it stands which file it was written to: a copy of the folder is another file,
/// and gets a name of its own.
///
/// # Errors
/// When it cannot be read or kept.
pub fn identity(root: &Path) -> anyhow::Result<String> {
    let path = root.join(".rocade").join("id");
    let text = read(&path)?.unwrap_or_default();
    if let Some((id, written)) = text.trim().split_once(' ')
        && id.len() == 32
        && written == mark(&path)?
    {
        return Ok(id.to_owned());
    }
    let id = format!("{:032x}", rand::random::<u128>());
    if text.is_empty() {
        replace(&path, b"\n")?;
    }
    // Written in place: the file stays the one that is named in it.
    let mut file = File::options().write(true).truncate(true).open(&path).context("writing .rocade/id")?;
    file.write_all(format!("{id} {}\n", mark(&path)?).as_bytes()).context("writing .rocade/id")?;
    file.sync_all().context("writing .rocade/id")?;
    Ok(id)
}

/// What a copy of a file has not: its place on this machine's disk. Nobody can read the machine's own name in it.
#[cfg(unix)]
fn mark(path: &Path) -> anyhow::Result<String> {
    use std::os::unix::fs::MetadataExt;
    let facts = fs::metadata(path).with_context(|| format!("reading {}", path.display()))?;
    // Not every system has one.
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    Ok(hex::encode(&Sha256::digest(format!("{} {machine}", facts.ino()))[..8]))
}

#[cfg(not(unix))]
fn mark(path: &Path) -> anyhow::Result<String> {
    let path = fs::canonicalize(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(path.display().to_string().replace(' ', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_is_found_loose_packed_and_detached() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| replace(&folder.path().join(".git").join(name), text.as_bytes());
        assert_eq!(commit(folder.path()), None);
        let [one, two] = ["1", "2"].map(|digit| digit.repeat(40));
        put("HEAD", "ref: refs/heads/main\n").unwrap();
        assert_eq!(commit(folder.path()), None);
        put("packed-refs", &format!("# pack-refs\n{one} refs/heads/main\n")).unwrap();
        assert_eq!(commit(folder.path()), Some(one.clone()));
        put("refs/heads/main", &format!("{two}\n")).unwrap();
        assert_eq!(commit(&folder.path().join("inventory")), Some(two));
        put("HEAD", &format!("{one}\n")).unwrap();
        assert_eq!(commit(folder.path()), Some(one));
        // The worktree of another repository has not the commit of the folders above it.
        let tree = folder.path().join("tree");
        replace(&tree.join(".git"), b"gitdir: /elsewhere/.git/worktrees/tree\n").unwrap();
        assert_eq!(commit(&tree), None);
    }

    #[test]
    fn a_copy_keeps_its_name() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = identity(one.path()).unwrap();
        assert_eq!(identity(one.path()).unwrap(), name);
        assert_ne!(identity(two.path()).unwrap(), name);
        // A copy of the whole folder, `.rocade` with it, is another one; the first one stays who it is.
        let id = |folder: &tempfile::TempDir| folder.path().join(".rocade/id");
        fs::copy(id(&one), id(&two)).unwrap();
        let copied = identity(two.path()).unwrap();
        assert_ne!(copied, name);
        assert_eq!(identity(two.path()).unwrap(), copied);
        assert_eq!(identity(one.path()).unwrap(), name);
    }
}
