//! Names and titles that a new server can have.
//!
//! Name + what is there -> nothing, or why not. Invariant: a name that passes can be a crate, a program, a folder, an image, a
//! container and an entry in every client's file as it stands.

use anyhow::{Error, Result};
use serde::Deserialize;

use crate::hint::{usage, with_hint};

/// Characters of a name: the tools of a server are called `mcp__NAME__TOOL` in clients, and models' services take 64.
const MAX_NAME: usize = 32;
/// Bytes of a title: it stands on one line of a source file.
const MAX_TITLE: usize = 60;

/// Rust's keywords, also those kept for later.
const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else enum extern false final fn \
                        for gen if impl in let loop macro match mod move mut override priv pub ref return self static struct \
                        super trait true try type typeof unsafe unsized use virtual where while yield";
/// What cargo, Rust and Windows keep for themselves.
const RESERVED: &str = "alloc aux build con core deps doc examples incremental lpt1 nul panic-abort panic-unwind prn proc-macro \
                        std target test tests";

/// What the words of a name alone say.
pub(super) fn check_words(name: &str) -> Result<()> {
    let wrong = |rule: &str| usage(format!("a server cannot be called {name:?}: {rule}"), suggestion(name));
    if name.is_empty() {
        return Err(wrong("it is empty"));
    }
    if name.len() > MAX_NAME {
        return Err(wrong(&format!(
            "it has {} characters, and {MAX_NAME} are allowed",
            name.chars().count()
        )));
    }
    let known = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    if let Some(bad) = name.chars().find(|it| !known(*it)) {
        return Err(wrong(&format!("{bad:?} is none of a-z, 0-9 and `-`")));
    }
    if !name.starts_with(|it: char| it.is_ascii_lowercase()) {
        return Err(wrong("it must begin with a letter"));
    }
    if name.ends_with('-') || name.contains("--") {
        return Err(wrong("`-` stands between letters or digits alone"));
    }
    if KEYWORDS.split(' ').any(|it| it == name) {
        return Err(wrong("that is a keyword of Rust"));
    }
    if RESERVED.split(' ').any(|it| it == name) {
        return Err(wrong("cargo, Rust or Windows keeps that name for itself"));
    }
    Ok(())
}

/// A name that comes near, if there is one.
fn suggestion(name: &str) -> String {
    let plain: String =
        name.to_lowercase().chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
    let words: Vec<_> = plain.split('-').filter(|it| !it.is_empty()).collect();
    let near = words.join("-");
    let near = near.trim_start_matches(|it: char| it.is_ascii_digit() || it == '-');
    let near: String = near.chars().take(MAX_NAME).collect();
    let near = near.trim_end_matches('-');
    match near.len() > 1 && near != name && check_words(near).is_ok() {
        true => format!("this would be one: {near}"),
        false => "use words of a-z and 0-9 with `-` between them, as in `to-do-list`".to_owned(),
    }
}

/// That a name is somebody else's.
pub(super) fn taken(name: &str, what: &str, is_server: bool) -> Error {
    let hint = match is_server {
        true => format!("take another name, or take that server away first: cargo xtask remove {name}"),
        false => format!("take another name, as in {name}-server"),
    };
    usage(format!("a server cannot be called {name:?}: {what}"), hint)
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

/// Whether a crate that the workspace builds has this name: `cargo -p NAME` would mean both.
pub(super) fn check_crates(name: &str, lock: &str) -> Result<()> {
    let broken =
        |err| with_hint(format!("cannot read Cargo.lock: {err}"), "bring it back: git restore Cargo.lock");
    let lock: Lock = toml::from_str(lock).map_err(broken)?;
    match lock.package.iter().find(|it| it.name.replace('_', "-") == name) {
        Some(it) => {
            let what = format!("a crate that this workspace builds is called `{}`", it.name);
            Err(taken(name, &what, false))
        }
        None => Ok(()),
    }
}

/// The title that a name suggests.
pub(crate) fn title_of(name: &str) -> String {
    let words = name.replace('-', " ");
    let mut chars = words.chars();
    chars.next().map(|it| it.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Whether it can stand in a string of Rust, JSON and TOML as it is, and on one line.
pub(crate) fn check_title(title: &str) -> Result<()> {
    let wrong = |rule: &str, cure: &str| Err(usage(format!("{title:?} cannot be a title: {rule}"), cure));
    if title.trim() != title || title.is_empty() {
        return wrong(
            "it is empty, or has blanks around it",
            "give it one to five words, as in `To-do list`",
        );
    }
    if let Some(bad) = title.chars().find(|it| it.is_control() || "\"\\".contains(*it)) {
        return wrong(&format!("it holds {bad:?}"), "use letters, digits and plain punctuation");
    }
    if title.len() > MAX_TITLE {
        let rule = format!("it has {} bytes, and {MAX_TITLE} are allowed", title.len());
        return wrong(&rule, "shorten it: a longer description goes into server.json");
    }
    Ok(())
}
