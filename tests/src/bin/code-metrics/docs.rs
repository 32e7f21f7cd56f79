//! Which public items of the libraries have no documentation.
//!
//! Crates with a library -> `path:line name`. Invariant: only what another crate can name counts: `pub` in a chain of
//! `pub mod`, or re-exported by a `pub use` (whose names are taken to mean every item of that name).

use std::collections::BTreeSet;
use std::path::Path;

use syn::spanned::Spanned;
use syn::{Attribute, Fields, ImplItem, Item, TraitItem, Type, UseTree, Visibility};

use crate::crates::Crate;
use crate::source::{Source, module_folder};

pub(crate) fn undocumented(crates: &[Crate]) -> Vec<String> {
    let mut found = Vec::new();
    for of in crates {
        let Some(library) = &of.library else { continue };
        let mut search = Search { of, exported: BTreeSet::new(), types: BTreeSet::new(), found: Vec::new() };
        let Some(file) = of.files.iter().find(|it| &it.full_path == library) else { continue };
        search.collect(file, &file.tree.items, &module_folder(&file.full_path), true);
        search.found.clear();
        // Again, with all re-exports and types known.
        search.collect(file, &file.tree.items, &module_folder(&file.full_path), true);
        found.append(&mut search.found);
    }
    found
}

struct Search<'c> {
    of: &'c Crate,
    /// Names in a `pub use`.
    exported: BTreeSet<String>,
    /// Types that another crate can name.
    types: BTreeSet<String>,
    found: Vec<String>,
}

impl Search<'_> {
    fn collect(&mut self, file: &Source, items: &[Item], folder: &Path, reachable: bool) {
        for item in items {
            match item {
                Item::Mod(it) => self.module(file, it, folder, reachable),
                Item::Use(it) if is_pub(&it.vis) => self.export(&it.tree),
                Item::Impl(it) if it.trait_.is_none() => self.methods(file, it),
                Item::Macro(it) if it.attrs.iter().any(|it| it.path().is_ident("macro_export")) => {
                    let name = it.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                    self.check(file, &it.attrs, &name, item);
                }
                _ => self.item(file, item, reachable),
            }
        }
    }

    fn module(&mut self, file: &Source, module: &syn::ItemMod, folder: &Path, reachable: bool) {
        let name = module.ident.to_string();
        let reachable = (reachable && is_pub(&module.vis)) || self.exported.contains(&format!("{name}::*"));
        let inner = folder.join(&name);
        if let Some((_, items)) = &module.content {
            if reachable {
                self.check(file, &module.attrs, &name, module);
            }
            return self.collect(file, items, &inner, reachable);
        }
        let of = self.of;
        let paths = [folder.join(format!("{name}.rs")), inner.join("mod.rs")];
        if let Some(other) = of.files.iter().find(|it| paths.contains(&it.full_path)) {
            if reachable && !is_documented(&module.attrs) {
                self.check(other, &other.tree.attrs, &name, module);
            }
            self.collect(other, &other.tree.items, &inner, reachable);
        }
    }

    fn export(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(it) if matches!(*it.tree, UseTree::Glob(_)) => {
                self.exported.insert(format!("{}::*", it.ident));
            }
            UseTree::Path(it) => self.export(&it.tree),
            UseTree::Name(it) => drop(self.exported.insert(it.ident.to_string())),
            UseTree::Rename(it) => drop(self.exported.insert(it.ident.to_string())),
            UseTree::Group(it) => it.items.iter().for_each(|it| self.export(it)),
            UseTree::Glob(_) => {}
        }
    }

    fn item(&mut self, file: &Source, item: &Item, reachable: bool) {
        let (vis, name, attributes) = match item {
            Item::Const(it) => (&it.vis, &it.ident, &it.attrs),
            Item::Enum(it) => (&it.vis, &it.ident, &it.attrs),
            Item::Fn(it) => (&it.vis, &it.sig.ident, &it.attrs),
            Item::Static(it) => (&it.vis, &it.ident, &it.attrs),
            Item::Struct(it) => (&it.vis, &it.ident, &it.attrs),
            Item::Trait(it) => (&it.vis, &it.ident, &it.attrs),
            Item::Type(it) => (&it.vis, &it.ident, &it.attrs),
            _ => return,
        };
        let name = name.to_string();
        if !is_pub(vis) || !(reachable || self.exported.contains(&name)) {
            return;
        }
        self.check(file, attributes, &name, item);
        match item {
            Item::Struct(it) => self.fields(file, &name, &it.fields, true),
            Item::Enum(it) => {
                for variant in &it.variants {
                    let name = format!("{name}::{}", variant.ident);
                    self.check(file, &variant.attrs, &name, variant);
                    self.fields(file, &name, &variant.fields, false);
                }
            }
            Item::Trait(it) => {
                for method in it.items.iter().filter_map(|it| match it {
                    TraitItem::Fn(it) => Some(it),
                    _ => None,
                }) {
                    self.check(file, &method.attrs, &format!("{name}::{}", method.sig.ident), method);
                }
            }
            _ => {}
        }
        self.types.insert(name);
    }

    fn fields(&mut self, file: &Source, of: &str, fields: &Fields, pub_only: bool) {
        let Fields::Named(fields) = fields else { return };
        for field in fields.named.iter().filter(|it| !pub_only || is_pub(&it.vis)) {
            let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
            self.check(file, &field.attrs, &format!("{of}.{name}"), field);
        }
    }

    fn methods(&mut self, file: &Source, block: &syn::ItemImpl) {
        let Type::Path(path) = &*block.self_ty else { return };
        let name = path.path.segments.last().map(|it| it.ident.to_string()).unwrap_or_default();
        if !self.types.contains(&name) {
            return;
        }
        for item in &block.items {
            match item {
                ImplItem::Fn(it) if is_pub(&it.vis) => {
                    self.check(file, &it.attrs, &format!("{name}::{}", it.sig.ident), &it.sig);
                }
                ImplItem::Const(it) if is_pub(&it.vis) => {
                    self.check(file, &it.attrs, &format!("{name}::{}", it.ident), it);
                }
                _ => {}
            }
        }
    }

    fn check(&mut self, file: &Source, attributes: &[Attribute], name: &str, at: &impl Spanned) {
        if !is_documented(attributes) {
            self.found.push(format!("{}:{} {name}", file.path, at.span().start().line));
        }
    }
}

fn is_pub(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

fn is_documented(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|it| it.path().is_ident("doc"))
}
