//! Entries over HTTP: which clients take them, what is refused, and that reading gives back what was written.

use super::*;

const URL: &str = "https://example.org/mcp";

fn remote(headers: &[(&str, &str)]) -> HttpEndpoint {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    HttpEndpoint { url: URL.into(), headers }
}

fn entry(id: &str, headers: &[(&str, &str)]) -> String {
    Value::Object(known(id).http_entry(Scope::User, "weather", &remote(headers)).unwrap()).to_string()
}

#[track_caller]
fn refused(id: &str, remote: &HttpEndpoint, complaint: &str) {
    let err = known(id).http_entry(Scope::User, "weather", remote).unwrap_err();
    assert!(format!("{err:#}").contains(complaint), "{id}: {err:#}");
}

#[test]
fn every_client_reads_back_what_it_writes_or_refuses() {
    let headers: [&[(&str, &str)]; 5] = [
        &[("Authorization", "Bearer ${TOKEN}")],
        &[("X-Api-Key", "${KEY_1}")],
        &[("authorization", "Bearer ${TOKEN}"), ("X-Api-Key", "${KEY}"), ("X-Tenant", "${KEY}")],
        &[("Authorization", "Basic ${A}:${_b}")],
        &[("X-Many", "a${A}${B} b;c=\"d\" ${A}")],
    ];
    let (mut with_headers, mut without, mut no_http) = (0, 0, Vec::new());
    for client in load(&root()).unwrap() {
        let Some(takes_headers) = client.http() else {
            refused(&client.id, &remote(&[]), "reaches no servers over HTTP");
            no_http.push(client.id);
            continue;
        };
        let plain = Value::Object(client.http_entry(Scope::User, "weather", &remote(&[])).unwrap());
        assert_eq!(client.parse_http(&plain).unwrap(), remote(&[]), "{}", client.id);
        assert!(!plain.to_string().contains("eader"), "{}: {plain}", client.id);
        assert!(client.parse_stdio(&plain).is_err(), "{}: taken for a command", client.id);
        let mut taken = 0;
        for headers in headers {
            let Ok(entry) = client.http_entry(Scope::User, "weather", &remote(headers)) else { continue };
            let entry = Value::Object(entry);
            assert_eq!(client.parse_http(&entry).unwrap(), remote(headers), "{}: {entry}", client.id);
            taken += 1;
        }
        assert_eq!(taken > 0, takes_headers != HeaderSupport::None, "{}", client.id);
        match taken {
            0 => without += 1,
            _ => with_headers += 1,
        }
    }
    assert_eq!(no_http, ["claude-desktop"]);
    assert!(with_headers >= 17 && without >= 6, "{with_headers} and {without}");
}

