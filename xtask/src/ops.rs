//! What several commands do. Commands call these, and never one another.

pub(crate) mod build;
pub(crate) mod select;
pub(crate) mod up;
