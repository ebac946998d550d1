//! What runs: the system itself, programs, HTTP and services, without a prefix.
