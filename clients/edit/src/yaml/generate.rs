//! Awkward but valid YAML, as clients and people leave it.
//!
//! Rng -> a file. Invariant: what is generated is read by YAML 1.1 and 1.2 parsers alike; no name is given twice in a
//! mapping.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use serde_norway::Value as Yaml;

use crate::property::{Kind, Rng};
use crate::{Entry, FileFormat, Layout, ServersPath};

pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "yaml",
        at: &["extensions"],
        place: |at| place(at, Layout::Map),
        generate: |rng| Generator::new(rng, Layout::Map).file(&["extensions"]),
        second,
    },
    Kind {
        name: "yaml, list",
        at: &["mcpServers"],
        place: |at| place(at, Layout::List),
        generate: |rng| Generator::new(rng, Layout::List).file(&["mcpServers"]),
        second,
    },
    Kind {
        name: "yaml, nested",
        at: &["mcp", "servers"],
        place: |at| place(at, Layout::Map),
        generate: |rng| Generator::new(rng, Layout::Map).file(&["mcp", "servers"]),
        second,
    },
];

pub(super) fn place(at: &[String], layout: Layout) -> ServersPath<'_> {
    static NEW_FILE: LazyLock<Entry> = LazyLock::new(|| {
        let entry = json!({"name": "Local Config", "version": "1.0.0", "schema": "v1"});
        entry.as_object().expect("an object").clone()
    });
    let new_file = (layout == Layout::List).then(|| &*NEW_FILE);
    ServersPath { layout, new_file, ..ServersPath::new(FileFormat::Yaml, at) }
}

/// What libyaml reads, which Goose is built on.
pub(super) fn second(text: &str) -> Value {
    let text = text.trim_start_matches('\u{FEFF}'); // which libyaml does not take before a directive
    let read = serde_norway::from_str::<Yaml>(text).unwrap_or_else(|err| panic!("{err}:\n{text}"));
    value(&read)
}

