//! `secrets remove`: takes out what the inventory names no more. What it still names is never taken out: the next
//! plan could not be made.

use super::open;
use crate::cli::verbs::{Waited, ask};
use crate::cli::{Arguments, Exit, say};
use crate::compose;
use crate::inventory;
use crate::run;
use crate::secrets::{Fault, Ledger};

pub fn run(arguments: &Arguments, path: &str, yes: bool) -> anyhow::Result<Exit> {
    let store = open(arguments)?;
    if !store.has(path) {
        return Err(Fault::Missing(path.to_owned()).into());
    }
    let loaded =
        inventory::load(&arguments.directory).map_err(|report| run::Refused::Inventory(Box::new(report)))?;
    if compose::named_secrets(&loaded.inventory).iter().any(|name| name == path) {
        say::word(&format!("{}refused:{:#} the inventory still names {path}", say::BAD, say::BAD));
        say::hint(&format!("`rocade secrets set {path}` gives it another value"));
        return Ok(Exit::Refused);
    }
    if !yes {
        let question = format!("Remove {path}? Only git's history has it then.");
        let Waited::Done(agreed) = ask(arguments, &question)? else { return Ok(Exit::Interrupted) };
        if !agreed {
            say::word(&format!("{}refused:{:#} not approved; say --yes", say::BAD, say::BAD));
            return Ok(Exit::Refused);
        }
    }
    store.remove(path)?;
    say::word(&format!("removed {path}"));
    if Ledger::read(&arguments.directory)?.open().any(|item| item.name == path) {
        say::word("people who left know it, and it is still in the list of what is to be changed");
        say::hint(&format!("`rocade secrets rotate {path} --done` when nothing takes it any more"));
    }
    Ok(Exit::Done)
}
