//! Entries for servers that are reached over HTTP: in a client's own shape, and back again.
//!
//! `Remote` -> entry, entry -> `Remote`. Invariant: a header's value is written as the client's own reference to a
//! variable, or not at all, so that no secret stands in a client's file; reading back gives the same `Remote`.

use std::collections::BTreeMap;

use anyhow::{Context, Error, Result, bail};
use serde_json::Value;

use super::shape::{self, Values};
use super::{Client, Scope};
use crate::fixable::fixable;
use drydock_edit::Entry;

/// A server that is reached over HTTP. Header values hold references, `${NAME}`, in Drydock's own form.
#[derive(Clone, Debug)]
pub struct Remote {
    pub url: String,
    pub headers: Vec<(String, String)>,
}

/// The order of headers means nothing, and neither does the case of their names.
impl PartialEq for Remote {
    fn eq(&self, other: &Self) -> bool {
        let headers = |it: &Self| -> BTreeMap<String, String> {
            it.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
        };
        self.url == other.url && self.headers.len() == other.headers.len() && headers(self) == headers(other)
    }
}

/// A piece of a header's value.
#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Text(&'a str),
    /// The name of an environment variable.
    Reference(&'a str),
}

/// Where a client's entry can hold headers.
#[derive(Default)]
struct Fields {
    bearer: Option<String>,
    by_variable: Entry,
    headers: Entry,
    /// Those in `headers`.
    variables: Vec<Value>,
}

impl Fields {
    fn values(self, name: &str, url: &str) -> Values {
        let mut values = Values::from([("{name}", name.into()), ("{url}", url.into())]);
        values.extend(self.bearer.map(|it| ("{bearer-variable}", it.into())));
        for (placeholder, pairs) in [("{headers}", self.headers), ("{header-variables}", self.by_variable)] {
            values.extend((!pairs.is_empty()).then_some((placeholder, Value::Object(pairs))));
        }
        values.extend((!self.variables.is_empty()).then(|| ("{variables}", self.variables.into())));
        values
    }
}

impl Client {
    /// Whether it reaches servers over HTTP, and whether their headers can hold references.
    pub fn http(&self) -> Option<bool> {
        let shape = self.data.entry.http.as_ref()?;
        Some(["{headers}", "{bearer-variable}", "{header-variables}"].iter().any(|it| shape::has(shape, it)))
    }

    /// Whether the only header that it takes is `Authorization: Bearer ${NAME}`.
    pub fn only_bearer(&self) -> bool {
        let has = |it| self.data.entry.http.as_ref().is_some_and(|shape| shape::has(shape, it));
        has("{bearer-variable}") && !has("{headers}") && !has("{header-variables}")
    }

    /// The entry that makes this client reach that server.
    pub fn remote_entry(&self, scope: Scope, name: &str, remote: &Remote) -> Result<Entry> {
        let Some(shape) = &self.data.entry.http else {
            let problem = format!("{} reaches no servers over HTTP through its file", self.name());
            return Err(fixable(problem, "the table in README.md says which clients do"));
        };
        check_url(&remote.url)?;
        if let Some(only) = self.data.expands.headers_only_in.filter(|it| *it != scope)
            && !remote.headers.is_empty()
        {
            let problem = format!("{} replaces no variables in headers of the {scope} scope", self.name());
            return Err(fixable(problem, format!("--scope {only}")));
        }
        let mut fields = Fields::default();
        for (n, (header, value)) in remote.headers.iter().enumerate() {
            check_header_name(header)?;
            if remote.headers[..n].iter().any(|(other, _)| other.eq_ignore_ascii_case(header)) {
                bail!("the header `{header}` is given twice");
            }
            self.place_header(shape, header, &pieces(header, value)?, &mut fields)?;
        }
        Ok(shape::fill(shape, &fields.values(name, &remote.url)))
    }

