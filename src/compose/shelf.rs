//! What wishes may look up: secrets, certificates, templates of one repository. Secrets are opened when a
//! wish needs them, each once a run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Action, Change, Secret, Target};
use crate::pki::{self, Authority};
use crate::providers::dolibarr::People;
use crate::providers::{Fault, Found, Leaf, Lookup};
use crate::secrets::Store;
use crate::template::Templates;

/// What a directory answered, or why it did not.
type Answered = Result<Arc<People>, String>;

/// The shelf of one repository.
pub struct Shelf {
    root: PathBuf,
    store: Arc<Store>,
    templates: Templates,
    opened: Mutex<HashMap<String, Secret>>,
    reissued: Mutex<BTreeSet<String>>,
    lists_made: AtomicBool,
    people: Mutex<BTreeMap<(Target, String), Answered>>,
}

impl Shelf {
    /// Opens the shelf of a repository; reads nothing yet.
    pub fn open(root: &Path, store: Arc<Store>) -> Self {
        let templates = Templates::open(root);
        let root = root.to_owned();
        Self {
            root,
            store,
            templates,
            opened: Mutex::default(),
            reissued: Mutex::default(),
            lists_made: AtomicBool::default(),
            people: Mutex::default(),
        }
    }

    /// Takes what a target's directory answered: wishes composed from now on are made of it.
    pub fn take_people(&self, target: Target, directory: String, read: Answered) {
        self.people.lock().unwrap_or_else(PoisonError::into_inner).insert((target, directory), read);
    }

    /// Takes the changes that will be made to the repository itself: a leaf that is there and is issued anew
    /// is pending until then. Without changes every leaf is what it is.
    pub fn foresee(&self, own_changes: &[Change]) {
        let reissued = own_changes.iter().filter(|change| {
            change.address.key.collection == "certificate" && change.action == Action::Update
        });
        let makes_lists = own_changes.iter().any(|change| change.address.key.collection == "crl");
        self.lists_made.store(makes_lists, Ordering::Relaxed);
        *self.reissued.lock().unwrap_or_else(PoisonError::into_inner) =
            reissued.map(|change| change.address.key.name.clone()).collect();
    }

    fn lists_are_made(&self) -> bool {
        self.lists_made.load(Ordering::Relaxed)
    }

    fn is_reissued(&self, leaf: &str) -> bool {
        self.reissued.lock().unwrap_or_else(PoisonError::into_inner).contains(leaf)
    }

    fn opened(&self, path: &str) -> Result<Secret, Fault> {
        let known =
            |shelf: &Self| shelf.opened.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some(secret) = known(self) {
            return Ok(secret);
        }
        let secret = self.store.get(path).map_err(|fault| {
            let hint = fault.downcast_ref::<crate::secrets::Fault>().and_then(crate::secrets::Fault::hint);
            match hint {
                Some(hint) => shown(&fault).hint(hint),
                None => shown(&fault),
            }
        })?;
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), secret.clone());
        Ok(secret)
    }

    fn load_authority(&self) -> Result<Option<Authority>, Fault> {
        Authority::load(&self.root).map_err(|fault| shown(&fault))
    }
}

/// A fault of another room as a fault of the wish, its chain in one line.
fn shown(fault: &anyhow::Error) -> Fault {
    Fault::new(format!("{fault:#}"))
}

impl Lookup for Shelf {
    fn secret(&self, path: &str) -> Result<Found<Secret>, Fault> {
        self.opened(path).map(Found::Ready)
    }

    fn minted(&self, path: &str) -> Result<Found<Secret>, Fault> {
        if self.store.has(path) { self.secret(path) } else { Ok(Found::Pending(format!("secret {path}"))) }
    }

    fn authority(&self) -> Result<Found<String>, Fault> {
        Ok(match self.load_authority()? {
            Some(authority) => Found::Ready(authority.root_pem().to_owned()),
            None => Found::Pending("the root certificate".to_owned()),
        })
    }

    fn crls(&self) -> Result<Found<String>, Fault> {
        let crls = pki::crls(&self.root).map_err(|fault| shown(&fault))?;
        if crls.is_empty() || self.lists_are_made() {
            return Ok(Found::Pending("the list of revoked certificates".to_owned()));
        }
        Ok(Found::Ready(crls.into_iter().map(|crl| crl.pem).collect()))
    }

    fn leaf(&self, name: &str) -> Result<Found<Leaf>, Fault> {
        let found = match self.load_authority()? {
            _ if self.is_reissued(name) => None,
            Some(authority) => authority.leaf(name, &self.store).map_err(|fault| shown(&fault))?,
            None => None,
        };
        Ok(match found {
            Some(leaf) => Found::Ready(Leaf { chain_pem: leaf.chain_pem, key_pem: leaf.key_pem }),
            None => Found::Pending(format!("certificate {name}")),
        })
    }

    fn source(&self, path: &str) -> Result<Vec<u8>, Fault> {
        self.templates.source(path).map_err(|fault| shown(&fault))
    }

    fn sources(&self, folder: &str) -> Vec<String> {
        self.templates.sources(folder)
    }

    fn render(&self, path: &str, context: &serde_json::Value) -> Result<String, Fault> {
        self.templates.render(path, context).map_err(|fault| shown(&fault))
    }

    fn people(&self, target: &Target, directory: &str) -> Result<Arc<People>, String> {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (target.clone(), directory.to_owned());
        people.get(&key).cloned().unwrap_or_else(|| Err("it is not asked by this verb".to_owned()))
    }
}
