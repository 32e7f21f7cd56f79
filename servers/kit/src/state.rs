//! What a server keeps: typed values in named collections, in a folder that outlives its sessions and its container.
//!
//! Operations on a [`State`] -> one transaction each, in one SQLite file. Invariants: what is acknowledged is on the disk, and a
//! transaction is there whole or not at all, whoever is killed when; any number of sessions, each a process of its own, use one folder
//! at the same time; a file that is not understood is left as it is.
//!
//! The feature `state` of this crate turns it on. In a container the folder is `/data`, a volume that the server's `drydock.toml`
//! grants; without it every operation says so:
//!
//! ```toml
//! volumes = [{ name = "data", path = "/data" }]
//! ```
//!
//! Elsewhere (`cargo run`, tests) the variable `MCP_STATE` names a folder that exists.
//!
//! ```no_run
//! use drydock_kit::prelude::*;
//! use drydock_kit::state::{Collection, Keys, State};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! struct Task {
//!     text: String,
//!     #[serde(default)] // so that what an older version has kept can be read
//!     done: bool,
//! }
//!
//! const TASKS: Collection<Task> = Collection::new("tasks");
//!
//! /// Which task.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Name {
//!     /// Its name.
//!     #[schemars(length(min = 1, max = 80))]
//!     name: String,
//! }
//!
//! struct Tasks {
//!     state: State,
//! }
//!
//! #[server(title = "Tasks")]
//! impl Tasks {
//!     /// Adds a task.
//!     #[tool(additive)]
//!     async fn add(&self, Parameters(it): Parameters<Name>) -> Result<String, String> {
//!         self.state.put(TASKS, &it.name, &Task { text: it.name.clone(), done: false }).await?;
//!         Ok("added".to_owned())
//!     }
//!
//!     /// Marks a task as done.
//!     #[tool(idempotent)]
//!     async fn finish(&self, Parameters(it): Parameters<Name>) -> Result<String, String> {
//!         // Read, changed and written in one transaction: no other session comes in between.
//!         let finished = self.state.update(TASKS, &it.name, |task| {
//!             task.as_mut().ok_or("there is no such task")?.done = true;
//!             Ok("done".to_owned())
//!         });
//!         Ok(finished.await?)
//!     }
//!
//!     /// Lists the first tasks.
//!     #[tool(read_only)]
//!     async fn list(&self) -> Result<String, String> {
//!         let page = self.state.list(TASKS, Keys::all().limit(20)).await?;
//!         Ok(page.entries.iter().map(|(name, task)| format!("{name}: {}\n", task.done)).collect())
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     drydock_kit::main(|| Tasks { state: State::new() })
//! }
//! ```
//!
//! A call that is cancelled or late waits no longer for its turn, and then nothing is written. Where its transaction had begun, it is
//! finished: whether it was, a client can only find out by reading.
//!
//! The file is `state.sqlite`, of format 1: the table `entry` with `collection`, `key` and `value` (JSON), which the program `sqlite3`
//! reads, too. For a backup, copy the whole folder while no session is open, or use `sqlite3 state.sqlite ".backup copy"`.

mod error;
mod file;
mod keys;
mod transaction;

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use drydock_contract::{env, image};
pub use error::{Error, FileProblem};
use file::{File, Mode};
pub use keys::{Keys, Page};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
pub use transaction::Transaction;

use crate::{blocking, log};

/// A named collection of values of one type; a constant of the server.
///
/// Keys are strings of 1 to 512 bytes, in the order of their bytes: write a number with leading zeros (`format!("{n:08}")`) where
/// its order counts. Values are kept as JSON, of at most 4 MiB each.
///
/// ```
/// use drydock_kit::state::Collection;
///
/// const COUNTS: Collection<u64> = Collection::new("counts");
/// ```
pub struct Collection<T> {
    name: &'static str,
    of: PhantomData<fn() -> T>,
}

impl<T> Collection<T> {
    /// The collection of this name. Another type under the same name is the same collection.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, of: PhantomData }
    }
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Collection<T> {}

impl<T> fmt::Debug for Collection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Collection").field(&self.name).finish()
    }
}

