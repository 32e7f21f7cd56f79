//! Where on this machine a client keeps its file, and whether the client is here at all.
//!
//! `Client` + `Machine` + scope -> path. Invariant: only paths are looked at here; nothing is made or changed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::Client;
use drydock_edit as edit;

use crate::file;

/// Whose entry it is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// This person's, in every project
    User,
    /// One project's, shared with everybody who works on it
    Project,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Scope::User { "user" } else { "project" })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Linux,
    Macos,
    Windows,
}

/// What the paths depend on.
#[derive(Clone, Debug)]
pub struct Machine {
    pub system: System,
    pub home: PathBuf,
    variables: BTreeMap<String, String>,
}

impl Machine {
    /// This one.
    pub fn here() -> Result<Self> {
        let system = if cfg!(windows) {
            System::Windows
        } else if cfg!(target_os = "macos") {
            System::Macos
        } else {
            System::Linux
        };
        let home = std::env::home_dir().filter(|it| it.is_absolute());
        let home = home.context("the home folder is not known (is HOME set?)")?;
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Ok(Self { system, home, variables: variables.collect() })
    }

    #[cfg(test)]
    pub fn new(system: System, home: &Path, variables: &[(&str, &str)]) -> Self {
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { system, home: home.to_path_buf(), variables }
    }

    pub fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    /// A folder from the environment, if it names an absolute path, or else one below home.
    fn folder(&self, variable: &str, otherwise: &str) -> PathBuf {
        let set = self.variable(variable).map(PathBuf::from).filter(|it| it.is_absolute());
        set.unwrap_or_else(|| self.home.join(otherwise))
    }

    fn path(&self, template: &str) -> PathBuf {
        for (sign, folder) in [
            ("{home}", self.home.clone()),
            ("{config}", self.folder("XDG_CONFIG_HOME", ".config")),
            ("{appdata}", self.folder("APPDATA", "AppData/Roaming")),
        ] {
            if let Some(rest) = template.strip_prefix(sign) {
                return folder.join(rest.trim_start_matches('/'));
            }
        }
        PathBuf::from(template)
    }

    fn has_command(&self, name: &str) -> bool {
        let path = self.variable("PATH").unwrap_or_default();
        let endings: &[&str] = if self.system == System::Windows { &[".exe", ".cmd"] } else { &[""] };
        std::env::split_paths(&path)
            .any(|it| endings.iter().any(|end| it.join(format!("{name}{end}")).is_file()))
    }
}

impl Client {
    /// Whether the client is on this machine.
    pub fn is_here(&self, machine: &Machine) -> bool {
        let found = &self.data.found;
        found.commands.iter().any(|it| machine.has_command(it))
            || found.paths.iter().any(|it| machine.path(it).exists())
            || self.user_files(machine).iter().any(|it| it.exists())
    }

    /// The user file as documentation writes it, and the variable that moves it.
    pub fn documented(&self, system: System) -> Option<(String, Option<&str>)> {
        let template = self.templates(system).first()?;
        let windows = system == System::Windows;
        let path = template
            .replace("{home}", if windows { "%USERPROFILE%" } else { "~" })
            .replace("{config}", if windows { "%USERPROFILE%/.config" } else { "~/.config" })
            .replace("{appdata}", "%APPDATA%");
        let path = if windows { path.replace('/', "\\") } else { path };
        Some((path, self.data.path.overrides.keys().next().map(String::as_str)))
    }

    /// A project's files, below its folder.
    pub fn project_files(&self) -> &[String] {
        &self.data.path.project
    }

    pub fn has_scope(&self, machine: &Machine, scope: Scope) -> bool {
        match scope {
            Scope::User => !self.user_files(machine).is_empty(),
            Scope::Project => !self.data.path.project.is_empty(),
        }
    }

    /// The file that we read and write: of several the one that has entries, or that exists, or the first.
    pub fn file(&self, machine: &Machine, project: &Path, scope: Scope) -> Result<PathBuf> {
        let all = match scope {
            Scope::User => self.user_files(machine),
            Scope::Project => self.data.path.project.iter().map(|it| project.join(it)).collect(),
        };
        let with_entries = |path: &&PathBuf| -> bool {
            let entries = || edit::entries(&file::read(path).ok()??, self.place()).ok();
            entries().is_some_and(|it| !it.is_empty())
        };
        let several = all.len() > 1;
        let best = several
            .then(|| all.iter().find(with_entries).or_else(|| all.iter().find(|it| it.exists())))
            .flatten();
        match best.or(all.first()) {
            Some(path) => Ok(path.clone()),
            None => bail!("{} has no {scope} scope on this system", self.name()),
        }
    }

    /// The project's folder, from its file.
    pub fn project_of(&self, file: &Path) -> Option<PathBuf> {
        let depth = |it: &&String| Path::new(it).components().count();
        let below = self.data.path.project.iter().filter(|it| file.ends_with(it)).max_by_key(depth)?;
        file.ancestors().nth(depth(&below)).map(Path::to_path_buf)
    }

    fn user_files(&self, machine: &Machine) -> Vec<PathBuf> {
        let paths = &self.data.path;
        for (variable, file) in paths.overrides.iter().filter_map(|(key, it)| Some((key, it.as_str()?))) {
            if let Some(set) = machine.variable(variable).filter(|it| !it.is_empty()) {
                let set = PathBuf::from(set);
                return vec![if file.is_empty() { set } else { set.join(file) }];
            }
        }
        self.templates(machine.system).iter().map(|it| machine.path(it)).collect()
    }

    fn templates(&self, system: System) -> &[String] {
        match system {
            System::Linux => &self.data.path.linux,
            System::Macos => &self.data.path.macos,
            System::Windows => &self.data.path.windows,
        }
    }
}
