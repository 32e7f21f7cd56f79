//! The client's side: rmcp's own client, as something that a plain function can use.
//!
//! Pipes + a revision of the protocol -> a client in a session. Invariant: the revision that was asked for is the one that is
//! spoken, and nothing is waited for without a limit.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{
    ClientCapabilities, ClientConfig, Implementation, ProtocolVersion, ServerCapabilities, ServerPeerInfo,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt, Peer, RunningService};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::timeout;

use super::session::ClientEnds;

/// The server answers any call after 60 s, with what became of it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Client {
    runtime: Runtime,
    service: RunningService<RoleClient, ClientConfig>,
    server: Arc<ServerPeerInfo>,
}

impl Client {
    /// Begins a session, in the newest revision where none is asked for.
    pub(super) fn open(ends: ClientEnds, revision: Option<&ProtocolVersion>) -> Result<Self, String> {
        if Handle::try_current().is_ok() {
            return Err(
                "a test of it waits by itself: make it a plain `#[test] fn`, not an `async` one".to_owned()
            );
        }
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|it| it.to_string())?;
        let opened = runtime.block_on(async { timeout(ANSWER_TIMEOUT, handshake(ends, revision)).await });
        let service = opened.map_err(|_| "it does not answer".to_owned())??;
        let server = service.peer().peer_info().ok_or("it does not say who it is")?;
        match revision {
            Some(asked) if *asked != server.protocol_version => {
                Err(format!("asked for revision {asked}, it answered with {}", server.protocol_version))
            }
            _ => Ok(Self { runtime, service, server }),
        }
    }

    pub(super) fn revision(&self) -> &ProtocolVersion {
        &self.server.protocol_version
    }

    pub(super) fn capabilities(&self) -> &ServerCapabilities {
        &self.server.capabilities
    }

    /// The server's, as it says.
    pub(super) fn name(&self) -> &str {
        self.server.server_info.as_ref().map_or("", |it| &it.name)
    }

    pub(super) fn run<T>(&self, work: impl AsyncFnOnce(&Peer<RoleClient>) -> T) -> Result<T, String> {
        let limited = async { timeout(ANSWER_TIMEOUT, work(self.service.peer())).await };
        let secs = ANSWER_TIMEOUT.as_secs();
        self.runtime.block_on(limited).map_err(|_| format!("it took longer than {secs} s"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _late = self.runtime.block_on(self.service.close_with_timeout(CLOSE_TIMEOUT));
    }
}

async fn handshake(
    (output, input): ClientEnds,
    revision: Option<&ProtocolVersion>,
) -> Result<RunningService<RoleClient, ClientConfig>, String> {
    let output = Receiver::from_owned_fd(OwnedFd::from(output)).map_err(|it| it.to_string())?;
    let input = Sender::from_owned_fd(OwnedFd::from(input)).map_err(|it| it.to_string())?;
    let client = Implementation::new("drydock_kit::testing", env!("CARGO_PKG_VERSION"));
    let mut config = ClientConfig::new(ClientCapabilities::default(), client);
    if let Some(revision) = revision {
        config = config.with_protocol_version(revision.clone());
    }
    let lifecycle = match revision {
        None => ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::LATEST],
            legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
        },
        Some(it) if it.has_initialize() => ClientLifecycleMode::Initialize,
        Some(it) => ClientLifecycleMode::Discover { preferred_versions: vec![it.clone()] },
    };
    config.serve_with_lifecycle((output, input), lifecycle).await.map_err(|it| it.to_string())
}
