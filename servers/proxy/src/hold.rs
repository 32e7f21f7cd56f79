//! The program that a client starts: pipes, processes and time around a [`Session`].
//!
//! A command and the client's pipes -> the session's end. Invariants: it never waits in a read or a write; no side is read
//! while `MAX_BACKLOG` bytes wait for the other one, so that whoever reads slowly slows the other side; and whatever a client,
//! a server and an engine do, it ends in bounded time once its client is gone.

mod time;

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use drydock_runtime::ipc::wait_any;
use drydock_runtime::log::Log;
use drydock_runtime::output::Output as ClientOutput;
use drydock_runtime::stall::StallClock;
use rustix::event::PollFlags;

use crate::frame::Frame;
use crate::lines::{Lines, split};
use crate::outgoing::Outgoing;
use crate::server_process::{Ending, ServerProcess};
use crate::session::{Action, Output, Session, Settings};

/// Bytes that wait for one side before the other is not read any more.
const MAX_BACKLOG: usize = 1 << 20;

/// The same for what a server is given without its client's doing.
const MAX_OWN_BACKLOG: usize = 16 << 20;

/// A message longer than that ends the session: nobody could answer it.
const MAX_LINE: usize = 64 << 20;

const CLIENT_GONE: &str = "the client is gone";

/// What to hold, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// What starts a server that speaks MCP on stdin and stdout.
    pub command: Vec<OsString>,
    /// What the session may take.
    pub settings: Settings,
    /// The session ends after its output was blocked this long without a byte moving.
    pub stall_timeout: Duration,
}

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The client has closed its end, and was told everything.
    Closed,
    /// Anything else.
    Aborted(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Signals,
    Client,
    ClientGone,
    ClientReads,
    ServerIn,
    ServerOut,
    ServerErrors,
    ChildExit,
}

#[derive(Debug)]
struct Hold<'a> {
    options: &'a Options,
    log: Log,
    began: Instant,
    session: Session,
    out: Output,
    to_client: Outgoing,
    to_server: Outgoing,
    /// Bytes that have gone to the server.
    written: u64,
    stdin: OwnedFd,
    /// The client has closed its end, and when.
    closed_at: Option<Instant>,
    stdout: ClientOutput,
    from_client: Lines,
    from_server: Lines,
    server: Option<ServerProcess>,
    closes_input: bool,
    endings: Vec<Ending>,
    /// Readable when a process of ours has ended.
    child_exits: UnixStream,
    stall: StallClock,
    last_progress: Instant,
    /// When a byte moved last on the server's side, or there began to be one for it.
    server_moved_at: Instant,
    end: Option<End>,
}

/// Holds a session on these pipes until its client is gone.
///
/// # Errors
/// The system does not tell which descriptors are ready, or signals cannot be caught.
pub fn hold(options: &Options, stdin: OwnedFd, stdout: OwnedFd, log: &Log) -> io::Result<End> {
    let signals = drydock_runtime::signals::shutdown_signals().map_err(io::Error::other)?;
    let now = Instant::now();
    let mut hold = Hold {
        options,
        log: log.clone(),
        began: now,
        session: Session::new(Settings {
            prefix: format!("{}{}:", options.settings.prefix, std::process::id()),
            ..options.settings.clone()
        }),
        out: Output::default(),
        to_client: Outgoing::default(),
        to_server: Outgoing::default(),
        written: 0,
        stdin,
        closed_at: None,
        stdout: ClientOutput::new(stdout),
        from_client: Lines::default(),
        from_server: Lines::default(),
        server: None,
        closes_input: false,
        endings: Vec::new(),
        child_exits: drydock_runtime::signals::child_exits().map_err(io::Error::other)?,
        stall: StallClock::new(options.stall_timeout),
        last_progress: now,
        server_moved_at: now,
        end: None,
    };
    let end = hold.run(&signals);
    hold.finish(&signals);
    end
}

