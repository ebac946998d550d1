//! The words of `import` and `export`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `import`.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Write a live PBX into its entry of the inventory; the plan right after is empty. No secrets.
    Pbx(ImportPbx),
    /// Write a live gateway's network and sensors into the inventory, their keys into the secrets; what its API
    /// does not show is named.
    Gateway(ImportGateway),
    /// Add the sensors of a list (CSV): The Things Stack's columns, a Conduit's own, or any with a mapping. Keys go
    /// into the secrets.
    Sensors(ImportSensors),
    /// Add the lines of an old operator's list (CSV, columns named by a mapping) to a PBX of the inventory, and
    /// report what is odd in it.
    Lines(ImportLines),
    /// Add the extensions of a list in the form of a 3CX's console (CSV) to a PBX of the inventory.
    Users(ImportUsers),
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

/// `import gateway`.
#[derive(Debug, Args)]
pub struct ImportGateway {
    /// The gateway: an entry with its address and login.
    pub name: String,
    /// The model of sensors that the inventory does not have; the gateway does not know it.
    #[arg(long, value_name = "MODEL", default_value = "raw")]
    pub model: String,
    /// The topic of new ones, with {site}, {gateway} and {name}.
    #[arg(long, value_name = "TOPIC", default_value = "sites/{site}/{name}")]
    pub topic: String,
    /// The file for new ones.
    #[arg(long, value_name = "FILE")]
    pub into: Option<String>,
    /// Show what would be written and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `import sensors`.
#[derive(Debug, Args)]
pub struct ImportSensors {
    /// The list.
    #[arg(value_name = "FILE.csv")]
    pub list: PathBuf,
    /// Which column is what (YAML); known names of columns need none.
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// The gateway of all rows that do not say theirs.
    #[arg(long, value_name = "NAME")]
    pub gateway: Option<String>,
    /// The model of all rows that do not say theirs.
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// The topic of new sensors, with {site}, {gateway} and {name}; `sites/{site}/{name}` when absent.
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,
    /// The file for new sensors; the one with the first sensor, else `inventory/sensors.yaml`.
    #[arg(long, value_name = "FILE")]
    pub into: Option<String>,
    /// Show what would be written and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `import lines`.
#[derive(Debug, Args)]
pub struct ImportLines {
    /// The list.
    #[arg(value_name = "FILE.csv")]
    pub list: PathBuf,
    /// Which column is what (YAML).
    #[arg(long, value_name = "FILE")]
    pub map: PathBuf,
    /// The PBX they go to.
    #[arg(long, value_name = "NAME")]
    pub pbx: String,
    /// The trunk their numbers come in on; the PBX's only one when absent.
    #[arg(long, value_name = "NAME")]
    pub trunk: Option<String>,
    /// Where the report goes: JSON when it ends in `.json`, else Markdown; standard output when absent.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Report only and write nothing into the inventory.
    #[arg(long)]
    pub dry_run: bool,
}

/// `import users`.
#[derive(Debug, Args)]
pub struct ImportUsers {
    /// The list.
    #[arg(value_name = "FILE.csv")]
    pub list: PathBuf,
    /// The PBX.
    #[arg(long, value_name = "NAME")]
    pub pbx: String,
    /// Show what would be written and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `export`.
#[derive(Debug, Subcommand)]
pub enum Export {
    /// Write sensors in the form of another network server.
    Sensors(ExportSensors),
}

/// `export sensors`.
#[derive(Debug, Args)]
pub struct ExportSensors {
    /// The form.
    #[arg(long, value_enum)]
    pub format: SensorFormat,
    /// Only the sensors of this gateway.
    #[arg(long, value_name = "NAME")]
    pub gateway: Option<String>,
    /// Where to write it; standard output when absent.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write their keys too, in clear.
    #[arg(long)]
    pub with_secrets: bool,
    /// `ChirpStack`'s id of the application they go to.
    #[arg(long, value_name = "UUID", default_value = NO_UUID)]
    pub application: String,
    /// `ChirpStack`'s id of their device profile.
    #[arg(long, value_name = "UUID", default_value = NO_UUID)]
    pub profile: String,
}

/// The id that stands for none.
pub const NO_UUID: &str = "00000000-0000-0000-0000-000000000000";

/// Forms of lists of sensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SensorFormat {
    /// The Things Stack's CSV.
    Tts,
    /// The requests to ChirpStack 4 that make them (JSON).
    Chirpstack,
}
