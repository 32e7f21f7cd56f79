//! Edits of hand-picked files; generated ones are in `property.rs`.

mod broken;
mod corners;
mod inline;
mod list;
mod strings;

use serde_json::json;

use super::*;
use crate::test_support::{self, entries, entry, object, put, remove, text};
use crate::{FileFormat, parse_entry, render_snippet};

fn place(at: &[String]) -> ServersPath<'_> {
    ServersPath::new(FileFormat::Toml, at)
}

fn servers() -> Vec<String> {
    vec!["mcp_servers".to_owned()]
}

fn nested() -> Vec<String> {
    vec!["mcp".to_owned(), "servers".to_owned()]
}

fn all(text: &str, at: &[String]) -> Vec<(String, Value)> {
    entries(text, place(at)).unwrap()
}

fn left(text: &str, at: &[String], created: &[CreatedParent], replaced: Option<&str>) -> Option<String> {
    test_support::left(text, place(at), created, replaced)
}

#[track_caller]
fn round_trip_with(old: Option<&str>, at: &[String], entry: &Entry) -> String {
    test_support::round_trip(old, place(at), entry)
}

#[track_caller]
fn round_trip(old: Option<&str>) -> String {
    round_trip_with(old, &servers(), &entry())
}

#[track_caller]
fn refusal(old: &str) -> String {
    test_support::refusal(old, place(&servers()), &entry()).to_string()
}

const OURS: &str = "[mcp_servers.weather]\ncommand = \"docker\"\nargs = [\"exec\", \"-i\", \"mcp-weather\", \"/mcp\", \"stdio\"]\n";
const INLINE: &str =
    "{ command = \"docker\", args = [\"exec\", \"-i\", \"mcp-weather\", \"/mcp\", \"stdio\"] }";

#[test]
fn no_file_and_an_empty_one() {
    assert_eq!(round_trip(None), OURS);
    assert_eq!(round_trip(Some("")), OURS);
    assert_eq!(round_trip(Some("\u{FEFF}")), format!("\u{FEFF}{OURS}"));
    assert_eq!(round_trip(Some("\r\n")), format!("{OURS}\n").replace('\n', "\r\n"));
    for blank in ["\n", " \r\n\t", "\u{FEFF}\n\n", "\n\n  "] {
        round_trip(Some(blank));
    }
    for commented in ["# mine\n", "\u{FEFF}# mine", "\n\n# mine\n\n\n"] {
        assert!(round_trip(Some(commented)).contains("# mine"));
    }
}

#[test]
fn the_layout_follows_the_file() {
    // Behind the last server, and before what else there is.
    assert_eq!(
        round_trip(Some(
            "model = \"x\"\n\n[mcp_servers.a]\nurl = \"u\"\n# off = 1\n\n# mine\n[profiles.p]\n"
        )),
        format!("model = \"x\"\n\n[mcp_servers.a]\nurl = \"u\"\n# off = 1\n\n{OURS}\n# mine\n[profiles.p]\n")
    );
    // A comment that leads on to the next table belongs to that.
    assert_eq!(
        round_trip(Some("[mcp_servers.a]\nurl = \"u\"\n# the rest\n[profiles.p]\n")),
        format!("[mcp_servers.a]\nurl = \"u\"\n{OURS}# the rest\n[profiles.p]\n")
    );
    // No final line end, and tables without gaps.
    assert_eq!(round_trip(Some("[a]\nb = 1\n[c]")), format!("[a]\nb = 1\n[c]\n{}", OURS.trim_end()));
    assert_eq!(round_trip(Some("a = 1")), format!("a = 1\n\n{}", OURS.trim_end()));
    let crlf = "a = 1\r\n\r\n[b]\r\n";
    assert_eq!(round_trip(Some(crlf)), format!("{crlf}{}", format!("\n{OURS}").replace('\n', "\r\n")));
}

#[test]
fn tables_of_an_entry_get_headers_unless_the_others_have_none() {
    let entry = object(json!({"command": "x", "env": {"A B": "1", "C": "2"}, "cwd": "/"}));
    assert_eq!(
        round_trip_with(Some("a = 1\n"), &servers(), &entry),
        "a = 1\n\n[mcp_servers.weather]\ncommand = \"x\"\ncwd = \"/\"\n\n[mcp_servers.weather.env]\n\"A B\" = \"1\"\nC = \"2\"\n"
    );
    assert_eq!(
        round_trip_with(Some("[mcp_servers.a]\nenv = { D = \"3\" }\n"), &servers(), &entry),
        "[mcp_servers.a]\nenv = { D = \"3\" }\n\n[mcp_servers.weather]\ncommand = \"x\"\n\
         env = { \"A B\" = \"1\", C = \"2\" }\ncwd = \"/\"\n"
    );
}

