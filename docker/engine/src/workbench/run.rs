//! One step, from a container that was created to its end.
//!
//! Container + limits -> fine, or why not. Invariant: it starts only after its sandbox was read back, and whatever happens,
//! it does not run on.

use std::time::Instant;

use drydock_catalog::Sandbox;

use super::{Container, Step};
use crate::docker_args::steps;
use crate::error::Error;
use crate::inspect::container_of_id;
use crate::process::{self, Ended, Sink};
use crate::verify::verify_sandbox;

/// Of what a step prints, so many lines stand in its error, and so many bytes.
const MAX_LINES: usize = 60;
const MAX_BYTES: usize = 16 * 1024;

pub(super) fn run(
    container: &Container<'_>,
    step: &Step<'_>,
    sandbox: &Sandbox,
    sink: &Sink<'_>,
) -> Result<(), Error> {
    let created = container_of_id(container.cli, &container.id)?;
    let created = created.ok_or_else(|| Error::new(format!("{}: its container is gone", step.what)))?;
    verify_sandbox(&created, sandbox)?;
    let start = Instant::now();
    let is_fine = || check(step, start).inspect_err(|_| drop(container.remove()));
    let mut command = container.cli.detached_command(&steps::start_attached(&container.id))?;
    let ended = process::run_while(&mut command, sink, &is_fine)?;
    if ended.status.success() {
        return Ok(());
    }
    Err(failed(container, step, &ended))
}

fn check(step: &Step<'_>, start: Instant) -> Result<(), Error> {
    if (step.is_cancelled)() {
        return Err(Error::new(format!("{} was interrupted", step.what)));
    }
    if start.elapsed() > step.limits.time {
        let problem = format!("{} took more than {} s, and was ended", step.what, step.limits.time.as_secs());
        return Err(Error::new(problem).with_hint(
            "try it again where the network or the machine was slow; else look at what the package does when it is \
             installed",
        ));
    }
    Ok(())
}

fn failed(container: &Container<'_>, step: &Step<'_>, ended: &Ended) -> Error {
    let code = ended.status.code().map_or_else(|| ended.status.to_string(), |it| format!("exit code {it}"));
    let said = match tail(&ended.both) {
        "" => ", and printed nothing".to_owned(),
        said => format!(":\n{said}"),
    };
    let is_out_of_memory = container_of_id(container.cli, &container.id)
        .is_ok_and(|it| it.is_some_and(|it| it.state.oom_killed));
    if is_out_of_memory {
        let mebibytes = step.limits.memory >> 20;
        let problem = format!("{} needs more than its {mebibytes} MiB of memory ({code}){said}", step.what);
        return Error::new(problem).with_hint(
            "take another version of the package, or build it in an image of your own: what a step of a build gets is \
             the same for all",
        );
    }
    Error::new(format!("{} failed ({code}){said}", step.what))
}

/// The last lines, whole ones.
fn tail(text: &str) -> &str {
    let text = text.trim_end();
    let last = text.rmatch_indices('\n').nth(MAX_LINES - 1).map_or(text, |(at, _)| &text[at + 1..]);
    let over = last.len().saturating_sub(MAX_BYTES);
    if over == 0 {
        return last;
    }
    let from = (over..last.len()).find(|it| last.is_char_boundary(*it)).unwrap_or(last.len());
    last[from..].split_once('\n').map_or(&last[from..], |it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_much_the_last_lines_are_told() {
        assert_eq!(tail("one\ntwo\n\n"), "one\ntwo");
        assert_eq!(tail(""), "");
        let many: String = (0..1000).map(|it| format!("line {it}\n")).collect();
        assert_eq!((tail(&many).lines().count(), tail(&many).lines().next()), (60, Some("line 940")));
        let long = format!("{}\n", "ä".repeat(100)).repeat(1000);
        let told = tail(&long[..long.len() - 1]);
        assert!(
            told.len() <= 16 * 1024 && told.lines().all(|it| it.chars().count() == 100),
            "{}",
            told.len()
        );
        assert_eq!(tail(&"x".repeat(20_000)).len(), 16 * 1024, "one line");
    }
}
