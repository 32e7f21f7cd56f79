//! Where the values of the sandbox stand.
//!
//! Syntax trees -> for each value, the files with a literal that holds it. Invariant: documentation is not a place.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::crates::Crate;

const VALUES: [&str; 7] =
    ["65532", "no-new-privileges", "noexec", "nofile", "max-size", "--cap-drop", "--pids-limit"];

pub(crate) fn places(crates: &[Crate]) -> Vec<(&'static str, Vec<String>)> {
    let mut places: Vec<(&str, Vec<String>)> = VALUES.iter().map(|it| (*it, Vec::new())).collect();
    // This file, too, holds them all.
    for file in crates.iter().flat_map(|it| &it.files).filter(|it| !it.path.contains("code-metrics")) {
        let mut literals = Literals(Vec::new());
        literals.visit_file(&file.tree);
        for (value, files) in &mut places {
            if literals.0.iter().any(|it| it.contains(*value)) {
                files.push(file.path.clone());
            }
        }
    }
    places
}

struct Literals(Vec<String>);

impl Literals {
    fn of_tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Literal(it) => self.0.push(it.to_string().replace('_', "")),
                TokenTree::Group(it) => self.of_tokens(it.stream()),
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Literals {
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_lit(&mut self, it: &'ast syn::Lit) {
        match it {
            syn::Lit::Int(it) => self.0.push(it.base10_digits().to_owned()),
            syn::Lit::Str(it) => self.0.push(it.value()),
            syn::Lit::ByteStr(it) => self.0.push(String::from_utf8_lossy(&it.value()).into_owned()),
            _ => {}
        }
    }

    fn visit_macro(&mut self, it: &'ast syn::Macro) {
        self.of_tokens(it.tokens.clone());
        visit::visit_macro(self, it);
    }
}