#[test]
fn an_entry_is_written_as_the_others_are() {
    for (old, new) in [
        (
            "[mcp_servers]\n  a = { url = \"u\" } # c\n\n[b]\n",
            "[mcp_servers]\n  a = { url = \"u\" } # c\n  weather = INLINE\n\n[b]\n",
        ),
        (
            "mcp_servers.a.url = \"u\"\nb = 1\n",
            "mcp_servers.a.url = \"u\"\nmcp_servers.weather = INLINE\nb = 1\n",
        ),
        ("mcp_servers = { a = { url = \"u\" } }", "mcp_servers = { a = { url = \"u\" }, weather = INLINE }"),
        ("mcp_servers = {} # c\n", "mcp_servers = { weather = INLINE } # c\n"),
        ("mcp_servers = { a = 1,\n }\n", "mcp_servers = { a = 1, weather = INLINE,\n }\n"),
        ("mcp_servers = { # c\n }\n", "mcp_servers = { weather = INLINE # c\n }\n"),
        ("[mcp_servers]\n\n[b]\n", "[mcp_servers]\n\nOURS\n[b]\n"),
        ("[mcp_servers.a.env]\nb = 1\n", "[mcp_servers.a.env]\nb = 1\n\nOURS"),
        ("[[mcp_servers.a.tools]]\n[mcp_servers]\n", "[[mcp_servers.a.tools]]\n[mcp_servers]\nOURS"),
    ] {
        let new = new.replace("INLINE", INLINE).replace("OURS", OURS);
        assert_eq!(round_trip(Some(old)), new);
    }
    for old in [
        "mcp = {}",
        "mcp = { servers = {} }",
        "mcp.servers = { a = 1 }",
        "[mcp]\nservers.a.b = 1\n",
        "[mcp]\n",
    ] {
        round_trip_with(Some(old), &nested(), &entry());
    }
}

#[test]
fn odd_but_legal_files_are_edited() {
    for old in [
        "a = 0xDEAD_BEEF\nb = 99999999999999999999\nc = 1979-05-27T07:32:00Z\nd = nan\n",
        "a = \"\"\"\n[mcp_servers.weather]\n\"\"\"\n",
        "a = '''\n# ''' # '''\n[b]",
        "a = [ # [\n[\"]\"],\n]\n",
        "\"mcp\\u005fservers\".x.y = 1\n",
        "[ mcp_servers . 'x' ] # c\n",
        "[\"mcp_servers\".x.y]\n[mcp_servers.x]\n",
        "a.b.c = 1\na.d = 2\n[a.e]\n[[f]]\n[f.g]\n[[f]]\n[f.g]\n",
        "a = 1\r\n\n[b]\n\r\n",
    ] {
        round_trip(Some(old));
    }
    let name = "Context7 MCP (Docker exec) \"\\ \u{2028}";
    let new = put(Some("a = 1"), place(&servers()), name, &entry(), IfExists::Replace).unwrap();
    assert!(text(&new).contains(r#"[mcp_servers."Context7 MCP (Docker exec) \"\\ \u2028"]"#));
    assert_eq!(all(text(&new), &servers()), [(name.to_owned(), Value::Object(entry()))]);
}

#[test]
fn what_the_client_could_not_read_is_refused_with_its_place() {
    assert_eq!(refusal("a = 1\nb = = 2\n"), "2:5: extra `=`, expected nothing");
    assert_eq!(
        refusal("[mcp_servers.a]\né = 1\n"),
        "2:1: invalid unquoted key, expected letters, numbers, `-`, `_`"
    );
    assert_eq!(refusal("[b]\na = 1\na = 2\n"), "3:1: duplicate key");
    assert_eq!(refusal("[b]\n[c]\n  [b]\n"), "3:4: a second `b` in the same table");
    assert_eq!(refusal("[b.c]\n[b]\nc = 1\n"), "3:1: a second `c` in the same table");
    assert_eq!(
        refusal("a = {}\n[a.b]\n"),
        "2:2: `a` cannot be extended: it is complete where it first stands"
    );
    assert_eq!(refusal("mcp_servers = []\n"), "1:15: `mcp_servers` must be a table, and is a list");
    assert_eq!(refusal("# é\nmcp_servers = 'x'"), "2:15: `mcp_servers` must be a table, and is a string");
    assert_eq!(
        refusal("a = 1\n\n[[mcp_servers]]\nname = 'x'\n"),
        "3:3: `mcp_servers` must be a table, and is an array of tables"
    );
    assert_eq!(
        refusal("[mcp_servers.weather]\n[mcp_servers.x]\n[mcp_servers.weather.env]\n"),
        "3:1: `weather` is in several places, and goes on here: bring it together first"
    );
    assert_eq!(
        refusal("mcp_servers = { weather.a = 1 }"),
        "1:29: `weather` is made of keys with dots in an inline table: write it as one table"
    );
    assert_eq!(refusal("a = [1, 1_0/]\n"), "1:9: this is no number");
    assert_eq!(refusal("a = 1e400\n"), "1:5: this is no number");
    for broken in [
        "[",
        "a",
        "a = ",
        "[a]]",
        "a = \"",
        "'''",
        "a = 1 b = 2",
        "a = {",
        "\u{FEFF}\u{FEFF}",
        "a\0 = 1",
        "a = 1\rb = 2",
    ] {
        refusal(broken);
    }
    refusal(&format!("a = {}", "[".repeat(100_000)));
    refusal(&format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)));
    refusal(&format!("{}a = 1", "a.".repeat(100_000)));
    refusal(&format!("[{}a]", "a.".repeat(100_000)));
    let err =
        put(None, place(&servers()), "x", &object(json!({"a": [null]})), IfExists::Replace).unwrap_err();
    assert!(err.to_string().contains("no null"), "{err}");
}

