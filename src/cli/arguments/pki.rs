//! The words of `pki`.

use clap::Subcommand;

/// `pki`.
#[derive(Debug, Subcommand)]
pub enum Pki {
    /// Make the root certificate.
    Init,
    /// Show the authority and its leaves.
    Status,
    /// Issue the certificate of a broker (apply does it by itself).
    Issue {
        /// The broker.
        name: String,
    },
}
