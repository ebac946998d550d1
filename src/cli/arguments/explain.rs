//! The words of `explain`.

use clap::Args;

/// `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// A part of the inventory, such as `pool-gw.lorawan`, `gateways.pool-gw.lorawan.region` or `pki.authority`; or
    /// a code, such as `shared-key`. Without one, all codes are listed.
    #[arg(value_name = "OBJECT.FIELD|CODE")]
    pub what: Option<String>,
}
