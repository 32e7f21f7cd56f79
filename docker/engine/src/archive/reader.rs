//! The entries of an archive, with the names and attributes that its extensions give them.
//!
//! Bytes -> [`Entry`]s, in order. Invariants: extensions are read by the lengths that they state, so no name can hold one;
//! what two readers could read in two ways is an error; an extension takes up a megabyte of memory at most.

use std::io::{self, Read};

use tar::{Archive, EntryType, Header};

use crate::error::Error;

/// The most that an extension holds: names and attributes of one file.
const MAX_EXTENSION: u64 = 1 << 20;

/// What stands in an archive besides headers.
pub(crate) struct Entry<'e> {
    pub(crate) path: Vec<u8>,
    /// Where a link leads; empty for what is none.
    pub(crate) target: Vec<u8>,
    pub(crate) kind: EntryType,
    /// Permissions, with setuid, setgid and sticky.
    pub(crate) mode: u32,
    /// Whether a program gains something when it is run, besides setuid and setgid.
    pub(crate) has_capabilities: bool,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) content: &'e mut dyn Read,
}

/// What extensions say of the entry behind them.
#[derive(Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    has_capabilities: bool,
}

/// Calls `visit` with each entry.
pub(crate) fn each(
    input: impl Read,
    mut visit: impl FnMut(Entry<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut archive = Archive::new(input);
    // Raw: the library takes records of extensions apart at line ends, which names may hold.
    let entries = archive.entries().map_err(unreadable)?.raw(true);
    let mut extensions = Extensions::default();
    let mut awaits = false;
    for entry in entries {
        let mut entry = entry.map_err(unreadable)?;
        let kind = entry.header().entry_type();
        awaits = is_extension(kind);
        if awaits {
            extensions.read(kind, entry.size(), &mut entry)?;
            continue;
        }
        let found = std::mem::take(&mut extensions);
        let header = entry.header().clone();
        visit(Entry {
            path: found.path.unwrap_or_else(|| header.path_bytes().into_owned()),
            target: found.target.unwrap_or_else(|| target(&header)),
            kind,
            mode: header.mode().map_err(unreadable)?,
            has_capabilities: found.has_capabilities,
            size: entry.size(),
            content: &mut entry,
        })?;
    }
    if awaits { Err(malformed("it ends behind an extension")) } else { Ok(()) }
}

fn target(header: &Header) -> Vec<u8> {
    header.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default()
}

fn is_extension(kind: EntryType) -> bool {
    kind.is_gnu_longname() || kind.is_gnu_longlink() || kind.is_pax_local_extensions()
}

impl Extensions {
    fn read(&mut self, kind: EntryType, size: u64, content: &mut impl Read) -> Result<(), Error> {
        if size > MAX_EXTENSION {
            return Err(malformed("an extension is longer than a megabyte"));
        }
        let mut data = Vec::new();
        content.read_to_end(&mut data).map_err(unreadable)?;
        match kind {
            EntryType::GNULongName => self.path = Some(until_nul(data)),
            EntryType::GNULongLink => self.target = Some(until_nul(data)),
            _ => self.records(&data)?,
        }
        Ok(())
    }

    fn records(&mut self, data: &[u8]) -> Result<(), Error> {
        for (key, value) in records(data).ok_or_else(|| malformed("an extension cannot be read"))? {
            match key {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.target = Some(value.to_vec()),
                b"SCHILY.xattr.security.capability" => self.has_capabilities = true,
                b"size" => return Err(malformed("a size stands in an extension")),
                _ if key.starts_with(b"GNU.sparse.") => {
                    return Err(malformed("a file with holes stands in it"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn until_nul(mut data: Vec<u8>) -> Vec<u8> {
    let end = data.iter().position(|it| *it == 0).unwrap_or(data.len());
    data.truncate(end);
    data
}

/// `LENGTH KEY=VALUE`, each with a line end that the length counts, as it does itself.
fn records(mut data: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut all = Vec::new();
    while !data.is_empty() {
        let digits = data.iter().position(|it| *it == b' ')?;
        let length: usize = std::str::from_utf8(&data[..digits]).ok()?.parse().ok()?;
        let (record, rest) = data.split_at_checked(length)?;
        let pair = record.get(digits + 1..)?.strip_suffix(b"\n")?;
        let equals = pair.iter().position(|it| *it == b'=')?;
        all.push((&pair[..equals], &pair[equals + 1..]));
        data = rest;
    }
    Some(all)
}

pub(crate) fn unreadable(err: io::Error) -> Error {
    Error::new("the archive cannot be read").with_source(err)
}

fn malformed(why: &str) -> Error {
    Error::new(format!("the archive cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_taken_by_their_lengths() {
        let data = b"21 path=a\n9 path=b\nc\n11 x=\xff\x00\n y\n";
        let found = records(data).unwrap();
        assert_eq!(found, [(b"path".as_slice(), b"a\n9 path=b\nc".as_slice()), (b"x", b"\xff\x00\n y")]);
        for wrong in [
            "9 path=b",
            "11 path=b\n",
            "0 a=b\n",
            "3 \n",
            "x a=b\n",
            "6 a_b\n",
            "-6 a=b\n",
            " a=b\n",
            "99999999999999999999 a=b\n",
        ] {
            assert_eq!(records(wrong.as_bytes()), None, "{wrong:?}");
        }
        assert_eq!(records(b""), Some(Vec::new()));
    }
}
