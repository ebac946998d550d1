//! Writes a PBX: a backup of its own first, then what is to be made so that others can refer to it, then the
//! rest of each object, then phones are told. Each object is read right before its write and left alone when
//! a person changed it since the plan.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::directory::{Directory, SYSTEM};
use super::kind::{Identity, Kind, Made};
use super::observe::seen;
use super::{fault, kinds};
use crate::model::{Action, Change, Fields, Origin, Outcome, Report, Value};
use crate::plan::same;
use crate::providers::Job;
use crate::transport::Writing;
use crate::transport::http::{HttpFault, Method};

/// Does the changes.
pub async fn apply(job: Job<'_>, hand: Writing<'_>, report: &mut dyn Report, root: &Path) {
    if let Err(reason) = back_up(&job, hand, report).await {
        for change in job.changes {
            report.step(&change.address, Outcome::NotStarted(format!("no backup, no change: {reason}")));
        }
        return;
    }
    let directory = Directory::of(job.wish, job.observed);
    let mut work = Work { job: &job, hand, root, directory, made: BTreeSet::new(), phones: Vec::new() };
    work.make_all(report).await;
    work.change_all(report).await;
    work.delete_all(report).await;
    work.tell_phones(report).await;
}

/// The PBX's own backup, named after this apply.
async fn back_up(job: &Job<'_>, hand: Writing<'_>, report: &mut dyn Report) -> Result<(), String> {
    let name = job.apply;
    let target = &job.wish.target.name;
    let may = hand.reading().get("/xapi/v1/Backups/Pbx.GetCanCreateBackup()").await;
    let may = may.map_err(|fault| fault::read(&fault))?;
    if may.body["value"] == false {
        return Err("the PBX cannot make a backup now (one is being made, or there is no room)".to_owned());
    }
    let contents = json!({
        "CallHistory": false, "Recordings": false, "VoiceMails": false, "Prompts": true,
        "PhoneProvisioning": true, "License": true, "FQDN": true,
    });
    let body = json!({"description": {"Name": name, "Contents": contents}});
    let sent = hand.send(Method::Post, "/xapi/v1/Backups/Pbx.Backup", Some(&body)).await;
    sent.map_err(|fault| fault::read(&fault))?;
    for pause in std::iter::once(Duration::ZERO).chain(std::iter::repeat_n(BACKUP_PAUSE, BACKUP_TRIES)) {
        tokio::time::sleep(pause).await;
        let listed = hand.reading().get("/xapi/v1/Backups?$top=100&$select=FileName").await;
        let listed = listed.map_err(|fault| fault::read(&fault))?;
        let mut files = listed.body["value"].as_array().into_iter().flatten();
        if files.any(|row| row["FileName"].as_str().is_some_and(|file| file.contains(name))) {
            report.say(&format!("backup {name} made; to put it back: rocade pbx restore {target} {name}"));
            return Ok(());
        }
    }
    Err(format!("the backup {name} was asked for and is not listed after minutes"))
}

/// How often and how far apart it is looked whether a backup is done: five minutes in all.
const BACKUP_PAUSE: Duration = Duration::from_secs(2);
const BACKUP_TRIES: usize = 150;

/// One apply under way.
struct Work<'a> {
    job: &'a Job<'a>,
    hand: Writing<'a>,
    root: &'a Path,
    directory: Directory,
    /// Objects made in the first pass, by the position of their change.
    made: BTreeSet<usize>,
    /// MAC addresses of phones whose settings changed.
    phones: Vec<String>,
}

fn kind_of(change: &Change) -> Option<&'static dyn Kind> {
    kinds().iter().copied().find(|kind| kind.collection() == change.address.key.collection)
}

