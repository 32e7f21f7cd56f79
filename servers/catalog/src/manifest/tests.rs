//! What a `server.json` may say, and how it is told what it may not.

mod arguments;

use serde_json::json;

use super::requests::{OURS, PUBLISHER};
use super::*;

const SCHEMA: (&str, &str) = ("https://static.modelcontextprotocol.io/schemas/", "/server.schema.json");

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

/// Its first package, whatever the others are.
fn first(value: &Value) -> Result<Package, Error> {
    read(value)?.packages.remove(0).package
}

/// The message when the value at `pointer` is replaced.
fn refused(pointer: &str, value: Value) -> String {
    let mut file = good();
    *file.pointer_mut(pointer).unwrap() = value.clone();
    match first(&file) {
        Ok(_) => panic!("{pointer} = {value} was accepted"),
        Err(err) => err.to_string(),
    }
}

#[test]
fn a_good_file_is_read() {
    let manifest = read(&good()).unwrap();
    assert_eq!(manifest.id, "io.github.ana/weather");
    assert_eq!(manifest.requests.len(), 4, "asked for, not taken");
    let package = first(&good()).unwrap();
    let [url, key] = &package.variables[..] else { panic!("two variables") };
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
    let variable = first(&file).unwrap().variables.remove(1);
    assert!(variable.secret && variable.fixed.is_none(), "{variable:?}");
}

#[test]
fn a_schema_is_known_by_its_date_and_an_unknown_one_is_told() {
    let mut file = good();
    for (schema, known) in [
        (json!("https://static.modelcontextprotocol.io/schemas/2025-09-29/server.schema.json"), true),
        (json!("https://static.modelcontextprotocol.io/schemas/2025-07-09/server.schema.json"), true),
        (json!("https://example.com/mirror/2025-12-11/other.schema.json"), true),
        (Value::Null, true),
        (json!(""), true),
        (json!("https://static.modelcontextprotocol.io/schemas/2031-03-01/server.schema.json"), false),
        (json!("https://static.modelcontextprotocol.io/schemas/latest/server.schema.json"), false),
        (json!(7), false),
    ] {
        file["$schema"] = schema.clone();
        let notes = read(&file).unwrap().notes;
        assert_eq!(notes.is_empty(), known, "{schema}: {notes:?}");
    }
    file["$schema"] = json!("\u{1b}]0;x");
    let said = &read(&file).unwrap().notes[0];
    let expected = "servers/weather/server.json: `$schema` is no version that Drydock knows, so the file is read as one of \
                    2025-12-11, found \"\\u{1b}]0;x\"";
    assert_eq!(said, expected);
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

#[test]
fn an_entry_of_the_registry_is_read() {
    let package = first(&npm()).unwrap();
    assert_eq!((package.identifier.as_str(), package.version.as_deref()), ("@ana/notes", Some("1.2.3")));
    assert!(package.stdio && package.notes.is_empty());
    assert_eq!(
        (package.runtime.as_deref(), package.runtime_arguments.words),
        (Some("npx"), vec!["-y".to_owned()])
    );
}

#[test]
fn an_answer_of_the_registrys_api_is_the_entry_in_it() {
    let wrapped = json!({ "server": npm(), "_meta": { "io.modelcontextprotocol.registry/official": { "isLatest": true } } });
    assert_eq!(read(&wrapped).unwrap().id, "io.github.ana/notes");
    let mut wrong = wrapped.clone();
    wrong["server"]["packages"][0]["version"] = json!("1.2");
    let said = first(&wrong).unwrap_err().to_string();
    assert!(said.contains("`server.packages[0].version` must be one exact version"), "{said}");
    let list = read(&json!({ "servers": [wrapped], "metadata": {} })).unwrap_err().to_string();
    assert!(list.contains("is a list of the registry's: take one of its `servers`"), "{list}");
}

#[test]
fn a_byte_order_mark_is_none_of_the_file() {
    let text = format!("\u{feff}{}", npm());
    assert!(parse(Path::new("servers/it/server.json"), &text).is_ok());
}

/// As entries were written from July to September 2025.
#[test]
fn the_names_of_2025_07_are_read() {
    let mut file = json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-07-09/server.schema.json",
        "name": "io.github.ana/notes", "description": "Notes", "status": "active", "version": "1.2.3",
        "website_url": "https://example.com",
        "packages": [{
            "registry_type": "npm", "registry_base_url": "https://example.com", "identifier": "@ana/notes",
            "version": "1.2.3", "runtime_hint": "npx", "transport": { "type": "stdio" },
            "runtime_arguments": [{ "type": "positional", "value": "-y" }],
            "package_arguments": [{ "type": "positional", "value_hint": "folder", "is_required": true }],
            "environment_variables": [
                { "name": "KEY", "is_secret": true, "is_required": true, "format": "string" },
                { "name": "PROJECT", "is_secret": false, "is_required": true },
            ],
        }],
    });
    let manifest = read(&file).unwrap();
    assert!(manifest.notes.is_empty(), "{:?}", manifest.notes);
    let package = first(&file).unwrap();
    assert_eq!((package.identifier.as_str(), package.runtime.as_deref()), ("@ana/notes", Some("npx")));
    assert!(package.variables[0].secret && package.variables[1].required && !package.variables[1].secret);
    assert_eq!((package.runtime_arguments.words.len(), package.arguments.wanted.len()), (1, 1));

    file["packages"][0]["registryType"] = json!("npm");
    assert!(first(&file).is_ok(), "the same twice says nothing else");
    file["packages"][0]["environment_variables"][0]["isSecret"] = json!(false);
    let said = first(&file).unwrap_err().to_string();
    assert!(said.contains("must not have both `isSecret` and `is_secret`"), "{said}");
}

