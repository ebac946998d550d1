//! Directories of other programs, whose people are to be in the phonebook.

use schemars::JsonSchema;

use crate::inventory::At;
use crate::inventory::scalar::SecretRef;

/// A directory of another program. Its people are contacts of the PBX; it is only read.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Directory {
    /// What it is.
    pub model: DirectoryModel,
    /// Where it answers, such as `https://erp.example.fr` or `https://example.fr/dolibarr`; in clear on loopback only.
    pub url: At<String>,
    /// The API key of a user who may see all third parties and contacts, and change none.
    pub api_key: At<SecretRef>,
    /// The number of the company, where several share one Dolibarr.
    #[schemars(default)]
    pub entity: Option<u16>,
    /// A PEM file of this repository with the authority of its certificate, when that is not a public one.
    #[schemars(default)]
    pub ca: Option<At<String>>,
}

/// Directories rocade knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum DirectoryModel {
    /// Dolibarr with its module "API/Web services REST".
    Dolibarr,
}
