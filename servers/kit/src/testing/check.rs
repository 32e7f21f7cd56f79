//! What clients, models and people need of tools and prompts, beyond that they work.
//!
//! Lists as clients have them -> all that is to be mended, each with its cure. Invariant: nothing is found out by a call.

use std::collections::BTreeMap;
use std::fmt;

use rmcp::model::{JsonObject, Prompt, Tool};
use serde_json::Value;

use super::walk::{Visitor, walk};
use crate::arguments::mismatch;

/// Clients show models `mcp__SERVER__TOOL`, of which the strictest of those in `clients/*.toml` takes 63 characters.
const MAX_NAMES: usize = 63 - "mcp____".len();

/// What tools and prompts are held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// Names are of letters, digits, `_` and `-`, and short enough for all clients, together with the server's.
    Name,
    /// No two names are the same, also to clients that do not tell `-`, `_` and upper case apart.
    Duplicate,
    /// A tool has a title, for people.
    Title,
    /// Tools, prompts and arguments have a description, for models; no two tools have the same.
    Description,
    /// A default is what its argument takes.
    Default,
    /// A tool says whether it reads only, destroys, may be called twice, and reaches out; and does not contradict itself.
    Annotations,
    /// A tool says what it gives.
    OutputSchema,
    /// A misspelt argument is an error.
    UnknownFields,
}

/// Something that is to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is held to.
    pub rule: Rule,
    /// The name of the tool or prompt, and the path of the argument (`stops[].name`), if it is about one.
    pub place: (String, Option<String>),
    /// What is wrong, and how it is mended.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.place.0)?;
        if let Some(path) = &self.place.1 {
            write!(f, ", argument `{path}`")?;
        }
        write!(f, ": {}", self.text)
    }
}

/// What a server lists.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    pub(super) tools: &'a [Tool],
    pub(super) prompts: Vec<Prompt>,
}

pub(super) fn problems(server: &str, listing: &Listing<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    let tools = listing.tools.iter().map(|it| &*it.name);
    names(server, "tool", tools, &mut found);
    names(server, "prompt", listing.prompts.iter().map(|it| &*it.name), &mut found);
    let mut described = BTreeMap::new();
    for tool in listing.tools {
        let mut of_tool = OfOne { name: &tool.name, root: &tool.input_schema, found: &mut found };
        of_tool.tool(tool);
        let text = tool.description.as_deref().unwrap_or_default().trim();
        if let Some(other) = described.insert(text, &tool.name).filter(|_| !text.is_empty()) {
            let text = format!("its description is that of `{other}`: how should a model choose?");
            of_tool.add(Rule::Description, None, text);
        }
    }
    let nothing = JsonObject::new();
    for prompt in &listing.prompts {
        OfOne { name: &prompt.name, root: &nothing, found: &mut found }.prompt(prompt);
    }
    found
}

fn names<'a>(server: &str, kind: &str, names: impl Iterator<Item = &'a str>, found: &mut Vec<Problem>) {
    let mut known = BTreeMap::new();
    for name in names {
        let mut add = |rule, text| found.push(Problem { rule, place: (name.to_owned(), None), text });
        let is_letter = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
        if name.is_empty() || !name.chars().all(is_letter) {
            let cure = format!("name it with letters, digits and `_`: `#[{kind}(name = \"..\")]`");
            add(Rule::Name, format!("clients refuse this name; {cure}"));
        }
        let length = name.len() + server.len();
        if length > MAX_NAMES {
            let together = format!("with the server's name `{server}` it has {length} characters");
            add(Rule::Name, format!("{together}, of which some clients take {MAX_NAMES}: make it shorter"));
        }
        if let Some(other) = known.insert(name.to_lowercase().replace('-', "_"), name) {
            let text =
                format!("the {kind} `{other}` has the same name, at least to some clients: rename one");
            add(Rule::Duplicate, text);
        }
    }
}

/// The problems of one tool or prompt.
struct OfOne<'a> {
    name: &'a str,
    root: &'a JsonObject,
    found: &'a mut Vec<Problem>,
}

impl OfOne<'_> {
    fn add(&mut self, rule: Rule, path: Option<&str>, text: impl Into<String>) {
        let place = (self.name.to_owned(), path.map(str::to_owned));
        self.found.push(Problem { rule, place, text: text.into() });
    }

    fn tool(&mut self, tool: &Tool) {
        if is_blank(tool.title.as_deref()) {
            self.add(Rule::Title, None, "people see no title: `#[tool(title = \"..\")]`");
        }
        if is_blank(tool.description.as_deref()) {
            let text = "the model is not told what it does: write a `///` comment on the function";
            self.add(Rule::Description, None, text);
        }
        self.annotations(tool);
        if tool.output_schema.is_none() {
            let text = "nobody is told what it gives: return `Json<T>`, with a `T` that derives `JsonSchema`";
            self.add(Rule::OutputSchema, None, text);
        }
        walk(&tool.input_schema, self);
    }

    fn annotations(&mut self, tool: &Tool) {
        let hints = tool.annotations.clone().unwrap_or_default();
        let all = [
            ("readOnlyHint", hints.read_only_hint),
            ("destructiveHint", hints.destructive_hint),
            ("idempotentHint", hints.idempotent_hint),
            ("openWorldHint", hints.open_world_hint),
        ];
        let missing: Vec<_> = all.iter().filter(|it| it.1.is_none()).map(|it| it.0).collect();
        if !missing.is_empty() {
            let text = format!("clients are not told {}: `#[server]` writes all four", missing.join(", "));
            self.add(Rule::Annotations, None, text);
        }
        if hints.read_only_hint == Some(true) && hints.destructive_hint == Some(true) {
            let text = "it says that it only reads, and that it destroys: one of both is wrong";
            self.add(Rule::Annotations, None, text);
        }
    }

    fn prompt(&mut self, prompt: &Prompt) {
        if is_blank(prompt.description.as_deref()) {
            let text = "people are not told what it is for: write a `///` comment on the function";
            self.add(Rule::Description, None, text);
        }
        for it in prompt.arguments.iter().flatten() {
            if is_blank(it.description.as_deref()) {
                let text = "people are not told what to fill in: write a `///` comment on the field";
                self.add(Rule::Description, Some(&it.name), text);
            }
        }
    }
}

impl Visitor for OfOne<'_> {
    fn argument(&mut self, path: &str, schema: &JsonObject) {
        let is_blank = is_blank(schema.get("description").and_then(Value::as_str));
        if is_blank && !has_one_value(schema) {
            let text = "the model is not told what to fill in: write a `///` comment on the field";
            self.add(Rule::Description, Some(path), text);
        }
        if let Some(value) = schema.get("default")
            && let Some(problem) = mismatch(self.root, schema, path, value)
        {
            let text = format!("its default is refused where a model sends it: {problem}");
            self.add(Rule::Default, Some(path), text);
        }
    }

    fn open_object(&mut self, path: &str) {
        let text = "a misspelt name is dropped without a word: `#[serde(deny_unknown_fields)]` on the struct";
        self.add(Rule::UnknownFields, Some(path).filter(|it| !it.is_empty()), text);
    }
}

fn is_blank(text: Option<&str>) -> bool {
    text.unwrap_or_default().trim().is_empty()
}

/// As the tag of an enum's variant has: there is nothing to choose.
fn has_one_value(schema: &JsonObject) -> bool {
    schema.contains_key("const")
        || schema.get("enum").and_then(Value::as_array).is_some_and(|it| it.len() == 1)
}
