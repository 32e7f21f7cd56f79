//! (being built: the final signatures; validation, limits, logs and certain ends come)

pub mod log {
    pub fn error(_text: &str) {}
    pub fn warn(_text: &str) {}
    pub fn info(_text: &str) {}
    pub fn debug(_text: &str) {}
}

mod json;
mod parameters;

pub use json::Json;
pub use parameters::Parameters;

use rmcp::{ServerHandler, ServiceExt};
use std::process::ExitCode;

pub fn main<H: ServerHandler>(server: impl FnOnce() -> H) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let running = server().serve(rmcp::transport::io::stdio_pipes()).await.expect("a handshake");
        let _ = running.waiting().await;
    });
    ExitCode::SUCCESS
}
