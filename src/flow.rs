//! The ways things take, from the inventory alone: no device is asked. Calls through a telephone system, followed
//! one by one or drawn; readings from a sensor to whoever shows them, drawn.

pub mod call;
mod calls;
mod chain;
pub mod erlang;
mod graph;
mod layout;
mod office;
mod svg;
#[cfg(test)]
mod tests;
pub mod usage;

pub use calls::calls;
pub use chain::chain;
pub use graph::{Graph, Look};
pub use svg::svg;
