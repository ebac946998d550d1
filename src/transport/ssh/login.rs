//! The login: each method at most once, and a refused password never again.
//!
//! First a request without credentials: the answer names the methods the server offers, and neither OpenSSH
//! nor Dropbear counts it as a failure. Then keys, then the password, by `password` or, when that is not
//! offered, by `keyboard-interactive`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use russh::client::{AuthResult, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::{AgentClient, AgentStream};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};
use tokio::time::timeout;

use super::door::fault_of;
use super::fault::SshFault;
use super::route::{AgentUse, Route};
use super::session::{Hop, timed_out};
use crate::model::Secret;

/// Keys offered at most: OpenSSH's server ends the connection at the sixth refusal (`MaxAuthTries`).
const MOST_KEYS: usize = 5;

/// Logs in to a host.
pub(super) async fn log_in(hop: &mut Hop, route: &Route, limit: Duration) -> Result<(), SshFault> {
    let mut attempt =
        Attempt { hop, route, limit, offered: MethodSet::empty(), tried: Vec::new(), unusable: Vec::new() };
    if attempt.without_credentials().await? || attempt.with_keys().await? {
        return Ok(());
    }
    if let Some(password) = &route.password
        && attempt.with_password(password).await?
    {
        return Ok(());
    }
    Err(attempt.refused())
}

/// An SSH agent, over whatever the system has for it.
type Agent = AgentClient<Box<dyn AgentStream + Send + Unpin>>;

struct Attempt<'a> {
    hop: &'a mut Hop,
    route: &'a Route,
    limit: Duration,
    /// The methods the server said would go on from here.
    offered: MethodSet,
    tried: Vec<String>,
    unusable: Vec<String>,
}

/// A private key we can sign with.
enum Signer {
    File(Box<PrivateKey>, PathBuf),
    Agent(Box<AgentIdentity>),
}

/// What a key file gave.
struct KeyFile {
    path: PathBuf,
    public: PublicKey,
    /// `None` when the file is encrypted or its kind cannot sign here.
    private: Option<PrivateKey>,
}

