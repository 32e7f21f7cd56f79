//! `--scope`: the library's scopes as values of an option.
//!
//! Word -> `Scope`. Invariant: the help names every scope that there is, and says whose entry it is.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use drydock_config::client::Scope;

pub(crate) fn parser() -> impl TypedValueParser<Value = Scope> {
    let value = |scope: Scope| {
        PossibleValue::new(match scope {
            Scope::User => "user",
            Scope::Project => "project",
        })
        .help(match scope {
            Scope::User => "This person's, in every project",
            Scope::Project => "One project's, shared with everybody who works on it",
        })
    };
    PossibleValuesParser::new(Scope::ALL.map(value)).try_map(|it| it.parse::<Scope>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_a_value_and_nothing_else() {
        let command =
            || clap::Command::new("x").arg(clap::Arg::new("scope").long("scope").value_parser(parser()));
        for scope in Scope::ALL {
            let read = command().try_get_matches_from(["x".to_owned(), format!("--scope={scope}")]).unwrap();
            assert_eq!(read.get_one::<Scope>("scope"), Some(&scope));
        }
        let refused = command().try_get_matches_from(["x", "--scope", "projekt"]).unwrap_err().to_string();
        assert!(refused.contains("[possible values: user, project]"), "{refused}");
    }
}
