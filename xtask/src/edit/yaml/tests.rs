//! Edits of hand-picked files.
