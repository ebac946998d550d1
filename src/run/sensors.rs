//! Which sensors are heard: all chosen gateways asked at once, each in one exec, held against the inventory.
//! Nothing is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::workspace::{Refused, Workspace};
use super::{Event, Finding, Links, PARALLEL_TARGETS, Watch};
use crate::inventory::Inventory;
use crate::model::{Eui, Period, Target};
use crate::plan::Scope;
use crate::providers::Site;
use crate::providers::conduit::heard::{self, Heard, Roll, State};

/// A gateway's clock may be so many seconds off before it is said.
const CLOCK_TOLERANCE_S: i64 = 60;

/// Tells the time; only the command line knows how.
pub type Clock = fn() -> Timestamp;

/// What was heard.
#[derive(Debug)]
pub struct Sensors {
    /// The sensors chosen, those that need a look first: silent, never heard, not read, heard; then by name.
    pub sensors: Vec<SensorLine>,
    /// What the chosen gateways heard of sensors that the inventory does not give them.
    pub strangers: Vec<Stranger>,
    /// The chosen gateways.
    pub gateways: Vec<GatewayLine>,
}

/// A sensor of the inventory.
#[derive(Debug)]
pub struct SensorLine {
    /// Its name.
    pub name: String,
    /// The gateway it belongs to.
    pub gateway: String,
    /// Its DevEUI.
    pub dev_eui: Eui,
    /// The time zone of its site, when the inventory names one.
    pub timezone: Option<String>,
    /// The period the inventory declares.
    pub declared: Option<Period>,
    /// The period expected: the declared one, else the one it reports.
    pub expected: Option<Period>,
    /// How it does.
    pub state: State,
    /// What is known of it.
    pub heard: Heard,
    /// How many seconds ago it was last heard, by the gateway's clock.
    pub age: Option<u64>,
}

/// A sensor that is heard and not in the inventory, or not at this gateway.
#[derive(Debug)]
pub struct Stranger {
    /// The gateway that hears it.
    pub gateway: String,
    /// Its DevEUI.
    pub dev_eui: Eui,
    /// The time zone of the gateway's site, when the inventory names one.
    pub timezone: Option<String>,
    /// The sensor of the inventory with this DevEUI and its gateway: it belongs there.
    pub belongs: Option<(String, String)>,
    /// What is known of it.
    pub heard: Heard,
}

/// A gateway that was asked.
#[derive(Debug)]
pub struct GatewayLine {
    /// Its name.
    pub name: String,
    /// What it answered; or why nothing of it could be read.
    pub roll: Result<Roll, String>,
    /// By how many seconds its clock is ahead of this machine's (behind: below 0), when it is off.
    pub clock_off: Option<i64>,
}

impl SensorLine {
    /// Whether it reports another period than the inventory declares.
    pub fn differs(&self) -> bool {
        match (&self.heard.reports, self.declared) {
            (Some(reports), Some(declared)) => reports.sending != declared,
            _ => false,
        }
    }
}

impl Sensors {
    /// Whether every sensor is heard and everything could be read.
    pub fn is_good(&self) -> bool {
        let read = |gateway: &GatewayLine| gateway.roll.as_ref().is_ok_and(|roll| roll.unread().is_empty());
        self.sensors.iter().all(|sensor| sensor.state == State::Heard) && self.gateways.iter().all(read)
    }
}

/// What was chosen: gateways as targets, and sensors by name (or `sensor/NAME`).
struct Chosen<'a> {
    inventory: &'a Inventory,
    gateways: Vec<Site>,
    /// The sensors named; all when empty and no gateway was named.
    named: BTreeSet<&'a str>,
    except: BTreeSet<&'a str>,
    /// The names that choose a gateway with all its sensors.
    whole: Vec<String>,
}

