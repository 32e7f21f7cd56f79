//! For what the attributes write; it changes without notice.
//!
//! What a call brings -> a tool's arguments; what a tool gives -> what is answered. Invariant: a type that cannot be converted is
//! named by the compiler, with what is to be written instead.

pub use rmcp;
use rmcp::ErrorData;
pub use rmcp::handler::server::common::FromContextPart;
use rmcp::handler::server::router::prompt::PromptRouter;
pub use rmcp::handler::server::tool::IntoCallToolResult;
use rmcp::handler::server::tool::ToolCallContext;
use rmcp::model::CallToolResponse;

pub use crate::completion::{Completion, CompletionValues, Completions, NoCompletions};
pub use crate::resource_notifier::{initialized, listen, resource_notifier, subscribe, unsubscribe};
pub use crate::resources::{
    NoResources, Resource, ResourceText, argument, list_resource_templates, list_resources, read_resource,
};

/// A server without prompts: a type's own function of that name comes before this one.
pub trait NoPrompts: Sized + Send + Sync + 'static {
    #[must_use]
    fn __drydock_prompts() -> PromptRouter<Self> {
        PromptRouter::new()
    }
}

impl<T: Send + Sync + 'static> NoPrompts for T {}

/// What a tool may take.
#[diagnostic::on_unimplemented(
    message = "a tool cannot take `{Self}` as it is",
    label = "write `Parameters(..): Parameters<{Self}>`",
    note = "beside `Parameters<T>`, a tool takes what rmcp knows of a call, as `RequestContext<RoleServer>`"
)]
pub trait Argument<C>: Sized {
    /// Takes it out of a call.
    ///
    /// # Errors
    /// It is not in there.
    fn take(context: &mut C) -> Result<Self, ErrorData>;
}

#[diagnostic::do_not_recommend]
impl<'a, S, T: FromContextPart<ToolCallContext<'a, S>>> Argument<ToolCallContext<'a, S>> for T {
    fn take(context: &mut ToolCallContext<'a, S>) -> Result<Self, ErrorData> {
        T::from_context_part(context)
    }
}

/// What a tool may give.
#[diagnostic::on_unimplemented(
    message = "a tool cannot give `{Self}` as it is",
    label = "a result is a `Json<{Self}>`; an error is a `String` that says what to do",
    note = "beside `Json<T>`, a tool gives strings and rmcp's `CallToolResult` and `ErrorData`"
)]
pub trait Given {
    /// As an answer.
    ///
    /// # Errors
    /// It is an error of the protocol.
    fn give(self) -> Result<CallToolResponse, ErrorData>;
}

#[diagnostic::do_not_recommend]
impl<T: IntoCallToolResult> Given for T {
    fn give(self) -> Result<CallToolResponse, ErrorData> {
        self.into_call_tool_result()
    }
}
