//! Templates of entries, with placeholders: filled in and read back.
//!
//! Template + values -> entry, entry + template -> values. Invariant: reading what was filled gives the same values; a
//! placeholder without a value leaves its field out, and a table that is left with nothing goes with it.

use std::collections::BTreeMap;

use drydock_edit::Entry;
use serde_json::Value;
use toml::{Table, Value as Template};

use crate::error::{Error, ErrorKind, Result};

/// What stands for each placeholder.
pub(super) type Values = BTreeMap<&'static str, Value>;

/// What was read for each placeholder, and the field in which it stood.
#[derive(Debug, Default)]
pub(super) struct ExtractedValues(BTreeMap<String, (String, Value)>);

pub(super) fn is_placeholder(text: &str) -> bool {
    text.starts_with('{') && text.ends_with('}')
}

pub(super) fn has(template: &Table, placeholder: &str) -> bool {
    template.values().any(|it| match it {
        Template::String(it) => it == placeholder,
        Template::Array(list) => list.iter().any(|it| it.as_str() == Some(placeholder)),
        Template::Table(table) => has(table, placeholder),
        _ => false,
    })
}

pub(super) fn fill(template: &Table, values: &Values) -> Entry {
    template.iter().filter_map(|(key, it)| Some((key.clone(), fill_value(it, values)?))).collect()
}

fn fill_value(template: &Template, values: &Values) -> Option<Value> {
    Some(match template {
        Template::String(it) if is_placeholder(it) => values.get(it.as_str())?.clone(),
        Template::String(it) => it.as_str().into(),
        // `["{command}", "{args}"]` is one list.
        Template::Array(list) => {
            let flat = |it: &Template| match fill_value(it, values) {
                Some(Value::Array(inner)) => inner,
                other => other.into_iter().collect(),
            };
            list.iter().flat_map(flat).collect()
        }
        Template::Table(table) => {
            let filled = fill(table, values);
            (!filled.is_empty()).then_some(Value::Object(filled))?
        }
        Template::Integer(it) => (*it).into(),
        Template::Float(it) => (*it).into(),
        Template::Boolean(it) => (*it).into(),
        Template::Datetime(it) => it.to_string().into(),
    })
}

/// What the entry holds where the template has placeholders; fields that the template does not know are nobody's business.
pub(super) fn extract(template: &Table, entry: &Entry) -> Result<ExtractedValues> {
    let mut values = ExtractedValues::default();
    collect(template, entry, &mut values)?;
    Ok(values)
}

fn collect(template: &Table, entry: &Entry, values: &mut ExtractedValues) -> Result<()> {
    for (key, field) in template {
        let Some(value) = entry.get(key) else { continue };
        let mut put = |placeholder: &str, value: Value| {
            values.0.insert(placeholder.to_owned(), (key.clone(), value));
        };
        match field {
            Template::String(it) if is_placeholder(it) => put(it, value.clone()),
            Template::Array(list) if list.iter().any(|it| it.as_str().is_some_and(is_placeholder)) => {
                let mut rest = texts(key, value)?.into_iter();
                for it in list {
                    match it.as_str() {
                        Some(it @ "{args}") => put(it, rest.by_ref().collect()),
                        Some(it) if is_placeholder(it) => put(it, rest.next().unwrap_or_default().into()),
                        _ => drop(rest.next()),
                    }
                }
            }
            Template::Table(table) => {
                let inner = value.as_object().ok_or_else(|| must_be(key, "an object"))?;
                collect(table, inner, values)?;
            }
            _ => {}
        }
    }
    Ok(())
}

impl ExtractedValues {
    pub(super) fn text(&self, placeholder: &str) -> Result<Option<String>> {
        self.0.get(placeholder).map(|(key, value)| text(key, value)).transpose()
    }

    pub(super) fn texts(&self, placeholder: &str) -> Result<Vec<String>> {
        self.0.get(placeholder).map_or(Ok(Vec::new()), |(key, value)| texts(key, value))
    }

    pub(super) fn pairs(&self, placeholder: &str) -> Result<Vec<(String, String)>> {
        let Some((key, value)) = self.0.get(placeholder) else { return Ok(Vec::new()) };
        let object = value.as_object().ok_or_else(|| must_be(key, "an object"))?;
        object.iter().map(|(name, value)| Ok((name.clone(), text(name, value)?))).collect()
    }
}

fn text(key: &str, value: &Value) -> Result<String> {
    let text = value.as_str().ok_or_else(|| must_be(key, &format!("a string, and is {value}")))?;
    Ok(text.to_owned())
}

fn texts(key: &str, value: &Value) -> Result<Vec<String>> {
    let list = value.as_array().ok_or_else(|| must_be(key, "a list"))?;
    list.iter().map(|it| text(key, it)).collect()
}

fn must_be(key: &str, what: &str) -> Error {
    Error::new(ErrorKind::InvalidEntry, format!("`{key}` must be {what}"))
}
