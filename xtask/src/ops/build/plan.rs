//! How a server starts, as the packing step says it, and what the bridge is told of it.
//!
//! `plan.json` + what came out -> [`Plan`] -> `/etc/mcp/bridge.json`. Invariant: a container that foreign code ran in chooses a
//! file that came out, or a function by its name, and nothing else; the command line around it is written here.

use anyhow::{Context, Result, bail};
use drydock_catalog::{Kind, Server};
use drydock_contract::image;
use drydock_engine::archive::{self, Contents};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::hint::with_hint;

/// In bytes: it holds a path, or a few names.
pub(super) const MAX_PLAN: usize = 16 << 10;
/// Where the package's files are in the image, and its interpreter.
const APP: &str = "/app";
const NODE: &str = "/usr/local/bin/node";
const PYTHON: &str = "/usr/local/bin/python3";
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What a server starts with. Only what was looked at is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    start: Start,
    /// Whether the base image has certificates, which are then trusted.
    certificates: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Start {
    /// A file below `/app`.
    File(String),
    /// `python -m`.
    Module(String),
    /// A function of a module, by the name of its program.
    Call { module: String, attribute: String, name: String },
}

/// As the packing scripts of docker/node and docker/python write it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    certificates: bool,
    start: Option<String>,
    module: Option<String>,
    attribute: Option<String>,
    name: Option<String>,
}

impl Plan {
    /// Reads what the packing step of a server said; `own` and `deps` are what came out with it.
    pub(super) fn read(text: &[u8], server: &Server, own: &Contents, deps: &Contents) -> Result<Self> {
        let said = serde_json::from_slice(text).context("the packing step's plan.json is not one")?;
        let PlanFile { certificates, start, module, attribute, name } = said;
        let start = match (server.kind, &server.program.file, start, module) {
            (Kind::Python, Some(file), ..) => Start::File(format!("source/{file}")),
            (Kind::Python, None, _, Some(module)) => python(module, attribute, name)?,
            (Kind::Node, _, Some(file), _) => node(file, own, deps)?,
            _ => bail!("the packing step's plan.json does not say what to start"),
        };
        Ok(Self { start, certificates })
    }

    /// What `/etc/mcp/bridge.json` holds.
    pub(super) fn bridge_config(&self, server: &Server) -> Vec<u8> {
        let value = match server.kind {
            Kind::Python => self.python(server),
            _ => self.node(server),
        };
        format!("{value:#}\n").into_bytes()
    }

    fn node(&self, server: &Server) -> Value {
        let program = &server.program;
        // A package expects to be started in its user's folder, not in its own.
        let cwd = if program.package.is_some() { image::HOME } else { APP };
        let args = [&program.runtime[..], &self.words(), &program.args].concat();
        let env = if self.certificates { json!({ "NODE_EXTRA_CA_CERTS": CERTIFICATES }) } else { json!({}) };
        json!({ "command": NODE, "args": args, "cwd": cwd, "env": env })
    }

    fn python(&self, server: &Server) -> Value {
        let program = &server.program;
        // `-m MODULE` in the manifest is the program; other arguments for the interpreter go before it.
        let is_said = program.runtime.iter().any(|it| it == "-m");
        let start = if is_said { Vec::new() } else { self.words() };
        let args = [&program.runtime[..], &start, &program.args].concat();
        let is_project = program.package.is_none() && program.file.is_none();
        let path = if is_project { "/app/own:/app/lib" } else { "/app/lib" };
        let mut env = json!({ "PYTHONPATH": path });
        if self.certificates {
            env["SSL_CERT_FILE"] = CERTIFICATES.into();
        }
        json!({ "command": PYTHON, "args": args, "cwd": image::HOME, "env": env })
    }

    /// For the interpreter.
    fn words(&self) -> Vec<String> {
        match &self.start {
            Start::File(file) => vec![format!("{APP}/{file}")],
            Start::Module(module) => vec!["-m".to_owned(), module.clone()],
            Start::Call { module, attribute, name } => {
                let first = attribute.split('.').next().unwrap_or_default();
                let import = format!("import sys; from {module} import {first}; sys.argv[0] = '{name}'");
                vec!["-c".to_owned(), format!("{import}; sys.exit({attribute}())")]
            }
        }
    }
}

/// A file that is among what came out, by a path that leads nowhere else.
fn node(file: String, own: &Contents, deps: &Contents) -> Result<Start> {
    let is_plain = file.len() <= 1024 && !file.chars().any(char::is_control);
    let is_below = file.split('/').all(|it| !["", ".", ".."].contains(&it));
    let path = format!("app/{file}");
    let is_there = [own, deps].iter().any(|it| it.kind(&path) == Some(archive::Kind::File));
    if !(is_plain && is_below && is_there) {
        let problem = format!("its program {file:?} is no regular file among what was packed");
        return Err(with_hint(problem, "see `bin` and `main` in its package.json"));
    }
    Ok(Start::File(file))
}

fn python(module: String, attribute: Option<String>, name: Option<String>) -> Result<Start> {
    let wrong = |it: &str| {
        let problem = format!("its program is {it:?}, which is no name that Python calls a function by");
        Err(with_hint(problem, "see its entry points (`[project.scripts]`)"))
    };
    for it in [Some(&module), attribute.as_ref()].into_iter().flatten() {
        if !is_dotted_name(it) {
            return wrong(it);
        }
    }
    match (attribute, name) {
        (None, None) => Ok(Start::Module(module)),
        (Some(attribute), Some(name)) if is_program_name(&name) => {
            Ok(Start::Call { module, attribute, name })
        }
        (_, name) => wrong(&name.unwrap_or_default()),
    }
}

/// `a.b_c`: an object reference of an entry point.
fn is_dotted_name(text: &str) -> bool {
    let is_name = |it: &str| {
        let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
        it.starts_with(is_letter) && it.chars().all(|c| is_letter(c) || c.is_ascii_digit())
    };
    text.len() <= 256 && text.split('.').all(is_name)
}

/// What stands between quotes in a line of Python.
fn is_program_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

#[cfg(test)]
mod tests;
