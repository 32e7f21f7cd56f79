//! What an entry asks for beyond its own declarations: the settings in its `_meta`, and values of variables that are not
//! its own to set.
//!
//! JSON -> requests, as text. Invariant: nothing of it is taken, and nothing of it makes an entry wrong: only the person
//! grants, in `drydock.toml`.

use serde_json::Value;

use super::Variable;
use super::field::Field;
use crate::error::Error;
use crate::excerpt::{excerpt, quoted};

pub(super) const PUBLISHER: &str = "io.modelcontextprotocol.registry/publisher-provided";
pub(super) const OURS: &str = "dev.drydock";
/// More than that nobody reads.
const MAX_SHOWN: usize = 12;

/// One wish of the publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// The key in `drydock.toml`, or the variable's name, that would answer it.
    pub(crate) key: String,
    /// As it would stand there.
    pub(crate) text: String,
}

/// The settings in `_meta`.
pub(super) fn settings(root: &Field) -> Result<Vec<Request>, Error> {
    let mut field = Some(root.clone());
    for key in ["_meta", PUBLISHER] {
        field = field.map(|it| it.get(key)).transpose()?.flatten();
    }
    let wishes = field.as_ref().and_then(|it| it.value.get(OURS)?.as_object());
    let mut wishes: Vec<_> = wishes
        .into_iter()
        .flatten()
        .map(|(key, value)| Request { key: key.clone(), text: text(key, value) })
        .collect();
    wishes.sort_by(|a, b| a.key.cmp(&b.key));
    wishes.truncate(MAX_SHOWN);
    Ok(wishes)
}

/// Takes the value of each variable that an entry must not set.
pub(crate) fn take_reserved(variables: &mut [Variable]) -> Vec<Request> {
    let mut requests = Vec::new();
    for it in variables.iter_mut().filter(|it| is_reserved(&it.name)) {
        if let Some(value) = it.fixed.take().or(it.default.take()) {
            requests.push(Request {
                key: it.name.clone(),
                text: format!("env.{} = {}", it.name, quoted(&value)),
            });
        }
    }
    requests
}

fn text(key: &str, value: &Value) -> String {
    let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    let key = if plain { excerpt(key) } else { quoted(key) };
    match value {
        Value::String(text) => format!("{key} = {}", quoted(text)),
        Value::Array(_) | Value::Object(_) => format!("{key} = .."),
        plain => format!("{key} = {}", excerpt(&plain.to_string())),
    }
}

/// Names that decide which program or library runs, or that are `/mcp`'s own.
fn is_reserved(name: &str) -> bool {
    const BEGINNINGS: [&str; 6] = ["MCP_", "LD_", "DYLD_", "GLIBC_", "BASH_FUNC_", "NODE_REPL_"];
    const NAMES: [&str; 22] = [
        "PATH",
        "NODE_OPTIONS",
        "NODE_PATH",
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONSTARTUP",
        "PYTHONPLATLIBDIR",
        "PYTHONUSERBASE",
        "PYTHONEXECUTABLE",
        "PYTHONINSPECT",
        "PYTHONBREAKPOINT",
        "PYTHONPYCACHEPREFIX",
        "BASH_ENV",
        "ENV",
        "SHELLOPTS",
        "IFS",
        "PERL5OPT",
        "PERL5LIB",
        "RUBYOPT",
        "RUBYLIB",
        "GCONV_PATH",
        "HOME",
    ];
    BEGINNINGS.iter().any(|it| name.starts_with(it)) || NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_loads_programs_is_not_an_entrys_to_set() {
        let variable = |name: &str| Variable {
            name: name.to_owned(),
            secret: false,
            required: false,
            fixed: Some("/evil".to_owned()),
            default: None,
            choices: Vec::new(),
        };
        for name in ["MCP_SOCKET", "LD_PRELOAD", "LD_AUDIT", "PATH", "NODE_OPTIONS", "PYTHONPATH", "BASH_ENV"]
        {
            let mut all = [variable(name), variable("LOG_LEVEL")];
            let expected = Request { key: name.to_owned(), text: format!("env.{name} = \"/evil\"") };
            assert_eq!(take_reserved(&mut all), [expected]);
            assert_eq!((all[0].fixed.as_ref(), all[1].fixed.is_some()), (None, true), "{name}");
        }
    }
}
