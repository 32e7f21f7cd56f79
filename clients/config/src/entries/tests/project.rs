//! A project's file lies below the project, whatever links its repository holds.

use std::os::unix::fs::symlink;

use super::*;
use crate::ErrorKind;

/// A link at `.cursor/mcp.json`, or at a folder above it.
fn linked(home: &Home, link: &str, target: &Path) {
    let link = home.path("project").join(link);
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(target, link).unwrap();
}

fn cursor<'a>(home: &'a Home, project: &Path) -> Result<ClientConfigFile<'a>> {
    let client = home.clients.iter().find(|it| it.id == "cursor").unwrap();
    let host_env = HostEnv::new(client::System::Linux, home.folder.path(), &[]);
    ClientConfigFile::of(client, Scope::Project, &host_env, project)
}

#[test]
fn a_link_that_leads_out_of_the_project_is_refused() {
    for (link, target) in [
        (".cursor/mcp.json", "../../.claude.json"),
        (".cursor/mcp.json", "../../not-there.json"),
        (".cursor/mcp.json", "../../project2/mcp.json"),
        (".cursor", "../autostart"),
    ] {
        let home = Home::new();
        for folder in ["project", "project2", "autostart"] {
            fs::create_dir(home.path(folder)).unwrap();
        }
        fs::write(home.path(".claude.json"), "{}").unwrap();
        linked(&home, link, Path::new(target));
        let refused = cursor(&home, &home.path("project")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidFile, "{link} -> {target}");
        assert!(refused.to_string().contains("out of the project"), "{refused}");
        assert!(refused.hint().is_some());
        assert!(!home.path("autostart/mcp.json").exists() && !home.path("not-there.json").exists());
        assert_eq!(text(&home.path(".claude.json")), "{}");
    }
}

#[test]
fn an_absolute_link_and_a_chain_are_followed_to_their_end_first() {
    let home = Home::new();
    fs::write(home.path(".claude.json"), "{}").unwrap();
    linked(&home, "second", &home.path(".claude.json"));
    linked(&home, ".cursor/mcp.json", Path::new("../second"));
    assert!(cursor(&home, &home.path("project")).is_err());
}

#[test]
fn links_within_the_project_and_to_the_project_are_fine() {
    let home = Home::new();
    fs::create_dir_all(home.path("project/config")).unwrap();
    linked(&home, ".cursor", Path::new("config"));
    symlink("project", home.path("link")).unwrap();
    for project in ["project", "link"] {
        let config_file = cursor(&home, &home.path(project)).unwrap();
        home.put(&config_file, &["a"]);
        assert!(home.path("project/config/mcp.json").exists());
        home.take(&config_file, &["a"]);
        assert!(!home.path("project/config/mcp.json").exists());
    }
}

/// What is known from the ledger, too: a link may have come with the next pull.
#[test]
fn a_file_that_is_a_link_by_now_is_refused() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::Project);
    home.put(&config_file, &["a"]);
    let known = config_file.real.clone();
    let moved = home.path("elsewhere");
    fs::rename(home.path("project/.cursor"), &moved).unwrap();
    linked(&home, ".cursor", &moved);
    assert!(ClientConfigFile::at(config_file.client, Scope::Project, known).is_err());
}

/// A person's own links may lead anywhere: dotfile managers make them.
#[test]
fn a_persons_file_may_be_a_link() {
    let home = Home::new();
    fs::create_dir(home.path("dotfiles")).unwrap();
    symlink("dotfiles", home.path(".cursor")).unwrap();
    let config_file = home.config_file("cursor", Scope::User);
    home.put(&config_file, &["a"]);
    assert!(home.path("dotfiles/mcp.json").exists());
}
