//! The words of `graph`.

use clap::{Args, ValueEnum};

/// `graph`.
#[derive(Debug, Args)]
pub struct Graph {
    /// A PBX for the way of its calls; a site, gateway, broker or host for its part of the way of the readings,
    /// which is drawn whole when nothing is named.
    pub name: Option<String>,
    /// The language it is drawn in.
    #[arg(long, value_enum, default_value_t)]
    pub format: Drawing,
}

/// Languages of drawings.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Drawing {
    /// Mermaid: GitLab and GitHub draw it in Markdown.
    #[default]
    Mermaid,
    /// Graphviz.
    Dot,
    /// A picture that a browser shows.
    Svg,
}
