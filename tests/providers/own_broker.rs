//! The rendered configuration, accounts and access list in the real Mosquitto.
