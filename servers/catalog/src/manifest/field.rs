//! One value of a `server.json` and the way to it: what may stand there, and what is said when it does not.
//!
//! JSON value + path -> typed value, or an error. Invariant: an error names file, path and rule, and never the value of
//! an object, which may hold a secret.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::excerpt::{excerpt, quoted};

/// One value of the file, and the way to it.
#[derive(Clone)]
pub(super) struct Field<'a> {
    pub(super) file: &'a Path,
    pub(super) path: String,
    pub(super) value: &'a Value,
}

impl<'a> Field<'a> {
    pub(super) fn wrong(&self, rule: &str) -> Error {
        let path = if self.path.is_empty() { "the file" } else { &self.path };
        let found = match self.value {
            Value::Object(_) | Value::Array(_) => String::new(),
            Value::String(text) => format!(", found {}", quoted(text)),
            other => format!(", found {}", excerpt(&other.to_string())),
        };
        Error::new(format!("{}: `{path}` {rule}{found}", self.file.display()))
    }

    pub(super) fn child(&self, key: &str) -> Field<'a> {
        let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || "_$-".contains(c));
        let key_text = if plain { key.to_owned() } else { quoted(key) };
        let path = if self.path.is_empty() { key_text } else { format!("{}.{key_text}", self.path) };
        Field { file: self.file, path, value: self.value.get(key).unwrap_or(&Value::Null) }
    }

    pub(super) fn object(&self) -> Result<&'a Map<String, Value>, Error> {
        self.value.as_object().ok_or_else(|| self.wrong("must be an object"))
    }

    /// What stands at `key`, or at its name of 2025-07 (`is_required` for `isRequired`); `null` and an empty string are as
    /// good as nothing.
    pub(super) fn get(&self, key: &str) -> Result<Option<Field<'a>>, Error> {
        let object = self.object()?;
        let there = |name: &str| object.get(name).is_some_and(|it| !is_blank(it)).then(|| self.child(name));
        let old = snake_case(key);
        match (there(key), if old == key { None } else { there(&old) }) {
            (Some(new), Some(other)) if new.value != other.value => {
                Err(self.wrong(&format!("must not have both `{key}` and `{old}`")))
            }
            (new, other) => Ok(new.or(other)),
        }
    }

    /// Whether an empty string stands at `key`.
    pub(super) fn is_empty_string(&self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_str).is_some_and(|it| it.trim().is_empty())
    }

    pub(super) fn need(&self, key: &str) -> Result<Field<'a>, Error> {
        self.get(key)?.ok_or_else(|| self.wrong(&format!("must have `{key}`")))
    }

    /// The items of the array at `key`; none when the key is missing.
    pub(super) fn list(&self, key: &str) -> Result<Vec<Field<'a>>, Error> {
        let Some(field) = self.get(key)? else { return Ok(Vec::new()) };
        let items = field.value.as_array().ok_or_else(|| field.wrong("must be an array"))?;
        let item = |(i, value)| Field { file: self.file, path: format!("{}[{i}]", field.path), value };
        Ok(items.iter().enumerate().map(item).collect())
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, Error> {
        let Some(field) = self.get(key)? else { return Ok(false) };
        field.value.as_bool().ok_or_else(|| field.wrong("must be true or false"))
    }

    /// A value as it would stand in an environment: a string on one line, also where the file has a number or a boolean.
    pub(super) fn value(&self, max: usize) -> Result<String, Error> {
        match self.value {
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            _ => self.string(max),
        }
    }

    /// A string on one line.
    pub(super) fn string(&self, max: usize) -> Result<String, Error> {
        let text = self.value.as_str().ok_or_else(|| self.wrong("must be a string"))?;
        if text.chars().count() > max {
            return Err(self.wrong(&format!("must have at most {max} characters")));
        }
        if text.chars().any(char::is_control) {
            return Err(self.wrong("must not hold control characters"));
        }
        Ok(text.to_owned())
    }

    pub(super) fn text(&self, max: usize) -> Result<String, Error> {
        let text = self.string(max)?;
        if text.trim().is_empty() { Err(self.wrong("must not be empty")) } else { Ok(text) }
    }

    /// Text that may become an argument of a command: it cannot pass for a flag or fall apart into two.
    pub(super) fn word(&self, max: usize) -> Result<String, Error> {
        let text = self.text(max)?;
        if text.starts_with('-') {
            return Err(self.wrong("must not begin with `-`"));
        }
        if text.contains(char::is_whitespace) {
            return Err(self.wrong("must not hold spaces"));
        }
        Ok(text)
    }

    /// One exact version that can also be an image's tag.
    pub(super) fn version(&self) -> Result<String, Error> {
        let text = self.word(128)?;
        let head = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let known = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c));
        let wild = text == "latest" || text.split('.').any(|part| matches!(part, "x" | "X" | ""));
        if head && known && !wild {
            Ok(text)
        } else {
            Err(self.wrong("must be one exact version, such as `1.0.2`"))
        }
    }

    /// The version of a package, one that no registry takes for a range or a tag.
    pub(super) fn package_version(&self, is_exact: fn(&str) -> bool) -> Result<String, Error> {
        let text = self.word(128)?;
        if is_exact(&text) { Ok(text) } else { Err(self.wrong("must be one exact version, such as `1.0.2`")) }
    }

    /// A package's name in the npm registry, which can stand in a package.json as a key.
    pub(super) fn npm_name(&self) -> Result<String, Error> {
        let text = self.word(214)?;
        let part = |it: &str| {
            let known = it.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
            known && !it.is_empty() && !it.starts_with(['.', '-'])
        };
        let good = match text.strip_prefix('@').map(|it| it.split_once('/')) {
            Some(Some((scope, name))) => part(scope) && part(name),
            Some(None) => false,
            None => part(&text) && !text.starts_with('_'),
        };
        if good { Ok(text) } else { Err(self.wrong("must be a package's name, such as `@scope/name`")) }
    }

    /// A package's name on PyPI, which can stand in a requirements.txt.
    pub(super) fn pypi_name(&self) -> Result<String, Error> {
        let text = self.word(200)?;
        let ends = |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphanumeric());
        let known = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        if known && ends(text.chars().next()) && ends(text.chars().last()) {
            Ok(text)
        } else {
            Err(self.wrong("must be a package's name, such as `mcp-server-time`"))
        }
    }

    pub(super) fn url(&self) -> Result<String, Error> {
        let text = self.word(2000)?;
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        if rest.is_some_and(|it| !it.is_empty()) {
            Ok(text)
        } else {
            Err(self.wrong("must be an http(s) URL"))
        }
    }

    pub(super) fn one_of(&self, values: &[&'a str]) -> Result<&'a str, Error> {
        let found = values.iter().find(|it| self.value.as_str() == Some(**it));
        found.copied().ok_or_else(|| self.wrong(&format!("must be {}", values.join(" or "))))
    }
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|it| it.trim().is_empty())
}

/// `isRequired` -> `is_required`.
fn snake_case(key: &str) -> String {
    let mut text = String::with_capacity(key.len() + 2);
    for c in key.chars() {
        text.extend(c.is_ascii_uppercase().then_some('_'));
        text.push(c.to_ascii_lowercase());
    }
    text
}
