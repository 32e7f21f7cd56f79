//! Which server the bridge wraps: a file of the image, `/etc/mcp/bridge.json`, or a command after `stdio --`.
//!
//! JSON -> `Config`, or an error that names the field. Invariant: an unknown field is an error, never ignored.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;

use drydock_runtime::contract::env::MAX_WARM;
use drydock_runtime::contract::image;
use serde_json::{Map, Value, json};

use crate::error::{ConfigError, Error};

pub(crate) const FIELDS: [&str; 5] = ["command", "args", "cwd", "env", "warm"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    pub(crate) cwd: Option<String>,
    /// Added to the environment of `serve`.
    pub(crate) env: Vec<(String, String)>,
    /// Children that are started before anybody asks.
    pub(crate) warm: usize,
}

impl Config {
    /// Reads the file that was asked for, or the image's own if there is one.
    pub(crate) fn load(asked: Option<&str>) -> Result<Option<Self>, Error> {
        let path = Path::new(asked.unwrap_or(image::BRIDGE_CONFIG));
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let parsed = Self::parse(&text).map(Some);
                parsed.map_err(|problem| Error::Config { path: Some(path.into()), problem })
            }
            Err(e) if e.kind() == ErrorKind::NotFound && asked.is_none() => Ok(None),
            Err(source) => Err(Error::Io { action: format!("cannot read {}", path.display()), source }),
        }
    }

    pub(crate) fn from_command(command: &[OsString]) -> Result<Self, ConfigError> {
        let mut words = command
            .iter()
            .map(|it| it.to_str().map(str::to_owned).ok_or_else(|| ConfigError::NotUtf8(it.clone())));
        let program = words.next().ok_or(ConfigError::NoCommand)??;
        let args = words.collect::<Result<_, _>>()?;
        Ok(Self { command: program, args, cwd: None, env: Vec::new(), warm: 0 })
    }

    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let value: Value = serde_json::from_str(text).map_err(ConfigError::Json)?;
        Self::from_value(&value)
    }

    pub(crate) fn from_value(value: &Value) -> Result<Self, ConfigError> {
        let fields = value.as_object().ok_or(ConfigError::NotAnObject)?;
        if let Some(name) = fields.keys().find(|it| !FIELDS.contains(&it.as_str())) {
            return Err(ConfigError::UnknownField(name.clone()));
        }
        let command = optional(fields, "command", "a string", string)?.filter(|it| !it.is_empty());
        let warm = optional(fields, "warm", "a number", number)?.unwrap_or(1);
        check_warm(warm)?;
        Ok(Self {
            command: command.ok_or(ConfigError::NoCommand)?,
            args: optional(fields, "args", "a list of strings", strings)?.unwrap_or_default(),
            cwd: optional(fields, "cwd", "a string", string)?,
            env: optional(fields, "env", "an object of strings", pairs)?.unwrap_or_default(),
            warm,
        })
    }

    pub(crate) fn to_value(&self) -> Value {
        let Self { command, args, cwd, env, warm } = self;
        let env: Map<String, Value> = env.iter().map(|(k, v)| (k.clone(), v.as_str().into())).collect();
        json!({"command": command, "args": args, "cwd": cwd, "env": env, "warm": warm})
    }
}

pub(crate) fn check_warm(warm: usize) -> Result<(), ConfigError> {
    if warm > MAX_WARM { Err(ConfigError::TooManyWarm(warm)) } else { Ok(()) }
}

/// Arguments from the command line or the environment, as a JSON list.
pub(crate) fn parse_args(text: &str) -> Result<Vec<String>, ConfigError> {
    let value: Value = serde_json::from_str(text).map_err(ConfigError::Json)?;
    strings(&value).ok_or(ConfigError::WrongType { field: "args", expected: "a list of strings" })
}

/// A field that may be missing or `null`.
fn optional<T>(
    fields: &Map<String, Value>,
    field: &'static str,
    expected: &'static str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<Option<T>, ConfigError> {
    match fields.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => read(value).map(Some).ok_or(ConfigError::WrongType { field, expected }),
    }
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn number(value: &Value) -> Option<usize> {
    value.as_u64()?.try_into().ok()
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|it| it.as_str().map(str::to_owned)).collect()
}

fn pairs(value: &Value) -> Option<Vec<(String, String)>> {
    value.as_object()?.iter().map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_and_the_least_one() {
        let text = r#"{"command": "node", "args": ["a", "b"], "cwd": "/app", "env": {"K": "V"}, "warm": 2}"#;
        let config = Config::parse(text).unwrap();
        assert_eq!(config.args, ["a", "b"]);
        assert_eq!(config.env, [("K".to_owned(), "V".to_owned())]);
        assert_eq!(Config::from_value(&config.to_value()).unwrap(), config);
        let least = Config::parse(r#"{"command": "node", "cwd": null}"#).unwrap();
        assert_eq!((least.warm, least.cwd, least.env.len()), (1, None, 0));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| Config::parse(text).unwrap_err().to_string();
        assert!(wrong(r#"{"command": "node", "comand": 1}"#).contains("`comand`"));
        assert_eq!(wrong(r#"{"args": []}"#), "no `command`");
        assert!(wrong(r#"{"command": "node", "args": [1]}"#).contains("`args`"));
        assert!(wrong(r#"{"command": "node", "env": {"K": 1}}"#).contains("`env`"));
        assert!(wrong(r#"{"command": "node", "warm": 5}"#).contains("at most 4"));
    }

    #[test]
    fn arguments_are_a_list_of_strings() {
        assert_eq!(parse_args(r#"["--a b", "\n"]"#).unwrap(), ["--a b", "\n"]);
        for wrong in ["--a", "{}", "[1]", ""] {
            assert!(parse_args(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_missing_file_is_an_error_only_when_it_was_asked_for() {
        let error = Config::load(Some("/nowhere/bridge.json")).unwrap_err();
        assert!(error.to_string().starts_with("cannot read /nowhere/bridge.json: "), "{error}");
    }
}
