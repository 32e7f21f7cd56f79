//! A finished image, looked at as it will be run: what a build puts together from foreign files is ours where it must be.
//!
//! Image + what must be in it -> fine, or what is wrong. Invariant: it is the whole file system of the image that is read,
//! from the engine, and nothing in it is run.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use drydock_contract::image;
use drydock_contract::terminal::escape_line;
use tar::EntryType;

use crate::archive::{self, Entry, SETUID_SETGID};
use crate::cli::Cli;
use crate::docker_args::steps;
use crate::error::Error;
use crate::pipe;
use crate::workbench::Container;

/// What must be in the image of a server that is not ours.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The file that `/mcp` is a copy of.
    pub entry_point: &'a Path,
    /// What `/etc/mcp/bridge.json` holds.
    pub bridge_config: &'a [u8],
}

/// Looks at the image with this id or name, which a build of this clone made for this server: `/mcp` and
/// `/etc/mcp/bridge.json` are regular files with these contents and no link stands above them; no file anywhere is setuid or
/// setgid or has capabilities, and none is a device.
///
/// Reads the image once, from the engine's disk. The image and its tags stay as they are, also when it is refused: build
/// under a name that nothing uses (or by `--iidfile`), look, then tag.
///
/// # Errors
/// It is not so (the path is named), or the engine or the file cannot be read.
pub fn examine(
    cli: &Cli,
    workspace: &str,
    server: &str,
    image: &str,
    expected: &Expected<'_>,
) -> Result<(), Error> {
    let build = steps::Build { workspace, server };
    let container = Container::create(cli, &steps::create_bare(image, None, build))?;
    let command = cli.detached_command(&steps::export(&container.id))?;
    pipe::read_from(command, |files| look(files, expected))
}

fn look(files: impl Read, expected: &Expected<'_>) -> Result<(), Error> {
    let (mut has_entry_point, mut has_config) = (false, false);
    archive::each(files, |entry| {
        let path = archive::normalize(&entry.path).map_err(|why| refuse(&entry.path, why))?;
        check_kind(&path, &entry)?;
        match path.as_slice() {
            it if it == below_root(image::ENTRY_POINT) => {
                has_entry_point = true;
                check_entry_point(entry, expected.entry_point)
            }
            it if it == below_root(image::BRIDGE_CONFIG) => {
                has_config = true;
                check_content(image::BRIDGE_CONFIG, entry, expected.bridge_config)
            }
            it if is_above(it, image::BRIDGE_CONFIG) && entry.kind != EntryType::Directory => {
                Err(refuse(it, "it is no folder"))
            }
            _ => Ok(()),
        }
    })?;
    for (path, is_there) in [(image::ENTRY_POINT, has_entry_point), (image::BRIDGE_CONFIG, has_config)] {
        if !is_there {
            return Err(refuse(below_root(path), "it is not there"));
        }
    }
    Ok(())
}

fn check_kind(path: &[u8], entry: &Entry<'_>) -> Result<(), Error> {
    match entry.kind {
        EntryType::Directory | EntryType::Symlink => Ok(()),
        EntryType::Regular | EntryType::Link if entry.mode & SETUID_SETGID != 0 => {
            Err(refuse(path, "whoever runs it becomes its owner or group (setuid, setgid)"))
        }
        EntryType::Regular | EntryType::Link if entry.has_capabilities => {
            Err(refuse(path, "whoever runs it gains capabilities"))
        }
        EntryType::Regular | EntryType::Link => Ok(()),
        _ => Err(refuse(path, "it is no file, folder or link")),
    }
}

fn check_entry_point(entry: Entry<'_>, expected: &Path) -> Result<(), Error> {
    if entry.mode & 0o111 != 0o111 {
        return Err(refuse(below_root(image::ENTRY_POINT), "it is not executable for all"));
    }
    let file = File::open(expected)
        .map_err(|err| Error::new(format!("cannot read {}", expected.display())).with_source(err))?;
    check_content(image::ENTRY_POINT, entry, file)
}

fn check_content(path: &str, entry: Entry<'_>, expected: impl Read) -> Result<(), Error> {
    if entry.kind != EntryType::Regular {
        return Err(refuse(below_root(path), "it is no regular file"));
    }
    match is_same(entry.content, expected).map_err(archive::unreadable)? {
        true => Ok(()),
        false => Err(refuse(below_root(path), "it holds something other than what was put there")),
    }
}

fn is_same(mut left: impl Read, mut right: impl Read) -> io::Result<bool> {
    let (mut left_block, mut right_block) = (Vec::new(), Vec::new());
    loop {
        left_block.clear();
        right_block.clear();
        (&mut left).take(1 << 16).read_to_end(&mut left_block)?;
        (&mut right).take(1 << 16).read_to_end(&mut right_block)?;
        if left_block != right_block || left_block.is_empty() {
            return Ok(left_block == right_block);
        }
    }
}