impl<'a> Chosen<'a> {
    fn of(workspace: &'a Workspace, scope: &Scope) -> Result<Self, Refused> {
        let inventory = workspace.inventory();
        let sensor = |name: &String| -> Option<&'a str> {
            let bare = name.strip_prefix("sensor/").unwrap_or(name);
            let (own, _) = inventory.sensors.get_key_value(bare)?;
            (bare != name || !inventory.gateways.contains_key(bare)).then_some(own)
        };
        let named: BTreeSet<&str> = scope.names.iter().filter_map(sensor).collect();
        let whole: Vec<String> = scope.names.iter().filter(|name| sensor(name).is_none()).cloned().collect();
        let owners = named.iter().map(|name| format!("gateway/{}", *inventory.sensors[*name].gateway));
        let targets = Scope {
            names: whole.iter().cloned().chain(owners).collect(),
            only: scope.only.clone(),
            except: scope.except.iter().filter(|name| sensor(name).is_none()).cloned().collect(),
            shard: scope.shard,
        };
        let sites = workspace.sites(&targets)?.into_iter().map(|(site, _)| site);
        let gateways = sites.filter(|site| inventory.gateways.contains_key(&site.target.name));
        let gateways = gateways.filter(|site| site.target.kind == "gateway").collect();
        let except = scope.except.iter().filter_map(sensor).collect();
        Ok(Self { inventory, gateways, named, except, whole })
    }

    /// Whether all of a gateway is chosen.
    fn has_all_of(&self, gateway: &str) -> bool {
        let called = |name: &String| name == gateway || name.strip_prefix("gateway/") == Some(gateway);
        self.named.is_empty() || self.whole.iter().any(called)
    }

    fn has(&self, gateway: &str, sensor: &str) -> bool {
        !self.except.contains(sensor) && (self.has_all_of(gateway) || self.named.contains(sensor))
    }
}

/// Asks the gateways chosen. A sensor is chosen by its name, or with its gateway.
///
/// # Errors
/// When the choice fits nothing. A gateway that cannot be read is no error: it is named in the answer.
pub async fn sensors(
    workspace: &Arc<Workspace>,
    scope: &Scope,
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
    clock: Clock,
) -> Result<Sensors, Refused> {
    let chosen = Chosen::of(workspace, scope)?;
    let gateways = rolls(workspace, &chosen.gateways, links, watch, clock).await;
    let mut sensors: Vec<SensorLine> =
        gateways.iter().flat_map(|gateway| own_lines(&chosen, gateway)).collect();
    sensors.sort_by(|a, b| (rank(&a.state), &a.name).cmp(&(rank(&b.state), &b.name)));
    let whole = gateways.iter().filter(|gateway| chosen.has_all_of(&gateway.name));
    let strangers = whole.flat_map(|gateway| strangers(chosen.inventory, gateway)).collect();
    Ok(Sensors { sensors, strangers, gateways })
}

fn rank(state: &State) -> u8 {
    match state {
        State::Silent => 0,
        State::Never => 1,
        State::Unread(_) => 2,
        State::Heard => 3,
    }
}

/// Asks gateways, at most [`PARALLEL_TARGETS`] at a time; one that hangs holds up no other.
async fn rolls(
    workspace: &Arc<Workspace>,
    gateways: &[Site],
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
    clock: Clock,
) -> Vec<GatewayLine> {
    let places = Arc::new(Semaphore::new(PARALLEL_TARGETS));
    let mut tasks = JoinSet::new();
    for site in gateways.iter().cloned() {
        let (workspace, links, watch) = (Arc::clone(workspace), Arc::clone(links), Arc::clone(watch));
        let places = Arc::clone(&places);
        tasks.spawn(async move {
            // The semaphore is never closed; without a permit the gateway is merely asked at once.
            let _place = places.acquire().await.ok();
            watch.event(Event::Reading(site.target.clone()));
            let before = clock();
            let roll = roll(&workspace, &site, &links).await;
            watch.event(Event::Read(site.target.clone(), roll.as_ref().err().cloned()));
            let told = roll.as_ref().ok().and_then(|roll| roll.clock.as_ref().ok());
            let clock_off = told.and_then(|told| off(*told, before, clock()));
            GatewayLine { name: site.target.name, roll, clock_off }
        });
    }
    let mut lines = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        lines.extend(ended);
    }
    for site in gateways {
        // A task that panicked must not make its gateway look empty.
        if lines.iter().all(|line: &GatewayLine| line.name != site.target.name) {
            let roll = Err("rocade failed while reading it; please report this".to_owned());
            lines.push(GatewayLine { name: site.target.name.clone(), roll, clock_off: None });
        }
    }
    lines.sort_by(|a, b| a.name.cmp(&b.name));
    lines
}

async fn roll(workspace: &Workspace, site: &Site, links: &Links) -> Result<Roll, String> {
    let name = &site.target.name;
    let gateway = workspace.inventory().gateways.get(name);
    let gateway = gateway.ok_or_else(|| format!("the inventory has no gateway `{name}`"))?;
    let line =
        links.open(workspace, &site.target, &site.reach).await.map_err(|fault| format!("{fault:#}"))?;
    heard::heard(gateway, line.reading()).await
}

/// By how much a clock is off that was read between two moments, when it is more than is tolerated.
fn off(told: Timestamp, before: Timestamp, after: Timestamp) -> Option<i64> {
    let behind = told.as_second() - before.as_second();
    let ahead = told.as_second() - after.as_second();
    match () {
        () if behind < -CLOCK_TOLERANCE_S => Some(behind),
        () if ahead > CLOCK_TOLERANCE_S => Some(ahead),
        () => None,
    }
}

