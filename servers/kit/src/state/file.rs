//! The file itself: opened when it is first needed, and one transaction after the other.
//!
//! A folder and what is to be done -> its result, once that is on the disk. Invariants: a file is written only after it was found to be
//! of our format and version, or empty; a call that nobody waits for any more begins no transaction.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use rustix::fs::{Access, access};

use super::error::{Error, FileProblem, in_file};
use super::transaction::Transaction;

/// The file's name.
const NAME: &str = "state.sqlite";
/// By which a file is known as one of ours: `DryS`.
const APPLICATION_ID: i64 = 0x4472_7953;
/// The version of what is in it.
pub(super) const VERSION: i64 = 1;
/// How long it waits for other sessions; a call has its own deadline besides.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// How often it asks again.
const RETRY_INTERVAL: Duration = Duration::from_millis(2);

const TABLE: &str = "CREATE TABLE entry (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (collection, key)
) STRICT, WITHOUT ROWID";

/// What a transaction is to be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    Write,
}

/// A state file of this process.
#[derive(Debug)]
pub(super) struct File {
    folder: PathBuf,
    path: PathBuf,
    connection: Option<Connection>,
}

/// Whether files can be made in it.
pub(super) fn check_folder(folder: &Path) -> Result<(), Error> {
    // With a dot behind it only a folder can be meant.
    access(folder.join("."), Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|e| Error::Folder { folder: folder.to_owned(), problem: e.into() })
}

impl File {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { path: folder.join(NAME), folder, connection: None }
    }

    /// Runs a transaction. It is on the disk when this returns, or, with an error, nothing of it is.
    pub(super) fn run<R>(
        &mut self,
        mode: Mode,
        is_given_up: &Arc<AtomicBool>,
        work: impl FnOnce(&Transaction<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut connection = self.connection.take().map_or_else(|| self.open(is_given_up), Ok)?;
        let result = wait_at_most(&mut connection, BUSY_TIMEOUT, is_given_up)
            .map_err(|e| in_file(&self.path, e))
            .and_then(|()| self.transact(&connection, mode, is_given_up, work));
        let is_usable = !matches!(&result, Err(Error::File { problem, .. }) if *problem != FileProblem::Busy);
        if is_usable {
            self.connection = Some(connection);
        }
        result
    }

    fn transact<R>(
        &self,
        connection: &Connection,
        mode: Mode,
        is_given_up: &AtomicBool,
        work: impl FnOnce(&Transaction<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let behavior = match mode {
            Mode::Read => TransactionBehavior::Deferred,
            Mode::Write => TransactionBehavior::Immediate,
        };
        let begun = rusqlite::Transaction::new_unchecked(connection, behavior);
        let begun = begun.map_err(|e| in_file(&self.path, e))?;
        if is_given_up.load(Ordering::Relaxed) {
            return Err(self.problem(FileProblem::Busy)); // which nobody reads
        }
        // Read within each: from here on all is of one moment, and a newer server may have changed the file meanwhile.
        self.is_current(&begun)?;
        let result = work(&Transaction { connection: &begun, file: &self.path })?;
        begun.commit().map_err(|e| in_file(&self.path, e))?;
        Ok(result)
    }

    fn open(&self, is_given_up: &Arc<AtomicBool>) -> Result<Connection, Error> {
        check_folder(&self.folder)?;
        let start = Instant::now();
        loop {
            // Some of what it takes is refused without a wait while another session opens the file, too.
            match self.try_open(is_given_up) {
                Err(Error::File { problem: FileProblem::Busy, .. })
                    if start.elapsed() < BUSY_TIMEOUT && !is_given_up.load(Ordering::Relaxed) =>
                {
                    sleep(RETRY_INTERVAL);
                }
                done => return done,
            }
        }
    }

    fn try_open(&self, is_given_up: &Arc<AtomicBool>) -> Result<Connection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |e| self.cannot_open(e);
        let mut connection = Connection::open_with_flags(&self.path, flags).map_err(failed)?;
        wait_at_most(&mut connection, BUSY_TIMEOUT, is_given_up).map_err(failed)?;
        let is_new = is_empty(&connection).map_err(failed)?;
        if !is_new {
            self.is_current(&connection)?;
        }
        set_up(&connection, is_new).map_err(failed)?;
        Ok(connection)
    }

    /// Where it is the folder that is wrong, that is said.
    fn cannot_open(&self, error: rusqlite::Error) -> Error {
        if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) {
            let problem = std::fs::symlink_metadata(&self.path).err();
            if let Some(problem) = problem {
                return Error::Folder { folder: self.folder.clone(), problem };
            }
        }
        in_file(&self.path, error)
    }

    /// Whether the file is of our format and version.
    fn is_current(&self, connection: &Connection) -> Result<(), Error> {
        let found = format(connection).map_err(|e| in_file(&self.path, e))?;
        let problem = match found {
            (APPLICATION_ID, VERSION) => return Ok(()),
            (APPLICATION_ID, version) => FileProblem::Version(version),
            _ => FileProblem::NotOurs,
        };
        Err(self.problem(problem))
    }

    fn problem(&self, problem: FileProblem) -> Error {
        Error::File { file: self.path.clone(), problem }
    }
}

/// Sets the connection up, and makes the table in a file that is new.
fn set_up(connection: &Connection, is_new: bool) -> rusqlite::Result<()> {
    // A commit is on the disk when it returns, with one write and no reader in its way.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -512)?; // KiB
    if is_new {
        let begun = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        if is_empty(&begun)? {
            begun.execute_batch(TABLE)?;
            begun.pragma_update(None, "application_id", APPLICATION_ID)?;
            begun.pragma_update(None, "user_version", VERSION)?;
        }
        begun.commit()?;
    }
    Ok(())
}

/// Nothing was ever written to it.
fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    Ok(tables == 0 && format(connection)? == (0, 0))
}

/// Whose it is, and of which version.
fn format(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok((number("application_id")?, number("user_version")?))
}

/// From now on, what others hold is waited for so long, or until nobody waits for us.
fn wait_at_most(
    connection: &mut Connection,
    timeout: Duration,
    is_given_up: &Arc<AtomicBool>,
) -> rusqlite::Result<()> {
    let (start, is_given_up) = (Instant::now(), is_given_up.clone());
    connection.busy_handler(Some(move |_| {
        sleep(RETRY_INTERVAL);
        !is_given_up.load(Ordering::Relaxed) && start.elapsed() < timeout
    }))
}
