//! The story: compose, read, plan, carry out, read again. The only room that spawns tasks.

mod carry_out;
mod links;
mod outside;
mod own;
mod redeploy;
mod survey;
mod verify;
mod watch;
mod workspace;

pub use carry_out::{Applied, Stop, carry_out};
pub use links::{Line, Links};
pub use own::own_target;
pub use redeploy::{Order as RedeployOrder, Person, Ready, Settled, Silent, Stopped, bring_up, settle};
pub use survey::{PARALLEL_TARGETS, Survey, survey};
pub use verify::{Finding, verify};
pub use watch::{Event, Unwatched, Watch};
pub use workspace::{Options, Refused, Workspace};
