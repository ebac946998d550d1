//! The words of verbs about telephone systems.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `call`.
#[derive(Debug, Args)]
pub struct Call {
    /// The number called: one of ours, an internal one, or, dialled by an extension, any.
    #[arg(value_name = "NUMBER")]
    pub number: crate::model::PhoneNumber,
    /// Who calls: a number of the public network; for internal calls an extension.
    #[arg(long, value_name = "CALLER")]
    pub from: Option<crate::model::PhoneNumber>,
    /// When, on the clock of the PBX's site: `2026-12-25 23:00`; now when absent.
    #[arg(long, value_name = "YYYY-MM-DD HH:MM", value_parser = wall_clock)]
    pub at: Option<jiff::civil::DateTime>,
    /// The extension that dials the number.
    #[arg(long = "as", value_name = "EXTENSION")]
    pub dialler: Option<String>,
    /// The PBX, when the inventory has several and the number does not tell.
    #[arg(long, value_name = "NAME")]
    pub pbx: Option<String>,
    /// Ask the PBX itself instead of the inventory. Never writes.
    #[arg(long)]
    pub live: bool,
}

fn wall_clock(text: &str) -> Result<jiff::civil::DateTime, String> {
    let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    let read = forms.iter().find_map(|form| jiff::civil::DateTime::strptime(form, text).ok());
    read.ok_or_else(|| "write it as `2026-12-25 23:00`".to_owned())
}

/// `pbx`.
#[derive(Debug, Subcommand)]
pub enum PbxVerb {
    /// Print the lines that put a Live Chat link on a web site.
    Snippet {
        /// The PBX.
        name: String,
        /// The link.
        link: String,
    },
    /// Write its extensions in the form its console imports users from (CSV): another way for phones, whose writes
    /// over the API nobody has seen work. Makes extensions, changes none.
    Csv(PbxCsv),
    /// Show what it was used for, from its history of calls. Never writes.
    Stats(super::PbxStats),
    /// Say how many calls at the same time are needed (Erlang B), from people and minutes or from the history.
    Size(super::PbxSize),
    /// List the PBX's own backups.
    Backups {
        /// The PBX.
        name: String,
    },
    /// Put a backup back. The PBX restarts and calls end.
    Restore {
        /// The PBX.
        name: String,
        /// The backup, as `rocade pbx backups` lists it, with or without its ending.
        backup: String,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
}

/// `pbx csv`.
#[derive(Debug, Args)]
pub struct PbxCsv {
    /// The PBX.
    pub name: String,
    /// Where to write it; standard output when absent.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Ask the PBX for the ids that keys need, its phone templates and its spelling of SBCs.
    #[arg(long)]
    pub live: bool,
    /// Write voicemail PINs too, in clear.
    #[arg(long)]
    pub with_secrets: bool,
}
