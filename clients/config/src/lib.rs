//! What Drydock writes into the configuration files of AI clients.
//!
//! `clients/*.toml` -> clients, their files, our entries in them, and the ledger of what is ours. Invariant: only this
//! crate writes a user's file, and a byte that is not ours never changes.

pub mod client;
pub mod entries;
pub mod file;
pub mod fingerprint;
pub mod fixable;
pub mod ledger;
