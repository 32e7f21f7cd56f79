//! The beginning of a session, in both eras of the protocol.
//!
//! A wanted version + a transport -> a running rmcp client and what was [`Agreed`]. Invariant: a version that was asked
//! for by name is the one agreed on, or the handshake fails.

use rmcp::{
    RoleClient,
    model::{ClientCapabilities, ClientConfig, Implementation, ProtocolVersion},
    service::{ClientInitializeError, ClientLifecycleMode, ClientServiceExt, RunningService},
    transport::Transport,
};
use serde::Serialize;

use crate::{
    failure::{Failure, Step},
    http,
};

pub(crate) type Service = RunningService<RoleClient, ClientConfig>;

/// Which version of the protocol to ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// The newest that both sides know: `server/discover` first, then `initialize`.
    #[default]
    Auto,
    V2025_06_18,
    V2025_11_25,
    V2026_07_28,
}

impl Protocol {
    fn version(self) -> Option<ProtocolVersion> {
        match self {
            Self::Auto => None,
            Self::V2025_06_18 => Some(ProtocolVersion::V_2025_06_18),
            Self::V2025_11_25 => Some(ProtocolVersion::V_2025_11_25),
            Self::V2026_07_28 => Some(ProtocolVersion::V_2026_07_28),
        }
    }

    fn lifecycle(self) -> ClientLifecycleMode {
        let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
        match self {
            Self::Auto => ClientLifecycleMode::Auto {
                preferred_versions,
                legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
            },
            Self::V2026_07_28 => ClientLifecycleMode::Discover { preferred_versions },
            Self::V2025_06_18 | Self::V2025_11_25 => ClientLifecycleMode::Initialize,
        }
    }
}

/// The two eras: a handshake with state, or requests that each carry all that they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    Initialize,
    Discover,
}

/// What both sides agreed on.
#[derive(Clone, Debug, Serialize)]
pub struct Agreed {
    pub version: String,
    pub lifecycle: Lifecycle,
    #[serde(skip)]
    pub server: Option<Implementation>,
    #[serde(skip)]
    pub instructions: Option<String>,
    #[serde(skip)]
    pub(crate) has_tools: bool,
}

/// Why there is no session.
pub(crate) enum Refusal {
    /// The connection is gone, or was never there; in the transport's words, where it has any.
    Closed(Option<Failure>),
    /// It knows only other versions, or answered too late; asking it the old way may still help.
    OtherVersions(Failure),
    Other(Failure),
}

pub(crate) async fn shake_hands<T>(transport: T, protocol: Protocol) -> Result<(Service, Agreed), Refusal>
where
    T: Transport<RoleClient> + 'static,
{
    let us = Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let mut config = ClientConfig::new(ClientCapabilities::default(), us);
    if let Some(version) = protocol.version() {
        config = config.with_protocol_version(version);
    }
    let service = config
        .serve_with_lifecycle(transport, protocol.lifecycle())
        .await
        .map_err(|err| refusal(err, protocol))?;
    let agreed = agreed(&service).map_err(Refusal::Other)?;
    match protocol.version() {
        Some(wanted) if wanted.as_str() != agreed.version => {
            let reason = format!("asked for version {wanted}, the server answered with {}", agreed.version);
            Err(Refusal::OtherVersions(failed(reason).hint("`--protocol auto` takes what the server offers")))
        }
        _ => Ok((service, agreed)),
    }
}

fn agreed(service: &Service) -> Result<Agreed, Failure> {
    let peer = service.peer().peer_info().ok_or_else(|| failed("the server did not say who it is"))?;
    let version = &peer.protocol_version;
    Ok(Agreed {
        version: version.to_string(),
        lifecycle: if version.has_initialize() { Lifecycle::Initialize } else { Lifecycle::Discover },
        server: peer.server_info.clone(),
        instructions: peer.instructions.clone(),
        has_tools: peer.capabilities.tools.is_some(),
    })
}

fn refusal(err: ClientInitializeError, protocol: Protocol) -> Refusal {
    match err {
        ClientInitializeError::ConnectionClosed(_) => Refusal::Closed(None),
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => refusal(*fallback, protocol),
        ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
            let theirs: Vec<_> = server_supported.iter().map(ProtocolVersion::as_str).collect();
            let reason = format!("the server does not speak version 2026-07-28, only: {}", theirs.join(", "));
            Refusal::OtherVersions(failed(reason).hint("`--protocol auto` takes what the server offers"))
        }
        ClientInitializeError::JsonRpcError(error) => {
            let failure =
                failed(format!("the server answered with error {}: {}", error.code.0, error.message));
            Refusal::Other(match protocol {
                Protocol::V2026_07_28 => {
                    failure.hint("is the server older than that version? try `--protocol auto`")
                }
                _ => failure,
            })
        }
        ClientInitializeError::TransportError { error, .. } => {
            Refusal::Closed(Some(failed(http::explain(error.error.as_ref()))))
        }
        // rmcp stops waiting for the answer to `server/discover` after 10 s, and takes it, when it comes after all, for the
        // one to `initialize`. A server that starts so slowly is asked the old way alone.
        late @ (ClientInitializeError::ConflictInitResponseId(..)
        | ClientInitializeError::UncorrelatedErrorResponse { .. }) => {
            Refusal::OtherVersions(failed(late.to_string()))
        }
        other => Refusal::Other(failed(other.to_string())),
    }
}

fn failed(reason: impl Into<String>) -> Failure {
    Failure::new(Step::Handshake, reason)
}
