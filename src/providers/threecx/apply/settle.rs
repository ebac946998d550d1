//! A write whose answer did not come is settled by looking at the object once: it was done, it was not, or that
//! cannot be told. Nothing is sent twice.

use serde_json::Value as Json;

use super::super::fault;
use super::super::kind::Kind;
use super::super::observe::{look, seen};
use super::Work;
use crate::model::{Change, Fields, Outcome, Value};
use crate::plan::same;
use crate::transport::http::HttpFault;

impl Work<'_> {
    /// An object whose making was not answered. Gives the fields that are still to be written.
    pub(super) async fn find_made(
        &mut self,
        kind: &'static dyn Kind,
        change: &Change,
        fault: &HttpFault,
    ) -> Result<Fields, Outcome> {
        let name = change.address.key.name.as_str();
        let found = look(kind, name, self.patch(), &self.directory, self.hand.reading()).await;
        match found {
            Ok(Some((identity, entity))) => {
                self.directory.learn(kind.collection(), &identity);
                let there = seen(kind, &identity, &entity, &self.directory);
                // Without an answer nothing but what is seen counts as given. What is never shown came with it.
                let given = kind.created_with();
                let is_given = |field: &str, value: &Value| match there.get(field) {
                    Some(there) => same(value, there),
                    None => matches!(value, Value::Null) || given.contains(&field),
                };
                let mut left = self.job.wished(change).clone();
                left.retain(|field, value| !is_given(field, value));
                Ok(left)
            }
            Ok(None) => {
                Err(Outcome::Failed(format!("{}; it was looked for and is not there", fault::read(fault))))
            }
            Err(again) => Err(Outcome::Unknown(unsettled(fault, &again))),
        }
    }

    /// A change that was not answered.
    pub(super) async fn settle_change(
        &self,
        kind: &'static dyn Kind,
        change: &Change,
        fields: &Fields,
        before: &Json,
        fault: &HttpFault,
    ) -> Outcome {
        let see = |entity: &Json| {
            Some(seen(kind, &kind.identify(entity, &self.directory)?, entity, &self.directory))
        };
        let now = match self.read(kind, change, false).await {
            Ok(now) => see(&now).unwrap_or_default(),
            Err(Outcome::NotStarted(again)) => {
                return Outcome::Unknown(format!("{}; {again}", fault::read(fault)));
            }
            Err(outcome) => return outcome,
        };
        let before = see(before).unwrap_or_default();
        let is = |there: &Fields, (field, value): (&String, &Value)| {
            there.get(field).map_or(matches!(value, Value::Null), |there| same(value, there))
        };
        // A field that is never shown came with the others, or not.
        let shown: Vec<_> = fields
            .iter()
            .filter(|(field, value)| now.contains_key(*field) || matches!(value, Value::Null))
            .collect();
        let turned = shown.iter().filter(|one| !is(&before, **one)).count();
        let left = shown.iter().filter(|one| !is(&now, **one)).count();
        match (left, turned) {
            (0, turned) if turned > 0 || shown.len() == fields.len() => Outcome::Done,
            (left, turned) if left > 0 && left == turned => {
                Outcome::Failed(format!("{}; it was read again and is as before", fault::read(fault)))
            }
            _ => Outcome::Unknown(fault::read(fault)),
        }
    }

    /// A delete that was not answered.
    pub(super) async fn settle_delete(&self, kind: &dyn Kind, path: &str, fault: &HttpFault) -> Outcome {
        let path = format!("{path}?{}", kind.query(self.patch()));
        match self.hand.reading().get(&path).await {
            Ok(_) => Outcome::Failed(format!("{}; it was looked for and is still there", fault::read(fault))),
            Err(HttpFault::Status { status: 404, .. }) => Outcome::Done,
            Err(again) => Outcome::Unknown(unsettled(fault, &again)),
        }
    }
}

fn unsettled(fault: &HttpFault, again: &HttpFault) -> String {
    format!("{}; looking whether it was done failed too: {}", fault::read(fault), fault::read(again))
}
