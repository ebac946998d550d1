//! The words of `pki`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::model::Period;

/// `pki`.
#[derive(Debug, Subcommand)]
pub enum Pki {
    /// Make the root certificate and the issuing one.
    Init,
    /// Show the authority and its leaves. Ends with 0 when all is well, 2 when an apply or a renewal is due, 1 when
    /// something is over or damaged.
    Status(PkiStatus),
    /// Issue the certificate of a broker or of a relay's account (apply does it by itself).
    Issue {
        /// The broker, or the account such as `relay-pool-gw`.
        name: String,
    },
    /// Make a request for the issuing certificate, to be signed where the root's key is.
    Csr(PkiOut),
    /// Sign a request with the root's key, on a machine without network. Needs no repository.
    Sign(PkiSign),
    /// Put the signed issuing certificate in place, once it is what was asked for.
    Import {
        /// The certificate, PEM.
        certificate: PathBuf,
    },
    /// Revoke a certificate and make the list that says so; the next apply gives it to the brokers.
    Revoke(PkiRevoke),
    /// Make the lists of revoked certificates that are missing, changed or due (apply does it by itself).
    Crl,
    /// Replace the authority by a new one, in three stages with an apply after each.
    #[command(subcommand)]
    Rotate(PkiRotate),
    /// Adopt the authority of an EasyRSA folder: root, leaves, revocations.
    ImportEasyrsa {
        /// The folder, usually named `pki`.
        folder: PathBuf,
    },
}

/// `pki status`.
#[derive(Debug, Args)]
pub struct PkiStatus {
    /// Also write it to this file for the node exporter of Prometheus (textfile collector).
    #[arg(long, value_name = "FILE")]
    pub prometheus: Option<PathBuf>,
}

/// Where a text goes.
#[derive(Debug, Args)]
pub struct PkiOut {
    /// The file it is written to; standard output when absent.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `pki sign`.
#[derive(Debug, Args)]
pub struct PkiSign {
    /// The request, as `pki csr` made it.
    pub request: PathBuf,
    /// The root certificate, in the folder of -C.
    #[arg(long, value_name = "FILE", default_value = "root.pem")]
    pub root: PathBuf,
    /// The root's key, in the folder of -C: the age file of the repository, opened with --identity.
    #[arg(long, value_name = "FILE", default_value = "root.key.age")]
    pub key: PathBuf,
    /// How long the issuing certificate lives; cut at the root's end.
    #[arg(long, value_name = "TIME", default_value = "5y")]
    pub lifetime: Period,
    /// Where it goes.
    #[command(flatten)]
    pub out: PkiOut,
}

/// `pki revoke`.
#[derive(Debug, Args)]
pub struct PkiRevoke {
    /// The name of a leaf (the certificate it has now), or the serial number of any.
    pub certificate: String,
    /// Why.
    #[arg(long, value_parser = crate::pki::REASONS)]
    pub reason: String,
}

/// `pki rotate`.
#[derive(Debug, Subcommand)]
pub enum PkiRotate {
    /// Make the new authority; from the next apply on both are trusted.
    Start,
    /// Issue under the new authority; the next apply gives brokers and relays their new certificates.
    Issue(PkiProof),
    /// End the trust in the old authority; the next apply takes it away everywhere.
    Finish(PkiProof),
    /// Show how far a rotation is and what comes next.
    Status,
}

/// Whether a stage asks for the proof of the one before.
#[derive(Debug, Args)]
pub struct PkiProof {
    /// Go on although the stage before was not applied everywhere and proved. Clients may be left without a
    /// trusted way.
    #[arg(long)]
    pub unproven: bool,
}
