//! A relay that is not running, with pipes that are as the test needs them.

use std::io::{PipeReader, PipeWriter, pipe};

use super::*;

struct Ends {
    relay: Relay,
    /// What the server reads.
    server_in: PipeReader,
    /// What the server writes.
    server_out: PipeWriter,
    client: PipeReader,
    signals: UnixStream,
    supervisor: UnixStream,
    _others: (UnixStream, PipeWriter),
}

const STALL: Duration = Duration::from_secs(60);

fn relay() -> Ends {
    let (server_in, to_server) = pipe().unwrap();
    let (from_server, server_out) = pipe().unwrap();
    let (client, stdout) = pipe().unwrap();
    let (stdin, other_stdin) = pipe().unwrap();
    let (ours, supervisor) = UnixStream::pair().unwrap();
    let (signals, other) = UnixStream::pair().unwrap();
    let ours = LineSocket::new(ours, 4096).unwrap();
    let mut relay = Relay::new(to_server.into(), from_server.into(), ours, STALL, Log::discard()).unwrap();
    relay.stdin = Some(stdin.into());
    relay.stdout = Output::new(stdout.into());
    Ends { relay, server_in, server_out, client, signals, supervisor, _others: (other, other_stdin) }
}

fn fill(buffer: &mut Buffer) {
    buffer.space()[..2].copy_from_slice(b"{}");
    buffer.filled(2, |_| {});
}

impl Ends {
    fn sources(&self) -> Vec<Source> {
        self.relay.sources(&self.signals).into_iter().map(|it| it.0).collect()
    }
}

#[test]
fn it_reads_only_what_it_can_pass_on() {
    use Source::{Client, ServerIn, ServerOut, Signals, Stdin, Stdout, Supervisor};
    let mut it = relay();
    assert_eq!(it.sources(), [Signals, Stdin, Client, ServerOut, Supervisor]);
    fill(&mut it.relay.to_server);
    assert_eq!(it.sources(), [Signals, ServerIn, Client, ServerOut, Supervisor]);
    fill(&mut it.relay.to_client);
    assert_eq!(it.sources(), [Signals, ServerIn, Stdout, Supervisor]);
    it.relay.to_server.clear();
    it.relay.stdin = None;
    assert_eq!(it.sources(), [Signals, Stdout, Supervisor]);
    it.relay.phase.exited(ServerExit::Code(0));
    assert_eq!(it.sources(), [Signals, Stdout]);
}

#[test]
fn a_blocked_end_is_looked_at_again_soon_and_an_idle_session_sleeps() {
    let mut it = relay();
    assert_eq!(it.relay.deadline(), None);
    for buffer in [|it: &mut Relay| fill(&mut it.to_server), |it: &mut Relay| fill(&mut it.to_client)] {
        it.relay.to_server.clear();
        it.relay.to_client.clear();
        buffer(&mut it.relay);
        let before = Instant::now();
        let deadline = it.relay.deadline().unwrap();
        assert!(deadline >= before + POLL_INTERVAL && deadline <= Instant::now() + POLL_INTERVAL);
    }
}

#[test]
fn a_server_has_the_time_of_its_phase() {
    let mut it = relay();
    let now = it.relay.last_progress;
    let later = now + Duration::from_secs(1);
    it.relay.phase.server_closed(later);
    assert_eq!(it.relay.server_deadline(), Some(later + IDLE_EXIT_TIMEOUT));
    it.relay.phase = Phase::START;
    it.relay.phase.client_closed(later);
    assert_eq!(it.relay.server_deadline(), Some(later + IDLE_EXIT_TIMEOUT));
    // What waits for the client keeps us from reading.
    fill(&mut it.relay.to_client);
    assert_eq!(it.relay.server_deadline(), Some(later + STALL));
    it.relay.phase.terminate_sent(later);
    assert_eq!(it.relay.server_deadline(), Some(later + SUPERVISOR_TIMEOUT));
    it.relay.phase.exited(ServerExit::Code(0));
    assert_eq!(it.relay.server_deadline(), None);
    it.relay.to_client.clear();
    assert_eq!(it.relay.server_deadline(), Some(now + IDLE_EXIT_TIMEOUT));
    it.relay.server_out = None;
    assert_eq!(it.relay.server_deadline(), None);
}

