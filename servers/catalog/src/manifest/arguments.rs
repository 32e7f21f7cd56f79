//! `packageArguments` and `runtimeArguments`: what a publisher puts on a command line.
//!
//! JSON list -> words, and what is said of those that are not there. Invariants: no secret becomes a word; an argument that
//! is left out although it has a value is told, and one that is required is wanted from the person.

use super::field::Field;
use super::input::{Filled, Input};
use crate::error::Error;

/// Arguments of one list.
const MAX_ARGUMENTS: usize = 256;
/// Characters of a description.
const MAX_DESCRIPTION: usize = 160;

/// What a list of arguments comes to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arguments {
    pub(crate) words: Vec<String>,
    /// Required, and without a value.
    pub(crate) wanted: Vec<MissingArgument>,
    /// What was left out, and why.
    pub(crate) notes: Vec<String>,
}

/// What the server does not start without, and only the person can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissingArgument {
    /// What it is called on the command line; nothing for one that only has a place there.
    pub(crate) flag: Option<String>,
    /// File, path, and what is lacking.
    pub(crate) problem: String,
    /// What to write as `args`.
    pub(crate) example: Vec<String>,
    /// The publisher's own words for it, as a terminal may be shown them.
    pub(crate) description: Option<String>,
}

impl MissingArgument {
    /// Whether these arguments, which the person wrote, hold it. Where one has its place alone, any may be the one.
    pub(crate) fn is_among(&self, args: &[String]) -> bool {
        let Some(flag) = &self.flag else { return !args.is_empty() };
        args.iter()
            .any(|it| it == flag || it.strip_prefix(flag.as_str()).is_some_and(|it| it.starts_with('=')))
    }
}

/// The arguments at `key`.
pub(super) fn read(package: &Field, key: &str) -> Result<Arguments, Error> {
    let list = package.list(key)?;
    if list.len() > MAX_ARGUMENTS {
        return Err(package.child(key).wrong(&format!("must have at most {MAX_ARGUMENTS} items")));
    }
    let mut all = Arguments::default();
    list.iter().try_for_each(|it| argument(it, &mut all))?;
    Ok(all)
}

fn argument(field: &Field, all: &mut Arguments) -> Result<(), Error> {
    let named = field.need("type")?.one_of(&["named", "positional"])? == "named";
    let input = Input::read(field)?;
    let name = if named { Some(field.need("name")?.text(200)?) } else { None };
    let has_place =
        ["value", "valueHint", "default", "name"].iter().any(|it| field.get(it).is_ok_and(|it| it.is_some()));
    if !named && !has_place && !field.is_empty_string("value") {
        return Err(field.wrong("must have `value` or `valueHint`"));
    }
    let secret = || Err(field.wrong("is a secret, and command lines are no place for secrets"));
    let mut want = |why: &str| {
        let value = field.get("valueHint").ok().flatten().and_then(|it| it.word(50).ok());
        let value = value.unwrap_or_else(|| "VALUE".to_owned());
        all.wanted.push(MissingArgument {
            problem: field.wrong(why).to_string(),
            example: name.iter().cloned().chain([value]).collect(),
            flag: name.clone(),
            description: field.get("description").ok().flatten().and_then(|it| shown(it.value.as_str()?)),
        });
    };
    match input.fill(field)? {
        Filled::Text(_) if input.secret => {
            return Err(field.wrong("is a secret, so the file must not hold its `value` or `default`"));
        }
        Filled::Text(value) => all.words.extend(match (name, value.as_str()) {
            // A switch: it is there, or it is not.
            (Some(name), "true") if input.boolean => vec![name],
            (Some(_), "false") if input.boolean => Vec::new(),
            (name, _) => name.into_iter().chain([value]).collect(),
        }),
        // So publishers write a switch; of an argument that only has its place, nothing is left.
        Filled::Nothing if field.is_empty_string("value") => all.words.extend(name),
        Filled::Nothing if input.required && input.is_secret() => return secret(),
        Filled::Nothing if input.required => want("is required and has no value"),
        Filled::Nothing => {}
        Filled::Unknown { required: true, secret: true, .. } => return secret(),
        Filled::Unknown { place, required: true, .. } => {
            want(&format!("is required, and nothing says what {place} stands for"));
        }
        Filled::Unknown { place, .. } => {
            let left = field.wrong(&format!("is left out: nothing says what {place} stands for"));
            all.notes.push(format!("{left}; it can be given in drydock.toml, as `args`"));
        }
    }
    Ok(())
}

/// The beginning of a description, escaped.
fn shown(text: &str) -> Option<String> {
    let start: String = text.trim().chars().take(MAX_DESCRIPTION).collect();
    (!start.is_empty()).then(|| format!("{start:?}"))
}
