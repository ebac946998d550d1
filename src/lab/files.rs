//! The file system of a simulated device: absolute paths to entries, in memory.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::host::{FileFacts, FileKind};

/// Files by absolute path.
#[derive(Clone, Debug, Default)]
pub struct Files {
    entries: BTreeMap<String, FileEntry>,
    /// Counts changes: a clock that cannot stand still between two of them.
    tick: u64,
}

/// What stands at a path.
#[derive(Clone, Debug)]
pub struct FileEntry {
    /// A regular file or a directory.
    pub kind: FileKind,
    /// Permission bits.
    pub mode: u32,
    /// Owner's name.
    pub owner: String,
    /// Group's name.
    pub group: String,
    /// A regular file's bytes.
    pub bytes: Vec<u8>,
    /// The change that made it what it is; see [`Files::tick`].
    pub changed: u64,
}

impl FileEntry {
    /// What `stat` and `sha256sum` would say.
    pub fn facts(&self) -> FileFacts {
        let regular = self.kind == FileKind::Regular;
        FileFacts {
            kind: self.kind,
            mode: format!("{:o}", self.mode),
            owner: self.owner.clone(),
            group: self.group.clone(),
            size: self.bytes.len() as u64,
            sha256: regular.then(|| hex::encode(Sha256::digest(&self.bytes))),
        }
    }

    /// Whether a user other than root may read it.
    pub fn readable_by(&self, user: &str) -> bool {
        let bit = if self.owner == user { 0o400 } else { 0o004 };
        self.mode & bit != 0
    }
}

/// The directory a path stands in.
fn parent(path: &str) -> Option<&str> {
    match path.rsplit_once('/')? {
        ("", "") => None,
        ("", _) => Some("/"),
        (parent, _) => Some(parent),
    }
}

impl Files {
    /// What stands at a path.
    pub fn get(&self, path: &str) -> Option<&FileEntry> {
        self.entries.get(path)
    }