fn value(it: &Yaml) -> Value {
    match it {
        Yaml::Null => Value::Null,
        Yaml::Bool(it) => (*it).into(),
        Yaml::Number(it) => it
            .as_i64()
            .map(Value::from)
            .unwrap_or_else(|| it.as_u64().map_or_else(|| format!("{it}").into(), Value::from)),
        Yaml::String(it) => it.as_str().into(),
        Yaml::Sequence(all) => all.iter().map(value).collect(),
        Yaml::Mapping(all) => {
            let members = all.iter().map(|(key, it)| {
                let key = value(key);
                (key.as_str().map_or_else(|| key.to_string(), str::to_owned), value(it))
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        Yaml::Tagged(it) => json!([it.tag.to_string(), value(&it.value)]),
    }
}

const KEYS: &[&str] = &[
    "weather",
    "a",
    "'a b'",
    "x.y",
    "\"Z\\u00fcrich\"",
    "ключ",
    "\"\"",
    "GOOSE_MODEL",
    "a#b",
    "'it''s'",
    "-x",
    "a:b",
];

const PLAIN: &[&str] = &[
    "x",
    "~",
    "null",
    "true",
    "0x1F",
    "-1.5e+3",
    "2026-11-23",
    "a b",
    "http://x/y?z=1#2",
    "it's",
    "a\\b",
    "-- x",
    "C:\\x",
    "gpt-4o",
    "${{ secrets.KEY }}",
    "don\"t",
    "Zürich \u{1F326}",
    "1_000",
    "x: y",
];

const QUOTED: &[&str] = &[
    "\"\"",
    "''",
    "'it''s'",
    "\"a\\\"b\\\\ \\u2028\\x41\"",
    "'# no comment'",
    "\"key: value\"",
    "'{'",
    "'- x'",
    "\"\\ \\t\"",
    "'weather: {}'",
];

struct Generator<'d> {
    rng: &'d mut Rng,
    layout: Layout,
    line: &'static str,
    /// Comments, and values of several lines.
    calm: bool,
    step: usize,
    dash: usize,
    anchors: usize,
}

impl<'d> Generator<'d> {
    fn new(rng: &'d mut Rng, layout: Layout) -> Self {
        let line = ["\n", "\r\n", "\n"][rng.roll(3)];
        let (calm, step, dash) =
            (rng.roll(3) == 0, [2, 2, 4, 1, 3][rng.roll(5)], [0, 2, 2, 4, 1][rng.roll(5)]);
        Self { rng, layout, line, calm, step, dash, anchors: 0 }
    }

    fn file(mut self, path: &[&str]) -> String {
        let bom = self.rng.pick(&["", "", "", "\u{FEFF}"]);
        let start =
            self.rng.pick(&["", "", "", "--- # start\n", "%YAML 1.2\n---\n", "---\n", "# top\n", "\n"]);
        let start = start.replace('\n', self.line);
        let body = match self.rng.roll(12) {
            0 => String::new(),
            1 => format!("{}{}", self.flow_map(path), self.line),
            _ => {
                let there = [path.len(), path.len(), 0, self.rng.roll(path.len() + 1)][self.rng.roll(4)];
                let indent = if self.rng.roll(10) == 0 { 2 } else { 0 };
                self.map(indent, 0, &path[..there], there == path.len())
            }
        };
        let mut text = format!("{start}{body}{}", self.gap(0));
        let has_begun = start.contains("---") || !body.is_empty();
        match self.rng.roll(8) {
            0 | 1 if !has_begun => {}
            0 => text.push_str(&format!("...{}", self.line)),
            1 => text.push_str(&format!("...{}# end{0}", self.line)),
            // A block text that ends with the file would be changed by what follows.
            2 if !text.contains(['|', '>']) => text.truncate(text.trim_end_matches(['\r', '\n']).len()),
            _ => {}
        }
        format!("{bom}{text}")
    }

    /// Lines that mean nothing.
    fn gap(&mut self, column: usize) -> String {
        if self.calm || self.rng.roll(3) > 0 {
            return String::new();
        }
        let note = self.rng.pick(&["#", "# weather: {}", "#- name: weather", "# it's \"", "#\t|", "# é"]);
        let indent = " ".repeat([0, column, column + 1, column + 4][self.rng.roll(4)]);
        match self.rng.roll(3) {
            0 => self.line.to_owned(),
            1 => format!("{indent}{note}{}", self.line),
            _ => format!("{}{indent}{note}{0}  {0}", self.line),
        }
    }

    /// The rest of a line behind a value.
    fn end(&mut self) -> String {
        let rest = if self.calm { "" } else { self.rng.pick(&["", "", "", " ", " # note", "  #"]) };
        format!("{rest}{}", self.line)
    }

    /// The members of a mapping, each on lines of its own; the last one of the path holds entries.
    fn map(&mut self, column: usize, depth: usize, path: &[&str], whole: bool) -> String {
        let mut keys: Vec<&str> = Vec::new();
        for _ in 0..self.rng.roll(4) {
            let key = self.rng.pick(KEYS);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let at = self.rng.roll(keys.len() + 1);
        if let Some(key) = path.first() {
            keys.insert(at, key);
        }
        if keys.is_empty() {
            keys.push("z");
        }
        let mut out = String::new();
        for (n, key) in keys.iter().enumerate() {
            out.push_str(&self.gap(column));
            let blank = if self.calm { "" } else { self.rng.pick(&["", "", " "]) };
            out.push_str(&format!("{}{key}{blank}:", " ".repeat(column)));
            out.push_str(&match path.split_first() {
                Some((_, rest)) if n == at && rest.is_empty() && whole => self.servers(column, depth),
                Some((_, rest)) if n == at => self.holder(column, depth, rest, whole),
                _ => self.value(column, depth + 1),
            });
        }
        out
    }

    /// The mapping on the resolved to our place, on the lines below its key.
    fn holder(&mut self, column: usize, depth: usize, rest: &[&str], whole: bool) -> String {
        match self.rng.roll(6) {
            0 => self.end(),
            1 => format!(" {}{}", self.flow_map(rest), self.end()),
            _ => format!("{}{}", self.end(), self.map(column + self.step, depth + 1, rest, whole)),
        }
    }

    fn servers(&mut self, column: usize, depth: usize) -> String {
        let list = self.layout == Layout::List;
        match self.rng.roll(6) {
            0 => self.end(),
            1 => format!(" ~{}", self.end()),
            2 => format!(" {}{}", if list { "[]" } else { "{}" }, self.end()),
            3 if list => format!(" [{}{}]{}", self.pad(), self.flow_item(), self.end()),
            3 => format!(" {}{}", self.flow_map(&[]), self.end()),
            _ if list => self.list(column, depth, true),
            _ => format!("{}{}", self.end(), self.map(column + self.step, depth + 1, &[], false)),
        }
    }

    fn flow_item(&mut self) -> String {
        format!("{{name: {}, command: x}}", self.rng.pick(&["weather", "'a b'", "\"x\"", "'3'"]))
    }

    fn list(&mut self, column: usize, depth: usize, servers: bool) -> String {
        let column = column + self.dash;
        let mut out = self.end();
        for n in 0..1 + self.rng.roll(3) {
            out.push_str(&self.gap(column));
            let dash = format!("{}-", " ".repeat(column));
            out.push_str(&match self.rng.roll(if servers { 5 } else { 8 }) {
                0 => format!("{dash}{}", self.end()),
                1 if servers => format!("{dash} {}{}", self.flow_item(), self.end()),
                _ if servers => {
                    let name = self.rng.pick(&["weather", "'a b'", "x.y", "'3'"]);
                    let name = if n == 0 { name.to_owned() } else { format!("s{n}") };
                    let deep = " ".repeat(column + 2);
                    match self.rng.roll(3) {
                        0 => {
                            let end = self.end();
                            format!("{dash} name: {name}{end}{}", self.map(column + 2, depth + 1, &[], false))
                        }
                        1 => format!("{dash}  first: 1{}{deep} name: {name}{}", self.end(), self.end()),
                        _ => {
                            let end = self.end();
                            let fields = self.map(column + 2, depth + 1, &[], false);
                            format!("{dash}{end}{fields}{deep}name: {name}{end}")
                        }
                    }
                }
                1 => format!("{dash} - x{}{} - y{0}", self.line, " ".repeat(column + 1)),
                2 => format!("{dash} k: v{}{}l: w{0}", self.line, " ".repeat(column + 2)),
                _ => format!("{dash}{}", self.value(column, depth + 3)),
            });
        }
        out
    }

    /// Behind a colon or a dash, to the end of the line or of the lines.
    fn value(&mut self, column: usize, depth: usize) -> String {
        let deep = " ".repeat(column + self.step);
        let line = self.line;
        match self.rng.roll(if self.calm {
            7
        } else if depth > 2 {
            12
        } else {
            15
        }) {
            0 => self.end(),
            1..=3 => {
                let text = self.rng.pick(PLAIN);
                let text = if text == "x: y" { "x" } else { text };
                let tab = if !self.calm && self.rng.roll(9) == 0 { "\t" } else { "" };
                format!(" {text}{tab}{}", self.end())
            }
            4 | 5 => format!(" {}{}", self.rng.pick(QUOTED), self.end()),
            6 => format!(
                " {}{}",
                self.rng.pick(&["[a, 'b', \"c\"]", "{}", "[]", "{a: 1, b: [x, {y: z}]}"]),
                self.end()
            ),
            7 => {
                let header = self.rng.pick(&["|", "|-", "|+", ">", ">-", ">+", "| # note"]);
                let text = self.rng.pick(&["# no comment", "weather: {}", "- x", "{", "a\tb"]);
                let more = self.rng.pick(&["", "", "\n", "   more\n", "\n\n"]);
                let more = if more.trim().is_empty() { more.to_owned() } else { format!("{deep}{more}") };
                format!(" {header}{}{deep}{text}{0}{}", self.line, more.replace('\n', self.line))
            }
            8 => format!(" two{line}{deep}lines{}", self.end()),
            9 => format!(" \"two{line}{line}{deep}lines\\{line}{deep}more\"{}", self.end()),
            10 => {
                self.anchors += 1;
                let tag = self.rng.pick(&["", "!!str ", "!mine "]);
                let anchor = self.anchors;
                format!(" &a{anchor} {tag}x{}", self.end())
            }
            11 if self.anchors > 0 => format!(" *a{}{}", 1 + self.rng.roll(self.anchors), self.end()),
            11 => format!(" [{line}{deep}a, # one{line}{deep}b{line}{deep}]{}", self.end()),
            12 | 13 => {
                let (end, step) = (self.end(), self.step);
                format!("{end}{}", self.map(column + step, depth + 1, &[], false))
            }
            _ => self.list(column, depth, false),
        }
    }

    fn pad(&mut self) -> &'static str {
        if self.calm { "" } else { ["", " ", "  "][self.rng.roll(3)] }
    }

    fn flow_map(&mut self, path: &[&str]) -> String {
        let mut members: Vec<String> = Vec::new();
        for key in ["a", "'b c'", "\"d\""] {
            if self.rng.roll(2) == 0 {
                let value = self.rng.pick(&["1", "'x, y'", "[p, q]", "{}", "~", "http://x", "\"}\""]);
                members.push(format!("{key}{}:{} {value}", "", self.pad()));
            }
        }
        if self.rng.roll(5) == 0 {
            members.push("e".into());
        }
        if let Some((key, rest)) = path.split_first() {
            let inner = match (rest.is_empty() && self.layout == Layout::List, self.rng.roll(3)) {
                (_, 0) => "null".into(),
                (true, 1) => "[]".into(),
                (true, _) => format!("[{}]", self.flow_item()),
                (false, _) => self.flow_map(rest),
            };
            let at = self.rng.roll(members.len() + 1);
            members.insert(at, format!("{key}: {inner}"));
        }
        let comma = if members.is_empty() || self.rng.roll(4) > 0 { "" } else { "," };
        let blank = self.pad();
        format!("{{{blank}{}{comma}{blank}}}", members.join(&format!(",{}", self.pad())))
    }
}
