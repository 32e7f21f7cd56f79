//! What several commands do. Commands call these, and never one another.

pub(crate) mod adopt;
pub(crate) mod broken_part;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod clients_table;
pub(crate) mod down;
pub(crate) mod install;
pub(crate) mod members;
pub(crate) mod missing_grant;
pub(crate) mod new_server;
pub(crate) mod preflight;
pub(crate) mod reinstall;
pub(crate) mod remove;
pub(crate) mod select;
pub(crate) mod snapshot;
pub(crate) mod sources;
pub(crate) mod test;
pub(crate) mod turn;
pub(crate) mod uninstall;
pub(crate) mod up;
