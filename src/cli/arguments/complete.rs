//! The words of `complete`, which the scripts of `completions` call.

use clap::Args;

/// `complete`.
#[derive(Debug, Args)]
pub struct Complete {
    /// A new word begins after these, for shells that cannot give an empty one.
    #[arg(long)]
    pub after: bool,
    /// The words of the command line after `rocade`, up to the one being written.
    #[arg(last = true, value_name = "WORD")]
    pub words: Vec<String>,
}
