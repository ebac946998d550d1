//! `sensors`: which sensors are heard, those that are not first.

mod json;
mod table;

use std::sync::Arc;

use jiff::Timestamp;

use super::{Waited, report};
use crate::cli::arguments::Sensors as Verb;
use crate::cli::progress::Progress;
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::providers::conduit::heard::State;
use crate::run::{self, Links, Watch};

pub fn run(arguments: &Arguments, verb: &Verb) -> anyhow::Result<Exit> {
    let workspace = Arc::new(surroundings::workspace(arguments)?);
    let progress = Arc::new(Progress::new(arguments.json));
    let watch: Arc<dyn Watch> = progress.clone();
    let links = Arc::new(Links::default());
    let scope = super::scope(&verb.choice);
    let clock = Timestamp::now;
    let found = super::wait(async { Ok(run::sensors(&workspace, &scope, &links, &watch, clock).await?) });
    progress.finish();
    let Waited::Done(mut found) = found? else { return Ok(Exit::Interrupted) };
    let good = found.is_good();
    let counts = table::counts(&found);
    if verb.silent {
        found.sensors.retain(|sensor| sensor.state != State::Heard);
        found.strangers.clear();
    }
    let exit = if good { Exit::Done } else { Exit::Failed };
    if arguments.json {
        let mut document = json::document(&found);
        document["exit_code"] = exit.code().into();
        say::data(&serde_json::to_string_pretty(&report::with_shard(document, scope.shard))?);
    } else {
        say::data(&table::draw(&found));
        say::data(&counts);
    }
    if found.gateways.is_empty() {
        say::word("there is no gateway among these targets: nothing was read");
    }
    Ok(exit)
}

/// How many are heard, on one line.
pub fn counted(found: &run::Sensors) -> String {
    table::counts(found)
}
