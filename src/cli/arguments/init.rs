//! The words of `init`.

use std::path::PathBuf;

use clap::Args;

/// `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// A new or empty directory; one with nothing but `.git` will do.
    pub dir: PathBuf,
    /// Whose identity it is, for the list of recipients.
    #[arg(long, value_name = "WHO")]
    pub name: Option<String>,
    /// Its site is a simulated one: `rocade lab up DIR` starts the devices, as often as wanted.
    #[arg(long)]
    pub lab: bool,
}
