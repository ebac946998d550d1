//! How to get to a host: where it is, through whom, and with what to log in. The inventory wins over
//! `~/.ssh/config`.

use std::path::PathBuf;

use anyhow::{Context, ensure};

use crate::model::Secret;
use crate::transport::ssh_config::{Jump, SshConfig};

/// The longest chain of hosts to go through; a longer one is a circle.
const MOST_JUMPS: usize = 8;

/// What the inventory says of a login, secrets opened.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// The user.
    pub user: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The user's password.
    pub password: Option<Secret>,
    /// A private key file; `~/` is the home directory.
    pub identity_file: Option<String>,
}

/// What the SSH agent is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentUse {
    /// Nothing.
    None,
    /// The keys of the route's key files, at this socket.
    FilesOnly(PathBuf),
    /// All its keys, at this socket.
    All(PathBuf),
}

/// The way to a host.
#[derive(Clone, Debug)]
pub struct Route {
    /// What the engineer calls it: the word after `rocade trust`.
    pub name: String,
    /// IP address or DNS name.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// The remote user.
    pub user: String,
    /// The remote user's password.
    pub password: Option<Secret>,
    /// Private key files, in the order to try.
    pub identity_files: Vec<PathBuf>,
    /// What the SSH agent is asked for.
    pub agent: AgentUse,
    /// The hosts to go through, nearest first. Theirs are empty.
    pub jumps: Vec<Route>,
    /// The name its host key is pinned under when that is not the address: a new gateway stands at an address
    /// that all of them share.
    pub pinned_as: Option<String>,
    /// The network interface to go through, where the system's own choice would not do.
    pub interface: Option<String>,
}

impl Route {
    /// The way to the target `name` at `address` as the inventory and the person's SSH configuration have it.
    ///
    /// A password or key of the inventory is the only thing tried. Without one it is the agent's keys, then
    /// the key files of the configuration.
    ///
    /// # Errors
    /// When the SSH configuration holds a value that is none, or jumps in a circle.
    pub fn resolve(name: &str, address: &str, login: &Login, config: &SshConfig) -> anyhow::Result<Self> {
        let settings = config.host(address).with_context(|| format!("SSH configuration of {address}"))?;
        let mut jumps = Vec::new();
        for (index, jump) in settings.jumps.iter().enumerate() {
            jumps.extend(hops(jump, index == 0, config, MOST_JUMPS)?);
        }
        let agent = config.person().agent.clone();
        let explicit_file = login.identity_file.as_deref().map(|file| config.person().expand(file));
        let (identity_files, agent) = match (explicit_file, &login.password) {
            (Some(file), _) => (vec![file], agent.map_or(AgentUse::None, AgentUse::FilesOnly)),
            (None, Some(_)) => (Vec::new(), AgentUse::None),
            (None, None) => (settings.identity_files, agent.map_or(AgentUse::None, AgentUse::All)),
        };
        Ok(Self {
            name: name.to_owned(),
            address: settings.host_name,
            port: login.port.unwrap_or(settings.port),
            user: login.user.clone().unwrap_or(settings.user),
            password: login.password.clone(),
            identity_files,
            agent,
            jumps,
            pinned_as: None,
            interface: None,
        })
    }

    /// The name its host key is pinned under.
    pub fn pin_host(&self) -> &str {
        self.pinned_as.as_deref().unwrap_or(&self.address)
    }

    /// Address and port, and through whom.
    pub fn whom(&self) -> String {
        let address =
            if self.address.contains(':') { format!("[{}]", self.address) } else { self.address.clone() };
        match self.jumps.last() {
            Some(jump) => format!("{address}:{} (through {})", self.port, jump.address),
            None => match &self.interface {
                Some(interface) => format!("{address}:{} (through {interface})", self.port),
                None => format!("{address}:{}", self.port),
            },
        }
    }
}

/// The hosts up to and including a jump. Only the first of a chain has a way of its own, as with `ssh -J`.
fn hops(jump: &Jump, first: bool, config: &SshConfig, left: usize) -> anyhow::Result<Vec<Route>> {
    ensure!(
        left > 0,
        "SSH configuration: ProxyJump of {} goes through more than {MOST_JUMPS} hosts",
        jump.host
    );
    let login = Login { user: jump.user.clone(), port: jump.port, ..Login::default() };
    let settings = config.host(&jump.host).with_context(|| format!("SSH configuration of {}", jump.host))?;
    let mut hops_before = Vec::new();
    if first {
        for (index, before) in settings.jumps.iter().enumerate() {
            hops_before.extend(hops(before, index == 0, config, left - 1)?);
        }
    }
    let agent = config.person().agent.clone().map_or(AgentUse::None, AgentUse::All);
    hops_before.push(Route {
        name: jump.host.clone(),
        address: settings.host_name,
        port: login.port.unwrap_or(settings.port),
        user: login.user.unwrap_or(settings.user),
        password: None,
        identity_files: settings.identity_files,
        agent,
        jumps: Vec::new(),
        pinned_as: None,
        interface: None,
    });
    Ok(hops_before)
}
