//! The provider of conduit.
