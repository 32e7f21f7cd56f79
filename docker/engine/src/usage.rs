//! What containers use: memory and processor time, as the engine measures them.
//!
//! Ids -> [`Usage`] by container. Invariant: what cannot be read is absent, never 0.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::cli::Cli;
use crate::docker_args;

/// What a container uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// In bytes, without the files that the system only keeps because there is room.
    pub memory: u64,
    /// Of one processor, in percent, over the last second.
    pub cpu_percent: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stats {
    name: String,
    /// As in `3.9MiB / 256MiB`.
    mem_usage: String,
    /// As in `0.05%`.
    #[serde(rename = "CPUPerc")]
    cpu: String,
}

/// What these containers use, by their names; it takes the engine 1 to 2 s. Those that it says nothing of are left out, and
/// podman, whose words are others, is not asked.
#[must_use]
pub fn usage(cli: &Cli, ids: &[String]) -> BTreeMap<String, Usage> {
    if ids.is_empty() || cli.name != "docker" {
        return BTreeMap::new();
    }
    let output = cli.output_with_timeout(&docker_args::stats(ids));
    output.map(|it| parse(&String::from_utf8_lossy(&it.stdout))).unwrap_or_default()
}

fn parse(text: &str) -> BTreeMap<String, Usage> {
    let stats = text.lines().filter_map(|it| serde_json::from_str::<Stats>(it).ok());
    stats
        .filter_map(|it| {
            let memory = bytes(it.mem_usage.split('/').next()?)?;
            let cpu_percent = it.cpu.strip_suffix('%')?.trim().parse().ok()?;
            Some((it.name, Usage { memory, cpu_percent }))
        })
        .collect()
}

/// As in `3.906MiB`.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(at);
    let power = ["B", "KiB", "MiB", "GiB", "TiB"].iter().position(|it| *it == unit)?;
    let number: f64 = number.trim().parse().ok()?;
    // At most the memory of a machine, far below 2^53.
    Some((number * 1024_f64.powi(i32::try_from(power).ok()?)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_says_is_read_and_what_it_does_not_say_is_absent() {
        let said = r#"
{"BlockIO":"0B / 0B","CPUPerc":"12.50%","ID":"1","MemPerc":"1.5%","MemUsage":"3.906MiB / 256MiB","Name":"mcp-a","PIDs":"3"}
{"CPUPerc":"--","MemUsage":"-- / --","Name":"mcp-gone"}
{"CPUPerc":"0.00%","MemUsage":"512B / 1GiB","Name":"mcp-b"}
not JSON
"#;
        let usage = parse(said);
        assert_eq!(usage.keys().collect::<Vec<_>>(), ["mcp-a", "mcp-b"]);
        assert_eq!(usage["mcp-a"], Usage { memory: 4_095_737, cpu_percent: 12.5 });
        assert_eq!(usage["mcp-b"].memory, 512);
        assert_eq!(bytes("1.5GiB"), Some(3 << 29));
        assert_eq!(bytes("5 parsecs"), None);
    }
}
