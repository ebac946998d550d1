//! The whole chain with real parts: rocade itself, OpenSSH, systemd and sysvinit hosts, Mosquitto, the relay
//! under the gateway's Python, apt. Only the gateway's API is simulated.
//!
//! The hosts are those of `tests/bed`; `tests/run` brings them up and names them in `ROCADE_BED`. Without a
//! bed nothing here can run, so every test is ignored unless asked for: `--ignored --test-threads=1`.

#[path = "chain/bed.rs"]
mod bed;
#[path = "chain/browser.rs"]
mod browser;
#[path = "chain/changed.rs"]
mod changed;
#[path = "chain/clients.rs"]
mod clients;
#[path = "chain/endured.rs"]
mod endured;
#[path = "chain/first.rs"]
mod first;
#[path = "chain/forwarded.rs"]
mod forwarded;
#[path = "chain/hosts.rs"]
mod hosts;
#[path = "chain/kept.rs"]
mod kept;
#[path = "chain/mutual.rs"]
mod mutual;
#[path = "chain/readings.rs"]
mod readings;
#[path = "chain/refused.rs"]
mod refused;
#[path = "chain/secrets.rs"]
mod secrets;
#[path = "chain/site.rs"]
mod site;
#[path = "chain/verified.rs"]
mod verified;
