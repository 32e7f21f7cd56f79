//! Addresses that may stand in a client's file.
//!
//! URL -> accepted, or refused with the reason. Invariant: nothing that a client could take for a variable gets in, and
//! no secret.

use crate::error::{Error, ErrorKind, Result};

const SECRET_WORDS: [&str; 12] = [
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
];

/// Whether something of that name probably holds a secret, as `api_key`, `--auth-token`, `PASSWORD` do.
pub fn sounds_secret(name: &str) -> bool {
    let words = name.to_ascii_lowercase();
    let mut words = words.split(|it: char| !it.is_ascii_alphanumeric());
    words.any(|word| SECRET_WORDS.contains(&word))
}

/// Only http(s), nothing that a client could take for a variable, and no secret.
pub(super) fn check(url: &str) -> Result<()> {
    let refuse = |what: &str, hint: &str| {
        Err(Error::new(ErrorKind::InvalidInput, format!("the URL {what}")).with_hint(hint))
    };
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
