//! Members put in, set and cut out, as replacements of ranges of the text.
//!
//! Tree + place -> splices. Invariant: cutting out what was just put in gives the text back, but for a collection that
//! was empty (see `PreviousState::Empty`); a comment that is not inside of what is cut out stays where it is.

use std::ops::Range;

use serde_json::Value;

use super::scalar::{self, Header};
use super::tree::{Kind, Tree, after_break, before_break, line_end, line_start};
use super::write::{self, Style};
use crate::text::Splice;
use crate::{Error, Result};

/// What goes into a collection.
#[derive(Clone, Copy)]
pub(super) enum Member<'a> {
    Pair(&'a str, &'a Value),
    Item(&'a Value),
}

impl Member<'_> {
    fn lines(self, style: &Style, column: usize) -> String {
        match self {
            Member::Pair(key, value) => style.member(key, value, column),
            Member::Item(value) => style.item(value, column),
        }
    }

    pub(super) fn flow(self) -> String {
        match self {
            Member::Pair(key, value) => write::flow_member(key, value),
            Member::Item(value) => write::flow(value),
        }
    }

    fn enclosed(self) -> String {
        match self {
            Member::Pair(..) => format!("{{{}}}", self.flow()),
            Member::Item(_) => format!("[{}]", self.flow()),
        }
    }
}

fn cut(range: Range<usize>) -> Splice {
    Splice { range, with: String::new() }
}

fn put(at: usize, with: String) -> Splice {
    Splice { range: at..at, with }
}

