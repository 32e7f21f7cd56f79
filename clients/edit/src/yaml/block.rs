//! Reads mappings and lists by their indentation.
//!
//! A reader behind a colon, a dash or `---` -> one node with all that is in it. Invariant: as in `read.rs`.

use super::read::{Props, Reader, NodeContext};
use super::tree::{Kind, line_end};
use crate::{Error, Result};

/// A key longer than this is none to any parser.
const MAX_KEY: usize = 1000;

impl<'t> Reader<'t> {
    /// Behind a colon, a dash, or nothing yet: exactly one node.
    pub(super) fn node(&mut self, context: NodeContext) -> Result<()> {
        let mut props = Props::default();
        let mut own_line = context.own_line;
        let mut behind_comment = false;
        loop {
            let from = self.at;
            let tab = self.blanks();
            if tab {
                return self.unsupported(from, "a tab, where columns count");
            }
            let on = self.peek(0);
            if matches!(on, None | Some(b'\n' | b'\r')) || on == Some(b'#') && (own_line || self.at > from) {
                let end = props.head.map_or(context.lead, |_| from);
                let before = self.at;
                self.skip_to_content()?;
                behind_comment = self.bytes[before..self.at].contains(&b'#');
                if !self.belongs(context) {
                    self.push(Kind::Plain, props, context.lead, end, end);
                    return Ok(());
                }
                own_line = true;
            }
            let starts_block = own_line || !context.in_map && props.head.is_none();
            if starts_block && self.dash() {
                return self.list(props, context.lead);
            }
            if starts_block && self.key_ahead()? {
                return self.map(props, context.lead);
            }
            if !matches!(self.peek(0), Some(b'&' | b'!')) {
                break;
            }
            self.prop(&mut props)?;
            own_line = false;
        }
        if behind_comment && own_line {
            return self.unsupported(self.at, "a string on a line of its own, behind a comment");
        }
        self.leaf(props, context)
    }

    /// Whether what comes on a new line is (part of) the value that was announced before.
    pub(super) fn belongs(&self, context: NodeContext) -> bool {
        let column = self.column();
        self.at < self.bytes.len()
            && self.marker().is_none()
            && (column > context.around || context.in_map && column == context.around && self.dash())
    }

    pub(super) fn dash(&self) -> bool {
        self.peek(0) == Some(b'-') && self.blank_at(self.at + 1)
    }

    pub(super) fn leaf(&mut self, props: Props<'t>, context: NodeContext) -> Result<()> {
        let start = self.at;
        match self.peek(0) {
            Some(b'[' | b'{') => self.flow(props, context.lead, context.around)?,
            Some(b'*') => self.alias(props, context.lead)?,
            Some(b'|' | b'>') if context.around < 0 => {
                return Err(Error::wrong_type(self.text, start, "expected a mapping, found a string"));
            }
            Some(b'|' | b'>') => return self.block_scalar(props, context),
            Some(b'"' | b'\'') => {
                let kind = self.quoted(context.around)?;
                self.push(kind, props, context.lead, start, self.at);
            }
            _ => return self.plain(props, context),
        }
        self.end_of_line()
    }

    pub(super) fn map(&mut self, props: Props<'t>, lead: usize) -> Result<()> {
        self.deeper()?;
        let column = self.column();
        let id = self.push(Kind::Map, props, lead, self.at, self.at);
        self.nodes[id].column = column as u32;
        loop {
            self.key()?;
            self.node(NodeContext { around: column, lead: self.at, in_map: true, own_line: false })?;
            if !self.next_at(column)? {
                break;
            }
            if !self.key_ahead()? {
                return self.syntax(self.at, "expected a key and a colon");
            }
        }
        self.end_block(id);
        Ok(())
    }

    pub(super) fn list(&mut self, props: Props<'t>, lead: usize) -> Result<()> {
        self.deeper()?;
        let column = self.column();
        let id = self.push(Kind::List, props, lead, self.at, self.at);
        self.nodes[id].column = column as u32;
        loop {
            self.at += 1;
            self.node(NodeContext { around: column, lead: self.at, in_map: false, own_line: false })?;
            if !self.next_at(column)? || !self.dash() {
                break;
            }
        }
        self.end_block(id);
        Ok(())
    }

    /// Whether the next line goes on with the block of that column.
    pub(super) fn next_at(&mut self, column: isize) -> Result<bool> {
        self.skip_to_content()?;
        if self.at == self.bytes.len() || self.marker().is_some() || self.column() < column {
            return Ok(false);
        }
        if self.column() > column {
            return self.syntax(self.at, "this line is indented more than what it seems to belong to");
        }
        Ok(true)
    }

    pub(super) fn end_block(&mut self, id: usize) {
        let end = self.last_end;
        self.close(id, end, false);
    }

