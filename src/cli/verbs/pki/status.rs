//! `pki status`: the authority, its leaves and lists, for people, programs and Prometheus.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, anyhow};
use jiff::Timestamp;

use crate::cli::arguments::PkiStatus;
use crate::cli::{Arguments, Exit, say};
use crate::inventory::Inventory;
use crate::model::PLAN_FORMAT;
use crate::pki::{self, Certificate, Crl, Gauges, Row, Share, State};
use crate::providers::{mosquitto, pki as provider};
use crate::run::Workspace;

/// Everything that is shown.
struct Standing {
    now: Timestamp,
    renew_at: Share,
    root: Option<Certificate>,
    root_key: bool,
    issuing: Option<Certificate>,
    rows: Vec<Row>,
    crls: Vec<Crl>,
    revoked: usize,
    stage: Option<pki::rotation::Stage>,
}

pub fn status(arguments: &Arguments, workspace: &Workspace, verb: &PkiStatus) -> anyhow::Result<Exit> {
    let standing = Standing::read(workspace)?;
    if let Some(file) = &verb.prometheus {
        write_gauges(file, &standing)?;
    }
    if arguments.json {
        say::data(&serde_json::to_string_pretty(&standing.json()).context("writing the status as JSON")?);
    } else {
        standing.draw();
    }
    Ok(standing.exit())
}

fn write_gauges(file: &Path, standing: &Standing) -> anyhow::Result<()> {
    let leaves = standing.rows.iter().filter_map(|row| match &row.state {
        State::Held { certificate, .. } => Some((row.name.as_str(), &**certificate)),
        _ => None,
    });
    let authorities = [("root", &standing.root), ("issuing", &standing.issuing)];
    let authorities = authorities.into_iter().filter_map(|(kind, held)| Some((kind, held.as_ref()?)));
    let certificates = authorities
        .map(|(kind, held)| (kind, held.name.as_str(), held))
        .chain(leaves.map(|(name, held)| ("leaf", name, held)))
        .collect();
    let gauges = Gauges { now: standing.now, certificates, crls: &standing.crls, revoked: standing.revoked };
    super::put(Some(file), &gauges.text())
}

impl Standing {
    fn read(workspace: &Workspace) -> anyhow::Result<Self> {
        let (repository, now) = (workspace.root(), Timestamp::now());
        let authority = workspace.inventory().pki.as_ref().map(|pki| provider::renew_at(&pki.authority));
        let renew_at = authority.transpose().map_err(|fault| anyhow!(fault.message))?.unwrap_or_default();
        Ok(Self {
            now,
            renew_at,
            root: pki::root_certificate(repository)?,
            root_key: pki::root_has_key(repository)?,
            issuing: pki::issuing_certificate(repository)?,
            rows: pki::status(repository, &wished(workspace.inventory())?, renew_at, now)?,
            crls: pki::crls(repository)?,
            revoked: pki::revocations(repository)?.len(),
            stage: pki::rotation::stage(repository)?,
        })
    }

    /// Something is over or damaged, then something is due.
    fn exit(&self) -> Exit {
        let over = |end: Timestamp| end <= self.now;
        let authorities = || self.root.iter().chain(&self.issuing);
        let broken = |row: &Row| match &row.state {
            State::Damaged(_) => true,
            State::Held { certificate, .. } => over(certificate.not_after),
            State::Missing => false,
        };
        if authorities().any(|held| over(held.not_after))
            || self.crls.iter().any(|crl| over(crl.next_update))
            || self.rows.iter().any(broken)
        {
            return Exit::Failed;
        }
        let due = authorities().any(|held| self.renew_at.is_over(held, self.now))
            || self.crls.iter().any(|crl| crl.is_due(self.renew_at, self.now))
            || self.rows.iter().any(|row| !is_good(&row.state));
        if due || self.root.is_none() { Exit::Pending } else { Exit::Done }
    }

    fn json(&self) -> serde_json::Value {
        let authority = |held: &Certificate| {
            serde_json::json!({
                "name": held.name, "serial": held.serial, "days_left": held.days_left(self.now),
                "not_after": held.not_after.to_string(), "due": self.renew_at.is_over(held, self.now),
            })
        };
        let crl = |crl: &Crl| {
            serde_json::json!({
                "issuer": crl.issuer, "next_update": crl.next_update.to_string(), "revoked": crl.serials,
                "due": crl.is_due(self.renew_at, self.now),
            })
        };
        serde_json::json!({
            "format_version": PLAN_FORMAT,
            "root": self.root.as_ref().map(authority),
            "root_key_here": self.root_key,
            "issuing": self.issuing.as_ref().map(authority),
            "rotation": self.stage,
            "leaves": self.rows.iter().map(json).collect::<Vec<_>>(),
            "revoked": self.revoked,
            "crls": self.crls.iter().map(crl).collect::<Vec<_>>(),
        })
    }