impl Work<'_> {
    fn origin(&self, change: &Change) -> Origin {
        let resource = self.job.wish.resources.get(&change.address.key);
        resource.map(|resource| resource.origin.clone()).unwrap_or_default()
    }

    /// The end of a change that failed.
    fn failed(&self, kind: &dyn Kind, change: &Change, fault: &HttpFault) -> Outcome {
        let words = fault::written(kind, &self.origin(change), fault);
        if fault.is_unknown() { Outcome::Unknown(words) } else { Outcome::Failed(words) }
    }

    /// First pass: what is not there is made, so that everything can refer to it.
    async fn make_all(&mut self, report: &mut dyn Report) {
        let job = self.job;
        for (index, change) in job.changes.iter().enumerate() {
            if change.action != Action::Create {
                continue;
            }
            let Some(kind) = kind_of(change) else { continue };
            match self.make(kind, change).await {
                Ok(()) => {
                    self.made.insert(index);
                }
                Err(outcome) => report.step(&change.address, outcome),
            }
        }
    }

    async fn make(&mut self, kind: &'static dyn Kind, change: &Change) -> Result<(), Outcome> {
        let name = change.address.key.name.as_str();
        let wished = self.job.wished(change);
        let entity = match kind.make(name, wished, &self.directory, self.root, self.hand) {
            Some(making) => making.await.map_err(|made| match made {
                Made::Unmade(reason) => Outcome::Failed(reason),
                Made::Fault(fault) => self.failed(kind, change, &fault),
            })?,
            None => {
                let body = kind.create(name, wished, &self.directory).map_err(Outcome::Failed)?;
                let path = format!("/xapi/v1/{}", kind.set());
                let answer = self.hand.send(Method::Post, &path, Some(&body)).await;
                answer.map_err(|fault| self.failed(kind, change, &fault))?.body
            }
        };
        let entity = if entity.is_null() { self.find(kind, name).await? } else { entity };
        // An answer to a POST has no navigations, and some kinds are known by those.
        let identity = kind.identify(&entity, &self.directory);
        let identity = identity.or_else(|| Identity::numbered(name.to_owned(), &entity));
        let mut identity = identity.ok_or_else(|| {
            Outcome::Unknown("the PBX answered with something else than what was made".into())
        })?;
        identity.name = name.to_owned();
        self.directory.learn(kind.collection(), &identity);
        Ok(())
    }

    /// An object that was made and not answered with: an emergency rule.
    async fn find(&self, kind: &dyn Kind, name: &str) -> Result<Json, Outcome> {
        let path = "/xapi/v1/OutboundRules/Pbx.GetEmergencyOutboundRules()";
        let unknown = || Outcome::Unknown("it was made and is not found".to_owned());
        let answer = self.hand.reading().get(path).await.map_err(|_| unknown())?;
        let rows = answer.body["value"].as_array().into_iter().flatten();
        let mut own = rows
            .filter(|row| kind.identify(row, &self.directory).is_some_and(|identity| identity.name == name));
        own.next().cloned().ok_or_else(unknown)
    }

    /// Second pass: the fields.
    async fn change_all(&mut self, report: &mut dyn Report) {
        let job = self.job;
        for (index, change) in job.changes.iter().enumerate() {
            let Some(kind) = kind_of(change) else { continue };
            let outcome = match change.action {
                Action::Create if self.made.contains(&index) => {
                    let all = self.job.wished(change);
                    let given = kind.created_with();
                    let left: Fields = all
                        .iter()
                        .filter(|(field, _)| !given.contains(&field.as_str()))
                        .map(|(field, value)| (field.clone(), value.clone()))
                        .collect();
                    self.change(kind, change, &left, false).await
                }
                Action::Update => match &change.after {
                    Some(fields) => self.change(kind, change, fields, true).await,
                    None => Outcome::Done,
                },
                _ => continue,
            };
            report.step(&change.address, outcome);
        }
    }

    /// Gives an object these fields in one write.
    async fn change(
        &mut self,
        kind: &'static dyn Kind,
        change: &Change,
        fields: &Fields,
        was_there: bool,
    ) -> Outcome {
        if fields.is_empty() {
            return Outcome::Done;
        }
        let name = change.address.key.name.as_str();
        let entity = match self.read(kind, change, was_there).await {
            Ok(entity) => entity,
            Err(outcome) => return outcome,
        };
        let body = match kind.change(name, fields, &entity, &self.directory) {
            Ok(body) => body,
            Err(reason) => return Outcome::Failed(format!("{reason}{}", at(&self.origin(change).whole))),
        };
        let Some(path) = self.path(kind, name) else { return Outcome::Failed("it is not on the PBX".into()) };
        match self.hand.send(Method::Patch, &path, Some(&body)).await {
            Ok(_) => {
                if kind.collection() == "extension" {
                    let before = self.job.observed.resources.get(&change.address.key);
                    self.phones.extend(told(fields, self.job.wished(change), before));
                }
                Outcome::Done
            }
            Err(fault) => self.failed(kind, change, &fault),
        }
    }

    fn path(&self, kind: &dyn Kind, name: &str) -> Option<String> {
        let key = self.directory.key(kind.collection(), name)?;
        if kind.is_single() {
            return Some(format!("/xapi/v1/{}", kind.set()));
        }
        Some(format!("/xapi/v1/{}({key})", kind.set()))
    }

    /// Reads an object right before its write and holds it against what the plan saw.
    async fn read(&self, kind: &'static dyn Kind, change: &Change, was_there: bool) -> Result<Json, Outcome> {
        let name = change.address.key.name.as_str();
        let Some(path) = self.path(kind, name) else {
            return Err(Outcome::Failed("it is not on the PBX".to_owned()));
        };
        let path = format!("{path}?{}", kind.query(self.patch()));
        let answer = self.hand.reading().get(&path).await.map_err(|fault| {
            if change.action == Action::Delete && matches!(fault, HttpFault::Status { status: 404, .. }) {
                return Outcome::Done;
            }
            Outcome::NotStarted(format!(
                "it could not be read right before its write: {}",
                fault::read(&fault)
            ))
        })?;
        if !was_there {
            return Ok(answer.body);
        }
        let identity = kind.identify(&answer.body, &self.directory);
        let now = identity.map(|identity| seen(kind, &identity, &answer.body, &self.directory));
        let then = self.job.observed.resources.get(&change.address.key);
        let (Some(now), Some(then)) = (now, then) else {
            let reason = "it is no longer what the plan saw; it was left as it is, plan again";
            return Err(Outcome::Failed(reason.to_owned()));
        };
        let moved = moved(then, &now);
        if !moved.is_empty() {
            return Err(Outcome::Failed(format!(
                "a person changed {} since the plan; it was left as it is, plan again{}",
                moved.join(", "),
                at(&self.origin(change).whole)
            )));
        }
        Ok(answer.body)
    }

    fn patch(&self) -> u16 {
        let licence = self.job.observed.resources.get(&crate::model::Key::new(SYSTEM, "licence"));
        match licence.and_then(|fields| fields.get("patch")) {
            Some(Value::Int(patch)) => u16::try_from(*patch).unwrap_or(u16::MAX),
            _ => 0,
        }
    }

    async fn delete_all(&mut self, report: &mut dyn Report) {
        let job = self.job;
        for change in job.changes.iter().filter(|change| change.action == Action::Delete) {
            let Some(kind) = kind_of(change) else { continue };
            let outcome = match self.read(kind, change, true).await {
                Err(outcome) => outcome,
                Ok(_) => match self.path(kind, &change.address.key.name) {
                    None => Outcome::Done,
                    Some(path) => match self.hand.send(Method::Delete, &path, None).await {
                        Ok(_) | Err(HttpFault::Status { status: 404, .. }) => Outcome::Done,
                        Err(fault) => self.failed(kind, change, &fault),
                    },
                },
            };
            report.step(&change.address, outcome);
        }
    }

    /// Phones whose settings changed fetch them anew, each once. A phone that does not is no failure of the
    /// change: it asks again by itself.
    async fn tell_phones(&mut self, report: &mut dyn Report) {
        let phones: BTreeSet<String> = self.phones.drain(..).collect();
        for mac in phones {
            let body = json!({"mac": mac});
            if let Err(fault) =
                self.hand.send(Method::Post, "/xapi/v1/Users/Pbx.ReprovisionPhone", Some(&body)).await
            {
                report
                    .say(&format!("phone {mac} was not told to fetch its settings: {}", fault::read(&fault)));
            }
        }
    }
}

