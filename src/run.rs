//! The story: compose, read, plan, carry out, read again. The only room that spawns tasks.

mod approve;
mod carry_out;
mod command;
mod directories;
mod journal;
mod keeping;
mod links;
mod live;
mod outside;
mod own;
mod redeploy;
mod renew;
mod rollback;
mod rotate;
mod sensors;
mod survey;
mod verify;
mod watch;
mod workspace;

pub use approve::{Consent, asks, consent};
pub use carry_out::{Applied, Stop, carry_out};
pub use command::{Ran, command};
pub use journal::{Unfinished, unfinished};
pub use keeping::Terms;
pub use links::{Line, Links};
pub use live::live;
pub use own::own_target;
pub use redeploy::{Order as RedeployOrder, Person, Ready, Settled, Silent, Stopped, bring_up, settle};
pub use renew::renew;
pub use rollback::{LockState, Shelved, Undone, break_lock, locks, roll_back, shelved};
pub use rotate::{rotate, rotation_unproved};
pub use sensors::{Clock, GatewayLine, SensorLine, Sensors, Stranger, sensors};
pub use survey::{PARALLEL_TARGETS, Survey, survey};
pub use verify::{Finding, verify};
pub use watch::{Event, Unwatched, Watch};
pub use workspace::{Options, Refused, Workspace};