impl Attempt<'_> {
    async fn without_credentials(&mut self) -> Result<bool, SshFault> {
        let answer = timeout(self.limit, self.hop.handle.authenticate_none(&self.route.user)).await;
        self.judge(answer)
    }

    async fn with_keys(&mut self) -> Result<bool, SshFault> {
        let files = self.key_files()?;
        if !self.offered.contains(&MethodKind::PublicKey) {
            return Ok(false);
        }
        let mut agent = self.agent().await;
        let mut signers = Vec::new();
        if let Some(agent) = &mut agent {
            signers
                .extend(self.agent_keys(agent, &files).await.into_iter().map(|i| Signer::Agent(Box::new(i))));
        }
        self.add_files(files, &mut signers)?;
        for signer in signers.into_iter().take(MOST_KEYS) {
            if self.with_key(signer, agent.as_mut()).await? {
                return Ok(true);
            }
            if !self.offered.contains(&MethodKind::PublicKey) {
                break;
            }
        }
        Ok(false)
    }

    /// The route's key files. One named in the inventory must be readable.
    fn key_files(&mut self) -> Result<Vec<KeyFile>, SshFault> {
        let mut files = Vec::new();
        for path in &self.route.identity_files {
            match read_key_file(path) {
                Ok(file) => files.push(file),
                Err(reason) if !matches!(self.route.agent, AgentUse::All(_)) => {
                    return Err(SshFault::KeyUnusable { path: path.clone(), reason });
                }
                Err(reason) => self.unusable.push(format!("key file {}: {reason}", path.display())),
            }
        }
        Ok(files)
    }

    async fn agent(&mut self) -> Option<Agent> {
        let (AgentUse::All(socket) | AgentUse::FilesOnly(socket)) = &self.route.agent else { return None };
        match timeout(self.limit, connect_agent(socket)).await {
            Ok(Ok(mut agent)) => {
                if let Some(binding) = self.hop.handle.agent_session_binding() {
                    // Old agents do not know it; those that do need it for keys bound to a destination.
                    let _not_known = timeout(self.limit, agent.bind_session(binding, false)).await;
                }
                Some(agent)
            }
            Ok(Err(error)) => {
                self.unusable.push(format!("SSH agent: {error}"));
                None
            }
            Err(_) => {
                self.unusable.push("SSH agent: no answer".to_owned());
                None
            }
        }
    }

    /// The agent's keys we may use, those of the route's key files first.
    async fn agent_keys(&mut self, agent: &mut Agent, files: &[KeyFile]) -> Vec<AgentIdentity> {
        let mut keys = match timeout(self.limit, agent.request_identities()).await {
            Ok(Ok(keys)) => keys,
            _ => {
                self.unusable.push("SSH agent: did not list its keys".to_owned());
                return Vec::new();
            }
        };
        let of_file = |identity: &AgentIdentity| {
            files.iter().any(|file| file.public.key_data() == identity.public_key().key_data())
        };
        if matches!(self.route.agent, AgentUse::FilesOnly(_)) {
            keys.retain(of_file);
        }
        keys.sort_by_key(|identity| !of_file(identity));
        keys
    }

    /// Adds the key files the agent does not hold.
    fn add_files(&mut self, files: Vec<KeyFile>, signers: &mut Vec<Signer>) -> Result<(), SshFault> {
        for KeyFile { path, public, private } in files {
            let in_agent = signers.iter().any(|signer| match signer {
                Signer::Agent(identity) => identity.public_key().key_data() == public.key_data(),
                Signer::File(..) => false,
            });
            if in_agent {
                continue;
            }
            let reason = match private {
                Some(private) => {
                    signers.push(Signer::File(Box::new(private), path));
                    continue;
                }
                None if public.algorithm().is_rsa() => "RSA keys are used through the SSH agent only",
                None => "it is encrypted and the SSH agent does not hold it",
            };
            if matches!(self.route.agent, AgentUse::All(_)) {
                self.unusable.push(format!("key file {}: {reason}", path.display()));
            } else {
                return Err(SshFault::KeyUnusable { path, reason: reason.to_owned() });
            }
        }
        Ok(())
    }

    async fn with_key(&mut self, signer: Signer, agent: Option<&mut Agent>) -> Result<bool, SshFault> {
        let user = &self.route.user;
        match (signer, agent) {
            (Signer::File(key, path), _) => {
                self.tried.push(format!("key file {}", path.display()));
                let key = PrivateKeyWithHashAlg::new(Arc::new(*key), None);
                let answer = timeout(self.limit, self.hop.handle.authenticate_publickey(user, key)).await;
                self.judge(answer)
            }
            (Signer::Agent(identity), Some(agent)) => {
                let key = identity.public_key().into_owned();
                self.tried.push(format!("agent key {}", crate::transport::known_hosts::fingerprint(&key)));
                let hash = if key.algorithm().is_rsa() { self.rsa_hash().await } else { None };
                let signing = self.hop.handle.authenticate_publickey_with(user, key, hash, agent);
                match timeout(self.limit, signing).await {
                    // The agent declined to sign: the server was not asked, go on with the next.
                    Ok(Err(error)) => {
                        self.unusable.push(format!("SSH agent: {error}"));
                        Ok(false)
                    }
                    Ok(Ok(answer)) => self.judge(Ok(Ok(answer))),
                    Err(late) => self.judge(Err(late)),
                }
            }
            (Signer::Agent(_), None) => Ok(false),
        }
    }

    /// The hash for a signature with an RSA key; never SHA-1.
    async fn rsa_hash(&self) -> Option<HashAlg> {
        let supported = self.hop.handle.best_supported_rsa_hash().await.ok().flatten().flatten();
        supported.or(Some(HashAlg::Sha512))
    }

    async fn with_password(&mut self, password: &Secret) -> Result<bool, SshFault> {
        let Some(text) = password.reveal_text() else {
            self.unusable.push(format!("password {} is not UTF-8", password.source()));
            return Ok(false);
        };
        if self.offered.contains(&MethodKind::Password) {
            self.tried.push("password".to_owned());
            let user = &self.route.user;
            let answer = timeout(self.limit, self.hop.handle.authenticate_password(user, text)).await;
            return self.judge(answer);
        }
        if self.offered.contains(&MethodKind::KeyboardInteractive) {
            self.tried.push("keyboard-interactive".to_owned());
            return self.keyboard_interactive(text).await;
        }
        Ok(false)
    }

    /// Answers one question without echo with the password, and no second one: that would be a retry.
    async fn keyboard_interactive(&mut self, password: &str) -> Result<bool, SshFault> {
        let mut password = Some(password);
        let user = self.route.user.clone();
        let start = self.hop.handle.authenticate_keyboard_interactive_start(user, None);
        let mut answer = timeout(self.limit, start).await;
        loop {
            let prompts = match answer {
                Ok(Ok(KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. })) => prompts,
                Ok(Ok(KeyboardInteractiveAuthResponse::Success)) => return Ok(true),
                Ok(Ok(KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success })) => {
                    return self.judge(Ok(Ok(AuthResult::Failure { remaining_methods, partial_success })));
                }
                Ok(Err(error)) => return self.judge(Ok(Err(error))),
                Err(late) => return self.judge(Err(late)),
            };
            let responses = match (prompts.as_slice(), password) {
                ([], _) => Vec::new(),
                ([one], Some(text)) if !one.echo => {
                    password = None;
                    vec![text.to_owned()]
                }
                _ => {
                    let asked = prompts.iter().map(|p| p.prompt.trim()).collect::<Vec<_>>().join(" ");
                    self.unusable.push(format!("the server asks `{asked}`, which only a person can answer"));
                    return Ok(false);
                }
            };
            let respond = self.hop.handle.authenticate_keyboard_interactive_respond(responses);
            answer = timeout(self.limit, respond).await;
        }
    }

    /// Whether an answer lets us in. A refusal is remembered; an ended connection is a fault.
    fn judge(
        &mut self,
        answer: Result<Result<AuthResult, russh::Error>, tokio::time::error::Elapsed>,
    ) -> Result<bool, SshFault> {
        let whom = self.route.whom();
        match answer {
            Ok(Ok(AuthResult::Success)) => Ok(true),
            Ok(Ok(AuthResult::Failure { remaining_methods, .. })) => {
                // The library says "refused, nothing offered" when the connection ended instead of an answer.
                if remaining_methods.is_empty() && self.hop.handle.is_closed() {
                    return Err(self.hop.closed(&whom, "connection closed during the login"));
                }
                self.offered = remaining_methods;
                Ok(false)
            }
            Ok(Err(error)) if self.hop.handle.is_closed() => {
                Err(self.hop.closed(&whom, &format!("connection closed during the login ({error})")))
            }
            Ok(Err(error)) => Err(fault_of(&error, &whom)),
            Err(_) => Err(timed_out(self.route, "logging in", self.limit)),
        }
    }

    fn refused(self) -> SshFault {
        SshFault::LoginRefused {
            whom: self.route.whom(),
            user: self.route.user.clone(),
            tried: self.tried,
            offered: self.offered.iter().map(String::from).collect(),
            unusable: self.unusable,
        }
    }
}

#[cfg(unix)]
async fn connect_agent(socket: &Path) -> Result<Agent, russh::keys::Error> {
    Ok(AgentClient::connect_uds(socket).await?.dynamic())
}

/// The agent of Windows' OpenSSH listens on a named pipe.
#[cfg(windows)]
async fn connect_agent(pipe: &Path) -> Result<Agent, russh::keys::Error> {
    Ok(AgentClient::connect_named_pipe(pipe).await?.dynamic())
}

fn read_key_file(path: &Path) -> Result<KeyFile, String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let key =
        PrivateKey::from_openssh(&text).map_err(|_| "not a private key in OpenSSH's format".to_owned())?;
    let public = key.public_key().clone();
    let usable = !key.is_encrypted() && !public.algorithm().is_rsa();
    Ok(KeyFile { path: path.to_owned(), public, private: usable.then_some(key) })
}
