//! An entry that would cost a person more than it gives is not written.

use super::*;
use crate::ErrorKind;

fn install(config_file: &ClientConfigFile<'_>, state: &Path) -> Result<Outcome> {
    config_file.install(state, &[desired("a")], ChangeOptions::default())
}

/// It switches the older form off, with all models and keys in it.
#[test]
fn continues_new_file_does_not_switch_the_persons_older_one_off() {
    let home = Home::new();
    fs::create_dir(home.path(".continue")).unwrap();
    fs::write(home.path(".continue/config.json"), "{\"models\": []}").unwrap();
    let config_file = home.config_file("continue", Scope::User);
    let err = install(&config_file, &home.state()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::SideEffect, "{err:#}");
    assert!(format!("{err:#}").contains(".continue/config.json") && err.hint().is_some(), "{err:#}");
    assert!(!config_file.path.exists() && Ledger::load(&home.state()).unwrap().entries.is_empty());
    // The person has made the new file: it counts already.
    fs::write(&config_file.path, "name: x\nversion: 1.0.0\nschema: v1\n").unwrap();
    install(&config_file, &home.state()).unwrap();
}

#[test]
fn without_an_older_file_continue_gets_a_new_one() {
    let home = Home::new();
    install(&home.config_file("continue", Scope::User), &home.state()).unwrap();
}

/// Its first start would allow every shell command, and an uninstall would not take that back.
#[test]
fn kilo_is_written_to_after_its_first_start_only() {
    let home = Home::new();
    let config_file = home.config_file("kilo", Scope::User);
    let err = install(&config_file, &home.state()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::SideEffect, "{err:#}");
    assert!(format!("{err:#}").contains("every shell command"), "{err:#}");
    assert!(err.hint().unwrap().contains("kilo mcp list"), "{err:#}");
    assert!(!home.path(".config").exists());
    fs::create_dir_all(home.path(".config/kilo")).unwrap();
    fs::write(home.path(".config/kilo/.bash-permission-migrated"), "").unwrap();
    install(&config_file, &home.state()).unwrap();
    // Out again it comes in any case.
    fs::remove_file(home.path(".config/kilo/.bash-permission-migrated")).unwrap();
    home.take(&config_file, &["a"]);
    assert!(!config_file.path.exists());
}
