//! Values for what a person types: an argument of a prompt, or a `{..}` of a resource's URI.
//!
//! Rows that `#[complete]` makes of functions + what was typed -> values. Invariants: at most 100 go out, and how many there are
//! is told; what has no such argument is an error, and what nothing is known for has no values.

use std::collections::HashMap;
use std::fmt::Display;
use std::pin::Pin;

use drydock_runtime::log::escape;
use rmcp::ErrorData;
use rmcp::handler::server::router::prompt::PromptRouter;
use rmcp::model::{CompleteRequestMethod, CompleteRequestParams, CompleteResult, CompletionInfo, Reference};

use crate::resources::Resource;

/// What a function gives values for. What is not there does not compile:
///
/// ```compile_fail,E0609
/// # use drydock_kit::prelude::*;
/// # struct Trips;
/// # #[server]
/// # impl Trips {}
/// # #[derive(serde::Deserialize, JsonSchema)]
/// struct Plan {
///     city: String,
/// }
///
/// #[drydock_kit::prompts]
/// impl Trips {
///     /// Plan a trip.
///     #[prompt]
///     async fn plan(&self, Parameters(it): Parameters<Plan>) -> Vec<rmcp::model::PromptMessage> {
///         vec![rmcp::model::PromptMessage::new_text(rmcp::model::Role::User, it.city)]
///     }
///
///     #[complete(plan.town)] // and with `plan.city` it does
///     fn cities(&self, _typed: &str) -> Vec<String> {
///         Vec::new()
///     }
/// }
/// ```
#[doc(hidden)]
#[derive(Debug)]
pub struct Completion<S: 'static> {
    /// The prompt's name, or the resource's URI.
    pub of: &'static str,
    /// As clients know it.
    pub argument: &'static str,
    /// The other arguments that the function takes.
    pub others: &'static [&'static str],
    /// Calls the function.
    pub complete: for<'a> fn(&'a S, Typed) -> Completing<'a>,
}

type Completing<'a> = Pin<Box<dyn Future<Output = Result<Vec<String>, ErrorData>> + Send + 'a>>;

/// What a client has of the arguments so far.
#[doc(hidden)]
#[derive(Debug)]
pub struct Typed {
    /// Of the one that is completed.
    pub value: String,
    others: HashMap<String, String>,
}

impl Typed {
    /// The value of another one.
    #[must_use]
    pub fn other(&self, name: &str) -> Option<&str> {
        self.others.get(name).map(String::as_str)
    }
}

/// What a function can give.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a completion cannot give `{Self}`",
    label = "it gives a `Vec<String>`, or a `Result` of one whose error is a `String`"
)]
pub trait CompletionValues {
    /// The values.
    ///
    /// # Errors
    /// There are none to be had now.
    fn values(self) -> Result<Vec<String>, ErrorData>;
}

impl CompletionValues for Vec<String> {
    fn values(self) -> Result<Vec<String>, ErrorData> {
        Ok(self)
    }
}

impl<E: Display> CompletionValues for Result<Vec<String>, E> {
    fn values(self) -> Result<Vec<String>, ErrorData> {
        self.map_err(|why| ErrorData::internal_error(why.to_string(), None))
    }
}

/// A server without completions: a type's own functions of these names come before these.
#[doc(hidden)]
pub trait NoCompletions: Sized + Send + Sync + 'static {
    /// None.
    #[must_use]
    fn __drydock_prompt_completions() -> &'static [Completion<Self>] {
        &[]
    }

    /// None.
    #[must_use]
    fn __drydock_resource_completions() -> &'static [Completion<Self>] {
        &[]
    }
}

impl<T: Send + Sync + 'static> NoCompletions for T {}

/// All that a server completes.
#[doc(hidden)]
#[derive(Debug)]
pub struct Completions<S: 'static> {
    /// What there is.
    pub prompts: &'static PromptRouter<S>,
    /// What there is.
    pub resources: &'static [Resource<S>],
    /// What is completed of it.
    pub of_prompts: &'static [Completion<S>],
    /// What is completed of it.
    pub of_resources: &'static [Completion<S>],
}

