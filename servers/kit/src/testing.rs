//! A server's own tests: the server in this process, a real client beside it.
//!
//! What makes a server -> [`Server`], whose tools are called, checked and compared with a file. Invariant: what answers is the
//! session of [`main`](crate::main), with its checked arguments, its deadlines and its schemas, over pipes; nothing is imitated.
//!
//! In `Cargo.toml` (no other dependency is needed, and tests are plain functions):
//!
//! ```toml
//! [dev-dependencies]
//! drydock-kit = { workspace = true, features = ["testing"] }
//! ```
//!
//! ```
//! use drydock_kit::prelude::*;
//! use drydock_kit::testing::{in_every_revision, json, start};
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Deserialize, JsonSchema)]
//! # #[serde(deny_unknown_fields)]
//! # struct Add {
//! #     /// One number.
//! #     #[schemars(range(max = 9))]
//! #     one: u32,
//! #     /// Another one.
//! #     other: u32,
//! # }
//! # #[derive(Serialize, JsonSchema)]
//! # struct Sum { sum: u32 }
//! # struct Tools;
//! # #[server]
//! # impl Tools {
//! #     /// Adds two numbers.
//! #     #[tool(read_only, title = "Add")]
//! #     fn add(&self, Parameters(args): Parameters<Add>) -> Json<Sum> {
//! #         Json(Sum { sum: args.one + args.other })
//! #     }
//! # }
//!
//! // #[test]
//! fn every_tool_says_what_it_is() {
//!     start(|| Tools).check();
//! }
//!
//! // #[test]
//! fn numbers_are_added() {
//!     in_every_revision(|| Tools, |server| {
//!         assert_eq!(server.call("add", json!({"one": 1, "other": 2})).json(), json!({"sum": 3}));
//!         server.call("add", json!({"one": 10, "other": 2})).fails("`one` is 10, and must be 0 to 9");
//!     });
//! }
//! # every_tool_says_what_it_is();
//! # numbers_are_added();
//! ```
//!
//! What a tool prints, and where it panics, stands in the output of the test that fails. What the session logs is seen where
//! `MCP_LOG` is set (`MCP_LOG=debug cargo test -- --nocapture`).

mod answer;
mod check;
mod client;
mod session;
mod snapshot;
mod walk;
mod web_service;

use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

pub use answer::Answer;
use check::Listing;
pub use check::{Problem, Rule};
use client::Client;
use rmcp::model::{CallToolRequestParams, CallToolResponse, ProtocolVersion, Tool};
use rmcp::service::{Peer, ServiceError};
use rmcp::{RoleClient, ServerHandler};
pub use serde_json::{Value, json};
use session::Session;
pub use web_service::{WebAnswer, WebService};

/// A server that runs in this process, and a client that has begun a session with it. Both end with this value.
///
/// What is not as a test expects is a panic that says where, what was there instead, and what helps.
#[derive(Debug)]
pub struct Server {
    // The client goes first: a session ends with its input.
    client: Client,
    session: Session,
    tools: OnceCell<Vec<Tool>>,
}

/// Starts a server, in the newest revision of the protocol that it speaks.
///
/// # Panics
/// It cannot be made, or refuses the client.
#[track_caller]
pub fn start<H: ServerHandler>(server: impl FnOnce() -> H + Send + 'static) -> Server {
    Server::start(server, None)
}

/// Runs a test with a server of its own in every revision of the protocol that the server speaks: those that begin with
/// `initialize`, and 2026-07-28, in which each request stands for itself.
///
/// # Panics
/// In one of them the test fails; all are tried, and those that fail are named.
#[track_caller]
pub fn in_every_revision<H: ServerHandler>(
    server: impl FnOnce() -> H + Clone + Send + 'static,
    test: impl Fn(&Server),
) {
    let revisions = server.clone()().supported_protocol_versions().into_owned();
    let mut failed = Vec::new();
    for revision in &revisions {
        let once = || test(&Server::start(server.clone(), Some(revision)));
        if catch_unwind(AssertUnwindSafe(once)).is_err() {
            failed.push(revision.to_string());
        }
    }
    assert!(
        failed.is_empty(),
        "of {} revisions of the protocol the test fails in {}; each failure stands above",
        revisions.len(),
        failed.join(", ")
    );
}

impl Server {
    #[track_caller]
    fn start<H: ServerHandler>(
        server: impl FnOnce() -> H + Send + 'static,
        revision: Option<&ProtocolVersion>,
    ) -> Self {
        let (session, ends) = Session::start(server);
        match Client::open(ends, revision) {
            Ok(client) => Self { client, session, tools: OnceCell::new() },
            Err(problem) => panic!("the server does not start: {}", session.why().unwrap_or(problem)),
        }
    }

