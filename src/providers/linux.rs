//! The provider of linux.
