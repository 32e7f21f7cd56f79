//! What can be done to a state file within one transaction.
//!
//! Typed values -> rows of JSON, and back. Invariant: nothing here begins or ends a transaction.

use rusqlite::{Connection, OptionalExtension, Rows};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Error, in_file};
use super::{Collection, Keys, Page};

/// In bytes.
const MAX_KEY: usize = 512;
const MAX_VALUE: usize = 4 << 20;
/// A page ends before a value that would make it longer than this, in bytes.
const MAX_PAGE: usize = 8 << 20;

/// The operations of [`State`](super::State), of which all happen or none; see [`State::transaction`](super::State::transaction).
#[derive(Debug)]
pub struct Transaction<'a> {
    pub(super) connection: &'a Connection,
    pub(super) file: &'a std::path::Path,
}

impl Transaction<'_> {
    /// The value of a key, if it has one.
    ///
    /// # Errors
    /// The file cannot be read, or the value is not a `T`.
    pub fn get<T: DeserializeOwned>(
        &self,
        from: Collection<T>,
        key: impl AsRef<str>,
    ) -> Result<Option<T>, Error> {
        let key = key.as_ref();
        let sql = "SELECT value FROM entry WHERE collection = ?1 AND key = ?2";
        let read = |connection: &Connection| {
            let mut statement = connection.prepare(sql)?;
            statement.query_row((from.name, key), |row| row.get::<_, String>(0)).optional()
        };
        let json = read(self.connection).map_err(|e| in_file(self.file, e))?;
        json.map(|json| from_json(from.name, key, &json)).transpose()
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    /// The file cannot be written, or the key or the value is not one.
    pub fn put<T: Serialize>(
        &self,
        into: Collection<T>,
        key: impl AsRef<str>,
        value: &T,
    ) -> Result<(), Error> {
        let key = key.as_ref();
        self.put_json(into.name, key, &to_json(into.name, key, value)?)
    }

    pub(super) fn put_json(&self, collection: &str, key: &str, json: &str) -> Result<(), Error> {
        let sql = "INSERT INTO entry VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = excluded.value";
        let write = |connection: &Connection| connection.prepare(sql)?.execute((collection, key, json));
        write(self.connection).map(drop).map_err(|e| in_file(self.file, e))
    }

    /// Removes a key; says whether it had a value.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn delete<T>(&self, from: Collection<T>, key: impl AsRef<str>) -> Result<bool, Error> {
        let sql = "DELETE FROM entry WHERE collection = ?1 AND key = ?2";
        let delete = |connection: &Connection| connection.prepare(sql)?.execute((from.name, key.as_ref()));
        let removed = delete(self.connection).map_err(|e| in_file(self.file, e))?;
        Ok(removed > 0)
    }

    /// The entries of these keys in their order, a page at a time.
    ///
    /// # Errors
    /// The file cannot be read, or one of the values is not a `T`.
    pub fn list<T: DeserializeOwned>(&self, from: Collection<T>, keys: &Keys) -> Result<Page<T>, Error> {
        let sql = "SELECT key, value FROM entry WHERE collection = ?1 AND key >= ?2 ORDER BY key";
        let read = |connection: &Connection| {
            let mut statement = connection.prepare(sql)?;
            page(statement.query((from.name, &keys.first))?, keys)
        };
        let Page { entries, next } = read(self.connection).map_err(|e| in_file(self.file, e))?;
        let typed = |(key, json): (String, String)| {
            let value = from_json(from.name, &key, &json)?;
            Ok((key, value))
        };
        Ok(Page { entries: entries.into_iter().map(typed).collect::<Result<_, Error>>()?, next })
    }
}

fn page(mut rows: Rows<'_>, keys: &Keys) -> rusqlite::Result<Page<String>> {
    let (mut entries, mut size) = (Vec::<(String, String)>::new(), 0);
    while let Some(row) = rows.next()? {
        let (key, json): (String, String) = (row.get(0)?, row.get(1)?);
        if keys.end.as_ref().is_some_and(|end| key >= *end) {
            break;
        }
        size += json.len();
        if let Some((last, _)) = entries.last()
            && (entries.len() == keys.limit || size > MAX_PAGE)
        {
            let next = Some(last.clone());
            return Ok(Page { entries, next });
        }
        entries.push((key, json));
    }
    Ok(Page { entries, next: None })
}

/// A value as it is kept.
pub(super) fn to_json<T: Serialize>(collection: &'static str, key: &str, value: &T) -> Result<String, Error> {
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(Error::Key { bytes: key.len(), max: MAX_KEY });
    }
    let json = serde_json::to_string(value).map_err(|e| misfit(collection, key, &e))?;
    if json.len() > MAX_VALUE {
        let problem = format!("it has {} bytes of JSON, and may have {MAX_VALUE}", json.len());
        return Err(Error::Value { collection, key: key.to_owned(), problem });
    }
    Ok(json)
}

fn from_json<T: DeserializeOwned>(collection: &'static str, key: &str, json: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|e| misfit(collection, key, &e))
}

fn misfit(collection: &'static str, key: &str, problem: &serde_json::Error) -> Error {
    Error::Value { collection, key: key.to_owned(), problem: problem.to_string() }
}
