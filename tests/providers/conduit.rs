//! The gateway's provider against the simulated Conduit.
