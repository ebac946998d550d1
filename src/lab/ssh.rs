//! The SSH server of a simulated device: password and public-key login with lock-out, exec only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::keys::{HashAlg, PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, VerifiedPublicKey, run_stream};
use russh::{Channel, ChannelId, MethodKind, MethodSet};

use super::conduit::api::Api;
use super::door::{Door, Lockout};
use super::exec;
use super::gate::Gate;
use super::held;
use super::line::Line;
use super::machine::VirtualHost;

/// Where a device keeps its users' passwords.
pub enum Book {
    /// One user with a password.
    One(String, String),
    /// The users of a Conduit.
    Unit(Arc<Mutex<Api>>),
}

/// Who may log in.
pub struct Login {
    book: Book,
    /// Public keys, each of a user.
    keys: Mutex<Vec<(String, PublicKey)>>,
    /// What happens after failures.
    pub lockout: Lockout,
}

impl Login {
    /// Users, the keys of one of them, and what happens after failures.
    pub fn new(book: Book, user: &str, keys: Vec<PublicKey>, lockout: Lockout) -> Self {
        let keys = keys.into_iter().map(|key| (user.to_owned(), key)).collect();
        Self { book, keys: Mutex::new(keys), lockout }
    }

    /// Whether this is a user's password, also sudo's.
    pub fn fits(&self, user: &str, password: &str) -> bool {
        match &self.book {
            Book::One(name, own) => (name.as_str(), own.as_str()) == (user, password),
            Book::Unit(api) => held(api).settings().users().any(|one| one == (user, password)),
        }
    }

    /// Whether this is a key of a user.
    fn knows(&self, user: &str, key: &PublicKey) -> bool {
        held(&self.keys).iter().any(|(name, known)| name == user && known.key_data() == key.key_data())
    }

    /// Forgets all keys.
    pub fn forget_keys(&self) {
        held(&self.keys).clear();
    }
}

/// A host key nobody has yet.
pub fn new_host_key() -> PrivateKey {
    let pair = Ed25519Keypair::from_seed(&rand::random());
    PrivateKey::new(KeypairData::Ed25519(pair), "").expect("an Ed25519 key pair is a whole private key")
}

/// A public key as `known_hosts` has it, without a comment.
pub fn line_of(key: &PrivateKey) -> String {
    key.public_key().to_openssh().expect("a public key made here is written as text")
}

/// The fingerprint of a key as OpenSSH prints it.
pub fn fingerprint_of(key: &PrivateKey) -> String {
    key.public_key().fingerprint(HashAlg::Sha256).to_string()
}

/// Serves SSH on a port until dropped, with the host key the device has when somebody connects.
pub async fn attend(host: Arc<VirtualHost>, login: Arc<Login>, door: Door, gate: &Gate) {
    let knobs = Arc::clone(&host.knobs);
    door.attend_behind(gate, knobs, |line| {
        let config = Config {
            methods: methods(),
            // A simulation has no secret to protect against timing.
            auth_rejection_time: Duration::ZERO,
            keys: vec![held(&host.key).clone()],
            inactivity_timeout: None,
            ..Config::default()
        };
        let (host, login) = (Arc::clone(&host), Arc::clone(&login));
        let guest = Guest { host, login, user: String::new(), channels: HashMap::new() };
        serve(Arc::new(config), line, guest)
    })
    .await;
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
        let good = login.fits(user, password);
        login.lockout.ended(good);
        user.clone_into(&mut self.user);
        Ok(if good { Auth::Accept } else { refused() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        user.clone_into(&mut self.user);
        let good = self.login.knows(user, key.public_key) && !self.login.lockout.is_locked();
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
        if self.host.knobs.exec_is_stalled() {
            self.channels.insert(channel, open);
            return Ok(());
        }
        let exec = exec::Exec {
            host: Arc::clone(&self.host),
            user: self.user.clone(),
            login: Arc::clone(&self.login),
            session: session.handle(),
            garbled: self.host.knobs.exec_is_garbled(),
        };
        let line = String::from_utf8_lossy(line).into_owned();
        tokio::spawn(async move { exec.serve(&line, open).await });
        Ok(())
    }
}
