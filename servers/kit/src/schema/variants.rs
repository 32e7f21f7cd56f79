//! Choices of a schema, in the one form that all clients read.
//!
//! `oneOf`, `anyOf` and constants -> `enum`, and `anyOf` where that is the same. Invariant: the same values fit.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

/// Simplifies the choices that stand directly in this schema.
pub(super) fn simplify(schema: &mut JsonObject) {
    constant_to_enum(schema);
    join_constants(schema);
    one_of_to_any_of(schema);
    describe_nullable(schema);
}

/// `const` is a word that a library for Gemini loses.
fn constant_to_enum(schema: &mut JsonObject) {
    let is_text = schema.get("const").is_some_and(Value::is_string);
    if let (true, false, Some(value)) = (is_text, schema.contains_key("enum"), schema.get("const")) {
        let values = json!([value]);
        schema.remove("const");
        schema.insert("enum".into(), values);
    }
}

/// `oneOf` of constants, as schemars writes an enum with documented variants -> `enum`.
fn join_constants(schema: &mut JsonObject) {
    let Some(keyword) = ["oneOf", "anyOf"].into_iter().find(|it| schema.contains_key(*it)) else { return };
    let names_no_values = ["enum", "const", "type"].iter().all(|it| !schema.contains_key(*it));
    let branches =
        schema.get(keyword).and_then(Value::as_array).filter(|it| names_no_values && !it.is_empty());
    let Some(variants) = branches.and_then(|it| it.iter().map(Variants::of).collect::<Option<Vec<_>>>())
    else {
        return;
    };
    let lines: Vec<String> = variants.iter().filter_map(Variants::line).collect();
    let values: Vec<Value> = variants.into_iter().flat_map(|it| it.values).collect();
    schema.remove(keyword);
    schema.insert("type".into(), "string".into());
    schema.insert("enum".into(), values.into());
    if !lines.is_empty() {
        let own = text(schema, "description").map(|it| format!("{it}\n"));
        let description = format!("{}{}", own.unwrap_or_default(), lines.join("\n"));
        schema.insert("description".into(), description.into());
    }
}

/// Where no value fits two branches, `anyOf` is the same, and known to more libraries.
fn one_of_to_any_of(schema: &mut JsonObject) {
    let Some(Value::Array(branches)) = schema.get("oneOf").filter(|_| !schema.contains_key("anyOf")) else {
        return;
    };
    let pairs = branches
        .iter()
        .enumerate()
        .flat_map(|(at, it)| branches[at + 1..].iter().map(move |other| (it, other)));
    let mut pairs = pairs.map(|(one, other)| Some((one.as_object()?, other.as_object()?)));
    if pairs.all(|it| it.is_some_and(|(one, other)| exclude_each_other(one, other)))
        && let Some(branches) = schema.remove("oneOf")
    {
        schema.insert("anyOf".into(), branches);
    }
}

fn exclude_each_other(one: &JsonObject, other: &JsonObject) -> bool {
    match (text(one, "type"), text(other, "type")) {
        (Some("object"), Some("object")) => {
            tags_differ(one, other) || lacks_required(one, other) || lacks_required(other, one)
        }
        (Some("integer"), Some("number")) | (Some("number"), Some("integer")) => false,
        (Some(one), Some(other)) => one != other,
        _ => false,
    }
}

/// Both want a property, and other values of it.
fn tags_differ(one: &JsonObject, other: &JsonObject) -> bool {
    fn values<'a>(of: &'a JsonObject, name: &str) -> Option<&'a Vec<Value>> {
        of.get("properties")?.get(name)?.get("enum")?.as_array()
    }
    required(one).filter(|it| required(other).any(|its| its == *it)).any(|name| {
        let both = values(one, name).zip(values(other, name));
        both.is_some_and(|(one, other)| !one.iter().any(|it| other.contains(it)))
    })
}

/// One has no place for what the other one wants.
fn lacks_required(one: &JsonObject, other: &JsonObject) -> bool {
    let is_closed = one.get("additionalProperties") == Some(&Value::Bool(false))
        && !one.contains_key("patternProperties");
    let has = |name: &str| one.get("properties").is_some_and(|it| it.get(name).is_some());
    is_closed && required(other).any(|it| !has(it))
}

/// `Option`: libraries for Gemini take the branch that is not `null`, and forget what is said beside it.
fn describe_nullable(schema: &mut JsonObject) {
    let Some(beside) = text(schema, "description").map(str::to_owned) else { return };
    let Some(Value::Array(branches)) = schema.get_mut("anyOf") else { return };
    let is_null = |it: &Value| it.get("type").is_some_and(|it| it == "null");
    if branches.len() != 2 || branches.iter().filter(|it| is_null(it)).count() != 1 {
        return;
    }
    let Some(Value::Object(other)) = branches.iter_mut().find(|it| !is_null(it)) else { return };
    if other.contains_key("$ref") {
        return;
    }
    let both = match text(other, "description") {
        Some(own) => format!("{beside}\n{own}"),
        None => beside,
    };
    other.insert("description".into(), both.clone().into());
    schema.insert("description".into(), both.into());
}

/// A branch that is a text, or one of some, and nothing else.
struct Variants {
    values: Vec<Value>,
    description: Option<String>,
}

impl Variants {
    fn of(branch: &Value) -> Option<Self> {
        let branch = branch.as_object()?;
        let is_known = |it: &String| ["type", "enum", "title", "description"].contains(&it.as_str());
        if !branch.keys().all(is_known) {
            return None;
        }
        let values = branch.get("enum")?.as_array()?.clone();
        let description = match (text(branch, "title"), text(branch, "description")) {
            (Some(title), Some(more)) => Some(format!("{title}: {more}")),
            (title, description) => title.or(description).map(str::to_owned),
        };
        values.iter().all(Value::is_string).then_some(Self { values, description })
    }

    /// "- `metric`: °C, km/h, mm"
    fn line(&self) -> Option<String> {
        let description = self.description.as_deref()?.split_whitespace().collect::<Vec<_>>().join(" ");
        let values: Vec<_> =
            self.values.iter().filter_map(Value::as_str).map(|it| format!("`{it}`")).collect();
        Some(format!("- {}: {description}", values.join(", ")))
    }
}

fn text<'a>(schema: &'a JsonObject, key: &str) -> Option<&'a str> {
    schema.get(key).and_then(Value::as_str)
}

fn required(schema: &JsonObject) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
