//! Where on this machine a client keeps its file, and whether the client is here at all.
//!
//! `Client` + `HostEnv` + scope -> path. Invariant: only paths are looked at here; nothing is made or changed.

use std::path::{Path, PathBuf};

use drydock_edit as edit;

use super::{Client, HostEnv, Scope, System};
use crate::error::{Error, ErrorKind, Result};
use crate::file;

impl Client {
    /// Whether the client is on this machine.
    pub fn is_here(&self, host_env: &HostEnv) -> bool {
        let found = &self.data.found;
        found.commands.iter().any(|it| host_env.has_command(it))
            || found.paths.iter().any(|it| host_env.path(it).exists())
            || self.user_files(host_env).iter().any(|it| it.exists())
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

    /// Whether the client has such a file on this system.
    pub fn has_scope(&self, host_env: &HostEnv, scope: Scope) -> bool {
        match scope {
            Scope::User => !self.user_files(host_env).is_empty(),
            Scope::Project => !self.data.path.project.is_empty(),
        }
    }

    /// The file that we read and write: of several the one that has entries (unless the client reads only the first), or
    /// that exists, or the first.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the client has no such scope on this system.
    pub fn file(&self, host_env: &HostEnv, project: &Path, scope: Scope) -> Result<PathBuf> {
        let all = match scope {
            Scope::User => self.user_files(host_env),
            Scope::Project => self.data.path.project.iter().map(|it| project.join(it)).collect(),
        };
        let with_entries = |path: &&PathBuf| -> bool {
            let entries = || edit::entries(&file::read(path).ok()??, self.servers_path(scope)).ok();
            entries().is_some_and(|it| !it.is_empty())
        };
        let exists = || all.iter().find(|it| it.exists());
        let best = match all.len() {
            0 | 1 => None,
            _ if self.data.path.only_first => exists(),
            _ => all.iter().find(with_entries).or_else(exists),
        };
        best.or(all.first()).cloned().ok_or_else(|| {
            let problem = format!("{} has no {scope} scope on this system", self.name());
            let other = Scope::ALL.into_iter().find(|it| *it != scope && self.has_scope(host_env, *it));
            let err = Error::new(ErrorKind::NotFound, problem);
            match other {
                Some(other) => err.with_hint(format!("it has a file of its own with `--scope {other}`")),
                None => err,
            }
        })
    }

    /// A file of a project that the client no longer reads, now that somebody has made this one.
    pub fn no_longer_reads(&self, project: &Path, made: &Path) -> Option<PathBuf> {
        let all = self.data.path.project.iter().map(|it| project.join(it));
        let mut there = all.filter(|it| it == made || it.exists());
        let hides = self.data.path.only_first && there.next()? == made;
        there.next().filter(|_| hides)
    }

    /// What else of the person's would change if we wrote a user file now, and the way out; `is_new`: there is none yet.
    pub(crate) fn side_effect(&self, host_env: &HostEnv, is_new: bool) -> Option<(String, String)> {
        let name = self.name();
        if let Some(first) = &self.data.first_start
            && !host_env.path(&first.marker).exists()
        {
            let problem = format!(
                "{name} has not been started yet; at its first start {} if it finds settings that it did not make",
                first.otherwise
            );
            return Some((problem, format!("start it once (`{}`), then run this again", first.how)));
        }
        let eclipsed = self.data.path.eclipses.iter().map(|it| host_env.path(it)).find(|it| it.exists());
        let eclipsed = eclipsed.filter(|_| is_new)?;
        let problem = format!("{name} would no longer read {}", eclipsed.display());
        let hint =
            format!("move what it holds into the new file first ({}), then run this again", self.docs());
        Some((problem, hint))
    }

    /// As if it had been started once.
    #[cfg(test)]
    pub(crate) fn mark_started(&self, host_env: &HostEnv) {
        if let Some(marker) = self.data.first_start.as_ref().map(|it| host_env.path(&it.marker)) {
            std::fs::create_dir_all(marker.parent().unwrap_or(&marker)).unwrap();
            std::fs::write(marker, "").unwrap();
        }
    }

    /// The project's folder, from its file.
    pub fn project_of(&self, file: &Path) -> Option<PathBuf> {
        let depth = |it: &&String| Path::new(it).components().count();
        let below = self.data.path.project.iter().filter(|it| file.ends_with(it)).max_by_key(depth)?;
        file.ancestors().nth(depth(&below)).map(Path::to_path_buf)
    }

    fn user_files(&self, host_env: &HostEnv) -> Vec<PathBuf> {
        let paths = &self.data.path;
        for (variable, file) in paths.overrides.iter().filter_map(|(key, it)| Some((key, it.as_str()?))) {
            if let Some(set) = host_env.variable(variable).filter(|it| !it.is_empty()) {
                let set = PathBuf::from(set);
                return vec![if file.is_empty() { set } else { set.join(file) }];
            }
        }
        self.templates(host_env.system).iter().map(|it| host_env.path(it)).collect()
    }

    fn templates(&self, system: System) -> &[String] {
        match system {
            System::Linux => &self.data.path.linux,
            System::Macos => &self.data.path.macos,
            System::Windows => &self.data.path.windows,
        }
    }
}
