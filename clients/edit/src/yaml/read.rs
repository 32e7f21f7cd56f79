//! Reads YAML: one document of the kind that configuration files are made of.
//!
//! Text -> `Tree`, or a refusal with its place. Invariant: what is read here is read the same by parsers of YAML 1.1
//! (libyaml) and 1.2; what they could take for different things (explicit and compound keys, tabs where columns count,
//! directives but `%YAML`, line separators outside of ASCII) is refused. A test compares it with two such parsers.

use std::collections::{HashMap, HashSet};

use super::tree::{Kind, Node, Tree, after_break, line_end};
use crate::{Error, Result};

/// Deeper than any configuration, and no danger to the stack.
const MAX_DEPTH: usize = 100;

pub(super) fn tree(text: &str) -> Result<Tree<'_>> {
    let mut reader = Reader::new(text);
    reader.characters()?;
    reader.document()?;
    reader.aliases.sort_unstable();
    let tree = Tree { text, nodes: reader.nodes, aliases: reader.aliases, close: reader.close };
    no_key_twice(&tree)?;
    Ok(tree)
}

/// Clients refuse such files as a whole.
fn no_key_twice(tree: &Tree<'_>) -> Result<()> {
    for (map, it) in tree.nodes.iter().enumerate() {
        if it.kind != Kind::Map {
            continue;
        }
        let (mut few, mut many, mut marks) = (Vec::new(), HashSet::new(), 0_u64);
        let mut key = map + 1;
        while key < it.next as usize {
            let plain = tree.nodes[key].kind == Kind::Plain; // such a key is one line, and means what it says
            let name = if plain { tree.raw(key).into() } else { tree.scalar(key) };
            // Most keys have a mark that no other one in their mapping has, and need not be compared.
            let mark = 1 << ((name.len() ^ name.as_bytes().first().map_or(0, |it| usize::from(*it))) % 64);
            if marks & mark != 0 && (few.contains(&name) || many.contains(&name)) {
                return Err(tree.duplicate(key, format!("a second `{name}` in the same mapping")));
            }
            marks |= mark;
            // Most mappings are small, and need no table.
            if few.len() < 16 {
                few.push(name);
            } else {
                many.insert(name);
            }
            key = tree.nodes[key + 1].next as usize;
        }
    }
    Ok(())
}

pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    pub(super) at: usize,
    /// Where the line of `at` starts.
    pub(super) line: usize,
    depth: usize,
    pub(super) nodes: Vec<Node>,
    pub(super) anchors: HashMap<&'t str, u32>,
    pub(super) aliases: Vec<(u32, u32)>,
    close: usize,
    /// Of the node that was finished last.
    pub(super) last_end: usize,
    /// Of the key that was looked for last.
    pub(super) key_end: usize,
}

/// Where a node is: the column of the block around it (-1: none), and what it may be.
#[derive(Clone, Copy)]
pub(super) struct NodeContext {
    pub(super) around: isize,
    pub(super) lead: usize,
    pub(super) in_map: bool,
    /// Nothing stands before it on its line.
    pub(super) own_line: bool,
}

