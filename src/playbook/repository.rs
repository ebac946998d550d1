//! The steps that change the repository itself: certificates, keys, who may open the secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::audience::Told;
use super::course::{Course, End};
use super::given::fill;
use super::plugged::{self, Turn, Turned};
use crate::inventory::playbook::{RekeyStep, RenewStep, RotateStep};
use crate::run::{self, Renewal};

/// What a rotation turns, parameters put in.
pub(super) fn rotation(step: &RotateStep, with: &BTreeMap<String, String>) -> Turn {
    match (&step.secret, step.authority) {
        (Some(path), _) => Turn::Secret(fill(path, with)),
        (None, Some(stage)) => Turn::Authority(stage),
        (None, None) => Turn::Listed,
    }
}

/// Whom a rekey leaves out.
pub(super) fn removal(step: &RekeyStep, with: &BTreeMap<String, String>) -> Turn {
    Turn::Rekey(step.remove.as_ref().map(|name| fill(name, with)))
}

const LOCKED: &str = "another rocade is at work in this repository";

impl Course<'_> {
    pub(super) async fn renew(&mut self, step: &RenewStep) -> anyhow::Result<End> {
        let Some(_lock) = self.audience.hold()? else { return Ok(End::Locked(LOCKED.into())) };
        let workspace = Arc::new(self.audience.open()?);
        let names: Vec<String> = step.names.iter().map(|name| fill(name, &self.checkpoint.with)).collect();
        let renewal = Renewal { names, relays: step.relays == Some(true), due: step.due == Some(true) };
        let renewing = run::renew(&workspace, &renewal, self.begun());
        let Some(renewed) = self.unless_stopped(renewing).await else { return Ok(End::Interrupted) };
        let renewed = renewed?;
        let words = match renewed.as_slice() {
            [] => "no certificate was to be issued".to_owned(),
            names => format!("issued: {}; commit pki/", names.join(", ")),
        };
        self.audience.tell(Told::Words(words));
        Ok(End::Done)
    }

    pub(super) async fn rotate(&mut self, step: &RotateStep) -> anyhow::Result<End> {
        self.turn(&rotation(step, &self.checkpoint.with)).await
    }

    pub(super) async fn rekey(&mut self, step: &RekeyStep) -> anyhow::Result<End> {
        self.turn(&removal(step, &self.checkpoint.with)).await
    }

    async fn turn(&mut self, turn: &Turn) -> anyhow::Result<End> {
        let Some(_lock) = self.audience.hold()? else { return Ok(End::Locked(LOCKED.into())) };
        let workspace = Arc::new(self.audience.open()?);
        let past = || self.audience.past();
        let (now, watch) = (self.audience.now(), self.audience.watch());
        let turning = plugged::turn(&workspace, turn, now, &watch, &past);
        let Some(turned) = self.unless_stopped(turning).await else { return Ok(End::Interrupted) };
        match turned? {
            Turned::Done(lines) => {
                lines.into_iter().for_each(|line| self.audience.tell(Told::Words(line)));
                Ok(End::Done)
            }
            Turned::Refused(lines) => {
                let words = "the stage before is not everywhere yet".to_owned();
                Ok(End::Refused(format!("{words}: {}", lines.join("; "))))
            }
        }
    }
}
