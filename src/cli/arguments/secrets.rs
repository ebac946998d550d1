//! The words of `secrets`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `secrets`.
#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// Make an identity and, in a repository without recipients, make it the first.
    Keygen {
        /// Where to write it; the default place when absent.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Whose it is, for the list of recipients.
        #[arg(long, value_name = "WHO")]
        name: Option<String>,
    },
    /// Set a secret from standard input (asked for twice on a terminal).
    Set {
        /// Its path, such as `gateways/pool-gw/admin`.
        path: String,
        /// Make it of random bytes instead: `hex16` for an AppKey or network key, `text` for a password.
        #[arg(long, value_name = "KIND")]
        generate: Option<Generate>,
        /// What is given was encrypted with the age program: `age -R inventory/secrets/recipients.txt`.
        #[arg(long, conflicts_with = "generate")]
        encrypted: bool,
    },
    /// Print a secret.
    Get {
        /// Its path.
        path: String,
    },
    /// Take a secret out that nothing in the inventory names any more.
    Remove {
        /// Its path.
        path: String,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
    /// Edit one secret, or a file of them, in `$VISUAL` or `$EDITOR`; what is not changed stays as it is.
    Edit {
        /// A secret's path, or a file such as `inventory/secrets/brokers.yaml`.
        what: String,
    },
    /// Encrypt all secrets and keys to the present recipients; add or remove one.
    Rekey(Rekey),
    /// Change a secret and say what that touches; without a name, list what people who left know.
    Rotate(Rotate),
    /// Check that every secret opens, sits at its own name and that the inventory's are all there.
    Check,
    /// Look for keys and passwords in clear; refuses with 1 when there is one.
    Scan(Scan),
    /// Make git show and merge files of secrets (`.gitattributes`, git's own configuration).
    GitSetup {
        /// Also refuse commits with a key or password in clear (a pre-commit hook).
        #[arg(long)]
        hook: bool,
    },
    /// Print a file of secrets for people: names, recipients, and digits that tell values apart. git calls it.
    Textconv {
        /// The file.
        file: PathBuf,
        /// Show the values themselves.
        #[arg(long)]
        clear: bool,
    },
    /// Merge two versions of a file of secrets. git calls it.
    Merge {
        /// The version both come from.
        base: PathBuf,
        /// Ours; the result is written here.
        ours: PathBuf,
        /// Theirs.
        theirs: PathBuf,
        /// What the file is called in the repository.
        name: Option<String>,
    },
}

/// Kinds of random secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Generate {
    /// 32 hex digits: a LoRaWAN key.
    Hex16,
    /// 32 letters and digits.
    Text,
}

/// `secrets rekey`.
#[derive(Debug, Args)]
pub struct Rekey {
    /// Let somebody in: their recipient, `age1...`.
    #[arg(long, value_name = "RECIPIENT")]
    pub add: Option<String>,
    /// Whose it is.
    #[arg(long, value_name = "WHO", requires = "add")]
    pub name: Option<String>,
    /// Shut somebody out, by name or recipient; what they could open is listed to be changed.
    #[arg(long, value_name = "WHO")]
    pub remove: Option<String>,
    /// Show what would change, write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `secrets rotate`.
#[derive(Debug, Args)]
pub struct Rotate {
    /// The secret; without one, what is still to be changed is listed.
    pub path: Option<String>,
    /// Make the new value; else it is read from standard input.
    #[arg(long, value_name = "KIND", num_args = 0..=1, default_missing_value = "text")]
    pub generate: Option<Generate>,
    /// Make it the password of a second account, so that old and new work at once (clients of a broker).
    #[arg(long, conflicts_with = "done")]
    pub overlap: bool,
    /// Only note that it was changed by other means.
    #[arg(long, conflicts_with = "generate")]
    pub done: bool,
    /// Show what it touches, change nothing.
    #[arg(long, conflicts_with = "done")]
    pub dry_run: bool,
}

/// `secrets scan`.
#[derive(Debug, Args)]
pub struct Scan {
    /// Files and folders; all that git tracks, or all there is, when absent.
    pub files: Vec<PathBuf>,
    /// What is about to be committed instead of what lies in the folder.
    #[arg(long, conflicts_with = "files")]
    pub staged: bool,
}
