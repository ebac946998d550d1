//! Writes a PBX: a backup of its own first, then what others are to have is given up, then what is to be made so
//! that others can refer to it, then the rest of each object, then deletes, then phones are told. Each object is
//! read right before its write and left alone when a person changed it since the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::directory::{Directory, SYSTEM};
use super::kind::{Identity, Kind, Made};
use super::observe::seen;
use super::{conflicts, fault, kinds, references};
use crate::model::{Action, Change, Fields, Key, Origin, Outcome, Report, Value};
use crate::plan::same;
use crate::providers::Job;
use crate::transport::Writing;
use crate::transport::http::{HttpFault, Method};

mod let_go;
mod settle;

/// Does the changes.
pub async fn apply(job: Job<'_>, hand: Writing<'_>, report: &mut dyn Report, root: &Path) {
    if let Err(reason) = back_up(&job, hand, report).await {
        for change in job.changes {
            report.step(&change.address, Outcome::NotStarted(format!("no backup, no change: {reason}")));
        }
        return;
    }
    let directory = Directory::of(job.wish, job.observed);
    let mut work = Work {
        job: &job,
        hand,
        root,
        directory,
        made: BTreeMap::new(),
        let_go: BTreeMap::new(),
        unfinished: BTreeSet::new(),
        phones: Vec::new(),
        new_phones: Vec::new(),
    };
    work.give_up(report).await;
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
    let tries = match hand.send(Method::Post, "/xapi/v1/Backups/Pbx.Backup", Some(&body)).await {
        Ok(_) => BACKUP_TRIES,
        // It may have been begun, or not: it is there by now, or it is not waited for.
        Err(fault) if fault.is_unknown() => 1,
        Err(fault) => return Err(fault::read(&fault)),
    };
    for pause in std::iter::once(Duration::ZERO).chain(std::iter::repeat_n(BACKUP_PAUSE, tries)) {
        tokio::time::sleep(pause).await;
        let listed = hand.reading().get("/xapi/v1/Backups?$top=100&$select=FileName").await;
        let listed = listed.map_err(|fault| fault::read(&fault))?;
        let mut files = listed.body["value"].as_array().into_iter().flatten();
        if files.any(|row| row["FileName"].as_str().is_some_and(|file| file.contains(name))) {
            report.say(&format!("backup {name} made; to put it back: rocade pbx restore {target} {name}"));
            return Ok(());
        }
    }
    Err(format!("the backup {name} was asked for and is not listed"))
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
    /// Objects made in the first pass, by the position of their change, and the fields they still need.
    made: BTreeMap<usize, Fields>,
    /// What objects let go of before others could have it or go, as it is on the PBX now.
    let_go: BTreeMap<Key, Fields>,
    /// Objects whose change did not come to a good end.
    unfinished: BTreeSet<Key>,
    /// MAC addresses of phones whose settings changed.
    phones: Vec<String>,
    /// Phones that this PBX never had.
    new_phones: Vec<String>,
}

fn kind_of(change: &Change) -> Option<&'static dyn Kind> {
    kinds().iter().copied().find(|kind| kind.collection() == change.address.key.collection)
}

