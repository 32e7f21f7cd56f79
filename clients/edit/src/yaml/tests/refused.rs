//! What must not be edited, what must not be let through, and what must not take for ever.

use super::*;

#[test]
fn what_is_not_safe_is_refused_with_its_place() {
    let (goose, cont) = (goose(), cont());
    for (old, complaint) in [
        ("- a\n", "1:1: expected a mapping, found a list"),
        ("just text\n", "1:1: expected a mapping, found a string"),
        ("null\n", "1:1: expected a mapping, found null"),
        ("extensions: []\n", "1:13: `extensions` must be a mapping, and is a list"),
        ("extensions: no\n", "1:13: `extensions` must be a mapping, and is a string"),
        ("a: 1\nextensions: {}\na: 2\n", "3:1: a second `a` in the same mapping"),
        ("extensions:\n  'a': 1\n  \"\\x61\": 2\n", "3:3: a second `a` in the same mapping"),
        ("extensions:\n\ta: 1\n", "2:1: a tab in the indentation"),
        ("é: 1\nb:\t2\n", "2:3: a tab, where columns count"),
        ("a: 1\n---\nb: 2\n", "2:1: a second document in the same file"),
        ("a: 1\n...\nb: 2\n", "3:1: a second document in the same file"),
        ("...\n", "1:1: the end of a document that has not begun"),
        ("a: 1\n... b\n", "2:5: expected the end of the line"),
        ("a: 'b' c\n", "1:8: expected the end of the line"),
        ("a: 'b'#c\n", "1:7: expected the end of the line"),
        ("a: [b]#c\n", "1:7: expected the end of the line"),
        ("a: [b,#c\n  d]\n", "1:7: this cannot start a value"),
        ("a: {[b]: c}\n", "1:5: a list or mapping as a key"),
        ("a: &x 1\nb: {*x : c}\n", "2:5: an alias as a key"),
        ("|\n  a\n", "1:1: expected a mapping, found a string"),
        ("| a\n", "1:1: expected a mapping, found a string"),
        ("a: & b\n", "1:4: an odd anchor"),
        ("a: &b &c d\n", "1:7: an odd anchor"),
        ("a: &b#c d\n", "1:4: an odd anchor"),
        ("a: !b !c d\n", "1:7: an odd tag"),
        ("a: !!!b c\n", "1:4: an odd tag"),
        ("a: !! c\n", "1:4: an odd tag"),
        ("a: &x {}\nextensions: *x\n", "2:13: `extensions` must be a mapping, and is an alias"),
        ("extensions: &x {}\n", "1:13: an anchor, through which an edit would be seen elsewhere, too"),
        ("extensions: !!map {}\n", "1:13: a tag, which may give this another meaning"),
        ("a: &x {}\nextensions:\n  <<: *x\n", "3:3: a merge key, which not every reader takes for one"),
        ("extensions:\n  weather: &x 1\nb: *x\n", "3:4: this alias needs the entry that would change"),
        // Found by the generator: a name to us, and none to another reader.
        ("extensions:\n  ! weather: 1\n", "2:3: a tag, which may give this another meaning"),
        ("extensions:\n  a: &x 1\n  weather: *x\n", "3:12: an alias of another entry"),
        ("? a\n: b\n", "1:1: a key with a question mark"),
        ("?a: b\n", "1:1: this cannot start a value"),
        ("*x : b\n", "1:1: an alias as a key"),
        ("[a]: b\n", "1:1: a list or mapping as a key"),
        ("a: b: c\n", "1:5: a colon in a string without quotes"),
        ("a: 'b\n", "1:4: a quoted text that does not end"),
        ("a: \"\\q\"\n", "1:5: an unknown escape"),
        ("a: [b\n", "1:4: `[` without `]`"),
        ("a: {b c: d]\n", "1:11: expected `,` or `}`"),
        ("a: 1\n  b: 2\n", "2:4: a colon in a string without quotes"),
        ("a:\n    b: 1\n  c: 2\n", "3:3: this line is indented more than what it seems to belong to"),
        ("a: *b\n", "1:4: an alias of nothing that stands above it"),
        ("a: \u{1}\n", "1:4: the character U+0001, which not every reader takes"),
        ("a: 1\rb: 2\n", "1:5: the character U+000D, which not every reader takes"),
        ("%TAG ! x\n---\n", "1:1: a directive"),
        (
            "a: |\n  b",
            "2:4: a string that ends with the file, without a line end: what follows would change it",
        ),
        ("a: @b\n", "1:4: this cannot start a value"),
        ("a: 1\nb\n", "2:1: expected a key and a colon"),
        // Found by the fuzzer: read, but a comma changed what was there.
        ("{2 - # x\n}\n", "1:5: a comma behind this would not be read as one by everybody"),
        ("{a: x -\n  }\n", "1:5: a comma behind this would not be read as one by everybody"),
    ] {
        assert_eq!(refusal(old, map(&goose)), complaint, "{old:?}");
    }
    let key = "k".repeat(1001);
    assert_eq!(refusal(&format!("{key}: 1\n"), map(&goose)), "1:1: a very long key");
    round_trip(Some(&format!("{}: 1\n", &key[1..])), map(&goose));
    assert_eq!(
        refusal("mcpServers:\n  a: 1\n", list(&cont)),
        "2:3: `mcpServers` must be a list, and is a mapping"
    );
    assert_eq!(
        refusal("mcpServers:\n- name: weather\n- {name: weather}\n", list(&cont)),
        "3:3: a second `weather` in the same place"
    );
    let null = put(Some("extensions:\n  ~: 1\n"), map(&goose), "~", &Entry::new(), IfExists::Replace);
    assert_eq!(null.unwrap_err().to_string(), "2:3: a name that stands for nothing to some readers");
    assert_eq!(
        refusal("mcpServers:\n- name: !!str weather\n", list(&cont)),
        "2:9: a tag, which may give this another meaning"
    );
}

