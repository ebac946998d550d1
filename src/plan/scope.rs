//! Which targets a run looks at: names, `--only key=value`, `--except name`.

use std::collections::BTreeMap;

use super::Shard;
use crate::model::Target;

/// The choice of targets.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Names; all when empty.
    pub names: Vec<String>,
    /// Labels that must hold, as `key=value`; several values of one key are alternatives.
    pub only: Vec<String>,
    /// Names left out.
    pub except: Vec<String>,
    /// The share of all these that is meant; all of them when absent.
    pub shard: Option<Shard>,
}

/// A choice that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeFault {
    /// No target has the name.
    #[error("no target is called `{name}`{}", did_you_mean(near.as_deref()))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The nearest there is.
        near: Option<String>,
    },
    /// Not of the form `key=value`.
    #[error("`{0}` is not of the form key=value, such as site=pool")]
    Form(String),
    /// A label nothing has.
    #[error("no target has a label `{0}`; there are kind, name, site, model")]
    Label(String),
}

impl Scope {
    /// Whether it names everything.
    pub fn is_all(&self) -> bool {
        self.names.is_empty() && self.only.is_empty() && self.except.is_empty() && self.shard.is_none()
    }

    /// The targets chosen among those given with their labels.
    ///
    /// # Errors
    /// All names and labels that fit nothing.
    pub fn choose<'a>(
        &self,
        targets: impl Iterator<Item = (&'a Target, &'a BTreeMap<String, String>)> + Clone,
    ) -> Result<Vec<&'a Target>, Vec<ScopeFault>> {
        let mut faults = Vec::new();
        for name in self.names.iter().chain(&self.except) {
            if !targets.clone().any(|(target, _)| is_called(target, name)) {
                faults.push(ScopeFault::Unknown {
                    name: name.clone(),
                    near: nearest(name, targets.clone().map(|(target, _)| target.name.as_str())),
                });
            }
        }
        let wanted = self.wanted_labels(&mut faults);
        for key in wanted.keys() {
            if !targets.clone().any(|(_, labels)| labels.contains_key(*key)) {
                faults.push(ScopeFault::Label((*key).to_owned()));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(targets
            .filter(|(target, _)| self.names.is_empty() || self.names.iter().any(|n| is_called(target, n)))
            .filter(|(target, _)| !self.except.iter().any(|name| is_called(target, name)))
            .filter(|(target, _)| self.shard.is_none_or(|shard| shard.has(target)))
            .filter(|(_, labels)| {
                wanted.iter().all(|(key, values)| {
                    labels.get(*key).is_some_and(|label| values.contains(&label.as_str()))
                })
            })
            .map(|(target, _)| target)
            .collect())
    }

    fn wanted_labels(&self, faults: &mut Vec<ScopeFault>) -> BTreeMap<&str, Vec<&str>> {
        let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for label in &self.only {
            match label.split_once('=') {
                Some((key, value)) if !key.is_empty() => wanted.entry(key).or_default().push(value),
                _ => faults.push(ScopeFault::Form(label.clone())),
            }
        }
        wanted
    }
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// A target is called by its name or, where two kinds share one, by `kind/name`.
fn is_called(target: &Target, name: &str) -> bool {
    name == target.name || name.split_once('/') == Some((target.kind.as_str(), target.name.as_str()))
}

fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    names
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}
