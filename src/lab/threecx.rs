//! A simulated 3CX V20: the Configuration API (XAPI) on loopback, stateful, with the traps that were seen on
//! real ones. What is assumed and was never recorded says so where it is assumed.

mod api;
mod calls;
mod query;
mod refer;
mod rules;
mod seed;
mod store;
mod types;
mod web;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::door::Door;
use super::knobs::KnobBoard;
use super::log::Log;
use super::{held, tls};

pub use refer::References;
pub use store::Licence;
use store::{Store, set_of};

/// The extension that answers for the system; it cannot be deleted.
pub const OPERATOR: &str = "10";

/// What a simulated 3CX is.
#[derive(Clone, Debug)]
pub struct ThreeCxPlan {
    /// The API client's name.
    pub client_id: String,
    /// The API client's key.
    pub client_secret: String,
    /// Its patch level: 10 for 20.0.10.
    pub patch: u16,
    /// Its licence.
    pub licence: Licence,
    /// What becomes of references to what is deleted.
    pub references: References,
    /// How long a token lives.
    pub token_life: Duration,
    /// Whether contacts keep their tags; that real ones do is assumed.
    pub keeps_tags: bool,
    /// Whether it speaks TLS, with an authority of its own.
    pub tls: bool,
}

impl Default for ThreeCxPlan {
    fn default() -> Self {
        Self {
            client_id: "rocade".to_owned(),
            client_secret: format!("lab-{:016x}", rand::random::<u64>()),
            patch: 10,
            licence: Licence::default(),
            references: References::default(),
            token_life: Duration::from_secs(3600),
            keeps_tags: true,
            tls: false,
        }
    }
}

/// A running 3CX.
pub struct ThreeCx {
    plan: ThreeCxPlan,
    store: Mutex<Store>,
    token: Mutex<Option<(String, std::time::Instant)>>,
    knobs: Arc<KnobBoard>,
    log: Arc<Log>,
}

impl ThreeCx {
    /// A new one, as it comes out of its installation.
    pub(super) fn new(plan: ThreeCxPlan, knobs: Arc<KnobBoard>, log: Arc<Log>) -> Self {
        let mut store = Store::new(plan.patch, plan.licence.clone(), plan.references);
        seed::fill(&mut store);
        store.keeps_tags = plan.keeps_tags;
        Self { plan, store: Mutex::new(store), token: Mutex::default(), knobs, log }
    }

    /// What it is.
    pub fn plan(&self) -> &ThreeCxPlan {
        &self.plan
    }

    /// The rows of a set that have this value, as a person in the console sees them.
    pub fn find(&self, set: &str, property: &str, value: &str) -> Vec<Value> {
        let store = held(&self.store);
        let fits = |row: &&Value| row[property].as_str().is_some_and(|own| own == value);
        store.rows(set).filter(fits).cloned().collect()
    }

    /// The rows of a set.
    pub fn rows(&self, set: &str) -> Vec<Value> {
        held(&self.store).rows(set).cloned().collect()
    }

    /// How many rows a set has.
    pub fn count(&self, set: &str) -> usize {
        held(&self.store).count(set)
    }

    /// Changes a row as a person in the console would.
    ///
    /// # Errors
    /// The refusal's body.
    pub fn alter(&self, set: &str, property: &str, value: &str, body: &Value) -> Result<(), Value> {
        let mut store = held(&self.store);
        let set = set_of(set).ok_or(Value::Null)?;
        let fits = |row: &&Value| row[property].as_str().is_some_and(|own| own == value);
        let row = store.rows(set.name).find(fits).cloned().ok_or(Value::Null)?;
        let key = row[set.key].as_str().map_or_else(|| row[set.key].to_string(), str::to_owned);
        let empty = serde_json::Map::new();
        store.change(set, &key, body.as_object().unwrap_or(&empty)).map_err(|(_, body)| body)
    }

    /// Makes a row as a person in the console would, and gives it.
    ///
    /// # Errors
    /// The refusal's body.
    pub fn add(&self, set: &str, body: &Value) -> Result<Value, Value> {
        let set = set_of(set).ok_or(Value::Null)?;
        let empty = serde_json::Map::new();
        let made = held(&self.store).create(set, body.as_object().unwrap_or(&empty));
        made.map_err(|(_, body)| body)
    }

    /// Deletes a row as a person in the console would.
    ///
    /// # Errors
    /// The refusal's body.
    pub fn remove(&self, set: &str, property: &str, value: &str) -> Result<(), Value> {
        let row = self.find(set, property, value).into_iter().next().ok_or(Value::Null)?;
        let set = set_of(set).ok_or(Value::Null)?;
        let key = row[set.key].as_str().map_or_else(|| row[set.key].to_string(), str::to_owned);
        held(&self.store).delete(set, &key).map_err(|(_, body)| body)
    }

    /// Doubles a row, with a key of its own, past all rules: what an older version or an import left.
    pub fn double(&self, set: &str, property: &str, value: &str) {
        let rows = self.find(set, property, value);
        let mut store = held(&self.store);
        if let (Some(set), Some(mut row)) = (set_of(set), rows.into_iter().next()) {
            row["Id"] = store.next_id().into();
            if let Some(number) = row["Number"].as_str() {
                row["Number"] = format!("{number}1").into();
            }
            store.put(set, row);
        }
    }

    /// Makes extensions as a person with much time would: `count` of them from a number on.
    pub fn populate(&self, first: u32, count: u32) {
        let mut store = held(&self.store);
        (first..first + count).for_each(|number| seed::user(&mut store, number));
    }

    /// Adds a row to the history of calls.
    pub fn note_call(&self, fields: &Value) {
        held(&self.store).calls.push(calls::row(fields));
    }

    /// Ends all tokens, as a restart of its services does.
    pub fn drop_tokens(&self) {
        *held(&self.token) = None;
    }

    /// MAC addresses of the phones told to fetch their settings anew, in order.
    pub fn reprovisioned(&self) -> Vec<String> {
        held(&self.store).reprovisioned.clone()
    }

    /// Serves until dropped.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub(super) async fn attend(self: Arc<Self>, door: Door) -> anyhow::Result<()> {
        let acceptor = match self.plan.tls {
            true => Some(tokio_rustls::TlsAcceptor::from(
                tls::self_signed(&["127.0.0.1", "localhost"]).map_err(anyhow::Error::msg)?,
            )),
            false => None,
        };
        let knobs = Arc::clone(&self.knobs);
        door.attend(knobs, |line| {
            let (device, acceptor) = (Arc::clone(&self), acceptor.clone());
            async move {
                match acceptor {
                    None => web::serve(line, &device).await,
                    Some(acceptor) => match acceptor.accept(line).await {
                        Ok(stream) => web::serve(stream, &device).await,
                        Err(error) => tracing::debug!(%error, "simulated HTTPS did not start"),
                    },
                }
            }
        })
        .await;
        Ok(())
    }
}
