//! Which of xtask's commands import another one.
//!
//! `xtask/src/task` -> `from -> to`, with the place. Invariant: each file or folder of `task` is one command; what they
//! share has to stand elsewhere.

use std::collections::BTreeSet;
use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{ItemUse, UseTree};

use crate::crates::rust_files;
use crate::source::Source;

pub(crate) fn imports(root: &Path) -> Result<Vec<String>, String> {
    let folder = root.join("xtask/src/task");
    let files: Vec<Source> =
        rust_files(&folder)?.iter().map(|it| Source::read(root, it)).collect::<Result<_, _>>()?;
    let modules: Vec<Vec<String>> = files.iter().map(|it| module(&folder, &it.full_path)).collect();
    let commands: BTreeSet<&str> = modules.iter().filter_map(|it| it.first()).map(String::as_str).collect();
    let mut found = BTreeSet::new();
    for (file, module) in files.iter().zip(&modules) {
        let Some(own) = module.first() else { continue };
        let mut paths = Paths(Vec::new());
        paths.visit_file(&file.tree);
        for (path, line) in &paths.0 {
            if let Some(other) = command(path, module)
                && other != *own
                && commands.contains(other.as_str())
            {
                found.insert(format!("{own} -> {other} ({}:{line})", file.path));
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// `task/up/limits.rs` -> `[up, limits]`; `task/mod.rs` -> `[]`.
fn module(folder: &Path, file: &Path) -> Vec<String> {
    let path = file.strip_prefix(folder).unwrap_or(file).with_extension("");
    path.iter().map(|it| it.to_string_lossy().into_owned()).filter(|it| it != "mod").collect()
}

/// The command that a path leads to, if it leads into `task`.
fn command(path: &[String], module: &[String]) -> Option<String> {
    if path.first()? == "crate" {
        return if path.get(1)? == "task" { path.get(2).cloned() } else { None };
    }
    let ups = path.iter().take_while(|it| *it == "super").count();
    (ups > 0 && ups == module.len()).then(|| path.get(ups).cloned()).flatten()
}

/// Every path of a file, with its line.
struct Paths(Vec<(Vec<String>, usize)>);

impl Paths {
    fn add_tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(it) => self.add_tree(&it.tree, &with(&it.ident)),
            UseTree::Name(it) => self.0.push((with(&it.ident), it.span().start().line)),
            UseTree::Rename(it) => self.0.push((with(&it.ident), it.span().start().line)),
            UseTree::Glob(it) => self.0.push((before.to_vec(), it.span().start().line)),
            UseTree::Group(it) => it.items.iter().for_each(|it| self.add_tree(it, before)),
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, it: &'ast ItemUse) {
        self.add_tree(&it.tree, &[]);
    }

    fn visit_path(&mut self, it: &'ast syn::Path) {
        let segments = it.segments.iter().map(|it| it.ident.to_string()).collect();
        self.0.push((segments, it.span().start().line));
        visit::visit_path(self, it);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_a_command_from_wherever_it_starts() {
        let words = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
        for (path, module, expected) in [
            ("crate::task::up::run", "down", Some("up")),
            ("super::up", "down", Some("up")),
            ("super::super::up", "down::limits", Some("up")),
            ("super::limits", "down::rows", None),
            ("crate::engine::find", "down", None),
        ] {
            assert_eq!(command(&words(path), &words(module)).as_deref(), expected, "{path} in {module}");
        }
    }
}
