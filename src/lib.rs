//! `rocade`: provisioning and configuration as code for LoRaWAN gateways, sensors, MQTT brokers and the
//! certificates between them. ARCHITECTURE.md tells the way of the data and the rooms.

#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

pub mod cli;
pub mod compose;
pub mod dossier;
pub mod flow;
pub mod host;
pub mod intake;
pub mod inventory;
pub mod lab;
pub mod model;
pub mod pki;
pub mod plan;
pub mod playbook;
pub mod providers;
pub mod repository;
pub mod run;
pub mod secrets;
pub mod template;
pub mod transport;
