//! Why a secret cannot be had, and what to do. Messages hold names and places, never values.

use std::path::PathBuf;

use super::FOLDER;
use super::foreign::Kind;

/// Why a secret cannot be opened or sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not in the secrets files.
    #[error("there is no secret `{0}`")]
    Missing(String),
    /// A name that cannot name a secret.
    #[error("this cannot name a secret: letters, digits, `_`, `.` and `-` between slashes are allowed")]
    BadPath,
    /// There is no identity file at any of these places.
    #[error("no identity to open secrets with; looked for {}", places(.0))]
    NoIdentity(Vec<PathBuf>),
    /// Others than its owner may read the identity file.
    #[error("{} can be read by others (mode {mode:o})", .path.display())]
    OpenToOthers {
        /// The identity file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The identity file holds what age knows and rocade does not take.
    #[error("{}:{line}: {}", .path.display(), .kind.words())]
    Foreign {
        /// The identity file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What it holds.
        kind: Kind,
    },
    /// It was encrypted with a passphrase, or to keys that are not age's own.
    #[error("`{name}` is encrypted {how}, not to an age recipient (`age1...`)")]
    ForeignLock {
        /// The secret.
        name: String,
        /// With what.
        how: String,
    },
    /// The value was encrypted to others.
    #[error("`{name}` is not encrypted to any identity in {}", .identity.display())]
    NoneFits {
        /// The secret.
        name: String,
        /// The identity file.
        identity: PathBuf,
    },
    /// The value was encrypted under another name.
    #[error("the value of `{name}` was encrypted as `{sealed_as}` and is refused under any other name")]
    Moved {
        /// The name it stands under.
        name: String,
        /// The name it was encrypted under.
        sealed_as: String,
    },
    /// The value is no value of ours.
    #[error("the value of `{name}` is damaged: {how}")]
    Damaged {
        /// The secret.
        name: String,
        /// What is wrong with it.
        how: &'static str,
    },
    /// Nobody to encrypt to.
    #[error("{FOLDER}/recipients.txt names nobody who could open what is encrypted")]
    NoRecipients,
}

fn places(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    shown.join(" and ")
}

impl Fault {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Fault::Missing(name) => format!("set it with `rocade secrets set {name}`"),
            Fault::NoIdentity(_) => "make one with `rocade secrets keygen`; when the repository already has \
                secrets, let one who can open them add your recipient to recipients.txt and run \
                `rocade secrets rekey`"
                .into(),
            Fault::OpenToOthers { path, .. } => format!("chmod 600 {}", path.display()),
            Fault::NoneFits { .. } => format!(
                "add your recipient to {FOLDER}/recipients.txt, and let one who can open the secrets run \
                 `rocade secrets rekey`"
            ),
            Fault::Moved { name, .. } | Fault::Damaged { name, .. } => {
                format!("take it back from git, or set it again with `rocade secrets set {name}`")
            }
            Fault::NoRecipients => "make an identity and its recipient with `rocade secrets keygen`".into(),
            Fault::ForeignLock { .. } => "encrypt it with `age -R inventory/secrets/recipients.txt`".into(),
            Fault::BadPath | Fault::Foreign { .. } => return None,
        })
    }
}
