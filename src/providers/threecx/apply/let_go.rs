//! What must be let go of first: a thing that only one object may have and another gets, and references of
//! objects that are to go to others that go before them.

use std::collections::BTreeMap;

use super::super::conflicts::{HELD, Held};
use super::super::references;
use super::{Work, kind_of};
use crate::model::{Action, Change, Fields, Key, Outcome, Report, Value};

impl Work<'_> {
    /// Takes addresses, phones and numbers off those that lose them to another object of the same plan.
    pub(super) async fn give_up(&mut self, report: &mut dyn Report) {
        let job = self.job;
        let wished = wished(job.changes);
        for change in job.changes.iter().filter(|change| change.action != Action::Create) {
            let mut given = Fields::new();
            for held in HELD.iter().filter(|held| held.collection == change.address.key.collection) {
                given.extend(self.lost(change, held, &wished));
            }
            self.let_go(change, given, report).await;
        }
    }

    /// What a change takes off an object that another is to have.
    fn lost(&self, change: &Change, held: &Held, wished: &Wished<'_>) -> Option<(String, Value)> {
        let key = &change.address.key;
        if change.after.as_ref().is_some_and(|after| !after.contains_key(held.field)) {
            return None;
        }
        let seen = self.job.observed.resources.get(key)?.get(held.field)?;
        let is_wished =
            |thing: String| wished.get(&(held.field, thing)).is_some_and(|by| by.iter().any(|by| *by != key));
        let goes = |value: &Value| (held.things)(value).into_iter().any(is_wished);
        let left = match seen {
            _ if !goes(seen) => return None,
            Value::List(things) => {
                let stays = |thing: &&Value| !goes(&Value::List(vec![(*thing).clone()]));
                Value::List(things.iter().filter(stays).cloned().collect())
            }
            _ => "".into(),
        };
        Some((held.field.to_owned(), left))
    }

    /// Parts objects that are to go from those that go before them: a PBX may refuse to delete what is referred to.
    pub(super) async fn part(&mut self, report: &mut dyn Report) {
        let job = self.job;
        let going: Vec<&Change> =
            job.changes.iter().filter(|change| change.action == Action::Delete).collect();
        let order: BTreeMap<&Key, usize> =
            going.iter().enumerate().map(|(at, change)| (&change.address.key, at)).collect();
        for (at, change) in going.iter().enumerate() {
            let before = |key: &Key| order.get(key).is_some_and(|own| *own < at);
            let seen = self.seen(&change.address.key).unwrap_or_default();
            self.let_go(change, references::without(&seen, &before), report).await;
        }
    }

    async fn let_go(&mut self, change: &Change, given: Fields, report: &mut dyn Report) {
        let Some(kind) = kind_of(change).filter(|_| !given.is_empty()) else { return };
        if self.unfinished.contains(&change.address.key) {
            return;
        }
        match self.change(kind, change, &given, true).await {
            Outcome::Done => self.let_go.entry(change.address.key.clone()).or_default().extend(given),
            outcome => self.end(change, outcome, report),
        }
    }

    /// Who still leads to an object that is to go, because its own change did not come to a good end.
    pub(super) fn holder(&self, going: &Key) -> Option<Key> {
        let holds = |key: &&Key| {
            let seen = self.seen(key).unwrap_or_default();
            references::of(&seen).iter().any(|reference| reference.binds && reference.to == *going)
        };
        self.unfinished.iter().filter(|key| *key != going).find(holds).cloned()
    }
}

/// Who is to have each thing that only one may have.
type Wished<'a> = BTreeMap<(&'static str, String), Vec<&'a Key>>;

fn wished(changes: &[Change]) -> Wished<'_> {
    let mut wished = Wished::new();
    for change in changes {
        let key = &change.address.key;
        for held in HELD.iter().filter(|held| held.collection == key.collection) {
            let value = change.after.as_ref().and_then(|after| after.get(held.field));
            for thing in value.map(held.things).unwrap_or_default() {
                wished.entry((held.field, thing)).or_default().push(key);
            }
        }
    }
    wished
}