impl<S> Completions<S> {
    /// Answers `completion/complete`.
    ///
    /// # Errors
    /// Nothing is completed here, there is no such prompt, template or argument, or its function says that it cannot.
    pub async fn complete(
        &self,
        server: &S,
        asked: CompleteRequestParams,
    ) -> Result<CompleteResult, ErrorData> {
        if self.of_prompts.is_empty() && self.of_resources.is_empty() {
            return Err(ErrorData::method_not_found::<CompleteRequestMethod>());
        }
        let (of, arguments, rows) = match &asked.r#ref {
            Reference::Prompt(it) => (&it.name, self.prompt(&it.name)?, self.of_prompts),
            Reference::Resource(it) => (&it.uri, self.resource(&it.uri)?, self.of_resources),
            _ => return Err(invalid("what is completed is a prompt or a resource template".to_owned())),
        };
        let argument = &asked.argument.name;
        if !arguments.contains(&argument.as_str()) {
            return Err(invalid(format!("`{}` has no argument `{}`", escape(of), escape(argument))));
        }
        let rows = rows.iter().filter(|it| it.of == of);
        if let Some(row) = rows.clone().find(|it| it.argument == argument) {
            if let Some(lost) = row.others.iter().find(|it| !arguments.contains(it)) {
                return Err(ErrorData::internal_error(taken(of, lost, &arguments), None));
            }
            let others = asked.context.and_then(|it| it.arguments).unwrap_or_default();
            let typed = Typed { value: asked.argument.value, others };
            return (row.complete)(server, typed).await.map(first);
        }
        match rows.map(|it| it.argument).find(|it| !arguments.contains(it)) {
            Some(lost) => Err(ErrorData::internal_error(renamed(of, lost, &arguments), None)),
            None => Ok(first(Vec::new())),
        }
    }

    fn prompt(&self, name: &str) -> Result<Vec<&str>, ErrorData> {
        let found =
            self.prompts.map.get(name).ok_or_else(|| invalid(format!("no prompt `{}`", escape(name))))?;
        Ok(found.attr.arguments.iter().flatten().map(|it| it.name.as_str()).collect())
    }

    fn resource(&self, uri: &str) -> Result<Vec<&str>, ErrorData> {
        let found = self.resources.iter().find(|it| it.uri == uri);
        let found = found.ok_or_else(|| invalid(format!("no resource template `{}`", escape(uri))))?;
        Ok(found.variables().collect())
    }
}

fn invalid(what: String) -> ErrorData {
    ErrorData::invalid_params(what, None)
}

/// A mistake in the server, which its author sees at the first try.
fn renamed(of: &str, lost: &str, arguments: &[&str]) -> String {
    format!(
        "`{of}` has a completion for `{lost}`, and no such argument ({}): a field with another name for clients is \
         completed as `#[complete(FUNCTION.FIELD = \"NAME\")]`",
        arguments.join(", ")
    )
}

/// The same for another argument, whose value would never be there.
fn taken(of: &str, lost: &str, arguments: &[&str]) -> String {
    format!(
        "a completion of `{of}` takes `{lost}`, and no such argument is known to clients ({}): a field with another name for \
         them cannot be taken",
        arguments.join(", ")
    )
}

/// As many as may go out.
fn first(mut values: Vec<String>) -> CompleteResult {
    let mut info = CompletionInfo::default();
    info.total = u32::try_from(values.len()).ok();
    info.has_more = Some(values.len() > CompletionInfo::MAX_VALUES);
    values.truncate(CompletionInfo::MAX_VALUES);
    info.values = values;
    CompleteResult::new(info)
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use rmcp::handler::server::router::prompt::PromptRoute;
    use rmcp::model::{ArgumentInfo, GetPromptResult, Prompt, PromptArgument};

    use super::*;

    /// A prompt with one argument, whose field has another name.
    fn prompts() -> &'static PromptRouter<()> {
        static PROMPTS: OnceLock<PromptRouter<()>> = OnceLock::new();
        PROMPTS.get_or_init(|| {
            let prompt = Prompt::new("plan", None::<String>, Some(vec![PromptArgument::new("type")]));
            PromptRouter::new().with_route(PromptRoute::new_dyn(prompt, |_| {
                Box::pin(async { Ok(GetPromptResult::new(Vec::new()).into()) })
            }))
        })
    }

    #[tokio::test]
    async fn a_field_that_clients_know_by_another_name_is_told_to_its_author() {
        static KIND: [Completion<()>; 1] = [Completion {
            of: "plan",
            argument: "kind",
            others: &[],
            complete: |(), _| Box::pin(async { Ok(Vec::new()) }),
        }];
        let all = Completions { prompts: prompts(), resources: &[], of_prompts: &KIND, of_resources: &[] };
        let asked = |name: &str| {
            CompleteRequestParams::new(Reference::for_prompt("plan"), ArgumentInfo::new(name, ""))
        };
        let told = all.complete(&(), asked("type")).await.unwrap_err();
        assert_eq!(told.code.0, -32603);
        assert!(told.message.contains("completion for `kind`, and no such argument (type)"), "{told}");
        assert_eq!(all.complete(&(), asked("kind")).await.unwrap_err().code.0, -32602);
    }

    #[tokio::test]
    async fn nor_is_its_value_taken_for_missing() {
        static TYPE: [Completion<()>; 1] = [Completion {
            of: "plan",
            argument: "type",
            others: &["kind"],
            complete: |(), typed| {
                Box::pin(async move { Ok(typed.other("kind").map(str::to_owned).into_iter().collect()) })
            },
        }];
        let all = Completions { prompts: prompts(), resources: &[], of_prompts: &TYPE, of_resources: &[] };
        let asked = CompleteRequestParams::new(Reference::for_prompt("plan"), ArgumentInfo::new("type", ""));
        let told = all.complete(&(), asked).await.unwrap_err();
        assert_eq!(told.code.0, -32603);
        assert!(
            told.message.contains("takes `kind`, and no such argument is known to clients (type)"),
            "{told}"
        );
    }
}
