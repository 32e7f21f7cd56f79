//! What stands in the brackets of `#[server(..)]`.
//!
//! Tokens -> settings, or an error at the word that is wrong. Invariant: an unknown name is an error.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, MetaNameValue, Result, Token};

/// All of them may be left out.
#[derive(Default)]
pub(crate) struct Settings {
    /// For people.
    pub(crate) title: Option<Expr>,
    /// For the model.
    pub(crate) instructions: Option<Expr>,
}

impl Parse for Settings {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut settings = Self::default();
        for it in Punctuated::<MetaNameValue, Token![,]>::parse_terminated(input)? {
            let place = match it.path.get_ident().map(ToString::to_string).as_deref() {
                Some("title") => &mut settings.title,
                Some("instructions") => &mut settings.instructions,
                _ => {
                    let known = "known here are `title = \"..\"` and `instructions = \"..\"`";
                    return Err(syn::Error::new_spanned(&it.path, known));
                }
            };
            if place.replace(it.value).is_some() {
                return Err(syn::Error::new_spanned(&it.path, "it stands here twice"));
            }
        }
        Ok(settings)
    }
}
