//! The format's `Input`: what arguments, variables and headers have in common.
//!
//! JSON object -> `Input` -> the text that stands in its place. Invariant: a value or default that the input's own format
//! or choices exclude is refused with its path.

use super::field::Field;
use crate::error::Error;

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

impl Input {
    pub(super) fn read(field: &Field) -> Result<Self, Error> {
        let mut input = Self::plain(field)?;
        if let Some(variables) = field.get("variables")? {
            for name in variables.object()?.keys() {
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
        let format = field.get("format")?;
        let format = format.map(|it| it.one_of(&["string", "number", "boolean", "filepath"])).transpose()?;
        let choices: Vec<_> =
            field.list("choices")?.iter().map(|it| it.value(4096)).collect::<Result<_, _>>()?;
        let value = |key| {
            let Some(field) = field.get(key)? else { return Ok(None) };
            let text = field.value(4096)?;
            let template = key == "value" && text.contains('{');
            match format {
                _ if template => {}
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

    /// Its value with all `{name}`s filled in, or its default; nothing when either is missing.
    pub(super) fn value(&self) -> Option<String> {
        let mut text = self.fixed.clone().or_else(|| self.default.clone())?;
        for (name, part) in &self.parts {
            let place = format!("{{{name}}}");
            if text.contains(&place) {
                text = text.replace(&place, &part.value()?);
            }
        }
        Some(text)
    }

    /// Its value, if it can stand on a command line that everybody on the machine can read.
    pub(super) fn on_a_command_line(&self, field: &Field) -> Result<Option<String>, Error> {
        match self.value() {
            Some(_) if self.secret => {
                Err(field.wrong("is a secret, so the file must not hold its `value` or `default`"))
            }
            None if self.required && self.is_secret() => {
                Err(field.wrong("is a secret, and command lines are no place for secrets"))
            }
            None if self.required => Err(field.wrong("is required: write its `value` here")),
            value => Ok(value),
        }
    }
}
