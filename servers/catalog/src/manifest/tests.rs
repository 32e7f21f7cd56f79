//! What a `server.json` may say, and how it is told what it may not.

use serde_json::json;

use super::requests::{OURS, PUBLISHER};
use super::*;

fn good() -> Value {
    json!({
        "$schema": format!("{}2025-12-11{}", SCHEMA.0, SCHEMA.1),
        "name": "io.github.ana/weather",
        "description": "Weather",
        "version": "0.1.0",
        "packages": [{
            "registryType": "oci", "identifier": "drydock/weather:0.1.0", "transport": { "type": "stdio" },
            "environmentVariables": [
                { "name": "BASE_URL", "default": "https://example.com" },
                { "name": "KEY", "isSecret": true, "isRequired": true },
            ],
        }],
        "_meta": { PUBLISHER: { OURS: { "network": "internet", "memory": "64m", "cpus": 0.5, "pids": 32 } } },
        "somethingNew": { "of": "a later schema" },
    })
}

fn read(value: &Value) -> Result<Manifest, Error> {
    parse(Path::new("servers/weather/server.json"), &value.to_string())
}

/// The message when the value at `pointer` is replaced.
fn refused(pointer: &str, value: Value) -> String {
    let mut file = good();
    *file.pointer_mut(pointer).unwrap() = value.clone();
    match read(&file) {
        Ok(_) => panic!("{pointer} = {value} was accepted"),
        Err(err) => err.to_string(),
    }
}

#[test]
fn a_good_file_is_read() {
    let manifest = read(&good()).unwrap();
    assert_eq!(manifest.id, "io.github.ana/weather");
    assert_eq!(manifest.requests.len(), 4, "asked for, not taken");
    let [url, key] = &manifest.packages[0].variables[..] else { panic!("two variables") };
    assert_eq!(url.default.as_deref(), Some("https://example.com"));
    assert!(key.secret && key.required && !url.secret && !url.required);
}

#[test]
fn an_error_names_file_field_and_rule() {
    assert_eq!(
        refused("/packages/0/environmentVariables/1/name", json!("a b")),
        "servers/weather/server.json: `packages[0].environmentVariables[1].name` must not hold spaces, \
         found \"a b\"",
    );
}

#[test]
fn what_could_become_a_flag_or_a_second_argument_is_refused() {
    for bad in ["-v", "--privileged", "", " ", "a\nb", "a\u{1b}[31m", "a\0b"] {
        for field in
            ["/name", "/version", "/packages/0/identifier", "/packages/0/environmentVariables/0/name"]
        {
            refused(field, json!(bad));
        }
    }
    refused("/packages/0/environmentVariables/0/default", json!("a\nb"));
}

#[test]
fn versions_are_exact() {
    for bad in ["latest", "^1.2.3", "~1", ">=1", "1.x", "1.*", "1..2", "1.2 || 2", "*"] {
        refused("/version", json!(bad));
    }
    refused("/packages/0/identifier", json!("drydock/weather:latest"));
    refused("/packages/0/identifier", json!("example.com:5000/drydock/weather"));
    for fine in ["1.0.2", "2.1.0-alpha", "1.0.0+build.5", "2025.11.25"] {
        let mut file = good();
        file["version"] = json!(fine);
        assert_eq!(read(&file).unwrap().version, fine);
    }
}

