//! Reads a PBX.

use crate::model::{Observed, Wish};
use crate::transport::Reading;

/// Reads all collections.
pub async fn observe(wish: &Wish, _hand: Reading<'_>) -> Observed {
    Observed::unreachable(wish.target.clone(), "not there yet")
}
