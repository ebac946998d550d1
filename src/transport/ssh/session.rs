//! One session: the connections on the way to a host, nearest first, and the limits they are held to.

use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use russh::client::{Config, Handle};
use russh::keys::{Algorithm, EcdsaCurve, PublicKey};
use russh::{Disconnect, Preferred, kex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::door::{Door, Log, Trust, fault_of};
use super::fault::SshFault;
use super::login::log_in;
use super::route::Route;
use crate::transport::interface;
use crate::transport::known_hosts::KnownHosts;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Each connection: TCP and key exchange.
    pub connect: Duration,
    /// Each answer of the server to a login or to the request for a channel.
    pub call: Duration,
    /// Everything until the session is open, jumps included.
    pub total: Duration,
    /// Silence after which the server is asked for a sign of life; it is given up after four such times.
    pub keepalive: Duration,
}

impl Default for Limits {
    /// 10 s to connect, 20 s an answer, 60 s in all, a sign of life every 15 s.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), call: seconds(20), total: seconds(60), keepalive: seconds(15) }
    }
}

/// What went over a session so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Programs run.
    pub execs: u64,
    /// Bytes of their output received.
    pub bytes_in: u64,
    /// Bytes of their input sent.
    pub bytes_out: u64,
}

impl std::iter::Sum for Traffic {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            execs: sum.execs + one.execs,
            bytes_in: sum.bytes_in + one.bytes_in,
            bytes_out: sum.bytes_out + one.bytes_out,
        })
    }
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) execs: AtomicU64,
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: AtomicU64,
}

/// One SSH connection on the way.
pub(super) struct Hop {
    pub(super) handle: Handle<Door>,
    pub(super) log: Log,
}

impl Hop {
    /// The fault of a request that the ended connection left without an answer.
    pub(super) fn closed(&self, whom: &str, otherwise: &str) -> SshFault {
        let reason = self.log.ended().unwrap_or_else(|| otherwise.to_owned());
        SshFault::Closed { whom: whom.to_owned(), reason }
    }
}

/// The TCP connection below all. It is cut when dropped, so that a future dropped in the middle of a key
/// exchange leaves no connection behind.
struct Line(std::net::TcpStream);

impl Drop for Line {
    fn drop(&mut self) {
        let _already_closed = self.0.shutdown(Shutdown::Both);
    }
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// The hops opened so far. Fields drop in this order: first the sessions, then the line below them.
#[derive(Default)]
struct Way {
    hops: Vec<Hop>,
    line: Option<Line>,
}

impl Way {
    /// Goes through all jumps of a route.
    async fn through_jumps(route: &Route, known: &Arc<KnownHosts>, limits: Limits) -> Result<Self, SshFault> {
        let mut way = Self::default();
        for jump in &route.jumps {
            way.go_on(jump, Trust::Pinned(Arc::clone(known)), known, limits).await?;
        }
        Ok(way)
    }

    /// One hop further: connects, checks the host key, logs in.
    async fn go_on(
        &mut self,
        to: &Route,
        trust: Trust,
        known: &KnownHosts,
        limits: Limits,
    ) -> Result<(), SshFault> {
        let log = Log::default();
        let mut hop = self.knock(to, trust, known, limits, &log).await?;
        log_in(&mut hop, to, limits.call).await?;
        self.hops.push(hop);
        Ok(())
    }

    /// Connects and checks the host key.
    async fn knock(
        &mut self,
        to: &Route,
        trust: Trust,
        known: &KnownHosts,
        limits: Limits,
        log: &Log,
    ) -> Result<Hop, SshFault> {
        let config = Arc::new(config(known.key_types(to.pin_host(), to.port), limits));
        let door = Door::new(to, trust, log.clone());
        let connecting = async {
            let wire = self.wire(to).await?;
            russh::client::connect_stream(config, wire, door).await
        };
        match timeout(limits.connect, connecting).await {
            Err(_) => Err(timed_out(to, "connecting", limits.connect)),
            Ok(Ok(handle)) => Ok(Hop { handle, log: log.clone() }),
            Ok(Err(error)) => Err(log.verdict().unwrap_or_else(|| fault_of(&error, &to.whom()))),
        }
    }

