//! One folder a device kind. A provider says what to wish, reads, and does what it is told.
//!
//! It never compares, orders, retries, prints, spawns or exits.

use std::collections::BTreeMap;
use std::sync::Arc;

use dolibarr::People;
use futures::future::BoxFuture;

use crate::host::{Order, Page};
use crate::inventory::{At, Inventory, Place, Ssh};
use crate::model::{
    Change, Collection, Fields, Key, Objection, Observed, Report, Secret, Target, Value, Wish,
};
use crate::secrets::Store;
use crate::transport::{Reading, Writing};

mod clock;
pub mod conduit;
pub mod dolibarr;
pub mod linux;
pub mod mosquitto;
pub mod pki;
pub mod threecx;

/// How a target is reached.
#[derive(Clone, Debug)]
pub enum Reach {
    /// The files of the inventory repository itself.
    Repository,
    /// A Linux host over SSH.
    Host {
        /// The name or address in the inventory.
        address: String,
        /// How to log in.
        ssh: Ssh,
        /// A prefix for every path on the target.
        root: Option<String>,
        /// The network interface to go through, for gateways that share their address.
        interface: Option<String>,
        /// The address in the inventory when it is reached at another: its host key is pinned under that.
        pinned_as: Option<String>,
    },
    /// An API over HTTP, with a client's credentials.
    Http {
        /// Where it answers, without a path: `https://example.my3cx.fr`.
        url: String,
        /// The name of the client.
        client_id: String,
        /// The path of the client's key among the secrets.
        client_secret: String,
        /// A PEM file of the repository with the authority of its certificate, when that is not a public one.
        ca: Option<String>,
    },
}

/// A target of the inventory and the provider that serves it.
#[derive(Clone, Debug)]
pub struct Site {
    /// The target.
    pub target: Target,
    /// How it is reached.
    pub reach: Reach,
    /// Words by which `--only key=value` chooses it: `kind`, `name`, `site`, `model`.
    pub labels: BTreeMap<String, String>,
}

impl Site {
    /// A Linux host reached over SSH, with what it is labelled beside kind and name.
    pub fn host(
        kind: &str,
        name: &str,
        address: &At<String>,
        ssh: &Ssh,
        root: Option<&At<String>>,
        labels: &[(&str, &str)],
    ) -> Self {
        let root = root.map(|root| root.value.clone());
        let all = [("kind", kind), ("name", name)].into_iter().chain(labels.iter().copied());
        Self {
            target: Target::new(kind, name),
            reach: Reach::Host {
                address: address.value.clone(),
                ssh: ssh.clone(),
                root,
                interface: None,
                pinned_as: None,
            },
            labels: all.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        }
    }

    /// The same reached at another address.
    pub fn detour(mut self, at: &str, interface: Option<&str>) -> Self {
        if let Reach::Host { address, pinned_as, .. } = &mut self.reach
            && address != at
        {
            *pinned_as = Some(std::mem::replace(address, at.to_owned()));
        }
        self.behind(interface)
    }

    /// The same behind a network interface.
    pub fn behind(mut self, interface: Option<&str>) -> Self {
        if let Reach::Host { interface: place, .. } = &mut self.reach {
            *place = interface.map(str::to_owned);
        }
        self
    }
}

/// A fault found while wishing, at a place of the inventory when there is one.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// Where, when it can be said.
    pub place: Option<Place>,
    /// What to do.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, hint: None }
    }

    /// The same fault at a place.
    pub fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// The same fault with what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A thing that may only come to be during this apply.
#[derive(Clone, Debug)]
pub enum Found<T> {
    /// It is here.
    Ready(T),
    /// An earlier step of the same apply makes it; says what.
    Pending(String),
}

impl<T> Found<T> {
    /// What is here as a wished value, else that it is pending.
    pub fn into_value(self, ready: impl FnOnce(T) -> Value) -> Value {
        match self {
            Found::Ready(thing) => ready(thing),
            Found::Pending(by) => Value::Pending(by),
        }
    }
}

/// A leaf certificate with its key.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The certificate followed by what chains it to the root, PEM.
    pub chain_pem: String,
    /// The private key, PKCS #8 PEM.
    pub key_pem: Secret,
}

/// What wishes may look up. Pure to the one who asks: no network, nothing written.
pub trait Lookup {
    /// A secret by its path.
    ///
    /// # Errors
    /// When it is missing and nothing will make it, or cannot be opened.
    fn secret(&self, path: &str) -> Result<Found<Secret>, Fault>;

    /// A secret that the first apply makes when it is missing (see `pki` provider's `secret` collection).
    ///
    /// # Errors
    /// When it is there and cannot be opened.
    fn minted(&self, path: &str) -> Result<Found<Secret>, Fault>;

    /// The root certificates, PEM, that clients trust: two while the authority is rotated.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn authority(&self) -> Result<Found<String>, Fault>;

    /// The lists of revoked certificates, PEM, one after the other, that brokers hold clients against.
    ///
    /// # Errors
    /// When one is there and cannot be read.
    fn crls(&self) -> Result<Found<String>, Fault> {
        Ok(Found::Pending("the list of revoked certificates".to_owned()))
    }

