//! (being built)
pub(crate) mod json;
