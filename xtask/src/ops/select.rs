//! The servers that a command works on, with what is left out said.
//!
//! Root folder + names -> servers. Invariant: nothing is left out in silence.

use std::path::Path;

use anyhow::{Error, Result};
use drydock_catalog::{Kind, Server};

use crate::ui::progress::say;

/// The servers that are described as they should be; says which are left out.
pub(crate) fn load_valid(root: &Path) -> Result<Vec<Server>> {
    let (good, bad) = drydock_catalog::load_partial(root)?;
    for problem in bad {
        say(&format!("left out: {:#}", Error::new(problem)));
    }
    Ok(good)
}

/// What engine `host` can run: servers in Rust. Another that was named is an error, one that was not is left out.
pub(crate) fn on_host(servers: Vec<Server>, named: bool) -> Result<Vec<Server>> {
    let (rust, others): (Vec<_>, Vec<_>) = servers.into_iter().partition(|it| it.kind == Kind::Rust);
    match others.first() {
        Some(first) if named => Err(first.needs_a_container().into()),
        _ => {
            let names: Vec<_> = others.iter().map(|it| it.name.as_str()).collect();
            if !names.is_empty() {
                say(&format!("left out, as they run in containers only: {}", names.join(", ")));
            }
            Ok(rust)
        }
    }
}
