//! `new-server` and `remove`, interrupted at every moment.
//!
//! Signal + moment -> the tree as it was, or a server that is whole. Invariant: cargo works at every moment, and `remove` takes away
//! whatever a killed command has left.

use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use drydock_tests::process::{TIMEOUT, command, print_note, run, run_with, wait};

use super::{Clone, Tree, difference, same};

/// How many moments, evenly over the time that the whole command takes.
fn moments() -> u32 {
    if drydock_tests::is_full() { 60 } else { 4 }
}

/// A process group of its own, as a terminal's: cargo, which it runs, gets the signal, too.
fn start(clone: &Clone, args: &[&str]) -> Child {
    let mut command = clone.env.xtask(args);
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("xtask")
}

fn signal(child: &Child, signal: &str) {
    let group = format!("-{}", child.id());
    // Who has ended gets none.
    run(command("kill").args(["-s", signal, "--", &group]));
}

/// The time that it takes when nobody interrupts it.
fn whole_time(clone: &Clone, args: &[&str]) -> Duration {
    let start = Instant::now();
    clone.env.ok(args);
    start.elapsed()
}

/// Interrupts `args` at each moment; `look` is told the signal's number and whether the command had ended by itself.
fn at_every_moment(
    clone: &Clone,
    args: &[&str],
    time: Duration,
    name: &str,
    mut look: impl FnMut(bool, &str),
) {
    for moment in 0..moments() {
        let mut child = start(clone, args);
        thread::sleep(time * moment / moments());
        signal(&child, name);
        let ended = wait(&mut child, TIMEOUT).expect("it ends after a signal");
        look(ended.success(), &format!("{args:?}, {name} at {moment} of {}", moments()));
    }
}

/// Without what a killed command has hidden, which the next one removes.
fn visible(mut tree: Tree) -> Tree {
    tree.retain(|it, _| !it.to_string_lossy().contains(".drydock-"));
    tree
}

#[test]
fn ctrl_c_leaves_nothing() {
    let clone = Clone::new("ctrl-c");
    let before = clone.tree();
    let time = whole_time(&clone, &["new-server", "demo"]);
    clone.env.ok(&["remove", "demo", "--yes"]);
    let mut interrupted = 0;
    at_every_moment(&clone, &["new-server", "demo"], time, "INT", |done, what| {
        if done {
            clone.env.ok(&["remove", "demo", "--yes"]);
        } else {
            interrupted += 1;
        }
        same(&before, &clone.tree(), what);
    });
    assert!(interrupted > 0, "no signal came in time");
    print_note(&format!("new-server: {interrupted} of {} signals came in time", moments()));
}

/// Nothing can be undone by a process that is gone: what it leaves is whole, or hidden, and goes with the next commands.
#[test]
fn what_a_killed_command_leaves_goes_with_remove() {
    let clone = Clone::new("killed");
    let before = clone.tree();
    let time = whole_time(&clone, &["new-server", "demo"]);
    let made = clone.tree();
    clone.env.ok(&["remove", "demo", "--yes"]);
    let (mut nothing, mut something) = (0, 0);
    at_every_moment(&clone, &["new-server", "demo"], time, "KILL", |_, what| {
        run_with(&mut clone.cargo("metadata --no-deps --offline --format-version 1"), &[], TIMEOUT).ok();
        let now = visible(clone.tree());
        let folder = |tree: &Tree| tree.iter().filter(|it| it.0.starts_with("servers/demo")).count();
        assert!([0, folder(&made)].contains(&folder(&now)), "{what}: half a folder");
        if difference(&before, &now).is_empty() {
            nothing += 1;
            return;
        }
        something += 1;
        clone.env.ok(&["remove", "demo", "--yes"]);
        same(&before, &visible(clone.tree()), what);
    });
    clone.env.ok(&["new-server", "demo"]);
    clone.env.ok(&["remove", "demo", "--yes"]);
    same(&before, &clone.tree(), "what was hidden is gone");
    print_note(&format!("killed: {nothing} left nothing, {something} a server that `remove` took away"));
}

/// What lies between the steps takes a moment only, so that no signal may find it: each is made by hand.
#[test]
fn between_any_two_steps_remove_takes_all_away() {
    let clone = Clone::new("between");
    let before = clone.tree();
    let files = ["Cargo.toml", "Cargo.lock"];
    let old = files.map(|it| clone.text(it));
    for restored in [&files[..], &files[1..], &files[..1]] {
        clone.env.ok(&["new-server", "demo"]);
        for (file, text) in files.iter().zip(&old).filter(|(it, _)| restored.contains(it)) {
            std::fs::write(clone.root().join(file), text).expect("a file");
        }
        clone.env.ok(&["remove", "demo", "--yes"]);
        same(&before, &clone.tree(), &format!("{restored:?} as before"));
    }
}

#[test]
fn a_removal_that_was_interrupted_is_run_again() {
    let clone = Clone::new("again");
    let before = clone.tree();
    clone.env.ok(&["new-server", "demo"]);
    let time = whole_time(&clone, &["remove", "demo", "--yes"]);
    for name in ["INT", "KILL"] {
        clone.env.ok(&["new-server", "demo"]);
        at_every_moment(&clone, &["remove", "demo", "--yes"], time, name, |_, what| {
            run_with(&mut clone.cargo("metadata --no-deps --offline --format-version 1"), &[], TIMEOUT).ok();
            if difference(&before, &visible(clone.tree())).is_empty() {
                clone.env.ok(&["new-server", "demo"]);
                return;
            }
            clone.env.ok(&["remove", "demo", "--yes"]);
            same(&before, &visible(clone.tree()), what);
            clone.env.ok(&["new-server", "demo"]);
        });
        clone.env.ok(&["remove", "demo", "--yes"]);
        same(&before, &clone.tree(), name);
    }
}
