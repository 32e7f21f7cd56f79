//! The table of `status`: what fits 60 columns, or all of it.
//!
//! Rows -> lines on stdout, and what to do about some of them on stderr. Invariant: a table is as narrow as a split window
//! unless the person asks for more; only names that are longer have a line of their own.

use std::time::Duration;

use anyhow::Result;

use super::{OTHER, OURS, Row};
use crate::ui::progress::say;
use crate::ui::table;
use crate::workspace::Workspace;

const MAX_COLUMNS: usize = 60;

/// `hidden`: how many are left out, as they are other workspaces'.
pub(super) fn print(ws: &Workspace, rows: &[Row], hidden: usize, wide: bool) -> Result<()> {
    if wide {
        print_wide(rows)?;
    } else {
        table::print_within(MAX_COLUMNS, &HEAD, rows.iter().map(cells))?;
    }
    rows.iter().flat_map(|it| notes(ws, it)).for_each(|it| say(&format!("note: {it}")));
    if hidden > 0 {
        say(&format!("note: {hidden} more of other workspaces: {}", ws.command("status --all")));
    }
    Ok(())
}

const HEAD: [&str; 6] = ["NAME", "STATE", "SESSIONS", "MEMORY", "CPU", "NETWORK"];

fn cells(row: &Row) -> [String; 6] {
    const MAX_NETWORK: usize = 12;
    [
        row.name.clone(),
        state(row),
        or_dash(row.sessions),
        row.memory_bytes.map_or_else(dash, memory),
        row.cpu_percent.map_or_else(dash, |it| format!("{it:.0}%")),
        row.network.chars().take(MAX_NETWORK).collect(),
    ]
}

/// As in `ready 2h`.
fn state(row: &Row) -> String {
    let word = match (row.owner, row.health) {
        (Some(owner), _) if owner == OTHER => "another's",
        (Some(owner), _) if owner != OURS => "unmanaged",
        (_, Some("not ready")) => return "not ready".to_owned(),
        (_, Some(health)) => health,
        (_, None) => &row.state,
    };
    row.age_seconds.map_or_else(|| word.to_owned(), |it| format!("{word} {}", short_age(it)))
}

fn print_wide(rows: &[Row]) -> Result<()> {
    let head = [
        "NAME",
        "KIND",
        "CONTAINER",
        "IMAGE",
        "STATE",
        "HEALTH",
        "AGE",
        "SESSIONS",
        "WARM",
        "MEMORY",
        "CPU",
        "NETWORK",
    ];
    let lines = rows.iter().map(|row| {
        let state = match row.owner {
            Some(other) if other != OURS => format!("{} ({other})", row.state),
            _ => row.state.clone(),
        };
        let [name, _, sessions, memory, cpu, _] = cells(row);
        [
            name,
            row.kind.map_or_else(dash, |it| format!("{it}{}", if row.shell { ", SHELL" } else { "" })),
            row.container.clone(),
            row.image.clone(),
            state,
            row.health.map_or_else(dash, str::to_owned),
            row.age_seconds.map_or_else(dash, age),
            sessions,
            or_dash(row.warm),
            memory,
            cpu,
            row.network.clone(),
        ]
    });
    table::print(&head, lines)
}

/// What a person should know, and can do.
fn notes(ws: &Workspace, row: &Row) -> Vec<String> {
    let mut notes = Vec::new();
    if row.stale == Some(true) {
        let up = ws.command(&format!("up {}", row.name));
        notes.push(format!("`{}` is older than its sources: {up}", row.name));
    }
    if row.owner.is_some_and(|it| it != OURS) {
        let whose = if row.owner == Some(OTHER) { "another workspace's" } else { "not managed by Drydock" };
        notes.push(format!("the container {} is {whose}", row.container));
    }
    if row.shell {
        notes.push(format!("{} has a shell and package managers", row.container));
    }
    notes
}

fn dash() -> String {
    "-".to_owned()
}

fn or_dash(count: Option<u64>) -> String {
    count.map_or_else(dash, |it| it.to_string())
}

/// The two largest units, as in `2h 5m`.
fn age(seconds: u64) -> String {
    let text = humantime::format_duration(Duration::from_secs(seconds)).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// The largest unit, as in `2h`.
fn short_age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// As in `3.9M`, in units of 1,024.
fn memory(bytes: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..MIB => format!("{}K", bytes / KIB),
        MIB..GIB if bytes < 10 * MIB => format!("{}M", tenths(MIB)),
        MIB..GIB => format!("{}M", bytes / MIB),
        _ => format!("{}G", tenths(GIB)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            name: "weather".to_owned(),
            kind: Some("rust"),
            shell: false,
            container: "mcp-weather".to_owned(),
            image: "drydock/weather:0.1.0".to_owned(),
            owner: Some(OURS),
            state: "running".to_owned(),
            health: Some("ready"),
            age_seconds: Some(3_725),
            sessions: Some(2),
            warm: None,
            network: "internet".to_owned(),
            stale: Some(false),
            memory_bytes: Some(4_095_737),
            cpu_percent: Some(12.4),
            is_here: true,
        }
    }

    #[test]
    fn figures_are_short() {
        assert_eq!([age(0), age(3_725), short_age(3_725), short_age(864_000)], ["0s", "1h 2m", "1h", "10d"]);
        assert_eq!(
            [0, 900 << 10, 4_095_737, 256 << 20, 3 << 29].map(memory),
            ["0K", "900K", "3.9M", "256M", "1.5G"]
        );
    }

    #[test]
    fn a_row_says_how_the_server_is_and_whose_it_is() {
        assert_eq!(cells(&row()), ["weather", "ready 1h", "2", "3.9M", "12%", "internet"]);
        let state = |owner, health, age_seconds| state(&Row { owner, health, age_seconds, ..row() });
        assert_eq!(state(Some(OURS), Some("not ready"), Some(5)), "not ready");
        assert_eq!(state(Some(OURS), None, Some(5)), "running 5s");
        assert_eq!(state(Some(OTHER), None, Some(5)), "another's 5s");
        assert_eq!(state(Some("unmanaged"), None, None), "unmanaged");
        assert_eq!(state(None, None, None), "running");
    }

    /// The widest that each cell can be, but for the name, leaves room for a name.
    #[test]
    fn the_widest_row_fits() {
        let widest = Row {
            state: "restarting".to_owned(),
            health: None,
            age_seconds: Some(59 * 60),
            sessions: Some(12_345_678),
            memory_bytes: Some(1_023 << 20),
            cpu_percent: Some(1_600.0),
            network: "a-network-of-somebody".to_owned(),
            ..row()
        };
        let widths = cells(&widest).into_iter().zip(HEAD).skip(1);
        let others: usize = widths.map(|(cell, head)| cell.chars().count().max(head.len()) + 2).sum();
        assert!(others + HEAD[0].len() <= MAX_COLUMNS, "{others}");
    }
}
