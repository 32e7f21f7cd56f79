//! A finished image, looked at as it will be run: what a build puts together from foreign files is ours where it must be.
//!
//! Image + what must be in it -> fine, or what is wrong. Invariant: it is the whole file system of the image that is read,
//! from the engine, and nothing in it is run.

use std::path::Path;

use crate::cli::Cli;
use crate::error::Error;

/// What must be in the image of a server that is not ours.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The file that `/mcp` is a copy of.
    pub entry_point: &'a Path,
    /// What `/etc/mcp/bridge.json` holds.
    pub bridge_config: &'a [u8],
}

/// Looks at the image with this id or name: `/mcp` and `/etc/mcp/bridge.json` are regular files with these contents and no
/// link leads to them or stands above them; nothing anywhere is setuid, setgid, a device, or has file capabilities.
///
/// Reads the image once (0.3 to 1 s for 150 MB). The image and its tags stay as they are, also when it is refused: build
/// under a name that nothing uses (or by `--iidfile`), look, then tag.
///
/// # Errors
/// It is not so (the path is named), or the engine or the file cannot be read.
pub fn examine(_cli: &Cli, _image: &str, _expected: &Expected<'_>) -> Result<(), Error> {
    todo!()
}
