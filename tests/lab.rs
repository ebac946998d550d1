//! The simulated devices answer clients nobody here wrote: OpenSSH, curl, Mosquitto's own clients. A test whose
//! client is not installed says that it was skipped.

#[path = "lab/api.rs"]
mod api;
#[path = "lab/broker.rs"]
mod broker;
#[path = "lab/clients.rs"]
mod clients;
#[path = "lab/faults.rs"]
mod faults;
#[path = "lab/site.rs"]
mod site;
#[path = "lab/ssh.rs"]
mod ssh;
#[path = "lab/unit.rs"]
mod unit;
#[path = "lab/visitor.rs"]
mod visitor;
