//! Writes archives that every engine reads alike, and that are the same bytes for the same files.
//!
//! Files, folders and links -> bytes (ustar, with GNU's long names). Invariant: owner, time and modes are ours.

use std::io::{self, Read, Write};

use drydock_catalog::User;
use tar::{EntryType, Header};

use crate::error::Error;

/// Seconds since 1970. Not 0, which some programs take for no time at all.
const MTIME: u64 = 1;

/// Writes one archive.
pub(crate) struct Writer<W> {
    out: W,
    owner: User,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(out: W, owner: User) -> Self {
        Self { out, owner }
    }

    pub(crate) fn folder(&mut self, path: &[u8], mode: u32) -> Result<(), Error> {
        let path = [path, b"/"].concat();
        self.header(EntryType::Directory, mode, &path, b"", 0)
    }

    pub(crate) fn symlink(&mut self, path: &[u8], target: &[u8]) -> Result<(), Error> {
        self.header(EntryType::Symlink, 0o777, path, target, 0)
    }

    /// Another name of a file that was written before. Engines set the mode of that file again.
    pub(crate) fn hard_link(&mut self, path: &[u8], is_executable: bool, target: &[u8]) -> Result<(), Error> {
        self.header(EntryType::Link, file_mode(is_executable), path, target, 0)
    }

    /// Exactly `size` bytes of `content`.
    pub(crate) fn file(
        &mut self,
        path: &[u8],
        is_executable: bool,
        size: u64,
        content: impl Read,
    ) -> Result<(), Error> {
        self.header(EntryType::Regular, file_mode(is_executable), path, b"", size)?;
        self.content(size, content)
    }

    /// Ends it, and gives back what it was written to.
    pub(crate) fn finish(mut self) -> Result<W, Error> {
        self.out.write_all(&[0; 1024]).and_then(|()| self.out.flush()).map_err(unwritable)?;
        Ok(self.out)
    }

    fn header(
        &mut self,
        kind: EntryType,
        mode: u32,
        path: &[u8],
        target: &[u8],
        size: u64,
    ) -> Result<(), Error> {
        let mut header = Header::new_gnu();
        self.long(EntryType::GNULongName, path, &mut header.as_old_mut().name)?;
        self.long(EntryType::GNULongLink, target, &mut header.as_old_mut().linkname)?;
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(self.owner.uid.into());
        header.set_gid(self.owner.gid.into());
        header.set_mtime(MTIME);
        header.set_size(size);
        header.set_cksum();
        self.out.write_all(header.as_bytes()).map_err(unwritable)
    }

    /// A name into its field, or, where it is too long for that, also before the header.
    fn long(&mut self, kind: EntryType, name: &[u8], field: &mut [u8; 100]) -> Result<(), Error> {
        let fits = name.len().min(field.len());
        field[..fits].copy_from_slice(&name[..fits]);
        if fits == name.len() {
            return Ok(());
        }
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..13].copy_from_slice(b"././@LongLink");
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(name.len() as u64 + 1);
        header.set_cksum();
        self.out.write_all(header.as_bytes()).map_err(unwritable)?;
        self.content(name.len() as u64 + 1, name.chain([0].as_slice()))
    }

    /// With zeros up to a whole block.
    fn content(&mut self, size: u64, mut content: impl Read) -> Result<(), Error> {
        let copied = io::copy(&mut (&mut content).take(size), &mut self.out).map_err(unwritable)?;
        let more = content.read(&mut [0]).map_err(unwritable)?;
        if copied != size || more != 0 {
            return Err(Error::new("a file has another size than was said, or it changed meanwhile"));
        }
        let rest = (512 - size % 512) % 512;
        io::copy(&mut io::repeat(0).take(rest), &mut self.out).map(drop).map_err(unwritable)
    }
}

fn file_mode(is_executable: bool) -> u32 {
    if is_executable { 0o755 } else { 0o644 }
}

fn unwritable(err: io::Error) -> Error {
    Error::new("the archive cannot be written, or what goes into it not be read").with_source(err)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What another program reads in it.
    #[test]
    fn tar_reads_what_is_written() {
        let long = [b"a/".repeat(60), b"file".to_vec()].concat();
        let mut writer = Writer::new(Vec::new(), User { uid: 65_532, gid: 65_533 });
        writer.folder(b"volume-0", 0o700).unwrap();
        writer.file(b"volume-0/it", true, 3, b"abc".as_slice()).unwrap();
        writer.file(&long, false, 512, [7; 512].as_slice()).unwrap();
        writer.symlink(b"link", &long).unwrap();
        writer.hard_link(b"hard", false, &long).unwrap();
        let archive = writer.finish().unwrap();
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("it.tar");
        std::fs::write(&file, archive).unwrap();
        let sh = xshell::Shell::new().unwrap();
        let said = xshell::cmd!(sh, "tar --numeric-owner --utc --full-time -tvf {file}").read().unwrap();
        let long = String::from_utf8(long).unwrap();
        let expected = format!(
            "drwx------ 65532/65533 0 1970-01-01 00:00:01 volume-0/\n\
             -rwxr-xr-x 65532/65533 3 1970-01-01 00:00:01 volume-0/it\n\
             -rw-r--r-- 65532/65533 512 1970-01-01 00:00:01 {long}\n\
             lrwxrwxrwx 65532/65533 0 1970-01-01 00:00:01 link -> {long}\n\
             hrw-r--r-- 65532/65533 0 1970-01-01 00:00:01 hard link to {long}"
        );
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&said), words(&expected), "{said}");
    }

    #[test]
    fn a_file_that_changes_while_it_is_packed_is_an_error() {
        for size in [2, 4] {
            let mut writer = Writer::new(Vec::new(), User { uid: 0, gid: 0 });
            assert!(writer.file(b"it", false, size, b"abc".as_slice()).is_err(), "{size}");
        }
    }
}
