//! What a `server.json` may say, and how it is told what it may not.

use serde_json::json;

use super::*;

fn good() -> Value {
    json!({
        "$schema": SCHEMA,
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

fn read(value: &Value) -> Result<Manifest> {
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
    assert_eq!(manifest.settings.memory, Some(64 << 20));
    assert_eq!(manifest.settings.network, Some(Network::Internet));
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
    let path = format!("/_meta/{}/{OURS}/memory", PUBLISHER.replace('/', "~1"));
    let message = refused(&path, json!(64));
    assert!(message.contains("\"dev.drydock\".memory` must be a string, found 64"), "{message}");
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
fn wrong_settings_are_refused_and_unknown_ones_too() {
    let ours = format!("/_meta/{}/{OURS}", PUBLISHER.replace('/', "~1"));
    for bad in [
        json!({ "memry": "64m" }),
        json!({ "memory": "64" }),
        json!({ "memory": "m" }),
        json!({ "memory": "+64m" }),
        json!({ "memory": "18446744073709551615g" }),
        json!({ "memory": "64é" }),
        json!({ "cpus": 0 }),
        json!({ "cpus": "1" }),
        json!({ "pids": -1 }),
        json!({ "pids": 1.5 }),
        json!({ "sessions": 0 }),
        json!({ "network": "host" }),
        json!({ "network": null }),
        json!({ "mounts": [] }),
        json!([]),
    ] {
        refused(&ours, bad);
    }
}

#[test]
fn a_secret_in_the_file_is_refused() {
    let secret = json!({ "name": "KEY", "isSecret": true, "default": "hunter2" });
    assert!(refused("/packages/0/environmentVariables/1", secret).contains("is a secret"));
}