    fn draw(&self) {
        let left = |held: &Certificate| format!("{}, {}", held.name, days(held.days_left(self.now)));
        match &self.root {
            Some(root) => {
                let key = if self.root_key { "" } else { "; its key is off line" };
                say::data(&format!("root     {}{key}", left(root)));
            }
            None => say::data("root     none yet: `rocade apply` or `rocade pki init` makes it"),
        }
        match &self.issuing {
            Some(issuing) => {
                let how =
                    if self.root_key { "the next apply renews it" } else { "renew it with `rocade pki csr`" };
                let due = if self.renew_at.is_over(issuing, self.now) { how } else { "" };
                let due = if due.is_empty() { String::new() } else { format!("; {due}") };
                say::data(&format!("issuing  {}{due}", left(issuing)));
            }
            None if self.root.is_some() => {
                say::data(
                    "issuing  none: leaves are issued by the root; `issuing: {}` in the inventory makes one",
                );
            }
            None => {}
        }
        self.rows
            .iter()
            .for_each(|row| say::data(&format!("leaf     {:<20} {}", row.name, words(&row.state))));
        for crl in &self.crls {
            let due = if crl.next_update <= self.now {
                "; it is over: brokers refuse every certificate until `rocade apply` gave them another"
            } else if crl.is_due(self.renew_at, self.now) {
                "; to be made anew now by `rocade apply`: after that day brokers refuse every certificate"
            } else {
                ""
            };
            let until = crl.next_update.strftime("%F");
            say::data(&format!(
                "revoked  {} listed by {}, until {until}{due}",
                crl.serials.len(),
                short(&crl.issuer)
            ));
        }
        if let Some(stage) = self.stage {
            say::data(&format!("rotation at `{stage}`: see `rocade pki rotate status`"));
        }
    }
}

fn short(key_id: &str) -> &str {
    key_id.get(..8).unwrap_or(key_id)
}

fn wished(inventory: &Inventory) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let names = |broker: &crate::inventory::Broker| {
        pki::normal_names(broker.names.iter().map(|name| name.value.as_str()))
    };
    let brokers = inventory.brokers.iter().map(|(name, broker)| Ok((name.clone(), names(broker)?)));
    let relays = mosquitto::certified_relays(inventory).into_iter().map(|name| Ok((name, Vec::new())));
    brokers.chain(relays).collect()
}

fn is_good(state: &State) -> bool {
    matches!(state, State::Held { due: false, foreign: false, revoked: false, wished_names: None, .. })
}

/// Whole days before an end, or since it.
fn days(left: i64) -> String {
    if left < 0 { format!("over for {} days", -left) } else { format!("{left} days left") }
}

fn words(state: &State) -> String {
    match state {
        State::Missing => "not issued yet".to_owned(),
        State::Damaged(reason) => format!("cannot be read: {reason}"),
        State::Held { certificate, days_left, due, foreign, revoked, wished_names } => {
            let names = &certificate.names;
            let whom = if names.is_empty() { "a client".to_owned() } else { names.join(", ") };
            let mut text = format!("{}, for {whom}", days(*days_left));
            for (is_so, words) in [
                (*due, "; to be renewed now"),
                (*foreign, "; issued by another authority"),
                (*revoked, "; revoked"),
            ] {
                text.push_str(if is_so { words } else { "" });
            }
            match wished_names.as_deref() {
                Some([]) => text.push_str("; the inventory has no such broker or relay"),
                Some(names) => text.push_str(&format!("; the inventory wishes {}", names.join(", "))),
                None => {}
            }
            text
        }
    }
}

fn json(row: &Row) -> serde_json::Value {
    let (serial, days_left) = match &row.state {
        State::Held { certificate, days_left, .. } => (Some(certificate.serial.clone()), Some(*days_left)),
        _ => (None, None),
    };
    serde_json::json!({
        "name": row.name, "good": is_good(&row.state), "serial": serial, "days_left": days_left,
        "state": words(&row.state),
    })
}
