//! A header's value: literal text and references to variables, in Drydock's form and in a client's.
//!
//! `Bearer ${NAME}` <-> pieces <-> the client's own form. Invariant: a value without a reference is refused, since it
//! would be a secret in a client's file.

use crate::error::{Error, ErrorKind, Result};

/// A piece of a header's value.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// The name of an environment variable.
    Reference(&'a str),
}

impl<'a> Piece<'a> {
    pub(super) fn variable(&self) -> Option<&'a str> {
        if let Self::Reference(name) = self { Some(name) } else { None }
    }
}

/// The variable, if this is `Authorization: Bearer ${NAME}`.
pub(super) fn bearer<'a>(header: &str, pieces: &[Piece<'a>]) -> Option<&'a str> {
    match pieces {
        [Piece::Text("Bearer "), Piece::Reference(name)] if header.eq_ignore_ascii_case("authorization") => {
            Some(name)
        }
        _ => None,
    }
}

/// With the client's references; `form` is one of them, with NAME for the variable's name.
pub(super) fn in_client_form(pieces: &[Piece<'_>], form: &str) -> String {
    let piece = |it: &Piece<'_>| match it {
        Piece::Text(text) => (*text).to_owned(),
        Piece::Reference(name) => form.replacen("NAME", name, 1),
    };
    pieces.iter().map(piece).collect()
}

/// The client's references replaced by ours; what is none stays.
pub(super) fn in_our_form(value: &str, form: &str) -> String {
    let Some((before, after)) = form.split_once("NAME") else { return value.to_owned() };
    let mut out = String::new();
    let mut rest = value;
    while let Some((text, tail)) = rest.split_once(before) {
        out.push_str(text);
        match tail.split_once(after) {
            Some((name, tail)) if is_variable(name) => {
                out.push_str(&format!("${{{name}}}"));
                rest = tail;
            }
            _ => {
                out.push_str(before);
                rest = tail;
            }
        }
    }
    out + rest
}

/// A header's value, taken apart. Refused: no reference, a malformed one, and what is no header's value or could be a
/// reference in the client's own form.
pub(super) fn parse_value<'a>(header: &str, value: &'a str) -> Result<Vec<Piece<'a>>> {
    let malformed = |what: &str| {
        let hint =
            format!("as in `{header}: Bearer ${{TOKEN}}`: a variable's name has letters, digits and `_`");
        Error::new(ErrorKind::InvalidInput, format!("the header `{header}` {what}")).with_hint(hint)
    };
    let mut pieces = Vec::new();
    let mut rest = value;
    while let Some((text, tail)) = rest.split_once("${") {
        let (name, tail) = tail.split_once('}').ok_or_else(|| malformed("has a `${` without `}`"))?;
        if !is_variable(name) {
            return Err(malformed("names no variable between `${` and `}`"));
        }
        pieces.extend((!text.is_empty()).then_some(Piece::Text(text)));
        pieces.push(Piece::Reference(name));
        rest = tail;
    }
    pieces.extend((!rest.is_empty()).then_some(Piece::Text(rest)));
    let text = |it: &Piece<'_>| if let Piece::Text(text) = it { (*text).to_owned() } else { String::new() };
    let texts: String = pieces.iter().map(text).collect();
    if !texts.chars().all(|it| it == ' ' || it.is_ascii_graphic()) || texts.contains(['$', '{', '}']) {
        return Err(malformed("may hold, beside references, printable ASCII without `$`, `{` and `}`"));
    }
    if !pieces.iter().any(|it| it.variable().is_some()) {
        return Err(malformed(
            "holds no reference, so its value would stand in the client's file for all to read",
        ));
    }
    Ok(pieces)
}

fn is_variable(name: &str) -> bool {
    !name.starts_with(|it: char| it.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
}

/// Whether it is a header's name.
pub(super) fn check_name(name: &str) -> Result<()> {
    let token = |it: char| it.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(it);
    if name.is_empty() || !name.chars().all(token) {
        let hint = "NAME is letters, digits and `-`, as in `Authorization` or `X-Api-Key`";
        let problem = format!("{name:?} is no header's name");
        return Err(Error::new(ErrorKind::InvalidInput, problem).with_hint(hint));
    }
    Ok(())
}