#[test]
fn a_reference_is_written_in_the_clients_own_syntax() {
    let headers = [("Authorization", "Bearer ${TOKEN}"), ("X-Key", "${KEY}")];
    for (id, expected) in [
        ("claude-code", r#""headers":{"Authorization":"Bearer ${TOKEN}","X-Key":"${KEY}"}"#),
        ("cursor", r#""headers":{"Authorization":"Bearer ${env:TOKEN}","X-Key":"${env:KEY}"}"#),
        ("opencode", r#""headers":{"Authorization":"Bearer {env:TOKEN}","X-Key":"{env:KEY}"}"#),
        (
            "continue",
            r#"{"headers":{"Authorization":"Bearer ${{ secrets.TOKEN }}","X-Key":"${{ secrets.KEY }}"}}"#,
        ),
        ("codex", r#""bearer_token_env_var":"TOKEN","env_http_headers":{"X-Key":"KEY"}}"#),
        ("goose", r#""Authorization":"Bearer ${TOKEN}","X-Key":"${KEY}"},"env_keys":["TOKEN","KEY"]"#),
    ] {
        let entry = entry(id, &headers);
        assert!(entry.contains(expected), "{id}: {entry}");
    }
    assert!(entry("kimi-code", &headers[..1]).contains(r#""bearerTokenEnvVar":"TOKEN""#));
}

#[test]
fn a_client_that_replaces_nothing_takes_no_header() {
    let bearer = remote(&[("Authorization", "Bearer ${TOKEN}")]);
    for id in ["zed", "cline", "auggie", "lm-studio"] {
        refused(id, &bearer, "replaces no variables in headers");
    }
    refused(
        "claude-code",
        &remote(&[("X-Key", "${NPM_TOKEN}")]),
        "sends nothing for `NPM_TOKEN` in a header",
    );
    refused("kimi-code", &remote(&[("X-Key", "${KEY}")]), "only as `Authorization: Bearer ${NAME}`");
    refused("codex", &remote(&[("X-Key", "v1 ${KEY}")]), "or as a value that is `${NAME}` and nothing else");
    let kilo = known("kilo").http_entry(Scope::Project, "x", &bearer).unwrap_err();
    assert_eq!(kilo.hint(), Some("--scope user"));
    known("kilo").http_entry(Scope::Project, "x", &remote(&[])).unwrap();
    // A second header of that kind has no place.
    refused("codex", &remote(&[("Authorization", "Basic ${KEY}")]), "only as");
}

#[test]
fn a_secret_or_a_trick_is_refused() {
    for (value, complaint) in [
        ("Bearer sk-12345", "holds no reference"),
        ("", "holds no reference"),
        ("Bearer ${TOKEN", "has a `${` without `}`"),
        ("Bearer ${}", "names no variable"),
        ("Bearer ${1A}", "names no variable"),
        ("Bearer ${A:-secret}", "names no variable"),
        ("Bearer ${A} {env:B}", "printable ASCII without"),
        ("Bearer ${A} $B", "printable ASCII without"),
        ("${A}\r\nX-Other: 1", "printable ASCII without"),
        ("${A}\u{e9}", "printable ASCII without"),
    ] {
        refused("claude-code", &remote(&[("Authorization", value)]), complaint);
    }
    for name in ["", "X Y", "X:", "X\n", "\u{fc}"] {
        refused("cursor", &remote(&[(name, "${A}")]), "is no header's name");
    }
    refused("cursor", &remote(&[("X-A", "${A}"), ("x-a", "${B}")]), "given twice");
}

#[test]
fn a_url_is_http_and_holds_nothing_else() {
    for (url, complaint) in [
        ("ftp://example.org", "does not begin with http"),
        ("javascript:alert(1)", "does not begin with http"),
        ("file:///etc/passwd", "does not begin with http"),
        ("example.org/mcp", "does not begin with http"),
        ("https://", "names no host"),
        ("https:///mcp", "names no host"),
        ("http://:80/", "names no host"),
        ("https://ana:secret@example.org/", "holds a user or a password"),
        ("https://token@example.org/", "holds a user or a password"),
        ("https://example.org/mcp?v=1&api_key=s3cret", "gives a value to `api_key`"),
        ("https://example.org/mcp?v=1&accessToken=s3cret", "gives a value to `accessToken`"),
        ("https://example.org/mcp?v=1&api%5Fkey=s3cret", "gives a value to `api_key`"),
        ("https://example.org/mcp?v=1;signing_key=s3cret", "gives a value to `signing_key`"),
        ("https://example.org/mcp#access_token=s3cret", "gives a value to `access_token`"),
        ("https://example.org/mcp;token=s3cret", "gives a value to `token`"),
        ("https://example.org/token/s3cret123/mcp", "gives a value to `token`"),
        ("https://example.org/api-key/s3cret123", "gives a value to `api-key`"),
        ("https://example.org/sk-ant-api03-x/mcp", "looks like a key"),
        ("https://example.org/%73k-proj-x/mcp", "looks like a key"),
        ("https://example.org/ghp_16C7e42F292c6912E7/mcp", "looks like a key"),
        ("https://example.org/mcp?u=xoxb-1-2-x", "looks like a key"),
        ("https://example.org/mcp?AKIAIOSFODNN7EXAMPLE", "looks like a key"),
        ("https://example.org/mcp#eyJhbGciOiJIUzI1NiJ9.e30.x", "looks like a key"),
        ("https://mcp.example.org/api/mcp/s/NmY3ZTg0YjQtZjU2Ny00MjNh/mcp", "looks like a key"),
        ("https://mcp.example.org/s/0123456789abcdef0123456789abcdef", "looks like a key"),
        ("https://example.org/a b", "a character that no URL holds"),
        ("https://example.org/\n", "a character that no URL holds"),
        ("https://example.org/\u{1b}[31m", "a character that no URL holds"),
        ("https://${HOST}/mcp", "a character that no URL holds"),
        ("https://example.org/$HOME", "a character that no URL holds"),
        ("https://example.org\\@evil.org/", "a character that no URL holds"),
    ] {
        let err = known("cursor")
            .http_entry(Scope::User, "x", &HttpEndpoint { url: url.into(), headers: vec![] })
            .unwrap_err();
        let text = format!("{err:#}");
        assert!(text.contains(complaint) && !text.contains("secret"), "{url}: {text}");
    }
    for url in [
        "http://127.0.0.1:8000/mcp/",
        "http://[::1]:8/",
        "https://h",
        "https://h/a?b=c&d=@#e",
        "https://h/auth/mcp",
        "https://h/sk-SK/mcp",
        "https://h/api/token/mcp",
        "https://h/v2025-11-25/my-very-long-name-of-a-server-v2/mcp",
        "https://h/tenants/123e4567-e89b-12d3-a456-426614174000/mcp",
        "https://h/1234567890123456789012345678/mcp",
        "https://h/mcp?profile=weather-in-Berlin&limit=100000",
        "https://h/%E6%97%A5%E6%9C%AC/mcp",
    ] {
        let remote = HttpEndpoint { url: url.into(), headers: vec![] };
        let entry = known("cursor").http_entry(Scope::User, "x", &remote).unwrap();
        assert_eq!(known("cursor").parse_http(&Value::Object(entry)).unwrap(), remote);
    }
}

#[test]
fn what_somebody_wrote_by_hand_is_read() {
    let read = |id: &str, entry: Value| known(id).parse_http(&entry);
    let found = read("cursor", json!({"url": URL, "headers": {"A": "x ${env:B} ${env: ${env:C"}, "more": 1}));
    assert_eq!(found.unwrap().headers, [("A".to_owned(), "x ${B} ${env: ${env:C".to_owned())]);
    for (entry, complaint) in [
        (json!({"command": "x"}), "it names no URL"),
        (json!({"url": 1}), "`url` must be a string"),
        (json!({"url": URL, "headers": []}), "`headers` must be an object"),
        (json!({"url": URL, "headers": {"A": 1}}), "`A` must be a string"),
        (json!("x"), "it is not an object"),
    ] {
        assert!(format!("{:#}", read("cursor", entry).unwrap_err()).contains(complaint), "{complaint}");
    }
}
