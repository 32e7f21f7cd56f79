//! One file per command, each with its `Args` (whose doc comments are the help) and `run`.

pub(crate) mod build_images;
pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod ci;
pub(crate) mod clients;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod install_client;
pub(crate) mod logs;
pub(crate) mod new_server;
pub(crate) mod prune;
pub(crate) mod quickstart;
pub(crate) mod remove;
pub(crate) mod restart;
pub(crate) mod status;
pub(crate) mod test;
pub(crate) mod tools;
pub(crate) mod uninstall_client;
pub(crate) mod up;
