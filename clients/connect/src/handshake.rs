//! The beginning of a session, in both lifecycles of the protocol.
//!
//! A version to ask for + a transport -> a running rmcp client and what was [`Negotiated`]. Invariant: a
//! version that was asked for by name is the one negotiated, or the handshake fails.

use rmcp::{
    RoleClient,
    model::{ClientCapabilities, ClientConfig, Implementation, ProtocolVersion},
    service::{ClientInitializeError, ClientLifecycleMode, ClientServiceExt, RunningService},
    transport::Transport,
};
use serde::Serialize;

use crate::{
    error::{Error, ErrorKind, Step},
    http,
};

pub(crate) type Service = RunningService<RoleClient, ClientConfig>;

/// Which version of the protocol to ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// The newest that both sides know: `server/discover` first, then `initialize`.
    #[default]
    Auto,
    /// This version, negotiated with `initialize`.
    V2025_06_18,
    /// This version, negotiated with `initialize`.
    V2025_11_25,
    /// This version, negotiated with `server/discover`.
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

/// How a version is negotiated: a handshake with state, or requests that each carry all that they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    /// `initialize`: up to 2025-11-25.
    Initialize,
    /// `server/discover`: from 2026-07-28 on.
    Discover,
}

/// What both sides agreed on.
#[derive(Clone, Debug, Serialize)]
pub struct Negotiated {
    /// The version of the protocol: `2026-07-28`.
    pub version: String,
    /// How it was negotiated.
    pub lifecycle: Lifecycle,
    /// Name, title and version of the server, if it says so.
    #[serde(skip)]
    pub server: Option<Implementation>,
    /// The server's instructions to models.
    #[serde(skip)]
    pub instructions: Option<String>,
    #[serde(skip)]
    pub(crate) has_tools: bool,
}

/// Why there is no session.
pub(crate) enum HandshakeError {
    /// The connection is gone, or was never there; in the transport's words, where it has any.
    Closed(Option<Error>),
    /// The server knows only other versions: `initialize` alone may still succeed.
    OtherVersions(Error),
    /// The server knows `server/discover`, and answered it when rmcp no longer waited.
    LateDiscover(Error),
    /// Nothing else to try.
    Other(Error),
}

pub(crate) async fn handshake<T>(
    transport: T,
    protocol: Protocol,
) -> Result<(Service, Negotiated), HandshakeError>
where
    T: Transport<RoleClient> + 'static,
{
    let client = Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let mut config = ClientConfig::new(ClientCapabilities::default(), client);
    if let Some(version) = protocol.version() {
        config = config.with_protocol_version(version);
    }
    let service = config
        .serve_with_lifecycle(transport, protocol.lifecycle())
        .await
        .map_err(|err| handshake_error(err, protocol))?;
    let negotiated = negotiated(&service).map_err(HandshakeError::Other)?;
    match protocol.version() {
        Some(wanted) if wanted.as_str() != negotiated.version => Err(other_versions(format!(
            "asked for version {wanted}, the server answered with {}",
            negotiated.version
        ))),
        _ => Ok((service, negotiated)),
    }
}

fn negotiated(service: &Service) -> Result<Negotiated, Error> {
    let peer = service
        .peer()
        .peer_info()
        .ok_or_else(|| failed(ErrorKind::Protocol, "the server did not say who it is"))?;
    let version = &peer.protocol_version;
    Ok(Negotiated {
        version: version.to_string(),
        lifecycle: if version.has_initialize() { Lifecycle::Initialize } else { Lifecycle::Discover },
        server: peer.server_info.clone(),
        instructions: peer.instructions.clone(),
        has_tools: peer.capabilities.tools.is_some(),
    })
}

fn handshake_error(err: ClientInitializeError, protocol: Protocol) -> HandshakeError {
    match err {
        ClientInitializeError::ConnectionClosed(_) => HandshakeError::Closed(None),
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => handshake_error(*fallback, protocol),
        ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
            let supported: Vec<_> = server_supported.iter().map(ProtocolVersion::as_str).collect();
            other_versions(format!(
                "the server does not speak version 2026-07-28, only: {}",
                supported.join(", ")
            ))
        }
        ClientInitializeError::JsonRpcError(error) => {
            let reason = format!("the server answered with error {}: {}", error.code.0, error.message);
            let error = failed(ErrorKind::Rejected, reason);
            HandshakeError::Other(match protocol {
                Protocol::V2026_07_28 => {
                    error.hint("is the server older than that version? try `--protocol auto`")
                }
                _ => error,
            })
        }
        ClientInitializeError::TransportError { error, .. } => {
            HandshakeError::Closed(Some(http::error(Step::Handshake, error.error.as_ref())))
        }
        // rmcp stops waiting for the answer to `server/discover` after 10 s, and takes it, when it comes after all, for the
        // one to `initialize`. How slowly a server starts must not decide its version: one that refused is asked with
        // `initialize` alone, one that answered with `server/discover` alone, which has no limit but ours.
        ClientInitializeError::UncorrelatedErrorResponse { .. } => HandshakeError::OtherVersions(failed(
            ErrorKind::Protocol,
            "it refused `server/discover` after more than 10 s",
        )),
        ClientInitializeError::ConflictInitResponseId(..) => HandshakeError::LateDiscover(failed(
            ErrorKind::Protocol,
            "it answered `server/discover` after more than 10 s",
        )),
        other => HandshakeError::Other(failed(ErrorKind::Protocol, other.to_string())),
    }
}

fn other_versions(reason: String) -> HandshakeError {
    let error = failed(ErrorKind::Version, reason);
    HandshakeError::OtherVersions(error.hint("`--protocol auto` takes what the server offers"))
}

fn failed(kind: ErrorKind, reason: impl Into<String>) -> Error {
    Error::new(kind, Step::Handshake, reason)
}
