//! What a person sees: progress while something lasts, tables, differences of files.

pub(crate) mod ask;
pub(crate) mod colour;
pub(crate) mod diff;
pub(crate) mod progress;
pub(crate) mod table;