/// The folder in which a server keeps what is to stay. Clones share one connection.
///
/// Its methods wait for the disk, and for other sessions, on a thread of their own. Their [`Error`] becomes a tool's `Err(String)`
/// by `?`: it says what happened and what to do. A key may be made in the call itself:
///
/// ```
/// # use drydock_kit::state::{Collection, Error, State};
/// const COUNTS: Collection<u64> = Collection::new("counts");
///
/// async fn count(state: &State, year: u16, shelf: &str) -> Result<u64, Error> {
///     let counted = state.update(COUNTS, format!("{year}/{shelf}"), |count| {
///         let next = count.unwrap_or(0) + 1;
///         *count = Some(next);
///         Ok(next)
///     });
///     counted.await
/// }
/// ```
#[derive(Clone)]
pub struct State {
    /// One transaction of this process at a time.
    file: Arc<Mutex<File>>,
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl State {
    /// The folder that `MCP_STATE` names, or else `/data`. It is opened by the first operation, and looked at here: where it is missing,
    /// the log has a warning from the start.
    #[must_use]
    pub fn new() -> Self {
        let named = std::env::var_os(env::STATE).filter(|it| !it.is_empty());
        let folder = named.map_or_else(|| PathBuf::from(image::STATE), PathBuf::from);
        if let Err(problem) = file::check_folder(&folder) {
            log::warn(&problem.to_string());
        }
        Self::in_folder(folder)
    }

    /// Another folder, which has to exist; for tests.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { file: Arc::new(Mutex::new(File::new(folder.into()))) }
    }

    /// The value of a key, if it has one.
    ///
    /// # Errors
    /// The folder or its file cannot be used, or the value is not a `T`.
    pub async fn get<T>(&self, from: Collection<T>, key: impl AsRef<str>) -> Result<Option<T>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let key = key.as_ref().to_owned();
        self.run(Mode::Read, move |it| it.get(from, &key)).await
    }

    /// Sets the value of a key. Once this returns, it is on the disk.
    ///
    /// # Errors
    /// The folder or its file cannot be used, or the key or the value is not one. Nothing is changed then.
    pub async fn put<T: Serialize + 'static>(
        &self,
        into: Collection<T>,
        key: impl AsRef<str>,
        value: &T,
    ) -> Result<(), Error> {
        let key = key.as_ref().to_owned();
        let json = transaction::to_json(into.name, &key, value)?;
        self.run(Mode::Write, move |it| it.put_json(into.name, &key, &json)).await
    }

    /// Removes a key; says whether it had a value.
    ///
    /// # Errors
    /// The folder or its file cannot be used. Nothing is changed then.
    pub async fn delete<T: 'static>(&self, from: Collection<T>, key: impl AsRef<str>) -> Result<bool, Error> {
        let key = key.as_ref().to_owned();
        self.run(Mode::Write, move |it| it.delete(from, &key)).await
    }

    /// The entries of these keys in their order, a page at a time.
    ///
    /// # Errors
    /// The folder or its file cannot be used, or one of the values is not a `T`.
    pub async fn list<T>(&self, from: Collection<T>, keys: Keys) -> Result<Page<T>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.run(Mode::Read, move |it| it.list(from, &keys)).await
    }

    /// Reads, changes and writes the value of a key, with nobody in between: what `change` leaves is written, and `None` removes it.
    ///
    /// # Errors
    /// Those of `change`, and as [`State::get`] and [`State::put`]. Nothing is changed then.
    pub async fn update<T, R>(
        &self,
        at: Collection<T>,
        key: impl AsRef<str>,
        change: impl FnOnce(&mut Option<T>) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error>
    where
        T: Serialize + DeserializeOwned + 'static,
        R: Send + 'static,
    {
        let key = key.as_ref().to_owned();
        self.run(Mode::Write, move |it| {
            let mut value = it.get(at, &key)?;
            let result = change(&mut value)?;
            match value {
                Some(value) => it.put(at, &key, &value)?,
                None => drop(it.delete(at, &key)?),
            }
            Ok(result)
        })
        .await
    }

    /// Does several things as one: all of it is there afterwards, or, where `work` ends with an error, nothing.
    ///
    /// Other sessions wait meanwhile, so do nothing in it that takes long. An error of one's own is a string:
    /// `return Err("there is no such note".into())`.
    ///
    /// # Errors
    /// Those of `work`, and where the folder or its file cannot be used. Nothing is changed then.
    pub async fn transaction<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        self.run(Mode::Write, work).await
    }

    async fn run<R: Send + 'static>(
        &self,
        mode: Mode,
        work: impl FnOnce(&Transaction<'_>) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        let mut file = self.file.clone().lock_owned().await;
        let waiting = Waiting::default();
        let is_given_up = waiting.is_given_up.clone();
        blocking(move || file.run(mode, &is_given_up, work)).await
    }
}

/// A call that waits. Dropped with it, when it is cancelled or late.
#[derive(Default)]
struct Waiting {
    is_given_up: Arc<AtomicBool>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }
}
