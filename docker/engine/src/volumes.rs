//! A container's volumes: which they are, and whose. An engine makes a new one as root's, and nobody in a sandbox can change
//! that.
//!
//! Container + volumes -> folders with an owner. Invariant: what is in a volume stays as it is; only its top folder's owner
//! and mode are set.

use drydock_catalog::Server;

use crate::archive;
use crate::cli::Cli;
use crate::docker_args;
use crate::error::Error;
use crate::flags::volume;
use crate::pipe;

/// The names of the volumes that this workspace made for a server's container, whether that is there or not.
///
/// # Errors
/// The engine cannot be asked.
pub fn volumes_of(cli: &Cli, server: &str, container: &str, workspace: &str) -> Result<Vec<String>, Error> {
    let all = cli.stdout(&docker_args::list_volumes(server, workspace))?;
    let own = volume(container, "");
    Ok(all.lines().filter(|it| it.starts_with(&own)).map(str::to_owned).collect())
}

/// Gives the volumes of a server's container, which was made from `image`, to its user; they exist since it was created.
///
/// # Errors
/// The engine refuses it.
pub fn give_volumes(cli: &Cli, server: &Server, container: &str, image: &str) -> Result<(), Error> {
    let volumes = server.sandbox.volumes.iter().enumerate();
    let volumes: Vec<_> =
        volumes.map(|(i, it)| (volume(container, &it.name), format!("volume-{i}"))).collect();
    if volumes.is_empty() {
        return Ok(());
    }
    // An engine sets the owner of what it unpacks, but not of the folder that it unpacks into: so the volumes are mounted
    // in the root of a container that never runs.
    let helper = cli.stdout(&docker_args::create_with_volumes(image, &volumes))?;
    let given = pipe::write_to(cli.detached_command(&docker_args::unpack(helper.trim()))?, |to| {
        let mut writer = archive::Writer::new(to, server.sandbox.user);
        for (_, folder) in &volumes {
            writer.folder(folder.as_bytes(), 0o700)?;
        }
        writer.finish().map(drop)
    });
    cli.stdout(&docker_args::remove(helper.trim()))?;
    given
}