/// Tag and anchor.
#[derive(Clone, Copy, Default)]
pub(super) struct Props<'t> {
    pub(super) head: Option<usize>,
    pub(super) anchor: Option<&'t str>,
    pub(super) tagged: bool,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            line: 0,
            depth: 0,
            nodes: Vec::new(),
            anchors: HashMap::new(),
            aliases: Vec::new(),
            close: text.len(),
            last_end: 0,
            key_end: 0,
        }
    }

    pub(super) fn syntax<T>(&self, at: usize, what: impl Into<String>) -> Result<T> {
        Err(Error::syntax(self.text, at, what))
    }

    /// Of what some readers take.
    pub(super) fn unsupported<T>(&self, at: usize, what: impl Into<String>) -> Result<T> {
        Err(Error::unsupported(self.text, at, what))
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<u8> {
        let at = self.at + ahead;
        if at < self.bytes.len() { Some(self.bytes[at]) } else { None }
    }

    /// A blank, a line end, or nothing more.
    pub(super) fn blank_at(&self, at: usize) -> bool {
        at >= self.bytes.len() || matches!(self.bytes[at], b' ' | b'\t' | b'\n' | b'\r')
    }

    pub(super) fn column(&self) -> isize {
        (self.at - self.line) as isize
    }

    /// Control characters, and those that are line ends to some parsers only.
    fn characters(&self) -> Result<()> {
        let mut at = 0;
        while at < self.bytes.len() {
            let byte = self.bytes[at];
            if byte >= 0x7F || byte < b' ' && !matches!(byte, b'\t' | b'\n') {
                self.character(at)?;
            }
            at += 1;
        }
        Ok(())
    }

    fn character(&self, at: usize) -> Result<()> {
        match self.text.get(at..).and_then(|it| it.chars().next()) {
            Some('\r') if self.bytes.get(at + 1) == Some(&b'\n') => Ok(()),
            Some(
                it @ ('\0'..='\x1F'
                | '\x7F'..='\u{9F}'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{FEFF}'
                | '\u{FFFE}'
                | '\u{FFFF}'),
            ) => self
                .unsupported(at, format!("the character U+{:04X}, which not every reader takes", it as u32)),
            _ => Ok(()),
        }
    }

    pub(super) fn document(&mut self) -> Result<()> {
        self.skip_to_content()?;
        let mut directives = false;
        while self.peek(0) == Some(b'%') && self.column() == 0 {
            let line = &self.text[self.at..line_end(self.text, self.at)];
            if directives || !matches!(line.trim_end_matches([' ', '\t']), "%YAML 1.1" | "%YAML 1.2") {
                return self.unsupported(self.at, "a directive");
            }
            directives = true;
            self.at += line.len();
            self.skip_to_content()?;
        }
        let explicit = self.marker() == Some(b'-');
        if explicit {
            self.at += 3;
        } else if directives {
            return self.syntax(self.at, "expected `---` behind the directive");
        }
        let lead = self.at;
        let own_line = !explicit || self.line_is_over(lead);
        if own_line {
            self.skip_to_content()?;
        } else {
            self.blanks();
            if !matches!(self.peek(0), Some(b'{' | b'[')) {
                return self.unsupported(self.at, "expected a line end behind `---`");
            }
        }
        if self.at < self.bytes.len() && self.marker().is_none() {
            self.node(NodeContext { around: -1, lead, in_map: false, own_line })?;
            self.skip_to_content()?;
        }
        self.finish(explicit)
    }

    pub(super) fn line_is_over(&self, at: usize) -> bool {
        let rest = &self.text[at..line_end(self.text, at)];
        let rest = rest.trim_start_matches([' ', '\t']);
        rest.is_empty() || rest.starts_with('#')
    }

    pub(super) fn finish(&mut self, explicit: bool) -> Result<()> {
        match self.marker() {
            Some(b'.') if self.nodes.is_empty() && !explicit => {
                return self.syntax(self.at, "the end of a document that has not begun");
            }
            Some(b'.') => {
                self.close = self.at;
                self.at += 3;
                self.end_of_line()?;
                self.skip_to_content()?;
                if self.at < self.bytes.len() {
                    return self.unsupported(self.at, "a second document in the same file");
                }
            }
            Some(_) => return self.unsupported(self.at, "a second document in the same file"),
            None if self.at < self.bytes.len() => {
                return self.syntax(self.at, "this does not belong to what is above it");
            }
            None => {}
        }
        Ok(())
    }

    /// `---` or `...` at the beginning of a line.
    pub(super) fn marker(&self) -> Option<u8> {
        let rest = &self.bytes[self.at..];
        let found = self.at == self.line && (rest.starts_with(b"---") || rest.starts_with(b"..."));
        (found && self.blank_at(self.at + 3)).then(|| rest[0])
    }

    /// Steps over spaces and tabs; whether there was a tab.
    pub(super) fn blanks(&mut self) -> bool {
        let mut tab = false;
        while self.at < self.bytes.len() && matches!(self.bytes[self.at], b' ' | b'\t') {
            tab |= self.bytes[self.at] == b'\t';
            self.at += 1;
        }
        tab
    }

    /// Steps over the line end at `at`.
    pub(super) fn step_break(&mut self) {
        self.at = after_break(self.text, self.at);
        self.line = self.at;
    }

    /// Over the rest of a line in which nothing more may come but a comment.
    pub(super) fn end_of_line(&mut self) -> Result<()> {
        let from = self.at;
        self.blanks();
        match self.peek(0) {
            None | Some(b'\n' | b'\r') => Ok(()),
            Some(b'#') if self.at > from => {
                self.at = line_end(self.text, self.at);
                Ok(())
            }
            Some(_) => self.syntax(self.at, "expected the end of the line"),
        }
    }

    /// To the next thing that is no comment. At the beginning of a line there are spaces only.
    pub(super) fn skip_to_content(&mut self) -> Result<()> {
        loop {
            let from = self.at;
            let tab = self.blanks();
            if self.line == from && tab {
                return self.syntax(from, "a tab in the indentation");
            }
            match self.peek(0) {
                Some(b'#') if self.at == self.line || self.blank_at(self.at - 1) => {
                    self.at = line_end(self.text, self.at);
                }
                Some(b'\n' | b'\r') => self.step_break(),
                _ => return Ok(()),
            }
        }
    }

    pub(super) fn push(
        &mut self,
        kind: Kind,
        props: Props<'t>,
        lead: usize,
        start: usize,
        end: usize,
    ) -> usize {
        let id = self.nodes.len();
        self.last_end = end;
        if let Some(name) = props.anchor {
            self.anchors.insert(name, id as u32);
        }
        self.nodes.push(Node {
            kind,
            flow: false,
            anchored: props.anchor.is_some(),
            tagged: props.tagged,
            lead: lead as u32,
            head: props.head.unwrap_or(start) as u32,
            start: start as u32,
            end: end as u32,
            next: id as u32 + 1,
            column: 0,
        });
        id
    }

    /// Ends a collection: everything since is in it.
    pub(super) fn close(&mut self, id: usize, end: usize, flow: bool) {
        self.depth -= 1;
        self.last_end = end;
        let next = self.nodes.len() as u32;
        let it = &mut self.nodes[id];
        (it.end, it.next, it.flow) = (end as u32, next, flow);
    }

    pub(super) fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { self.unsupported(self.at, "nested too deeply") } else { Ok(()) }
    }
}
