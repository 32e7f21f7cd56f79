//! What a person types behind a tool's name -> the arguments of the call.
//!
//! One JSON object, or `key=value` pairs read by the tool's own schema. Invariant: a value is read as the schema says
//! and in no other way: `name=42` is text where the tool wants text.

use rmcp::model::{JsonObject, Tool};
use serde_json::Value;

use crate::{
    error::Error,
    schema::{Argument, Schema},
    suggest::did_you_mean,
};

/// The arguments of a call: one JSON object, which is taken as it is, or `key=value` pairs, which must fit the tool and hold
/// what it requires. `tool` is needed for the pairs; with it, no words at all are looked at in the same way.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage), with what is wrong and what the tool takes.
///
/// ```
/// let words = [r#"{"name": "Paris"}"#.to_owned()];
/// assert_eq!(drydock_connect::arguments(&words, None)?["name"], "Paris");
/// # Ok::<(), drydock_connect::Error>(())
/// ```
pub fn arguments(words: &[String], tool: Option<&Tool>) -> Result<JsonObject, Error> {
    match (words, tool) {
        ([json], _) if is_json(json) => match serde_json::from_str(json) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(Error::usage(format!("the arguments must be a JSON object, not `{json}`"))),
            Err(err) => Err(Error::usage(format!("the arguments are no JSON: {err}"))),
        },
        (_, Some(tool)) => pairs(words, Schema::new(&tool.input_schema)),
        ([], None) => Ok(JsonObject::new()),
        (_, None) => Err(Error::usage("`key=value` pairs need the tool's schema")),
    }
}

/// Whether these words can only be read, or looked at, with the tool's schema at hand: all but one JSON object.
pub fn needs_schema(words: &[String]) -> bool {
    !matches!(words, [json] if is_json(json))
}

/// The tool of this name.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage), with the names that there are, and the one that may have been meant.
pub fn find_tool<'a>(tools: &'a [Tool], name: &str) -> Result<&'a Tool, Error> {
    let names = || tools.iter().map(|it| it.name.as_ref());
    tools.iter().find(|it| it.name == name).ok_or_else(|| {
        let it_has = if tools.is_empty() { "none".into() } else { names().collect::<Vec<_>>().join(", ") };
        let error = Error::usage(format!("the server has no tool `{name}`; it has: {it_has}"));
        with_guess(error, did_you_mean(name, names()))
    })
}

fn with_guess(error: Error, guess: Option<String>) -> Error {
    match guess {
        Some(guess) => error.hint(guess),
        None => error,
    }
}

fn is_json(word: &str) -> bool {
    word.trim_start().starts_with(['{', '['])
}

fn pairs(words: &[String], schema: Schema<'_>) -> Result<JsonObject, Error> {
    let known = schema.arguments();
    let mut object = JsonObject::new();
    for word in words {
        let (key, text) = word.split_once('=').ok_or_else(|| {
            let takes = argument_names(&known);
            Error::usage(format!("`{word}` is neither `key=value` nor a JSON object ({takes})"))
        })?;
        let argument = known.iter().find(|it| it.name == key);
        if argument.is_none() && schema.is_closed() {
            let error =
                Error::usage(format!("the tool has no argument `{key}` ({})", argument_names(&known)));
            return Err(with_guess(error, did_you_mean(key, known.iter().map(|it| it.name))));
        }
        let types = argument.and_then(|it| it.schema).map(Schema::types).unwrap_or_default();
        let value = parse_value(text, &types).ok_or_else(|| {
            let expected = argument.and_then(|it| it.schema).map(Schema::describe).unwrap_or_default();
            Error::usage(format!("`{key}`: `{text}` is not what the tool wants: {expected}"))
        })?;
        if object.insert(key.into(), value).is_some() {
            return Err(Error::usage(format!("`{key}` is given twice")));
        }
    }
    has_what_is_required(&object, &known)?;
    Ok(object)
}

