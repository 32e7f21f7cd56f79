//! "Did you mean": the known name that is most like one that nobody knows.
//!
//! A name + known names -> one of them, or nothing. Invariant: of names that a server made up, however many and long, little
//! is looked at.

/// Names that are compared, and the characters of one: a comparison takes the product of two lengths.
const MAX_NAMES: usize = 1_000;
const MAX_CHARS: usize = 100;

/// "did you mean `find_place`?"
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    most_alike(name, known).map(|it| format!("did you mean `{it}`?"))
}

fn most_alike<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let is_short = |it: &&str| it.chars().nth(MAX_CHARS).is_none();
    let name = Some(name).filter(is_short)?.to_lowercase();
    let known = known.into_iter().filter(is_short).take(MAX_NAMES);
    let alike = known.map(|it| (strsim::normalized_damerau_levenshtein(&name, &it.to_lowercase()), it));
    alike.filter(|it| it.0 >= 0.6).max_by(|a, b| a.0.total_cmp(&b.0)).map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_alike_is_named_if_it_is_alike() {
        let known = ["find_place", "get_forecast", "sun_times"];
        assert_eq!(did_you_mean("findplace", known).as_deref(), Some("did you mean `find_place`?"));
        assert_eq!(most_alike("GetForecast", known), Some("get_forecast"));
        assert_eq!(most_alike("x", known), None);
        assert_eq!(most_alike(&"x".repeat(100_000), [&*"x".repeat(100_001)]), None);
    }
}
