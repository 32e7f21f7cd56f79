//! Addresses that may stand in a client's file.
//!
//! URL -> accepted, or refused with the reason. Invariant: nothing that a client could take for a variable gets in, and
//! no secret.

use super::secret;
use crate::error::{Error, ErrorKind, Result};

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
    if let Some(found) = secret::find(&rest[authority.len()..]) {
        let hint = "give the secret as a header instead, as a reference: `Authorization: Bearer ${NAME}`; what the service \
                    takes in the address only, add in the client itself";
        return refuse(&format!("{found}, which would stand in the client's file"), hint);
    }
    if authority.is_empty() || authority.starts_with(':') {
        return refuse(&format!("{url:?} names no host"), "as in https://host/mcp");
    }
    Ok(())
}
