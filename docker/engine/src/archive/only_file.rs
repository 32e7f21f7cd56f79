//! An archive of one file.
//!
//! Bytes -> the file's. Invariant: what is no regular file, or is larger than it may be, is not read.

use std::io::Read;

use tar::EntryType;

use super::reader::{self, unreadable};
use crate::error::Error;

/// The content of the only file in the archive.
///
/// # Errors
/// It holds something else, nothing or more, or more than `max` bytes.
pub(crate) fn only_file(input: impl Read, max: usize) -> Result<Vec<u8>, Error> {
    let mut found = None;
    reader::each(input, |entry| {
        if entry.kind != EntryType::Regular || found.is_some() {
            return Err(Error::new("it is no regular file"));
        }
        if entry.size > max as u64 {
            return Err(Error::new(format!("it is larger than {max} bytes")));
        }
        let mut content = Vec::new();
        entry.content.read_to_end(&mut content).map_err(unreadable)?;
        found = Some(content);
        Ok(())
    })?;
    found.ok_or_else(|| Error::new("there is nothing"))
}

#[cfg(test)]
mod tests {
    use drydock_catalog::User;

    use super::*;
    use crate::archive::Writer;

    fn writer() -> Writer<Vec<u8>> {
        Writer::new(Vec::new(), User { uid: 1, gid: 1 })
    }

    #[test]
    fn it_is_one_small_regular_file() {
        let mut one = writer();
        one.file(b"plan.json", false, 2, b"{}".as_slice()).unwrap();
        let one = one.finish().unwrap();
        assert_eq!(only_file(one.as_slice(), 2).unwrap(), b"{}");
        assert!(only_file(one.as_slice(), 1).unwrap_err().to_string().contains("larger than 1 bytes"));
        assert!(only_file(&one[..513], 2).is_err(), "cut off");
        let mut two = writer();
        for name in [b"a", b"b"] {
            two.file(name, false, 0, b"".as_slice()).unwrap();
        }
        let mut link = writer();
        link.symlink(b"plan.json", b"/etc/passwd").unwrap();
        let mut folder = writer();
        folder.folder(b"plan.json", 0o755).unwrap();
        for it in [two, link, folder] {
            let err = only_file(it.finish().unwrap().as_slice(), 9).unwrap_err();
            assert_eq!(err.to_string(), "it is no regular file");
        }
        assert_eq!(
            only_file(writer().finish().unwrap().as_slice(), 9).unwrap_err().to_string(),
            "there is nothing"
        );
    }
}
