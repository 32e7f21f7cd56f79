//! Corners of the layout, each of which somebody's file has.
//!
//! Hand-picked text + place -> the text with an entry, or without. Invariant: not a byte of anybody else's changes.

use super::*;

#[test]
fn an_empty_mapping_becomes_lines_unless_something_stands_beside_it() {
    let goose = goose();
    assert_eq!(round_trip(Some("{}\n"), map(&goose)), format!("extensions:\n{OURS}\n").replace("\n\n", "\n"));
    assert_eq!(
        round_trip(Some("{ }\r\n"), map(&goose)),
        format!("extensions:\n{OURS}").replace('\n', "\r\n")
    );
    for beside in ["{} # c\n", "--- {}\n", "{ # c\n}\n"] {
        let new = round_trip(Some(beside), map(&goose));
        let (before, behind) = beside.split_at(beside.find('}').unwrap());
        assert!(new.starts_with(&format!("{before}\"extensions\": {{")), "{new}");
        assert!(new.ends_with(behind), "{new}");
    }
}

#[test]
fn as_many_collections_as_there_are() {
    let goose = goose();
    let many: String = (0..300).map(|n| format!("  s{n}: {{a: [1], b: {{c: 2}}}}\n")).collect();
    round_trip(Some(&format!("extensions:\n{many}")), map(&goose));
    let deep = |n: usize| format!("a: {}{}\n", "[".repeat(n), "]".repeat(n));
    round_trip(Some(&deep(99)), map(&goose));
    assert!(refusal(&deep(100), map(&goose)).contains("nested too deeply"));
}

#[test]
fn what_we_made_on_a_longer_way_goes_again() {
    let at = ["a".to_owned(), "b".to_owned()];
    for old in [
        None,
        Some(""),
        Some("a:\n"),
        Some("a: {}\n"),
        Some("x: 1\n"),
        Some("a:\n  y: 1\n"),
        Some("a:\n  b: {}\n"),
    ] {
        round_trip(old, map(&at));
        round_trip(old.map(|it| it.replace("b: {}", "b: []")).as_deref(), list(&at));
    }
}

#[test]
fn a_comment_in_what_we_made_stays() {
    let goose = goose();
    for old in
        [None, Some(""), Some("\n"), Some("# theirs\n"), Some("a: 1\n"), Some("{}\n"), Some("extensions:\n")]
    {
        let first = put(old, map(&goose), "weather", &entry(), IfExists::Replace).unwrap();
        let with = text(&first);
        let before = with.find("  weather").unwrap();
        for mine in [0, before, with.len()] {
            let with = format!("{}# mine\n{}", &with[..mine], &with[mine..]);
            let left = removed(&with, map(&goose), &first.created).unwrap();
            assert!(left.contains("# mine\n") && !left.contains("weather"), "{old:?}: {with} -> {left}");
        }
    }
}

#[test]
fn the_last_look_sees_what_changes_without_its_bytes() {
    let goose = goose();
    let look = |old: &str, new: &str| {
        let old = Tree::read(old).unwrap();
        check::verify_only_changed(&old, new, map(&goose), "weather", 2, None).map_err(|err| err.to_string())
    };
    for (old, new) in [
        // Blank lines behind count in the text.
        ("x: |+\n  t\nextensions: {}\n", "x: |+\n  t\n\nextensions:\n  weather: 1\n"),
        // The alias means ours by now.
        ("b: &x 1\nextensions: {}\nc: *x\n", "b: &x 1\nextensions:\n  weather: &x {a: 1}\nc: *x\n"),
        ("extensions: {a: 1}\n", "extensions: [a]\n"),
        ("extensions: {}\n", "extensions: [{name: weather}]\n"),
        ("extensions:\n  a: {b: 1}\n", "extensions:\n  a: {b: 1, c: 1}\n"),
    ] {
        assert!(
            look(old, new).is_err_and(|it| it.contains("more than")),
            "{old} -> {new}: {:?}",
            look(old, new)
        );
    }
    for (old, new) in [
        ("extensions:\n", "extensions:\n  weather: 1\n"),
        ("extensions: {}\n", "extensions:\n"),
        ("x: 1\nextensions:\n  weather: 1\n", "x: 1\n"),
    ] {
        assert_eq!(look(old, new), Ok(()), "{old} -> {new}");
    }
}