impl Hold<'_> {
    fn run(&mut self, signals: &UnixStream) -> io::Result<End> {
        self.session.begin(&mut self.out);
        self.act();
        loop {
            self.write_server();
            self.write_client();
            if let Some(end) = &self.end
                && self.to_client.is_empty()
            {
                return Ok(end.clone());
            }
            let ready = wait_any(&self.sources(signals), self.deadline())?;
            let now = Instant::now();
            for source in ready {
                match source {
                    Source::Signals => return Ok(self.on_signal(signals)),
                    Source::ClientGone => return Ok(End::Aborted(CLIENT_GONE.into())),
                    Source::Client => self.read_client(now),
                    Source::ServerOut => self.read_server(now),
                    Source::ServerErrors => {
                        if let Some(it) = &mut self.server {
                            it.errors.read();
                        }
                    }
                    Source::ChildExit => self.on_child_exit(now),
                    Source::ServerIn | Source::ClientReads => {}
                }
            }
            self.write_server();
            self.write_client();
            if let Some(reason) = self.on_time(now) {
                return Ok(End::Aborted(reason.into()));
            }
        }
    }

    fn sources<'a>(&'a self, signals: &'a UnixStream) -> Vec<(Source, BorrowedFd<'a>, PollFlags)> {
        let mut sources = vec![(Source::Signals, signals.as_fd(), PollFlags::IN)];
        let mut add = |source, fd, flags| sources.push((source, fd, flags));
        add(Source::ChildExit, self.child_exits.as_fd(), PollFlags::IN);
        let has_room = self.to_server.len() < MAX_BACKLOG && self.to_client.len() < MAX_BACKLOG;
        if self.closed_at.is_none() && self.end.is_none() && has_room {
            add(Source::Client, self.stdin.as_fd(), PollFlags::IN);
        }
        if self.to_client.is_empty() {
            // No event is asked for, but `poll` reports all the same that the reader is gone.
            add(Source::ClientGone, self.stdout.as_fd(), PollFlags::empty());
        } else {
            add(Source::ClientReads, self.stdout.as_fd(), PollFlags::OUT);
        }
        if let Some(server) = &self.server {
            if let Some(it) = server.input.as_ref().filter(|_| !self.to_server.is_empty()) {
                add(Source::ServerIn, it.as_fd(), PollFlags::OUT);
            }
            let has_room = self.to_client.len() < MAX_BACKLOG && self.to_server.len() < MAX_OWN_BACKLOG;
            let is_read = self.end.is_none() && has_room;
            if let Some(it) = server.output.as_ref().filter(|_| is_read) {
                add(Source::ServerOut, it.as_fd(), PollFlags::IN);
            }
            if let Some(it) = server.errors.fd() {
                add(Source::ServerErrors, it, PollFlags::IN);
            }
        }
        sources
    }

    fn on_child_exit(&mut self, now: Instant) {
        while self.child_exits.read(&mut [0; 64]).is_ok_and(|it| it > 0) {}
        if let Some(it) = &mut self.server {
            it.on_child_exit(now);
        }
        self.end_output_if_read(now);
    }

    /// What comes after that is of processes that the server left.
    fn end_output_if_read(&mut self, now: Instant) {
        if self.server.as_ref().is_some_and(ServerProcess::is_read) {
            self.on_server_output_closed(now);
        }
    }

    fn on_server_output_closed(&mut self, now: Instant) {
        let Some(server) = &mut self.server else { return };
        // A last line without a break is an answer, or was cut.
        if let Some(line) = self.from_server.take_rest()
            && !matches!(Frame::read(&line), Frame::Unknown)
        {
            self.session.on_server_line(now - self.began, server.generation, &line, &mut self.out);
        }
        server.on_output_closed(now);
        self.act();
    }

    fn read_client(&mut self, now: Instant) {
        let time = now - self.began;
        let (session, out) = (&mut self.session, &mut self.out);
        match self.from_client.read(&self.stdin) {
            Ok(Some(lines)) => {
                self.last_progress = now;
                split(&lines, |line| session.on_client_line(time, line, out));
                if self.from_client.pending() > MAX_LINE {
                    self.end = Some(End::Aborted("the client sent a message of more than 64 MiB".into()));
                }
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Ok(None) | Err(_) => {
                if let Some(line) = self.from_client.take_rest() {
                    session.on_client_line(time, &line, out);
                }
                self.closed_at = Some(now);
                self.last_progress = now;
                session.on_client_closed(out);
            }
        }
        self.act();
    }

    fn read_server(&mut self, now: Instant) {
        let Some(server) = &mut self.server else { return };
        let Some(output) = &server.output else { return };
        let (time, generation, before) = (now - self.began, server.generation, self.from_server.total());
        let (session, out) = (&mut self.session, &mut self.out);
        match self.from_server.read(output) {
            Ok(Some(lines)) => {
                self.last_progress = now;
                self.server_moved_at = now;
                server.moved(self.from_server.total() - before, now);
                split(&lines, |line| session.on_server_line(time, generation, line, out));
                if self.from_server.pending() > MAX_LINE {
                    server.stop("it sent a message of more than 64 MiB", now);
                }
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Ok(None) | Err(_) => return self.on_server_output_closed(now),
        }
        self.act();
        self.end_output_if_read(now);
    }

    fn write_server(&mut self) {
        let Some(server) = &mut self.server else { return };
        if let Some(input) = &mut server.input {
            let before = self.to_server.len();
            let result = self.to_server.write(|bytes| input.write(bytes));
            let written = before - self.to_server.len();
            if written > 0 {
                self.written += written as u64;
                self.server_moved_at = Instant::now();
                self.last_progress = self.server_moved_at;
            }
            if result.is_err() {
                server.on_input_closed(Instant::now());
            }
        }
        if server.input.is_none() {
            self.to_server.clear(); // it goes to the next one, as what was never sent
        } else if self.closes_input && self.to_server.is_empty() {
            server.input = None;
        }
    }

    fn write_client(&mut self) {
        match self.to_client.write(|bytes| self.stdout.write(bytes)) {
            Ok(0) => {}
            Ok(_) => {
                self.last_progress = Instant::now();
                self.stall.moved();
            }
            Err(_) => {
                self.to_client.clear();
                self.end = Some(End::Aborted(CLIENT_GONE.into()));
            }
        }
    }

    /// Does what the session says.
    fn act(&mut self) {
        self.to_client.take(&mut self.out.to_client);
        if self.to_server.is_empty() {
            self.server_moved_at = Instant::now();
        }
        self.to_server.take(&mut self.out.to_server);
        for action in std::mem::take(&mut self.out.actions) {
            match action {
                Action::Start { generation } => self.start(generation),
                Action::Stop(reason) => self.stop(&reason, Instant::now()),
                Action::CloseInput => self.closes_input = true,
                Action::Note(text) => self.log.info(&text),
                Action::End(reason) => self.end = Some(reason.map_or(End::Closed, End::Aborted)),
            }
        }
    }

    fn start(&mut self, generation: u64) {
        self.forget_output();
        let now = Instant::now() - self.began;
        match ServerProcess::start(&self.options.command, generation, self.log.clone()) {
            Ok(server) => {
                self.server = Some(server);
                self.session.on_started(now, generation, &mut self.out);
            }
            Err(e) => {
                let program = self.options.command.first().map(|it| it.to_string_lossy()).unwrap_or_default();
                let words = format!("{program} cannot be started: {e}");
                self.session.on_gone(now, generation, 0, &words, &mut self.out);
            }
        }
        self.act();
    }

    /// What was meant for one server is for no other.
    fn forget_output(&mut self) {
        self.to_server.clear();
        self.written = 0;
        self.from_server = Lines::default();
    }

    fn stop(&mut self, reason: &str, now: Instant) {
        if let Some(server) = &mut self.server {
            server.stop(reason, now);
        }
    }

    fn on_server_gone(&mut self, now: Instant) {
        let Some(mut server) = self.server.take() else { return };
        let (generation, written, words) = (server.generation, self.written, server.words());
        self.endings.push(server.let_go(now));
        self.forget_output();
        self.session.on_gone(now - self.began, generation, written, &words, &mut self.out);
        self.act();
    }

    /// We are told to end: there is not much time.
    fn on_signal(&mut self, mut signals: &UnixStream) -> End {
        let _ = signals.read(&mut [0; 64]); // there is at least a byte
        let now = Instant::now();
        self.endings.extend(self.server.take().map(|it| it.let_go(now)));
        self.endings.iter_mut().for_each(|it| it.hurry(now));
        End::Aborted("told to end".into())
    }

    /// Ends what still runs.
    fn finish(&mut self, signals: &UnixStream) {
        self.endings.extend(self.server.take().map(|it| it.let_go(Instant::now())));
        let mut is_told = false;
        loop {
            let now = Instant::now();
            self.endings.retain_mut(|it| !it.is_over(now));
            let deadline = self.endings.iter().map(Ending::deadline).min();
            let mut sources = vec![(Source::ChildExit, self.child_exits.as_fd(), PollFlags::IN)];
            sources.extend((!is_told).then(|| (Source::Signals, signals.as_fd(), PollFlags::IN)));
            let Some(Ok(ready)) = deadline.map(|it| wait_any(&sources, Some(it))) else { return };
            if ready.contains(&Source::Signals) {
                is_told = true;
                self.endings.iter_mut().for_each(|it| it.hurry(now));
            }
            self.on_child_exit(now);
        }
    }
}
