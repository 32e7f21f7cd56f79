//! A YAML file as a tree of ranges.
//!
//! Text -> nodes with byte ranges (by `read.rs`). Invariant: nodes stand in the file's order, a mapping's as key,
//! value, key, value; a key is always a scalar, so its value is the next node.

use std::borrow::Cow;
use std::ops::Range;

use super::{read, scalar};
use crate::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Single,
    Double,
    /// `|` or `>`
    Block,
    Alias,
    Map,
    List,
}

impl Kind {
    pub(super) fn is_collection(self) -> bool {
        matches!(self, Kind::Map | Kind::List)
    }
}

/// Offsets are 32 bits wide: no file is larger than 64 MiB, and there can be a million nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// In brackets or braces.
    pub(super) flow: bool,
    pub(super) anchored: bool,
    pub(super) tagged: bool,
    /// Behind the colon or the dash that leads to it.
    pub(super) lead: u32,
    /// Where its tag and anchor start, or else itself.
    pub(super) head: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The node behind it and all that is in it.
    pub(super) next: u32,
    /// Of its keys or dashes, in a block collection; of the collection around it, for a block scalar.
    pub(super) column: u32,
}

impl Node {
    pub(super) fn head(&self) -> usize {
        self.head as usize
    }

    pub(super) fn start(&self) -> usize {
        self.start as usize
    }

    pub(super) fn end(&self) -> usize {
        self.end as usize
    }

    pub(super) fn lead(&self) -> usize {
        self.lead as usize
    }

    pub(super) fn column(&self) -> usize {
        self.column as usize
    }

    /// Keys and dashes on lines of their own.
    pub(super) fn is_block(&self) -> bool {
        self.kind.is_collection() && !self.flow
    }
}

/// A block collection that stands directly in another one.
pub(super) struct Inner {
    pub(super) parent: Kind,
    pub(super) kind: Kind,
    /// How much further its keys or dashes are indented.
    pub(super) deeper: usize,
}

#[derive(Debug)]
pub(super) struct Tree<'t> {
    pub(super) text: &'t str,
    /// The first one is the outermost; none in a file without any value.
    pub(super) nodes: Vec<Node>,
    /// Alias and what it stands for.
    pub(super) aliases: Vec<(u32, u32)>,
    /// Where the document's content ends: at the end of the text, or at its `...`.
    pub(super) close: usize,
}

impl<'t> Tree<'t> {
    pub(super) fn read(text: &'t str) -> Result<Self> {
        read::tree(text)
    }

    pub(super) fn root(&self) -> Option<usize> {
        (!self.nodes.is_empty()).then_some(0)
    }

    /// What stands directly in a node.
    pub(super) fn children(&self, of: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes[of].next as usize;
        let mut at = of + 1;
        std::iter::from_fn(move || {
            let child = at;
            (child < end).then(|| {
                at = self.nodes[child].next as usize;
                child
            })
        })
    }