fn timezone(inventory: &Inventory, gateway: &str) -> Option<String> {
    let site = inventory.gateways.get(gateway)?.site.as_str();
    inventory.sites.get(site)?.timezone.as_ref().map(|zone| zone.value.clone())
}

/// The chosen sensors of a gateway.
fn own_lines(chosen: &Chosen<'_>, gateway: &GatewayLine) -> Vec<SensorLine> {
    let sensors = chosen.inventory.sensors_of(&gateway.name);
    let sensors = sensors.filter(|(name, _)| chosen.has(&gateway.name, name));
    let line = |(name, sensor): (&str, &crate::inventory::At<crate::inventory::Sensor>)| {
        let (dev_eui, declared) =
            (sensor.dev_eui.value.0, sensor.period.as_ref().map(|period| period.value.0));
        let blank = SensorLine {
            name: name.to_owned(),
            gateway: gateway.name.clone(),
            dev_eui,
            timezone: timezone(chosen.inventory, &gateway.name),
            declared,
            expected: declared,
            state: State::Never,
            heard: Heard::default(),
            age: None,
        };
        match &gateway.roll {
            Ok(roll) => SensorLine {
                expected: roll.expected(dev_eui, declared),
                state: roll.state(dev_eui, declared),
                heard: roll.sensors.get(&dev_eui).cloned().unwrap_or_default(),
                age: roll.age(dev_eui),
                ..blank
            },
            Err(reason) => SensorLine { state: State::Unread(reason.clone()), ..blank },
        }
    };
    sensors.map(line).collect()
}

/// What a gateway heard of sensors that are not its own.
fn strangers(inventory: &Inventory, gateway: &GatewayLine) -> Vec<Stranger> {
    let own: BTreeSet<Eui> =
        inventory.sensors_of(&gateway.name).map(|(_, sensor)| sensor.dev_eui.value.0).collect();
    let heard = gateway.roll.iter().flat_map(|roll| &roll.sensors);
    let strange = heard.filter(|(dev_eui, heard)| !own.contains(dev_eui) && heard.last != heard::Last::Never);
    strange
        .map(|(dev_eui, heard)| Stranger {
            gateway: gateway.name.clone(),
            dev_eui: *dev_eui,
            timezone: timezone(inventory, &gateway.name),
            belongs: inventory
                .sensors
                .iter()
                .find(|(_, sensor)| sensor.dev_eui.value.0 == *dev_eui)
                .map(|(name, sensor)| (name.clone(), sensor.gateway.value.clone())),
            heard: heard.clone(),
        })
        .collect()
}

/// Holds the periods that sensors report of themselves against the declared ones. A sensor that reports none,
/// or of which none is declared, has no finding.
pub(super) async fn verify_periods(
    workspace: &Arc<Workspace>,
    gateways: &[Site],
    links: &Arc<Links>,
    watch: &Arc<dyn Watch>,
) -> Vec<Finding> {
    // No clock is needed: what sensors report of themselves has no age.
    let lines = rolls(workspace, gateways, links, watch, || Timestamp::UNIX_EPOCH).await;
    let mut findings = Vec::new();
    for line in lines {
        let target = Target::new("gateway", line.name.as_str());
        let roll = match line.roll {
            Ok(roll) => roll,
            Err(reason) => {
                let what = "its sensors send as often as declared".to_owned();
                findings.push(Finding { target, what, fault: Some(reason) });
                continue;
            }
        };
        for (name, sensor) in workspace.inventory().sensors_of(&line.name) {
            let reports = roll.sensors.get(&sensor.dev_eui.value.0).and_then(|heard| heard.reports);
            let (Some(reports), Some(declared)) = (reports, &sensor.period) else { continue };
            let declared = declared.value.0;
            let what = format!("{name} sends every {}, as declared", declared.in_words());
            let fault = (reports.sending != declared).then(|| format!("it reports {}", reports.in_words()));
            findings.push(Finding { target: target.clone(), what, fault });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_only_when_the_time_the_asking_took_does_not_explain_it() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(off(at(1000), at(1000), at(1030)), None);
        assert_eq!(off(at(940), at(1000), at(1030)), None);
        assert_eq!(off(at(1090), at(1000), at(1030)), None);
        assert_eq!(off(at(939), at(1000), at(1030)), Some(-61));
        assert_eq!(off(at(1091), at(1000), at(1030)), Some(61));
    }
}
