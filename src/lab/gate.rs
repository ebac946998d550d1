//! Whether a device's port is open. One that closes its port keeps its connections; one that loses its power
//! loses them too.

use std::future::Future;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;

/// The gate behind a port.
#[derive(Debug)]
pub struct Gate(watch::Sender<Stand>);

#[derive(Clone, Copy, Debug)]
struct Stand {
    open: bool,
    /// How often the connections were cut.
    cuts: u32,
    /// Whether the door behind it listens.
    listens: bool,
}

impl Default for Gate {
    /// Open.
    fn default() -> Self {
        Self(watch::Sender::new(Stand { open: true, cuts: 0, listens: false }))
    }
}

impl Gate {
    /// Opens or closes it.
    pub fn set(&self, open: bool) {
        self.0.send_modify(|stand| stand.open = open);
    }

    /// Closes it and ends what came through.
    pub fn cut(&self) {
        self.0.send_modify(|stand| *stand = Stand { open: false, cuts: stand.cuts + 1, ..*stand });
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.0.borrow().open
    }

    /// Notes whether the door behind it listens.
    pub fn note(&self, listens: bool) {
        self.0.send_if_modified(|stand| std::mem::replace(&mut stand.listens, listens) != listens);
    }

    /// Waits until the door behind it is as it is.
    pub async fn until_followed(&self) {
        let _ = self.0.subscribe().wait_for(|stand| stand.open == stand.listens).await;
    }

    /// Waits until it is as given.
    pub async fn until(&self, open: bool) {
        // The sender lives in `self`, so the channel cannot be closed while this waits.
        let _ = self.0.subscribe().wait_for(|stand| stand.open == open).await;
    }

    /// A future that ends when what comes through from now on is cut.
    pub fn until_cut(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stand = self.0.subscribe();
        let before = stand.borrow().cuts;
        async move {
            // The gate itself may go: then its device is gone too.
            let _ = stand.wait_for(|stand| stand.cuts != before).await;
        }
    }
}

/// What a connection hears of its gate, for its two directions.
pub struct Leash([Option<BoxFuture<'static, ()>>; 2]);

impl Leash {
    /// The leash of a connection made now.
    pub fn new(gate: &Gate) -> Self {
        let leash = || Some(gate.until_cut().boxed());
        Self([leash(), leash()])
    }

    /// Whether the connection was cut; wakes the task that reads (0) or writes (1) when it is.
    pub fn is_cut(&mut self, way: usize, cx: &mut std::task::Context<'_>) -> bool {
        let cut = self.0[way].as_mut().is_none_or(|cut| cut.poll_unpin(cx).is_ready());
        if cut {
            self.0[way] = None;
        }
        cut
    }
}
