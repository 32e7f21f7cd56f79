//! The format's `Input`: what arguments and variables have in common.
//!
//! JSON object -> `Input` -> what stands in its place. Invariants: a value or default that the input's own format or
//! choices exclude is refused with its path; places are filled in once, so that a value grows no further than
//! `MAX_VALUE_CHARS`, and one that nothing is known for never reaches a server as it stands.

use super::field::Field;
use super::template::{Piece, pieces};
use crate::error::Error;
use crate::excerpt::quoted;

/// Characters of a value, also after its places were filled in.
const MAX_VALUE_CHARS: usize = 4096;
/// Variables of one value.
const MAX_PARTS: usize = 64;

#[derive(Debug, Clone, Default)]
pub(super) struct Input {
    pub(super) secret: bool,
    pub(super) required: bool,
    pub(super) boolean: bool,
    /// A value that the person cannot change.
    pub(super) fixed: Option<String>,
    pub(super) default: Option<String>,
    pub(super) choices: Vec<String>,
    /// What stands for `{name}` in the value.
    parts: Vec<(String, Input)>,
}

/// What stands in an input's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filled {
    Text(String),
    /// The file has no value.
    Nothing,
    /// Its value has a place that nothing is known for.
    Unknown {
        place: String,
        required: bool,
        secret: bool,
    },
}

impl Input {
    pub(super) fn read(field: &Field) -> Result<Self, Error> {
        let mut input = Self::plain(field)?;
        if let Some(variables) = field.get("variables")? {
            let variables_of = variables.object()?;
            if variables_of.len() > MAX_PARTS {
                return Err(variables.wrong(&format!("must have at most {MAX_PARTS} variables")));
            }
            for name in variables_of.keys() {
                let part = variables.child(name);
                let read = Self::plain(&part)?;
                if read.secret && (read.fixed.is_some() || read.default.is_some()) {
                    return Err(part.wrong("is a secret, so the file must not hold its `value` or `default`"));
                }
                input.parts.push((name.clone(), read));
            }
        }
        Ok(input)
    }

    fn plain(field: &Field) -> Result<Self, Error> {
        // A later schema may know more of them.
        let format = field.get("format")?.and_then(|it| it.value.as_str());
        let choices: Vec<_> =
            field.list("choices")?.iter().map(|it| it.value(MAX_VALUE_CHARS)).collect::<Result<_, _>>()?;
        let value = |key| {
            let Some(field) = field.get(key)? else { return Ok(None) };
            let text = field.value(MAX_VALUE_CHARS)?;
            let is_template = pieces(&text, |_| false).iter().any(|it| matches!(it, Piece::Place { .. }));
            match format {
                _ if is_template => {}
                Some("number") if text.parse::<f64>().is_err() => return Err(field.wrong("must be a number")),
                Some("boolean") if text != "true" && text != "false" => {
                    return Err(field.wrong("must be \"true\" or \"false\""));
                }
                _ if !choices.is_empty() && !choices.contains(&text) => {
                    return Err(field.wrong(&format!("must be one of {}", choices.join(", "))));
                }
                _ => {}
            }
            Ok(Some(text))
        };
        Ok(Self {
            secret: field.flag("isSecret")?,
            required: field.flag("isRequired")?,
            boolean: format == Some("boolean"),
            fixed: value("value")?,
            default: value("default")?,
            choices,
            parts: Vec::new(),
        })
    }

    /// Whether a person gives it, or a part of it, as a secret.
    pub(super) fn is_secret(&self) -> bool {
        self.secret || self.parts.iter().any(|(_, it)| it.secret)
    }

    /// Its value or default with all places filled in.
    pub(super) fn fill(&self, field: &Field) -> Result<Filled, Error> {
        let Some(text) = self.fixed.as_ref().or(self.default.as_ref()) else { return Ok(Filled::Nothing) };
        let part = |name: &str| self.parts.iter().find(|it| it.0 == name).map(|it| &it.1);
        let (mut filled, mut chars) = (String::new(), 0);
        for piece in pieces(text, |name| part(name).is_some()) {
            let known = match piece {
                Piece::Plain(text) => text,
                Piece::Place { whole, name } => match part(name).map(|it| (it, it.known())) {
                    Some((_, Some(value))) => value,
                    other => {
                        let required = self.required || other.is_some_and(|it| it.0.required);
                        let secret = other.is_some_and(|it| it.0.secret);
                        return Ok(Filled::Unknown { place: quoted(whole), required, secret });
                    }
                },
            };
            chars += known.chars().count();
            if chars > MAX_VALUE_CHARS {
                let rule =
                    format!("has more than {MAX_VALUE_CHARS} characters when its places are filled in");
                return Err(field.wrong(&rule));
            }
            filled.push_str(known);
        }
        Ok(Filled::Text(filled))
    }

    /// The value of a part, which has no parts of its own.
    fn known(&self) -> Option<&str> {
        let text = self.fixed.as_deref().or(self.default.as_deref())?;
        let is_plain = pieces(text, |_| false).iter().all(|it| matches!(it, Piece::Plain(_)));
        is_plain.then_some(text)
    }
}
