//! Labels of images, containers and volumes.
//!
//! Constants only. Invariant: what carries no [`WORKSPACE`] label is not managed by Drydock.

/// The server's name.
pub const SERVER: &str = "dev.drydock.server";
/// The random id of the clone that made it.
pub const WORKSPACE: &str = "dev.drydock.workspace";
/// Where that clone keeps its state, as `MACHINE:FOLDER`: whether it still lives shows there.
pub const STATE: &str = "dev.drydock.state";
/// A hash of everything that makes up a container besides its image.
pub const SETTINGS: &str = "dev.drydock.settings";
/// On the container of one session, which a client starts.
pub const SESSION: &str = "dev.drydock.session";
/// On what the steps of a build work with, volume and containers, which go with it: which server's, and which folder of state's.
pub const BUILD: &str = "dev.drydock.build";
/// A hash of the sources that an image was built from.
pub const SOURCES: &str = "dev.drydock.sources";
/// The server's version; the name is the Open Container Initiative's.
pub const VERSION: &str = "org.opencontainers.image.version";
/// The cargo profile that the program in an image was built with.
pub const PROFILE: &str = "dev.drydock.profile";
