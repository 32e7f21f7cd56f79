//! Corners of the layout, each of which somebody's file has.
//!
//! Hand-picked text + place -> the text with an entry, or without. Invariant: not a byte of anybody else's changes.

use super::*;
use crate::Layout;

#[test]
fn an_entry_of_several_lines_gives_way_only_if_nothing_stands_between() {
    let new = round_trip(Some("[mcp_servers]\nweather.a = 1\n\n  # mine\n  weather.c = 2\n"));
    assert_eq!(new, format!("[mcp_servers]\nweather = {INLINE}\n"));
    assert_eq!(
        refusal("[mcp_servers]\nweather.a = 1\nx.b = 1\n  weather.c = 2\n"),
        "4:3: `weather` is in several places, and goes on here: bring it together first"
    );
}

#[test]
fn keys_with_dots_have_a_limit_each() {
    assert_eq!(refusal(&format!("a{} = 1\n", ".a".repeat(81))), "1:162: too many keys with dots");
    round_trip(Some(&format!("a{} = 1\n", ".a".repeat(70))));
    let many: Vec<String> = (0..100).map(|n| format!("a.b{n} = 1")).collect();
    round_trip(Some(&format!("x = {{ {} }}\n", many.join(", "))));
    round_trip(Some("[a.b.c]\n[a]\nb.d = 1\n"));
}

#[test]
fn what_gave_way_comes_back_only_where_it_fits() {
    let at = servers();
    let back = |text: &str, place: ServersPath<'_>, replaced: &str| {
        let left = remove(text, place, "weather", &[], Some(replaced));
        left.map(|it| String::from_utf8(it.unwrap()).unwrap()).map_err(|err| err.to_string())
    };
    let fits = back("[mcp_servers]\nweather = 1\n", place(&at), "{ a = 2 }");
    assert_eq!(fits.unwrap(), "[mcp_servers]\nweather = { a = 2 }\n");
    let list = ServersPath { layout: Layout::List, ..place(&at) };
    let item = "mcp_servers = [{ name = 'weather' }]";
    for (text, place, replaced) in [
        ("[mcp_servers]\nweather.a = 1\n", place(&at), "1"),
        (item, list, "[[mcp_servers]]\nname = 'weather'\n"),
        (item, list, "1"),
        // Written on one line since.
        ("mcp_servers = { weather = { a = 1 } }\n", place(&at), "[mcp_servers.weather]\na = 2\nb = 3"),
    ] {
        assert!(back(text, place, replaced).unwrap_err().contains("does not fit here any more"), "{text}");
    }
}

#[test]
fn a_comment_and_blank_lines_stay_where_they_are() {
    let at = servers();
    let left = left("[mcp_servers]\n  weather = 1 # mine\n", &at, &[], None);
    assert_eq!(left.as_deref(), Some("[mcp_servers]\n  # mine\n"));
    assert_eq!(round_trip(Some("  \n")), format!("{OURS}  \n"));
    let list = ServersPath { layout: Layout::List, ..place(&at) };
    let (old, entry) =
        ("mcp_servers = [\r\n  { name = 'x' },\r\n  { name = 'y' }\r\n]", object(json!({"a": 1})));
    let new = put(Some(old), list, "weather", &entry, IfExists::Replace).unwrap();
    assert_eq!(text(&new), old.replace("'y' }", "'y' },\r\n  { name = \"weather\", a = 1 }"));
}

#[test]
fn new_fields_are_written_as_the_entry_is() {
    let at = servers();
    let wanted = object(json!({"a": 1, "env": {"A": {"B": 1}}, "c": {"D": {}}}));
    let tables = "\n[mcp_servers.weather.env]\nA = { B = 1 }\n\n[mcp_servers.weather.c]\nD = {}\n";
    for (old, new) in [
        ("[mcp_servers.weather]\na = 1\n", format!("[mcp_servers.weather]\na = 1\n{tables}")),
        (
            "[mcp_servers.weather.x]\ny = 1\n",
            format!("[mcp_servers.weather.x]\ny = 1\n\n[mcp_servers.weather]\na = 1\n{tables}"),
        ),
        (
            "[mcp_servers]\nweather.x.y = 1\n",
            "[mcp_servers]\nweather.x.y = 1\nweather.a = 1\nweather.env = { A = { B = 1 } }\nweather.c = { D = {} }\n"
                .to_owned(),
        ),
        (
            "[mcp_servers.weather]\na = 1\nenv = { C = 1 }\n",
            "[mcp_servers.weather]\na = 1\nenv = { C = 1, A = { B = 1 } }\n\n[mcp_servers.weather.c]\nD = {}\n".to_owned(),
        ),
    ] {
        assert_eq!(test_support::updated(old, place(&at), &Entry::new(), &wanted), new, "{old}");
    }
}

#[test]
fn a_file_goes_only_if_there_was_none() {
    let at = servers();
    let created = |path: &[String], previous| [CreatedParent { path: path.to_vec(), previous }];
    assert_eq!(left(OURS, &at, &created(&[], PreviousState::Missing), None), None);
    for others in [created(&[], PreviousState::Blank(String::new())), created(&at, PreviousState::Missing)] {
        assert_eq!(left(OURS, &at, &others, None).as_deref(), Some(""), "{others:?}");
    }
}