    /// The revision of the protocol that is spoken, as `2026-07-28`.
    #[must_use]
    pub fn revision(&self) -> String {
        self.client.revision().to_string()
    }

    /// Calls a tool. Structured content has to be as the tool's output schema says.
    ///
    /// # Panics
    /// No such tool, arguments that are no object, no answer, or one that breaks the tool's own output schema.
    #[track_caller]
    pub fn call(&self, tool: &str, arguments: Value) -> Answer {
        let Value::Object(arguments) = arguments else {
            panic!(
                "arguments of a tool are an object, as json!({{\"name\": \"Ana\"}}); for `{tool}` it was {arguments}"
            )
        };
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        match self.with_client(async |client| client.call_tool_once(params).await) {
            Ok(CallToolResponse::Complete(result)) => {
                let known = self.tools().iter().find(|it| it.name == tool);
                Answer::new(tool, result, known.and_then(|it| it.output_schema.as_deref()))
            }
            Ok(_) => panic!("`{tool}` wants more than its arguments: call it through `with_client`"),
            Err(problem) => {
                if matches!(problem, ServiceError::McpError(_)) {
                    self.tools(); // their names are told
                }
                panic!("`{tool}`: {}", self.refused(&problem))
            }
        }
    }

    /// All tools, as clients are told of them.
    ///
    /// # Panics
    /// The server does not list them.
    #[track_caller]
    pub fn tools(&self) -> &[Tool] {
        if let Some(tools) = self.tools.get() {
            return tools;
        }
        let listed = match self.client.capabilities().tools {
            None => Ok(Vec::new()),
            Some(_) => self.with_client(async |client| client.list_all_tools().await),
        };
        match listed {
            Ok(tools) => self.tools.get_or_init(|| tools),
            Err(problem) => panic!("the tools are not listed: {}", self.refused(&problem)),
        }
    }

    /// Holds tools and prompts to what clients, models and people need of them: every [`Rule`].
    ///
    /// # Panics
    /// With all that [`Server::problems`] finds.
    #[track_caller]
    pub fn check(&self) {
        let problems: Vec<_> = self.problems().iter().map(|it| format!("\n- {it}")).collect();
        assert!(problems.is_empty(), "{} to mend:{}\n", problems.len(), problems.concat());
    }

    /// What [`Server::check`] finds, for a server that has its reasons for some of it.
    #[must_use]
    #[track_caller]
    pub fn problems(&self) -> Vec<Problem> {
        let listing = self.listing();
        check::problems(self.client.name(), &listing)
    }

    /// Compares the schemas of tools and prompts with a file, a path in the package: what clients are told does not change
    /// without somebody having seen it.
    ///
    /// # Panics
    /// They differ, or the file is not there: with what differs. `UPDATE_EXPECT=1 cargo test` writes the file, but not where
    /// `CI` is set.
    #[track_caller]
    pub fn snapshot(&self, file: impl AsRef<Path>) {
        if let Err(problem) = snapshot::compare(file.as_ref(), &snapshot::of(&self.listing())) {
            panic!("{problem}");
        }
    }

    /// For all else: rmcp's own client, as in `server.with_client(async |client| client.list_all_prompts().await)`.
    ///
    /// # Panics
    /// It takes longer than 90 s, which no call may.
    #[track_caller]
    pub fn with_client<T>(&self, work: impl AsyncFnOnce(&Peer<RoleClient>) -> T) -> T {
        match self.client.run(work) {
            Ok(done) => done,
            Err(problem) => panic!("{problem}"),
        }
    }

    /// What is told of tools and prompts.
    #[track_caller]
    fn listing(&self) -> Listing<'_> {
        let prompts = match self.client.capabilities().prompts {
            None => Ok(Vec::new()),
            Some(_) => self.with_client(async |client| client.list_all_prompts().await),
        };
        match prompts {
            Ok(prompts) => Listing { tools: self.tools(), prompts },
            Err(problem) => panic!("the prompts are not listed: {}", self.refused(&problem)),
        }
    }

    fn refused(&self, problem: &ServiceError) -> String {
        match problem {
            ServiceError::McpError(error) => {
                let names: Vec<_> = self.tools.get().into_iter().flatten().map(|it| &*it.name).collect();
                let known =
                    if names.is_empty() { String::new() } else { format!(" (it has {})", names.join(", ")) };
                format!(
                    "the server answered with the protocol error {}: {}{known}",
                    error.code.0, error.message
                )
            }
            other => self.session.why().unwrap_or_else(|| other.to_string()),
        }
    }
}
