//! The repository an engineer works in: inventory, templates, certificates, secrets, pinned host keys.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use crate::compose::{self, Composed, Shelf};
use crate::inventory::{self, Diagnostic, Directory, DirectoryModel, Inventory, Loaded};
use crate::model::{Secret, Target};
use crate::plan::{Scope, ScopeFault};
use crate::providers::{self, Fault, Provider, Reach, Site};
use crate::repository::Commit;
use crate::secrets::{IdentitySource, Store};
use crate::transport::http::{HttpLogin, HttpRoute};
use crate::transport::known_hosts::KnownHosts;
use crate::transport::ssh::{Limits, Login, Route};
use crate::transport::ssh_config::SshConfig;

/// What a workspace needs of the outside, read by the command line.
pub struct Options {
    /// The repository's folder.
    pub root: PathBuf,
    /// Where the age identity is.
    pub identity: IdentitySource,
    /// The person's SSH configuration.
    pub ssh_config: SshConfig,
    /// The time it is.
    pub now: jiff::Timestamp,
    /// Who runs this, for those who find a lock or a journal: `ada@laptop`.
    pub person: String,
    /// What git says the repository stands at; `None` outside a git repository.
    pub commit: Option<Commit>,
}

/// Why a run is refused before anything was read or written.
#[derive(Debug)]
pub enum Refused {
    /// The inventory is faulty, or wishes what cannot be.
    Inventory(Box<inventory::Report>),
    /// The choice of targets is.
    Scope(Vec<ScopeFault>),
    /// Something else of the repository.
    Repository(anyhow::Error),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Inventory(report) => report.fmt(f),
            Refused::Scope(faults) => {
                f.write_str(&faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
            }
            Refused::Repository(fault) => write!(f, "{fault:#}"),
        }
    }
}

impl std::error::Error for Refused {}

/// An opened repository.
pub struct Workspace {
    root: PathBuf,
    loaded: Loaded,
    providers: Vec<Box<dyn Provider>>,
    shelf: Shelf,
    store: Arc<Store>,
    known_hosts: KnownHosts,
    ssh_config: SshConfig,
    apply_name: String,
    person: String,
    commit: Option<Commit>,
    detours: BTreeMap<Target, (String, Option<String>)>,
}