#[test]
fn an_update_keeps_what_the_user_added() {
    let written =
        object(json!({"command": "docker", "args": ["old"], "type": "stdio", "env": {"A": "1", "B": "2"}}));
    let wanted =
        object(json!({"command": "docker", "args": ["new"], "env": {"A": "1", "C": "3"}, "cwd": "/"}));
    let update = |old: &str| {
        let new = put(Some(old), place(&servers()), "weather", &wanted, IfExists::Update(&written)).unwrap();
        assert!(new.replaced.is_none() && new.created.is_empty());
        text(&new).to_owned()
    };
    assert_eq!(
        update(
            "[mcp_servers.weather]\ncommand = 'docker' # the engine\nargs = [\n  \"old\", # why\n]\ntype = \"stdio\" # mine\n\
             enabled = false\n\n[mcp_servers.weather.env] # keys\nA = \"1\"\nB = \"2\"\nMINE = \"x\"\n\n[z]\n"
        ),
        "[mcp_servers.weather]\ncommand = 'docker' # the engine\nargs = [\"new\"]\n# mine\nenabled = false\ncwd = \"/\"\n\n\
         [mcp_servers.weather.env] # keys\nA = \"1\"\nMINE = \"x\"\nC = \"3\"\n\n[z]\n"
    );
    assert_eq!(
        update(
            "mcp_servers = { weather = { env = { B = '2', MINE = 1 }, args = ['old'], command = 'docker', on = true } }"
        ),
        "mcp_servers = { weather = { env = { MINE = 1, A = \"1\", C = \"3\" }, args = [\"new\"], command = 'docker', on = true, cwd = \"/\" } }"
    );
    assert_eq!(
        update(
            "mcp_servers.weather.env.B = \"2\"\nmcp_servers.weather.env.MINE = 1\nmcp_servers.weather.type = 'stdio'"
        ),
        "mcp_servers.weather.env.MINE = 1\nmcp_servers.weather.env.A = \"1\"\nmcp_servers.weather.env.C = \"3\"\n\
         mcp_servers.weather.command = \"docker\"\nmcp_servers.weather.args = [\"new\"]\nmcp_servers.weather.cwd = \"/\""
    );
    assert_eq!(
        update("[mcp_servers.weather.env]\nA = \"1\"\n"),
        "[mcp_servers.weather.env]\nA = \"1\"\nC = \"3\"\n\n[mcp_servers.weather]\ncommand = \"docker\"\nargs = [\"new\"]\ncwd = \"/\"\n"
    );
    assert_eq!(
        update("[mcp_servers]\nweather = 1\n"),
        "[mcp_servers]\nweather = { command = \"docker\", args = [\"new\"], env = { A = \"1\", C = \"3\" }, cwd = \"/\" }\n"
    );
}

#[test]
fn an_unmanaged_entry_that_gave_way_comes_back() {
    for (unmanaged, value) in [
        (
            "[mcp_servers.weather] # c\ncommand = 'mine'\n\n# keys\n[mcp_servers.weather.env]\nA = 1\n# end\n\n[b]\n",
            json!({"command": "mine", "env": {"A": 1}}),
        ),
        ("[[mcp_servers.weather]]\na = 1\n[[mcp_servers.weather]]", json!([{"a": 1}, {}])),
        ("[mcp_servers]\nweather = [\"mcp_servers\"]\n", json!(["mcp_servers"])),
        (
            "[mcp_servers]\nweather.a = 1 # c\n# d\n  weather.b = 1979-05-27\nx = 1",
            json!({"a": 1, "b": "1979-05-27"}),
        ),
        ("mcp_servers.weather.a.b = inf\n", json!({"a": {"b": "inf"}})),
        ("mcp_servers = { weather = { a = 1 }, x = 1 }\n", json!({"a": 1})),
        ("[mcp_servers.weather]", json!({})),
    ] {
        let new = put(Some(unmanaged), place(&servers()), "weather", &entry(), IfExists::Replace).unwrap();
        assert_eq!(
            parse_entry(new.replaced.as_deref().unwrap(), place(&servers())).unwrap(),
            value,
            "{unmanaged}"
        );
        round_trip(Some(unmanaged));
    }
}

