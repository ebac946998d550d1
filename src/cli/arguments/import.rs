//! The words of `import`.

use clap::{Args, Subcommand};

/// `import`.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Write a live PBX into its entry of the inventory; the plan right after is empty. No secrets.
    Pbx(ImportPbx),
}

/// `import pbx`.
#[derive(Debug, Args)]
pub struct ImportPbx {
    /// The PBX: an entry with `url`, `client_id`, `client_secret` and no parts yet.
    pub name: String,
    /// Print the parts and write nothing.
    #[arg(long)]
    pub stdout: bool,
}
