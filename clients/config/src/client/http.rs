//! Entries for servers that are reached over HTTP: in a client's own form, and back again.
//!
//! `HttpEndpoint` -> entry, entry -> `HttpEndpoint`. Invariant: a header's value is written as the client's own reference
//! to a variable, or not at all, so that no secret stands in a client's file; reading back gives the same endpoint.

mod header;
mod secret;
mod url;

use std::collections::BTreeMap;

use drydock_edit::Entry;
use serde_json::Value;

use self::header::{Piece, bearer, check_name, in_client_form, in_our_form, parse_value};
pub use self::secret::sounds_secret;
use super::templates::{self, Values};
use super::{Client, Scope};
use crate::error::{Error, ErrorKind, Result};

/// A server that is reached over HTTP. Header values hold references, `${NAME}`, in Drydock's own form.
#[derive(Clone, Debug)]
pub struct HttpEndpoint {
    /// `http://` or `https://`, without a user, a password or a secret in its query.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
}

/// Which headers of servers over HTTP a client takes: always with references to variables, never with the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderSupport {
    /// It replaces no variables in them, as far as we know.
    None,
    /// Only `Authorization: Bearer ${NAME}`.
    Bearer,
    /// Any header.
    Any,
}

/// The order of headers means nothing, and neither does the case of their names.
impl PartialEq for HttpEndpoint {
    fn eq(&self, other: &Self) -> bool {
        let headers = |it: &Self| -> BTreeMap<String, String> {
            it.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
        };
        self.url == other.url && self.headers.len() == other.headers.len() && headers(self) == headers(other)
    }
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
    /// Which headers it can send to servers over HTTP; `None`: it reaches no such servers through its file.
    pub fn http(&self) -> Option<HeaderSupport> {
        let template = self.data.entry.http.as_ref()?;
        let has = |placeholder| templates::has(template, placeholder);
        Some(match (has("{headers}") || has("{header-variables}"), has("{bearer-variable}")) {
            (true, _) => HeaderSupport::Any,
            (false, true) => HeaderSupport::Bearer,
            (false, false) => HeaderSupport::None,
        })
    }

    /// The entry that makes this client reach that server.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a client that reaches no servers over HTTP, or takes no such header;
    /// [`ErrorKind::InvalidInput`] for a URL or a header that would put a secret into the file, or is malformed.
    pub fn http_entry(&self, scope: Scope, name: &str, endpoint: &HttpEndpoint) -> Result<Entry> {
        let template = self
            .http_template()
            .map_err(|err| err.with_hint("the table in docs/clients.md says which clients do"))?;
        url::check(&endpoint.url)?;
        if let Some(only) = self.data.expands.headers_only_in.filter(|it| *it != scope)
            && !endpoint.headers.is_empty()
        {
            let problem = format!("{} replaces no variables in headers of the {scope} scope", self.name());
            return Err(Error::new(ErrorKind::Unsupported, problem).with_hint(format!("--scope {only}")));
        }
        let mut fields = Fields::default();
        for (n, (header, value)) in endpoint.headers.iter().enumerate() {
            check_name(header)?;
            if endpoint.headers[..n].iter().any(|(other, _)| other.eq_ignore_ascii_case(header)) {
                let problem = format!("the header `{header}` is given twice");
                return Err(Error::new(ErrorKind::InvalidInput, problem));
            }
            self.place_header(template, header, &parse_value(header, value)?, &mut fields)?;
        }
        Ok(templates::fill(template, &fields.values(name, &endpoint.url)))
    }

    fn http_template(&self) -> Result<&toml::Table> {
        self.data.entry.http.as_ref().ok_or_else(|| {
            let problem = format!("{} reaches no servers over HTTP through its file", self.name());
            Error::new(ErrorKind::Unsupported, problem)
        })
    }

    /// Into the first field of the template that can hold it.
    fn place_header(
        &self,
        template: &toml::Table,
        header: &str,
        pieces: &[Piece<'_>],
        fields: &mut Fields,
    ) -> Result<()> {
        let rules = &self.data.expands;
        let variables = || pieces.iter().filter_map(Piece::variable);
        if let Some(kept) = variables().find(|it| rules.headers_never.iter().any(|never| never == it)) {
            let problem = format!("{} sends nothing for `{kept}` in a header", self.name());
            return Err(Error::new(ErrorKind::Unsupported, problem)
                .with_hint("hold the value in a variable of another name"));
        }
        match (bearer(header, pieces), pieces, &rules.headers) {
            (Some(variable), ..) if templates::has(template, "{bearer-variable}") => {
                fields.bearer = Some(variable.to_owned());
            }
            (_, [Piece::Reference(variable)], _) if templates::has(template, "{header-variables}") => {
                fields.by_variable.insert(header.to_owned(), (*variable).into());
            }
            (_, _, Some(form)) => {
                fields.headers.insert(header.to_owned(), in_client_form(pieces, form).into());
                for it in variables().map(Value::from) {
                    if !fields.variables.contains(&it) {
                        fields.variables.push(it);
                    }
                }
            }
            (_, _, None) => return Err(self.no_such_header(template, header)),
        }
        Ok(())
    }

    /// An entry as it stands, with its references in our form.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a client that reaches no servers over HTTP, [`ErrorKind::InvalidEntry`] for what
    /// names no URL, or is not in the client's form.
    pub fn parse_http(&self, entry: &Value) -> Result<HttpEndpoint> {
        let invalid = |what: &str| Error::new(ErrorKind::InvalidEntry, what);
        let template = self.http_template()?;
        let entry = entry.as_object().ok_or_else(|| invalid("it is not an object"))?;
        let values = templates::extract(template, entry)?;
        let url = values.text("{url}")?;
        let url = url.ok_or_else(|| invalid("it names no URL (an entry that starts a command?)"))?;
        let mut headers = Vec::new();
        if let Some(variable) = values.text("{bearer-variable}")? {
            headers.push(("Authorization".to_owned(), format!("Bearer ${{{variable}}}")));
        }
        for (header, variable) in values.pairs("{header-variables}")? {
            headers.push((header, format!("${{{variable}}}")));
        }
        for (header, value) in values.pairs("{headers}")? {
            let form = self.data.expands.headers.as_deref().unwrap_or_default();
            headers.push((header, in_our_form(&value, form)));
        }
        Ok(HttpEndpoint { url, headers })
    }

    fn no_such_header(&self, template: &toml::Table, header: &str) -> Error {
        let client = self.name();
        let mut can = Vec::new();
        if templates::has(template, "{bearer-variable}") {
            can.push("`Authorization: Bearer ${NAME}`");
        }
        if templates::has(template, "{header-variables}") {
            can.push("a value that is `${NAME}` and nothing else");
        }
        if can.is_empty() {
            let problem = format!(
                "{client} replaces no variables in headers (or nobody has confirmed that it does), so what \
                 `{header}` holds would have to stand in its file"
            );
            let hint = "leave out the header and log in from within the client, or take another client: the table \
                        in docs/clients.md says which take headers";
            Error::new(ErrorKind::Unsupported, problem).with_hint(hint)
        } else {
            let problem = format!("{client} takes a variable in a header only as {}", can.join(", or as "));
            Error::new(ErrorKind::Unsupported, problem).with_hint(format!("write `{header}` that way"))
        }
    }
}
