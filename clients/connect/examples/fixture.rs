//! A server for the tests, on rmcp's own server side, with ways to misbehave.
//!
//! `fixture MODE`: `stdio` and `http` are well; the others fail as their name says. Invariant: what is well is a real
//! rmcp server; only what no real server would do is done by hand.

#[path = "fixture/endless.rs"]
mod endless;

use std::{io::Write, time::Duration};

use rmcp::{
    ErrorData, Json, RoleServer, ServerHandler, ServiceExt,
    handler::server::wrapper::Parameters,
    model::{
        CallToolResult, ContentBlock, Implementation, ListToolsResult, PaginatedRequestParams,
        ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
    tool, tool_handler, tool_router,
    transport::{StreamableHttpService, stdio, streamable_http_server::session::local::LocalSessionManager},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

#[derive(Clone)]
struct Fixture;

#[derive(Deserialize, JsonSchema)]
struct Echo {
    /// What comes back
    text: String,
    /// How often
    #[schemars(range(min = 1, max = 3))]
    times: Option<u8>,
}

#[derive(Serialize, JsonSchema)]
struct Sum {
    sum: i64,
}

#[tool_router]
impl Fixture {
    /// Says the text back.
    #[tool(title = "Echo", annotations(read_only_hint = true, open_world_hint = false))]
    fn echo(&self, Parameters(it): Parameters<Echo>) -> String {
        vec![it.text; it.times.unwrap_or(1).into()].join(" ")
    }

    /// Structured content and its text.
    #[tool]
    fn sum(&self) -> Json<Sum> {
        Json(Sum { sum: 42 })
    }

    /// Structured content alone.
    #[tool]
    fn bare(&self) -> CallToolResult {
        let mut result = CallToolResult::success(Vec::new());
        result.structured_content = Some(serde_json::json!({ "sum": 42 }));
        result
    }

    /// Always an error of the tool itself.
    #[tool]
    fn fail(&self) -> Result<String, String> {
        Err("the kettle is \u{1b}[31mempty".into())
    }

    /// Text, an image and a link.
    #[tool]
    fn mixed(&self) -> CallToolResult {
        CallToolResult::success(vec![ContentBlock::text("a cat"), ContentBlock::image("AAAA", "image/png")])
    }

    /// Answers after a minute, and says on stderr when it is cancelled.
    #[tool]
    async fn slow(&self, context: RequestContext<RoleServer>) -> String {
        eprintln!("slow begins");
        tokio::select! {
            () = context.ct.cancelled() => eprintln!("slow was cancelled"),
            () = tokio::time::sleep(Duration::from_secs(60)) => {}
        }
        "done".into()
    }

    /// Ends the whole server in the middle of the call.
    #[tool]
    fn crash(&self) -> String {
        eprintln!("out of luck");
        std::process::exit(9)
    }
}

#[tool_handler(name = "fixture", version = "1.2.3", instructions = "Be kind.")]
impl ServerHandler for Fixture {}

/// Three pages of one tool each; or, going in circles, a second page that names itself.
#[derive(Clone)]
struct Paged {
    circle: bool,
}

impl ServerHandler for Paged {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        ServerConfig::new(capabilities).with_server_info(Implementation::new("paged", "1.0.0"))
    }

    async fn list_tools(
        &self,
        params: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let page: usize = params
            .and_then(|it| it.cursor)
            .map_or(Ok(0), |it| it.parse())
            .map_err(|_| ErrorData::invalid_params("no such page", None))?;
        let schema = serde_json::Map::from_iter([("type".to_owned(), "object".into())]);
        let mut result =
            ListToolsResult::with_all_items(vec![Tool::new(format!("tool_{page}"), "One of many", schema)]);
        result.next_cursor = match (self.circle, page) {
            (true, _) => Some("1".into()),
            (false, 0 | 1) => Some((page + 1).to_string()),
            _ => None,
        };
        Ok(result)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mode = std::env::args().nth(1).unwrap_or_default();
    match mode.as_str() {
        "stdio" => serve(Fixture).await?,
        "pages" => serve(Paged { circle: false }).await?,
        "circle" => serve(Paged { circle: true }).await?,
        "http" => http().await?,
        "silent" => silent().await,
        "noise" => {
            say("Listening on port 8080\u{7}\n");
            serve(Fixture).await?;
        }
        "dies" => {
            (1..=30).for_each(|it| eprintln!("line {it}\u{1b}[2J"));
            std::process::exit(7);
        }
        "only-initialize" => only_initialize().await?,
        "slow-once" => slow_once().await?,
        other if other.starts_with("endless-") => endless::over_stdio(&other["endless-".len()..])?,
        other if other.starts_with("http-json-") => endless::over_http(&other["http-json-".len()..], false)?,
        other if other.starts_with("http-sse-") => endless::over_http(&other["http-sse-".len()..], true)?,
        other => return Err(format!("unknown mode {other:?}").into()),
    }
    Ok(())
}

async fn serve<S: ServerHandler>(server: S) -> Result<(), Box<dyn std::error::Error>> {
    server.serve(stdio()).await?.waiting().await?;
    Ok(())
}

/// Streamable HTTP on a free port; its address is the first line on stdout. Ends with its stdin.
async fn http() -> Result<(), Box<dyn std::error::Error>> {
    let service: StreamableHttpService<Fixture, LocalSessionManager> =
        StreamableHttpService::new(|| Ok(Fixture), Default::default(), Default::default());
    let router = axum::Router::new().nest_service("/mcp", service);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    say(&format!("http://{}/mcp\n", listener.local_addr()?));
    tokio::select! {
        it = axum::serve(listener, router) => it?,
        _ = async { tokio::io::stdin().read(&mut [0]).await } => {}
    }
    std::process::exit(0)
}

/// Reads on and never answers; leaves only when its stdin does.
async fn silent() {
    eprintln!("thinking");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(_)) = lines.next_line().await {}
}

/// A first start that takes longer than rmcp waits for `server/discover`; later ones are fast. The file in the second
/// argument shows that it has been started.
async fn slow_once() -> Result<(), Box<dyn std::error::Error>> {
    let mark = std::env::args().nth(2).ok_or("a file's name is missing")?;
    if !std::fs::exists(&mark)? {
        std::fs::write(&mark, "")?;
        tokio::time::sleep(Duration::from_secs(11)).await;
    }
    serve(Fixture).await
}

/// As servers before 2026-07-28 that end themselves when the first message is not `initialize`.
async fn only_initialize() -> Result<(), Box<dyn std::error::Error>> {
    let mut stdin = BufReader::new(tokio::io::stdin());
    let mut first = String::new();
    stdin.read_line(&mut first).await?;
    if !first.contains("\"initialize\"") {
        return Err("expected initialize".into());
    }
    let input = std::io::Cursor::new(first.into_bytes()).chain(stdin);
    Fixture.serve((input, tokio::io::stdout())).await?.waiting().await?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "noise is what this is for")]
fn say(text: &str) {
    print!("{text}");
    let _closed = std::io::stdout().flush();
}
