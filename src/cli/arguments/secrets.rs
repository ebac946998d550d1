//! The words of `secrets`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// `secrets`.
#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// Make an identity and, in a repository without recipients, make it the first.
    Keygen {
        /// Where to write it; the default place when absent.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Set a secret from standard input (asked for twice on a terminal).
    Set {
        /// Its path, such as `gateways/pool-gw/admin`.
        path: String,
        /// Make it of random bytes instead: `hex16` for an AppKey or network key, `text` for a password.
        #[arg(long, value_name = "KIND")]
        generate: Option<Generate>,
    },
    /// Print a secret.
    Get {
        /// Its path.
        path: String,
    },
    /// Encrypt all secrets and keys to the present recipients, after `inventory/secrets/recipients.txt` changed.
    Rekey,
    /// Check that every secret opens, sits at its own name and that the inventory's are all there.
    Check,
}

/// Kinds of random secrets.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Generate {
    /// 32 hex digits: a LoRaWAN key.
    Hex16,
    /// 32 letters and digits.
    Text,
}