#[test]
fn the_last_look_sees_what_is_wrong() {
    let (goose, cont) = (goose(), cont());
    let look = |old: &str, new: &str, place: ServersPath<'_>, entry: Option<&Entry>| {
        let old = Tree::read(old).unwrap();
        check::verify_only_changed(&old, new, place, "weather", 2, entry).map_err(|err| err.to_string())
    };
    let (entry, old) =
        (object(json!({"a": "1"})), "x: |\n  t\nextensions:\n  b: [1, *c]\n".replace("*c", "c"));
    let with = |it: &str| format!("{old}  weather: {it}\n");
    assert_eq!(look(&old, &with("{a: '1', b: 2}"), map(&goose), Some(&entry)), Ok(()));
    assert_eq!(look(&with("x"), &old, map(&goose), None), Ok(()));
    for wrong in ["{a: 1}", "{b: '1'}", "[a]", ""] {
        let complaint = look(&old, &with(wrong), map(&goose), Some(&entry)).unwrap_err();
        assert!(complaint.contains("would not have written `extensions.weather`"), "{complaint}");
    }
    for (from, to) in [
        ("[1, c]", "[1, d]"),
        ("b:", "c:"),
        ("  t", "  t\n\n  t"),
        ("  t", "   t\n  "),
        ("x: |\n  t\n", ""),
        ("[1", "['1'"),
    ] {
        let wrong = with("{a: '1'}").replacen(from, to, 1);
        let complaint = look(&old, &wrong, map(&goose), Some(&entry)).unwrap_err();
        assert!(complaint.contains("more than `extensions.weather`"), "{wrong}: {complaint}");
    }
    for wrong in [
        "mcpServers:\n- name: weather\n",
        "mcpServers:\n- name: y\n- name: weather\n",
        "mcpServers:\n- name: x\n- z\n- name: weather\n",
    ] {
        assert!(
            look("mcpServers:\n- name: x\n", wrong, list(&cont), None).unwrap_err().contains("more than"),
            "{wrong}"
        );
    }
    for (old, wrong) in [
        ("mcpServers: []\n", "mcpServers: {}\na: 1\n"),
        ("mcpServers: [a, 1]\n", "mcpServers: {a: 1}\n"),
        ("a: 1\nmcpServers: []\n", "mcpServers: []\n"),
    ] {
        let seen = look(old, wrong, list(&cont), None);
        assert!(seen.is_err_and(|it| it.contains("more than")), "{old} -> {wrong}");
    }
}

#[test]
fn what_gave_way_brings_nothing_else_along() {
    let goose = goose();
    let back = |replaced| remove("extensions:\n  weather: 1\n", map(&goose), "weather", &[], Some(replaced));
    assert_eq!(back(": 2").unwrap().unwrap(), b"extensions:\n  weather: 2\n");
    for more in [": 2\n  b: 3", ": 2\nb: 3"] {
        let refused = back(more).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
        assert!(
            refused.what().contains("what `weather` had replaced does not fit here any more"),
            "{refused}"
        );
    }
}

/// That is no bug of ours.
#[test]
fn an_entry_that_no_file_could_hold_is_refused() {
    let goose = goose();
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let refused =
        put(None, map(&goose), "weather", &object(json!({"a": deep})), IfExists::Replace).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(refused.what().contains("nested too deeply"), "{refused}");
}

#[test]
fn bombs_do_not_go_off() {
    let goose = goose();
    for deep in ["[".repeat(200_000), "- ".repeat(200_000), "{a: ".repeat(100_000)] {
        assert!(refusal(&deep, map(&goose)).contains("nested too deeply"));
        refusal(&format!("a: {deep}"), map(&goose));
    }
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        bomb.push_str(&format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", ")));
    }
    round_trip(Some(&bomb), map(&goose));
    let inside = format!("{bomb}extensions:\n  x: *a11\n");
    assert!(
        entries(&inside, map(&goose)).unwrap_err().to_string().contains("aliases that stand for too much")
    );
    round_trip(Some(&inside), map(&goose));
    assert_eq!(refusal("x: &x\n  y: *x\n", map(&goose)), "2:6: an alias inside of what it stands for");
}

#[test]
fn what_gave_way_comes_back_only_where_it_fits() {
    let (goose, cont) = (goose(), cont());
    let back = |text: &str, place: ServersPath<'_>, replaced: &str| {
        let left = remove(text, place, "weather", &[], Some(replaced));
        left.map(|it| String::from_utf8(it.unwrap()).unwrap()).map_err(|err| err.to_string())
    };
    let block = ":\n    cmd: npx\n    args:\n      - w";
    assert_eq!(
        back("extensions:\n  weather:\n    cmd: docker\n", map(&goose), block),
        Ok(format!("extensions:\n  weather{block}\n"))
    );
    // Indented by four columns since, written on one line, and a list's item likewise.
    for (text, place, replaced) in [
        ("extensions:\n    weather:\n        cmd: docker\n    b: 1\n", map(&goose), block),
        ("extensions:\n    b: 1\n    weather:\n        cmd: docker\n", map(&goose), block),
        ("extensions: {b: 1, weather: {cmd: docker}}\n", map(&goose), block),
        ("mcpServers:\n    - name: weather\n    - name: b\n", list(&cont), "  - name: weather\n    cmd: npx"),
        ("mcpServers: [{name: weather}, {name: b}]\n", list(&cont), "  - name: weather\n    cmd: npx"),
    ] {
        let said = back(text, place, replaced).unwrap_err();
        assert!(said.contains("what `weather` had replaced does not fit here any more"), "{said}: {text}");
    }
}
