//! The authority among real parts: OpenSSL, Mosquitto, EasyRSA, and the program itself, killed where it hurts.

#![allow(clippy::unwrap_used, reason = "a test whose ground cannot be laid has failed")]

mod bench;
mod broker;
mod carried;
mod easyrsa;
mod issued;
mod revoked;
mod rotated;
