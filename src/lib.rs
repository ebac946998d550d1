//! `rocade`: provisioning and configuration as code for LoRaWAN gateways, sensors, MQTT brokers,
//! certificates and telephone systems. ARCHITECTURE.md tells the way of the data and the rooms.

pub mod cli;
pub mod compose;
pub mod host;
pub mod inventory;
pub mod lab;
pub mod model;
pub mod plan;
pub mod pki;
pub mod providers;
pub mod repository;
pub mod run;
pub mod secrets;
pub mod template;
pub mod transport;
