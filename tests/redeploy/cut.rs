//! Cut anywhere, run again.
