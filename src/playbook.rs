//! Ordered steps, gates, checkpoints. Never a programming language: a step does what the verb of its name does, and
//! what that is follows from the inventory when its turn comes.
//!
//! What was done is kept in `.rocade/playbooks/`, whole or not at all, before and after everything that writes. It
//! decides nothing but where to go on: every wave reads its targets again, so one that was cut is run again.

mod audience;
mod checkpoint;
mod course;
mod gate;
mod given;
mod outline;
mod plugged;
mod repository;
mod spread;
mod wave;

pub use audience::{Audience, Told};
pub use checkpoint::{Checkpoint, Failure, Position, checkpoint_file, checkpoints};
pub use course::{Course, End, Order, Record, Unfit, title};
pub use given::{fill, settle};
pub use outline::{Outline, outline};
pub use wave::{allowed, waves};
