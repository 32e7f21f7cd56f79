//! What the bridge wraps: a file of the image, `/etc/mcp/bridge.json`, or a command after `stdio --`.
//!
//! JSON -> `Config`, or a text that names the field. Invariant: an unknown field is an error, never ignored.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value, json};

/// Where an image has it.
pub(crate) const FILE: &str = "/etc/mcp/bridge.json";

/// More warm children than that only cost memory.
pub(crate) const MOST_WARM: usize = 4;

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
    pub(crate) fn load(asked: Option<&str>) -> Result<Option<Self>, String> {
        let path = Path::new(asked.unwrap_or(FILE));
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map(Some).map_err(|e| format!("{}: {e}", path.display())),
            Err(e) if e.kind() == ErrorKind::NotFound && asked.is_none() => Ok(None),
            Err(e) => Err(format!("cannot read {}: {e}", path.display())),
        }
    }

    pub(crate) fn from_command(command: &[OsString]) -> Result<Self, String> {
        let mut words = command.iter().map(|it| {
            it.to_str().map(str::to_owned).ok_or_else(|| format!("{} is not UTF-8", it.to_string_lossy()))
        });
        let program = words.next().ok_or("no command")??;
        let args = words.collect::<Result<_, _>>()?;
        Ok(Self { command: program, args, cwd: None, env: Vec::new(), warm: 0 })
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        Self::from_value(&value)
    }

    pub(crate) fn from_value(value: &Value) -> Result<Self, String> {
        let fields = value.as_object().ok_or("not an object")?;
        if let Some(name) = fields.keys().find(|it| !FIELDS.contains(&it.as_str())) {
            return Err(format!("unknown field `{name}`, expected one of {}", FIELDS.join(", ")));
        }
        let command = string(fields, "command")?.filter(|it| !it.is_empty()).ok_or("no `command`")?;
        let args = match fields.get("args") {
            None | Some(Value::Null) => Vec::new(),
            Some(it) => strings(it).ok_or("`args` is not a list of strings")?,
        };
        let env = match fields.get("env") {
            None | Some(Value::Null) => Vec::new(),
            Some(it) => pairs(it).ok_or("`env` is not an object of strings")?,
        };
        let warm = match fields.get("warm") {
            None | Some(Value::Null) => 1,
            Some(it) => it.as_u64().and_then(|it| usize::try_from(it).ok()).ok_or("`warm` is no number")?,
        };
        check_warm(warm)?;
        Ok(Self { command, args, cwd: string(fields, "cwd")?, env, warm })
    }

    pub(crate) fn to_value(&self) -> Value {
        let Self { command, args, cwd, env, warm } = self;
        let env: Map<String, Value> = env.iter().map(|(k, v)| (k.clone(), v.as_str().into())).collect();
        json!({"command": command, "args": args, "cwd": cwd, "env": env, "warm": warm})
    }
}

const FIELDS: [&str; 5] = ["command", "args", "cwd", "env", "warm"];

pub(crate) fn check_warm(warm: usize) -> Result<(), String> {
    if warm > MOST_WARM { Err(format!("`warm` is {warm}, at most {MOST_WARM} are kept")) } else { Ok(()) }
}

fn string(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(it)) => Ok(Some(it.clone())),
        Some(_) => Err(format!("`{name}` is not a string")),
    }
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
        assert_eq!(Config::from_value(&config.to_value()), Ok(config));
        let least = Config::parse(r#"{"command": "node", "cwd": null}"#).unwrap();
        assert_eq!((least.warm, least.cwd, least.env.len()), (1, None, 0));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| Config::parse(text).unwrap_err();
        assert!(wrong(r#"{"command": "node", "comand": 1}"#).contains("`comand`"));
        assert_eq!(wrong(r#"{"args": []}"#), "no `command`");
        assert!(wrong(r#"{"command": "node", "args": [1]}"#).contains("`args`"));
        assert!(wrong(r#"{"command": "node", "env": {"K": 1}}"#).contains("`env`"));
        assert!(wrong(r#"{"command": "node", "warm": 5}"#).contains("at most 4"));
    }

    #[test]
    fn a_missing_file_is_an_error_only_when_it_was_asked_for() {
        assert!(Config::load(Some("/nowhere/bridge.json")).unwrap_err().contains("/nowhere/bridge.json"));
    }
}
