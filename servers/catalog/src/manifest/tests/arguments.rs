//! What arguments and variables come to: words, values, and what is said of those that are left out.

use super::*;
use crate::manifest::arguments::Arguments;

fn with_arguments(arguments: Value) -> Result<Arguments, Error> {
    let mut file = npm();
    file["packages"][0]["packageArguments"] = arguments;
    Ok(first(&file)?.arguments)
}

#[test]
fn arguments_become_words() {
    let all = with_arguments(json!([
        { "type": "positional", "value": "serve", "valueHint": "verb" },
        { "type": "positional", "valueHint": "folder", "default": "/data" },
        { "type": "positional", "valueHint": "nothing_to_put_here" },
        { "type": "positional", "value": "" },
        { "type": "named", "name": "--mode", "value": "a b", "choices": ["a b", "c"] },
        { "type": "named", "name": "--port", "default": 80, "format": "number" },
        { "type": "named", "name": "--verbose", "value": "" },
        { "type": "named", "name": "--empty", "default": "" },
        { "type": "named", "name": "--on", "default": true, "format": "boolean" },
        { "type": "named", "name": "--off", "default": "false", "format": "boolean" },
        { "type": "named", "name": "--optional", "format": "of a later schema" },
        { "type": "named", "name": "--token", "isSecret": true },
        { "type": "named", "name": "--url", "value": "http://{host}:{port}/{\"a\":1}",
          "variables": { "host": { "default": "localhost" }, "port": { "value": "8080" } } },
    ]))
    .unwrap();
    let url = "http://localhost:8080/{\"a\":1}";
    assert_eq!(
        all.words,
        ["serve", "/data", "--mode", "a b", "--port", "80", "--verbose", "--on", "--url", url]
    );
    assert!(all.wanted.is_empty() && all.notes.is_empty(), "{all:?}");
}

/// What nothing is known for stood there as it was, or its argument was gone without a word.
#[test]
fn a_place_that_nothing_is_known_for_reaches_no_server() {
    for place in ["{what}", "{{what}}", "${WHAT}", "${input:what}", "$WHAT_IT_IS"] {
        let all =
            with_arguments(json!([{ "type": "named", "name": "--no", "value": format!("/x/{place}") }]))
                .unwrap();
        assert!(all.words.is_empty() && all.wanted.is_empty(), "{all:?}");
        let left =
            format!("`packages[0].packageArguments[0]` is left out: nothing says what {place:?} stands for");
        assert!(all.notes[0].contains(&left), "{:?}", all.notes);
        let required = json!([{ "type": "named", "name": "--no", "value": place, "isRequired": true }]);
        let all = with_arguments(required).unwrap();
        assert_eq!(
            (all.words.len(), all.wanted[0].example.as_slice()),
            (0, &["--no".to_owned(), "VALUE".to_owned()][..])
        );
    }
    let inside = json!([{ "type": "named", "name": "--region", "value": "{region}",
                          "variables": { "region": { "isRequired": true } } }]);
    let wanted = with_arguments(inside).unwrap().wanted;
    assert!(
        wanted[0].problem.contains("is required, and nothing says what \"{region}\" stands for"),
        "{wanted:?}"
    );
}

#[test]
fn a_variable_with_a_place_that_nothing_is_known_for_has_no_value() {
    let mut file = npm();
    file["packages"][0]["environmentVariables"] = json!([
        { "name": "DATA", "default": "${HOME}/.it" },
        { "name": "URL", "value": "https://{region}.example.com", "variables": { "region": { "isRequired": true } } },
        { "name": "LIST", "default": "[\"aws\",{\"a\":1}]" },
    ]);
    let package = first(&file).unwrap();
    let [data, url, list] = &package.variables[..] else { panic!("three") };
    assert_eq!((data.default.as_ref(), data.required), (None, false));
    assert_eq!((url.fixed.as_ref(), url.required), (None, true), "the person can give the whole");
    assert_eq!(list.default.as_deref(), Some("[\"aws\",{\"a\":1}]"), "JSON is no place");
    assert!(
        package.notes[0].ends_with("DATA can be given in drydock.toml, under `[env]`"),
        "{:?}",
        package.notes
    );
    assert_eq!(package.notes.len(), 2);
}

/// A value of 2.6 KB once grew by 130 MB a second.
#[test]
fn places_are_filled_in_once_and_to_a_limit() {
    let nested: serde_json::Map<_, _> =
        (0..60).map(|i| (format!("v{i}"), json!({ "value": format!("{{v{0}}}{{v{0}}}", i + 1) }))).collect();
    let all =
        with_arguments(json!([{ "type": "positional", "value": "{v0}", "variables": nested }])).unwrap();
    assert!(all.words.is_empty() && all.notes.len() == 1, "one part does not stand for others");
    let long = json!([{ "type": "positional", "value": "{v}".repeat(1000), "variables": { "v": { "value": "x".repeat(4096) } } }]);
    let said = with_arguments(long).unwrap_err().to_string();
    assert!(said.contains("has more than 4096 characters when its places are filled in"), "{said}");
}

#[test]
fn wrong_arguments_are_refused_with_their_path() {
    for (wrong, rule) in [
        (json!({ "type": "flag", "name": "-x" }), "packageArguments[0].type` must be named or positional"),
        (json!({ "type": "named", "value": "x" }), "packageArguments[0]` must have `name`"),
        (json!({ "type": "positional" }), "must have `value` or `valueHint`"),
        (
            json!({ "type": "named", "name": "-m", "value": "x", "choices": ["a"] }),
            "packageArguments[0].value` must be one of a",
        ),
        (
            json!({ "type": "named", "name": "-m", "default": "x", "choices": ["a"] }),
            "[0].default` must be one of a",
        ),
        (json!({ "type": "named", "name": "-m", "default": "x", "format": "number" }), "must be a number"),
        (json!({ "type": "named", "name": "-m", "value": "1", "format": "boolean" }), "must be \"true\""),
        (json!({ "type": "named", "name": "-k", "value": "x", "isSecret": true }), "is a secret"),
        (
            json!({ "type": "named", "name": "-k", "isRequired": true, "isSecret": true }),
            "command lines are no place",
        ),
        (
            json!({ "type": "named", "name": "-k", "value": "{x}", "variables": { "x": { "isSecret": true, "isRequired": true } } }),
            "command lines are no place",
        ),
        (
            json!({ "type": "named", "name": "-k", "value": "{x}", "variables": { "x": { "isSecret": true, "value": "y" } } }),
            "packageArguments[0].variables.x` is a secret",
        ),
        (json!({ "type": "named", "name": "-m", "value": "a\nb" }), "control characters"),
    ] {
        let message = with_arguments(json!([wrong])).unwrap_err().to_string();
        assert!(message.contains(rule), "{wrong}: {message}");
    }
}
