//! A JSON text as a syntax tree, and ways through it.
//!
//! Strict text + path -> nodes, or an error. Invariant: two members of one name are refused wherever a name is looked
//! up: programs disagree on which one counts.

use jsonc_parser::ParseOptions;
use jsonc_parser::ast::{Object, ObjectProp, Value as Ast};
use jsonc_parser::common::Ranged;
use serde_json::Value;

use super::strip_comments::{self, Syntax};
use crate::{Error, ErrorKind, FileFormat, Position, Result, ServersPath};

/// The strict JSON in a text, every byte in its place.
pub(super) fn strict(text: &str, place: ServersPath<'_>) -> Result<String> {
    let comments = place.format == FileFormat::Jsonc;
    strip_comments::strict(text, &Syntax { comments, trailing_commas: place.trailing_commas })
}

/// The value of clean text, if it holds one.
pub(super) fn parse(clean: &str) -> Result<Option<Ast<'_>>> {
    let parsed = jsonc_parser::parse_to_ast(clean, &Default::default(), &ParseOptions::default());
    let refused = |err: jsonc_parser::errors::ParseError| {
        let position = Position { line: err.line_display(), column: err.column_display() };
        Error::at_position(ErrorKind::Syntax, position, err.kind().to_string().to_lowercase())
    };
    Ok(parsed.map_err(refused)?.value)
}

/// The outermost object of clean text; `None` in a file without any value.
pub(super) fn root(clean: &str) -> Result<Option<Object<'_>>> {
    match parse(clean)? {
        None => Ok(None),
        Some(Ast::Object(object)) => Ok(Some(object)),
        Some(other) => Err(Error::wrong_type(
            clean,
            other.start(),
            format!("expected an object, found {}", kind(&other)),
        )),
    }
}

pub(super) fn kind(value: &Ast<'_>) -> &'static str {
    match value {
        Ast::StringLit(_) => "a string",
        Ast::NumberLit(_) => "a number",
        Ast::BooleanLit(_) => "a boolean",
        Ast::Object(_) => "an object",
        Ast::Array(_) => "a list",
        Ast::NullKeyword(_) => "null",
    }
}

/// The member of that name. Two of them are refused: clients disagree on which one counts.
pub(super) fn member<'a, 'o>(
    text: &str,
    object: &'o Object<'a>,
    name: &str,
) -> Result<Option<&'o ObjectProp<'a>>> {
    let mut all = object.properties.iter().filter(|it| it.name.as_str() == name);
    let first = all.next();
    match all.next() {
        Some(second) => {
            Err(Error::duplicate(text, second.start(), format!("a second `{name}` in the same object")))
        }
        None => Ok(first),
    }
}

/// Follows the keys as far as they exist: how many did, and the object at the end if all did.
pub(super) fn walk<'a, 'o>(
    text: &str,
    root: &'o Object<'a>,
    path: &[String],
) -> Result<(usize, Option<&'o Object<'a>>)> {
    let mut object = root;
    for (depth, key) in path.iter().enumerate() {
        let Some(it) = member(text, object, key)? else { return Ok((depth, None)) };
        let Some(next) = it.value.as_object() else {
            let what = format!("`{key}` must be an object, and is {}", kind(&it.value));
            return Err(Error::wrong_type(text, it.value.start(), what));
        };
        object = next;
    }
    Ok((path.len(), Some(object)))
}

/// The member at the end of a path, and the object that holds it.
pub(super) fn find<'a, 'o>(
    text: &str,
    root: &'o Object<'a>,
    path: &[&str],
) -> Result<Option<(&'o Object<'a>, &'o ObjectProp<'a>)>> {
    let Some((name, keys)) = path.split_last() else { return Ok(None) };
    let mut object = root;
    for key in keys {
        match member(text, object, key)?.and_then(|it| it.value.as_object()) {
            Some(next) => object = next,
            None => return Ok(None),
        }
    }
    Ok(member(text, object, name)?.map(|it| (object, it)))
}

pub(super) fn value(clean: &str, ast: &Ast<'_>) -> Value {
    serde_json::from_str(&clean[ast.start()..ast.end()]).unwrap_or_else(|_| large(clean, ast))
}

/// The same with numbers that no `f64` holds (`1e400`), as text: they are legal.
fn large(clean: &str, ast: &Ast<'_>) -> Value {
    match ast {
        Ast::Object(it) => {
            it.properties.iter().map(|it| (it.name.as_str(), value(clean, &it.value))).collect()
        }
        Ast::Array(it) => it.elements.iter().map(|it| value(clean, it)).collect(),
        other => clean[other.start()..other.end()].into(),
    }
}
