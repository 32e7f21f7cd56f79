//! What the paths of clients depend on: the system, the home folder, the environment.
//!
//! Machine -> `HostEnv`. Invariant: it is read once; what is looked up later is the same for all clients.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// An operating system that clients have paths for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux, and what else follows the XDG folders.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

/// What the paths depend on.
#[derive(Clone, Debug)]
pub struct HostEnv {
    /// Which of a client's paths count.
    pub system: System,
    /// The person's home folder.
    pub home: PathBuf,
    variables: BTreeMap<String, String>,
}

impl HostEnv {
    /// The one that this process is in. Variables that are not UTF-8 are left out.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the home folder is not known.
    pub fn here() -> Result<Self> {
        let system = if cfg!(windows) {
            System::Windows
        } else if cfg!(target_os = "macos") {
            System::Macos
        } else {
            System::Linux
        };
        let home = std::env::home_dir()
            .filter(|it| it.is_absolute())
            .ok_or_else(|| Error::new(ErrorKind::NotFound, "the home folder is not known (is HOME set?)"))?;
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Ok(Self { system, home, variables: variables.collect() })
    }

    /// Another one: for a home folder elsewhere, as in tests.
    pub fn new(system: System, home: &Path, variables: &[(&str, &str)]) -> Self {
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { system, home: home.to_path_buf(), variables }
    }

    /// The value of an environment variable.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    /// A folder from the environment, if it names an absolute path, or else one below home.
    fn folder(&self, variable: &str, otherwise: &str) -> PathBuf {
        let set = self.variable(variable).map(PathBuf::from).filter(|it| it.is_absolute());
        set.unwrap_or_else(|| self.home.join(otherwise))
    }

    /// A path of a data file, with its folder put in.
    pub(super) fn path(&self, template: &str) -> PathBuf {
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

    /// Whether PATH has a program of that name: as this environment has it, which need not be the process's own.
    pub(super) fn has_command(&self, name: &str) -> bool {
        let path = self.variable("PATH").unwrap_or_default();
        let endings: &[&str] = if self.system == System::Windows { &[".exe", ".cmd"] } else { &[""] };
        std::env::split_paths(&path)
            .any(|it| endings.iter().any(|end| it.join(format!("{name}{end}")).is_file()))
    }
}
