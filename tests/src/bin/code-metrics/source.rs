//! One Rust file, without its tests.
//!
//! A file -> its syntax tree, lines and functions. Invariant: what is behind `#[cfg(test)]` or `#[test]` is neither in
//! the tree nor counted.

use std::fs;
use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItem, Item, Meta, Signature};

pub(crate) struct Source {
    /// Below the checkout, for people.
    pub(crate) path: String,
    pub(crate) full_path: PathBuf,
    pub(crate) is_generated: bool,
    pub(crate) lines: usize,
    pub(crate) functions: Vec<Function>,
    pub(crate) tree: syn::File,
    /// The files and folders of `#[cfg(test)] mod NAME;`.
    pub(crate) test_modules: Vec<PathBuf>,
}

pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// From its signature to its closing brace.
    pub(crate) lines: usize,
}

impl Source {
    pub(crate) fn read(root: &Path, path: &Path) -> Result<Self, String> {
        let problem = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
        let text = fs::read_to_string(path).map_err(|e| problem(&e))?;
        let mut tree = syn::parse_file(&text).map_err(|e| problem(&e))?;
        let mut tests = Tests { folder: module_folder(path), lines: 0, modules: Vec::new() };
        if is_test(&tree.attrs) {
            tree.items.clear();
            tests.modules.push(path.to_owned());
        }
        tests.strip(&mut tree.items);
        let mut functions = Functions::default();
        functions.visit_file(&tree);
        Ok(Self {
            path: path.strip_prefix(root).unwrap_or(path).display().to_string(),
            full_path: path.to_owned(),
            is_generated: text.lines().take(5).any(|it| it.contains("@generated")),
            lines: text.lines().count() - tests.lines,
            functions: functions.0,
            tree,
            test_modules: tests.modules,
        })
    }
}

/// Where the modules of this file lie: `a.rs` -> `a/`, `a/mod.rs`, `main.rs` and `lib.rs` -> their own folder.
pub(crate) fn module_folder(path: &Path) -> PathBuf {
    match path.file_stem().and_then(|it| it.to_str()) {
        Some("mod" | "main" | "lib") => path.with_file_name(""),
        _ => path.with_extension(""),
    }
}

/// Takes tests out of a tree and remembers what they were.
struct Tests {
    folder: PathBuf,
    lines: usize,
    modules: Vec<PathBuf>,
}

impl Tests {
    fn strip(&mut self, items: &mut Vec<Item>) {
        items.retain_mut(|item| {
            if is_test(attributes(item)) {
                let span = item.span();
                self.lines += span.end().line + 1 - span.start().line;
                if let Item::Mod(module) = item
                    && module.content.is_none()
                {
                    let name = module.ident.to_string();
                    self.modules.extend([self.folder.join(format!("{name}.rs")), self.folder.join(name)]);
                }
                return false;
            }
            match item {
                Item::Mod(module) => {
                    if let Some((_, items)) = &mut module.content {
                        self.strip(items);
                    }
                }
                Item::Impl(block) => block.items.retain(|it| match it {
                    ImplItem::Fn(function) => !is_test(&function.attrs),
                    _ => true,
                }),
                _ => {}
            }
            true
        });
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|it| match &it.meta {
        Meta::List(list) if it.path().is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition == "test" || condition.starts_with("all (test") || condition.starts_with("all(test")
        }
        _ => it.path().segments.last().is_some_and(|it| it.ident == "test"),
    })
}

#[derive(Default)]
struct Functions(Vec<Function>);

impl Functions {
    fn add(&mut self, signature: &Signature, block: &Block) {
        let line = signature.span().start().line;
        let lines = block.span().end().line + 1 - line;
        self.0.push(Function { name: signature.ident.to_string(), line, lines });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, it: &'ast syn::ItemFn) {
        self.add(&it.sig, &it.block);
        visit::visit_item_fn(self, it);
    }

    fn visit_impl_item_fn(&mut self, it: &'ast syn::ImplItemFn) {
        self.add(&it.sig, &it.block);
        visit::visit_impl_item_fn(self, it);
    }

    fn visit_trait_item_fn(&mut self, it: &'ast syn::TraitItemFn) {
        if let Some(block) = &it.default {
            self.add(&it.sig, block);
        }
        visit::visit_trait_item_fn(self, it);
    }
}
