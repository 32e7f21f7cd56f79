//! What must not happen: broken files, and edits that would break one.

use serde_json::json;

use super::*;
use crate::property::Rng;

#[test]
fn the_last_look_sees_what_an_edit_would_spoil() {
    let at = servers();
    let sees_at = |place: ServersPath<'_>, old: &str, new: &str| {
        let (target, wanted) = (Target::of(place, "weather"), json!({"a": 1}));
        let seen = check::verify_only_changed(&Doc::parse(old).unwrap(), new, &target, Some(&wanted));
        seen.unwrap_err().to_string()
    };
    let sees = |old: &str, new: &str| sees_at(place(&at), old, new);
    let ours = "[mcp_servers.weather]\na = 1\n";
    for (old, new) in [
        ("x = 1\n", "x = 2\n"),
        ("x = 1\n", "x = 0x1\n"),
        ("x = 1\n", ""),
        ("", "x = 1\n"),
        ("x = 1\ny = 1\n", "y = 1\nx = 1\n"),
        ("[x]\ny = 1\n", "x.y = 1\n"),
        ("[mcp_servers]\n", ""),
        ("[[x]]\n[[x]]\ny = 1\n", "[[x]]\ny = 1\n[[x]]\n"),
        ("[mcp_servers.x]\n", "[mcp_servers.y]\n"),
    ] {
        assert!(sees(old, &format!("{new}{ours}")).contains("changed more than"), "{old} -> {new}");
    }
    let inline = |other: &str| format!("mcp_servers = {{ {other}weather = {{ a = 1 }} }}");
    assert!(sees("mcp_servers = { x = 1 }", &inline("x = 2, ")).contains("changed more than"));
    assert!(sees("mcp_servers = { x = 1 }", &inline("")).contains("changed more than"));
    for other in ["x = {y = 1}, ", "x = { y = 1, z = {} }, ", "x.y = 1, ", "x = { y = 1 }, z = {}, "] {
        let seen = sees("mcp_servers = { x = { y = 1 } }", &inline(other));
        assert!(seen.contains("changed more than"), "{other}: {seen}");
    }
    assert!(sees("x = 1\n", "x = 1\n[mcp_servers.weather]\na = 2\n").contains("as meant"));
    assert!(sees("x = 1\n", "x = 1\n[x]\n").contains("broken the file"));
    let list = ServersPath { layout: Layout::List, ..place(&at) };
    let ours = "[[mcp_servers]]\nname = 'weather'\na = 1\n";
    let theirs = "[[mcp_servers]]\nname = 'x'\n";
    for (old, new) in [
        (theirs, "[[mcp_servers]]\nname = 'y'\n"),
        (theirs, "[[mcp_servers]]\n"),
        (theirs, ""),
        ("mcp_servers = [{ name = 'x' }]", "mcp_servers = [{ name = 'y' }, { name = 'weather', a = 1 }]"),
        ("mcp_servers = [1, 2]", "mcp_servers = [2, 1, { name = 'weather', a = 1 }]"),
    ] {
        let new = if new.contains("weather") { new.to_owned() } else { format!("{new}{ours}") };
        assert!(sees_at(list, old, &new).contains("changed more than"), "{old} -> {new}");
    }
    assert!(sees_at(list, "", "[[mcp_servers]]\nname = 'weather'\na = 2\n").contains("as meant"));
}

/// What is checked table by table is what the `toml` crate says about the whole.
#[test]
fn the_same_files_are_valid_as_for_the_parser_alone() {
    const PIECES: &[&str] = &[
        "[a]",
        "[b]",
        "[a.b]",
        "[a.b.c]",
        "[[a]]",
        "[[a.b]]",
        "[[b]]",
        "[b.a]",
        "a = 1",
        "b = 1",
        "a.b = 1",
        "a.b.c = 1",
        "b.a = {}",
        "a = {}",
        "b = [{}]",
        "c = 1",
        "c.a = 1",
        "# [a]",
        "",
        "[a] # c",
        "a = '''\n[a]'''",
        "a = [\n]",
        "]",
        "[",
        "}",
        "\r",
        "a = { b = 1, b = 2 }",
        "a = { b.c = 1, b = 2 }",
        "'a' . \"b\" = 1",
        "x = 2021-02-31",
        "x = 0x",
        "x = [{ y = 1_000/ }]",
        "x = 0b2",
        "x = 1e",
        "x = -0xF",
        "x = 1__0",
        "x = .5",
    ];
    let mut valid = 0;
    for seed in 1..=20_000 {
        let mut rng = Rng::new(seed);
        let lines: Vec<&str> = (0..1 + rng.roll(6)).map(|_| rng.pick(PIECES)).collect();
        let text = lines.join(rng.pick(&["\n", "\n", "\r\n"]));
        let ours = Doc::parse(&text).map(|doc| value::value(&doc, ROOT));
        // Its own checks of debug builds panic in some broken files.
        let theirs = std::panic::catch_unwind(|| toml::from_str::<toml::Table>(&text).ok()).unwrap_or(None);
        assert_eq!(ours.is_ok(), theirs.is_some(), "{seed}: {ours:?}\n{text}");
        if let (Ok(ours), Some(theirs)) = (ours, theirs) {
            assert_eq!(ours, serde_json::to_value(theirs).unwrap(), "{text}");
            valid += 1;
        }
    }
    assert!(valid > 2_000, "too few are valid to say anything: {valid}");
}

/// `DRYDOCK_CASES` is how many are tried.
#[test]
fn broken_files_are_refused_or_edited_but_never_spoiled() {
    let cases = std::env::var("DRYDOCK_CASES").map_or(5_000, |it| it.parse().unwrap());
    let (mut refused, mut edited) = (0, 0);
    for seed in 1..=cases {
        let mut rng = Rng::new(seed);
        let kind = &generate::KINDS[rng.roll(generate::KINDS.len())];
        let mut bytes = (kind.generate)(&mut rng).into_bytes();
        for _ in 0..rng.roll(4) {
            let at = rng.roll(bytes.len() + 1);
            match rng.roll(4) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, b"[]{}=.,#\"'\n\r \\a1"[rng.roll(16)]),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.get_mut(at).into_iter().for_each(|it| *it ^= 1 << rng.roll(8)),
            }
        }
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let at: Vec<String> = kind.at.iter().map(|it| (*it).to_owned()).collect();
        match put(Some(&text), place(&at), "weather", &entry(), IfExists::Replace) {
            Ok(_) => {
                round_trip_with(Some(&text), &at, &entry());
                edited += 1;
            }
            Err(err) => {
                assert!(err.position().is_some(), "{err}:\n{text}");
                refused += 1;
            }
        }
    }
    assert!(refused > cases / 10 && edited > cases / 10, "{refused} refused, {edited} edited");
}