#[test]
fn settings_in_meta_are_wishes_whatever_they_say() {
    let ours = format!("/_meta/{}/{OURS}", PUBLISHER.replace('/', "~1"));
    for (wish, expected) in [
        (json!({ "network": "host", "memory": 64 }), &["memory = 64", "network = \"host\""][..]),
        (json!({ "mounts": [{ "volume": "/var/run/docker.sock" }] }), &["mounts = .."]),
        (json!({ "a\u{1b}[2J": "\u{9b}2J\u{202e}" }), &["\"a\\u{1b}[2J\" = \"\\u{9b}2J\\u{202e}\""]),
        (json!([]), &[]),
        (json!(null), &[]),
    ] {
        let mut file = good();
        *file.pointer_mut(&ours).unwrap() = wish;
        let requests = read(&file).unwrap().requests;
        assert_eq!(requests.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let text = good().to_string().replacen("\"version\":", "\"version\":\"9.9.9\",\"version\":", 1);
    let err = parse(Path::new("servers/weather/server.json"), &text).unwrap_err();
    let said = format!("{err:#}");
    assert!(said.starts_with("servers/weather/server.json: not what a server.json may be: \"version\" stands there twice at line 1"), "{said}");
}

#[test]
fn a_secret_in_the_file_is_refused() {
    let secret = json!({ "name": "KEY", "isSecret": true, "default": "hunter2" });
    assert!(refused("/packages/0/environmentVariables/1", secret).contains("is a secret"));
}

#[test]
fn a_secret_that_is_a_part_of_a_value_is_a_secret() {
    let mut file = good();
    file["packages"][0]["environmentVariables"][1] = json!({
        "name": "AUTH", "value": "Bearer {token}", "variables": { "token": { "isSecret": true, "isRequired": true } },
    });
    let variable = read(&file).unwrap().packages.remove(0).variables.remove(1);
    assert!(variable.secret && variable.fixed.is_none(), "{variable:?}");
}

#[test]
fn schemas_that_we_can_read() {
    let mut file = good();
    for (schema, fine) in [
        ("https://static.modelcontextprotocol.io/schemas/2025-09-29/server.schema.json", true),
        ("https://static.modelcontextprotocol.io/schemas/2026-03-01/server.schema.json", true),
        ("https://static.modelcontextprotocol.io/schemas/2025-07-09/server.schema.json", false),
        ("https://static.modelcontextprotocol.io/schemas/latest/server.schema.json", false),
        ("https://example.com/2025-12-11/server.schema.json", false),
    ] {
        file["$schema"] = json!(schema);
        assert_eq!(read(&file).is_ok(), fine, "{schema}");
    }
}

/// An entry as the registry has them for npm.
fn npm() -> Value {
    json!({
        "name": "io.github.ana/notes", "description": "Notes", "version": "1.2.3",
        "packages": [{
            "registryType": "npm", "identifier": "@ana/notes", "version": "1.2.3", "runtimeHint": "npx",
            "registryBaseUrl": "https://example.com", "fileSha256": "00", "laterField": 1,
            "transport": { "type": "stdio" },
            "runtimeArguments": [{ "type": "positional", "value": "-y" }],
            "packageArguments": [],
        }],
    })
}

fn with_arguments(arguments: Value) -> Result<Vec<String>, Error> {
    let mut file = npm();
    file["packages"][0]["packageArguments"] = arguments;
    Ok(read(&file)?.packages.remove(0).arguments)
}

#[test]
fn an_entry_of_the_registry_is_read() {
    let package = read(&npm()).unwrap().packages.remove(0);
    assert_eq!((package.identifier.as_str(), package.version.as_deref()), ("@ana/notes", Some("1.2.3")));
    assert!(package.stdio);
    assert_eq!((package.runtime.as_deref(), package.runtime_arguments), (Some("npx"), vec!["-y".to_owned()]));
}

#[test]
fn arguments_become_words() {
    let words = with_arguments(json!([
        { "type": "positional", "value": "serve", "valueHint": "verb" },
        { "type": "positional", "valueHint": "folder", "default": "/data" },
        { "type": "positional", "valueHint": "nothing_to_put_here" },
        { "type": "named", "name": "--mode", "value": "a b", "choices": ["a b", "c"] },
        { "type": "named", "name": "--port", "default": "80", "format": "number" },
        { "type": "named", "name": "--verbose", "value": "" },
        { "type": "named", "name": "--on", "default": "true", "format": "boolean" },
        { "type": "named", "name": "--off", "default": "false", "format": "boolean" },
        { "type": "named", "name": "--optional" },
        { "type": "named", "name": "--token", "isSecret": true },
        { "type": "named", "name": "--url", "value": "http://{host}:{port}/{path}",
          "variables": { "host": { "default": "localhost" }, "port": { "value": "8080" } } },
        { "type": "named", "name": "--no", "value": "{what}", "variables": { "what": {} } },
    ]));
    let expected = [
        "serve",
        "/data",
        "--mode",
        "a b",
        "--port",
        "80",
        "--verbose",
        "--on",
        "--url",
        "http://localhost:8080/{path}",
    ];
    assert_eq!(words.unwrap(), expected);
}

#[test]
fn wrong_arguments_are_refused_with_their_path() {
    for (wrong, rule) in [
        (json!({ "type": "flag", "name": "-x" }), "packageArguments[0].type` must be named or positional"),
        (json!({ "type": "named", "value": "x" }), "packageArguments[0]` must have `name`"),
        (json!({ "type": "positional" }), "must have `value` or `valueHint`"),
        (
            json!({ "type": "positional", "valueHint": "x", "isRequired": true }),
            "[0]` is required: write its `value`",
        ),
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
            json!({ "type": "named", "name": "-k", "value": "{x}", "variables": { "x": { "isSecret": true, "value": "y" } } }),
            "packageArguments[0].variables.x` is a secret",
        ),
        (json!({ "type": "named", "name": "-m", "value": "a\nb" }), "control characters"),
    ] {
        let message = with_arguments(json!([wrong])).unwrap_err().to_string();
        assert!(message.contains(rule), "{wrong}: {message}");
    }
}

#[test]
fn packages_are_named_exactly() {
    for (registry, bad) in [
        ("npm", "@ana"),
        ("npm", "@ana/"),
        ("npm", "../x"),
        ("npm", "a/b"),
        ("npm", "a@1"),
        ("npm", "_a"),
        ("npm", ".a"),
        ("pypi", "a b"),
        ("pypi", "a==1"),
        ("pypi", "a[x]"),
        ("pypi", "-e"),
        ("pypi", "a;b"),
        ("pypi", "a@b"),
        ("pypi", "@a/b"),
    ] {
        let mut file = npm();
        file["packages"][0]["registryType"] = json!(registry);
        file["packages"][0]["identifier"] = json!(bad);
        let message = read(&file).unwrap_err().to_string();
        assert!(message.contains("packages[0].identifier"), "{registry} {bad}: {message}");
    }
    let mut file = npm();
    file["packages"][0].as_object_mut().unwrap().remove("version");
    assert!(read(&file).unwrap_err().to_string().contains("`packages[0]` must have `version`"));
}
