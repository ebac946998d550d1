//! The words of `lab`.

use std::path::PathBuf;

use clap::Subcommand;

/// `lab`.
#[derive(Debug, Subcommand)]
pub enum Lab {
    /// The main job on simulated devices, told as it goes.
    Demo,
    /// Start simulated devices on loopback with an inventory for them in DIR, until Ctrl-C. Where a lab was before,
    /// its devices are started again, as out of their boxes, for the inventory that is there.
    Up {
        /// A new or empty directory, or one where a lab was.
        dir: PathBuf,
        /// The gateway starts in its box: no user, SSH off.
        #[arg(long)]
        boxed: bool,
        /// Extensions its 3CX has besides those of the inventory, to see how much it takes to read them.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000))]
        extensions: u32,
    },
    /// Press the reset button of a gateway of the lab that runs in the directory (`-C`): under 5 s it restarts,
    /// under 30 s it goes back to user-defined defaults, from then on to factory defaults.
    Press {
        /// The gateway.
        name: String,
        /// How long: 2s, 8s, 35s.
        #[arg(long = "for", value_name = "TIME", default_value = "2s")]
        time: crate::model::Period,
    },
    /// Pull the plug of a gateway of the lab that runs in the directory and put it back.
    CutPower {
        /// The gateway.
        name: String,
    },
    /// Make a device of the lab that runs in the directory do wrong: all its knobs anew.
    Turn {
        /// The device.
        name: String,
        /// What it does wrong, such as `refuse`, `slow=250`, `cut-at-exec=2`, `at-request=3:cut-after`; `off`.
        #[arg(value_parser = knobs)]
        knobs: String,
    },
    /// Let a sensor be heard by a gateway of the lab that runs in the directory; it joins when it has not.
    Uplink {
        /// The gateway.
        name: String,
        /// The sensor's DevEUI.
        dev_eui: crate::model::Eui,
        /// The frame in hex.
        frame: String,
        /// Its frame counter; the next one when absent.
        #[arg(long)]
        fcnt: Option<u32>,
    },
    /// Serve a simulated Conduit's API alone, in clear, as on a gateway's own loopback.
    ConduitApi {
        /// Address and port.
        #[arg(long)]
        listen: std::net::SocketAddr,
        /// Where its state is kept as JSON.
        #[arg(long)]
        state: PathBuf,
        /// Where requests are noted, a JSON object a line.
        #[arg(long)]
        log: PathBuf,
        /// What it does wrong, such as `slow=250`, `api=503`, `api=half`.
        #[arg(long, default_value = "")]
        fault: crate::lab::Knobs,
    },
}

/// Knobs that are words of a lab, as they were written.
fn knobs(text: &str) -> Result<String, String> {
    text.parse::<crate::lab::Knobs>().map(|_| text.to_owned())
}
