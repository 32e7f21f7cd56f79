//! One thing after the other, where the failure of one is none of the others.
//!
//! Things + work -> all of them tried, and one error at the end. Invariant: an error is told once, with its hints; a
//! signal ends it all.

use std::io;

use anyhow::{Error, Result, bail};

use crate::hint::hints;
use crate::interrupt;
use crate::ui::progress::say;

/// `failed`: what became of one that failed, as in `2 of 3 clients were not changed`.
pub(crate) fn try_each<T>(
    all: impl IntoIterator<Item = T>,
    failed: &str,
    mut work: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let all: Vec<T> = all.into_iter().collect();
    let count = all.len();
    let mut errors = Vec::new();
    for it in all {
        match work(it) {
            Err(err) if is_broken_pipe(&err) => return Ok(()), // as in `--print | head -1`
            Err(err) => {
                if count == 1 || interrupt::check().is_err() {
                    return Err(err);
                }
                errors.push(err);
            }
            Ok(()) => {}
        }
    }
    for err in &errors {
        say(&format!("error: {err:#}"));
        hints(err).iter().for_each(|it| say(&format!("\nhint: {it}\n")));
    }
    match errors.len() {
        0 => Ok(()),
        some => bail!("{some} of {count} {failed}, see above"),
    }
}

fn is_broken_pipe(err: &Error) -> bool {
    err.downcast_ref::<io::Error>().is_some_and(|it| it.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_others_are_tried_and_the_failure_is_told() {
        let mut tried = Vec::new();
        let err = try_each([1, 2, 3], "numbers were odd", |it| {
            tried.push(it);
            if it % 2 == 1 { bail!("{it} is odd") } else { Ok(()) }
        });
        assert_eq!(err.unwrap_err().to_string(), "2 of 3 numbers were odd, see above");
        assert_eq!(tried, [1, 2, 3]);
        let alone = try_each([1], "numbers were odd", |it| bail!("{it} is odd"));
        assert_eq!(alone.unwrap_err().to_string(), "1 is odd");
    }
}