/// Behind the last member of a collection that has some. `around`: the column of the block that the collection is in.
pub(super) fn append(
    tree: &Tree<'_>,
    collection: usize,
    around: usize,
    style: &Style,
    members: &[Member<'_>],
) -> Result<Vec<Splice>> {
    let it = &tree.nodes[collection];
    if it.flow {
        let all: Vec<String> = members.iter().map(|it| it.flow()).collect();
        let all = all.join(", ");
        let last = tree.children(collection).last();
        return Ok(vec![match last {
            Some(last) => put(before_comma(tree, last)?, format!(", {all}")),
            None => put(it.end() - 1, all),
        }]);
    }
    let column = it.column();
    let at = tail(tree, collection, around)?;
    let all = members.iter().map(|it| format!("{}{}", style.new_line(column), it.lines(style, column)));
    Ok(vec![put(at, all.collect())])
}

/// Where a comma goes behind the last member of a flow collection. `a:,`, `a -,` and `&a ,` are not read by everybody.
fn before_comma(tree: &Tree<'_>, last: usize) -> Result<usize> {
    let (text, it) = (tree.text, &tree.nodes[last]);
    let end = it.end();
    let dash = text[..end].ends_with(" -") || text[..end].ends_with("\t-");
    // An anchor or a tag of nothing: the item, or the key before a value that is not there.
    let bare = tree.nodes[last - 1..=last].iter().any(|it| it.head() < it.start() && it.start() == end);
    let rest = &text[end..];
    if it.kind != Kind::Plain || !(dash || bare || text[..end].ends_with(':')) {
        return Ok(end);
    }
    let needs_blank = dash || rest.starts_with(['\n', '\r']);
    if bare || rest.starts_with(" #") || needs_blank && !rest.starts_with(' ') {
        return Err(tree.unsupported(last, "a comma behind this would not be read as one by everybody"));
    }
    Ok(end + usize::from(rest.starts_with(' ')))
}

/// The first member of a collection that is empty or null, as the value of a key. `None`: not there.
pub(super) fn fill(
    tree: &Tree<'_>,
    holder: usize,
    key: usize,
    style: &Style,
    member: Member<'_>,
) -> Result<Vec<Splice>> {
    let (text, value) = (tree.text, &tree.nodes[key + 1]);
    let (lead, end) = (value.lead(), value.end());
    let null = !value.kind.is_collection();
    if tree.nodes[holder].flow {
        let inside = end.saturating_sub(1);
        let key_end = tree.nodes[key].end();
        return Ok(vec![match null {
            true => Splice { range: key_end..end, with: format!(": {}", member.enclosed()) },
            false => put(inside, member.flow()),
        }]);
    }
    let one_line = !text[lead..end].contains(['\n', '\r', '#']);
    if null && !one_line {
        return Err(tree.unsupported(key + 1, "null on a line of its own"));
    }
    let alone = one_line && text[end..line_end(text, end)].trim_ascii().is_empty();
    if !(null || alone) {
        return Ok(vec![put(end - 1, member.flow())]);
    }
    let around = tree.nodes[holder].column();
    let column = around + if matches!(member, Member::Item(_)) { style.dash } else { style.step };
    let with = format!("{}{}", style.new_line(column), member.lines(style, column));
    Ok(vec![cut(lead..end), put(tail(tree, key + 1, around)?, with)])
}

/// The same inside our entry: what stands behind its last line is not ours, and stays behind it.
pub(super) fn append_inside(
    tree: &Tree<'_>,
    map: usize,
    around: usize,
    style: &Style,
    members: &[Member<'_>],
) -> Result<Vec<Splice>> {
    let mut splices = append(tree, map, around, style, members)?;
    let end = tree.nodes[map].end();
    for it in splices.iter_mut().filter(|it| it.range.start > end) {
        let at = behind_comment(tree.text, end);
        it.range = at..at;
    }
    Ok(splices)
}

/// Another value for a key of a mapping.
pub(super) fn set(
    tree: &Tree<'_>,
    map: usize,
    key: usize,
    style: &Style,
    value: &Value,
) -> Result<Vec<Splice>> {
    let (text, old) = (tree.text, &tree.nodes[key + 1]);
    let column = tree.nodes[map].column();
    let keeps_style = old.kind.is_collection() && old.flow && (value.is_array() || value.is_object());
    if tree.nodes[map].flow || keeps_style {
        let with = write::flow(value);
        // Behind `"a":` only brackets and quotes need no blank.
        return Ok(vec![match old.head() == old.end() || old.head() == old.lead() {
            true => Splice { range: tree.nodes[key].end()..old.end(), with: format!(": {with}") },
            false => Splice { range: old.head()..old.end(), with },
        }]);
    }
    let with = style.behind_colon(value, column);
    let inline = with.starts_with(' ');
    let on_line = old.head() < line_end(text, old.lead());
    if !on_line && old.end() > old.lead() {
        // A block on the lines below its key.
        let gap = line_end(text, old.lead());
        return Ok(match inline {
            true => vec![put(old.lead(), with), cut(gap..old.end())],
            false => vec![Splice { range: gap..old.end(), with }],
        });
    }
    if inline {
        let from = if old.head() == old.end() { old.lead() } else { old.head() - 1 };
        return Ok(vec![Splice { range: from..old.end(), with }]);
    }
    end_of_lines(tree, key + 1)?;
    Ok(vec![cut(old.lead()..old.end()), put(behind_comment(text, old.end()), with)])
}

/// A key with its value, or an item, out of its collection. Of a block's only member an empty collection stays.
pub(super) fn remove(tree: &Tree<'_>, collection: usize, index: usize) -> Result<Vec<Splice>> {
    let it = &tree.nodes[collection];
    let step = if it.kind == Kind::Map { 2 } else { 1 };
    let members: Vec<usize> = tree.children(collection).step_by(step).collect();
    let first = members[index];
    let last = first + step - 1;
    if it.flow {
        return Ok(remove_from_flow(tree, collection, &members, index, step));
    }
    let text = tree.text;
    let from = member_start(tree, it.kind, first);
    let own_line = text[line_start(text, from)..from].trim_ascii().is_empty();
    let end = tree.nodes[last].end();
    let behind = tail_of(text, end, it.column());
    if members.len() == 1 {
        let empty = if it.kind == Kind::Map { "{}" } else { "[]" };
        if !own_line || collection == 0 || it.head < it.start {
            return Ok(vec![Splice { range: it.start()..it.end(), with: empty.into() }]);
        }
        let lines = before_break(text, line_start(text, from))..behind;
        return Ok(vec![put(it.lead(), format!(" {empty}")), cut(lines)]);
    }
    if !own_line {
        return Ok(vec![cut(from..member_start(tree, it.kind, members[index + 1]))]);
    }
    let start = line_start(text, from);
    let above = &tree.nodes[first - 1];
    let is_block = above.kind == Kind::Block && text[above.end()..start].trim_ascii().is_empty();
    let header = is_block.then(|| scalar::header(tree.raw(first - 1)));
    if header.as_ref().is_some_and(|it| would_gain_lines(tree, first - 1, it, behind)) {
        return Err(tree.unsupported(first, "the string above this would gain the blank lines below it"));
    }
    Ok(vec![cut(match start {
        0 => 0..after_break(text, behind),
        // That line end is the string's, but for `|-`.
        _ if behind == text.len() && header.is_some_and(|it| it.chomp != Some(b'-')) => start..behind,
        _ => before_break(text, start)..behind,
    })])
}

/// Whether blank lines behind that line end would be a part of a block string.
fn would_gain_lines(tree: &Tree<'_>, block: usize, header: &Header, end: usize) -> bool {
    let blanks = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let first = tree.raw(block).split(['\n', '\r']).skip(1).find(|line| blanks(line) < line.len());
    let indent = header.indent.map(|it| tree.nodes[block].column() + it).or(first.map(blanks));
    let mut at = after_break(tree.text, end);
    while at < tree.text.len() {
        let stop = line_end(tree.text, at);
        if !tree.text[at..stop].trim_ascii().is_empty() {
            return false;
        }
        if header.chomp == Some(b'+') || indent.is_some_and(|it| stop - at > it) {
            return true;
        }
        at = after_break(tree.text, stop);
    }
    false
}

fn remove_from_flow(
    tree: &Tree<'_>,
    flow: usize,
    members: &[usize],
    index: usize,
    step: usize,
) -> Vec<Splice> {
    let text = tree.text;
    let start = tree.nodes[members[index]].head();
    let end = tree.nodes[members[index] + step - 1].end();
    let stop = members.get(index + 1).map_or(tree.nodes[flow].end() - 1, |it| tree.nodes[*it].head());
    if index > 0 && index + 1 == members.len() {
        // With the comma before it; one behind it stays.
        let previous = tree.nodes[members[index - 1] + step - 1].end();
        let before = comma(text, previous..start).unwrap_or(previous);
        let blanks = text[..start].trim_end_matches([' ', '\t']).len();
        let own_line = text[..blanks].ends_with(['\n', '\r']);
        let from = if own_line { start } else { blanks.max(before + 1) };
        let comma = cut_with_tabs(text, before, before..before + 1);
        let from = from.max(comma.range.end);
        return vec![comma, cut_with_tabs(text, from, from..end)];
    }
    match comma(text, end..stop) {
        None => vec![cut_with_tabs(text, start, start..end)],
        Some(comma) => {
            let rest = &text[comma + 1..stop];
            let behind = rest.trim_start_matches([' ', '\t']);
            let blanks = if behind.starts_with('#') { 0 } else { rest.len() - behind.len() };
            let from = if text[end..comma].contains(['\n', '\r']) { comma } else { start };
            let comma = cut_with_tabs(text, from, comma..comma + 1 + blanks);
            vec![cut_with_tabs(text, start, start..end), comma]
        }
    }
}

/// With the blanks behind it, if a tab among them would indent the line. `from`: where all that goes on it starts.
fn cut_with_tabs(text: &str, from: usize, range: Range<usize>) -> Splice {
    let before = &text[line_start(text, from)..from];
    let behind = &text[range.end..];
    let blanks = &behind[..behind.len() - behind.trim_start_matches([' ', '\t']).len()];
    let would_indent = blanks.contains('\t') && before.trim_matches([' ', '\t', ',']).is_empty();
    cut(range.start..range.end + if would_indent { blanks.len() } else { 0 })
}

/// The comma between two members, which stand apart by blanks, line ends and comments.
fn comma(text: &str, range: Range<usize>) -> Option<usize> {
    let mut at = range.start;
    while at < range.end {
        match text.as_bytes()[at] {
            b',' => return Some(at),
            b'#' => at = line_end(text, at),
            _ => at += 1,
        }
    }
    None
}

/// Where a member starts: a key, or the dash of an item.
fn member_start(tree: &Tree<'_>, of: Kind, member: usize) -> usize {
    let it = &tree.nodes[member];
    if of == Kind::Map { it.head() } else { it.lead() - 1 }
}

/// The lines of an item, from where its first one starts.
pub(super) fn item_lines(tree: &Tree<'_>, item: usize) -> Range<usize> {
    line_start(tree.text, member_start(tree, Kind::List, item))..tree.nodes[item].end()
}

/// Where the lines of a node end, with those comments behind it that are indented more than `around`.
fn tail(tree: &Tree<'_>, node: usize, around: usize) -> Result<usize> {
    end_of_lines(tree, node)?;
    Ok(tail_of(tree.text, tree.nodes[node].end(), around))
}

fn tail_of(text: &str, end: usize, around: usize) -> usize {
    let mut tail = line_end(text, end);
    let mut at = tail;
    loop {
        let next = after_break(text, at);
        let stop = line_end(text, next);
        let line = text[next..stop].trim_start_matches(' ');
        let goes_on = line.is_empty() || line.starts_with('#') && stop - line.len() > next + around;
        if next == at || !goes_on {
            return tail;
        }
        if !line.is_empty() {
            tail = stop;
        }
        at = stop;
    }
}

/// Where the last line of a node ends.
fn end_of_lines(tree: &Tree<'_>, node: usize) -> Result<usize> {
    let it = &tree.nodes[node];
    let last = &tree.nodes[it.next as usize - 1];
    let end = line_end(tree.text, it.end());
    if last.kind == Kind::Block && end == tree.text.len() {
        let what = "a string that ends with the file, without a line end: what follows would change it";
        return Err(Error::unsupported(tree.text, end, what));
    }
    Ok(end)
}

/// Where lines go in behind what ends here: blanks at the end of its line are not its own, and stay behind them.
fn behind_comment(text: &str, end: usize) -> usize {
    if has_comment(text, end..end) { line_end(text, end) } else { end }
}

/// Whether a comment stands in a range that holds no scalar, or behind it on its line.
pub(super) fn has_comment(text: &str, range: Range<usize>) -> bool {
    text[range.start..line_end(text, range.end)].contains('#')
}

/// Whether comments follow that belong to what ends at `end`, in a block of that column.
pub(super) fn has_tail(text: &str, end: usize, column: usize) -> bool {
    tail_of(text, end, column) > line_end(text, end)
}
