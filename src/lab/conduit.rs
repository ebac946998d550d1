//! x
pub mod api;
mod tree;
mod whitelist;
