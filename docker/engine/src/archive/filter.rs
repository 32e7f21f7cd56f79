//! What of an archive goes on.
//!
//! Entries + [`Rules`] -> entries of ours. Invariant: an entry is looked at whole before anything of it is written.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use drydock_contract::terminal::escape_line;
use tar::EntryType;

use super::reader::{self, Entry};
use super::writer::Writer;
use super::{Contents, Kind, Rules, paths};
use crate::error::Error;

pub(crate) const SETUID_SETGID: u32 = 0o6000;
/// How names in the layers of images begin that take a file of a lower layer away.
const WHITEOUT: &[u8] = b".wh.";

/// Copies the archive as far as the rules let it. The order stays: an engine writes the names of a folder in order, so the
/// same files give the same bytes.
///
/// # Errors
/// Something in it is against the rules (its path is named), or it cannot be read or written. What was written until then is
/// of no use.
pub fn filter(input: impl Read, output: impl Write, rules: &Rules<'_>) -> Result<Contents, Error> {
    let writer = Writer::new(output, rules.owner);
    let mut filter = Filter { rules, writer, bytes: 0, found: BTreeMap::new(), has_base: false };
    reader::each(input, |entry| {
        let name = entry.path.clone();
        filter.take(entry).map_err(|it| it.into_error(&name))
    })?;
    filter.writer.finish()?;
    Ok(Contents { bytes: filter.bytes, found: filter.found })
}

struct Filter<'r, W> {
    rules: &'r Rules<'r>,
    writer: Writer<W>,
    bytes: u64,
    /// By paths after `strip`.
    found: BTreeMap<Vec<u8>, Kind>,
    /// Whether the folders of `below` are written.
    has_base: bool,
}

/// Why an entry does not go on.
enum Refusal {
    /// What is wrong with it, and what to do about it.
    Rule(String, &'static str),
    Io(Error),
}

impl Refusal {
    fn into_error(self, name: &[u8]) -> Error {
        match self {
            Self::Rule(why, hint) => {
                let name = escape_line(&String::from_utf8_lossy(name));
                Error::new(format!("{name}: {why}")).with_hint(hint)
            }
            Self::Io(err) => err,
        }
    }
}

impl From<Error> for Refusal {
    fn from(err: Error) -> Self {
        Self::Io(err)
    }
}

/// What every build of a good package keeps to.
const PUBLISHER: &str = "a package that leaves this behind cannot be put into an image: look at its install scripts and its \
                         build, take another version of it, or ask its publisher";
const LINKS: &str = "links may lead to what goes into the image with them, by a relative path whose `..` stand at its \
                     beginning: take the link away, or the package that makes it";

fn refuse<T>(why: impl Into<String>, hint: &'static str) -> Result<T, Refusal> {
    Err(Refusal::Rule(why.into(), hint))
}

impl<W: Write> Filter<'_, W> {
    fn take(&mut self, entry: Entry<'_>) -> Result<(), Refusal> {
        let path = self.path(&entry)?;
        let kind = self.kind(&entry)?;
        self.check_place(&path, kind)?;
        self.ensure_parents(&path)?;
        match self.found.get(&path) {
            Some(Kind::Folder) if kind == Kind::Folder => return Ok(()),
            Some(_) => return refuse("something stands there before", PUBLISHER),
            None => {}
        }
        self.write(&path, kind, entry)?;
        self.record(path, kind)
    }

    /// After `strip`.
    fn path(&self, entry: &Entry<'_>) -> Result<Vec<u8>, Refusal> {
        let path = paths::normalize(&entry.path).or_else(|why| refuse(why, PUBLISHER))?;
        if path.split(|it| *it == b'/').any(|it| it.starts_with(WHITEOUT)) {
            return refuse("to an engine, a name like this says that another file is gone", PUBLISHER);
        }
        match paths::below(&path, self.rules.strip.as_bytes()) {
            Some(it) => Ok(it.to_vec()),
            None => refuse(format!("it is not in `{}`", self.rules.strip), PUBLISHER),
        }
    }

    fn kind(&self, entry: &Entry<'_>) -> Result<Kind, Refusal> {
        // Of a folder it says who owns what is made there, and its mode becomes ours anyway.
        let is_program = matches!(entry.kind, EntryType::Regular | EntryType::Link);
        if is_program && entry.mode & SETUID_SETGID != 0 {
            return refuse("whoever runs it becomes its owner or group (setuid, setgid)", PUBLISHER);
        }
        match entry.kind {
            EntryType::Directory => Ok(Kind::Folder),
            EntryType::Regular | EntryType::Link => Ok(Kind::File),
            EntryType::Symlink => Ok(Kind::Link),
            EntryType::Char | EntryType::Block => refuse("it is a device", PUBLISHER),
            EntryType::Fifo => refuse("it is a named pipe", PUBLISHER),
            _ => refuse("it is no file, folder or link", PUBLISHER),
        }
    }

