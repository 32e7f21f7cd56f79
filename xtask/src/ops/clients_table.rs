//! The table of clients in docs/clients.md, made from clients/*.toml.
//!
//! Data files + document -> document. Invariant: only what stands between the two marks changes.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use drydock_config::client::{self, Client, HeaderSupport, System};

use crate::hint::with_hint;
use crate::ui::progress::say;

/// From the workspace's root.
const DOCUMENT: &str = "docs/clients.md";
const BEGIN: &str = "<!-- clients: made by `cargo xtask clients --table` from clients/*.toml -->\n";
const END: &str = "<!-- end of clients -->";

pub(crate) fn write(root: &Path) -> Result<()> {
    let (path, old) = read(root)?;
    let new = with_table(&old, &table(root)?)?;
    if new == old {
        say(&format!("{DOCUMENT}: the table of clients is up to date"));
        return Ok(());
    }
    fs::write(&path, new).with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("{DOCUMENT}: the table of clients is written"));
    Ok(())
}

pub(crate) fn check(root: &Path) -> Result<()> {
    let (_, old) = read(root)?;
    if with_table(&old, &table(root)?)? == old {
        return Ok(());
    }
    Err(with_hint(
        format!("the table of clients in {DOCUMENT} is not what clients/*.toml say"),
        "cargo xtask clients --table",
    ))
}

fn read(root: &Path) -> Result<(std::path::PathBuf, String)> {
    let path = root.join(DOCUMENT);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok((path, text))
}

fn with_table(document: &str, table: &str) -> Result<String> {
    let parts = document.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
    let (before, (_, after)) = parts.with_context(|| format!("{DOCUMENT} has no {BEGIN}.. {END}"))?;
    ensure!(!after.contains(BEGIN), "{DOCUMENT} has two tables of clients");
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn table(root: &Path) -> Result<String> {
    let mut clients = client::load(root)?;
    clients.sort_by_key(|it| it.name().to_lowercase());
    let head = ["Client", "Id", "User file", "Project file", "HTTP", "Known from"];
    let mut lines = vec![row(&head.map(str::to_owned)), row(&head.map(|_| "---".to_owned()))];
    lines.extend(clients.iter().map(|it| {
        row(&[
            format!("[{}]({})", it.name(), it.docs()),
            code(&it.id),
            user_files(it),
            it.project_files().first().map_or_else(|| "–".into(), |it| code(it)),
            http(it).into(),
            it.evidence().iter().map(|it| it.word()).collect::<Vec<_>>().join(", "),
        ])
    }));
    Ok(lines.concat())
}

/// On Linux, and elsewhere where it is another one.
fn user_files(client: &Client) -> String {
    let on = |system| client.documented(system);
    let linux = on(System::Linux);
    let as_on_linux = |path: &str| {
        let path = path.replace("%USERPROFILE%", "~").replace('\\', "/");
        linux.as_ref().is_some_and(|(linux, _)| *linux == path)
    };
    let moved = linux.as_ref().and_then(|(_, variable)| *variable);
    let moved = moved.map_or_else(String::new, |it| format!(" (`${it}`)"));
    let mut parts: Vec<_> = linux.iter().map(|(path, _)| format!("{}{moved}", code(path))).collect();
    for (system, name) in [(System::Macos, "macOS"), (System::Windows, "Windows")] {
        if let Some((path, _)) = on(system).filter(|(path, _)| !as_on_linux(path)) {
            parts.push(format!("{name} {}", code(&path)));
        }
    }
    parts.join("<br>")
}

fn http(client: &Client) -> &'static str {
    match client.http() {
        None => "–",
        Some(HeaderSupport::None) => "yes, no headers",
        Some(HeaderSupport::Bearer) => "yes, header: `Authorization: Bearer`",
        Some(HeaderSupport::Any) => "yes, headers",
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn the_table_has_a_line_for_each_client_and_nothing_else_changes() {
        let table = table(root()).unwrap();
        assert_eq!(table.lines().count(), 2 + client::load(root()).unwrap().len());
        assert!(table.lines().all(|it| it.matches(" | ").count() == 5), "{table}");
        assert!(table.contains(
            "| `codex` | `~/.codex/config.toml` (`$CODEX_HOME`) | `.codex/config.toml` | yes, headers |"
        ));
        assert!(
            table.contains("`~/.config/zed/settings.json`<br>Windows `%APPDATA%\\Zed\\settings.json` |"),
            "{table}"
        );
        assert!(table.contains("| `visual-studio` | Windows `%USERPROFILE%\\.mcp.json` |"), "{table}");
        let document = format!("# a\n{BEGIN}old\n{END}\nrest");
        let new = with_table(&document, "new\n").unwrap();
        assert_eq!(new, format!("# a\n{BEGIN}new\n{END}\nrest"));
        assert_eq!(with_table(&new, "new\n").unwrap(), new);
        assert!(with_table("# a", "new").is_err());
    }

    #[test]
    fn the_document_is_checked_and_written() {
        let temp = tempfile::tempdir().unwrap();
        let clients = temp.path().join("clients");
        fs::create_dir(&clients).unwrap();
        fs::copy(root().join("clients/cursor.toml"), clients.join("cursor.toml")).unwrap();
        fs::create_dir(temp.path().join("docs")).unwrap();
        fs::write(temp.path().join(DOCUMENT), format!("a\n{BEGIN}{END}b")).unwrap();
        let err = check(temp.path()).unwrap_err();
        assert_eq!(crate::hint::hints(&err), ["cargo xtask clients --table"]);
        write(temp.path()).unwrap();
        check(temp.path()).unwrap();
        fs::copy(root().join("clients/zed.toml"), clients.join("zed.toml")).unwrap();
        assert!(check(temp.path()).is_err());
    }
}
