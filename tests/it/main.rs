//! End to end: the real commands, images, containers, clients. One module per topic.
//!
//! A clone of the workspace -> pass, fail, or skipped with a reason. Invariant: no test depends on another one.

mod adopt;
mod buildkit;
mod builds;
mod bytes;
mod cli;
mod clients;
mod counts;
mod crashes;
mod documents;
mod ends;
mod escapes;
mod faults;
mod forecasts;
mod grants;
mod host;
mod hostile;
mod house;
mod images;
mod instructions;
mod kills;
mod lifecycle;
mod logs;
mod mistakes;
mod mutants;
mod new_server;
mod node;
mod odd_frames;
mod own;
mod packing;
mod proxies;
mod prune;
mod python;
mod quickstart;
mod realclients;
mod sandbox;
mod schemas;
mod session;
mod state;
mod status;
mod time_limit;
mod two_clones;
mod usage;
mod workbench;
mod wrong_files;