impl Workspace {
    /// Opens the repository: reads its files, no secret and no network.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn open(options: Options) -> Result<Self, Refused> {
        let Options { root, identity, ssh_config, now, person, commit } = options;
        let loaded = inventory::load(&root).map_err(|report| Refused::Inventory(Box::new(report)))?;
        let store = Arc::new(Store::open(&root, identity).map_err(Refused::Repository)?);
        let known_hosts =
            KnownHosts::read(&root.join("inventory/known_hosts")).map_err(Refused::Repository)?;
        let shelf = Shelf::open(&root, Arc::clone(&store));
        let providers = providers::table(&root, &store, now, &person);
        let apply_name = format!("rocade-{}", now.strftime("%Y%m%d-%H%M%S-%3f"));
        Ok(Self {
            root,
            loaded,
            providers,
            shelf,
            store,
            known_hosts,
            ssh_config,
            apply_name,
            person,
            commit,
            detours: BTreeMap::new(),
        })
    }

    /// Reaches a target at another address than the inventory's from now on, through an interface when named.
    pub fn detour(&mut self, target: Target, address: String, interface: Option<String>) {
        self.detours.insert(target, (address, interface));
    }

    /// The repository's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The name of the apply of this run, for what it leaves behind on targets: `rocade-20260301-120000-000`, UTC.
    pub fn apply_name(&self) -> &str {
        &self.apply_name
    }

    /// Who writes, for those who find it: the person, the apply, and the commit when the repository has one.
    pub fn signature(&self) -> String {
        let short = |commit: &Commit| format!(", commit {}", commit.id.get(..12).unwrap_or(&commit.id));
        let commit = self.commit.as_ref().map(short).unwrap_or_default();
        format!("{}, {}{commit}", self.person, self.apply_name)
    }

    /// What git says the repository stands at.
    pub fn commit(&self) -> Option<&Commit> {
        self.commit.as_ref()
    }

    /// Who runs this: `ada@laptop`.
    pub fn person(&self) -> &str {
        &self.person
    }

    /// The inventory.
    pub fn inventory(&self) -> &Inventory {
        &self.loaded.inventory
    }

    /// The inventory with its texts and warnings.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// The secrets.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Templates, certificates and secrets as wishes see them.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// The provider of a kind.
    pub fn provider(&self, kind: &str) -> Option<&dyn Provider> {
        self.providers.iter().find(|provider| provider.kind() == kind).map(|provider| &**provider)
    }

    /// The targets chosen. The repository's own target comes along: others need what it makes.
    ///
    /// # Errors
    /// When the choice fits nothing.
    pub fn sites(&self, scope: &Scope) -> Result<Vec<(Site, &dyn Provider)>, Refused> {
        let mut all = compose::sites(self.inventory(), &self.providers);
        for (site, _) in &mut all {
            if let Some((address, interface)) = self.detours.get(&site.target) {
                *site = site.clone().detour(address, interface.as_deref());
            }
        }
        let chosen = scope
            .choose(all.iter().map(|(site, _)| (&site.target, &site.labels)))
            .map_err(Refused::Scope)?
            .into_iter()
            .cloned()
            .collect::<BTreeSet<_>>();
        let own = |site: &Site| {
            matches!(site.reach, Reach::Repository) && !scope.except.contains(&site.target.name)
        };
        // Of several machines one makes what the repository holds: two would each make another certificate.
        let left = |site: &Site| {
            matches!(site.reach, Reach::Repository) && scope.shard.is_some_and(|shard| !shard.is_first())
        };
        let wanted = |site: &Site| (chosen.contains(&site.target) || own(site)) && !left(site);
        Ok(all.into_iter().filter(|(site, _)| wanted(site)).collect())
    }

    /// The wishes of the targets chosen.
    ///
    /// # Errors
    /// When the choice fits nothing, or what is wished cannot be.
    pub fn compose(&self, scope: &Scope) -> Result<Vec<Composed>, Refused> {
        compose::compose(self.inventory(), &self.sites(scope)?, &self.shelf)
            .map_err(|faults| self.refused(&faults))
    }

    /// The wishes of those of these targets that the inventory has.
    ///
    /// # Errors
    /// When what is wished cannot be.
    pub fn compose_these(&self, targets: &BTreeSet<Target>) -> Result<Vec<Composed>, Refused> {
        let sites = compose::sites(self.inventory(), &self.providers).into_iter();
        let sites: Vec<_> = sites.filter(|(site, _)| targets.contains(&site.target)).collect();
        compose::compose(self.inventory(), &sites, &self.shelf).map_err(|faults| self.refused(&faults))
    }

    /// Faults of wishes as findings of the inventory, at their places.
    fn refused(&self, faults: &[Fault]) -> Refused {
        let finding = |fault: &Fault| {
            let finding = Diagnostic::error("cannot-be", fault.message.clone());
            let finding = match &fault.place {
                Some(place) => finding.at(place, ""),
                None => finding,
            };
            match &fault.hint {
                Some(hint) => finding.help(hint.clone()),
                None => finding,
            }
        };
        let diagnostics = faults.iter().map(finding).collect();
        let sources = self.loaded.sources.clone();
        Refused::Inventory(Box::new(inventory::Report { diagnostics, sources }))
    }

    /// The way to a target over SSH, its secrets opened.
    ///
    /// # Errors
    /// When a secret cannot be opened or the person's SSH configuration is faulty.
    pub fn route(&self, name: &str, reach: &Reach) -> anyhow::Result<Option<Route>> {
        let Reach::Host { address, ssh, interface, pinned_as, .. } = reach else { return Ok(None) };
        let password = ssh.password.as_ref().map(|named| self.store.get(&named.secret)).transpose()?;
        let login = Login {
            user: ssh.user.clone(),
            port: ssh.port,
            password,
            identity_file: ssh.identity_file.clone(),
        };
        let mut route = Route::resolve(name, address, &login, &self.ssh_config)?;
        route.interface.clone_from(interface);
        route.pinned_as = match (pinned_as, interface) {
            (Some(address), _) => Some(Route::resolve(name, address, &login, &self.ssh_config)?.address),
            // As scoped addresses are written: each unit behind its interface has a pin of its own.
            (None, Some(interface)) => Some(format!("{}%{interface}", route.address)),
            (None, None) => None,
        };
        Ok(Some(route))
    }

    /// The way to an API over HTTP, its secret opened.
    ///
    /// # Errors
    /// When the secret cannot be opened or the authority's file not be read.
    pub fn http_route(&self, reach: &Reach) -> anyhow::Result<Option<HttpRoute>> {
        let Reach::Http { url, client_id, client_secret, ca } = reach else { return Ok(None) };
        let ca_pem = self.authority_in(ca.as_deref())?;
        let login = HttpLogin::Client { id: client_id.clone(), secret: self.store.get(client_secret)? };
        Ok(Some(HttpRoute { base: url.clone(), login, ca_pem }))
    }

    /// The way to a directory, its key opened.
    ///
    /// # Errors
    /// When the key cannot be opened or the authority's file not be read.
    pub fn directory_route(&self, directory: &Directory) -> anyhow::Result<HttpRoute> {
        let DirectoryModel::Dolibarr = directory.model;
        let ca_pem = self.authority_in(directory.ca.as_ref().map(|file| file.as_str()))?;
        let mut headers = vec![("DOLAPIKEY", self.store.get(&directory.api_key.secret)?)];
        if let Some(entity) = directory.entity {
            headers.push(("DOLAPIENTITY", Secret::new(entity.to_string(), "entity")));
        }
        let base = format!("{}/api/index.php/", directory.url.trim_end_matches('/'));
        Ok(HttpRoute { base, login: HttpLogin::Headers(headers), ca_pem })
    }

    fn authority_in(&self, file: Option<&str>) -> anyhow::Result<Option<Vec<u8>>> {
        let read = |file| std::fs::read(self.root.join(file)).with_context(|| format!("reading {file}"));
        file.map(read).transpose()
    }

    /// The file with the pinned certificates of gateways' web sides.
    pub fn known_certificates(&self) -> PathBuf {
        self.root.join("inventory/known_certificates")
    }

    /// The pinned host keys.
    pub fn known_hosts(&self) -> &KnownHosts {
        &self.known_hosts
    }

    /// Time limits of connections.
    pub fn limits(&self) -> Limits {
        Limits::default()
    }
}
