//! Those who look on and are asked, and what a playbook needs of the outside. It never prints.

use std::fs::File;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Plan, Target};
use crate::run::{Applied, Clock, Finding, Person, Ran, Sensors, Settled, Stopped, Watch, Workspace};
use crate::secrets::Past;

/// Something that happened.
pub enum Told<'a> {
    /// A step begins.
    Step {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// What it does.
        title: &'a str,
    },
    /// A wave begins.
    Wave {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// Its targets.
        targets: &'a [Target],
    },
    /// A plan was made.
    Plan(&'a Plan),
    /// A plan that has changes is about to be carried out.
    Applying(&'a Arc<Workspace>, &'a Plan),
    /// It was carried out; `true` when the person asked to stop.
    Applied(&'a Applied, bool),
    /// Something was proven, or not.
    Findings(&'a [Finding]),
    /// Sensors were asked for.
    Sensors(&'a Sensors),
    /// Redeployed gateways were waited for.
    Settled(&'a [Settled]),
    /// A gateway was not brought up.
    Stopped(&'a Target, &'a Stopped),
    /// A command ended.
    Ran(&'a Ran),
    /// A line for people.
    Words(String),
}

/// Who looks on and is asked, and where the outside comes from.
pub trait Audience: Send + Sync {
    /// Takes what happened.
    fn tell(&self, told: Told<'_>);

    /// One who looks on while devices are read and written.
    fn watch(&self) -> Arc<dyn Watch>;

    /// Who is asked before something is changed; one who said yes to everything before answers at once.
    fn person(&self) -> Arc<dyn Person>;

    /// Who passes manual gates; nobody when nobody is there. Nothing said before counts.
    fn witness(&self) -> Option<Arc<dyn Person>>;

    /// The repository as it is now.
    ///
    /// # Errors
    /// Why it is refused.
    fn open(&self) -> anyhow::Result<Workspace>;

    /// The repository's own lock; `None` when another run has it.
    ///
    /// # Errors
    /// When it cannot be asked for.
    fn hold(&self) -> anyhow::Result<Option<File>>;

    /// What git knows of earlier versions of the secrets' files; nothing where there is no git.
    ///
    /// # Errors
    /// When git fails.
    fn past(&self) -> anyhow::Result<Vec<Past>>;

    /// Tells the time.
    fn clock(&self) -> Clock;

    /// The time it is.
    fn now(&self) -> Timestamp {
        self.clock()()
    }
}
