//! A port of a simulated device: always on loopback, behind the knobs that concern connections.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

use super::gate::{Gate, Leash};
use super::held;
use super::knobs::KnobBoard;
use super::line::Line;

/// An open port.
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

impl Door {
    /// Opens a port of 127.0.0.1; 0 takes any free one.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn open(port: u16) -> io::Result<Self> {
        Self::open_at((Ipv4Addr::LOCALHOST, port).into()).await
    }

    /// Opens an address.
    ///
    /// # Errors
    /// When it is taken or not this machine's.
    pub async fn open_at(address: SocketAddr) -> io::Result<Self> {
        // A port of a service that restarts may be held for a moment by somebody's connection to elsewhere.
        let mut tries = if address.port() == 0 { 0 } else { 50 };
        let listener = loop {
            match TcpListener::bind(address).await {
                Err(fault) if fault.kind() == io::ErrorKind::AddrInUse && tries > 0 => {
                    tries -= 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                bound => break bound?,
            }
        };
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The port's number.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Serves connections until dropped; what serves them is dropped with it.
    pub async fn attend<F>(self, knobs: Arc<KnobBoard>, serve: impl Fn(Line) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.attend_behind(&Gate::default(), knobs, serve).await;
    }

    /// The same behind a gate: while it is closed, connections are refused and the port stays ours.
    pub async fn attend_behind<F>(self, gate: &Gate, knobs: Arc<KnobBoard>, serve: impl Fn(Line) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut connections = JoinSet::new();
        let mut listener = Some(self.listener);
        let mut kept = None;
        loop {
            gate.note(listener.is_some());
            let Some(open) = &listener else {
                knobs.until_refuse(false).await;
                gate.until(true).await;
                listener = match kept.take() {
                    Some(socket) => listen(socket),
                    // It may still be held by a connection that is ending: try again.
                    None => TcpListener::bind(self.address).await.ok(),
                };
                if listener.is_none() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                continue;
            };
            tokio::select! {
                biased;
                () = gate.until(false) => {
                    listener = None;
                    kept = keep(self.address);
                }
                () = knobs.until_refuse(true) => {
                    listener = None;
                    kept = keep(self.address);
                }
                Some(_) = connections.join_next() => {}
                accepted = open.accept() => {
                    let Ok((stream, _)) = accepted else { continue };
                    let (leash, cut) = (Leash::new(gate), gate.until_cut());
                    if !gate.is_open() {
                        continue;
                    }
                    let now = knobs.now();
                    // Answers are short and waited for; a delay per packet would be ours, not the device's.
                    let _ = stream.set_nodelay(true);
                    let line = Line::new(stream, now.cut_after_bytes, leash);
                    if now.hang {
                        connections.spawn(async move { let _held = line; cut.await });
                    } else {
                        let served = serve(line);
                        connections.spawn(async move { tokio::select! { () = served => {}, () = cut => {} } });
                    }
                }
            }
        }
    }
}

/// Keeps a port without listening there: whoever connects is refused, and nobody else can take it.
fn keep(address: SocketAddr) -> Option<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.ok()?;
    // As Tokio's listeners do: on Windows this word means something else.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true).ok()?;
    socket.bind(address).ok()?;
    Some(socket)
}

fn listen(socket: TcpSocket) -> Option<TcpListener> {
    socket.listen(1024).ok()
}

/// The lock-out of a login after three failures in a row, as the Conduit's SSH and web logins have it
/// (`remoteAccess`: `failAttempts` 3, `lockoutSeconds` 300).
#[derive(Debug)]
pub struct Lockout {
    lasts: Duration,
    held: std::sync::Mutex<(u32, Option<Instant>)>,
}

const FAILURES_MAX: u32 = 3;

impl Lockout {
    /// A lock-out of the given length.
    pub fn new(lasts: Duration) -> Self {
        Self { lasts, held: std::sync::Mutex::new((0, None)) }
    }

    /// How long it lasts.
    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    /// Whether logins are refused now, whatever the password.
    pub fn is_locked(&self) -> bool {
        let mut held = held(&self.held);
        match held.1 {
            Some(until) if Instant::now() < until => true,
            Some(_) => {
                *held = (0, None);
                false
            }
            None => false,
        }
    }

    /// Forgets failures, as a restart does.
    pub fn clear(&self) {
        *held(&self.held) = (0, None);
    }

    /// Takes the end of a login attempt; gives how many more failures are allowed.
    pub fn ended(&self, good: bool) -> u32 {
        let mut held = held(&self.held);
        if good {
            *held = (0, None);
            return FAILURES_MAX;
        }
        held.0 += 1;
        if held.0 >= FAILURES_MAX {
            held.1 = Some(Instant::now() + self.lasts);
        }
        FAILURES_MAX.saturating_sub(held.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_failure_locks_out() {
        let lockout = Lockout::new(Duration::from_secs(300));
        assert_eq!((lockout.ended(false), lockout.ended(false)), (2, 1));
        assert!(!lockout.is_locked());
        assert_eq!(lockout.ended(false), 0);
        assert!(lockout.is_locked());
    }

    #[test]
    fn a_good_login_clears_the_count_and_a_lock_ends() {
        let lockout = Lockout::new(Duration::ZERO);
        for _ in 0..3 {
            lockout.ended(false);
        }
        assert!(!lockout.is_locked());
        lockout.ended(false);
        lockout.ended(true);
        assert_eq!(lockout.ended(false), 2);
    }
}
