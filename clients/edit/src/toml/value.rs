//! TOML's values as JSON's, which is what entries are made of.
//!
//! Tree + text -> `serde_json::Value`. Invariant: what JSON does not have (dates, infinity, numbers of more than 64
//! bits) becomes the text that stands in the file.

use serde_json::{Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::doc::{Doc, Id, Kind};

pub(super) fn value(doc: &Doc<'_>, id: Id) -> Value {
    match doc.node(id).kind {
        Kind::Inline | Kind::Value => read(doc.source(id)),
        Kind::Array => doc.members(id).map(|it| value(doc, it)).collect(),
        _ => doc.members(id).map(|it| (doc.node(it).key.to_string(), value(doc, it))).collect(),
    }
}

/// The value of a text that was found to be one before.
pub(super) fn read(source: &str) -> Value {
    DeValue::parse(source).map_or(Value::Null, |it| convert(it.get_ref(), source, it.span()))
}

/// Where a number stands that is none. (The `toml` crate only looks closely when it hands one out.)
pub(super) fn bad_number(it: &Spanned<DeValue<'_>>) -> Option<usize> {
    let good = match it.get_ref() {
        DeValue::Integer(it) => {
            let digits = it.as_str().strip_prefix(['+', '-']).unwrap_or(it.as_str());
            !digits.is_empty() && digits.chars().all(|c| c.is_digit(it.radix()))
        }
        // One that is too large is infinity to some parsers, and an error to others.
        DeValue::Float(it) => it
            .as_str()
            .parse::<f64>()
            .is_ok_and(|number| number.is_finite() || !it.as_str().contains(['e', 'E'])),
        DeValue::Array(all) => return all.iter().find_map(bad_number),
        DeValue::Table(all) => return all.values().find_map(bad_number),
        _ => true,
    };
    (!good).then(|| it.span().start)
}

fn convert(value: &DeValue<'_>, source: &str, at: std::ops::Range<usize>) -> Value {
    let as_text = || Value::from(&source[at.clone()]);
    match value {
        DeValue::String(it) => it.as_ref().into(),
        DeValue::Integer(it) => {
            i64::from_str_radix(it.as_str(), it.radix()).map_or_else(|_| as_text(), Value::from)
        }
        DeValue::Float(it) => {
            it.as_str().parse().ok().and_then(Number::from_f64).map_or_else(as_text, Value::Number)
        }
        DeValue::Boolean(it) => (*it).into(),
        DeValue::Datetime(_) => as_text(),
        DeValue::Array(all) => all.iter().map(|it| convert(it.get_ref(), source, it.span())).collect(),
        DeValue::Table(table) => object(table, source),
    }
}

fn object(table: &DeTable<'_>, source: &str) -> Value {
    table
        .iter()
        .map(|(key, it)| (key.get_ref().to_string(), convert(it.get_ref(), source, it.span())))
        .collect()
}
