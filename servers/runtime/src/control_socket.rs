//! The path where `serve` listens: taken, held, and let go.
//!
//! Path -> a listener. Invariant: what is removed is a socket that nobody listens on, or, while we hold the path, whatever
//! was put in our socket's place; never what another living `serve` has.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::{FdFlags, fcntl_setfd};

use crate::Error;

#[derive(Debug)]
pub(crate) struct ControlSocket {
    path: PathBuf,
    listener: UnixListener,
    /// Device and inode of our socket's file.
    identity: (u64, u64),
}

/// What was found at the path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rebind {
    /// Our own socket.
    NotNeeded,
    /// Nothing, or something else: ours is there again.
    Done,
    /// The socket of another `serve`: left alone.
    Taken,
}

impl ControlSocket {
    /// Listens without blocking, in the place of a `serve` that is gone.
    pub(crate) fn bind(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Listen { socket: path.to_owned(), source };
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(Error::NotASocket { socket: path.to_owned() });
            }
            Ok(_) if is_served(path) => return Err(Error::AlreadyServing { socket: path.to_owned() }),
            Ok(_) => fs::remove_file(path).map_err(failed)?,
            Err(_) => {} // not there, or binding says what is wrong
        }
        Self::listen(path).map_err(failed)
    }

    fn listen(path: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        let identity = identity(&fs::symlink_metadata(path)?);
        Ok(Self { path: path.to_owned(), listener, identity })
    }

    /// Looks whether the path still leads to us, and sees to it. Connections that wait at the old socket are lost: take them
    /// before.
    pub(crate) fn rebind(&mut self) -> io::Result<Rebind> {
        match fs::symlink_metadata(&self.path) {
            Ok(found) if identity(&found) == self.identity => return Ok(Rebind::NotNeeded),
            Ok(_) if is_served(&self.path) => return Ok(Rebind::Taken),
            Ok(_) => fs::remove_file(&self.path)?,
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        *self = Self::listen(&self.path)?;
        Ok(Rebind::Done)
    }

    pub(crate) fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().map(|it| it.0)
    }

    /// Puts a socket in the listener's place that takes no connections.
    #[cfg(test)]
    pub(crate) fn break_listener(&mut self) {
        let (socket, _peer) = UnixStream::pair().unwrap();
        self.listener = std::os::fd::OwnedFd::from(socket).into();
    }

    /// Stops listening. What is not ours stays.
    pub(crate) fn remove(self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|it| identity(&it) == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl AsFd for ControlSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Whether somebody listens there. A queue that is full is full of somebody's connections.
fn is_served(path: &Path) -> bool {
    match connect_without_waiting(path) {
        Ok(_) => true,
        Err(e) => e.kind() == ErrorKind::WouldBlock,
    }
}

/// A connection, if it can be made at once: whoever listens there may be stuck.
fn connect_without_waiting(path: &Path) -> io::Result<UnixStream> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, socket};
    let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    fcntl_setfl(&socket, OFlags::NONBLOCK)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mcp.sock");
        (folder, path)
    }

    #[test]
    fn a_dead_serves_place_is_taken_and_a_living_ones_is_not() {
        let (_folder, path) = folder();
        drop(UnixListener::bind(&path).unwrap());
        let socket = ControlSocket::bind(&path).unwrap();
        assert!(matches!(ControlSocket::bind(&path), Err(Error::AlreadyServing { .. })));
        socket.remove();
        assert!(!path.exists());
    }

    #[test]
    fn a_file_is_not_removed() {
        let (_folder, path) = folder();
        fs::write(&path, "notes").unwrap();
        assert!(matches!(ControlSocket::bind(&path), Err(Error::NotASocket { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "notes");
    }

    #[test]
    fn a_path_that_is_lost_or_replaced_is_bound_again() {
        let (_folder, path) = folder();
        let mut socket = ControlSocket::bind(&path).unwrap();
        assert_eq!(socket.rebind().unwrap(), Rebind::NotNeeded);
        let replace: [fn(&Path); 3] = [
            |_| {},
            |path| fs::write(path, "").unwrap(),
            |path| drop(UnixListener::bind(path).unwrap()), // nobody's
        ];
        for replace in replace {
            fs::remove_file(&path).unwrap();
            replace(&path);
            assert_eq!(socket.rebind().unwrap(), Rebind::Done);
            assert!(UnixStream::connect(&path).is_ok() && socket.accept().is_ok());
            assert_eq!(socket.rebind().unwrap(), Rebind::NotNeeded);
        }
    }

    #[test]
    fn another_serve_in_our_place_is_left_alone() {
        let (_folder, path) = folder();
        let mut socket = ControlSocket::bind(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let other = UnixListener::bind(&path).unwrap();
        assert_eq!(socket.rebind().unwrap(), Rebind::Taken);
        socket.remove();
        assert!(path.exists());
        drop(other);
    }
}
