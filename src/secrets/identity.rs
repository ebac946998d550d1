//! Identities: the private keys that open secrets. Read at the first need, and only from a file that
//! nobody else can read.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret;
use anyhow::{Context, bail};
use zeroize::Zeroizing;

use super::{Fault, enrol, foreign, recipients};
use crate::repository;

/// Where our identities are.
#[derive(Clone, Debug)]
pub enum IdentitySource {
    /// In this file and no other.
    File(PathBuf),
    /// In `.rocade/identity.txt` of the repository when it is there, else in `rocade/identity.txt` of the
    /// user's configuration folder (see [`config_dir`]).
    Default {
        /// The user's configuration folder, when there is one.
        config_dir: Option<PathBuf>,
    },
}

impl IdentitySource {
    /// The files looked at, in order; the last one is where a new identity belongs.
    pub fn files(&self, root: &Path) -> Vec<PathBuf> {
        match self {
            IdentitySource::File(path) => vec![path.clone()],
            IdentitySource::Default { config_dir } => {
                let own = root.join(".rocade").join("identity.txt");
                let user = config_dir.as_ref().map(|folder| folder.join("rocade").join("identity.txt"));
                std::iter::once(own).chain(user).collect()
            }
        }
    }
}

/// The user's configuration folder after the environment: `APPDATA` on Windows, else `XDG_CONFIG_HOME`, else
/// `.config` in `HOME` (XDG Base Directory Specification: a relative path there is ignored).
pub fn config_dir(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        return absolute("APPDATA");
    }
    absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))
}

/// The identities of one file.
pub(super) struct Identities {
    /// The file.
    pub place: PathBuf,
    /// Its private keys.
    pub keys: Vec<age::x25519::Identity>,
}

impl Identities {
    /// Reads the first of the source's files that is there.
    pub fn load(source: &IdentitySource, root: &Path) -> anyhow::Result<Self> {
        let files = source.files(root);
        for place in &files {
            match File::open(place) {
                Ok(file) => return Self::read(file, place),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("reading the identity file {}", place.display()));
                }
            }
        }
        Err(Fault::NoIdentity(files).into())
    }

    fn read(mut file: File, place: &Path) -> anyhow::Result<Self> {
        refuse_open_to_others(&file, place)?;
        let size = file.metadata()?.len();
        if size > 1 << 20 {
            bail!("{} is too large to be an identity file", place.display());
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size)? + 1));
        file.read_to_end(&mut bytes).with_context(|| format!("reading {}", place.display()))?;
        // age's binary form of an encrypted file is no text behind its first line.
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        let mut keys = Vec::new();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(kind) = foreign::identity(line) {
                return Err(Fault::Foreign { path: place.to_owned(), line: index + 1, kind }.into());
            }
            let Ok(key) = line.parse() else {
                bail!("{}:{}: this is not an age identity", place.display(), index + 1);
            };
            keys.push(key);
        }
        if keys.is_empty() {
            bail!("{} holds no identity", place.display());
        }
        Ok(Self { place: place.to_owned(), keys })
    }
}

#[cfg(unix)]
fn refuse_open_to_others(file: &File, place: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Fault::OpenToOthers { path: place.to_owned(), mode }.into());
    }
    Ok(())
}

/// Elsewhere the user's profile folder keeps others out.
#[cfg(not(unix))]
fn refuse_open_to_others(_file: &File, _place: &Path) -> anyhow::Result<()> {
    Ok(())
}

/// Makes an identity in a new file that only its owner can read, and gives its recipient. With a repository
/// that has no recipient yet, adds it there as the first one, under `name`; for that an identity that is
/// there already will do.
///
/// # Errors
/// When the file is there already and no recipient is missing, or cannot be written.
pub fn keygen(path: &Path, first_of: Option<&Path>, name: Option<&str>) -> anyhow::Result<String> {
    if let Some(folder) = path.parent() {
        private_folder(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let first_of = match first_of {
        Some(root) if recipients(root)?.is_empty() => Some(root),
        _ => None,
    };
    let recipient = match private_file(path) {
        Ok(file) => write_new(file)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && first_of.is_some() => {
            let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
            let held = Identities::read(file, path)?;
            // Reading refuses a file without one.
            held.keys[0].to_public().to_string()
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!("{} is there already and is not overwritten", path.display())
        }
        Err(error) => return Err(error).with_context(|| format!("making {}", path.display())),
    };
    if let Some(root) = first_of {
        enrol(root, &recipient, name)?;
    }
    Ok(recipient)
}

/// Makes an identity in an empty file; gives its recipient.
fn write_new(mut file: File) -> anyhow::Result<String> {
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let key = identity.to_string();
    let text = Zeroizing::new(format!("# recipient: {recipient}\n{}\n", key.expose_secret()));
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).context("writing the identity")?;
    Ok(recipient)
}

/// The mode is set at opening: there is no moment at which others could read the key.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn private_folder(folder: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // A repository's own `.rocade` folder must never be committed.
    let ignore = folder.join(".gitignore");
    if folder.ends_with(".rocade") && !ignore.exists() {
        repository::replace(&ignore, b"*\n")?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_folder_follows_the_environment() {
        let dir = |pairs: &[(&str, &str)]| {
            let pairs: Vec<(String, OsString)> =
                pairs.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
            config_dir(|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.clone()))
        };
        assert_eq!(dir(&[("HOME", "/home/ada")]), Some("/home/ada/.config".into()));
        assert_eq!(dir(&[("HOME", "/home/ada"), ("XDG_CONFIG_HOME", "/x")]), Some("/x".into()));
        assert_eq!(dir(&[("HOME", "/home/ada"), ("XDG_CONFIG_HOME", "x")]), Some("/home/ada/.config".into()));
        assert_eq!(dir(&[]), None);
    }
}