    /// Is there a key with its colon at this place? What can only be a key of another kind is refused.
    pub(super) fn key_ahead(&mut self) -> Result<bool> {
        let (at, line) = (self.at, self.line);
        let found = self.find_colon();
        (self.at, self.line) = (at, line);
        found
    }

    pub(super) fn find_colon(&mut self) -> Result<bool> {
        let from = self.at;
        let mut props = Props::default();
        while matches!(self.peek(0), Some(b'&' | b'!')) {
            self.prop(&mut props)?;
            self.blanks();
        }
        let end = || line_end(self.text, self.at);
        let odd = match self.peek(0) {
            Some(b'?') if self.blank_at(self.at + 1) => {
                return self.unsupported(from, "a key with a question mark");
            }
            Some(quote @ (b'"' | b'\'')) => {
                let Some(close) = self.closing_quote(quote, end()) else { return Ok(false) };
                self.at = close;
                None
            }
            Some(b'*') => {
                self.at +=
                    self.bytes[self.at..end()].iter().take_while(|it| !matches!(it, b' ' | b'\t')).count();
                Some("an alias as a key")
            }
            Some(b'[' | b'{') => {
                // On its line at least, a colon behind the last bracket.
                let last = self.bytes[self.at..end()].iter().rposition(|it| matches!(it, b']' | b'}'));
                self.at += last.map_or(0, |it| it + 1);
                Some("a list or mapping as a key")
            }
            _ => {
                self.at = self.plain_end(self.at, false);
                None
            }
        };
        self.key_end = self.at;
        self.blanks();
        let colon = self.peek(0) == Some(b':') && self.blank_at(self.at + 1);
        match odd {
            Some(what) if colon => self.unsupported(from, what),
            _ if colon && self.at - from > MAX_KEY => self.unsupported(from, "a very long key"),
            _ => Ok(colon),
        }
    }

    /// Behind the quote that ends the text starting at `at`, if that is before `end`.
    pub(super) fn closing_quote(&self, quote: u8, end: usize) -> Option<usize> {
        let mut at = self.at + 1;
        while at < end {
            match self.bytes[at] {
                b'\\' if quote == b'"' => at += 1,
                it if it == quote && quote == b'\'' && self.bytes.get(at + 1) == Some(&quote) => at += 1,
                it if it == quote => return Some(at + 1),
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// The key that was found ahead, and its colon.
    pub(super) fn key(&mut self) -> Result<()> {
        let mut props = Props::default();
        while matches!(self.peek(0), Some(b'&' | b'!')) {
            self.prop(&mut props)?;
            self.blanks();
        }
        let start = self.at;
        let kind = match self.peek(0) {
            Some(b'"' | b'\'') => self.quoted(isize::MAX)?,
            _ => {
                self.plain_start(false)?;
                self.at = self.key_end;
                Kind::Plain
            }
        };
        self.push(kind, props, start, start, self.at);
        self.blanks();
        self.at += 1; // the colon
        Ok(())
    }

    pub(super) fn prop(&mut self, props: &mut Props<'t>) -> Result<()> {
        let from = self.at;
        props.head.get_or_insert(from);
        let is_anchor = self.peek(0) == Some(b'&');
        let allowed: &[u8] = if is_anchor { b"_-" } else { b"!_-./" };
        self.at += 1;
        while self.peek(0).is_some_and(|it| it.is_ascii_alphanumeric() || allowed.contains(&it)) {
            self.at += 1;
        }
        let name = &self.text[from..self.at];
        let known = if is_anchor { name.len() > 1 && props.anchor.is_none() } else { !props.tagged };
        let local = name.strip_prefix("!!").or(name.strip_prefix('!'));
        if !known
            || !self.blank_at(self.at)
            || local.is_some_and(|it| it.is_empty() != (name == "!") || it.contains('!'))
        {
            return self.unsupported(from, if is_anchor { "an odd anchor" } else { "an odd tag" });
        }
        if is_anchor {
            props.anchor = Some(&name[1..]);
        } else {
            props.tagged = true;
        }
        Ok(())
    }

    pub(super) fn alias(&mut self, props: Props<'t>, lead: usize) -> Result<()> {
        let from = self.at;
        self.at += 1;
        while self.peek(0).is_some_and(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-')) {
            self.at += 1;
        }
        let Some(&target) = self.anchors.get(&self.text[from + 1..self.at]) else {
            return self.syntax(from, "an alias of nothing that stands above it");
        };
        let open = &self.nodes[target as usize];
        if open.kind.is_collection() && open.start == open.end {
            return self.unsupported(from, "an alias inside of what it stands for");
        }
        if let Some(head) = props.head {
            return self.syntax(head, "an alias with a tag or an anchor");
        }
        let id = self.push(Kind::Alias, props, lead, from, self.at);
        self.aliases.push((id as u32, target));
        Ok(())
    }
}
