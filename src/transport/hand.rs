//! The hands given to providers. `observe` gets a [`Reading`], only `apply` gets a [`Writing`].

use futures::future::BoxFuture;

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

/// A hand that reads.
#[derive(Clone, Copy)]
pub struct Reading<'a>(&'a dyn Hosting);

impl<'a> Reading<'a> {
    /// A reading hand on a host.
    pub fn on(host: &'a dyn Hosting) -> Self {
        Self(host)
    }

    /// Asks everything in one exec; see [`Hosting::ask`].
    ///
    /// # Errors
    /// One line saying why nothing could be asked.
    pub async fn ask(&self, asks: &[Ask]) -> anyhow::Result<Vec<Answer>> {
        self.0.ask(asks).await
    }
}

/// A hand that writes.
#[derive(Clone, Copy)]
pub struct Writing<'a>(&'a dyn Hosting);

impl<'a> Writing<'a> {
    /// A writing hand on a host.
    pub fn on(host: &'a dyn Hosting) -> Self {
        Self(host)
    }

    /// Gives all orders in one exec; see [`Hosting::order`].
    pub async fn order(&self, orders: &[Order], each: &mut (dyn FnMut(usize, Ruling) + Send)) {
        self.0.order(orders, each).await;
    }
}
