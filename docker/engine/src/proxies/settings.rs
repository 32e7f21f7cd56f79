//! The proxies in docker's own settings: `proxies` in its `config.json`, by the engine's address or for all (`default`).
//!
//! Settings + address -> variables as docker sets them. Invariant: where it is not certain what docker reads, nothing is told.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::Variables;
use crate::cli::{self, Cli};

#[derive(Debug, Default, Deserialize)]
struct Settings {
    #[serde(default)]
    proxies: BTreeMap<String, Proxy>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Proxy {
    http_proxy: String,
    https_proxy: String,
    ftp_proxy: String,
    no_proxy: String,
}

/// Not the values.
impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proxy")
    }
}

/// Where docker keeps its settings; nothing where there is no home folder.
#[must_use]
pub fn settings_file() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    let folder = set("DOCKER_CONFIG").or_else(|| Some(std::env::home_dir()?.join(".docker")))?;
    Some(folder.join("config.json"))
}

/// What docker puts into builds and containers.
pub(super) fn of_docker(cli: &Cli) -> Option<Variables> {
    if cli.name != "docker" {
        return None; // podman hands on what the shell has, if it is not told otherwise
    }
    match std::fs::read(settings_file()?) {
        Ok(bytes) => read(&bytes, || cli::endpoint(&cli.program)),
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => Some(Variables::new()),
        Err(_) => None,
    }
}

/// `address`: of the engine, as in `unix:///var/run/docker.sock`; asked for only where it matters.
pub(super) fn read(bytes: &[u8], address: impl FnOnce() -> Option<String>) -> Option<Variables> {
    let Settings { mut proxies } = serde_json::from_slice(bytes).ok()?;
    let default = proxies.remove("default").unwrap_or_default();
    let proxy = match proxies.is_empty() {
        true => default,
        false => proxies.remove(&address()?).unwrap_or(default),
    };
    let Proxy { http_proxy, https_proxy, ftp_proxy, no_proxy } = proxy;
    let all = [
        ("HTTP_PROXY", http_proxy),
        ("HTTPS_PROXY", https_proxy),
        ("FTP_PROXY", ftp_proxy),
        ("NO_PROXY", no_proxy),
    ];
    let set = all.into_iter().filter(|(_, value)| !value.is_empty());
    Some(set.flat_map(|(name, it)| [(name.to_owned(), it.clone()), (name.to_lowercase(), it)]).collect())
}
