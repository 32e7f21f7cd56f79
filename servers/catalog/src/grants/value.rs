//! A value of a TOML file, with its line.
//!
//! TOML text -> typed values, or an error with file, line, key and rule. Invariant: nothing of the file is shown raw.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Error;
use crate::excerpt::{excerpt, quoted};

/// The whole file, or what is no TOML in it.
pub(super) fn parse<'a>(file: &Path, text: &'a str) -> Result<Spanned<DeTable<'a>>, Error> {
    DeTable::parse(text).map_err(|err| {
        let at = err.span().map_or(0, |it| it.start);
        let own = || err.message().lines().next().unwrap_or("not TOML").escape_debug().to_string();
        let quotes = without_quotes(text, at).map(|it| format!("a string stands in quotation marks: {it}"));
        Error::new(format!("{}:{}: {}", file.display(), line(text, at), quotes.unwrap_or_else(own)))
    })
}

/// The line at that place as it is probably meant, where a word is its value.
fn without_quotes(text: &str, at: usize) -> Option<String> {
    let line = text.lines().nth(line(text, at) - 1)?;
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.split('#').next()?.trim());
    let is_plain =
        |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    let is_word = value.starts_with(|c: char| c.is_ascii_alphabetic())
        && !["true", "false", "inf", "nan"].contains(&value);
    (is_plain(key) && is_plain(value) && is_word).then(|| format!("`{key} = \"{value}\"`"))
}

fn line(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1
}

/// A value and the way to it.
#[derive(Clone)]
pub(super) struct Value<'a> {
    file: &'a Path,
    text: &'a str,
    /// As in `volumes[0].path`; nothing for the file itself.
    path: String,
    /// The last key of the path.
    name: &'a str,
    at: usize,
    found: Found<'a>,
}

#[derive(Clone, Copy)]
enum Found<'a> {
    Table(&'a DeTable<'a>),
    Other(&'a DeValue<'a>),
}

impl<'a> Value<'a> {
    pub(super) fn root(file: &'a Path, text: &'a str, table: &'a Spanned<DeTable<'a>>) -> Self {
        let found = Found::Table(table.get_ref());
        Self { file, text, path: String::new(), name: "", at: 0, found }
    }

    fn child(&self, path: String, name: &'a str, value: &'a Spanned<DeValue<'a>>, at: usize) -> Self {
        let found = match value.get_ref() {
            DeValue::Table(table) => Found::Table(table),
            other => Found::Other(other),
        };
        Self { path, name, at, found, ..self.clone() }
    }

    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// What stands in the table, in the order of the file.
    pub(super) fn keys(&self) -> Result<Vec<Self>, Error> {
        let Found::Table(table) = self.found else { return Err(self.wrong("must be a table")) };
        let mut all: Vec<_> = table
            .iter()
            .map(|(key, value)| {
                let name: &str = key.get_ref();
                let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
                let shown = if plain { name.to_owned() } else { quoted(name) };
                let path = if self.path.is_empty() { shown } else { format!("{}.{shown}", self.path) };
                self.child(path, name, value, key.span().start)
            })
            .collect();
        all.sort_by_key(|it| it.at);
        Ok(all)
    }

    pub(super) fn get<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Self) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.keys()?.iter().find(|it| it.name == key).map(read).transpose()
    }

    pub(super) fn need<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.get(key, read)?.ok_or_else(|| self.wrong(&format!("must have `{key}`")))
    }

    /// The items of the array at `key`; none when the key is missing.
    pub(super) fn list<T>(
        &self,
        key: &str,
        most: usize,
        mut read: impl FnMut(&Self) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let Some(list) = self.keys()?.into_iter().find(|it| it.name == key) else { return Ok(Vec::new()) };
        let Found::Other(DeValue::Array(items)) = list.found else {
            return Err(list.wrong("must be a list"));
        };
        if items.len() > most {
            return Err(list.wrong(&format!("must have at most {most} items")));
        }
        let item = |(i, value): (usize, &'a Spanned<DeValue<'a>>)| {
            list.child(format!("{}[{i}]", list.path), list.name, value, value.span().start)
        };
        items.iter().enumerate().map(|it| read(&item(it))).collect()
    }

    /// Text on one line; it may be empty.
    pub(super) fn text(&self, most: usize) -> Result<String, Error> {
        let Found::Other(DeValue::String(text)) = self.found else {
            return Err(self.wrong("must be a string, in quotation marks"));
        };
        if text.chars().count() > most {
            return Err(self.wrong(&format!("must have at most {most} characters")));
        }
        if text.chars().any(char::is_control) {
            return Err(self.wrong("must not hold control characters"));
        }
        Ok(text.as_ref().to_owned())
    }

    pub(super) fn flag(&self) -> Result<bool, Error> {
        let Found::Other(DeValue::Boolean(flag)) = self.found else {
            return Err(self.wrong("must be true or false"));
        };
        Ok(*flag)
    }

    pub(super) fn whole(&self, least: u64, most: u64) -> Result<u64, Error> {
        let number = match self.found {
            Found::Other(DeValue::Integer(it)) => u64::from_str_radix(it.as_str(), it.radix()).ok(),
            _ => None,
        };
        let number = number.filter(|it| (least..=most).contains(it));
        number.ok_or_else(|| self.wrong(&format!("must be a whole number from {least} to {most}")))
    }

    pub(super) fn number(&self, least: f64, most: f64) -> Result<f64, Error> {
        let number = match self.found {
            Found::Other(DeValue::Integer(it)) if it.radix() == 10 => it.as_str().parse().ok(),
            Found::Other(DeValue::Float(it)) => it.as_str().parse().ok(),
            _ => None,
        };
        let number = number.filter(|it| (least..=most).contains(it));
        number.ok_or_else(|| self.wrong(&format!("must be a number from {least} to {most}")))
    }

    /// `FILE:LINE: KEY RULE, found VALUE`.
    pub(super) fn wrong(&self, rule: &str) -> Error {
        let found = match self.found {
            Found::Table(_) | Found::Other(DeValue::Array(_)) => String::new(),
            Found::Other(DeValue::String(text)) => format!(", found {}", quoted(text)),
            Found::Other(DeValue::Integer(it)) => format!(", found {}", excerpt(it.as_str())),
            Found::Other(DeValue::Float(it)) => format!(", found {}", excerpt(it.as_str())),
            Found::Other(DeValue::Boolean(it)) => format!(", found {it}"),
            Found::Other(other) => format!(", found a {}", other.type_str()),
        };
        let line = line(self.text, self.at);
        Error::new(format!("{}:{line}: `{}` {rule}{found}", self.file.display(), self.path))
    }

    pub(super) fn unknown(&self, known: &[&str]) -> Error {
        let (last, others) = known.split_last().unwrap_or((&"", &[]));
        let line = line(self.text, self.at);
        let file = self.file.display();
        let problem =
            format!("{file}:{line}: `{}` is unknown; known are {} and {last}", self.path, others.join(", "));
        let known = known.iter().map(|it| (*it).to_owned()).collect();
        Error::unknown(problem, self.name, known)
    }
}
