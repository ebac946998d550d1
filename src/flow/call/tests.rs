//! Cases of calls.