/// Said before the call: a server says it in its own words, or not at all.
fn has_what_is_required(object: &JsonObject, known: &[Argument<'_>]) -> Result<(), Error> {
    let missing: Vec<_> = known.iter().filter(|it| it.required && !object.contains_key(it.name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let described = missing.iter().map(|it| match it.schema {
        Some(schema) => format!("`{}` ({})", it.name, schema.describe()),
        None => format!("`{}`", it.name),
    });
    let error = Error::usage(format!("the tool needs {}", described.collect::<Vec<_>>().join(", ")));
    // A tool that takes any name takes a misspelt one, too.
    let unknown = object.keys().find(|key| !known.iter().any(|it| it.name == key.as_str()));
    let guess = unknown.and_then(|key| did_you_mean(key, missing.iter().map(|it| it.name)));
    Err(with_guess(error, guess))
}

/// `text` as one of `types`. What can be read as something narrower than text is, where both are allowed.
fn parse_value(text: &str, types: &[&str]) -> Option<Value> {
    let json = serde_json::from_str::<Value>(text).ok();
    let as_text = || Value::String(text.into());
    if types.is_empty() {
        return Some(json.unwrap_or_else(as_text));
    }
    let fits = |value: &Value| {
        types.iter().any(|it| match *it {
            "integer" => {
                value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|it| it.fract() == 0.0)
            }
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null() && !types.contains(&"string"),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => false,
        })
    };
    json.filter(fits).or_else(|| types.contains(&"string").then(as_text))
}

fn argument_names(known: &[Argument<'_>]) -> String {
    match known {
        [] => "it takes none".into(),
        _ => format!("it takes: {}", known.iter().map(|it| it.name).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse_words(words: &[&str]) -> Result<Value, String> {
        let schema = json!({
            "properties": {
                "name": { "type": "string" },
                "days": { "type": ["integer", "null"] },
                "latitude": { "type": "number" },
                "exact": { "type": "boolean" },
                "tags": { "type": "array" },
                "either": { "anyOf": [{ "type": "integer" }, { "type": "string" }] },
            },
            "additionalProperties": false,
        });
        read(words, schema).map_err(|err| err.reason)
    }

    fn read(words: &[&str], schema: Value) -> Result<Value, Error> {
        let tool = Tool::new("t", "", schema.as_object().unwrap().clone());
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        arguments(&words, Some(&tool)).map(Value::Object)
    }

    #[test]
    fn what_is_required_and_missing_is_named_before_the_call() {
        let schema = json!({
            "properties": { "days": { "type": "integer", "minimum": 1, "maximum": 16 }, "name": { "type": "string" } },
            "required": ["name", "days"],
        });
        let error = |words: &[&str]| read(words, schema.clone()).unwrap_err();
        assert_eq!(error(&[]).reason, "the tool needs `days` (integer, 1 to 16), `name` (string)");
        assert_eq!(error(&["days=1"]).reason, "the tool needs `name` (string)");
        assert_eq!(error(&["days=1", "nme=x"]).hint.as_deref(), Some("did you mean `name`?"));
        assert!(read(&["days=1", "name=x"], schema.clone()).is_ok());
        assert_eq!(read(&["{}"], schema.clone()).unwrap(), json!({}), "an object is taken as it is");
    }

    #[test]
    fn a_misspelt_name_is_guessed() {
        let closed = json!({ "properties": { "place": {} }, "additionalProperties": false });
        let error = read(&["plcae=Rome"], closed).unwrap_err();
        assert_eq!(error.hint.as_deref(), Some("did you mean `place`?"));
        let tools = [Tool::new("find_place", "", JsonObject::new())];
        let error = find_tool(&tools, "findplace").unwrap_err();
        assert_eq!(error.reason, "the server has no tool `findplace`; it has: find_place");
        assert_eq!(error.hint.as_deref(), Some("did you mean `find_place`?"));
        assert_eq!(find_tool(&[], "x").unwrap_err().reason, "the server has no tool `x`; it has: none");
    }

    #[test]
    fn values_are_read_by_the_schema() {
        let typed =
            parse_words(&["name=42", "days=3", "latitude=-4", "exact=true", r#"tags=["a"]"#, "either=x"])
                .unwrap();
        let expected =
            json!({ "name": "42", "days": 3, "latitude": -4, "exact": true, "tags": ["a"], "either": "x" });
        assert_eq!(typed, expected);
        assert_eq!(
            parse_words(&["either=7", "days=null", "name=a=b"]).unwrap(),
            json!({ "either": 7, "days": null, "name": "a=b" })
        );
        assert_eq!(parse_words(&["name="]).unwrap(), json!({ "name": "" }));
        assert_eq!(parse_words(&["days=2.0"]).unwrap(), json!({ "days": 2.0 }), "an integer in JSON Schema");
        assert_eq!(parse_words(&["name={\"a\":1}"]).unwrap(), json!({ "name": "{\"a\":1}" }));
    }

    #[test]
    fn one_json_object_is_taken_as_it_is() {
        assert_eq!(parse_words(&[r#" {"days": "x"}"#]).unwrap(), json!({ "days": "x" }));
        assert_eq!(parse_words(&[]).unwrap(), json!({}));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let cases = [
            (vec!["days=many"], "`days`: `many` is not what the tool wants: integer"),
            (vec!["days=1.5"], "`days`: `1.5` is not what the tool wants: integer"),
            (
                vec!["place=Rome"],
                "the tool has no argument `place` (it takes: name, days, latitude, exact, tags, either)",
            ),
            (
                vec!["Rome"],
                "`Rome` is neither `key=value` nor a JSON object (it takes: name, days, latitude, exact, tags, either)",
            ),
            (vec!["days=1", "days=2"], "`days` is given twice"),
            (vec!["[1]"], "the arguments must be a JSON object, not `[1]`"),
            (vec!["{1}"], "the arguments are no JSON: key must be a string at line 1 column 2"),
        ];
        for (words, expected) in cases {
            assert_eq!(parse_words(&words).unwrap_err(), expected);
        }
    }
}
