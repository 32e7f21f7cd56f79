use crate::prompt::prompts;
use crate::resource::resources;

use super::*;

fn problem(words: &str, function: &str) -> String {
    let [words, function] = [words, function].map(|it| it.parse::<TokenStream>().unwrap());
    let block = quote! {
        impl Notes {
            /// One line.
            #[resource("notes://{day}/{line}")]
            fn line(&self, day: String, line: u32) -> String {}

            #[complete(#words)]
            #function
        }
    };
    resources(block).unwrap_err().to_string()
}

#[test]
fn what_is_not_there_is_told_by_its_name() {
    let good = "fn lines(&self, typed: &str) -> Vec<String> {}";
    for (words, function, expected) in [
        ("", good, "say what is completed"),
        ("line", good, "as in `#[complete(note.id)]`"),
        ("lime.line", good, "is the function `lime`"),
        ("line.lime", good, "`line` has no argument `lime`"),
        ("line.line, line.line", good, "completed twice"),
        (r#"line.line = "it""#, good, "a URI has one name"),
        ("line.line", "fn lines(typed: &str) -> Vec<String> {}", "takes `&self` and what was typed"),
        ("line.line", "fn lines(&self) -> Vec<String> {}", "`fn lines(&self, typed: &str)`"),
        (
            "line.line",
            "fn lines(&self, typed: &str, dai: Option<&str>) -> Vec<String> {}",
            "has no argument `dai`",
        ),
        (
            "line.line",
            "fn lines(&self, typed: &str, (a, b): (u8, u8)) -> Vec<String> {}",
            "the name of another argument",
        ),
    ] {
        let told = problem(words, function);
        assert!(told.contains(expected), "{words}: {told}");
    }
}

#[test]
fn a_function_is_a_row_for_each_argument_that_it_completes() {
    let rows = prompts(quote! {
        impl Notes {
            /// Sums up.
            #[prompt(name = "sum-up")]
            async fn sum_up(&self, Parameters(it): Parameters<Days>) -> String {}

            #[complete(sum_up.from, sum_up.r#type = "kind")]
            async fn days(&self, typed: &str, to: Option<&str>) -> Vec<String> {}
        }
    });
    let text = rows.unwrap().to_string().replace(' ', "");
    for part in [
        r#"of:"sum-up",argument:"from""#,
        r#"of:"sum-up",argument:"kind""#,
        r#"server.days(&typed.value,typed.other("to")).await"#,
        "fn(&Days)=|it|{let_=&it.from;}",
        "fn(&Days)=|it|{let_=&it.to;}",
        "fn(&Days)=|it|{let_=&it.r#type;}",
        "fn__drydock_prompt_completions()",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn without_such_functions_nothing_is_added() {
    let rows = prompts(quote! {
        impl Notes {
            /// Sums up.
            #[prompt]
            async fn sum_up(&self) -> String {}
        }
    });
    assert!(!rows.unwrap().to_string().contains("completions"));
}