fn is_above(path: &[u8], file: &str) -> bool {
    below_root(file).strip_prefix(path).is_some_and(|it| it.starts_with(b"/"))
}

fn below_root(path: &str) -> &[u8] {
    path.trim_start_matches('/').as_bytes()
}

fn refuse(path: &[u8], why: &str) -> Error {
    let path = escape_line(&String::from_utf8_lossy(path));
    Error::new(format!("/{path} in the image: {why}")).with_hint(
        "the image is not used. Build it again with --no-cache; if it is so again, look at the package's install scripts \
         and at the base image",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::raw::{Raw, archive, extension, file, folder, link, record, symlink};

    const CONFIG: &[u8] = b"{ \"command\": \"node\" }\n";

    fn entry_point() -> Raw<'static> {
        Raw { mode: 0o755, content: &[7; 100_000], ..file("mcp") }
    }

    fn config() -> Raw<'static> {
        Raw { content: CONFIG, ..file("etc/mcp/bridge.json") }
    }

    /// With what an engine itself puts into a container.
    fn image<'a>(more: impl IntoIterator<Item = Raw<'a>>) -> Vec<Raw<'a>> {
        let all = [
            file(".dockerenv"),
            folder("dev/"),
            folder("etc/"),
            folder("etc/mcp/"),
            symlink("etc/mtab", "/proc/mounts"),
            Raw { mode: 0o1777, ..folder("tmp/") },
            Raw { mode: 0o2775, ..folder("usr/local/") },
        ];
        all.into_iter().chain(more).collect()
    }

    fn looked(entries: Vec<Raw<'_>>) -> Result<(), String> {
        let binary = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(binary.path(), [7; 100_000]).unwrap();
        let expected = Expected { entry_point: binary.path(), bridge_config: CONFIG };
        look(archive(&entries).as_slice(), &expected).map_err(|it| it.to_string())
    }

    fn refused(entries: Vec<Raw<'_>>, expected: &str) {
        let said = looked(entries).unwrap_err();
        assert!(said.contains(expected), "{expected}: {said}");
    }

    #[test]
    fn a_good_image_is_fine() {
        assert_eq!(looked(image([config(), entry_point()])), Ok(()));
        let more = [file("app/it"), link(b'1', "app/hard", "app/it"), symlink("app/link", "/mcp")];
        assert_eq!(looked(image(more.into_iter().chain([config(), entry_point()]))), Ok(()));
    }

    #[test]
    fn the_entry_point_is_ours() {
        refused(image([config()]), "/mcp in the image: it is not there");
        let of = |it: Raw<'static>| image([config(), it]);
        let mut other = vec![7; 100_000];
        other[99_999] = 8;
        for content in [other.as_slice(), &[7; 99_999], &[7; 100_001], b""] {
            refused(
                image([config(), Raw { content, ..entry_point() }]),
                "/mcp in the image: it holds something other",
            );
        }
        refused(of(Raw { mode: 0o700, ..entry_point() }), "not executable for all");
        refused(
            of(Raw { mode: 0o777, ..symlink("mcp", "/app/it") }),
            "/mcp in the image: it is no regular file",
        );
        refused(of(Raw { mode: 0o755, ..link(b'1', "mcp", "etc/mcp/bridge.json") }), "it is no regular file");
        refused(of(Raw { mode: 0o755, ..folder("mcp/") }), "it is no regular file");
    }

    #[test]
    fn the_bridges_settings_are_ours() {
        refused(image([entry_point()]), "/etc/mcp/bridge.json in the image: it is not there");
        refused(image([Raw { content: b"{}", ..config() }, entry_point()]), "it holds something other");
        let linked = symlink("etc/mcp/bridge.json", "/app/bridge.json");
        refused(image([linked, entry_point()]), "/etc/mcp/bridge.json in the image: it is no regular file");
        for above in ["etc", "etc/mcp"] {
            refused(
                vec![symlink(above, "/app"), config(), entry_point()],
                &format!("/{above} in the image: it is no folder"),
            );
        }
        assert_eq!(looked(image([symlink("et", "/app"), config(), entry_point()])), Ok(()), "another name");
    }

    #[test]
    fn nothing_is_more_than_a_file() {
        let of = |it: Raw<'static>| image([config(), it, entry_point()]);
        for mode in [0o4755, 0o2755] {
            refused(
                of(Raw { mode, ..file("app/sh") }),
                "/app/sh in the image: whoever runs it becomes its owner",
            );
            refused(of(Raw { mode, ..link(b'1', "app/sh", "etc/mcp/bridge.json") }), "becomes its owner");
        }
        for kind in [b'3', b'4', b'6', b'g'] {
            refused(of(Raw { kind, content: b"", ..file("app/it") }), "it is no file, folder or link");
        }
        let capability = record("SCHILY.xattr.security.capability", b"\x01\0\0\x02\n");
        refused(
            image([config(), extension(b'x', &capability), file("app/it"), entry_point()]),
            "gains capabilities",
        );
        refused(of(file("../it")), "its path holds `..`");
    }
}