    /// The bytes of a regular file.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.get(path).filter(|entry| entry.kind == FileKind::Regular).map(|entry| entry.bytes.as_slice())
    }

    /// The text of a regular file; bytes that are not UTF-8 are replaced.
    pub fn text(&self, path: &str) -> Option<String> {
        self.bytes(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The change counter.
    pub fn tick(&self) -> u64 {
        self.tick
    }

    fn insert(&mut self, path: &str, kind: FileKind, bytes: Vec<u8>, mode: u32, owner: &str, group: &str) {
        self.tick += 1;
        let (owner, group) = (owner.to_owned(), group.to_owned());
        let entry = FileEntry { kind, mode, owner, group, bytes, changed: self.tick };
        self.entries.insert(path.to_owned(), entry);
    }

    /// Puts a regular file in place.
    ///
    /// # Errors
    /// When its directory is not there or a directory stands at the path.
    pub fn put(
        &mut self,
        path: &str,
        bytes: Vec<u8>,
        mode: u32,
        owner: &str,
        group: &str,
    ) -> Result<(), String> {
        let parent = parent(path).ok_or_else(|| format!("{path}: not a file's path"))?;
        match self.get(parent).map(|entry| entry.kind) {
            Some(FileKind::Directory) => {}
            Some(_) => return Err(format!("{path}: Not a directory")),
            None => return Err(format!("{path}: No such file or directory")),
        }
        if self.get(path).is_some_and(|entry| entry.kind == FileKind::Directory) {
            return Err(format!("{path}: Is a directory"));
        }
        self.insert(path, FileKind::Regular, bytes, mode, owner, group);
        Ok(())
    }

    /// Makes a directory and those above it (mode 755, root); one that is there gets mode and owner.
    ///
    /// # Errors
    /// When something else stands at the path or above it.
    pub fn directory(&mut self, path: &str, mode: u32, owner: &str, group: &str) -> Result<(), String> {
        if self.get(path).is_some_and(|entry| entry.kind != FileKind::Directory) {
            return Err(format!("{path}: Not a directory"));
        }
        if let Some(parent) = parent(path).filter(|parent| self.get(parent).is_none()) {
            self.directory(parent, 0o755, "root", "root")?;
        }
        self.insert(path, FileKind::Directory, Vec::new(), mode, owner, group);
        Ok(())
    }

    /// Changes mode and owner.
    ///
    /// # Errors
    /// When nothing is there.
    pub fn own(&mut self, path: &str, mode: u32, owner: &str, group: &str) -> Result<(), String> {
        self.tick += 1;
        let tick = self.tick;
        let entry = self.entries.get_mut(path).ok_or_else(|| format!("{path}: No such file or directory"))?;
        entry.mode = mode;
        owner.clone_into(&mut entry.owner);
        group.clone_into(&mut entry.group);
        entry.changed = tick;
        Ok(())
    }

    /// Removes a file; true when one was there.
    ///
    /// # Errors
    /// When it is a directory.
    pub fn remove(&mut self, path: &str) -> Result<bool, String> {
        if self.get(path).is_some_and(|entry| entry.kind == FileKind::Directory) {
            return Err(format!("{path}: Is a directory"));
        }
        self.tick += 1;
        Ok(self.entries.remove(path).is_some())
    }

    /// Removes everything but the paths that are kept.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.tick += 1;
        self.entries.retain(|path, _| keep(path));
    }

    /// Takes over entries of another file system, over those at the same paths.
    pub fn extend(&mut self, other: &Self) {
        for (path, entry) in &other.entries {
            self.insert(path, entry.kind, entry.bytes.clone(), entry.mode, &entry.owner, &entry.group);
        }
    }

    /// The regular files below a directory, or the path itself when it is one.
    pub fn below(&self, path: &str) -> Vec<String> {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let regular = self.entries.iter().filter(|(_, entry)| entry.kind == FileKind::Regular);
        regular.filter(|(at, _)| *at == path || at.starts_with(&prefix)).map(|(at, _)| at.clone()).collect()
    }

    /// The names in a directory.
    pub fn names(&self, directory: &str) -> Vec<&str> {
        let directory = if directory == "/" { directory } else { directory.trim_end_matches('/') };
        let inside = self.entries.keys().filter(|path| parent(path) == Some(directory));
        inside.filter_map(|path| path.rsplit('/').next()).collect()
    }

    /// A digest over all files a service reads: paths and bytes.
    pub fn digest(&self, watch: &[String]) -> String {
        let mut digest = Sha256::new();
        for path in watch.iter().flat_map(|path| self.below(path)) {
            let sum = self.get(&path).and_then(|entry| entry.facts().sha256);
            digest.update(format!("{path}\0{}\0", sum.unwrap_or_default()));
        }
        hex::encode(digest.finalize())
    }

    /// The latest change among the files a service reads.
    pub fn newest(&self, watch: &[String]) -> u64 {
        let paths = watch.iter().flat_map(|path| self.below(path));
        paths.filter_map(|path| self.get(&path).map(|entry| entry.changed)).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_needs_its_directory() {
        let mut files = Files::default();
        assert!(files.put("/etc/issue", b"x".to_vec(), 0o644, "root", "root").is_err());
        files.directory("/etc", 0o755, "root", "root").unwrap();
        files.put("/etc/issue", b"x".to_vec(), 0o644, "root", "root").unwrap();
        assert_eq!(files.below("/etc"), ["/etc/issue"]);
        assert_eq!(files.names("/"), ["etc"]);
        assert!(files.put("/etc/issue/x", Vec::new(), 0o644, "root", "root").is_err());
    }

    #[test]
    fn a_digest_follows_content_and_membership() {
        let mut files = Files::default();
        files.directory("/etc/a", 0o755, "root", "root").unwrap();
        let watch = ["/etc/a".to_owned()];
        let mut seen = vec![files.digest(&watch)];
        files.put("/etc/a/1", b"1".to_vec(), 0o644, "root", "root").unwrap();
        seen.push(files.digest(&watch));
        files.put("/etc/a/1", b"2".to_vec(), 0o600, "root", "root").unwrap();
        seen.push(files.digest(&watch));
        assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "{seen:?}");
    }
}
