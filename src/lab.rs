//! Simulated devices that speak the real protocols on loopback.
pub mod debian;
mod door;
mod exec;
pub mod files;
pub mod knobs;
mod line;
pub mod log;
pub mod machine;
mod mqtt;
mod relay;
pub mod shell;
pub mod ssh;
pub mod broker;
pub mod conduit;
mod tls;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; a panic elsewhere while it was held leaves what it guards usable.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
