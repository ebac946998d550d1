//! What must hold before a playbook goes on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::audience::Told;
use super::course::{Course, named};
use crate::inventory::playbook::Gate;
use crate::model::Target;
use crate::providers::conduit::heard::State;
use crate::run::{self, Links, Workspace};

impl Course<'_> {
    /// What does not hold, by target; `None` when the person asked to stop.
    pub(super) async fn gate(
        &self,
        gate: &[Gate],
        targets: &[Target],
    ) -> anyhow::Result<Option<BTreeMap<String, String>>> {
        let mut failed = BTreeMap::new();
        for gate in gate {
            let workspace = Arc::new(self.audience.open()?);
            let holding = async {
                match gate {
                    Gate::Verify => self.verified(&workspace, targets, &mut failed).await,
                    Gate::Sensors => self.heard(&workspace, targets, &mut failed).await,
                }
            };
            match self.unless_stopped(holding).await {
                Some(held) => held?,
                None => return Ok(None),
            }
        }
        Ok(Some(failed))
    }

    async fn verified(
        &self,
        workspace: &Arc<Workspace>,
        targets: &[Target],
        failed: &mut BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        if targets.is_empty() {
            return Ok(());
        }
        let (links, watch) = (Arc::new(Links::default()), self.audience.watch());
        let findings = run::verify(workspace, &named(targets, self.shard), &links, &watch).await?;
        self.audience.tell(Told::Findings(&findings));
        for finding in findings {
            if let Some(fault) = finding.fault {
                failed.entry(finding.target.to_string()).or_insert(format!("{}: {fault}", finding.what));
            }
        }
        Ok(())
    }

    async fn heard(
        &self,
        workspace: &Arc<Workspace>,
        targets: &[Target],
        failed: &mut BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        let gateways: Vec<Target> =
            targets.iter().filter(|target| target.kind == "gateway").cloned().collect();
        if gateways.is_empty() {
            return Ok(());
        }
        let (links, watch) = (Arc::new(Links::default()), self.audience.watch());
        let scope = named(&gateways, self.shard);
        let sensors = run::sensors(workspace, &scope, &links, &watch, self.audience.clock()).await?;
        self.audience.tell(Told::Sensors(&sensors));
        for line in sensors.sensors.iter().filter(|line| line.state != State::Heard) {
            let why = match &line.state {
                State::Unread(reason) => format!("the sensor {} could not be read: {reason}", line.name),
                State::Never => format!("the sensor {} was never heard", line.name),
                _ => format!("the sensor {} is silent", line.name),
            };
            failed.entry(Target::new("gateway", line.gateway.as_str()).to_string()).or_insert(why);
        }
        Ok(())
    }
}
