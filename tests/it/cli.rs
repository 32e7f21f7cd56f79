//! The command line: help, and what it says when something is wrong.
