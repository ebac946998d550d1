//! The story: compose, read, plan, carry out, read again. The only room that spawns tasks.

mod carry_out;
mod drift;
mod journal;
mod keeping;
mod links;
mod outside;
mod own;
mod redeploy;
mod rollback;
mod sensors;
mod survey;
mod verify;
mod watch;
mod workspace;

pub use carry_out::{Applied, Stop, carry_out};
pub use drift::{Drift, explain};
pub use journal::{Unfinished, unfinished};
pub use keeping::Terms;
pub use links::{Line, Links};
pub use own::own_target;
pub use redeploy::{Order as RedeployOrder, Person, Ready, Settled, Silent, Stopped, bring_up, settle};
pub use rollback::{LockState, Shelved, Undone, break_lock, locks, roll_back, shelved};
pub use sensors::{Clock, GatewayLine, SensorLine, Sensors, Stranger, sensors};
pub use survey::{PARALLEL_TARGETS, Survey, survey};
pub use verify::{Finding, verify};
pub use watch::{Event, Unwatched, Watch};
pub use workspace::{Options, Refused, Workspace};
