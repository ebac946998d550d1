//! The SSH server of a simulated device: password and public-key login with lock-out, exec only.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::keys::{HashAlg, PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, VerifiedPublicKey, run_stream};
use russh::{Channel, ChannelId, MethodKind, MethodSet};

use super::door::{Door, Lockout};
use super::exec;
use super::line::Line;
use super::machine::VirtualHost;

/// Who may log in.
#[derive(Debug)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password, also sudo's.
    pub password: String,
    /// Public keys in OpenSSH's form, one each.
    pub keys: Vec<PublicKey>,
    /// What happens after failures.
    pub lockout: Lockout,
}

/// The SSH side of a device.
pub struct SshServer {
    host: Arc<VirtualHost>,
    login: Arc<Login>,
    config: Arc<Config>,
    host_key: PublicKey,
}

impl SshServer {
    /// A server with a host key of its own.
    pub fn new(host: Arc<VirtualHost>, login: Arc<Login>) -> Self {
        let pair = Ed25519Keypair::from_seed(&rand::random());
        let key = PrivateKey::new(KeypairData::Ed25519(pair), "")
            .expect("an Ed25519 key pair is a whole private key");
        let host_key = key.public_key().clone();
        let config = Config {
            methods: methods(),
            // A simulation has no secret to protect against timing.
            auth_rejection_time: Duration::ZERO,
            keys: vec![key],
            inactivity_timeout: None,
            ..Config::default()
        };
        Self { host, login, config: Arc::new(config), host_key }
    }

    /// The host key as `known_hosts` has it, without a comment.
    pub fn host_key(&self) -> String {
        self.host_key.to_openssh().expect("a public key made here is written as text")
    }

    /// The host key's fingerprint as OpenSSH prints it.
    pub fn fingerprint(&self) -> String {
        self.host_key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Serves a port until dropped.
    pub async fn attend(self, door: Door) {
        let knobs = Arc::clone(&self.host.knobs);
        door.attend(knobs, |line| {
            let guest = Guest {
                host: Arc::clone(&self.host),
                login: Arc::clone(&self.login),
                user: String::new(),
                channels: HashMap::new(),
            };
            serve(Arc::clone(&self.config), line, guest)
        })
        .await;
    }
}

async fn serve(config: Arc<Config>, line: Line, guest: Guest) {
    match run_stream(config, line, guest).await {
        Ok(session) => {
            if let Err(error) = session.await {
                tracing::debug!(%error, "simulated SSH session ended");
            }
        }
        Err(error) => tracing::debug!(%error, "simulated SSH session did not start"),
    }
}

fn methods() -> MethodSet {
    MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password][..])
}

/// Refused, with both methods still offered, as OpenSSH does.
fn refused() -> Auth {
    Auth::Reject { proceed_with_methods: Some(methods()), partial_success: false }
}

/// One connection.
struct Guest {
    host: Arc<VirtualHost>,
    login: Arc<Login>,
    user: String,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl Handler for Guest {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let login = &self.login;
        if login.lockout.is_locked() {
            return Ok(refused());
        }
        let good = login.user == user && login.password == password;
        login.lockout.ended(good);
        user.clone_into(&mut self.user);
        Ok(if good { Auth::Accept } else { refused() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let known = self.login.keys.iter().any(|known| known.key_data() == key.public_key.key_data());
        user.clone_into(&mut self.user);
        let good = known && self.login.user == user && !self.login.lockout.is_locked();
        Ok(if good { Auth::Accept } else { refused() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        line: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let Some(open) = self.channels.remove(&channel) else { return session.channel_failure(channel) };
        self.host.log.note_exec();
        if self.host.knobs.exec_is_cut() {
            return Err(russh::Error::Disconnect);
        }
        session.channel_success(channel)?;
        let exec = exec::Exec {
            host: Arc::clone(&self.host),
            user: self.user.clone(),
            login: Arc::clone(&self.login),
            session: session.handle(),
        };
        let line = String::from_utf8_lossy(line).into_owned();
        tokio::spawn(async move { exec.serve(&line, open).await });
        Ok(())
    }
}