    /// The keys of a mapping; a value is the node behind its key.
    pub(super) fn keys(&self, of: usize) -> impl Iterator<Item = usize> + '_ {
        self.children(of).step_by(2)
    }

    pub(super) fn is_empty(&self, node: usize) -> bool {
        self.nodes[node].next as usize == node + 1
    }

    /// Nothing, or something that says it is nothing.
    pub(super) fn is_null(&self, node: usize) -> bool {
        let it = &self.nodes[node];
        it.kind == Kind::Plain && !it.tagged && scalar::is_null(self.raw(node))
    }

    pub(super) fn raw(&self, node: usize) -> &'t str {
        &self.text[self.range(node)]
    }

    /// Without tag and anchor.
    pub(super) fn range(&self, node: usize) -> Range<usize> {
        self.nodes[node].start()..self.nodes[node].end()
    }

    /// A scalar's text, whatever it is quoted with.
    pub(super) fn scalar(&self, node: usize) -> Cow<'t, str> {
        let it = &self.nodes[node];
        match it.kind {
            Kind::Plain => scalar::plain(self.raw(node)),
            Kind::Single => scalar::single(self.raw(node)),
            Kind::Double => scalar::double(self.raw(node)),
            Kind::Block => scalar::block(self.text, self.range(node), it.column()).into(),
            Kind::Alias | Kind::Map | Kind::List => Cow::Borrowed(""),
        }
    }

    pub(super) fn says(&self, node: usize, word: &str) -> bool {
        !self.nodes[node].kind.is_collection() && self.scalar(node) == word
    }

    /// What an alias stands for; the node itself, if it is none.
    pub(super) fn target(&self, node: usize) -> usize {
        match self.aliases.binary_search_by_key(&(node as u32), |it| it.0) {
            Ok(at) => self.aliases[at].1 as usize,
            Err(_) => node,
        }
    }

    /// An alias outside of these nodes that stands for one of them.
    pub(super) fn alias_into(&self, nodes: &Range<usize>) -> Option<usize> {
        let mut all = self.aliases.iter().map(|&(alias, target)| (alias as usize, target as usize));
        all.find(|(alias, target)| nodes.contains(target) && !nodes.contains(alias)).map(|it| it.0)
    }

    /// An alias among these nodes that stands for one beside them, in the same holder.
    pub(super) fn alias_beside(&self, nodes: &Range<usize>, holder: usize) -> Option<usize> {
        let beside =
            |it: usize| (holder..self.nodes[holder].next as usize).contains(&it) && !nodes.contains(&it);
        let mut all = self.aliases.iter().map(|&(alias, target)| (alias as usize, target as usize));
        all.find(|(alias, target)| nodes.contains(alias) && beside(*target)).map(|it| it.0)
    }

    /// Block collections that stand directly in others, in a node.
    pub(super) fn inner_blocks(&self, of: usize) -> impl Iterator<Item = Inner> + '_ {
        let all = of..self.nodes[of].next as usize;
        let mut around: Vec<usize> = Vec::new();
        all.filter_map(move |id| {
            while around.last().is_some_and(|it| self.nodes[*it].next as usize <= id) {
                around.pop();
            }
            let it = &self.nodes[id];
            let parent = around.last().map(|it| &self.nodes[*it]);
            if it.is_block() {
                around.push(id);
            }
            let parent = parent.filter(|_| it.is_block())?;
            let deeper = it.column().checked_sub(parent.column())?;
            Some(Inner { parent: parent.kind, kind: it.kind, deeper })
        })
    }

    pub(super) fn unsupported(&self, node: usize, what: impl Into<String>) -> Error {
        Error::unsupported(self.text, self.nodes[node].head(), what)
    }

    pub(super) fn duplicate(&self, node: usize, what: impl Into<String>) -> Error {
        Error::duplicate(self.text, self.nodes[node].head(), what)
    }

    pub(super) fn wrong_type(&self, node: usize, what: impl Into<String>) -> Error {
        Error::wrong_type(self.text, self.nodes[node].head(), what)
    }

    pub(super) fn kind(&self, node: usize) -> &'static str {
        match self.nodes[node].kind {
            Kind::Map => "a mapping",
            Kind::List => "a list",
            Kind::Alias => "an alias",
            _ if self.is_null(node) => "null",
            _ => "a string",
        }
    }
}

/// Where the line of `at` starts.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let mut start = at;
    while start > 0 && !matches!(text.as_bytes()[start - 1], b'\n' | b'\r') {
        start -= 1;
    }
    start
}

/// Where the line of `at` ends, before its line end.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let mut end = at;
    while end < text.len() && !matches!(text.as_bytes()[end], b'\n' | b'\r') {
        end += 1;
    }
    end
}

/// Behind the line end at `at`, if there is one.
pub(super) fn after_break(text: &str, at: usize) -> usize {
    let rest = &text.as_bytes()[at..];
    at + if rest.starts_with(b"\r\n") {
        2
    } else {
        usize::from(rest.first().is_some_and(|it| matches!(it, b'\n' | b'\r')))
    }
}

/// Before the line end that stands directly before `at`.
pub(super) fn before_break(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at];
    at - if before.ends_with(b"\r\n") {
        2
    } else {
        usize::from(before.last().is_some_and(|it| matches!(it, b'\n' | b'\r')))
    }
}
