//! A folder of this machine, packed.
//!
//! Folder -> archive. Invariant: no link is followed, and the same files give the same bytes.

use std::fs::{self, File, Metadata};
use std::io::Write;
use std::path::Path;

use drydock_catalog::User;

use super::paths;
use super::writer::Writer;
use crate::error::Error;

/// Packs a folder of this machine with everything in it, names in order, as `below` (`work/deps`; empty for the top).
///
/// # Errors
/// It cannot be read, or holds something other than files and folders.
pub fn pack(folder: &Path, below: &str, owner: User, output: impl Write) -> Result<(), Error> {
    let mut writer = Writer::new(output, owner);
    let folders = paths::ancestors(below.as_bytes()).chain([below.as_bytes()]);
    for it in folders.filter(|it| !it.is_empty()) {
        writer.folder(it, 0o755)?;
    }
    inner(folder, below.as_bytes(), &mut writer)?;
    writer.finish().map(drop)
}

fn inner(folder: &Path, below: &[u8], writer: &mut Writer<impl Write>) -> Result<(), Error> {
    let failed = |err| Error::new(format!("cannot list {}", folder.display())).with_source(err);
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut names: Vec<_> = entries.map_err(failed)?.into_iter().map(|it| it.file_name()).collect();
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let to = paths::join(below, name.as_encoded_bytes());
        let unreadable = |err| Error::new(format!("cannot read {}", path.display())).with_source(err);
        let about = path.symlink_metadata().map_err(unreadable)?;
        if about.is_dir() {
            writer.folder(&to, 0o755)?;
            inner(&path, &to, writer)?;
        } else if about.is_file() {
            let file = File::open(&path).map_err(unreadable)?;
            writer.file(&to, is_executable(&about), about.len(), file)?;
        } else {
            return Err(Error::new(format!("{} is no file and no folder", path.display()))
                .with_hint("put the file itself there, or take it away"));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_executable(about: &Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    true // nobody knows here, and it does no harm
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_folder_is_packed_with_names_in_order_and_no_link() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        fs::create_dir_all(at("b/empty")).unwrap();
        for name in ["c", "b/it", "a"] {
            fs::write(at(name), name).unwrap();
        }
        fs::set_permissions(at("a"), fs::Permissions::from_mode(0o4700)).unwrap();
        let mut packed = Vec::new();
        pack(temp.path(), "work/x", User { uid: 1, gid: 2 }, &mut packed).unwrap();
        let mut names = Vec::new();
        super::super::each(packed.as_slice(), |it| {
            names.push(format!("{} {:o}", String::from_utf8_lossy(&it.path), it.mode));
            Ok(())
        })
        .unwrap();
        let expected = [
            "work/ 755",
            "work/x/ 755",
            "work/x/a 755",
            "work/x/b/ 755",
            "work/x/b/empty/ 755",
            "work/x/b/it 644",
            "work/x/c 644",
        ];
        assert_eq!(names, expected);
        symlink("a", at("link")).unwrap();
        let err = pack(temp.path(), "", User { uid: 1, gid: 2 }, std::io::sink()).unwrap_err();
        assert!(err.to_string().ends_with("link is no file and no folder"), "{err}");
    }
}
