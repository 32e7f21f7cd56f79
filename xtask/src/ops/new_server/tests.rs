use serde_json::Value;

use super::*;

fn new(name: &str, title: &str) -> NewServer {
    NewServer { name: name.to_owned(), title: title.to_owned(), with: Part::value_variants().to_vec() }
}

#[test]
fn names_are_words_that_everybody_takes() {
    for fine in ["demo", "to-do-list", "a1", "x", "mcp-2", &"a".repeat(32)] {
        name::check_words(fine).unwrap_or_else(|err| panic!("{fine}: {err}"));
    }
    let long = "a".repeat(33);
    for (bad, why, near) in [
        ("", "empty", "to-do-list"),
        (long.as_str(), "33 characters", &long[..32]),
        ("To do", "'T'", "to-do"),
        ("to_do", "'_'", "to-do"),
        ("ü", "'ü'", "to-do-list"),
        ("../x", "'.'", "to-do-list"),
        ("2do", "begin with a letter", "to-do-list"),
        ("-a", "begin with a letter", "to-do-list"),
        ("a-", "between letters", "to-do-list"),
        ("a--b", "between letters", "a-b"),
        ("match", "keyword", "to-do-list"),
        ("test", "keeps that name", "to-do-list"),
        ("core", "keeps that name", "to-do-list"),
        ("build", "keeps that name", "to-do-list"),
        ("nul", "keeps that name", "to-do-list"),
        ("a\nb", "'\\n'", "a-b"),
    ] {
        let err = name::check_words(bad).unwrap_err();
        assert!(err.to_string().contains(why), "{bad:?}: {err}");
        assert!(crate::hint::is_usage(&err));
        let hint = crate::hint::hints(&err).concat();
        assert!(hint.contains(near), "{bad:?}: {hint}");
    }
}

#[test]
fn what_is_there_already_is_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let state = tempfile::tempdir().unwrap();
    let global = crate::workspace::Global { engine: None, name_prefix: String::new() };
    let ws = Workspace::at(root.to_path_buf(), state.path().to_path_buf(), global);
    for (name, what) in [
        ("weather", "servers/weather is there already"),
        ("kit", "servers/kit is there already"),
        ("time", "servers/time is there already"),
        ("node", "the runtime image `node`"),
        ("python", "the runtime image `python`"),
        ("serde", "a crate that this workspace builds is called `serde`"),
        ("proc-macro2", "`proc-macro2`"),
        ("serde-json", "`serde_json`"),
        ("drydock-kit", "`drydock-kit`"),
        ("xtask", "`xtask`"),
        ("figures", "the crate `drydock-tests` makes a program of that name"),
        ("workspace", "Claude Code keeps that name for itself"),
        ("computer-use", "Claude Code keeps that name for itself"),
    ] {
        let err = check_name(&ws, name).unwrap_err();
        assert!(err.to_string().contains(what), "{name}: {err}");
        assert!(crate::hint::is_usage(&err), "{name}");
    }
    let hint = |name: &str| crate::hint::hints(&check_name(&ws, name).unwrap_err()).concat();
    assert!(hint("weather").contains("cargo xtask remove weather") && !hint("kit").contains("remove"));
    check_name(&ws, "to-do-list").unwrap();
}

#[test]
fn titles_stand_on_one_line_as_they_are() {
    for fine in ["Demo", "To-do list: mine & yours", "天気", "it's {} __NAME__"] {
        check_title(fine).unwrap_or_else(|err| panic!("{fine}: {err}"));
    }
    for bad in ["", " a", "a\n", "a\"b", "a\\b", "a\tb", &"a".repeat(61)] {
        assert!(check_title(bad).is_err(), "{bad:?}");
    }
    assert_eq!(title_of("to-do-list"), "To do list");
}

#[test]
fn what_is_rendered_can_be_read_back() {
    let title = "it's {} __NAME__ & 天気";
    let files = template::render(&new("to-do-list", title));
    let text = |name: &str| files.iter().find(|it| it.0 == name).map(|it| it.1.as_str()).unwrap();
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    assert_eq!(manifest["package"]["name"].as_str(), Some("to-do-list"));
    let server: Value = serde_json::from_str(text("server.json")).unwrap();
    assert_eq!(server["title"], title);
    assert_eq!(server["version"].as_str(), manifest["package"]["version"].as_str());
    assert_eq!(server["packages"][0]["identifier"], "drydock/to-do-list:0.1.0");
    for (file, text) in &files {
        assert!(!text.replace(title, "").contains("__"), "{file}: a placeholder is left");
        assert!(!text.lines().any(|it| it.starts_with('@')), "{file}: a mark is left");
        assert!(text.ends_with('\n') && !text.contains(" \n") && !text.contains('\r'), "{file}");
    }
}

/// Who reads it for the first time has five minutes.
#[test]
fn what_is_made_is_short() {
    let lines =
        |new: &NewServer| -> usize { template::render(new).iter().map(|it| it.1.lines().count()).sum() };
    let (all, plain) = (new("demo", "Demo"), NewServer { with: Vec::new(), ..new("demo", "Demo") });
    assert!(lines(&all) <= 400 && lines(&plain) <= 250, "{} and {} lines", lines(&all), lines(&plain));
}