fn at(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" ({place})") }
}

/// The fields that two looks at an object differ in.
fn moved<'a>(then: &'a Fields, now: &'a Fields) -> Vec<&'a str> {
    let equal = |field: &str| match (then.get(field), now.get(field)) {
        // A map is the same as one with more in it, so both ways are asked.
        (Some(then), Some(now)) => same(then, now) && same(now, then),
        _ => false,
    };
    let all: BTreeSet<&str> = then.keys().chain(now.keys()).map(String::as_str).collect();
    all.into_iter().filter(|field| !equal(field)).collect()
}

/// The phones that have something new to fetch: all of an extension whose keys changed, else those that
/// changed themselves. As the PBX writes their MAC addresses.
fn told(changed: &Fields, wished: &Fields, before: Option<&Fields>) -> Vec<String> {
    let list = |fields: Option<&Fields>| match fields.and_then(|fields| fields.get("phones")) {
        Some(Value::List(phones)) => phones.clone(),
        _ => Vec::new(),
    };
    let before = list(before);
    let phones = if wished.contains_key("phones") { list(Some(wished)) } else { before.clone() };
    let keys = changed.contains_key("blf");
    let is_new = |phone: &&Value| !before.iter().any(|known| same(phone, known));
    let concerned = phones.iter().filter(|phone| keys || changed.contains_key("phones") && is_new(phone));
    let mac = |phone: &Value| match phone {
        Value::Map(fields) => Some(fields.get("mac")?.as_text()?.replace(':', "").to_uppercase()),
        _ => None,
    };
    concerned.filter_map(mac).collect()
}
