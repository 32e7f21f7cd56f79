//! The attributes of `drydock-kit`: an impl block becomes an MCP server.
//!
//! Tokens -> tokens, most of which rmcp's own macros then expand. Invariant: what is wrong is said at the place where it is
//! written, in words of what one writes, not of what comes out.

#![warn(missing_docs)]

mod complete;
mod notifier;
mod prompt;
mod resource;
mod route;
mod server;
mod settings;
mod tool;

use proc_macro::TokenStream;

/// Makes an impl block an MCP server: its `#[tool]` functions are the tools, the crate's name and version are the server's.
///
/// ```text
/// #[server(title = "Dice", instructions = "Ask for at most 100 sides.")]
/// impl Dice {
///     /// Rolls one die.
///     #[tool(read_only)]
///     fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> { .. }
/// }
/// ```
///
/// `title` is for people, `instructions` for the model; both may be left out. A tool's comment is its description. What a tool
/// does is told in words: `read_only`, or `additive` (it changes something and destroys nothing), else clients ask before they
/// call it; `idempotent` (twice is as good as once); `open_world` (it reaches the internet, say). `title = ".."` and `name = ".."`
/// may stand with them.
///
/// A function with `#[handler]` is a method of rmcp's `ServerHandler`, as `read_resource`. Prompts and resources stand in blocks of
/// their own: `#[drydock_kit::prompts]`, `#[drydock_kit::resources]`. Which capabilities the server has is told by what is there.
#[proc_macro_attribute]
pub fn server(settings: TokenStream, block: TokenStream) -> TokenStream {
    let expanded = server::server(settings.into(), block.clone().into());
    result(expanded, || server::without_tools(block.into()))
}

/// Makes the `#[prompt]` functions of an impl block the server's prompts, beside its `#[server]` block.
///
/// ```text
/// #[drydock_kit::prompts]
/// impl Trips {
///     /// Plan a trip.
///     #[prompt(title = "Plan a trip")]
///     async fn plan(&self, Parameters(args): Parameters<Plan>) -> Vec<PromptMessage> { .. }
///
///     #[complete(plan.city)]
///     fn cities(&self, typed: &str, country: Option<&str>) -> Vec<String> { .. }
/// }
/// ```
///
/// A function with `#[complete(plan.city)]` gives values for the field `city` of what `plan` takes, while a person types it: those that
/// fit what was typed so far, the best first. At most 100 go out; how many there are is told. One function may complete several
/// arguments (`#[complete(plan.city, visit.city)]`), may be `async`, and may give a `Result`, whose `Err(text)` says what does not work.
/// Behind what was typed it may take other arguments of the prompt by their names, as far as the client has them.
/// A field that clients know by another name (`#[serde(rename = "type")]`) is completed as `plan.kind = "type"`, and cannot be one of
/// the others.
#[proc_macro_attribute]
pub fn prompts(_settings: TokenStream, block: TokenStream) -> TokenStream {
    result(prompt::prompts(block.clone().into()), || server::plain(block.into()))
}

/// Makes the `#[resource]` functions of an impl block what clients can read by its URI, beside the `#[server]` block.
///
/// ```text
/// #[drydock_kit::resources]
/// impl Notes {
///     /// All notes, one a line.
///     #[resource("notes://all", title = "All notes", mime_type = "text/plain")]
///     fn all(&self) -> String { .. }
///
///     /// One note.
///     #[resource("notes://note/{id}")]
///     async fn note(&self, id: u32) -> Result<String, String> { .. }
/// }
/// ```
///
/// What stands in `{..}` is an argument of that name: one part of the path, decoded, never with a `/` in it, and of any type that
/// is read from a string. A function gives a `String`, a `&str` or a `Json`, or a `Result` of one, whose `Err(text)` says why there is
/// no such resource. A URI with `{..}` is told to clients as a template, and one without in the list.
///
/// A function with `#[complete(note.id)]` gives values for the `{id}` of `note`, as in [`macro@prompts`].
#[proc_macro_attribute]
pub fn resources(_settings: TokenStream, block: TokenStream) -> TokenStream {
    result(resource::resources(block.clone().into()), || server::plain(block.into()))
}

fn result(
    expanded: syn::Result<proc_macro2::TokenStream>,
    otherwise: impl FnOnce() -> proc_macro2::TokenStream,
) -> TokenStream {
    match expanded {
        Ok(expanded) => expanded.into(),
        Err(problem) => {
            let mut all = problem.into_compile_error();
            all.extend(otherwise());
            all.into()
        }
    }
}

/// A mistake by itself: what `#[server]` has not taken.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn tool(_words: TokenStream, function: TokenStream) -> TokenStream {
    let problem = "`#[tool]` stands in an `impl` block that has `#[server]`";
    let problem = syn::Error::new(proc_macro2::Span::call_site(), problem);
    result(Err(problem), || function.into())
}