impl Work<'_> {
    fn origin(&self, change: &Change) -> Origin {
        let resource = self.job.wish.resources.get(&change.address.key);
        resource.map(|resource| resource.origin.clone()).unwrap_or_default()
    }

    /// The end of a change that was refused.
    fn failed(&self, kind: &dyn Kind, change: &Change, fault: &HttpFault) -> Outcome {
        Outcome::Failed(fault::written(kind, &self.origin(change), fault))
    }

    /// Notes and reports how a change ended.
    fn end(&mut self, change: &Change, outcome: Outcome, report: &mut dyn Report) {
        if outcome != Outcome::Done {
            self.unfinished.insert(change.address.key.clone());
        }
        report.step(&change.address, outcome);
    }

    /// Why a change cannot be tried: it refers to what could not be read.
    fn untried(&self, change: &Change) -> Option<Outcome> {
        let own = references::of(change.after.as_ref()?);
        let unread = &self.job.observed.unread;
        let lost = own.into_iter().find_map(|reference| {
            let is_it = |name: &Option<String>| name.as_deref().is_none_or(|name| name == reference.to.name);
            let found = unread.iter().find(|entry| {
                entry.collection.as_deref() == Some(&*reference.to.collection) && is_it(&entry.name)
            });
            found.map(|entry| {
                format!("{} could not be read: {}", conflicts::named(&reference.to), entry.reason)
            })
        });
        lost.map(Outcome::NotStarted)
    }

    /// First pass: what is not there is made, so that everything can refer to it.
    async fn make_all(&mut self, report: &mut dyn Report) {
        let job = self.job;
        for (index, change) in job.changes.iter().enumerate() {
            if change.action != Action::Create {
                continue;
            }
            let Some(kind) = kind_of(change) else { continue };
            let made = match self.untried(change) {
                Some(outcome) => Err(outcome),
                None => self.make(kind, change).await,
            };
            match made {
                Ok(left) => {
                    self.made.insert(index, left);
                }
                Err(outcome) => self.end(change, outcome, report),
            }
        }
    }

    /// Makes an object. Gives the fields that are still to be written.
    async fn make(&mut self, kind: &'static dyn Kind, change: &Change) -> Result<Fields, Outcome> {
        match self.send_new(kind, change).await {
            Err(Made::Unmade(reason)) => Err(Outcome::Failed(reason)),
            Err(Made::Fault(fault)) if fault.is_unknown() => self.find_made(kind, change, &fault).await,
            Err(Made::Fault(fault)) => Err(self.failed(kind, change, &fault)),
            // An emergency rule is made and answered with nothing.
            Ok(entity) if entity.is_null() => {
                let fault = HttpFault::Broken("the PBX answered with nothing".to_owned());
                self.find_made(kind, change, &fault).await
            }
            Ok(entity) => {
                let name = change.address.key.name.as_str();
                // An answer to a POST has no navigations, and some kinds are known by those.
                let identity = kind.identify(&entity, &self.directory);
                let identity = identity.or_else(|| Identity::numbered(name.to_owned(), &entity));
                let mut identity = identity.ok_or_else(|| {
                    Outcome::Unknown("the PBX answered with something else than what was made".into())
                })?;
                identity.name = name.to_owned();
                self.directory.learn(kind.collection(), &identity);
                let mut left = self.job.wished(change).clone();
                left.retain(|field, _| !kind.created_with().contains(&field.as_str()));
                Ok(left)
            }
        }
    }

    /// Sends what makes an object. Gives the answer.
    async fn send_new(&self, kind: &'static dyn Kind, change: &Change) -> Result<Json, Made> {
        let name = change.address.key.name.as_str();
        let wished = self.job.wished(change);
        match kind.make(name, wished, &self.directory, self.root, self.hand) {
            Some(making) => making.await,
            None => {
                let body = kind.create(name, wished, &self.directory).map_err(Made::Unmade)?;
                let path = format!("/xapi/v1/{}", kind.set());
                let answer = self.hand.send(Method::Post, &path, Some(&body)).await;
                answer.map(|answer| answer.body).map_err(Made::Fault)
            }
        }
    }

    /// Second pass: the fields.
    async fn change_all(&mut self, report: &mut dyn Report) {
        let job = self.job;
        for (index, change) in job.changes.iter().enumerate() {
            let Some(kind) = kind_of(change) else { continue };
            let outcome = match (change.action, self.made.get(&index).cloned(), &change.after) {
                (Action::Create, Some(left), _) => self.change(kind, change, &left, false).await,
                (Action::Update, _, Some(_)) if self.unfinished.contains(&change.address.key) => continue,
                (Action::Update, _, Some(fields)) => match self.untried(change) {
                    Some(outcome) => outcome,
                    None => self.change(kind, change, fields, true).await,
                },
                _ => continue,
            };
            self.end(change, outcome, report);
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
            Err(Outcome::NotStarted(reason)) if !was_there => {
                return Outcome::Failed(format!("it was made, and not all of it was written: {reason}"));
            }
            Err(outcome) => return outcome,
        };
        let body = match kind.change(name, fields, &entity, &self.directory) {
            Ok(body) => body,
            Err(reason) => return Outcome::Failed(format!("{reason}{}", at(&self.origin(change).whole))),
        };
        let Some(path) = self.path(kind, name) else { return Outcome::Failed("it is not on the PBX".into()) };
        let outcome = match self.hand.send(Method::Patch, &path, Some(&body)).await {
            Ok(_) => Outcome::Done,
            Err(fault) if fault.is_unknown() => {
                self.settle_change(kind, change, fields, &entity, &fault).await
            }
            Err(fault) => self.failed(kind, change, &fault),
        };
        if outcome == Outcome::Done && kind.collection() == "extension" {
            self.note_phones(change, fields);
        }
        outcome
    }

    /// Notes the phones that have something new to fetch, and those that this PBX never had.
    fn note_phones(&mut self, change: &Change, fields: &Fields) {
        let seen = &self.job.observed.resources;
        self.phones.extend(told(fields, self.job.wished(change), seen.get(&change.address.key)));
        let Some(Value::List(phones)) = fields.get("phones") else { return };
        let known = seen.values().filter_map(|fields| match fields.get("phones") {
            Some(Value::List(phones)) => Some(phones),
            _ => None,
        });
        let known: BTreeSet<String> = known.flatten().filter_map(conflicts::mac).collect();
        let new = phones.iter().filter_map(conflicts::mac).filter(|mac| !known.contains(mac));
        self.new_phones.extend(new.map(|mac| format!("{mac} ({})", conflicts::named(&change.address.key))));
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
        let then = self.seen(&change.address.key);
        let (Some(now), Some(then)) = (now, then) else {
            let reason = "it is no longer what the plan saw; it was left as it is, plan again";
            return Err(Outcome::Failed(reason.to_owned()));
        };
        let moved = moved(&then, &now);
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

    /// What was seen of an object, with what it let go of since.
    fn seen(&self, key: &Key) -> Option<Fields> {
        let mut seen = self.job.observed.resources.get(key)?.clone();
        seen.extend(self.let_go.get(key).cloned().unwrap_or_default());
        Some(seen)
    }

    /// Deletes, what refers to others first. What something still refers to is left.
    async fn delete_all(&mut self, report: &mut dyn Report) {
        self.part(report).await;
        let job = self.job;
        for change in job.changes.iter().filter(|change| change.action == Action::Delete) {
            let Some(kind) = kind_of(change) else { continue };
            if self.unfinished.contains(&change.address.key) {
                continue;
            }
            let outcome = match self.holder(&change.address.key) {
                Some(holder) => Outcome::NotStarted(format!(
                    "{} still leads to it and was not changed",
                    conflicts::named(&holder)
                )),
                None => self.delete(kind, change).await,
            };
            self.end(change, outcome, report);
        }
    }

    async fn delete(&self, kind: &'static dyn Kind, change: &Change) -> Outcome {
        if let Err(outcome) = self.read(kind, change, true).await {
            return outcome;
        }
        let Some(path) = self.path(kind, &change.address.key.name) else { return Outcome::Done };
        match self.hand.send(Method::Delete, &path, None).await {
            Ok(_) | Err(HttpFault::Status { status: 404, .. }) => Outcome::Done,
            Err(fault) if fault.is_unknown() => self.settle_delete(kind, &path, &fault).await,
            Err(fault) => self.failed(kind, change, &fault),
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
        for phone in self.new_phones.drain(..) {
            report.say(&format!(
                "phone {phone}: reset it before its first provisioning if it was used elsewhere"
            ));
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
