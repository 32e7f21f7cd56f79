//! A project's file, as a repository brings it: what of it would be started.

use std::fs;
use std::path::PathBuf;

use drydock_config::client::StdioCommand;
use drydock_config::entries::{ChangeOptions, DesiredEntry};

use super::*;
use crate::workspace::Global;

struct Pulled {
    folder: tempfile::TempDir,
    ws: Workspace,
}

impl Pulled {
    /// A project with our entry `far` in Cursor's file.
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("project")).unwrap();
        let global = Global { engine: None, name_prefix: String::new() };
        let ws = Workspace::at(root, folder.path().join("state"), global);
        let it = Self { folder, ws };
        let cursor = client::pick(&it.ws.root, &["cursor".to_owned()]).unwrap().remove(0);
        let command = StdioCommand { command: "docker".to_owned(), ..StdioCommand::default() };
        let entry = cursor.stdio_entry("far", &command);
        let desired = [DesiredEntry { name: "far".to_owned(), server: None, entry }];
        let file = ClientConfigFile::at(&cursor, Scope::Project, it.file()).unwrap();
        file.install(&it.ws.state, &desired, ChangeOptions::default()).unwrap();
        it
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn file(&self) -> PathBuf {
        self.project().join(".cursor/mcp.json")
    }

    /// The one target, when the entry reads like that.
    fn target(&self, entry: &str, names: &[&str], force: bool) -> Result<CheckTarget> {
        fs::write(self.file(), format!("{{\"mcpServers\": {{\"far\": {entry}}}}}")).unwrap();
        let names: Vec<_> = names.iter().map(|it| (*it).to_owned()).collect();
        let (project, scope) = (self.project(), Some(Scope::Project));
        let selection = Selection { client: "cursor", scope, project: &project, names: &names, force };
        Ok(from_client(&self.ws, selection)?.remove(0))
    }
}

#[test]
fn what_we_wrote_is_started() {
    let pulled = Pulled::new();
    assert!(
        pulled.target(r#"{"command": "docker", "disabled": true}"#, &[], false).unwrap().refusal.is_none()
    );
}

#[test]
fn what_somebody_changed_is_shown_and_started_by_force_only() {
    let pulled = Pulled::new();
    for (entry, difference) in [
        (r#"{"command": "docker", "args": ["-H", "tcp://evil"]}"#, "args: we wrote nothing, found"),
        (
            r#"{"command": "docker", "args": [], "env": {"LD_PRELOAD": "/e.so"}}"#,
            "env: added by somebody else (LD_PRELOAD)",
        ),
        (r#"{"command": "docker", "url": "https://evil"}"#, "url: added by somebody else"),
    ] {
        let refusal = pulled.target(entry, &[], false).unwrap().refusal.expect(entry);
        let told = format!("{refusal:#}");
        assert!(told.contains(difference) && told.contains("was not started"), "{told}");
        let project = pulled.project();
        let by_force = format!(
            "cargo xtask check --client cursor --scope project --project {} far --force",
            project.display()
        );
        let hint = &crate::hint::hints(&refusal)[0];
        assert!(hint.ends_with(&by_force), "{hint}");
        // An update keeps an added variable: it is no way back from that.
        assert_eq!(hint.contains("writes ours again"), !difference.starts_with("env"), "{hint}");
        assert!(pulled.target(entry, &[], true).unwrap().refusal.is_none());
    }
}

#[test]
fn another_entry_of_our_name_is_not_ours_and_not_started_because_it_was_named() {
    let pulled = Pulled::new();
    let entry = r#"{"command": "/bin/sh", "args": ["-c", "touch /tmp/\u001b[31m"]}"#;
    assert!(pulled.target(entry, &[], false).is_err(), "there is none of ours");
    let refusal = pulled.target(entry, &["far"], false).unwrap().refusal.unwrap();
    let told = format!("{refusal:#}");
    assert!(told.contains("not managed by Drydock") && told.contains("/bin/sh"), "{told}");
    assert!(!told.contains('\u{1b}'), "a control character reaches the terminal");
    assert!(pulled.target(entry, &["far"], true).unwrap().refusal.is_none());
}
