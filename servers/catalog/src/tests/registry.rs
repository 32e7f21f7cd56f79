//! Entries of the registry: which package is run, how it is started, and what is said of the rest.

use super::*;

#[test]
fn what_is_left_out_of_an_entry_is_told() {
    let mut file = entry("npm", "@ana/it");
    file["remotes"] = serde_json::json!([{ "type": "sse", "url": "https://example.com" }]);
    // Not used, and wrong: an argument without a value, and a range.
    file["packages"][0]["runtimeArguments"] =
        serde_json::json!([{ "type": "named", "name": "-v", "isSecret": true, "isRequired": true }]);
    file["packages"]
        .as_array_mut()
        .unwrap()
        .push(serde_json::json!({ "registryType": "pypi", "identifier": "it" }));
    let server = one(&file, &[]).unwrap();
    let told = "takes its npm package \"@ana/it\", and leaves out oci package \"ana/it:1.0.0\", pypi package \"it\", \
                a remote server";
    assert_eq!(server.notes, [told]);
    // Where the first of npm and PyPI cannot be run, the next one is.
    file["packages"][1]["version"] = serde_json::json!("next");
    file["packages"][2] = entry("pypi", "it")["packages"][1].clone();
    let server = one(&file, &[]).unwrap();
    assert_eq!((server.kind, &server.program.package), (Kind::Python, &pinned("it")));
    assert!(
        server.notes[0].contains("must be one exact version, such as `1.0.2`, found \"next\""),
        "{:?}",
        server.notes
    );
    file["packages"][2]["transport"]["type"] = serde_json::json!("sse");
    let said = chain(&one(&file, &[]).unwrap_err());
    assert!(said.contains("packages[1].version"), "the first one's reason: {said}");
}

#[test]
fn what_drydock_does_not_run_is_named() {
    for kind in ["nuget", "cargo", "mcpb", "oci"] {
        let mut file = entry(kind, "it");
        file["packages"].as_array_mut().unwrap().remove(0);
        let said = one(&file, &[]).unwrap_err();
        let expected = format!(
            "cannot tell what to run: it holds no program that Drydock runs: its server.json names {kind} package \"it\""
        );
        assert!(chain(&said).contains(&expected), "{said:#}");
    }
    let remote =
        serde_json::json!({ "name": "a/b", "description": "It", "version": "1.0.0", "remotes": [{}, {}] });
    assert!(chain(&one(&remote, &[]).unwrap_err()).ends_with("its server.json names 2 remote servers"));
    let none = serde_json::json!({ "name": "a/b", "description": "It", "version": "1.0.0" });
    assert!(
        chain(&one(&none, &[]).unwrap_err()).ends_with("it holds no program, and its server.json names none")
    );
}

/// An entry whose package has these arguments for npx or uvx.
fn with_runtime(registry: &str, arguments: &[&str], files: &[(&str, &str)]) -> Result<Server, Error> {
    let mut file = entry(registry, "it-server");
    let list = arguments.iter().map(|it| serde_json::json!({ "type": "positional", "value": it }));
    file["packages"][1]["runtimeArguments"] = list.collect();
    one(&file, files)
}

#[test]
fn arguments_for_uvx_are_honoured() {
    let program = |arguments: &[&str]| with_runtime("pypi", arguments, &[]).unwrap().program;
    let lines = |it: &Program| it.requirements().iter().map(ToString::to_string).collect::<Vec<_>>();
    let it = program(&[
        "-q",
        "-p",
        "3.13",
        "--from",
        "it_server[cli]==1.0.0",
        "--with",
        "extra>=1,<2",
        "it-mcp",
        "serve",
    ]);
    assert_eq!(lines(&it), ["it-server[cli]==1.0.0", "extra>=1,<2"]);
    assert_eq!((it.script.as_deref(), it.python.as_deref()), (Some("it-mcp"), Some("3.13")));
    assert_eq!(it.args, ["serve", "--zone", "UTC"]);
    for same in [
        &["it-server"][..],
        &["--from", "it-server", "it-server"],
        &["it-server==1.0.0"],
        &["-p", "3"],
        &["--from=it-server@1.0.0", "it-server"],
    ] {
        let it = program(same);
        assert_eq!(
            (lines(&it), it.script, it.args.len()),
            (vec!["it-server==1.0.0".to_owned()], None, 2),
            "{same:?}"
        );
    }
    // The package follows, and its first argument is the program.
    let mut file = entry("pypi", "it-server");
    file["packages"][1]["runtimeArguments"] =
        serde_json::json!([{ "type": "positional", "value": "--from" }]);
    file["packages"][1]["packageArguments"] =
        serde_json::json!([{ "type": "positional", "value": "it-mcp" }]);
    let it = one(&file, &[]).unwrap().program;
    assert_eq!((it.script.as_deref(), it.args.len()), (Some("it-mcp"), 0));
    let npm = with_runtime("npm", &["-y", "--package=it-server@1.0.0", "it-mcp"], &[]).unwrap().program;
    assert_eq!((npm.script.as_deref(), npm.args.len()), (Some("it-mcp"), 2));
    let mirror = with_runtime("npm", &["--registry", "https://example.com"], &[]).unwrap();
    assert!(
        mirror.notes.iter().any(|it| it.starts_with("--registry \"https://example.com\" is left out")),
        "{:?}",
        mirror.notes
    );
}