#[test]
fn what_is_not_ours_stays_when_ours_goes() {
    for (old, kept) in [
        ("# above\n[mcp_servers.weather]\na = 1\n# of the next\n[b]\n", "# above\n# of the next\n[b]\n"),
        ("[mcp_servers.weather]\na = 1\n\n# of the next\n[b]\n", "\n# of the next\n[b]\n"),
        ("a = 1\n\n[mcp_servers.weather]\n[b]\n", "a = 1\n\n[b]\n"),
        ("[mcp_servers]\nweather = 1 # mine\nx = 1\n", "[mcp_servers]\n# mine\nx = 1\n"),
        ("[mcp_servers.weather]\n[x]\n[mcp_servers.weather.env]\na = 1\n# end\n", "[x]\n# end\n"),
        ("mcp_servers = { a = 1, # c\n weather = 2, # d\n}", "mcp_servers = { a = 1 # c\n , # d\n}"),
        ("mcp_servers.weather.a = 1\nmcp_servers.weather.b = 1\nc = 1\n", "\nc = 1\n"),
    ] {
        assert_eq!(left(old, &servers(), &[], None).unwrap(), kept);
    }
    let created = [CreatedParent { path: Vec::new(), previous: PreviousState::Missing }];
    assert_eq!(left(&format!("# note\n{OURS}"), &servers(), &created, None).unwrap(), "# note\n");
    assert_eq!(left("a = 1\n", &servers(), &created, None).unwrap(), "a = 1\n");
}

#[test]
fn entries_leave_in_any_order() {
    for old in [
        None,
        Some(""),
        Some("\n"),
        Some("a = 1"),
        Some("[a]\n[b]\n"),
        Some("[mcp_servers.x]\na = 1\n\n# c\n[y]\n"),
        Some("mcp_servers = {}"),
    ] {
        for order in [["one", "two"], ["two", "one"]] {
            let at = servers();
            let first = put(old, place(&at), "one", &entry(), IfExists::Replace).unwrap();
            let both = put(Some(text(&first)), place(&at), "two", &entry(), IfExists::Replace).unwrap();
            assert_eq!(both.created, []);
            let left = remove(text(&both), place(&at), order[0], &[], None).unwrap().unwrap();
            let left = String::from_utf8(left).unwrap();
            let back = remove(&left, place(&at), order[1], &first.created, None).unwrap();
            assert_eq!(back.map(|it| String::from_utf8(it).unwrap()).as_deref(), old);
        }
    }
}

#[test]
fn entries_are_read_as_json() {
    assert_eq!(
        all(
            "mcp_servers.a.b = 0x10\n[mcp_servers.c]\nd = [1.5, inf, 07:32:00, { e.f = true }]\n[[mcp_servers.g]]\n",
            &servers()
        ),
        [
            ("a".to_owned(), json!({"b": 16})),
            ("c".to_owned(), json!({"d": [1.5, "inf", "07:32:00", {"e": {"f": true}}]})),
            ("g".to_owned(), json!([{}])),
        ]
    );
    assert_eq!(all("mcp = { servers = { a = {} } }", &nested()), [("a".to_owned(), json!({}))]);
    let (one, two) = (entry(), object(json!({"url": "u", "headers": {"a": "b"}})));
    assert_eq!(
        render_snippet(place(&servers()), &[("weather", &one), ("x y", &two)]),
        format!("{OURS}\n[mcp_servers.\"x y\"]\nurl = \"u\"\n\n[mcp_servers.\"x y\".headers]\na = \"b\"\n")
    );
}

#[test]
fn ten_thousand_entries_are_no_trouble() {
    let all: Vec<String> =
        (0..10_000).map(|n| format!("[mcp_servers.server-{n}]\ncommand = \"x\"\n")).collect();
    round_trip(Some(&all.join("\n")));
    let all: Vec<String> = (0..10_000).map(|n| format!("server-{n} = {{ command = \"x\" }}\n")).collect();
    round_trip(Some(&format!("[mcp_servers]\n{}", all.concat())));
}
