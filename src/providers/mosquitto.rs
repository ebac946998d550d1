//! The provider of mosquitto.