#[test]
fn arguments_for_npx_and_uvx_that_would_do_something_else_are_refused() {
    for (registry, arguments, rule) in [
        ("pypi", &["--from", "git+https://example.com/x", "it"][..], "which is another package or version"),
        ("pypi", &["--from", "other", "it"], "which is another package or version"),
        ("pypi", &["--from", "it-server==2.0.0", "it"], "which is another package or version"),
        ("pypi", &["--from", "it-server", "../evil"], "would be run in place of"),
        ("pypi", &["--with", "-r/etc/passwd"], "which is no package of PyPI"),
        ("pypi", &["--with", "x @ file:///x"], "which is no package of PyPI"),
        ("pypi", &["-p", ">=3.10"], "must name one version, as 3.13"),
        ("pypi", &["-p", "3.13-slim AS x"], "must name one version, as 3.13"),
        (
            "pypi",
            &["start-server", "--now"],
            "hold \"start-server --now\", which would be run in place of \"it-server\"",
        ),
        ("npm", &["-p", "other", "it"], "which is another package or version"),
        ("npm", &["-c", "echo"], "are for a program that Drydock does not run"),
        ("npm", &["--node-options", "--require=/x"], "are for a program that Drydock does not run"),
    ] {
        let said = chain(&with_runtime(registry, arguments, &[]).unwrap_err());
        assert!(said.contains(rule), "{arguments:?}: {said}");
    }
    let err = with_runtime("pypi", &["start-server", "--now"], &[]).unwrap_err();
    let source = std::error::Error::source(&err).and_then(|it| it.downcast_ref::<Error>()).unwrap();
    let hint = "say what it is in drydock.toml, beside server.json: args = [\"start-server\", \"--now\"]";
    assert_eq!(source.hint(), Some(hint));
    let answered = [("drydock.toml", "args = [\"start-server\", \"--now\"]")];
    let server = with_runtime("pypi", &["start-server", "--now"], &answered).unwrap();
    assert_eq!((server.program.args.len(), server.args.len()), (2, 2), "as the person says");
}

#[test]
fn an_argument_that_only_the_person_knows_is_asked_for() {
    let mut file = entry("npm", "@ana/it");
    file["packages"][1]["packageArguments"] = serde_json::json!([
        { "type": "named", "name": "--key", "value": "{key}", "variables": { "key": { "isRequired": true } } },
        { "type": "named", "name": "--zone", "value": "UTC" },
    ]);
    let said = chain(&one(&file, &[]).unwrap_err());
    let expected = "servers/it: cannot tell how to start it: servers/it/server.json: `packages[1].packageArguments[0]` is required, \
                    and nothing says what \"{key}\" stands for";
    assert_eq!(said, expected);
    for (args, fine) in [
        ("[\"--other\"]", false),
        ("[\"--keys=1\"]", false),
        ("[\"--key\", \"1\"]", true),
        ("[\"--key=1\"]", true),
    ] {
        let grants = format!("args = {args}");
        assert_eq!(one(&file, &[("drydock.toml", &grants)]).is_ok(), fine, "{args}");
    }
}

#[test]
fn what_is_asked_for_is_said_in_the_publishers_words() {
    let mut file = entry("npm", "@ana/it");
    file["packages"][1]["packageArguments"] = serde_json::json!([{ "type": "positional", "valueHint": "folder",
        "description": "A folder that it may\u{1b}[31m read", "isRequired": true }]);
    let err = one(&file, &[]).unwrap_err();
    let source = std::error::Error::source(&err).and_then(|it| it.downcast_ref::<Error>()).unwrap();
    let hint = "say what it is in drydock.toml, beside server.json: args = [\"folder\"] (its publisher: \"A folder that it may\\u{1b}[31m read\")";
    assert_eq!(source.hint(), Some(hint));
}

#[test]
fn a_rust_servers_identifier_is_its_own() {
    let cargo = [("Cargo.toml", "[package]\nname = \"it-server\"")];
    for (registry, identifier, fine) in [
        ("oci", "drydock/it:1.0.0", true),
        ("oci", "drydock/weather:1.0.0", false),
        ("oci", "drydock/it:0.9.0", false),
        ("oci", "example.com/ana/anything:1.0.0", true),
        ("cargo", "it-server", true),
        ("cargo", "weather", false),
    ] {
        let said = one(&entry(registry, identifier), &cargo).map_err(|err| chain(&err));
        assert_eq!(said.is_ok(), fine, "{identifier}: {said:?}");
        assert!(
            said.err()
                .is_none_or(|it| it.contains(&format!("calls its {registry} package \"{identifier}\"")))
        );
    }
}

#[test]
fn an_own_program_says_which_arguments_it_does_not_take() {
    let own = [("package.json", r#"{"name": "mine"}"#)];
    let server = with_runtime("npm", &["-y", "--package=x"], &own).unwrap();
    let told = "leaves out its `runtimeArguments` \"-y --package=x\": the folder's own program is run";
    assert_eq!((server.notes.as_slice(), server.program.runtime.len()), (&[told.to_owned()][..], 0));
    let mut file = entry("npm", "it-server");
    file["packages"][1]["runtimeHint"] = serde_json::json!("node");
    file["packages"][1]["runtimeArguments"] =
        serde_json::json!([{ "type": "positional", "value": "--enable-source-maps" }]);
    let server = one(&file, &own).unwrap();
    assert_eq!(
        (server.notes.len(), server.program.runtime.as_slice()),
        (0, &["--enable-source-maps".to_owned()][..])
    );
}
