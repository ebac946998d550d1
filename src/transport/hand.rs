//! The hands given to providers. `observe` gets a [`Reading`], only `apply` gets a [`Writing`].

use futures::future::BoxFuture;
use serde_json::Value as Json;

use super::http::{HttpAnswer, HttpFault, HttpSession, Method};
use crate::host::{Answer, Ask, Order, Ruling};

/// A Linux host at the other end.
pub trait Hosting: Send + Sync {
    /// Asks everything in one exec. The answers stand in the order of the questions.
    ///
    /// # Errors
    /// One line saying why nothing could be asked.
    fn ask<'a>(&'a self, asks: &'a [Ask]) -> BoxFuture<'a, anyhow::Result<Vec<Answer>>>;

    /// Gives all orders in one exec. `each` is called as soon as an order's end is known, in order; every
    /// order is reported once, whatever happens to the connection.
    fn order<'a>(
        &'a self,
        orders: &'a [Order],
        each: &'a mut (dyn FnMut(usize, Ruling) + Send),
    ) -> BoxFuture<'a, ()>;
}

/// What is at the other end.
#[derive(Clone, Copy)]
enum End<'a> {
    Host(&'a dyn Hosting),
    Http(&'a HttpSession),
    /// The repository itself: nothing to connect to.
    Nowhere,
}

const NOT_A_HOST: &str = "this target is not a host reached over SSH";

impl<'a> End<'a> {
    fn http(self) -> Result<&'a HttpSession, HttpFault> {
        match self {
            End::Http(session) => Ok(session),
            _ => Err(HttpFault::NotHttp),
        }
    }
}

macro_rules! hand {
    ($(#[$words:meta])* $hand:ident) => {
        $(#[$words])*
        #[derive(Clone, Copy)]
        pub struct $hand<'a>(End<'a>);

        impl<'a> $hand<'a> {
            /// A hand on a host.
            pub fn on(host: &'a dyn Hosting) -> Self {
                Self(End::Host(host))
            }

            /// A hand on an API over HTTP.
            pub fn over(session: &'a HttpSession) -> Self {
                Self(End::Http(session))
            }

            /// A hand on the repository itself, where there is nobody to ask.
            pub fn nowhere() -> Self {
                Self(End::Nowhere)
            }
        }
    };
}

hand!(
    /// A hand that reads.
    Reading
);
hand!(
    /// A hand that writes.
    Writing
);

impl Reading<'_> {
    /// Asks everything in one exec; see [`Hosting::ask`].
    ///
    /// # Errors
    /// One line saying why nothing could be asked.
    pub async fn ask(&self, asks: &[Ask]) -> anyhow::Result<Vec<Answer>> {
        match self.0 {
            End::Host(host) => host.ask(asks).await,
            _ => anyhow::bail!(NOT_A_HOST),
        }
    }

    /// Asks an API: a path with its query below the base, the answer's JSON.
    ///
    /// # Errors
    /// Why there is no good answer.
    pub async fn get(&self, path: &str) -> Result<HttpAnswer, HttpFault> {
        self.0.http()?.request(Method::Get, path, None).await
    }
}

impl<'a> Writing<'a> {
    /// The reading hand on the same end: what is written is read again.
    pub fn reading(&self) -> Reading<'a> {
        Reading(self.0)
    }

    /// Gives all orders in one exec; see [`Hosting::order`].
    pub async fn order(&self, orders: &[Order], each: &mut (dyn FnMut(usize, Ruling) + Send)) {
        match self.0 {
            End::Host(host) => host.order(orders, each).await,
            _ => (0..orders.len()).for_each(|index| each(index, Ruling::Failed(NOT_A_HOST.into()))),
        }
    }

    /// Sends a request that changes something to an API.
    ///
    /// # Errors
    /// Why there is no good answer; [`HttpFault::is_unknown`] tells whether it may have been done.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Json>,
    ) -> Result<HttpAnswer, HttpFault> {
        self.0.http()?.request(method, path, body).await
    }

    /// Uploads a file to an API as multipart form data, in the part `file`.
    ///
    /// # Errors
    /// As [`Writing::send`].
    pub async fn upload(
        &self,
        path: &str,
        name: &str,
        mime: &str,
        bytes: Vec<u8>,
    ) -> Result<HttpAnswer, HttpFault> {
        self.0.http()?.upload(path, name, mime, bytes).await
    }
}
