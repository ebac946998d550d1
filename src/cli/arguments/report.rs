//! The words of `report`.

use std::path::PathBuf;

use clap::Subcommand;

/// `report`.
#[derive(Debug, Subcommand)]
pub enum Report {
    /// Make one of the JSON results of the shards of a run; ends with the worst of their exit codes.
    Merge {
        /// The results, all of one verb, as `--json` printed them.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// End with 2 when something would change, for plans.
        #[arg(long)]
        detailed_exitcode: bool,
    },
}
