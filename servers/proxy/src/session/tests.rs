//! Conversations, step by step: what the client, each server and the clock do, and what comes out.

use std::time::Duration;

use super::*;

const INITIALIZE: &str = r#"{"id":0,"method":"initialize","params":{}}"#;
const ANSWER: &str = r#"{"id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{"logging":{}}}}"#;
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;

/// A session, and what it has said since it was asked last.
struct Talk {
    session: Session,
    out: Output,
    now: Time,
}

impl Talk {
    fn new(settings: Settings) -> Self {
        let settings = Settings { prefix: "hold:".into(), ..settings };
        let mut talk = Self { session: Session::new(settings), out: Output::default(), now: Time::ZERO };
        talk.session.begin(&mut talk.out);
        talk.started();
        talk
    }

    /// Behind a handshake, with a server that has answered.
    fn open() -> Self {
        let mut talk = Self::new(Settings::default());
        talk.client(INITIALIZE).server(ANSWER).client(r#"{"method":"notifications/initialized"}"#);
        talk.said();
        talk
    }

    fn client(&mut self, line: &str) -> &mut Self {
        self.session.on_client_line(self.now, line, &mut self.out);
        self
    }

    fn server(&mut self, line: &str) -> &mut Self {
        self.session.on_server_line(self.now, self.session.generation, line, &mut self.out);
        self
    }

    fn started(&mut self) -> &mut Self {
        self.session.on_started(self.now, self.session.generation, &mut self.out);
        self
    }

    /// The server ends; all that it was given has left us.
    fn dies(&mut self) -> &mut Self {
        let given = self.session.given;
        self.session.on_gone(self.now, self.session.generation, given, "killed", &mut self.out);
        self
    }

    fn later(&mut self, seconds: u64) -> &mut Self {
        self.now += Duration::from_secs(seconds);
        self.session.on_time(self.now, &mut self.out);
        self
    }

    /// What the client and the server were given, line by line, and what is to be done; notes left out.
    fn said(&mut self) -> (Vec<String>, Vec<String>, Vec<Action>) {
        let out = std::mem::take(&mut self.out);
        let lines = |bytes| String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect();
        let actions = out.actions.into_iter().filter(|it| !matches!(it, Action::Note(_))).collect();
        (lines(out.to_client), lines(out.to_server), actions)
    }

    #[track_caller]
    fn client_reads(&mut self, expected: &[&str]) {
        assert_eq!(self.said().0, expected);
    }

    #[track_caller]
    fn server_reads(&mut self, expected: &[&str]) {
        assert_eq!(self.said().1, expected);
    }
}

#[test]
fn a_new_server_hears_what_the_last_one_was_told() {
    let mut talk = Talk::open();
    talk.client(r#"{"id":1,"method":"logging/setLevel","params":{"level":"error"}}"#);
    talk.server(r#"{"id":1,"result":{}}"#);
    talk.client(r#"{"id":2,"method":"resources/subscribe","params":{"uri":"x:\/\/y"}}"#);
    talk.server(r#"{"id":2,"result":{}}"#).dies().said();
    talk.started().server_reads(&[r#"{"id":"hold:own:1","method":"initialize","params":{}}"#]);
    talk.server(&ANSWER.replacen('0', "\"hold:own:1\"", 1));
    let (client, server, _) = talk.said();
    let updated =
        r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x:\/\/y"}}"#;
    assert_eq!(client, [updated]);
    assert_eq!(
        server,
        [
            r#"{"method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","id":"hold:own:2","method":"logging/setLevel","params":{"level":"error"}}"#,
            r#"{"jsonrpc":"2.0","id":"hold:own:3","method":"resources/subscribe","params":{"uri":"x:\/\/y"}}"#,
        ]
    );
    talk.client(r#"{"id":3,"method":"resources/unsubscribe","params":{"uri":"x:\/\/y"}}"#);
    talk.server(r#"{"id":3,"result":{}}"#).dies().started().said();
    talk.server(&ANSWER.replacen('0', "\"hold:own:4\"", 1)).client_reads(&[]);
}

#[test]
fn a_server_that_the_client_was_promised_more_of_ends_the_session() {
    for (answer, reason) in [
        (r#"{"protocolVersion":"2025-06-18","capabilities":{"logging":{}}}"#, "2025-06-18"),
        (r#"{"protocolVersion":"2025-11-25","capabilities":{}}"#, "`logging`"),
    ] {
        let mut talk = Talk::open();
        talk.dies().started().client(r#"{"id":1,"method":"tools/list"}"#);
        talk.server(&format!(r#"{{"id":"hold:own:1","result":{answer}}}"#));
        let (client, _, actions) = talk.said();
        assert!(
            client.len() == 1 && client[0].contains(reason) && client[0].contains("-32603"),
            "{client:?}"
        );
        assert!(matches!(&actions[..], [.., Action::End(Some(it))] if it.contains(reason)), "{actions:?}");
    }
}

#[test]
fn a_server_that_refuses_the_handshake_is_ended_and_the_next_one_is_tried() {
    let mut talk = Talk::open();
    talk.dies().started().said();
    talk.server(r#"{"id":"hold:own:1","error":{"code":1,"message":"not\ntoday"}}"#);
    let (_, _, actions) = talk.said();
    assert_eq!(actions, [Action::Stop(r"its answer to `initialize` is an error: not\ntoday".into())]);
    talk.dies().later(1);
    assert_eq!(talk.said().2, [Action::Start { generation: 3 }]);
    talk.started().said();
    talk.later(30);
    assert_eq!(talk.said().2, [Action::Stop("it does not answer `initialize`".into())]);
}

#[test]
fn what_may_take_effect_waits_until_a_server_without_a_handshake_has_spoken() {
    let mut talk = Talk::new(Settings::default());
    let call = format!(r#"{{"id":1,"method":"tools/call","params":{{"name":"a",{META}}}}}"#);
    talk.client(&call);
    let probe =
        format!(r#"{{"jsonrpc":"2.0","id":"hold:own:1","method":"server/discover","params":{{{META}}}}}"#);
    talk.server_reads(&[&probe]);
    talk.dies().later(1).client_reads(&[]); // there was no such container
    talk.started().server(r#"{"id":"hold:own:2","result":{}}"#);
    let (client, server, _) = talk.said();
    assert_eq!((client.len(), server.last()), (0, Some(&call)));
    talk.dies();
    let (client, ..) = talk.said();
    assert!(client[0].contains("not known whether the call took effect") && client[0].contains("resultType"));
}

#[test]
fn an_answer_of_the_client_reaches_the_server_that_asked_and_no_other() {
    let mut talk = Talk::open();
    talk.server(r#"{"id":1,"method":"elicitation/create","params":{}}"#);
    talk.client_reads(&[r#"{"id":"hold:1","method":"elicitation/create","params":{}}"#]);
    talk.client(r#"{"id":"hold:1","result":{}}"#).server_reads(&[r#"{"id":1,"result":{}}"#]);
    talk.server(r#"{"id":2,"method":"roots/list"}"#).dies();
    let (client, ..) = talk.said();
    assert!(client[1].contains("notifications/cancelled") && client[1].contains("hold:2"), "{client:?}");
    talk.started().server(&ANSWER.replacen('0', "\"hold:own:1\"", 1)).said();
    talk.client(r#"{"id":"hold:2","result":{}}"#).server_reads(&[]);
    let progress = r#"{"method":"notifications/progress","params":{"progressToken":"hold:2","progress":1}}"#;
    talk.client(progress).server_reads(&[]);
    talk.client(r#"{"method":"notifications/tasks/status","params":{"taskId":"t"}}"#).server_reads(&[]);
}

#[test]
fn the_end_of_a_stream_is_held_back_in_case_its_server_ends() {
    let listen =
        format!(r#"{{"id":1,"method":"subscriptions/listen","params":{{"notifications":{{}},{META}}}}}"#);
    let acknowledged = r#"{"method":"notifications/subscriptions/acknowledged","params":{"notifications":{},"_meta":{"io.modelcontextprotocol/subscriptionId":1}}}"#;
    for last in
        [r#"{"id":1,"result":{}}"#, r#"{"method":"notifications/cancelled","params":{"requestId":1}}"#]
    {
        let mut talk = Talk::new(Settings::default());
        talk.client(&listen).server(acknowledged).client_reads(&[acknowledged]);
        talk.server(last).client_reads(&[]);
        talk.dies().later(1).started();
        let (client, server, _) = talk.said();
        assert_eq!((client, server), (vec![], vec![listen.clone()]));
        talk.server(acknowledged).client_reads(&[]);
        talk.server(last).later(2).client_reads(&[last]);
    }
}

#[test]
fn progress_of_a_repeated_request_only_grows() {
    let mut talk = Talk::open();
    let told = |progress| {
        format!(
            r#"{{"method":"notifications/progress","params":{{"progressToken":"p","progress":{progress}}}}}"#
        )
    };
    talk.client(r#"{"id":1,"method":"resources/read","params":{"_meta":{"progressToken":"p"}}}"#);
    talk.server(&told(2)).client_reads(&[&told(2)]);
    talk.dies().started().server(&ANSWER.replacen('0', "\"hold:own:1\"", 1)).said();
    talk.server(&told(1)).server(&told(2)).server(&told(3)).client_reads(&[&told(3)]);
}

#[test]
fn while_there_is_no_server_a_ping_is_answered_and_too_much_is_refused() {
    let mut talk = Talk::new(Settings { max_waiting: 1, ..Settings::default() });
    talk.client(INITIALIZE).server(ANSWER).dies().said();
    talk.client(r#"{"id":1,"method":"ping"}"#);
    talk.client_reads(&[r#"{"jsonrpc":"2.0","id":1,"result":{}}"#]);
    talk.client(r#"{"id":2,"method":"tools/list"}"#).client_reads(&[]);
    talk.client(r#"{"id":2,"method":"tools/list"}"#)
        .client(r#"{"id":3,"method":"tools/list"}"#)
        .client("nonsense");
    let (client, ..) = talk.said();
    let codes: Vec<_> =
        client.iter().map(|it| it.split("\"code\":").nth(1).unwrap()[..6].to_owned()).collect();
    assert_eq!(codes, ["-32600", "-32603", "-32700"]);
    talk.client(r#"{"method":"notifications/cancelled","params":{"requestId":2}}"#);
    talk.client(r#"{"id":4,"method":"tools/list"}"#).client_reads(&[]); // there is room again
    talk.later(30);
    let (client, ..) = talk.said();
    assert!(
        client[0].contains(r#""id":4"#) && client[0].contains("for 30 s (killed). It was not sent."),
        "{client:?}"
    );
}

#[test]
fn careless_peers_are_understood() {
    let mut talk = Talk::open();
    talk.client(r#"{"id":1,"method":"tools/list"}"#);
    talk.server(r#"{"id":"1","result":{"a":1},"error":null}"#);
    talk.client_reads(&[r#"{"id":"1","result":{"a":1},"error":null}"#]);
    talk.server(r#"{"id":1,"result":{}}"#).client_reads(&[]); // a second answer
    talk.server("listening").client_reads(&["listening"]);
    talk.client(r#"[{"id":2,"method":"ping"},{"id":3,"method":"ping"}]"#);
    talk.server_reads(&[r#"{"id":2,"method":"ping"}"#, r#"{"id":3,"method":"ping"}"#]);
}

#[test]
fn what_does_no_harm_waits_however_often_nothing_was_there() {
    let mut talk = Talk::new(Settings::default());
    let read = format!(r#"{{"id":1,"method":"resources/read","params":{{{META}}}}}"#);
    talk.client(&read).server(r#"{"method":"notifications/message","params":{}}"#).said();
    for _ in 0..4 {
        talk.dies().later(2).started();
        let (client, server, _) = talk.said();
        assert_eq!((client, server), (vec![], vec![read.clone()]));
    }
    talk.server(r#"{"id":1,"result":{}}"#).client_reads(&[r#"{"id":1,"result":{}}"#]);
}

#[test]
fn a_server_is_asked_whether_it_is_there_whatever_it_works_on() {
    let read = format!(r#"{{"id":1,"method":"resources/read","params":{{{META}}}}}"#);
    let call = format!(r#"{{"id":2,"method":"tools/call","params":{{"name":"a",{META}}}}}"#);
    let mut talk = Talk::new(Settings::default());
    talk.client(&read).server_reads(&[&read]);
    talk.client(&call);
    let (_, server, _) = talk.said();
    assert!(server.len() == 1 && server[0].contains("server/discover"), "{server:?}");
    talk.later(30);
    let (client, _, actions) = talk.said();
    assert_eq!(actions, [Action::Stop("it does not answer".into())]);
    assert!(client.len() == 1 && client[0].contains("It was not sent."), "{client:?}");
}