    /// Bytes to and from the next host: TCP to the first, a forwarded channel of the hop before to others.
    async fn wire(&mut self, to: &Route) -> Result<Box<dyn Wire>, russh::Error> {
        let Some(before) = self.hops.last() else {
            let stream = interface::connect(&to.address, to.port, to.interface.as_deref()).await?;
            stream.set_nodelay(true)?;
            let stream = stream.into_std()?;
            self.line = Some(Line(stream.try_clone()?));
            return Ok(Box::new(TcpStream::from_std(stream)?));
        };
        let (address, port) = (to.address.as_str(), u32::from(to.port));
        let channel = before.handle.channel_open_direct_tcpip(address, port, "127.0.0.1", 0).await;
        match channel {
            Ok(channel) => Ok(Box::new(channel.into_stream())),
            Err(russh::Error::ChannelOpenFailure(why)) => {
                Err(std::io::Error::other(format!("the host before it says {why:?}")).into())
            }
            Err(error) => Err(error),
        }
    }
}

pub(super) fn timed_out(route: &Route, doing: &str, limit: Duration) -> SshFault {
    SshFault::TimedOut { whom: route.whom(), doing: doing.to_owned(), limit }
}

/// Key exchange with curve25519 first; host key types with the pinned ones first, as OpenSSH does, so that a
/// server with several keys shows the one we know.
fn config(pinned: Vec<&str>, limits: Limits) -> Config {
    const KEY_EXCHANGES: &[kex::Name] = &[
        kex::CURVE25519,
        kex::CURVE25519_PRE_RFC_8731,
        kex::MLKEM768X25519_SHA256,
        kex::DH_GEX_SHA256,
        kex::DH_G18_SHA512,
        kex::DH_G16_SHA512,
        kex::DH_G14_SHA256,
        kex::EXTENSION_SUPPORT_AS_CLIENT,
        kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
    ];
    let ecdsa = |curve| Algorithm::Ecdsa { curve };
    let (p256, p384, p521) = (EcdsaCurve::NistP256, EcdsaCurve::NistP384, EcdsaCurve::NistP521);
    let mut key_types = vec![Algorithm::Ed25519, ecdsa(p256), ecdsa(p384), ecdsa(p521)];
    key_types.sort_by_key(|key_type| !pinned.contains(&key_type.as_str()));
    Config {
        preferred: Preferred { kex: KEY_EXCHANGES.into(), key: key_types.into(), ..Preferred::DEFAULT },
        keepalive_interval: Some(limits.keepalive),
        keepalive_max: 3,
        nodelay: true,
        ..Config::default()
    }
}

/// A session on a host: logged in, its host key checked. Dropping it ends the connection.
pub struct Session {
    way: Way,
    pub(super) route: Route,
    pub(super) limits: Limits,
    pub(super) counters: Counters,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({} as {})", self.route.whom(), self.route.user)
    }
}

impl Session {
    /// Opens a session. Every host on the way is held to the pins; every login is tried once.
    ///
    /// # Errors
    /// What failed, of which host.
    pub async fn open(route: &Route, known: &KnownHosts, limits: Limits) -> Result<Self, SshFault> {
        let known = Arc::new(known.clone());
        let opening = async {
            let mut way = Way::through_jumps(route, &known, limits).await?;
            way.go_on(route, Trust::Pinned(Arc::clone(&known)), &known, limits).await?;
            Ok(Self { way, route: route.clone(), limits, counters: Counters::default() })
        };
        match timeout(limits.total, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(timed_out(route, "opening the session", limits.total)),
        }
    }

    /// Ends the session: says goodbye to the server and waits for its end, no longer than `Limits::call`.
    pub async fn close(mut self) {
        while let Some(hop) = self.way.hops.pop() {
            let goodbye = async {
                let _already_closed = hop.handle.disconnect(Disconnect::ByApplication, "", "").await;
                let _ended = hop.handle.await;
            };
            let _gives_up = timeout(self.limits.call, goodbye).await;
        }
    }

    /// What went over it so far.
    pub fn traffic(&self) -> Traffic {
        let Counters { execs, bytes_in, bytes_out } = &self.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic { execs: read(execs), bytes_in: read(bytes_in), bytes_out: read(bytes_out) }
    }

    /// Whether the connection has ended, by whom ever.
    pub fn is_closed(&self) -> bool {
        self.way.hops.iter().any(|hop| hop.handle.is_closed()) || self.way.hops.is_empty()
    }

    /// Address and port of the host.
    pub fn whom(&self) -> String {
        self.route.whom()
    }

    pub(super) fn hop(&self) -> Result<&Hop, SshFault> {
        let closed = || SshFault::Closed { whom: self.whom(), reason: "session closed".to_owned() };
        self.way.hops.last().ok_or_else(closed)
    }
}

/// The host key a host offers, for `rocade trust`. Leaves before any login there; hosts to jump through are
/// held to the pins and logged in to.
///
/// # Errors
/// What failed, of which host.
pub async fn offered_key(route: &Route, known: &KnownHosts, limits: Limits) -> Result<PublicKey, SshFault> {
    let known = Arc::new(known.clone());
    let looking = async {
        let mut way = Way::through_jumps(route, &known, limits).await?;
        let log = Log::default();
        match way.knock(route, Trust::LookOnly, &known, limits, &log).await {
            Ok(_) => {}
            Err(fault) if log.offered().is_none() => return Err(fault),
            Err(_) => {}
        }
        let nothing = || SshFault::Protocol { whom: route.whom(), reason: "offers no host key".to_owned() };
        log.offered().ok_or_else(nothing)
    };
    match timeout(limits.total, looking).await {
        Ok(offered) => offered,
        Err(_) => Err(timed_out(route, "asking for its host key", limits.total)),
    }
}
