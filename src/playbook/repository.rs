//! The steps that change the repository itself: certificates, keys, who may open the secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::audience::Told;
use super::course::{Course, End};
use super::given::fill;
use super::plugged::{self, Turn};
use crate::inventory::playbook::{RekeyStep, RenewStep, RotateStep, Stage};
use crate::run;

/// What a rotation turns, parameters put in.
pub(super) fn rotation(step: &RotateStep, with: &BTreeMap<String, String>) -> Turn {
    match (&step.secret, step.authority) {
        (Some(path), _) => Turn::Secret(fill(path, with)),
        (None, stage) => Turn::Authority(stage.unwrap_or(Stage::Start)),
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
        let due = step.due == Some(true);
        let renewed = run::renew(&workspace, &names, due, self.begun(), self.audience.now()).await?;
        let words = match renewed.as_slice() {
            [] => "no certificate was to be issued".to_owned(),
            names => format!("issued: {}; commit pki/", names.join(", ")),
        };
        self.audience.tell(Told::Words(words));
        Ok(End::Done)
    }

    pub(super) fn rotate(&mut self, step: &RotateStep) -> anyhow::Result<End> {
        self.turn(&rotation(step, &self.checkpoint.with))
    }

    pub(super) fn rekey(&mut self, step: &RekeyStep) -> anyhow::Result<End> {
        self.turn(&removal(step, &self.checkpoint.with))
    }

    fn turn(&mut self, turn: &Turn) -> anyhow::Result<End> {
        let Some(_lock) = self.audience.hold()? else { return Ok(End::Locked(LOCKED.into())) };
        let date = self.audience.now().strftime("%Y-%m-%d").to_string();
        let past = || self.audience.past();
        for line in plugged::turn(&self.audience.open()?, turn, &date, &past)? {
            self.audience.tell(Told::Words(line));
        }
        Ok(End::Done)
    }
}
