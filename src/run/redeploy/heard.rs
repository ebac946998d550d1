//! The end of a redeploy: what was applied becomes the default if the inventory asks, and the sensors that are
//! expected are waited for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Ready;
use crate::host::{Order, Ruling};
use crate::inventory::{At, Gateway};
use crate::model::{Eui, Target};
use crate::plan::Scope;
use crate::providers::conduit::bootstrap;
use crate::providers::conduit::uplinks::{self, LastUplinks};
use crate::run::watch::{Event, Watch};
use crate::run::{Line, Links, Workspace};

/// A sensor without a declared period counts as heard for so long.
const PERIOD_UNKNOWN: Duration = Duration::from_secs(1800);
/// The longest wait when nobody says another, and what is added to two periods.
const WAIT_MAX: Duration = Duration::from_secs(1800);
const WAIT_MORE: Duration = Duration::from_secs(60);
/// Between two looks: the first, and the longest.
const LOOKS: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(15)];

/// A sensor that was not heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Silent {
    /// The sensor.
    pub sensor: String,
    /// When it was last heard; `None`: not since it was set up.
    pub since: Option<String>,
}

/// How a redeploy of one gateway ended.
#[derive(Clone, Debug, Serialize)]
pub struct Settled {
    /// The gateway.
    pub target: Target,
    /// How many sensors are expected.
    pub expected: usize,
    /// Those that are silent.
    pub silent: Vec<Silent>,
    /// What went wrong at the end.
    pub fault: Option<String>,
}

/// Ends the redeploy of gateways that are as wished. `wait`: how long sensors are waited for, by default two of
/// their periods; `now`: the time this begins.
pub async fn settle(
    workspace: &Arc<Workspace>,
    ready: &[Ready],
    wait: Option<Duration>,
    now: Timestamp,
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
) -> Vec<Settled> {
    let mut tasks = JoinSet::new();
    for target in ready.iter().map(|one| one.target.clone()) {
        let (workspace, links, watch) = (Arc::clone(workspace), Arc::clone(links), Arc::clone(watch));
        tasks.spawn(async move { settle_one(&workspace, target, wait, now, &links, &*watch).await });
    }
    let mut ends = tasks.join_all().await;
    ends.sort_by(|a, b| a.target.cmp(&b.target));
    ends
}

async fn settle_one(
    workspace: &Workspace,
    target: Target,
    wait: Option<Duration>,
    now: Timestamp,
    links: &Links,
    watch: &dyn Watch,
) -> Settled {
    let mut settled = Settled { target: target.clone(), expected: 0, silent: Vec::new(), fault: None };
    let Some(gateway) = workspace.inventory().gateways.get(&target.name) else { return settled };
    if gateway.save_as_default == Some(true) {
        match save_as_default(workspace, gateway, &target, links).await {
            Ok(()) => watch.event(Event::Said(
                target.clone(),
                "these settings are its user-defined defaults now".into(),
            )),
            Err(fault) => settled.fault = Some(format!("its defaults were not set: {fault}")),
        }
    }
    let expected = Expected::of(workspace, &target.name);
    settled.expected = expected.0.len();
    if expected.0.is_empty() {
        return settled;
    }
    let listening = Listening { workspace, gateway, target: &target, links, watch };
    match listening.until_heard(&expected, wait.unwrap_or_else(|| expected.wait()), now).await {
        Ok(silent) => settled.silent = silent,
        Err(fault) => {
            let more = format!("whether its sensors are heard could not be read: {fault}");
            settled.fault = Some(settled.fault.map_or(more.clone(), |before| format!("{before}; {more}")));
        }
    }
    settled
}

async fn line(workspace: &Workspace, target: &Target, links: &Links) -> Result<Line, String> {
    let scope = Scope { names: vec![format!("gateway/{}", target.name)], ..Scope::default() };
    let sites = workspace.sites(&scope).map_err(|refused| refused.to_string())?;
    let site = sites.into_iter().map(|(site, _)| site).find(|site| site.target == *target);
    let site = site.ok_or_else(|| "it left the inventory".to_owned())?;
    links.open(workspace, target, &site.reach).await.map_err(|fault| format!("{fault:#}"))
}

async fn save_as_default(
    workspace: &Workspace,
    gateway: &Gateway,
    target: &Target,
    links: &Links,
) -> Result<(), String> {
    let line = line(workspace, target, links).await?;
    let orders: [Order; 1] = [bootstrap::save_as_default(gateway)];
    let mut end = Ruling::NotStarted;
    line.writing().order(&orders, &mut |_, ruling| end = ruling).await;
    match end {
        Ruling::Done(_) => Ok(()),
        Ruling::Failed(reason) | Ruling::Unknown(reason) => Err(reason),
        Ruling::NotStarted => Err("it was not sent".to_owned()),
    }
}

/// The sensors that should be heard, by EUI: name and period.
struct Expected(BTreeMap<Eui, (String, Option<Duration>)>);

impl Expected {
    fn of(workspace: &Workspace, gateway: &str) -> Self {
        let sensors = workspace.inventory().sensors_of(gateway);
        let one = |(name, sensor): (&str, &At<crate::inventory::Sensor>)| {
            let period = sensor.period.as_ref().map(|period| Duration::from_secs(period.as_secs()));
            (sensor.dev_eui.0, (name.to_owned(), period))
        };
        Self(sensors.map(one).collect())
    }

