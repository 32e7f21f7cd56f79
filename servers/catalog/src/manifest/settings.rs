//! Our own settings in a `server.json`'s `_meta`: what the sandbox lets the server have.
//!
//! JSON -> `Settings`, as far as they are there. Invariant: an unknown key is an error, so that no limit is lost to a
//! typing error.

use super::field::Field;
use crate::error::Error;
use crate::sandbox::{Network, Volume};

pub(super) const PUBLISHER: &str = "io.modelcontextprotocol.registry/publisher-provided";
pub(super) const OURS: &str = "dev.drydock";
const KNOWN: [&str; 7] = ["network", "memory", "cpus", "pids", "sessions", "warm", "mounts"];

/// Our own settings, as they stand in the file; what is missing takes the kind's default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) network: Option<Network>,
    pub(crate) memory: Option<u64>,
    pub(crate) cpus: Option<f64>,
    pub(crate) pids: Option<u64>,
    pub(crate) sessions: Option<u64>,
    /// Started and waiting for the next sessions.
    pub(crate) warm: Option<u64>,
    pub(crate) volumes: Vec<Volume>,
}

pub(super) fn read(root: &Field) -> Result<Settings, Error> {
    let mut field = Some(root.clone());
    for key in ["_meta", PUBLISHER, OURS] {
        field = field.map(|it| it.get(key)).transpose()?.flatten();
    }
    let Some(field) = field else { return Ok(Settings::default()) };
    if let Some(key) = field.object()?.keys().find(|it| !KNOWN.contains(&it.as_str())) {
        let (last, others) = KNOWN.split_last().unwrap_or((&"", &[]));
        let rule = format!("is unknown; known are {} and {last}", others.join(", "));
        return Err(field.child(key).wrong(&rule));
    }
    Ok(Settings {
        network: field.get("network")?.map(|it| network(&it)).transpose()?,
        memory: field.get("memory")?.map(|it| memory(&it)).transpose()?,
        cpus: field.get("cpus")?.map(|it| cpus(&it)).transpose()?,
        pids: field.get("pids")?.map(|it| it.whole(8, 32_768)).transpose()?,
        sessions: field.get("sessions")?.map(|it| it.whole(1, 10_000)).transpose()?,
        warm: field.get("warm")?.map(|it| it.whole(0, 4)).transpose()?,
        volumes: field.list("mounts")?.iter().map(volume).collect::<Result<_, _>>()?,
    })
}

fn network(field: &Field) -> Result<Network, Error> {
    Ok(match field.one_of(&["none", "internet"])? {
        "internet" => Network::Internet,
        _ => Network::None,
    })
}

/// Bytes, from `64m` or `1g`.
fn memory(field: &Field) -> Result<u64, Error> {
    let text = field.word(20)?;
    let (digits, unit) = match (text.strip_suffix('m'), text.strip_suffix('g')) {
        (Some(digits), _) => (digits, 1 << 20),
        (_, Some(digits)) => (digits, 1 << 30),
        _ => ("", 0),
    };
    let number = if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse::<u64>().ok() } else { None };
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| (16 << 20..=1 << 40).contains(bytes))
        .ok_or_else(|| field.wrong("must be a size from `16m` to `1024g`, such as `256m`"))
}

fn cpus(field: &Field) -> Result<f64, Error> {
    let number = field.value.as_f64().filter(|it| (0.05..=256.0).contains(it));
    number.ok_or_else(|| field.wrong("must be a number from 0.05 to 256"))
}

fn volume(field: &Field) -> Result<Volume, Error> {
    if let Some(key) = field.object()?.keys().find(|it| !["volume", "path"].contains(&it.as_str())) {
        return Err(field.child(key).wrong("is unknown; known are volume and path"));
    }
    let (volume, path) = (field.need("volume")?, field.need("path")?);
    let (name, place) = (volume.word(32)?, path.word(200)?);
    if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Err(volume.wrong("must be a volume's short name: a-z, 0-9 and `-`"));
    }
    let parts = place.strip_prefix('/').unwrap_or_default().split('/');
    let plain = |it: &str| {
        let known = it.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        known && !matches!(it, "" | "." | "..")
    };
    let system =
        ["/proc", "/sys", "/dev", "/run", "/tmp", "/etc", "/mcp", "/usr", "/lib", "/lib64", "/bin", "/sbin"];
    let below = |top: &&str| place == **top || place.starts_with(&format!("{top}/"));
    if !parts.clone().all(plain) || system.iter().any(below) {
        return Err(path.wrong("must be a clean absolute path of the server's own, such as `/data`"));
    }
    Ok(Volume { name, path: place })
}