#[test]
fn brackets_hold_what_they_held() {
    let (goose, cont) = (goose(), cont());
    for old in [
        "extensions: {a: }\n",
        "extensions: {a: , }\n",
        "extensions: {a, b: -1, c: '-'}\n",
        "{extensions: , a: 1}\n",
        "{extensions: }\n",
        "{a: 1, extensions}\n",
        "{a: 1, extensions: {}}\n",
        "extensions: {a: 1, # , c\n  b: 2 # , d\n  , c: 3}\n",
        "extensions: {\n  a: 1,\n  b: 2,\n  }\n",
        "extensions: { }\n",
        "extensions: {} # c\n",
        "extensions: # c\n",
        "extensions: {\n  }\nb: 1\n",
    ] {
        round_trip(Some(old), map(&goose));
    }
    for old in [
        "{mcpServers: }\n",
        "mcpServers: [{name: a}, # , c\n  {name: b}]\n",
        "mcpServers: [ ]\n",
        "mcpServers:\n",
    ] {
        round_trip(Some(old), list(&cont));
    }
    for (old, new) in [
        ("extensions: {weather: 1 # , c\n , b: 2}\n", "extensions: { # , c\n b: 2}\n"),
        ("extensions: {a: 1, # , c\n weather: 2}\n", "extensions: {a: 1 # , c\n }\n"),
        ("extensions: {a: 1, weather: 2, }\n", "extensions: {a: 1, }\n"),
        ("extensions: {a: 1 ,  weather: 2, b: 3}\n", "extensions: {a: 1 ,  b: 3}\n"),
        ("extensions: {a: 1,\n  weather: 2,  # c\n  b: 3}\n", "extensions: {a: 1,\n    # c\n  b: 3}\n"),
    ] {
        assert_eq!(removed(old, map(&goose), &[]).as_deref(), Some(new), "{old}");
    }
}

#[test]
fn a_value_of_ours_is_written_in_the_place_of_the_old_one() {
    let goose = goose();
    let wanted = object(json!({"a": 2, "b": {"c": 3}, "d": [4]}));
    for old in [
        "a: 1",
        "a:",
        "a: # c",
        "a:\n      - 1",
        "a: |\n      t",
        "a: [1]",
        "a: 1\n    b:\n    d: {}",
        "b: 1 # c\n    d:\n      - 3",
    ] {
        let old = format!("x: 0\nextensions:\n  weather:\n    {old}\n  y: 1 # mine\n");
        let new = test_support::updated(&old, map(&goose), &Entry::new(), &wanted);
        let all = entries(&new, map(&goose)).unwrap();
        assert_eq!(all[0].1, Value::Object(wanted.clone()), "{old} -> {new}");
        assert!(
            new.starts_with("x: 0\nextensions:\n  weather:\n") && new.ends_with("  y: 1 # mine\n"),
            "{new}"
        );
        assert_eq!(new.contains("# c"), old.contains("# c"), "{new}");
    }
}

#[test]
fn what_an_alias_stands_for_is_not_changed() {
    let goose = goose();
    let old = "extensions:\n  weather: &x\n    a: 1\n    b: 2\nz: *x\n";
    let update = |written: Value, wanted: Value| {
        let new = put(Some(old), map(&goose), "weather", &object(wanted), IfExists::Update(&object(written)));
        new.map(|it| text(&it).to_owned()).map_err(|err| err.to_string())
    };
    assert_eq!(update(json!({}), json!({"a": 1})).as_deref(), Ok(old));
    let refused = "5:4: this alias needs the entry that would change";
    assert_eq!(update(json!({}), json!({"a": 2})), Err(refused.to_owned()));
    assert_eq!(update(json!({"b": 2}), json!({"a": 1})), Err(refused.to_owned()), "one of ours goes");
}

/// The name of an item in a list is how we found it; a field of that name elsewhere is a field.
#[test]
fn fields_are_brought_up_to_date_at_every_depth() {
    let (goose, cont) = (goose(), cont());
    let written = json!({"name": "old", "env": {"name": "old", "A": 1, "B": 2}, "gone": 1});
    let wanted = json!({"name": "new", "env": {"name": "new", "B": 2}});
    let fields = "name: old\n    env:\n      name: old\n      A: 1\n      B: 2\n      C: 3\n    gone: 1\n";
    for (old, place, item) in [
        (format!("extensions:\n  weather:\n    {fields}"), map(&goose), false),
        (
            format!("mcpServers:\n  - {}", fields.replace("name: old\n    env", "name: weather\n    env")),
            list(&cont),
            true,
        ),
    ] {
        let name = if item { "weather" } else { "new" };
        let (mut wanted, written) = (object(wanted.clone()), object(written.clone()));
        wanted["name"] = name.into();
        let new = test_support::updated(&old, place, &written, &wanted);
        let all = entries(&new, place).unwrap();
        assert_eq!(all[0].1, json!({"name": name, "env": {"name": "new", "B": 2, "C": 3}}), "{new}");
    }
}

#[test]
fn what_is_no_mapping_gives_way_as_a_whole() {
    let goose = goose();
    let (written, wanted) = (object(json!({"a": 1})), object(json!({"a": 2})));
    for old in ["1", "~", "[a]", "\n  - a", "|\n    a"] {
        let old = format!("extensions:\n  weather: {old}\n  b: 1 # mine\n");
        let new = put(Some(&old), map(&goose), "weather", &wanted, IfExists::Update(&written)).unwrap();
        assert_eq!(text(&new), "extensions:\n  weather:\n    a: 2\n  b: 1 # mine\n", "{old}");
        assert_eq!(new.replaced, None);
    }
}

#[test]
fn a_backslash_is_a_sign_like_any_other_in_single_quotes() {
    let goose = goose();
    assert_eq!(
        round_trip(Some("'a\\': 1\nextensions:\n  'b\\': 2\n"), map(&goose)),
        format!("'a\\': 1\nextensions:\n  'b\\': 2\n{OURS}")
    );
}
