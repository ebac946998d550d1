//! `lock`: who writes on which host.

use std::sync::Arc;

use super::Waited;
use crate::cli::arguments::Lock;
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::run::{self, Links};

pub fn run(arguments: &Arguments, verb: &Lock) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    let links = Arc::new(Links::default());
    match verb {
        Lock::Show(choice) => {
            let scope = super::scope(choice);
            let locks = super::wait(run::locks(&workspace, &scope, &links))?;
            let Waited::Done(locks) = locks else { return Ok(Exit::Interrupted) };
            let mut exit = Exit::Done;
            for lock in locks {
                let words = match &lock.held {
                    Ok(None) => "free".to_owned(),
                    Ok(Some((who, left))) => format!("{who}; for {left} s more unless it goes on"),
                    Err(fault) => {
                        exit = Exit::Failed;
                        format!("{}could not be read:{:#} {fault:#}", say::BAD, say::BAD)
                    }
                };
                say::data(&format!("{}  {words}", lock.target));
            }
            Ok(exit)
        }
        Lock::Break { name, yes } => {
            if !yes {
                let question = format!("Take the lock of {name} away from whoever holds it?");
                let Waited::Done(agreed) = super::ask(arguments, &question)? else {
                    return Ok(Exit::Interrupted);
                };
                if !agreed {
                    say::word(&format!("{}refused:{:#} not approved; say --yes", say::BAD, say::BAD));
                    return Ok(Exit::Refused);
                }
            }
            let broken = super::wait(run::break_lock(&workspace, name, &links))?;
            let Waited::Done(()) = broken else { return Ok(Exit::Interrupted) };
            say::word(&format!("The lock of {name} is free."));
            Ok(Exit::Done)
        }
    }
}