    /// The leaf certificate of a name (a broker's name in the inventory, or that of a relay's account).
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn leaf(&self, name: &str) -> Result<Found<Leaf>, Fault>;

    /// A file under `templates/` (the repository's own first, then the built-in one), as it is.
    ///
    /// # Errors
    /// When there is none.
    fn source(&self, path: &str) -> Result<Vec<u8>, Fault>;

    /// The paths of all files below a folder of `templates/`, repository and built-in together.
    fn sources(&self, folder: &str) -> Vec<String>;

    /// Renders a template under `templates/`.
    ///
    /// # Errors
    /// When there is none, it is damaged or uses an undefined variable: with its line.
    fn render(&self, path: &str, context: &serde_json::Value) -> Result<String, Fault>;

    /// The people of a target's directory, as they were read in this run, or why they are not known.
    ///
    /// # Errors
    /// Why they are not known, in one line.
    fn people(&self, _target: &Target, _directory: &str) -> Result<Arc<People>, String> {
        Err("it is not asked by this verb".to_owned())
    }
}

/// What one apply is to do to one target.
pub struct Job<'a> {
    /// What is wished of the target.
    pub wish: &'a Wish,
    /// What was seen of it.
    pub observed: &'a Observed,
    /// The changes, in order.
    pub changes: &'a [Change],
    /// The name of this apply, for what it leaves behind (a backup): letters, digits and dashes.
    pub apply: &'a str,
}

impl<'a> Job<'a> {
    /// The fields wished of what a change changes; none when it is to go.
    pub fn wished(&self, change: &Change) -> &'a Fields {
        static NOTHING: Fields = Fields::new();
        self.wish.resources.get(&change.address.key).map_or(&NOTHING, |resource| &resource.fields)
    }
}

/// A page of an API as it was kept and as it is.
#[derive(Clone, Debug)]
pub struct PageThenAndNow {
    /// Its body when it was kept.
    pub then: Secret,
    /// Its body now.
    pub now: Page,
}

/// One device kind.
pub trait Provider: Send + Sync {
    /// The key of the table, such as `conduit`.
    fn kind(&self) -> &'static str;

    /// Its collections.
    fn collections(&self) -> &'static [Collection];

    /// The targets of this kind in the inventory.
    fn sites(&self, inventory: &Inventory) -> Vec<Site>;

    /// What is wished of a target: all faults at once, also what this device cannot do. Pure.
    ///
    /// # Errors
    /// Every fault found.
    fn desire(&self, inventory: &Inventory, target: &Target, lookup: &dyn Lookup)
    -> Result<Wish, Vec<Fault>>;

    /// Reads all collections in as few round trips as the device allows. What failed is named in `unread`.
    fn observe<'a>(&'a self, wish: &'a Wish, hand: Reading<'a>) -> BoxFuture<'a, Observed>;

    /// The wish in the words that what was seen wants (a version that spells the same settings otherwise), when
    /// those are not the ones of [`Provider::desire`]. Pure; most kinds have one spelling.
    fn suited(&self, _wish: &Wish, _observed: &Observed) -> Option<Wish> {
        None
    }

    /// Reads the contents of resources whose digest was found to differ, for the plan's diff: the `content`
    /// field by place. Secret contents are never asked for. Most kinds have none.
    fn contents<'a>(
        &'a self,
        _keys: &'a [Key],
        _hand: Reading<'a>,
    ) -> BoxFuture<'a, anyhow::Result<BTreeMap<Key, Fields>>> {
        Box::pin(async { Ok(BTreeMap::new()) })
    }

    /// What stands against carrying out changes, as far as the observation tells: limits of a licence, fields
    /// that the version does not know. Pure; most kinds have none.
    fn objections(&self, _wish: &Wish, _observed: &Observed, _changes: &[&Change]) -> Vec<Objection> {
        Vec::new()
    }

    /// What makes an API's pages show again what they showed, from the bodies kept and those of now, by URL.
    /// Pure; most kinds have no pages.
    ///
    /// # Errors
    /// Why it cannot be told.
    fn put_back(
        &self,
        _wish: &Wish,
        _pages: &BTreeMap<String, PageThenAndNow>,
    ) -> Result<Vec<Order>, String> {
        Ok(Vec::new())
    }

    /// Does the changes of one target in their order and reports each as soon as its end is known.
    fn apply<'a>(&'a self, job: Job<'a>, hand: Writing<'a>, report: &'a mut dyn Report) -> BoxFuture<'a, ()>;
}

/// The table of kinds: one line each.
pub fn table(
    root: &std::path::Path,
    store: &std::sync::Arc<Store>,
    now: jiff::Timestamp,
    person: &str,
) -> Vec<Box<dyn Provider>> {
    vec![
        Box::new(pki::PkiProvider::new(root.to_owned(), std::sync::Arc::clone(store), now).by(person)),
        Box::new(mosquitto::MosquittoProvider),
        Box::new(linux::LinuxProvider),
        Box::new(conduit::ConduitProvider),
        Box::new(threecx::ThreeCxProvider::new(root.to_owned(), now)),
    ]
}
