//! What a client asks on a terminal alone: whether it may start the servers of a folder.
//!
//! Client + question -> yes, which the client has noted. Invariant: the client has a terminal of its own, and has ended
//! when this returns.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use drydock_tests::process::{TIMEOUT, wait_until};
use rustix::fs::{Mode, OFlags};
use rustix::io::FdFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

#[derive(Debug)]
pub(super) struct Question {
    /// Stands on the terminal when it waits for an answer; Enter says yes.
    pub(super) shows: &'static str,
    /// A folder below HOME, which holds a file once the answer is noted.
    pub(super) noted: &'static str,
}

/// Starts the client, says yes when it asks, and ends it when it has noted that. It has to name `server` with its question.
#[track_caller]
pub(super) fn say_yes(client: &mut Command, question: &Question, server: &str, home: &Path) {
    let (keyboard, terminal) = terminal().expect("a terminal");
    let stream = || Stdio::from(terminal.try_clone().expect("one more of it"));
    client.env("TERM", "xterm").stdin(stream()).stdout(stream()).stderr(stream());
    let mut child = client.spawn().unwrap_or_else(|e| panic!("cannot start {client:?}: {e}"));
    let screen = read(keyboard.try_clone().expect("one more of it"));
    let mut seen = Vec::new();
    let asks = wait_until(TIMEOUT, || {
        seen.extend(screen.try_iter().flatten());
        [question.shows, server].iter().all(|it| String::from_utf8_lossy(&seen).contains(it))
    });
    let noted = asks && (0..10).any(|_| enter(&keyboard, &home.join(question.noted)));
    let _ = child.kill();
    let _ = child.wait();
    let seen = String::from_utf8_lossy(&seen);
    assert!(asks, "{client:?} does not ask {:?} about {server}: {seen}", question.shows);
    assert!(noted, "{client:?} has not noted a yes in {}: {seen}", question.noted);
}

/// Whether it has noted the answer soon: what is typed before it reads is lost.
fn enter(mut keyboard: &File, noted: &Path) -> bool {
    keyboard.write_all(b"\r").expect("a terminal that takes a key");
    wait_until(Duration::from_secs(3), || holds_a_file(noted))
}

/// One that is written is not there yet: its name says so.
fn holds_a_file(folder: &Path) -> bool {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.map(|it| it.file_name()).any(|it| !it.to_string_lossy().contains(".tmp"))
}

/// The end of a person, and that of a program.
pub(crate) fn terminal() -> rustix::io::Result<(File, File)> {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    rustix::io::fcntl_setfd(&person, FdFlags::CLOEXEC)?;
    grantpt(&person)?;
    unlockpt(&person)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let program = rustix::fs::open(ptsname(&person, Vec::new())?, flags, Mode::empty())?;
    Ok((person.into(), program.into()))
}

/// What is shown, piece by piece, until no program has the terminal any more.
pub(crate) fn read(mut keyboard: File) -> Receiver<Vec<u8>> {
    let (shown, screen) = channel();
    thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = keyboard.read(&mut piece) {
            if shown.send(piece[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    screen
}
