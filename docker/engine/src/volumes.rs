//! A container's volumes: which they are, and whose. An engine makes a new one as root's, and nobody in a sandbox can change
//! that.
//!
//! Container + volumes -> folders with an owner. Invariant: what is in a volume stays as it is; only its top folder's owner
//! and mode are set.

use drydock_catalog::{Server, User};

use crate::cli::Cli;
use crate::docker_args;
use crate::error::Error;
use crate::flags::volume;

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
    let archive: Vec<u8> =
        volumes.iter().flat_map(|(_, folder)| header(folder, server.sandbox.user)).chain([0; 1024]).collect();
    let given = cli.feed(&docker_args::unpack(helper.trim()), &archive);
    cli.stdout(&docker_args::remove(helper.trim()))?;
    given
}

/// A folder in a tar archive, as POSIX.1-1988 has it (ustar): 512 bytes, numbers in octal. Two empty blocks end the archive.
fn header(folder: &str, owner: User) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, &format!("{folder}/"));
    put(100, "0000700\0");
    put(108, &format!("{:07o}\0{:07o}\0", owner.uid, owner.gid));
    put(124, "00000000000\x0000000000000\0"); // size, time
    put(148, "        "); // the sum counts its own place as blanks
    put(156, "5"); // a folder
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|it| u32::from(*it)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tar_reads_the_archive() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("folder.tar");
        let archive = [header("volume-0", User { uid: 65_532, gid: 65_533 }).as_slice(), &[0; 1024]].concat();
        std::fs::write(&file, archive).unwrap();
        let sh = xshell::Shell::new().unwrap();
        let said = xshell::cmd!(sh, "tar --numeric-owner -tvf {file}").read().unwrap();
        let words: Vec<_> = said.split_whitespace().collect();
        assert_eq!(
            (words[0], words[1], words.last()),
            ("drwx------", "65532/65533", Some(&"volume-0/")),
            "{said}"
        );
    }
}
