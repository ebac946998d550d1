//! The provider of pki.
