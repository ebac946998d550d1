//! The words of `can`.

use clap::{Args, ValueEnum};

/// `can`.
#[derive(Debug, Args)]
pub struct Can {
    /// A client of a broker, a gateway for its relay, or an account by its name.
    pub client: String,
    /// What it wants to do.
    #[arg(value_enum)]
    pub action: Doing,
    /// A topic; to read also a filter with `+` and `#`.
    pub topic: String,
    /// Only at this broker.
    #[arg(long, value_name = "NAME")]
    pub broker: Option<String>,
}

/// What a client does to a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Doing {
    /// Send messages to it.
    Publish,
    /// Take messages from it.
    Read,
}
