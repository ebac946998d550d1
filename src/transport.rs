//! The only sockets. A [`Reading`] hand cannot write: it has no call that does.

mod hand;

pub use hand::{Hosting, Reading, Writing};
