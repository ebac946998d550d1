//! The transport against real programs: OpenSSH's server and agent, Mosquitto. Nothing here stands in for them.
//!
//! Where they are missing, or no private mount namespace can be made, a test says that it was skipped.

mod logins;
mod server;