    /// Into the first field of the shape that can hold it.
    fn place_header(
        &self,
        shape: &toml::Table,
        header: &str,
        pieces: &[Piece<'_>],
        fields: &mut Fields,
    ) -> Result<()> {
        let rules = &self.data.expands;
        let variables = || pieces.iter().filter_map(Piece::variable);
        if let Some(kept) = variables().find(|it| rules.headers_never.iter().any(|never| never == it)) {
            let problem = format!("{} sends nothing for `{kept}` in a header", self.name());
            return Err(fixable(problem, "hold the value in a variable of another name"));
        }
        match (bearer(header, pieces), pieces, &rules.headers) {
            (Some(variable), ..) if shape::has(shape, "{bearer-variable}") => {
                fields.bearer = Some(variable.to_owned());
            }
            (_, [Piece::Reference(variable)], _) if shape::has(shape, "{header-variables}") => {
                fields.by_variable.insert(header.to_owned(), (*variable).into());
            }
            (_, _, Some(template)) => {
                fields.headers.insert(header.to_owned(), written(pieces, template).into());
                for it in variables().map(Value::from) {
                    if !fields.variables.contains(&it) {
                        fields.variables.push(it);
                    }
                }
            }
            (_, _, None) => return Err(self.no_such_header(shape, header)),
        }
        Ok(())
    }

    /// An entry as it stands, with its references in our form.
    pub fn read_remote(&self, entry: &Value) -> Result<Remote> {
        let Some(shape) = &self.data.entry.http else {
            bail!("{} reaches no servers over HTTP through its file", self.name())
        };
        let taken = shape::take(shape, entry.as_object().context("it is not an object")?)?;
        let url = taken.text("{url}")?.context("it names no URL (an entry that starts a command?)")?;
        let mut headers = Vec::new();
        if let Some(variable) = taken.text("{bearer-variable}")? {
            headers.push(("Authorization".to_owned(), format!("Bearer ${{{variable}}}")));
        }
        for (header, variable) in taken.pairs("{header-variables}")? {
            headers.push((header, format!("${{{variable}}}")));
        }
        for (header, value) in taken.pairs("{headers}")? {
            let template = self.data.expands.headers.as_deref().unwrap_or_default();
            headers.push((header, in_our_form(&value, template)));
        }
        Ok(Remote { url, headers })
    }

    fn no_such_header(&self, shape: &toml::Table, header: &str) -> Error {
        let client = self.name();
        let mut can = Vec::new();
        if shape::has(shape, "{bearer-variable}") {
            can.push("`Authorization: Bearer ${NAME}`");
        }
        if shape::has(shape, "{header-variables}") {
            can.push("a value that is `${NAME}` and nothing else");
        }
        if can.is_empty() {
            let problem = format!(
                "{client} replaces no variables in headers (or nobody has confirmed that it does), so what \
                 `{header}` holds would have to stand in its file"
            );
            let hint = "leave the header away and log in from within the client, or take another client: the table \
                        in README.md says which take headers";
            fixable(problem, hint)
        } else {
            let problem = format!("{client} takes a variable in a header only as {}", can.join(", or as "));
            fixable(problem, format!("write `{header}` that way"))
        }
    }
}

impl<'a> Piece<'a> {
    fn variable(&self) -> Option<&'a str> {
        if let Self::Reference(name) = self { Some(name) } else { None }
    }
}

/// The variable, if this is `Authorization: Bearer ${NAME}`.
fn bearer<'a>(header: &str, pieces: &[Piece<'a>]) -> Option<&'a str> {
    match pieces {
        [Piece::Text("Bearer "), Piece::Reference(name)] if header.eq_ignore_ascii_case("authorization") => {
            Some(name)
        }
        _ => None,
    }
}

fn written(pieces: &[Piece<'_>], template: &str) -> String {
    let piece = |it: &Piece<'_>| match it {
        Piece::Text(text) => (*text).to_owned(),
        Piece::Reference(name) => template.replacen("NAME", name, 1),
    };
    pieces.iter().map(piece).collect()
}

/// The client's references replaced by ours; what is none stays.
fn in_our_form(value: &str, template: &str) -> String {
    let Some((before, after)) = template.split_once("NAME") else { return value.to_owned() };
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

/// A header's value, taken apart. EditError: no reference, a malformed one, and what is no header's value or could be
/// a reference in the client's own form.
fn pieces<'a>(header: &str, value: &'a str) -> Result<Vec<Piece<'a>>> {
    let malformed = |what: &str| {
        let hint =
            format!("as in `{header}: Bearer ${{TOKEN}}`: a variable's name has letters, digits and `_`");
        fixable(format!("the header `{header}` {what}"), hint)
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

fn check_header_name(name: &str) -> Result<()> {
    let token = |it: char| it.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(it);
    if name.is_empty() || !name.chars().all(token) {
        let hint = "NAME is letters, digits and `-`, as in `Authorization` or `X-Api-Key`";
        return Err(fixable(format!("{name:?} is no header's name"), hint));
    }
    Ok(())
}

/// As `api_key`, `--auth-token`, `PASSWORD` do.
pub fn sounds_secret(name: &str) -> bool {
    let words = name.to_ascii_lowercase();
    let mut words = words.split(|it: char| !it.is_ascii_alphanumeric());
    words.any(|word| {
        [
            "key",
            "apikey",
            "token",
            "accesstoken",
            "authtoken",
            "apitoken",
            "secret",
            "password",
            "passwd",
            "auth",
            "signature",
            "sig",
        ]
        .contains(&word)
    })
}

/// Only http(s), nothing that a client could take for a variable, and no secret.
fn check_url(url: &str) -> Result<()> {
    let refuse = |what: &str, hint: &str| Err(fixable(format!("the URL {}", what), hint));
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else {
        return refuse(&format!("{url:?} does not begin with http:// or https://"), "as in https://host/mcp");
    };
    if !url.chars().all(|it| it.is_ascii_alphanumeric() || "-._~:/?#[]@!&'()*+,;=%".contains(it)) {
        let hint = "write it percent-encoded, as in %20 for a space";
        return refuse("holds a character that no URL holds, or a `$`, which clients may replace", hint);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        let hint = "give the secret as a header instead, as a reference: `Authorization: Bearer ${NAME}`";
        return refuse("holds a user or a password, which would stand in the client's file", hint);
    }
    let query = url.split_once('?').map_or("", |it| it.1);
    if let Some((name, _)) =
        query.split('&').filter_map(|it| it.split_once('=')).find(|it| sounds_secret(it.0))
    {
        let hint = "give the secret as a header instead, as a reference: `Authorization: Bearer ${NAME}`";
        return refuse(&format!("gives a value to `{name}`, which would stand in the client's file"), hint);
    }
    if authority.is_empty() || authority.starts_with(':') {
        return refuse(&format!("{url:?} names no host"), "as in https://host/mcp");
    }
    Ok(())
}