#[test]
fn the_drafts_before_the_first_version_are_read() {
    let draft = json!({
        "name": "io.github.ana/notes", "description": "Notes", "version_detail": { "version": "0.0.1-seed" },
        "packages": [{ "registry_name": "npm", "name": "@ana/notes", "version": "1.2.3" }],
    });
    let package = first(&draft).unwrap();
    assert_eq!((package.identifier.as_str(), package.stdio), ("@ana/notes", true));
    assert_eq!(package.notes, ["\"@ana/notes\" has no `transport`, so it is taken for one of stdio"]);
    assert_eq!(read(&draft).unwrap().version, "0.0.1-seed");
}

#[test]
fn null_and_empty_strings_are_as_good_as_nothing_where_nothing_is_needed() {
    let mut file = npm();
    for (pointer, key) in [
        ("", "$schema"),
        ("", "title"),
        ("", "repository"),
        ("", "remotes"),
        ("", "icons"),
        ("", "websiteUrl"),
        ("", "_meta"),
        ("/packages/0", "runtimeHint"),
        ("/packages/0", "packageArguments"),
        ("/packages/0", "environmentVariables"),
        ("/packages/0", "registryBaseUrl"),
        ("/packages/0", "fileSha256"),
    ] {
        for nothing in [Value::Null, json!("")] {
            file.pointer_mut(pointer).unwrap()[key] = nothing;
            let package = first(&file).unwrap_or_else(|err| panic!("{key}: {err}"));
            assert!(package.stdio && read(&file).unwrap().notes.is_empty(), "{key}");
        }
    }
    file["repository"] = json!({ "url": "", "source": "" });
    file["packages"][0]["environmentVariables"] = json!([
        { "name": "A", "description": "", "format": null, "isRequired": null, "isSecret": null, "default": null,
          "value": null, "choices": null, "variables": null },
        { "name": "B", "format": "", "default": "" },
    ]);
    assert_eq!(read(&file).unwrap().source, None);
    let all = first(&file).unwrap().variables;
    assert!(all.iter().all(|it| !it.required && it.fixed.is_none() && it.default.is_none()), "{all:?}");
    file["name"] = Value::Null;
    assert!(read(&file).unwrap_err().to_string().contains("must have `name`"));
}

#[test]
fn what_is_not_used_refuses_nothing() {
    let mut file = npm();
    file["remotes"] = json!([{ "type": "smoke-signals" }, 7]);
    file["icons"] = json!([{ "src": "http://example.com/x.tiff" }]);
    file["websiteUrl"] = json!("not one");
    file["repository"] = json!({ "url": "not one" });
    file["packages"].as_array_mut().unwrap().push(json!({ "registryType": "oci", "identifier": "a:latest" }));
    let manifest = read(&file).unwrap();
    assert_eq!((manifest.remotes, manifest.source.is_none(), manifest.packages.len()), (2, true, 2));
    let told =
        "servers/weather/server.json: `repository.url` must not hold spaces, found \"not one\": left out";
    assert_eq!(manifest.notes, [told]);
    assert!(manifest.packages[0].package.is_ok() && manifest.packages[1].package.is_err());
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
        let message = first(&file).unwrap_err().to_string();
        assert!(message.contains("packages[0].identifier"), "{registry} {bad}: {message}");
    }
    let mut file = npm();
    file["packages"][0].as_object_mut().unwrap().remove("version");
    assert!(first(&file).unwrap_err().to_string().contains("`packages[0]` must have `version`"));
}

#[test]
fn a_package_has_one_version_as_its_registry_sees_it() {
    for (registry, version, fine) in [
        ("npm", "1.2.3", true),
        ("npm", "1.2", false),
        ("npm", "2025", false),
        ("npm", "next", false),
        ("npm", "^1.0.0", false),
        ("pypi", "1.2", true),
        ("pypi", "2025", true),
        ("pypi", "1.0rc1", true),
        ("pypi", "next", false),
        ("pypi", "1.*", false),
    ] {
        let mut file = npm();
        file["packages"][0]["registryType"] = json!(registry);
        file["packages"][0]["identifier"] = json!("notes");
        file["packages"][0]["version"] = json!(version);
        assert_eq!(first(&file).is_ok(), fine, "{registry} {version}");
    }
}