/// A client with a request in flight gives its server more time.
#[test]
fn requests_in_flight_have_longer() {
    let mut it = relay();
    let line = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
    it.relay.to_server.space()[..line.len()].copy_from_slice(line);
    let in_flight = &mut it.relay.in_flight;
    it.relay.to_server.filled(line.len(), |message| in_flight.on_client_message(message));
    it.relay.phase.client_closed(it.relay.last_progress);
    assert_eq!(it.relay.server_deadline(), Some(it.relay.last_progress + DRAIN_TIMEOUT));
}

#[test]
fn a_server_that_takes_no_input_is_waited_for() {
    let mut it = relay();
    let since = it.relay.last_progress;
    assert_eq!(it.relay.blocked_too_long(since + STALL), None, "nothing is blocked");
    fill(&mut it.relay.to_server);
    assert_eq!(it.relay.blocked_too_long(since + DRAIN_TIMEOUT / 2), None);
    let gone = "the client closed its end, and the server does not read what it sent";
    let expected = hung_up(io::stdin()).then_some(gone); // the test's own
    assert_eq!(it.relay.blocked_too_long(since + DRAIN_TIMEOUT), expected);
    assert!(it.relay.blocked_too_long(since + STALL).unwrap().contains("did not take its input"));
}

#[test]
fn input_for_a_server_that_closed_its_end_goes_nowhere() {
    let mut it = relay();
    drop(it.server_in);
    fill(&mut it.relay.to_server);
    it.relay.write_server();
    assert!(it.relay.server_in.is_none() && it.relay.to_server.is_empty());
    assert!(!it.relay.phase.is_client_closed());
    it.relay.stdin = None;
    it.relay.write_server();
    assert!(it.relay.phase.is_client_closed());
    let mut told = [0; 64];
    let length = it.supervisor.read(&mut told).unwrap();
    assert_eq!(&told[..length], format!("{}\n", ControlMessage::ClientClosed).as_bytes());
}

#[test]
fn a_full_pipe_is_not_a_closed_one() {
    let mut it = relay();
    while it.relay.server_in.as_mut().unwrap().write(&[b' '; 4096]).is_ok() {}
    fill(&mut it.relay.to_server);
    it.relay.write_server();
    assert!(it.relay.server_in.is_some());
    assert_eq!(it.relay.to_server.rest(), b"{}");
    fill(&mut it.relay.to_client);
    assert!(it.relay.write_client() && it.relay.to_client.is_empty());
    while it.relay.stdout.write(&[b' '; 4096]).is_ok() {}
    fill(&mut it.relay.to_client);
    assert!(it.relay.write_client());
    assert_eq!(it.relay.to_client.rest(), b"{}");
    drop(it.client);
    assert!(!it.relay.write_client());
}

#[test]
fn a_server_that_says_nothing_yet_is_not_gone() {
    let mut it = relay();
    it.relay.read_server();
    assert!(it.relay.server_out.is_some() && it.relay.phase == Phase::START);
    it.server_out.write_all(b"{}\n").unwrap();
    it.relay.read_server();
    assert_eq!(it.relay.to_client.rest(), b"{}\n");
    drop(it.server_out);
    it.relay.read_server();
    assert!(it.relay.server_out.is_none() && it.relay.server_deadline().is_some());
    // What cannot be read at all is as good as closed.
    it.relay.phase = Phase::START;
    it.relay.server_out = Some(File::open("/").unwrap());
    it.relay.read_server();
    assert!(it.relay.server_out.is_none() && it.relay.phase != Phase::START);
}

#[test]
fn noise_from_the_client_is_noticed() {
    let mut it = relay();
    let (reader, mut writer) = pipe().unwrap();
    it.relay.stdin = Some(reader.into());
    for _ in 0..2 {
        assert!(!it.relay.has_reported_invalid_input || it.relay.to_server.is_empty());
        writer.write_all(b"noise\n").unwrap();
        it.relay.read_client();
        assert!(it.relay.has_reported_invalid_input);
        it.relay.write_server();
    }
    drop(writer);
    it.relay.read_client();
    assert!(it.relay.stdin.is_none());
}