    /// Two of the longest period and a little, within reason.
    fn wait(&self) -> Duration {
        let longest = self.0.values().map(|(_, period)| period.unwrap_or(PERIOD_UNKNOWN)).max();
        (longest.unwrap_or_default() * 2 + WAIT_MORE).min(WAIT_MAX)
    }

    /// Those not heard: neither lately, nor anew since `first` was read. A gateway's clock may be wrong: what
    /// changes on it counts too.
    fn silent(&self, first: &LastUplinks, seen: &LastUplinks, now: Timestamp) -> Vec<Silent> {
        let silent = |(eui, (name, period)): (&Eui, &(String, Option<Duration>))| {
            let last = seen.get(eui).copied().flatten();
            let lately = SignedDuration::try_from(period.unwrap_or(PERIOD_UNKNOWN) * 2).unwrap_or_default();
            let heard = last.is_some_and(|last| {
                first.get(eui).copied().flatten() != Some(last) || now.duration_since(last) <= lately
            });
            (!heard).then(|| Silent { sensor: name.clone(), since: last.map(|last| last.to_string()) })
        };
        let mut silent: Vec<Silent> = self.0.iter().filter_map(silent).collect();
        silent.sort_by(|a, b| a.sensor.cmp(&b.sensor));
        silent
    }
}

struct Listening<'a> {
    workspace: &'a Workspace,
    gateway: &'a Gateway,
    target: &'a Target,
    links: &'a Links,
    watch: &'a dyn Watch,
}

impl Listening<'_> {
    async fn look(&self) -> Result<LastUplinks, String> {
        let line = line(self.workspace, self.target, self.links).await?;
        let seen = uplinks::ask(self.gateway, line.reading()).await;
        if seen.is_err() {
            self.links.drop_lost().await;
        }
        seen
    }

    /// Waits until all are heard or the time is over. One look that fails is no end: the next may be good.
    async fn until_heard(
        &self,
        expected: &Expected,
        wait: Duration,
        now: Timestamp,
    ) -> Result<Vec<Silent>, String> {
        let begin = Instant::now();
        let mut first = None;
        let mut pause = LOOKS[0];
        loop {
            let passed = begin.elapsed();
            let now = SignedDuration::try_from(passed)
                .map_or(now, |passed| now.saturating_add(passed).unwrap_or(now));
            let looked = self.look().await;
            let over = passed >= wait;
            match looked {
                Ok(seen) => {
                    let silent = expected.silent(first.get_or_insert_with(|| seen.clone()), &seen, now);
                    if silent.is_empty() || over {
                        return Ok(silent);
                    }
                    self.tell(&silent, passed, wait);
                }
                Err(fault) if over => return Err(fault),
                Err(fault) => self.watch.event(Event::Waiting(self.target.clone(), fault)),
            }
            tokio::time::sleep(pause.min(wait.saturating_sub(begin.elapsed()))).await;
            pause = (pause * 3 / 2).min(LOOKS[1]);
        }
    }

    fn tell(&self, silent: &[Silent], passed: Duration, wait: Duration) {
        let names: Vec<&str> = silent.iter().take(3).map(|one| one.sensor.as_str()).collect();
        let more = if silent.len() > 3 { format!(" and {} more", silent.len() - 3) } else { String::new() };
        let words =
            format!("waiting for {}{more}, {} of {} s", names.join(", "), passed.as_secs(), wait.as_secs());
        self.watch.event(Event::Waiting(self.target.clone(), words));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALL: &str = "0018b21000004a2f";

    fn expected(period: Option<u64>) -> Expected {
        let sensor = ("pool-hall".to_owned(), period.map(Duration::from_secs));
        Expected(BTreeMap::from([(HALL.parse().unwrap(), sensor)]))
    }

    fn seen(last: Option<&str>) -> LastUplinks {
        LastUplinks::from([(HALL.parse().unwrap(), last.map(|last| last.parse().unwrap()))])
    }

    #[test]
    fn heard_is_lately_or_anew() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let silent = |first: &LastUplinks, last: &LastUplinks| expected(Some(600)).silent(first, last, now);
        let lately = seen(Some("2026-03-01T11:45:00Z"));
        assert_eq!(silent(&lately, &lately), []);
        let long_ago = seen(Some("2026-03-01T09:00:00Z"));
        let since = Some("2026-03-01T09:00:00Z".to_owned());
        assert_eq!(silent(&long_ago, &long_ago), [Silent { sensor: "pool-hall".into(), since }]);
        // The gateway's clock is years off; its last uplink is another than at the beginning.
        assert_eq!(silent(&seen(None), &seen(Some("1970-01-01T00:10:00Z"))), []);
        for never in [seen(None), LastUplinks::new()] {
            assert_eq!(silent(&never, &never), [Silent { sensor: "pool-hall".into(), since: None }]);
        }
    }

    #[test]
    fn the_wait_follows_the_longest_period_within_reason() {
        assert_eq!(expected(Some(600)).wait(), Duration::from_secs(1260));
        assert_eq!(expected(Some(86_400)).wait(), WAIT_MAX);
        assert_eq!(expected(None).wait(), WAIT_MAX);
    }
}
