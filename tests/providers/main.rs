//! The providers against the simulated devices and against the real Mosquitto: what is wished comes to be,
//! and a second look finds nothing to do.

mod conduit;
mod flow;
mod mosquitto;
mod own_broker;
mod shelf;