    fn check_place(&self, path: &[u8], kind: Kind) -> Result<(), Refusal> {
        let is_above = |place: &&&str| paths::below(place.as_bytes(), path).is_some();
        if self.is_inside(path) || (kind == Kind::Folder && self.rules.places.iter().any(|it| is_above(&it)))
        {
            return Ok(());
        }
        let places = self.rules.places.join(", ");
        refuse(format!("it is outside of what a build may leave ({places})"), PUBLISHER)
    }

    fn is_inside(&self, path: &[u8]) -> bool {
        self.rules.places.iter().any(|it| paths::below(path, it.as_bytes()).is_some())
    }

    /// Every folder above a path is written before it, so that nobody makes one with other modes, or goes through a link.
    fn ensure_parents(&mut self, path: &[u8]) -> Result<(), Refusal> {
        let base = self.rules.below.as_bytes();
        if !self.has_base {
            for folder in paths::ancestors(base) {
                self.writer.folder(folder, 0o755)?;
            }
            self.has_base = true;
        }
        let top = (!path.is_empty()).then_some(b"".as_slice());
        for folder in top.into_iter().chain(paths::ancestors(path)) {
            match self.found.get(folder) {
                Some(Kind::Folder) => continue,
                Some(_) => return refuse("what is above it is no folder", PUBLISHER),
                None => self.write_folder(folder)?,
            }
            self.record(folder.to_vec(), Kind::Folder)?;
        }
        Ok(())
    }

    fn record(&mut self, path: Vec<u8>, kind: Kind) -> Result<(), Refusal> {
        self.found.insert(path, kind);
        match self.found.len() > self.rules.max_entries {
            true => refuse(format!("there are more than {} files", self.rules.max_entries), PUBLISHER),
            false => Ok(()),
        }
    }

    fn write(&mut self, path: &[u8], kind: Kind, entry: Entry<'_>) -> Result<(), Refusal> {
        let to = paths::join(self.rules.below.as_bytes(), path);
        let is_executable = entry.mode & 0o111 != 0;
        match (kind, entry.kind) {
            (Kind::Folder, _) => self.write_folder(path)?,
            _ if to.is_empty() => return refuse("it is no folder", PUBLISHER),
            (Kind::Link, _) => {
                self.check_link(path, &entry.target)?;
                self.writer.symlink(&to, &entry.target)?;
            }
            (Kind::File, EntryType::Link) => {
                let target = self.hard_link_target(&entry)?;
                self.writer.hard_link(&to, is_executable, &target)?;
            }
            (Kind::File, _) => {
                self.count(entry.size)?;
                self.writer.file(&to, is_executable, entry.size, entry.content)?;
            }
        }
        Ok(())
    }

    fn write_folder(&mut self, path: &[u8]) -> Result<(), Error> {
        match paths::join(self.rules.below.as_bytes(), path) {
            it if it.is_empty() => Ok(()), // the top is there
            it => self.writer.folder(&it, 0o755),
        }
    }

    fn count(&mut self, size: u64) -> Result<(), Refusal> {
        match self.bytes.checked_add(size).filter(|it| *it <= self.rules.max_bytes) {
            Some(bytes) => {
                self.bytes = bytes;
                Ok(())
            }
            None => {
                refuse(format!("with it, all files are more than {} bytes", self.rules.max_bytes), PUBLISHER)
            }
        }
    }

    fn check_link(&self, path: &[u8], target: &[u8]) -> Result<(), Refusal> {
        let shown = || escape_line(&String::from_utf8_lossy(target));
        let to = paths::resolve(path, target)
            .or_else(|why| refuse(format!("it {why} (to {})", shown()), LINKS))?;
        match self.is_inside(&to) {
            true => Ok(()),
            false => refuse(format!("it is a link that leads out (to {})", shown()), LINKS),
        }
    }

    /// The other name of the same file, which stands before it.
    fn hard_link_target(&self, entry: &Entry<'_>) -> Result<Vec<u8>, Refusal> {
        let target = paths::normalize(&entry.target).ok();
        let target = target.as_deref().and_then(|it| paths::below(it, self.rules.strip.as_bytes()));
        match target.filter(|it| self.found.get(*it) == Some(&Kind::File)) {
            Some(it) => Ok(paths::join(self.rules.below.as_bytes(), it)),
            None => {
                let shown = escape_line(&String::from_utf8_lossy(&entry.target));
                refuse(format!("it is another name of what is not there ({shown})"), PUBLISHER)
            }
        }
    }
}

#[cfg(test)]
mod tests;
