//! Making what is missing: the root, the intermediate, leaves, lists of revoked ones, secrets. Each change is
//! reported as soon as it is on disk.

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use zeroize::Zeroizing;

use crate::model::{Action, Change, Fields, Outcome, Period, Report, Value};
use crate::pki::{self, Authority, IssuingOrder, LeafOrder, RootOrder};
use crate::providers::Job;

use super::{AUTHORITY, CERTIFICATE, CRL, ISSUING, PkiProvider, SECRET};

impl PkiProvider {
    /// Does the changes in their order. Leaves need the root, so they are not started without one.
    pub(super) fn make(&self, job: &Job<'_>, report: &mut dyn Report) {
        for change in job.changes {
            let outcome = match self.make_one(job, change) {
                Ok(Some(())) => Outcome::Done,
                Ok(None) => Outcome::NotStarted("there is no root certificate".into()),
                Err(error) => Outcome::Failed(format!("{error:#}")),
            };
            report.step(&change.address, outcome);
        }
    }

    /// `None` when it cannot be started before there is a root.
    fn make_one(&self, job: &Job<'_>, change: &Change) -> anyhow::Result<Option<()>> {
        let key = &change.address.key;
        let wished = job.wish.resources.get(key).map(|resource| &resource.fields);
        match (key.collection.as_str(), change.action, wished) {
            (AUTHORITY, Action::Create, Some(wished)) => {
                let order = RootOrder {
                    name: text(wished, "name")?,
                    lifetime: lifetime(wished)?,
                    now: self.now,
                    by: &self.person,
                };
                Authority::create(&self.root, &order, &self.store)?;
            }
            (ISSUING, Action::Create | Action::Update, Some(wished)) => {
                let Some(mut authority) = Authority::load(&self.root)? else { return Ok(None) };
                let only = list(wished, "only")?;
                let order = IssuingOrder {
                    only: &only,
                    lifetime: lifetime(wished)?,
                    now: self.now,
                    by: &self.person,
                };
                authority.make_issuing(&order, &self.store)?;
            }
            (CRL, Action::Create | Action::Update, Some(wished)) => {
                if Authority::load(&self.root)?.is_none() {
                    return Ok(None);
                }
                let share = text(wished, "renew_at")?.parse().map_err(anyhow::Error::msg)?;
                pki::make_crls(&self.root, lifetime(wished)?, share, self.now, &self.store)?;
            }
            (CERTIFICATE, Action::Create | Action::Update, Some(wished)) => {
                let Some(authority) = Authority::load(&self.root)? else { return Ok(None) };
                let order = LeafOrder {
                    name: &key.name,
                    names: &list(wished, "names")?,
                    client: matches!(wished.get("client"), Some(Value::Bool(true))),
                    lifetime: lifetime(wished)?,
                    now: self.now,
                    why: &why(change),
                    by: &self.person,
                };
                authority.issue(&order, &self.store)?;
            }
            (SECRET, Action::Create, Some(_)) => self.store.put(&key.name, random_password()?.as_bytes())?,
            _ => bail!("{key} is made once and left alone after that"),
        }
        Ok(Some(()))
    }
}

/// 32 random bytes in base64 without padding, in letters that no configuration file minds.
fn random_password() -> anyhow::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    rand::rngs::OsRng.try_fill_bytes(&mut *bytes).context("asking the system for random bytes")?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

fn text<'a>(fields: &'a Fields, name: &str) -> anyhow::Result<&'a str> {
    fields.get(name).and_then(Value::as_text).with_context(|| format!("the wish has no `{name}`"))
}

fn lifetime(fields: &Fields) -> anyhow::Result<Period> {
    Ok(text(fields, "lifetime")?.parse()?)
}

fn list(fields: &Fields, name: &str) -> anyhow::Result<Vec<String>> {
    let Some(Value::List(names)) = fields.get(name) else { bail!("the wish has no `{name}`") };
    Ok(names.iter().filter_map(Value::as_text).map(str::to_owned).collect())
}

/// The reason in the ledger.
fn why(change: &Change) -> String {
    let Some(after) = change.after.as_ref().filter(|_| change.action == Action::Update) else {
        return "first".into();
    };
    let reasons = [
        ("due", "renewal"),
        ("names", "other names"),
        ("issuer", "another issuer"),
        ("revoked", "it was revoked"),
        ("client", "another use"),
        ("key", "its key was missing"),
    ];
    let found = reasons.iter().filter(|(field, _)| after.contains_key(*field)).map(|(_, reason)| *reason);
    found.collect::<Vec<_>>().join(", ")
}
