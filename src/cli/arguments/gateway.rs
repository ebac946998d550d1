//! The words of verbs about gateways and sensors.

use clap::Args;

use super::Choice;

/// `sensors`.
#[derive(Debug, Args)]
pub struct Sensors {
    /// Which sensors: by their own name, or with their gateway.
    #[command(flatten)]
    pub choice: Choice,
    /// Only those that are silent, were never heard or could not be read.
    #[arg(long)]
    pub silent: bool,
}

/// `redeploy`.
#[derive(Debug, Args)]
pub struct Redeploy {
    /// The gateways; several at once when each is behind an interface of its own (`bootstrap: {interface: eth1}`).
    #[arg(value_name = "GATEWAY", required = true)]
    pub names: Vec<String>,
    /// Where it is reached, with the port of its web side when that is another than the inventory's.
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = address_and_port)]
    pub at: Option<(String, Option<u16>)>,
    /// It takes the place of the unit the inventory names: its serial number is written there.
    #[arg(long)]
    pub replacement: bool,
    /// Install the inventory's firmware image when the version found is not accepted.
    #[arg(long)]
    pub upgrade: bool,
    /// Do everything without asking.
    #[arg(short, long)]
    pub yes: bool,
    /// How long to wait until the sensors are heard; two of their periods, at most 30m, when absent.
    #[arg(long, value_name = "DURATION", conflicts_with = "no_wait")]
    pub wait: Option<crate::model::Period>,
    /// Do not wait for the sensors.
    #[arg(long)]
    pub no_wait: bool,
    /// How long to wait for the gateway itself, at first and after restarts.
    #[arg(long, value_name = "DURATION", default_value = "15m")]
    pub patience: crate::model::Period,
}

/// An address, `ADDRESS:PORT` or `[IPv6]:PORT`.
fn address_and_port(text: &str) -> Result<(String, Option<u16>), String> {
    let port = |port: &str| port.parse().map_err(|_| format!("`{port}` is no port"));
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return match rest.strip_prefix(':') {
            Some(number) => Ok((address.to_owned(), Some(port(number)?))),
            None if rest.is_empty() => Ok((address.to_owned(), None)),
            None => Err(format!("`{text}` is no address")),
        };
    }
    match text.split_once(':') {
        Some((address, number)) if !number.contains(':') => Ok((address.to_owned(), Some(port(number)?))),
        Some(_) => Ok((text.to_owned(), None)),
        None if text.is_empty() => Err("an address is missing".to_owned()),
        None => Ok((text.to_owned(), None)),
    }
}

/// `decode`.
#[derive(Debug, Args)]
pub struct Decode {
    /// The sensor's model: comfort, comfort-v1, comfort-co2.
    #[arg(long, required_unless_present = "jsonl")]
    pub model: Option<String>,
    /// Read one `{"model","fport","hex"}` a line and write one object a line.
    #[arg(long, conflicts_with_all = ["model", "payload"])]
    pub jsonl: bool,
    /// The frame, in hex or base64.
    #[arg(required_unless_present = "jsonl")]
    pub payload: Option<String>,
}
