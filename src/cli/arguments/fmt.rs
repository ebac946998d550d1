//! The words of `fmt`.

use std::path::PathBuf;

use clap::Args;

/// `fmt`.
#[derive(Debug, Args)]
pub struct Fmt {
    /// Files to lay out; `-` reads one from standard input and writes it to standard output. Without any: all YAML of
    /// the inventory, the playbooks and the mappings of imports.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Write nothing; name the files that would change, and end with 2 when there is one.
    #[arg(long)]
    pub check: bool,
    /// Write nothing; show what would change, and end with 2 when something would.
    #[arg(long)]
    pub diff: bool,
}
